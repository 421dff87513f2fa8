/* The TUF client against a server and a store that are tables: what it asks for, what it trusts and
 * keeps, and every attack that the workflow names. */
#include "tuf/client.h"
#include "test/t.h"
#include "tuf_make.h"

#define FILES 48
#define NOW 1900000000 /* 2030-03-17 */
#define LATER "2031-01-01T00:00:00Z"
#define PAST "2030-03-17T17:46:40Z" /* NOW to the second: no longer fresh */

struct table {
	struct {
		char name[300];
		struct buf bytes;
	} file[FILES];
	size_t n;
};

static struct table server, store;
static char asked[2048];   /* what was asked for, each with a space behind */
static int fail_after = -1; /* operations of the store that still work; -1: all */
static struct err e;

static struct buf *slot(struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->file[i].name, name) == 0)
			return &t->file[i].bytes;
	if (t->n == FILES)
		abort();
	snprintf(t->file[t->n].name, sizeof t->file[0].name, "%s", name);
	return &t->file[t->n++].bytes;
}

/* The file's bytes, emptied. */
static struct buf *put(struct table *t, const char *name)
{
	struct buf *b = slot(t, name);
	b->len = 0;
	return b;
}

static void clear(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_done(&t->file[i].bytes);
	t->n = 0;
}

static st_t get(struct table *t, const char *name, size_t max, struct buf *ret, struct err *err)
{
	const struct buf *b = slot(t, name);
	if (b->len == 0)
		return fail(err, ST_NOT_FOUND, 0, "%s: not there", name);
	/* A server that does not keep to the limit: what comes is cut by one byte too late. */
	buf_add(ret, b->data, b->len <= max ? b->len : max + 1);
	return ST_OK;
}

static st_t fetch_get(void *ctx, const char *path, size_t max, struct buf *ret, struct err *err)
{
	(void)ctx;
	size_t n = strlen(asked);
	snprintf(asked + n, sizeof asked - n, "%s ", path);
	return get(&server, path, max, ret, err);
}

static st_t broken(struct err *err)
{
	if (fail_after < 0 || fail_after-- > 0)
		return ST_OK;
	fail_after = 0;
	return fail(err, ST_IO, 0, "the disk is gone");
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *err)
{
	(void)ctx;
	TRY(broken(err));
	return get(&store, name, max, ret, err);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *err)
{
	(void)ctx;
	TRY(broken(err));
	size_t n = rd_left(&bytes);
	buf_add(put(&store, name), rd_take(&bytes, n), n);
	return ST_OK;
}

static st_t store_remove(void *ctx, const char *name, struct err *err)
{
	(void)ctx;
	TRY(broken(err));
	put(&store, name);
	return ST_OK;
}

static const struct tuf_fetch fetch = {.get = fetch_get};
static const struct tuf_store keep = {.get = store_get, .put = store_put, .remove = store_remove};

/* What the repository is; publish() writes it to the server. */
static struct {
	unsigned root, timestamp, snapshot, targets;
	const char *root_keys, *timestamp_keys, *snapshot_keys, *targets_keys;
	const char *root_expires, *timestamp_expires, *snapshot_expires, *targets_expires;
	unsigned root_threshold;
	bool flat;               /* no consistent snapshots */
	bool plain;              /* no lengths and hashes of metadata */
	const char *list;        /* of targets, JSON members */
	const char *delegations; /* JSON, or NULL */
	const char *meta;        /* more members of the snapshot */
	unsigned snapshot_listed, targets_listed; /* if not those above */
} repo;

static const char *named(const char *name, unsigned version)
{
	static char text[100];
	if (repo.flat)
		snprintf(text, sizeof text, "%s.json", name);
	else
		snprintf(text, sizeof text, "%u.%s.json", version, name);
	return text;
}

static void head(struct buf *b, const char *type, unsigned version, const char *expires)
{
	make_fmt(b, "{\"_type\":\"%s\",\"spec_version\":\"1.0.34\",\"version\":%u,\"expires\":\"%s\",",
	         type, version, expires ? expires : LATER);
}

