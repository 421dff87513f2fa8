/* The broker's side of compiling, against test/sandbox/fake_compiler.c. */
#include "proc/broker/compile.h"
#include "test/t.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char compiler[4096];

/* build/test/unit/test_compile -> build/test/sandbox/fake_compiler */
static bool find_compiler(void)
{
	char self[3072];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(compiler, sizeof compiler, "%s/../sandbox/fake_compiler", self);
	return access(compiler, X_OK) == 0;
}

static int file_of(const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	return fd;
}

/* Compiles n sources that all say `word`. */
static st_t compile(const char *word, size_t n, struct compile_report *ret, struct err *e)
{
	static struct broker_source srcs[600];
	struct compile_opts o = {.compiler_path = compiler};
	int out = file_of(""), fd = file_of(word);
	for (size_t i = 0; i < n; i++)
		srcs[i] = (struct broker_source){.name = "a.ndb", .fd = fd};
	st_t st = broker_compile(srcs, n, &o, out, ret, e);
	char b[16] = "";
	if (st == ST_OK) {
		T_EQ(pread(out, b, sizeof b, 0), 8);
		T_STR(b, "database");
	}
	close(fd);
	close(out);
	T_EQ(waitpid(-1, NULL, WNOHANG), -1);
	return st;
}

static void a_good_compiler_is_reported(void)
{
	struct compile_report r;
	struct err e = {0};
	T_EQ(compile("good", 3, &r, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(r.size, 8);
	T_EQ(r.sigs, 3);
	T_EQ(r.nskipped, 2);
	T_EQ(r.nskipped_kept, 2);
	T_STR(r.skipped[1].file, "a.ndb");
	T_STR(r.skipped[1].why, "bad hex");
	T_EQ(r.skipped[1].line, 2);
	T_EQ(r.ninactive, 1);
	T_STR(r.inactive[0].what, "icon group");
	T_EQ(r.inactive[0].n, 3);
	compile_report_done(&r);
	T_EQ(r.nskipped_kept, 0);
}

/* More than the socket holds at once. */
static void many_sources_all_arrive(void)
{
	struct compile_report r;
	struct err e = {0};
	T_EQ(compile("good", 600, &r, &e), ST_OK);
	T_EQ(r.sigs, 600);
	compile_report_done(&r);
}

static void check_failure(const char *word, st_t st, const char *text)
{
	struct compile_report r;
	struct err e = {0};
	T_EQ(compile(word, 1, &r, &e), st);
	T_STR(e.text, text);
	compile_report_done(&r);
}

static void a_refusal_carries_its_reason(void)
{
	check_failure("refuse", ST_UNSUPPORTED, "x.foo: unknown kind");
}

static void a_lost_compiler_is_a_failure(void)
{
	check_failure("crash", ST_MALFORMED, "compiler crashed (signal 6)");
	check_failure("memory", ST_LIMIT, "compiler exceeded its memory");
	check_failure("leave", ST_MALFORMED, "compiler ended by itself (status 0)");
}

static void a_flood_of_lines_is_cut_off(void)
{
	check_failure("flood", ST_MALFORMED, "compiler: too many skipped lines");
}

static void a_database_of_another_size_is_refused(void)
{
	check_failure("size", ST_MALFORMED, "compiler wrote a database of the wrong size");
}

int main(void)
{
	if (!find_compiler()) {
		printf("FAIL no %s\n0 passed, 1 failed\n", compiler);
		return 1;
	}
	T_RUN(a_good_compiler_is_reported);
	T_RUN(many_sources_all_arrive);
	T_RUN(a_refusal_carries_its_reason);
	T_RUN(a_lost_compiler_is_a_failure);
	T_RUN(a_flood_of_lines_is_cut_off);
	T_RUN(a_database_of_another_size_is_refused);
	return t_end();
}
