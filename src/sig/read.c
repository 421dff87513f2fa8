/* Sources of signatures: what a file is by its extension, its lines, and what becomes of a line
 * that is refused. */
#include "sig/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ClamAV reads lines into buffers of these sizes; a longer line falls apart there. */
#define LINE_BUF 8192
#define LINE_BUF_LOGICAL 32769

/* How lines of a format are read. */
enum format_kind {
	FMT_LINES,    /* `line` takes each */
	FMT_WHOLE,    /* the file as a whole is not active; `line`, if there is one, takes it */
};

enum format_flags {
	FMT_PUA = 1,        /* only with --detect-pua */
	FMT_IGNORE = 2,     /* an ignore list: read before everything else */
	FMT_BLANK = 4,      /* blank lines are passed over in clamscan too */
	FMT_EMPTY = 8,      /* and so are empty files */
	FMT_SOMETHING = 16, /* a file without a line for this level is refused in clamscan */
};

struct format {
	const char *ext;
	enum format_kind kind;
	st_t (*line)(struct sig_reader *r, struct str line);
	enum ir_hash_use use;
	unsigned flags;       /* enum format_flags */
	const char *inactive; /* FMT_WHOLE: what it is */
};

#define HASHES(ext_, use_, flags_) {ext_, FMT_LINES, sig_line_hash, use_, flags_, NULL}
#define LINES(ext_, line_, flags_) {ext_, FMT_LINES, line_, IR_HASH_FILE, flags_, NULL}
#define WHOLE(ext_, what_) {ext_, FMT_WHOLE, NULL, IR_HASH_FILE, 0, what_}
#define LENIENT (FMT_BLANK | FMT_EMPTY)

static const struct format FORMATS[] = {
	HASHES("hdb", IR_HASH_FILE, 0),
	HASHES("hsb", IR_HASH_FILE, 0),
	HASHES("hdu", IR_HASH_FILE, FMT_PUA),
	HASHES("hsu", IR_HASH_FILE, FMT_PUA),
	HASHES("mdb", IR_HASH_SECTION, 0),
	HASHES("msb", IR_HASH_SECTION, 0),
	HASHES("mdu", IR_HASH_SECTION, FMT_PUA),
	HASHES("msu", IR_HASH_SECTION, FMT_PUA),
	HASHES("fp", IR_HASH_TRUST, 0),
	HASHES("sfp", IR_HASH_TRUST, 0),
	HASHES("imp", IR_HASH_IMPORT, 0),
	LINES("ndb", sig_line_ndb, 0),
	LINES("ndu", sig_line_ndb, FMT_PUA),
	LINES("sdb", sig_line_ndb, 0),
	LINES("ldb", sig_line_ldb, 0),
	LINES("ldu", sig_line_ldb, FMT_PUA),
	LINES("db", sig_line_db, 0),
	LINES("ign", sig_line_ign, FMT_IGNORE | FMT_EMPTY),
	LINES("ign2", sig_line_ign, FMT_IGNORE | FMT_EMPTY),
	LINES("ftm", sig_line_ftm, FMT_SOMETHING),
	LINES("cfg", sig_line_cfg, LENIENT),
	LINES("idb", sig_line_idb, 0),
	LINES("crb", sig_line_crb, LENIENT),
	LINES("pdb", sig_line_pdb, LENIENT),
	LINES("gdb", sig_line_gdb, LENIENT),
	LINES("wdb", sig_line_wdb, LENIENT),
	LINES("cdb", sig_line_cdb, 0),
	LINES("zmd", sig_line_zmd, 0),
	LINES("rmd", sig_line_rmd, 0),
	LINES("pwdb", sig_line_pwdb, 0),
	{"cbc", FMT_WHOLE, sig_file_cbc, IR_HASH_FILE, 0, NULL},
	WHOLE("cat", "certificate catalogue (.cat)"),
	WHOLE("yar", "YARA file (.yar .yara)"),
	WHOLE("yara", "YARA file (.yar .yara)"),
	WHOLE("ioc", "indicator file (.ioc)"),
	WHOLE("info", "container description (.info)"),
	WHOLE("cvd", "container in a container"),
	WHOLE("cld", "container in a container"),
	WHOLE("cud", "container in a container"),
};

#define PUA_INACTIVE "potentially unwanted application"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const struct format *format_of(const char *name)
{
	const char *dot = strrchr(base_name(name), '.');
	for (size_t i = 0; dot && i < sizeof FORMATS / sizeof *FORMATS; i++) {
		if (!strcasecmp(dot + 1, FORMATS[i].ext))
			return &FORMATS[i];
	}
	return NULL;
}

bool sig_known_extension(const char *name)
{
	return format_of(name) != NULL;
}

/* A line that is refused: the set in strict mode, else only the line. */
static st_t refuse(struct sig_reader *r, const struct sig_source *src, uint32_t line)
{
	if (r->opts->strict || r->opts->clamav)
		return fail(r->e, ST_MALFORMED, 0, "%s:%u: %s", src->name, line, r->why);
	if (ir_add_skipped(r->set, src->name, line, r->why) != ST_OK)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	return ST_OK;
}

