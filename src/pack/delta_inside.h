/* What the maker and the applier of deltas share: doc/format/delta.md in C.
 *
 * A delta cuts the new file into tables, ranges of records. A table is made of an old range by
 * keeping, dropping and inserting records. Where a field of a record is the number of a record
 * elsewhere (a reference), numbers move when records come and go; which way is known from the edits
 * of that other range, its *space*. So only what is really new is in the delta. */
#ifndef VITRINE_PACK_DELTA_INSIDE_H
#define VITRINE_PACK_DELTA_INSIDE_H

#include "base/buf.h"
#include "base/st.h"

#include <stdbool.h>
#include <stdint.h>

#define DELTA_MAGIC "VITRDLT1"
#define DELTA_HEAD 56 /* magic, SHA-256 of the old file, both sizes */
/* Log2 of the window of the body; the applier's memory. */
#define DELTA_WINDOW_LOG 22
#define DELTA_SPACES_MAX 16 /* a database has seven */
/* 13 sections of a kind of their own, and each class of each filter, at most 90 of 6. */
#define DELTA_TABLES_MAX 4096u
#define DELTA_DERIVED_MAX 16u /* directories: 12 of digests, one of names */
/* Runs of all spaces: 12 bytes of memory each in the applier. A day has about 100,000. */
#define DELTA_RUNS_MAX 1000000u
#define DELTA_STRIDE_MAX 4096u
#define DELTA_REFS_MAX 8u
/* Bytes of a bucket of digest rows: the applier's memory. Buckets have a few rows. */
#define DELTA_BUCKET_MAX 65536u
#define DELTA_CHUNK ((size_t)64 << 10)
#define DELTA_NAME_MAX 1023u /* bytes; as in doc/format/database.md */
#define DELTA_NAME_BLOCK 32u
/* A digest row: at most 32 bytes, the size, the name; at least a shorter digest. */
#define DELTA_ROW_MIN 16u
#define DELTA_ROW_MAX 40u

enum delta_kind {
	DELTA_EDIT,     /* records, of old ones */
	DELTA_NAMES,    /* front-coded names, of old ones */
	DELTA_HASH_DIR, /* directory of digest rows, of the new rows */
	DELTA_NAME_DIR, /* directory of names, of the new names */
	DELTA_KINDS,
};

/* Records [old, old + keep) become [new, new + keep). */
struct delta_run {
	uint32_t old, new, keep;
};

/* Runs in order of `new`, the first at 0 there (maybe of no length); those of a space also in order
 * of `old`. What lies between in the new
 * range is inserted. Owned. */
struct delta_script {
	struct buf runs; /* struct delta_run[] */
	uint64_t new_n;  /* records of the new range */
};

static inline size_t delta_script_n(const struct delta_script *s)
{
	return s->runs.len / sizeof(struct delta_run);
}

static inline const struct delta_run *delta_script_at(const struct delta_script *s, size_t i)
{
	return (const struct delta_run *)(const void *)s->runs.data + i;
}

/* Adds a pair behind all others: to the last run if it goes on. Out of memory: runs.oom. */
void delta_script_keep(struct delta_script *s, uint64_t old, uint64_t new, uint64_t keep);

/* Where record v of the old range is in the new one; of one that was dropped, where the next one
 * that was kept is. */
uint64_t delta_script_map(const struct delta_script *s, uint64_t v);

/* The same, false where it was dropped. */
bool delta_script_kept(const struct delta_script *s, uint64_t v, uint64_t *ret);

/* The four bytes at `field`: their lower `bits` are a number in a space, counted from a base. */
struct delta_ref {
	uint32_t field, space, bits;
	uint64_t old_base, new_base;
};

struct delta_table {
	uint64_t old_off; /* bytes, of record 0 */
	uint64_t new_len; /* bytes */
	uint32_t stride, nrefs;
	struct delta_ref ref[DELTA_REFS_MAX];
};

/* Turns n records of the old file into what they would be in the new one. */
void delta_relocate(const struct delta_table *t, const struct delta_script *spaces,
                    uint8_t *records, size_t n);

/* What a directory is made of; places are of the new file. */
struct delta_dir {
	enum delta_kind kind;
	uint64_t off;          /* of the directory */
	uint64_t from, from_n; /* rows, names: offset, number */
	uint64_t from_len;     /* bytes of all of them */
	uint32_t stride, log2; /* of digest rows; number of buckets */
};
#define DELTA_DIR_LOG2_MAX 32u

/* Bytes of the directory. */
uint64_t delta_dir_len(const struct delta_dir *d);

/* Makes it from the file behind fd and hands its entries over in order. */
typedef st_t delta_dir_sink(void *ctx, const uint8_t entry[8], struct err *e);
st_t delta_dir_make(int fd, const struct delta_dir *d, delta_dir_sink *sink, void *ctx,
                    struct err *e);

/* Bytes [off, end) of a file, in order. */
struct delta_in {
	int fd;
	uint64_t off, end;
	size_t pos, len;
	uint8_t buf[4096];
};
st_t delta_in_take(struct delta_in *in, void *ret, size_t n, struct err *e);

/* Front-coded names, one after the other; all-zero but for `in`. */
struct delta_names {
	struct delta_in in;
	uint16_t len;
	uint8_t name[DELTA_NAME_MAX];
};
st_t delta_names_next(struct delta_names *x, struct err *e);

/* A name's record in a block, behind the name before (NULL: the first of a block): appends. */
void delta_name_put(const uint8_t *before, size_t before_len, const uint8_t *name, size_t len,
                    struct buf *out);

#endif
