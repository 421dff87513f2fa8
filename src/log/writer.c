/* A batch of entries: from bytes to indexes. */
#include "log/writer_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

st_t writer_get_tile(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	struct log_writer *w = ctx;
	char path[TILE_PATH_MAX];
	struct buf b = {0};
	tile_path(t, path);
	st_t st = w->o.store->ops->get(w->o.store->ctx, path, TILE_BYTES_MAX, &b, e);
	if (st == ST_OK)
		st = tile_read(t, rd_make(b.data, b.len), ret, e);
	buf_done(&b);
	return st;
}

st_t writer_get_leaf(void *ctx, uint64_t index, struct tlog_hash *ret, struct err *e)
{
	struct log_writer *w = ctx;
	uint64_t n = index / TILE_WIDTH, size = w->state.size;
	if (index >= size) {
		if (index - size >= w->nfresh)
			return fail(e, ST_NOT_FOUND, 0, "log: no entry of that index");
		*ret = w->fresh[index - size];
		return ST_OK;
	}
	if (n == size / TILE_WIDTH) {
		*ret = w->edge.tile[0].hash[index % TILE_WIDTH];
		return ST_OK;
	}
	if (!w->has_tile || w->tile_n != n) {
		struct tile t = {.kind = TILE_HASHES, .n = n, .width = TILE_WIDTH};
		w->has_tile = w->proven_tile = false;
		TRY(writer_get_tile(w, &t, w->tile, e));
		w->has_tile = true;
		w->tile_n = n;
	}
	*ret = w->tile[index % TILE_WIDTH];
	return ST_OK;
}

const struct tlog_nodes *writer_nodes(struct log_writer *w, uint64_t size)
{
	w->source = (struct tile_source){.get = writer_get_tile, .ctx = w};
	tile_nodes_init(&w->nodes, &w->source, &w->h, size);
	w->as_nodes = tile_nodes_as_nodes(&w->nodes);
	return &w->as_nodes;
}

st_t writer_put_state(struct log_writer *w, const struct log_state *s, struct err *e)
{
	const struct log_io *io = w->o.io;
	struct log_state next = *s;
	uint8_t record[LOG_STATE_RECORD];
	uint64_t off = next.sequence % 2 * LOG_STATE_SLOT;
	log_state_write(&next, &w->origin, &w->h, record);
	TRY(tlog_hasher_check(&w->h, e));
	ssize_t n = io->pwrite(io->ctx, w->state_fd, record, sizeof record, off);
	if (n < 0)
		return fail_errno(e, "log state: write");
	if (n != sizeof record)
		return fail(e, ST_IO, 0, "log state: the record was not written as a whole");
	if (io->sync_data(io->ctx, w->state_fd))
		return fail_errno(e, "log state: sync");
	w->o.store->syncs++;
	w->state = next;
	return ST_OK;
}

st_t writer_note_partial(struct log_writer *w, const struct tile *t, struct err *e)
{
	buf_add(&w->partials, t, sizeof *t);
	return buf_check(&w->partials, e, "log: list of partial tiles");
}

static st_t put_tile(void *ctx, const struct tile *t, const void *p, size_t n, struct err *e)
{
	struct log_writer *w = ctx;
	char path[TILE_PATH_MAX];
	TRY(tlog_hasher_check(&w->h, e));
	tile_path(t, path);
	if (t->width < TILE_WIDTH)
		TRY(writer_note_partial(w, t, e));
	return w->o.store->ops->put(w->o.store->ctx, path, p, n, e);
}

