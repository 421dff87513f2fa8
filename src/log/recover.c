/* The start of a writer: what is on disk is read, checked and put in order.
 *
 * The private state is what counts. Tiles up to its size are durable (invariant 1 of writer.h), so
 * the right edge must give its root; the published checkpoint must be of this tree and not larger.
 * What lies behind the edge is of a batch that never became durable: it is removed, so that no full
 * tile of a tree that never was can be fetched. Nothing is mended: what does not fit is refused. */
#include "log/writer_inside.h"

#include "tlog/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOW_STATE                                                                              \
	"restore what is older or damaged from a copy as new as what was published last, never "    \
	"both folders from an older one"

st_t writer_read_state(struct log_writer *w, struct err *e)
{
	const struct log_io *io = w->o.io;
	uint8_t *file = calloc(1, LOG_STATE_FILE);
	uint64_t size = 0;
	if (!file)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	ssize_t n = io->pread(io->ctx, w->state_fd, file, LOG_STATE_FILE, 0);
	st_t st = n < 0 || io->size(io->ctx, w->state_fd, &size) ? fail_errno(e, "log state") : ST_OK;
	size_t have = size == LOG_STATE_FILE && n > 0 ? (size_t)n : 0;
	if (st == ST_OK)
		st = log_state_read(rd_make(file, have), &w->origin, &w->h, &w->state, e);
	free(file);
	return st;
}

/* A record that can be read is perhaps not durable: the writer before may have been killed between
 * write and sync, or the sync failed, after which the kernel takes the page for clean. So it is
 * written again, into its own slot, before anything is signed by it. */
static st_t open_state(struct log_writer *w, struct err *e)
{
	const struct log_io *io = w->o.io;
	w->state_fd = io->open(io->ctx, w->o.private_dir, LOG_STATE_FILE_NAME, O_RDWR, 0);
	if (w->state_fd < 0 && errno == ENOENT)
		return fail(e, ST_NOT_FOUND, 0,
		            "log: the private state is missing; restore the private folder of this log");
	if (w->state_fd < 0)
		return fail_errno(e, "log state: cannot open");
	TRY(writer_read_state(w, e));
	return writer_put_state(w, &w->state, e);
}

static st_t misfit(struct err *e, const struct err *why, const char *what)
{
	return fail(e, ST_CONFLICT, why->off, "log: %s (%.70s); " HOW_STATE, what, why->text);
}

/* Hashes of the partial tile of a level, as the tree of the state has it. */
static st_t load_level(struct log_writer *w, unsigned level, struct err *e)
{
	struct tlog_hash hash[TILE_WIDTH];
	uint64_t n = tile_level_size(w->state.size, level) / TILE_WIDTH;
	unsigned width = tile_level_size(w->state.size, level) % TILE_WIDTH;
	struct tile t = {.kind = TILE_HASHES, .level = level, .n = n, .width = width};
	if (width)
		TRY(writer_get_tile(w, &t, hash, e));
	edge_load(&w->edge, &w->h, level, hash, width);
	return ST_OK;
}

/* The entries of the last bundle must be those of the last tile. */
static st_t check_bundle(struct log_writer *w, struct err *e)
{
	const struct edge_tile *t = &w->edge.tile[0];
	struct bundle b = bundle_open(rd_make(w->edge.bundle.data, w->edge.bundle.len), t->width);
	for (unsigned i = 0; i < t->width; i++) {
		struct rd entry;
		struct tlog_hash leaf;
		TRY(bundle_next(&b, &entry, e));
		size_t n = rd_left(&entry);
		tlog_hash_leaf(&w->h, rd_take(&entry, n), n, &leaf);
		if (!tlog_hash_equal(&leaf, &t->hash[i]))
			return fail(e, ST_BAD_PROOF, i, "entry %u of the last bundle is not of this tree", i);
	}
	struct rd none;
	st_t st = bundle_next(&b, &none, NULL);
	return st == ST_NOT_FOUND ? ST_OK : fail(e, ST_MALFORMED, 0, "bytes behind the last entry");
}

static st_t load_bundle(struct log_writer *w, struct err *e)
{
	char path[TILE_PATH_MAX];
	unsigned width = w->edge.tile[0].width;
	uint64_t n = w->state.size / TILE_WIDTH;
	struct tile t = {.kind = TILE_ENTRIES, .n = n, .width = width};
	const struct log_store *s = w->o.store;
	if (!width)
		return ST_OK;
	tile_path(&t, path);
	TRY(s->ops->get(s->ctx, path, BUNDLE_BYTES_MAX, &w->edge.bundle, e));
	return check_bundle(w, e);
}

static st_t load_edge(struct log_writer *w, struct err *e)
{
	struct tlog_hash root;
	w->edge.size = w->state.size;
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		TRY(load_level(w, level, e));
	TRY(load_bundle(w, e));
	edge_root(&w->edge, &w->h, &root);
	TRY(tlog_hasher_check(&w->h, e));
	if (!tlog_hash_equal(&root, &w->state.root))
		return fail(e, ST_BAD_PROOF, 0, "the last tiles have another root");
	return ST_OK;
}

