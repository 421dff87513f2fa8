/* Answers for people and for programs, made by the same calls.
 *
 * An answer is a tree of items. Each item is a sentence; its fields are the same facts for
 * programs. As text an item is a line, indented by its depth, and fields are left out; as JSON it
 * is an object with the member "words", its fields, and an array for each kind of items below it:
 *
 *   out_say(o, "Part %u", 1);          Part 1              {"words":"Part 1","part":1,
 *   out_open(o, "parts");                2 bytes            "elements":[{"words":"2 bytes"}]}
 *   out_num(o, "part", 1);
 *     out_say(o, "2 bytes"); out_item(o, "elements");
 *   out_close(o);
 *
 * Invariants
 * 1. Fields come before the items below; items of one kind follow each other.
 * 2. Texts of foreign origin go through out_name() or out_str(): they end no line and no string.
 *    Bytes from 0x80 are passed on as they are: whoever shows the answer knows which are text.
 * 3. A failed write or no memory is kept and told by out_finish(). */
#ifndef VITRINE_EXPLAIN_OUT_H
#define VITRINE_EXPLAIN_OUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest tree: a condition of nested blocks below a signature. */
#define OUT_DEPTH_MAX 100

struct out_level {
	const char *array; /* the kind of items that is open below; NULL: none yet */
	bool any;          /* a member stands already */
};

struct out {
	bool json;
	/* Takes the answer bit by bit; NULL: it stays in `all`. */
	st_t (*write)(void *ctx, const void *p, size_t n, struct err *e);
	void *ctx;
	struct buf all, line;
	unsigned depth;
	struct out_level level[OUT_DEPTH_MAX];
	st_t st;
	struct err e;
};

/* Adds to the sentence of the item that comes next. */
void out_say(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a name: control bytes and backslashes escaped. */
void out_name(struct out *o, const char *s);
/* The same for bytes as "text", quoted, what is not ASCII text as dots. */
void out_quote(struct out *o, const uint8_t *p, size_t n);
/* The same for an expression as it would be typed: control bytes escaped, backslashes not. */
void out_text(struct out *o, const uint8_t *p, size_t n);
/* The same for bytes as hex, two digits each, separated by blanks. */
void out_bytes(struct out *o, const uint8_t *p, size_t n);

/* Ends the sentence and begins the item; close it behind what is below it. */
void out_open(struct out *o, const char *kind);
void out_close(struct out *o);
/* The same for an item that is the only one of its kind: in JSON no array. */
void out_open_one(struct out *o, const char *kind);
/* The same for a table of fields whose keys are data: no member "words". */
void out_open_map(struct out *o, const char *kind);
/* An item without anything below. */
void out_item(struct out *o, const char *kind);
/* The sentence so far is a line below the item that is open, for people only. */
void out_remark(struct out *o);

/* Fields of the item that is open; not shown as text. */
void out_num(struct out *o, const char *key, uint64_t n);
void out_int(struct out *o, const char *key, int64_t n);
void out_bool(struct out *o, const char *key, bool b);
void out_str(struct out *o, const char *key, const char *s);
void out_hex(struct out *o, const char *key, const uint8_t *p, size_t n);

/* Bytes as they are, for answers without items. */
void out_raw(struct out *o, const void *p, size_t n);

/* Writes what is left. The first thing that went wrong, or ST_OK. */
st_t out_finish(struct out *o, struct err *e);
void out_done(struct out *o);

#endif
