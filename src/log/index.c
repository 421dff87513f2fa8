/* The table of leaf hashes. Runs in `vitrine log add`. */
#include "log/index.h"

#include "base/num.h"
#include "base/rd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "index"
#define FILE_NEW "index.new"

static const uint8_t magic[16] = "vitrine-logindx1";

#define SLOTS_MIN (UINT64_C(1) << 12)
#define SLOTS_MAX (UINT64_C(1) << 42)
#define INDEX_BITS 40
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

struct table {
	int fd;
	uint8_t *map;
	size_t nmap;
	uint64_t *slot;
	uint64_t slots, used;
	unsigned shift; /* 64 - log2(slots) */
	uint64_t seed[2];
};

struct log_index {
	const struct log_io *io;
	int dir;
	const struct log_leaves *leaves;
	struct table t;
	bool dirty;   /* marked so, durably */
	bool renamed; /* the name of the file is not known to be durable */
};

bool log_index_head_read(const void *head, size_t n, uint64_t file_size,
                         struct log_index_head *ret)
{
	struct rd r = rd_make(head, n);
	bool ours = rd_peek(&r, magic, sizeof magic);
	rd_skip(&r, sizeof magic);
	uint64_t clean = rd_u64le(&r);
	ret->clean = clean == 1;
	ret->size = rd_u64le(&r);
	ret->slots = rd_u64le(&r);
	ret->seed[0] = rd_u64le(&r);
	ret->seed[1] = rd_u64le(&r);
	uint64_t slots = ret->slots;
	if (r.bad || !ours || clean > 1 || slots < SLOTS_MIN || slots > SLOTS_MAX ||
	    (slots & (slots - 1)))
		return false;
	return ret->size <= slots && file_size == LOG_INDEX_HEADER + 8 * slots;
}

static void head_write(const struct table *t, bool clean, uint64_t size)
{
	uint64_t v[] = {clean, size, t->slots, t->seed[0], t->seed[1]};
	memcpy(t->map, magic, sizeof magic);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		memcpy(t->map + sizeof magic + 8 * i, &v[i], 8);
}

static void table_done(const struct log_io *io, struct table *t)
{
	if (t->map)
		io->unmap(io->ctx, t->map, t->nmap);
	if (t->fd >= 0)
		io->close(io->ctx, t->fd);
	*t = (struct table){.fd = -1};
}

static st_t table_map(const struct log_io *io, struct table *t, uint64_t slots, struct err *e)
{
	t->slots = slots;
	t->shift = 64 - (unsigned)__builtin_ctzll(slots);
	t->nmap = (size_t)(LOG_INDEX_HEADER + 8 * slots);
	t->map = io->map(io->ctx, t->fd, t->nmap);
	if (!t->map)
		return fail_errno(e, "log index: cannot map");
	t->slot = (uint64_t *)(void *)(t->map + LOG_INDEX_HEADER);
	return ST_OK;
}

