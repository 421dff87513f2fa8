/* Stops a program dead behind its n-th call that changed something in the file system: the
 * end-to-end crash tests run `vitrine log init`, `log add`, `witness serve` and `update` under it
 * for every n. Loaded by LD_PRELOAD; CRASH_AT=n, 0 or unset: never. FULL_AT=n: from the n-th call
 * on the disk is full, so what needs room fails. With CRASH_SELF=1 a forked child counts nothing:
 * else it would always be the first to get to a call that its parent makes behind it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CRASHED 99

static unsigned long crash_at, full_at, calls;
static pid_t self; /* 0: children count, too */

static unsigned long number(const char *name)
{
	const char *s = getenv(name);
	return s ? strtoul(s, NULL, 10) : 0;
}

__attribute__((constructor)) static void start(void)
{
	crash_at = number("CRASH_AT");
	full_at = number("FULL_AT");
	self = number("CRASH_SELF") ? getpid() : 0;
}

static long count(long result)
{
	if (self && self != getpid())
		return result;
	if (result >= 0 && ++calls == crash_at)
		_exit(CRASHED);
	return result;
}

/* Whether a call that needs room finds none. It is counted then, as it would be. */
static bool full(void)
{
	if (!full_at || calls + 1 < full_at)
		return false;
	calls++;
	errno = ENOSPC;
	return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off)
{
	return full() ? -1 : count(REAL(pwrite64)(fd, p, n, off));
}

int fsync(int fd)
{
	return (int)count(REAL(fsync)(fd));
}

int fdatasync(int fd)
{
	return (int)count(REAL(fdatasync)(fd));
}

int msync(void *p, size_t n, int flags)
{
	return (int)count(REAL(msync)(p, n, flags));
}

int ftruncate64(int fd, off64_t n)
{
	return (int)count(REAL(ftruncate64)(fd, n));
}

int renameat(int from, const char *old, int to, const char *name)
{
	return (int)count(REAL(renameat)(from, old, to, name));
}

int unlinkat(int dir, const char *name, int flags)
{
	return (int)count(REAL(unlinkat)(dir, name, flags));
}

int unlink(const char *name)
{
	return (int)count(REAL(unlink)(name));
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	return full() ? -1 : (int)count(REAL(mkdirat)(dir, name, mode));
}

int symlinkat(const char *target, int dir, const char *name)
{
	return full() ? -1 : (int)count(REAL(symlinkat)(target, dir, name));
}

/* openat2() has no function in libc. */
long syscall(long nr, ...)
{
	long a[6];
	va_list ap;
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	bool makes = nr == SYS_openat2 && ((const struct open_how *)a[2])->flags & O_CREAT;
	if (makes && full())
		return -1;
	long result = REAL(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return makes ? count(result) : result;
}
