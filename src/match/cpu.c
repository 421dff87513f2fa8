#include "match/cpu.h"

#include <stddef.h>
#include <string.h>

uint32_t cpu_flags(void)
{
	uint32_t f = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2"))
		f |= CPU_AVX2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		f |= CPU_AVX512;
#endif
	return f;
}

int cpu_mask_by_name(const char *name, uint32_t *ret_mask)
{
	static const struct {
		const char *name;
		uint32_t mask;
	} level[] = {
	    {"scalar", 0},
	    {"avx2", CPU_AVX2},
	    {"avx512", CPU_AVX2 | CPU_AVX512},
	    {"all", CPU_ALL},
	};
	for (size_t i = 0; i < sizeof level / sizeof level[0]; i++) {
		if (strcmp(name, level[i].name) != 0)
			continue;
		*ret_mask = level[i].mask;
		return 0;
	}
	return -1;
}
