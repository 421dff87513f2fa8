/* A publisher's repository on a disk in memory: what is published is read by the client of
 * src/tuf, thresholds hold, and after a crash at any call the old or the new one is there. */
#include "attest/dsse.h"
#include "publish/release.h"
#include "test/t.h"
#include "sim_disk.h"

#include <stdarg.h>

#define NOW INT64_C(1900000000)
#define DAY INT64_C(86400)

static struct err e;

static struct signer *signer(char seed)
{
	uint8_t bytes[32];
	struct signer *s = NULL;
	memset(bytes, seed, sizeof bytes);
	if (signer_new(SIGNER_ED25519, bytes, &s, NULL) != ST_OK)
		abort();
	return s;
}

struct hands {
	struct signer *v[8];
	size_t n;
};

/* A key for each letter. */
static struct hands hands(const char *letters)
{
	struct hands h = {0};
	for (; *letters; letters++)
		h.v[h.n++] = signer(*letters);
	return h;
}

static void hands_done(struct hands *h)
{
	while (h->n)
		signer_free(h->v[--h->n]);
}

static struct publish_role_keys keys(const char *letters, uint64_t threshold)
{
	struct publish_role_keys k = {.threshold = threshold};
	for (; *letters; letters++) {
		struct signer *s = signer(*letters);
		attest_key_from_ed25519(s->pub, &k.v[k.n++].key);
		signer_free(s);
	}
	return k;
}

/* Three people for the root, two of whom must sign; two for targets; 'o' is online. */
static struct publish_init usual(void)
{
	struct publish_init i = {.lifetimes = publish_lifetimes_default};
	i.role[TUF_ROOT] = keys("abc", 2);
	i.role[TUF_TARGETS] = keys("tu", 2);
	i.role[TUF_SNAPSHOT] = i.role[TUF_TIMESTAMP] = i.evidence = keys("o", 1);
	return i;
}

static st_t sign(struct publish_repo *r, const char *letters, int64_t now)
{
	struct hands h = hands(letters);
	err_clear(&e);
	st_t st = publish_sign(r, h.v, h.n, now, &e);
	hands_done(&h);
	return st;
}

static st_t commit(struct publish_repo *r, const char *letters, int64_t now)
{
	struct hands h = hands(letters);
	err_clear(&e);
	st_t st = publish_commit(r, h.v, h.n, now, &e);
	hands_done(&h);
	return st;
}

static st_t refresh(struct publish_repo *r, const char *letters, int64_t now)
{
	struct hands h = hands(letters);
	err_clear(&e);
	st_t st = publish_refresh(r, h.v, h.n, now, &e);
	hands_done(&h);
	return st;
}

static void must(st_t st)
{
	if (st != ST_OK)
		T_FAIL("%s: %s", st_name(st), e.text);
}

static struct publish_repo *open_repo(struct sim_disk *d)
{
	struct publish_repo *r = NULL;
	err_clear(&e);
	must(publish_repo_open(&d->io, SIM_PUBLIC, SIM_PRIVATE, &r, &e));
	return r;
}

static st_t stage(struct publish_repo *r, const char *role, const char *path, const char *text)
{
	err_clear(&e);
	return publish_stage_bytes(r, role, path, rd_make(text, strlen(text)), &e);
}

/* A repository with one target, published. */
static struct publish_repo *published(struct sim_disk *d)
{
	struct publish_repo *r = NULL;
	struct publish_init init = usual();
	err_clear(&e);
	must(publish_repo_init(&d->io, SIM_PUBLIC, SIM_PRIVATE, &init, NOW, &r, &e));
	must(stage(r, "targets", "main/main.vdb", "one"));
	must(stage(r, "evidence", "main/evidence/release.tlog-proof", "proof"));
	must(sign(r, "abtu", NOW));
	must(commit(r, "o", NOW));
	return r;
}

/* -- a client --------------------------------------------------------------------------------- */

/* One that reads the public folder, and has a store that stays. */
struct client {
	const struct sim_disk *d;
	struct {
		char name[64];
		struct buf bytes;
	} file[16];
	size_t n;
	uint64_t version[TUF_TYPES]; /* after the last refresh */
};

static st_t give(const uint8_t *p, size_t n, size_t max, struct buf *ret)
{
	if (!p)
		return ST_NOT_FOUND;
	if (n > max)
		return ST_LIMIT;
	buf_add(ret, p, n);
	return ST_OK;
}

static st_t client_fetch(void *ctx, const char *path, size_t max, struct buf *ret, struct err *err)
{
	const struct client *c = ctx;
	char at[LOG_PATH_MAX];
	size_t n = 0;
	snprintf(at, sizeof at, "metadata/%s", path);
	const uint8_t *p = sim_file(c->d, SIM_PUBLIC, at, &n);
	st_t st = give(p, n, max, ret);
	return st == ST_OK ? st : fail(err, st, 0, "%s", path);
}

