/* Patterns of the intermediate form become parts of the database.
 *
 * A part of the database is a run of elements of one length, or a single alternation of unequal
 * lengths; so an anchor inside a part stands at a known distance from its start. Where an unequal
 * alternation stands inside a run, the run is cut and the pieces follow each other at distance
 * 0. */
#include "sig/emit.h"

#include "base/num.h"
#include "sig/bytefreq.h"

#include <limits.h>

/* Why a signature is inactive when it is beyond these; ERR text of ST_UNSUPPORTED. */
#define TOO_COMPLEX "pattern beyond the limits of the database"
#define PIECE_MAX 60000u /* bytes of one part: code offsets are 16-bit */

struct span {
	uint32_t min, max;
};

struct lower {
	struct emit *x;
	struct err *e;
	struct anchor *anchor;
	uint32_t nparts;
	uint64_t min_len;
	bool floats; /* the pattern may be anywhere in a range: grams make sense */
};

static st_t too_complex(struct lower *l)
{
	return fail(l->e, ST_UNSUPPORTED, 0, TOO_COMPLEX);
}

static struct span elems_span(const struct ir_elem *el, uint32_t n);

static struct span elem_span(const struct ir_elem *el)
{
	if (el->kind == IR_BOUND || el->kind == IR_NEAR)
		return (struct span){0, 0};
	if (el->kind != IR_STRS && el->kind != IR_ALT)
		return (struct span){1, 1};
	struct span r = {UINT32_MAX, 0};
	for (uint32_t i = 0; i < el->nalts; i++) {
		struct span s = elems_span(el->alts[i].elems, el->alts[i].nelems);
		r.min = s.min < r.min ? s.min : r.min;
		r.max = s.max > r.max ? s.max : r.max;
	}
	return r;
}

static struct span elems_span(const struct ir_elem *el, uint32_t n)
{
	struct span r = {0, 0};
	for (uint32_t i = 0; i < n; i++) {
		struct span s = elem_span(&el[i]);
		r.min += s.min;
		r.max += s.max;
	}
	return r;
}

/* -- part programs ------------------------------------------------------------------------ */

static st_t put_ops(struct lower *l, const struct ir_elem *el, uint32_t n, unsigned depth);

static void patch_u16(struct buf *b, size_t at, size_t v)
{
	if (at + 2 > b->len)
		return; /* out of memory: reported by buf_check() */
	b->data[at] = (uint8_t)v;
	b->data[at + 1] = (uint8_t)(v >> 8);
}

static void put_bytes(struct buf *c, const struct ir_elem *el, uint32_t n)
{
	bool exact = true, skip = true;
	for (uint32_t i = 0; i < n; i++) {
		exact &= el[i].mask == 0xff;
		skip &= el[i].mask == 0;
	}
	buf_u8(c, skip ? DB_OP_SKIP : exact ? DB_OP_BYTES : DB_OP_MASKED);
	buf_u16le(c, (uint16_t)n);
	for (uint32_t i = 0; i < n && !skip; i++)
		buf_u8(c, el[i].value);
	for (uint32_t i = 0; i < n && !skip && !exact; i++)
		buf_u8(c, el[i].mask);
}

static void put_set(struct buf *c, const uint64_t *set)
{
	buf_u8(c, DB_OP_SET);
	for (unsigned i = 0; i < 4; i++)
		buf_u64le(c, set[i]);
}

static st_t put_not(struct lower *l, const struct ir_elem *el)
{
	struct buf *c = &l->x->code;
	uint32_t m = el->alts[0].nelems;
	buf_u8(c, DB_OP_NOT);
	buf_u16le(c, (uint16_t)el->nalts);
	buf_u16le(c, (uint16_t)m);
	for (uint32_t k = 0; k < el->nalts; k++) {
		const struct ir_alt *a = &el->alts[k];
		for (uint32_t i = 0; i < m; i++)
			if (a->nelems != m || a->elems[i].kind != IR_BYTE)
				return too_complex(l);
		for (uint32_t i = 0; i < m; i++)
			buf_u8(c, a->elems[i].value);
		for (uint32_t i = 0; i < m; i++)
			buf_u8(c, a->elems[i].mask);
	}
	return ST_OK;
}

