/* The chain of an update against a source that lies. A world in memory signs, logs and publishes
 * what the fuzzer brings, so that it comes as far as what reads it; the first byte says as what:
 *
 *   r  payload of the release statement     v  payload of a rebuilder's verdict
 *   e  a verdict's whole envelope           p  proof of the release
 *   z  main.vdb.zst                         d  the delta
 *   t  every tile of the log                c  the stored checkpoint     a  stored "accepted"
 *   m  any file of the server: number, offset (16 bits), bytes that stand there instead
 *
 * Whatever comes: it is accepted only as what the listed digests say, links are told in order, and
 * what is refused leaves no file that looks whole. */
#include "../unit/update_world.h"

#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/statement.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world *w;
static uint64_t first_leaves;

static void must(bool x)
{
	if (!x)
		abort();
}

static void begin(void)
{
	attest_preload(1);
	if (!w) {
		w = world_new();
		first_leaves = w->nleaves;
	}
	w->nleaves = first_leaves;
	w->release.version = 1;
	w->nrebuilds = 2;
	w->zst = w->delta = w->tile = w->delta_from = NULL;
	w->old_vdb_fd = -1;
	world_make_release(w);
	world_reset(w);
}

static void sign(struct rd payload, struct signer *const *by, size_t n, struct buf *ret)
{
	buf_done(ret);
	if (dsse_make(STATEMENT_PAYLOAD_TYPE, payload, by, n, ret, NULL) != ST_OK) {
		buf_done(ret);
		buf_text(ret, "{}");
	}
}

static void publish(void)
{
	world_log(w, &w->envelope);
	world_log(w, &w->rebuild[0].envelope);
	world_log(w, &w->rebuild[1].envelope);
	world_log(w, &w->rebuild[2].envelope);
	world_prove_all(w, w->nleaves);
	world_write(w);
}

static void check(void)
{
	uint8_t sum[32];
	struct buf b = {0};
	st_t st = world_check(w);
	must(w->nevents > 0);
	for (size_t i = 0; i < w->nevents; i++) {
		bool last = i + 1 == w->nevents;
		must(w->event[i].link == (enum chain_link)i);
		must((w->event[i].outcome == CHAIN_REFUSED) == (last && st != ST_OK));
	}
	if (st == ST_OK) {
		must(w->nevents == CHAIN_FILES + 1);
		must(world_spooled(w, &w->vdb, &b) && b.len == w->vdb.len);
		must(memcmp(b.data, w->vdb.data, b.len) == 0);
		world_sha256(&w->vdb, sum);
		must(memcmp(sum, w->got.vdb.sha256, 32) == 0);
	} else if (st > ST_OK) {
		must(w->nevents <= CHAIN_FILES || !world_spooled(w, &w->vdb, &b) || b.len < w->vdb.len);
	}
	buf_done(&b);
}

static void add(struct buf *b, struct rd in)
{
	buf_done(b);
	buf_add(b, in.base, in.len);
}

/* As an entry: at most as long as one may be, and not empty, which no list of targets has here. */
static void try_entry(char kind, struct rd in)
{
	if (kind == 'r')
		sign(in, w->publisher, 2, &w->envelope);
	if (kind == 'v')
		sign(in, &w->rebuilder[2], 1, &w->rebuild[2].envelope);
	if (kind == 'e')
		add(&w->rebuild[2].envelope, in);
	if (w->rebuild[2].envelope.len == 0)
		buf_text(&w->rebuild[2].envelope, "{}");
	w->nrebuilds = 3;
	publish();
	check();
}

static void try_packed(char kind, const struct buf *bytes)
{
	publish();
	w->old_vdb_fd = world_fd(&w->source);
	w->delta_from = &w->source;
	w->zst = kind == 'z' ? bytes : NULL;
	w->delta = kind == 'd' ? bytes : NULL;
	world_write(w);
	check();
	must(close(w->old_vdb_fd) == 0);
}

static void try_proof(const struct buf *bytes)
{
	publish();
	add(&w->proof, make_rd(bytes));
	world_write(w);
	check();
}

/* What the customer stored, or tiles, once a larger tree is shown. */
static void try_later(char kind, const struct buf *bytes)
{
	publish();
	must(world_check(w) == ST_OK);
	for (size_t i = 0; i < w->store.n; i++) {
		bool checkpoint = !strncmp(w->store.file[i].path, "checkpoint-", 11);
		bool accepted = !strcmp(w->store.file[i].path, "accepted");
		if ((kind == 'c' && checkpoint) || (kind == 'a' && accepted))
			add(&w->store.file[i].bytes, make_rd(bytes));
	}
	world_add_entries(w, 3);
	world_prove_all(w, w->nleaves);
	world_write(w);
	w->tile = kind == 't' ? bytes : NULL;
	check();
}

static void try_file(struct rd in)
{
	publish();
	size_t i = rd_u8(&in) % w->server.n;
	size_t off = rd_u16le(&in);
	struct buf *b = &w->server.file[i].bytes;
	while (rd_left(&in) && off < b->len)
		b->data[off++] = rd_u8(&in);
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf bytes = {0};
	if (size < 2 || size > 20000)
		return 0;
	struct rd in = rd_make(data + 1, size - 1);
	add(&bytes, in);
	begin();
	if (strchr("rve", data[0]))
		try_entry((char)data[0], in);
	else if (strchr("zd", data[0]))
		try_packed((char)data[0], &bytes);
	else if (strchr("tca", data[0]))
		try_later((char)data[0], &bytes);
	else if (data[0] == 'p')
		try_proof(&bytes);
	else
		try_file(in);
	buf_done(&bytes);
	return 0;
}
