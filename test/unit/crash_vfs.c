#include "crash_vfs.h"

#include "../t.h"
#include "base/buf.h"

#include <sqlite3.h>

#define FILES 8
#define SECTOR 512

/* A write or truncation that no sync has followed. */
struct change {
	struct change *next;
	bool truncate;
	uint64_t at;
	size_t n;
	uint8_t bytes[];
};

struct file {
	char name[64];
	bool there, there_on_disk;
	struct buf seen, disk;
	struct change *first, **last;
};

struct open_file {
	sqlite3_file base;
	struct file *f;
};

static struct file files[FILES];
static uint64_t calls, stop_at;

static bool stops(void)
{
	calls++;
	return stop_at && calls >= stop_at;
}

bool crash_stopped(void)
{
	return stop_at && calls >= stop_at;
}

uint64_t crash_calls(void)
{
	return calls;
}

static void drop_changes(struct file *f)
{
	while (f->first) {
		struct change *next = f->first->next;
		free(f->first);
		f->first = next;
	}
	f->last = &f->first;
}

static void add_change(struct file *f, bool truncate, uint64_t at, const void *p, size_t n)
{
	struct change *c = calloc(1, sizeof *c + n);
	if (!c)
		exit(1);
	c->truncate = truncate;
	c->at = at;
	c->n = n;
	if (n)
		memcpy(c->bytes, p, n);
	*f->last = c;
	f->last = &c->next;
}

static void write_at(struct buf *b, uint64_t at, const void *p, size_t n)
{
	if (at + n > b->len)
		buf_fill(b, 0, at + n - b->len);
	memcpy(b->data + at, p, n);
}

static void cut_at(struct buf *b, uint64_t at)
{
	if (at < b->len)
		b->len = at;
}

static void copy(struct buf *to, const struct buf *from)
{
	to->len = 0;
	buf_add(to, from->data, from->len);
}

static void forget(struct file *f)
{
	drop_changes(f);
	buf_done(&f->seen);
	buf_done(&f->disk);
	*f = (struct file){0};
	f->last = &f->first;
}

void crash_reset(uint64_t at)
{
	for (size_t i = 0; i < FILES; i++)
		forget(&files[i]);
	calls = 0;
	stop_at = at;
}

static struct file *find(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

bool crash_exists(const char *name)
{
	struct file *f = find(name);
	return f && f->there;
}

bool crash_flip(const char *name, uint64_t at)
{
	struct file *f = find(name);
	if (!f || at >= f->seen.len)
		return false;
	f->seen.data[at] ^= 0x55;
	copy(&f->disk, &f->seen);
	return true;
}

/* Sector by sector, with or without. */
static void tear(struct file *f, const struct change *c, uint64_t *seed)
{
	if (c->truncate) {
		if (t_rand(seed) & 1)
			cut_at(&f->disk, c->at);
		return;
	}
	for (size_t done = 0; done < c->n;) {
		size_t n = SECTOR - (c->at + done) % SECTOR;
		n = n < c->n - done ? n : c->n - done;
		if (t_rand(seed) & 1)
			write_at(&f->disk, c->at + done, c->bytes + done, n);
		done += n;
	}
}

static void reboot_file(struct file *f, enum crash_loss loss, uint64_t *seed)
{
	bool torn = loss == CRASH_TORN;
	if (torn)
		for (struct change *c = f->first; c; c = c->next)
			tear(f, c, seed);
	if (loss == CRASH_LOSE_NONE)
		copy(&f->disk, &f->seen);
	if (loss == CRASH_LOSE_NONE || (torn && t_rand(seed) & 1))
		f->there_on_disk = f->there;
	f->there = f->there_on_disk;
	if (!f->there)
		f->disk.len = 0;
	copy(&f->seen, &f->disk);
	drop_changes(f);
}

void crash_reboot(enum crash_loss loss, uint64_t *seed, uint64_t at)
{
	for (size_t i = 0; i < FILES; i++)
		reboot_file(&files[i], loss, seed);
	calls = 0;
	stop_at = at;
}

/* --- what SQLite calls --- */

static struct file *of(sqlite3_file *f)
{
	return ((struct open_file *)f)->f;
}

static int vfs_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *s, void *p, int n, sqlite3_int64 at)
{
	const struct buf *b = &of(s)->seen;
	size_t want = (size_t)n, have = (uint64_t)at < b->len ? b->len - (size_t)at : 0;
	if (have >= want) {
		memcpy(p, b->data + at, want);
		return SQLITE_OK;
	}
	memset(p, 0, want);
	if (have)
		memcpy(p, b->data + at, have);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *s, const void *p, int n, sqlite3_int64 at)
{
	struct file *f = of(s);
	if (stops())
		return SQLITE_IOERR_WRITE;
	add_change(f, false, (uint64_t)at, p, (size_t)n);
	write_at(&f->seen, (uint64_t)at, p, (size_t)n);
	return SQLITE_OK;
}

