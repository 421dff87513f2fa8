#include "cli/dbcache.h"

#include "base/io.h"
#include "crypto/digest.h"
#include "db/layout.h"
#include "proc/msg.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Compiled databases kept, the one in use included: a machine seldom scans with more sets. */
#define KEEP_DATABASES 4

/* Sources younger than this are not recorded by identity: their time stamps may hide a write. */
#define SETTLED_SECONDS 3

#define KEY_HEX (2 * 32)
struct key {
	char hex[KEY_HEX + 1];
};

static st_t key_end(struct digest *d, struct key *ret, struct err *e)
{
	uint8_t sum[DIGEST_MAX];
	TRY(digest_end(d, sum, e));
	hex_encode(sum, 32, ret->hex);
	return ST_OK;
}

/* What decides the result besides the sources. */
static st_t add_settings(struct digest *d, const struct compile_opts *o, struct err *e)
{
	char text[160];
	struct stat compiler = {0};
	char path[PATH_MAX];
	if (broker_compiler_path(path, sizeof path))
		(void)!stat(path, &compiler);
	int n = snprintf(text, sizeof text,
	                 "vitrine %s db %d strict %d clamav %d pua %d %lld %lld.%09ld",
	                 VITRINE_VERSION, DB_VERSION, o->strict, o->clamav, o->pua,
	                 (long long)compiler.st_size, (long long)compiler.st_mtim.tv_sec,
	                 compiler.st_mtim.tv_nsec);
	return digest_add(d, text, (size_t)n + 1, e);
}

static int compare_sources(const void *a, const void *b)
{
	const struct db_source *const *x = a, *const *y = b;
	return strcmp((*x)->path, (*y)->path);
}

static const struct db_source **sorted_sources(const struct db_set *set, struct err *e)
{
	const struct db_source **v = calloc(set->n ? set->n : 1, sizeof *v);
	if (!v) {
		(void)!fail(e, ST_NOMEM, 0, "databases: out of memory");
		return NULL;
	}
	for (size_t i = 0; i < set->n; i++)
		v[i] = &set->v[i];
	qsort(v, set->n, sizeof *v, compare_sources);
	return v;
}

static st_t add_identity(struct digest *d, const struct db_source *s, struct err *e)
{
	const struct stat *st = &s->stat;
	uint64_t v[] = {
	    st->st_dev,
	    st->st_ino,
	    (uint64_t)st->st_size,
	    (uint64_t)st->st_mtim.tv_sec,
	    (uint64_t)st->st_mtim.tv_nsec,
	    (uint64_t)st->st_ctim.tv_sec,
	    (uint64_t)st->st_ctim.tv_nsec,
	};
	TRY(digest_add(d, s->path, strlen(s->path) + 1, e));
	return digest_add(d, v, sizeof v, e);
}

static st_t identity_key(const struct db_set *set, const struct compile_opts *o, struct key *ret,
                         struct err *e)
{
	struct digest d = {0};
	const struct db_source **v = sorted_sources(set, e);
	if (!v)
		return ST_NOMEM;
	st_t st = digest_init(&d, DIGEST_SHA256, e);
	if (st == ST_OK)
		st = add_settings(&d, o, e);
	for (size_t i = 0; st == ST_OK && i < set->n; i++)
		st = add_identity(&d, v[i], e);
	if (st == ST_OK)
		st = key_end(&d, ret, e);
	digest_done(&d);
	free(v);
	return st;
}

/* Digest of one source: its kind (the extension) and its bytes, not its name. A container is named
 * in the database; a .sign is for the container that it follows, and says by its name for which
 * version: there the name counts, and `of` is the container's digest. */
static st_t source_key(const struct db_source *s, const struct key *of, struct key *ret,
                       struct err *e)
{
	struct digest d = {0};
	const char *dot = strrchr(s->name, '.');
	const char *kind = s->container || s->role == MSG_SOURCE_SIGN ? s->name : dot ? dot : "";
	st_t st = digest_init(&d, DIGEST_SHA256, e);
	if (st == ST_OK && s->role == MSG_SOURCE_SIGN)
		st = digest_add(&d, of->hex, KEY_HEX, e);
	if (st == ST_OK)
		st = digest_add(&d, kind, strlen(kind) + 1, e);
	if (st == ST_OK)
		st = digest_add_file(&d, s->fd, NULL, e);
	if (st == ST_OK)
		st = key_end(&d, ret, e);
	digest_done(&d);
	return st;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct key *)a)->hex, ((const struct key *)b)->hex);
}