static st_t check_request(const struct log_writer *w, const struct log_entry *entry, size_t n,
                          struct err *e)
{
	if (w->broken)
		return fail(e, ST_IO, 0, "log: a write failed before; open the log anew");
	if (n > LOG_BATCH_MAX)
		return fail(e, ST_LIMIT, 0, "log: a batch has at most %u entries", LOG_BATCH_MAX);
	for (size_t i = 0; i < n; i++)
		if (entry[i].n > ENTRY_MAX)
			return fail(e, ST_LIMIT, i,
			            "tlog-tiles: entry %zu of the batch has %zu bytes, more than %u", i,
			            entry[i].n, ENTRY_MAX);
	if (n > TLOG_SIZE_MAX - w->state.size)
		return fail(e, ST_LIMIT, 0, "log: a tree has at most 2^63 - 1 entries");
	return ST_OK;
}

/* Proves that the tree of that size and root has this leaf. */
static st_t prove(struct log_writer *w, const struct tlog_nodes *nodes, uint64_t index,
                  uint64_t size, const struct tlog_hash *root, struct tlog_proof *ret,
                  struct err *e)
{
	struct err why = {0};
	struct tlog_hash leaf;
	TRY(writer_get_leaf(w, index, &leaf, e));
	TRY(tlog_prove_inclusion(&w->h, nodes, index, size, ret, e));
	st_t st = tlog_check_inclusion(&w->h, &leaf, index, size, ret, root, &why);
	if (st == ST_BAD_PROOF)
		return fail(e, st, index,
		            "log: the tiles with entry %llu do not fit the private state, they were "
		            "changed or damaged; 'vitrine log check' names the file: restore it from a "
		            "copy",
		            (unsigned long long)index);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

/* The tile out of the store for a proof: the one that was compared with. */
static st_t get_compared_tile(void *ctx, const struct tile *t, struct tlog_hash *ret,
                              struct err *e)
{
	struct log_writer *w = ctx;
	if (t->level || !w->has_tile || t->n != w->tile_n || t->width != TILE_WIDTH)
		return writer_get_tile(w, t, ret, e);
	memcpy(ret, w->tile, sizeof w->tile);
	return ST_OK;
}

/* An entry is in the log already by what a tile says. Who can write to the folder that is served
 * could put its hash there: it counts when that tile is the tree's. The right edge was proven when
 * the log was opened; a proof of one leaf proves the whole tile that it is in. */
static st_t check_known(struct log_writer *w, uint64_t index, struct err *e)
{
	const struct tile_source source = {.get = get_compared_tile, .ctx = w};
	struct tlog_proof proof;
	struct tile_nodes *nodes;
	uint64_t size = w->state.size, n = index / TILE_WIDTH;
	if (index >= size || n == size / TILE_WIDTH)
		return ST_OK;
	if (w->has_tile && w->tile_n == n && w->proven_tile)
		return ST_OK;
	nodes = malloc(sizeof *nodes);
	if (!nodes)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	tile_nodes_init(nodes, &source, &w->h, size);
	const struct tlog_nodes as_nodes = tile_nodes_as_nodes(nodes);
	st_t st = prove(w, &as_nodes, index, size, &w->state.root, &proof, e);
	w->proven_tile = st == ST_OK;
	free(nodes);
	return st;
}

/* Which entries are new, and the index of each. */
static st_t look_up(struct log_writer *w, const struct log_entry *entry, size_t n,
                    uint64_t *ret_index, struct err *e)
{
	w->nfresh = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t fresh = w->state.size + w->nfresh;
		tlog_hash_leaf(&w->h, entry[i].p, entry[i].n, &w->fresh[w->nfresh]);
		TRY(tlog_hasher_check(&w->h, e));
		TRY(log_index_find_or_add(w->index, &w->fresh[w->nfresh], fresh, &ret_index[i], e));
		if (ret_index[i] == fresh)
			w->which[w->nfresh++] = i;
		else
			TRY(check_known(w, ret_index[i], e));
	}
	return ST_OK;
}

