/* sigtool --test-sigs: where the body of each signature is in a file, whatever offset, modifiers
 * and condition say.
 *
 * Done in three steps, as text is compiled elsewhere: sigtool_bodies() gives every body a signature
 * of its own, the compiler compiles these, sigtool_try() goes through the text again and searches.
 * A body that is not in the database is one that the compiler refused. */
#include "explain/sigtool.h"

#include "base/num.h"
#include "db/layout.h"
#include "explain/sigtool_walk.h"
#include "verify/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUT(o, text) out_raw(o, text, sizeof text - 1)

/* A sub-signature for those that cannot be alone. */
#define COMPANION "0000"

/* Places of one part that are kept, 16 bytes each; a file with more is refused. */
#define PLACES_MAX ((size_t)1 << 26)

enum kind { PLAIN, REGEX, COMPARE, IMAGE, NOTHING };

static bool has(struct piece p, const char *what)
{
	return memmem(p.p, p.len, what, strlen(what)) != NULL;
}

static bool begins(struct piece p, const char *what)
{
	return p.len >= strlen(what) && !memcmp(p.p, what, strlen(what));
}

static enum kind kind_of(struct piece p)
{
	const uint8_t *slash = memchr(p.p, '/', p.len);
	if (slash && memrchr(p.p, '/', p.len) > (const void *)slash)
		return REGEX;
	if (p.len == 0 || has(p, ":") || begins(p, "$"))
		return NOTHING;
	if (begins(p, "fuzzy_img#"))
		return IMAGE;
	return has(p, "(>>") || has(p, "(<<") ? COMPARE : PLAIN;
}

/* -- bodies for the compiler ---------------------------------------------------------------- */

/* Its trigger is of no matter to sigtool, and without an offset its flags for offsets are not. */
static void put_regex(struct out *o, struct piece p)
{
	const uint8_t *end = p.p + p.len, *from = memchr(p.p, '/', p.len);
	const uint8_t *last = memrchr(p.p, '/', p.len);
	PUT(o, "0");
	out_raw(o, from, (size_t)(last + 1 - from));
	for (const uint8_t *c = last + 1; c < end; c++)
		if (*c != 'r' && *c != 'e')
			out_raw(o, c, 1);
}

/* "LINE.SUB;Target:0;CONDITION;BODY" */
static st_t put_body(void *ctx, struct out *said, const struct sigtool_body *b, struct err *e)
{
	struct out *o = ctx;
	enum kind kind = kind_of(b->text);
	bool alone = kind == PLAIN;
	char head[80];
	(void)said, (void)e;
	if (kind == NOTHING)
		return ST_OK;
	snprintf(head, sizeof head, "%" PRIu32 ".%" PRIu32 ";Target:0;%s;", b->line, b->sub,
	         alone ? "0" : "0&1;" COMPANION);
	out_raw(o, head, strlen(head));
	if (kind == REGEX)
		put_regex(o, b->text);
	else
		out_raw(o, b->text.p, b->text.len);
	PUT(o, "\n");
	return o->st;
}

static st_t forget(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx, (void)p, (void)n, (void)e;
	return ST_OK;
}

st_t sigtool_bodies(struct out *o, const struct explain_object *text, struct err *e)
{
	struct out said = {.write = forget};
	struct err why = {0};
	/* There is always one, so that there is a database; no line has this number. */
	PUT(o, "4294967295.0;Target:0;0;" COMPANION "\n");
	/* A line that ends it does so also in sigtool_try(), which says why. */
	(void)sigtool_walk(&said, text, put_body, o, &why);
	(void)e;
	out_done(&said);
	return o->st;
}

/* -- which signature of the database is which body ------------------------------------------ */

struct key {
	uint64_t id; /* line << 32 | sub-signature */
	uint32_t sig;
};

static uint64_t id_of(const char *name)
{
	char *dot;
	uint64_t line = strtoull(name, &dot, 10);
	return line << 32 | (*dot == '.' ? strtoull(dot + 1, NULL, 10) & UINT32_MAX : 0);
}