static st_t put_alt(struct lower *l, const struct ir_elem *el, unsigned depth)
{
	struct buf *c = &l->x->code;
	size_t at = c->len;
	if (depth >= DB_ALT_DEPTH || el->nalts > UINT16_MAX / 4)
		return too_complex(l);
	size_t *jump = arena_alloc(&l->x->tmp, el->nalts * sizeof *jump);
	if (!jump)
		return fail(l->e, ST_NOMEM, 0, "compiler: out of memory");
	buf_u8(c, DB_OP_ALT);
	buf_u16le(c, (uint16_t)el->nalts);
	buf_fill(c, 0, 2 * (size_t)el->nalts);
	for (uint32_t k = 0; k < el->nalts; k++) {
		patch_u16(c, at + 3 + 2 * (size_t)k, c->len - at);
		TRY(put_ops(l, el->alts[k].elems, el->alts[k].nelems, depth + 1));
		jump[k] = c->len;
		buf_u8(c, DB_OP_JUMP);
		buf_u16le(c, 0);
		if (c->len - at > UINT16_MAX)
			return too_complex(l);
	}
	for (uint32_t k = 0; k < el->nalts; k++)
		patch_u16(c, jump[k] + 1, c->len - jump[k]);
	return ST_OK;
}

/* el->value is the side: see put_run(). */
static st_t put_bound(struct lower *l, const struct ir_elem *el, unsigned depth)
{
	if (depth > 0)
		return too_complex(l);
	buf_u8(&l->x->code, DB_OP_BOUND);
	buf_u8(&l->x->code, el->bound);
	buf_u8(&l->x->code, el->value);
	return ST_OK;
}

static void put_near(struct buf *c, const struct ir_elem *el)
{
	const uint8_t op[] = {DB_OP_NEAR, el->side, el->min, el->max, el->value, el->mask};
	buf_add(c, op, sizeof op);
}

/* Exact bytes, fully masked bytes and any-bytes each make runs of their own. */
static unsigned byte_class(const struct ir_elem *el)
{
	return el->mask == 0xff ? 0 : el->mask == 0 ? 1 : 2;
}

static uint32_t byte_run(const struct ir_elem *el, uint32_t n)
{
	uint32_t i = 1;
	while (i < n && el[i].kind == IR_BYTE && byte_class(&el[i]) == byte_class(&el[0]))
		i++;
	return i;
}

static st_t put_ops(struct lower *l, const struct ir_elem *el, uint32_t n, unsigned depth)
{
	struct buf *c = &l->x->code;
	for (uint32_t i = 0, k; i < n; i += k) {
		k = 1;
		if (el[i].kind == IR_BYTE)
			put_bytes(c, &el[i], k = byte_run(&el[i], n - i));
		else if (el[i].kind == IR_SET)
			put_set(c, el[i].set);
		else if (el[i].kind == IR_NEAR)
			put_near(c, &el[i]);
		else if (el[i].kind == IR_BOUND)
			TRY(put_bound(l, &el[i], depth));
		else if (el[i].negated)
			TRY(put_not(l, &el[i]));
		else
			TRY(put_alt(l, &el[i], depth));
	}
	return ST_OK;
}

/* -- parts -------------------------------------------------------------------------------- */

static unsigned part_kind(const struct ir_elem *el, uint32_t n)
{
	unsigned kind = DB_PART_LITERAL;
	for (uint32_t i = 0; i < n; i++) {
		if (el[i].kind != IR_BYTE)
			return DB_PART_PROGRAM;
		if (el[i].mask != 0xff)
			kind = DB_PART_MASKED;
	}
	return kind;
}

/* Values and masks of a piece of one length, byte by byte; what is not a plain byte is unknown. */
static void flatten(const struct ir_elem *el, uint32_t n, uint8_t *value, uint8_t *mask)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = elem_span(&el[i]).min;
		if (len > 0) {
			*value = el[i].kind == IR_BYTE ? el[i].value : 0;
			*mask = el[i].kind == IR_BYTE ? el[i].mask : 0;
		}
		value += len;
		mask += len;
	}
}

