/* What `vitrine log add` is to add: every file is read before anything is written, so a request with
 * one bad file changes nothing, and nothing can change in between. */
#ifndef VITRINE_CLI_LOG_INPUT_H
#define VITRINE_CLI_LOG_INPUT_H

#include "base/buf.h"
#include "log/writer.h"

/* Bytes of one request, which are in memory together: 250,000 manifests of 4 kB. */
#define LOG_REQUEST_MAX ((size_t)1 << 30)

struct log_input {
	struct buf bytes;
	struct buf ends;          /* size_t: where each entry ends */
	struct log_entry *entry;  /* once all are read */
	const char *const *name;  /* borrowed */
	size_t n;
};

/* Reads the files; "-" is standard input. ST_LIMIT: "tlog-tiles: ... at most 65535 bytes", or too
 * much altogether. */
st_t log_input_read(const char *const *names, size_t n, struct log_input *ret, struct err *e);
void log_input_done(struct log_input *in);

#endif
