/* Is a set of witnesses a quorum (C2SP tlog-policy, "Defining a witness group"), and what the
 * quorum is in words. */
#include "tlog/quorum.h"

#include "tlog/text.h"

#include <string.h>

/* "The group is considered to witness a checkpoint if and only if at least k of its n members have
 * witnessed that checkpoint, each group member being either a witness or another group." */
bool policy_quorum_met(const struct policy *p, const bool *cosigned)
{
	const struct policy_quorum *q = p->quorum;
	if (!q)
		return true;
	size_t members[QUORUM_NODES_MAX] = {0};
	for (size_t i = 0; i < q->n; i++) {
		const struct quorum_node *node = &q->node[i];
		bool met = node->is_group ? members[i] >= node->k : cosigned[node->witness];
		if (i == q->root)
			return met;
		if (met && node->parent != QUORUM_NO_NODE)
			members[node->parent]++;
	}
	return false;
}

static void add_threshold(const struct quorum_node *g, struct buf *out)
{
	if (g->k == g->n)
		buf_text(out, "all of ");
	else if (g->k == 1)
		buf_text(out, "any of ");
	else {
		text_decimal_add(out, g->k);
		buf_text(out, " of ");
	}
}

/* The first member of `group` at or after node `from`, or QUORUM_NO_NODE. */
static size_t member_from(const struct policy_quorum *q, size_t group, size_t from)
{
	for (size_t i = from; i < group; i++)
		if (q->node[i].parent == group)
			return i;
	return QUORUM_NO_NODE;
}

/* Where a group goes on after its member `i`: the next member, or, up the tree, the end of the
 * group and what follows it. */
static size_t after_member(const struct policy_quorum *q, size_t i, struct buf *out)
{
	while (i != q->root) {
		size_t group = q->node[i].parent;
		size_t next = member_from(q, group, i + 1);
		if (next != QUORUM_NO_NODE) {
			buf_text(out, ", ");
			return next;
		}
		if (group != q->root)
			buf_text(out, ")");
		i = group;
	}
	return QUORUM_NO_NODE;
}

void policy_describe_quorum(const struct policy *p, struct buf *out)
{
	const struct policy_quorum *q = p->quorum;
	if (!q) {
		buf_text(out, "none");
		return;
	}
	for (size_t i = q->root; i != QUORUM_NO_NODE;) {
		const struct quorum_node *node = &q->node[i];
		if (!node->is_group) {
			buf_text(out, node->name);
			i = after_member(q, i, out);
			continue;
		}
		if (i != q->root)
			buf_text(out, "(");
		add_threshold(node, out);
		i = member_from(q, i, 0);
	}
}
