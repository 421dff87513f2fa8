/* Namespaces and capabilities. All but the dropping of capabilities is a second wall behind seccomp
 * and Landlock, so a system that refuses it is tolerated and the refusal reported. */
#include "sandbox/jail.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An empty, read-only root: stat(), which Landlock does not govern, then finds nothing. Any folder
 * will do as the place of the mount, it is seen by this process only. */
static bool empty_root(void)
{
	if (mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k"))
		return false;
	return chdir("/proc") == 0 && chroot(".") == 0;
}

/* The folder with the state of a server: its names work with or without this root, relative to the
 * working folder. */
static bool state_root(int fd)
{
	return fchdir(fd) == 0 && chroot(".") == 0;
}

static bool change_root(uint32_t keep, int state_fd)
{
	return keep & KEEP_STATE_ROOT ? state_root(state_fd) : empty_root();
}

uint32_t namespace_enter(uint32_t keep, int state_fd)
{
	int spaces = CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWUTS;
	if (!(keep & KEEP_NET))
		spaces |= CLONE_NEWNET;
	if (!(keep & KEEP_ROOT))
		spaces |= CLONE_NEWNS;
	uint32_t no_root = keep & KEEP_ROOT ? 0 : SANDBOX_NO_EMPTY_ROOT;
	if (unshare(spaces) != 0)
		return SANDBOX_NO_NAMESPACES | no_root;
	return no_root == 0 || change_root(keep, state_fd) ? 0 : no_root;
}

st_t caps_drop(struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capset, &head, none) ? fail_errno(e, "capset") : ST_OK;
}
