/* The plan for two databases: which tables and spaces they are made of. What is said of the format
 * here is that of doc/format/database.md, version 2; a database of another version is a file like
 * any other, its delta only larger.
 *
 * Nothing here is relied on when a delta is applied, and what does not fit the plan is corrected
 * record by record. */
#include "pack/delta_make.h"

#include "base/num.h"
#include "base/sum64.h"

#include <stdlib.h>

#define VERSION 2
#define SECTIONS 31

enum { META = 1, SIG = 3, COND, PATTERN, PART, CODE, FILTER = 9, BLOOM, BUCKET, SLOT, PLACE, ALWAYS,
       HASH, HASH_SIZES, HASH_DIR, HASH_ROWS, NAME_DIR, NAME_BLOCKS, REGEX, COMPARE, IMAGE };

enum { S_NAME, S_SIG, S_COND, S_PATTERN, S_PART, S_CODE, S_SLOT, SPACES };

#define NAMEREF_BITS 28
#define FILTER_CLASSES 6
#define HASH_TABLES 12

/* Bytes of a record. */
static const uint32_t stride[SECTIONS + 1] = {
    [SIG] = 24,  [COND] = 12,  [PATTERN] = 32, [PART] = 40,    [CODE] = 1,   [FILTER] = 192,
    [BLOOM] = 8, [BUCKET] = 4, [SLOT] = 16,    [PLACE] = 24,   [ALWAYS] = 4, [HASH] = 40,
    [HASH_SIZES] = 8, [HASH_DIR] = 8, [HASH_ROWS] = 1, [REGEX] = 24, [COMPARE] = 48, [IMAGE] = 16,
};

/* Fields that are numbers of other records. */
static const struct {
	uint8_t section, field, space, bits;
} refs[] = {
	{SIG, 0, S_NAME, NAMEREF_BITS}, {SIG, 4, S_COND, 32},   {SIG, 12, S_PATTERN, 32},
	{PATTERN, 0, S_SIG, 32},        {PATTERN, 4, S_PART, 32}, {PART, 0, S_PATTERN, 32},
	{PART, 12, S_CODE, 32},         {PART, 28, S_CODE, 32}, {SLOT, 8, S_PART, 32},
	{PLACE, 16, S_PATTERN, 32},     {ALWAYS, 0, S_SIG, 32}, {REGEX, 0, S_PATTERN, 32},
	{REGEX, 4, S_CODE, 32},         {REGEX, 16, S_COND, 32}, {COMPARE, 0, S_PATTERN, 32},
	{IMAGE, 8, S_PATTERN, 32},
};

struct file {
	struct rd all;
	struct {
		uint64_t off, len, n; /* n: records */
	} sec[SECTIONS + 1];
	uint64_t names;
};

struct plan {
	struct delta_maker *m;
	struct file old, new;
};

static st_t not_known(struct err *e)
{
	return fail(e, ST_UNSUPPORTED, 0, "delta: not a database that is known");
}

static uint64_t field(const struct file *f, unsigned id, uint64_t i, unsigned off, unsigned width)
{
	struct rd r = rd_at(&f->all, f->sec[id].off + i * stride[id] + off, width);
	return width == 2 ? rd_u16le(&r) : width == 4 ? rd_u32le(&r) : rd_u64le(&r);
}

static st_t read_section(struct file *f, struct rd *r, unsigned id, uint64_t end, struct err *e)
{
	uint32_t is = rd_u32le(r);
	rd_skip(r, 4);
	uint64_t off = rd_u64le(r);
	uint64_t len = rd_u64le(r);
	rd_skip(r, 8);
	if (r->bad || is != id || off < end || off > f->all.len || len > f->all.len - off)
		return not_known(e);
	f->sec[id].off = off;
	f->sec[id].len = len;
	f->sec[id].n = stride[id] ? len / stride[id] : 0;
	return stride[id] && len % stride[id] ? not_known(e) : ST_OK;
}

static st_t read_file(struct file *f, struct rd all, struct err *e)
{
	struct rd r = all;
	f->all = all;
	if (!rd_peek(&r, "VITRINDB", 8))
		return not_known(e);
	rd_skip(&r, 8);
	uint32_t version = rd_u32le(&r);
	uint32_t n = rd_u32le(&r);
	rd_skip(&r, 16);
	if (r.bad || version != VERSION || n != SECTIONS)
		return not_known(e);
	uint64_t end = 32 + SECTIONS * 32;
	for (unsigned id = 1; id <= SECTIONS; id++) {
		TRY(read_section(f, &r, id, end, e));
		end = f->sec[id].off + f->sec[id].len;
	}
	struct rd meta = rd_at(&all, f->sec[META].off + 80, 4);
	f->names = rd_u32le(&meta);
	return meta.bad || f->sec[HASH].n != HASH_TABLES ? not_known(e) : ST_OK;
}