static void publish_root(const char *signers)
{
	struct buf b = {0};
	char name[40], all[64];
	snprintf(all, sizeof all, "%s%s%s%s", repo.root_keys, repo.timestamp_keys, repo.snapshot_keys,
	         repo.targets_keys);
	head(&b, "root", repo.root, repo.root_expires);
	make_fmt(&b, "\"consistent_snapshot\":%s,\"keys\":", repo.flat ? "false" : "true");
	make_keys(&b, all);
	make_fmt(&b, ",\"roles\":{\"root\":");
	make_role(&b, repo.root_keys, repo.root_threshold);
	make_fmt(&b, ",\"timestamp\":");
	make_role(&b, repo.timestamp_keys, 1);
	make_fmt(&b, ",\"snapshot\":");
	make_role(&b, repo.snapshot_keys, 1);
	make_fmt(&b, ",\"targets\":");
	make_role(&b, repo.targets_keys, 1);
	make_fmt(&b, "}}%c", 0);
	snprintf(name, sizeof name, "%u.root.json", repo.root);
	make_signed(put(&server, name), (const char *)b.data, signers);
	buf_done(&b);
}

static void publish_timestamp(void)
{
	struct buf b = {0};
	const struct buf *snapshot = slot(&server, named("snapshot", repo.snapshot));
	unsigned listed = repo.snapshot_listed ? repo.snapshot_listed : repo.snapshot;
	head(&b, "timestamp", repo.timestamp, repo.timestamp_expires);
	make_fmt(&b, "\"meta\":{\"snapshot.json\":");
	make_file(&b, listed, repo.plain ? NULL : snapshot);
	make_fmt(&b, "}}%c", 0);
	make_signed(put(&server, "timestamp.json"), (const char *)b.data, repo.timestamp_keys);
	buf_done(&b);
}

static void publish_snapshot(void)
{
	struct buf b = {0};
	const struct buf *targets = slot(&server, named("targets", repo.targets));
	head(&b, "snapshot", repo.snapshot, repo.snapshot_expires);
	make_fmt(&b, "\"meta\":{\"targets.json\":");
	make_file(&b, repo.targets_listed ? repo.targets_listed : repo.targets,
	          repo.plain ? NULL : targets);
	make_fmt(&b, "%s}}%c", repo.meta ? repo.meta : "", 0);
	make_signed(put(&server, named("snapshot", repo.snapshot)), (const char *)b.data,
	            repo.snapshot_keys);
	buf_done(&b);
}

/* A targets file of any role. */
static void publish_role(const char *name, unsigned version, const char *list,
                         const char *delegations, const char *expires, const char *signers)
{
	struct buf b = {0};
	head(&b, "targets", version, expires);
	make_fmt(&b, "\"targets\":{%s}", list ? list : "");
	if (delegations)
		make_fmt(&b, ",\"delegations\":%s", delegations);
	make_fmt(&b, "}%c", 0);
	make_signed(put(&server, named(name, version)), (const char *)b.data, signers);
	buf_done(&b);
}

static void publish(void)
{
	publish_role("targets", repo.targets, repo.list, repo.delegations, repo.targets_expires,
	             repo.targets_keys);
	publish_snapshot();
	publish_timestamp();
}

/* A repository of version 1, whose root the client has. */
static void begin(void)
{
	clear(&server);
	clear(&store);
	memset(&repo, 0, sizeof repo);
	repo.root = repo.timestamp = repo.snapshot = repo.targets = repo.root_threshold = 1;
	repo.root_keys = "a";
	repo.timestamp_keys = "b";
	repo.snapshot_keys = "c";
	repo.targets_keys = "d";
	fail_after = -1;
	publish_root("a");
	publish();
	const struct buf *root = slot(&server, "1.root.json");
	buf_add(put(&store, "root.json"), root->data, root->len);
}

static st_t refresh(void)
{
	struct tuf_client c;
	asked[0] = 0;
	err_clear(&e);
	st_t st = tuf_refresh(&fetch, &keep, NOW, &c, &e);
	tuf_client_done(&c);
	return st;
}

static void refuse(st_t st, const char *why)
{
	T_EQ(refresh(), st);
	if (!strstr(e.text, why))
		T_FAIL("\"%s\" is not why: \"%s\"", why, e.text);
}

/* Whether the client keeps just what the server has there. */
static bool kept(const char *name, const char *path)
{
	const struct buf *a = slot(&store, name), *b = slot(&server, path);
	return a->len == b->len && a->len && memcmp(a->data, b->data, a->len) == 0;
}

