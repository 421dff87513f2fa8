/* .cdiff: a signed script that edits the members of an unpacked container.
 *   "ClamAV-Diff:" version ":" length ":" gzip(script) ":" signature of all before this colon
 * Commands, one a line; lines of a file are counted from 1 before any edit of the same OPEN:
 *   OPEN file        CLOSE (applies the edits since OPEN)       UNLINK file
 *   ADD line         DEL n old          XCHG n old line         MOVE from to n old m old
 * `old` is how the line must begin: an edit of another state of the file is refused. */
#include "cvd/inside.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "ClamAV-Diff:"

/* Longest text of a signature with the line end behind it. */
#define DSIG_MAX 700

/* Commands that cost a pass over a file, in one script. */
#define PASSES_MAX 4096

/* -- the file --------------------------------------------------------------------------------- */

static bool split(struct piece all, struct piece *ret_signed, struct piece *ret_dsig)
{
	size_t at = all.n;
	while (at > 0 && all.n - at < DSIG_MAX && all.p[at - 1] != ':')
		at--;
	if (!at || all.p[at - 1] != ':')
		return false;
	*ret_signed = (struct piece){all.p, at - 1};
	*ret_dsig = (struct piece){all.p + at, all.n - at};
	while (ret_dsig->n && ret_dsig->p[ret_dsig->n - 1] == '\n')
		ret_dsig->n--;
	return true;
}

st_t cvd_cdiff_open(const void *p, size_t n, const struct rsa_key *key, struct cvd_cdiff *ret,
                    struct err *e)
{
	struct piece text, dsig, f;
	uint64_t length; /* signed like all the rest; gzip tells its own */
	*ret = (struct cvd_cdiff){0};
	struct rd r = rd_make(p, n);
	if (!rd_peek(&r, MAGIC, sizeof MAGIC - 1) || !split((struct piece){p, n}, &text, &dsig))
		return fail(e, ST_UNSUPPORTED, 0, "not a .cdiff");
	TRY(cvd_check_pss(key, dsig.p, dsig.n, text.p, text.n, e));
	(void)piece_cut(&text, ':', &f);
	if (!piece_cut(&text, ':', &f) || !piece_u32(f, &ret->version) ||
	    !piece_cut(&text, ':', &f) || !piece_u64(f, &length))
		return fail(e, ST_MALFORMED, 0, ".cdiff: broken header");
	return cvd_gunzip(text.p, text.n, &ret->script, e);
}

void cvd_cdiff_done(struct cvd_cdiff *d)
{
	buf_done(&d->script);
	*d = (struct cvd_cdiff){0};
}

/* -- the tree --------------------------------------------------------------------------------- */

void cvd_tree_done(struct cvd_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_done(&t->files[i].text);
	free(t->files);
	*t = (struct cvd_tree){0};
}

static struct cvd_tree_file *tree_find(struct cvd_tree *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->files[i].name, name))
			return &t->files[i];
	return NULL;
}

/* The index of a file, made where missing. */
static st_t tree_open(struct cvd_tree *t, const char *name, size_t *ret, struct err *e)
{
	struct cvd_tree_file *f = tree_find(t, name);
	if (f) {
		*ret = (size_t)(f - t->files);
		return ST_OK;
	}
	if (t->n == CVD_MEMBERS_MAX)
		return fail(e, ST_LIMIT, 0, ".cdiff: more than %d files", CVD_MEMBERS_MAX);
	f = reallocarray(t->files, t->n + 1, sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, ".cdiff: out of memory");
	t->files = f;
	f[t->n] = (struct cvd_tree_file){0};
	memcpy(f[t->n].name, name, strlen(name) + 1);
	*ret = t->n++;
	return ST_OK;
}

static st_t tree_unlink(struct cvd_tree *t, const char *name, struct err *e)
{
	struct cvd_tree_file *f = tree_find(t, name);
	if (!f)
		return fail(e, ST_MALFORMED, 0, ".cdiff: no file %s", name);
	buf_done(&f->text);
	*f = t->files[--t->n];
	return ST_OK;
}

/* -- the script ------------------------------------------------------------------------------- */

struct edit {
	uint32_t line;
	bool replaced;
	struct piece old, new;
};

