/* The pool against workers that crash, hang, lie and flood: test/sandbox/fake_worker.c does what
 * the first word of each file says. */
#include "proc/broker/pool.h"
#include "sandbox/roles.h"
#include "test/t.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char worker[4096];

/* build/test/unit/test_pool -> build/test/sandbox/fake_worker */
static bool find_worker(void)
{
	char self[3072];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(worker, sizeof worker, "%s/../sandbox/fake_worker", self);
	return access(worker, X_OK) == 0;
}

static int file_of(const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	return fd;
}

static const char *other; /* the database that is offered; NULL: none */
static char asked[256];   /* with which words */
static unsigned times_asked;

static int replace(void *ctx, const char *why)
{
	(void)ctx;
	times_asked++;
	snprintf(asked, sizeof asked, "%s", why);
	return other ? file_of(other) : -1;
}

static st_t start_with(int (*ask)(void *, const char *), const char *db, uint32_t jobs,
                       struct pool **ret, struct err *e)
{
	int fd = file_of(db);
	struct pool_opts o = {.worker_path = worker, .db_fd = fd, .jobs = jobs, .grace_ms = 100,
	                      .replace = ask};
	o.scan.limits.max_scantime_ms = 100;
	st_t st = pool_new(&o, ret, e);
	close(fd);
	return st;
}

static st_t start(const char *db, uint32_t jobs, struct pool **ret, struct err *e)
{
	return start_with(NULL, db, jobs, ret, e);
}

static struct pool *good_pool(uint32_t jobs)
{
	struct pool *p = NULL;
	struct err e = {0};
	T_EQ(start("good", jobs, &p, &e), ST_OK);
	T_STR(e.text, "");
	return p;
}

static void submit(struct pool *p, uint64_t id, const char *text)
{
	struct err e = {0};
	T_EQ(pool_submit(p, id, file_of(text), &e), ST_OK);
	T_STR(e.text, "");
}

static bool next(struct pool *p, struct pool_result *r)
{
	bool got = false;
	struct err e = {0};
	T_EQ(pool_next(p, 20000, r, &got, &e), ST_OK);
	T_STR(e.text, "");
	return got;
}

/* The result of one bad file between good ones, which must not suffer. */
static struct pool_result result_among_good(const char *bad)
{
	struct pool *p = good_pool(1);
	struct pool_result r, ret = {0};
	submit(p, 0, "clean");
	submit(p, 1, bad);
	for (uint64_t id = 2; id < 6; id++)
		submit(p, id, id % 2 ? "clean" : "found");
	bool seen[6] = {false};
	while (next(p, &r)) {
		T_TRUE(r.id < 6 && !seen[r.id]);
		seen[r.id] = true;
		if (r.id == 1) {
			ret = r;
			continue;
		}
		bool found = r.id == 2 || r.id == 4;
		T_EQ(r.verdict, found ? VERDICT_FOUND : VERDICT_CLEAN);
		T_EQ(r.nevents, found);
		pool_result_done(&r);
	}
	for (int i = 0; i < 6; i++)
		T_TRUE(seen[i]);
	T_EQ(pool_outstanding(p), 0);
	pool_free(p);
	return ret;
}

/* Bad files give one event about the file itself. */
static void check_bad(const char *word, st_t why, const char *text)
{
	struct pool_result r = result_among_good(word);
	T_EQ(r.verdict, VERDICT_INCOMPLETE);
	T_EQ(r.nevents, 1);
	if (r.nevents == 1) {
		T_TRUE(!r.events[0].found);
		T_EQ(r.events[0].why, why);
		T_STR(r.events[0].text, text);
		T_STR(r.events[0].inner, "");
	}
	pool_result_done(&r);
}

static void good_answers_arrive_whole(void)
{
	struct pool *p = good_pool(2);
	struct pool_result r = {0};
	T_EQ(pool_known_signatures(p), 42);
	T_EQ(pool_missing_layers(p), SANDBOX_NO_LANDLOCK);
	submit(p, 99, "found");
	T_EQ(pool_outstanding(p), 1);
	T_TRUE(next(p, &r));
	T_EQ(r.id, 99);
	T_EQ(r.verdict, VERDICT_FOUND);
	T_EQ(r.size, 5);
	T_EQ(r.bytes_read, 7);
	T_EQ(r.bytes_scanned, 8);
	T_EQ(r.objects, 1);
	T_STR(r.type_name, "CL_TYPE_BINARY_DATA");
	T_EQ(r.nevents, 1);
	T_TRUE(r.events[0].found && !r.events[0].official);
	T_STR(r.events[0].text, "Made.Up");
	T_STR(r.events[0].inner, "a.zip/b");
	pool_result_done(&r);
	T_TRUE(!next(p, &r));
	pool_free(p);
}