static void a_refresh_asks_in_order_and_keeps_bytes_as_they_came(void)
{
	begin();
	buf_add(slot(&server, "timestamp.json"), " \n", 2);
	T_EQ(refresh(), ST_OK);
	T_STR(asked, "2.root.json timestamp.json 1.snapshot.json 1.targets.json ");
	T_TRUE(kept("timestamp.json", "timestamp.json"));
	T_TRUE(kept("snapshot.json", "1.snapshot.json"));
	T_TRUE(kept("targets.json", "1.targets.json"));
	T_EQ(refresh(), ST_OK);
	T_STR(asked, "2.root.json timestamp.json ");
	begin();
	repo.flat = true;
	publish_root("a");
	publish();
	buf_add(put(&store, "root.json"), slot(&server, "1.root.json")->data,
	        slot(&server, "1.root.json")->len);
	T_EQ(refresh(), ST_OK);
	T_STR(asked, "2.root.json timestamp.json snapshot.json targets.json ");
}

static void roots_are_signed_by_the_old_and_the_new_keys(void)
{
	begin();
	repo.root = 2;
	repo.root_keys = "xy";
	repo.root_threshold = 2;
	publish_root("xy");
	refuse(ST_BAD_SIG, "root: signed by 0 of the 1");
	publish_root("ax");
	refuse(ST_BAD_SIG, "root: signed by 1 of the 2");
	T_TRUE(kept("root.json", "1.root.json"));
	publish_root("axy");
	T_EQ(refresh(), ST_OK);
	T_TRUE(kept("root.json", "2.root.json"));
	repo.root = 3;
	publish_root("xy");
	T_EQ(refresh(), ST_OK);
	T_TRUE(kept("root.json", "3.root.json"));
}

static void a_root_is_the_next_version_exactly(void)
{
	begin();
	repo.root = 3;
	publish_root("a");
	buf_add(put(&server, "2.root.json"), slot(&server, "3.root.json")->data,
	        slot(&server, "3.root.json")->len);
	refuse(ST_CONFLICT, "root: rollback");
	buf_add(put(&server, "2.root.json"), slot(&server, "1.root.json")->data,
	        slot(&server, "1.root.json")->len);
	refuse(ST_CONFLICT, "root: rollback");
}

static void only_the_last_root_must_be_fresh(void)
{
	begin();
	repo.root = 2;
	repo.root_expires = PAST;
	publish_root("a");
	refuse(ST_TIMEOUT, "root: version 2 expired");
	T_TRUE(kept("root.json", "2.root.json"));
	T_STR(asked, "2.root.json 3.root.json ");
	repo.root = 3;
	repo.root_expires = NULL;
	publish_root("a");
	T_EQ(refresh(), ST_OK);
}

static void without_a_good_root_nothing_is_asked_for(void)
{
	begin();
	put(&store, "root.json");
	T_EQ(refresh(), ST_NOT_FOUND);
	publish_root("x");
	buf_add(slot(&store, "root.json"), slot(&server, "1.root.json")->data,
	        slot(&server, "1.root.json")->len);
	T_EQ(refresh(), ST_BAD_SIG);
	T_STR(asked, "");
}

static void a_timestamp_never_goes_back(void)
{
	begin();
	repo.timestamp = 5;
	repo.snapshot = 5;
	publish();
	T_EQ(refresh(), ST_OK);
	struct buf before = {0};
	buf_add(&before, slot(&store, "timestamp.json")->data, slot(&store, "timestamp.json")->len);
	repo.timestamp = 4;
	publish();
	refuse(ST_CONFLICT, "timestamp: rollback: version 4, trusted is 5");
	repo.timestamp = 6;
	repo.snapshot = 4;
	publish();
	refuse(ST_CONFLICT, "timestamp: rollback: lists version 4");
	/* The same version with another content is not looked at. */
	repo.timestamp = 5;
	repo.snapshot = 6;
	publish();
	T_EQ(refresh(), ST_OK);
	T_STR(asked, "2.root.json timestamp.json ");
	T_EQ(slot(&store, "timestamp.json")->len, before.len);
	T_MEM(slot(&store, "timestamp.json")->data, before.data, before.len);
	buf_done(&before);
}

