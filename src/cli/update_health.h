/* Whether a database does what it is for, before scans use it: jailed workers open it and scan
 * samples with known verdicts. Runs in the activator, which opens files and reads none.
 *
 * Invariants
 * 1. Only ST_OK is healthy. A worker that crashes, hangs or says anything but the expected verdict
 *    is a refusal, so is a sample that was not fully scanned.
 * 2. Nothing about the database on the disk is changed here. */
#ifndef VITRINE_CLI_UPDATE_HEALTH_H
#define VITRINE_CLI_UPDATE_HEALTH_H

#include "base/st.h"

#include <stdbool.h>

struct health_request {
	int vdb_fd;
	bool eicar;             /* the EICAR test file must be found */
	const char *good, *bad; /* files, or folders of them: all clean, all found; NULL: none */
	uint32_t sample_ms;      /* time for one sample; 0: the default */
	const char *worker_path; /* as in struct pool_opts */
};

struct health_report {
	uint64_t samples, signatures;
};

/* > 0: why it is refused, in `e` (names in it are of others: print escaped). ST_MALFORMED: workers
 * crash or cannot open it, ST_TIMEOUT: they hang, ST_CONFLICT: another verdict, ST_UNSUPPORTED: not
 * of this version's format. Below 0: it could not be checked. */
st_t update_health(const struct health_request *rq, struct health_report *ret, struct err *e);

#endif
