/* Inside of db/: the open database. */
#ifndef VITRINE_DB_VIEW_H
#define VITRINE_DB_VIEW_H

#include "db/db.h"

struct db {
	const uint8_t *base;
	size_t len;
	bool mapped; /* ours to unmap */
	struct db_view v;
};

/* Checks everything that the engine steers by (db/check.c): after it, no index or offset in a
 * record leaves its section. */
st_t db_check(const struct db_view *v, struct err *e);

/* Checks the definitions of file types (db/check_magic.c). */
st_t db_check_magics(const struct db_view *v, struct err *e);

/* Checks one part program (db/check_code.c) and tells how many bytes a match of it takes. */
st_t db_check_program(const uint8_t *code, size_t len, uint64_t *ret_min, uint64_t *ret_max,
                      struct err *e);

/* The part of db_check() that is about members and passwords (db/check_member.c). */
st_t db_check_members(const struct db_view *v, struct err *e);

#endif