static void expired_metadata_is_a_freeze(void)
{
	begin();
	repo.timestamp_expires = PAST;
	publish();
	refuse(ST_TIMEOUT, "timestamp: version 1 expired");
	T_EQ(slot(&store, "timestamp.json")->len, 0);
	repo.timestamp_expires = NULL;
	repo.snapshot_expires = PAST;
	publish();
	refuse(ST_TIMEOUT, "snapshot: version 1 expired");
	T_EQ(slot(&store, "snapshot.json")->len, 0);
	begin();
	repo.targets_expires = PAST;
	publish();
	refuse(ST_TIMEOUT, "targets: version 1 expired");
	T_EQ(slot(&store, "targets.json")->len, 0);
	/* What is already trusted expires too. */
	begin();
	T_EQ(refresh(), ST_OK);
	struct tuf_client c;
	T_EQ(tuf_refresh(&fetch, &keep, NOW + 40000000, &c, NULL), ST_TIMEOUT);
	tuf_client_done(&c);
	/* And no later date on the same version of a timestamp helps. */
	begin();
	repo.timestamp_expires = "2030-06-01T00:00:00Z";
	publish();
	T_EQ(refresh(), ST_OK);
	repo.timestamp_expires = NULL;
	publish();
	T_EQ(tuf_refresh(&fetch, &keep, NOW + 10000000, &c, NULL), ST_TIMEOUT);
	tuf_client_done(&c);
}

static void a_snapshot_is_the_one_that_the_timestamp_means(void)
{
	begin();
	slot(&server, "1.snapshot.json")->data[20] ^= 1;
	refuse(ST_BAD_SUM, "snapshot: its SHA-256");
	buf_u8(slot(&server, "1.snapshot.json"), ' ');
	refuse(ST_LIMIT, "snapshot: more than");
	slot(&server, "1.snapshot.json")->len -= 2;
	refuse(ST_BAD_SUM, "announced");
	begin();
	repo.plain = true;
	repo.snapshot = 2;
	publish();
	repo.snapshot_listed = 3;
	publish_timestamp();
	buf_add(put(&server, "3.snapshot.json"), slot(&server, "2.snapshot.json")->data,
	        slot(&server, "2.snapshot.json")->len);
	refuse(ST_CONFLICT, "snapshot: has version 2, listed is 3");
	put(&server, "3.snapshot.json");
	T_EQ(refresh(), ST_NOT_FOUND);
	begin();
	repo.snapshot_keys = "x";
	publish();
	refuse(ST_BAD_SIG, "snapshot: signed by 0");
}

static void a_snapshot_forgets_nothing(void)
{
	begin();
	repo.targets = 3;
	repo.meta = ",\"role.json\":{\"version\":2}";
	publish();
	T_EQ(refresh(), ST_OK);
	repo.snapshot = repo.timestamp = 2;
	repo.meta = NULL;
	publish();
	refuse(ST_CONFLICT, "\"role.json\" is no longer listed");
	repo.meta = ",\"role.json\":{\"version\":1}";
	repo.timestamp = 3;
	publish();
	refuse(ST_CONFLICT, "\"role.json\" went from version 2 to 1");
	repo.meta = ",\"role.json\":{\"version\":2}";
	repo.timestamp = 4;
	repo.targets = 2;
	publish();
	refuse(ST_CONFLICT, "\"targets.json\" went from version 3 to 2");
	T_TRUE(kept("snapshot.json", "1.snapshot.json"));
}

static void targets_are_those_that_the_snapshot_means(void)
{
	begin();
	slot(&server, "1.targets.json")->data[20] ^= 1;
	refuse(ST_BAD_SUM, "targets: its SHA-256");
	begin();
	repo.plain = true;
	repo.targets_listed = 2;
	publish();
	buf_add(put(&server, "2.targets.json"), slot(&server, "1.targets.json")->data,
	        slot(&server, "1.targets.json")->len);
	refuse(ST_CONFLICT, "targets: has version 1, listed is 2");
	begin();
	repo.targets_keys = "x";
	publish();
	refuse(ST_BAD_SIG, "targets: signed by 0");
}

static void keys_of_other_roles_do_not_count(void)
{
	begin();
	repo.plain = true;
	publish();
	publish_role("targets", 1, NULL, NULL, NULL, "abc");
	refuse(ST_BAD_SIG, "targets: signed by 0");
	begin();
	repo.root = 2;
	publish_root("bcd");
	refuse(ST_BAD_SIG, "root: signed by 0");
}