static int vfs_truncate(sqlite3_file *s, sqlite3_int64 at)
{
	struct file *f = of(s);
	if (stops())
		return SQLITE_IOERR_TRUNCATE;
	add_change(f, true, (uint64_t)at, NULL, 0);
	cut_at(&f->seen, (uint64_t)at);
	return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *s, int flags)
{
	struct file *f = of(s);
	(void)flags;
	if (stops())
		return SQLITE_IOERR_FSYNC;
	copy(&f->disk, &f->seen);
	f->there_on_disk = true;
	drop_changes(f);
	return SQLITE_OK;
}

static int vfs_size(sqlite3_file *s, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)of(s)->seen.len;
	return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *s, int level)
{
	(void)s;
	(void)level;
	return SQLITE_OK;
}

static int vfs_reserved(sqlite3_file *s, int *ret)
{
	(void)s;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_control(sqlite3_file *s, int op, void *p)
{
	(void)s;
	(void)op;
	(void)p;
	return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *s)
{
	(void)s;
	return 4096;
}

/* As SQLite takes ordinary disks to be: bytes outside of a write are left alone. */
static int vfs_traits(sqlite3_file *s)
{
	(void)s;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory, so the write-ahead log works only for who holds it exclusively. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_sync,
	.xFileSize = vfs_size,
	.xLock = vfs_lock,
	.xUnlock = vfs_lock,
	.xCheckReservedLock = vfs_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_traits,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *s, int flags, int *ret_flags)
{
	struct open_file *o = (struct open_file *)s;
	(void)v;
	*o = (struct open_file){0};
	struct file *f = find(name);
	if ((!f || !f->there) && !(flags & SQLITE_OPEN_CREATE))
		return SQLITE_CANTOPEN;
	if ((!f || !f->there) && stops())
		return SQLITE_CANTOPEN;
	if (!f)
		f = find("");
	if (!f)
		exit(1);
	snprintf(f->name, sizeof f->name, "%s", name);
	f->there = true;
	if (!f->last)
		f->last = &f->first;
	*o = (struct open_file){.base.pMethods = &methods, .f = f};
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
	struct file *f = find(name);
	(void)v;
	if (!f || !f->there)
		return SQLITE_IOERR_DELETE_NOENT;
	if (stops())
		return SQLITE_IOERR_DELETE;
	f->there = false;
	if (sync_folder) {
		f->there_on_disk = false;
		f->disk.len = 0;
	}
	f->seen.len = 0;
	drop_changes(f);
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	(void)v;
	(void)flags;
	*ret = crash_exists(name);
	return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	(void)v;
	snprintf(ret, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	memset(ret, 7, (size_t)n);
	return n;
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int vfs_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	*ret = 2461000.5;
	return SQLITE_OK;
}

void crash_register(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct open_file),
		.mxPathname = 63,
		.zName = CRASH_VFS,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_path,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
	};
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		exit(1);
	crash_reset(0);
}