static st_t content_key(const struct db_set *set, const struct compile_opts *o, struct key *ret,
                        struct err *e)
{
	struct digest d = {0};
	struct key *keys = calloc(set->n ? set->n : 1, sizeof *keys);
	if (!keys)
		return fail(e, ST_NOMEM, 0, "databases: out of memory");
	st_t st = ST_OK;
	for (size_t i = 0, last = 0; st == ST_OK && i < set->n; i++) {
		last = set->v[i].container ? i : last;
		st = source_key(&set->v[i], &keys[last], &keys[i], e);
	}
	if (st == ST_OK)
		st = digest_init(&d, DIGEST_SHA256, e);
	if (st == ST_OK)
		st = add_settings(&d, o, e);
	qsort(keys, set->n, sizeof *keys, compare_keys);
	for (size_t i = 0; st == ST_OK && i < set->n; i++)
		st = digest_add(&d, keys[i].hex, KEY_HEX, e);
	if (st == ST_OK)
		st = key_end(&d, ret, e);
	digest_done(&d);
	free(keys);
	return st;
}

static bool cache_path(char *ret, size_t n)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int k = -1;
	if (xdg && xdg[0] == '/')
		k = snprintf(ret, n, "%s/vitrine", xdg);
	else if (geteuid() == 0)
		k = snprintf(ret, n, "/var/cache/vitrine");
	else if (home && home[0] == '/')
		k = snprintf(ret, n, "%s/.cache/vitrine", home);
	return k > 0 && (size_t)k < n;
}

/* Opens the cache folder, made where missing; -1 with a reason in `e` if it cannot be used. */
static int cache_open(struct err *e)
{
	char path[PATH_MAX];
	struct stat st;
	if (!cache_path(path, sizeof path)) {
		(void)!fail(e, ST_UNSUPPORTED, 0, "no cache folder: HOME is not set");
		return -1;
	}
	char *slash = strrchr(path, '/');
	*slash = '\0';
	(void)!mkdir(path, 0700);
	*slash = '/';
	(void)!mkdir(path, 0700);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		(void)!fail_errno(e, "cache folder %s", path);
		fd_closep(&fd);
		return -1;
	}
	if (st.st_uid == geteuid() && !(st.st_mode & 077))
		return fd;
	(void)!fail(e, ST_UNSUPPORTED, 0, "cache folder %s is open to others or not ours", path);
	fd_closep(&fd);
	return -1;
}

/* Opens a file of the cache if it is a regular one of ours that nobody else can write. */
static int cache_file(int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	bool ours = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	            !(st.st_mode & 022) && st.st_size > 0;
	if (!ours)
		fd_closep(&fd);
	return fd;
}

static void database_name(char ret[KEY_HEX + 8], const struct key *key)
{
	snprintf(ret, KEY_HEX + 8, "%s.vdb", key->hex);
}

static void identity_name(char ret[KEY_HEX + 8], const struct key *key)
{
	snprintf(ret, KEY_HEX + 8, "%s.id", key->hex);
}

static bool is_key(const char *s)
{
	return strspn(s, "0123456789abcdef") == KEY_HEX;
}

/* The database that this identity led to last time. */
static int open_by_identity(int dir, const struct key *identity)
{
	char name[KEY_HEX + 8];
	struct key key = {0};
	size_t n = 0;
	identity_name(name, identity);
	AUTO_FD fd = cache_file(dir, name);
	if (fd < 0 || io_pread_full(fd, key.hex, KEY_HEX, 0, &n, NULL) != ST_OK || !is_key(key.hex))
		return -1;
	database_name(name, &key);
	int db = cache_file(dir, name);
	if (db >= 0)
		(void)!futimens(db, NULL);
	return db;
}

struct cache_tmp {
	char name[64];
	int fd;
};

static st_t tmp_new(int dir, struct cache_tmp *ret, struct err *e)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(ret->name, sizeof ret->name, "tmp.%ld.%lx%lx", (long)getpid(), (long)now.tv_sec,
	         now.tv_nsec);
	ret->fd = openat(dir, ret->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return ret->fd < 0 ? fail_errno(e, "cache folder") : ST_OK;
}

/* The temporary file is on disk under its name, or gone. Closes it in no case. */
static st_t tmp_publish(int dir, const struct cache_tmp *tmp, const char *name, struct err *e)
{
	if (!fsync(tmp->fd) && !renameat(dir, tmp->name, dir, name))
		return ST_OK;
	st_t st = fail_errno(e, "cache folder");
	unlinkat(dir, tmp->name, 0);
	return st;
}

