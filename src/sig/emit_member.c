/* Conditions on members of containers, and passwords, as records; their text apart. */
#include "sig/emit.h"

static uint32_t put_text(struct emit *x, const char *p, uint32_t len)
{
	uint32_t at = (uint32_t)x->member_text.len;
	buf_add(&x->member_text, p, len);
	buf_u8(&x->member_text, 0);
	return at;
}

static void put_member(struct emit *x, const struct ir_member *m)
{
	struct db_member d = {
		.nameref = m->nameref,
		.regex = m->regex ? put_text(x, m->regex, m->regex_len) : DB_NO_TEXT,
		.regex_len = m->regex ? m->regex_len : 0,
		.crc = m->crc,
		.container = m->container,
		.encrypted = m->encrypted,
		.has_crc = m->has_crc,
	};
	for (unsigned i = 0; i < DB_MEMBER_RANGES; i++)
		d.range[i] = (struct db_range){m->range[i][0], m->range[i][1]};
	buf_add(&x->member, &d, sizeof d);
}

static void put_password(struct emit *x, const struct ir_password *p)
{
	struct db_password d = {.text = put_text(x, p->text, p->len), .len = p->len,
	                        .container = p->container};
	buf_add(&x->password, &d, sizeof d);
}

st_t emit_members(struct emit *x, struct err *e)
{
	for (const struct ir_member *m = x->set->members; m; m = m->next)
		put_member(x, m);
	for (const struct ir_password *p = x->set->passwords; p; p = p->next)
		put_password(x, p);
	if (x->member_text.len > UINT32_MAX / 2)
		return fail(e, ST_LIMIT, 0, "compiler: too much text of container metadata");
	TRY(buf_check(&x->member, e, "compiler: members"));
	TRY(buf_check(&x->password, e, "compiler: passwords"));
	return buf_check(&x->member_text, e, "compiler: members");
}