static struct buf *slot(struct client *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->file[i].name, name) == 0)
			return &c->file[i].bytes;
	if (c->n == 16)
		abort();
	snprintf(c->file[c->n].name, sizeof c->file[0].name, "%s", name);
	return &c->file[c->n++].bytes;
}

static st_t client_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *err)
{
	const struct buf *b = slot(ctx, name);
	st_t st = give(b->len ? b->data : NULL, b->len, max, ret);
	return st == ST_OK ? st : fail(err, st, 0, "%s", name);
}

static st_t client_put(void *ctx, const char *name, struct rd bytes, struct err *err)
{
	struct buf *b = slot(ctx, name);
	b->len = 0;
	buf_add(b, bytes.base, bytes.len);
	return buf_check(b, err, name);
}

static st_t client_remove(void *ctx, const char *name, struct err *err)
{
	(void)err;
	slot(ctx, name)->len = 0;
	return ST_OK;
}

static void client_done(struct client *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_done(&c->file[i].bytes);
	*c = (struct client){0};
}

/* Refreshes, and reads a target (or NULL): ret has room for 64 bytes. */
static st_t client_read(struct client *c, const struct sim_disk *d, int64_t now, const char *path,
                        char *ret)
{
	const struct tuf_fetch fetch = {.get = client_fetch, .ctx = c};
	const struct tuf_store store = {
		.get = client_get, .put = client_put, .remove = client_remove, .ctx = c};
	struct tuf_client t;
	struct tuf_target target;
	char at[LOG_PATH_MAX];
	size_t n = 0;
	c->d = d;
	err_clear(&e);
	if (slot(c, "root.json")->len == 0) {
		const uint8_t *p = sim_file(d, SIM_PUBLIC, "metadata/1.root.json", &n);
		if (!p)
			return ST_NOT_FOUND;
		buf_add(slot(c, "root.json"), p, n);
	}
	st_t st = tuf_refresh(&fetch, &store, now, &t, &e);
	const struct tuf_md *md[TUF_TYPES] = {&t.root, &t.timestamp, &t.snapshot, &t.targets};
	for (int i = 0; i < TUF_TYPES; i++)
		c->version[i] = md[i]->version;
	if (st == ST_OK && path) {
		st = tuf_find_target(&t, path, &target, &e);
		if (st == ST_OK) {
			snprintf(at, sizeof at, "targets/%s", (const char *)target.url.data);
			const uint8_t *p = sim_file(d, SIM_PUBLIC, at, &n);
			struct tuf_sum sum = {0};
			T_TRUE(p != NULL);
			T_EQ(tuf_sum_init(&sum, NULL), ST_OK);
			T_EQ(tuf_sum_add(&sum, p, p ? n : 0, NULL), ST_OK);
			st = tuf_sum_check(&sum, &target.file.hashes, &target.file.length, path, &e);
			if (p && ret)
				snprintf(ret, 64, "%.*s", (int)n, (const char *)p);
			tuf_target_done(&target);
		}
	}
	tuf_client_done(&t);
	return st;
}

static void expect(const struct sim_disk *d, int64_t now, const char *path, const char *text)
{
	struct client c = {0};
	char got[64] = "";
	must(client_read(&c, d, now, path, got));
	T_STR(got, text);
	client_done(&c);
}

/* -- rules ------------------------------------------------------------------------------------ */

static void what_is_published_is_what_a_client_reads(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	expect(d, NOW, "main/main.vdb", "one");
	expect(d, NOW, "main/evidence/release.tlog-proof", "proof");
	publish_repo_free(r);
	sim_free(d);
}

static void nothing_is_published_below_a_threshold(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	uint64_t calls;
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "t", NOW));
	struct publish_staged s[PUBLISH_STAGED_MAX];
	size_t n = 0;
	must(publish_staged(r, s, &n, &e));
	T_EQ(n, 1);
	T_STR(s[0].role, "targets");
	T_EQ(s[0].have, 1);
	T_EQ(s[0].need, 2);
	T_EQ(s[0].nmissing, 1);
	calls = d->calls;
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	T_STR(e.text, "targets: 1 of 2 signatures");
	T_EQ(d->calls, calls);
	expect(d, NOW, "main/main.vdb", "one");
	must(sign(r, "u", NOW + 1));
	must(commit(r, "o", NOW + 1));
	expect(d, NOW + 1, "main/main.vdb", "two");
	publish_repo_free(r);
	sim_free(d);
}

static void the_online_key_alone_publishes_evidence_and_nothing_else(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	must(stage(r, "evidence", "main/evidence/rebuild-1.dsse", "verdict"));
	must(commit(r, "o", NOW));
	expect(d, NOW, "main/evidence/rebuild-1.dsse", "verdict");
	must(stage(r, "targets", "main/main.vdb", "forged"));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	T_EQ(stage(r, "evidence", "main/main.vdb", "forged"), ST_CONFLICT);
	T_EQ(commit(r, "x", NOW), ST_BAD_SIG);
	publish_repo_free(r);
	sim_free(d);
}

