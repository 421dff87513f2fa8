/* The health check against workers that do what the first word of the "database" says
 * (test/sandbox/fake_worker.c). What real ones say of real sets: test/e2e/test_update.py. */
#include "cli/health_samples.h"
#include "cli/update_health.h"
#include "test/t.h"

#include <sys/mman.h>
#include <unistd.h>

static char worker[4096];

/* build/test/unit/test_update_health -> build/test/sandbox/fake_worker */
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

static st_t check(const char *db, bool eicar, const char *good, struct err *e)
{
	struct health_report report = {0};
	int fd = memfd_create("db", MFD_CLOEXEC);
	if (fd < 0 || write(fd, db, strlen(db)) < 0)
		abort();
	struct health_request rq = {.vdb_fd = fd, .eicar = eicar, .good = good, .sample_ms = 100,
	                            .worker_path = worker};
	st_t st = update_health(&rq, &report, e);
	if (st == ST_OK)
		T_EQ(report.samples, eicar ? HEALTH_SAMPLES : HEALTH_SAMPLES - 1);
	close(fd);
	return st;
}

static void expect(const char *db, st_t want, const char *text)
{
	struct err e = {0};
	T_EQ(check(db, true, NULL, &e), want);
	T_TRUE(strstr(e.text, text) != NULL);
	if (!strstr(e.text, text))
		T_STR(e.text, text);
}

static void the_expected_verdicts_are_healthy(void)
{
	struct err e = {0};
	T_EQ(check("healthy", true, NULL, &e), ST_OK);
	T_EQ(check("healthy", false, NULL, &e), ST_OK);
	T_STR(e.text, "");
}

static void a_worker_that_crashes_refuses(void)
{
	expect("crashing", ST_MALFORMED, "forbidden system call");
}

static void a_worker_that_hangs_refuses(void)
{
	expect("hanging", ST_TIMEOUT, "exceeded the time limit");
}

static void a_database_that_workers_do_not_open_refuses(void)
{
	expect("refuse", ST_BAD_SUM, "workers cannot open it: database: wrong checksum");
	expect("die", ST_MALFORMED, "5 scan workers in a row");
}

/* Nobody's fault is no refusal, and never healthy. */
static void what_cannot_be_looked_at_is_not_healthy(void)
{
	struct err e = {0};
	T_EQ(check("healthy", true, "/nonexistent/good", &e), -ENOENT);
	snprintf(worker, sizeof worker, "/nonexistent/worker");
	err_clear(&e);
	T_EQ(check("healthy", true, NULL, &e), -ENOENT);
	(void)find_worker();
}

/* So that scanners of others do not take this program for what it describes. */
static void the_test_file_is_the_one_that_everybody_knows(void)
{
	struct buf b = {0};
	health_samples[HEALTH_SAMPLES - 1].make(&b);
	T_EQ(b.len, 68);
	T_TRUE(b.len == 68 && !memcmp(b.data, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$", 28));
	buf_done(&b);
}

int main(void)
{
	if (!find_worker()) {
		printf("FAIL no %s\n0 passed, 1 failed\n", worker);
		return 1;
	}
	T_RUN(the_expected_verdicts_are_healthy);
	T_RUN(a_worker_that_crashes_refuses);
	T_RUN(a_worker_that_hangs_refuses);
	T_RUN(a_database_that_workers_do_not_open_refuses);
	T_RUN(what_cannot_be_looked_at_is_not_healthy);
	T_RUN(the_test_file_is_the_one_that_everybody_knows);
	return t_end();
}
