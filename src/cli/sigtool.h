/* The sigtool look-alike: options of sigtool 1.4.6 that deal with files and signatures. Files and
 * signature text are read in the inspector's jail.
 *
 * Names of files and what is found in them are escaped on a terminal; elsewhere bytes go out as
 * they are, like sigtool's. */
#ifndef VITRINE_CLI_SIGTOOL_H
#define VITRINE_CLI_SIGTOOL_H

#include "proc/broker/inspect.h"

#include <stdio.h>

/* Each runs one option and returns the exit code: 0 or 1. */
int sigtool_digests(enum inspect_op op, char **files, int n);
int sigtool_hex_dump(void);
int sigtool_pe(enum inspect_op op, char **files, int n);
int sigtool_images(char **files, int n);
int sigtool_test(const char *signatures, char **files, int n);
int sigtool_copy(enum inspect_op op, const char *path);
int sigtool_html_views(const char *path);
int sigtool_container(const char *path);
int sigtool_unpack_file(const char *path);
int sigtool_unpack_current(const char *name, const char *folder);
int sigtool_names(const char *path);
int sigtool_find(const char *regex, const char *folder);
int sigtool_decode(void);

/* Asks and writes the answer to `to`; refusals go to stderr as "ERROR: ...". */
bool sigtool_ask(const struct inspect_request *rq, FILE *to);

/* The same with the answer given to `sink`. */
typedef st_t sigtool_sink(void *ctx, const void *p, size_t n, struct err *e);
bool sigtool_ask_with(const struct inspect_request *rq, sigtool_sink *sink, void *ctx,
                      enum inspect_outcome *ret);

/* Opens a file to be read by the inspector, or -1. */
int sigtool_open(const char *path);

#endif
