/* Inside of verify/: the object at hand and the budget for looking at it. */
#ifndef VITRINE_VERIFY_VIEW_H
#define VITRINE_VERIFY_VIEW_H

#include "db/db.h"
#include "db/filetypes.h"
#include "match/find.h"
#include "verify/facts.h"
#include "verify/regex.h"

/* Where the filters saw the one part of a signature that they look for: no match of its pattern has
 * that part before `first` or behind `last`. */
struct trace {
	uint32_t part; /* in DB_SEC_PART; NO_TRACE: nothing is known */
	uint32_t first, last;
};
#define NO_TRACE UINT32_MAX

struct refute;

struct view {
	const struct db_view *db;
	const uint8_t *data;
	size_t size;
	const struct exe_layout *exe; /* NULL: not an executable, or not known yet */
	const struct object_facts *facts;
	struct regexes *regexes;
	find_fn *find;
	const struct refute *refute; /* NULL: nothing was looked for */
	uint64_t deadline_ns;         /* monotonic; 0 is none */
	uint32_t ticks;
	bool over; /* the deadline passed: every search gives up */
	bool regex_limited; /* a regular expression was given up */
	struct trace trace; /* of the signature that is being evaluated */
};

/* [0-9A-Za-z], whatever the locale: what boundaries and the modifier `f` call a word. */
static inline bool is_alnum(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

/* Counts one step of work; true once the time is over. The clock is read once in 4,096 steps. */
bool view_tick(struct view *v);

/* The same after a longer stretch of work: reads the clock now. */
bool view_clock(struct view *v);

/* Ends of the matches of one part at one start: base + i for every bit i. */
#define ENDS_WORDS (DB_PART_SPAN / 64 + 1)
struct ends {
	size_t base;
	uint32_t span; /* highest bit that may be set */
	uint64_t bit[ENDS_WORDS];
};

/* True if `part` matches at `pos`; then *ret holds where it may end. */
bool part_match(struct view *v, const struct db_part *part, size_t pos, struct ends *ret);

/* The first match of `part` that starts in [from, to]. */
bool part_find(struct view *v, const struct db_part *part, size_t from, size_t to, size_t *ret,
               struct ends *ret_ends);

/* The modifier "whole word", and offsets at keys of the version information: may pattern p start at
 * s; may it end at one of these ends? */
bool pattern_start_allowed(const struct view *v, const struct db_pattern *p, size_t s);
bool pattern_end_allowed(const struct view *v, const struct db_pattern *p, const struct ends *e);

/* `part` of pattern p matches at `start`: false if its near neighbours rule out that p matches
 * there. Looks at no byte at or behind start + NEAR_REACH. */
#define NEAR_REACH 2048u
bool near_possible(struct view *v, const struct db_pattern *p, uint32_t part, size_t start);

/* Where the first part of a pattern may start: first..last inclusive; false if nowhere. Needs
 * v->exe for offsets into executables. */
struct place_range {
	size_t first, last;
};
bool pattern_range(const struct view *v, const struct db_pattern *p, struct place_range *ret);

/* The place that the offset of p names; false if the object has none. */
bool pattern_origin(const struct view *v, const struct db_pattern *p, uint64_t *ret);

/* How far behind it a match may start; SIZE_MAX without an offset. */
uint64_t pattern_shift(const struct view *v, const struct db_pattern *p);

/* Does a key of the version information start at `at`, or up to `shift` before it? */
bool is_version_key(const struct view *v, size_t at, uint32_t shift);

/* The one place where a pattern without maxshift may start; false if there is none. Does not look
 * at the pattern's length. */
bool pattern_place(const struct view *v, const struct db_pattern *p, size_t *ret);

/* Matches of a pattern in the object: distinct starts of its last part, counted up to `enough`.
 * `links` is scratch for p->nparts links. */
struct link;
size_t link_size(void);
uint64_t pattern_count(struct view *v, const struct db_pattern *p, uint64_t enough,
                       struct link *links);

/* The last of those matches: where its first part starts (the earliest way to get there) and where
 * its last part does. False if there is no match. */
struct last_match {
	size_t start, last_part;
};
bool pattern_last(struct view *v, const struct db_pattern *p, struct link *links,
                  struct last_match *ret);

/* Matches of regular expression p; 1 at most unless it is global. Where the first n of them start
 * and end goes to ret[0..n). */
struct regex_match {
	size_t start, end;
};
uint64_t regex_matches(struct view *v, const struct db_pattern *p, struct regex_match *ret,
                       size_t n);
uint64_t regex_count(struct view *v, const struct db_pattern *p);

/* True if comparison p of signature s holds. */
bool compare_holds(struct view *v, const struct db_sig *s, const struct db_pattern *p,
                   struct link *links);

/* False if what signature s (DB_SIG_GATED) asks about the object's size and layers does not hold:
 * then none of its bytes matter. */
bool cond_gates_open(const struct view *v, const struct db_sig *s);

/* Evaluates the condition of signature s. */
bool cond_true(struct view *v, const struct db_sig *s, struct link *links);

#endif
