/* The spaces of two databases: which record became which. */
#include "pack/delta_vdb.h"

#include "base/num.h"

/* Fields that are numbers of other records. */
static const struct {
	uint8_t section, field, space, bits;
} refs[] = {
	{SIG, 0, S_NAME, NAMEREF_BITS}, {SIG, 4, S_COND, 32},   {SIG, 12, S_PATTERN, 32},
	{PATTERN, 0, S_SIG, 32},        {PATTERN, 4, S_PART, 32}, {PART, 0, S_PATTERN, 32},
	{PART, 12, S_CODE, 32},         {PART, 28, S_CODE, 32}, {SLOT, 8, S_PART, 32},
	{PLACE, 16, S_PATTERN, 32},     {ALWAYS, 0, S_SIG, 32}, {REGEX, 0, S_PATTERN, 32},
	{REGEX, 4, S_CODE, 32},         {REGEX, 16, S_COND, 32}, {COMPARE, 0, S_PATTERN, 32},
	{IMAGE, 8, S_PATTERN, 32},
};

struct delta_script *vdb_space(const struct vdb_plan *p, unsigned space)
{
	return &p->m->space[space];
}

struct delta_table vdb_table(const struct vdb_plan *p, unsigned id)
{
	struct delta_table t = {.old_off = p->old.sec[id].off, .new_len = p->new.sec[id].len,
	                        .stride = vdb_stride[id]};
	for (size_t i = 0; i < ARRAY_LEN(refs); i++)
		if (refs[i].section == id)
			t.ref[t.nrefs++] = (struct delta_ref){refs[i].field, refs[i].space, refs[i].bits, 0, 0};
	return t;
}

static void names_open(struct delta_names *x, int fd, const struct vdb_file *f)
{
	uint64_t off = f->sec[NAME_BLOCKS].off;
	*x = (struct delta_names){.in = {.fd = fd, .off = off, .end = off + f->sec[NAME_BLOCKS].len}};
}

static int compare_names(const struct delta_names *a, const struct delta_names *b)
{
	int order = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);
	return order ? order : (int)a->len - (int)b->len;
}

/* Names of the new file are spelled as the applier will spell them. */
static st_t names_canonical(const struct vdb_plan *p, struct err *e)
{
	struct delta_names x;
	struct buf record = {0};
	uint8_t before[DELTA_NAME_MAX];
	size_t before_len = 0;
	struct rd raw = rd_at(&p->new.all, p->new.sec[NAME_BLOCKS].off, p->new.sec[NAME_BLOCKS].len);
	bool good = !raw.bad;
	names_open(&x, p->m->new_fd, &p->new);
	for (uint64_t n = 0; good && n < p->new.names; n++) {
		good = delta_names_next(&x, NULL) == ST_OK;
		record.len = 0;
		delta_name_put(n % DELTA_NAME_BLOCK ? before : NULL, before_len, x.name, x.len, &record);
		good = good && !record.oom && rd_peek(&raw, record.data, record.len);
		rd_skip(&raw, record.len);
		memcpy(before, x.name, x.len);
		before_len = x.len;
	}
	buf_done(&record);
	return good && rd_left(&raw) == 0 ? ST_OK : vdb_not_known(e);
}

/* Both lists are sorted. */
static st_t name_space(const struct vdb_plan *p, struct err *e)
{
	struct delta_script *s = vdb_space(p, S_NAME);
	struct delta_names old, new;
	uint64_t i = 0, j = 0;
	names_open(&old, p->m->old_fd, &p->old);
	names_open(&new, p->m->new_fd, &p->new);
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.names;
	st_t st = ST_OK;
	bool next_old = true, next_new = true;
	while (i < p->old.names && j < p->new.names && st == ST_OK) {
		if (next_old)
			st = delta_names_next(&old, NULL);
		if (next_new && st == ST_OK)
			st = delta_names_next(&new, NULL);
		int order = compare_names(&old, &new);
		if (order == 0)
			delta_script_keep(s, i, j, 1);
		next_old = order <= 0;
		next_new = order >= 0;
		i += next_old;
		j += next_new;
	}
	return st == ST_OK ? names_canonical(p, e) : vdb_not_known(e);
}

/* Signatures are in order of their names. */
static void sig_space(const struct vdb_plan *p)
{
	struct delta_script *s = vdb_space(p, S_SIG);
	const uint64_t mask = (1u << NAMEREF_BITS) - 1;
	uint64_t i = 0, j = 0;
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.sec[SIG].n;
	while (i < p->old.sec[SIG].n && j < p->new.sec[SIG].n) {
		uint64_t a, b = vdb_field(&p->new, SIG, j, 0, 4) & mask;
		uint64_t old = vdb_field(&p->old, SIG, i, 0, 4) & mask;
		bool kept = delta_script_kept(vdb_space(p, S_NAME), old, &a);
		if (kept && a == b)
			delta_script_keep(s, i, j, 1);
		i += !kept || a <= b;
		j += kept && a >= b;
	}
}

