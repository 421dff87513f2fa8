/* Names: the one that was asked for, or those like it. */
#include "explain/explain.h"
#include "explain/notes.h"

#include "base/num.h"

#include <string.h>
#include <strings.h>

#define SUFFIX ".UNOFFICIAL"

/* Names proposed when there is none of that name. */
#define PROPOSED 5u

struct proposal {
	uint32_t likeness; /* 0: not alike */
	char name[DB_NAME_MAX];
};

/* Letters that both begin with and end with, in any case: what is not the same between them is a
 * slip of the pen. */
static uint32_t shared_ends(const char *a, size_t na, const char *b, size_t nb)
{
	size_t n = num_min_size(na, nb), front = 0, back = 0;
	while (front < n && !strncasecmp(a + front, b + front, 1))
		front++;
	while (back < n - front && !strncasecmp(a + na - 1 - back, b + nb - 1 - back, 1))
		back++;
	return (uint32_t)(front + back);
}

/* Alike are names that differ in case, that contain what was asked for, or that share all but a few
 * letters with it. */
static uint32_t likeness(const char *asked, const char *name)
{
	size_t na = strlen(asked), nb = strlen(name), longer = na > nb ? na : nb;
	uint32_t same = shared_ends(asked, na, name, nb);
	if (same == longer)
		return UINT32_MAX;
	if (na >= 3 && strcasestr(name, asked))
		return UINT32_MAX / 2;
	return same >= 3 && longer - same <= 2 + longer / 5 ? same : 0;
}

static void propose(struct proposal list[PROPOSED], uint32_t likely, const char *name)
{
	size_t i = PROPOSED;
	while (i > 0 && list[i - 1].likeness < likely)
		i--;
	if (i == PROPOSED)
		return;
	memmove(&list[i + 1], &list[i], (PROPOSED - 1 - i) * sizeof *list);
	list[i].likeness = likely;
	memcpy(list[i].name, name, strlen(name) + 1);
}

static void put_proposals(struct out *o, const struct proposal list[PROPOSED])
{
	for (size_t i = 0; i < PROPOSED && list[i].likeness; i++) {
		out_name(o, list[i].name);
		out_open(o, "like");
		out_str(o, "name", list[i].name);
		out_close(o);
	}
}

/* Is `name` what was asked for, as it is or with the suffix that clamscan puts behind it? */
static bool fits(const char *asked, size_t n, bool suffixed, const char *name)
{
	size_t bare = n - (suffixed ? strlen(SUFFIX) : 0);
	return !strcmp(asked, name) || (suffixed && strlen(name) == bare && !memcmp(asked, name, bare));
}

static bool put_inactive(struct out *o, const struct db_view *v, const char *name, size_t n,
                         bool suffixed)
{
	for (size_t i = 0; i < v->nnote; i++) {
		struct note note;
		note_read(&v->note[i], &note);
		if (!fits(name, n, suffixed, note.name))
			continue;
		note_put(o, &note);
		return true;
	}
	return false;
}

st_t explain_find(struct out *o, const struct db *db, const char *name, uint32_t *ret_index,
                  enum explain_found *ret, struct err *e)
{
	struct proposal list[PROPOSED] = {0};
	struct db_names w;
	char bare[DB_NAME_MAX] = "";
	size_t n = strlen(name), k = strlen(SUFFIX);
	bool suffixed = n > k && !strcmp(name + n - k, SUFFIX), more = true;
	*ret = EXPLAIN_NONE;
	if (n >= sizeof bare)
		return fail(e, ST_LIMIT, n, "no name has more than %d bytes", DB_NAME_MAX - 1);
	memcpy(bare, name, suffixed ? n - k : n);
	for (db_names_start(db, &w);;) {
		TRY(db_names_next(&w, &more, e));
		if (!more)
			break;
		if (fits(name, n, suffixed, w.name)) {
			*ret_index = w.next - 1;
			*ret = EXPLAIN_ACTIVE;
			return ST_OK;
		}
		uint32_t likely = likeness(bare, w.name);
		if (likely)
			propose(list, likely, w.name);
	}
	if (put_inactive(o, db_view(db), name, n, suffixed))
		*ret = EXPLAIN_INACTIVE;
	else
		put_proposals(o, list);
	return ST_OK;
}
