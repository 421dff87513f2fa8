#include "update/chain_tiles.h"

#include <stdio.h>

st_t chain_tiles_open(struct chain *c, const char *origin, struct chain_tiles *ret, struct err *e)
{
	*ret = (struct chain_tiles){.c = c};
	buf_text(&ret->folder, "log/");
	tuf_quote(origin, false, &ret->folder);
	buf_text(&ret->folder, "/");
	buf_u8(&ret->folder, 0);
	return buf_check(&ret->folder, e, "tiles");
}

void chain_tiles_close(struct chain_tiles *s)
{
	buf_done(&s->folder);
}

static st_t make_path(const struct chain_tiles *s, const struct tile *t, char ret[UPDATE_PATH_MAX],
                      struct err *e)
{
	char file[TILE_PATH_MAX];
	tile_path(t, file);
	int n = snprintf(ret, UPDATE_PATH_MAX, "%s%s", (const char *)s->folder.data, file);
	if (n < 0 || n >= UPDATE_PATH_MAX)
		return fail(e, ST_LIMIT, 0, "the path of %s is too long", file);
	return ST_OK;
}

static st_t get_file(struct chain_tiles *s, const struct tile *t, bool keep, struct buf *ret,
                     struct err *e)
{
	char path[UPDATE_PATH_MAX];
	TRY(make_path(s, t, path, e));
	TRY(chain_get(s->c, path, TILE_BYTES_MAX, ret, e));
	return keep ? chain_keep(s->c, path, rd_make(ret->data, ret->len), e) : ST_OK;
}

/* "MAY fetch the full tile [...] as a fallback in case the partial tile is not available
 * anymore" (C2SP tlog-tiles). */
st_t chain_tiles_get(struct chain_tiles *s, const struct tile *t, bool keep, struct tlog_hash *ret,
                     struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	struct tile full = *t;
	full.width = TILE_WIDTH;
	st_t st = get_file(s, t, keep, &b, &why);
	if (st == ST_NOT_FOUND && t->width < TILE_WIDTH) {
		err_clear(&why);
		buf_done(&b);
		st = get_file(s, &full, keep, &b, &why);
		if (st == ST_OK && b.len == TILE_BYTES_MAX)
			b.len = t->width * TLOG_HASH;
	}
	if (st == ST_OK)
		st = tile_read(t, rd_make(b.data, b.len), ret, &why);
	buf_done(&b);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

st_t chain_tiles_keep(struct chain_tiles *s, const struct tile *t, const struct tlog_hash *hash,
                      struct err *e)
{
	char path[UPDATE_PATH_MAX];
	TRY(make_path(s, t, path, e));
	return chain_keep(s->c, path, rd_make(hash, t->width * TLOG_HASH), e);
}
