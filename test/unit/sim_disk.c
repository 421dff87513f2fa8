#include "sim_disk.h"

#include "test/t.h"

#include <errno.h>
#include <fcntl.h>

static int node_new(struct sim_disk *d, bool dir)
{
	d->node = realloc(d->node, (d->nnodes + 1) * sizeof *d->node);
	d->node[d->nnodes] = calloc(1, sizeof **d->node);
	d->node[d->nnodes]->dir = dir;
	return (int)d->nnodes++;
}

static void node_free(struct sim_node *n)
{
	for (size_t i = 0; i < n->nnames; i++)
		free(n->names[i].name);
	free(n->names);
	free(n->now);
	free(n->durable);
	free(n->link);
	free(n);
}

static int error(int what)
{
	errno = what;
	return -1;
}

/* Whether a call that changes something takes place. */
static bool goes_on(struct sim_disk *d)
{
	d->calls++;
	if (d->stop && d->calls >= d->stop)
		d->stopped = true;
	return !d->stopped && d->calls != d->fault;
}

static bool is_full(const struct sim_disk *d)
{
	return d->full && d->calls >= d->full;
}

static struct sim_name *find(const struct sim_node *dir, const char *name, size_t n)
{
	for (size_t i = 0; i < dir->nnames; i++)
		if (strlen(dir->names[i].name) == n && !memcmp(dir->names[i].name, name, n))
			return &dir->names[i];
	return NULL;
}

static void point(struct sim_node *dir, const char *name, int node)
{
	struct sim_name *x = find(dir, name, strlen(name));
	if (!x) {
		dir->names = realloc(dir->names, (dir->nnames + 1) * sizeof *x);
		x = &dir->names[dir->nnames++];
		*x = (struct sim_name){.name = strdup(name), .now = -1, .durable = -1};
	}
	x->was[x->nwas < SIM_HISTORY ? x->nwas++ : SIM_HISTORY - 1] = x->now;
	x->now = node;
}

/* Node of a path; ret_dir, ret_last: where its last name is or would be. */
static int walk(const struct sim_disk *d, int node, const char *path, int *ret_dir,
                const char **ret_last)
{
	for (;;) {
		const char *slash = strchr(path, '/');
		size_t n = slash ? (size_t)(slash - path) : strlen(path);
		if (node < 0 || !d->node[node]->dir)
			return error(ENOENT);
		*ret_dir = node;
		*ret_last = path;
		struct sim_name *x = find(d->node[node], path, n);
		node = x ? x->now : -1;
		if (!slash)
			return node;
		path = slash + 1;
	}
}

static int node_of(const struct sim_disk *d, int fd)
{
	if (fd < 0 || fd >= SIM_FDS || d->fd[fd] < 0) {
		printf("  sim: descriptor %d is not open\n", fd);
		abort();
	}
	return d->fd[fd];
}

static int sim_open(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
	struct sim_disk *d = ctx;
	int parent = -1, fd = 2;
	const char *last = NULL;
	(void)mode;
	if (d->stopped)
		return error(EIO);
	int node = walk(d, node_of(d, dir), path, &parent, &last);
	if (node >= 0 && flags & O_EXCL)
		return error(EEXIST);
	if (node >= 0 && d->node[node]->link)
		return error(ELOOP);
	if (node >= 0 && flags & O_DIRECTORY && !d->node[node]->dir)
		return error(ENOTDIR);
	if (node < 0 && (!(flags & O_CREAT) || parent < 0 || strchr(last, '/')))
		return error(ENOENT);
	if (node < 0) {
		if (!goes_on(d))
			return error(EIO);
		if (is_full(d))
			return error(ENOSPC);
		node = node_new(d, false);
		point(d->node[parent], last, node);
	}
	while (fd < SIM_FDS && d->fd[fd] >= 0)
		fd++;
	if (fd == SIM_FDS)
		return error(EMFILE);
	d->fd[fd] = node;
	return fd;
}

static int sim_close(void *ctx, int fd)
{
	struct sim_disk *d = ctx;
	(void)node_of(d, fd);
	d->fd[fd] = -1;
	return 0;
}

static ssize_t sim_pread(void *ctx, int fd, void *ret, size_t n, uint64_t off)
{
	struct sim_disk *d = ctx;
	const struct sim_node *x = d->node[node_of(d, fd)];
	if (d->stopped)
		return error(EIO);
	if (off >= x->size)
		return 0;
	size_t k = n < x->size - off ? n : x->size - (size_t)off;
	memcpy(ret, x->now + off, k);
	return (ssize_t)k;
}

