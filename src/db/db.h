/* A compiled signature database (.vdb), mapped read-only. doc/format/database.md is its format,
 * db/layout.h the same in C.
 *
 * db_open() checks everything that the matcher steers by, completely, once; afterwards the engine
 * uses it without checks. Digest and name blocks are the exception: there may be millions, they are
 * only compared, and each block carries a checksum that is checked when it is used. */
#ifndef VITRINE_DB_DB_H
#define VITRINE_DB_DB_H

#include "base/rd.h"
#include "base/st.h"
#include "crypto/digest.h"
#include "db/layout.h"

#include <stdbool.h>
#include <stddef.h>

struct db;

/* Maps and checks the database behind fd (the caller keeps and closes fd). */
st_t db_open(int fd, struct db **ret, struct err *e);

/* The same for bytes in memory, which must outlive the db and be 64-byte aligned. */
st_t db_open_memory(const void *p, size_t len, struct db **ret, struct err *e);

void db_close(struct db *db);

/* The counters of the header. */
const struct db_meta *db_meta(const struct db *db);

/* Longest signature name, in bytes with its NUL. */
#define DB_NAME_MAX 1024

/* The name behind a name reference (see DB_NAMEREF_*), NUL-terminated into ret. */
st_t db_name(const struct db *db, uint32_t nameref, char ret[DB_NAME_MAX], struct err *e);

/* All names in order: db_names_next() gives the first, then the one after it. False behind the last
 * name; a damaged block ends the list with ST_BAD_SUM. */
struct db_names {
	const struct db *db;
	uint32_t next;  /* index of the name that comes next */
	struct rd rest; /* of its block */
	char name[DB_NAME_MAX];
};
void db_names_start(const struct db *db, struct db_names *ret);
st_t db_names_next(struct db_names *w, bool *ret_more, struct err *e);

/* Name reference of signature `sig` (an id from the engine). */
uint32_t db_sig_nameref(const struct db *db, uint32_t sig);

/* True if some row of this use and kind has this object size (or any size): only then is the digest
 * worth computing. May be true without need, never false. */
bool db_hash_wanted(const struct db *db, enum db_hash_use use, enum digest_kind kind,
                    uint64_t size);

/* Looks a digest up. Calls hit(ctx, nameref) for each row with this digest and this size (or any
 * size), in database order. ST_BAD_SUM if the block that would hold it is damaged. */
st_t db_hash_lookup(const struct db *db, enum db_hash_use use, enum digest_kind kind,
                    const uint8_t *digest, uint64_t size, void (*hit)(void *ctx, uint32_t nameref),
                    void *ctx, struct err *e);

/* Calls row() for every row of a table, in database order; it may stop with a status, which is
 * returned. size is UINT32_MAX for any. ST_BAD_SUM at the first damaged block. */
struct db_hash_row {
	const uint8_t *digest;
	uint32_t size, nameref;
};
st_t db_hash_each(const struct db *db, enum db_hash_use use, enum digest_kind kind,
                  st_t (*row)(void *ctx, const struct db_hash_row *r, struct err *e), void *ctx,
                  struct err *e);

/* Inactive kinds counted by the compiler: entry i, or NULL behind the last. */
const struct db_inactive *db_inactive(const struct db *db, size_t i);

/* Signature access for tools (db info, db list) goes through db/layout.h records: */
const struct db_view *db_view(const struct db *db);

#endif
