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

static void verdicts_are_numbered_without_gaps(void)
{
	struct publish_repo *r = begin();
	const struct rd proof = rd_make("proof", 5);
	struct publish_rebuild v[PUBLISH_REBUILDS_MAX];
	for (size_t i = 0; i < PUBLISH_REBUILDS_MAX; i++)
		v[i] = (struct publish_rebuild){rd_make("{}", 2), rd_make("p", 1)};
	must(publish_evidence_stage(r, "main", proof, v, 3, &e));
	must(commit(r));
	T_TRUE(is_listed(r, "main/evidence/release.tlog-proof"));
	T_TRUE(is_listed(r, "main/evidence/rebuild-3.tlog-proof"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-4.dsse"));
	must(publish_evidence_stage(r, "main", proof, v, 1, &e));
	must(commit(r));
	T_TRUE(is_listed(r, "main/evidence/rebuild-1.dsse"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-2.dsse"));
	T_TRUE(!is_listed(r, "main/evidence/rebuild-3.tlog-proof"));
	must(publish_evidence_stage(r, "main", proof, v, PUBLISH_REBUILDS_MAX, &e));
	T_EQ(publish_evidence_stage(r, "main", proof, v, PUBLISH_REBUILDS_MAX + 1, NULL), ST_LIMIT);
	T_EQ(publish_evidence_stage(r, "../main", proof, v, 1, NULL), ST_MALFORMED);
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
	must(publish_pending_end(r, "main", 3, &e));
	must(commit(r));
	must(publish_last_version(r, "main", &last, &e));
	T_EQ(last, 3);
	buf_done(&b);
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
	T_RUN(nothing_is_published_while_a_release_waits_for_the_log);
	return t_end();
}
