/* The test harness: a few macros. An assertion that fails prints both expressions and both values
 * and counts; the test goes on. A program ends with one line "N passed, N failed". */
#ifndef VITRINE_TEST_T_H
#define VITRINE_TEST_T_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

[[maybe_unused]] static int t_passed, t_failed, t_bad;

#define T_FAIL(...)                                    \
	do {                                               \
		t_bad++;                                       \
		printf("  %s:%d: ", __FILE__, __LINE__);       \
		printf(__VA_ARGS__);                           \
		printf("\n");                                  \
	} while (0)

#define T_TRUE(x)                             \
	do {                                      \
		if (!(x))                             \
			T_FAIL("not true: %s", #x);       \
	} while (0)

#define T_EQ(a, b)                                                                          \
	do {                                                                                    \
		int64_t t_a = (int64_t)(a), t_b = (int64_t)(b);                                     \
		if (t_a != t_b)                                                                     \
			T_FAIL("%s == %s: %" PRId64 " (0x%" PRIx64 ") is not %" PRId64 " (0x%" PRIx64   \
			       ")", #a, #b, t_a, (uint64_t)t_a, t_b, (uint64_t)t_b);                    \
	} while (0)

#define T_STR(a, b)                                                          \
	do {                                                                     \
		const char *t_a = (a), *t_b = (b);                                   \
		if (!t_a || !t_b || strcmp(t_a, t_b))                                \
			T_FAIL("%s == %s: \"%s\" is not \"%s\"", #a, #b, t_a, t_b);      \
	} while (0)

#define T_MEM(a, b, n)                                        \
	do {                                                      \
		if (memcmp((a), (b), (n)))                            \
			T_FAIL("%s and %s differ", #a, #b);               \
	} while (0)

/* Runs one test function: T_RUN(rule_that_it_checks). */
#define T_RUN(fn)                                     \
	do {                                              \
		t_bad = 0;                                    \
		fn();                                         \
		printf("%s %s\n", t_bad ? "FAIL" : "ok  ", #fn); \
		*(t_bad ? &t_failed : &t_passed) += 1;        \
	} while (0)

static inline int t_end(void)
{
	printf("%d passed, %d failed\n", t_passed, t_failed);
	return t_failed ? 1 : 0;
}

/* Deterministic randomness (splitmix64), so that a failure can be replayed from its seed. */
static inline uint64_t t_rand(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Seed of a run: VITRINE_TEST_SEED, else the fallback; printed so that a run can be repeated. */
static inline uint64_t t_seed(uint64_t fallback)
{
	const char *s = getenv("VITRINE_TEST_SEED");
	uint64_t seed = s ? strtoull(s, NULL, 0) : fallback;
	printf("seed 0x%" PRIx64 "\n", seed);
	return seed;
}

#endif
