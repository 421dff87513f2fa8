/* What a release consists of, in a repository on the disk: its statement is what clients read,
 * files and deltas lead to the database, evidence is without gaps, and nothing is published that
 * waits for the log. */
#include "attest/set_release.h"
#include "crypto/digest.h"
#include "pack/delta.h"
#include "pack/zstd.h"
#include "publish/release.h"
#include "test/t.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1900000000)

static struct err e;
static char folder[64];

static void must(st_t st)
{
	if (st != ST_OK)
		T_FAIL("%s: %s", st_name(st), e.text);
	err_clear(&e);
}

static struct signer *key(void)
{
	static const uint8_t seed[32] = "everybody";
	static struct signer *s;
	if (!s && signer_new(SIGNER_ED25519, seed, &s, NULL) != ST_OK)
		abort();
	return s;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *f)
{
	(void)s;
	(void)kind;
	(void)f;
	return remove(path);
}

/* A repository in a new folder, where one key signs for everything. */
static struct publish_repo *begin(void)
{
	struct publish_init init = {.lifetimes = publish_lifetimes_default};
	struct publish_role_keys k = {.n = 1, .threshold = 1};
	struct publish_repo *r = NULL;
	char path[96];
	attest_key_from_ed25519(key()->pub, &k.v[0].key);
	for (int i = 0; i < TUF_TYPES; i++)
		init.role[i] = k;
	init.evidence = k;
	snprintf(folder, sizeof folder, "/tmp/vitrine-release-XXXXXX");
	T_TRUE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/repo", folder);
	T_EQ(mkdir(path, 0700), 0);
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof path, "%s/private", folder);
	T_EQ(mkdir(path, 0700), 0);
	must(publish_repo_init(&log_io_system, dir, open(path, O_RDONLY | O_DIRECTORY), &init, NOW, &r,
	                       &e));
	return r;
}

static void end(struct publish_repo *r)
{
	publish_repo_free(r);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
}

static st_t commit(struct publish_repo *r)
{
	struct signer *s = key();
	err_clear(&e);
	st_t st = publish_sign(r, &s, 1, NOW, &e);
	return st == ST_OK ? publish_commit(r, &s, 1, NOW, &e) : st;
}

/* 200 kB that no compressor makes smaller, with a word of its own in the middle. */
static int content(const char *word)
{
	int fd = memfd_create("content", 0);
	uint32_t x = 1;
	static uint8_t b[200000];
	for (size_t i = 0; i < sizeof b; i++) {
		x = x * 1664525 + 1013904223;
		b[i] = (uint8_t)(x >> 24);
	}
	memcpy(b + sizeof b / 2, word, strlen(word));
	T_EQ(write(fd, b, sizeof b), (int64_t)sizeof b);
	return fd;
}

static struct publish_release release(uint64_t version, const char *word)
{
	return (struct publish_release){
		.set = "main",
		.version = version,
		.pua = true,
		.database = 2,
		.builder = "https://builder.example",
		.vitrine = "0",
		.now = NOW,
		.vdb_fd = content(word),
		.source_fd = content("source"),
	};
}

static void publish(struct publish_repo *r, uint64_t version, const char *word, unsigned deltas)
{
	const struct publish_release p = release(version, word);
	must(publish_release_stage(r, &p, rd_make("{}", 2), deltas, &e));
	must(commit(r));
}

static bool is_listed(struct publish_repo *r, const char *path)
{
	struct tuf_file f;
	return publish_find_target(r, path, &f, NULL) == ST_OK;
}

static void sha256_of(int fd, uint8_t ret[32])
{
	struct stat s;
	T_EQ(fstat(fd, &s), 0);
	void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
	must(digest_bytes(DIGEST_SHA256, p, (size_t)s.st_size, ret, &e));
	munmap(p, (size_t)s.st_size);
}

static void expect_same(int fd, const char *word)
{
	uint8_t a[32], b[32];
	sha256_of(fd, a);
	sha256_of(content(word), b);
	T_MEM(a, b, 32);
}

static void delta_name(const char *word, char ret[80])
{
	uint8_t sha256[32];
	char hex[65];
	sha256_of(content(word), sha256);
	hex_encode(sha256, 32, hex);
	snprintf(ret, 80, "main/delta/main.vdb-%.16s", hex);
}

static bool has_delta(struct publish_repo *r, const char *word)
{
	char path[80];
	delta_name(word, path);
	return is_listed(r, path);
}

