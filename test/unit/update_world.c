#include "update_world.h"

#include "attest/dsse.h"
#include "attest/set_release.h"
#include "crypto/digest.h"
#include "pack/delta.h"
#include "pack/zstd.h"
#include "test/t.h"
#include "tlog/proof.h"
#include "tlog/text.h"
#include "tlog/tile.h"
#include "tuf_make.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LATER "2031-01-01T00:00:00Z"
#define ORIGIN "log.example/signatures"

static void must(st_t st, const struct err *e)
{
	if (st == ST_OK)
		return;
	printf("the test's world: %s\n", e->text);
	abort();
}

/* ---- tables of files ---- */

struct buf *world_file(struct world_files *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->file[i].path, path) == 0)
			return &t->file[i].bytes;
	return NULL;
}

struct buf *world_put(struct world_files *t, const char *path)
{
	struct buf *b = world_file(t, path);
	if (!b && t->n == WORLD_FILES)
		abort();
	if (!b) {
		snprintf(t->file[t->n].path, sizeof t->file[0].path, "%s", path);
		b = &t->file[t->n++].bytes;
	}
	buf_done(b);
	return b;
}

void world_remove(struct world_files *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->file[i].path, path))
			continue;
		buf_done(&t->file[i].bytes);
		t->file[i] = t->file[--t->n];
		memset(&t->file[t->n], 0, sizeof t->file[0]);
	}
}

void world_clear(struct world_files *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_done(&t->file[i].bytes);
	t->n = 0;
}

void world_sha256(const struct buf *b, uint8_t ret[32])
{
	struct err e = {0};
	must(digest_bytes(DIGEST_SHA256, b->len ? (void *)b->data : "", b->len, ret, &e), &e);
}

/* ---- the log ---- */

static void tree(const struct world *w, struct tlog_hasher *h, uint64_t from, uint64_t n,
                 struct tlog_hash *ret)
{
	struct tlog_hash l, r;
	uint64_t k = 1;
	if (n == 1)
		*ret = w->leaf[from];
	if (n == 0)
		tlog_hash_empty(ret);
	if (n < 2)
		return;
	while (k * 2 < n)
		k *= 2;
	tree(w, h, from, k, &l);
	tree(w, h, from + k, n - k, &r);
	tlog_hash_node(h, &l, &r, ret);
}

static st_t node(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret, struct err *e)
{
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	tree(ctx, &h, index << level, (uint64_t)1 << level, ret);
	tlog_hasher_done(&h);
	return ST_OK;
}

uint64_t world_log(struct world *w, const struct buf *entry)
{
	struct tlog_hasher h;
	struct err e = {0};
	if (w->nleaves == WORLD_LEAVES)
		abort();
	must(tlog_hasher_init(&h, &e), &e);
	tlog_hash_leaf(&h, entry->data, entry->len, &w->leaf[w->nleaves]);
	tlog_hasher_done(&h);
	return w->nleaves++;
}

void world_add_entries(struct world *w, unsigned n)
{
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++) {
		b.len = 0;
		make_fmt(&b, "entry %u", (unsigned)w->nleaves);
		world_log(w, &b);
	}
	buf_done(&b);
}

void world_checkpoint(struct world *w, uint64_t size, struct buf *ret)
{
	struct tlog_hasher h;
	struct tlog_hash root;
	struct err e = {0};
	must(tlog_hasher_init(&h, &e), &e);
	tree(w, &h, 0, size, &root);
	tlog_hasher_done(&h);
	make_checkpoint(ret, ORIGIN, size, &root);
	make_signature(ret, &w->log, 0);
	for (unsigned i = 0; i < 3; i++)
		if (w->witnesses & 1u << i)
			make_signature(ret, &w->witness[i], (uint64_t)w->cosigned_at[i]);
}

void world_prove(struct world *w, uint64_t index, uint64_t size, struct buf *ret)
{
	struct tlog_hasher h;
	struct tlog_nodes nodes = {node, w};
	struct tlog_proof proof;
	struct buf note = {0};
	struct err e = {0};
	must(tlog_hasher_init(&h, &e), &e);
	must(tlog_prove_inclusion(&h, &nodes, index, size, &proof, &e), &e);
	tlog_hasher_done(&h);
	world_checkpoint(w, size, &note);
	buf_done(ret);
	offline_proof_format(NULL, 0, index, &proof, make_rd(&note), ret);
	buf_done(&note);
}