static void staging_survives_the_process(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "t", NOW));
	publish_repo_free(r);
	r = open_repo(d);
	must(sign(r, "u", NOW));
	publish_repo_free(r);
	r = open_repo(d);
	must(commit(r, "o", NOW));
	expect(d, NOW, "main/main.vdb", "two");
	publish_repo_free(r);
	sim_free(d);
}

static void a_change_after_a_signature_voids_it(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "tu", NOW));
	must(stage(r, "targets", "main/source.tar", "more"));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(publish_unstage_target(r, "targets", "main/source.tar", &e));
	T_EQ(publish_unstage_target(r, "targets", "main/source.tar", NULL), ST_NOT_FOUND);
	must(sign(r, "tu", NOW));
	must(commit(r, "o", NOW));
	expect(d, NOW, "main/main.vdb", "two");
	publish_repo_free(r);
	sim_free(d);
}

/* Bytes of a staged file, which travel. */
static struct buf staged_bytes(const struct sim_disk *d, const char *path)
{
	struct buf b = {0};
	size_t n = 0;
	const uint8_t *p = sim_file(d, SIM_PRIVATE, path, &n);
	T_TRUE(p != NULL);
	buf_add(&b, p, p ? n : 0);
	return b;
}

static struct buf signed_elsewhere(const struct buf *in, char letter, st_t want)
{
	struct buf out = {0}, words = {0};
	struct signer *s = signer(letter);
	err_clear(&e);
	T_EQ(publish_sign_file(rd_make(in->data, in->len), s, &out, &words, &e), want);
	signer_free(s);
	buf_done(&words);
	return out;
}

/* In two steps, as the command does it. */
static st_t merge(struct publish_repo *r, const struct buf *file, char *role)
{
	struct buf said = {0};
	err_clear(&e);
	st_t st = publish_signatures_read(rd_make(file->data, file->len), &said, &e);
	if (st == ST_OK)
		st = publish_merge(r, rd_make(said.data, said.len), role, &e);
	buf_done(&said);
	return st;
}

static void signatures_come_back_from_other_machines(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	char role[TUF_ROLE_NAME_MAX + 1];
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "", NOW));
	struct buf file = staged_bytes(d, "staged/targets.json");
	struct buf by_t = signed_elsewhere(&file, 't', ST_OK);
	struct buf by_u = signed_elsewhere(&file, 'u', ST_OK);
	struct buf by_x = signed_elsewhere(&file, 'x', ST_CONFLICT);
	struct buf again = signed_elsewhere(&by_t, 't', ST_OK);
	T_EQ(again.len, by_t.len); /* in place of the older one */
	must(merge(r, &by_t, role));
	T_STR(role, "targets");
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(merge(r, &by_u, role));
	must(commit(r, "o", NOW));
	expect(d, NOW, "main/main.vdb", "two");
	err_clear(&e);
	T_EQ(merge(r, &by_u, role), ST_CONFLICT);
	buf_done(&file);
	buf_done(&by_t);
	buf_done(&by_u);
	buf_done(&by_x);
	buf_done(&again);
	publish_repo_free(r);
	sim_free(d);
}

static void a_file_that_was_changed_on_its_way_is_not_taken(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	char role[TUF_ROLE_NAME_MAX + 1];
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "", NOW));
	struct buf file = staged_bytes(d, "staged/targets.json");
	struct buf by_t = signed_elsewhere(&file, 't', ST_OK);
	uint8_t *sig = (uint8_t *)strstr((char *)by_t.data, "\"sig\": \"") + 8;
	for (; *sig == '"'; sig++) /* the empty one comes first, or not */
		sig = (uint8_t *)strstr((char *)sig, "\"sig\": \"") + 7;
	*sig = *sig == '0' ? '1' : '0';
	err_clear(&e);
	T_EQ(merge(r, &by_t, role), ST_BAD_SIG);
	struct buf other = staged_bytes(d, "staged/targets.json");
	uint8_t *length = (uint8_t *)strstr((char *)other.data, "\"length\": 3") + 10;
	*length = '4';
	err_clear(&e);
	T_EQ(merge(r, &other, role), ST_CONFLICT);
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	buf_done(&file);
	buf_done(&by_t);
	buf_done(&other);
	publish_repo_free(r);
	sim_free(d);
}

