/* Names: sorted, front-coded in blocks of DB_NAME_BLOCK, decoded only when something was found.
 * The directory and the blocks are not checked at opening, so everything here is checked on use. */
#include "db/view.h"

#include "base/rd.h"
#include "base/sum64.h"

#include <string.h>

static st_t damaged(struct err *e, uint64_t off)
{
	return fail(e, ST_BAD_SUM, off, "database: a block of names is damaged");
}

static st_t name_block(const struct db_view *v, size_t block, struct rd *ret, struct err *e)
{
	struct rd all = rd_make(v->name_blocks, v->nname_blocks);
	uint64_t off = v->name_dir[block].off, end = v->name_dir[block + 1].off;
	*ret = rd_at(&all, off, end >= off ? end - off : UINT64_MAX);
	if (ret->bad || (uint32_t)sum64(ret->base, ret->len) != v->name_dir[block].sum)
		return damaged(e, off);
	return ST_OK;
}

/* Decodes the next name over the one before it. */
static bool next_name(struct rd *r, char ret[DB_NAME_MAX])
{
	size_t shared = rd_u8(r);
	size_t rest = rd_u16le(r);
	if (r->bad || shared + rest >= DB_NAME_MAX || shared > strlen(ret))
		return false;
	rd_copy(r, ret + shared, rest);
	ret[shared + rest] = '\0';
	return !r->bad;
}

st_t db_name(const struct db *db, uint32_t nameref, char ret[DB_NAME_MAX], struct err *e)
{
	const struct db_view *v = &db->v;
	uint32_t i = nameref & DB_NAMEREF_INDEX;
	if (i >= v->meta->nnames)
		return damaged(e, 0);
	struct rd r;
	TRY(name_block(v, i / DB_NAME_BLOCK, &r, e));
	ret[0] = '\0';
	for (uint32_t k = 0; k <= i % DB_NAME_BLOCK; k++)
		if (!next_name(&r, ret))
			return damaged(e, 0);
	return ST_OK;
}

void db_names_start(const struct db *db, struct db_names *ret)
{
	*ret = (struct db_names){.db = db};
}

st_t db_names_next(struct db_names *w, bool *ret_more, struct err *e)
{
	const struct db_view *v = &w->db->v;
	*ret_more = false;
	if (w->next >= v->meta->nnames)
		return ST_OK;
	if (w->next % DB_NAME_BLOCK == 0) {
		TRY(name_block(v, w->next / DB_NAME_BLOCK, &w->rest, e));
		w->name[0] = '\0';
	}
	if (!next_name(&w->rest, w->name))
		return damaged(e, 0);
	w->next++;
	*ret_more = true;
	return ST_OK;
}
