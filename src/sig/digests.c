/* Digest tables: rows sorted by (digest, size, name), bucketed by the top bits of the digest. */
#include "sig/emit.h"

#include "base/num.h"
#include "base/sum64.h"
#include "db/size_filter.h"

#include <stdlib.h>

#define ROWS_PER_BUCKET 64u /* a bucket is read and summed as a whole: about 1.5 KB */

struct key {
	uint64_t top; /* first 8 bytes of the digest, big-endian */
	uint32_t index;
};

static uint64_t top_of(const struct ir_hash *h)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | h->digest[i];
	return v;
}

/* qsort has no context: the rows being compared. The compiler has one thread. */
static const struct ir_hash_list *sort_list;
static size_t sort_digest;

static int by_row(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	if (x->top != y->top)
		return x->top < y->top ? -1 : 1;
	const struct ir_hash *h = ir_hash_at(sort_list, x->index);
	const struct ir_hash *k = ir_hash_at(sort_list, y->index);
	int c = memcmp(h->digest, k->digest, sort_digest);
	if (c)
		return c;
	if (h->size != k->size)
		return h->size < k->size ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

#define RADIX 65536u

/* Counting sort by the top 16 bits, then each of its piles: digests are spread evenly. */
static bool sort_keys(const struct ir_hash_list *l, struct key *out)
{
	size_t *start = calloc(RADIX + 1, sizeof *start);
	if (!start)
		return false;
	for (size_t i = 0; i < l->n; i++)
		start[(top_of(ir_hash_at(l, i)) >> 48) + 1]++;
	for (size_t i = 0; i < RADIX; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < l->n; i++) {
		uint64_t top = top_of(ir_hash_at(l, i));
		out[start[top >> 48]++] = (struct key){top, (uint32_t)i};
	}
	for (size_t i = 0, from = 0; i < RADIX; from = start[i], i++)
		qsort(out + from, start[i] - from, sizeof *out, by_row);
	free(start);
	return true;
}

/* Of rows with the same digest and size the last one read counts, as in ClamAV. */
static size_t drop_older(const struct ir_hash_list *l, struct key *k, size_t n, size_t digest)
{
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		const struct ir_hash *h = ir_hash_at(l, k[i].index);
		const struct ir_hash *next = i + 1 < n ? ir_hash_at(l, k[i + 1].index) : NULL;
		bool older = next && next->size == h->size && !memcmp(next->digest, h->digest, digest);
		if (!older)
			k[out++] = k[i];
	}
	return out;
}

static void put_rows(struct emit *x, const struct ir_hash_list *l, const struct key *k, size_t n,
                     size_t digest)
{
	for (size_t i = 0; i < n; i++) {
		const struct ir_hash *h = ir_hash_at(l, k[i].index);
		buf_add(&x->hash_rows, h->digest, digest);
		buf_u32le(&x->hash_rows, h->size);
		buf_u32le(&x->hash_rows, (uint32_t)h->nameref);
	}
}

static void put_directory(struct emit *x, const struct db_hash_table *t, const struct key *k)
{
	size_t row = 0;
	for (uint64_t b = 0; b <= UINT64_C(1) << t->dir_log2; b++) {
		size_t from = row;
		while (row < t->nrows && (t->dir_log2 ? k[row].top >> (64 - t->dir_log2) : 0) == b)
			row++;
		buf_u32le(&x->hash_dir, (uint32_t)from);
		if (x->hash_rows.oom)
			return;
		const uint8_t *rows = x->hash_rows.data + t->rows_off;
		buf_u32le(&x->hash_dir, (uint32_t)sum64(rows + from * t->stride, (row - from) * t->stride));
	}
}

/* Bits of the size filter: eight for each row, at most 2^26 (8 MiB). */
static uint32_t sizes_log2(size_t n)
{
	uint32_t log2 = 9;
	while (log2 < 26 && (size_t)1 << log2 < 8 * n)
		log2++;
	return log2;
}

static void put_sizes(struct emit *x, struct db_hash_table *t, const struct ir_hash_list *l,
                      const struct key *k)
{
	t->sizes = emit_count(&x->hash_sizes, 8);
	t->sizes_log2 = sizes_log2((size_t)t->nrows);
	size_t at = x->hash_sizes.len;
	buf_fill(&x->hash_sizes, 0, (size_t)1 << (t->sizes_log2 - 3));
	if (x->hash_sizes.oom)
		return;
	uint8_t *bits = x->hash_sizes.data + at;
	for (size_t i = 0; i < t->nrows; i++) {
		uint32_t size = ir_hash_at(l, k[i].index)->size;
		uint64_t bit = size_filter_bit(size, t->sizes_log2);
		bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
		t->any_size += size == IR_SIZE_ANY;
	}
}

static st_t put_table(struct emit *x, const struct ir_hash_list *l, enum digest_kind kind,
                      struct err *e)
{
	struct db_hash_table t = {0};
	size_t digest = digest_size(kind);
	struct key *k = malloc((l->n + 1) * sizeof *k);
	sort_list = l;
	sort_digest = digest;
	if (!k || !sort_keys(l, k)) {
		free(k);
		return fail(e, ST_NOMEM, 0, "compiler: digests: out of memory");
	}
	t.nrows = drop_older(l, k, l->n, digest);
	if (t.nrows) {
		t.stride = (uint32_t)digest + 8;
		t.rows_off = x->hash_rows.len;
		t.dir = emit_count(&x->hash_dir, sizeof(struct db_hash_dir));
		while (t.dir_log2 < 24 && (UINT64_C(1) << t.dir_log2) * ROWS_PER_BUCKET < t.nrows)
			t.dir_log2++;
		put_rows(x, l, k, (size_t)t.nrows, digest);
		put_directory(x, &t, k);
		put_sizes(x, &t, l, k);
	}
	buf_add(&x->hash, &t, sizeof t);
	free(k);
	return ST_OK;
}

st_t emit_digests(struct emit *x, struct err *e)
{
	for (unsigned u = 0; u < IR_HASH_USES; u++) {
		for (enum digest_kind k = 0; k < DIGEST_KINDS; k++) {
			struct ir_hash_list *l = &x->set->hashes[u][k];
			TRY(put_table(x, l, k, e));
			free(l->rows); /* hundreds of megabytes, just before the file is put together */
			l->rows = NULL;
		}
	}
	TRY(buf_check(&x->hash_dir, e, "compiler: digests"));
	return buf_check(&x->hash_rows, e, "compiler: digests");
}