/* What was found before the crash counts, and that the rest was not looked at is said. */
static void a_crash_costs_only_its_file(void)
{
	struct pool_result r = result_among_good("crash");
	T_EQ(r.verdict, VERDICT_FOUND);
	T_EQ(r.nevents, 2);
	T_STR(r.events[1].text, "scan worker crashed (signal 11)");
	T_EQ(r.events[1].why, ST_MALFORMED);
	pool_result_done(&r);
}

static void a_forbidden_call_costs_only_its_file(void)
{
	check_bad("forbidden", ST_MALFORMED,
	          "scan worker tried a forbidden system call (signal 31)");
}

static void used_up_memory_is_said(void)
{
	check_bad("memory", ST_LIMIT, "scan worker exceeded its memory");
	check_bad("exit", ST_LIMIT, "scan worker exceeded its memory");
}

static void a_hang_is_ended_in_time(void)
{
	check_bad("hang", ST_TIMEOUT, "scan worker exceeded the time limit");
}

static void a_closed_socket_is_a_lost_worker(void)
{
	check_bad("close", ST_MALFORMED, "scan worker was killed (signal 9)");
}

static void hostile_answers_kill_the_worker(void)
{
	check_bad("garbage", ST_MALFORMED,
	          "scan worker broke the protocol: message 4294967295 out of turn");
	check_bad("other", ST_MALFORMED,
	          "scan worker broke the protocol: answer to a question not asked");
	check_bad("descriptor", ST_MALFORMED,
	          "scan worker broke the protocol: message 6 out of turn");
}

/* The first answer stands; the second is blamed on the file that is then at hand. */
static void an_answer_too_many_kills_the_worker(void)
{
	struct pool *p = good_pool(1);
	struct pool_result r;
	submit(p, 1, "twice");
	T_TRUE(next(p, &r));
	T_EQ(r.verdict, VERDICT_CLEAN);
	pool_result_done(&r);
	submit(p, 2, "clean");
	submit(p, 3, "clean");
	int clean = 0;
	while (next(p, &r)) {
		clean += r.verdict == VERDICT_CLEAN;
		pool_result_done(&r);
	}
	T_TRUE(clean >= 1);
	pool_free(p);
}

static void a_verdict_against_its_events_kills_the_worker(void)
{
	struct pool_result r = result_among_good("liar");
	T_EQ(r.verdict, VERDICT_FOUND);
	T_EQ(r.nevents, 2);
	pool_result_done(&r);
}

static void a_flood_of_events_is_cut_off(void)
{
	struct pool_result r = result_among_good("flood");
	T_EQ(r.verdict, VERDICT_FOUND);
	T_EQ(r.nevents, 10001);
	if (r.nevents == 10001)
		T_STR(r.events[10000].text, "scan worker broke the protocol: too many events of one file");
	pool_result_done(&r);
}

static void a_refused_database_is_reported_by_new(void)
{
	struct pool *p = NULL;
	struct err e = {0};
	T_EQ(start("refuse", 2, &p, &e), ST_BAD_SUM);
	T_STR(e.text, "database: wrong checksum");
	T_TRUE(!p);
}

static void workers_that_die_at_start_end_the_pool(void)
{
	struct pool *p = NULL;
	struct err e = {0};
	T_EQ(start("die", 2, &p, &e), ST_IO);
	T_TRUE(strstr(e.text, "5 scan workers in a row") && strstr(e.text, "signal 6"));
}

static void a_missing_worker_is_named(void)
{
	struct pool *p = NULL;
	struct err e = {0};
	struct pool_opts o = {.worker_path = "/nonexistent/w", .db_fd = 0, .jobs = 1};
	T_EQ(pool_new(&o, &p, &e), -ENOENT);
	T_TRUE(strstr(e.text, "/nonexistent/w") != NULL);
}

static size_t open_fds(void);

/* Files 0 to n - 1, all of one word, on a database that may be replaced. Returns how many came out
 * clean; each comes out once. */
static int clean_of(const char *db, const char *offered, const char *word, uint32_t jobs, int n)
{
	struct pool *p = NULL;
	struct err e = {0};
	struct pool_result r;
	int clean = 0, all = 0;
	other = offered;
	times_asked = 0;
	T_EQ(start_with(replace, db, jobs, &p, &e), ST_OK);
	T_STR(e.text, "");
	for (int i = 0; p && i < n; i++)
		submit(p, (uint64_t)i, word);
	while (p && next(p, &r)) {
		clean += r.verdict == VERDICT_CLEAN;
		T_EQ(r.nevents, r.verdict == VERDICT_CLEAN ? 0 : 1);
		all++;
		pool_result_done(&r);
	}
	T_EQ(all, n);
	pool_free(p);
	return clean;
}