static void rotated_keys_make_up_for_versions_far_ahead(void)
{
	for (size_t i = 0; i < 3; i++) {
		begin();
		repo.timestamp = repo.snapshot = repo.targets = 99;
		publish();
		T_EQ(refresh(), ST_OK);
		repo.root = 2;
		repo.timestamp = repo.snapshot = repo.targets = 2;
		repo.timestamp_keys = i == 0 ? "x" : "by"; /* one more is no rotation */
		repo.snapshot_keys = i == 1 ? "z" : "c";
		publish_root("a");
		publish();
		T_EQ(refresh(), i < 2 ? ST_OK : ST_CONFLICT);
		if (i < 2)
			T_TRUE(kept("targets.json", "2.targets.json"));
		else
			T_TRUE(strstr(e.text, "rollback") != NULL);
	}
}

static void endless_data_ends_at_the_limit(void)
{
	static const struct {
		const char *name;
		size_t max;
	} files[] = {{"2.root.json", TUF_ROOT_MAX}, {"timestamp.json", TUF_TIMESTAMP_MAX},
	             {"1.snapshot.json", TUF_SNAPSHOT_MAX}, {"1.targets.json", TUF_TARGETS_MAX}};
	for (size_t i = 0; i < 4; i++) {
		begin();
		repo.plain = true;
		publish();
		struct buf *b = slot(&server, files[i].name);
		buf_fill(b, ' ', files[i].max + 1 - b->len);
		refuse(ST_LIMIT, "more than");
	}
}

static void a_store_that_was_touched_is_not_trusted(void)
{
	static const char *const names[] = {"timestamp.json", "snapshot.json", "targets.json"};
	for (size_t i = 0; i < 3; i++) {
		begin();
		T_EQ(refresh(), ST_OK);
		slot(&store, names[i])->data[30] ^= 1;
		T_EQ(refresh(), ST_OK);
		char path[40];
		snprintf(path, sizeof path, "%s%s", i ? "1." : "", names[i]);
		T_TRUE(kept(names[i], path));
	}
}

/* Whatever operation of the store fails, the refresh fails, and the next one makes up for it. */
static void a_failing_disk_never_leaves_less_than_before(void)
{
	st_t st = ST_IO;
	int n = 0;
	for (; st != ST_OK && n < 40; n++) {
		begin();
		T_EQ(refresh(), ST_OK);
		repo.root = repo.timestamp = repo.snapshot = repo.targets = 2;
		repo.timestamp_keys = "x";
		publish_root("a");
		publish();
		fail_after = n;
		st = refresh();
		T_TRUE(st == ST_OK || st == ST_IO);
		fail_after = -1;
		T_EQ(refresh(), ST_OK);
		T_TRUE(kept("root.json", "2.root.json"));
		T_TRUE(kept("timestamp.json", "timestamp.json"));
		T_TRUE(kept("snapshot.json", "2.snapshot.json"));
		T_TRUE(kept("targets.json", "2.targets.json"));
	}
	T_TRUE(n > 8 && n < 40);
}

#define SHA_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define A_FILE "{\"length\":1,\"hashes\":{\"sha256\":\"" SHA_A "\"}}"

/* Appends a delegation to roles; keys are a byte each. */
static const char *roles(const char *keys, const char *const *role, size_t n)
{
	static struct buf b[4];
	static unsigned turn;
	struct buf *d = &b[turn++ % 4];
	d->len = 0;
	make_fmt(d, "{\"keys\":");
	make_keys(d, keys);
	make_fmt(d, ",\"roles\":[");
	for (size_t i = 0; i < n; i++)
		make_fmt(d, "%s%s", i ? "," : "", role[i]);
	make_fmt(d, "]}%c", 0);
	return (const char *)d->data;
}

#define ROLE(name, key, path, terminating)                                              \
	"{\"name\":\"" name "\",\"keyids\":[\"" key "\"],\"threshold\":1,\"paths\":[\"" path \
	"\"],\"terminating\":" terminating "}"
#define LIST(...) (const char *const[]){__VA_ARGS__}, \
	sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static char found_in[TUF_ROLE_NAME_MAX + 1], found_at[300];

/* Refreshes, then looks for each path in turn with one client; what the last one gave. */
static st_t find(const char *const *path, size_t n)
{
	struct tuf_client c;
	struct tuf_target t;
	err_clear(&e);
	st_t st = tuf_refresh(&fetch, &keep, NOW, &c, &e);
	T_EQ(st, ST_OK);
	asked[0] = 0;
	for (size_t i = 0; i < n; i++) {
		err_clear(&e);
		st = tuf_find_target(&c, path[i], &t, &e);
		if (st != ST_OK)
			continue;
		snprintf(found_in, sizeof found_in, "%s", t.role);
		snprintf(found_at, sizeof found_at, "%s", (const char *)t.url.data);
		tuf_target_done(&t);
	}
	tuf_client_done(&c);
	return st;
}

