/* Repositories: mirrors that fail in every way, a folder with what does not belong there. */
#include "base/num.h"
#include "net/fetch_fake.h"
#include "test/t.h"
#include "update/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fetch_fake *fake;
static struct fetch fetch;
static struct update_mirrors mirrors;
static struct update_source source;
static struct err why;
static struct buf got;
static size_t room;

/* ---- paths ---- */

static void a_path_stays_below_its_base(void)
{
	static const char *const good[] = {"a", "metadata/1.root.json", "targets/main/0a.main.vdb",
	                                   "log/log.example%2Fx/tile/0/x001/000.p/5", "a/..b", "a/...",
	                                   "a?b#c"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..",
	                                  "a/../b", "a/./b", "a b", "a\n", "a\\b", "a\x80", "a\x7f"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!update_path_good(good[i]))
			T_FAIL("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (update_path_good(bad[i]))
			T_FAIL("taken for good: %s", bad[i]);
	static char longest[UPDATE_PATH_MAX + 1];
	memset(longest, 'a', UPDATE_PATH_MAX);
	T_TRUE(!update_path_good(longest));
	longest[UPDATE_PATH_MAX - 1] = '\0';
	T_TRUE(update_path_good(longest));
}

static void expect_folder(const char *url, st_t st, const char *folder)
{
	char path[UPDATE_FOLDER_MAX] = "untouched";
	T_EQ(update_repository_folder(url, path, NULL), st);
	T_STR(path, folder);
}

static void a_repository_line_is_a_url_or_a_folder(void)
{
	expect_folder("https://a.example/av", ST_OK, "");
	expect_folder("http://a", ST_OK, "");
	expect_folder("file:///srv/mirror", ST_OK, "/srv/mirror");
	expect_folder("file://localhost/srv", ST_OK, "/srv");
	expect_folder("file:///a%20b%2fc", ST_OK, "/a b/c");
	expect_folder("file:///a%2", ST_MALFORMED, "untouched");
	expect_folder("file:///a%", ST_MALFORMED, "untouched");
	expect_folder("file:///a%00b", ST_MALFORMED, "untouched");
	expect_folder("file://host/a", ST_MALFORMED, "untouched");
	expect_folder("file:/a", ST_MALFORMED, "untouched");
	expect_folder("ftp://a/", ST_MALFORMED, "untouched");
	expect_folder("/srv", ST_MALFORMED, "untouched");
}

/* ---- mirrors ---- */

static void begin(size_t n)
{
	static const char *const base[] = {"http://a/r", "http://b/r/", "http://c"};
	why = (struct err){0};
	mirrors = (struct update_mirrors){.nrepositories = n, .timeout_ms = 1000};
	for (size_t i = 0; i < n; i++)
		mirrors.repository[i] = base[i];
	T_EQ(fetch_fake_new(&fake, NULL), ST_OK);
	fetch = fetch_fake_as_fetch(fake);
	T_EQ(update_source_open_mirrors(&fetch, &mirrors, &source, &why), ST_OK);
	room = SIZE_MAX;
}

static void end(void)
{
	update_source_done(&source);
	fetch_fake_free(fake);
	buf_done(&got);
	got = (struct buf){0};
}

static void answer(const char *url, unsigned status, const char *body)
{
	struct fake_answer a = {.status = status, .body = body, .nbody = strlen(body)};
	T_EQ(fetch_fake_set(fake, url, &a, NULL), ST_OK);
}

static st_t get(const char *path, size_t max)
{
	got.len = 0;
	err_clear(&why);
	return update_get(&source, path, max, &got, &why);
}

static st_t pour(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	if (n > room - got.len)
		return fail(e, (st_t)-ENOSPC, 0, "the disk is full");
	buf_add(&got, p, n);
	return ST_OK;
}

static st_t stream(const char *path, uint64_t from, uint64_t max)
{
	got.len = 0;
	err_clear(&why);
	return update_stream(&source, path, from, max, pour, NULL, &why);
}

static void expect_bytes(const char *s)
{
	T_EQ(got.len, strlen(s));
	T_MEM(got.data, s, strlen(s));
}

static void the_first_mirror_that_has_a_file_is_asked_first_from_then_on(void)
{
	begin(3);
	answer("http://b/r/metadata/timestamp.json", 200, "t");
	T_EQ(get("metadata/timestamp.json", 9), ST_OK);
	expect_bytes("t");
	T_EQ(fetch_fake_count(fake), 2);
	T_EQ(get("metadata/timestamp.json", 9), ST_OK);
	T_EQ(fetch_fake_count(fake), 3);
	T_EQ(source.requests, 3);
	T_EQ(source.bytes, 2);
	end();
}

static void a_file_that_no_mirror_has_is_not_there(void)
{
	begin(3);
	answer("http://b/r/x", 500, "");
	T_EQ(get("x", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 3);
	answer("http://a/r/x", 500, "");
	answer("http://c/x", 0, "");
	T_EQ(get("x", 9), ST_IO);
	end();
}

static void a_mirror_that_is_down_is_asked_last(void)
{
	begin(2);
	answer("http://a/r/x", 0, "");
	answer("http://b/r/x", 404, "");
	T_EQ(get("x", 9), ST_NOT_FOUND);
	T_EQ(get("x", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 4);
	T_EQ(get("x", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 5);
	/* and again, where nobody else answers */
	answer("http://b/r/x", 0, "");
	answer("http://a/r/x", 200, "a");
	T_EQ(get("x", 9), ST_OK);
	expect_bytes("a");
	end();
}

static void what_is_too_long_is_asked_for_elsewhere(void)
{
	begin(2);
	answer("http://a/r/x", 200, "far too long");
	answer("http://b/r/x", 200, "short");
	T_EQ(get("x", 5), ST_OK);
	expect_bytes("short");
	T_EQ(get("x", 4), ST_LIMIT);
	T_EQ(got.len, 0);
	end();
}

static void set_cut(const char *url, const char *body, size_t cut)
{
	struct fake_answer a = {.status = 200, .body = body, .nbody = strlen(body), .cut = cut};
	T_EQ(fetch_fake_set(fake, url, &a, NULL), ST_OK);
}

static void a_stream_goes_on_at_the_next_mirror_where_it_broke_off(void)
{
	begin(3);
	set_cut("http://a/r/f", "0123456789", 3);
	set_cut("http://b/r/f", "0123456789", 7);
	answer("http://c/f", 200, "0123456789");
	T_EQ(stream("f", 0, 10), ST_OK);
	expect_bytes("0123456789");
	T_EQ(stream("f", 8, 2), ST_OK);
	expect_bytes("89");
	end();
}

static void the_beginning_of_a_small_file_is_not_mixed_with_the_end_of_another(void)
{
	begin(2);
	struct fake_answer half = {.status = 0, .body = "aa", .nbody = 2};
	T_EQ(fetch_fake_set(fake, "http://a/r/f", &half, NULL), ST_OK);
	answer("http://b/r/f", 200, "bbbb");
	T_EQ(get("f", 9), ST_OK);
	expect_bytes("bbbb");
	end();
}

static void a_stream_that_is_too_long_ends(void)
{
	begin(2);
	answer("http://a/r/f", 200, "0123456789");
	answer("http://b/r/f", 200, "0123456789");
	T_EQ(stream("f", 4, 5), ST_LIMIT);
	T_EQ(fetch_fake_count(fake), 1);
	end();
}

static void a_sink_that_fails_is_not_the_mirrors_fault(void)
{
	begin(2);
	answer("http://a/r/f", 200, "0123456789");
	room = 4;
	T_EQ(stream("f", 0, 10), -ENOSPC);
	T_STR(why.text, "the disk is full");
	T_EQ(fetch_fake_count(fake), 1);
	end();
}

static void a_server_without_ranges_does_not_spoil_a_stream(void)
{
	begin(1);
	struct fake_answer a = {.status = 200, .body = "0123456789", .nbody = 10, .no_ranges = true};
	T_EQ(fetch_fake_set(fake, "http://a/r/f", &a, NULL), ST_OK);
	T_EQ(stream("f", 6, 4), ST_OK);
	expect_bytes("6789");
	end();
}

/* Not ST_TIMEOUT, which says that something has expired. */
static void a_mirror_that_is_too_slow_is_a_failure_of_the_network(void)
{
	struct fake_answer slow = {.failure = FETCH_TOO_SLOW};
	begin(1);
	T_EQ(fetch_fake_set(fake, "http://a/r/x", &slow, NULL), ST_OK);
	T_EQ(get("x", 9), -ETIMEDOUT);
	T_EQ(stream("x", 0, 9), -ETIMEDOUT);
	end();
}

static void a_fetcher_that_is_gone_ends_it_at_once(void)
{
	begin(3);
	fetch_fake_break(fake);
	T_EQ(get("x", 9), -EPIPE);
	T_EQ(stream("x", 0, 9), -EPIPE);
	end();
}

static void paths_are_encoded_once(void)
{
	begin(1);
	answer("http://a/r/metadata/1.a%2Fb.json", 200, "1");
	answer("http://a/r/a%3Fb%23%22c", 200, "2");
	T_EQ(get("metadata/1.a%2Fb.json", 9), ST_OK);
	T_EQ(get("a?b#\"c", 9), ST_OK);
	T_EQ(get("../x", 9), ST_UNSUPPORTED);
	T_EQ(get("a//b", 9), ST_UNSUPPORTED);
	T_EQ(fetch_fake_count(fake), 2);
	end();
}

static void a_log_is_where_the_policy_says_or_beside_the_metadata(void)
{
	struct policy_log logs[2] = {{.url = "http://log/t/"}, {.url = NULL}};
	struct policy p = {.logs = logs, .nlogs = 2};
	memcpy(logs[0].key.name, "log.example/x", 14);
	memcpy(logs[1].key.name, "other", 6);
	begin(1);
	update_source_done(&source);
	mirrors.logs = &p;
	T_EQ(update_source_open_mirrors(&fetch, &mirrors, &source, &why), ST_OK);
	answer("http://log/t/tile/0/000", 200, "1");
	answer("http://a/r/log/tile/0/001", 200, "2");
	T_EQ(get("log/log.example%2Fx/tile/0/000", 9), ST_OK);
	T_EQ(get("log/log.example%2fx/tile/0/000", 9), ST_OK);
	expect_bytes("1");
	T_EQ(fetch_fake_count(fake), 2);
	T_EQ(get("log/log.example%2Fx/tile/0/001", 9), ST_OK);
	expect_bytes("2");
	T_EQ(get("log/other/tile/0/001", 9), ST_OK);
	T_EQ(get("log/log.example%2/tile/0/000", 9), ST_NOT_FOUND);
	end();
}

static void nothing_is_asked_for_twice_at_one_mirror(void)
{
	struct policy_log logs[] = {{.url = "http://a/r/log"}};
	struct policy p = {.logs = logs, .nlogs = 1};
	memcpy(logs[0].key.name, "log.example", 12);
	begin(1);
	update_source_done(&source);
	mirrors.logs = &p;
	T_EQ(update_source_open_mirrors(&fetch, &mirrors, &source, &why), ST_OK);
	T_EQ(get("metadata/2.root.json", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 1);
	T_EQ(get("log/log.example/tile/0/000.p/7", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 2);
	end();
	begin(2); /* the other one has it */
	update_source_done(&source);
	mirrors.logs = &p;
	T_EQ(update_source_open_mirrors(&fetch, &mirrors, &source, &why), ST_OK);
	answer("http://b/r/log/tile/0/000", 200, "1");
	answer("http://b/r/metadata/2.root.json", 200, "2");
	T_EQ(get("log/log.example/tile/0/000", 9), ST_OK);
	T_EQ(fetch_fake_count(fake), 2);
	T_EQ(get("metadata/2.root.json", 9), ST_OK);
	end();
	begin(3);
	answer("http://c/metadata/2.root.json", 200, "2");
	T_EQ(get("metadata/2.root.json", 9), ST_OK);
	T_EQ(fetch_fake_count(fake), 3);
	end();
}

static void a_mirror_alone_is_asked_for_the_log_before_the_logs_own_url(void)
{
	struct policy_log logs[] = {{.url = "http://log/t"}, {.url = "http://a/r/log"}};
	struct policy p = {.logs = logs, .nlogs = 2};
	memcpy(logs[0].key.name, "log.example", 12);
	memcpy(logs[1].key.name, "other", 6);
	begin(1);
	update_source_done(&source);
	mirrors.logs = &p;
	mirrors.log_last = true;
	T_EQ(update_source_open_mirrors(&fetch, &mirrors, &source, &why), ST_OK);
	answer("http://a/r/log/tile/0/000", 200, "1");
	answer("http://log/t/tile/0/000", 200, "2");
	answer("http://log/t/tile/0/001", 200, "3");
	T_EQ(get("log/log.example/tile/0/000", 9), ST_OK);
	expect_bytes("1");
	T_EQ(fetch_fake_count(fake), 1);
	T_EQ(get("log/log.example/tile/0/001", 9), ST_OK);
	expect_bytes("3");
	T_EQ(fetch_fake_count(fake), 3);
	T_EQ(get("log/other/tile/0/002", 9), ST_NOT_FOUND);
	T_EQ(fetch_fake_count(fake), 4);
	end();
}

static void it_is_told_whose_data_came(void)
{
	begin(3);
	answer("http://b/r/x", 200, "b");
	answer("http://c/y", 200, "c");
	T_EQ(get("z", 9), ST_NOT_FOUND);
	T_EQ(source.mirrors, 0);
	T_EQ(source.mirror, 0);
	T_EQ(get("x", 9), ST_OK);
	T_EQ(source.mirrors, 2);
	T_EQ(source.mirror, 2);
	T_EQ(get("y", 9), ST_OK);
	T_EQ(source.mirrors, 6);
	T_EQ(source.mirror, 3);
	end();
}

static void only_http_urls_are_mirrors(void)
{
	struct update_mirrors m = {.repository = {"file:///srv"}, .nrepositories = 1};
	struct fetch none = {0};
	T_EQ(update_source_open_mirrors(&none, &m, &source, NULL), ST_MALFORMED);
}

/* ---- a folder ---- */

static char dir_name[] = "/tmp/update-source-XXXXXX";
static int dir;

static void write_file(const char *name, const char *body)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	T_TRUE(fd >= 0 && write(fd, body, strlen(body)) == (ssize_t)strlen(body));
	close(fd);
}

static void a_folder_is_read_and_nothing_outside_of_it(void)
{
	T_TRUE(mkdtemp(dir_name) != NULL);
	dir = open(dir_name, O_PATH | O_DIRECTORY);
	T_TRUE(mkdirat(dir, "metadata", 0700) == 0 && mkdirat(dir, "log", 0700) == 0);
	write_file("metadata/1.root.json", "0123456789");
	write_file("log/checkpoint", "c");
	T_EQ(symlinkat("metadata", dir, "link"), 0);
	T_EQ(symlinkat("1.root.json", dir, "metadata/link"), 0);
	T_EQ(symlinkat("/etc/passwd", dir, "passwd"), 0);
	T_EQ(mkfifoat(dir, "pipe", 0600), 0);
	T_EQ(update_source_open_folder(dir, &source, NULL), ST_OK);
	room = SIZE_MAX;
	T_EQ(get("metadata/1.root.json", 10), ST_OK);
	expect_bytes("0123456789");
	T_EQ(stream("metadata/1.root.json", 7, 3), ST_OK);
	expect_bytes("789");
	T_EQ(stream("metadata/1.root.json", 10, 3), ST_OK);
	expect_bytes("");
	T_EQ(stream("metadata/1.root.json", 11, 3), ST_TRUNCATED);
	T_EQ(stream("metadata/1.root.json", 0, 9), ST_LIMIT);
	T_EQ(got.len, 0);
	T_EQ(get("metadata/2.root.json", 10), ST_NOT_FOUND);
	T_EQ(get("metadata/1.root.json/x", 10), ST_NOT_FOUND);
	T_EQ(get("metadata", 10), ST_MALFORMED);
	T_EQ(get("link/1.root.json", 10), ST_MALFORMED);
	T_EQ(get("metadata/link", 10), ST_MALFORMED);
	T_EQ(get("passwd", 10), ST_MALFORMED);
	T_EQ(get("pipe", 10), ST_MALFORMED);
	T_EQ(get("log/any.example%2Flog/checkpoint", 10), ST_OK);
	expect_bytes("c");
	T_EQ(source.requests, 13);
	update_source_done(&source);
	static const char *const names[] = {"metadata/1.root.json", "metadata/link", "log/checkpoint",
	                                    "link", "passwd", "pipe"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		T_EQ(unlinkat(dir, names[i], 0), 0);
	T_EQ(unlinkat(dir, "metadata", AT_REMOVEDIR) | unlinkat(dir, "log", AT_REMOVEDIR), 0);
	T_EQ(rmdir(dir_name), 0);
	close(dir);
	buf_done(&got);
}

int main(void)
{
	T_RUN(a_path_stays_below_its_base);
	T_RUN(a_repository_line_is_a_url_or_a_folder);
	T_RUN(the_first_mirror_that_has_a_file_is_asked_first_from_then_on);
	T_RUN(a_file_that_no_mirror_has_is_not_there);
	T_RUN(a_mirror_that_is_down_is_asked_last);
	T_RUN(what_is_too_long_is_asked_for_elsewhere);
	T_RUN(a_stream_goes_on_at_the_next_mirror_where_it_broke_off);
	T_RUN(the_beginning_of_a_small_file_is_not_mixed_with_the_end_of_another);
	T_RUN(a_stream_that_is_too_long_ends);
	T_RUN(a_sink_that_fails_is_not_the_mirrors_fault);
	T_RUN(a_server_without_ranges_does_not_spoil_a_stream);
	T_RUN(a_mirror_that_is_too_slow_is_a_failure_of_the_network);
	T_RUN(a_fetcher_that_is_gone_ends_it_at_once);
	T_RUN(paths_are_encoded_once);
	T_RUN(a_log_is_where_the_policy_says_or_beside_the_metadata);
	T_RUN(nothing_is_asked_for_twice_at_one_mirror);
	T_RUN(a_mirror_alone_is_asked_for_the_log_before_the_logs_own_url);
	T_RUN(it_is_told_whose_data_came);
	T_RUN(only_http_urls_are_mirrors);
	T_RUN(a_folder_is_read_and_nothing_outside_of_it);
	return t_end();
}
