/* Filters: for each target, the grams of its own signatures and of those for any file. Signatures
 * that hold only in objects inside others have filters of their own, which the file itself is
 * spared.
 *
 * Where both are few, one filter holds both, so that an object is probed once; where the
 * signatures for any file are many, they stay in one filter that all targets share, and a target
 * with signatures of its own has a second one. */
#include "sig/emit.h"

#include "base/num.h"
#include "db/gram.h"

#include <stdlib.h>
#include <string.h>

/* Grams for any file up to this many are repeated in the filter of each target that has its own. */
#define MERGE_MAX 300000u

/* Bloom words for n grams: 64-bit words hold 2-4 grams each, 32-bit words at most 1/4, because the
 * short grams are probed for more often; of those that are not there 0.5-1 % and 0.1 % pass. */
static uint32_t bloom_log2(enum db_class_id id, size_t n)
{
	if (id == DB_CLASS_2_1)
		return BLOOM2_LOG2;
	size_t words = gram_class(id).len == 8 ? n / 4 + 1 : 4 * n + 1;
	uint32_t log2 = id == DB_CLASS_4_1 ? 14 : 6; /* 64 KiB cost nothing: they stay in the cache */
	while (log2 < BLOOM_LOG2_MAX && (size_t)1 << log2 < words)
		log2++;
	return log2;
}

/* A bucket for each gram; two for short grams, of which more pass the bloom filter for nothing. */
static uint32_t bucket_log2(enum db_class_id id, size_t n)
{
	size_t want = gram_class(id).len == 8 ? n : 2 * n;
	uint32_t log2 = 0;
	while (log2 < 24 && (size_t)1 << log2 < want)
		log2++;
	return log2;
}

static int cmp_u32(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place_in_index(const void *a, const void *b)
{
	const struct gram_ref *x = a, *y = b;
	int c = cmp_u32(x->y, y->y);
	c = c ? c : cmp_u32(x->slot.check, y->slot.check);
	c = c ? c : cmp_u32(x->slot.part, y->slot.part);
	return c ? c : cmp_u32(x->slot.delta, y->slot.delta);
}

/* A gram stands in two words: one for even offsets, one for odd ones. */
static void put_pair(uint32_t *words, uint32_t log2, uint32_t gram)
{
	struct pair even = pair_even(gram), odd = pair_odd(gram);
	words[bloom_word(even.y, log2)] |= even.mask;
	words[bloom_word(odd.y, log2)] |= odd.mask;
}

static void put_bloom(struct buf *out, enum db_class_id id, uint32_t log2,
                      const struct gram_ref *g, size_t n)
{
	size_t word = id <= DB_CLASS_8_4 ? 8 : 4;
	buf_align(out, 64);
	size_t at = out->len;
	buf_fill(out, 0, word << log2);
	if (out->oom)
		return;
	uint64_t *w64 = (uint64_t *)(void *)(out->data + at);
	uint32_t *w32 = (uint32_t *)(void *)(out->data + at);
	for (size_t i = 0; i < n; i++) {
		uint32_t w = bloom_word(g[i].y, log2);
		if (id == DB_CLASS_4_1)
			put_pair(w32, log2, g[i].slot.check);
		else if (word == 8)
			w64[w] |= bloom_mask64(g[i].y);
		else
			w32[w] |= id == DB_CLASS_2_1 ? bloom_mask2(g[i].y) : bloom_mask32(g[i].y);
	}
}

static void put_buckets(struct buf *out, uint32_t log2, const struct gram_ref *g, size_t n)
{
	size_t k = 0;
	for (size_t b = 0; b < (size_t)1 << log2; b++) {
		buf_u32le(out, (uint32_t)k);
		while (k < n && gram_bucket(g[k].y, log2) == b)
			k++;
	}
	buf_u32le(out, (uint32_t)k);
}

static struct db_class put_class(struct emit *x, enum db_class_id id, struct gram_ref *g, size_t n)
{
	if (n == 0)
		return (struct db_class){0};
	qsort(g, n, sizeof *g, by_place_in_index);
	struct db_class c = {.ngrams = (uint32_t)n, .bloom_log2 = bloom_log2(id, n),
	                     .bucket_log2 = bucket_log2(id, n), .nslots = (uint32_t)n};
	put_bloom(&x->bloom, id, c.bloom_log2, g, n);
	size_t bytes = (id <= DB_CLASS_8_4 ? (size_t)8 : 4) << c.bloom_log2;
	c.bloom = (uint32_t)((x->bloom.len - bytes) / 8);
	buf_align(&x->bloom, 8);
	c.bucket = emit_count(&x->bucket, sizeof(uint32_t));
	put_buckets(&x->bucket, c.bucket_log2, g, n);
	c.slot = emit_count(&x->slot, sizeof(struct db_slot));
	for (size_t i = 0; i < n; i++)
		buf_add(&x->slot, &g[i].slot, sizeof g[i].slot);
	return c;
}

/* Which targets' grams a filter holds. */
struct members {
	bool own, any, layered;
	uint8_t target;
};

static bool is_member(const struct members *m, const struct gram_ref *g)
{
	return m->layered == g->layered &&
	       ((m->any && g->target == 0) || (m->own && g->target == m->target));
}

/* Writes one filter; *ret_index is its number. */
static st_t put_filter(struct emit *x, const struct members *m, uint32_t *ret_index, struct err *e)
{
	const struct gram_ref *g = (const struct gram_ref *)(const void *)x->grams.data;
	size_t n = x->grams.len / sizeof *g;
	struct buf pick = {0};
	struct db_filter f;
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		pick.len = 0;
		for (size_t i = 0; i < n; i++)
			if (g[i].cls == id && is_member(m, &g[i]))
				buf_add(&pick, &g[i], sizeof g[i]);
		f.cls[id] = put_class(x, id, (struct gram_ref *)(void *)pick.data, pick.len / sizeof *g);
	}
	*ret_index = emit_count(&x->filter, sizeof f);
	buf_add(&x->filter, &f, sizeof f);
	st_t st = buf_check(&pick, e, "compiler: filters");
	buf_done(&pick);
	return st;
}

