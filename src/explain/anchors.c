/* What the filters look for: the bytes without which a signature cannot match (sig/anchor.c chose
 * them). Read from the tables that the engine uses, so that it is what it does. */
#include "explain/words.h"

#include "base/num.h"
#include "db/gram.h"

#include <inttypes.h>
#include <stdlib.h>

/* Grams shown for one part: the longest stride has eight. */
#define GRAMS_SHOWN 16u

static bool ours(const struct db_view *db, uint32_t id, uint32_t pattern)
{
	return db->pattern[pattern].sig == id;
}

/* The class of a slot, or DB_CLASSES. */
static enum db_class_id class_of(const struct db_view *db, size_t slot)
{
	for (size_t f = 0; f < db->nfilter; f++) {
		for (enum db_class_id c = 0; c < DB_CLASSES; c++) {
			const struct db_class *k = &db->filter[f].cls[c];
			if (k->ngrams && slot >= k->slot && slot - k->slot < k->nslots)
				return c;
		}
	}
	return DB_CLASSES;
}

static void put_gram(struct out *o, const struct db_view *db, const struct db_slot *s,
                     uint32_t len)
{
	uint8_t value[8], mask[8];
	bool folded = false;
	part_window(db, &db->part[s->part], s->delta, len, value, mask);
	for (uint32_t i = 0; i < len; i++)
		folded |= mask[i] != 0xff;
	out_bytes(o, value, len);
	out_say(o, "  ");
	out_quote(o, value, len);
	out_say(o, ", ");
	say_bytes(o, s->delta);
	out_say(o, " into the part%s", folded ? ", letters in either case" : "");
	out_open(o, "grams");
	out_hex(o, "hex", value, len);
	out_num(o, "delta", s->delta);
	out_close(o);
}

static void say_where(struct out *o, const struct db_view *db, const struct subsigs *subs,
                      const struct db_sig *s, uint32_t part)
{
	const struct db_part *p = &db->part[part];
	const struct db_pattern *of = &db->pattern[p->pattern];
	uint32_t k = p->pattern - s->pattern, sub = subsig_of(subs, k);
	if (of->nparts > 1)
		out_say(o, "part %" PRIu32 " of ", part - of->part + 1);
	out_say(o, "sub-signature %" PRIu32, sub);
	if (subs->v[sub].count > 1)
		out_say(o, of->flags & DB_PAT_WIDE ? ", wide form" : ", plain form");
}

static void put_grams_of(struct out *o, const struct db_view *db, const struct db_sig *s,
                         const struct subsigs *subs, const uint32_t *slot, size_t n)
{
	enum db_class_id id = class_of(db, slot[0]);
	if (id == DB_CLASSES)
		return;
	struct gram_class c = gram_class(id);
	out_say(o, "Anchor: ");
	say_where(o, db, subs, s, db->slot[slot[0]].part);
	if (c.stride == 1)
		out_say(o, "; %u bytes are looked up at every offset,", c.len);
	else
		out_say(o, "; %u bytes are looked up at every offset that is a multiple of %u,", c.len,
		        c.stride);
	out_say(o, n == 1 ? " here these:" : " here one of these:");
	uint32_t part = db->slot[slot[0]].part, pattern = db->part[part].pattern;
	out_open(o, "anchors");
	out_str(o, "kind", "grams");
	out_num(o, "pattern", pattern - s->pattern);
	out_num(o, "part", part - db->pattern[pattern].part + 1);
	out_num(o, "length", c.len);
	out_num(o, "stride", c.stride);
	for (size_t i = 0; i < n && i < GRAMS_SHOWN; i++)
		put_gram(o, db, &db->slot[slot[i]], c.len);
	if (n > GRAMS_SHOWN) {
		out_say(o, "and %zu more", n - GRAMS_SHOWN);
		out_remark(o);
	}
	out_close(o);
}

/* Grams of one part of the signature, in the order of the part's bytes. */
struct found {
	uint32_t slot, part, delta;
};