/* The new entries become a larger tree, durable, and the state says so. */
static st_t integrate(struct log_writer *w, const struct log_entry *entry, struct err *e)
{
	const struct edge_sink sink = {.put = put_tile, .ctx = w};
	struct log_state next = {.sequence = w->state.sequence + 1};
	for (size_t i = 0; i < w->nfresh; i++) {
		const struct log_entry *x = &entry[w->which[i]];
		TRY(edge_append(&w->edge, &w->h, &w->fresh[i], x->p, x->n, &sink, e));
	}
	TRY(edge_settle(&w->edge, &sink, e));
	TRY(w->o.store->ops->barrier(w->o.store->ctx, e));
	next.size = w->edge.size;
	edge_root(&w->edge, &w->h, &next.root);
	return writer_put_state(w, &next, e);
}

static bool is_covered(const struct log_writer *w, const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!w->has_published || index[i] >= w->published)
			return false;
	return true;
}

st_t log_writer_add(struct log_writer *w, const struct log_entry *entry, size_t n,
                    uint64_t *ret_index, struct err *e)
{
	TRY(check_request(w, entry, n, e));
	st_t st = look_up(w, entry, n, ret_index, e);
	if (st == ST_OK && w->nfresh)
		st = integrate(w, entry, e);
	w->nfresh = 0;
	if (st != ST_OK) {
		w->broken = true;
		return st;
	}
	return is_covered(w, ret_index, n) ? ST_OK : log_writer_publish(w, e);
}

uint64_t log_writer_size(const struct log_writer *w)
{
	return w->state.size;
}

uint64_t log_writer_published(const struct log_writer *w)
{
	return w->published;
}

struct rd log_writer_checkpoint(const struct log_writer *w)
{
	return rd_make(w->note.data, w->note.len);
}

st_t log_writer_prove(struct log_writer *w, uint64_t index, struct tlog_proof *ret, struct err *e)
{
	if (!w->as_nodes.get || w->nodes.size != w->published)
		(void)writer_nodes(w, w->published);
	struct tlog_proof proof;
	if (index >= w->published)
		return fail(e, ST_NOT_FOUND, index, "log: no published checkpoint has entry %llu",
		            (unsigned long long)index);
	TRY(prove(w, &w->as_nodes, index, w->published, &w->published_root, &proof, e));
	*ret = proof;
	return ST_OK;
}

static st_t writer_new(const struct log_writer_opts *o, struct log_writer **ret, struct err *e)
{
	struct log_writer *w = calloc(1, sizeof *w);
	if (!w)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	w->o = *o;
	w->lock_fd = w->state_fd = -1;
	w->leaves = (struct log_leaves){.get = writer_get_leaf, .ctx = w};
	w->fresh = calloc(LOG_BATCH_MAX + 1, sizeof *w->fresh);
	w->which = calloc(LOG_BATCH_MAX, sizeof *w->which);
	st_t st = tlog_hasher_init(&w->h, e);
	if (st == ST_OK && (!w->fresh || !w->which))
		st = fail(e, ST_NOMEM, 0, "log: out of memory");
	if (st != ST_OK) {
		log_writer_free(w);
		return st;
	}
	tlog_hash_leaf(&w->h, o->key->name, strlen(o->key->name), &w->origin);
	*ret = w;
	return ST_OK;
}

static st_t take_lock(struct log_writer *w, struct err *e)
{
	const struct log_io *io = w->o.io;
	w->lock_fd = io->open(io->ctx, w->o.private_dir, LOG_LOCK_FILE, O_RDWR | O_CREAT, 0600);
	if (w->lock_fd < 0)
		return fail_errno(e, "log: cannot open the file '%s'", LOG_LOCK_FILE);
	if (io->lock(io->ctx, w->lock_fd) == 0)
		return ST_OK;
	if (errno == EAGAIN || errno == EACCES)
		return fail(e, ST_CONFLICT, 0,
		            "log: another process is writing to this log; try again when it is done");
	return fail_errno(e, "log: cannot lock");
}

static st_t start(struct log_writer *w, struct err *e)
{
	TRY(take_lock(w, e));
	TRY(writer_recover(w, e));
	return log_index_open(w->o.io, w->o.private_dir, w->o.seed, &w->leaves, w->state.size,
	                      &w->index, e);
}

