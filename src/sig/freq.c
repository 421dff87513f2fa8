#include "sig/freq.h"

#include "db/gram.h"
#include "sig/emit.h"


/* gramfreq.bin as bytes of the program. */
__asm__(".section .rodata\n"
        ".balign 64\n"
        "gramfreq_bytes:\n"
        ".incbin \"sig/gramfreq.bin\"\n"
        ".previous\n");
extern const uint8_t gramfreq_bytes[FREQ3_SLOTS + FREQ4_SLOTS + FREQ8_SLOTS]
    __attribute__((visibility("hidden")));
#define FREQ3 gramfreq_bytes
#define FREQ4 (FREQ3 + FREQ3_SLOTS)
#define FREQ8 (FREQ4 + FREQ4_SLOTS)

/* 2^(b / 8) - 1, without floating point so that every machine agrees. */
static uint32_t hits(uint8_t b)
{
	static const uint32_t eighth[8] = {65536, 71468, 77936, 84990, 92682, 101070, 110218, 120194};
	uint64_t v = (uint64_t)eighth[b % 8] << (b / 8);
	return (uint32_t)((v >> 16) - 1);
}

uint32_t freq_gram4(const uint8_t *gram)
{
	return hits(FREQ4[gram4(gram).y >> (32 - FREQ4_LOG2)]);
}

uint32_t freq_pair(const uint8_t *gram)
{
	uint32_t g = gram4(gram).check;
	uint64_t triples = (uint64_t)hits(FREQ3[pair_even(g).y >> (32 - FREQ3_LOG2)]) +
	                   hits(FREQ3[pair_odd(g).y >> (32 - FREQ3_LOG2)]);
	/* Either triple is looked for at half of the offsets; two of 16 bits let about 1/64 pass. */
	uint64_t v = freq_gram4(gram) + triples / 128;
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

uint32_t freq_gram8(const uint8_t *gram)
{
	/* An eight-byte gram is no more common than the rarest four-byte gram in it. */
	uint32_t most = UINT32_MAX;
	for (unsigned i = 0; i <= 4; i++) {
		uint32_t f = freq_gram4(gram + i);
		most = f < most ? f : most;
	}
	uint32_t seen = hits(FREQ8[gram8(gram).y >> (32 - FREQ8_LOG2)]);
	uint32_t cap = seen ? seen : FREQ8_FLOOR / 8;
	return most < cap ? most : cap;
}