static bool make_tile(struct world *w, const char *path, struct buf *ret)
{
	struct tile t;
	struct tlog_hash hash;
	struct err e = {0};
	if (w->tile)
		buf_add(ret, w->tile->data, w->tile->len);
	if (w->tile)
		return true;
	if (tile_path_parse(rd_make(path, strlen(path)), &t, &e) != ST_OK || t.kind != TILE_HASHES ||
	    w->no_tiles || (w->no_partial_tiles && t.width < TILE_WIDTH))
		return false;
	for (uint64_t i = 0; i < t.width; i++) {
		uint64_t at = t.n * TILE_WIDTH + i;
		if ((at + 1) << (TILE_HEIGHT * t.level) > w->nleaves)
			return false;
		must(node(w, TILE_HEIGHT * t.level, at, &hash, &e), &e);
		buf_add(ret, hash.b, TLOG_HASH);
	}
	return true;
}

/* ---- the release ---- */

static void hex(const uint8_t *sum, const struct buf *b, char ret[65])
{
	uint8_t own[32];
	world_sha256(b, own);
	hex_encode(sum ? sum : own, 32, ret);
}

static void envelope(const char *type, const char *payload, struct signer *const *by, size_t n,
                     struct buf *ret)
{
	struct err e = {0};
	buf_done(ret);
	must(dsse_make(type, rd_make(payload, strlen(payload)), by, n, ret, &e), &e);
}

