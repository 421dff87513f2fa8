/* Two databases as the maker of deltas sees them (delta_vdb.c): their sections, their records, and
 * which tables and spaces are made of them. */
#ifndef VITRINE_PACK_DELTA_VDB_H
#define VITRINE_PACK_DELTA_VDB_H

#include "pack/delta_make.h"

#define VERSION 2
#define SECTIONS 31

enum { META = 1, SIG = 3, COND, PATTERN, PART, CODE, FILTER = 9, BLOOM, BUCKET, SLOT, PLACE, ALWAYS,
       HASH, HASH_SIZES, HASH_DIR, HASH_ROWS, NAME_DIR, NAME_BLOCKS, REGEX, COMPARE, IMAGE };

enum { S_NAME, S_SIG, S_COND, S_PATTERN, S_PART, S_CODE, S_SLOT, SPACES };

#define NAMEREF_BITS 28
#define FILTER_CLASSES 6
#define HASH_TABLES 12

/* Bytes of a record. */
extern const uint32_t vdb_stride[SECTIONS + 1];

struct vdb_file {
	struct rd all;
	struct {
		uint64_t off, len, n; /* n: records */
	} sec[SECTIONS + 1];
	uint64_t names;
};

struct vdb_plan {
	struct delta_maker *m;
	struct vdb_file old, new;
};

/* ST_UNSUPPORTED. */
st_t vdb_not_known(struct err *e);

/* ---- delta_vdb_file.c: reading one ---- */

st_t vdb_read(struct vdb_file *f, struct rd all, struct err *e);

/* A field of record i: `width` bytes at `off`. */
uint64_t vdb_field(const struct vdb_file *f, unsigned id, uint64_t i, unsigned off, unsigned width);

/* A class of a filter. */
struct vdb_class {
	uint64_t bucket, nbuckets, slot, nslots;
};

struct vdb_class vdb_class_at(const struct vdb_file *f, uint64_t i);

/* Whether both have the same classes, each in order and without gaps. */
bool vdb_same_classes(const struct vdb_plan *p);

/* A table of digest rows. */
struct vdb_rows {
	uint64_t n, off, dir;
	uint32_t log2, stride;
};

struct vdb_rows vdb_rows_at(const struct vdb_file *f, unsigned i);

/* Whether tables stand in order, without gaps, and so do their directories. */
bool vdb_rows_good(const struct vdb_file *f);

/* ---- delta_vdb_find.c: records that are looked for ---- */

/* A range of records on both sides. */
struct vdb_range {
	struct delta_table t; /* with the place and stride of the old one */
	uint64_t old_n, new_off, new_n;
	uint32_t key_off, key_len; /* what a record is known by, after its numbers were moved */
};

/* Adds the runs of a range whose records stay in order; its bases are added to all numbers. */
st_t vdb_align(const struct vdb_plan *p, const struct vdb_range *r, uint64_t old_base,
               uint64_t new_base, struct delta_script *s, struct err *e);

/* ---- delta_vdb_space.c ---- */

struct delta_script *vdb_space(const struct vdb_plan *p, unsigned space);

/* The table of a section, with the fields that are numbers of other records. */
struct delta_table vdb_table(const struct vdb_plan *p, unsigned id);
st_t vdb_make_spaces(const struct vdb_plan *p, struct err *e);

#endif
