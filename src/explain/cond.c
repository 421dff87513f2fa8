/* Conditions of logical signatures in words. */
#include "explain/words.h"

#include "db/filetypes.h"

#include <inttypes.h>

/* Values that a node takes from the stack. */
static uint32_t operands(const struct db_cond *c)
{
	switch (c->op) {
	case DB_COND_AND:
	case DB_COND_OR:
		return c->a;
	case DB_COND_EQ:
	case DB_COND_GT:
	case DB_COND_LT:
		return 1;
	default:
		return 0;
	}
}

static void add_child(struct cond_tree *t, uint16_t at, uint16_t below)
{
	uint16_t *link = &t->child[at];
	while (*link != COND_NONE && t->rank[*link] < t->rank[below])
		link = &t->next[*link];
	t->next[below] = *link;
	*link = below;
	t->rank[at] = t->rank[t->child[at]];
}

/* A child that joins its own by the same operator is replaced by them: "0|1|2" groups as 0|(1|2),
 * and means the same without the group. */
static void add_children(struct cond_tree *t, uint16_t at, uint16_t below)
{
	uint32_t op = t->node[at].op;
	bool joins = (op == DB_COND_AND || op == DB_COND_OR) && t->node[below].op == op;
	if (!joins || t->child[below] == COND_NONE) {
		add_child(t, at, below);
		return;
	}
	for (uint16_t c = t->child[below], next; c != COND_NONE; c = next) {
		next = t->next[c];
		add_child(t, at, c);
	}
}

void cond_tree_of(const struct db_view *db, const struct db_sig *s, struct cond_tree *ret)
{
	static const struct db_cond only = {.op = DB_COND_ID, .a = 0, .b = 1};
	cond_tree_make(s->ncond ? db->cond + s->cond : &only, s->ncond ? s->ncond : 1, ret);
}

void cond_tree_make(const struct db_cond *cond, uint32_t count, struct cond_tree *ret)
{
	uint16_t stack[DB_COND_STACK + 1], n = 0;
	for (uint16_t i = 0; i < count && i < DB_CONDS_MAX; i++) {
		ret->node[i] = cond[i];
		ret->child[i] = ret->next[i] = COND_NONE;
		ret->rank[i] = cond[i].op == DB_COND_ID ? cond[i].a + 1 : 0;
		for (uint32_t k = operands(&ret->node[i]); k > 0 && n > 0; k--)
			add_children(ret, i, stack[--n]);
		if (n < DB_COND_STACK)
			stack[n++] = i;
	}
	ret->root = n ? stack[0] : 0;
}

static bool compares(const struct cond_tree *t, uint16_t at)
{
	uint32_t op = t->node[at].op;
	bool is = op == DB_COND_EQ || op == DB_COND_GT || op == DB_COND_LT;
	return is && t->child[at] != COND_NONE;
}

bool cond_is_plain(const struct cond_tree *t, uint16_t at)
{
	return compares(t, at) && t->node[t->child[at]].op == DB_COND_ID;
}

/* "(0|1|2)>4,2": their counts are added, whichever of them match. */
static bool sums_ids(const struct cond_tree *t, uint16_t at)
{
	if (!compares(t, at) || t->node[t->child[at]].op != DB_COND_OR)
		return false;
	for (uint16_t c = t->child[t->child[at]]; c != COND_NONE; c = t->next[c])
		if (t->node[c].op != DB_COND_ID)
			return false;
	return true;
}

bool cond_is_told(const struct cond_tree *t, uint16_t at)
{
	return cond_is_plain(t, at) || sums_ids(t, at);
}

static const char *times(uint32_t n)
{
	return n == 1 ? "once" : n == 2 ? "twice" : NULL;
}

static void say_times(struct out *o, uint32_t n)
{
	if (times(n))
		out_say(o, "%s", times(n));
	else
		out_say(o, "%" PRIu32 " times", n);
}

static void say_compared_id(struct out *o, const struct db_cond *c, uint32_t id)
{
	out_say(o, "sub-signature %" PRIu32 " ", id);
	if (c->op == DB_COND_EQ && c->a == 0) {
		out_say(o, "does not match");
		return;
	}
	if (c->op == DB_COND_LT && c->a == 0) {
		out_say(o, "matches fewer than 0 times (never true)");
		return;
	}
	out_say(o, "matches %s ",
	        c->op == DB_COND_EQ ? "exactly" : c->op == DB_COND_GT ? "more than" : "fewer than");
	say_times(o, c->a);
	if (c->op == DB_COND_LT)
		out_say(o, " (or not at all)");
}