void world_make_release(struct world *w)
{
	const struct world_release *r = &w->release;
	char vdb[65], source[65], dependency[65];
	struct buf b = {0};
	struct signer *by[2];
	size_t n = 0;
	hex(r->said_vdb, &w->vdb, vdb);
	hex(r->said_source, &w->source, source);
	hex(r->said_dependency, &w->source, dependency);
	make_fmt(&b,
	         "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":["
	         "{\"name\":\"main.vdb\",\"digest\":{\"sha256\":\"%s\"}},"
	         "{\"name\":\"source.tar\",\"digest\":{\"sha256\":\"%s\"}}%s],"
	         "\"predicateType\":\"%s\",\"predicate\":{\"buildDefinition\":{"
	         "\"buildType\":\"%s\",\"externalParameters\":{\"set\":\"%s\",\"version\":%llu,"
	         "\"pua\":true,\"strict\":false,\"clamav\":true%s},"
	         "\"internalParameters\":{\"database\":7%s},\"resolvedDependencies\":["
	         "{\"name\":\"source.tar\",\"digest\":{\"sha256\":\"%s\"}}]},"
	         "\"runDetails\":{\"builder\":{\"id\":\"https://builder.example\"}}}}%c",
	         vdb, source, r->subjects, r->predicate_type, r->build_type, r->set,
	         (unsigned long long)r->version, r->external, r->internal, dependency, 0);
	for (unsigned i = 0; i < 2; i++)
		if (r->publishers & 1u << i)
			by[n++] = w->publisher[i];
	envelope(r->payload_type, (char *)b.data, by, n, &w->envelope);
	buf_done(&b);
}

void world_add_verdict(struct world *w, const char *payload, const char *type,
                       struct signer *const *by, size_t n)
{
	envelope(type, payload, by, n, &w->rebuild[w->nrebuilds].envelope);
	world_log(w, &w->rebuild[w->nrebuilds].envelope);
	w->nrebuilds++;
}

void world_add_rebuild(struct world *w, unsigned by, bool passed, const uint8_t vdb[32],
                       const uint8_t source[32])
{
	struct statement_subject s[2] = {{.name = "main.vdb"}, {.name = "source.tar"}};
	struct buf b = {0};
	struct err e = {0};
	memcpy(s[0].sha256, vdb, 32);
	memcpy(s[1].sha256, source, 32);
	must(statement_make_rebuild(s, 2, "https://rebuilder.example", "2030-03-17T00:00:00Z",
	                            "https://repository.example/main.vdb", "https://policy.example",
	                            passed, &b, &e), &e);
	buf_u8(&b, 0);
	world_add_verdict(w, (char *)b.data, STATEMENT_PAYLOAD_TYPE, &w->rebuilder[by], 1);
	buf_done(&b);
}

static uint64_t index_of(struct world *w, const struct buf *entry)
{
	struct tlog_hasher h;
	struct tlog_hash leaf;
	struct err e = {0};
	must(tlog_hasher_init(&h, &e), &e);
	tlog_hash_leaf(&h, entry->data, entry->len, &leaf);
	tlog_hasher_done(&h);
	uint64_t i = w->nleaves;
	while (i-- > 0)
		if (tlog_hash_equal(&w->leaf[i], &leaf))
			return i;
	abort();
}

void world_prove_all(struct world *w, uint64_t size)
{
	w->release_index = index_of(w, &w->envelope);
	world_prove(w, w->release_index, size, &w->proof);
	for (size_t i = 0; i < w->nrebuilds; i++)
		world_prove(w, index_of(w, &w->rebuild[i].envelope), size, &w->rebuild[i].proof);
}

/* ---- the repository ---- */

static void head(const struct world *w, struct buf *b, const char *type, enum world_role role)
{
	make_fmt(b, "{\"_type\":\"%s\",\"spec_version\":\"1.0.34\",\"version\":%u,\"expires\":\"%s\",",
	         type, w->role_version[role], w->role_expires[role] ? w->role_expires[role] : LATER);
}

static const char *const role_names[W_ROLES] = {"root", "timestamp", "snapshot", "targets",
                                                "evidence"};

static void sign(struct world *w, struct buf *body, enum world_role role)
{
	char path[100];
	buf_u8(body, 0);
	if (role == W_TIMESTAMP)
		snprintf(path, sizeof path, "metadata/timestamp.json");
	else
		snprintf(path, sizeof path, "metadata/%u.%s.json", w->role_version[role], role_names[role]);
	make_signed(world_put(&w->server, path), (char *)body->data,
	            w->role_signers[role] ? w->role_signers[role] : w->role_keys[role]);
	buf_done(body);
}

static struct buf *metadata(struct world *w, enum world_role role)
{
	char path[100];
	snprintf(path, sizeof path, "metadata/%u.%s.json", w->role_version[role], role_names[role]);
	return world_file(&w->server, path);
}

void world_write_root(struct world *w)
{
	struct buf b = {0};
	char all[64];
	snprintf(all, sizeof all, "%s%s%s%s", w->role_keys[W_ROOT], w->role_keys[W_TIMESTAMP],
	         w->role_keys[W_SNAPSHOT], w->role_keys[W_TARGETS]);
	head(w, &b, "root", W_ROOT);
	make_fmt(&b, "\"consistent_snapshot\":true,\"keys\":");
	make_keys(&b, all);
	for (enum world_role r = W_ROOT; r <= W_TARGETS; r++) {
		make_fmt(&b, "%s\"%s\":", r == W_ROOT ? ",\"roles\":{" : ",", role_names[r]);
		make_role(&b, w->role_keys[r], r == W_ROOT ? w->root_threshold : 1);
	}
	make_fmt(&b, "}}");
	sign(w, &b, W_ROOT);
}

void world_target_path(const char *path, const struct buf *bytes, char ret[300])
{
	char sum[65];
	const char *slash = strrchr(path, '/');
	make_sha256(bytes->len ? (void *)bytes->data : "", bytes->len, sum);
	snprintf(ret, 300, "targets/%.*s/%s.%s", (int)(slash - path), path, sum, slash + 1);
}

static void list(struct world *w, struct buf *b, const char *name, const struct buf *bytes)
{
	char sum[65], path[200], file[300];
	snprintf(path, sizeof path, "%s/%s", w->policy.set, name);
	make_sha256(bytes->data, bytes->len, sum);
	make_fmt(b, "%s\"%s\":", b->data[b->len - 1] == '{' ? "" : ",", path);
	if (w->vdb_listed && !strcmp(name, "main.vdb"))
		make_fmt(b, "%s", w->vdb_listed);
	else
		make_fmt(b, "{\"length\":%zu,\"hashes\":{\"sha256\":\"%s\"}}", bytes->len, sum);
	world_target_path(path, bytes, file);
	buf_add(world_put(&w->server, file), bytes->len ? (void *)bytes->data : "", bytes->len);
}

int world_fd(const struct buf *b)
{
	int fd = memfd_create("world", MFD_CLOEXEC);
	if (fd < 0 || (b && write(fd, b->data, b->len) != (ssize_t)b->len))
		abort();
	return fd;
}

/* All of a file, which is closed. */
static void take_file(int fd, uint64_t size, struct buf *out)
{
	void *p = buf_room(out, size);
	if (!p || pread(fd, p, size, 0) != (ssize_t)size)
		abort();
	out->len += size;
	close(fd);
}

void world_compress(const struct buf *in, struct buf *out)
{
	struct err e = {0};
	uint64_t size;
	int a = world_fd(in), b = world_fd(NULL);
	must(pack_compress(a, in->len, 3, b, &size, &e), &e);
	take_file(b, size, out);
	close(a);
}

static void list_delta(struct world *w, struct buf *b)
{
	struct err e = {0};
	struct buf delta = {0};
	uint64_t size;
	char name[80], sum[65];
	int from = world_fd(w->delta_from), to = world_fd(w->delta_wrong ? &w->source : &w->vdb);
	int out = world_fd(NULL);
	must(delta_make(from, to, out, &size, &e), &e);
	take_file(out, size, &delta);
	make_sha256(w->delta_from->data, w->delta_from->len, sum);
	snprintf(name, sizeof name, "delta/main.vdb-%.16s", sum);
	list(w, b, name, w->delta ? w->delta : &delta);
	buf_done(&delta);
	close(from);
	close(to);
}

static void write_targets(struct world *w)
{
	struct buf b = {0}, zst = {0};
	head(w, &b, "targets", W_TARGETS);
	make_fmt(&b, "\"targets\":{");
	list(w, &b, "main.vdb", &w->vdb);
	list(w, &b, "source.tar", &w->source);
	list(w, &b, "release.dsse", &w->envelope);
	if (!w->no_zst) {
		world_compress(&w->vdb, &zst);
		list(w, &b, "main.vdb.zst", w->zst ? w->zst : &zst);
	}
	if (w->source_zst) {
		buf_done(&zst);
		world_compress(&w->source, &zst);
		list(w, &b, "source.tar.zst", &zst);
	}
	if (w->delta_from)
		list_delta(w, &b);
	for (unsigned i = 0; i < w->more_targets; i++)
		make_fmt(&b, ",\"other/delta/main.vdb-%016x\":{\"length\":%u,\"hashes\":{\"sha256\":"
		         "\"%064x\"}}", i, i + 1, i);
	make_fmt(&b, "},\"delegations\":{\"keys\":");
	make_keys(&b, w->role_keys[W_EVIDENCE]);
	make_fmt(&b, ",\"roles\":[{\"name\":\"evidence\",\"terminating\":true,"
	         "\"paths\":[\"*/evidence/*\"],\"keyids\":[\"k%02x\"],\"threshold\":1}]}}",
	         w->role_keys[W_EVIDENCE][0]);
	buf_done(&zst);
	sign(w, &b, W_TARGETS);
}

static void write_evidence(struct world *w)
{
	struct buf b = {0};
	char name[64];
	head(w, &b, "targets", W_EVIDENCE);
	make_fmt(&b, "\"targets\":{");
	if (!w->no_proof)
		list(w, &b, "evidence/release.tlog-proof", &w->proof);
	for (size_t i = 0; i < w->nrebuilds; i++) {
		snprintf(name, sizeof name, "evidence/rebuild-%zu.dsse", i + 1);
		list(w, &b, name, &w->rebuild[i].envelope);
		snprintf(name, sizeof name, "evidence/rebuild-%zu.tlog-proof", i + 1);
		if (w->rebuild[i].proof.len)
			list(w, &b, name, &w->rebuild[i].proof);
	}
	make_fmt(&b, "}}");
	sign(w, &b, W_EVIDENCE);
}

void world_write_snapshot(struct world *w)
{
	struct buf b = {0};
	head(w, &b, "snapshot", W_SNAPSHOT);
	make_fmt(&b, "\"meta\":{\"targets.json\":");
	make_file(&b, w->role_version[W_TARGETS], metadata(w, W_TARGETS));
	make_fmt(&b, ",\"evidence.json\":");
	make_file(&b, w->role_version[W_EVIDENCE], metadata(w, W_EVIDENCE));
	make_fmt(&b, "}}");
	sign(w, &b, W_SNAPSHOT);
}

void world_write_timestamp(struct world *w)
{
	struct buf b = {0};
	head(w, &b, "timestamp", W_TIMESTAMP);
	make_fmt(&b, "\"meta\":{\"snapshot.json\":");
	make_file(&b, w->role_version[W_SNAPSHOT], metadata(w, W_SNAPSHOT));
	make_fmt(&b, "}}");
	sign(w, &b, W_TIMESTAMP);
}

void world_write(struct world *w)
{
	for (enum world_role r = W_TIMESTAMP; r < W_ROLES; r++)
		w->role_version[r]++;
	write_targets(w);
	write_evidence(w);
	world_write_snapshot(w);
	world_write_timestamp(w);
}

void world_publish(struct world *w)
{
	uint8_t vdb[32], source[32];
	w->nrebuilds = 0;
	world_make_release(w);
	world_log(w, &w->envelope);
	world_sha256(&w->vdb, vdb);
	world_sha256(&w->source, source);
	world_add_rebuild(w, 0, true, vdb, source);
	world_add_rebuild(w, 1, true, vdb, source);
	world_prove_all(w, w->nleaves);
	world_write(w);
}

void world_next(struct world *w, const char *text)
{
	buf_done(&w->old_vdb);
	w->old_vdb = w->vdb;
	w->vdb = (struct buf){0};
	buf_done(&w->source);
	for (unsigned i = 0; i < 400; i++)
		make_fmt(&w->vdb, "signature %u %u\n", i, i * i * 7919 % 65537);
	make_fmt(&w->vdb, "database of %s\n", text);
	make_fmt(&w->source, "rules of %s\n", text);
	w->release.version++;
	world_publish(w);
}

/* ---- the customer ---- */

static st_t stream(void *ctx, const char *path, uint64_t from, uint64_t max, update_sink *sink,
                   void *sink_ctx, struct err *e)
{
	struct world *w = ctx;
	static const char zeroes[64];
	struct buf made = {0};
	size_t n = strlen(w->asked);
	snprintf(w->asked + n, sizeof w->asked - n, "%s ", path);
	const char *tile = "log/log.example%2Fsignatures/";
	const struct buf *b = world_file(&w->server, path);
	if (!b && !strncmp(path, tile, strlen(tile)) && make_tile(w, path + strlen(tile), &made))
		b = &made;
	if (!b)
		return fail(e, ST_NOT_FOUND, 0, "no mirror has %s", path);
	uint64_t end = b->len;
	bool broken = w->broken && !strcmp(w->broken, path);
	if (broken && w->broken_after < end)
		end = w->broken_after;
	st_t st = ST_OK;
	for (uint64_t at = from; at < end && st == ST_OK; at += 1000) {
		size_t k = at + 1000 < end ? 1000 : (size_t)(end - at);
		if (at - from + k > max && !w->overlong)
			st = fail(e, ST_LIMIT, 0, "%s: longer than %llu bytes", path, (unsigned long long)max);
		else
			st = sink(sink_ctx, b->data + at, k, e);
	}
	for (uint64_t i = 0; w->endless && st == ST_OK; i += sizeof zeroes)
		st = end - from + i > max ? fail(e, ST_LIMIT, 0, "%s: longer than %llu bytes", path,
		                                 (unsigned long long)max)
		                          : sink(sink_ctx, zeroes, sizeof zeroes, e);
	buf_done(&made);
	if (broken && st == ST_OK)
		return fail(e, ST_IO, 0, "%s: the connection broke", path);
	return st;
}

static const struct update_source_ops ops = {.stream = stream};

static st_t store_works(struct world *w, struct err *e)
{
	if (w->store_left < 0 || w->store_left-- > 0)
		return ST_OK;
	w->store_left = 0;
	return fail(e, ST_IO, 0, "the disk is gone");
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	struct world *w = ctx;
	TRY(store_works(w, e));
	const struct buf *b = world_file(&w->store, name);
	if (!b)
		return fail(e, ST_NOT_FOUND, 0, "store: no %s", name);
	if (b->len > max)
		return fail(e, ST_LIMIT, 0, "store: %s is too long", name);
	buf_add(ret, b->data, b->len);
	return buf_check(ret, e, name);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct world *w = ctx;
	struct buf copy = {0}, *b;
	TRY(store_works(w, e));
	buf_add(&copy, bytes.base + bytes.pos, rd_left(&bytes));
	b = world_put(&w->store, name);
	*b = copy;
	return buf_check(b, e, name);
}

static st_t store_remove(void *ctx, const char *name, struct err *e)
{
	struct world *w = ctx;
	TRY(store_works(w, e));
	world_remove(&w->store, name);
	return ST_OK;
}

static st_t keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct world *w = ctx;
	struct buf *b = world_put(&w->kept, path);
	w->nkept++;
	buf_add(b, bytes.base + bytes.pos, rd_left(&bytes));
	return buf_check(b, e, path);
}

