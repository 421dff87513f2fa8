/* Landlock with an empty rule set: every right that the running kernel can handle is handled, none
 * is granted. The numbers are from the kernel's ABI (linux/landlock.h, versions 1 to 7), written
 * out here because Debian 12's header knows only the first two. */
#include "base/num.h"
#include "sandbox/jail.h"

#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1u

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

st_t landlock_enter(uint32_t *ret_abi, struct err *e)
{
	uint32_t v = detect();
	*ret_abi = 0;
	if (v == 0)
		return ST_OK;
	struct ruleset r = {
		.fs = low_bits(abi[v].fs_bits),
		.net = low_bits(abi[v].net_bits),
		.scoped = low_bits(abi[v].scoped_bits),
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &r, (size_t)abi[v].size, 0);
	if (fd < 0)
		return fail_errno(e, "landlock: create");
	long bad = syscall(SYS_landlock_restrict_self, fd, 0);
	int saved = errno;
	close(fd);
	errno = saved;
	if (bad)
		return fail_errno(e, "landlock: restrict");
	*ret_abi = v;
	return ST_OK;
}
