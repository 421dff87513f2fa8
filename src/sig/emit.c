/* Writes the database: signatures in order of name, then everything that hangs on them.
 *
 * Deterministic: order comes from names and, for equal names, from the canonical order of reading
 * (sig_read_all); sorts compare down to an index; nothing depends on addresses. */
#include "sig/emit.h"

#include "base/num.h"
#include "base/sum64.h"
#include "sig/compile.h"

#include <stdlib.h>

/* Few signatures with very short anchors are cheaper to evaluate always than to probe for at every
 * offset of every file. Measured: a literal searched for costs 40 ps a byte, probing for 2-byte
 * grams 60 ps and as much again where four of them are common in text. */
#define FEW_2_1 4u
#define FEW_4_1 4u

static int by_name(const void *a, const void *b)
{
	const struct ir_sig *const *x = a, *const *y = b;
	uint32_t i = (*x)->nameref & DB_NAMEREF_INDEX, k = (*y)->nameref & DB_NAMEREF_INDEX;
	if (i != k)
		return i < k ? -1 : 1;
	return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* One signature while its patterns are lowered. */
struct one {
	struct anchor anchors[SIG_PATTERNS_MAX];
	uint8_t first[IR_SUBSIGS_MAX], count[IR_SUBSIGS_MAX];
	uint32_t pattern, npatterns;
};

static void put_conds(struct emit *x, const struct ir_cond *conds, uint32_t n,
                      const struct one *o)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct ir_cond *c = &conds[i];
		struct db_cond d = {.op = c->op, .a = c->a, .b = c->b};
		if (c->op == IR_COND_ID) {
			d.a = o->first[c->a];
			d.b = o->count[c->a];
		}
		buf_add(&x->cond, &d, sizeof d);
	}
}

static st_t lower_body(struct emit *x, const struct ir_subsig *sub, uint32_t id, uint8_t target,
                       struct one *o, struct err *e)
{
	for (uint32_t k = 0; k < sub->npatterns; k++) {
		TRY(lower_pattern(x, &sub->patterns[k], id, target, &o->anchors[o->npatterns], e));
		o->npatterns++;
	}
	return ST_OK;
}

/* A comparison hangs on body content; on anything else it never holds, as in clamscan. */
static void lower_comparison(struct emit *x, const struct ir_sig *s, const struct ir_compare *c,
                             uint32_t id, const struct one *o)
{
	bool body = c->subsig < s->nsubsigs && s->subsigs[c->subsig].kind == IR_SUBSIG_BODY;
	lower_compare(x, c, body ? o->first[c->subsig] : 0, body ? o->count[c->subsig] : 0, id);
}

static st_t lower_subsig(struct emit *x, const struct ir_sig *s, uint32_t i, uint32_t id,
                         struct one *o, struct err *e)
{
	const struct ir_subsig *sub = &s->subsigs[i];
	switch (sub->kind) {
	case IR_SUBSIG_BODY:
		return lower_body(x, sub, id, s->target, o, e);
	case IR_SUBSIG_REGEX:
		lower_regex(x, sub->regex, id);
		put_conds(x, sub->regex->trigger, sub->regex->ntrigger, o);
		break;
	case IR_SUBSIG_COMPARE:
		lower_comparison(x, s, sub->compare, id, o);
		break;
	case IR_SUBSIG_IMAGE:
		lower_image(x, sub->image, id);
		break;
	case IR_SUBSIG_NEVER:
		lower_never(x, id);
		break;
	}
	o->npatterns++;
	return ST_OK;
}

static uint32_t patterns_of(const struct ir_subsig *sub)
{
	return sub->kind == IR_SUBSIG_BODY ? sub->npatterns : 1;
}

/* Which patterns each sub-signature will have; a comparison may name one behind it. */
static st_t number_patterns(const struct ir_sig *s, struct one *o, struct err *e)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->nsubsigs; i++) {
		uint32_t count = patterns_of(&s->subsigs[i]);
		if (n + count > SIG_PATTERNS_MAX)
			return fail(e, ST_UNSUPPORTED, 0, "more than %d patterns", SIG_PATTERNS_MAX);
		o->first[i] = (uint8_t)n;
		o->count[i] = (uint8_t)count;
		n += count;
	}
	return ST_OK;
}