struct run {
	struct cvd_tree *tree;
	bool open;
	size_t file; /* the open one */
	struct edit *edits;
	size_t nedits, cap;
	struct buf added;
	uint32_t passes;
	uint32_t line; /* of the script */
};

#define BAD(x, ...) fail(e, ST_MALFORMED, (x)->line, ".cdiff: " __VA_ARGS__)

static bool begins(struct piece line, struct piece old)
{
	return line.n >= old.n && !memcmp(line.p, old.p, old.n);
}

static void add_line(struct buf *b, struct piece line)
{
	buf_add(b, line.p, line.n);
	buf_u8(b, '\n');
}

static st_t add_edit(struct run *x, struct piece rest, bool replaced, struct err *e)
{
	struct edit ed = {.replaced = replaced};
	struct piece n;
	bool more = piece_cut(&rest, ' ', &n);
	if (!x->open || !more || !piece_u32(n, &ed.line) || !ed.line)
		return BAD(x, "broken edit");
	ed.old = rest;
	if (replaced && !piece_cut(&rest, ' ', &ed.old))
		return BAD(x, "broken edit");
	ed.new = rest;
	if (x->nedits == x->cap) {
		size_t cap = x->cap ? x->cap * 2 : 64;
		struct edit *p = reallocarray(x->edits, cap, sizeof *p);
		if (!p)
			return fail(e, ST_NOMEM, 0, ".cdiff: out of memory");
		x->edits = p;
		x->cap = cap;
	}
	x->edits[x->nedits++] = ed;
	return ST_OK;
}

static int by_line(const void *a, const void *b)
{
	uint32_t x = ((const struct edit *)a)->line, y = ((const struct edit *)b)->line;
	return (x > y) - (x < y);
}

/* One pass over the file: edits in order of their lines, each line at most once. */
static st_t apply_edits(struct run *x, struct piece rest, struct buf *out, struct err *e)
{
	size_t k = 0;
	for (uint32_t n = 1; rest.n; n++) {
		struct piece line;
		(void)piece_cut(&rest, '\n', &line);
		bool hit = k < x->nedits && x->edits[k].line == n;
		if (!hit) {
			add_line(out, line);
			continue;
		}
		const struct edit *ed = &x->edits[k++];
		if (!begins(line, ed->old))
			return BAD(x, "line %u of the file is another", n);
		if (ed->replaced)
			add_line(out, ed->new);
	}
	return k == x->nedits ? ST_OK : BAD(x, "line %u edited twice or not there", x->edits[k].line);
}

static st_t close_file(struct run *x, struct err *e)
{
	if (!x->open)
		return BAD(x, "CLOSE without OPEN");
	struct buf *text = &x->tree->files[x->file].text, out = {0};
	if (x->nedits)
		qsort(x->edits, x->nedits, sizeof *x->edits, by_line);
	st_t st = apply_edits(x, (struct piece){(const char *)text->data, text->len}, &out, e);
	buf_add(&out, x->added.data, x->added.len);
	if (st == ST_OK)
		st = buf_check(&out, e, ".cdiff");
	if (st == ST_OK && out.len > CVD_UNPACKED_MAX)
		st = fail(e, ST_LIMIT, 0, ".cdiff: file of more than %zu bytes", CVD_UNPACKED_MAX);
	if (st != ST_OK) {
		buf_done(&out);
		return st;
	}
	buf_done(text);
	*text = out;
	x->open = false;
	x->nedits = 0;
	x->added.len = 0;
	return ST_OK;
}

static st_t count_pass(struct run *x, struct err *e)
{
	return ++x->passes > PASSES_MAX ? fail(e, ST_LIMIT, x->line, ".cdiff: too many commands")
	                                : ST_OK;
}

struct move {
	char from[CVD_NAME_MAX], to[CVD_NAME_MAX];
	uint32_t first, last;
	struct piece first_old, last_old;
};

static bool read_move(struct piece rest, struct move *ret)
{
	struct piece from, to, first, last;
	bool whole = piece_cut(&rest, ' ', &from) && piece_cut(&rest, ' ', &to) &&
	       piece_cut(&rest, ' ', &first) && piece_cut(&rest, ' ', &ret->first_old) &&
	       piece_cut(&rest, ' ', &last) && piece_name(from, ret->from) &&
	       piece_name(to, ret->to) && piece_u32(first, &ret->first) &&
	       piece_u32(last, &ret->last);
	ret->last_old = rest;
	return whole && ret->first && ret->first <= ret->last && strcmp(ret->from, ret->to);
}