/* Records of `child` that those of `owner` have: from a field on, a number of them. */
struct owned {
	uint8_t owner, space, child, child_space;
	uint8_t first, n, width; /* places of both fields; width 0: up to the next owner's first */
};

static uint64_t owned_n(const struct vdb_file *f, const struct owned *o, uint64_t i, uint64_t first)
{
	if (o->width)
		return vdb_field(f, o->owner, i, o->n, o->width);
	uint64_t next = i + 1 < f->sec[o->owner].n ? vdb_field(f, o->owner, i + 1, o->first, 4)
	                                           : f->sec[o->child].n;
	return next > first ? next - first : 0;
}

static void owned_pair(const struct vdb_plan *p, const struct owned *o, uint64_t i, uint64_t j,
                       uint64_t *old_end, uint64_t *new_end)
{
	uint64_t a = vdb_field(&p->old, o->owner, i, o->first, 4);
	uint64_t b = vdb_field(&p->new, o->owner, j, o->first, 4);
	uint64_t n = num_min_u64(owned_n(&p->old, o, i, a), owned_n(&p->new, o, j, b));
	if (n == 0 || a < *old_end || b < *new_end || a > p->old.sec[o->child].n ||
	    n > p->old.sec[o->child].n - a || b > p->new.sec[o->child].n ||
	    n > p->new.sec[o->child].n - b)
		return;
	delta_script_keep(vdb_space(p, o->child_space), a, b, n);
	*old_end = a + n;
	*new_end = b + n;
}

static void owned_space(const struct vdb_plan *p, const struct owned *o)
{
	const struct delta_script *owner = vdb_space(p, o->space);
	uint64_t old_end = 0, new_end = 0;
	delta_script_keep(vdb_space(p, o->child_space), 0, 0, 0);
	vdb_space(p, o->child_space)->new_n = p->new.sec[o->child].n;
	for (size_t k = 0; k < delta_script_n(owner); k++) {
		const struct delta_run *r = delta_script_at(owner, k);
		for (uint64_t i = 0; i < r->keep; i++)
			owned_pair(p, o, r->old + i, r->new + i, &old_end, &new_end);
	}
}

static struct vdb_range slot_range(const struct vdb_plan *p, const struct vdb_class *a,
                                   const struct vdb_class *b)
{
	struct vdb_range r = {.t = vdb_table(p, SLOT), .key_len = vdb_stride[SLOT], .old_n = a->nslots,
	                      .new_n = b->nslots};
	r.t.old_off += a->slot * vdb_stride[SLOT];
	r.new_off = p->new.sec[SLOT].off + b->slot * vdb_stride[SLOT];
	return r;
}

/* Slots stay in order within their class. */
static st_t slot_space(const struct vdb_plan *p, struct err *e)
{
	struct delta_script *s = vdb_space(p, S_SLOT);
	bool same = vdb_same_classes(p);
	struct vdb_class all[2] = {{.nslots = p->old.sec[SLOT].n}, {.nslots = p->new.sec[SLOT].n}};
	delta_script_keep(s, 0, 0, 0);
	s->new_n = p->new.sec[SLOT].n;
	for (uint64_t i = 0; i < (same ? p->new.sec[FILTER].n * FILTER_CLASSES : 1); i++) {
		struct vdb_class a = same ? vdb_class_at(&p->old, i) : all[0];
		struct vdb_class b = same ? vdb_class_at(&p->new, i) : all[1];
		struct vdb_range r = slot_range(p, &a, &b);
		TRY(vdb_align(p, &r, a.slot, b.slot, s, e));
	}
	return ST_OK;
}

st_t vdb_make_spaces(const struct vdb_plan *p, struct err *e)
{
	static const struct owned owned[] = {
		{SIG, S_SIG, COND, S_COND, 4, 8, 2},
		{SIG, S_SIG, PATTERN, S_PATTERN, 12, 16, 4},
		{PATTERN, S_PATTERN, PART, S_PART, 4, 8, 2},
		{PART, S_PART, CODE, S_CODE, 12, 0, 0},
	};
	p->m->nspaces = SPACES;
	TRY(name_space(p, e));
	sig_space(p);
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		owned_space(p, &owned[i]);
	TRY(slot_space(p, e));
	for (unsigned i = 0; i < SPACES; i++)
		TRY(buf_check(&vdb_space(p, i)->runs, e, "delta"));
	return ST_OK;
}