static st_t lower_all(struct emit *x, const struct ir_sig *s, uint32_t id, struct one *o,
                      struct err *e)
{
	o->pattern = emit_count(&x->pattern, sizeof(struct db_pattern));
	o->npatterns = 0;
	TRY(number_patterns(s, o, e));
	for (uint32_t i = 0; i < s->nsubsigs; i++)
		TRY(lower_subsig(x, s, i, id, o, e));
	return ST_OK;
}

static bool is_simple(const struct ir_sig *s, const struct one *o)
{
	return o->npatterns == 1 && s->nconds == 1 && s->conds[0].op == IR_COND_ID &&
	       s->subsigs[s->conds[0].a].kind == IR_SUBSIG_BODY;
}

static bool is_gate(const struct ir_cond *c)
{
	return c->op == IR_COND_FILESIZE || c->op == IR_COND_LAYER || c->op == IR_COND_ROOT;
}

/* Number of gates: what the condition asks of the object before any of its bytes count. They stand
 * at its end, in front of the AND. */
static uint32_t count_gates(const struct ir_sig *s)
{
	uint32_t n = 0;
	if (s->nconds < 2 || s->conds[s->nconds - 1].op != IR_COND_AND)
		return 0;
	while (n + 1 < s->conds[s->nconds - 1].a && is_gate(&s->conds[s->nconds - 2 - n]))
		n++;
	return n;
}

/* Can it hold only in an object inside another? */
static bool is_layered(const struct ir_sig *s)
{
	uint32_t n = count_gates(s);
	for (uint32_t i = 0; i < n; i++)
		if (s->conds[s->nconds - 2 - i].op == IR_COND_LAYER)
			return true;
	return false;
}

static void put_sig(struct emit *x, const struct ir_sig *s, const struct one *o)
{
	bool simple = is_simple(s, o), logical = (s->flags & IR_SIG_LOGICAL) != 0;
	struct db_sig d = {
	    .nameref = s->nameref,
	    .cond = emit_count(&x->cond, sizeof(struct db_cond)),
	    .ncond = simple ? 0 : (uint16_t)s->nconds,
	    .target = s->target,
	    .flags = (uint8_t)((logical ? DB_SIG_LOGICAL : 0) | (simple ? DB_SIG_SIMPLE : 0) |
	                       (count_gates(s) ? DB_SIG_GATED : 0)),
	    .pattern = o->pattern,
	    .npatterns = o->npatterns,
	    .handler = s->handler,
	};
	if (!simple)
		put_conds(x, s->conds, s->nconds, o);
	buf_add(&x->sig, &d, sizeof d);
	*(logical ? &x->nlogical : &x->nbody) += 1;
}

static void put_anchor(struct emit *x, const struct anchor *a, uint32_t pattern, uint8_t target,
                       bool layered)
{
	if (a->kind == ANCHOR_PLACE) {
		struct target_ref r = {.index = pattern, .target = target, .layered = layered};
		buf_add(&x->places, &r, sizeof r);
		return;
	}
	x->hits += a->cost;
	for (unsigned i = 0; i < a->ngrams; i++) {
		const struct anchor_gram *g = &a->gram[i];
		struct gram_ref r = {.y = g->y, .slot = g->slot, .target = target, .cls = a->cls,
		                     .layered = layered};
		buf_add(&x->grams, &r, sizeof r);
	}
}

static void put_anchors(struct emit *x, const struct ir_sig *s, uint32_t id, const struct one *o)
{
	struct pattern_set set;
	bool layered = is_layered(s);
	if (!anchor_choose(s, o->anchors, o->first, o->count, &set)) {
		struct target_ref r = {.index = id, .target = s->target, .layered = layered};
		buf_add(&x->alwayses, &r, sizeof r);
		return;
	}
	for (uint32_t i = 0; i < o->npatterns; i++)
		if (set.bit[i / 64] >> (i % 64) & 1)
			put_anchor(x, &o->anchors[i], o->pattern + i, s->target, layered);
}