static void a_database_that_loses_workers_is_replaced_and_no_file_lost(void)
{
	size_t before = open_fds();
	T_EQ(clean_of("crashing", "good", "clean", 1, 20), 20);
	T_EQ(times_asked, 1);
	T_STR(asked, "scan workers were lost in a row");
	T_EQ(clean_of("crashing", "good", "clean", 2, 20), 20);
	T_EQ(clean_of("crashing", "good", "clean", 1, 1), 1);
	T_EQ(open_fds(), before);
}

static void a_database_that_workers_refuse_is_replaced(void)
{
	T_EQ(clean_of("refuse", "good", "clean", 2, 3), 3);
	T_STR(asked, "database: wrong checksum");
	T_EQ(clean_of("die", "good", "clean", 2, 3), 3);
	T_TRUE(strstr(asked, "5 scan workers in a row") != NULL);
	T_EQ(times_asked, 1);
}

/* Who is asked says that files are to blame: they are reported, and nobody is asked again. */
static void files_that_lose_workers_do_not_change_the_database(void)
{
	T_EQ(clean_of("good", NULL, "forbidden", 2, 9), 0);
	T_EQ(times_asked, 1);
}

static void a_replacement_that_fails_too_ends_the_pool(void)
{
	struct pool *p = NULL;
	struct err e = {0};
	other = "refuse";
	T_EQ(start_with(replace, "die", 1, &p, &e), ST_BAD_SUM);
	err_clear(&e);
	other = NULL;
	T_EQ(start_with(replace, "refuse", 1, &p, &e), ST_BAD_SUM);
	T_STR(e.text, "database: wrong checksum");
	T_TRUE(!p);
}

static size_t open_fds(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* Many files, two workers, every seventh crashes: each is answered once. */
static void a_mixed_crowd_is_answered_completely(void)
{
	enum { N = 300 };
	static uint8_t seen[N];
	size_t before = open_fds();
	struct pool *p = good_pool(2);
	size_t done = 0, incomplete = 0;
	struct pool_result r;
	for (uint64_t id = 0; id < N; id++) {
		submit(p, id, id % 7 == 3 ? "forbidden" : "clean");
		if (id % 3 == 0)
			continue;
		T_TRUE(next(p, &r));
		seen[r.id]++;
		incomplete += r.verdict == VERDICT_INCOMPLETE;
		done++;
		pool_result_done(&r);
	}
	for (; next(p, &r); done++) {
		seen[r.id]++;
		incomplete += r.verdict == VERDICT_INCOMPLETE;
		pool_result_done(&r);
	}
	T_EQ(done, N);
	T_EQ(incomplete, 43);
	for (int i = 0; i < N; i++)
		T_EQ(seen[i], 1);
	pool_free(p);
	T_EQ(open_fds(), before);
	T_EQ(waitpid(-1, NULL, WNOHANG), -1);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void next_does_not_wait_longer_than_told(void)
{
	struct pool *p = good_pool(1);
	struct pool_result r;
	bool got = true;
	submit(p, 1, "slow");
	uint64_t t = now_ms();
	T_EQ(pool_next(p, 0, &r, &got, NULL), ST_OK);
	T_TRUE(!got && now_ms() - t < 15);
	T_TRUE(next(p, &r));
	pool_result_done(&r);
	pool_free(p);
}

/* A pool may be freed with files under way, and after it has room for no more. */
static void full_queues_are_seen_and_freed(void)
{
	struct pool *p = good_pool(1);
	uint64_t n = 0;
	while (pool_has_room(p) && n < 100)
		submit(p, n++, "hang");
	T_EQ(n, 8);
	pool_free(p);
}

int main(void)
{
	if (!find_worker()) {
		printf("FAIL no %s\n0 passed, 1 failed\n", worker);
		return 1;
	}
	T_RUN(good_answers_arrive_whole);
	T_RUN(a_crash_costs_only_its_file);
	T_RUN(a_forbidden_call_costs_only_its_file);
	T_RUN(used_up_memory_is_said);
	T_RUN(a_hang_is_ended_in_time);
	T_RUN(a_closed_socket_is_a_lost_worker);
	T_RUN(hostile_answers_kill_the_worker);
	T_RUN(an_answer_too_many_kills_the_worker);
	T_RUN(a_verdict_against_its_events_kills_the_worker);
	T_RUN(a_flood_of_events_is_cut_off);
	T_RUN(a_refused_database_is_reported_by_new);
	T_RUN(workers_that_die_at_start_end_the_pool);
	T_RUN(a_missing_worker_is_named);
	T_RUN(a_database_that_loses_workers_is_replaced_and_no_file_lost);
	T_RUN(a_database_that_workers_refuse_is_replaced);
	T_RUN(files_that_lose_workers_do_not_change_the_database);
	T_RUN(a_replacement_that_fails_too_ends_the_pool);
	T_RUN(a_mixed_crowd_is_answered_completely);
	T_RUN(next_does_not_wait_longer_than_told);
	T_RUN(full_queues_are_seen_and_freed);
	return t_end();
}
