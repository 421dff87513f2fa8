/* Inside of sig/: from the intermediate form to the records of db/layout.h.
 *
 *   lower.c   patterns -> parts and part programs       freq.c    how common is a gram?
 *   anchor.c  which grams of which patterns are looked for
 *   filter.c  grams -> filters of each target           names.c   names -> blocks
 *   digests.c hash rows -> tables                        emit.c    sections -> file
 *   emit_member.c  members of containers, passwords */
#ifndef VITRINE_SIG_EMIT_H
#define VITRINE_SIG_EMIT_H

#include "base/buf.h"
#include "db/layout.h"
#include "sig/ir.h"

/* Most patterns of one signature: two for each of its sub-signatures. */
#define SIG_PATTERNS_MAX (2 * IR_SUBSIGS_MAX)

/* One gram of an anchor: alignment i of its class's stride. */
struct anchor_gram {
	uint32_t y;
	struct db_slot slot;
};

/* How a pattern is found. */
enum anchor_kind { ANCHOR_NONE, ANCHOR_PLACE, ANCHOR_GRAMS };

struct anchor {
	uint8_t kind;
	uint8_t cls; /* enum db_class_id */
	uint8_t ngrams;
	uint64_t cost; /* expected hits in 2^40 bytes of ordinary files, plus what its class costs */
	struct anchor_gram gram[8];
};
#define ANCHOR_COST_NONE UINT64_MAX

/* A gram on its way into filters. */
struct gram_ref {
	uint32_t y;
	struct db_slot slot;
	uint8_t target, cls;
	bool layered;
};

/* A pattern looked at in its place, or a signature that is always evaluated. */
struct target_ref {
	uint32_t index;
	uint8_t target;
	bool layered; /* the signature holds in objects inside others only */
};

struct emit {
	struct ir_set *set;
	struct arena tmp;
	/* Records, as they go into the file. */
	struct buf sig, cond, pattern, part, code;
	struct buf regex, compare, image;
	struct buf filter, bloom, bucket, slot, place, always, target;
	struct buf hash, hash_sizes, hash_dir, hash_rows, name_dir, name_blocks;
	struct buf magic, magic_part, magic_bytes;
	struct buf member, password, member_text;
	/* struct gram_ref[], struct target_ref[]. */
	struct buf grams, places, alwayses;
	uint32_t classes; /* bits of enum db_class_id: which may be used */
	uint32_t nnames;
	uint64_t nbody, nlogical, ncomplex;
	uint64_t hits; /* sum of the costs of all anchors chosen */
};

/* Is a byte with this mask known but for the case of a letter? Grams and searches ask no more. */
static inline bool known(uint8_t mask)
{
	return (mask | 0x20) == 0xff;
}

static inline uint32_t emit_count(const struct buf *b, size_t record)
{
	return (uint32_t)(b->len / record);
}

/* lower.c: appends pattern, parts and code. *ret_anchor is the cheapest way to find the pattern.
 * ST_UNSUPPORTED if the pattern is beyond a limit of the database format. */
st_t lower_pattern(struct emit *x, const struct ir_pattern *p, uint32_t sig, uint8_t target,
                   struct anchor *ret_anchor, struct err *e);

/* lower.c: append the pattern and the record of a sub-signature of another kind. The regex's
 * trigger is put behind it by the caller; patterns [first, first + n) of the signature are what
 * the comparison hangs on. */
void lower_regex(struct emit *x, const struct ir_regex *r, uint32_t sig);
void lower_compare(struct emit *x, const struct ir_compare *c, uint32_t first, uint32_t n,
                   uint32_t sig);
void lower_image(struct emit *x, uint64_t hash, uint32_t sig);
void lower_never(struct emit *x, uint32_t sig);

/* anchor.c: the cheapest anchor in n bytes of a part, of which those with mask 0xff or 0xdf are
 * known, in one of `classes` (bits); replaces *best if cheaper. */
void anchor_of_part(const uint8_t *value, const uint8_t *mask, uint32_t n, uint32_t part,
                    uint32_t classes, struct anchor *best);

/* anchor.c: patterns (bit i of *ret_set: anchor i) of which one must match if the condition holds.
 * False if there is no such set. first[i], count[i]: the patterns of sub-signature i. */
struct pattern_set {
	uint64_t bit[SIG_PATTERNS_MAX / 64];
};
bool anchor_choose(const struct ir_sig *s, const struct anchor *anchors, const uint8_t *first,
                   const uint8_t *count, struct pattern_set *ret_set);

/* order.c: puts a condition of *n nodes into the order in which it is cheapest to evaluate; *n
 * may become smaller. cost[i]: of looking for sub-signature i and not finding it, below
 * UINT64_MAX / 2. */
st_t order_conditions(struct arena *tmp, struct ir_cond *conds, uint32_t *n, const uint64_t *cost,
                      struct err *e);

/* freq.c: expected hits of a gram in 2^32 probes of ordinary files. */
uint32_t freq_gram8(const uint8_t *gram);
uint32_t freq_gram4(const uint8_t *gram);

/* The same for a gram of class 4_1, with what its triples let through. */
uint32_t freq_pair(const uint8_t *gram);

/* filter.c: bloom, buckets, slots, places and always-lists of all targets. */
st_t emit_filters(struct emit *x, struct err *e);

/* names.c: numbers all names (sets nameref in signatures and hash rows) and writes them. */
st_t emit_names(struct emit *x, struct err *e);

/* emit_member.c: conditions on members and passwords; needs names. */
st_t emit_members(struct emit *x, struct err *e);

/* digests.c: the digest tables; needs names. Frees the rows of the set: their number stays. */
st_t emit_digests(struct emit *x, struct err *e);

/* emit_magic.c: definitions of file types. */
st_t emit_magics(struct emit *x, struct err *e);

#endif