static void count_grams(const struct emit *x, bool layered, size_t ret[DB_TARGETS])
{
	const struct gram_ref *g = (const struct gram_ref *)(const void *)x->grams.data;
	for (size_t i = 0; i < x->grams.len / sizeof *g; i++)
		ret[g[i].target] += g[i].layered == layered;
}

static void add_filter(struct db_target *t, uint32_t index)
{
	t->filter[t->nfilters++] = index;
}

/* For the file itself and for objects inside others. */
static st_t put_filters(struct emit *x, struct db_target *t, struct err *e)
{
	size_t n[DB_TARGETS] = {0};
	uint32_t any = 0, own;
	count_grams(x, false, n);
	if (n[0]) {
		struct members m = {.any = true};
		TRY(put_filter(x, &m, &any, e));
	}
	bool merge = n[0] <= MERGE_MAX;
	for (uint8_t i = 0; i < DB_TARGETS; i++) {
		bool has_own = i > 0 && n[i] > 0;
		if (n[0] && !(has_own && merge)) {
			add_filter(&t[i], any);
			add_filter(&t[DB_TARGETS + i], any);
		}
		if (!has_own)
			continue;
		struct members m = {.own = true, .any = merge, .target = i};
		TRY(put_filter(x, &m, &own, e));
		add_filter(&t[i], own);
		add_filter(&t[DB_TARGETS + i], own);
	}
	return ST_OK;
}

/* For objects inside others only: few signatures, so that a target has one filter of its own and
 * everybody's grams. */
static st_t put_layered(struct emit *x, struct db_target *t, struct err *e)
{
	size_t n[DB_TARGETS] = {0};
	uint32_t any = 0, own;
	count_grams(x, true, n);
	if (n[0]) {
		struct members m = {.any = true, .layered = true};
		TRY(put_filter(x, &m, &any, e));
	}
	for (uint8_t i = 0; i < DB_TARGETS; i++) {
		if (i > 0 && n[i] > 0) {
			struct members m = {.own = true, .any = true, .layered = true, .target = i};
			TRY(put_filter(x, &m, &own, e));
			add_filter(&t[DB_TARGETS + i], own);
		} else if (n[0]) {
			add_filter(&t[DB_TARGETS + i], any);
		}
	}
	return ST_OK;
}

