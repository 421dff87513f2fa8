#include "cli/publish_finish.h"

#include "base/io.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_SIZE 200 /* of a target: set, folder, file */
#define ONLINE_MAX ((size_t)64 << 10)

static st_t take_time(struct publish_work *w, struct err *e)
{
	w->now = (int64_t)time(NULL);
	if (w->time && !tuf_time(w->time, &w->now))
		return fail(e, ST_MALFORMED, 0, "--time %.40s: not as in 2026-11-24T12:00:00Z", w->time);
	return ST_OK;
}

/* The private file "online" has a path a line; `init` wrote it. */
static st_t known_online(struct publish_work *w, struct err *e)
{
	struct err why = {0};
	struct buf *b = &w->online_text;
	st_t st = log_read_file(w->place.private_fd, "online", ONLINE_MAX, b, &why);
	if (st == ST_NOT_FOUND)
		return ST_OK; /* the signature that is missing is said */
	TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
	buf_u8(b, 0);
	TRY(buf_check(b, e, "online"));
	for (char *line = (char *)b->data, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (str_list_add(&w->online_known, line) != ST_OK)
			return fail(e, ST_NOMEM, 0, "online: out of memory");
	}
	return ST_OK;
}

static const struct str_list *online_keys(const struct publish_work *w)
{
	return w->online->n ? w->online : &w->online_known;
}

st_t publish_work_open(struct publish_work *w, struct err *e)
{
	w->place = (struct log_place){.dir_fd = -1, .private_fd = -1};
	TRY(take_time(w, e));
	TRY(log_place_open(w->dir, w->private_dir, false, &w->place, e));
	TRY(known_online(w, e));
	TRY(publish_ring_check(online_keys(w), e));
	return publish_repo_open(&log_io_system, w->place.dir_fd, w->place.private_fd, &w->repo, e);
}

void publish_work_done(struct publish_work *w)
{
	publish_repo_free(w->repo);
	log_place_done(&w->place);
	str_list_done(&w->online_known);
	buf_done(&w->online_text);
	w->repo = NULL;
}

static st_t target_name(const struct publish_work *w, const char *name, char ret[NAME_SIZE],
                        struct err *e)
{
	int n = snprintf(ret, NAME_SIZE, "%s/%s", w->set, name);
	return n > 0 && n < NAME_SIZE ? ST_OK : fail(e, ST_LIMIT, 0, "%s: name too long", name);
}

st_t publish_work_sha256(struct publish_work *w, const char *name, uint8_t ret[32], struct err *e)
{
	char path[NAME_SIZE];
	struct tuf_file f;
	TRY(target_name(w, name, path, e));
	TRY(publish_find_target(w->repo, path, &f, e));
	if (!f.has_hashes || !f.hashes.has256)
		return fail(e, ST_MALFORMED, 0, "%s: without a SHA-256", path);
	memcpy(ret, f.hashes.sha256, 32);
	return ST_OK;
}

st_t publish_work_read(struct publish_work *w, const char *name, size_t max, struct buf *ret,
                       struct err *e)
{
	char path[NAME_SIZE];
	AUTO_FD fd = -1;
	TRY(target_name(w, name, path, e));
	TRY(publish_open_target(w->repo, path, &fd, e));
	TRY(io_read_up_to(fd, max + 1, path, ret, e));
	return ret->len <= max ? ST_OK : fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", path, max);
}

static st_t stage_answer(struct publish_work *w, const struct publish_log_answer *a,
                         const struct rd *entry, size_t n, struct err *e)
{
	struct publish_rebuild v[PUBLISH_REBUILDS_MAX];
	struct rd proof = rd_make(a->v[0].proof.data, a->v[0].proof.len);
	for (size_t i = 1; i < n; i++)
		v[i - 1] = (struct publish_rebuild){
			entry[i], rd_make(a->v[i].proof.data, a->v[i].proof.len)};
	return publish_evidence_stage(w->repo, w->set, proof, v, n - 1, e);
}

st_t publish_work_prove(struct publish_work *w, const struct rd *entry, size_t n,
                        uint64_t *ret_index, struct err *e)
{
	struct publish_log_request rq = {.n = n};
	struct publish_log_answer a = {0};
	memcpy(rq.entry, entry, n * sizeof *entry);
	st_t st = publish_log_add(&w->log, &rq, &a, e);
	if (st == ST_OK)
		st = stage_answer(w, &a, entry, n, e);
	if (st == ST_OK)
		*ret_index = a.v[0].index;
	publish_log_answer_done(&a);
	return st;
}

st_t publish_work_commit(struct publish_work *w, struct err *e)
{
	struct publish_ring ring = {0};
	st_t st = publish_ring_load(&ring, online_keys(w), w->pass, e);
	if (st == ST_OK)
		st = publish_sign(w->repo, ring.signer, ring.n, w->now, e);
	if (st == ST_OK)
		st = publish_commit(w->repo, ring.signer, ring.n, w->now, e);
	publish_ring_done(&ring);
	return st;
}
