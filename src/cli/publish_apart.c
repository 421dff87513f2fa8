#include "cli/publish_apart.h"

#include "cli/log_place.h"
#include "proc/broker/apart.h"
#include "proc/preload.h"
#include "publish/repo.h"
#include "sandbox/roles.h"

#include <fcntl.h>

/* A list of targets in words is a little longer than it is. */
#define WORDS_MAX (4 * (size_t)TUF_TARGETS_MAX)
#define SIGNATURES_SIZE_MAX ((size_t)64 << 10)

struct job {
	struct rd file, old;
	bool describe;
};

static st_t enter_jail(struct err *e)
{
	struct sandbox_report report;
	TRY(proc_preload(e));
	return sandbox_enter_self(ROLE_CHECK, NULL, NULL, 0, &report, e);
}

static st_t work(void *ctx, struct buf *out, struct err *e)
{
	const struct job *j = ctx;
	TRY(enter_jail(e));
	return j->describe ? publish_describe(j->file, j->old, out, e)
	                   : publish_signatures_read(j->file, out, e);
}

st_t publish_apart_signatures(const char *path, struct buf *ret, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	TRY(log_read_file(AT_FDCWD, path, TUF_TARGETS_MAX, &b, e));
	struct job j = {.file = rd_make(b.data, b.len)};
	const struct apart a = {.work = work, .ctx = &j, .max = SIGNATURES_SIZE_MAX};
	st_t st = broker_apart(&a, ret, &why);
	buf_done(&b);
	return st == ST_OK ? st : fail(e, st, why.off, "%.100s: %.150s", path, why.text);
}

st_t publish_apart_describe(struct rd file, struct rd old, struct buf *ret, struct err *e)
{
	struct job j = {.file = file, .old = old, .describe = true};
	const struct apart a = {.work = work, .ctx = &j, .max = WORDS_MAX};
	return broker_apart(&a, ret, e);
}
