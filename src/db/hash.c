/* Digest tables: is a digest worth computing, and whose is it? */
#include "db/view.h"

#include "base/rd.h"
#include "base/sum64.h"
#include "db/size_filter.h"

#include <string.h>

static const struct db_hash_table *table(const struct db *db, enum db_hash_use use,
                                         enum digest_kind kind)
{
	return &db->v.hash[(size_t)use * DIGEST_KINDS + kind];
}

bool db_hash_wanted(const struct db *db, enum db_hash_use use, enum digest_kind kind, uint64_t size)
{
	const struct db_hash_table *t = table(db, use, kind);
	if (t->nrows == 0)
		return false;
	if (t->any_size)
		return true;
	uint64_t bit = size_filter_bit(size, t->sizes_log2);
	return db->v.hash_sizes[t->sizes + bit / 64] >> (bit % 64) & 1;
}

/* The rows of bucket i of the directory. */
static st_t bucket_at(const struct db *db, const struct db_hash_table *t, size_t i, struct rd *ret,
                      struct err *e)
{
	uint64_t from = db->v.hash_dir[i].start, to = db->v.hash_dir[i + 1].start;
	struct rd rows = rd_make(db->v.hash_rows + t->rows_off, (size_t)(t->nrows * t->stride));
	*ret = rd_at(&rows, from * t->stride, to >= from ? (to - from) * t->stride : UINT64_MAX);
	if (ret->bad || (uint32_t)sum64(ret->base, ret->len) != db->v.hash_dir[i].sum)
		return fail(e, ST_BAD_SUM, from, "database: a block of digests is damaged");
	return ST_OK;
}

/* The rows of the bucket that would hold this digest. */
static st_t bucket(const struct db *db, const struct db_hash_table *t, const uint8_t *digest,
                   struct rd *ret, struct err *e)
{
	struct rd d = rd_make(digest, 4);
	uint32_t top = rd_u32be(&d);
	return bucket_at(db, t, t->dir + (t->dir_log2 ? top >> (32 - t->dir_log2) : 0), ret, e);
}

st_t db_hash_lookup(const struct db *db, enum db_hash_use use, enum digest_kind kind,
                    const uint8_t *digest, uint64_t size, void (*hit)(void *ctx, uint32_t nameref),
                    void *ctx, struct err *e)
{
	const struct db_hash_table *t = table(db, use, kind);
	if (t->nrows == 0)
		return ST_OK;
	size_t n = digest_size(kind);
	struct rd r;
	TRY(bucket(db, t, digest, &r, e));
	while (rd_left(&r) >= t->stride) {
		const uint8_t *d = rd_take(&r, n);
		uint32_t row_size = rd_u32le(&r);
		uint32_t nameref = rd_u32le(&r);
		if (memcmp(d, digest, n) == 0 && (row_size == UINT32_MAX || row_size == size))
			hit(ctx, nameref);
	}
	return ST_OK;
}

st_t db_hash_each(const struct db *db, enum db_hash_use use, enum digest_kind kind,
                  st_t (*row)(void *ctx, const struct db_hash_row *r, struct err *e), void *ctx,
                  struct err *e)
{
	const struct db_hash_table *t = table(db, use, kind);
	uint64_t n = 0;
	for (size_t i = 0; t->nrows && i < (size_t)1 << t->dir_log2; i++) {
		struct rd r;
		TRY(bucket_at(db, t, t->dir + i, &r, e));
		for (; rd_left(&r) >= t->stride && n < t->nrows; n++) {
			struct db_hash_row x = {.digest = rd_take(&r, digest_size(kind))};
			x.size = rd_u32le(&r);
			x.nameref = rd_u32le(&r);
			TRY(row(ctx, &x, e));
		}
	}
	/* Buckets that overlap would give rows twice, ones with holes would hide some. */
	return n == t->nrows ? ST_OK : fail(e, ST_BAD_SUM, n, "database: digests are missing");
}