static struct delta_script *space_of(const struct plan *p, unsigned space)
{
	return &p->m->space[space];
}

/* ---------------------------------------------------------------- spaces */

static void names_open(struct delta_names *x, int fd, const struct file *f)
{
	uint64_t off = f->sec[NAME_BLOCKS].off;
	*x = (struct delta_names){.in = {.fd = fd, .off = off, .end = off + f->sec[NAME_BLOCKS].len}};
}

static int compare_names(const struct delta_names *a, const struct delta_names *b)
{
	int order = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);
	return order ? order : (int)a->len - (int)b->len;
}

/* Names of the new file are spelled as the applier will spell them. */
static st_t names_canonical(const struct plan *p, struct err *e)
{
	struct delta_names x;
	struct buf record = {0};
	uint8_t before[DELTA_NAME_MAX];
	size_t before_len = 0;
	struct rd raw = rd_at(&p->new.all, p->new.sec[NAME_BLOCKS].off, p->new.sec[NAME_BLOCKS].len);
	bool good = !raw.bad;
	names_open(&x, p->m->new_fd, &p->new);
	for (uint64_t n = 0; good && n < p->new.names; n++) {
		good = delta_names_next(&x, NULL) == ST_OK;
		record.len = 0;
		delta_name_put(n % DELTA_NAME_BLOCK ? before : NULL, before_len, x.name, x.len, &record);
		good = good && !record.oom && rd_peek(&raw, record.data, record.len);
		rd_skip(&raw, record.len);
		memcpy(before, x.name, x.len);
		before_len = x.len;
	}
	buf_done(&record);
	return good && rd_left(&raw) == 0 ? ST_OK : not_known(e);
}

/* Both lists are sorted. */
static st_t name_space(const struct plan *p, struct err *e)
{
	struct delta_script *s = space_of(p, S_NAME);
	struct delta_names old, new;
	uint64_t i = 0, j = 0;
	names_open(&old, p->m->old_fd, &p->old);
	names_open(&new, p->m->new_fd, &p->new);
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.names;
	st_t st = ST_OK;
	bool next_old = true, next_new = true;
	while (i < p->old.names && j < p->new.names && st == ST_OK) {
		if (next_old)
			st = delta_names_next(&old, NULL);
		if (next_new && st == ST_OK)
			st = delta_names_next(&new, NULL);
		int order = compare_names(&old, &new);
		if (order == 0)
			delta_script_keep(s, i, j, 1);
		next_old = order <= 0;
		next_new = order >= 0;
		i += next_old;
		j += next_new;
	}
	return st == ST_OK ? names_canonical(p, e) : not_known(e);
}

/* Signatures are in order of their names. */
static void sig_space(const struct plan *p)
{
	struct delta_script *s = space_of(p, S_SIG);
	const uint64_t mask = (1u << NAMEREF_BITS) - 1;
	uint64_t i = 0, j = 0;
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.sec[SIG].n;
	while (i < p->old.sec[SIG].n && j < p->new.sec[SIG].n) {
		uint64_t a, b = field(&p->new, SIG, j, 0, 4) & mask;
		bool kept = delta_script_kept(space_of(p, S_NAME), field(&p->old, SIG, i, 0, 4) & mask, &a);
		if (kept && a == b)
			delta_script_keep(s, i, j, 1);
		i += !kept || a <= b;
		j += kept && a >= b;
	}
}

/* Records of `child` that those of `owner` have: from a field on, a number of them. */
struct owned {
	uint8_t owner, space, child, child_space;
	uint8_t first, n, width; /* places of both fields; width 0: up to the next owner's first */
};

static uint64_t owned_n(const struct file *f, const struct owned *o, uint64_t i, uint64_t first)
{
	if (o->width)
		return field(f, o->owner, i, o->n, o->width);
	uint64_t next = i + 1 < f->sec[o->owner].n ? field(f, o->owner, i + 1, o->first, 4)
	                                           : f->sec[o->child].n;
	return next > first ? next - first : 0;
}

