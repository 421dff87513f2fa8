#include "cli/walk.h"

#include "base/buf.h"
#include "base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOCTTY | O_CLOEXEC)

struct level {
	dev_t dev;
	ino_t ino;
};

struct walker {
	const struct walk_opts *o;
	struct err *e;
	struct buf path; /* of the entry at hand, with its NUL */
	uint32_t depth;
	struct level levels[WALK_DEPTH_MAX];
};

/* A name of a directory, with the type that the directory gives. */
struct name {
	const char *s;
	unsigned char type;
};

struct listing {
	struct buf text;
	struct name *v;
	size_t n;
};

static void listing_done(struct listing *l)
{
	buf_done(&l->text);
	free(l->v);
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return strcmp(x->s, y->s);
}

static st_t list_sort(struct listing *l, size_t count, struct err *e)
{
	TRY(buf_check(&l->text, e, "directory"));
	l->v = calloc(count ? count : 1, sizeof *l->v);
	if (!l->v)
		return fail(e, ST_NOMEM, 0, "directory: out of memory");
	const char *p = (const char *)l->text.data;
	for (l->n = 0; l->n < count; l->n++) {
		l->v[l->n] = (struct name){.type = (unsigned char)p[0], .s = p + 1};
		p += strlen(p + 1) + 2;
	}
	qsort(l->v, l->n, sizeof *l->v, compare_names);
	return ST_OK;
}

/* All names of the directory, sorted. *ret_errno is set when it could not be read to its end. */
static st_t list_read(DIR *d, struct listing *l, int *ret_errno, struct err *e)
{
	size_t count = 0;
	for (;;) {
		errno = 0;
		struct dirent *de = readdir(d);
		if (!de)
			break;
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		buf_u8(&l->text, de->d_type);
		buf_add(&l->text, de->d_name, strlen(de->d_name) + 1);
		count++;
	}
	*ret_errno = errno;
	return list_sort(l, count, e);
}

static st_t tell(struct walker *w, enum walk_kind kind, int error, uint64_t size, int fd)
{
	struct walk_entry en = {
	    .kind = kind,
	    .path = (const char *)w->path.data,
	    .fd = fd,
	    .error = error,
	    .size = size,
	};
	return w->o->visit(w->o->ctx, &en);
}

/* Files of /proc and /sys are windows into the kernel: they say they are empty and some act when
 * read. They are passed over, as clamscan does. */
static bool is_kernel_window(int fd)
{
	struct statfs fs;
	return !fstatfs(fd, &fs) && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

static st_t count_file(struct walker *w, int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, 0) || !S_ISREG(st.st_mode))
		return ST_OK;
	return tell(w, WALK_FILE, 0, (uint64_t)st.st_size, -1);
}

/* What the name turned out to be once it was open may differ from what the directory said. */
static st_t visit_file(struct walker *w, int dir, const char *name, bool follow)
{
	if (!match_path_file(&w->o->match, (const char *)w->path.data))
		return tell(w, WALK_EXCLUDED, 0, 0, -1);
	if (w->o->count_only)
		return count_file(w, dir, name);
	int fd = openat(dir, name, OPEN_FILE | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return tell(w, WALK_NO_FILE, errno, 0, -1);
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return tell(w, WALK_SKIPPED, 0, 0, -1);
	}
	if (st.st_size == 0) {
		bool window = is_kernel_window(fd);
		close(fd);
		return tell(w, window ? WALK_EXCLUDED : WALK_EMPTY, 0, 0, -1);
	}
	return tell(w, WALK_FILE, 0, (uint64_t)st.st_size, fd);
}

static void path_cut(struct walker *w, size_t len)
{
	w->path.len = len;
	w->path.data[len] = '\0';
	w->path.len++;
}

/* Appends "/name" (no second slash) and returns the length before, for path_cut(). */
static st_t path_push(struct walker *w, const char *name, size_t *ret_before)
{
	*ret_before = --w->path.len;
	if (!w->path.len || w->path.data[w->path.len - 1] != '/')
		buf_u8(&w->path, '/');
	buf_add(&w->path, name, strlen(name) + 1);
	return buf_check(&w->path, w->e, "path");
}

static bool is_ancestor(const struct walker *w, const struct stat *st)
{
	for (uint32_t i = 0; i < w->depth; i++) {
		if (w->levels[i].dev == st->st_dev && w->levels[i].ino == st->st_ino)
			return true;
	}
	return false;
}

static st_t visit_name(struct walker *w, int dir, const struct name *name);

static st_t walk_names(struct walker *w, DIR *d)
{
	struct listing l = {0};
	int error = 0;
	st_t st = list_read(d, &l, &error, w->e);
	if (st == ST_OK && error)
		st = tell(w, WALK_NO_DIR, error, 0, -1);
	for (size_t i = 0; st == ST_OK && i < l.n; i++) {
		size_t before = 0;
		st = path_push(w, l.v[i].s, &before);
		if (st != ST_OK)
			break;
		st = visit_name(w, dirfd(d), &l.v[i]);
		path_cut(w, before);
	}
	listing_done(&l);
	return st;
}