struct kept {
	char name[KEY_HEX + 8];
	struct timespec used;
};

/* Puts a database among the youngest; the name that falls out is removed. */
static void keep_or_remove(int dir, struct kept kept[KEEP_DATABASES], const struct kept *new)
{
	size_t i = KEEP_DATABASES;
	struct kept out = *new;
	while (i > 0) {
		struct kept *k = &kept[i - 1];
		bool older = k->used.tv_sec < out.used.tv_sec ||
		             (k->used.tv_sec == out.used.tv_sec && k->used.tv_nsec < out.used.tv_nsec);
		if (!older)
			break;
		i--;
	}
	for (; i < KEEP_DATABASES; i++) {
		struct kept swap = kept[i];
		kept[i] = out;
		out = swap;
	}
	if (out.name[0])
		unlinkat(dir, out.name, 0);
}

/* Removes an identity that leads to no database, and temporary files an hour old. */
static void prune_small(int dir, const char *name, const struct stat *st)
{
	char db[KEY_HEX + 8];
	struct key key = {0};
	size_t n = 0;
	if (!strncmp(name, "tmp.", 4)) {
		if (st->st_mtim.tv_sec + 3600 < time(NULL))
			unlinkat(dir, name, 0);
		return;
	}
	AUTO_FD fd = cache_file(dir, name);
	if (fd < 0 || io_pread_full(fd, key.hex, KEY_HEX, 0, &n, NULL) != ST_OK)
		return;
	database_name(db, &key);
	if (faccessat(dir, db, F_OK, 0))
		unlinkat(dir, name, 0);
}

static void prune_pass(int dir, DIR *d, bool databases)
{
	struct kept kept[KEEP_DATABASES] = {0};
	struct dirent *de;
	rewinddir(d);
	while ((de = readdir(d))) {
		struct stat st;
		bool is_db = is_key(de->d_name) && !strcmp(de->d_name + KEY_HEX, ".vdb");
		bool is_small = (is_key(de->d_name) && !strcmp(de->d_name + KEY_HEX, ".id")) ||
		                !strncmp(de->d_name, "tmp.", 4);
		if (fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		struct kept k = {.used = st.st_mtim};
		snprintf(k.name, sizeof k.name, "%.*s", KEY_HEX + 4, de->d_name);
		if (databases && is_db)
			keep_or_remove(dir, kept, &k);
		if (!databases && is_small)
			prune_small(dir, de->d_name, &st);
	}
}

static void prune(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		fd_closep(&fd);
		return;
	}
	prune_pass(dir, d, true);
	prune_pass(dir, d, false);
	closedir(d);
}

static bool settled(const struct db_set *set)
{
	time_t now = time(NULL);
	for (size_t i = 0; i < set->n; i++) {
		const struct stat *st = &set->v[i].stat;
		if (st->st_ctim.tv_sec + SETTLED_SECONDS > now ||
		    st->st_mtim.tv_sec + SETTLED_SECONDS > now)
			return false;
	}
	return true;
}

/* True if no source was written to since it was opened: the bytes hashed are the bytes compiled. */
static bool unchanged(const struct db_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct stat *a = &set->v[i].stat;
		struct stat b;
		if (fstat(set->v[i].fd, &b) || a->st_size != b.st_size ||
		    memcmp(&a->st_mtim, &b.st_mtim, sizeof b.st_mtim) ||
		    memcmp(&a->st_ctim, &b.st_ctim, sizeof b.st_ctim))
			return false;
	}
	return true;
}

static void record_identity(int dir, const struct db_set *set, const struct key *identity,
                            const struct key *content)
{
	char name[KEY_HEX + 8];
	struct cache_tmp tmp;
	identity_name(name, identity);
	if (!settled(set) || tmp_new(dir, &tmp, NULL) != ST_OK)
		return;
	if (io_write_all(tmp.fd, content->hex, KEY_HEX, NULL) == ST_OK)
		(void)!tmp_publish(dir, &tmp, name, NULL);
	else
		unlinkat(dir, tmp.name, 0);
	close(tmp.fd);
}

typedef st_t dbset_job(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                       int out_fd, struct compile_report *ret, struct err *e);

static st_t run_compiler(dbset_job *job, const struct db_set *set, const struct compile_opts *opts,
                         int out_fd, struct compile_report *report, struct err *e)
{
	struct broker_source *v = calloc(set->n ? set->n : 1, sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "databases: out of memory");
	for (size_t i = 0; i < set->n; i++)
		v[i] = (struct broker_source){set->v[i].path, set->v[i].fd, set->v[i].role};
	struct compile_opts o = *opts;
	o.now = (uint64_t)time(NULL);
	st_t st = job(v, set->n, &o, out_fd, report, e);
	free(v);
	return st;
}