static st_t read_line(struct sig_reader *r, const struct format *f, struct str line, size_t room)
{
	if (!line.n) {
		bool strict = (r->opts->strict || r->opts->clamav) && !(f->flags & FMT_BLANK);
		return strict ? sig_bad(r, "blank line") : ST_OK;
	}
	if (line.p[0] == '#')
		return ST_OK;
	if ((f->flags & FMT_PUA) && !r->opts->pua) {
		ir_count_inactive(r->set, PUA_INACTIVE);
		return ST_OK;
	}
	if (line.n > room)
		return sig_bad(r, "line is longer than %zu bytes", room);
	r->line = line;
	return f->line(r, line);
}

/* Takes the next line off `rest`: without its end and what stands behind a NUL. *ret_room: the most
 * bytes it may have. */
static struct str next_line(struct str *rest, size_t buf, size_t *ret_room)
{
	struct str line;
	bool ended = str_cut(*rest, '\n', &line, rest);
	*ret_room = buf - 1 - ended;
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	const char *nul = line.n ? memchr(line.p, '\0', line.n) : NULL;
	if (nul)
		line.n = (size_t)(nul - line.p);
	return line;
}

static st_t read_lines(struct sig_reader *r, const struct format *f, const struct sig_source *src)
{
	struct str rest = {src->text, src->len};
	size_t buf = f->line == sig_line_ldb ? LINE_BUF_LOGICAL : LINE_BUF;
	for (uint32_t n = 1; rest.n; n++) {
		size_t room;
		struct str line = next_line(&rest, buf, &room);
		st_t st = read_line(r, f, line, room);
		if (st == ST_MALFORMED)
			st = refuse(r, src, n);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

static st_t read_whole(struct sig_reader *r, const struct format *f, const struct sig_source *src)
{
	if (f->line)
		return f->line(r, (struct str){src->text, src->len});
	ir_count_inactive(r->set, f->inactive);
	return ST_OK;
}

st_t sig_read(struct ir_set *set, const struct sig_source *src, const struct sig_opts *opts,
              struct err *e)
{
	const struct format *f = format_of(src->name);
	if (!f)
		return fail(e, ST_UNSUPPORTED, 0, "%s: unknown kind of signature file", src->name);
	bool pua = f->flags & FMT_PUA, unread = pua && !opts->pua;
	struct sig_reader r = {.set = set, .opts = opts, .e = e, .use = f->use,
	                       .flags = (pua ? IR_SIG_PUA : 0) |
	                                (src->official ? IR_SIG_OFFICIAL : 0)};
	if (f->kind == FMT_WHOLE)
		return read_whole(&r, f, src);
	bool strict = opts->strict || opts->clamav;
	if (!src->len && strict && !unread && !(f->flags & FMT_EMPTY))
		return fail(e, ST_MALFORMED, 0, "%s:1: empty file", src->name);
	st_t st = read_lines(&r, f, src);
	if (st == ST_OK && strict && (f->flags & FMT_SOMETHING) && !r.took)
		st = fail(e, ST_MALFORMED, 0, "%s:1: no definition for this level", src->name);
	free(r.elems.v);
	free(r.scratch);
	return st;
}

static bool is_ignore_list(const struct sig_source *s)
{
	const struct format *f = format_of(s->name);
	return f && (f->flags & FMT_IGNORE);
}

/* Canonical order: ignore lists first, then base name, content, name as given. */
static int source_cmp(const void *pa, const void *pb)
{
	const struct sig_source *a = *(const struct sig_source *const *)pa;
	const struct sig_source *b = *(const struct sig_source *const *)pb;
	int c = is_ignore_list(b) - is_ignore_list(a);
	if (c)
		return c;
	c = strcmp(base_name(a->name), base_name(b->name));
	if (c)
		return c;
	size_t n = a->len < b->len ? a->len : b->len;
	c = n ? memcmp(a->text, b->text, n) : 0;
	if (c)
		return c;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->official != b->official)
		return a->official ? -1 : 1;
	return strcmp(a->name, b->name);
}

st_t sig_read_all(struct ir_set *set, const struct sig_source *srcs, size_t n,
                  const struct sig_opts *opts, struct err *e)
{
	const struct sig_source **sorted = calloc(n + 1, sizeof *sorted);
	if (!sorted)
		return fail(e, ST_NOMEM, 0, "out of memory for signatures");
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (srcs[i].role == SIG_ROLE_TEXT || srcs[i].role == SIG_ROLE_MEMBER)
			sorted[k++] = &srcs[i];
	qsort(sorted, k, sizeof *sorted, source_cmp);
	st_t st = ST_OK;
	for (size_t i = 0; i < k && st == ST_OK; i++)
		st = sig_read(set, sorted[i], opts, e);
	free(sorted);
	return st;
}
