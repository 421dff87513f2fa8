#include "match/kernels.h"

#include "match/cpu.h"

static struct kernels scalar(void)
{
	struct kernels k = {.find = find_literal, .find_many = find_many, .name = "scalar"};
	for (unsigned c = 0; c < DB_CLASSES; c++)
		k.probe[c] = match_ref;
	return k;
}

#if defined(__x86_64__)
static const struct kernels avx2 = {
    .probe = {match_avx2_8, match_avx2_8, match_avx2_4, match_avx2_4, match_avx2_4, match_avx2_2},
    .find = find_avx2, .find_many = find_many_avx2, .name = "avx2"};

static const struct kernels avx512 = {
    .probe = {match_avx512, match_avx512, match_avx512, match_avx512, match_avx512,
              match_avx512_2},
    .find = find_avx512, .find_many = find_many_avx512, .name = "avx512"};

_Static_assert(DB_CLASS_8_4 == 1 && DB_CLASS_4_1 == 4 && DB_CLASS_2_1 == 5, "order of the kernels");
#endif

struct kernels kernels_select(uint32_t cpumask)
{
	struct kernels k = scalar();
#if defined(__x86_64__)
	uint32_t f = cpu_flags() & cpumask;
	if (f & CPU_AVX2)
		k = avx2;
	if (f & CPU_AVX512)
		k = avx512;
#else
	(void)cpumask;
#endif
	return k;
}
