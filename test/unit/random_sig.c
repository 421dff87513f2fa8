#include "random_sig.h"
#include "db/layout.h"

#include "test/t.h"

static const uint8_t alphabet[] = "aAbBzZ09 \n\r.-\0\xff\xc3";
#define LETTERS (sizeof alphabet - 1)

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(t_rand(seed) % n);
}

static uint8_t letter(uint64_t *seed)
{
	return below(seed, 8) ? alphabet[below(seed, LETTERS)] : (uint8_t)t_rand(seed);
}

static bool is_letter(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

static struct ir_elem byte_elem(uint64_t *seed, bool nocase, unsigned wildness)
{
	static const uint8_t masks[] = {0, 0xf0, 0x0f};
	struct ir_elem el = {.kind = IR_BYTE, .mask = 0xff};
	uint8_t b = letter(seed);
	if (below(seed, 100) < wildness)
		el.mask = masks[below(seed, 3)];
	else if (nocase && is_letter(b))
		el.mask = 0xdf;
	el.value = b & el.mask;
	return el;
}

static struct ir_alt random_alt(struct ir_set *s, uint64_t *seed, uint32_t n, unsigned depth);

static struct ir_elem choice_elem(struct ir_set *s, uint64_t *seed, unsigned depth)
{
	struct ir_elem el = {.kind = IR_SET};
	unsigned kind = below(seed, depth ? 2 : 3);
	if (kind == 0) {
		el.set = arena_alloc(&s->arena, 32);
		for (unsigned i = 0; i < 3; i++) {
			uint8_t b = letter(seed);
			el.set[b / 64] |= UINT64_C(1) << (b % 64);
		}
		return el;
	}
	bool equal = kind == 1;
	el.kind = equal ? IR_STRS : IR_ALT;
	el.negated = equal && below(seed, 4) == 0;
	el.nalts = 2 + below(seed, 2);
	el.alts = arena_alloc(&s->arena, el.nalts * sizeof *el.alts);
	uint32_t len = 1 + below(seed, 3);
	for (uint32_t k = 0; k < el.nalts; k++)
		el.alts[k] = random_alt(s, seed, equal ? len : 1 + below(seed, 3), equal ? 9 : depth + 1);
	return el;
}

static struct ir_alt random_alt(struct ir_set *s, uint64_t *seed, uint32_t n, unsigned depth)
{
	struct ir_alt a = {.nelems = n, .elems = arena_alloc(&s->arena, n * sizeof *a.elems)};
	for (uint32_t i = 0; i < n; i++)
		a.elems[i] = depth < 3 && below(seed, 4) == 0 ? choice_elem(s, seed, depth)
		                                              : byte_elem(seed, false, 10);
	return a;
}

static struct ir_elem near_elem(uint64_t *seed)
{
	struct ir_elem el = byte_elem(seed, false, 20);
	el.kind = IR_NEAR;
	el.side = (uint8_t)below(seed, 2);
	el.min = (uint8_t)below(seed, 6);
	el.max = (uint8_t)(el.min + below(seed, 12));
	return el;
}

static struct ir_part random_part(struct ir_set *s, uint64_t *seed, bool nocase)
{
	static const uint32_t lengths[] = {2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 15, 16, 20, 31};
	struct ir_part p = {.nelems = lengths[below(seed, sizeof lengths / sizeof *lengths)]};
	unsigned wildness = below(seed, 3) ? 0 : 8, choices = below(seed, 4) ? 0 : 12;
	p.elems = arena_alloc(&s->arena, p.nelems * sizeof *p.elems);
	for (uint32_t i = 0; i < p.nelems; i++)
		p.elems[i] = below(seed, 100) < choices ? choice_elem(s, seed, 0)
		                                        : byte_elem(seed, nocase, wildness);
	if (below(seed, 12) == 0)
		p.elems[below(seed, 2) ? 0 : p.nelems - 1] =
		    (struct ir_elem){.kind = IR_BOUND, .bound = (uint8_t) "BLW"[below(seed, 3)]};
	if (p.nelems > 3 && below(seed, 10) == 0)
		p.elems[1] = near_elem(seed);
	return p;
}

static struct ir_offset random_offset(uint64_t *seed, uint8_t target)
{
	struct ir_offset o = {.kind = IR_OFF_ANY};
	if (below(seed, 3))
		return o;
	o.kind = (uint8_t)below(seed, target == 0 ? IR_OFF_EP : IR_OFF_VERSION_INFO);
	o.n = (int64_t)below(seed, 300);
	o.section = below(seed, 3);
	if (o.kind != IR_OFF_ANY && below(seed, 2))
		o.maxshift = below(seed, 60);
	return o;
}

static struct ir_pattern random_pattern(struct ir_set *s, uint64_t *seed, uint8_t target)
{
	struct ir_pattern p = {.nparts = below(seed, 3) ? 1 : 1 + below(seed, 3)};
	bool nocase = below(seed, 3) == 0;
	p.fullword = below(seed, 10) == 0;
	p.wide = p.fullword && below(seed, 2);
	p.offset = random_offset(seed, target);
	p.parts = arena_alloc(&s->arena, p.nparts * sizeof *p.parts);
	for (uint32_t i = 0; i < p.nparts; i++) {
		p.parts[i] = random_part(s, seed, nocase);
		if (i == 0)
			continue;
		p.parts[i].gap_min = below(seed, 12);
		p.parts[i].gap_max = below(seed, 3) ? p.parts[i].gap_min + below(seed, 20) : IR_GAP_INF;
	}
	return p;
}

static bool has_unequal(const struct ir_pattern *p)
{
	for (uint32_t k = 0; k < p->nparts; k++)
		for (uint32_t i = 0; i < p->parts[k].nelems; i++)
			if (p->parts[k].elems[i].kind == IR_ALT || p->parts[k].elems[i].kind == IR_BOUND)
				return true;
	return false;
}

/* Counts are only defined where parts have one length: doc/format/database.md, "Counts". */
static bool countable(const struct ir_sig *s)
{
	for (uint32_t i = 0; i < s->nsubsigs; i++)
		for (uint32_t k = 0; k < s->subsigs[i].npatterns; k++)
			if (has_unequal(&s->subsigs[i].patterns[k]))
				return false;
	return true;
}

static void add_cond(struct ir_sig *s, uint8_t op, uint32_t a, uint32_t b)
{
	s->conds[s->nconds++] = (struct ir_cond){.op = op, .a = a, .b = b};
}

static void random_compare(struct ir_sig *s, uint64_t *seed)
{
	uint8_t op = (uint8_t)(IR_COND_CMP_EQ + below(seed, 3));
	if (below(seed, 3) == 0)
		add_cond(s, op, below(seed, 4), below(seed, 3));
}

/* What target descriptions ask for, behind the expression, as the reader puts it; sometimes one of
 * it in front of an AND of its own. */
static void random_shape(struct ir_sig *s, uint64_t *seed)
{
	uint32_t n = 1;
	if (below(seed, 8) == 0) {
		add_cond(s, IR_COND_FILESIZE, below(seed, 500), 500 + below(seed, 1500));
		n++;
	}
	if (s->target == 1 && below(seed, 6) == 0) {
		add_cond(s, below(seed, 2) ? IR_COND_EP : IR_COND_SECTIONS, below(seed, 3),
		         1 + below(seed, 600));
		n++;
	}
	if (n > 1 && below(seed, 4) == 0) {
		add_cond(s, IR_COND_AND, n, 0);
		n = 1;
	}
	if (below(seed, 10) == 0) {
		add_cond(s, IR_COND_ROOT, 0, 0);
		n++;
	}
	for (uint32_t up = 1; up < 3 && below(seed, 8) == 0; up++, n++)
		add_cond(s, IR_COND_LAYER, below(seed, 4) ? (uint32_t)below(seed, 3) : DB_LAYER_ANY, up);
	if (n > 1)
		add_cond(s, IR_COND_AND, n, 0);
}

static void random_conds(struct ir_set *set, struct ir_sig *s, uint64_t *seed)
{
	bool counts = countable(s);
	uint32_t open = 0;
	s->conds = arena_alloc(&set->arena, 64 * sizeof *s->conds);
	for (uint32_t i = 0; i < s->nsubsigs; i++) {
		add_cond(s, IR_COND_ID, i, 0);
		if (counts)
			random_compare(s, seed);
		open++;
		if (open > 1 && below(seed, 2)) {
			uint32_t n = 2 + below(seed, open - 1);
			add_cond(s, below(seed, 2) ? IR_COND_AND : IR_COND_OR, n, 0);
			open -= n - 1;
			if (counts)
				random_compare(s, seed);
		}
	}
	if (open > 1)
		add_cond(s, below(seed, 2) ? IR_COND_AND : IR_COND_OR, open, 0);
	random_shape(s, seed);
}

struct ir_sig *random_sig(struct ir_set *set, uint64_t *seed, unsigned number)
{
	static const uint8_t targets[] = {0, 0, 0, 1, 6};
	struct ir_sig *s = arena_alloc(&set->arena, sizeof *s);
	char name[32];
	snprintf(name, sizeof name, "S%05u", number);
	s->name = arena_strndup(&set->arena, name, strlen(name));
	s->target = targets[below(seed, 5)];
	s->nsubsigs = below(seed, 2) ? 1 : 1 + below(seed, 4);
	s->subsigs = arena_alloc(&set->arena, s->nsubsigs * sizeof *s->subsigs);
	for (uint32_t i = 0; i < s->nsubsigs; i++) {
		struct ir_subsig *sub = &s->subsigs[i];
		sub->npatterns = below(seed, 8) ? 1 : 2;
		sub->patterns = arena_alloc(&set->arena, sub->npatterns * sizeof *sub->patterns);
		for (uint32_t k = 0; k < sub->npatterns; k++)
			sub->patterns[k] = random_pattern(set, seed, s->target);
	}
	random_conds(set, s, seed);
	return s;
}

/* -- objects -------------------------------------------------------------------------------- */

struct out {
	uint8_t *data;
	size_t size, at;
	uint64_t *seed;
};

static void put(struct out *o, uint8_t b)
{
	if (o->at < o->size)
		o->data[o->at++] = b;
}

static void instance(struct out *o, const struct ir_elem *el, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)t_rand(o->seed);
		if (el[i].kind == IR_BYTE)
			put(o, (uint8_t)(el[i].value | (letter(o->seed) & ~el[i].mask)));
		else if (el[i].kind == IR_NEAR)
			continue;
		else if (el[i].kind == IR_BOUND)
			put(o, (uint8_t) " \n."[b % 3]);
		else if (el[i].kind == IR_SET) {
			for (unsigned k = 0; k < 256 && !(el[i].set[b / 64] >> (b % 64) & 1); k++)
				b++;
			put(o, b);
		} else {
			const struct ir_alt *a = &el[i].alts[b % el[i].nalts];
			instance(o, a->elems, a->nelems);
		}
	}
}

