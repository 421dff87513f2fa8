/* Inside of explain/: words for the numbers of a database, and how its records hang together. */
#ifndef VITRINE_EXPLAIN_WORDS_H
#define VITRINE_EXPLAIN_WORDS_H

#include "db/db.h"
#include "explain/out.h"

/* "any file", "Windows executables (PE)", … */
const char *word_target(uint8_t target);

/* The type that a signature's HandlerType names. */
const char *word_handler(const struct db_sig *s);

/* Adds "n byte" or "n bytes". */
void say_bytes(struct out *o, uint64_t n);

/* Adds where a pattern starts: "anywhere", "exactly 10 bytes behind the entry point", … */
void say_offset(struct out *o, const struct db_pattern *p);
const char *word_offset_kind(uint8_t kind);

/* Sub-signatures are not numbered in a database; each is a pattern, or two neighbours made by the
 * modifiers `w` and `a`. What a condition names is certain; what none names is told by
 * the flags. */
#define SUBSIGS_MAX 128
struct subsigs {
	uint32_t n;
	struct {
		uint16_t first, count; /* patterns, relative to the signature's first */
	} v[SUBSIGS_MAX];
};

/* ST_LIMIT: more patterns than any signature of ours has. */
st_t subsigs_of(const struct db_view *db, const struct db_sig *s, struct subsigs *ret,
                struct err *e);

/* Number of the sub-signature that pattern k (relative) belongs to. */
uint32_t subsig_of(const struct subsigs *t, uint32_t pattern);

/* A condition as a tree: nodes are those of the program; of several children those come first that
 * ask about the file, then in order of sub-signatures. A signature without a condition has the one
 * node "sub-signature 0". */
#define COND_NONE UINT16_MAX
struct cond_tree {
	uint16_t root;
	struct db_cond node[DB_CONDS_MAX];
	uint16_t child[DB_CONDS_MAX], next[DB_CONDS_MAX];
	uint32_t rank[DB_CONDS_MAX]; /* what children are ordered by */
};
void cond_tree_of(const struct db_view *db, const struct db_sig *s, struct cond_tree *ret);
void cond_tree_make(const struct db_cond *cond, uint32_t n, struct cond_tree *ret);

/* Adds the sentence of one node (not of those below). */
void say_cond(struct out *o, const struct cond_tree *t, uint16_t at, const struct subsigs *subs);

/* True if the node is a comparison of one sub-signature. */
bool cond_is_plain(const struct cond_tree *t, uint16_t at);

/* True if the sentence of the node names all that is below it. */
bool cond_is_told(const struct cond_tree *t, uint16_t at);

/* Writes a node and those below it as items "conditions". */
void explain_cond(struct out *o, const struct cond_tree *t, uint16_t at,
                  const struct subsigs *subs);

/* A sub-signature that is no body pattern (DB_PAT_OTHER): adds what it is, as the rest of a
 * sentence that began with its number; then, once the item is open, writes what there is to it. `t`
 * is scratch. */
void say_other(struct out *o, const struct db_view *db, const struct db_pattern *p,
               const struct subsigs *subs);
void explain_other(struct out *o, const struct db_view *db, const struct db_pattern *p,
                   const struct subsigs *subs, struct cond_tree *t);

/* Signatures for members of containers under a name: items "members". */
void explain_members(struct out *o, const struct db_view *db, uint32_t index);

/* Bytes of foreign origin as items "elements": literals, masks, sets, alternatives, … */
void explain_part(struct out *o, const struct db_view *db, const struct db_part *p);

/* The bytes [at, at + n) of every match of a part, as far as they are fixed: n values and masks. */
void part_window(const struct db_view *db, const struct db_part *p, uint32_t at, uint32_t n,
                 uint8_t *value, uint8_t *mask);

/* What the filters look for to find signature `id`: items "anchors". */
void explain_anchors(struct out *o, const struct db_view *db, uint32_t id,
                     const struct subsigs *subs);

#endif
