/* The files themselves, by the cheapest way: a delta from what is installed, compressed, or as they
 * are. Whatever way, what ends in the spool under the hex of its SHA-256 has the length and the
 * digest that TUF lists of it, or is removed.
 *
 * What was downloaded in part is gone on with: it is hashed again first. */
#include "base/io.h"
#include "base/num.h"
#include "crypto/digest.h"
#include "update/chain_inside.h"
#include "update/chain_ways.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

struct spool_file {
	struct chain *c;
	const char *what;  /* "main.vdb.zst": for people */
	char name[65];
	int fd;
	uint64_t at, size; /* written, expected */
	const uint8_t *sha256;
	struct digest sum;
};

static st_t spool_open(struct chain *c, const char *what, const uint8_t sha256[32], uint64_t size,
                       struct spool_file *ret, struct err *e)
{
	struct stat s;
	*ret = (struct spool_file){.c = c, .what = what, .size = size, .sha256 = sha256};
	hex_encode(sha256, 32, ret->name);
	ret->fd = openat(c->rq->place.spool_fd, ret->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	                 0600);
	if (ret->fd < 0 || fstat(ret->fd, &s) != 0) {
		st_t st = fail_errno(e, "%s: the spool's %s", what, ret->name);
		fd_closep(&ret->fd);
		return st;
	}
	ret->at = s.st_size > 0 ? (uint64_t)s.st_size : 0;
	return ST_OK;
}

static void spool_close(struct spool_file *f)
{
	digest_done(&f->sum);
	fd_closep(&f->fd);
}

static void spool_remove(const struct spool_file *f)
{
	(void)!unlinkat(f->c->rq->place.spool_fd, f->name, 0); /* else it is found wrong next time */
}

static st_t hash_start(struct spool_file *f, uint64_t n, struct err *e)
{
	uint8_t chunk[CHUNK];
	digest_done(&f->sum);
	TRY(digest_init(&f->sum, DIGEST_SHA256, e));
	for (uint64_t at = 0; at < n;) {
		size_t got, want = (size_t)num_min_u64(n - at, sizeof chunk);
		TRY(io_pread_full(f->fd, chunk, want, at, &got, e));
		if (got != want)
			return fail(e, ST_IO, at, "%s: it changed while it was read", f->what);
		TRY(digest_add(&f->sum, chunk, got, e));
		at += got;
	}
	return ST_OK;
}

static st_t write_at(struct spool_file *f, const uint8_t *p, size_t n, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(f->fd, p + done, n - done, (off_t)(f->at + done));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "%s: the spool could not be written", f->what);
		done += (size_t)k;
	}
	return ST_OK;
}

static st_t take_bytes(void *ctx, const void *p, size_t n, struct err *e)
{
	struct spool_file *f = ctx;
	if (n > f->size - f->at)
		return fail(e, ST_LIMIT, f->at, "%s: more than the %llu bytes that are listed", f->what,
		            (unsigned long long)f->size);
	TRY(digest_add(&f->sum, p, n, e));
	TRY(write_at(f, p, n, e));
	f->at += n;
	if (f->c->rq->progress)
		f->c->rq->progress(f->c->rq->ctx, f->what, f->at, f->size);
	return ST_OK;
}

/* Whether all of it is there and right; ends the sum. */
static st_t check_whole(struct spool_file *f, struct err *e)
{
	uint8_t sum[32];
	if (f->at != f->size)
		return fail(e, ST_BAD_SUM, 0, "%s: %llu bytes came, %llu are listed", f->what,
		            (unsigned long long)f->at, (unsigned long long)f->size);
	TRY(digest_end(&f->sum, sum, e));
	if (memcmp(sum, f->sha256, sizeof sum))
		return fail(e, ST_BAD_SUM, 0, "%s: its SHA-256 is not the one that is listed", f->what);
	return ST_OK;
}

/* Cuts the file to n bytes, which are hashed; the rest is fetched. */
static st_t complete(struct spool_file *f, const char *path, uint64_t n, struct err *e)
{
	if (ftruncate(f->fd, (off_t)n) != 0)
		return fail_errno(e, "%s: the spool", f->what);
	f->at = n;
	TRY(hash_start(f, n, e));
	if (n < f->size)
		TRY(update_stream(f->c->rq->source, path, n, f->size - n, take_bytes, f, e));
	return check_whole(f, e);
}

/* What is wrong from the network goes; what is merely not whole stays. */
static st_t download(struct spool_file *f, const char *path, struct err *e)
{
	struct err why = {0};
	uint64_t part = f->at <= f->size ? f->at : 0;
	st_t st = complete(f, path, part, &why);
	if (part && (st == ST_BAD_SUM || st == ST_LIMIT)) {
		chain_say(f->c, "%s: what there was of it was damaged, it was begun anew", f->what);
		err_clear(&why);
		st = complete(f, path, 0, &why);
	}
	if (st == ST_BAD_SUM || st == ST_LIMIT)
		spool_remove(f);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "files: %s", why.text);
}

/* A target into the spool. */
static st_t fetch_target(struct chain *c, const char *what, const struct tuf_target *t,
                         struct spool_file *ret, struct err *e)
{
	char path[UPDATE_PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "targets/%s", (const char *)t->url.data) >= sizeof path)
		return fail(e, ST_LIMIT, 0, "files: the path of %s is too long", what);
	TRY(spool_open(c, what, t->file.hashes.sha256, t->file.length, ret, e));
	st_t st = download(ret, path, e);
	if (st != ST_OK)
		spool_close(ret);
	return st;
}