static int by_part(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	if (x->delta != y->delta)
		return x->delta < y->delta ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void put_grams(struct out *o, const struct db_view *db, const struct db_sig *s,
                      const struct subsigs *subs, const struct found *f, size_t n)
{
	uint32_t slot[GRAMS_SHOWN];
	for (size_t i = 0, k; i < n; i += k) {
		for (k = 0; i + k < n && f[i + k].part == f[i].part; k++)
			if (k < GRAMS_SHOWN)
				slot[k] = f[i + k].slot;
		put_grams_of(o, db, s, subs, slot, num_min_size(k, GRAMS_SHOWN));
	}
}

/* A gram is in the filters of every target that the signature is for: once is enough here. */
static size_t drop_repeats(struct found *f, size_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < n; i++)
		if (out == 0 || f[out - 1].part != f[i].part || f[out - 1].delta != f[i].delta)
			f[out++] = f[i];
	return out;
}

static void collect_grams(struct out *o, const struct db_view *db, uint32_t id,
                          const struct subsigs *subs)
{
	struct buf b = {0};
	for (size_t i = 0; i < db->nslot; i++) {
		const struct db_slot *s = &db->slot[i];
		if (!ours(db, id, db->part[s->part].pattern))
			continue;
		struct found f = {(uint32_t)i, s->part, s->delta};
		buf_add(&b, &f, sizeof f);
	}
	if (b.oom && o->st == ST_OK)
		o->st = fail(&o->e, ST_NOMEM, 0, "anchors: out of memory");
	size_t n = b.oom ? 0 : b.len / sizeof(struct found);
	if (n) {
		struct found *f = (struct found *)(void *)b.data;
		qsort(f, n, sizeof *f, by_part);
		put_grams(o, db, &db->sig[id], subs, f, drop_repeats(f, n));
	}
	buf_done(&b);
}

static void put_place(struct out *o, const struct db_view *db, const struct db_sig *s,
                      const struct subsigs *subs, const struct db_place *p)
{
	uint8_t value[8];
	size_t n = 0;
	while (n < 8 && (p->mask >> (8 * n) & 0xff) == 0xff) {
		value[n] = (uint8_t)(p->value >> (8 * n));
		n++;
	}
	out_say(o, "Anchor: ");
	say_where(o, db, subs, s, db->pattern[p->pattern].part);
	out_say(o, " can be at one place only, where it is compared");
	if (n) {
		out_say(o, "; it begins with ");
		out_bytes(o, value, n);
		out_say(o, "  ");
		out_quote(o, value, n);
	}
	out_open(o, "anchors");
	out_str(o, "kind", "place");
	out_num(o, "pattern", p->pattern - s->pattern);
	out_hex(o, "hex", value, n);
	out_close(o);
}

static bool is_always(const struct db_view *db, uint32_t id)
{
	for (size_t i = 0; i < db->nalways; i++)
		if (db->always[i] == id)
			return true;
	return false;
}

/* A pattern for any file is in the list of every target: once is enough here. */
static void put_places(struct out *o, const struct db_view *db, uint32_t id,
                       const struct subsigs *subs)
{
	const struct db_sig *s = &db->sig[id];
	bool seen[SUBSIGS_MAX] = {false};
	for (size_t i = 0; i < db->nplace; i++) {
		uint32_t p = db->place[i].pattern, k = p - s->pattern;
		if (!ours(db, id, p) || k >= SUBSIGS_MAX || seen[k])
			continue;
		seen[k] = true;
		put_place(o, db, s, subs, &db->place[i]);
	}
}

void explain_anchors(struct out *o, const struct db_view *db, uint32_t id,
                     const struct subsigs *subs)
{
	collect_grams(o, db, id, subs);
	put_places(o, db, id, subs);
	if (!is_always(db, id))
		return;
	out_say(o, "Anchor: none that pays; it is tried on %s", word_target(db->sig[id].target));
	out_open(o, "anchors");
	out_str(o, "kind", "always");
	out_close(o);
}
