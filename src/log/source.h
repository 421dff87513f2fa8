/* Reading somebody's log, file by file, by the paths of C2SP tlog-tiles: a folder or a URL. Several
 * files can be asked for at a time. Everything that comes out is hostile. */
#ifndef VITRINE_LOG_SOURCE_H
#define VITRINE_LOG_SOURCE_H

#include "base/buf.h"
#include "base/st.h"
#include "net/fetch.h"
#include "tlog/tile.h"

struct log_source;

/* A folder, by its descriptor (not owned). */
st_t log_source_new_folder(int dir_fd, struct log_source **ret, struct err *e);

/* A prefix of URLs. */
st_t log_source_new_url(const char *url, const struct fetch *fetch, struct log_source **ret,
                        struct err *e);
void log_source_free(struct log_source *s);

/* "ask" any number of times, "take" as many answers, in any order. `tag` comes back. A partial tile
 * that is gone is asked for as the full one and cut (tlog-tiles: "may delete a partial once the
 * full tile exists"). The body is the receiver's. Statuses of the answer, in ret_st: ST_OK,
 * ST_NOT_FOUND, ST_LIMIT (too long), ST_IO and other errnos; its message in ret_e. */
st_t log_source_ask(struct log_source *s, const struct tile *t, uint64_t tag, struct err *e);
st_t log_source_take(struct log_source *s, uint64_t *ret_tag, struct buf *ret_body, st_t *ret_st,
                     struct err *ret_e, struct err *e);

/* One file. */
st_t log_source_get(struct log_source *s, const struct tile *t, struct buf *ret, struct err *e);

/* Hash tiles for proofs: a tile_source over this source, sizes checked. */
struct tile_source log_source_tiles(struct log_source *s);

#endif
