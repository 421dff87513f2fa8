/* .info: the header again, a line "name:size:sha256" for each member, and a signature over all
 * bytes before it: "DSIG:" and its text. */
#include "cvd/inside.h"

#include <stdlib.h>
#include <string.h>

#define DSIG "DSIG:"

static bool read_row(struct piece line, struct cvd_info_row *ret)
{
	struct piece name, size;
	return piece_cut(&line, ':', &name) && piece_cut(&line, ':', &size) &&
	       piece_name(name, ret->name) && piece_u64(size, &ret->size) &&
	       piece_hex(line, ret->sha256, sizeof ret->sha256);
}

static st_t add_row(struct cvd_info *i, struct piece line, size_t off, struct err *e)
{
	struct cvd_info_row row = {0};
	if (!read_row(line, &row))
		return fail(e, ST_MALFORMED, off, ".info: broken line");
	if (i->n == CVD_MEMBERS_MAX)
		return fail(e, ST_LIMIT, off, ".info: more than %d members", CVD_MEMBERS_MAX);
	if (i->n == i->cap) {
		size_t cap = i->cap ? i->cap * 2 : 64;
		struct cvd_info_row *p = reallocarray(i->rows, cap, sizeof *p);
		if (!p)
			return fail(e, ST_NOMEM, 0, ".info: out of memory");
		i->rows = p;
		i->cap = cap;
	}
	i->rows[i->n++] = row;
	return ST_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cvd_info_row *)a)->name, ((const struct cvd_info_row *)b)->name);
}

static st_t sort_rows(struct cvd_info *i, struct err *e)
{
	if (i->n > 1)
		qsort(i->rows, i->n, sizeof *i->rows, by_name);
	for (size_t k = 1; k < i->n; k++)
		if (!by_name(&i->rows[k - 1], &i->rows[k]))
			return fail(e, ST_MALFORMED, 0, ".info: %s stands there twice", i->rows[k].name);
	return ST_OK;
}

/* The last line, if it is a signature: `text` is everything up to it. Nothing may stand behind. */
static st_t check_dsig(struct piece text, struct piece line, struct piece rest,
                       const struct rsa_key *key, struct cvd_info *ret, struct err *e)
{
	size_t head = sizeof DSIG - 1;
	if (!key || rest.n)
		return fail(e, ST_MALFORMED, text.n, ".info: signature where none belongs");
	TRY(cvd_check_pss(key, line.p + head, line.n - head, text.p, text.n, e));
	ret->is_signed = true;
	return ST_OK;
}

st_t cvd_info_read(const void *p, size_t n, const struct rsa_key *key, struct cvd_info *ret,
                   struct err *e)
{
	struct piece rest = {p, n}, line;
	*ret = (struct cvd_info){0};
	if (n > CVD_INFO_MAX)
		return fail(e, ST_LIMIT, 0, ".info: more than %zu bytes", CVD_INFO_MAX);
	if (!piece_cut(&rest, '\n', &line) ||
	    cvd_header_fields(line, &ret->header, NULL) != ST_OK)
		return fail(e, ST_MALFORMED, 0, ".info: no header");
	while (rest.n) {
		size_t off = n - rest.n;
		(void)piece_cut(&rest, '\n', &line);
		if (line.n >= sizeof DSIG - 1 && !memcmp(line.p, DSIG, sizeof DSIG - 1))
			TRY(check_dsig((struct piece){p, off}, line, rest, key, ret, e));
		else
			TRY(add_row(ret, line, off, e));
	}
	return sort_rows(ret, e);
}

void cvd_info_done(struct cvd_info *i)
{
	free(i->rows);
	*i = (struct cvd_info){0};
}

struct cvd_info_row *cvd_info_find(struct cvd_info *i, const char *name)
{
	struct cvd_info_row key = {0};
	if (!i->n || strlen(name) >= sizeof key.name)
		return NULL;
	memcpy(key.name, name, strlen(name) + 1);
	return bsearch(&key, i->rows, i->n, sizeof *i->rows, by_name);
}