/* Bytes that ordinary files are full of: a search should not begin or end with one. */
static bool common_byte(uint8_t b)
{
	return b == 0 || b == 0xff || b == ' ' || b == 0xcc || b == 0x90;
}

#define LITERAL_MIN 4u /* a literal is not trimmed below this */

static void trim_literal(const uint8_t *value, struct db_part *ret)
{
	while (ret->lit_len > LITERAL_MIN && common_byte(value[ret->lit_off])) {
		ret->lit_off++;
		ret->lit_len--;
	}
	while (ret->lit_len > LITERAL_MIN && common_byte(value[ret->lit_off + ret->lit_len - 1]))
		ret->lit_len--;
}

static unsigned how_common(uint8_t b, bool folded)
{
	if (!folded)
		return bytefreq[b];
	uint8_t lower = bytefreq[b | 0x20], upper = bytefreq[b & ~0x20];
	return lower > upper ? lower : upper;
}

/* The two rarest bytes of the literal, as far as a byte can say where they are: by them it is
 * searched for. */
static void find_rare(const uint8_t *lit, struct db_part *ret)
{
	uint32_t n = ret->lit_len < UINT8_MAX ? ret->lit_len : UINT8_MAX;
	unsigned best[2] = {UINT_MAX, UINT_MAX};
	for (uint32_t i = 0; i < n; i++) {
		unsigned f = how_common(lit[i], ret->lit_folded);
		unsigned worse = best[0] > best[1] ? 0 : 1;
		if (f >= best[worse])
			continue;
		best[worse] = f;
		ret->rare[worse] = (uint8_t)i;
	}
}

/* The longest run of known bytes: what a search for this part looks for. */
static void best_literal(struct buf *code, const uint8_t *value, const uint8_t *mask, uint32_t n,
                         struct db_part *ret)
{
	for (uint32_t i = 0, k; i < n; i += k + 1) {
		bool folded = false;
		for (k = 0; i + k < n && known(mask[i + k]); k++)
			folded |= mask[i + k] != 0xff;
		if (k <= ret->lit_len)
			continue;
		ret->lit_off = (uint16_t)i;
		ret->lit_len = (uint16_t)k;
		ret->lit_folded = folded;
	}
	trim_literal(value, ret);
	find_rare(value + ret->lit_off, ret);
	/* A literal part is its own literal; others keep a copy behind their code. */
	ret->lit = ret->kind == DB_PART_LITERAL ? ret->code + ret->lit_off : (uint32_t)code->len;
	if (ret->kind != DB_PART_LITERAL)
		buf_add(code, value + ret->lit_off, ret->lit_len);
}

static st_t put_code(struct lower *l, const struct ir_elem *el, uint32_t n, struct db_part *part)
{
	struct buf *c = &l->x->code;
	part->code = (uint32_t)c->len;
	for (uint32_t i = 0; i < n && part->kind != DB_PART_PROGRAM; i++)
		buf_u8(c, el[i].value);
	for (uint32_t i = 0; i < n && part->kind == DB_PART_MASKED; i++)
		buf_u8(c, el[i].mask);
	if (part->kind == DB_PART_PROGRAM) {
		TRY(put_ops(l, el, n, 0));
		buf_u8(c, DB_OP_END);
	}
	part->code_len = (uint32_t)(c->len - part->code);
	return part->code_len <= PIECE_MAX ? ST_OK : too_complex(l);
}

