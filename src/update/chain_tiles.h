/* Tiles of a log, as links of the chain get and keep them. */
#ifndef VITRINE_UPDATE_CHAIN_TILES_H
#define VITRINE_UPDATE_CHAIN_TILES_H

#include "tlog/tile.h"
#include "update/chain_inside.h"

struct chain_tiles {
	struct chain *c;
	struct buf folder; /* "log/ORIGIN/", with a NUL */
};

/* chain_tiles_close() whatever the status. */
st_t chain_tiles_open(struct chain *c, const char *origin, struct chain_tiles *ret, struct err *e);
void chain_tiles_close(struct chain_tiles *s);

/* From the source, not checked; a partial one that is gone is cut from the full one. keep: the file
 * as it came. ret: t->width hashes. */
st_t chain_tiles_get(struct chain_tiles *s, const struct tile *t, bool keep, struct tlog_hash *ret,
                     struct err *e);

/* These hashes as that tile. */
st_t chain_tiles_keep(struct chain_tiles *s, const struct tile *t, const struct tlog_hash *hash,
                      struct err *e);

#endif