static int by_id(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* ret[index of a name] = its body. */
static st_t read_ids(const struct db *db, struct buf *ret, struct err *e)
{
	struct db_names w;
	bool more = true;
	db_names_start(db, &w);
	for (;;) {
		TRY(db_names_next(&w, &more, e));
		if (!more)
			return buf_check(ret, e, "test-sigs");
		uint64_t id = id_of(w.name);
		buf_add(ret, &id, sizeof id);
	}
}

static st_t read_keys(const struct db *db, struct buf *ret, struct err *e)
{
	const struct db_view *v = db_view(db);
	struct buf ids = {0};
	st_t st = read_ids(db, &ids, e);
	for (size_t i = 0; st == ST_OK && i < v->nsig; i++) {
		struct key k = {.sig = (uint32_t)i};
		size_t at = db_sig_nameref(db, (uint32_t)i);
		if (at >= ids.len / sizeof k.id)
			continue;
		memcpy(&k.id, ids.data + at * sizeof k.id, sizeof k.id);
		buf_add(ret, &k, sizeof k);
	}
	buf_done(&ids);
	TRY(st);
	TRY(buf_check(ret, e, "test-sigs"));
	if (ret->len)
		qsort(ret->data, ret->len / sizeof(struct key), sizeof(struct key), by_id);
	return ST_OK;
}

/* -- places --------------------------------------------------------------------------------- */

/* `start` is the match that sigtool tells: of the first part. */
struct place {
	size_t at, start;
};

struct search {
	struct out *o;
	struct view view;
	struct buf keys;
	struct buf ends;   /* struct place[] of the part before: where it ends */
	struct buf second; /* struct place[]: where the second part is */
	struct buf found;  /* size_t[], ascending by place of the last part */
};

static const struct place *places(const struct buf *b, size_t *ret_n)
{
	*ret_n = b->len / sizeof(struct place);
	return (const struct place *)(const void *)b->data;
}

static int by_at(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The number of places before `at`. */
static size_t places_before(const struct buf *b, size_t at)
{
	size_t hi, lo = 0;
	const struct place *p = places(b, &hi);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (p[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* May `part` start at s? *ret is the start of the match then, as the part before has it: of those
 * that fit, the first. */
static bool follows(const struct search *x, const struct db_part *part, size_t s, size_t *ret)
{
	size_t n, low = 0;
	const struct place *p = places(&x->ends, &n);
	if (s < part->gap_min)
		return false;
	if (part->gap_max != UINT32_MAX && s > part->gap_max)
		low = s - part->gap_max;
	size_t i = places_before(&x->ends, low);
	if (i >= n || p[i].at > s - part->gap_min)
		return false;
	*ret = p[i].start;
	return true;
}

/* From the third part on sigtool tells the start that belongs to the last place of the second. */
static size_t start_by_second(const struct search *x, size_t s, size_t other)
{
	size_t n, i = places_before(&x->second, s);
	const struct place *p = places(&x->second, &n);
	return i ? p[i - 1].start : other;
}

static void add_ends(struct buf *to, const struct ends *ends, size_t start)
{
	for (uint32_t i = 0; i <= ends->span; i++) {
		if (!(ends->bit[i / 64] >> (i % 64) & 1))
			continue;
		struct place p = {ends->base + i, start};
		buf_add(to, &p, sizeof p);
	}
}

static void take_place(struct search *x, const struct db_pattern *p, uint32_t k, size_t s,
                       size_t start, const struct ends *ends, struct buf *next)
{
	struct place second = {s, start};
	if (k == 1)
		buf_add(&x->second, &second, sizeof second);
	if (k + 1u < p->nparts)
		add_ends(next, ends, start);
	else
		buf_add(&x->found, &start, sizeof start);
}

/* All places of part k behind those of the part before. */
static st_t search_part(struct search *x, const struct db_pattern *p, uint32_t k, struct err *e)
{
	const struct db_part *part = &x->view.db->part[p->part + k];
	struct buf next = {0};
	struct ends ends;
	size_t s;
	for (size_t from = 0; part_find(&x->view, part, from, x->view.size, &s, &ends); from = s + 1) {
		size_t start = s;
		if (k > 0 && !follows(x, part, s, &start))
			continue;
		if (k > 1)
			start = start_by_second(x, s, start);
		take_place(x, p, k, s, start, &ends, &next);
		if (next.len / sizeof(struct place) > PLACES_MAX ||
		    x->found.len / sizeof(size_t) > PLACES_MAX)
			break;
	}
	buf_done(&x->ends);
	x->ends = next;
	if (next.len / sizeof(struct place) > PLACES_MAX || x->found.len / sizeof(size_t) > PLACES_MAX)
		return fail(e, ST_LIMIT, 0, "testsigs: more than %zu matches", PLACES_MAX);
	if (x->view.over)
		return fail(e, ST_TIMEOUT, 0, "testsigs: the time limit is over");
	TRY(buf_check(&next, e, "test-sigs"));
	if (next.len)
		qsort(x->ends.data, next.len / sizeof(struct place), sizeof(struct place), by_at);
	return ST_OK;
}

static void clear(struct search *x)
{
	buf_done(&x->ends);
	buf_done(&x->second);
	buf_done(&x->found);
}

static st_t search_plain(struct search *x, const struct db_pattern *p, struct err *e)
{
	for (uint32_t k = 0; k < p->nparts; k++)
		TRY(search_part(x, p, k, e));
	TRY(buf_check(&x->second, e, "test-sigs"));
	return buf_check(&x->found, e, "test-sigs");
}

static st_t search_regex(struct search *x, const struct db_pattern *p, struct err *e)
{
	size_t n = (size_t)num_min_u64(regex_matches(&x->view, p, NULL, 0), PLACES_MAX);
	struct regex_match *m = n ? calloc(n, sizeof *m) : NULL;
	if (n && !m)
		return fail(e, ST_NOMEM, 0, "testsigs: out of memory");
	n = n ? (size_t)num_min_u64(regex_matches(&x->view, p, m, n), n) : 0;
	for (size_t i = 0; i < n; i++)
		buf_add(&x->found, &m[i].start, sizeof m[i].start);
	free(m);
	return buf_check(&x->found, e, "test-sigs");
}

/* -- answers -------------------------------------------------------------------------------- */

/* The last match first. */
static void put_found(struct search *x, bool anywhere)
{
	char text[80];
	size_t n = x->found.len / sizeof(size_t);
	const size_t *at = (const size_t *)(const void *)x->found.data;
	if (n == 0) {
		PUT(x->o, "MATCH: ** NO **\n");
		return;
	}
	snprintf(text, sizeof text, "MATCH: ** %s ** (%zu match%s at offset%s:",
	         anywhere ? "YES" : "YES/CHECK OFFSET", n, n == 1 ? "" : "es", n == 1 ? "" : "s");
	out_raw(x->o, text, strlen(text));
	for (size_t i = n; i > 0; i--) {
		snprintf(text, sizeof text, " %zu", at[i - 1]);
		out_raw(x->o, text, strlen(text));
	}
	PUT(x->o, ")\n");
}

/* sigtool does not look what a byte comparison or a hash of pictures says: the former is found at
 * the start of every file, the latter never. */
static st_t search_sig(struct search *x, enum kind kind, uint32_t sig, struct err *e)
{
	const struct db_sig *s = &x->view.db->sig[sig];
	size_t start = 0;
	if (kind == COMPARE)
		buf_add(&x->found, &start, sizeof start);
	for (uint32_t i = 0; i < s->npatterns; i++) {
		const struct db_pattern *p = &x->view.db->pattern[s->pattern + i];
		if (kind == REGEX && (p->flags & DB_PAT_REGEX))
			return search_regex(x, p, e);
		if (kind == PLAIN && !(p->flags & DB_PAT_OTHER))
			return search_plain(x, p, e);
	}
	return buf_check(&x->found, e, "test-sigs");
}

static st_t try_body(void *ctx, struct out *o, const struct sigtool_body *b, struct err *e)
{
	struct search *x = ctx;
	enum kind kind = kind_of(b->text);
	struct key asked = {.id = (uint64_t)b->line << 32 | b->sub};
	if (b->logical)
		PUT(o, " +-> SUBSIG: ");
	else
		PUT(o, "SUBSIG: ");
	out_raw(o, b->text.p, b->text.len);
	PUT(o, "\n");
	const struct key *k = x->keys.len ? bsearch(&asked, x->keys.data, x->keys.len / sizeof asked,
	                                            sizeof asked, by_id)
	                                  : NULL;
	if (!k && kind == REGEX)
		PUT(o, SIGTOOL_FAULT "matchsig: Can't compile engine\n");
	else if (!k)
		PUT(o, SIGTOOL_FAULT "matchsig: Can't parse signature\n");
	if (!k || x->view.size == 0)
		return o->st;
	st_t st = search_sig(x, kind, k->sig, e);
	if (st == ST_OK)
		put_found(x, b->anywhere);
	clear(x);
	return st == ST_OK ? o->st : st;
}

st_t sigtool_try(struct out *o, const struct db *db, const struct explain_object *text,
                 const struct explain_object *file, struct err *e)
{
	static const struct object_facts no_facts;
	struct regexes *regexes = NULL;
	struct search x = {.o = o};
	st_t st = regexes_new(db_view(db), &regexes, e);
	x.view = (struct view){.db = db_view(db), .data = file->data, .size = file->len,
	                       .facts = &no_facts, .regexes = regexes, .find = find_literal,
	                       .deadline_ns = file->deadline_ns, .trace = {.part = NO_TRACE}};
	if (st == ST_OK)
		st = read_keys(db, &x.keys, e);
	if (st == ST_OK)
		st = sigtool_walk(o, text, try_body, &x, e);
	buf_done(&x.keys);
	regexes_free(regexes);
	return st;
}