static st_t put_part(struct lower *l, const struct ir_elem *el, uint32_t n, uint32_t gap_min,
                     uint32_t gap_max)
{
	struct emit *x = l->x;
	struct span s = elems_span(el, n);
	if (++l->nparts > DB_PARTS_MAX || s.max > PIECE_MAX || s.max - s.min > DB_PART_SPAN ||
	    x->code.len > UINT32_MAX / 2)
		return too_complex(l);
	struct db_part part = {.pattern = emit_count(&x->pattern, sizeof(struct db_pattern)),
	                       .gap_min = gap_min, .gap_max = gap_max, .min_len = s.min,
	                       .max_len = s.max, .kind = (uint8_t)part_kind(el, n)};
	TRY(put_code(l, el, n, &part));
	if (s.min == s.max && s.min > 0) {
		uint8_t *value = arena_alloc(&x->tmp, 2 * (size_t)s.min);
		if (!value)
			return fail(l->e, ST_NOMEM, 0, "compiler: out of memory");
		flatten(el, n, value, value + s.min);
		best_literal(&x->code, value, value + s.min, s.min, &part);
		if (l->floats)
			anchor_of_part(value, value + s.min, s.min, emit_count(&x->part, sizeof part),
			               x->classes, l->anchor);
	}
	l->min_len += s.min + (l->nparts > 1 ? gap_min : 0);
	buf_add(&x->part, &part, sizeof part);
	return ST_OK;
}

/* -- patterns ------------------------------------------------------------------------------- */

static bool unequal(const struct ir_elem *el)
{
	struct span s = elem_span(el);
	return s.min != s.max;
}

/* One run of the intermediate form: cut at unequal alternations. */
static st_t put_run(struct lower *l, const struct ir_part *p)
{
	struct ir_elem *el = arena_alloc(&l->x->tmp, p->nelems * sizeof *el);
	if (!el)
		return fail(l->e, ST_NOMEM, 0, "compiler: out of memory");
	for (uint32_t i = 0; i < p->nelems; i++) {
		el[i] = p->elems[i];
		if (el[i].kind != IR_BOUND)
			continue;
		if (i > 0 && i + 1 < p->nelems)
			return too_complex(l); /* readers leave none there */
		el[i].value = i > 0; /* at the start it looks before, at the end behind */
	}
	uint32_t gap_min = p->gap_min, gap_max = p->gap_max;
	for (uint32_t i = 0, k; i < p->nelems; i += k) {
		for (k = 0; i + k < p->nelems && !unequal(&el[i + k]); k++)
			;
		k += k == 0;
		TRY(put_part(l, el + i, k, gap_min, gap_max));
		gap_min = gap_max = 0;
	}
	return ST_OK;
}

static const uint8_t offset_kind[] = {
    [IR_OFF_ANY] = DB_OFF_ANY,
    [IR_OFF_ABS] = DB_OFF_ABS,
    [IR_OFF_EOF] = DB_OFF_EOF,
    [IR_OFF_EP] = DB_OFF_EP,
    [IR_OFF_SECTION] = DB_OFF_SECTION,
    [IR_OFF_LAST_SECTION] = DB_OFF_LAST_SECTION,
    [IR_OFF_IN_SECTION] = DB_OFF_IN_SECTION,
    [IR_OFF_VERSION_INFO] = DB_OFF_VERSION_INFO,
};

/* Can the pattern start at one place only? */
static bool one_place(const struct ir_offset *o)
{
	return o->kind != IR_OFF_ANY && o->kind != IR_OFF_IN_SECTION &&
	       o->kind != IR_OFF_VERSION_INFO && o->maxshift == 0;
}

static struct db_pattern pattern_at(const struct ir_offset *o, uint32_t sig)
{
	return (struct db_pattern){.sig = sig, .off_kind = offset_kind[o->kind],
	                           .off_section = o->section, .off_n = o->n,
	                           .off_shift = o->maxshift};
}

/* How far into a file its type shows, more or less. */
#define TYPE_SHOWS 64
#define PLACE_COMMON (UINT64_C(1) << 42)

static uint32_t known_in_front(const struct ir_pattern *p)
{
	uint32_t n = 0;
	while (n < p->parts[0].nelems && n < 8 && p->parts[0].elems[n].kind == IR_BYTE &&
	       known(p->parts[0].elems[n].mask))
		n++;
	return n;
}

/* Looking at one place costs next to nothing, but what stands at the start of a file of some type
 * stands in all of them: then almost anything tells more. The fewer bytes are known, the more often
 * the rest of the condition has to be looked at. */
