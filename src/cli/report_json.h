/* JSON lines: one object for a file, one at the end for the whole.
 *
 * Names that are not valid UTF-8 cannot be JSON text: each wrong byte is shown as U+FFFD, and a
 * second member with _hex behind its name holds the exact bytes in hex. */
#ifndef VITRINE_CLI_REPORT_JSON_H
#define VITRINE_CLI_REPORT_JSON_H

#include "cli/quarantine.h"
#include "cli/run.h"

#include <stdio.h>

struct scan_summary {
	uint64_t files, bytes, bytes_scanned, found, incomplete, errors, skipped, dirs, signatures;
	double seconds;
};

/* `verdict` is a word; `error` NULL or why there was none. */
struct json_file {
	const char *path, *verdict, *error;
	const struct pool_result *result; /* NULL: not scanned */
	uint64_t size;
	enum quarantine_action action;
	const struct quarantine_result *moved; /* NULL: no action */
};

void json_put_file(FILE *f, const struct json_file *file);
void json_put_summary(FILE *f, const struct scan_summary *s);

/* A string with quotes, wrong bytes as U+FFFD. Returns false if there were any. */
bool json_put_string(FILE *f, const char *s);

#endif
