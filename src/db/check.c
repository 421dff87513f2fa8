/* The complete check of what the engine steers by. One function per record; a range is always
 * checked as (first, count) against the section's record count, in 64 bits. */
#include "db/view.h"

#include "db/filetypes.h"
#include "db/gram.h"

static bool in_range(uint64_t first, uint64_t n, uint64_t total)
{
	return first <= total && n <= total - first;
}

#define OFFSET_MAX (INT64_C(1) << 62)

#define REFUSE(...) return fail(e, ST_MALFORMED, i, __VA_ARGS__)

/* Values on the stack after a node, or -1 for a node that cannot be. */
static int cond_depth(uint32_t npatterns, const struct db_cond *c, int depth)
{
	switch (c->op) {
	case DB_COND_ID:
		return in_range(c->a, c->b, npatterns) && c->b > 0 ? depth + 1 : -1;
	case DB_COND_AND:
	case DB_COND_OR:
		return c->a > 0 && c->a <= (uint32_t)depth ? depth - (int)c->a + 1 : -1;
	case DB_COND_EQ:
	case DB_COND_GT:
	case DB_COND_LT:
		return depth > 0 ? depth : -1;
	case DB_COND_FILESIZE:
	case DB_COND_EP:
	case DB_COND_SECTIONS:
	case DB_COND_ROOT:
		return depth + 1;
	case DB_COND_LAYER:
		return c->b > 0 && c->b <= DB_LAYERS_MAX ? depth + 1 : -1;
	default:
		return -1;
	}
}

/* A program of n nodes from `first` over the first `npatterns` patterns of signature i. */
static st_t check_cond(const struct db_view *v, uint32_t first, uint32_t n, uint32_t npatterns,
                       size_t i, struct err *e)
{
	if (n > DB_CONDS_MAX || !in_range(first, n, v->ncond))
		REFUSE("signature %zu: condition too long", i);
	int depth = 0;
	for (uint32_t k = 0; k < n; k++) {
		depth = cond_depth(npatterns, &v->cond[first + k], depth);
		if (depth < 0 || depth > DB_COND_STACK)
			REFUSE("signature %zu: broken condition", i);
	}
	if (depth != 1)
		REFUSE("signature %zu: condition without a value", i);
	return ST_OK;
}

static st_t check_sig(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_sig *s = &v->sig[i];
	if ((s->nameref & DB_NAMEREF_INDEX) >= v->meta->nnames || s->target >= DB_TARGETS ||
	    s->handler > FILETYPES)
		REFUSE("signature %zu: broken record", i);
	if (!in_range(s->pattern, s->npatterns, v->npattern) || !in_range(s->cond, s->ncond, v->ncond))
		REFUSE("signature %zu: patterns or condition outside", i);
	if (s->flags & DB_SIG_SIMPLE)
		return s->npatterns == 1 && s->ncond == 0 && !(v->pattern[s->pattern].flags & DB_PAT_OTHER)
		           ? ST_OK
		           : fail(e, ST_MALFORMED, i, "signature %zu: not simple", i);
	TRY(check_cond(v, s->cond, s->ncond, s->npatterns, i, e));
	/* Its gates stand in front of an AND of at least two. */
	const struct db_cond *last = &v->cond[s->cond + s->ncond - 1];
	if ((s->flags & DB_SIG_GATED) && (last->op != DB_COND_AND || last->a < 2))
		REFUSE("signature %zu: no gates", i);
	return ST_OK;
}

/* The record that a pattern without parts stands for says the same of the pattern. */
static st_t check_other(const struct db_view *v, const struct db_pattern *p, size_t i,
                        struct err *e)
{
	bool ok = p->nparts == 0 && p->min_len == 0;
	if (p->flags == DB_PAT_REGEX)
		ok = ok && p->part < v->nregex && v->regex[p->part].pattern == i;
	else if (p->flags == DB_PAT_COMPARE)
		ok = ok && p->part < v->ncompare && v->compare[p->part].pattern == i;
	else if (p->flags == DB_PAT_IMAGE)
		ok = ok && p->part < v->nimage && v->image[p->part].pattern == i;
	else
		ok = ok && p->flags == DB_PAT_NEVER;
	if (!ok)
		REFUSE("pattern %zu: broken record", i);
	return ST_OK;
}

