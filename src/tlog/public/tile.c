/* Tiles and entry bundles of <vitrine/tlog.h>. */
#include "tlog/tile.h"

#include "tlog/public/nodes.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(VITRINE_TLOG_TILE_WIDTH == TILE_WIDTH, "one width");
_Static_assert(VITRINE_TLOG_TILE_PATH_MAX == TILE_PATH_MAX, "one limit");
_Static_assert(VITRINE_TLOG_ENTRY_MAX == ENTRY_MAX, "one limit");
_Static_assert((int)VITRINE_TLOG_TILE_CHECKPOINT == (int)TILE_CHECKPOINT &&
                   (int)VITRINE_TLOG_TILE_HASHES == (int)TILE_HASHES &&
                   (int)VITRINE_TLOG_TILE_ENTRIES == (int)TILE_ENTRIES,
               "one numbering");

static bool is_tile(const struct vitrine_tlog_tile *t)
{
	if (t->kind == VITRINE_TLOG_TILE_CHECKPOINT)
		return true;
	if (t->kind == VITRINE_TLOG_TILE_HASHES && t->level > TILE_LEVEL_PATH_MAX)
		return false;
	return (t->kind == VITRINE_TLOG_TILE_HASHES || t->kind == VITRINE_TLOG_TILE_ENTRIES) &&
	       t->width >= 1 && t->width <= TILE_WIDTH && t->index <= TLOG_SIZE_MAX;
}

static struct tile tile_in(const struct vitrine_tlog_tile *t)
{
	return (struct tile){(enum tile_kind)t->kind, t->level, t->index, t->width};
}

static struct vitrine_tlog_tile tile_out(const struct tile *t)
{
	return (struct vitrine_tlog_tile){(enum vitrine_tlog_tile_kind)t->kind, t->level, t->n,
	                                  t->width};
}

enum vitrine_tlog_status vitrine_tlog_tile_path(const struct vitrine_tlog_tile *tile,
                                                char ret[VITRINE_TLOG_TILE_PATH_MAX])
{
	if (!is_tile(tile))
		return VITRINE_TLOG_ARGUMENT;
	struct tile t = tile_in(tile);
	tile_path(&t, ret);
	return VITRINE_TLOG_OK;
}

enum vitrine_tlog_status vitrine_tlog_tile_parse(const char *path, size_t size,
                                                 struct vitrine_tlog_tile *ret,
                                                 struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tile t;
	st_t st = tile_path_parse(rd_make(path, size), &t, &e);
	if (st == ST_OK)
		*ret = tile_out(&t);
	return public_status(st, &e, error);
}

uint64_t vitrine_tlog_tile_level_size(uint64_t size, unsigned level)
{
	return tile_level_size(size, level);
}

unsigned vitrine_tlog_tile_width(uint64_t size, unsigned level, uint64_t index)
{
	return tile_width(size, level, index);
}

enum vitrine_tlog_status
vitrine_tlog_tile_read(const struct vitrine_tlog_tile *tile, const void *data, size_t size,
                       struct vitrine_tlog_hash ret[VITRINE_TLOG_TILE_WIDTH],
                       struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_hash hash[TILE_WIDTH];
	if (!is_tile(tile) || tile->kind != VITRINE_TLOG_TILE_HASHES)
		return public_refuse(VITRINE_TLOG_ARGUMENT, "not a tile of hashes", error);
	struct tile t = tile_in(tile);
	st_t st = tile_read(&t, rd_make(data, size), hash, &e);
	for (unsigned i = 0; st == ST_OK && i < t.width; i++)
		ret[i] = public_hash_out(&hash[i]);
	return public_status(st, &e, error);
}

struct vitrine_tlog_bundle vitrine_tlog_bundle_open(const void *data, size_t size, unsigned width)
{
	return (struct vitrine_tlog_bundle){.rest = {data, size}, .left = width};
}