static void say_compared_block(struct out *o, const struct db_cond *c)
{
	out_say(o, "the matches of these, added up, are %s %" PRIu32,
	        c->op == DB_COND_EQ ? "exactly" : c->op == DB_COND_GT ? "more than" : "fewer than",
	        c->a);
	if (c->b)
		out_say(o, ", and at least %" PRIu32 " different sub-signature%s match%s", c->b,
		        c->b == 1 ? "" : "s", c->b == 1 ? "es" : "");
	out_say(o, ":");
}

static void say_summed_ids(struct out *o, const struct cond_tree *t, uint16_t at,
                           const struct subsigs *subs)
{
	const struct db_cond *c = &t->node[at];
	uint16_t first = t->child[t->child[at]];
	out_say(o, "the sub-signatures ");
	for (uint16_t i = first; i != COND_NONE; i = t->next[i])
		out_say(o, "%s%" PRIu32, i == first ? "" : t->next[i] == COND_NONE ? " and " : ", ",
		        subsig_of(subs, t->node[i].a));
	out_say(o, " together match %s ",
	        c->op == DB_COND_EQ ? "exactly" : c->op == DB_COND_GT ? "more than" : "fewer than");
	say_times(o, c->a);
	if (c->b > 0)
		out_say(o, ", and at least %" PRIu32 " of them", c->b);
}

static void say_range(struct out *o, const char *what, const struct db_cond *c)
{
	if (c->a == c->b)
		out_say(o, "%s exactly %" PRIu32, what, c->a);
	else if (c->b == UINT32_MAX)
		out_say(o, "%s %" PRIu32 " or more", what, c->a);
	else
		out_say(o, "%s %" PRIu32 " to %" PRIu32, what, c->a, c->b);
}

static void say_layer(struct out *o, const struct db_cond *c)
{
	if (c->a == DB_LAYER_ANY)
		out_say(o, "there is a container ");
	else
		out_say(o, "the container ");
	if (c->b == 1)
		out_say(o, "directly around the object");
	else
		out_say(o, "%" PRIu32 " layers up", c->b);
	if (c->a < FILETYPES)
		out_say(o, " is %s", filetype_name((enum file_type)c->a));
	else if (c->a != DB_LAYER_ANY)
		out_say(o, " is of a type that none has (never true)");
}

static bool is_pair(const struct cond_tree *t, uint16_t at)
{
	uint16_t first = t->child[at];
	uint16_t second = first == COND_NONE ? COND_NONE : t->next[first];
	return second != COND_NONE && t->next[second] == COND_NONE;
}

void say_cond(struct out *o, const struct cond_tree *t, uint16_t at, const struct subsigs *subs)
{
	const struct db_cond *c = &t->node[at];
	switch (c->op) {
	case DB_COND_ID:
		out_say(o, "sub-signature %" PRIu32 " matches", subsig_of(subs, c->a));
		return;
	case DB_COND_AND:
		out_say(o, is_pair(t, at) ? "both of these hold:" : "all of these hold:");
		return;
	case DB_COND_OR:
		out_say(o, "at least one of these holds:");
		return;
	case DB_COND_FILESIZE:
		say_range(o, "the size of the file in bytes is", c);
		return;
	case DB_COND_EP:
		say_range(o, "the entry point is at file offset", c);
		return;
	case DB_COND_SECTIONS:
		say_range(o, "the number of sections is", c);
		return;
	case DB_COND_LAYER:
		say_layer(o, c);
		return;
	case DB_COND_ROOT:
		out_say(o, "the object is the file itself, not something inside of it");
		return;
	default:
		if (sums_ids(t, at))
			say_summed_ids(o, t, at, subs);
		else if (cond_is_plain(t, at))
			say_compared_id(o, c, subsig_of(subs, t->node[t->child[at]].a));
		else
			say_compared_block(o, c);
	}
}

void explain_cond(struct out *o, const struct cond_tree *t, uint16_t at,
                  const struct subsigs *subs)
{
	say_cond(o, t, at, subs);
	out_open(o, "conditions");
	for (uint16_t c = t->child[at]; c != COND_NONE && !cond_is_told(t, at) && o->st == ST_OK;
	     c = t->next[c])
		explain_cond(o, t, c, subs);
	out_close(o);
}