/* What finding out costs that a sub-signature is not there: a rare one is most likely not; a
 * regular expression is asked last, and what hangs on something behind that. */
static uint64_t refute_cost(const struct ir_sig *s, const struct one *o, uint32_t i)
{
	const uint64_t most = UINT64_MAX / 4;
	if (s->subsigs[i].kind == IR_SUBSIG_REGEX)
		return most;
	if (s->subsigs[i].kind == IR_SUBSIG_COMPARE)
		return most - 1;
	uint64_t sum = 0;
	for (uint32_t k = 0; s->subsigs[i].kind == IR_SUBSIG_BODY && k < o->count[i]; k++)
		sum += num_min_u64(o->anchors[o->first[i] + k].cost, most / 4);
	return num_min_u64(sum, most - 2);
}

static st_t order(struct emit *x, struct ir_sig *s, const struct one *o, struct err *e)
{
	uint64_t cost[IR_SUBSIGS_MAX];
	for (uint32_t i = 0; i < s->nsubsigs; i++)
		cost[i] = refute_cost(s, o, i);
	return order_conditions(&x->tmp, s->conds, &s->nconds, cost, e);
}

/* What lowering a signature appends to. */
#define LOWERED(x)                                                                           \
	{&(x)->cond, &(x)->pattern, &(x)->part, &(x)->code, &(x)->regex, &(x)->compare, &(x)->image}

/* The longest condition is bounded by the expression's own limits; a longer one is a bug. */
static st_t one_sig(struct emit *x, struct ir_sig *s, struct one *o, struct err *e)
{
	struct buf *const lowered[] = LOWERED(x);
	size_t len[ARRAY_LEN(lowered)];
	for (size_t i = 0; i < ARRAY_LEN(lowered); i++)
		len[i] = lowered[i]->len;
	uint32_t id = emit_count(&x->sig, sizeof(struct db_sig));
	struct err why = {0};
	st_t st = s->nconds > DB_CONDS_MAX ? ST_UNSUPPORTED : lower_all(x, s, id, o, &why);
	if (st == ST_UNSUPPORTED) {
		for (size_t i = 0; i < ARRAY_LEN(lowered); i++)
			lowered[i]->len = len[i];
		x->ncomplex++;
		return ST_OK;
	}
	if (st != ST_OK)
		return fail(e, st, 0, "%s", why.text);
	TRY(order(x, s, o, e));
	put_sig(x, s, o);
	put_anchors(x, s, id, o);
	return ST_OK;
}

/* Moves the signatures of a class from its grams to the always-list if they are few. */
static void drop_class(struct emit *x, enum db_class_id id, size_t few)
{
	struct gram_ref *g = (struct gram_ref *)(void *)x->grams.data;
	const struct db_pattern *pat = (const struct db_pattern *)(const void *)x->pattern.data;
	const struct db_part *part = (const struct db_part *)(const void *)x->part.data;
	size_t n = x->grams.len / sizeof *g, out = 0, count = 0;
	for (size_t i = 0; i < n; i++)
		count += g[i].cls == id;
	if (count == 0 || count > few)
		return;
	for (size_t i = 0; i < n; i++) {
		if (g[i].cls != id) {
			g[out++] = g[i];
			continue;
		}
		struct target_ref r = {.index = pat[part[g[i].slot.part].pattern].sig,
		                       .target = g[i].target, .layered = g[i].layered};
		buf_add(&x->alwayses, &r, sizeof r);
	}
	x->grams.len = out * sizeof *g;
}

static void sort_sigs(struct ir_set *s)
{
	for (size_t i = 0; i < s->nsigs; i++)
		s->sigs[i]->order = (uint32_t)i;
	if (s->nsigs)
		qsort(s->sigs, s->nsigs, sizeof *s->sigs, by_name);
}

