/* A build with sanitizers is of use in the jail only if a report gets out. In any other build
 * nothing is allowed for that. */
#include "test/t.h"

#include "sandbox/jail.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char report[65536];
static volatile size_t behind = 8; /* not known to the compiler */

static void enter_jail(void)
{
	struct sandbox_report r;
	struct err e = {0};
	if (sandbox_preload(&e) != ST_OK || sandbox_enter(ROLE_SCAN, &r, &e) != ST_OK) {
		fprintf(stderr, "no jail: %s\n", e.text);
		_exit(9);
	}
}

static void overflow(void)
{
	volatile char *p = malloc(8);
	p[behind] = 1;
}

static void no_address(void)
{
	volatile char *volatile p = NULL;
	*p = 1;
}

static void open_file(void)
{
	(void)open("/etc/passwd", O_RDONLY);
}

/* Does it in a jail; `report` holds what was written to its standard error. Returns the status. */
static int in_jail(void (*act)(void))
{
	int out[2], status = -1;
	if (pipe(out) != 0)
		abort();
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		dup2(out[1], STDERR_FILENO);
		enter_jail();
		act();
		_exit(0);
	}
	close(out[1]);
	size_t len = 0;
	for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0)
		n = read(out[0], report + len, sizeof report - 1 - len);
	report[len] = '\0';
	close(out[0]);
	waitpid(child, &status, 0);
	return status;
}

static void expect(const char *text)
{
	if (!strstr(report, text))
		T_FAIL("no \"%s\" in the report:\n%s", text, report);
}

static void a_crash_in_the_jail_is_reported_by_a_sanitizer(void)
{
	int status = in_jail(overflow);
	T_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	expect("AddressSanitizer: heap-buffer-overflow");
	expect("    #0 0x");
	expect("SUMMARY: AddressSanitizer");
	status = in_jail(no_address);
	T_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	expect("AddressSanitizer: SEGV");
}

static void an_ordinary_build_writes_nothing_and_opens_nothing(void)
{
	int status = in_jail(open_file);
	T_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = in_jail(no_address);
	T_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	T_STR(report, "");
}

int main(void)
{
	if (sandbox_extra.groups & GROUP_SANITIZER)
		T_RUN(a_crash_in_the_jail_is_reported_by_a_sanitizer);
	else
		T_RUN(an_ordinary_build_writes_nothing_and_opens_nothing);
	return t_end();
}
