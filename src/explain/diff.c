/* What two databases hold under each name, compared by content: numbers of signatures, names and
 * parts, and what the compiler chose to look for, may differ. */
#include "explain/explain.h"
#include "explain/words.h"

#include "base/rd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TABLES (DB_HASH_USES * DIGEST_KINDS)
#define MEMBERS (TABLES + 1)

/* Where the items of each name are: refs of name i are ref[start[i]] to ref[start[i + 1]]. A ref is
 * a table of digests (0: signatures, MEMBERS: of members of containers) and a number in it. */
struct index {
	const struct db *db;
	uint32_t nnames;
	uint64_t *start; /* nnames + 2: one more while it is filled */
	uint64_t *ref;
	unsigned table;
	uint64_t row;
	bool filling;
};
#define REF_TABLE_SHIFT 56

static st_t take_item(struct index *x, uint32_t nameref, uint64_t number, struct err *e)
{
	uint32_t i = nameref & DB_NAMEREF_INDEX;
	if (i >= x->nnames)
		return fail(e, ST_BAD_SUM, i, "database: a digest without a name");
	if (x->filling)
		x->ref[x->start[i + 1]] = (uint64_t)x->table << REF_TABLE_SHIFT | number;
	x->start[i + (x->filling ? 1 : 2)]++;
	return ST_OK;
}

static st_t take_row(void *ctx, const struct db_hash_row *r, struct err *e)
{
	struct index *x = ctx;
	return take_item(x, r->nameref, x->row++, e);
}

static st_t take_items(struct index *x, struct err *e)
{
	const struct db_view *v = db_view(x->db);
	x->table = 0;
	for (uint32_t i = 0; i < v->nsig; i++)
		TRY(take_item(x, v->sig[i].nameref, i, e));
	for (x->table = 1; x->table <= TABLES; x->table++) {
		unsigned t = x->table - 1;
		x->row = 0;
		TRY(db_hash_each(x->db, t / DIGEST_KINDS, t % DIGEST_KINDS, take_row, x, e));
	}
	x->table = MEMBERS;
	for (uint32_t i = 0; i < v->nmember; i++)
		TRY(take_item(x, v->member[i].nameref, i, e));
	return ST_OK;
}

/* Counts, adds up, and fills: afterwards start[] is as described. */
static st_t index_make(struct index *x, const struct db *db, struct err *e)
{
	*x = (struct index){.db = db, .nnames = db_meta(db)->nnames};
	x->start = calloc((size_t)x->nnames + 2, sizeof *x->start);
	if (!x->start)
		return fail(e, ST_NOMEM, 0, "diff: out of memory");
	TRY(take_items(x, e));
	for (uint32_t i = 0; i < x->nnames; i++)
		x->start[i + 2] += x->start[i + 1];
	x->ref = calloc(x->start[x->nnames + 1] + 1, sizeof *x->ref);
	if (!x->ref)
		return fail(e, ST_NOMEM, 0, "diff: out of memory");
	x->filling = true;
	return take_items(x, e);
}

static void index_done(struct index *x)
{
	free(x->start);
	free(x->ref);
}

/* -- content -------------------------------------------------------------------------------- */

static void add_part(struct buf *b, const struct db_view *v, const struct db_part *p)
{
	buf_u32le(b, p->gap_min);
	buf_u32le(b, p->gap_max);
	buf_u32le(b, p->min_len);
	buf_u32le(b, p->max_len);
	buf_u8(b, p->kind);
	buf_u32le(b, p->code_len);
	buf_add(b, v->code + p->code, p->code_len);
}

static void add_conds(struct buf *b, const struct db_cond *c, uint32_t n)
{
	buf_u32le(b, n);
	for (uint32_t i = 0; i < n; i++) {
		buf_u32le(b, c[i].op);
		buf_u32le(b, c[i].a);
		buf_u32le(b, c[i].b);
	}
}

static void add_regex(struct buf *b, const struct db_view *v, const struct db_regex *r)
{
	buf_u32le(b, r->options);
	buf_u32le(b, r->len);
	buf_add(b, v->code + r->text, r->len);
	add_conds(b, v->cond + r->cond, r->ncond);
}

static void add_compare(struct buf *b, const struct db_compare *c)
{
	struct db_compare same = *c;
	same.pattern = 0; /* a number of this database */
	buf_add(b, &same, sizeof same);
}