/* Lowers every signature with anchors in `classes`. */
static st_t all_sigs(struct emit *x, uint32_t classes, struct err *e)
{
	struct ir_set *s = x->set;
	struct one *o = malloc(sizeof *o);
	if (!o)
		return fail(e, ST_NOMEM, 0, "compiler: out of memory");
	x->classes = classes;
	st_t st = ST_OK;
	for (size_t i = 0; i < s->nsigs && st == ST_OK; i++) {
		st = one_sig(x, s->sigs[i], o, e);
		if (x->tmp.total > ((size_t)16 << 20))
			arena_done(&x->tmp);
	}
	free(o);
	drop_class(x, DB_CLASS_2_1, FEW_2_1);
	drop_class(x, DB_CLASS_4_1, FEW_4_1);
	return st;
}

static void forget_sigs(struct emit *x)
{
	struct buf *const lowered[] = LOWERED(x);
	for (size_t i = 0; i < ARRAY_LEN(lowered); i++)
		lowered[i]->len = 0;
	x->sig.len = x->grams.len = x->places.len = x->alwayses.len = 0;
	x->nbody = x->nlogical = x->ncomplex = x->hits = 0;
}

/* Every class that is used costs a pass over every file, and every gram that ordinary files contain
 * costs a look-up each time. Many classes mean long strides; few mean few passes, and a rare gram
 * may be chosen where a long stride would need one for each alignment. Which is cheaper depends on
 * the set, so each is tried. */
#define BIT(id) (1u << (id))
#define SHORT (BIT(DB_CLASS_4_1) | BIT(DB_CLASS_2_1))
static const uint32_t class_sets[] = {
    BIT(DB_CLASS_8_8) | BIT(DB_CLASS_8_4) | BIT(DB_CLASS_4_4) | BIT(DB_CLASS_4_2) | SHORT,
    BIT(DB_CLASS_8_8) | BIT(DB_CLASS_4_2) | SHORT,
    BIT(DB_CLASS_8_8) | SHORT,
};

/* Picoseconds for a byte of input, measured (bench/kernels): one pass, and one look-up in 2^40. The
 * pass for 2-byte grams takes 60 with ten of them, 270 with 40 that are all common in text. */
static const uint64_t pass_cost[DB_CLASSES] = {
    [DB_CLASS_8_8] = 100, [DB_CLASS_8_4] = 150, [DB_CLASS_4_4] = 120,
    [DB_CLASS_4_2] = 180, [DB_CLASS_4_1] = 220, [DB_CLASS_2_1] = 100,
};
#define LOOKUP_COST 20000u

static uint64_t set_cost(const struct emit *x)
{
	const struct gram_ref *g = (const struct gram_ref *)(const void *)x->grams.data;
	bool used[DB_CLASSES] = {false};
	for (size_t i = 0; i < x->grams.len / sizeof *g; i++)
		used[g[i].cls] = true;
	uint64_t cost = (x->hits >> 20) * LOOKUP_COST >> 20;
	for (unsigned c = 0; c < DB_CLASSES; c++)
		cost += used[c] ? pass_cost[c] : 0;
	return cost;
}

static st_t choose_classes(struct emit *x, struct err *e)
{
	uint64_t best_cost = UINT64_MAX;
	size_t best = 0;
	sort_sigs(x->set);
	for (size_t i = 0; i < ARRAY_LEN(class_sets); i++) {
		forget_sigs(x);
		TRY(all_sigs(x, class_sets[i], e));
		uint64_t cost = set_cost(x);
		if (cost >= best_cost)
			continue;
		best_cost = cost;
		best = i;
	}
	if (best == ARRAY_LEN(class_sets) - 1)
		return ST_OK; /* it was the last one tried */
	forget_sigs(x);
	return all_sigs(x, class_sets[best], e);
}

static uint64_t rows_of(const struct ir_set *s, enum ir_hash_use use)
{
	uint64_t n = 0;
	for (unsigned k = 0; k < DIGEST_KINDS; k++)
		n += s->hashes[use][k].n;
	return n;
}

