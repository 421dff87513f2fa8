#include "log/source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct log_source { char url[1024]; const struct fetch *f; struct { struct tile t; uint64_t tag; } q[64]; size_t n; };
st_t log_source_new_url(const char *url, const struct fetch *fetch, struct log_source **ret, struct err *e)
{
	struct log_source *s = calloc(1, sizeof *s);
	if (!s) return fail(e, ST_NOMEM, 0, "x");
	snprintf(s->url, sizeof s->url, "%s", url); size_t n = strlen(s->url); while (n && s->url[n - 1] == 0x2f) s->url[--n] = 0; s->f = fetch; *ret = s; return ST_OK;
}
void log_source_free(struct log_source *s) { free(s); }
st_t log_source_get(struct log_source *s, const struct tile *t, struct buf *ret, struct err *e)
{
	char path[TILE_PATH_MAX], url[2048]; struct fetch_response r;
	tile_path(t, path); snprintf(url, sizeof url, "%s/%s", s->url, path);
	struct fetch_request q = {.url = url, .max = BUNDLE_BYTES_MAX};
	TRY(fetch_one(s->f, &q, &r, e));
	if (r.status == 200) { *ret = r.body; return ST_OK; }
	buf_done(&r.body);
	if (r.status == 404) return fail(e, ST_NOT_FOUND, 0, "%s: HTTP status 404", path);
	return fail(e, ST_IO, 0, "%s: %s", path, r.error);
}
st_t log_source_ask(struct log_source *s, const struct tile *t, uint64_t tag, struct err *e)
{ (void)e; s->q[s->n].t = *t; s->q[s->n++].tag = tag; return ST_OK; }
st_t log_source_take(struct log_source *s, uint64_t *tag, struct buf *body, st_t *st, struct err *why, struct err *e)
{ (void)e; s->n--; *tag = s->q[s->n].tag; *st = log_source_get(s, &s->q[s->n].t, body, why); return ST_OK; }
static st_t get(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	struct buf b = {0};
	st_t st = log_source_get(ctx, t, &b, e);
	if (st == ST_OK) st = tile_read(t, rd_make(b.data, b.len), ret, e);
	buf_done(&b); return st;
}
struct tile_source log_source_tiles(struct log_source *s) { return (struct tile_source){get, s}; }