static st_t check_pattern(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_pattern *p = &v->pattern[i];
	if (p->sig >= v->nsig || p->off_kind >= DB_OFF_KINDS)
		REFUSE("pattern %zu: broken record", i);
	const struct db_sig *s = &v->sig[p->sig];
	if (i < s->pattern || i - s->pattern >= s->npatterns)
		REFUSE("pattern %zu belongs to another signature", i);
	/* So that -off_n and sums with it are defined: no object is as large. */
	if (p->off_n < -OFFSET_MAX || p->off_n > OFFSET_MAX)
		REFUSE("pattern %zu: offset out of range", i);
	if (p->flags & DB_PAT_OTHER)
		return check_other(v, p, i, e);
	if (p->nparts == 0 || p->nparts > DB_PARTS_MAX || !in_range(p->part, p->nparts, v->npart))
		REFUSE("pattern %zu: parts outside", i);
	return ST_OK;
}

static st_t check_part(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_part *p = &v->part[i];
	if (p->pattern >= v->npattern)
		REFUSE("part %zu: pattern outside", i);
	const struct db_pattern *of = &v->pattern[p->pattern];
	if (of->flags & DB_PAT_OTHER)
		REFUSE("part %zu belongs to a pattern without parts", i);
	if (i < of->part || i - of->part >= of->nparts)
		REFUSE("part %zu belongs to another pattern", i);
	uint64_t code = p->kind == DB_PART_MASKED ? 2 * (uint64_t)p->min_len : p->min_len;
	if (!in_range(p->code, p->code_len, v->ncode) || p->kind > DB_PART_PROGRAM)
		REFUSE("part %zu: code outside", i);
	if (p->max_len < p->min_len || p->max_len - p->min_len > DB_PART_SPAN)
		REFUSE("part %zu: broken lengths", i);
	if ((uint64_t)p->lit_off + p->lit_len > p->min_len || !in_range(p->lit, p->lit_len, v->ncode))
		REFUSE("part %zu: literal outside", i);
	if (p->lit_len > 0 && (p->rare[0] >= p->lit_len || p->rare[1] >= p->lit_len))
		REFUSE("part %zu: rare bytes outside of the literal", i);
	if (p->kind == DB_PART_PROGRAM) {
		uint64_t min, max;
		TRY(db_check_program(v->code + p->code, p->code_len, &min, &max, e));
		return min == p->min_len && max == p->max_len
		           ? ST_OK
		           : fail(e, ST_MALFORMED, i, "part %zu: program and lengths differ", i);
	}
	if (p->max_len != p->min_len || code != p->code_len)
		REFUSE("part %zu: code and length differ", i);
	return ST_OK;
}

/* The pattern that a record belongs to, or NULL: patterns and records point at each other. */
static const struct db_pattern *owner(const struct db_view *v, uint32_t pattern, size_t i,
                                      unsigned flag)
{
	const struct db_pattern *p = pattern < v->npattern ? &v->pattern[pattern] : NULL;
	return p && p->flags == flag && p->part == i && p->sig < v->nsig ? p : NULL;
}

/* The trigger may look only at patterns in front of the regular expression, so that evaluating it
 * comes to an end. */
static st_t check_regex(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_regex *r = &v->regex[i];
	const struct db_pattern *p = owner(v, r->pattern, i, DB_PAT_REGEX);
	if (!p || r->len == 0 || r->len > DB_REGEX_MAX || !in_range(r->text, r->len, v->ncode) ||
	    (r->options & ~DB_RE_ALL) || p->off_kind == DB_OFF_VERSION_INFO)
		REFUSE("regular expression %zu: broken record", i);
	if (r->pattern < v->sig[p->sig].pattern)
		REFUSE("regular expression %zu belongs to another signature", i);
	return check_cond(v, r->cond, r->ncond, r->pattern - v->sig[p->sig].pattern, p->sig, e);
}

