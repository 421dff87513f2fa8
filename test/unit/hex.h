/* Vectors are written as their RFCs print them: in hex. */
#ifndef VITRINE_TEST_HEX_H
#define VITRINE_TEST_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Hex digits to bytes, at most max; how many. Ends the program on anything else: it is ours. */
static inline size_t hex_bytes(const char *hex, uint8_t *ret, size_t max)
{
	size_t n = strlen(hex) / 2;
	for (size_t i = 0; i < n; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'}, *end;
		unsigned long v = strtoul(two, &end, 16);
		if (i == max || *end)
			abort();
		ret[i] = (uint8_t)v;
	}
	return n;
}

#endif