static st_t find_one(const char *path)
{
	return find(&path, 1);
}

static void targets_have_their_hash_in_the_url(void)
{
	begin();
	repo.list = "\"d i/a\":" A_FILE ",\"x\":{\"length\":1,\"hashes\":{\"md5\":\"00\"}},"
	            "\"../a\":" A_FILE;
	publish();
	T_EQ(find_one("d i/a"), ST_OK);
	T_STR(found_in, "targets");
	T_STR(found_at, "d%20i/" SHA_A ".a");
	T_EQ(find_one("a"), ST_NOT_FOUND);
	T_EQ(find_one("x"), ST_UNSUPPORTED);
	T_EQ(find_one("../a"), ST_UNSUPPORTED);
}

/* targets -> A (a*), B (*); A -> C (*); C -> A (a loop); B -> A, D (*, terminating), E (*). */
static void make_graph(const char *c_list, const char *e_list)
{
	begin();
	repo.delegations = roles("ef", LIST(ROLE("A", "k65", "a*", "false"),
	                                    ROLE("B", "k66", "*", "false")));
	repo.meta = ",\"A.json\":{\"version\":1},\"B.json\":{\"version\":1},\"C.json\":{\"version\":1},"
	            "\"D.json\":{\"version\":1},\"E.json\":{\"version\":1}";
	publish();
	publish_role("A", 1, NULL, roles("g", LIST(ROLE("C", "k67", "*", "false"))), NULL, "e");
	publish_role("B", 1, NULL, roles("efhi", LIST(ROLE("A", "k65", "*", "false"),
	                                              ROLE("D", "k68", "*", "true"),
	                                              ROLE("E", "k69", "*", "false"))), NULL, "f");
	publish_role("C", 1, c_list, roles("e", LIST(ROLE("A", "k65", "*", "false"))), NULL, "g");
	publish_role("D", 1, NULL, NULL, NULL, "h");
	publish_role("E", 1, e_list, NULL, NULL, "i");
}

static void delegations_are_searched_depth_first_in_order(void)
{
	make_graph("\"ab\":" A_FILE ",\"b\":" A_FILE, "\"az\":" A_FILE);
	T_EQ(find_one("ab"), ST_OK);
	T_STR(asked, "1.A.json 1.C.json ");
	T_STR(found_in, "C");
	/* A is not trusted with "b", D ends the search before E, nobody is visited twice. */
	make_graph(NULL, "\"az\":" A_FILE);
	T_EQ(find_one("az"), ST_NOT_FOUND);
	T_STR(asked, "1.A.json 1.C.json 1.B.json 1.D.json ");
	T_EQ(find_one("az"), ST_NOT_FOUND);
	T_STR(asked, "");
}

static void a_role_that_cannot_be_had_ends_the_search(void)
{
	make_graph("\"ab\":" A_FILE, NULL);
	put(&server, "1.A.json");
	T_EQ(find_one("ab"), ST_NOT_FOUND);
	T_STR(asked, "1.A.json ");
	make_graph("\"ab\":" A_FILE, NULL);
	publish_role("A", 1, NULL, NULL, PAST, "e");
	T_EQ(find_one("ab"), ST_TIMEOUT);
	publish_role("A", 1, NULL, NULL, NULL, "f");
	T_EQ(find_one("ab"), ST_BAD_SIG);
	make_graph("\"ab\":" A_FILE, NULL);
	repo.meta = ",\"A.json\":{\"version\":1,\"length\":100000}";
	publish();
	T_EQ(find_one("ab"), ST_BAD_SUM);
	repo.meta = ",\"A.json\":{\"version\":1,\"length\":100}";
	repo.snapshot = repo.timestamp = 2;
	publish();
	T_EQ(find_one("ab"), ST_LIMIT);
	make_graph("\"ab\":" A_FILE, NULL);
	repo.meta = NULL;
	publish();
	T_EQ(find_one("ab"), ST_NOT_FOUND);
	T_STR(asked, "");
	T_TRUE(strstr(e.text, "\"A.json\" is not listed") != NULL);
}

