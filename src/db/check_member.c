/* The complete check of what is said about members of containers, and of passwords. */
#include "db/view.h"

#include "db/filetypes.h"

/* Text and its NUL lie in the section. */
static bool has_text(const struct db_view *v, uint32_t off, uint32_t len)
{
	uint64_t end = (uint64_t)off + len;
	return end < v->nmember_text && v->member_text[end] == '\0';
}

static st_t check_member(const struct db_view *v, size_t i, uint64_t *text, struct err *e)
{
	const struct db_member *m = &v->member[i];
	bool any_name = m->regex == DB_NO_TEXT && m->regex_len == 0;
	if ((m->nameref & DB_NAMEREF_INDEX) >= v->meta->nnames || m->container > FILETYPES ||
	    m->encrypted > DB_MEMBER_ANY || m->has_crc > 1)
		return fail(e, ST_MALFORMED, i, "member %zu: broken record", i);
	if (!any_name && !has_text(v, m->regex, m->regex_len))
		return fail(e, ST_MALFORMED, i, "member %zu: expression outside", i);
	*text += any_name ? 0 : (uint64_t)m->regex_len + 1;
	return ST_OK;
}

static st_t check_password(const struct db_view *v, size_t i, uint64_t *text, struct err *e)
{
	const struct db_password *p = &v->password[i];
	if (p->container > FILETYPES || !has_text(v, p->text, p->len))
		return fail(e, ST_MALFORMED, i, "password %zu: broken record", i);
	*text += (uint64_t)p->len + 1;
	return ST_OK;
}

st_t db_check_members(const struct db_view *v, struct err *e)
{
	uint64_t text = 0;
	for (size_t i = 0; i < v->nmember; i++)
		TRY(check_member(v, i, &text, e));
	for (size_t i = 0; i < v->npassword; i++)
		TRY(check_password(v, i, &text, e));
	/* As for code: what is compiled at the start is no more than the file. */
	if (text > v->nmember_text)
		return fail(e, ST_MALFORMED, 0, "expressions or passwords are shared");
	return ST_OK;
}
