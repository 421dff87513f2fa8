/* The check of what decides file types: ranges, and bounds that keep looking cheap. */
#include "db/view.h"

#include "db/filetypes.h"

static bool in_range(uint64_t first, uint64_t n, uint64_t total)
{
	return first <= total && n <= total - first;
}

static bool part_is_sound(const struct db_view *v, const struct db_magic_part *p)
{
	return p->len > 0 && p->len <= DB_MAGIC_LOOK && p->gap_min <= p->gap_max &&
	       in_range(p->bytes, 2 * (uint64_t)p->len, v->nmagic_bytes);
}

static bool magic_is_sound(const struct db_view *v, const struct db_magic *m)
{
	return m->type < FILETYPES && m->rtype <= FILETYPES && m->off_min <= m->off_max &&
	       !(m->flags & ~(uint32_t)DB_MAGIC_DIRECT) && m->nparts > 0 &&
	       m->nparts <= DB_MAGIC_PARTS_MAX && in_range(m->part, m->nparts, v->nmagic_part);
}

st_t db_check_magics(const struct db_view *v, struct err *e)
{
	if (v->nmagic > DB_MAGIC_MAX)
		return fail(e, ST_MALFORMED, 0, "%zu file types", v->nmagic);
	for (size_t i = 0; i < v->nmagic_part; i++)
		if (!part_is_sound(v, &v->magic_part[i]))
			return fail(e, ST_MALFORMED, i, "part %zu of file types: broken record", i);
	for (size_t i = 0; i < v->nmagic; i++)
		if (!magic_is_sound(v, &v->magic[i]))
			return fail(e, ST_MALFORMED, i, "file type %zu: broken record", i);
	return ST_OK;
}
