/* Reading a database, as doc/format/database.md has it, for the maker of deltas. */
#include "pack/delta_vdb.h"

/* Bytes of a record. */
const uint32_t vdb_stride[SECTIONS + 1] = {
    [SIG] = 24,  [COND] = 12,  [PATTERN] = 32, [PART] = 40,    [CODE] = 1,   [FILTER] = 192,
    [BLOOM] = 8, [BUCKET] = 4, [SLOT] = 16,    [PLACE] = 24,   [ALWAYS] = 4, [HASH] = 40,
    [HASH_SIZES] = 8, [HASH_DIR] = 8, [HASH_ROWS] = 1, [REGEX] = 24, [COMPARE] = 48, [IMAGE] = 16,
};

st_t vdb_not_known(struct err *e)
{
	return fail(e, ST_UNSUPPORTED, 0, "delta: not a database that is known");
}

uint64_t vdb_field(const struct vdb_file *f, unsigned id, uint64_t i, unsigned off, unsigned width)
{
	struct rd r = rd_at(&f->all, f->sec[id].off + i * vdb_stride[id] + off, width);
	return width == 2 ? rd_u16le(&r) : width == 4 ? rd_u32le(&r) : rd_u64le(&r);
}

static st_t read_section(struct vdb_file *f, struct rd *r, unsigned id, uint64_t end, struct err *e)
{
	uint32_t is = rd_u32le(r);
	rd_skip(r, 4);
	uint64_t off = rd_u64le(r);
	uint64_t len = rd_u64le(r);
	rd_skip(r, 8);
	if (r->bad || is != id || off < end || off > f->all.len || len > f->all.len - off)
		return vdb_not_known(e);
	f->sec[id].off = off;
	f->sec[id].len = len;
	f->sec[id].n = vdb_stride[id] ? len / vdb_stride[id] : 0;
	return vdb_stride[id] && len % vdb_stride[id] ? vdb_not_known(e) : ST_OK;
}

st_t vdb_read(struct vdb_file *f, struct rd all, struct err *e)
{
	struct rd r = all;
	f->all = all;
	if (!rd_peek(&r, "VITRINDB", 8))
		return vdb_not_known(e);
	rd_skip(&r, 8);
	uint32_t version = rd_u32le(&r);
	uint32_t n = rd_u32le(&r);
	rd_skip(&r, 16);
	if (r.bad || version != VERSION || n != SECTIONS)
		return vdb_not_known(e);
	uint64_t end = 32 + SECTIONS * 32;
	for (unsigned id = 1; id <= SECTIONS; id++) {
		TRY(read_section(f, &r, id, end, e));
		end = f->sec[id].off + f->sec[id].len;
	}
	struct rd meta = rd_at(&all, f->sec[META].off + 80, 4);
	f->names = rd_u32le(&meta);
	return meta.bad || f->sec[HASH].n != HASH_TABLES ? vdb_not_known(e) : ST_OK;
}

struct vdb_class vdb_class_at(const struct vdb_file *f, uint64_t i)
{
	uint64_t filter = i / FILTER_CLASSES;
	unsigned at = (unsigned)(i % FILTER_CLASSES) * 32;
	struct vdb_class c = {0};
	if (vdb_field(f, FILTER, filter, at, 4) == 0)
		return c;
	c.bucket = vdb_field(f, FILTER, filter, at + 12, 4);
	c.nbuckets = (UINT64_C(1) << (vdb_field(f, FILTER, filter, at + 16, 4) & 31)) + 1;
	c.slot = vdb_field(f, FILTER, filter, at + 20, 4);
	c.nslots = vdb_field(f, FILTER, filter, at + 24, 4);
	return c;
}

/* Whether all classes stand in order, without gaps. */
static bool classes_good(const struct vdb_file *f)
{
	uint64_t bucket = 0, slot = 0;
	for (uint64_t i = 0; i < f->sec[FILTER].n * FILTER_CLASSES; i++) {
		struct vdb_class c = vdb_class_at(f, i);
		if (c.nbuckets && (c.bucket != bucket || c.slot != slot))
			return false;
		bucket += c.nbuckets;
		slot += c.nslots;
	}
	return bucket == f->sec[BUCKET].n && slot == f->sec[SLOT].n;
}

bool vdb_same_classes(const struct vdb_plan *p)
{
	return p->old.sec[FILTER].n == p->new.sec[FILTER].n && classes_good(&p->old) &&
	       classes_good(&p->new);
}

struct vdb_rows vdb_rows_at(const struct vdb_file *f, unsigned i)
{
	struct vdb_rows r = {.n = vdb_field(f, HASH, i, 0, 8)};
	r.off = vdb_field(f, HASH, i, 8, 8);
	r.dir = vdb_field(f, HASH, i, 16, 4);
	r.log2 = (uint32_t)vdb_field(f, HASH, i, 20, 4);
	r.stride = (uint32_t)vdb_field(f, HASH, i, 36, 4);
	return r;
}

bool vdb_rows_good(const struct vdb_file *f)
{
	uint64_t off = 0, dir = 0;
	for (unsigned i = 0; i < HASH_TABLES; i++) {
		struct vdb_rows r = vdb_rows_at(f, i);
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
