/* The allow-list of system calls. Whatever is not in a group of the role kills the process
 * (SIGSYS): a parser has no reason to try, so an attempt is an attack or a bug, and both end here.
 * Arguments are compared where the kernel can see them; pointers it cannot follow. */
#include "base/num.h"
#include "sandbox/jail.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* At most one condition on one argument: (argument & mask) == value. With `error` the call is not
 * made, but fails with that errno. */
struct rule {
	uint32_t group;
	int call;
	const char *why;
	uint16_t error;
	bool checked;
	uint8_t arg;
	uint64_t mask, value;
};

#define ARG_IS(n, v) .checked = true, .arg = (n), .mask = UINT32_MAX, .value = (v)
#define ARG_HAS(n, bit) .checked = true, .arg = (n), .mask = (bit), .value = (bit)
#define ARG_LACKS(n, bits) .checked = true, .arg = (n), .mask = (bits), .value = 0

static const struct rule rules[] = {
	/* Memory: never executable, so injected bytes stay bytes. */
	{GROUP_MEMORY, SCMP_SYS(mmap), "heap, input and database maps", ARG_LACKS(2, PROT_EXEC)},
	{GROUP_MEMORY, SCMP_SYS(mprotect), "heap growth", ARG_LACKS(2, PROT_EXEC)},
	{GROUP_MEMORY, SCMP_SYS(munmap), "free"},
	{GROUP_MEMORY, SCMP_SYS(mremap), "realloc of large blocks"},
	{GROUP_MEMORY, SCMP_SYS(brk), "heap"},
	{GROUP_MEMORY, SCMP_SYS(madvise), "giving pages back"},

	/* Regular expressions as machine code (vitrine scan --regex-jit): PCRE2 asks for pages that it
	 * may write and execute. Whoever takes the process over may do so, too; it still reaches
	 * nothing. */
	{GROUP_JIT, SCMP_SYS(mmap), "code of regular expressions", ARG_HAS(3, MAP_ANONYMOUS)},

	/* Input: descriptors that the broker passed. Names cannot be opened. */
	{GROUP_INPUT, SCMP_SYS(read), "descriptors without offset (pipes)"},
	{GROUP_INPUT, SCMP_SYS(pread64), "the file at hand"},
	{GROUP_INPUT, SCMP_SYS(lseek), "size of devices"},
	{GROUP_INPUT, SCMP_SYS(fstat), "size of the file"},
	{GROUP_INPUT, SCMP_SYS(newfstatat), "glibc's fstat()", ARG_IS(3, AT_EMPTY_PATH)},
	{GROUP_INPUT, SCMP_SYS(fadvise64), "read-ahead of the file at hand"},
	{GROUP_INPUT, SCMP_SYS(close), "the file when done"},

	/* The one socket, by number: requests and answers. */
	{GROUP_SOCKET, SCMP_SYS(recvmsg), "requests", ARG_IS(0, SANDBOX_FD_SOCK)},
	{GROUP_SOCKET, SCMP_SYS(sendmsg), "answers", ARG_IS(0, SANDBOX_FD_SOCK)},

	/* The one file that compiler and inspector write, by number. */
	{GROUP_OUTPUT, SCMP_SYS(write), "the database, the answer", ARG_IS(0, SANDBOX_FD_OUT)},

	/* Time limits. Answered without the kernel on most machines. */
	{GROUP_TIME, SCMP_SYS(clock_gettime), "deadlines, where the vDSO has no clock"},
	{GROUP_TIME, SCMP_SYS(gettimeofday), "libarchive, likewise"},
	{GROUP_TIME, SCMP_SYS(time), "libarchive, likewise"},

	{GROUP_THREADS, SCMP_SYS(futex), "locks of libcrypto and libc; there are no threads"},

	{GROUP_END, SCMP_SYS(exit_group), "the end"},
	{GROUP_END, SCMP_SYS(exit), "the end"},
	{GROUP_END, SCMP_SYS(restart_syscall), "going on after SIGSTOP and SIGCONT"},
	{GROUP_END, SCMP_SYS(rt_sigreturn), "likewise"},

	/* Threads, of the same process: clone() must say so. clone3() hides its flags in memory, so
	 * libc is told that there is none and takes clone(). */
	{GROUP_RUN_THREADS, SCMP_SYS(clone), "threads", ARG_HAS(0, CLONE_THREAD)},
	{GROUP_RUN_THREADS, SCMP_SYS(clone3), "threads", .error = ENOSYS},
	{GROUP_RUN_THREADS, SCMP_SYS(set_robust_list), "start of a thread"},
	{GROUP_RUN_THREADS, SCMP_SYS(rseq), "start of a thread"},
	{GROUP_RUN_THREADS, SCMP_SYS(rt_sigprocmask), "start of a thread"},
	{GROUP_RUN_THREADS, SCMP_SYS(rt_sigaction), "glibc: before the first thread"},
	{GROUP_RUN_THREADS, SCMP_SYS(gettid), "locks"},
	{GROUP_RUN_THREADS, SCMP_SYS(getpid), "OpenSSL: is this a child?"},
	{GROUP_RUN_THREADS, SCMP_SYS(sched_yield), "locks"},
	{GROUP_RUN_THREADS, SCMP_SYS(sched_getaffinity), "how many threads"},
	{GROUP_RUN_THREADS, SCMP_SYS(clock_nanosleep), "waiting"},
	{GROUP_RUN_THREADS, SCMP_SYS(prctl), "name of a thread", ARG_IS(0, PR_SET_NAME)},

	{GROUP_RANDOM, SCMP_SYS(getrandom), "keys of connections, nonces"},

	/* Standard descriptors of a program that jails itself. write() goes to what is open for
	 * writing, and nothing else is. */
	{GROUP_STDIO, SCMP_SYS(write), "results, messages"},
	{GROUP_STDIO, SCMP_SYS(writev), "results, messages"},
	{GROUP_STDIO, SCMP_SYS(ioctl), "is it a terminal?", ARG_IS(1, TCGETS)},
	{GROUP_STDIO, SCMP_SYS(ioctl), "how wide is it?", ARG_IS(1, TIOCGWINSZ)},

	/* A socket to the fetcher: none can be made or connected. */
	{GROUP_TALK, SCMP_SYS(recvmsg), "answers"},
	{GROUP_TALK, SCMP_SYS(sendmsg), "requests"},
	{GROUP_TALK, SCMP_SYS(poll), "waiting for answers"},

	/* Files to read: Landlock and the empty root say which. */
	{GROUP_LOOK_UP, SCMP_SYS(openat), "tiles, settings of the resolver",
	 ARG_LACKS(2, O_ACCMODE | O_CREAT | O_TRUNC)},
	{GROUP_LOOK_UP, SCMP_SYS(newfstatat), "has a file changed?"},

	/* By a folder's descriptor, never out of it: RESOLVE_BENEATH. The flags are in memory where
	 * they are not seen here; that nothing is written, where the role does not write, is held by
	 * Landlock. */
	{GROUP_LOOK_UP, SCMP_SYS(openat2), "tiles, below their folder"},

	/* A server (log serve, witness): connections of a socket that it was given. */
	{GROUP_ACCEPT, SCMP_SYS(accept4), "connections"},
	{GROUP_ACCEPT, SCMP_SYS(recvfrom), "requests"},
	{GROUP_ACCEPT, SCMP_SYS(sendto), "answers"},
	{GROUP_ACCEPT, SCMP_SYS(sendmsg), "answers: head and body at once"},
	{GROUP_ACCEPT, SCMP_SYS(sendfile), "answers: files"},
	{GROUP_ACCEPT, SCMP_SYS(shutdown), "the end of a connection"},
	{GROUP_ACCEPT, SCMP_SYS(setsockopt), "when packets leave"},
	{GROUP_ACCEPT, SCMP_SYS(getsockname), "is it IPv4?"},
	{GROUP_ACCEPT, SCMP_SYS(getsockopt), "libmicrohttpd: kind of the socket"},
	{GROUP_ACCEPT, SCMP_SYS(epoll_create1), "waiting"},
	{GROUP_ACCEPT, SCMP_SYS(epoll_ctl), "waiting"},
	{GROUP_ACCEPT, SCMP_SYS(epoll_wait), "waiting"},
	{GROUP_ACCEPT, SCMP_SYS(epoll_pwait), "waiting"},
	{GROUP_ACCEPT, SCMP_SYS(poll), "waiting"},
	{GROUP_ACCEPT, SCMP_SYS(eventfd2), "waking a thread"},
	{GROUP_ACCEPT, SCMP_SYS(fcntl), "not to wait", ARG_IS(1, F_GETFL)},
	{GROUP_ACCEPT, SCMP_SYS(fcntl), "not to wait", ARG_IS(1, F_SETFL)},

	{GROUP_SIGNALS, SCMP_SYS(rt_sigtimedwait), "being told to end"},

	/* Own files (log add, witness): Landlock and the root say which. */
	{GROUP_WRITE_FILES, SCMP_SYS(openat), "files of the log, SQLite"},
	{GROUP_WRITE_FILES, SCMP_SYS(open), "SQLite on old libc"},
	{GROUP_WRITE_FILES, SCMP_SYS(pwrite64), "SQLite, tiles"},
	{GROUP_WRITE_FILES, SCMP_SYS(pwritev), "tiles"},
	{GROUP_WRITE_FILES, SCMP_SYS(fsync), "durability"},
	{GROUP_WRITE_FILES, SCMP_SYS(fdatasync), "durability"},
	{GROUP_WRITE_FILES, SCMP_SYS(msync), "durability: the log's index, which is mapped"},
	{GROUP_WRITE_FILES, SCMP_SYS(sync_file_range), "durability: to begin with writing"},
	{GROUP_WRITE_FILES, SCMP_SYS(syncfs), "durability of many files"},
	{GROUP_WRITE_FILES, SCMP_SYS(ftruncate), "SQLite, undoing"},
	{GROUP_WRITE_FILES, SCMP_SYS(fallocate), "room for a file"},
	{GROUP_WRITE_FILES, SCMP_SYS(rename), "a file appears whole"},
	{GROUP_WRITE_FILES, SCMP_SYS(renameat), "a file appears whole"},
	{GROUP_WRITE_FILES, SCMP_SYS(renameat2), "a file appears whole, or not at all"},
	{GROUP_WRITE_FILES, SCMP_SYS(linkat), "a file appears whole"},
	{GROUP_WRITE_FILES, SCMP_SYS(unlink), "SQLite: its journal"},
	{GROUP_WRITE_FILES, SCMP_SYS(unlinkat), "temporary files"},
	{GROUP_WRITE_FILES, SCMP_SYS(mkdir), "folders of tiles"},
	{GROUP_WRITE_FILES, SCMP_SYS(mkdirat), "folders of tiles"},
	{GROUP_WRITE_FILES, SCMP_SYS(getdents64), "reading a folder"},
	{GROUP_WRITE_FILES, SCMP_SYS(access), "SQLite: is there a journal?"},
	{GROUP_WRITE_FILES, SCMP_SYS(faccessat), "is there a file?"},
	{GROUP_WRITE_FILES, SCMP_SYS(faccessat2), "is there a file?"},
	{GROUP_WRITE_FILES, SCMP_SYS(stat), "SQLite on old libc"},
	{GROUP_WRITE_FILES, SCMP_SYS(lstat), "SQLite on old libc"},
	{GROUP_WRITE_FILES, SCMP_SYS(readlink), "SQLite: is the database a link?"},
	{GROUP_WRITE_FILES, SCMP_SYS(getcwd), "SQLite: name of the database"},
	{GROUP_WRITE_FILES, SCMP_SYS(geteuid), "SQLite: may it give files away?"},
	{GROUP_WRITE_FILES, SCMP_SYS(fchown), "SQLite as root: it goes without", .error = EPERM},
	{GROUP_WRITE_FILES, SCMP_SYS(fchmod), "rights of a file that is made"},
	{GROUP_WRITE_FILES, SCMP_SYS(flock), "one writer"},
	{GROUP_WRITE_FILES, SCMP_SYS(fcntl), "reading a folder", ARG_IS(1, F_DUPFD_CLOEXEC)},
	{GROUP_WRITE_FILES, SCMP_SYS(fcntl), "locks of SQLite, settings of descriptors",
	 ARG_LACKS(1, ~(uint32_t)63)},

	/* The network outwards (fetch). Other families are refused rather than killed: glibc tries
	 * nscd (AF_UNIX) and asks for own addresses (AF_NETLINK), and does without. */
	{GROUP_CONNECT, SCMP_SYS(socket), "IPv4", ARG_IS(0, AF_INET)},
	{GROUP_CONNECT, SCMP_SYS(socket), "IPv6", ARG_IS(0, AF_INET6)},
	{GROUP_CONNECT, SCMP_SYS(socket), "nscd", .error = EAFNOSUPPORT, ARG_IS(0, AF_UNIX)},
	{GROUP_CONNECT, SCMP_SYS(socket), "own addresses", .error = EAFNOSUPPORT,
	 ARG_IS(0, AF_NETLINK)},
	{GROUP_CONNECT, SCMP_SYS(socketpair), "curl: end of a resolver thread", ARG_IS(0, AF_UNIX)},
	{GROUP_CONNECT, SCMP_SYS(connect), "servers, name servers"},
	{GROUP_CONNECT, SCMP_SYS(sendto), "requests"},
	{GROUP_CONNECT, SCMP_SYS(recvfrom), "answers"},
	{GROUP_CONNECT, SCMP_SYS(sendmmsg), "glibc: both questions to a name server"},
	{GROUP_CONNECT, SCMP_SYS(setsockopt), "curl: no delay"},
	{GROUP_CONNECT, SCMP_SYS(getsockopt), "curl: is it connected?"},
	{GROUP_CONNECT, SCMP_SYS(getsockname), "glibc: order of addresses"},
	{GROUP_CONNECT, SCMP_SYS(getpeername), "curl"},
	{GROUP_CONNECT, SCMP_SYS(uname), "glibc: own domain, for short names"},
	{GROUP_CONNECT, SCMP_SYS(fcntl), "not to wait", ARG_IS(1, F_GETFL)},
	{GROUP_CONNECT, SCMP_SYS(fcntl), "not to wait", ARG_IS(1, F_SETFL)},
	{GROUP_CONNECT, SCMP_SYS(ioctl), "glibc: length of an answer", ARG_IS(1, FIONREAD)},
	{GROUP_CONNECT, SCMP_SYS(write), "curl: end of a resolver thread"},

	/* Only in builds with sanitizers (sandbox_extra). */
	{GROUP_SANITIZER, SCMP_SYS(write), "reports", ARG_IS(0, 2)},
	{GROUP_SANITIZER, SCMP_SYS(sched_yield), "their locks"},
	{GROUP_SANITIZER, SCMP_SYS(getpid), "reports"},
	{GROUP_SANITIZER, SCMP_SYS(gettid), "reports"},
	{GROUP_SANITIZER, SCMP_SYS(sigaltstack), "end of the thread"},
	{GROUP_SANITIZER, SCMP_SYS(rt_sigaction), "reports"},
	{GROUP_SANITIZER, SCMP_SYS(rt_sigprocmask), "reports"},
	/* A report looks for names of functions: it is told that there are none, and goes on. */
	{GROUP_SANITIZER, SCMP_SYS(open), "maps, symbols", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(openat), "maps, symbols", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(access), "symbolizer", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(stat), "symbolizer", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(newfstatat), "symbolizer", .error = ENOENT,
	 ARG_LACKS(3, AT_EMPTY_PATH)},
	{GROUP_SANITIZER, SCMP_SYS(readlink), "name of the program", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(readlinkat), "name of the program", .error = ENOENT},
	{GROUP_SANITIZER, SCMP_SYS(pipe), "is memory readable?", .error = EPERM},
	{GROUP_SANITIZER, SCMP_SYS(pipe2), "is memory readable?", .error = EPERM},
	{GROUP_SANITIZER, SCMP_SYS(ioctl), "colours?", .error = ENOTTY, ARG_IS(1, TCGETS)},
	{GROUP_SANITIZER, SCMP_SYS(getrlimit), "size of the stack", .error = EPERM},
	{GROUP_SANITIZER, SCMP_SYS(prlimit64), "size of the stack", .error = EPERM},
	{GROUP_SANITIZER, SCMP_SYS(prctl), "name of the thread", .error = EPERM},
};