static void event(void *ctx, const struct chain_event *ev)
{
	struct world *w = ctx;
	if (w->nevents <= CHAIN_LINKS)
		w->event[w->nevents++] = *ev;
}

static void party_line(struct buf *b, const char *kind, const char *name, const struct signer *s)
{
	struct attest_key k;
	attest_key_from_ed25519(s->pub, &k);
	make_fmt(b, "%s %s spki:", kind, name);
	text_base64_add(b, k.spki, k.nspki);
	make_fmt(b, "\n");
}

void world_set_policy(struct world *w, const char *more)
{
	world_pin(w, 1, more);
}

void world_pin(struct world *w, unsigned version, const char *more)
{
	static const char *const names[] = {"w1", "w2", "w3"};
	struct buf b = {0};
	struct err e = {0};
	char path[64];
	snprintf(path, sizeof path, "metadata/%u.root.json", version);
	const struct buf *root = world_file(&w->server, path);
	make_log_line(&b, &w->log);
	for (unsigned i = 0; i < 3; i++)
		make_witness_line(&b, names[i], &w->witness[i]);
	make_fmt(&b, "%s", strstr(more, "quorum") ? "" : "group g 2 w1 w2 w3\nquorum g\n");
	party_line(&b, "publisher", "p1", w->publisher[0]);
	party_line(&b, "publisher", "p2", w->publisher[1]);
	for (unsigned i = 0; i < 3 && !strstr(more, "rebuilds-needed 0"); i++) {
		char name[8];
		snprintf(name, sizeof name, "r%u", i + 1);
		party_line(&b, "rebuilder", name, w->rebuilder[i]);
	}
	make_fmt(&b, "repository http://repository.example/\nset main\nroot base64:");
	text_base64_add(&b, root->data, root->len);
	make_fmt(&b, "\n%s%s%s", more,
	         strstr(more, "release-signatures") ? "" : "release-signatures 2\n",
	         strstr(more, "rebuilds-needed") ? "" : "rebuilds-needed 2\n");
	update_policy_done(&w->policy);
	must(update_policy_parse(make_rd(&b), &w->policy, &e), &e);
	buf_done(&b);
}

