/* Enters the jail of a role and then tries one thing. Usage: jail_probe ROLE THING
 * ROLE is scan, compile, inspect, fetch, ...; `jail_probe list` prints the things. The parent stays
 * outside, holds the other end of the socket and prints how the child in the jail ended:
 *   worked, refused, signal N, or "no jail" if that failed. Then the layers that are missing. */
#include "crypto/digest.h"
#include "sandbox/ipc.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKED = 0, REFUSED = 1, NO_JAIL = 2 };

/* Made before the jail closes. */
static int peer;  /* the other end of the socket */
static int readable, writable; /* folders: one with a file "a", an empty one */
static int input; /* an ordinary file, sent through the socket; this number is closed in the jail */
static void *page;
static struct sandbox_report *report; /* shared with the parent */

static bool ok(long r)
{
	return r >= 0;
}

/* ---- forbidden ---- */

static bool try_open(void)
{
	return ok(open("/etc/passwd", O_RDONLY));
}

static bool try_creat(void)
{
	return ok(syscall(SYS_creat, "/tmp/jail-probe", 0600));
}

static bool try_openat2(void)
{
	uint64_t how[3] = {O_RDONLY};
	return ok(syscall(SYS_openat2, AT_FDCWD, "/", how, sizeof how));
}

static bool try_stat(void)
{
	struct stat sb;
	return ok(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &sb, 0));
}

/* The one call with a name that is allowed for glibc's fstat(): the root is empty. */
static bool try_stat_by_flag(void)
{
	struct stat sb;
	return ok(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &sb, AT_EMPTY_PATH));
}

static bool try_readlink(void)
{
	char b[64];
	return ok(readlink("/proc/self/exe", b, sizeof b));
}

static bool try_unlink(void)
{
	return ok(unlink("/tmp/jail-probe"));
}

static bool try_socket(void)
{
	return ok(socket(AF_INET, SOCK_STREAM, 0));
}

static bool try_socketpair(void)
{
	int v[2];
	return ok(socketpair(AF_UNIX, SOCK_STREAM, 0, v));
}

static bool try_connect(void)
{
	struct sockaddr a = {.sa_family = AF_UNIX};
	return ok(connect(SANDBOX_FD_SOCK, &a, sizeof a));
}

static bool try_bind(void)
{
	struct sockaddr a = {.sa_family = AF_UNIX};
	return ok(bind(SANDBOX_FD_SOCK, &a, sizeof a));
}

static bool try_execve(void)
{
	char *const argv[] = {NULL};
	return ok(execve("/bin/true", argv, argv));
}

static bool try_fork(void)
{
	return ok(fork());
}

static bool try_clone3(void)
{
	return ok(syscall(SYS_clone3, NULL, 0));
}

