/* What the health check of an update scans: small harmless files of the kinds that most files are,
 * and the test file that every scanner must find. Made in code, so that nothing can be missing. */
#ifndef VITRINE_CLI_HEALTH_SAMPLES_H
#define VITRINE_CLI_HEALTH_SAMPLES_H

#include "base/buf.h"

struct health_sample {
	const char *name; /* for people: "an ELF program" */
	bool eicar;       /* must be found; all others must be clean */
	void (*make)(struct buf *out);
};

#define HEALTH_SAMPLES 6
extern const struct health_sample health_samples[HEALTH_SAMPLES];

#endif
