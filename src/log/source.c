/* What all sources share: tags, the way from a partial tile that is gone to the full one, and
 * messages that name the file. */
#include "base/num.h"
#include "log/source_inside.h"

#include <stdlib.h>
#include <string.h>

struct pending {
	struct tile t;
	uint64_t tag;
	bool used;
	bool full; /* the full tile was asked for instead */
};

struct log_source {
	const struct source_ops *ops;
	void *ctx;
	struct pending *slot;
	size_t nslots, used;
};

st_t log_source_new(const struct source_ops *ops, void *ctx, struct log_source **ret,
                    struct err *e)
{
	struct log_source *s = calloc(1, sizeof *s);
	if (!s) {
		ops->free(ctx);
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	}
	s->ops = ops;
	s->ctx = ctx;
	*ret = s;
	return ST_OK;
}

void log_source_free(struct log_source *s)
{
	if (!s)
		return;
	s->ops->free(s->ctx);
	free(s->slot);
	free(s);
}

static st_t find_slot(struct log_source *s, size_t *ret, struct err *e)
{
	if (s->used == s->nslots) {
		size_t n = s->nslots ? 2 * s->nslots : 16;
		struct pending *more = reallocarray(s->slot, n, sizeof *more);
		if (!more)
			return fail(e, ST_NOMEM, 0, "log: out of memory");
		memset(more + s->nslots, 0, (n - s->nslots) * sizeof *more);
		s->slot = more;
		s->nslots = n;
	}
	size_t i = 0;
	while (s->slot[i].used)
		i++;
	*ret = i;
	return ST_OK;
}

/* Longest body: of the full tile, which may come instead of a partial one. */
static size_t size_limit(const struct tile *t)
{
	switch (t->kind) {
	case TILE_CHECKPOINT:
		return NOTE_SIZE_MAX;
	case TILE_HASHES:
		return TILE_BYTES_MAX;
	default:
		return BUNDLE_BYTES_MAX;
	}
}

static st_t ask_slot(struct log_source *s, size_t slot, struct err *e)
{
	char path[TILE_PATH_MAX];
	struct tile t = s->slot[slot].t;
	if (s->slot[slot].full)
		t.width = TILE_WIDTH;
	tile_path(&t, path);
	return s->ops->ask(s->ctx, path, size_limit(&t), slot, e);
}

st_t log_source_ask(struct log_source *s, const struct tile *t, uint64_t tag, struct err *e)
{
	size_t slot = 0;
	TRY(find_slot(s, &slot, e));
	s->slot[slot] = (struct pending){.t = *t, .tag = tag};
	TRY(ask_slot(s, slot, e));
	s->slot[slot].used = true;
	s->used++;
	return ST_OK;
}

/* Where entry `width` of a full bundle starts. */
static st_t bundle_cut(const struct buf *body, unsigned width, size_t *ret, struct err *e)
{
	struct bundle b = bundle_open(rd_make(body->data, body->len), TILE_WIDTH);
	struct rd entry;
	size_t cut = 0;
	st_t st;
	for (unsigned i = 1; (st = bundle_next(&b, &entry, e)) == ST_OK; i++)
		if (i == width)
			cut = b.in.pos;
	if (st != ST_NOT_FOUND)
		return st;
	*ret = cut;
	return ST_OK;
}

/* Cuts the full tile to the partial one that was asked for. */
static st_t cut_full(const struct tile *t, struct buf *body, struct err *e)
{
	if (t->kind == TILE_ENTRIES)
		return bundle_cut(body, t->width, &body->len, e);
	if (body->len != TILE_BYTES_MAX)
		return fail(e, ST_MALFORMED, 0, "tlog-tiles: %zu bytes, a full tile has %u", body->len,
		            TILE_BYTES_MAX);
	body->len = t->width * TLOG_HASH;
	return ST_OK;
}

/* "MAY fetch the full tile ... as a fallback in case the partial tile is not available anymore." */
static bool full_may_help(const struct pending *p, st_t st)
{
	return st == ST_NOT_FOUND && !p->full && p->t.kind != TILE_CHECKPOINT &&
	       p->t.width < TILE_WIDTH;
}

static void name_file(const struct pending *p, const struct source_answer *a, struct err *ret)
{
	struct tile t = p->t;
	char path[TILE_PATH_MAX];
	tile_path(&t, path);
	(void)!fail(ret, a->st, a->e.off, "%s: %s", path, a->e.text[0] ? a->e.text : st_name(a->st));
}

st_t log_source_take(struct log_source *s, uint64_t *ret_tag, struct buf *ret_body, st_t *ret_st,
                     struct err *ret_e, struct err *e)
{
	struct source_answer a;
	struct pending *p;
	if (s->used == 0)
		return fail(e, ST_NOT_FOUND, 0, "log: nothing was asked for");
	for (;;) {
		a = (struct source_answer){0};
		TRY(s->ops->take(s->ctx, &a, e));
		if (a.slot >= s->nslots || !s->slot[a.slot].used) {
			buf_done(&a.body);
			return fail(e, ST_IO, 0, "log: an answer to what was not asked for");
		}
		p = &s->slot[a.slot];
		if (!full_may_help(p, a.st))
			break;
		buf_done(&a.body);
		p->full = true;
		TRY(ask_slot(s, a.slot, e));
	}
	if (a.st == ST_OK && p->full)
		a.st = cut_full(&p->t, &a.body, &a.e);
	if (a.st != ST_OK) {
		buf_done(&a.body);
		name_file(p, &a, ret_e);
	}
	*ret_tag = p->tag;
	*ret_body = a.body;
	*ret_st = a.st;
	p->used = false;
	s->used--;
	return ST_OK;
}

st_t log_source_get(struct log_source *s, const struct tile *t, struct buf *ret, struct err *e)
{
	uint64_t tag;
	st_t st;
	struct buf body;
	TRY(log_source_ask(s, t, 0, e));
	TRY(log_source_take(s, &tag, &body, &st, e, e));
	if (st == ST_OK)
		*ret = body;
	return st;
}

static st_t get_tile(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	struct buf body;
	TRY(log_source_get(ctx, t, &body, e));
	st_t st = tile_read(t, rd_make(body.data, body.len), ret, e);
	buf_done(&body);
	return st;
}

struct tile_source log_source_tiles(struct log_source *s)
{
	return (struct tile_source){get_tile, s};
}
