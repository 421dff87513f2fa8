/* Definitions of file types, the last one read first: of several that fit it counts. */
#include "sig/emit.h"

static void put_part(struct emit *x, const struct ir_part *p)
{
	struct db_magic_part d = {.gap_min = p->gap_min, .gap_max = p->gap_max,
	                          .bytes = (uint32_t)x->magic_bytes.len, .len = p->nelems};
	for (uint32_t i = 0; i < p->nelems; i++)
		buf_u8(&x->magic_bytes, p->elems[i].value);
	for (uint32_t i = 0; i < p->nelems; i++)
		buf_u8(&x->magic_bytes, p->elems[i].mask);
	buf_add(&x->magic_part, &d, sizeof d);
}

static uint32_t clamp(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void put_magic(struct emit *x, const struct ir_magic *m)
{
	const struct ir_offset *o = &m->pattern.offset;
	bool any = o->kind == IR_OFF_ANY;
	uint32_t from = any ? 0 : clamp((uint64_t)o->n);
	struct db_magic d = {
		.type = m->type, .rtype = m->rtype, .flags = m->direct ? DB_MAGIC_DIRECT : 0,
		.off_min = from, .off_max = any ? UINT32_MAX : clamp((uint64_t)from + o->maxshift),
		.part = emit_count(&x->magic_part, sizeof(struct db_magic_part)),
		.nparts = m->pattern.nparts,
	};
	for (uint32_t i = 0; i < m->pattern.nparts; i++)
		put_part(x, &m->pattern.parts[i]);
	buf_add(&x->magic, &d, sizeof d);
}

st_t emit_magics(struct emit *x, struct err *e)
{
	for (size_t i = x->set->nmagics; i-- > 0;)
		put_magic(x, &x->set->magics[i]);
	TRY(buf_check(&x->magic, e, "compiler: file types"));
	TRY(buf_check(&x->magic_part, e, "compiler: file types"));
	return buf_check(&x->magic_bytes, e, "compiler: file types");
}
