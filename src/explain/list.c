/* All names of a database and what stands under each; and its counters. */
#include "explain/explain.h"
#include "explain/notes.h"
#include "explain/words.h"

#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What stands under a name. */
enum what {
	BODY = 1,
	LOGICAL = 2,
	FILE_HASH = 4,
	SECTION_HASH = 8,
	TRUST = 16,
	PUA = 32,
	IMPORT_HASH = 64,
	MEMBER = 128,
};

struct mark {
	uint8_t what;
	uint16_t targets; /* bit n: of signatures for target n */
};

struct list {
	struct mark *mark; /* by index of the name */
	uint32_t n;
	enum db_hash_use use;
};

static void mark_sigs(struct list *l, const struct db_view *db)
{
	for (size_t i = 0; i < db->nsig; i++) {
		const struct db_sig *s = &db->sig[i];
		struct mark *m = &l->mark[s->nameref & DB_NAMEREF_INDEX];
		m->what |= s->flags & DB_SIG_LOGICAL ? LOGICAL : BODY;
		m->what |= s->nameref & DB_NAMEREF_PUA ? PUA : 0;
		m->targets |= (uint16_t)(1u << s->target);
	}
}

static void mark_members(struct list *l, const struct db_view *db)
{
	for (size_t i = 0; i < db->nmember; i++) {
		uint32_t nameref = db->member[i].nameref;
		l->mark[nameref & DB_NAMEREF_INDEX].what |= MEMBER | (nameref & DB_NAMEREF_PUA ? PUA : 0);
	}
}

static st_t mark_row(void *ctx, const struct db_hash_row *r, struct err *e)
{
	static const uint8_t what[DB_HASH_USES] = {FILE_HASH, SECTION_HASH, TRUST, IMPORT_HASH};
	struct list *l = ctx;
	uint32_t i = r->nameref & DB_NAMEREF_INDEX;
	if (i >= l->n)
		return fail(e, ST_BAD_SUM, i, "database: a digest without a name");
	l->mark[i].what |= what[l->use] | (r->nameref & DB_NAMEREF_PUA ? PUA : 0);
	return ST_OK;
}

static st_t mark_all(struct list *l, const struct db *db, struct err *e)
{
	mark_sigs(l, db_view(db));
	mark_members(l, db_view(db));
	for (unsigned u = 0; u < DB_HASH_USES; u++) {
		l->use = u;
		for (unsigned k = 0; k < DIGEST_KINDS; k++)
			TRY(db_hash_each(db, u, k, mark_row, l, e));
	}
	return ST_OK;
}

static bool same_letter(char a, char b)
{
	return !strncasecmp(&a, &b, 1);
}

/* `*` is any text, `?` any byte. Goes back to the last `*` only, so the work is bounded by the
 * product of both lengths. */
static bool glob(const char *pattern, const char *s)
{
	const char *star = NULL, *again = NULL;
	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			again = s;
		} else if (*pattern && (*pattern == '?' || same_letter(*pattern, *s))) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool wanted(const char *pattern, const char *name)
{
	if (strpbrk(pattern, "*?"))
		return glob(pattern, name);
	return !*pattern || strcasestr(name, pattern);
}

static void say_kind(struct out *o, bool *first, bool there, const char *word)
{
	if (there)
		out_say(o, "%s%s", *first ? "" : ", ", word);
	*first &= !there;
}

static void say_targets(struct out *o, uint16_t targets)
{
	bool first = true;
	for (uint8_t t = 0; t < DB_TARGETS; t++) {
		if (!(targets >> t & 1))
			continue;
		out_say(o, "%s%s", first ? " for " : " and ", word_target(t));
		first = false;
	}
}

static void put_name(struct out *o, const char *name, const struct mark *m)
{
	bool first = true;
	out_name(o, name);
	out_say(o, "  ");
	say_kind(o, &first, m->what & BODY, "body");
	say_kind(o, &first, m->what & LOGICAL, "logical");
	say_targets(o, m->targets);
	say_kind(o, &first, m->what & FILE_HASH, "file hash");
	say_kind(o, &first, m->what & SECTION_HASH, "section hash");
	say_kind(o, &first, m->what & TRUST, "trusted hash");
	say_kind(o, &first, m->what & IMPORT_HASH, "import hash");
	say_kind(o, &first, m->what & MEMBER, "container member");
	say_kind(o, &first, m->what & PUA, "PUA");
	out_open(o, "names");
	out_str(o, "name", name);
	out_bool(o, "active", true);
	out_bool(o, "body", m->what & BODY);
	out_bool(o, "logical", m->what & LOGICAL);
	out_bool(o, "file_hash", m->what & FILE_HASH);
	out_bool(o, "section_hash", m->what & SECTION_HASH);
	out_bool(o, "trusted_hash", m->what & TRUST);
	out_bool(o, "import_hash", m->what & IMPORT_HASH);
	out_bool(o, "container_member", m->what & MEMBER);
	out_bool(o, "pua", m->what & PUA);
	out_close(o);
}

static st_t put_names(struct out *o, const struct db *db, const char *pattern,
                      const struct list *l, struct err *e)
{
	struct db_names w;
	bool more;
	for (db_names_start(db, &w);;) {
		TRY(db_names_next(&w, &more, e));
		if (!more || o->st != ST_OK)
			return o->st;
		if (wanted(pattern, w.name))
			put_name(o, w.name, &l->mark[w.next - 1]);
	}
}

static void put_inactive(struct out *o, const struct db_view *v, const char *pattern)
{
	for (size_t i = 0; i < v->nnote && o->st == ST_OK; i++) {
		struct note note;
		note_read(&v->note[i], &note);
		if (wanted(pattern, note.name))
			note_put_line(o, &note);
	}
}

st_t explain_list(struct out *o, const struct db *db, const char *pattern, struct err *e)
{
	struct list l = {.n = db_meta(db)->nnames};
	l.mark = calloc((size_t)l.n + 1, sizeof *l.mark);
	if (!l.mark)
		return fail(e, ST_NOMEM, 0, "list: out of memory");
	st_t st = mark_all(&l, db, e);
	if (st == ST_OK)
		st = put_names(o, db, pattern, &l, e);
	if (st == ST_OK)
		put_inactive(o, db_view(db), pattern);
	free(l.mark);
	return st;
}
