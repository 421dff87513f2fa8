/* Regular expressions, run by PCRE2 (pcre2api(3)).
 *
 * What is looked at, as in clamscan 1.4.6: without an offset, the object. With one, the bytes
 * from that offset on, so that `^` matches there and nothing can look back; the match must start
 * at the offset, or within maxshift behind it, or anywhere behind it if the expression is
 * rolling. With `encompass` the bytes end at offset + maxshift.
 *
 * Hostile expressions and objects: PCRE2's limits bound the work from one start. Starts are tried
 * a window at a time, and the clock is looked at in between (view.deadline_ns). What is given up
 * for a limit is said (view.regex_limited): it is not "no match". */
#include "verify/regex.h"

#include "base/num.h"
#include "db/regex_options.h"
#include "verify/view.h"

#include <stdlib.h>

#define HEAP_LIMIT_KIB 65536u

/* Memory of compiled expressions that is kept; beyond it all are forgotten. */
#define KEEP_BYTES ((size_t)32 << 20)

/* Starts tried before the clock is looked at: slow expressions need milliseconds for each. */
#define WINDOW_FIRST 256u
#define WINDOW_LAST ((size_t)1 << 20)

struct regexes {
	const struct db_view *db;
	pcre2_code **code; /* of each record; NULL: not compiled yet */
	pcre2_match_data *data;
	pcre2_match_context *context;
	size_t kept;
	struct regex_limits limits;
};

st_t regexes_new(const struct db_view *db, struct regexes **ret, struct err *e)
{
	static const struct regex_limits defaults = REGEX_LIMITS_DEFAULT;
	struct regexes *r = calloc(1, sizeof *r);
	if (!r)
		return fail(e, ST_NOMEM, 0, "regular expressions: out of memory");
	r->db = db;
	r->code = calloc(db->nregex + 1, sizeof *r->code);
	r->data = pcre2_match_data_create(1, NULL);
	r->context = pcre2_match_context_create(NULL);
	if (!r->code || !r->data || !r->context) {
		regexes_free(r);
		return fail(e, ST_NOMEM, 0, "regular expressions: out of memory");
	}
	pcre2_set_heap_limit(r->context, HEAP_LIMIT_KIB);
	regexes_limits(r, &defaults);
	*ret = r;
	return ST_OK;
}

static void forget(struct regexes *r)
{
	for (size_t i = 0; r->code && i < r->db->nregex; i++) {
		pcre2_code_free(r->code[i]);
		r->code[i] = NULL;
	}
	r->kept = 0;
}

void regexes_free(struct regexes *r)
{
	if (!r)
		return;
	forget(r);
	free(r->code);
	pcre2_match_data_free(r->data);
	pcre2_match_context_free(r->context);
	free(r);
}

void regexes_limits(struct regexes *r, const struct regex_limits *l)
{
	r->limits = *l;
	pcre2_set_match_limit(r->context, l->match);
	pcre2_set_depth_limit(r->context, l->depth);
}

/* NULL if PCRE2 refuses it: the compiler tried it, but perhaps with another version. */
static pcre2_code *compiled(struct regexes *r, uint32_t i)
{
	const struct db_regex *d = &r->db->regex[i];
	int code;
	PCRE2_SIZE at, size = 0;
	if (r->code[i])
		return r->code[i];
	if (r->kept > KEEP_BYTES)
		forget(r);
	r->code[i] = pcre2_compile(r->db->code + d->text, d->len, db_regex_compile_options(d->options),
	                           &code, &at, NULL);
	/* What cannot become machine code is interpreted. */
	if (r->code[i] && r->limits.jit)
		(void)pcre2_jit_compile(r->code[i], PCRE2_JIT_COMPLETE);
	if (r->code[i] && pcre2_pattern_info(r->code[i], PCRE2_INFO_SIZE, &size) == 0)
		r->kept += size;
	return r->code[i];
}

/* The bytes that an expression is run on, and how far from their start a match may start. */
struct subject {
	const uint8_t *p;
	size_t len, shift;
	uint32_t options;
};

static bool subject_of(const struct view *v, const struct db_pattern *p, const struct db_regex *d,
                       struct subject *ret)
{
	uint64_t at;
	if (!pattern_origin(v, p, &at))
		return false;
	*ret = (struct subject){.p = v->data + at, .len = v->size - (size_t)at, .shift = SIZE_MAX};
	if (p->off_kind == DB_OFF_ANY)
		return true;
	uint64_t shift = pattern_shift(v, p);
	if (shift == 0)
		ret->options = d->options & DB_RE_ROLLING ? 0 : PCRE2_ANCHORED;
	else
		ret->shift = (size_t)shift;
	if (shift > 0 && (d->options & DB_RE_ENCOMPASS))
		ret->len = (size_t)num_min_u64(ret->len, shift);
	return true;
}

/* The first match at or behind `from`: PCRE2's return value. */
static int match_from(struct view *v, pcre2_code *code, const struct subject *s, size_t from)
{
	struct regexes *r = v->regexes;
	size_t window = WINDOW_FIRST;
	for (;;) {
		size_t last = num_min_size(num_min_size(s->len, s->shift), from + window);
		pcre2_set_offset_limit(r->context, last);
		int got = pcre2_match(code, s->p, s->len, from, s->options, r->data, r->context);
		if (got == PCRE2_ERROR_JIT_STACKLIMIT)
			got = pcre2_match(code, s->p, s->len, from, s->options | PCRE2_NO_JIT, r->data,
			                  r->context);
		if (got != PCRE2_ERROR_NOMATCH || last == num_min_size(s->len, s->shift) ||
		    (s->options & PCRE2_ANCHORED))
			return got;
		if (view_clock(v))
			return PCRE2_ERROR_NOMATCH;
		from = last + 1;
		window = num_min_size(window * 2, WINDOW_LAST);
	}
}

static bool gave_up(int got)
{
	return got == PCRE2_ERROR_MATCHLIMIT || got == PCRE2_ERROR_DEPTHLIMIT ||
	       got == PCRE2_ERROR_HEAPLIMIT || got == PCRE2_ERROR_NOMEMORY;
}

static uint64_t count(struct view *v, pcre2_code *code, const struct subject *s, bool global,
                      struct regex_match *ret, size_t room)
{
	const PCRE2_SIZE *o = pcre2_get_ovector_pointer(v->regexes->data);
	uint64_t n = 0;
	size_t from = 0;
	do {
		if (from > s->len || from > s->shift)
			break;
		int got = match_from(v, code, s, from);
		v->regex_limited |= gave_up(got);
		if (got < 0)
			break;
		if (n < room) {
			size_t base = (size_t)(s->p - v->data);
			ret[n] = (struct regex_match){base + o[0], base + o[1]};
		}
		n++;
		/* clamscan hangs on a match of no bytes; here the next one is looked for behind it. */
		from = o[1] > from ? o[1] : from + 1;
	} while (global && !view_tick(v));
	return n;
}

uint64_t regex_count(struct view *v, const struct db_pattern *p)
{
	return regex_matches(v, p, NULL, 0);
}

uint64_t regex_matches(struct view *v, const struct db_pattern *p, struct regex_match *ret,
                       size_t n)
{
	const struct db_regex *d = &v->db->regex[p->part];
	struct subject s;
	if (!subject_of(v, p, d, &s))
		return 0;
	pcre2_code *code = v->size > v->regexes->limits.max_size ? NULL : compiled(v->regexes, p->part);
	if (!code) {
		v->regex_limited = true;
		return 0;
	}
	return count(v, code, &s, d->options & DB_RE_GLOBAL, ret, n);
}