static void add_other(struct buf *b, const struct db_view *v, const struct db_pattern *p)
{
	if (p->flags & DB_PAT_REGEX)
		add_regex(b, v, &v->regex[p->part]);
	else if (p->flags & DB_PAT_COMPARE)
		add_compare(b, &v->compare[p->part]);
	else if (p->flags & DB_PAT_IMAGE)
		buf_u64le(b, v->image[p->part].hash);
}

static void add_pattern(struct buf *b, const struct db_view *v, const struct db_pattern *p)
{
	buf_u8(b, p->flags);
	buf_u8(b, p->off_kind);
	buf_u32le(b, p->off_section);
	buf_u64le(b, (uint64_t)p->off_n);
	buf_u32le(b, p->off_shift);
	buf_u32le(b, p->nparts);
	if (p->flags & DB_PAT_OTHER)
		add_other(b, v, p);
	for (uint32_t i = 0; i < p->nparts; i++)
		add_part(b, v, &v->part[p->part + i]);
}

static void add_sig(struct buf *b, const struct db_view *v, const struct db_sig *s)
{
	buf_u32le(b, s->nameref & ~DB_NAMEREF_INDEX);
	buf_u8(b, s->target);
	buf_u8(b, s->flags);
	buf_u32le(b, s->handler);
	buf_u32le(b, s->npatterns);
	for (uint32_t i = 0; i < s->npatterns; i++)
		add_pattern(b, v, &v->pattern[s->pattern + i]);
	add_conds(b, v->cond + s->cond, s->ncond);
}

static void add_member(struct buf *b, const struct db_view *v, const struct db_member *m)
{
	buf_u32le(b, m->nameref & ~DB_NAMEREF_INDEX);
	buf_u32le(b, m->has_crc ? m->crc : 0);
	buf_u16le(b, m->container);
	buf_u8(b, m->encrypted);
	buf_u8(b, m->has_crc);
	for (unsigned i = 0; i < DB_MEMBER_RANGES; i++) {
		buf_u64le(b, m->range[i].min);
		buf_u64le(b, m->range[i].max);
	}
	buf_u8(b, m->regex != DB_NO_TEXT);
	if (m->regex != DB_NO_TEXT)
		buf_add(b, v->member_text + m->regex, m->regex_len);
}

/* Everything that decides what an item finds, and under which name. Equal items have equal bytes:
 * the table stands first, and within one the length is given by what was read before. */
static void add_content(struct buf *b, const struct db *db, uint64_t ref)
{
	const struct db_view *v = db_view(db);
	unsigned table = (unsigned)(ref >> REF_TABLE_SHIFT);
	uint64_t n = ref & ((UINT64_C(1) << REF_TABLE_SHIFT) - 1);
	buf_u8(b, (uint8_t)table);
	if (table == 0) {
		add_sig(b, v, &v->sig[n]);
		return;
	}
	if (table == MEMBERS) {
		add_member(b, v, &v->member[n]);
		return;
	}
	const struct db_hash_table *t = &v->hash[table - 1];
	struct rd all = rd_make(v->hash_rows, v->nhash_rows);
	struct rd row = rd_at(&all, t->rows_off + n * t->stride, t->stride);
	const uint8_t *head = rd_take(&row, t->stride - 4);
	if (!head)
		return;
	buf_add(b, head, t->stride - 4);
	buf_u32le(b, rd_u32le(&row) & ~DB_NAMEREF_INDEX);
}

struct content {
	const uint8_t *p;
	size_t len;
};

struct contents {
	struct buf bytes;
	struct content *v;
	size_t n;
};

static void contents_done(struct contents *c)
{
	buf_done(&c->bytes);
	free(c->v);
}

static int by_content(const void *a, const void *b)
{
	const struct content *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);
	return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* The items of one name, sorted. */
static st_t contents_of(const struct index *x, uint32_t name, struct contents *ret, struct err *e)
{
	uint64_t from = x->start[name], to = x->start[name + 1];
	size_t at = 0;
	*ret = (struct contents){.n = (size_t)(to - from)};
	ret->v = calloc(ret->n + 1, sizeof *ret->v);
	if (!ret->v)
		return fail(e, ST_NOMEM, 0, "diff: out of memory");
	for (size_t i = 0; i < ret->n; i++) {
		add_content(&ret->bytes, x->db, x->ref[from + i]);
		ret->v[i].len = ret->bytes.len - at;
		at = ret->bytes.len;
	}
	TRY(buf_check(&ret->bytes, e, "diff"));
	at = 0;
	for (size_t i = 0; i < ret->n; i++) {
		ret->v[i].p = ret->bytes.data + at;
		at += ret->v[i].len;
	}
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof *ret->v, by_content);
	return ST_OK;
}

