#include "cli/compile_tell.h"

#include "cli/text.h"

#include <stdio.h>

/* Skipped lines named one by one; the rest is counted. */
#define SKIPPED_SHOWN 20

void compile_tell_skipped(const struct compile_report *r)
{
	for (size_t i = 0; i < r->nskipped_kept && i < SKIPPED_SHOWN; i++) {
		const struct compile_skipped *s = &r->skipped[i];
		text_put(stderr, s->file, TEXT_EXACT);
		fprintf(stderr, ":%u: ", (unsigned)s->line);
		text_put(stderr, s->why, TEXT_EXACT);
		putc('\n', stderr);
	}
	if (r->nskipped > SKIPPED_SHOWN)
		fprintf(stderr, "... and %llu more\n", (unsigned long long)r->nskipped - SKIPPED_SHOWN);
}

void compile_tell_counts(const struct compile_report *r)
{
	fprintf(stderr,
	        "%llu signatures, %llu file hashes, %llu section hashes, %llu trusted hashes\n",
	        (unsigned long long)r->sigs, (unsigned long long)r->hashes_file,
	        (unsigned long long)r->hashes_section, (unsigned long long)r->hashes_trust);
	for (size_t i = 0; i < r->ninactive; i++) {
		fprintf(stderr, "not active in this version: %llu with ",
		        (unsigned long long)r->inactive[i].n);
		text_put(stderr, r->inactive[i].what, TEXT_EXACT);
		putc('\n', stderr);
	}
	fprintf(stderr, "%llu lines skipped, %llu for other engine versions\n",
	        (unsigned long long)r->nskipped, (unsigned long long)r->out_of_level);
}
