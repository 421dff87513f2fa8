/* Which release is to be active, by policy and by the customer's wishes. No I/O. */
#include "update/state.h"

#define NEVER INT64_MAX
#define AT_ONCE INT64_MIN

/* When a release has waited long enough. */
static int64_t due_at(const struct update_state *s, const struct update_policy *p,
                      const struct update_release *r)
{
	int64_t t;
	if (r->flags & (UPDATE_FAILED | UPDATE_HELD))
		return NEVER;
	if (r->flags & UPDATE_APPROVED)
		return AT_ONCE;
	if (s->hold_all || p->hold == UPDATE_HOLD_MANUAL)
		return NEVER;
	if (p->hold == UPDATE_HOLD_NONE)
		return AT_ONCE;
	if (p->hold_time > INT64_MAX || __builtin_add_overflow(r->seen, (int64_t)p->hold_time, &t))
		return NEVER;
	return t;
}

int update_state_due(const struct update_state *s, const struct update_policy *p, int64_t now,
                     int64_t *ret_until)
{
	int due = -1;
	int64_t until = 0;
	/* From the newest on: what is older than one that is due need not wait any more. */
	for (int i = (int)s->n - 1; i > s->current && due < 0; i--) {
		int64_t t = due_at(s, p, &s->v[i]);
		if (t == NEVER)
			continue;
		if (t <= now)
			due = i;
		else if (until == 0 || t < until)
			until = t;
	}
	*ret_until = until;
	return due;
}

int update_state_previous(const struct update_state *s)
{
	int best = -1;
	for (int i = 0; i < (int)s->n; i++) {
		uint32_t f = s->v[i].flags;
		if (i == s->current || !(f & UPDATE_WAS_CURRENT) || f & (UPDATE_FAILED | UPDATE_HELD))
			continue;
		if (best < 0 || s->v[i].activated > s->v[best].activated)
			best = i;
	}
	return best;
}
