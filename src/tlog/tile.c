/* Paths and contents of tiles (C2SP tlog-tiles). A path has one spelling: what tile_path_parse()
 * takes is what tile_path() writes, so that no tile has two names. */
#include "tlog/tile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 2^63 - 1 has seven groups of three digits. */
#define PATH_GROUPS_MAX 7

/* "It MUST be a non-negative integer encoded into zero-padded 3-digit path elements. All but the
 * last path element MUST begin with an x. For example, index 1234067 will be encoded as
 * x001/x234/067." */
static size_t format_index(uint64_t n, char *out, size_t room)
{
	unsigned group[PATH_GROUPS_MAX + 1];
	size_t count = 0, at = 0;
	do {
		group[count++] = (unsigned)(n % 1000);
		n /= 1000;
	} while (n && count < sizeof group / sizeof group[0]);
	while (count-- > 0)
		at += (size_t)snprintf(out + at, room - at, count ? "x%03u/" : "%03u", group[count]);
	return at;
}

void tile_path(const struct tile *t, char ret[TILE_PATH_MAX])
{
	size_t at;
	if (t->kind == TILE_CHECKPOINT) {
		snprintf(ret, TILE_PATH_MAX, "checkpoint");
		return;
	}
	if (t->kind == TILE_ENTRIES)
		at = (size_t)snprintf(ret, TILE_PATH_MAX, "tile/entries/");
	else
		at = (size_t)snprintf(ret, TILE_PATH_MAX, "tile/%u/", t->level);
	at += format_index(t->n, ret + at, TILE_PATH_MAX - at);
	if (t->width < TILE_WIDTH)
		snprintf(ret + at, TILE_PATH_MAX - at, ".p/%u", t->width);
}

static bool take(struct rd *in, const char *s)
{
	size_t n = strlen(s);
	if (!rd_peek(in, s, n))
		return false;
	rd_skip(in, n);
	return true;
}

static bool next_is_digit(const struct rd *in)
{
	uint8_t c = rd_byte(in, in->pos);
	return c >= '0' && c <= '9';
}

/* A number of at most three digits without leading zeros. */
static bool take_small(struct rd *in, unsigned *ret)
{
	unsigned v = 0, digits = 0;
	bool zero = rd_byte(in, in->pos) == '0';
	for (; digits < 3 && next_is_digit(in); digits++)
		v = v * 10 + (unsigned)(rd_u8(in) - '0');
	if (digits == 0 || (zero && digits > 1))
		return false;
	*ret = v;
	return true;
}

static bool take_group(struct rd *in, unsigned *ret)
{
	unsigned v = 0;
	for (unsigned i = 0; i < 3; i++) {
		if (!next_is_digit(in))
			return false;
		v = v * 10 + (unsigned)(rd_u8(in) - '0');
	}
	*ret = v;
	return true;
}

static st_t take_index(struct rd *in, uint64_t *ret, struct err *e)
{
	uint64_t n = 0;
	bool more = true;
	for (unsigned i = 0; more; i++) {
		unsigned group;
		more = take(in, "x");
		if (!take_group(in, &group) || (more && !take(in, "/")))
			return fail(e, ST_MALFORMED, in->pos,
			            "tlog-tiles: a path's index is groups of three digits, all but the last "
			            "with an x in front");
		if (i == 0 && more && group == 0)
			return fail(e, ST_MALFORMED, in->pos, "tlog-tiles: a path's index starts with x000");
		if (n > (TLOG_SIZE_MAX - group) / 1000)
			return fail(e, ST_MALFORMED, in->pos, "tlog-tiles: a path's index is above 2^63 - 1");
		n = n * 1000 + group;
	}
	*ret = n;
	return ST_OK;
}

static st_t take_end(const struct rd *in, struct err *e)
{
	if (rd_left(in))
		return fail(e, ST_MALFORMED, in->pos, "tlog-tiles: more follows the path");
	return ST_OK;
}

static st_t take_width(struct rd *in, unsigned *ret, struct err *e)
{
	*ret = TILE_WIDTH;
	if (take(in, ".p/") && (!take_small(in, ret) || *ret == 0 || *ret >= TILE_WIDTH))
		return fail(e, ST_MALFORMED, in->pos,
		            "tlog-tiles: the width of a partial tile is 1 to 255, without leading zeros");
	return take_end(in, e);
}