/* Ours, and of what size and root? */
static st_t read_checkpoint(struct log_writer *w, const struct note *n, struct checkpoint *ret,
                            struct err *e)
{
	const struct note_key *k = w->o.key;
	uint64_t time;
	st_t st = note_verify_key(n, k, &time, e);
	if (st != ST_OK)
		return st == ST_NOT_FOUND ? ST_BAD_SIG : st; /* a checkpoint is there, and not ours */
	TRY(checkpoint_parse(n->text, ret, e));
	size_t len = rd_left(&ret->origin);
	if (len != strlen(k->name) || !rd_peek(&ret->origin, k->name, len))
		return fail(e, ST_CONFLICT, 0, "another origin");
	return ST_OK;
}

static st_t check_published(struct log_writer *w, const struct checkpoint *c, struct err *e)
{
	struct tlog_hash root = w->state.root;
	if (c->size > w->state.size)
		return fail(e, ST_CONFLICT, 0, "it has %llu entries, the private state knows of %llu",
		            (unsigned long long)c->size, (unsigned long long)w->state.size);
	if (c->size < w->state.size)
		TRY(tlog_tree_root(&w->h, writer_nodes(w, w->state.size), c->size, &root, e));
	if (!tlog_hash_equal(&root, &c->root))
		return fail(e, ST_BAD_PROOF, 0, "its root is not this tree's");
	w->has_published = true;
	w->published = c->size;
	w->published_root = c->root;
	return ST_OK;
}

static st_t load_published(struct log_writer *w, struct err *e)
{
	const struct log_store *s = w->o.store;
	struct checkpoint c;
	struct note *n = NULL;
	st_t st = s->ops->get(s->ctx, LOG_CHECKPOINT, NOTE_SIZE_MAX, &w->note, e);
	if (st == ST_OK && !(n = malloc(sizeof *n)))
		st = fail(e, ST_NOMEM, 0, "out of memory");
	if (st == ST_OK)
		st = note_parse(rd_make(w->note.data, w->note.len), n, e);
	if (st == ST_OK)
		st = read_checkpoint(w, n, &c, e);
	if (st == ST_OK)
		st = check_published(w, &c, e);
	free(n);
	return st;
}

/* Widths of partial tiles found in a folder. */
struct found {
	bool width[TILE_WIDTH];
};

static void find_width(void *arg, const char *name)
{
	struct found *f = arg;
	unsigned v = 0;
	size_t n = strlen(name);
	if (n == 0 || n > 3 || name[0] == '0')
		return;
	for (size_t i = 0; i < n; i++) {
		if (name[i] < '0' || name[i] > '9')
			return;
		v = v * 10 + (unsigned)(name[i] - '0');
	}
	if (v < TILE_WIDTH)
		f->width[v] = true;
}

/* The partial tiles of one tile: what is wider than the tree is removed, the rest remembered. */
static st_t clean_partials(struct log_writer *w, struct tile t, unsigned width, struct err *e)
{
	const struct log_store *s = w->o.store;
	char path[TILE_PATH_MAX];
	struct found f = {0};
	t.width = 1;
	tile_path(&t, path);
	*strrchr(path, '/') = 0;
	TRY(s->ops->list(s->ctx, path, find_width, &f, e));
	for (t.width = 1; t.width < TILE_WIDTH; t.width++) {
		if (!f.width[t.width])
			continue;
		tile_path(&t, path);
		TRY(t.width > width ? s->ops->remove(s->ctx, path, e) : writer_note_partial(w, &t, e));
	}
	return ST_OK;
}

/* Tiles from the edge to where the largest batch could have come. */
static st_t clean_level(struct log_writer *w, enum tile_kind kind, unsigned level, struct err *e)
{
	const struct log_store *s = w->o.store;
	uint64_t edge = tile_level_size(w->state.size, level);
	uint64_t last = tile_level_size(w->state.size + LOG_BATCH_MAX, level) / TILE_WIDTH;
	for (uint64_t n = edge / TILE_WIDTH; n <= last; n++) {
		struct tile t = {.kind = kind, .level = level, .n = n, .width = TILE_WIDTH};
		char path[TILE_PATH_MAX];
		tile_path(&t, path);
		TRY(s->ops->remove(s->ctx, path, e));
		TRY(clean_partials(w, t, n == edge / TILE_WIDTH ? edge % TILE_WIDTH : 0, e));
	}
	return ST_OK;
}

static st_t clean_behind(struct log_writer *w, struct err *e)
{
	TRY(clean_level(w, TILE_ENTRIES, 0, e));
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		TRY(clean_level(w, TILE_HASHES, level, e));
	return ST_OK;
}

st_t writer_recover(struct log_writer *w, struct err *e)
{
	struct err why = {0};
	TRY(open_state(w, e));
	st_t st = load_edge(w, &why);
	if (st < 0)
		return fail(e, st, why.off, "log: %s", why.text);
	if (st != ST_OK)
		return misfit(e, &why, "the tiles do not fit the private state");
	st = load_published(w, &why);
	if (st < 0)
		return fail(e, st, why.off, "log: %s", why.text);
	if (st != ST_OK && st != ST_NOT_FOUND)
		return misfit(e, &why, "the published checkpoint does not fit the private state");
	return clean_behind(w, e);
}