/* The published delta from the one leads to the other. */
static void expect_delta(struct publish_repo *r, const char *from, const char *to)
{
	char path[80];
	int delta, out = memfd_create("new", 0);
	delta_name(from, path);
	must(publish_open_target(r, path, &delta, &e));
	must(delta_apply(content(from), delta, 200000, out, &e));
	expect_same(out, to);
}

static void statement_is_read_as_it_was_meant(void)
{
	struct publish_release p = release(7, "one");
	struct set_release_dependency d = {.file = {.name = "daily.cvd"}, .origin = "by itself"};
	struct buf b = {0};
	struct set_release s;
	uint8_t sha256[32];
	p.imported = &d;
	p.nimported = 1;
	must(publish_release_statement(&p, &b, &e));
	must(set_release_parse(rd_make(b.data, b.len), &s, &e));
	T_STR(s.set, "main");
	T_STR(s.builder, "https://builder.example");
	T_EQ(s.version, 7);
	T_EQ(s.database, 2);
	T_TRUE(s.pua && !s.strict && !s.clamav);
	sha256_of(p.vdb_fd, sha256);
	T_MEM(s.vdb, sha256, 32);
	sha256_of(p.source_fd, sha256);
	T_MEM(s.source, sha256, 32);
	buf_u8(&b, 0);
	T_TRUE(strstr((char *)b.data, "\"name\":\"daily.cvd\"") != NULL);
	T_TRUE(strstr((char *)b.data, "\"annotations\":{\"origin\":\"by itself\"}") != NULL);
	T_TRUE(strstr((char *)b.data, "\"startedOn\":\"2030-03-17T17:46:40Z\"") != NULL);
	buf_done(&b);
}

static void what_no_reader_takes_is_not_stated(void)
{
	static const struct {
		const char *set;
		uint64_t version;
	} bad[] = {{"", 1}, {"Main", 1}, {"a/b", 1}, {"..", 1}, {"main", 0},
	           {"main", UINT64_C(1) << 53}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct publish_release p = release(bad[i].version, "one");
		struct buf b = {0};
		p.set = bad[i].set;
		T_TRUE(publish_release_statement(&p, &b, NULL) != ST_OK);
		buf_done(&b);
	}
}

static void compressed_files_lead_to_the_files(void)
{
	struct publish_repo *r = begin();
	int fd, out = memfd_create("out", 0);
	struct stat s;
	publish(r, 1, "one", 7);
	T_TRUE(is_listed(r, "main/source.tar") && is_listed(r, "main/source.tar.zst"));
	T_TRUE(is_listed(r, "main/release.dsse"));
	must(publish_open_target(r, "main/main.vdb", &fd, &e));
	expect_same(fd, "one");
	must(publish_open_target(r, "main/main.vdb.zst", &fd, &e));
	T_EQ(fstat(fd, &s), 0);
	must(pack_decompress(fd, (uint64_t)s.st_size, 200000, out, &e));
	expect_same(out, "one");
	end(r);
}

static void deltas_lead_from_each_of_the_last_releases(void)
{
	struct publish_repo *r = begin();
	publish(r, 1, "one", 7);
	T_TRUE(!has_delta(r, "one"));
	publish(r, 2, "two", 7);
	expect_delta(r, "one", "two");
	publish(r, 3, "three", 7);
	expect_delta(r, "one", "three");
	expect_delta(r, "two", "three");
	end(r);
}

static void deltas_from_older_releases_than_wanted_go(void)
{
	struct publish_repo *r = begin();
	publish(r, 1, "one", 7);
	publish(r, 2, "two", 7);
	publish(r, 3, "three", 1);
	T_TRUE(!has_delta(r, "one"));
	expect_delta(r, "two", "three");
	publish(r, 4, "four", 0);
	T_TRUE(!has_delta(r, "two") && !has_delta(r, "three"));
	end(r);
}

static void nothing_leads_from_a_file_to_itself(void)
{
	struct publish_repo *r = begin();
	publish(r, 1, "one", 7);
	publish(r, 2, "one", 7);
	T_TRUE(!has_delta(r, "one"));
	publish(r, 3, "two", 7);
	publish(r, 4, "one", 7);
	T_TRUE(!has_delta(r, "one"));
	expect_delta(r, "two", "one");
	end(r);
}

