/* What goes to the sink, and by it the verdict. */
#include "base/sum64.h"
#include "scan/internal.h"

#include <string.h>

/* Reasons told per file: a damaged archive may give one for each of its members. The verdict is
 * settled by the first. */
#define REPORTS_MAX 64

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

st_t report_found(struct scanner *s, struct object *o, uint32_t nameref, struct err *e)
{
	char name[DB_NAME_MAX];
	bool trusted, is_first;
	if (s->done || ((nameref & DB_NAMEREF_PUA) && !s->opts.detect_pua))
		return ST_OK;
	TRY(match_is_trusted(s, o, &trusted, e));
	if (trusted)
		return ST_OK;
	TRY(is_new(s, nameref, &is_first, e));
	if (!is_first)
		return ST_OK;
	TRY(db_name(s->db, nameref, name, e));
	s->found = true;
	s->done = !s->opts.all_matches;
	s->stop |= s->done;
	return s->sink->found(s->sink->ctx, name, nameref & DB_NAMEREF_OFFICIAL, inner_path(s));
}