/* -- places and always-lists ---------------------------------------------------------------- */

/* qsort has no context: the patterns that by_place() compares. The compiler has one thread. */
static const struct db_pattern *sort_patterns;

static int by_place(const void *a, const void *b)
{
	uint32_t i, k;
	memcpy(&i, a, sizeof i);
	memcpy(&k, b, sizeof k);
	const struct db_pattern *x = &sort_patterns[i], *y = &sort_patterns[k];
	int c = cmp_u32(x->off_kind, y->off_kind);
	c = c ? c : cmp_u32(x->off_section, y->off_section);
	if (c == 0 && x->off_n != y->off_n)
		return x->off_n < y->off_n ? -1 : 1;
	return c ? c : cmp_u32(i, k);
}

/* The first 8 bytes of the pattern's first part, as far as they are known. */
static struct db_place place_of(const struct emit *x, uint32_t pattern)
{
	const struct db_pattern *p = (const struct db_pattern *)(const void *)x->pattern.data + pattern;
	const struct db_part *part = (const struct db_part *)(const void *)x->part.data + p->part;
	struct db_place r = {.pattern = pattern};
	const uint8_t *code = x->code.data + part->code;
	for (uint32_t i = 0; i < 8 && i < part->min_len && part->kind != DB_PART_PROGRAM; i++) {
		uint64_t mask = part->kind == DB_PART_LITERAL ? 0xff : code[part->min_len + i];
		r.value |= (uint64_t)code[i] << (8 * i);
		r.mask |= mask << (8 * i);
	}
	return r;
}

/* Whether a signature is for objects of the i-th record: see struct db_target. */
static bool is_for(const struct target_ref *r, uint8_t i)
{
	return (r->target == 0 || r->target == i % DB_TARGETS) && (!r->layered || i >= DB_TARGETS);
}

static void put_places(struct emit *x, struct db_target *t, uint8_t record, uint32_t *scratch)
{
	const struct target_ref *r = (const struct target_ref *)(const void *)x->places.data;
	size_t n = 0;
	for (size_t i = 0; i < x->places.len / sizeof *r; i++)
		if (is_for(&r[i], record))
			scratch[n++] = r[i].index;
	sort_patterns = (const struct db_pattern *)(const void *)x->pattern.data;
	qsort(scratch, n, sizeof *scratch, by_place);
	t->place = emit_count(&x->place, sizeof(struct db_place));
	t->nplaces = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct db_place p = place_of(x, scratch[i]);
		buf_add(&x->place, &p, sizeof p);
	}
}

static void put_always(struct emit *x, struct db_target *t, uint8_t record)
{
	const struct target_ref *r = (const struct target_ref *)(const void *)x->alwayses.data;
	t->always = emit_count(&x->always, sizeof(uint32_t));
	for (size_t i = 0; i < x->alwayses.len / sizeof *r; i++)
		if (is_for(&r[i], record))
			buf_u32le(&x->always, r[i].index);
	t->nalways = emit_count(&x->always, sizeof(uint32_t)) - t->always;
}

st_t emit_filters(struct emit *x, struct err *e)
{
	struct db_target t[DB_TARGET_RECORDS] = {0};
	TRY(buf_check(&x->grams, e, "compiler: grams"));
	TRY(buf_check(&x->places, e, "compiler: places"));
	TRY(buf_check(&x->alwayses, e, "compiler: always-lists"));
	TRY(put_filters(x, t, e));
	TRY(put_layered(x, t, e));
	uint32_t *scratch = arena_alloc(&x->tmp, x->places.len / sizeof(struct target_ref) * 4);
	if (!scratch)
		return fail(e, ST_NOMEM, 0, "compiler: out of memory");
	for (uint8_t i = 0; i < DB_TARGET_RECORDS; i++) {
		put_places(x, &t[i], i, scratch);
		put_always(x, &t[i], i);
	}
	buf_add(&x->target, t, sizeof t);
	return ST_OK;
}