static void plant(struct out *o, const struct ir_pattern *p)
{
	size_t start = o->at;
	for (uint32_t k = 0; k < p->nparts; k++) {
		uint32_t gap = p->parts[k].gap_min, more = p->parts[k].gap_max - gap;
		gap += below(o->seed, (more > 20 ? 20 : more) + 1);
		for (uint32_t i = 0; i < gap; i++)
			put(o, letter(o->seed));
		instance(o, p->parts[k].elems, p->parts[k].nelems);
	}
	if (below(o->seed, 4) == 0 && o->at > start)
		o->data[start + t_rand(o->seed) % (o->at - start)] = letter(o->seed);
}

void random_object(const struct ir_set *set, uint64_t *seed, uint8_t *data, size_t size)
{
	struct out o = {.data = data, .size = size, .seed = seed};
	while (o.at < size) {
		for (uint32_t n = below(seed, 24); n > 0; n--)
			put(&o, letter(seed));
		const struct ir_sig *s = set->sigs[below(seed, (uint32_t)set->nsigs)];
		const struct ir_subsig *sub = &s->subsigs[below(seed, s->nsubsigs)];
		plant(&o, &sub->patterns[below(seed, sub->npatterns)]);
	}
}

void random_layout(uint64_t *seed, size_t size, struct exe_layout *ret)
{
	*ret = (struct exe_layout){.valid = below(seed, 8) != 0, .has_ep = below(seed, 8) != 0};
	ret->ep = t_rand(seed) % (size + 10);
	ret->nsections = below(seed, 4);
	for (uint32_t i = 0; i < ret->nsections; i++) {
		ret->sections[i].off = t_rand(seed) % (size + 10);
		ret->sections[i].size = t_rand(seed) % (size + 10);
	}
}