static bool try_ptrace(void)
{
	return ok(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static bool try_kill(void)
{
	return ok(kill(getppid(), 0));
}

static bool try_process_vm_readv(void)
{
	return ok(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
}

static bool try_mmap_exec(void)
{
	int prot = PROT_READ | PROT_EXEC;
	return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool try_mprotect_exec(void)
{
	return ok(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static bool try_write_stdout(void)
{
	return ok(write(STDOUT_FILENO, "x", 1));
}

static bool try_write_sock(void)
{
	return ok(write(SANDBOX_FD_SOCK, "x", 1));
}

static bool try_sendmsg_elsewhere(void)
{
	struct msghdr m = {0};
	return ok(sendmsg(5, &m, 0));
}

static bool try_unshare(void)
{
	return ok(unshare(CLONE_NEWUSER));
}

static bool try_setns(void)
{
	return ok(setns(input, 0));
}

static bool try_io_uring(void)
{
	return ok(syscall(SYS_io_uring_setup, 1, page));
}

static bool try_bpf(void)
{
	return ok(syscall(SYS_bpf, 0, NULL, 0));
}

static bool try_keyctl(void)
{
	return ok(syscall(SYS_keyctl, 0, 0, 0));
}

static bool try_userfaultfd(void)
{
	return ok(syscall(SYS_userfaultfd, 0));
}

static bool try_perf(void)
{
	return ok(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
}

static bool try_mount(void)
{
	return ok(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static bool try_chroot(void)
{
	return ok(chroot(".."));
}

static bool try_ioctl(void)
{
	int n;
	return ok(ioctl(input, FIONREAD, &n));
}

static bool try_prlimit(void)
{
	struct rlimit l;
	return ok(getrlimit(RLIMIT_DATA, &l));
}

static bool try_prctl(void)
{
	return ok(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static bool try_seccomp(void)
{
	return ok(syscall(SYS_seccomp, 0, 0, NULL));
}

static bool try_sigaction(void)
{
	return signal(SIGTERM, SIG_IGN) != SIG_ERR;
}

static bool try_fchmod(void)
{
	return ok(fchmod(input, 0777));
}

static bool try_dup(void)
{
	return ok(dup(input));
}

static bool try_memfd(void)
{
	return ok(memfd_create("x", 0));
}

static bool try_shm(void)
{
	return ok(syscall(SYS_shmget, 1, 4096, 01777));
}

static bool try_personality(void)
{
	return ok(syscall(SYS_personality, 0xffffffff));
}

#ifdef __x86_64__
/* The 32-bit entry has other numbers: 5 is open there. */
static bool try_int80(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r > 0;
}

/* The x32 variant of getpid. */
static bool try_x32(void)
{
	return ok(syscall(0x40000000 + SYS_getpid));
}
#endif

/* ---- allowed ---- */

static bool use_memory(void)
{
	size_t n = (size_t)64 << 20;
	char *p = malloc(n);
	if (!p)
		return false;
	memset(p, 1, n);
	p = realloc(p, 2 * n);
	bool good = p && p[n - 1] == 1;
	free(p);
	return good;
}

/* More than RLIMIT_DATA of either role: refused, not killed. */
static bool use_too_much_memory(void)
{
	char *volatile p = malloc((size_t)5 << 30);
	return p != NULL;
}

static bool use_input(void)
{
	struct ipc_packet in;
	enum ipc_got got;
	struct stat sb;
	char b[8];
	if (ipc_recv(SANDBOX_FD_SOCK, true, &in, &got, NULL) != ST_OK || in.fd < 0)
		return false;
	if (fstat(in.fd, &sb) != 0 || sb.st_size < 8 || pread(in.fd, b, 8, 0) != 8)
		return false;
	void *p = mmap(NULL, 8, PROT_READ, MAP_PRIVATE, in.fd, 0);
	return p != MAP_FAILED && memcmp(p, b, 8) == 0 && close(in.fd) == 0;
}

static bool use_socket(void)
{
	return ipc_send(SANDBOX_FD_SOCK, "x", 1, -1, true, NULL) == ST_OK;
}

static bool use_clock(void)
{
	struct timespec t;
	return ok(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t)) && time(NULL) > 0;
}

static bool use_local_time(void)
{
	struct tm tm = {.tm_year = 100, .tm_mday = 1};
	return mktime(&tm) == 946684800;
}

static bool use_digests(void)
{
	uint8_t d[DIGEST_MAX];
	for (int k = 0; k < DIGEST_KINDS; k++)
		if (digest_bytes((enum digest_kind)k, "abc", 3, d, NULL) != ST_OK)
			return false;
	return true;
}

static int by_byte(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static bool use_qsort(void)
{
	static char v[1 << 20];
	v[0] = 1;
	qsort(v, sizeof v, 1, by_byte);
	return v[sizeof v - 1] == 1;
}

/* What the compile role may and the scan role may not. */
static bool use_output(void)
{
	return ok(write(SANDBOX_FD_OUT, "database", 8));
}

/* ---- what some of the roles may that have folders, threads or a network ---- */

static bool reads(int fd)
{
	char c;
	return ok(fd) && read(fd, &c, 1) == 1 && c == 'a';
}

static bool do_read_below(void)
{
	return reads(openat(readable, "a", O_RDONLY | O_CLOEXEC));
}

static bool do_read_beneath(void)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
	return reads((int)syscall(SYS_openat2, readable, "a", &how, sizeof how));
}

static bool do_read_elsewhere(void)
{
	return ok(open("/etc/passwd", O_RDONLY)) || ok(openat(readable, "../../etc/passwd", O_RDONLY));
}

static bool do_read_resolver_settings(void)
{
	return ok(open("/etc/group", O_RDONLY)) && ok(open("/etc/shells", O_RDONLY));
}

static bool do_overwrite_readable(void)
{
	struct open_how how = {.flags = O_WRONLY};
	return ok(syscall(SYS_openat2, readable, "a", &how, sizeof how));
}

static bool do_create(void)
{
	return ok(openat(writable, "b", O_CREAT | O_WRONLY, 0600));
}

static bool do_create_in_readable(void)
{
	return ok(openat(readable, "b", O_CREAT | O_WRONLY, 0600));
}

/* As a log writes a file: whole, durable, under its name. */
static bool do_write_below(void)
{
	int fd = openat(writable, "b.new", O_CREAT | O_RDWR | O_EXCL, 0600);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	return ok(fd) && pwrite(fd, "b", 1, 0) == 1 && ok(fsync(fd)) && ok(fdatasync(fd)) &&
	       ok(ftruncate(fd, 1)) && ok(fcntl(fd, F_SETLK, &lock)) && ok(close(fd)) &&
	       ok(mkdirat(writable, "d", 0700)) && ok(renameat(writable, "b.new", writable, "d/b")) &&
	       ok(unlinkat(writable, "d/b", 0)) && ok(fsync(openat(writable, "d", O_RDONLY)));
}

static void *run_thread(void *arg)
{
	return arg;
}

static bool do_thread(void)
{
	pthread_t t;
	void *ret = NULL;
	return pthread_create(&t, NULL, run_thread, &peer) == 0 && pthread_join(t, &ret) == 0 &&
	       ret == &peer;
}

static bool do_random(void)
{
	char b[8];
	return getrandom(b, sizeof b, 0) == sizeof b;
}

static bool do_socket_inet(void)
{
	return ok(socket(AF_INET, SOCK_STREAM, 0)) && ok(socket(AF_INET6, SOCK_DGRAM, 0));
}

static bool do_socket_unix(void)
{
	return ok(socket(AF_UNIX, SOCK_STREAM, 0));
}

static bool do_socket_netlink(void)
{
	return ok(socket(AF_NETLINK, SOCK_RAW, 0));
}

static bool do_socket_packet(void)
{
	return ok(socket(AF_PACKET, SOCK_RAW, 0));
}

/* "refused" in both senses: the call is made, nobody listens. */
static bool do_connect(void)
{
	struct sockaddr a = {.sa_family = AF_UNSPEC};
	return connect(SANDBOX_FD_SOCK, &a, sizeof a) == 0 || errno != EPERM;
}

static bool do_accept(void)
{
	return ok(accept4(SANDBOX_FD_SOCK, NULL, NULL, 0)) || errno == EINVAL || errno == EOPNOTSUPP;
}

static bool do_listen(void)
{
	return ok(listen(SANDBOX_FD_SOCK, 1));
}

static bool do_message(void)
{
	return use_socket();
}

static bool do_write_stdout(void)
{
	return ok(write(STDOUT_FILENO, "x", 1));
}

static const struct {
	const char *name;
	bool (*act)(void);
} things[] = {
#define T(n) {#n, try_##n}
	T(open), T(creat), T(openat2), T(stat), T(stat_by_flag), T(readlink), T(unlink),
	T(socket), T(socketpair), T(connect), T(bind), T(execve), T(fork), T(clone3),
	T(ptrace), T(kill), T(process_vm_readv), T(mmap_exec), T(mprotect_exec),
	T(write_stdout), T(write_sock), T(sendmsg_elsewhere), T(unshare), T(setns),
	T(io_uring), T(bpf), T(keyctl), T(userfaultfd), T(perf), T(mount), T(chroot),
	T(ioctl), T(prlimit), T(prctl), T(seccomp), T(sigaction), T(fchmod), T(dup),
	T(memfd), T(shm), T(personality),
#ifdef __x86_64__
	T(int80), T(x32),
#endif
#undef T
#define T(n) {"use_" #n, use_##n}
	T(memory), T(too_much_memory), T(input), T(socket), T(clock), T(local_time),
	T(digests), T(qsort), T(output),
#undef T
#define T(n) {"do_" #n, do_##n}
	T(read_below), T(read_beneath), T(read_elsewhere), T(read_resolver_settings),
	T(overwrite_readable), T(create), T(create_in_readable), T(write_below), T(thread),
	T(random), T(socket_inet), T(socket_unix), T(socket_netlink), T(socket_packet),
	T(connect), T(accept), T(listen), T(message), T(write_stdout),
#undef T
};

#define NTHINGS (sizeof things / sizeof things[0])

static int list(void)
{
	for (size_t i = 0; i < NTHINGS; i++)
		puts(things[i].name);
	return 0;
}

/* Standard places of a worker: socket 3 with a message waiting, output 4. */
static bool prepare(void)
{
	int v[2];
	input = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	if (input < 0 || out < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, v))
		return false;
	peer = fcntl(v[1], F_DUPFD, 20);
	int sock = fcntl(v[0], F_DUPFD, 20);
	input = fcntl(input, F_DUPFD, 20);
	out = fcntl(out, F_DUPFD, 20);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	report = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED || peer < 0)
		return false;
	return ipc_send(peer, "x", 1, input, true, NULL) == ST_OK &&
	       dup2(sock, SANDBOX_FD_SOCK) >= 0 && dup2(out, SANDBOX_FD_OUT) >= 0;
}

static char read_dir[] = "/tmp/jail-probe-r-XXXXXX", write_dir[] = "/tmp/jail-probe-w-XXXXXX";

static int open_folder(char *name)
{
	int fd = mkdtemp(name) ? open(name, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 30);
}

static bool make_folders(void)
{
	readable = open_folder(read_dir);
	writable = open_folder(write_dir);
	int fd = openat(readable, "a", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	return readable >= 0 && writable >= 0 && write(fd, "a", 1) == 1 && close(fd) == 0;
}

static void remove_folders(void)
{
	(void)unlinkat(readable, "a", 0);
	(void)unlinkat(readable, "b", 0);
	(void)unlinkat(writable, "b", 0);
	(void)unlinkat(writable, "b.new", 0);
	(void)unlinkat(writable, "d", AT_REMOVEDIR);
	(void)rmdir(read_dir);
	(void)rmdir(write_dir);
}

/* The roles with folders get theirs, the fetcher files as those that a resolver reads; two that
 * every system has. */
static st_t enter(enum sandbox_role role, struct err *e)
{
	if (role < ROLE_FETCH)
		return sandbox_enter(role, report, e);
	int settings[] = {open("/etc/group", O_PATH), open("/etc/shells", O_PATH)};
	bool writes = role == ROLE_WITNESS || role == ROLE_LOG_WRITE ||
	              role == ROLE_VERIFY;
	struct sandbox_paths paths = {.ro = &readable, .nro = 1, .rw = &writable, .nrw = writes};
	if (role == ROLE_FETCH)
		paths = (struct sandbox_paths){.ro = settings, .nro = 2};
	return sandbox_enter_with(role, &paths, report, e);
}

static int in_jail(enum sandbox_role role, bool (*act)(void))
{
	struct err e = {0};
	if (digest_preload(&e) != ST_OK || sandbox_preload(&e) != ST_OK || enter(role, &e) != ST_OK) {
		fprintf(stderr, "jail_probe: %s\n", e.text);
		return NO_JAIL;
	}
	return act() ? WORKED : REFUSED;
}

static int outside(pid_t child)
{
	static const char *const word[] = {"worked", "refused", "no jail"};
	int status;
	if (waitpid(child, &status, 0) != child)
		return 2;
	if (WIFSIGNALED(status))
		printf("signal %d", WTERMSIG(status));
	else
		printf("%s", WEXITSTATUS(status) <= NO_JAIL ? word[WEXITSTATUS(status)] : "?");
	printf(" missing %u\n", report->missing);
	return 0;
}

static int run(enum sandbox_role role, bool (*act)(void))
{
	pid_t child = fork();
	if (child < 0)
		return 2;
	if (child == 0)
		_exit(in_jail(role, act));
	int code = outside(child);
	remove_folders();
	return code;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc != 3 || !prepare() || !make_folders())
		return 2;
	static const char *const names[ROLES] = {
	    [ROLE_SCAN] = "scan",
	    [ROLE_SCAN_JIT] = "scan-jit",
	    [ROLE_COMPILE] = "compile",
	    [ROLE_INSPECT] = "inspect",
	    [ROLE_FETCH] = "fetch",
	    [ROLE_LOG_SERVE] = "log-serve",
	    [ROLE_WITNESS] = "witness",
	    [ROLE_CHECK] = "check",
	    [ROLE_LOG_WRITE] = "log-write",
	    [ROLE_VERIFY] = "verify",
	};
	enum sandbox_role role = ROLE_SCAN;
	while (role < ROLES && strcmp(argv[1], names[role]))
		role++;
	if (role == ROLES)
		return 2;
	for (size_t i = 0; i < NTHINGS; i++)
		if (!strcmp(argv[2], things[i].name))
			return run(role, things[i].act);
	return 2;
}