/* Two delegators name one role with keys of their own; only the first one's signed it. */
static void a_role_is_verified_for_each_delegator(void)
{
	begin();
	repo.delegations = roles("ef", LIST(ROLE("A", "k65", "a/*", "false"),
	                                    ROLE("B", "k66", "b/*", "false")));
	repo.meta = ",\"A.json\":{\"version\":1},\"B.json\":{\"version\":1},\"R.json\":{\"version\":1}";
	publish();
	publish_role("A", 1, NULL, roles("g", LIST(ROLE("R", "k67", "a/*", "false"))), NULL, "e");
	publish_role("B", 1, NULL, roles("h", LIST(ROLE("R", "k68", "b/*", "false"))), NULL, "f");
	publish_role("R", 1, "\"a/x\":" A_FILE ",\"b/x\":" A_FILE, NULL, NULL, "g");
	T_EQ(find_one("a/x"), ST_OK);
	T_EQ(find((const char *const[]){"a/x", "b/x"}, 2), ST_BAD_SIG);
}

static void names_of_roles_cannot_leave_their_folder(void)
{
	begin();
	repo.delegations = roles("e", LIST(ROLE("../x/?", "k65", "*", "false")));
	repo.meta = ",\"../x/?.json\":{\"version\":1}";
	publish();
	publish_role("..%2Fx%2F%3F", 1, "\"a\":" A_FILE, NULL, NULL, "e");
	T_EQ(find_one("a"), ST_OK);
	T_STR(found_in, "../x/?");
	T_TRUE(kept("..%2Fx%2F%3F.json", "1...%2Fx%2F%3F.json"));
}

static void the_number_of_roles_is_limited(void)
{
	struct buf meta = {0};
	begin();
	repo.delegations = roles("e", LIST(ROLE("r1", "k65", "*", "false")));
	for (unsigned i = 1; i <= TUF_ROLES_MAX + 1; i++) {
		struct buf d = {0};
		char name[16];
		make_fmt(&meta, ",\"r%u.json\":{\"version\":1}", i);
		make_fmt(&d, "{\"keys\":");
		make_keys(&d, "e");
		make_fmt(&d, ",\"roles\":[{\"name\":\"r%u\",\"keyids\":[\"k65\"],\"threshold\":1,"
		         "\"paths\":[\"*\"]}]}%c", i + 1, 0);
		snprintf(name, sizeof name, "r%u", i);
		publish_role(name, 1, i == TUF_ROLES_MAX ? "\"last\":" A_FILE : "\"in\":" A_FILE,
		             (const char *)d.data, NULL, "e");
		buf_done(&d);
	}
	buf_u8(&meta, 0);
	repo.meta = (const char *)meta.data;
	publish();
	T_EQ(find_one("last"), ST_OK);
	T_EQ(find_one("none"), ST_LIMIT);
	buf_done(&meta);
}

int main(void)
{
	T_RUN(a_refresh_asks_in_order_and_keeps_bytes_as_they_came);
	T_RUN(roots_are_signed_by_the_old_and_the_new_keys);
	T_RUN(a_root_is_the_next_version_exactly);
	T_RUN(only_the_last_root_must_be_fresh);
	T_RUN(without_a_good_root_nothing_is_asked_for);
	T_RUN(a_timestamp_never_goes_back);
	T_RUN(expired_metadata_is_a_freeze);
	T_RUN(a_snapshot_is_the_one_that_the_timestamp_means);
	T_RUN(a_snapshot_forgets_nothing);
	T_RUN(targets_are_those_that_the_snapshot_means);
	T_RUN(keys_of_other_roles_do_not_count);
	T_RUN(rotated_keys_make_up_for_versions_far_ahead);
	T_RUN(endless_data_ends_at_the_limit);
	T_RUN(a_store_that_was_touched_is_not_trusted);
	T_RUN(a_failing_disk_never_leaves_less_than_before);
	T_RUN(targets_have_their_hash_in_the_url);
	T_RUN(delegations_are_searched_depth_first_in_order);
	T_RUN(a_role_that_cannot_be_had_ends_the_search);
	T_RUN(a_role_is_verified_for_each_delegator);
	T_RUN(names_of_roles_cannot_leave_their_folder);
	T_RUN(the_number_of_roles_is_limited);
	clear(&server);
	clear(&store);
	return t_end();
}
