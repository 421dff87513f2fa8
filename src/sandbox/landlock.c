/* Landlock: every right that the running kernel can handle is handled, and none is granted but to
 * read, or to read and write, below the folders of a role. The numbers are from the kernel's ABI
 * (linux/landlock.h, versions 1 to 7), written out here because Debian 12's header knows only the
 * first two. */
#include "base/io.h"
#include "base/num.h"
#include "sandbox/jail.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

/* Rights to files (fs). */
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define REFER (UINT64_C(1) << 13)
#define TRUNCATE (UINT64_C(1) << 14)

#define READ_ONLY (READ_FILE | READ_DIR)
#define READ_WRITE                                                                           \
	(READ_ONLY | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE)
/* The others are refused for what is no folder. */
#define OF_FILES (WRITE_FILE | READ_FILE | TRUNCATE)

/* Rights to TCP (net). */
#define NET_CONNECT (UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs, net, scoped;
};

/* Highest known right of each ABI version; later kernels are used as far as we know them. */
static const struct {
	uint8_t fs_bits, net_bits, scoped_bits;
	uint8_t size; /* of struct ruleset in that version */
} abi[] = {
	{0, 0, 0, 0},
	{13, 0, 0, 8},  /* 1: open, read, write, execute, make and remove anything */
	{14, 0, 0, 8},  /* 2: refer (rename and link between folders) */
	{15, 0, 0, 8},  /* 3: truncate */
	{15, 2, 0, 16}, /* 4: TCP bind and connect */
	{16, 2, 0, 16}, /* 5: ioctl on devices */
	{16, 2, 2, 24}, /* 6: abstract sockets and signals to the outside */
};

struct path_beneath {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

static uint64_t low_bits(unsigned n)
{
	return (UINT64_C(1) << n) - 1;
}

static uint32_t detect(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (v <= 0)
		return 0;
	return v < (long)ARRAY_LEN(abi) ? (uint32_t)v : (uint32_t)ARRAY_LEN(abi) - 1;
}

/* `handled`: asking for more than this kernel knows is an error. */
static st_t add_paths(int set, const int *fd, size_t n, uint64_t rights, uint64_t handled,
                      struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct stat sb;
		if (fstat(fd[i], &sb) != 0)
			return fail_errno(e, "landlock: path");
		uint64_t may = S_ISDIR(sb.st_mode) ? rights : rights & OF_FILES;
		struct path_beneath rule = {.rights = may & handled, .fd = fd[i]};
		if (syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &rule, 0) != 0)
			return fail_errno(e, "landlock: path");
	}
	return ST_OK;
}

st_t landlock_enter(const struct sandbox_paths *paths, bool connect, uint32_t *ret_abi,
                    struct err *e)
{
	uint32_t v = detect();
	*ret_abi = 0;
	if (v == 0)
		return ST_OK;
	struct ruleset r = {
		.fs = low_bits(abi[v].fs_bits),
		.net = low_bits(abi[v].net_bits) & ~(connect ? NET_CONNECT : 0),
		.scoped = low_bits(abi[v].scoped_bits),
	};
	AUTO_FD fd = (int)syscall(SYS_landlock_create_ruleset, &r, (size_t)abi[v].size, 0);
	if (fd < 0)
		return fail_errno(e, "landlock: create");
	if (paths)
		TRY(add_paths(fd, paths->ro, paths->nro, READ_ONLY, r.fs, e));
	if (paths)
		TRY(add_paths(fd, paths->rw, paths->nrw, READ_WRITE, r.fs, e));
	if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		return fail_errno(e, "landlock: restrict");
	*ret_abi = v;
	return ST_OK;
}