static void put_inactive(const struct ir_set *s, struct buf *out)
{
	for (size_t i = 0; i < s->ninactive; i++) {
		struct db_inactive r = {.n = s->inactive[i].n};
		const char *what = s->inactive[i].what;
		memcpy(r.what, what, num_min_size(strlen(what), sizeof r.what - 1));
		buf_add(out, &r, sizeof r);
	}
}

static void put_notes(const struct ir_set *s, struct buf *out)
{
	for (size_t i = 0; i < s->nnotes; i++) {
		struct db_note r = {0};
		const struct ir_note *n = &s->notes[i];
		memcpy(r.kind, n->kind, num_min_size(strlen(n->kind), sizeof r.kind - 1));
		memcpy(r.text, n->text, num_min_size(strlen(n->text), sizeof r.text - 1));
		buf_add(out, &r, sizeof r);
	}
}

static void put_meta(const struct emit *x, const uint8_t sources[32], struct buf *out)
{
	const struct ir_set *s = x->set;
	struct db_meta m = {
	    .sigs_body = x->nbody,
	    .sigs_logical = x->nlogical,
	    .hashes_file = rows_of(s, IR_HASH_FILE),
	    .hashes_section = rows_of(s, IR_HASH_SECTION),
	    .hashes_trust = rows_of(s, IR_HASH_TRUST),
	    .hashes_import = rows_of(s, IR_HASH_IMPORT),
	    .sigs_member = s->nmembers,
	    .skipped = s->nskipped,
	    .out_of_level = s->nflevel,
	    .nnames = x->nnames,
	    .flevel = SIG_FLEVEL,
	};
	for (size_t i = 0; i < s->ninactive; i++)
		m.inactive += s->inactive[i].n;
	memcpy(m.sources, sources, sizeof m.sources);
	buf_add(out, &m, sizeof m);
}

static int by_file(const void *pa, const void *pb)
{
	const struct db_origin *a = pa, *b = pb;
	int c = strcmp(a->file, b->file);
	return c ? c : memcmp(a->sha256, b->sha256, sizeof a->sha256);
}

/* In an order of their own, whatever that of the sources. */
static void put_origins(struct ir_set *s, struct buf *out)
{
	if (s->norigins)
		qsort(s->origins, s->norigins, sizeof *s->origins, by_file);
	for (size_t i = 0; i < s->norigins; i++)
		buf_add(out, &s->origins[i], sizeof s->origins[i]);
}

/* -- the file ------------------------------------------------------------------------------- */

#define SECTIONS (DB_SECTIONS_END - 1)

struct file {
	struct buf *out;
	struct db_section table[SECTIONS];
	size_t n;
};

static void put_section(struct file *f, enum db_section_id id, struct buf *b, bool lazy)
{
	buf_align(f->out, 64);
	struct db_section *s = &f->table[f->n++];
	*s = (struct db_section){.id = id, .flags = lazy ? DB_SECTION_LAZY : 0, .off = f->out->len,
	                         .len = b->len, .sum = lazy ? 0 : sum64(b->data, b->len)};
	f->out->oom |= b->oom;
	buf_add(f->out, b->data, b->len);
	buf_done(b);
}