/* Makes the file of what was fetched. */
static st_t unpack(const struct chain_way *w, const struct spool_file *in, struct spool_file *out,
                   struct err *e)
{
	struct stat s;
	if (ftruncate(out->fd, 0) != 0 || lseek(out->fd, 0, SEEK_SET) != 0)
		return fail_errno(e, "%s: the spool", out->what);
	TRY(w->open(w, in->fd, in->size, out->size, out->fd, e));
	if (fstat(out->fd, &s) != 0)
		return fail_errno(e, "%s: the spool", out->what);
	out->at = (uint64_t)s.st_size;
	TRY(out->at == out->size ? hash_start(out, out->at, e) : ST_OK);
	return check_whole(out, e);
}

/* What it was made of goes, unless it is wanted as well. */
static void leave_packed(struct chain *c, const struct chain_way *w, const struct chain_wanted *f,
                         const struct spool_file *in, st_t st)
{
	if (st < ST_OK)
		return;
	if (st > ST_OK || !c->rq->want_packed || w->is_delta) {
		spool_remove(in);
		return;
	}
	f->packed->size = in->size;
	memcpy(f->packed->sha256, in->sha256, sizeof f->packed->sha256);
}

/* A delta that does not apply, be it that what is installed here is damaged, need not be the end:
 * the next way is judged by the same digest. */
static st_t go_packed(struct chain *c, const struct chain_way *w, const struct chain_wanted *f,
                      bool *ret_next, struct err *e)
{
	struct spool_file in, out;
	TRY(fetch_target(c, w->what, &w->target, &in, e));
	st_t st = spool_open(c, f->what, f->file->sha256, f->file->size, &out, e);
	if (st == ST_OK) {
		st = unpack(w, &in, &out, e);
		if (st > ST_OK)
			spool_remove(&out);
		spool_close(&out);
		*ret_next = w->is_delta && st > ST_OK;
	}
	leave_packed(c, w, f, &in, st);
	spool_close(&in);
	return st;
}

static st_t go_plain(struct chain *c, const struct chain_wanted *wanted, struct err *e)
{
	struct spool_file f;
	TRY(fetch_target(c, wanted->what, wanted->plain, &f, e));
	spool_close(&f);
	return ST_OK;
}

/* *ret_next: it failed in a way that leaves the others worth trying. So does a file that no mirror
 * has; what came and is wrong is refused. */
static st_t go(struct chain *c, const struct chain_way *w, const struct chain_wanted *f,
               bool *ret_next, struct err *e)
{
	*ret_next = false;
	st_t st = w->open ? go_packed(c, w, f, ret_next, e) : go_plain(c, f, e);
	*ret_next = *ret_next || st == ST_NOT_FOUND;
	return st;
}

static st_t go_ways(struct chain *c, const struct chain_ways *ways, const struct chain_wanted *f,
                    struct err *e)
{
	uint64_t before = c->rq->source->bytes;
	for (size_t i = 0; i < ways->n; i++) {
		const struct chain_way *w = &ways->v[i];
		struct err why = {0};
		bool next;
		st_t st = go(c, w, f, &next, &why);
		if (st != ST_OK && (!next || i + 1 == ways->n))
			return fail(e, st, why.off, "%s", why.text);
		if (st != ST_OK) {
			chain_say(c, "%s did not do (%.80s)", w->what, why.text);
			continue;
		}
		chain_say(c, "%s: %llu bytes, SHA-256 as listed, by %llu bytes moved (%s)", f->what,
		          (unsigned long long)f->file->size,
		          (unsigned long long)(c->rq->source->bytes - before), w->what);
		break;
	}
	return ST_OK;
}

static st_t fetch_file(struct chain *c, const struct chain_wanted *f, struct err *e)
{
	struct chain_ways ways;
	st_t st = chain_ways_find(c, f, &ways, e);
	if (st == ST_OK)
		st = go_ways(c, &ways, f, e);
	chain_ways_done(&ways);
	return st;
}

static st_t fetch_files(struct chain *c, struct err *e)
{
	const struct chain_request *rq = c->rq;
	const struct chain_wanted vdb = {"main.vdb", &c->vdb, &c->r.vdb, &c->r.vdb_packed,
	                                 rq->place.old_vdb_fd};
	const struct chain_wanted source = {"source.tar", &c->source, &c->r.source,
	                                    &c->r.source_packed, rq->place.old_source_fd};
	TRY(fetch_file(c, &vdb, e));
	if (!rq->want_source && rq->policy->compile != UPDATE_COMPILE_LOCAL)
		return ST_OK;
	return fetch_file(c, &source, e);
}

st_t chain_check_files(struct chain *c, struct err *e)
{
	const struct chain_request *rq = c->rq;
	if (rq->want_tiles)
		TRY(chain_keep_trees(c, e));
	if (rq->evidence_only) {
		chain_not_asked(c, "not fetched: only the evidence was asked for");
		return ST_OK;
	}
	if (rq->have && !memcmp(rq->have, c->r.vdb.sha256, 32)) {
		chain_not_asked(c, "not fetched: it is the database that is here already");
		return ST_OK;
	}
	return fetch_files(c, e);
}