static void damaged_or_missing_old_files_are_no_reason_to_fail(void)
{
	struct publish_repo *r = begin();
	char path[200], hex[65];
	uint8_t sha256[32];
	publish(r, 1, "one", 7);
	publish(r, 2, "two", 7);
	sha256_of(content("one"), sha256);
	hex_encode(sha256, 32, hex);
	snprintf(path, sizeof path, "%s/repo/targets/main/%s.main.vdb", folder, hex);
	T_EQ(truncate(path, 1000), 0);
	publish(r, 3, "three", 7);
	T_TRUE(!has_delta(r, "one"));
	T_EQ(unlink(path), 0);
	publish(r, 4, "four", 7);
	T_TRUE(!has_delta(r, "one"));
	expect_delta(r, "two", "four");
	end(r);
}

static struct publish_evidence evidence(const char *set, const char *proof, size_t n)
{
	struct publish_evidence v = {
		.set = set, .release_proof = rd_make(proof, strlen(proof)), .n = n};
	for (size_t i = 0; i < PUBLISH_REBUILDS_MAX; i++)
		v.rebuild[i] = (struct publish_rebuild){rd_make("{}", 2), rd_make("p", 1)};
	return v;
}

static st_t stage_evidence(struct publish_repo *r, const char *set, const char *proof, size_t n)
{
	const struct publish_evidence v = evidence(set, proof, n);
	err_clear(&e);
	return publish_evidence_stage(r, &v, &e);
}

