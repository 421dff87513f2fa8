/* Four independent multiply-rotate lanes of 8 bytes keep the multiplier busy; every lane is a
 * bijection of its state for a fixed input word, so that no single damaged word can go unseen. */
#include "base/sum64.h"

#include "base/num.h"

#define K1 UINT64_C(0x9e3779b97f4a7c15)
#define K2 UINT64_C(0xc2b2ae3d27d4eb4f)

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static uint64_t lane(uint64_t h, uint64_t w)
{
	return rotl((h ^ w) * K1, 29);
}

static uint64_t tail(uint64_t h, const uint8_t *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8)
		h = lane(h, load_u64le(p));
	for (; n > 0; p++, n--)
		h = lane(h, *p);
	return h;
}

uint64_t sum64(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t a = K2, b = K2 + 1, c = K2 + 2, d = K2 + 3;
	size_t n = len;
	for (; n >= 32; p += 32, n -= 32) {
		a = lane(a, load_u64le(p));
		b = lane(b, load_u64le(p + 8));
		c = lane(c, load_u64le(p + 16));
		d = lane(d, load_u64le(p + 24));
	}
	uint64_t h = lane(lane(lane(lane((uint64_t)len, a), b), c), d);
	h = tail(h, p, n);
	h ^= h >> 32;
	return h * K2 ^ h >> 29;
}
