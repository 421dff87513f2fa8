/* Evidence of what was refused: the last ones, each once. */
#include "update/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "TIME-NAME" of ten digits and more, and ".tar". */
#define FILE_MAX (24 + UPDATE_REFUSED_NAME_MAX)
/* Files that are looked at; what others put there is theirs. */
#define FILES_MAX 256

struct files {
	char v[FILES_MAX][FILE_MAX]; /* without the ending, each once */
	size_t n;
};

static void add_file(void *arg, const char *name)
{
	struct files *f = arg;
	size_t n = strlen(name);
	if (f->n == FILES_MAX || n < 4 + 12 || n - 4 >= FILE_MAX)
		return;
	if ((strcmp(name + n - 4, ".tar") && strcmp(name + n - 4, ".txt")) ||
	    strspn(name, "0123456789") != 11 || name[11] != '-')
		return;
	snprintf(f->v[f->n], FILE_MAX, "%.*s", (int)(n - 4), name);
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i], f->v[f->n]))
			return;
	f->n++;
}

static int newest_first(const void *a, const void *b)
{
	return -strcmp(a, b);
}

static st_t remove_pair(struct update_place *p, int dir, const char *base, struct err *e)
{
	char name[FILE_MAX + 8];
	snprintf(name, sizeof name, "%s.tar", base);
	TRY(disk_remove(p->io, dir, name, e));
	snprintf(name, sizeof name, "%s.txt", base);
	return disk_remove(p->io, dir, name, e);
}

/* All of that name but the newest, and what is over the limit. */
static st_t forget(struct update_place *p, int dir, const char *name, struct err *e)
{
	struct files *f = calloc(1, sizeof *f);
	size_t kept = 0;
	bool seen = false;
	if (!f)
		return fail(e, ST_NOMEM, 0, "refused: out of memory");
	st_t st = p->io->list(p->io->ctx, dir, add_file, f) ? fail_errno(e, "refused: list") : ST_OK;
	qsort(f->v, f->n, sizeof f->v[0], newest_first);
	for (size_t i = 0; i < f->n && st == ST_OK; i++) {
		bool same = !strcmp(strchr(f->v[i], '-') + 1, name);
		if ((same && seen) || kept == UPDATE_REFUSED_MAX)
			st = remove_pair(p, dir, f->v[i], e);
		else
			kept++;
		seen |= same;
	}
	free(f);
	return st;
}

static st_t put_pair(struct update_place *p, int dir, const char *base, struct rd evidence,
                     struct rd reason, struct err *e)
{
	char name[FILE_MAX + 8];
	snprintf(name, sizeof name, "%s.tar", base);
	TRY(disk_put(p->io, dir, dir, name, evidence, e));
	snprintf(name, sizeof name, "%s.txt", base);
	return disk_put(p->io, dir, dir, name, reason, e);
}

static bool name_good(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= UPDATE_REFUSED_NAME_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

st_t update_refused_keep(struct update_place *p, int64_t now, const char *name, struct rd evidence,
                         struct rd reason, struct err *e)
{
	char base[FILE_MAX];
	int dir = -1;
	if (!name_good(name))
		return fail(e, ST_MALFORMED, 0, "refused: this cannot be a name: %.64s", name);
	TRY(disk_folder(p->io, p->dir, "refused", true, &dir, e));
	/* Eleven digits: files sort by time until the year 5138. */
	uint64_t t = now < 0 ? 0 : (uint64_t)now % UINT64_C(100000000000);
	snprintf(base, sizeof base, "%011" PRIu64 "-%s", t, name);
	st_t st = put_pair(p, dir, base, evidence, reason, e);
	if (st == ST_OK)
		st = forget(p, dir, name, e);
	p->io->close(p->io->ctx, dir);
	return st;
}
