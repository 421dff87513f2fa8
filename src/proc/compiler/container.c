#include "proc/compiler/container.h"

#include "db/layout.h"
#include "sig/ir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert((int)CVD_SCHEMES == DB_ORIGIN_SCHEMES, "a scheme has a number in the database");

/* .sign files of one container that are looked at: one a version, and only one is the right one. */
#define SIGNS_MAX 64

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool source_says_nothing(const char *name)
{
	static const char *const extensions[] = {"cat", "info", "ioc"};
	const char *dot = strrchr(base_name(name), '.');
	for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
		if (!strcasecmp(dot + 1, extensions[i]))
			return true;
	return false;
}

static st_t grow(struct sources *s, struct err *e)
{
	size_t cap = s->cap ? s->cap * 2 : 64;
	struct sig_source *v = reallocarray(s->v, cap, sizeof *v);
	if (v)
		s->v = v;
	const char **bundled = v ? reallocarray(s->bundled, cap, sizeof *bundled) : NULL;
	if (!bundled)
		return fail(e, ST_NOMEM, 0, "out of memory");
	s->bundled = bundled;
	s->cap = cap;
	return ST_OK;
}

st_t sources_add(struct sources *s, const struct sig_source *src, const char *bundled,
                 struct err *e)
{
	if (s->n == s->cap)
		TRY(grow(s, e));
	s->bundled[s->n] = bundled ? bundled : base_name(src->name);
	s->v[s->n++] = *src;
	return ST_OK;
}

st_t sources_add_roots(struct sources *s, const char *name, const void *p, size_t n, struct err *e)
{
	struct err why = {0};
	if (!s->roots)
		TRY(cms_roots_new(&s->roots, e));
	st_t st = cms_roots_add(s->roots, p, n, &why);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "%.100s: %.120s", name, why.text);
}

static st_t add_member(struct sources *s, const char *container, const struct cvd *c,
                       const struct cvd_member *m, struct ir_set *set, struct err *e)
{
	struct sig_source src = {.text = (const char *)m->p, .len = m->n, .role = SIG_ROLE_MEMBER,
	                         .official = c->scheme != CVD_UNPROVEN};
	char *name;
	if (!strcmp(m->name, "COPYING"))
		return ST_OK;
	if (!sig_known_extension(m->name)) {
		ir_count_inactive(set, "container member of unknown kind");
		return ST_OK;
	}
	if (asprintf(&name, "%s/%s", container, m->name) < 0)
		return fail(e, ST_NOMEM, 0, "out of memory");
	src.name = name;
	return sources_add(s, &src, name + (base_name(container) - container), e);
}

/* The file's name in printable ASCII: a path is the user's, but the database is for everybody. */
static void put_file(const char *path, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s", base_name(path));
	for (char *p = ret; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

static st_t add_origin(const struct sig_source *src, const struct cvd *c, struct ir_set *set,
                       struct err *e)
{
	struct db_origin o = {
	    .stime = c->header.stime,
	    .scheme = c->scheme,
	    .version = c->header.version,
	    .sigs = c->header.sigs,
	    .flevel = c->header.flevel,
	};
	put_file(src->name, o.file, sizeof o.file);
	memcpy(o.time, c->header.time, strlen(c->header.time));
	memcpy(o.builder, c->header.builder, strlen(c->header.builder));
	memcpy(o.signer, c->signer, strlen(c->signer));
	TRY(digest_bytes(DIGEST_SHA256, src->text, src->len, o.sha256, e));
	return ir_add_origin(set, &o, e);
}

#define SIZE(type, field) sizeof(((struct type *)NULL)->field)
_Static_assert(SIZE(cvd_header, time) <= SIZE(db_origin, time) &&
                   SIZE(cvd_header, builder) <= SIZE(db_origin, builder) &&
                   CMS_NAME_MAX <= SIZE(db_origin, signer),
               "texts fit into the record, with NUL");

/* The .sign files that came behind source `at`. */
static size_t signs_of(const struct sources *s, size_t at, struct cvd_file signs[SIGNS_MAX])
{
	size_t n = 0;
	for (size_t i = at + 1; i < s->n && s->v[i].role == SIG_ROLE_PROOF && n < SIGNS_MAX; i++)
		signs[n++] = (struct cvd_file){base_name(s->v[i].name), s->v[i].text, s->v[i].len};
	return n;
}

/* What is opened is kept: its members are read until the process ends. */
static st_t open_one(struct sources *s, size_t at, struct ir_set *set, struct err *e)
{
	struct cvd_file signs[SIGNS_MAX];
	const struct sig_source src = s->v[at];
	struct cvd_input in = {
	    .file = {base_name(src.name), src.text, src.len},
	    .signs = signs,
	    .nsigns = signs_of(s, at, signs),
	    .roots = s->roots,
	    .keys = &cvd_production_keys,
	    .now = s->now,
	};
	struct err why = {0};
	struct cvd c;
	st_t st = cvd_open(&in, &c, &why);
	if (st != ST_OK)
		return fail(e, st, 0, "%.150s: %.100s", src.name, why.text);
	TRY(add_origin(&src, &c, set, e));
	for (size_t i = 0; i < c.nmembers; i++)
		TRY(add_member(s, src.name, &c, &c.members[i], set, e));
	free(c.members);
	return ST_OK;
}

st_t containers_open(struct sources *s, struct ir_set *set, struct err *e)
{
	size_t n = s->n;
	for (size_t i = 0; i < n; i++) {
		if (s->v[i].role != SIG_ROLE_TEXT || cvd_kind_of(base_name(s->v[i].name)) == CVD_KINDS)
			continue;
		s->v[i].role = SIG_ROLE_CONTAINER;
		TRY(open_one(s, i, set, e));
	}
	return ST_OK;
}
