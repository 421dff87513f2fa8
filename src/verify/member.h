/* Conditions on members of containers (.cdb .zmd .rmd): what a container says of a member, against
 * the database. */
#ifndef VITRINE_VERIFY_MEMBER_H
#define VITRINE_VERIFY_MEMBER_H

#include "db/db.h"
#include "db/filetypes.h"

/* What the container says; hostile. */
struct member_facts {
	const char *name; /* as clamscan compares it */
	size_t name_len;
	enum file_type container;
	uint64_t container_size;
	bool has_stored, has_crc; /* else unknown: no condition on it holds */
	uint64_t stored, real;
	uint64_t position;
	uint32_t crc;
	bool encrypted;
};

struct members;

/* Gets the expressions of the database ready. *ret is NULL if there are no conditions. */
st_t members_new(const struct db *db, struct members **ret, struct err *e);
void members_free(struct members *m);

/* Calls hit(ctx, nameref) for each condition that holds, in database order, until it gives another
 * status than ST_OK, which is handed through. */
st_t members_match(const struct members *m, const struct member_facts *f,
                   st_t (*hit)(void *ctx, uint32_t nameref), void *ctx);

#endif
