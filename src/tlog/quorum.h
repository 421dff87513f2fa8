/* The quorum of a policy as a tree: witnesses are its leaves, groups its inner nodes. Only policy.c
 * makes one and only quorum.c reads it.
 *
 * Invariants
 * 1. "A group definition can only refer to names defined on preceding lines": a member stands
 *    before its group in `node`, so one pass from first to last evaluates everything.
 * 2. "Each defined name can be listed as a group member at most once": a node has one parent. */
#ifndef VITRINE_TLOG_QUORUM_H
#define VITRINE_TLOG_QUORUM_H

#include "tlog/policy.h"

#define QUORUM_NODES_MAX ((size_t)2 * POLICY_ITEMS_MAX) /* witnesses and groups */
#define QUORUM_NO_NODE SIZE_MAX

struct quorum_node {
	const char *name;
	bool is_group;
	size_t witness; /* its index in the policy, if it is no group */
	size_t k, n;    /* of a group: k of its n members */
	size_t parent;  /* the group that it is a member of, or QUORUM_NO_NODE */
};

struct policy_quorum {
	struct quorum_node node[QUORUM_NODES_MAX];
	size_t n;
	size_t root;
};

#endif