static void owned_pair(const struct plan *p, const struct owned *o, uint64_t i, uint64_t j,
                       uint64_t *old_end, uint64_t *new_end)
{
	uint64_t a = field(&p->old, o->owner, i, o->first, 4);
	uint64_t b = field(&p->new, o->owner, j, o->first, 4);
	uint64_t n = num_min_u64(owned_n(&p->old, o, i, a), owned_n(&p->new, o, j, b));
	if (n == 0 || a < *old_end || b < *new_end || a > p->old.sec[o->child].n ||
	    n > p->old.sec[o->child].n - a || b > p->new.sec[o->child].n ||
	    n > p->new.sec[o->child].n - b)
		return;
	delta_script_keep(space_of(p, o->child_space), a, b, n);
	*old_end = a + n;
	*new_end = b + n;
}

static void owned_space(const struct plan *p, const struct owned *o)
{
	const struct delta_script *owner = space_of(p, o->space);
	uint64_t old_end = 0, new_end = 0;
	delta_script_keep(space_of(p, o->child_space), 0, 0, 0);
	space_of(p, o->child_space)->new_n = p->new.sec[o->child].n;
	for (size_t k = 0; k < delta_script_n(owner); k++) {
		const struct delta_run *r = delta_script_at(owner, k);
		for (uint64_t i = 0; i < r->keep; i++)
			owned_pair(p, o, r->old + i, r->new + i, &old_end, &new_end);
	}
}

/* ---------------------------------------------------------------- records that are looked for */

/* A range of records on both sides. */
struct range {
	struct delta_table t; /* with the place and stride of the old one */
	uint64_t old_n, new_off, new_n;
	uint32_t key_off, key_len; /* what a record is known by, after its numbers were moved */
};

struct finder {
	uint8_t *records; /* old ones, moved */
	uint32_t *slot;   /* number + 1 */
	uint64_t mask;
};

static uint64_t start_of(const struct finder *x, const struct range *r, const uint8_t *record)
{
	return sum64(record + r->key_off, r->key_len) & x->mask;
}

static st_t finder_make(struct finder *x, const struct plan *p, const struct range *r,
                        struct err *e)
{
	uint64_t n = 16;
	while (n < r->old_n * 2)
		n *= 2;
	x->mask = n - 1;
	x->slot = calloc(n, sizeof *x->slot);
	x->records = malloc(r->old_n * r->t.stride + 1);
	if (!x->slot || !x->records)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	memcpy(x->records, p->old.all.base + r->t.old_off, r->old_n * r->t.stride);
	delta_relocate(&r->t, p->m->space, x->records, r->old_n);
	for (uint64_t i = 0; i < r->old_n; i++) {
		uint64_t k = start_of(x, r, x->records + i * r->t.stride);
		while (x->slot[k])
			k = (k + 1) & x->mask;
		x->slot[k] = (uint32_t)i + 1;
	}
	return ST_OK;
}

/* The first old record like this one that is not in front of `from`. Equal ones stand in a row of
 * slots, in order; how far that is looked through is bounded. */
#define LOOK 64u

static bool finder_find(const struct finder *x, const struct range *r, const uint8_t *record,
                        uint64_t from, uint64_t *ret)
{
	uint64_t k = start_of(x, r, record);
	for (unsigned look = 0; look < LOOK && x->slot[k]; look++, k = (k + 1) & x->mask) {
		uint64_t i = x->slot[k] - 1;
		*ret = i;
		if (i >= from && !memcmp(x->records + i * r->t.stride + r->key_off,
		                         record + r->key_off, r->key_len))
			return true;
	}
	return false;
}

/* Adds the runs of a range whose records stay in order; its bases are added to all numbers. */
static st_t align(const struct plan *p, const struct range *r, uint64_t old_base,
                  uint64_t new_base, struct delta_script *s, struct err *e)
{
	struct finder x = {0};
	uint64_t from = 0, i;
	st_t st = finder_make(&x, p, r, e);
	for (uint64_t j = 0; st == ST_OK && j < r->new_n; j++) {
		if (!finder_find(&x, r, p->new.all.base + r->new_off + j * r->t.stride, from, &i))
			continue;
		delta_script_keep(s, old_base + i, new_base + j, 1);
		from = i + 1;
	}
	free(x.slot);
	free(x.records);
	return st;
}

