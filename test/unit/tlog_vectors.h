/* Vectors of test/vectors/tlog (VECTORS is that folder), and keys. Memory lives until the end. */
#ifndef VITRINE_TEST_TLOG_VECTORS_H
#define VITRINE_TEST_TLOG_VECTORS_H

#include "test/t.h"
#include "tlog/note.h"

/* One file; the test ends where it is missing. */
static inline struct rd vector_file(const char *name)
{
	static uint8_t pool[1 << 18];
	static size_t used;
	char path[512];
	snprintf(path, sizeof path, "%s/%s", VECTORS, name);
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(pool + used, 1, sizeof pool - used, f) : 0;
	if (!n || used + n == sizeof pool) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	used += n;
	return rd_make(pool + used - n, n);
}

/* The value of "name": "..." in keys.json. */
static inline struct rd vector_json(const char *name)
{
	static struct rd file;
	if (!file.len)
		file = vector_file("keys.json");
	char want[128];
	size_t nwant = (size_t)snprintf(want, sizeof want, "\"%s\": \"", name);
	struct rd r = file;
	while (rd_left(&r) && !rd_peek(&r, want, nwant))
		rd_skip(&r, 1);
	rd_skip(&r, nwant);
	size_t n = 0;
	while (r.pos + n < r.len && rd_byte(&r, r.pos + n) != '"')
		n++;
	T_TRUE(n > 0);
	return rd_sub(&r, n);
}

static inline void vector_seed(const char *name, uint8_t ret[32])
{
	struct rd hex = vector_json(name);
	for (size_t i = 0; i < 32; i++) {
		char two[3] = {(char)rd_byte(&hex, 2 * i), (char)rd_byte(&hex, 2 * i + 1), 0};
		ret[i] = (uint8_t)strtoul(two, NULL, 16);
	}
}

static inline struct note_key vector_key(struct rd vkey)
{
	struct note_key k = {0};
	struct err e = {0};
	T_EQ(note_key_parse(vkey, &k, &e), ST_OK);
	T_STR(e.text, "");
	return k;
}

/* A string as a reader. */
static inline struct rd rd_str(const char *s)
{
	return rd_make(s, strlen(s));
}

static inline struct rd rd_buf(const struct buf *b)
{
	return rd_make(b->data, b->len);
}

static inline bool buf_is(const struct buf *b, struct rd r)
{
	return b->len == r.len && (!b->len || memcmp(b->data, r.base, r.len) == 0);
}

#endif