/* A multiplication folded: every bit of the hash and of the secret seed counts. */
static uint64_t mix(const struct table *t, const struct tlog_hash *leaf)
{
	uint64_t a = load_u64le(leaf->b) ^ t->seed[0];
	uint64_t b = load_u64le(leaf->b + 8) ^ t->seed[1];
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The first free slot for it. False: of a damaged file every slot may be taken. */
static bool table_put(struct table *t, const struct tlog_hash *leaf, uint64_t index)
{
	uint64_t x = mix(t, leaf), i = x >> t->shift;
	for (uint64_t n = 0; t->slot[i]; n++, i = (i + 1) & (t->slots - 1))
		if (n == t->slots)
			return false;
	t->slot[i] = x << INDEX_BITS | (index + 1);
	t->used++;
	return true;
}

static st_t fail_damaged(struct err *e)
{
	return fail(e, ST_MALFORMED, 0, "log index: damaged; remove the file 'index'");
}

static bool is_crowded(const struct table *t)
{
	return t->used * 3 >= t->slots * 2;
}

static uint64_t slots_for(uint64_t size)
{
	uint64_t slots = SLOTS_MIN;
	while (slots < SLOTS_MAX && size * 2 >= slots)
		slots *= 2;
	return slots;
}

static st_t fill(struct log_index *ix, struct table *t, uint64_t from, uint64_t to, struct err *e)
{
	struct tlog_hash leaf;
	for (uint64_t i = from; i < to; i++) {
		TRY(ix->leaves->get(ix->leaves->ctx, i, &leaf, e));
		if (!table_put(t, &leaf, i))
			return fail_damaged(e);
	}
	return ST_OK;
}

static st_t build_file(struct log_index *ix, struct table *t, uint64_t size, struct err *e)
{
	const struct log_io *io = ix->io;
	uint64_t slots = slots_for(size);
	(void)io->unlink(io->ctx, ix->dir, FILE_NEW, 0);
	t->fd = io->open(io->ctx, ix->dir, FILE_NEW, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (t->fd < 0)
		return fail_errno(e, "log index: cannot create");
	if (io->truncate(io->ctx, t->fd, LOG_INDEX_HEADER + 8 * slots))
		return fail_errno(e, "log index: cannot make it %llu slots long",
		                  (unsigned long long)slots);
	TRY(table_map(io, t, slots, e));
	head_write(t, false, 0);
	TRY(fill(ix, t, 0, size, e));
	if (io->rename(io->ctx, ix->dir, FILE_NEW, ix->dir, FILE_NAME))
		return fail_errno(e, "log index: rename");
	return ST_OK;
}

/* A new file for `size` leaves takes the place of the old one, which is unclean or unusable. */
static st_t build(struct log_index *ix, const uint64_t seed[2], uint64_t size, struct err *e)
{
	struct table t = {.fd = -1, .seed = {seed[0], seed[1]}};
	st_t st = build_file(ix, &t, size, e);
	if (st != ST_OK) {
		table_done(ix->io, &t);
		return st;
	}
	table_done(ix->io, &ix->t);
	ix->t = t;
	ix->dirty = ix->renamed = true;
	return ST_OK;
}

/* The file as it is. ST_NOT_FOUND: none, or not to be used. */
static st_t open_file(struct log_index *ix, struct log_index_head *ret, struct err *e)
{
	const struct log_io *io = ix->io;
	uint8_t head[64];
	uint64_t file_size;
	ix->t.fd = io->open(io->ctx, ix->dir, FILE_NAME, O_RDWR, 0);
	if (ix->t.fd < 0)
		return errno == ENOENT ? ST_NOT_FOUND : fail_errno(e, "log index: cannot open");
	ssize_t n = io->pread(io->ctx, ix->t.fd, head, sizeof head, 0);
	if (n < 0 || io->size(io->ctx, ix->t.fd, &file_size))
		return fail_errno(e, "log index: cannot read");
	if (!log_index_head_read(head, (size_t)n, file_size, ret) || !ret->clean)
		return ST_NOT_FOUND;
	memcpy(ix->t.seed, ret->seed, sizeof ret->seed);
	ix->t.used = ret->size;
	return table_map(io, &ix->t, ret->slots, e);
}

static st_t mark_dirty(struct log_index *ix, struct err *e)
{
	if (ix->dirty)
		return ST_OK;
	head_write(&ix->t, false, 0);
	if (ix->io->sync_map(ix->io->ctx, ix->t.map, LOG_INDEX_HEADER))
		return fail_errno(e, "log index: sync");
	ix->dirty = true;
	return ST_OK;
}

static st_t load(struct log_index *ix, const uint64_t seed[2], uint64_t size, struct err *e)
{
	struct log_index_head head;
	st_t st = open_file(ix, &head, e);
	if (st != ST_OK && st != ST_NOT_FOUND)
		return st;
	if (st == ST_NOT_FOUND || head.size > size || size * 3 >= head.slots * 2)
		return build(ix, seed, size, e);
	if (head.size == size)
		return ST_OK;
	TRY(mark_dirty(ix, e));
	st = fill(ix, &ix->t, head.size, size, e);
	return st == ST_MALFORMED ? build(ix, seed, size, e) : st;
}

st_t log_index_open(const struct log_io *io, int dir, const uint64_t seed[2],
                    const struct log_leaves *leaves, uint64_t size, struct log_index **ret,
                    struct err *e)
{
	if (size > LOG_INDEX_ENTRIES_MAX)
		return fail(e, ST_LIMIT, 0, "log index: more than 2^40 entries");
	struct log_index *ix = calloc(1, sizeof *ix);
	if (!ix)
		return fail(e, ST_NOMEM, 0, "log index: out of memory");
	*ix = (struct log_index){.io = io, .dir = dir, .leaves = leaves, .t.fd = -1};
	st_t st = load(ix, seed, size, e);
	if (st != ST_OK)
		log_index_free(ix);
	else
		*ret = ix;
	return st;
}

/* Whether the tree has that leaf hash there. An index behind the tree is a lie of the file. */
static st_t is_there(struct log_index *ix, const struct tlog_hash *leaf, uint64_t index,
                     bool *ret, struct err *e)
{
	struct tlog_hash have;
	struct err inner = {0};
	st_t st = ix->leaves->get(ix->leaves->ctx, index, &have, &inner);
	if (st != ST_OK && st != ST_NOT_FOUND)
		return fail(e, st, inner.off, "%s", inner.text);
	*ret = st == ST_OK && tlog_hash_equal(&have, leaf);
	return ST_OK;
}

static st_t grow(struct log_index *ix, uint64_t fresh, struct err *e)
{
	if (!is_crowded(&ix->t))
		return ST_OK;
	if (fresh >= LOG_INDEX_ENTRIES_MAX)
		return fail(e, ST_LIMIT, 0, "log index: more than 2^40 entries");
	TRY(mark_dirty(ix, e));
	return build(ix, ix->t.seed, fresh, e);
}

st_t log_index_find_or_add(struct log_index *ix, const struct tlog_hash *leaf, uint64_t fresh,
                           uint64_t *ret_index, struct err *e)
{
	TRY(grow(ix, fresh, e));
	struct table *t = &ix->t;
	uint64_t x = mix(t, leaf), i = x >> t->shift;
	/* Of a damaged file every slot may be taken. */
	for (uint64_t n = 0; t->slot[i] && n < t->slots; n++, i = (i + 1) & (t->slots - 1)) {
		uint64_t index = (t->slot[i] & INDEX_MASK) - 1;
		bool same = false;
		if ((t->slot[i] ^ x << INDEX_BITS) >> INDEX_BITS == 0 && index < fresh)
			TRY(is_there(ix, leaf, index, &same, e));
		if (same) {
			*ret_index = index;
			return ST_OK;
		}
	}
	if (t->slot[i])
		return fail_damaged(e);
	TRY(mark_dirty(ix, e));
	t->slot[i] = x << INDEX_BITS | (fresh + 1);
	t->used++;
	*ret_index = fresh;
	return ST_OK;
}

st_t log_index_commit(struct log_index *ix, uint64_t size, struct err *e)
{
	const struct log_io *io = ix->io;
	if (!ix->dirty)
		return ST_OK;
	if (io->sync_map(io->ctx, ix->t.map, ix->t.nmap) || io->sync(io->ctx, ix->t.fd))
		return fail_errno(e, "log index: sync");
	if (ix->renamed && io->sync(io->ctx, ix->dir))
		return fail_errno(e, "log index: sync of the folder");
	head_write(&ix->t, true, size);
	if (io->sync_map(io->ctx, ix->t.map, LOG_INDEX_HEADER))
		return fail_errno(e, "log index: sync");
	ix->dirty = ix->renamed = false;
	return ST_OK;
}

void log_index_free(struct log_index *ix)
{
	if (!ix)
		return;
	table_done(ix->io, &ix->t);
	free(ix);
}
