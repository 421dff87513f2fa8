/* What goes to the sink, and by it the verdict. */
#include "base/num.h"
#include "base/rd.h"
#include "base/sum64.h"
#include "scan/internal.h"

#include <string.h>

/* Reasons told per file: a damaged archive may give one for each of its members. The verdict is
 * settled by the first. */
#define REPORTS_MAX 64

/* Names of heuristics that wait for the end of the file; more are told as they come. */
#define POSTPONED_MAX 4096

static const char *inner_path(const struct scanner *s)
{
	return s->path.len ? (const char *)s->path.data : "";
}

st_t report_incomplete(struct scanner *s, st_t why, const char *text)
{
	s->incomplete = true;
	if (s->reports >= REPORTS_MAX)
		return ST_OK;
	s->reports++;
	return s->sink->incomplete(s->sink->ctx, why, text[0] ? text : st_name(why), inner_path(s));
}

/* Two members may have one path, two signatures one name: each pair is told once. */
static st_t is_new(struct scanner *s, uint32_t nameref, bool *ret, struct err *e)
{
	const char *inner = inner_path(s);
	uint64_t key = sum64(inner, strlen(inner)) * 31 + (nameref & DB_NAMEREF_INDEX);
	return seen_add(&s->seen, key, ret, e);
}

/* "PUA.Win.Tool-1": the category is Win. Names of other forms have none: with a choice of
 * categories they never count, as in clamscan. */
static bool category_counts(const struct scan_opts *o, const char *name)
{
	char key[SCAN_PUA_MAX];
	if (!o->pua_categories[0])
		return true;
	if (strncmp(name, "PUA.", 4) != 0)
		return false;
	const char *from = name + 3, *end = strchr(from + 1, '.');
	size_t n = end ? (size_t)(end - from) + 1 : sizeof key;
	if (n >= sizeof key)
		return false;
	memcpy(key, from, n);
	key[n] = '\0';
	return (strstr(o->pua_categories, key) != NULL) != o->pua_exclude;
}

/* Names that say less than others. */
static bool is_heuristic(const char *name)
{
	static const char *const begins[] = {"PUA.", "Heuristics.", "BC.Heuristics."};
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static st_t tell(struct scanner *s, uint32_t nameref, const char *name, const char *inner)
{
	s->found = true;
	s->done = !s->opts.all_matches;
	s->stop |= s->done;
	return s->sink->found(s->sink->ctx, name, nameref & DB_NAMEREF_OFFICIAL, inner);
}

/* The first is enough if only one name is told. */
static st_t postpone(struct scanner *s, uint32_t nameref, struct err *e)
{
	const char *inner = inner_path(s);
	if (s->npostponed > 0 && !s->opts.all_matches)
		return ST_OK;
	s->npostponed++;
	buf_u32le(&s->postponed, nameref);
	buf_add(&s->postponed, inner, strlen(inner) + 1);
	return buf_check(&s->postponed, e, "findings");
}

st_t report_postponed(struct scanner *s, struct err *e)
{
	char name[DB_NAME_MAX];
	struct rd r = rd_make(s->postponed.data, s->postponed.len);
	while (s->npostponed > 0 && !s->done) {
		s->npostponed--;
		uint32_t nameref = rd_u32le(&r);
		const char *inner = (const char *)s->postponed.data + r.pos;
		rd_skip(&r, strlen(inner) + 1);
		TRY(db_name(s->db, nameref, name, e));
		TRY(tell(s, nameref, name, inner));
	}
	return ST_OK;
}

st_t report_found(struct scanner *s, struct object *o, uint32_t nameref, struct err *e)
{
	char name[DB_NAME_MAX];
	bool trusted, is_first, pua = nameref & DB_NAMEREF_PUA;
	if (s->done || (pua && !s->opts.detect_pua))
		return ST_OK;
	TRY(match_is_trusted(s, o, &trusted, e));
	if (trusted)
		return ST_OK;
	TRY(is_new(s, nameref, &is_first, e));
	if (!is_first)
		return ST_OK;
	TRY(db_name(s->db, nameref, name, e));
	if (pua && !category_counts(&s->opts, name))
		return ST_OK;
	if (is_heuristic(name) && !s->opts.heuristics_first && s->npostponed < POSTPONED_MAX)
		return postpone(s, nameref, e);
	return tell(s, nameref, name, inner_path(s));
}