static st_t check_compare(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_compare *c = &v->compare[i];
	const struct db_pattern *p = owner(v, c->pattern, i, DB_PAT_COMPARE);
	if (!p || !in_range(c->first, c->n, v->sig[p->sig].npatterns) || c->len == 0 ||
	    c->len > DB_COMPARE_LEN_MAX || c->offset < -OFFSET_MAX || c->offset > OFFSET_MAX)
		REFUSE("comparison %zu: broken record", i);
	if (c->base >= DB_CMP_BASES || c->order >= DB_CMP_ORDERS || c->ncmp == 0 || c->ncmp > 2 ||
	    (c->base == DB_CMP_RAW && c->len != 1 && c->len != 2 && c->len != 4 && c->len != 8))
		REFUSE("comparison %zu: broken number", i);
	for (uint32_t k = 0; k < c->n; k++)
		if (v->pattern[v->sig[p->sig].pattern + c->first + k].flags & DB_PAT_OTHER)
			REFUSE("comparison %zu does not hang on body content", i);
	return ST_OK;
}

static st_t check_image(const struct db_view *v, size_t i, struct err *e)
{
	if (!owner(v, v->image[i].pattern, i, DB_PAT_IMAGE))
		REFUSE("image %zu: broken record", i);
	return ST_OK;
}

static st_t check_slots(const struct db_view *v, struct err *e)
{
	for (size_t i = 0; i < v->nslot; i++)
		if (v->slot[i].part >= v->npart)
			REFUSE("gram %zu: part outside", i);
	return ST_OK;
}

/* Buckets of a class ascend and end at its slots' number. */
static st_t check_buckets(const struct db_view *v, const struct db_class *c, size_t i,
                          struct err *e)
{
	uint64_t n = UINT64_C(1) << c->bucket_log2;
	if (!in_range(c->bucket, n + 1, v->nbucket) || !in_range(c->slot, c->nslots, v->nslot))
		REFUSE("filter %zu: buckets outside", i);
	const uint32_t *b = v->bucket + c->bucket;
	for (uint64_t k = 0; k < n; k++)
		if (b[k] > b[k + 1])
			REFUSE("filter %zu: buckets descend", i);
	if (b[n] != c->nslots)
		REFUSE("filter %zu: buckets do not cover the grams", i);
	return ST_OK;
}

static st_t check_filter(const struct db_view *v, size_t i, struct err *e)
{
	for (unsigned k = 0; k < DB_CLASSES; k++) {
		const struct db_class *c = &v->filter[i].cls[k];
		if (c->ngrams == 0)
			continue;
		uint64_t bytes = (k <= DB_CLASS_8_4 ? UINT64_C(8) : UINT64_C(4)) << (c->bloom_log2 & 31);
		if (c->bloom_log2 > BLOOM_LOG2_MAX || c->bucket_log2 > 31 ||
		    (k == DB_CLASS_2_1 && c->bloom_log2 != BLOOM2_LOG2) ||
		    !in_range(c->bloom, (bytes + 7) / 8, v->nbloom))
			REFUSE("filter %zu: bloom outside", i);
		TRY(check_buckets(v, c, i, e));
	}
	return ST_OK;
}

static st_t check_target(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_target *t = &v->target[i];
	if (t->nfilters > DB_TARGET_FILTERS || !in_range(t->place, t->nplaces, v->nplace) ||
	    !in_range(t->always, t->nalways, v->nalways))
		REFUSE("target %zu: broken record", i);
	for (uint32_t k = 0; k < t->nfilters; k++)
		if (t->filter[k] >= v->nfilter)
			REFUSE("target %zu: filter outside", i);
	return ST_OK;
}

static st_t check_lists(const struct db_view *v, struct err *e)
{
	for (size_t i = 0; i < v->nplace; i++)
		if (v->place[i].pattern >= v->npattern ||
		    (v->pattern[v->place[i].pattern].flags & DB_PAT_OTHER))
			REFUSE("place %zu: pattern outside", i);
	for (size_t i = 0; i < v->nalways; i++)
		if (v->always[i] >= v->nsig)
			REFUSE("always-list %zu: signature outside", i);
	return ST_OK;
}

static st_t check_hash(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_hash_table *t = &v->hash[i];
	if (t->nrows == 0)
		return ST_OK;
	uint64_t bytes;
	if (t->stride != digest_size((enum digest_kind)(i % DIGEST_KINDS)) + 8 ||
	    t->nrows > UINT32_MAX || !num_mul_u64(t->nrows, t->stride, &bytes) ||
	    !in_range(t->rows_off, bytes, v->nhash_rows))
		REFUSE("digest table %zu: rows outside", i);
	if (t->dir_log2 > 31 || !in_range(t->dir, (UINT64_C(1) << t->dir_log2) + 1, v->nhash_dir))
		REFUSE("digest table %zu: directory outside", i);
	if (t->sizes_log2 < 6 || t->sizes_log2 > 36 ||
	    !in_range(t->sizes, UINT64_C(1) << (t->sizes_log2 - 6), v->nhash_sizes))
		REFUSE("digest table %zu: size filter outside", i);
	return ST_OK;
}

