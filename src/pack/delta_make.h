/* Making deltas: a plan of tables over two mapped files, written as a body. */
#ifndef VITRINE_PACK_DELTA_MAKE_H
#define VITRINE_PACK_DELTA_MAKE_H

#include "pack/delta_inside.h"

#include "base/rd.h"

/* Both files, spaces found so far, tables written so far. */
struct delta_maker {
	struct rd old, new;
	int old_fd, new_fd;
	struct delta_script space[DELTA_SPACES_MAX];
	uint32_t nspaces, ntables, ndirs;
	uint64_t new_off; /* up to where tables reach */
	struct buf tables;
};

void delta_put_number(struct buf *b, uint64_t v);

/* The next table: an edit of n records. `script` is one of the spaces or the caller's. */
void delta_put_edit(struct delta_maker *m, const struct delta_table *t,
                    const struct delta_script *script);

/* The next table: bytes, from wherever they are in [old_off, old_off + old_len). */
st_t delta_put_bytes(struct delta_maker *m, uint64_t old_off, uint64_t old_len, uint64_t new_len,
                     struct err *e);

void delta_put_names(struct delta_maker *m, uint64_t old_off, uint64_t old_len, uint64_t new_len,
                     uint32_t space);
void delta_put_dir(struct delta_maker *m, const struct delta_dir *d);

/* n records that stay where they are. */
void delta_script_keep_all(struct delta_script *s, uint64_t n);

/* Finds where bytes of `new` stand in `old`: runs of single bytes. */
st_t delta_match(struct rd old, struct rd new, struct delta_script *ret, struct err *e);

/* Plans and writes all tables, if both files are databases of a version that is known.
 * ST_UNSUPPORTED: they are not, or not as they should be. */
st_t delta_put_database(struct delta_maker *m, struct err *e);

#endif