st_t log_writer_open(const struct log_writer_opts *o, struct log_writer **ret, struct err *e)
{
	struct log_writer *w;
	TRY(writer_new(o, &w, e));
	st_t st = start(w, e);
	if (st != ST_OK)
		log_writer_free(w);
	else
		*ret = w;
	return st;
}

/* A state file in full length and durable under its name, with the empty tree. An earlier attempt
 * may have ended anywhere: its file has no record yet, or the one of the empty tree. */
static st_t create_state(struct log_writer *w, bool checkpoint, struct err *e)
{
	static const uint8_t zero[LOG_STATE_FILE];
	const struct log_io *io = w->o.io;
	struct log_state first = {.sequence = 1};
	w->state_fd = io->open(io->ctx, w->o.private_dir, LOG_STATE_FILE_NAME, O_RDWR | O_CREAT, 0600);
	if (w->state_fd < 0)
		return fail_errno(e, "log state: cannot create");
	st_t st = writer_read_state(w, NULL);
	if (st == ST_CONFLICT || (st == ST_OK && w->state.size) || (st != ST_OK && checkpoint))
		return fail(e, ST_CONFLICT, 0, "log: there is a log already");
	if (st < 0 || (st != ST_OK && st != ST_BAD_SUM && st != ST_TRUNCATED))
		return fail(e, st, 0, "log state: it is damaged; a new log needs a new folder");
	ssize_t n = io->pwrite(io->ctx, w->state_fd, zero, sizeof zero, 0);
	if (n != sizeof zero || io->sync(io->ctx, w->state_fd) ||
	    io->sync(io->ctx, w->o.private_dir))
		return fail_errno(e, "log state: cannot write");
	tlog_hash_empty(&first.root);
	return writer_put_state(w, &first, e);
}

static void note_name(void *arg, const char *name)
{
	(void)name;
	*(bool *)arg = true;
}

/* What is public already. A log whose private folder was lost must not begin anew. */
static st_t look_around(const struct log_store *s, bool *ret_checkpoint, struct err *e)
{
	bool tiles = false;
	struct buf old = {0};
	st_t st = s->ops->get(s->ctx, LOG_CHECKPOINT, NOTE_SIZE_MAX, &old, NULL);
	buf_done(&old);
	TRY(s->ops->list(s->ctx, "tile", note_name, &tiles, e));
	if (tiles)
		return fail(e, ST_CONFLICT, 0, "log: there are entries already");
	*ret_checkpoint = st != ST_NOT_FOUND;
	return ST_OK;
}

static st_t create(struct log_writer *w, struct err *e)
{
	bool checkpoint = false;
	TRY(take_lock(w, e));
	TRY(look_around(w->o.store, &checkpoint, e));
	TRY(create_state(w, checkpoint, e));
	return w->o.cosigners ? ST_OK : log_writer_publish(w, e);
}

st_t log_writer_create(const struct log_writer_opts *o, struct err *e)
{
	struct log_writer *w;
	TRY(writer_new(o, &w, e));
	st_t st = create(w, e);
	log_writer_free(w);
	return st;
}

st_t log_writer_close(struct log_writer *w, struct err *e)
{
	if (w->broken)
		return fail(e, ST_IO, 0, "log: a write failed before");
	writer_remove_partials(w);
	return log_index_commit(w->index, w->state.size, e);
}

void log_writer_free(struct log_writer *w)
{
	if (!w)
		return;
	const struct log_io *io = w->o.io;
	log_index_free(w->index);
	if (w->state_fd >= 0)
		io->close(io->ctx, w->state_fd);
	if (w->lock_fd >= 0)
		io->close(io->ctx, w->lock_fd);
	tlog_hasher_done(&w->h);
	edge_done(&w->edge);
	buf_done(&w->note);
	buf_done(&w->partials);
	free(w->fresh);
	free(w->which);
	free(w);
}
