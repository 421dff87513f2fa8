/* CPU features that kernels may use. Every program takes --cpumask to force a level, so that a
 * result can be repeated with the plainest code. */
#ifndef VITRINE_MATCH_CPU_H
#define VITRINE_MATCH_CPU_H

#include <stdint.h>

enum cpu_flag {
	CPU_AVX2 = 1,
	CPU_AVX512 = 2, /* F, DQ, BW, VL */
};
#define CPU_ALL UINT32_MAX

/* Features of this machine. */
uint32_t cpu_flags(void);

/* The mask for a level's name: "scalar", "avx2", "avx512" or "all". Returns 0 on success, -1 for an
 * unknown name. */
int cpu_mask_by_name(const char *name, uint32_t *ret_mask);

#endif
