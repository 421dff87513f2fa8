/* One signature in words: patterns, parts, condition, anchors. */
#include "explain/explain.h"
#include "explain/words.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const digest_words[DIGEST_KINDS] = {
    [DIGEST_MD5] = "MD5",
    [DIGEST_SHA1] = "SHA-1",
    [DIGEST_SHA256] = "SHA-256",
};

/* -- parts ---------------------------------------------------------------------------------- */

static void say_gap(struct out *o, const struct db_part *p)
{
	if (p->gap_max == UINT32_MAX && p->gap_min == 0)
		out_say(o, ", anywhere behind the part before");
	else if (p->gap_max == UINT32_MAX)
		out_say(o, ", at least %" PRIu32 " byte%s behind the part before", p->gap_min,
		        p->gap_min == 1 ? "" : "s");
	else if (p->gap_max == 0)
		out_say(o, ", right behind the part before");
	else if (p->gap_min == p->gap_max)
		out_say(o, ", exactly %" PRIu32 " byte%s behind the part before", p->gap_min,
		        p->gap_min == 1 ? "" : "s");
	else
		out_say(o, ", %" PRIu32 " to %" PRIu32 " bytes behind the part before", p->gap_min,
		        p->gap_max);
}

static void put_part(struct out *o, const struct db_view *db, const struct db_part *p, uint32_t k)
{
	out_say(o, "Part %" PRIu32, k + 1);
	if (k > 0)
		say_gap(o, p);
	if (p->min_len != p->max_len)
		out_say(o, ", %" PRIu32 " to %" PRIu32 " bytes", p->min_len, p->max_len);
	out_say(o, ":");
	out_open(o, "parts");
	out_num(o, "part", k + 1);
	if (k > 0) {
		out_num(o, "gap_min", p->gap_min);
		if (p->gap_max != UINT32_MAX)
			out_num(o, "gap_max", p->gap_max);
	}
	out_num(o, "min_length", p->min_len);
	out_num(o, "max_length", p->max_len);
	explain_part(o, db, p);
	out_close(o);
}

/* -- patterns ------------------------------------------------------------------------------- */

static void put_modifiers(struct out *o, const struct db_pattern *p)
{
	if (p->flags & DB_PAT_WIDE) {
		out_say(o, "Wide: every character is two bytes, the second one 00 (UTF-16)");
		out_item(o, "modifiers");
	}
	if (p->flags & DB_PAT_FULLWORD) {
		out_say(o, "Whole word: no letter or digit may stand right before or behind it");
		out_item(o, "modifiers");
	}
}

static void put_other(struct out *o, const struct db_view *db, const struct db_pattern *p,
                      uint32_t sub, const struct subsigs *subs, struct cond_tree *t)
{
	out_say(o, "Sub-signature %" PRIu32 " ", sub);
	say_other(o, db, p, subs);
	out_open(o, "patterns");
	out_num(o, "subsignature", sub);
	explain_other(o, db, p, subs, t);
	out_close(o);
}

static void put_pattern(struct out *o, const struct db_view *db, const struct db_pattern *p,
                        uint32_t sub, const char *form)
{
	out_say(o, "Sub-signature %" PRIu32 "%s starts ", sub, form);
	say_offset(o, p);
	out_say(o, ":");
	out_open(o, "patterns");
	out_num(o, "subsignature", sub);
	out_str(o, "offset", word_offset_kind(p->off_kind));
	if (p->off_kind != DB_OFF_ANY) {
		out_int(o, "offset_n", p->off_n);
		out_num(o, "offset_shift", p->off_shift);
	}
	if (p->off_kind == DB_OFF_SECTION || p->off_kind == DB_OFF_IN_SECTION)
		out_num(o, "section", p->off_section);
	out_num(o, "min_length", p->min_len);
	out_bool(o, "wide", p->flags & DB_PAT_WIDE);
	out_bool(o, "whole_word", p->flags & DB_PAT_FULLWORD);
	put_modifiers(o, p);
	for (uint32_t k = 0; k < p->nparts && o->st == ST_OK; k++)
		put_part(o, db, &db->part[p->part + k], k);
	out_close(o);
}

static const char *form(bool pair, bool wide)
{
	if (!pair)
		return "";
	return wide ? ", wide form," : ", plain form,";
}

static void put_patterns(struct out *o, const struct db_view *db, const struct db_sig *s,
                         const struct subsigs *subs, struct cond_tree *t)
{
	for (uint32_t i = 0; i < subs->n; i++) {
		for (uint32_t k = 0; k < subs->v[i].count; k++) {
			const struct db_pattern *p = &db->pattern[s->pattern + subs->v[i].first + k];
			bool wide = p->flags & DB_PAT_WIDE;
			if (p->flags & DB_PAT_OTHER)
				put_other(o, db, p, i, subs, t);
			else
				put_pattern(o, db, p, i, form(subs->v[i].count > 1, wide));
		}
	}
}

/* -- condition ------------------------------------------------------------------------------ */

