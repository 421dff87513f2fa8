#include "cli/update_home.h"

#include "base/io.h"
#include "base/num.h"
#include "cli/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everybody who scans reads what is installed. */
#define FOLDER_MODE 0755

const char *home_state_path(const char *given)
{
	const char *said = getenv("VITRINE_STATE");
	if (given)
		return given;
	return said && said[0] ? said : UPDATE_STATE_DEFAULT;
}

void home_init(struct home *h, const char *policy, const char *state)
{
	*h = (struct home){
	    .policy_path = policy ? policy : UPDATE_POLICY_DEFAULT,
	    .state_path = home_state_path(state),
	    .set_fd = -1,
	    .tuf_fd = -1,
	    .spool_fd = -1,
	    .state = {.current = -1},
	};
}

void home_done(struct home *h)
{
	update_place_free(h->place);
	fd_closep(&h->set_fd);
	fd_closep(&h->tuf_fd);
	fd_closep(&h->spool_fd);
	update_policy_done(&h->policy);
	buf_done(&h->expanded);
}

/* ---- the policy ---- */

static st_t beside_policy(const struct home *h, const char *name, char ret[PATH_MAX],
                          struct err *e)
{
	const char *slash = strrchr(h->policy_path, '/');
	int folder = slash && name[0] != '/' ? (int)(slash - h->policy_path) + 1 : 0;
	int n = snprintf(ret, PATH_MAX, "%.*s%s", folder, h->policy_path, name);
	if (n < 0 || n >= PATH_MAX)
		return fail(e, ST_LIMIT, 0, "%.100s: too long", name);
	return ST_OK;
}

/* A key's file, or the root. */
static st_t read_named(void *ctx, const char *name, struct buf *out, struct err *e)
{
	char path[PATH_MAX];
	TRY(beside_policy(ctx, name, path, e));
	return file_read(path, UPDATE_POLICY_MAX, out, e);
}

static st_t take_paths(struct home *h, struct err *e)
{
	const struct update_policy *p = &h->policy;
	if (p->known_good)
		TRY(beside_policy(h, p->known_good, h->known_good, e));
	if (p->known_bad)
		TRY(beside_policy(h, p->known_bad, h->known_bad, e));
	if (p->ca_file)
		TRY(beside_policy(h, p->ca_file, h->ca_file, e));
	return ST_OK;
}

st_t home_read_policy(struct home *h, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	st_t st = file_read(h->policy_path, UPDATE_POLICY_MAX, &text, e);
	if (st != ST_OK) {
		buf_done(&text);
		return st;
	}
	st = update_policy_expand(rd_make(text.data, text.len), read_named, h, &h->expanded, &why);
	if (st == ST_OK)
		st = update_policy_parse(rd_make(h->expanded.data, h->expanded.len), &h->policy, &why);
	buf_done(&text);
	if (st != ST_OK)
		return fail(e, st, why.off, "%.80s: %.170s", h->policy_path, why.text);
	return take_paths(h, e);
}

/* ---- the folders ---- */

static st_t open_folder(int at, const char *path, bool make, int *ret, struct err *e)
{
	if (make && mkdirat(at, path, FOLDER_MODE) != 0 && errno != EEXIST)
		return fail_errno(e, "%s", path);
	*ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "%s", path) : ST_OK;
}

/* A writer's place has made them. Absent ones are no fault of who only reads. */
static st_t open_parts(struct home *h, bool writer, struct err *e)
{
	struct err why = {0};
	st_t st = open_folder(h->set_fd, "tuf", false, &h->tuf_fd, &why);
	if (st == ST_OK)
		st = open_folder(h->set_fd, "spool", false, &h->spool_fd, &why);
	return st == ST_OK || !writer ? ST_OK : fail(e, st, 0, "%s/%s", h->state_path, why.text);
}

static st_t open_place(struct home *h, const char *set, bool writer, struct err *e)
{
	struct err why = {0};
	st_t st = update_place_open(&log_io_system, h->set_fd, writer, &h->place, &why);
	if (st == ST_CONFLICT && writer)
		return fail(e, st, 0, "%.120s/%s: another vitrine update or rollback is at work here; wait "
		            "until it has ended", h->state_path, set);
	if (st == ST_OK)
		st = update_state_read(h->place, &h->state, &why);
	return st == ST_OK ? st
	                   : fail(e, st, why.off, "%.80s/%s: %.150s", h->state_path, set, why.text);
}

st_t home_open(struct home *h, const char *set, bool writer, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s", h->state_path, set);
	if (n < 0 || n >= PATH_MAX)
		return fail(e, ST_LIMIT, 0, "%.100s: too long", h->state_path);
	if (writer && mkdir(h->state_path, FOLDER_MODE) != 0 && errno != EEXIST)
		return fail_errno(e, "%s", h->state_path);
	struct err why = {0};
	st_t st = open_folder(AT_FDCWD, path, writer, &h->set_fd, &why);
	if (st == (st_t)-ENOENT && !writer)
		return ST_OK;
	if (st != ST_OK)
		return fail(e, st, 0, "%s", why.text);
	TRY(open_place(h, set, writer, e));
	return open_parts(h, writer, e);
}

int home_find(const struct home *h, const char *id)
{
	if (!id[0])
		return h->state.current;
	for (size_t i = 0; i < h->state.n; i++)
		if (!strcmp(h->state.v[i].id, id))
			return (int)i;
	return -1;
}

st_t home_open_file(const struct home *h, int release, const char *name, int *ret_fd,
                    struct err *e)
{
	return update_release_open(h->place, h->state.v[release].id, name, ret_fd, e);
}

/* ---- what the verifier gets ---- */

void home_request(const struct home *h, const char *proxy, struct verify_request *ret)
{
	*ret = (struct verify_request){
	    .policy = rd_make(h->expanded.data, h->expanded.len),
	    .seen = h->state.seen,
	    .tuf_fd = h->tuf_fd,
	    .spool_fd = h->spool_fd,
	    .old_vdb_fd = -1,
	    .old_source_fd = -1,
	    .folder_fd = -1,
	    .bundle_fd = -1,
	    .fetcher = {.ca_file = h->ca_file[0] ? h->ca_file : NULL,
	                .proxy = proxy ? proxy : h->policy.proxy},
	    .stop_fd = -1,
	};
}

st_t home_open_folder(const struct home *h, uint32_t line, int *ret_fd, struct err *e)
{
	char folder[UPDATE_FOLDER_MAX];
	TRY(update_repository_folder(h->policy.repository[line - 1], folder, e));
	return open_folder(AT_FDCWD, folder, false, ret_fd, e);
}

st_t home_open_source(const struct home *h, const char *bundle, struct verify_request *rq,
                      int *ret_fd, struct err *e)
{
	char folder[UPDATE_FOLDER_MAX] = "";
	*ret_fd = -1;
	if (bundle) {
		*ret_fd = rq->bundle_fd = open(bundle, O_RDONLY | O_CLOEXEC);
		return *ret_fd < 0 ? fail_errno(e, "%s", bundle) : ST_OK;
	}
	if (h->policy.nrepositories == 1)
		TRY(update_repository_folder(h->policy.repository[0], folder, e));
	if (!folder[0])
		return ST_OK;
	TRY(open_folder(AT_FDCWD, folder, false, ret_fd, e));
	rq->folder_fd = *ret_fd;
	return ST_OK;
}