st_t world_check(struct world *w)
{
	struct tuf_store store = {.get = store_get, .put = store_put, .remove = store_remove, .ctx = w};
	struct chain_request rq = {
	    .policy = &w->policy, .source = &w->source_of, .now = w->now, .seen = w->seen,
	    .place = {.store = &store, .spool_fd = w->spool_fd, .old_vdb_fd = w->old_vdb_fd,
	              .old_source_fd = -1},
	    .have = w->have, .want_source = w->want_source, .evidence_only = w->evidence_only,
	    .want_tiles = w->want_tiles, .want_packed = w->want_packed,
	    .event = event, .keep = keep, .ctx = w};
	w->source_of = (struct update_source){.ops = &ops, .ctx = w};
	w->asked[0] = 0;
	w->nevents = 0;
	w->nkept = 0;
	world_clear(&w->kept);
	err_clear(&w->e);
	return chain_check(&rq, &w->got, &w->e);
}

static void spool_name(const struct buf *whole, char ret[65])
{
	uint8_t sum[32];
	world_sha256(whole, sum);
	hex_encode(sum, 32, ret);
}

bool world_spooled(struct world *w, const struct buf *whole, struct buf *ret)
{
	char name[65], chunk[4096];
	spool_name(whole, name);
	int fd = openat(w->spool_fd, name, O_RDONLY);
	if (fd < 0)
		return false;
	for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;)
		buf_add(ret, chunk, (size_t)n);
	close(fd);
	return true;
}