static void put_condition(struct out *o, const struct db_view *db, const struct db_sig *s,
                          const struct subsigs *subs, struct cond_tree *t)
{
	cond_tree_of(db, s, t);
	if (s->ncond == 0) {
		out_say(o, "Found when sub-signature 0 matches at least once.");
		out_open_one(o, "condition");
		out_close(o);
		return;
	}
	out_say(o, "Found when");
	out_open_one(o, "condition");
	explain_cond(o, t, t->root, subs);
	out_close(o);
}

/* -- signatures ----------------------------------------------------------------------------- */

static st_t put_sig(struct out *o, const struct db_view *db, uint32_t id, struct cond_tree *t,
                    struct err *e)
{
	const struct db_sig *s = &db->sig[id];
	struct subsigs subs;
	TRY(subsigs_of(db, s, &subs, e));
	out_say(o, "A %s signature for %s%s.", s->flags & DB_SIG_LOGICAL ? "logical" : "body",
	        word_target(s->target),
	        s->nameref & DB_NAMEREF_PUA ? ", used with --detect-pua only" : "");
	out_open(o, "signatures");
	out_str(o, "kind", s->flags & DB_SIG_LOGICAL ? "logical" : "body");
	out_num(o, "target", s->target);
	out_bool(o, "official", s->nameref & DB_NAMEREF_OFFICIAL);
	out_bool(o, "pua", s->nameref & DB_NAMEREF_PUA);
	if (s->handler) {
		out_say(o, "It is for objects of type %s; another one in which it holds is looked at again "
		           "as one.", word_handler(s));
		out_open_one(o, "handler");
		out_str(o, "type", word_handler(s));
		out_close(o);
	}
	put_condition(o, db, s, &subs, t);
	put_patterns(o, db, s, &subs, t);
	explain_anchors(o, db, id, &subs);
	out_close(o);
	return o->st;
}

static st_t put_sigs(struct out *o, const struct db_view *db, uint32_t index, struct err *e)
{
	struct cond_tree *t = malloc(sizeof *t);
	if (!t)
		return fail(e, ST_NOMEM, 0, "explain: out of memory");
	st_t st = ST_OK;
	for (uint32_t i = 0; i < db->nsig && st == ST_OK; i++)
		if ((db->sig[i].nameref & DB_NAMEREF_INDEX) == index)
			st = put_sig(o, db, i, t, e);
	free(t);
	return st;
}

/* -- digests -------------------------------------------------------------------------------- */

struct rows {
	struct out *o;
	uint32_t index;
	enum db_hash_use use;
	enum digest_kind kind;
};

static st_t put_row(void *ctx, const struct db_hash_row *r, struct err *e)
{
	static const char *const uses[DB_HASH_USES] = {
	    [DB_HASH_FILE] = "file",
	    [DB_HASH_SECTION] = "section",
	    [DB_HASH_TRUST] = "trust",
	    [DB_HASH_IMPORT] = "import",
	};
	static const char *const found[DB_HASH_USES] = {
	    [DB_HASH_FILE] = "Found when a whole file has the",
	    [DB_HASH_SECTION] = "Found when a section of a Windows executable (PE) has the",
	    [DB_HASH_TRUST] = "Trusted: nothing is reported in a file that has the",
	    [DB_HASH_IMPORT] = "Found when the names that a Windows executable (PE32) imports have the",
	};
	struct rows *w = ctx;
	struct out *o = w->o;
	(void)e;
	if ((r->nameref & DB_NAMEREF_INDEX) != w->index)
		return ST_OK;
	char hex[2 * DIGEST_MAX + 1];
	hex_encode(r->digest, digest_size(w->kind), hex);
	out_say(o, "%s %s %s", found[w->use], digest_words[w->kind], hex);
	if (r->size == UINT32_MAX)
		out_say(o, " and any size");
	else
		out_say(o, " and the size %" PRIu32, r->size);
	out_say(o, "%s.", r->nameref & DB_NAMEREF_PUA ? ", with --detect-pua only" : "");
	out_open(o, "hashes");
	out_str(o, "use", uses[w->use]);
	out_str(o, "algorithm", digest_words[w->kind]);
	out_str(o, "digest", hex);
	if (r->size != UINT32_MAX)
		out_num(o, "size", r->size);
	out_bool(o, "official", r->nameref & DB_NAMEREF_OFFICIAL);
	out_bool(o, "pua", r->nameref & DB_NAMEREF_PUA);
	out_close(o);
	return o->st;
}

static st_t put_hashes(struct out *o, const struct db *db, uint32_t index, struct err *e)
{
	for (unsigned u = 0; u < DB_HASH_USES; u++) {
		for (unsigned k = 0; k < DIGEST_KINDS; k++) {
			struct rows w = {.o = o, .index = index, .use = u, .kind = k};
			TRY(db_hash_each(db, u, k, put_row, &w, e));
		}
	}
	return ST_OK;
}

st_t explain_name(struct out *o, const struct db *db, uint32_t index, struct err *e)
{
	char name[DB_NAME_MAX];
	TRY(db_name(db, index, name, e));
	out_name(o, name);
	out_open(o, "name");
	out_str(o, "name", name);
	TRY(put_sigs(o, db_view(db), index, e));
	TRY(put_hashes(o, db, index, e));
	explain_members(o, db_view(db), index);
	out_close(o);
	return ST_OK;
}