st_t tile_path_parse(struct rd in, struct tile *ret, struct err *e)
{
	struct tile t = {.kind = TILE_CHECKPOINT, .width = TILE_WIDTH};
	if (take(&in, "checkpoint")) {
		TRY(take_end(&in, e));
		*ret = t;
		return ST_OK;
	}
	if (!take(&in, "tile/"))
		return fail(e, ST_MALFORMED, in.pos, "tlog-tiles: a path is checkpoint or tile/...");
	t.kind = take(&in, "entries/") ? TILE_ENTRIES : TILE_HASHES;
	if (t.kind == TILE_HASHES &&
	    (!take_small(&in, &t.level) || t.level > TILE_LEVEL_PATH_MAX || !take(&in, "/")))
		return fail(e, ST_MALFORMED, in.pos,
		            "tlog-tiles: the level is 0 to 63, without leading zeros, or \"entries\"");
	TRY(take_index(&in, &t.n, e));
	TRY(take_width(&in, &t.width, e));
	*ret = t;
	return ST_OK;
}

uint64_t tile_level_size(uint64_t size, unsigned level)
{
	return level < TILE_LEVELS ? size >> (TILE_HEIGHT * level) : 0;
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t hashes = tile_level_size(size, level);
	if (n < hashes / TILE_WIDTH)
		return TILE_WIDTH;
	return n == hashes / TILE_WIDTH ? (unsigned)(hashes % TILE_WIDTH) : 0;
}

st_t tile_read(const struct tile *t, struct rd in, struct tlog_hash *ret, struct err *e)
{
	if (t->width == 0 || t->width > TILE_WIDTH)
		return fail(e, ST_MALFORMED, 0, "tlog-tiles: no tile is %u wide", t->width);
	if (rd_left(&in) != t->width * TLOG_HASH)
		return fail(e, ST_MALFORMED, 0, "tlog-tiles: %zu bytes, a tile of %u hashes has %u",
		            rd_left(&in), t->width, t->width * TLOG_HASH);
	rd_copy(&in, ret, t->width * TLOG_HASH);
	return rd_check(&in, e, "tlog-tiles: tile");
}

void tile_nodes_init(struct tile_nodes *t, const struct tile_source *src, struct tlog_hasher *h,
                     uint64_t size)
{
	t->src = src;
	t->h = h;
	t->size = size;
	memset(t->cached, 0, sizeof t->cached); /* a width of 0: nothing */
}

static st_t load_tile(struct tile_nodes *t, unsigned level, uint64_t n, struct err *e)
{
	struct tile want = {TILE_HASHES, level, n, tile_width(t->size, level, n)};
	struct tile *have = &t->cached[level];
	if (have->width && have->n == n)
		return ST_OK;
	have->width = 0;
	TRY(t->src->get(t->src->ctx, &want, t->hash[level], e));
	*have = want;
	return ST_OK;
}

/* The root of 2^height hashes (2^height <= TILE_WIDTH / 2). */
static void hash_up(struct tlog_hasher *h, const struct tlog_hash *from, unsigned height,
                    struct tlog_hash *ret)
{
	struct tlog_hash work[TILE_WIDTH / 2];
	unsigned n = 1u << height;
	if (n == 1) {
		*ret = from[0];
		return;
	}
	for (; n > 1; from = work, n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			tlog_hash_node(h, &from[2 * i], &from[2 * i + 1], &work[i]);
	*ret = work[0];
}

static st_t get_node(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                     struct err *e)
{
	struct tile_nodes *t = ctx;
	if (t->size > TLOG_SIZE_MAX || level > 62 || index >= t->size >> level)
		return fail(e, ST_BAD_PROOF, 0,
		            "tile: node %" PRIu64 " of level %u is not in a tree of %" PRIu64, index, level,
		            t->size);
	unsigned height = level % TILE_HEIGHT, row = level / TILE_HEIGHT;
	uint64_t first = index << height;
	TRY(load_tile(t, row, first / TILE_WIDTH, e));
	struct tlog_hash out;
	hash_up(t->h, &t->hash[row][first % TILE_WIDTH], height, &out);
	TRY(tlog_hasher_check(t->h, e));
	*ret = out;
	return ST_OK;
}

struct tlog_nodes tile_nodes_as_nodes(struct tile_nodes *t)
{
	return (struct tlog_nodes){get_node, t};
}