static st_t check_inactive(const struct db_view *v, size_t i, struct err *e)
{
	if (v->inactive[i].what[sizeof v->inactive[i].what - 1] != 0)
		REFUSE("inactive kind %zu: text without an end", i);
	return ST_OK;
}

static st_t check_note(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_note *n = &v->note[i];
	if (n->kind[sizeof n->kind - 1] != 0 || n->text[sizeof n->text - 1] != 0)
		REFUSE("note %zu: text without an end", i);
	return ST_OK;
}

/* Printable ASCII with an end. */
static bool is_text(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n < cap;
}

static st_t check_origin(const struct db_view *v, size_t i, struct err *e)
{
	const struct db_origin *o = &v->origin[i];
	if (!is_text(o->file, sizeof o->file) || !is_text(o->time, sizeof o->time) ||
	    !is_text(o->builder, sizeof o->builder) || !is_text(o->signer, sizeof o->signer) ||
	    o->scheme >= DB_ORIGIN_SCHEMES)
		REFUSE("container %zu: broken record", i);
	return ST_OK;
}

/* No two signatures share conditions or patterns, no two patterns parts, no two parts code: so that
 * opening and matching cost what the file's size says, not its square. */
static st_t check_totals(const struct db_view *v, struct err *e)
{
	uint64_t conds = 0, patterns = 0, parts = 0, code = 0;
	size_t i = v->nfilter;
	for (size_t k = 0; k < v->nsig; k++) {
		conds += v->sig[k].ncond;
		patterns += v->sig[k].npatterns;
	}
	for (size_t k = 0; k < v->npattern; k++)
		parts += v->pattern[k].nparts;
	for (size_t k = 0; k < v->npart; k++)
		code += v->part[k].code_len;
	for (size_t k = 0; k < v->nregex; k++) {
		conds += v->regex[k].ncond;
		code += v->regex[k].len;
	}
	if (conds > v->ncond || patterns > v->npattern || parts > v->npart || code > v->ncode)
		REFUSE("conditions, patterns, parts or code are shared");
	if (v->nfilter > (size_t)DB_TARGET_RECORDS * DB_TARGET_FILTERS)
		REFUSE("%zu filters", i);
	return ST_OK;
}

static st_t check_names(const struct db_view *v, struct err *e)
{
	size_t i = v->nname_dir;
	uint64_t blocks = ((uint64_t)v->meta->nnames + DB_NAME_BLOCK - 1) / DB_NAME_BLOCK;
	if (v->nname_dir != blocks + 1)
		REFUSE("%zu name blocks for %u names", i, v->meta->nnames);
	return ST_OK;
}

#define CHECK_EACH(n, fn)                  \
	do {                                   \
		for (size_t k_ = 0; k_ < (n); k_++) \
			TRY(fn(v, k_, e));             \
	} while (0)

st_t db_check(const struct db_view *v, struct err *e)
{
	TRY(check_names(v, e));
	TRY(check_totals(v, e));
	CHECK_EACH(v->ninactive, check_inactive);
	CHECK_EACH(v->norigin, check_origin);
	CHECK_EACH(v->nsig, check_sig);
	CHECK_EACH(v->npattern, check_pattern);
	CHECK_EACH(v->npart, check_part);
	CHECK_EACH(v->nregex, check_regex);
	CHECK_EACH(v->ncompare, check_compare);
	CHECK_EACH(v->nimage, check_image);
	TRY(check_slots(v, e));
	CHECK_EACH(v->nfilter, check_filter);
	CHECK_EACH((size_t)DB_TARGET_RECORDS, check_target);
	TRY(check_lists(v, e));
	CHECK_EACH((size_t)DB_HASH_USES * DIGEST_KINDS, check_hash);
	TRY(db_check_magics(v, e));
	CHECK_EACH(v->nnote, check_note);
	return db_check_members(v, e);
}