st_t dbset_compile(const struct db_set *set, const struct compile_opts *opts, int out_fd,
                   struct compile_report *report, struct err *e)
{
	return run_compiler(broker_compile, set, opts, out_fd, report, e);
}

st_t dbset_bundle(const struct db_set *set, int out_fd, struct compile_report *report,
                  struct err *e)
{
	const struct compile_opts opts = {0};
	return run_compiler(broker_bundle, set, &opts, out_fd, report, e);
}

/* Workers get the database without the right to write it. */
static st_t reopen_read_only(int fd, int *ret_fd, struct err *e)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	*ret_fd = open(link, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? fail_errno(e, "database") : ST_OK;
}

st_t dbset_compile_memory(const struct db_set *set, const struct compile_opts *opts, int *ret_fd,
                          struct compile_report *report, struct err *e)
{
	AUTO_FD fd = memfd_create("database", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "database");
	TRY(dbset_compile(set, opts, fd, report, e));
	return reopen_read_only(fd, ret_fd, e);
}

static void warn(const struct dbcache_opts *o, const struct err *why)
{
	if (o->warn)
		o->warn(why);
}

/* Compiles into the temporary file and gives it its name, unless a source was written to meanwhile:
 * then the result is used once and not kept. */
static st_t compile_into(int dir, const struct cache_tmp *tmp, const char *name,
                         const struct db_set *set, const struct dbcache_opts *o, int *ret_fd,
                         struct compile_report *report, struct err *e)
{
	st_t st = dbset_compile(set, &o->compile, tmp->fd, report, e);
	if (st == ST_OK)
		st = reopen_read_only(tmp->fd, ret_fd, e);
	if (st != ST_OK || !unchanged(set)) {
		unlinkat(dir, tmp->name, 0);
		return st;
	}
	struct err why = {0};
	if (tmp_publish(dir, tmp, name, &why) != ST_OK)
		warn(o, &why);
	else
		prune(dir);
	return ST_OK;
}

static st_t compile_kept(int dir, const char *name, const struct db_set *set,
                         const struct dbcache_opts *o, int *ret_fd, struct compile_report *report,
                         struct err *e)
{
	struct cache_tmp tmp;
	struct err why = {0};
	if (tmp_new(dir, &tmp, &why) != ST_OK) {
		warn(o, &why);
		return dbset_compile_memory(set, &o->compile, ret_fd, report, e);
	}
	st_t st = compile_into(dir, &tmp, name, set, o, ret_fd, report, e);
	close(tmp.fd);
	return st;
}

/* By identity, else by content, else compiled and kept. */
static st_t open_cached(int dir, const struct db_set *set, const struct dbcache_opts *o,
                        int *ret_fd, struct compile_report *report, struct err *e)
{
	struct key identity, content;
	char name[KEY_HEX + 8];
	TRY(identity_key(set, &o->compile, &identity, e));
	*ret_fd = o->renew ? -1 : open_by_identity(dir, &identity);
	if (*ret_fd >= 0)
		return ST_OK;
	TRY(content_key(set, &o->compile, &content, e));
	database_name(name, &content);
	*ret_fd = o->renew ? -1 : cache_file(dir, name);
	if (*ret_fd < 0) {
		if (o->compiling)
			o->compiling();
		TRY(compile_kept(dir, name, set, o, ret_fd, report, e));
	}
	if (unchanged(set))
		record_identity(dir, set, &identity, &content);
	return ST_OK;
}

st_t dbcache_open(const struct db_set *set, const struct dbcache_opts *opts, int *ret_fd,
                  struct compile_report *report, struct err *e)
{
	if (set->vdb >= 0 && set->n)
		return fail(e, ST_UNSUPPORTED, 0, "%s: a compiled database goes with no other",
		            set->vdb_path);
	if (set->vdb >= 0) {
		*ret_fd = fcntl(set->vdb, F_DUPFD_CLOEXEC, 3);
		return *ret_fd < 0 ? fail_errno(e, "%s", set->vdb_path) : ST_OK;
	}
	struct err why = {0};
	AUTO_FD dir = opts->no_cache ? -1 : cache_open(&why);
	if (dir >= 0)
		return open_cached(dir, set, opts, ret_fd, report, e);
	if (!opts->no_cache)
		warn(opts, &why);
	return dbset_compile_memory(set, &opts->compile, ret_fd, report, e);
}
