/* Kernels: which offsets of a stretch of bytes may hold an indexed gram?
 *
 * A kernel probes every offset p in [from, to) that is a multiple of its class's stride and writes
 * those whose gram passes the bloom filter to ret_pos, ascending. It may write MATCH_SLACK entries
 * behind the last (their values mean nothing). It reads only data[from .. to + len - 1), where len
 * is the gram length of the class; nothing outside is touched, so data may end at a page's end.
 *
 * Invariants
 * 1. No allocation, no recursion, no I/O.
 * 2. Every kernel gives exactly what the reference (match_ref) gives. test/unit/test_kernels.c. */
#ifndef VITRINE_MATCH_KERNELS_H
#define VITRINE_MATCH_KERNELS_H

#include "db/layout.h"
#include "match/find_many.h"
#include "match/nibbles.h"

#include <stddef.h>
#include <stdint.h>

/* Most bytes given to one call: its candidates then fit in MATCH_CANDIDATES whatever the stride. */
#define MATCH_BLOCK 16384u
#define MATCH_SLACK 16u
#define MATCH_CANDIDATES (MATCH_BLOCK + MATCH_SLACK)

struct match_class {
	enum db_class_id id;
	uint32_t bloom_log2;
	const void *bloom; /* uint64_t[] for 8-byte grams, uint32_t[] for the others */
	const struct nibbles *nibbles; /* class 2_1: of this filter; the others need none */
};

typedef size_t match_kernel(const struct match_class *c, const uint8_t *data, size_t from,
                            size_t to, uint32_t *ret_pos);

/* One kernel per class, and the search for literals. */
struct kernels {
	match_kernel *probe[DB_CLASSES];
	find_fn *find;
	find_many_fn *find_many;
	const char *name; /* "scalar", "avx2", "avx512" */
};

/* The best kernels that cpumask (enum cpu_flag) and this machine allow. */
struct kernels kernels_select(uint32_t cpumask);

/* The specification, in plain C. */
match_kernel match_ref;

#if defined(__x86_64__)
match_kernel match_avx2_8, match_avx2_4, match_avx2_2;
match_kernel match_avx512; /* all classes but 2_1 */
match_kernel match_avx512_2;
#endif

#endif
