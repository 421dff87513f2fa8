#include "proc/compiler/bundle.h"

#include "pack/source.h"
#include "pack/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool bundle_is(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && !strcasecmp(dot, ".tar");
}

static bool is_official(const char *member)
{
	char folder[TAR_NAME_MAX + 1];
	const char *slash = strchr(member, '/');
	if (!slash)
		return false;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - member), member);
	enum cvd_kind kind = cvd_kind_of(folder);
	return kind == CVD_PUBLISHED || kind == CVD_LOCAL;
}

/* "one folder deep at most", and only what the compiler reads. */
static st_t check_name(const char *name, struct err *e)
{
	const char *slash = strchr(name, '/');
	if (slash && strchr(slash + 1, '/'))
		return fail(e, ST_MALFORMED, 0, "source bundle: %.160s lies deeper than one folder", name);
	if (cvd_kind_of(name) != CVD_KINDS)
		return fail(e, ST_UNSUPPORTED, 0, "source bundle: %.160s is a container", name);
	if (!sig_known_extension(name))
		return fail(e, ST_UNSUPPORTED, 0, "source bundle: %.160s is no signature file", name);
	return ST_OK;
}

static st_t add_member(struct sources *s, const struct sig_source *src, const struct tar_member *m,
                       struct err *e)
{
	char *name;
	struct rd all = rd_make(src->text, src->len);
	struct rd text = rd_at(&all, m->off, m->size);
	TRY(rd_check(&text, e, "source bundle"));
	TRY(check_name(m->name, e));
	if (source_says_nothing(m->name))
		return ST_OK;
	if (asprintf(&name, "%s/%s", src->name, m->name) < 0)
		return fail(e, ST_NOMEM, 0, "out of memory");
	const struct sig_source one = {.name = name,
	                               .text = (const char *)text.base,
	                               .len = text.len,
	                               .role = SIG_ROLE_TEXT,
	                               .official = is_official(m->name)};
	return sources_add(s, &one, name + strlen(src->name) + 1, e);
}

static st_t add_members(struct sources *s, const struct sig_source *src, int fd, struct err *e)
{
	struct tar_reader t = {.fd = fd, .size = src->len};
	for (;;) {
		struct tar_member m;
		bool more;
		TRY(tar_reader_next(&t, false, &m, &more, e));
		if (!more)
			return ST_OK;
		TRY(add_member(s, src, &m, e));
	}
}

st_t bundle_open(struct sources *s, const struct sig_source *src, int fd, struct err *e)
{
	struct err why = {0};
	st_t st = add_members(s, src, fd, &why);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%.100s: %.150s", src->name, why.text);
}

static bool is_bundled(const struct sources *s, size_t i)
{
	enum sig_role role = s->v[i].role;
	return (role == SIG_ROLE_TEXT || role == SIG_ROLE_MEMBER) &&
	       !source_says_nothing(s->bundled[i]);
}

st_t bundle_write(const struct sources *s, int out_fd, uint64_t *ret_size, struct err *e)
{
	struct source_file *v = calloc(s->n + 1, sizeof *v);
	size_t n = 0;
	if (!v)
		return fail(e, ST_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < s->n; i++)
		if (is_bundled(s, i))
			v[n++] = (struct source_file){s->bundled[i], rd_make(s->v[i].text, s->v[i].len)};
	st_t st = source_bundle_write(v, n, out_fd, ret_size, e);
	free(v);
	return st;
}