static void resize(struct sim_node *x, size_t size)
{
	if (size > x->cap) {
		x->cap = size * 2;
		x->now = realloc(x->now, x->cap);
	}
	if (size > x->size)
		memset(x->now + x->size, 0, size - x->size);
	x->size = size;
}

static ssize_t sim_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	struct sim_disk *d = ctx;
	struct sim_node *x = d->node[node_of(d, fd)];
	if (!goes_on(d))
		return error(EIO);
	if (is_full(d) && (d->calls > d->full || n < 2))
		return error(ENOSPC);
	if (is_full(d))
		n /= 2;
	if (off + n > x->size)
		resize(x, (size_t)off + n);
	memcpy(x->now + off, p, n);
	return (ssize_t)n;
}

static void settle_file(struct sim_node *x, size_t from, size_t to)
{
	if (x->durable_size != x->size) {
		x->durable = realloc(x->durable, x->size + 1);
		if (x->size > x->durable_size)
			memset(x->durable + x->durable_size, 0, x->size - x->durable_size);
		x->durable_size = x->size;
	}
	if (to > from)
		memcpy(x->durable + from, x->now + from, to - from);
}

static int sim_sync(void *ctx, int fd)
{
	struct sim_disk *d = ctx;
	struct sim_node *x = d->node[node_of(d, fd)];
	if (!goes_on(d))
		return error(EIO);
	if (!x->dir)
		settle_file(x, 0, x->size);
	for (size_t i = 0; i < x->nnames; i++) {
		x->names[i].durable = x->names[i].now;
		x->names[i].nwas = 0;
	}
	return 0;
}

/* Bytes that were there before: a file that has grown is a bug of the caller. */
static int sim_sync_data(void *ctx, int fd)
{
	struct sim_disk *d = ctx;
	struct sim_node *x = d->node[node_of(d, fd)];
	if (x->size != x->durable_size) {
		printf("  sim: sync of the data of a file that has grown\n");
		abort();
	}
	return sim_sync(ctx, fd);
}

static int sim_start(void *ctx, int fd)
{
	(void)node_of(ctx, fd);
	return 0;
}

static int sim_truncate(void *ctx, int fd, uint64_t size)
{
	struct sim_disk *d = ctx;
	if (!goes_on(d))
		return error(EIO);
	resize(d->node[node_of(d, fd)], (size_t)size);
	return 0;
}

static int sim_size(void *ctx, int fd, uint64_t *ret)
{
	struct sim_disk *d = ctx;
	*ret = d->node[node_of(d, fd)]->size;
	return d->stopped ? error(EIO) : 0;
}

static bool has_names(const struct sim_node *dir)
{
	for (size_t i = 0; i < dir->nnames; i++)
		if (dir->names[i].now >= 0)
			return true;
	return false;
}

static int sim_rename(void *ctx, int from, const char *old, int to, const char *name)
{
	struct sim_disk *d = ctx;
	struct sim_node *a = d->node[node_of(d, from)], *b = d->node[node_of(d, to)];
	if (!goes_on(d))
		return error(EIO);
	struct sim_name *x = find(a, old, strlen(old));
	if (!x || x->now < 0)
		return error(ENOENT);
	int node = x->now;
	struct sim_name *over = find(b, name, strlen(name));
	if (over && over->now >= 0 && over->now != node && has_names(d->node[over->now]))
		return error(ENOTEMPTY);
	point(a, old, -1);
	point(b, name, node);
	if (d->seen)
		d->seen(d->seen_arg, d, name);
	return 0;
}

static int sim_unlink(void *ctx, int dir, const char *path, int flags)
{
	struct sim_disk *d = ctx;
	int parent = -1;
	const char *last = NULL;
	if (d->stopped)
		return error(EIO);
	int node = walk(d, node_of(d, dir), path, &parent, &last);
	if (node < 0)
		return error(ENOENT);
	if (flags & AT_REMOVEDIR && has_names(d->node[node]))
		return error(ENOTEMPTY);
	if (!goes_on(d))
		return error(EIO);
	point(d->node[parent], last, -1);
	return 0;
}