static struct delta_table table_of(const struct plan *p, unsigned id)
{
	struct delta_table t = {.old_off = p->old.sec[id].off, .new_len = p->new.sec[id].len,
	                        .stride = stride[id]};
	for (size_t i = 0; i < ARRAY_LEN(refs); i++)
		if (refs[i].section == id)
			t.ref[t.nrefs++] = (struct delta_ref){refs[i].field, refs[i].space, refs[i].bits, 0, 0};
	return t;
}

/* A class of a filter. */
struct class {
	uint64_t bucket, nbuckets, slot, nslots;
};

static struct class class_at(const struct file *f, uint64_t i)
{
	uint64_t filter = i / FILTER_CLASSES;
	unsigned at = (unsigned)(i % FILTER_CLASSES) * 32;
	struct class c = {0};
	if (field(f, FILTER, filter, at, 4) == 0)
		return c;
	c.bucket = field(f, FILTER, filter, at + 12, 4);
	c.nbuckets = (UINT64_C(1) << (field(f, FILTER, filter, at + 16, 4) & 31)) + 1;
	c.slot = field(f, FILTER, filter, at + 20, 4);
	c.nslots = field(f, FILTER, filter, at + 24, 4);
	return c;
}

/* Whether all classes stand in order, without gaps. */
static bool classes_good(const struct file *f)
{
	uint64_t bucket = 0, slot = 0;
	for (uint64_t i = 0; i < f->sec[FILTER].n * FILTER_CLASSES; i++) {
		struct class c = class_at(f, i);
		if (c.nbuckets && (c.bucket != bucket || c.slot != slot))
			return false;
		bucket += c.nbuckets;
		slot += c.nslots;
	}
	return bucket == f->sec[BUCKET].n && slot == f->sec[SLOT].n;
}

static bool same_classes(const struct plan *p)
{
	return p->old.sec[FILTER].n == p->new.sec[FILTER].n && classes_good(&p->old) &&
	       classes_good(&p->new);
}

static struct range slot_range(const struct plan *p, const struct class *a, const struct class *b)
{
	struct range r = {.t = table_of(p, SLOT), .key_len = stride[SLOT], .old_n = a->nslots,
	                  .new_n = b->nslots};
	r.t.old_off += a->slot * stride[SLOT];
	r.new_off = p->new.sec[SLOT].off + b->slot * stride[SLOT];
	return r;
}

/* Slots stay in order within their class. */
static st_t slot_space(const struct plan *p, struct err *e)
{
	struct delta_script *s = space_of(p, S_SLOT);
	bool same = same_classes(p);
	struct class all[2] = {{.nslots = p->old.sec[SLOT].n}, {.nslots = p->new.sec[SLOT].n}};
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.sec[SLOT].n;
	for (uint64_t i = 0; i < (same ? p->new.sec[FILTER].n * FILTER_CLASSES : 1); i++) {
		struct class a = same ? class_at(&p->old, i) : all[0];
		struct class b = same ? class_at(&p->new, i) : all[1];
		struct range r = slot_range(p, &a, &b);
		TRY(align(p, &r, a.slot, b.slot, s, e));
	}
	return ST_OK;
}

static st_t all_spaces(const struct plan *p, struct err *e)
{
	static const struct owned owned[] = {
		{SIG, S_SIG, COND, S_COND, 4, 8, 2},
		{SIG, S_SIG, PATTERN, S_PATTERN, 12, 16, 4},
		{PATTERN, S_PATTERN, PART, S_PART, 4, 8, 2},
		{PART, S_PART, CODE, S_CODE, 12, 0, 0},
	};
	p->m->nspaces = SPACES;
	TRY(name_space(p, e));
	sig_space(p);
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		owned_space(p, &owned[i]);
	TRY(slot_space(p, e));
	for (unsigned i = 0; i < SPACES; i++)
		TRY(buf_check(&space_of(p, i)->runs, e, "delta"));
	return ST_OK;
}

/* ---------------------------------------------------------------- tables */

static st_t put_bytes(const struct plan *p, unsigned id, uint64_t new_len, struct err *e)
{
	return delta_put_bytes(p->m, p->old.sec[id].off, p->old.sec[id].len, new_len, e);
}

static st_t put_space(const struct plan *p, unsigned id, unsigned space)
{
	struct delta_table t = table_of(p, id);
	delta_put_edit(p->m, &t, space_of(p, space));
	return ST_OK;
}