static int add_rule(scmp_filter_ctx ctx, const struct rule *r)
{
	uint32_t act = r->error ? SCMP_ACT_ERRNO(r->error) : SCMP_ACT_ALLOW;
	if (!r->checked)
		return seccomp_rule_add(ctx, act, r->call, 0);
	struct scmp_arg_cmp cmp = SCMP_CMP(r->arg, SCMP_CMP_MASKED_EQ, r->mask, r->value);
	return seccomp_rule_add_array(ctx, act, r->call, 1, &cmp);
}

/* What sanitizers are told does not exist, the role may have: then it is the role's to say. A rule
 * without condition would take away what one with a condition allows. */
static bool is_overruled(const struct rule *r, uint32_t groups)
{
	for (size_t i = 0; r->group == GROUP_SANITIZER && r->error && i < ARRAY_LEN(rules); i++) {
		const struct rule *o = &rules[i];
		bool apart = r->checked && o->checked && (r->arg != o->arg || r->value != o->value);
		if (o->group & groups && o->group != GROUP_SANITIZER && o->call == r->call && !apart)
			return true;
	}
	return false;
}

static int fill(scmp_filter_ctx ctx, uint32_t groups)
{
	int bad = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < ARRAY_LEN(rules) && bad == 0; i++)
		if (rules[i].group & groups && !is_overruled(&rules[i], groups))
			bad = add_rule(ctx, &rules[i]);
	return bad == 0 ? seccomp_load(ctx) : bad;
}

st_t seccomp_enter(uint32_t groups, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx)
		return fail(e, ST_NOMEM, 0, "seccomp: out of memory");
	int bad = fill(ctx, groups);
	seccomp_release(ctx);
	if (bad == 0)
		return ST_OK;
	errno = -bad;
	return fail_errno(e, "seccomp");
}
