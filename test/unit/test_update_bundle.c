/* What a bundle is made of: the tiles that the chain hands on are all that a client needs, whatever
 * tree it knows, and are checked; files come compressed. In the world in memory. */
#include "test/t.h"
#include "update_world.h"

#include "base/num.h"
#include "tlog/tile.h"

#define TILES "log/log.example%2Fsignatures/"

static struct world *w;

static void begin(void)
{
	w = world_new();
	w->want_tiles = true;
}

static void end(void)
{
	world_free(w);
	w = NULL;
}

static void accept(void)
{
	st_t st = world_check(w);
	T_EQ(st, ST_OK);
	if (st != ST_OK)
		T_FAIL("refused: %s", w->e.text);
}

static bool spooled_is(const struct buf *whole)
{
	struct buf b = {0};
	bool equal = world_spooled(w, whole, &b) && b.len == whole->len &&
	             !memcmp(b.data, whole->data, b.len);
	buf_done(&b);
	return equal;
}

static size_t count_tiles(void)
{
	size_t n = 0;
	for (size_t i = 0; i < w->kept.n; i++)
		n += !strncmp(w->kept.file[i].path, TILES, strlen(TILES));
	return n;
}

/* The release is proven in a tree of `least` entries, the verdicts in one of `most`. */
static void publish(uint64_t least, uint64_t most)
{
	world_add_entries(w, (unsigned)(least - w->nleaves - 3));
	world_next(w, "the second day");
	T_EQ(w->nleaves, least);
	world_add_entries(w, (unsigned)(most - least));
	world_prove_all(w, most);
	world_prove(w, w->release_index, least, &w->proof);
	world_write(w);
}

/* ---- tiles ---- */

static void make_bundle(void)
{
	w->evidence_only = true;
	accept();
	T_EQ(w->got.tiles_from, 1);
	for (size_t i = 0; i < w->kept.n; i++) {
		const struct buf *b = &w->kept.file[i].bytes;
		struct buf *to = world_put(&w->server, w->kept.file[i].path);
		buf_add(to, b->data, b->len);
	}
	w->no_tiles = true; /* but those of the bundle */
	w->want_tiles = false;
}

/* A client that accepted the tree of that size and knows nothing else. */
static void accept_after(const char *name, uint64_t size)
{
	world_clear(&w->store);
	world_checkpoint(w, size, world_put(&w->store, name));
	st_t st = world_check(w);
	if (st != ST_OK)
		T_FAIL("after a tree of %u: %s", (unsigned)size, w->e.text);
}

static void a_client_of_any_tree_can_check_these(void)
{
	static const uint64_t sizes[][2] = {{300, 340}, {240, 330}, {255, 257}, {256, 290}, {290, 290},
	                                    {512, 513}};
	char name[300] = "";
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		begin();
		publish(sizes[k][0], sizes[k][1]);
		make_bundle();
		for (size_t i = 0; i < w->store.n; i++)
			if (!strncmp(w->store.file[i].path, "checkpoint-", 11))
				snprintf(name, sizeof name, "%s", w->store.file[i].path);
		for (uint64_t size = 1; size <= sizes[k][1]; size++)
			if (size % 64 < 2 || size + 1 >= sizes[k][0])
				accept_after(name, size);
		end();
	}
}

static void partial_tiles_are_as_wide_as_the_trees_between(void)
{
	begin();
	publish(300, 303);
	w->evidence_only = true;
	accept();
	T_TRUE(world_file(&w->kept, TILES "tile/0/000") != NULL);
	T_TRUE(world_file(&w->kept, TILES "tile/1/000.p/1") != NULL);
	for (unsigned i = 44; i <= 47; i++) {
		char path[100];
		snprintf(path, sizeof path, "%stile/0/001.p/%u", TILES, i);
		const struct buf *b = world_file(&w->kept, path);
		T_TRUE(b && b->len == i * TLOG_HASH);
	}
	T_EQ(count_tiles(), 6);
	end();
}

static void tiles_are_only_kept_where_they_are_wanted(void)
{
	begin();
	w->want_tiles = false;
	accept();
	T_EQ(count_tiles(), 0);
	T_EQ(w->got.tiles_from, 0);
	end();
}

static void a_partial_tile_that_is_gone_is_kept_as_it_was(void)
{
	begin();
	publish(303, 303);
	w->evidence_only = true;
	accept();
	const struct buf *top = world_file(&w->kept, TILES "tile/1/000.p/1");
	buf_add(world_put(&w->server, TILES "tile/1/000.p/1"), top->data, top->len);
	world_add_entries(w, 300); /* the log went on */
	w->no_partial_tiles = true;
	accept();
	const struct buf *b = world_file(&w->kept, TILES "tile/0/001.p/47");
	T_TRUE(b && b->len == 47 * TLOG_HASH);
	T_TRUE(world_file(&w->kept, TILES "tile/0/001") == NULL);
	T_TRUE(strstr(w->asked, "tile/0/001 ") != NULL);
	end();
}

static void refuse_tiles(st_t st, const char *why)
{
	T_EQ(world_check(w), st);
	const struct chain_event *ev = &w->event[w->nevents - 1];
	T_EQ(ev->link, CHAIN_FILES);
	if (!strstr(ev->text, why))
		T_FAIL("\"%s\" is not why: \"%s\"", why, ev->text);
}

static void set_tile(const char *path, size_t n)
{
	struct buf *b = world_put(&w->server, path);
	void *room = buf_room(b, n);
	if (!room)
		abort();
	memset(room, 7, n);
	b->len += n;
}