static void a_refresh_leaves_what_is_staged(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct client c = {0};
	must(client_read(&c, d, NOW, NULL, NULL));
	T_EQ(c.version[TUF_TIMESTAMP], 1);
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(stage(r, "evidence", "main/evidence/rebuild-1.dsse", "verdict"));
	must(sign(r, "to", NOW));
	must(refresh(r, "o", NOW + DAY));
	must(client_read(&c, d, NOW + DAY, NULL, NULL));
	T_EQ(c.version[TUF_TIMESTAMP], 2);
	T_EQ(c.version[TUF_SNAPSHOT], 1);
	/* Half of the lives of snapshot and evidence is over. */
	must(refresh(r, "o", NOW + 5 * DAY));
	must(client_read(&c, d, NOW + 5 * DAY, "main/evidence/release.tlog-proof", NULL));
	T_EQ(c.version[TUF_SNAPSHOT], 2);
	T_EQ(c.version[TUF_TARGETS], 1);
	must(client_read(&c, d, NOW + 6 * DAY, "main/evidence/release.tlog-proof", NULL));
	T_EQ(client_read(&c, d, NOW + 6 * DAY, "main/evidence/rebuild-1.dsse", NULL), ST_NOT_FOUND);
	must(sign(r, "u", NOW + 6 * DAY));
	must(commit(r, "o", NOW + 6 * DAY));
	must(client_read(&c, d, NOW + 6 * DAY, "main/evidence/rebuild-1.dsse", NULL));
	client_done(&c);
	publish_repo_free(r);
	sim_free(d);
}

static void expired_targets_are_not_kept_alive(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	T_EQ(refresh(r, "o", NOW + 91 * DAY), ST_TIMEOUT);
	must(publish_stage_renew(r, "targets", &e));
	must(sign(r, "tu", NOW + 91 * DAY));
	must(commit(r, "o", NOW + 91 * DAY));
	expect(d, NOW + 91 * DAY, "main/main.vdb", "one");
	publish_repo_free(r);
	sim_free(d);
}

/* -- rotation --------------------------------------------------------------------------------- */