/* Enters the directory behind fd (which is closed here). */
static st_t enter(struct walker *w, int fd)
{
	struct stat st;
	DIR *d = fstat(fd, &st) ? NULL : fdopendir(fd);
	if (!d) {
		int error = errno;
		close(fd);
		return tell(w, WALK_NO_DIR, error, 0, -1);
	}
	bool mount = !w->depth || st.st_dev != w->levels[w->depth - 1].dev;
	bool other_fs = w->o->same_fs && w->depth && st.st_dev != w->levels[0].dev;
	st_t rc = ST_OK;
	if (mount && is_kernel_window(fd))
		rc = tell(w, WALK_EXCLUDED, 0, 0, -1);
	else if (!other_fs && !is_ancestor(w, &st)) {
		w->levels[w->depth++] = (struct level){st.st_dev, st.st_ino};
		rc = tell(w, WALK_DIR, 0, 0, -1);
		if (rc == ST_OK)
			rc = walk_names(w, d);
		w->depth--;
	}
	closedir(d);
	return rc;
}

static st_t visit_dir(struct walker *w, int dir, const char *name, bool follow)
{
	if (!match_path_dir(&w->o->match, (const char *)w->path.data))
		return tell(w, WALK_EXCLUDED, 0, 0, -1);
	if (w->depth >= w->o->max_depth || w->depth >= WALK_DEPTH_MAX)
		return tell(w, WALK_TOO_DEEP, 0, 0, -1);
	int fd = openat(dir, name, OPEN_DIR | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return tell(w, WALK_NO_DIR, errno, 0, -1);
	return enter(w, fd);
}

/* A link inside a directory: to be followed only with FOLLOW_ALWAYS. */
static st_t visit_link(struct walker *w, int dir, const char *name)
{
	bool files = w->o->follow_files == FOLLOW_ALWAYS, dirs = w->o->follow_dirs == FOLLOW_ALWAYS;
	struct stat st;
	if ((!files && !dirs) || fstatat(dir, name, &st, 0))
		return tell(w, WALK_SYMLINK, 0, 0, -1);
	if (S_ISREG(st.st_mode) && files)
		return visit_file(w, dir, name, true);
	if (S_ISDIR(st.st_mode) && dirs)
		return w->o->recursive ? visit_dir(w, dir, name, true) : ST_OK;
	return tell(w, WALK_SYMLINK, 0, 0, -1);
}

static unsigned char type_of_mode(mode_t mode)
{
	return (unsigned char)((mode & S_IFMT) >> 12);
}

static st_t visit_name(struct walker *w, int dir, const struct name *name)
{
	unsigned char type = name->type;
	if (type == DT_UNKNOWN) {
		struct stat st;
		if (fstatat(dir, name->s, &st, AT_SYMLINK_NOFOLLOW))
			return tell(w, WALK_NO_FILE, errno, 0, -1);
		type = type_of_mode(st.st_mode);
	}
	switch (type) {
	case DT_REG:
		return visit_file(w, dir, name->s, false);
	case DT_DIR:
		return w->o->recursive ? visit_dir(w, dir, name->s, false) : ST_OK;
	case DT_LNK:
		return visit_link(w, dir, name->s);
	default:
		return tell(w, WALK_SKIPPED, 0, 0, -1);
	}
}

static st_t visit_argument(struct walker *w, const char *path)
{
	struct stat st;
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW))
		return tell(w, WALK_MISSING, errno, 0, -1);
	bool link = S_ISLNK(st.st_mode);
	if (link && fstatat(AT_FDCWD, path, &st, 0))
		return tell(w, WALK_MISSING, errno, 0, -1);
	if (S_ISDIR(st.st_mode) && (!link || w->o->follow_dirs != FOLLOW_NEVER))
		return visit_dir(w, AT_FDCWD, path, link);
	if (S_ISREG(st.st_mode) && (!link || w->o->follow_files != FOLLOW_NEVER))
		return visit_file(w, AT_FDCWD, path, link);
	return tell(w, link ? WALK_SYMLINK : WALK_SPECIAL, 0, 0, -1);
}

st_t walk_path(const struct walk_opts *opts, const char *path, struct err *e)
{
	struct walker *w = calloc(1, sizeof *w);
	if (!w)
		return fail(e, ST_NOMEM, 0, "walk: out of memory");
	w->o = opts;
	w->e = e;
	buf_add(&w->path, path, strlen(path) + 1);
	st_t st = buf_check(&w->path, e, "path");
	if (st == ST_OK)
		st = visit_argument(w, path);
	buf_done(&w->path);
	free(w);
	return st;
}