static void put_sections(struct emit *x, struct file *f, struct buf *meta, struct buf *inactive,
                         struct buf *notes, struct buf *origin)
{
	put_section(f, DB_SEC_META, meta, false);
	put_section(f, DB_SEC_INACTIVE, inactive, false);
	put_section(f, DB_SEC_SIG, &x->sig, false);
	put_section(f, DB_SEC_COND, &x->cond, false);
	put_section(f, DB_SEC_PATTERN, &x->pattern, false);
	put_section(f, DB_SEC_PART, &x->part, false);
	put_section(f, DB_SEC_CODE, &x->code, false);
	put_section(f, DB_SEC_TARGET, &x->target, false);
	put_section(f, DB_SEC_FILTER, &x->filter, false);
	put_section(f, DB_SEC_BLOOM, &x->bloom, false);
	put_section(f, DB_SEC_BUCKET, &x->bucket, false);
	put_section(f, DB_SEC_SLOT, &x->slot, false);
	put_section(f, DB_SEC_PLACE, &x->place, false);
	put_section(f, DB_SEC_ALWAYS, &x->always, false);
	put_section(f, DB_SEC_HASH, &x->hash, false);
	put_section(f, DB_SEC_HASH_SIZES, &x->hash_sizes, false);
	put_section(f, DB_SEC_HASH_DIR, &x->hash_dir, true);
	put_section(f, DB_SEC_HASH_ROWS, &x->hash_rows, true);
	put_section(f, DB_SEC_NAME_DIR, &x->name_dir, true);
	put_section(f, DB_SEC_NAME_BLOCKS, &x->name_blocks, true);
	put_section(f, DB_SEC_REGEX, &x->regex, false);
	put_section(f, DB_SEC_COMPARE, &x->compare, false);
	put_section(f, DB_SEC_IMAGE, &x->image, false);
	put_section(f, DB_SEC_MAGIC, &x->magic, false);
	put_section(f, DB_SEC_MAGIC_PART, &x->magic_part, false);
	put_section(f, DB_SEC_MAGIC_BYTES, &x->magic_bytes, false);
	put_section(f, DB_SEC_NOTE, notes, false);
	put_section(f, DB_SEC_ORIGIN, origin, false);
	put_section(f, DB_SEC_MEMBER, &x->member, false);
	put_section(f, DB_SEC_PASSWORD, &x->password, false);
	put_section(f, DB_SEC_MEMBER_TEXT, &x->member_text, false);
}

static st_t write_file(struct emit *x, const uint8_t sources[32], struct buf *ret, struct err *e)
{
	struct file f = {.out = ret};
	struct buf meta = {0}, inactive = {0}, notes = {0}, origin = {0};
	put_meta(x, sources, &meta);
	put_inactive(x->set, &inactive);
	put_notes(x->set, &notes);
	put_origins(x->set, &origin);
	buf_fill(ret, 0, sizeof(struct db_header) + sizeof f.table);
	put_sections(x, &f, &meta, &inactive, &notes, &origin);
	buf_fill(ret, 0, DB_TAIL_PAD);
	TRY(buf_check(ret, e, "compiler: database"));
	struct db_header h = {.version = DB_VERSION, .nsections = SECTIONS, .file_size = ret->len,
	                      .sum = sum64(f.table, sizeof f.table)};
	memcpy(h.magic, DB_MAGIC, sizeof h.magic);
	memcpy(ret->data, &h, sizeof h);
	memcpy(ret->data + sizeof h, f.table, sizeof f.table);
	return ST_OK;
}

static void emit_done(struct emit *x)
{
	struct buf *const all[] = {
	    &x->sig,      &x->cond,       &x->pattern,   &x->part,     &x->code,        &x->filter,
	    &x->bloom,    &x->bucket,     &x->slot,      &x->place,    &x->always,      &x->target,
	    &x->hash,     &x->hash_sizes, &x->hash_dir,  &x->hash_rows, &x->name_dir,
	    &x->name_blocks, &x->grams,   &x->places,    &x->alwayses, &x->regex,
	    &x->compare,  &x->image,      &x->magic,     &x->magic_part, &x->magic_bytes,
	    &x->member,   &x->password,   &x->member_text,
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_done(all[i]);
	arena_done(&x->tmp);
}

static st_t emit_all(struct emit *x, const uint8_t sources[32], struct buf *ret, struct err *e)
{
	TRY(emit_names(x, e));
	TRY(choose_classes(x, e));
	for (uint64_t i = 0; i < x->ncomplex; i++)
		ir_count_inactive(x->set, "pattern beyond the limits of the database");
	TRY(emit_filters(x, e));
	TRY(emit_digests(x, e));
	TRY(emit_magics(x, e));
	TRY(emit_members(x, e));
	return write_file(x, sources, ret, e);
}

st_t sig_emit(struct ir_set *set, const uint8_t sources[32], struct buf *ret, struct err *e)
{
	struct emit x = {.set = set};
	st_t st = emit_all(&x, sources, ret, e);
	emit_done(&x);
	return st;
}
