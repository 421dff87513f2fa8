/* The program that TUF's conformance suite drives (README.md here says how): the client as it is
 * for people, that is src/tuf in the jail of vitrine-verifier over the crash-safe store, with the
 * real vitrine-fetcher as its only way out. What is different: URLs and the name of the target come
 * from arguments, http is enough, and the time is what libc says, because the suite moves the
 * clock.
 *
 * usage: tuf-conformance-client --metadata-dir D [--metadata-url U] [--target-base-url U]
 *            [--target-dir D] [--target-name P]... init ROOT | refresh | download */
#include "base/io.h"
#include "proc/broker/fetcher.h"
#include "proc/preload.h"
#include "sandbox/roles.h"
#include "update/disk.h"
#include "update/source.h"
#include "update/state.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 64
#define REQUEST_MS 60000

struct options {
	const char *metadata_dir, *metadata_url, *target_url, *target_dir;
	const char *target[TARGETS_MAX];
	size_t ntargets;
};

struct client {
	int metadata_fd, target_fd; /* -1: none */
	struct update_source metadata, targets;
	struct update_store *store;
	struct tuf_store tuf_store;
};

/* ---- targets ---- */

static st_t check_bytes(const struct tuf_target *t, const struct buf *b, struct err *e)
{
	struct tuf_sum s;
	TRY(tuf_sum_init(&s, e));
	st_t st = tuf_sum_add(&s, b->data, b->len, e);
	if (st == ST_OK)
		st = tuf_sum_check(&s, &t->file.hashes, &t->file.length, "target", e);
	tuf_sum_done(&s);
	return st;
}

static st_t add_bytes(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *b = ctx;
	buf_add(b, p, n);
	return buf_check(b, e, "target");
}

/* Does nothing if the file is there already. */
static st_t fetch_target(struct client *c, const struct tuf_target *t, const char *name,
                         struct err *e)
{
	struct buf b = {0};
	const struct log_io *io = &log_io_system;
	st_t st = disk_read(io, c->target_fd, name, (size_t)t->file.length, &b, NULL);
	if (st == ST_OK && check_bytes(t, &b, NULL) == ST_OK) {
		buf_done(&b);
		return ST_OK;
	}
	b.len = 0;
	st = update_stream(&c->targets, (const char *)t->url.data, 0, t->file.length, add_bytes, &b, e);
	if (st == ST_OK)
		st = check_bytes(t, &b, e);
	if (st == ST_OK)
		st = disk_put(io, c->target_fd, c->target_fd, name, rd_make(b.data, b.len), e);
	buf_done(&b);
	return st;
}

static st_t download(struct client *c, struct tuf_client *tuf, const char *path, struct err *e)
{
	struct tuf_target t;
	struct buf name = {0};
	TRY(tuf_find_target(tuf, path, &t, e));
	tuf_quote(path, false, &name);
	buf_u8(&name, 0);
	st_t st = buf_check(&name, e, "target");
	if (st == ST_OK)
		st = fetch_target(c, &t, (const char *)name.data, e);
	buf_done(&name);
	tuf_target_done(&t);
	return st;
}

/* ---- metadata ---- */

static st_t get_metadata(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e)
{
	return update_get(ctx, path, max, ret, e);
}

static st_t update(struct client *c, const struct options *o, int64_t now, struct err *e)
{
	struct tuf_fetch fetch = {.get = get_metadata, .ctx = &c->metadata};
	struct tuf_client tuf;
	st_t st = tuf_refresh(&fetch, &c->tuf_store, now, &tuf, e);
	for (size_t i = 0; st == ST_OK && c->target_fd >= 0 && i < o->ntargets; i++)
		st = download(c, &tuf, o->target[i], e);
	tuf_client_done(&tuf);
	return st;
}

/* ---- beginning ---- */

static st_t open_folder(const char *path, int *ret, struct err *e)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "%s", path) : ST_OK;
}

static st_t open_source(const struct fetch *fetch, const char *url, struct update_source *ret,
                        struct err *e)
{
	struct update_mirrors m = {.repository = {url}, .nrepositories = 1, .timeout_ms = REQUEST_MS};
	return update_source_open_mirrors(fetch, &m, ret, e);
}

