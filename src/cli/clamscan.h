/* The clamscan look-alike: options, wording and exit codes of clamscan 1.4. Where it differs, and
 * why, is in doc/differences.md. */
#ifndef VITRINE_CLI_CLAMSCAN_H
#define VITRINE_CLI_CLAMSCAN_H

#include "cli/session.h"

#include <stdio.h>
#include <time.h>

/* The engine whose options, output and signature language we follow: what scripts ask for. */
#define CLAMAV_VERSION "1.4.6"

struct clam_opts {
	struct session_opts s;
	bool help, version, verbose, archive_verbose, quiet, to_stdout, no_summary, infected;
	bool suppress_ok, bell, official_only;
	bool scan_archive, scan_pe, scan_html, scan_image, scan_image_hash, normalize;
	const char *log, *certs_dir;
};

/* Options by clamscan's table. On failure the error was said and *ret_code is the exit code. */
bool clam_opts_read(int argc, char **argv, struct clam_opts *ret, struct str_list *paths,
                    int *ret_code);

void clam_put_help(void);

struct clam_out {
	const struct clam_opts *o;
	struct session *session;
	FILE *log; /* NULL: none */
	struct timespec start_time;
	uint64_t start_ns;
	uint64_t known, dirs, files, infected, errors;
	uint64_t read_blocks, scanned_blocks; /* of 4,096 bytes, as clamscan counts */
	bool trouble; /* something that makes exit code 2 */
};

st_t clam_out_init(struct clam_out *out, const struct clam_opts *o, struct session *session);
void clam_out_done(struct clam_out *out);

/* A session_show_fn; ctx is a struct clam_out. */
st_t clam_show(void *ctx, struct run_item *item, struct err *e);

void clam_put_summary(struct clam_out *out);

/* "WARNING: …" or "ERROR: …" where clamscan writes it, and into the log. */
void clam_warn(struct clam_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void clam_error(struct clam_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
