#include "cli/publish_finish.h"

#include "base/io.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 200 /* of a target: set, folder, file */

static st_t target_name(const char *set, const char *name, char ret[NAME_SIZE], struct err *e)
{
	int n = snprintf(ret, NAME_SIZE, "%s/%s", set, name);
	return n > 0 && n < NAME_SIZE ? ST_OK : fail(e, ST_LIMIT, 0, "%s: name too long", name);
}

st_t publish_set_sha256(struct publish_cmd *c, const char *set, const char *name, uint8_t ret[32],
                        struct err *e)
{
	char path[NAME_SIZE];
	struct tuf_file f;
	TRY(target_name(set, name, path, e));
	TRY(publish_find_target(c->repo, path, &f, e));
	if (!f.has_hashes || !f.hashes.has256)
		return fail(e, ST_MALFORMED, 0, "%s: without a SHA-256", path);
	memcpy(ret, f.hashes.sha256, 32);
	return ST_OK;
}

st_t publish_set_read(struct publish_cmd *c, const char *set, const char *name, size_t max,
                      struct buf *ret, struct err *e)
{
	char path[NAME_SIZE];
	AUTO_FD fd = -1;
	TRY(target_name(set, name, path, e));
	TRY(publish_open_target(c->repo, path, &fd, e));
	TRY(io_read_up_to(fd, max + 1, path, ret, e));
	return ret->len <= max ? ST_OK : fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", path, max);
}

st_t publish_release_prove(struct publish_cmd *c, const char *set, struct rd envelope,
                           uint64_t *ret_index, struct err *e)
{
	const struct publish_log_request rq = {.entry = {envelope}, .n = 1};
	struct publish_log_answer a = {0};
	st_t st = publish_log_add(&c->log, &rq, 1, &a, e);
	if (st == ST_OK)
		st = publish_evidence_stage(c->repo, &(struct publish_evidence){
			.set = set, .release_proof = rd_make(a.v[0].proof.data, a.v[0].proof.len)}, e);
	if (st == ST_OK)
		*ret_index = a.v[0].index;
	publish_log_answer_done(&a);
	return st;
}
