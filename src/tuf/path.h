/* Names of roles and paths of targets: as parts of a URL and of a file's name, and the patterns of
 * delegations. */
#ifndef VITRINE_TUF_PATH_H
#define VITRINE_TUF_PATH_H

#include "base/buf.h"

/* Longest path of a target and longest name of a role that is looked at, bytes: as a file system
 * has it. A pattern is matched in time that is a product of lengths. */
#define TUF_PATH_MAX 4095
#define TUF_ROLE_NAME_MAX 255

/* Appends with everything but RFC 3986's unreserved characters percent-encoded, and but '/' if
 * `slash`. So a role's name is one segment of a path, whatever is in it. */
void tuf_quote(const char *s, bool slash, struct buf *out);

/* Whether a target's path is one below the base URL and stays there: no empty segment (so no '/' at
 * either end), no "." and "..", at most TUF_PATH_MAX bytes. ("It is RECOMMENDED that a TARGETPATH
 * uses the forward slash (/) as directory separator and does not start with a directory
 * separator.") */
bool tuf_path_safe(const char *path);

/* PATHPATTERN: '*' and '?' and "[...]" as in glob(7); "a path separator in a path SHOULD NOT be
 * matched by a wildcard". A dot at the start of a segment is nothing special. '?' takes a code
 * point. There is no escape character. */
bool tuf_glob(const char *pattern, const char *path);

#endif