struct counts {
	uint64_t gone, new, same;
};

static struct counts count(const struct contents *a, const struct contents *b)
{
	struct counts r = {0};
	size_t i = 0, k = 0;
	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : by_content(&a->v[i], &b->v[k]);
		r.gone += order < 0;
		r.new += order > 0;
		r.same += order == 0;
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

/* -- names ---------------------------------------------------------------------------------- */

struct side {
	struct index index;
	struct db_names names;
	bool more;
};

/* The next name, which must stand behind the one before: else the lists cannot be merged. */
static st_t side_next(struct side *s, struct err *e)
{
	char before[DB_NAME_MAX];
	bool first = s->names.next == 0;
	memcpy(before, s->names.name, sizeof before);
	TRY(db_names_next(&s->names, &s->more, e));
	if (!first && s->more && strcmp(before, s->names.name) >= 0)
		return fail(e, ST_BAD_SUM, s->names.next, "database: names are not in order");
	return ST_OK;
}

static void put_name(struct out *o, const char *sign, const char *kind, const char *name)
{
	out_say(o, "%s ", sign);
	out_name(o, name);
	out_open(o, kind);
	out_str(o, "change", kind);
	out_str(o, "name", name);
	out_close(o);
}

static st_t compare_name(struct out *o, const struct side *a, const struct side *b,
                         struct explain_diff *ret, struct err *e)
{
	struct contents x = {0}, y = {0};
	st_t st = contents_of(&a->index, a->names.next - 1, &x, e);
	if (st == ST_OK)
		st = contents_of(&b->index, b->names.next - 1, &y, e);
	struct counts c = st == ST_OK ? count(&x, &y) : (struct counts){0};
	contents_done(&x);
	contents_done(&y);
	if (!c.gone && !c.new) {
		ret->same++;
		return st;
	}
	ret->changed++;
	out_say(o, "~ ");
	out_name(o, a->names.name);
	out_say(o, "  %" PRIu64 " gone, %" PRIu64 " new, %" PRIu64 " the same", c.gone, c.new, c.same);
	out_open(o, "changed");
	out_str(o, "change", "changed");
	out_str(o, "name", a->names.name);
	out_num(o, "gone", c.gone);
	out_num(o, "new", c.new);
	out_num(o, "same", c.same);
	out_close(o);
	return st;
}

/* One step of the merge: the smaller name, or both. */
static st_t step(struct out *o, struct side *a, struct side *b, struct explain_diff *ret,
                 struct err *e)
{
	int order = !a->more ? 1 : !b->more ? -1 : strcmp(a->names.name, b->names.name);
	if (order == 0)
		TRY(compare_name(o, a, b, ret, e));
	if (order < 0)
		put_name(o, "-", "removed", a->names.name);
	if (order > 0)
		put_name(o, "+", "added", b->names.name);
	ret->removed += order < 0;
	ret->added += order > 0;
	if (order <= 0)
		TRY(side_next(a, e));
	return order >= 0 ? side_next(b, e) : ST_OK;
}

static st_t merge(struct out *o, struct side *a, struct side *b, struct explain_diff *ret,
                  struct err *e)
{
	TRY(side_next(a, e));
	TRY(side_next(b, e));
	while ((a->more || b->more) && o->st == ST_OK)
		TRY(step(o, a, b, ret, e));
	out_say(o, "%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64
	        " the same",
	        ret->added, ret->removed, ret->changed, ret->same);
	out_open(o, "summary");
	out_num(o, "added", ret->added);
	out_num(o, "removed", ret->removed);
	out_num(o, "changed", ret->changed);
	out_num(o, "same", ret->same);
	out_close(o);
	return o->st;
}

st_t explain_diff(struct out *o, const struct db *a, const struct db *b, struct explain_diff *ret,
                  struct err *e)
{
	struct side *x = calloc(2, sizeof *x);
	*ret = (struct explain_diff){0};
	if (!x)
		return fail(e, ST_NOMEM, 0, "diff: out of memory");
	db_names_start(a, &x[0].names);
	db_names_start(b, &x[1].names);
	st_t st = index_make(&x[0].index, a, e);
	if (st == ST_OK)
		st = index_make(&x[1].index, b, e);
	if (st == ST_OK)
		st = merge(o, &x[0], &x[1], ret, e);
	index_done(&x[0].index);
	index_done(&x[1].index);
	free(x);
	return st;
}
