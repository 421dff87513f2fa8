#include "verify/member.h"

#include "base/ere.h"

#include <stdlib.h>

struct members {
	const struct db_view *v;
	struct ere *names[]; /* NULL: any */
};

static st_t compile(struct members *m, size_t i, struct err *e)
{
	const struct db_member *d = &m->v->member[i];
	struct err why = {0};
	if (d->regex == DB_NO_TEXT)
		return ST_OK;
	st_t st = ere_new(m->v->member_text + d->regex, d->regex_len, &m->names[i], &why);
	if (st == ST_OK)
		return ST_OK;
	return fail(e, st, i, "database: container signature %zu: %s", i, why.text);
}

st_t members_new(const struct db *db, struct members **ret, struct err *e)
{
	const struct db_view *v = db_view(db);
	*ret = NULL;
	if (v->nmember == 0)
		return ST_OK;
	struct members *m = calloc(1, sizeof *m + v->nmember * sizeof m->names[0]);
	if (!m)
		return fail(e, ST_NOMEM, 0, "no memory for container signatures");
	m->v = v;
	st_t st = ST_OK;
	for (size_t i = 0; i < v->nmember && st == ST_OK; i++)
		st = compile(m, i, e);
	if (st != ST_OK) {
		members_free(m);
		return st;
	}
	*ret = m;
	return ST_OK;
}

void members_free(struct members *m)
{
	for (size_t i = 0; m && i < m->v->nmember; i++)
		ere_free(m->names[i]);
	free(m);
}

static bool in(const struct db_range *r, uint64_t v)
{
	return r->min <= v && v <= r->max;
}

static bool is_all(const struct db_range *r)
{
	return r->min == 0 && r->max == UINT64_MAX;
}

static bool holds(const struct db_member *d, struct ere *name, const struct member_facts *f)
{
	const struct db_range *r = d->range;
	if (d->container != FILETYPES && d->container != f->container)
		return false;
	if (d->encrypted != DB_MEMBER_ANY && d->encrypted != f->encrypted)
		return false;
	if (!in(&r[DB_MEMBER_CONTAINER], f->container_size) || !in(&r[DB_MEMBER_REAL], f->real) ||
	    !in(&r[DB_MEMBER_POSITION], f->position))
		return false;
	if (!is_all(&r[DB_MEMBER_STORED]) && (!f->has_stored || !in(&r[DB_MEMBER_STORED], f->stored)))
		return false;
	if (d->has_crc && (!f->has_crc || d->crc != f->crc))
		return false;
	return !name || ere_search(name, f->name, f->name_len); /* last: it costs most */
}

st_t members_match(const struct members *m, const struct member_facts *f,
                   st_t (*hit)(void *ctx, uint32_t nameref), void *ctx)
{
	for (size_t i = 0; m && i < m->v->nmember; i++)
		if (holds(&m->v->member[i], m->names[i], f))
			TRY(hit(ctx, m->v->member[i].nameref));
	return ST_OK;
}