void world_spool_put(struct world *w, const struct buf *whole, const void *p, size_t n)
{
	char name[65];
	spool_name(whole, name);
	int fd = openat(w->spool_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

static struct signer *signer(uint8_t number)
{
	uint8_t seed[32];
	struct signer *s;
	struct err e = {0};
	memset(seed, number, sizeof seed);
	must(signer_new(SIGNER_ED25519, seed, &s, &e), &e);
	return s;
}

static void open_spool(struct world *w)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(w->spool, sizeof w->spool, "%.40s/spool.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(w->spool))
		abort();
	w->spool_fd = open(w->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct world *world_new(void)
{
	static const char *const keys[W_ROLES] = {"a", "b", "c", "d", "e"};
	struct world *w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->now = WORLD_NOW;
	w->old_vdb_fd = -1;
	w->store_left = -1;
	w->release = (struct world_release){
	    .set = "main", .build_type = SET_RELEASE_BUILD_TYPE, .subjects = "",
	    .external = "", .internal = "",
	    .payload_type = STATEMENT_PAYLOAD_TYPE, .predicate_type = STATEMENT_RELEASE_TYPE,
	    .publishers = 3};
	w->root_threshold = 1;
	w->role_version[W_ROOT] = 1;
	memcpy(w->role_keys, keys, sizeof keys);
	w->witnesses = 7;
	for (unsigned i = 0; i < 3; i++)
		w->cosigned_at[i] = WORLD_NOW - 3600;
	make_key(1, ORIGIN, NOTE_ED25519, &w->log);
	make_key(11, "w1.example", NOTE_COSIGNATURE_ED25519, &w->witness[0]);
	make_key(12, "w2.example", NOTE_COSIGNATURE_ED25519, &w->witness[1]);
	make_key(13, "w3.example", NOTE_COSIGNATURE_ED25519, &w->witness[2]);
	for (uint8_t i = 0; i < 3; i++)
		w->rebuilder[i] = signer((uint8_t)(31 + i));
	w->publisher[0] = signer(21);
	w->publisher[1] = signer(22);
	open_spool(w);
	world_write_root(w);
	world_set_policy(w, "");
	world_add_entries(w, 5);
	world_next(w, "the first day");
	return w;
}

static void empty_spool(struct world *w)
{
	DIR *d = opendir(w->spool);
	for (struct dirent *f; d && (f = readdir(d));)
		(void)!unlinkat(w->spool_fd, f->d_name, 0);
	closedir(d);
}

void world_reset(struct world *w)
{
	empty_spool(w);
	world_clear(&w->server);
	world_clear(&w->store);
	for (enum world_role r = W_TIMESTAMP; r < W_ROLES; r++)
		w->role_version[r] = 0;
	world_write_root(w);
}

void world_free(struct world *w)
{
	empty_spool(w);
	close(w->spool_fd);
	(void)!rmdir(w->spool);
	world_clear(&w->server);
	world_clear(&w->store);
	world_clear(&w->kept);
	update_policy_done(&w->policy);
	make_key_done(&w->log);
	for (unsigned i = 0; i < 3; i++) {
		make_key_done(&w->witness[i]);
		signer_free(w->rebuilder[i]);
	}
	signer_free(w->publisher[0]);
	signer_free(w->publisher[1]);
	buf_done(&w->vdb);
	buf_done(&w->old_vdb);
	buf_done(&w->source);
	buf_done(&w->envelope);
	buf_done(&w->proof);
	for (size_t i = 0; i < 8; i++) {
		buf_done(&w->rebuild[i].envelope);
		buf_done(&w->rebuild[i].proof);
	}
	free(w);
}
