/* What the files of the client share. */
#ifndef VITRINE_TUF_INSIDE_H
#define VITRINE_TUF_INSIDE_H

#include "tuf/client.h"

/* One file that is wanted. */
struct tuf_want {
	enum tuf_type type;
	const char *role;          /* name; not encoded */
	const struct tuf_role *by; /* who signs */
	const struct tuf_file *file; /* what is said of it, or NULL (timestamp) */
	size_t max;
};

/* "HASHES of the new file MUST match", its length too, if listed; then parsed, signed by those
 * keys and of the version that is listed. `memory` bounds its tree. */
st_t tuf_accept(const struct tuf_want *w, struct rd bytes, size_t memory, struct tuf_md *ret,
                struct err *e);

/* "The expiration timestamp MUST be higher than the fixed update start time." */
st_t tuf_fresh(const struct tuf_md *md, int64_t now, struct err *e);

/* The trusted file of the store, if it is the one that is wanted and not expired; else the
 * server's, which is checked against `old` (a snapshot, or NULL) and then kept. */
st_t tuf_obtain(struct tuf_client *c, const struct tuf_want *w, const struct tuf_md *old,
                size_t memory, struct tuf_md *ret, struct err *e);

/* What the store has under the role's name, appended to `ret`. */
st_t tuf_store_get(const struct tuf_client *c, const char *role, size_t max, struct buf *ret,
                   struct err *e);
st_t tuf_store_put(const struct tuf_client *c, const char *role, const struct buf *bytes,
                   struct err *e);

/* Tells the store's `accepted`. Version 0: none in the name. */
st_t tuf_accepted(const struct tuf_client *c, const char *role, uint64_t version,
                  const struct buf *bytes, struct err *e);

/* VERSION.ROLE.json, or ROLE.json for version 0. */
st_t tuf_fetch_get(const struct tuf_client *c, const char *role, uint64_t version, size_t max,
                   struct buf *ret, struct err *e);

#endif