static void verdicts_are_numbered_without_gaps(void)
{
	struct publish_repo *r = begin();
	must(stage_evidence(r, "main", "proof", 3));
	must(commit(r));
	T_TRUE(is_listed(r, "main/evidence/release.tlog-proof"));
	T_TRUE(is_listed(r, "main/evidence/rebuild-3.tlog-proof"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-4.dsse"));
	must(stage_evidence(r, "main", "proof", 1));
	must(commit(r));
	T_TRUE(is_listed(r, "main/evidence/rebuild-1.dsse"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-2.dsse"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-3.tlog-proof"));
	must(stage_evidence(r, "main", "proof", PUBLISH_REBUILDS_MAX));
	T_EQ(stage_evidence(r, "main", "proof", PUBLISH_REBUILDS_MAX + 1), ST_LIMIT);
	T_EQ(stage_evidence(r, "../main", "proof", 1), ST_MALFORMED);
	err_clear(&e);
	end(r);
}

static bool has_published(struct publish_repo *r, const char *path)
{
	int fd = -1;
	bool has = publish_open_target(r, path, &fd, NULL) == ST_OK;
	close(fd);
	return has;
}

static st_t commit_evidence(struct publish_repo *r, const char *set, const char *proof, size_t n)
{
	struct signer *online = key();
	const struct publish_evidence v = evidence(set, proof, n);
	err_clear(&e);
	st_t st = publish_commit_evidence(r, &v, 1, &online, 1, NOW + 60, &e);
	return st;
}

static void expect_proof(struct publish_repo *r, const char *path, const char *text)
{
	int fd = -1;
	char is[16] = "";
	must(publish_open_target(r, path, &fd, &e));
	T_TRUE(pread(fd, is, sizeof is - 1, 0) >= 0);
	T_STR(is, text);
	close(fd);
}

/* Evidence of what is published goes its own way; a release that waits keeps its own. */
static void evidence_is_published_alone_while_something_else_waits(void)
{
	static const char main_proof[] = "main/evidence/release.tlog-proof";
	static const char other_proof[] = "other/evidence/release.tlog-proof";
	const struct publish_pending p = {.version = 2, .publishers = 1, .staged = 1};
	struct publish_repo *r = begin();
	int64_t at = 1;
	must(stage_evidence(r, "main", "old", 1));
	must(stage_evidence(r, "other", "old", 2));
	publish(r, 1, "one", 7);
	must(publish_proved(r, "main", &at, &e));
	T_EQ(at, 0);
	const struct publish_release pr = release(2, "two");
	must(publish_pending_write(r, "main", &p, rd_make("{}", 2), &e));
	must(publish_release_stage(r, &pr, rd_make("{}", 2), 7, &e));
	must(stage_evidence(r, "main", "next", 0));
	must(commit_evidence(r, "main", "fresh", 1));
	must(commit_evidence(r, "other", "fresh", 3));
	expect_proof(r, main_proof, "fresh");
	expect_proof(r, other_proof, "fresh");
	T_TRUE(has_published(r, "main/evidence/rebuild-1.dsse"));
	T_EQ(commit(r), ST_CONFLICT); /* the release still waits */
	err_clear(&e);
	must(publish_proved(r, "main", &at, &e));
	T_EQ(at, NOW + 60);
	must(publish_pending_end(r, "main", &e));
	must(commit(r));
	expect_proof(r, main_proof, "next");
	expect_proof(r, other_proof, "fresh");
	T_TRUE(!has_published(r, "main/evidence/rebuild-1.dsse"));
	T_TRUE(has_published(r, "other/evidence/rebuild-3.tlog-proof"));
	end(r);
}

static void evidence_without_the_online_key_is_not_published(void)
{
	struct publish_repo *r = begin();
	const struct publish_evidence v = evidence("main", "fresh", 0);
	publish(r, 1, "one", 7);
	T_EQ(publish_commit_evidence(r, &v, 1, NULL, 0, NOW, &e), ST_BAD_SIG);
	err_clear(&e);
	T_TRUE(!has_published(r, "main/evidence/release.tlog-proof"));
	end(r);
}

static st_t note_set(void *ctx, const char *set, struct err *why)
{
	(void)why;
	strcat(strcat(ctx, set), " ");
	return ST_OK;
}

static void sets_are_those_with_a_published_release(void)
{
	struct publish_repo *r = begin();
	char sets[100] = "";
	must(publish_each_set(r, note_set, sets, &e));
	T_STR(sets, "");
	publish(r, 1, "one", 7);
	must(publish_each_set(r, note_set, sets, &e));
	T_STR(sets, "main ");
	end(r);
}

/* The log may have the statement once the step began: no other one gets its version. */
static void a_version_is_taken_before_it_is_logged(void)
{
	struct publish_repo *r = begin();
	uint64_t last = 0;
	must(publish_pending_log(r, "main", 3, &e));
	must(publish_last_version(r, "main", &last, &e));
	T_EQ(last, 3);
	must(publish_pending_log(r, "main", 2, &e));
	must(publish_last_version(r, "main", &last, &e));
	T_EQ(last, 3);
	end(r);
}

static void nothing_is_published_while_a_release_waits_for_the_log(void)
{
	struct publish_repo *r = begin();
	const struct publish_pending p = {.version = 3, .publishers = 2, .staged = 1};
	struct publish_pending q;
	struct buf b = {0};
	uint64_t last = 9;
	must(commit(r));
	must(publish_pending_none(r, &e));
	T_EQ(publish_pending_read(r, "main", &q, &b, NULL), ST_NOT_FOUND);
	must(publish_last_version(r, "main", &last, &e));
	T_EQ(last, 0);
	must(publish_pending_write(r, "main", &p, rd_make("{envelope}", 10), &e));
	const struct publish_release pr = release(3, "one");
	must(publish_release_stage(r, &pr, rd_make("{}", 2), 7, &e));
	T_EQ(commit(r), ST_CONFLICT);
	T_TRUE(strstr(e.text, "main") != NULL);
	err_clear(&e);
	must(publish_pending_read(r, "main", &q, &b, &e));
	T_EQ(q.version, 3);
	T_EQ(q.publishers, 2);
	T_EQ(q.staged, 1);
	T_EQ(b.len, 10);
	must(publish_pending_log(r, "main", 3, &e));
	T_EQ(commit(r), ST_CONFLICT);
	err_clear(&e);
	must(publish_pending_end(r, "main", &e));
	must(commit(r));
	must(publish_last_version(r, "main", &last, &e));
	T_EQ(last, 3);
	buf_done(&b);
	end(r);
}

/* -- pruning ---------------------------------------------------------------------------------- */

static size_t pruned(struct publish_repo *r, unsigned keep, int64_t age, int64_t now)
{
	const struct publish_prune o = {.keep = keep, .age = age, .now = now};
	size_t n = 0;
	must(publish_prune(r, &o, &n, &e));
	return n;
}

static bool is_there(const char *path)
{
	char at[300];
	snprintf(at, sizeof at, "%s/repo/%s", folder, path);
	return access(at, F_OK) == 0;
}

static bool has_file(const char *word)
{
	uint8_t sha256[32];
	char hex[65], path[120];
	sha256_of(content(word), sha256);
	hex_encode(sha256, 32, hex);
	snprintf(path, sizeof path, "targets/main/%s.main.vdb", hex);
	return is_there(path);
}

/* Nine releases; deltas of the ninth come from the seven before. */
static struct publish_repo *begin_with_many(void)
{
	static const char *const words[] = {"one", "two", "three", "four", "five",
	                                    "six", "seven", "eight", "nine"};
	struct publish_repo *r = begin();
	for (unsigned i = 0; i < 9; i++)
		publish(r, i + 1, words[i], 1);
	return r;
}

static void what_kept_snapshots_name_stays(void)
{
	struct publish_repo *r = begin_with_many();
	T_EQ(pruned(r, 9, 1, NOW + 100), 0);
	T_TRUE(pruned(r, 2, 1, NOW + 100) > 0);
	T_TRUE(!is_there("metadata/7.snapshot.json") && !is_there("metadata/7.targets.json"));
	T_TRUE(is_there("metadata/8.snapshot.json") && is_there("metadata/8.targets.json"));
	T_TRUE(is_there("metadata/1.root.json") && is_there("metadata/timestamp.json"));
	T_TRUE(!has_file("one") && has_file("two") && has_file("eight") && has_file("nine"));
	T_EQ(pruned(r, 2, 1, NOW + 100), 0);
	publish(r, 10, "ten", 7);
	T_TRUE(has_delta(r, "nine") && has_delta(r, "three"));
	end(r);
}

static void what_was_current_not_long_ago_stays(void)
{
	struct publish_repo *r = begin_with_many();
	T_EQ(pruned(r, 1, 86400, NOW + 86399), 0);
	T_TRUE(pruned(r, 1, 86400, NOW + 86401) > 0);
	T_TRUE(!is_there("metadata/8.snapshot.json") && is_there("metadata/9.snapshot.json"));
	end(r);
}

static void what_is_staged_is_not_pruned(void)
{
	struct publish_repo *r = begin();
	publish(r, 1, "one", 7);
	const struct publish_release a = release(2, "two"), b = release(2, "three");
	must(publish_release_stage(r, &a, rd_make("{}", 2), 7, &e));
	must(publish_release_stage(r, &b, rd_make("{}", 2), 7, &e));
	T_TRUE(pruned(r, 1, 1, NOW + 100) > 0); /* what was staged and replaced */
	T_EQ(pruned(r, 1, 1, NOW + 100), 0);
	must(commit(r));
	T_TRUE(has_file("three") && !has_file("two"));
	end(r);
}

static void a_dry_run_and_a_damaged_repository_remove_nothing(void)
{
	struct publish_repo *r = begin_with_many();
	struct publish_prune o = {.keep = 2, .age = 1, .now = NOW + 100, .dry = true};
	char path[200];
	size_t n = 0;
	must(publish_prune(r, &o, &n, &e));
	T_TRUE(n > 0 && is_there("metadata/1.snapshot.json"));
	o.dry = false;
	snprintf(path, sizeof path, "%s/repo/metadata/8.targets.json", folder);
	T_EQ(truncate(path, 100), 0);
	T_TRUE(publish_prune(r, &o, &n, NULL) != ST_OK);
	T_TRUE(is_there("metadata/1.snapshot.json") && has_file("one"));
	o.keep = 0;
	T_EQ(publish_prune(r, &o, &n, NULL), ST_LIMIT);
	end(r);
}

int main(void)
{
	T_RUN(statement_is_read_as_it_was_meant);
	T_RUN(what_no_reader_takes_is_not_stated);
	T_RUN(compressed_files_lead_to_the_files);
	T_RUN(deltas_lead_from_each_of_the_last_releases);
	T_RUN(deltas_from_older_releases_than_wanted_go);
	T_RUN(nothing_leads_from_a_file_to_itself);
	T_RUN(damaged_or_missing_old_files_are_no_reason_to_fail);
	T_RUN(verdicts_are_numbered_without_gaps);
	T_RUN(evidence_is_published_alone_while_something_else_waits);
	T_RUN(evidence_without_the_online_key_is_not_published);
	T_RUN(sets_are_those_with_a_published_release);
	T_RUN(a_version_is_taken_before_it_is_logged);
	T_RUN(nothing_is_published_while_a_release_waits_for_the_log);
	T_RUN(what_kept_snapshots_name_stays);
	T_RUN(what_was_current_not_long_ago_stays);
	T_RUN(what_is_staged_is_not_pruned);
	T_RUN(a_dry_run_and_a_damaged_repository_remove_nothing);
	return t_end();
}