static int sim_mkdir(void *ctx, int dir, const char *name)
{
	struct sim_disk *d = ctx;
	int parent = node_of(d, dir);
	if (!goes_on(d))
		return error(EIO);
	struct sim_name *x = find(d->node[parent], name, strlen(name));
	if (x && x->now >= 0)
		return error(EEXIST);
	if (is_full(d))
		return error(ENOSPC);
	int node = node_new(d, true);
	point(d->node[parent], name, node);
	return 0;
}

static int sim_symlink(void *ctx, const char *target, int dir, const char *name)
{
	struct sim_disk *d = ctx;
	int parent = node_of(d, dir);
	if (!goes_on(d))
		return error(EIO);
	struct sim_name *x = find(d->node[parent], name, strlen(name));
	if (x && x->now >= 0)
		return error(EEXIST);
	if (is_full(d))
		return error(ENOSPC);
	int node = node_new(d, false);
	d->node[node]->link = strdup(target);
	point(d->node[parent], name, node);
	return 0;
}

static ssize_t sim_readlink(void *ctx, int dir, const char *name, char *ret, size_t n)
{
	struct sim_disk *d = ctx;
	struct sim_name *x = find(d->node[node_of(d, dir)], name, strlen(name));
	if (d->stopped)
		return error(EIO);
	if (!x || x->now < 0)
		return error(ENOENT);
	const char *link = d->node[x->now]->link;
	if (!link)
		return error(EINVAL);
	size_t k = strlen(link) < n ? strlen(link) : n;
	memcpy(ret, link, k);
	return (ssize_t)k;
}

static int sim_list(void *ctx, int fd, void (*each)(void *arg, const char *name), void *arg)
{
	struct sim_disk *d = ctx;
	const struct sim_node *x = d->node[node_of(d, fd)];
	for (size_t i = 0; !d->stopped && i < x->nnames; i++)
		if (x->names[i].now >= 0)
			each(arg, x->names[i].name);
	return d->stopped ? error(EIO) : 0;
}

static int sim_lock(void *ctx, int fd)
{
	struct sim_disk *d = ctx;
	(void)node_of(d, fd);
	return d->stopped ? error(EIO) : 0;
}

static void *sim_map(void *ctx, int fd, size_t n)
{
	struct sim_disk *d = ctx;
	struct sim_node *x = d->node[node_of(d, fd)];
	if (d->stopped || n > x->size) {
		errno = EIO;
		return NULL;
	}
	return x->now;
}

static int sim_sync_map(void *ctx, void *p, size_t n)
{
	struct sim_disk *d = ctx;
	if (!goes_on(d))
		return error(EIO);
	for (size_t i = 0; i < d->nnodes; i++)
		if (d->node[i]->now == p)
			settle_file(d->node[i], 0, n);
	return 0;
}

static void sim_unmap(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)p;
	(void)n;
}

static const struct log_io sim_io = {
    .open = sim_open,         .close = sim_close,         .pread = sim_pread,
    .pwrite = sim_pwrite,     .start = sim_start,         .sync = sim_sync,
    .sync_data = sim_sync_data, .truncate = sim_truncate, .size = sim_size,
    .rename = sim_rename,     .unlink = sim_unlink,       .mkdir = sim_mkdir,
    .symlink = sim_symlink,   .readlink = sim_readlink,
    .list = sim_list,         .lock = sim_lock,           .map = sim_map,
    .sync_map = sim_sync_map, .unmap = sim_unmap,
};

static struct sim_disk *disk_new(void)
{
	struct sim_disk *d = calloc(1, sizeof *d);
	d->io = sim_io;
	d->io.ctx = d;
	for (int i = 0; i < SIM_FDS; i++)
		d->fd[i] = -1;
	d->fd[SIM_PUBLIC] = SIM_PUBLIC;
	d->fd[SIM_PRIVATE] = SIM_PRIVATE;
	return d;
}

struct sim_disk *sim_new(void)
{
	struct sim_disk *d = disk_new();
	(void)node_new(d, true);
	(void)node_new(d, true);
	return d;
}

void sim_free(struct sim_disk *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nnodes; i++)
		node_free(d->node[i]);
	free(d->node);
	free(d);
}

static uint8_t *copy(const uint8_t *p, size_t n, size_t cap)
{
	uint8_t *q = calloc(1, cap + 1);
	if (n)
		memcpy(q, p, n);
	return q;
}

/* Pieces of 64 bytes of either version, zeroes where the file has grown, up to a length between the
 * two. */