static st_t put_found(const struct plan *p, const struct range *r, struct err *e)
{
	struct delta_script s = {.new_n = r->new_n};
	delta_script_keep(&s, 0, 0, 0);
	st_t st = align(p, r, 0, 0, &s, e);
	if (st == ST_OK)
		st = buf_check(&s.runs, e, "delta");
	if (st == ST_OK)
		delta_put_edit(p->m, &r->t, &s);
	buf_done(&s.runs);
	return st;
}

/* Records that stay in order and are known by a part of them. */
static st_t put_records(const struct plan *p, unsigned id, uint32_t key_off, uint32_t key_len,
                        struct err *e)
{
	struct range r = {.t = table_of(p, id), .old_n = p->old.sec[id].n, .new_n = p->new.sec[id].n,
	                  .new_off = p->new.sec[id].off, .key_off = key_off, .key_len = key_len};
	return put_found(p, &r, e);
}

static void put_same(const struct plan *p, const struct delta_table *t)
{
	struct delta_script s = {0};
	delta_script_keep_all(&s, t->new_len / t->stride);
	delta_put_edit(p->m, t, &s);
	p->m->tables.oom |= s.runs.oom;
	buf_done(&s.runs);
}

/* Filters: some bits change. */
static st_t put_bits(const struct plan *p, unsigned id, struct err *e)
{
	struct delta_table t = table_of(p, id);
	if (p->old.sec[id].len != p->new.sec[id].len)
		return put_bytes(p, id, t.new_len, e);
	put_same(p, &t);
	return ST_OK;
}

static st_t put_buckets(const struct plan *p, struct err *e)
{
	if (!same_classes(p))
		return put_bytes(p, BUCKET, p->new.sec[BUCKET].len, e);
	for (uint64_t i = 0; i < p->new.sec[FILTER].n * FILTER_CLASSES; i++) {
		struct class a = class_at(&p->old, i), b = class_at(&p->new, i);
		struct delta_table t = {
		    .old_off = p->old.sec[BUCKET].off + a.bucket * stride[BUCKET],
		    .new_len = b.nbuckets * stride[BUCKET], .stride = stride[BUCKET],
		    .nrefs = 1, .ref = {{0, S_SLOT, 32, a.slot, b.slot}}};
		if (b.nbuckets && a.nbuckets == b.nbuckets)
			put_same(p, &t);
		else if (b.nbuckets)
			TRY(put_bytes(p, BUCKET, t.new_len, e));
	}
	return ST_OK;
}

/* A table of digest rows. */
struct rows {
	uint64_t n, off, dir;
	uint32_t log2, stride;
};

static struct rows rows_at(const struct file *f, unsigned i)
{
	struct rows r = {.n = field(f, HASH, i, 0, 8)};
	r.off = field(f, HASH, i, 8, 8);
	r.dir = field(f, HASH, i, 16, 4);
	r.log2 = (uint32_t)field(f, HASH, i, 20, 4);
	r.stride = (uint32_t)field(f, HASH, i, 36, 4);
	return r;
}

/* Tables stand in order, without gaps, and so do their directories. */
static bool rows_good(const struct file *f)
{
	uint64_t off = 0, dir = 0;
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct rows r = rows_at(f, i);
		if (r.n == 0)
			continue;
		if (r.off != off || r.dir != dir || r.log2 > DELTA_DIR_LOG2_MAX ||
		    r.stride < DELTA_ROW_MIN || r.stride > DELTA_ROW_MAX ||
		    r.n > (f->sec[HASH_ROWS].len - off) / r.stride)
			return false;
		off += r.n * r.stride;
		dir += (UINT64_C(1) << r.log2) + 1;
	}
	return off == f->sec[HASH_ROWS].len && dir == f->sec[HASH_DIR].n;
}

struct dir_check {
	struct rd want;
	bool differs;
};

static st_t check_entry(void *ctx, const uint8_t entry[8], struct err *)
{
	struct dir_check *c = ctx;
	c->differs |= !rd_peek(&c->want, entry, 8);
	rd_skip(&c->want, 8);
	return ST_OK;
}

/* A directory, if it is what the applier will make. */
static st_t put_dir(const struct plan *p, const struct delta_dir *d, struct err *e)
{
	struct dir_check c = {.want = rd_at(&p->new.all, d->off, delta_dir_len(d))};
	struct err why = {0};
	if (c.want.bad || delta_dir_make(p->m->new_fd, d, check_entry, &c, &why) != ST_OK || c.differs)
		return not_known(e);
	delta_put_dir(p->m, d);
	return ST_OK;
}

