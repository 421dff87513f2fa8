/* Structures as packets between processes: a table of fields says how. Little-endian, every field
 * in its range, nothing behind the last one; what was accepted is written again as it came. */
#ifndef VITRINE_NET_WIRE_H
#define VITRINE_NET_WIRE_H

#include "base/buf.h"
#include "base/rd.h"

#include <stdbool.h>
#include <stddef.h>

enum wire_kind {
	WIRE_END,
	WIRE_U32,   /* min to max */
	WIRE_U64,   /* at most max */
	WIRE_LINE,  /* char[max]: printable ASCII and a NUL; goes as its length (4 bytes) and bytes */
	WIRE_TEXT,  /* the same, any bytes but NUL */
	WIRE_BYTES, /* uint8_t[max] */
	WIRE_BOOLS, /* bool[max]; a byte each, 0 or 1 */
	WIRE_REST,  /* struct rd: min to max bytes up to the end; points into the packet */
};

struct wire_field {
	uint8_t kind;
	uint16_t off; /* in the structure */
	uint64_t max;
	uint32_t min;
};

/* Appends the fields. The caller keeps the ranges. */
void wire_write(const struct wire_field *fields, const void *from, struct buf *b);

/* Reads up to the end of the packet. False: a field out of its range, too few bytes, or too
 * many. */
bool wire_read(const struct wire_field *fields, struct rd *in, void *ret);

bool wire_is_printable(const char *s, size_t n);

#endif
