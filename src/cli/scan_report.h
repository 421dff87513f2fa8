/* What `vitrine scan` prints: result lines or JSON on stdout, messages and summary on stderr. */
#ifndef VITRINE_CLI_SCAN_REPORT_H
#define VITRINE_CLI_SCAN_REPORT_H

#include "cli/report_json.h"
#include "cli/session.h"

struct scan_report {
	bool json, verbose, quiet, infected, colour;
	struct session *session;
	struct scan_summary sum;
};

/* A session_show_fn; ctx is a struct scan_report. */
st_t scan_report_show(void *ctx, struct run_item *item, struct err *e);

/* The summary: on stderr, or the last JSON object. */
void scan_report_summary(const struct scan_report *r);

#endif
