/* A quick look at the neighbours of a part that matched: may the pattern match around it?
 *
 * Only parts at a bounded, small distance are looked at; whatever is farther, or costs too much, is
 * taken as possible. "No" is final, "yes" is a candidate for the exact evaluation (chain.c). */
#include "verify/view.h"

#define NEAR_STEPS 512u /* comparisons for one look */

struct near {
	struct view *v;
	const struct db_pattern *p;
	size_t origin; /* start of the part that matched */
	uint32_t steps;
};

static const struct db_part *part_of(const struct near *n, uint32_t k)
{
	return &n->v->db->part[n->p->part + k];
}

/* Too far away, or too much work: then anything is possible. */
static bool unknown(struct near *n, const struct db_part *next, size_t at)
{
	return next->gap_max == UINT32_MAX || next->max_len != next->min_len ||
	       at + next->gap_max + next->max_len > n->origin + NEAR_REACH || n->steps > NEAR_STEPS;
}

static bool right(struct near *n, uint32_t k, size_t end)
{
	if (k + 1 == n->p->nparts)
		return true;
	const struct db_part *next = part_of(n, k + 1);
	if (unknown(n, next, end))
		return true;
	struct ends ends;
	for (size_t gap = next->gap_min; gap <= next->gap_max; gap++) {
		if (++n->steps > NEAR_STEPS)
			return true;
		if (part_match(n->v, next, end + gap, &ends) && right(n, k + 1, end + gap + next->min_len))
			return true;
	}
	return false;
}

static bool left(struct near *n, uint32_t k, size_t start)
{
	if (k == 0)
		return true;
	const struct db_part *here = part_of(n, k), *before = part_of(n, k - 1);
	if (here->gap_max == UINT32_MAX || before->max_len != before->min_len)
		return true;
	struct ends ends;
	for (size_t gap = here->gap_min; gap <= here->gap_max; gap++) {
		size_t back = gap + before->min_len;
		if (++n->steps > NEAR_STEPS)
			return true;
		if (back > start)
			return false;
		if (part_match(n->v, before, start - back, &ends) && left(n, k - 1, start - back))
			return true;
	}
	return false;
}

bool near_possible(struct view *v, const struct db_pattern *p, uint32_t part, size_t start)
{
	const struct db_part *here = &v->db->part[part];
	if (p->nparts == 1 || here->max_len != here->min_len)
		return true;
	struct near n = {.v = v, .p = p, .origin = start};
	uint32_t k = part - p->part;
	return right(&n, k, start + here->min_len) && left(&n, k, start);
}
