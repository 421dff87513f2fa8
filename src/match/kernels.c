#include "match/kernels.h"

#include "match/cpu.h"

static struct kernels scalar(void)
{
	struct kernels k = {.find = find_literal, .name = "scalar"};
	for (unsigned c = 0; c < DB_CLASSES; c++)
		k.probe[c] = match_ref;
	return k;
}

#if defined(__x86_64__)
static void raise(struct kernels *k, match_kernel *k8, match_kernel *k4, match_kernel *k2,
                  find_fn *find, const char *name)
{
	k->find = find;
	k->probe[DB_CLASS_8_8] = k->probe[DB_CLASS_8_4] = k8;
	k->probe[DB_CLASS_4_4] = k->probe[DB_CLASS_4_2] = k->probe[DB_CLASS_4_1] = k4;
	k->probe[DB_CLASS_2_1] = k2;
	k->name = name;
}
#endif

struct kernels kernels_select(uint32_t cpumask)
{
	struct kernels k = scalar();
#if defined(__x86_64__)
	uint32_t f = cpu_flags() & cpumask;
	if (f & CPU_AVX2)
		raise(&k, match_avx2_8, match_avx2_4, match_avx2_2, find_avx2, "avx2");
	if (f & CPU_AVX512)
		raise(&k, match_avx512, match_avx512, match_avx512_2, find_avx512, "avx512");
#else
	(void)cpumask;
#endif
	return k;
}
