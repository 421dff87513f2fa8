/* The plan for two databases: which tables and spaces they are made of. What is said of the format
 * here is that of doc/format/database.md, version 2; a database of another version is a file like
 * any other, its delta only larger.
 *
 * Nothing here is relied on when a delta is applied, and what does not fit the plan is corrected
 * record by record. */
#include "pack/delta_vdb.h"

static st_t put_bytes(const struct vdb_plan *p, unsigned id, uint64_t new_len, struct err *e)
{
	return delta_put_bytes(p->m, p->old.sec[id].off, p->old.sec[id].len, new_len, e);
}

static st_t put_space(const struct vdb_plan *p, unsigned id, unsigned space)
{
	struct delta_table t = vdb_table(p, id);
	delta_put_edit(p->m, &t, vdb_space(p, space));
	return ST_OK;
}

static st_t put_found(const struct vdb_plan *p, const struct vdb_range *r, struct err *e)
{
	struct delta_script s = {.new_n = r->new_n};
	delta_script_keep(&s, 0, 0, 0);
	st_t st = vdb_align(p, r, 0, 0, &s, e);
	if (st == ST_OK)
		st = buf_check(&s.runs, e, "delta");
	if (st == ST_OK)
		delta_put_edit(p->m, &r->t, &s);
	buf_done(&s.runs);
	return st;
}

/* Records that stay in order and are known by a part of them. */
static st_t put_records(const struct vdb_plan *p, unsigned id, uint32_t key_off, uint32_t key_len,
                        struct err *e)
{
	struct vdb_range r = {.t = vdb_table(p, id), .old_n = p->old.sec[id].n,
	                      .new_n = p->new.sec[id].n, .new_off = p->new.sec[id].off,
	                      .key_off = key_off, .key_len = key_len};
	return put_found(p, &r, e);
}

static void put_same(const struct vdb_plan *p, const struct delta_table *t)
{
	struct delta_script s = {0};
	delta_script_keep_all(&s, t->new_len / t->stride);
	delta_put_edit(p->m, t, &s);
	p->m->tables.oom |= s.runs.oom;
	buf_done(&s.runs);
}

/* Filters: some bits change. */
static st_t put_bits(const struct vdb_plan *p, unsigned id, struct err *e)
{
	struct delta_table t = vdb_table(p, id);
	if (p->old.sec[id].len != p->new.sec[id].len)
		return put_bytes(p, id, t.new_len, e);
	put_same(p, &t);
	return ST_OK;
}

static st_t put_buckets(const struct vdb_plan *p, struct err *e)
{
	if (!vdb_same_classes(p))
		return put_bytes(p, BUCKET, p->new.sec[BUCKET].len, e);
	for (uint64_t i = 0; i < p->new.sec[FILTER].n * FILTER_CLASSES; i++) {
		struct vdb_class a = vdb_class_at(&p->old, i), b = vdb_class_at(&p->new, i);
		struct delta_table t = {
		    .old_off = p->old.sec[BUCKET].off + a.bucket * vdb_stride[BUCKET],
		    .new_len = b.nbuckets * vdb_stride[BUCKET], .stride = vdb_stride[BUCKET],
		    .nrefs = 1, .ref = {{0, S_SLOT, 32, a.slot, b.slot}}};
		if (b.nbuckets && a.nbuckets == b.nbuckets)
			put_same(p, &t);
		else if (b.nbuckets)
			TRY(put_bytes(p, BUCKET, t.new_len, e));
	}
	return ST_OK;
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
static st_t put_dir(const struct vdb_plan *p, const struct delta_dir *d, struct err *e)
{
	struct dir_check c = {.want = rd_at(&p->new.all, d->off, delta_dir_len(d))};
	struct err why = {0};
	if (c.want.bad || delta_dir_make(p->m->new_fd, d, check_entry, &c, &why) != ST_OK || c.differs)
		return vdb_not_known(e);
	delta_put_dir(p->m, d);
	return ST_OK;
}

static st_t put_hash_dirs(const struct vdb_plan *p, struct err *e)
{
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct vdb_rows r = vdb_rows_at(&p->new, i);
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
static st_t put_hash_rows(const struct vdb_plan *p, struct err *e)
{
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct vdb_rows a = vdb_rows_at(&p->old, i), b = vdb_rows_at(&p->new, i);
		if (b.n == 0)
			continue;
		struct vdb_range r = {.t = {.old_off = p->old.sec[HASH_ROWS].off + a.off,
		                            .new_len = b.n * b.stride, .stride = b.stride, .nrefs = 1,
		                            .ref = {{b.stride - 4, S_NAME, NAMEREF_BITS, 0, 0}}},
		                      .old_n = a.stride == b.stride ? a.n : 0, .new_n = b.n,
		                      .new_off = p->new.sec[HASH_ROWS].off + b.off,
		                      .key_len = b.stride - 4};
		TRY(put_found(p, &r, e));
	}
	return ST_OK;
}

static st_t put_name_dir(const struct vdb_plan *p, struct err *e)
{
	struct delta_dir d = {.kind = DELTA_NAME_DIR, .off = p->new.sec[NAME_DIR].off,
	                      .from = p->new.sec[NAME_BLOCKS].off,
	                      .from_len = p->new.sec[NAME_BLOCKS].len, .from_n = p->new.names};
	return delta_dir_len(&d) == p->new.sec[NAME_DIR].len ? put_dir(p, &d, e) : vdb_not_known(e);
}

static st_t put_names(const struct vdb_plan *p)
{
	delta_put_names(p->m, p->old.sec[NAME_BLOCKS].off, p->old.sec[NAME_BLOCKS].len,
	                p->new.sec[NAME_BLOCKS].len, S_NAME);
	return ST_OK;
}

static st_t put_section(const struct vdb_plan *p, unsigned id, struct err *e)
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
		return put_records(p, id, 0, vdb_stride[id], e);
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
static st_t put_gap(const struct vdb_plan *p, uint64_t to, struct err *e)
{
	return to > p->m->new_off ? delta_put_bytes(p->m, 0, 0, to - p->m->new_off, e) : ST_OK;
}

st_t delta_put_database(struct delta_maker *m, struct err *e)
{
	struct vdb_plan p = {.m = m};
	TRY(vdb_read(&p.old, m->old, e));
	TRY(vdb_read(&p.new, m->new, e));
	if (!vdb_rows_good(&p.old) || !vdb_rows_good(&p.new))
		return vdb_not_known(e);
	TRY(vdb_make_spaces(&p, e));
	TRY(delta_put_bytes(m, 0, p.old.sec[1].off, p.new.sec[1].off, e));
	for (unsigned id = 1; id <= SECTIONS; id++) {
		TRY(put_gap(&p, p.new.sec[id].off, e));
		if (p.new.sec[id].len)
			TRY(put_section(&p, id, e));
		if (m->new_off != p.new.sec[id].off + p.new.sec[id].len)
			return vdb_not_known(e);
	}
	return put_gap(&p, p.new.all.len, e);
}