static void tear(const struct sim_node *x, struct sim_node *y, uint64_t *seed)
{
	size_t low = x->durable_size < x->size ? x->durable_size : x->size;
	unsigned which = 0;
	y->size = t_rand(seed) % 3 ? x->size : low + t_rand(seed) % (x->size - low + 1);
	y->now = calloc(1, y->size + 1);
	for (size_t i = 0; i < y->size; i++) {
		if (i % 64 == 0)
			which = (unsigned)(t_rand(seed) % 3);
		if (i < x->durable_size)
			y->now[i] = which == 0 ? x->now[i] : x->durable[i];
		else if (which < 2)
			y->now[i] = x->now[i];
	}
}

static void crash_file(const struct sim_node *x, struct sim_node *y, enum sim_crash how,
                       uint64_t *seed)
{
	uint64_t pick = how == SIM_RANDOM ? t_rand(seed) % 4 : how == SIM_ALL || how == SIM_BYTES;
	if (pick >= 2) {
		tear(x, y, seed);
	} else {
		y->size = pick ? x->size : x->durable_size;
		y->now = copy(pick ? x->now : x->durable, y->size, y->size);
	}
	y->cap = y->size;
	y->durable_size = y->size;
	y->durable = copy(y->now, y->size, y->size);
}

static int crash_name(const struct sim_name *x, enum sim_crash how, uint64_t *seed)
{
	if (how == SIM_DURABLE || how == SIM_BYTES)
		return x->durable;
	if (how != SIM_RANDOM)
		return x->now;
	size_t pick = t_rand(seed) % (x->nwas + 2);
	return pick == 0 ? x->now : pick == 1 ? x->durable : x->was[pick - 2];
}

static void crash_dir(const struct sim_node *x, struct sim_node *y, enum sim_crash how,
                      uint64_t *seed)
{
	y->names = calloc(x->nnames + 1, sizeof *y->names);
	for (size_t i = 0; i < x->nnames; i++) {
		struct sim_name *z = &y->names[i];
		if (how == SIM_KILLED) {
			*z = x->names[i];
		} else {
			z->now = crash_name(&x->names[i], how, seed);
			z->durable = z->now;
		}
		z->name = strdup(x->names[i].name);
	}
	y->nnames = x->nnames;
}

/* No file system gives a folder two names, also not for a rename that was cut short. */
static void one_name_each(const struct sim_disk *d, struct sim_node *dir, uint64_t *seed)
{
	for (size_t i = 0; i < dir->nnames; i++) {
		for (size_t k = i + 1; k < dir->nnames; k++) {
			struct sim_name *a = &dir->names[i], *b = &dir->names[k];
			if (a->now < 0 || a->now != b->now || !d->node[a->now]->dir)
				continue;
			struct sim_name *lost = t_rand(seed) % 2 ? a : b;
			lost->now = lost->durable = -1;
		}
	}
}

struct sim_disk *sim_crash(const struct sim_disk *d, enum sim_crash how, uint64_t seed)
{
	struct sim_disk *c = disk_new();
	for (size_t i = 0; i < d->nnodes; i++) {
		const struct sim_node *x = d->node[i];
		int copied = node_new(c, x->dir);
		struct sim_node *y = c->node[copied];
		if (x->link) {
			y->link = strdup(x->link);
		} else if (x->dir) {
			crash_dir(x, y, how, &seed);
		} else if (how == SIM_KILLED) {
			*y = *x;
			y->now = copy(x->now, x->size, x->cap);
			y->durable = copy(x->durable, x->durable_size, x->durable_size);
		} else {
			crash_file(x, y, how, &seed);
		}
	}
	for (size_t i = 0; how != SIM_KILLED && i < c->nnodes; i++)
		one_name_each(c, c->node[i], &seed);
	return c;
}

const char *sim_link(const struct sim_disk *d, int root, const char *path)
{
	int dir;
	const char *last;
	int node = walk(d, root, path, &dir, &last);
	return node < 0 ? NULL : d->node[node]->link;
}

const uint8_t *sim_file(const struct sim_disk *d, int root, const char *path, size_t *ret_n)
{
	int dir;
	const char *last;
	int node = walk(d, root, path, &dir, &last);
	if (node < 0 || d->node[node]->dir || d->node[node]->link)
		return NULL;
	*ret_n = d->node[node]->size;
	return d->node[node]->now ? d->node[node]->now : (const uint8_t *)"";
}
