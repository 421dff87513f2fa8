/* Members of containers before they are read: signatures on what the container says of them, and
 * passwords. */
#include "scan/internal.h"

#include <stdlib.h>

struct member_hit {
	struct scanner *s;
	struct object *container;
	struct err *e;
};

/* A finding is one in the container, as in clamscan: its digest, not the member's, may be
 * trusted. */
static st_t on_hit(void *ctx, uint32_t nameref)
{
	struct member_hit *h = ctx;
	return h->s->done ? ST_OK : report_found(h->s, h->container, nameref, h->e);
}

st_t member_report(struct scanner *s, struct object *container, const struct member *m,
                   struct err *e)
{
	struct member_hit h = {.s = s, .container = container, .e = e};
	if (!s->members || !m->has_facts || s->done)
		return ST_OK;
	struct member_facts f = m->facts;
	f.container = container->type;
	f.container_size = container->len;
	return members_match(s->members, &f, on_hit, &h);
}

bool member_names_first(const struct scanner *s, const struct object *container)
{
	return s->members && container->type == FT_ZIP;
}

/* ClamAV knows passwords of two types, and can use them for one. */
static bool is_for_zip(const struct db_password *p)
{
	return p->container == FILETYPES || p->container == FT_ZIP;
}

st_t member_passwords_new(const struct db *db, const char ***ret, struct err *e)
{
	const struct db_view *v = db_view(db);
	size_t n = 0;
	*ret = NULL;
	if (v->npassword == 0)
		return ST_OK;
	const char **list = calloc(v->npassword + 1, sizeof *list);
	if (!list)
		return fail(e, ST_NOMEM, 0, "no memory for passwords");
	for (size_t i = 0; i < v->npassword; i++)
		if (is_for_zip(&v->password[i]))
			list[n++] = v->member_text + v->password[i].text;
	*ret = list;
	return ST_OK;
}

const char *const *member_passwords(const struct scanner *s, const struct object *container)
{
	bool fits = container->type == FT_ZIP && s->zip_passwords && s->zip_passwords[0];
	return fits ? s->zip_passwords : NULL;
}