static st_t enter(struct client *c, struct fetcher *f, struct err *e)
{
	int rw[] = {c->metadata_fd, c->target_fd}, sock = fetcher_socket(f);
	struct sandbox_paths paths = {.rw = rw, .nrw = c->target_fd < 0 ? 1 : 2};
	struct sandbox_report jail;
	TRY(proc_preload(e));
	return sandbox_enter_self(ROLE_VERIFY, &paths, &sock, 1, &jail, e);
}

static st_t connect_and_update(const struct options *o, bool targets, struct err *e)
{
	struct client c = {.metadata_fd = -1, .target_fd = -1};
	struct fetcher_opts opts = {0};
	struct fetcher *fetcher;
	struct fetch fetch;
	int64_t now = (int64_t)time(NULL);
	TRY(open_folder(o->metadata_dir, &c.metadata_fd, e));
	if (targets)
		TRY(open_folder(o->target_dir, &c.target_fd, e));
	TRY(fetcher_start(&opts, &fetcher, &fetch, e));
	TRY(enter(&c, fetcher, e));
	TRY(open_source(&fetch, o->metadata_url, &c.metadata, e));
	if (targets)
		TRY(open_source(&fetch, o->target_url, &c.targets, e));
	TRY(update_store_open(&log_io_system, c.metadata_fd, &c.store, &c.tuf_store, e));
	return update(&c, o, now, e);
}

static st_t init(const struct options *o, const char *root, struct err *e)
{
	struct update_store *s;
	struct tuf_store store;
	struct buf b = {0};
	int dir;
	AUTO_FD fd = open(root, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "%s", root);
	TRY(open_folder(o->metadata_dir, &dir, e));
	TRY(io_read_up_to(fd, TUF_ROOT_MAX, root, &b, e));
	TRY(update_store_open(&log_io_system, dir, &s, &store, e));
	return store.put(store.ctx, "root.json", rd_make(b.data, b.len), e);
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {{"metadata-dir", 1, NULL, 'm'},
	                                             {"metadata-url", 1, NULL, 'u'},
	                                             {"target-base-url", 1, NULL, 'b'},
	                                             {"target-dir", 1, NULL, 'd'},
	                                             {"target-name", 1, NULL, 'n'},
	                                             {NULL, 0, NULL, 0}};
	for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		if (c == '?' || (c == 'n' && o->ntargets == TARGETS_MAX))
			return false;
		if (c == 'n')
			o->target[o->ntargets++] = optarg;
		else
			*(c == 'm'   ? &o->metadata_dir
			  : c == 'u' ? &o->metadata_url
			  : c == 'b' ? &o->target_url
			             : &o->target_dir) = optarg;
	}
	return o->metadata_dir != NULL;
}

static st_t run(const struct options *o, int n, char **word, struct err *e)
{
	if (n == 2 && strcmp(word[0], "init") == 0)
		return init(o, word[1], e);
	if (n == 1 && strcmp(word[0], "refresh") == 0 && o->metadata_url)
		return connect_and_update(o, false, e);
	if (n == 1 && strcmp(word[0], "download") == 0 && o->metadata_url && o->target_url &&
	    o->target_dir)
		return connect_and_update(o, true, e);
	return fail(e, ST_UNSUPPORTED, 0, "usage: see the head of conformance_client.c");
}

/* Ends without exit(): handlers of libraries may do what the jail forbids. What was opened ends
 * with the process, the fetcher with its socket. */
int main(int argc, char **argv)
{
	struct options o = {0};
	struct err e = {0};
	st_t st = read_options(argc, argv, &o) ? run(&o, argc - optind, argv + optind, &e)
	                                       : fail(&e, ST_UNSUPPORTED, 0, "unknown arguments");
	if (st != ST_OK)
		dprintf(STDERR_FILENO, "tuf-conformance-client: %s (%s)\n", e.text, st_name(st));
	_exit(st == ST_OK ? 0 : 1);
}