/* Splits the lines of `rest` between what stays and what moves. */
static st_t split_lines(struct run *x, const struct move *m, struct piece rest, struct buf *keep,
                        struct buf *moved, struct err *e)
{
	uint32_t n = 1;
	for (; rest.n; n++) {
		struct piece line;
		(void)piece_cut(&rest, '\n', &line);
		if ((n == m->first && !begins(line, m->first_old)) ||
		    (n == m->last && !begins(line, m->last_old)))
			return BAD(x, "line %u of %s is another", n, m->from);
		add_line(n < m->first || n > m->last ? keep : moved, line);
	}
	return n > m->last ? buf_check(keep, e, ".cdiff")
	                   : BAD(x, "%s has no line %u", m->from, m->last);
}

static st_t move_lines(struct run *x, struct piece rest, struct err *e)
{
	struct move m;
	size_t to;
	if (x->open || !read_move(rest, &m) || !tree_find(x->tree, m.from))
		return BAD(x, "broken MOVE");
	TRY(count_pass(x, e));
	TRY(tree_open(x->tree, m.to, &to, e));
	struct buf *src = &tree_find(x->tree, m.from)->text, *dst = &x->tree->files[to].text;
	struct buf keep = {0};
	st_t st = split_lines(x, &m, (struct piece){(const char *)src->data, src->len}, &keep, dst, e);
	if (st == ST_OK)
		st = buf_check(dst, e, ".cdiff");
	if (st == ST_OK && dst->len > CVD_UNPACKED_MAX)
		st = fail(e, ST_LIMIT, 0, ".cdiff: file of more than %zu bytes", CVD_UNPACKED_MAX);
	if (st != ST_OK) {
		buf_done(&keep);
		return st;
	}
	buf_done(src);
	*src = keep;
	return ST_OK;
}

static st_t open_file(struct run *x, struct piece rest, struct err *e)
{
	char name[CVD_NAME_MAX];
	if (x->open || !piece_name(rest, name))
		return BAD(x, "broken OPEN");
	TRY(count_pass(x, e));
	TRY(tree_open(x->tree, name, &x->file, e));
	x->open = true;
	return ST_OK;
}

static st_t unlink_file(struct run *x, struct piece rest, struct err *e)
{
	char name[CVD_NAME_MAX];
	if (x->open || !piece_name(rest, name))
		return BAD(x, "broken UNLINK");
	return tree_unlink(x->tree, name, e);
}

static bool word(struct piece s, const char *t)
{
	return s.n == strlen(t) && !memcmp(s.p, t, s.n);
}

static st_t command(struct run *x, struct piece line, struct err *e)
{
	struct piece verb;
	(void)piece_cut(&line, ' ', &verb);
	if (word(verb, "OPEN"))
		return open_file(x, line, e);
	if (word(verb, "CLOSE"))
		return close_file(x, e);
	if (word(verb, "DEL") || word(verb, "XCHG"))
		return add_edit(x, line, verb.n == 4, e);
	if (word(verb, "MOVE"))
		return move_lines(x, line, e);
	if (word(verb, "UNLINK"))
		return unlink_file(x, line, e);
	if (!word(verb, "ADD") || !x->open)
		return BAD(x, "command out of place");
	add_line(&x->added, line);
	return buf_check(&x->added, e, ".cdiff");
}

st_t cvd_cdiff_apply(const char *script, size_t n, struct cvd_tree *t, struct err *e)
{
	struct run x = {.tree = t};
	struct piece rest = {script, n}, line;
	st_t st = ST_OK;
	while (st == ST_OK && rest.n) {
		x.line++;
		(void)piece_cut(&rest, '\n', &line);
		st = command(&x, line, e);
	}
	if (st == ST_OK && x.open)
		st = fail(e, ST_MALFORMED, x.line, ".cdiff: ends before CLOSE");
	free(x.edits);
	buf_done(&x.added);
	return st;
}