static st_t put_hash_dirs(const struct plan *p, struct err *e)
{
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct rows r = rows_at(&p->new, i);
		struct delta_dir d = {.kind = DELTA_HASH_DIR,
		                      .off = p->new.sec[HASH_DIR].off + r.dir * 8,
		                      .from = p->new.sec[HASH_ROWS].off + r.off,
		                      .from_len = r.n * r.stride, .from_n = r.n,
		                      .stride = r.stride, .log2 = r.log2};
		if (r.n)
			TRY(put_dir(p, &d, e));
	}
	return ST_OK;
}

/* Rows stay in order; they are known by digest and size. */
static st_t put_hash_rows(const struct plan *p, struct err *e)
{
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct rows a = rows_at(&p->old, i), b = rows_at(&p->new, i);
		if (b.n == 0)
			continue;
		struct range r = {.t = {.old_off = p->old.sec[HASH_ROWS].off + a.off,
		                        .new_len = b.n * b.stride, .stride = b.stride, .nrefs = 1,
		                        .ref = {{b.stride - 4, S_NAME, NAMEREF_BITS, 0, 0}}},
		                  .old_n = a.stride == b.stride ? a.n : 0, .new_n = b.n,
		                  .new_off = p->new.sec[HASH_ROWS].off + b.off, .key_len = b.stride - 4};
		TRY(put_found(p, &r, e));
	}
	return ST_OK;
}

static st_t put_name_dir(const struct plan *p, struct err *e)
{
	struct delta_dir d = {.kind = DELTA_NAME_DIR, .off = p->new.sec[NAME_DIR].off,
	                      .from = p->new.sec[NAME_BLOCKS].off,
	                      .from_len = p->new.sec[NAME_BLOCKS].len, .from_n = p->new.names};
	return delta_dir_len(&d) == p->new.sec[NAME_DIR].len ? put_dir(p, &d, e) : not_known(e);
}

static st_t put_names(const struct plan *p)
{
	delta_put_names(p->m, p->old.sec[NAME_BLOCKS].off, p->old.sec[NAME_BLOCKS].len,
	                p->new.sec[NAME_BLOCKS].len, S_NAME);
	return ST_OK;
}

static st_t put_section(const struct plan *p, unsigned id, struct err *e)
{
	switch (id) {
	case SIG:
		return put_space(p, id, S_SIG);
	case COND:
		return put_space(p, id, S_COND);
	case PATTERN:
		return put_space(p, id, S_PATTERN);
	case PART:
		return put_space(p, id, S_PART);
	case CODE:
		return put_space(p, id, S_CODE);
	case SLOT:
		return put_space(p, id, S_SLOT);
	case BLOOM:
	case HASH_SIZES:
		return put_bits(p, id, e);
	case BUCKET:
		return put_buckets(p, e);
	case PLACE:
	case ALWAYS:
	case IMAGE:
		return put_records(p, id, 0, stride[id], e);
	case REGEX:
	case COMPARE:
		return put_records(p, id, 0, 4, e); /* by their pattern */
	case HASH_DIR:
		return put_hash_dirs(p, e);
	case HASH_ROWS:
		return put_hash_rows(p, e);
	case NAME_DIR:
		return put_name_dir(p, e);
	case NAME_BLOCKS:
		return put_names(p);
	default:
		return put_bytes(p, id, p->new.sec[id].len, e);
	}
}

/* The gap in front of a section, or the end: zeroes. */
static st_t put_gap(const struct plan *p, uint64_t to, struct err *e)
{
	return to > p->m->new_off ? delta_put_bytes(p->m, 0, 0, to - p->m->new_off, e) : ST_OK;
}

st_t delta_put_database(struct delta_maker *m, struct err *e)
{
	struct plan p = {.m = m};
	TRY(read_file(&p.old, m->old, e));
	TRY(read_file(&p.new, m->new, e));
	if (!rows_good(&p.old) || !rows_good(&p.new))
		return not_known(e);
	TRY(all_spaces(&p, e));
	TRY(delta_put_bytes(m, 0, p.old.sec[1].off, p.new.sec[1].off, e));
	for (unsigned id = 1; id <= SECTIONS; id++) {
		TRY(put_gap(&p, p.new.sec[id].off, e));
		if (p.new.sec[id].len)
			TRY(put_section(&p, id, e));
		if (m->new_off != p.new.sec[id].off + p.new.sec[id].len)
			return not_known(e);
	}
	return put_gap(&p, p.new.all.len, e);
}