enum vitrine_tlog_status vitrine_tlog_bundle_next(struct vitrine_tlog_bundle *bundle,
                                                  struct vitrine_tlog_span *ret_entry,
                                                  struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct bundle b = bundle_open(public_rd(bundle->rest), bundle->left);
	struct rd entry;
	st_t st = bundle_next(&b, &entry, &e);
	if (st != ST_OK)
		return public_status(st, &e, error);
	*bundle = (struct vitrine_tlog_bundle){public_span(b.in), b.left};
	*ret_entry = public_span(entry);
	return VITRINE_TLOG_OK;
}

static st_t add_entries(const struct vitrine_tlog_span *entries, size_t count, struct buf *out,
                        struct err *e)
{
	for (size_t i = 0; i < count; i++)
		TRY(bundle_add(out, entries[i].data, entries[i].size, e));
	return ST_OK;
}

enum vitrine_tlog_status vitrine_tlog_bundle_format(const struct vitrine_tlog_span *entries,
                                                    size_t count, uint8_t **ret_data,
                                                    size_t *ret_size,
                                                    struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct buf b = {0};
	if (count < 1 || count > TILE_WIDTH)
		return public_refuse(VITRINE_TLOG_ARGUMENT, "a bundle has 1 to 256 entries", error);
	st_t st = add_entries(entries, count, &b, &e);
	if (st != ST_OK) {
		buf_done(&b);
		return public_status(st, &e, error);
	}
	*ret_data = b.data;
	*ret_size = b.len;
	return VITRINE_TLOG_OK;
}

struct vitrine_tlog_tile_reader {
	struct vitrine_tlog_tile_source user;
	struct tile_source source; /* asks `user` */
	struct tlog_hasher hasher;
	struct tile_nodes nodes;
};

static st_t ask_user(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	const vitrine_tlog_tile_reader *r = ctx;
	struct vitrine_tlog_tile tile = tile_out(t);
	struct vitrine_tlog_hash hash[VITRINE_TLOG_TILE_WIDTH];
	char path[TILE_PATH_MAX];
	tile_path(t, path);
	if (r->user.get(r->user.user, &tile, hash) != 0)
		return fail(e, ST_CALLBACK, 0, "the callback gave no %s", path);
	for (unsigned i = 0; i < t->width; i++)
		ret[i] = public_hash_in(&hash[i]);
	return ST_OK;
}

enum vitrine_tlog_status
vitrine_tlog_tile_reader_new(const struct vitrine_tlog_tile_source *source, uint64_t size,
                             vitrine_tlog_tile_reader **ret)
{
	vitrine_tlog_tile_reader *r = calloc(1, sizeof *r);
	st_t st = r ? tlog_hasher_init(&r->hasher, NULL) : ST_NOMEM;
	if (st != ST_OK) {
		free(r);
		return public_status(st, NULL, NULL);
	}
	r->user = *source;
	r->source = (struct tile_source){ask_user, r};
	tile_nodes_init(&r->nodes, &r->source, &r->hasher, size);
	*ret = r;
	return VITRINE_TLOG_OK;
}

void vitrine_tlog_tile_reader_free(vitrine_tlog_tile_reader *reader)
{
	if (!reader)
		return;
	tlog_hasher_done(&reader->hasher);
	free(reader);
}

static int reader_get(void *user, unsigned level, uint64_t index, struct vitrine_tlog_hash *ret)
{
	vitrine_tlog_tile_reader *r = user;
	struct tlog_nodes nodes = tile_nodes_as_nodes(&r->nodes);
	struct tlog_hash h;
	if (nodes.get(nodes.ctx, level, index, &h, NULL) != ST_OK)
		return -1;
	*ret = public_hash_out(&h);
	return 0;
}

struct vitrine_tlog_nodes vitrine_tlog_tile_reader_nodes(vitrine_tlog_tile_reader *reader)
{
	return (struct vitrine_tlog_nodes){reader_get, reader};
}

bool public_tile_reader_nodes(const struct vitrine_tlog_nodes *n, struct tlog_nodes *ret)
{
	if (n->get != reader_get)
		return false;
	vitrine_tlog_tile_reader *r = n->user;
	*ret = tile_nodes_as_nodes(&r->nodes);
	return true;
}