static void tiles_of_another_tree_are_refused_and_not_kept(void)
{
	begin();
	publish(303, 303);
	set_tile(TILES "tile/0/001.p/47", 47 * TLOG_HASH);
	refuse_tiles(ST_BAD_PROOF, "its tiles make another root than its checkpoint has");
	T_TRUE(world_file(&w->kept, TILES "tile/0/001.p/47") == NULL);
	world_remove(&w->server, TILES "tile/0/001.p/47");
	set_tile(TILES "tile/0/000", TILE_BYTES_MAX);
	refuse_tiles(ST_BAD_PROOF, "tile 0/0 does not make the hash above it");
	T_TRUE(world_file(&w->kept, TILES "tile/0/000") == NULL);
	set_tile(TILES "tile/0/000", 100);
	refuse_tiles(ST_MALFORMED, "100 bytes");
	end();
}

static void a_log_without_tiles_is_said(void)
{
	begin();
	w->no_tiles = true;
	refuse_tiles(ST_NOT_FOUND, "log log.example/signatures: no mirror has");
	end();
}

/* ---- files ---- */

static void check_packed(const struct chain_file *f, const struct buf *plain)
{
	struct buf zst = {0};
	uint8_t sum[32];
	world_compress(plain, &zst);
	world_sha256(&zst, sum);
	T_EQ(f->size, zst.len);
	T_MEM(f->sha256, sum, sizeof sum);
	T_TRUE(spooled_is(&zst));
	T_TRUE(spooled_is(plain));
	buf_done(&zst);
}

static void both_are_left_the_compressed_file_and_what_came_out_of_it(void)
{
	begin();
	w->want_packed = w->want_source = w->source_zst = true;
	for (unsigned i = 0; i < 100; i++)
		buf_text(&w->source, "the same rule again\n");
	world_publish(w);
	accept();
	check_packed(&w->got.vdb_packed, &w->vdb);
	check_packed(&w->got.source_packed, &w->source);
	accept(); /* from the spool */
	check_packed(&w->got.vdb_packed, &w->vdb);
	T_TRUE(!strstr(w->asked, ".zst") && !strstr(w->asked, ".main.vdb "));
	end();
}

static void where_nobody_asks_only_the_file_is_left(void)
{
	struct buf zst = {0};
	begin();
	accept();
	world_compress(&w->vdb, &zst);
	T_TRUE(spooled_is(&w->vdb) && !spooled_is(&zst));
	T_EQ(w->got.vdb_packed.size, 0);
	buf_done(&zst);
	end();
}

static void a_compressed_file_that_is_larger_or_not_there_is_not_taken(void)
{
	begin();
	w->want_packed = w->no_zst = true;
	world_write(w);
	accept();
	T_EQ(w->got.vdb_packed.size, 0);
	T_TRUE(spooled_is(&w->vdb));
	end();
	begin();
	w->want_packed = true;
	w->vdb.len = 3;
	world_publish(w);
	accept();
	T_EQ(w->got.vdb_packed.size, 0);
	T_TRUE(spooled_is(&w->vdb));
	end();
	begin();
	w->want_packed = true;
	for (size_t i = 0; i < w->server.n; i++)
		if (strstr(w->server.file[i].path, ".main.vdb.zst"))
			w->server.file[i].path[0] = 'X';
	accept();
	T_EQ(w->got.vdb_packed.size, 0);
	T_TRUE(spooled_is(&w->vdb));
	end();
}

static void a_compressed_file_that_holds_another_is_not_left(void)
{
	struct buf zst = {0};
	begin();
	w->want_packed = true;
	world_compress(&w->source, &zst);
	w->zst = &zst;
	world_write(w);
	T_TRUE(world_check(w) > ST_OK);
	T_EQ(w->event[w->nevents - 1].link, CHAIN_FILES);
	T_EQ(w->got.vdb_packed.size, 0);
	T_TRUE(!spooled_is(&zst) && !spooled_is(&w->vdb));
	buf_done(&zst);
	end();
}

static void a_delta_does_not_stand_for_the_compressed_file(void)
{
	begin();
	world_next(w, "the second day");
	w->delta_from = &w->old_vdb;
	w->old_vdb_fd = world_fd(&w->old_vdb);
	w->want_packed = true;
	world_write(w);
	accept();
	check_packed(&w->got.vdb_packed, &w->vdb);
	T_TRUE(!strstr(w->asked, "delta/"));
	end();
	begin();
	world_next(w, "the second day");
	w->delta_from = &w->old_vdb;
	w->old_vdb_fd = world_fd(&w->old_vdb);
	w->want_packed = w->no_zst = true;
	world_write(w);
	accept();
	T_EQ(w->got.vdb_packed.size, 0);
	T_TRUE(strstr(w->asked, "delta/") && spooled_is(&w->vdb));
	end();
}

int main(void)
{
	T_RUN(a_client_of_any_tree_can_check_these);
	T_RUN(partial_tiles_are_as_wide_as_the_trees_between);
	T_RUN(tiles_are_only_kept_where_they_are_wanted);
	T_RUN(a_partial_tile_that_is_gone_is_kept_as_it_was);
	T_RUN(tiles_of_another_tree_are_refused_and_not_kept);
	T_RUN(a_log_without_tiles_is_said);
	T_RUN(both_are_left_the_compressed_file_and_what_came_out_of_it);
	T_RUN(where_nobody_asks_only_the_file_is_left);
	T_RUN(a_compressed_file_that_is_larger_or_not_there_is_not_taken);
	T_RUN(a_compressed_file_that_holds_another_is_not_left);
	T_RUN(a_delta_does_not_stand_for_the_compressed_file);
	return t_end();
}