static uint64_t place_cost(const struct ir_pattern *p, uint8_t target)
{
	bool head = p->offset.kind == IR_OFF_ABS && p->offset.n < TYPE_SHOWS;
	uint32_t n = known_in_front(p);
	if (head && (target != 0 || n <= 4))
		return PLACE_COMMON;
	return 1 + ((UINT64_C(1) << 16) >> (2 * n));
}

st_t lower_pattern(struct emit *x, const struct ir_pattern *p, uint32_t sig, uint8_t target,
                   struct anchor *ret_anchor, struct err *e)
{
	struct lower l = {.x = x, .e = e, .anchor = ret_anchor, .floats = !one_place(&p->offset)};
	*ret_anchor = (struct anchor){.kind = ANCHOR_NONE, .cost = ANCHOR_COST_NONE};
	if (p->offset.kind >= ARRAY_LEN(offset_kind))
		return too_complex(&l);
	if (!l.floats)
		*ret_anchor = (struct anchor){.kind = ANCHOR_PLACE, .cost = place_cost(p, target)};
	uint32_t first = emit_count(&x->part, sizeof(struct db_part));
	for (uint32_t i = 0; i < p->nparts; i++)
		TRY(put_run(&l, &p->parts[i]));
	if (l.min_len > UINT32_MAX)
		return too_complex(&l);
	struct db_pattern rec = pattern_at(&p->offset, sig);
	rec.part = first;
	rec.nparts = (uint16_t)l.nparts;
	rec.flags = (uint8_t)((p->fullword ? DB_PAT_FULLWORD : 0) | (p->wide ? DB_PAT_WIDE : 0));
	rec.min_len = (uint32_t)l.min_len;
	buf_add(&x->pattern, &rec, sizeof rec);
	return ST_OK;
}

/* -- sub-signatures that are no patterns: a pattern without parts stands for each ------------- */

void lower_regex(struct emit *x, const struct ir_regex *r, uint32_t sig)
{
	struct db_pattern rec = pattern_at(&r->offset, sig);
	struct db_regex d = {.pattern = emit_count(&x->pattern, sizeof rec),
	                     .text = (uint32_t)x->code.len, .len = r->len, .options = r->options,
	                     .cond = emit_count(&x->cond, sizeof(struct db_cond)),
	                     .ncond = r->ntrigger};
	rec.flags = DB_PAT_REGEX;
	rec.part = emit_count(&x->regex, sizeof d);
	buf_add(&x->code, r->text, r->len);
	buf_add(&x->pattern, &rec, sizeof rec);
	buf_add(&x->regex, &d, sizeof d);
}

void lower_compare(struct emit *x, const struct ir_compare *c, uint32_t first, uint32_t n,
                   uint32_t sig)
{
	struct db_pattern rec = {.sig = sig, .flags = DB_PAT_COMPARE,
	                         .part = emit_count(&x->compare, sizeof(struct db_compare))};
	struct db_compare d = {.pattern = emit_count(&x->pattern, sizeof rec), .first = first, .n = n,
	                       .len = c->len, .offset = c->offset, .ncmp = c->n, .base = c->base,
	                       .order = c->order, .exact = c->exact};
	for (unsigned i = 0; i < c->n; i++) {
		d.op[i] = (uint8_t)c->op[i];
		d.value[i] = c->value[i];
	}
	buf_add(&x->pattern, &rec, sizeof rec);
	buf_add(&x->compare, &d, sizeof d);
}

void lower_image(struct emit *x, uint64_t hash, uint32_t sig)
{
	struct db_pattern rec = {.sig = sig, .flags = DB_PAT_IMAGE,
	                         .part = emit_count(&x->image, sizeof(struct db_image))};
	struct db_image d = {.hash = hash, .pattern = emit_count(&x->pattern, sizeof rec)};
	buf_add(&x->pattern, &rec, sizeof rec);
	buf_add(&x->image, &d, sizeof d);
}

void lower_never(struct emit *x, uint32_t sig)
{
	struct db_pattern rec = {.sig = sig, .flags = DB_PAT_NEVER};
	buf_add(&x->pattern, &rec, sizeof rec);
}