static void a_root_is_signed_by_the_old_keys_and_the_new(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct publish_role_keys k = keys("cde", 2);
	struct client c = {0};
	must(client_read(&c, d, NOW, NULL, NULL));
	must(publish_stage_role(r, "root", &k, &e));
	must(sign(r, "de", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG); /* nobody of the old ones */
	must(sign(r, "a", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(sign(r, "b", NOW));
	must(commit(r, "o", NOW));
	must(client_read(&c, d, NOW, "main/main.vdb", NULL));
	T_EQ(c.version[TUF_ROOT], 2);
	must(publish_stage_renew(r, "root", &e));
	must(sign(r, "ab", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(sign(r, "cd", NOW));
	must(commit(r, "o", NOW));
	must(client_read(&c, d, NOW, "main/main.vdb", NULL));
	T_EQ(c.version[TUF_ROOT], 3);
	client_done(&c);
	publish_repo_free(r);
	sim_free(d);
}

static void new_keys_of_targets_sign_targets_anew(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct publish_role_keys k = keys("vw", 2);
	must(publish_stage_role(r, "targets", &k, &e));
	must(sign(r, "abtu", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(sign(r, "vw", NOW));
	must(commit(r, "o", NOW));
	expect(d, NOW, "main/main.vdb", "one");
	publish_repo_free(r);
	sim_free(d);
}

static void a_new_online_key_takes_over(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct publish_role_keys k = keys("p", 1);
	struct client c = {0};
	must(client_read(&c, d, NOW, NULL, NULL));
	must(publish_stage_role(r, "timestamp", &k, &e));
	must(publish_stage_role(r, "snapshot", &k, &e));
	must(sign(r, "ab", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(commit(r, "p", NOW));
	T_EQ(refresh(r, "o", NOW), ST_BAD_SIG);
	must(refresh(r, "p", NOW));
	must(client_read(&c, d, NOW, "main/main.vdb", NULL));
	client_done(&c);
	publish_repo_free(r);
	sim_free(d);
}

static void impossible_roles_are_refused(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct publish_role_keys many = keys("ab", 3), none = keys("", 0), twice = keys("aa", 1);
	T_EQ(publish_stage_role(r, "targets", &many, NULL), ST_MALFORMED);
	T_EQ(publish_stage_role(r, "targets", &none, NULL), ST_MALFORMED);
	T_EQ(publish_stage_role(r, "targets", &twice, NULL), ST_CONFLICT);
	many.threshold = 1;
	T_EQ(publish_stage_role(r, "nobody", &many, NULL), ST_NOT_FOUND);
	T_EQ(stage(r, "nobody", "x", "x"), ST_CONFLICT);
	T_EQ(stage(r, "targets", "../x", "x"), ST_UNSUPPORTED);
	T_EQ(stage(r, "targets", "a b", "x"), ST_UNSUPPORTED);
	T_EQ(stage(r, "snapshot", "x", "x"), ST_CONFLICT);
	publish_repo_free(r);
	sim_free(d);
}

/* -- delegation ------------------------------------------------------------------------------- */

static st_t delegate(struct publish_repo *r, const char *name, const char *by, const char *path,
                     const char *letters)
{
	struct publish_role_keys k = keys(letters, 1);
	const char *const paths[] = {path};
	const struct publish_delegation d = {
		.name = name, .delegator = by, .paths = paths, .npaths = 1, .keys = &k};
	err_clear(&e);
	return publish_stage_delegation(r, &d, &e);
}

static void a_delegated_role_lists_what_it_is_trusted_with(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	must(delegate(r, "mail", "targets", "mail/*", "m"));
	must(delegate(r, "spam", "mail", "mail/spam-*", "s"));
	T_EQ(delegate(r, "mail", "targets", "x/*", "m"), ST_CONFLICT);
	T_EQ(delegate(r, "root", "targets", "x/*", "m"), ST_CONFLICT);
	T_EQ(delegate(r, "1.root", "targets", "x/*", "m"), ST_UNSUPPORTED);
	must(stage(r, "mail", "mail/a.vdb", "a"));
	must(stage(r, "spam", "mail/spam-b", "b"));
	T_EQ(stage(r, "spam", "mail/a.vdb", "c"), ST_CONFLICT);
	must(sign(r, "tum", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG);
	must(sign(r, "s", NOW));
	must(commit(r, "o", NOW));
	expect(d, NOW, "mail/a.vdb", "a");
	expect(d, NOW, "mail/spam-b", "b");
	must(stage(r, "mail", "mail/a.vdb", "a2"));
	must(sign(r, "m", NOW));
	must(commit(r, "o", NOW));
	expect(d, NOW, "mail/a.vdb", "a2");
	struct publish_role_keys k = keys("n", 1);
	must(publish_stage_role(r, "mail", &k, &e));
	must(sign(r, "tu", NOW));
	T_EQ(commit(r, "o", NOW), ST_BAD_SIG); /* mail is to be signed by the new key */
	must(sign(r, "n", NOW));
	must(commit(r, "o", NOW));
	expect(d, NOW, "mail/spam-b", "b");
	publish_repo_free(r);
	sim_free(d);
}

static void what_another_role_shadows_is_not_published(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	must(delegate(r, "mail", "targets", "main/*", "m"));
	must(stage(r, "mail", "main/main.vdb", "never seen"));
	must(sign(r, "tum", NOW));
	T_EQ(commit(r, "o", NOW), ST_CONFLICT);
	publish_repo_free(r);
	sim_free(d);
}

/* -- bytes ------------------------------------------------------------------------------------ */

static void same_bytes(const struct sim_disk *a, const struct sim_disk *b, const char *path)
{
	size_t n = 0, k = 0;
	const uint8_t *p = sim_file(a, SIM_PUBLIC, path, &n), *q = sim_file(b, SIM_PUBLIC, path, &k);
	T_TRUE(p && q && n == k);
	if (p && q && n == k)
		T_MEM(p, q, n);
}

static void same_input_same_bytes(void)
{
	struct sim_disk *d[2] = {sim_new(), sim_new()};
	for (int i = 0; i < 2; i++) {
		struct publish_repo *r = published(d[i]);
		must(stage(r, "targets", "main/b", "b"));
		must(stage(r, "targets", "main/a", "a"));
		/* In another order, and at two times. */
		must(sign(r, i ? "t" : "u", NOW));
		must(sign(r, i ? "u" : "t", NOW + i));
		must(commit(r, "o", NOW + 9));
		publish_repo_free(r);
	}
	static const char *const paths[] = {"metadata/1.root.json", "metadata/2.targets.json",
	                                    "metadata/2.snapshot.json", "metadata/timestamp.json"};
	for (size_t i = 0; i < 4; i++)
		same_bytes(d[0], d[1], paths[i]);
	sim_free(d[0]);
	sim_free(d[1]);
}

static void a_damaged_staged_file_is_not_published(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	char at[LOG_PATH_MAX];
	struct tuf_file f;
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "tu", NOW));
	must(publish_find_target(r, "main/main.vdb", &f, &e));
	char hex[65];
	hex_encode(f.hashes.sha256, 32, hex);
	snprintf(at, sizeof at, "staged/targets/%s", hex);
	size_t n = 0;
	uint8_t *p = (uint8_t *)(uintptr_t)sim_file(d, SIM_PRIVATE, at, &n);
	T_TRUE(p && n == 3);
	if (p)
		p[0] ^= 1;
	T_EQ(commit(r, "o", NOW), ST_BAD_SUM);
	expect(d, NOW, "main/main.vdb", "one");
	publish_repo_free(r);
	sim_free(d);
}

static void it_is_said_in_words_what_is_signed(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct buf words = {0};
	size_t n = 0;
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(stage(r, "targets", "main/source.tar", "three"));
	must(sign(r, "", NOW));
	struct buf file = staged_bytes(d, "staged/targets.json");
	const uint8_t *old = sim_file(d, SIM_PUBLIC, "metadata/1.targets.json", &n);
	must(publish_describe(rd_make(file.data, file.len), rd_make(old, old ? n : 0), &words, &e));
	buf_u8(&words, 0);
	const char *said = (const char *)words.data;
	T_TRUE(strncmp(said, "TUF metadata: targets, version 2, expires 2030-06-15T17:46:40Z\n"
	                     "compared with version 1:\n", 88) == 0);
	T_TRUE(strstr(said, "  ~ main/main.vdb  3 bytes  sha256 3fc4ccfe745870e2c0d99f71f30ff0656c8dedd"
	                    "41cc1d7d3d376b0dbe685e2f3\n") != NULL);
	T_TRUE(strstr(said, "  + main/source.tar  5 bytes  sha256 ") != NULL);
	T_TRUE(strstr(said, "delegates to evidence, terminating: */evidence/*; signed by 1 of 1 keys:")
	       != NULL);
	buf_done(&file);
	buf_done(&words);
	publish_repo_free(r);
	sim_free(d);
}

static void a_statement_is_signed_once_by_a_key(void)
{
	static const char envelope[] =
		"{\"payload\":\"eyJwcmVkaWNhdGVUeXBlIjoieCIsInN1YmplY3QiOlt7Im5hbWUiOiJmIiwiZGlnZXN0Ijp7"
		"InNoYTI1NiI6ImFiIn19XX0=\",\"payloadType\":\"application/vnd.in-toto+json\","
		"\"signatures\":[]}";
	struct buf in = {0};
	buf_text(&in, envelope);
	struct buf one = signed_elsewhere(&in, 'x', ST_OK), two = signed_elsewhere(&one, 'x', ST_OK);
	struct buf three = signed_elsewhere(&two, 'y', ST_OK);
	struct attest_key k[2] = {keys("x", 1).v[0].key, keys("y", 1).v[0].key};
	struct dsse dsse;
	bool by[2];
	size_t n = 0;
	T_TRUE(one.len == two.len && !memcmp(one.data, two.data, one.len));
	T_EQ(dsse_parse(rd_make(three.data, three.len), &dsse, &e), ST_OK);
	T_EQ(dsse_verify(&dsse, k, 2, by, &n, &e), ST_OK);
	T_EQ(n, 2);
	T_EQ(dsse.nsigs, 2);
	dsse_done(&dsse);
	buf_done(&in);
	buf_done(&one);
	buf_done(&two);
	buf_done(&three);
}

static void publishers_are_remembered(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct publish_role_keys k = keys("pq", 2);
	T_EQ(publish_publishers(r)->n, 0);
	must(publish_publishers_write(r, &k, &e));
	publish_repo_free(r);
	r = open_repo(d);
	T_EQ(publish_publishers(r)->n, 2);
	T_EQ(publish_publishers(r)->threshold, 2);
	T_TRUE(attest_key_equal(&publish_publishers(r)->v[1].key, &k.v[1].key));
	k.threshold = 3;
	T_EQ(publish_publishers_write(r, &k, NULL), ST_MALFORMED);
	T_EQ(publish_publishers(r)->threshold, 2);
	publish_repo_free(r);
	size_t n = 0;
	uint8_t *config = (uint8_t *)(uintptr_t)sim_file(d, SIM_PRIVATE, "config", &n);
	T_TRUE(config != NULL);
	if (config)
		config[n - 3] = '!'; /* a damaged key is no key less */
	r = NULL;
	T_EQ(publish_repo_open(&d->io, SIM_PUBLIC, SIM_PRIVATE, &r, NULL), ST_MALFORMED);
	publish_repo_free(r);
	sim_free(d);
}

/* The child that reads foreign files may say anything. */
static void a_flat_form_that_was_cut_or_changed_is_not_taken(void)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	char role[TUF_ROLE_NAME_MAX + 1];
	struct buf said = {0};
	must(stage(r, "targets", "main/main.vdb", "two"));
	must(sign(r, "", NOW));
	struct buf file = staged_bytes(d, "staged/targets.json");
	struct buf by_t = signed_elsewhere(&file, 't', ST_OK);
	must(publish_signatures_read(rd_make(by_t.data, by_t.len), &said, &e));
	for (size_t n = 0; n < said.len; n++)
		T_TRUE(publish_merge(r, rd_make(said.data, n), role, NULL) != ST_OK);
	for (size_t i = 0; i < said.len; i++) {
		said.data[i] ^= 1;
		T_TRUE(publish_merge(r, rd_make(said.data, said.len), role, NULL) != ST_OK);
		said.data[i] ^= 1;
	}
	struct buf after = staged_bytes(d, "staged/targets.json");
	T_TRUE(after.len == file.len && !memcmp(after.data, file.data, file.len));
	must(publish_merge(r, rd_make(said.data, said.len), role, &e));
	buf_done(&after);
	buf_done(&file);
	buf_done(&by_t);
	buf_done(&said);
	publish_repo_free(r);
	sim_free(d);
}

/* -- crashes ---------------------------------------------------------------------------------- */

enum change { RELEASE, NEW_ROOT, NEW_TARGETS_KEYS, CHANGES };

static void prepare(struct publish_repo *r, enum change what)
{
	struct publish_role_keys root = keys("abd", 2), targets = keys("tv", 2);
	must(stage(r, "targets", "main/main.vdb", "two"));
	if (what == NEW_ROOT)
		must(publish_stage_role(r, "root", &root, &e));
	if (what == NEW_TARGETS_KEYS)
		must(publish_stage_role(r, "targets", &targets, &e));
	must(sign(r, "abdtuv", NOW));
}

/* Old or new, for a client that had the old one and for one that is new; then it goes on. */
static void check_after(struct sim_disk *d, const struct client *had)
{
	struct client c = {0}, fresh = {0};
	char a[64] = "", b[64] = "";
	for (size_t i = 0; i < had->n; i++)
		buf_add(slot(&c, had->file[i].name), had->file[i].bytes.data, had->file[i].bytes.len);
	must(client_read(&c, d, NOW, "main/main.vdb", a));
	must(client_read(&fresh, d, NOW, "main/main.vdb", b));
	T_STR(a, b);
	T_TRUE(strcmp(a, "one") == 0 || strcmp(a, "two") == 0);
	struct publish_repo *r = open_repo(d);
	if (r) {
		must(commit(r, "o", NOW));
		publish_repo_free(r);
	}
	must(client_read(&c, d, NOW, "main/main.vdb", a));
	T_STR(a, "two");
	client_done(&c);
	client_done(&fresh);
}

static void seen(void *arg, struct sim_disk *d, const char *name)
{
	struct client c = {0};
	(void)name;
	must(client_read(&c, d, NOW, "main/main.vdb", NULL));
	client_done(&c);
	(*(int *)arg)++;
}

static bool crash_at(uint64_t call, enum change what, uint64_t seed)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	struct client had = {0};
	int readers = 0;
	must(client_read(&had, d, NOW, NULL, NULL));
	prepare(r, what);
	d->stop = d->calls + call;
	d->seen = seen;
	d->seen_arg = &readers;
	st_t st = commit(r, "o", NOW);
	d->seen = NULL;
	bool stopped = d->stopped;
	T_TRUE(stopped || readers > 3);
	T_TRUE(st == ST_OK || stopped);
	publish_repo_free(r);
	for (enum sim_crash how = SIM_KILLED; how <= SIM_RANDOM; how++)
		for (int i = 0; i < (how == SIM_RANDOM ? 8 : 1); i++) {
			struct sim_disk *after = sim_crash(d, how, seed++);
			int bad = t_bad;
			check_after(after, &had);
			if (bad != t_bad)
				printf("  change %d, crash %d at call %d\n", what, how, (int)call);
			sim_free(after);
		}
	client_done(&had);
	sim_free(d);
	return stopped;
}

static void a_crash_at_any_call_leaves_the_old_or_the_new(void)
{
	uint64_t seed = t_seed(1);
	for (enum change what = 0; what < CHANGES; what++)
		for (uint64_t call = 1; crash_at(call, what, seed + call) && !t_bad; call++)
			;
}

/* Seven snapshots, of which one target each is listed no more. */
static struct publish_repo *with_history(struct sim_disk *d)
{
	static const char *const words[] = {"two", "three", "four", "five", "six", "seven"};
	struct publish_repo *r = published(d);
	for (size_t i = 0; i < 6; i++) {
		must(stage(r, "targets", "main/main.vdb", words[i]));
		must(sign(r, "tu", NOW));
		must(commit(r, "o", NOW));
	}
	return r;
}

static bool prune_crash_at(uint64_t call)
{
	const struct publish_prune o = {.keep = 2, .age = 1, .now = NOW + 10};
	struct sim_disk *d = sim_new();
	struct publish_repo *r = with_history(d);
	size_t removed = 0, n;
	d->stop = d->calls + call;
	st_t st = publish_prune(r, &o, &removed, NULL);
	bool stopped = d->stopped;
	T_TRUE(stopped || (st == ST_OK && removed >= 15));
	publish_repo_free(r);
	for (enum sim_crash how = SIM_KILLED; how <= SIM_RANDOM; how++) {
		struct sim_disk *after = sim_crash(d, how, call);
		expect(after, NOW, "main/main.vdb", "seven");
		r = open_repo(after);
		must(publish_prune(r, &o, &removed, &e));
		publish_repo_free(r);
		T_TRUE(!sim_file(after, SIM_PUBLIC, "metadata/5.snapshot.json", &n));
		T_TRUE(sim_file(after, SIM_PUBLIC, "metadata/6.snapshot.json", &n) != NULL);
		T_TRUE(sim_file(after, SIM_PUBLIC, "metadata/1.root.json", &n) != NULL);
		expect(after, NOW, "main/main.vdb", "seven");
		sim_free(after);
	}
	sim_free(d);
	return stopped;
}

static void pruning_can_be_killed_at_any_call(void)
{
	for (uint64_t call = 1; prune_crash_at(call) && !t_bad; call++)
		;
}

static st_t commit_evidence(struct publish_repo *r, const char *proof)
{
	const struct publish_evidence v = {
		.set = "main", .release_proof = rd_make(proof, strlen(proof))};
	struct hands h = hands("o");
	err_clear(&e);
	st_t st = publish_commit_evidence(r, &v, 1, h.v, h.n, NOW, &e);
	hands_done(&h);
	return st;
}

static void proof_is(struct sim_disk *d, const char *a, const char *b)
{
	struct client c = {0};
	char is[64] = "";
	must(client_read(&c, d, NOW, "main/evidence/release.tlog-proof", is));
	if (strcmp(is, a))
		T_STR(is, b);
	client_done(&c);
}

/* Whether somebody staged other evidence of the set or not. */
static bool evidence_crash_at(uint64_t call, bool other)
{
	struct sim_disk *d = sim_new();
	struct publish_repo *r = published(d);
	if (other)
		must(stage(r, "evidence", "main/evidence/release.tlog-proof", "next"));
	must(stage(r, "targets", "main/main.vdb", "two")); /* waits for signatures */
	d->stop = d->calls + call;
	st_t st = commit_evidence(r, "fresh");
	bool stopped = d->stopped;
	T_TRUE(stopped || st == ST_OK);
	publish_repo_free(r);
	for (enum sim_crash how = SIM_KILLED; how <= SIM_RANDOM; how++) {
		struct sim_disk *after = sim_crash(d, how, call);
		proof_is(after, "proof", "fresh");
		r = open_repo(after);
		must(commit_evidence(r, "fresh"));
		proof_is(after, "fresh", "fresh");
		expect(after, NOW, "main/main.vdb", "one");
		must(sign(r, "tu", NOW));
		must(commit(r, "o", NOW));
		publish_repo_free(r);
		proof_is(after, other ? "next" : "fresh", "");
		expect(after, NOW, "main/main.vdb", "two");
		sim_free(after);
	}
	sim_free(d);
	return stopped;
}

static void evidence_alone_can_be_killed_at_any_call(void)
{
	for (uint64_t call = 1; evidence_crash_at(call, call % 2) && !t_bad; call++)
		;
	for (uint64_t call = 1; evidence_crash_at(call, call % 2 == 0) && !t_bad; call++)
		;
}

/* An init that was cut off can be repeated, or goes on as the staged repository that it made. */
static void an_init_that_was_cut_off_can_be_repeated(void)
{
	bool stopped = true;
	for (uint64_t call = 1; stopped && !t_bad; call++) {
		struct sim_disk *d = sim_new();
		struct publish_init init = usual();
		struct publish_repo *r = NULL;
		d->stop = call;
		st_t st = publish_repo_init(&d->io, SIM_PUBLIC, SIM_PRIVATE, &init, NOW, &r, NULL);
		stopped = d->stopped;
		T_TRUE(stopped || st == ST_OK);
		publish_repo_free(r);
		struct sim_disk *after = sim_crash(d, call % 2 ? SIM_DURABLE : SIM_RANDOM, call);
		err_clear(&e);
		st = publish_repo_init(&after->io, SIM_PUBLIC, SIM_PRIVATE, &init, NOW, &r, &e);
		if (st == ST_CONFLICT)
			r = open_repo(after);
		else
			must(st);
		must(sign(r, "abtu", NOW));
		must(commit(r, "o", NOW));
		publish_repo_free(r);
		sim_free(after);
		sim_free(d);
	}
}

int main(void)
{
	T_RUN(what_is_published_is_what_a_client_reads);
	T_RUN(nothing_is_published_below_a_threshold);
	T_RUN(the_online_key_alone_publishes_evidence_and_nothing_else);
	T_RUN(staging_survives_the_process);
	T_RUN(a_change_after_a_signature_voids_it);
	T_RUN(signatures_come_back_from_other_machines);
	T_RUN(a_file_that_was_changed_on_its_way_is_not_taken);
	T_RUN(a_refresh_leaves_what_is_staged);
	T_RUN(expired_targets_are_not_kept_alive);
	T_RUN(a_root_is_signed_by_the_old_keys_and_the_new);
	T_RUN(new_keys_of_targets_sign_targets_anew);
	T_RUN(a_new_online_key_takes_over);
	T_RUN(impossible_roles_are_refused);
	T_RUN(a_delegated_role_lists_what_it_is_trusted_with);
	T_RUN(what_another_role_shadows_is_not_published);
	T_RUN(same_input_same_bytes);
	T_RUN(a_damaged_staged_file_is_not_published);
	T_RUN(it_is_said_in_words_what_is_signed);
	T_RUN(a_statement_is_signed_once_by_a_key);
	T_RUN(publishers_are_remembered);
	T_RUN(a_flat_form_that_was_cut_or_changed_is_not_taken);
	T_RUN(pruning_can_be_killed_at_any_call);
	T_RUN(evidence_alone_can_be_killed_at_any_call);
	T_RUN(an_init_that_was_cut_off_can_be_repeated);
	T_RUN(a_crash_at_any_call_leaves_the_old_or_the_new);
	return t_end();
}
