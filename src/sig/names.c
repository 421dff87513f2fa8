/* Names of all signatures: sorted, numbered in that order, front-coded in blocks.
 *
 * There may be millions, most with long common beginnings, so they are sorted eight bytes at a
 * time: a three-way quicksort on the eight bytes at one depth, then deeper where those are
 * equal. */
#include "sig/emit.h"

#include "base/num.h"
#include "base/sum64.h"
#include "db/db.h"

#include <stdlib.h>

struct name {
	uint64_t key; /* bytes [depth, depth + 8), big-endian, zero behind the end */
	const char *p;
	uint32_t len;
	struct ir_hash *row; /* who bears it: a row, a signature or a condition on members */
	struct ir_sig *sig;
	struct ir_member *member;
};

static uint64_t key_at(const struct name *n, size_t depth)
{
	uint64_t k = 0;
	for (size_t i = 0; i < 8; i++)
		k = k << 8 | (depth + i < n->len ? (uint8_t)n->p[depth + i] : 0);
	return k;
}

static void load_keys(struct name *a, size_t n, size_t depth)
{
	for (size_t i = 0; i < n; i++)
		a[i].key = key_at(&a[i], depth);
}

static void swap(struct name *a, struct name *b)
{
	struct name t = *a;
	*a = *b;
	*b = t;
}

static uint64_t median(uint64_t a, uint64_t b, uint64_t c)
{
	if (a > b) {
		uint64_t t = a;
		a = b;
		b = t;
	}
	return c < a ? a : c > b ? b : c;
}

/* Sorts by key, then deeper among equal keys; recursion goes into all but the largest third. */
static void sort_names(struct name *a, size_t n, size_t depth)
{
	while (n > 1) {
		uint64_t pivot = median(a[0].key, a[n / 2].key, a[n - 1].key);
		size_t lt = 0, gt = n, i = 0;
		while (i < gt) {
			if (a[i].key < pivot)
				swap(&a[lt++], &a[i++]);
			else if (a[i].key > pivot)
				swap(&a[i], &a[--gt]);
			else
				i++;
		}
		sort_names(a, lt, depth);
		if (gt - lt > 1 && (pivot & 0xff) != 0) {
			load_keys(a + lt, gt - lt, depth + 8);
			sort_names(a + lt, gt - lt, depth + 8);
		}
		a += gt;
		n -= gt;
	}
}

static size_t count_rows(const struct ir_set *s)
{
	size_t n = 0;
	for (unsigned u = 0; u < IR_HASH_USES; u++)
		for (unsigned k = 0; k < DIGEST_KINDS; k++)
			n += s->hashes[u][k].n;
	return n;
}

static void collect(struct ir_set *s, struct name *a)
{
	for (size_t i = 0; i < s->nsigs; i++) {
		size_t len = num_min_size(strlen(s->sigs[i]->name), DB_NAME_MAX - 1);
		*a++ = (struct name){.p = s->sigs[i]->name, .len = (uint32_t)len, .sig = s->sigs[i]};
	}
	for (struct ir_member *m = s->members; m; m = m->next) {
		size_t len = num_min_size(m->name_len, DB_NAME_MAX - 1);
		*a++ = (struct name){.p = m->name, .len = (uint32_t)len, .member = m};
	}
	for (unsigned u = 0; u < IR_HASH_USES; u++) {
		for (unsigned k = 0; k < DIGEST_KINDS; k++) {
			const struct ir_hash_list *l = &s->hashes[u][k];
			for (size_t i = 0; i < l->n; i++) {
				struct ir_hash *h = ir_hash_at(l, i);
				size_t len = num_min_size(h->name_len, DB_NAME_MAX - 1);
				*a++ = (struct name){.p = h->name, .len = (uint32_t)len, .row = h};
			}
		}
	}
}

static uint32_t nameref(uint32_t index, unsigned flags)
{
	return index | (flags & IR_SIG_OFFICIAL ? DB_NAMEREF_OFFICIAL : 0) |
	       (flags & IR_SIG_PUA ? DB_NAMEREF_PUA : 0);
}

static size_t common(const struct name *a, const struct name *b)
{
	size_t max = num_min_size(num_min_size(a->len, b->len), 255), i = 0;
	while (i < max && a->p[i] == b->p[i])
		i++;
	return i;
}

/* Closes the block that ends here: its checksum goes into the directory entry of its start. */
static void close_block(struct emit *x)
{
	size_t n = x->name_dir.len / sizeof(struct db_name_dir);
	if (n == 0 || x->name_dir.oom || x->name_blocks.oom)
		return;
	struct db_name_dir *d = (struct db_name_dir *)(void *)x->name_dir.data + (n - 1);
	d->sum = (uint32_t)sum64(x->name_blocks.data + d->off, x->name_blocks.len - d->off);
}

static void open_block(struct emit *x)
{
	close_block(x);
	buf_u32le(&x->name_dir, (uint32_t)x->name_blocks.len);
	buf_u32le(&x->name_dir, 0);
}

static void put_name(struct emit *x, const struct name *n, const struct name *before)
{
	bool first = x->nnames % DB_NAME_BLOCK == 0;
	if (first)
		open_block(x);
	size_t shared = first ? 0 : common(before, n);
	buf_u8(&x->name_blocks, (uint8_t)shared);
	buf_u16le(&x->name_blocks, (uint16_t)(n->len - shared));
	buf_add(&x->name_blocks, n->p + shared, n->len - shared);
	x->nnames++;
}

static bool same(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

/* Rows lose their name here and get its number: see the union in struct ir_hash. */
static void number(struct emit *x, struct name *a, size_t n)
{
	const struct name *before = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!before || !same(before, &a[i]))
			put_name(x, &a[i], before);
		before = &a[i];
		if (a[i].sig)
			a[i].sig->nameref = nameref(x->nnames - 1, a[i].sig->flags);
		else if (a[i].member)
			a[i].member->nameref = nameref(x->nnames - 1, a[i].member->flags);
		else
			a[i].row->nameref = nameref(x->nnames - 1, a[i].row->flags);
	}
	open_block(x); /* the end of the last one */
}

st_t emit_names(struct emit *x, struct err *e)
{
	size_t n = x->set->nsigs + x->set->nmembers + count_rows(x->set);
	if (n > DB_NAMEREF_INDEX)
		return fail(e, ST_LIMIT, 0, "more than %u signatures", DB_NAMEREF_INDEX);
	struct name *a = malloc((n + 1) * sizeof *a);
	if (!a)
		return fail(e, ST_NOMEM, 0, "compiler: names: out of memory");
	collect(x->set, a);
	load_keys(a, n, 0);
	sort_names(a, n, 0);
	number(x, a, n);
	free(a);
	TRY(buf_check(&x->name_dir, e, "compiler: names"));
	return buf_check(&x->name_blocks, e, "compiler: names");
}
