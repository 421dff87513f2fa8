/* Proofs against the recursive definitions (test/merkle_ref.h) and against vectors of others. */
#include "test/merkle_ref.h"
#include "test/t.h"

#define SMALL 600

/* A tree of SMALL leaves, "fixture entry %d\n", as test/vectors/tlog has them; every MTH(D[b:e]) is
 * computed once. */
static struct tlog_hasher hasher;
static struct tlog_hash memo[SMALL + 1][SMALL + 1];
static bool known[SMALL + 1][SMALL + 1];

static void leaf_hash(uint64_t i, struct tlog_hash *ret)
{
	char text[40];
	int n = snprintf(text, sizeof text, "fixture entry %" PRIu64 "\n", i);
	tlog_hash_leaf(&hasher, text, (size_t)n, ret);
}

static void small_mth(void *ctx, uint64_t begin, uint64_t end, struct tlog_hash *ret)
{
	uint64_t k;
	struct tlog_hash l, r;
	if (!known[begin][end] && end - begin == 1)
		leaf_hash(begin, &memo[begin][end]);
	if (!known[begin][end] && end - begin > 1) {
		k = ref_split(end - begin);
		small_mth(ctx, begin, begin + k, &l);
		small_mth(ctx, begin + k, end, &r);
		tlog_hash_node(&hasher, &l, &r, &memo[begin][end]);
	}
	known[begin][end] = true;
	*ret = memo[begin][end];
}

static const struct ref_tree small = {small_mth, NULL};

static st_t small_get(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                      struct err *e)
{
	(void)ctx;
	if (level > 10 || (index + 1) << level > SMALL)
		return fail(e, ST_IO, 0, "asked for a node outside the tree");
	small_mth(NULL, index << level, (index + 1) << level, ret);
	return ST_OK;
}

static const struct tlog_nodes small_nodes = {small_get, NULL};

static bool same_proof(const struct tlog_proof *a, const struct tlog_proof *b)
{
	return a->n == b->n && !memcmp(a->hash, b->hash, a->n * sizeof a->hash[0]);
}

static void inclusion_proofs_are_those_of_the_definition_and_hold(void)
{
	struct tlog_hash root, leaf;
	for (uint64_t n = 1; n <= SMALL; n++) {
		small_mth(NULL, 0, n, &root);
		for (uint64_t i = 0; i < n; i++) {
			struct err e = {0};
			struct tlog_proof p = {0}, want = {0};
			ref_path(&small, i, 0, n, &want);
			small_mth(NULL, i, i + 1, &leaf);
			T_EQ(tlog_prove_inclusion(&hasher, &small_nodes, i, n, &p, &e), ST_OK);
			if (!same_proof(&p, &want))
				T_FAIL("inclusion of %" PRIu64 " in %" PRIu64, i, n);
			T_EQ(tlog_check_inclusion(&hasher, &leaf, i, n, &p, &root, &e), ST_OK);
		}
	}
}

static void consistency_proofs_are_those_of_the_definition_and_hold(void)
{
	struct tlog_hash old_root, root;
	for (uint64_t n = 1; n <= SMALL; n++) {
		small_mth(NULL, 0, n, &root);
		for (uint64_t m = 1; m <= n; m++) {
			struct err e = {0};
			struct tlog_proof p = {0}, want = {0};
			ref_subproof(&small, m, 0, n, true, &want);
			small_mth(NULL, 0, m, &old_root);
			T_EQ(tlog_prove_consistency(&hasher, &small_nodes, m, n, &p, &e), ST_OK);
			if (!same_proof(&p, &want))
				T_FAIL("consistency of %" PRIu64 " and %" PRIu64, m, n);
			T_EQ(tlog_check_consistency(&hasher, m, n, &old_root, &root, &p, &e), ST_OK);
		}
	}
}

static void roots_of_stored_and_of_growing_trees_are_those_of_the_definition(void)
{
	struct tlog_frontier f = {0}, loaded;
	struct tlog_hash root, leaf, got, none;
	struct err e = {0};
	tlog_hash_empty(&none);
	tlog_frontier_root(&f, &hasher, &got);
	T_TRUE(tlog_hash_equal(&got, &none));
	T_EQ(tlog_tree_root(&hasher, &small_nodes, 0, &got, &e), ST_OK);
	T_TRUE(tlog_hash_equal(&got, &none));
	for (uint64_t n = 1; n <= SMALL; n++) {
		small_mth(NULL, n - 1, n, &leaf);
		small_mth(NULL, 0, n, &root);
		tlog_frontier_add(&f, &hasher, &leaf);
		T_EQ(f.size, n);
		T_EQ(f.n, __builtin_popcountll(n));
		tlog_frontier_root(&f, &hasher, &got);
		T_TRUE(tlog_hash_equal(&got, &root));
		T_EQ(tlog_tree_root(&hasher, &small_nodes, n, &got, &e), ST_OK);
		T_TRUE(tlog_hash_equal(&got, &root));
		T_EQ(tlog_frontier_load(&small_nodes, n, &loaded, &e), ST_OK);
		T_EQ(loaded.n, f.n);
		T_MEM(loaded.root, f.root, f.n * sizeof f.root[0]);
	}
}

static void subtrees_append_as_their_leaves_would(void)
{
	struct tlog_hash sub, root, got;
	for (unsigned level = 0; level <= 8; level++) {
		struct tlog_frontier f = {0};
		for (uint64_t at = 0; at + (1u << level) <= SMALL; at += 1u << level) {
			small_mth(NULL, at, at + (1u << level), &sub);
			tlog_frontier_add_subtree(&f, &hasher, level, &sub);
			small_mth(NULL, 0, at + (1u << level), &root);
			tlog_frontier_root(&f, &hasher, &got);
			T_TRUE(tlog_hash_equal(&got, &root));
		}
	}
}

static void a_frontier_that_cannot_take_a_subtree_spoils_the_hasher(void)
{
	struct tlog_hasher h = {0};
	struct tlog_frontier f = {0};
	struct tlog_hash x = {{1}};
	struct err e = {0};
	tlog_frontier_add(&f, &h, &x);
	tlog_frontier_add_subtree(&f, &h, 1, &x);
	T_TRUE(tlog_hasher_check(&h, &e) != ST_OK);
	T_EQ(f.size, 1);
	h = (struct tlog_hasher){0};
	f = (struct tlog_frontier){.size = TLOG_SIZE_MAX, .n = 63};
	tlog_frontier_add(&f, &h, &x);
	T_TRUE(tlog_hasher_check(&h, &e) != ST_OK);
	T_EQ(f.n, 63);
}

/* One of the ways in which a proof is spoiled; false if there is nothing to spoil. */
static bool mutate(struct tlog_proof *p, unsigned how, uint64_t *seed)
{
	size_t at = p->n ? (size_t)(t_rand(seed) % p->n) : 0, other;
	struct tlog_hash tmp;
	switch (how) {
	case 0: /* a bit */
		if (p->n)
			p->hash[at].b[t_rand(seed) % TLOG_HASH] ^= (uint8_t)(1u << t_rand(seed) % 8);
		return p->n;
	case 1: /* one less */
		if (p->n == 0)
			return false;
		memmove(&p->hash[at], &p->hash[at + 1], (--p->n - at) * sizeof p->hash[0]);
		return true;
	case 2: /* one more: a copy somewhere, or a foreign one behind */
		if (p->n == TLOG_PROOF_MAX)
			return false;
		memmove(&p->hash[at + 1], &p->hash[at], (p->n++ - at) * sizeof p->hash[0]);
		if (p->n == 1)
			p->hash[0] = (struct tlog_hash){{7}};
		return true;
	case 3:
		if (p->n == TLOG_PROOF_MAX)
			return false;
		p->hash[p->n++] = (struct tlog_hash){{(uint8_t)t_rand(seed)}};
		return true;
	default: /* two in each other's place */
		if (p->n < 2)
			return false;
		other = (at + 1) % p->n;
		tmp = p->hash[at];
		p->hash[at] = p->hash[other];
		p->hash[other] = tmp;
		return memcmp(&tmp, &p->hash[at], sizeof tmp) != 0;
	}
}

static void spoiled_inclusion_proofs_are_refused(void)
{
	uint64_t seed = t_seed(1);
	struct tlog_hash root, leaf;
	for (uint64_t n = 1; n <= 300; n++) {
		for (uint64_t i = 0; i < n; i++) {
			struct tlog_proof good = {0}, bad;
			ref_path(&small, i, 0, n, &good);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, i, i + 1, &leaf);
			for (unsigned how = 0; how < 5; how++) {
				bad = good;
				if (!mutate(&bad, how, &seed))
					continue;
				T_EQ(tlog_check_inclusion(&hasher, &leaf, i, n, &bad, &root, NULL), ST_BAD_PROOF);
			}
			struct tlog_hash flipped = leaf;
			flipped.b[t_rand(&seed) % TLOG_HASH] ^= 1;
			T_EQ(tlog_check_inclusion(&hasher, &flipped, i, n, &good, &root, NULL), ST_BAD_PROOF);
			flipped = root;
			flipped.b[t_rand(&seed) % TLOG_HASH] ^= 0x80;
			T_EQ(tlog_check_inclusion(&hasher, &leaf, i, n, &good, &flipped, NULL), ST_BAD_PROOF);
		}
	}
}

static void an_inclusion_proof_holds_for_no_other_index(void)
{
	struct tlog_hash root, leaf;
	for (uint64_t n = 1; n <= 70; n++)
		for (uint64_t i = 0; i < n; i++) {
			struct tlog_proof p = {0};
			ref_path(&small, i, 0, n, &p);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, i, i + 1, &leaf);
			for (uint64_t other = 0; other < 140; other++)
				T_EQ(tlog_check_inclusion(&hasher, &leaf, other, n, &p, &root, NULL),
				     other == i ? ST_OK : ST_BAD_PROOF);
		}
}

/* The size is not bound by an inclusion proof where the path turns the same way in both trees: the
 * checkpoint binds it. So the definition says what has to come out. */
static void an_inclusion_proof_of_another_size_is_judged_by_the_definition(void)
{
	struct tlog_hash root, leaf;
	for (uint64_t n = 1; n <= 70; n++)
		for (uint64_t i = 0; i < n; i++) {
			struct tlog_proof p = {0};
			ref_path(&small, i, 0, n, &p);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, i, i + 1, &leaf);
			for (uint64_t size = 0; size < 140; size++)
				T_EQ(tlog_check_inclusion(&hasher, &leaf, i, size, &p, &root, NULL) == ST_OK,
				     ref_inclusion(&hasher, &leaf, i, size, &p, &root));
		}
}

/* Whoever chooses the root could hash on above it: RFC 9162 stops at "sn is 0". */
static void a_proof_that_goes_on_above_the_root_is_refused(void)
{
	struct tlog_hash leaf, root, old_root, above, old_above, x = {{9}};
	for (uint64_t n = 1; n <= 40; n++)
		for (uint64_t i = 0; i < n; i++) {
			struct tlog_proof p = {0};
			ref_path(&small, i, 0, n, &p);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, i, i + 1, &leaf);
			p.hash[p.n++] = x;
			tlog_hash_node(&hasher, &x, &root, &above);
			T_EQ(tlog_check_inclusion(&hasher, &leaf, i, n, &p, &above, NULL), ST_BAD_PROOF);
			tlog_hash_node(&hasher, &root, &x, &above);
			T_EQ(tlog_check_inclusion(&hasher, &leaf, i, n, &p, &above, NULL), ST_BAD_PROOF);
			p.n = 0;
			ref_subproof(&small, i + 1, 0, n, true, &p);
			p.hash[p.n++] = x;
			small_mth(NULL, 0, i + 1, &old_root);
			tlog_hash_node(&hasher, &x, &root, &above);
			tlog_hash_node(&hasher, &x, &old_root, &old_above);
			T_EQ(tlog_check_consistency(&hasher, i + 1, n, &old_above, &above, &p, NULL),
			     ST_BAD_PROOF);
			T_EQ(tlog_check_consistency(&hasher, i + 1, n, &old_root, &above, &p, NULL),
			     ST_BAD_PROOF);
		}
}

static void spoiled_consistency_proofs_are_refused(void)
{
	uint64_t seed = t_seed(2);
	struct tlog_hash old_root, root, flipped;
	for (uint64_t n = 1; n <= 300; n++) {
		for (uint64_t m = 1; m <= n; m++) {
			struct tlog_proof good = {0}, bad;
			ref_subproof(&small, m, 0, n, true, &good);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, 0, m, &old_root);
			for (unsigned how = 0; how < 5; how++) {
				bad = good;
				if (!mutate(&bad, how, &seed))
					continue;
				T_EQ(tlog_check_consistency(&hasher, m, n, &old_root, &root, &bad, NULL),
				     ST_BAD_PROOF);
			}
			flipped = old_root;
			flipped.b[t_rand(&seed) % TLOG_HASH] ^= 1;
			T_EQ(tlog_check_consistency(&hasher, m, n, &flipped, &root, &good, NULL), ST_BAD_PROOF);
			flipped = root;
			flipped.b[t_rand(&seed) % TLOG_HASH] ^= 1;
			T_EQ(tlog_check_consistency(&hasher, m, n, &old_root, &flipped, &good, NULL),
			     ST_BAD_PROOF);
		}
	}
}

static void a_consistency_proof_of_other_sizes_is_judged_by_the_definition(void)
{
	struct tlog_hash old_root, root;
	for (uint64_t n = 1; n <= 40; n++)
		for (uint64_t m = 1; m <= n; m++) {
			struct tlog_proof p = {0};
			ref_subproof(&small, m, 0, n, true, &p);
			small_mth(NULL, 0, n, &root);
			small_mth(NULL, 0, m, &old_root);
			for (uint64_t a = 0; a < 80; a++) {
				T_EQ(tlog_check_consistency(&hasher, a, n, &old_root, &root, &p, NULL) == ST_OK,
				     ref_consistency(&hasher, a, n, &old_root, &root, &p));
				T_EQ(tlog_check_consistency(&hasher, m, a, &old_root, &root, &p, NULL) == ST_OK,
				     ref_consistency(&hasher, m, a, &old_root, &root, &p));
			}
		}
}

static void sizes_that_no_tree_has_are_refused(void)
{
	struct tlog_hash x = {{1}};
	struct tlog_proof p = {0}, out;
	struct err e = {0};
	T_EQ(tlog_check_inclusion(&hasher, &x, 0, 0, &p, &x, &e), ST_BAD_PROOF);
	T_STR(e.text, "inclusion proof: leaf 0 is not in a tree of 0");
	T_EQ(tlog_check_inclusion(&hasher, &x, 0, 1, &p, &x, NULL), ST_OK);
	T_EQ(tlog_check_inclusion(&hasher, &x, 1, 1, &p, &x, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_inclusion(&hasher, &x, 0, TLOG_SIZE_MAX + 1, &p, &x, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_inclusion(&hasher, &x, 0, UINT64_MAX, &p, &x, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, 0, 0, &x, &x, &p, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, 0, 1, &x, &x, &p, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, 2, 1, &x, &x, &p, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, 1, TLOG_SIZE_MAX + 1, &x, &x, &p, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, TLOG_SIZE_MAX, TLOG_SIZE_MAX, &x, &x, &p, NULL), ST_OK);
	T_EQ(tlog_check_consistency(&hasher, UINT64_MAX, UINT64_MAX, &x, &x, &p, NULL), ST_BAD_PROOF);
	p.n = TLOG_PROOF_MAX + 1;
	T_EQ(tlog_check_inclusion(&hasher, &x, 0, 1, &p, &x, NULL), ST_BAD_PROOF);
	T_EQ(tlog_check_consistency(&hasher, 1, 2, &x, &x, &p, NULL), ST_BAD_PROOF);
	T_EQ(tlog_prove_inclusion(&hasher, &small_nodes, 5, 5, &out, NULL), ST_BAD_PROOF);
	T_EQ(tlog_prove_inclusion(&hasher, &small_nodes, 0, 0, &out, NULL), ST_BAD_PROOF);
	T_EQ(tlog_prove_inclusion(&hasher, &small_nodes, 0, UINT64_MAX, &out, NULL), ST_BAD_PROOF);
	T_EQ(tlog_prove_consistency(&hasher, &small_nodes, 0, 5, &out, NULL), ST_BAD_PROOF);
	T_EQ(tlog_prove_consistency(&hasher, &small_nodes, 6, 5, &out, NULL), ST_BAD_PROOF);
	T_EQ(tlog_tree_root(&hasher, &small_nodes, UINT64_MAX, &x, NULL), ST_BAD_PROOF);
}

static void a_broken_hasher_proves_nothing(void)
{
	struct tlog_hasher h = {.bad = true};
	struct tlog_hash zero = {0};
	struct tlog_proof p = {.n = 1};
	struct err e = {0};
	T_EQ(tlog_check_inclusion(&h, &zero, 0, 2, &p, &zero, &e), ST_NOMEM);
	T_EQ(tlog_check_consistency(&h, 1, 2, &zero, &zero, &p, NULL), ST_NOMEM);
	T_EQ(tlog_prove_inclusion(&h, &small_nodes, 0, 7, &p, NULL), ST_NOMEM);
	T_EQ(tlog_tree_root(&h, &small_nodes, 7, &zero, NULL), ST_NOMEM);
}

static void what_the_source_of_nodes_says_comes_through(void)
{
	struct tlog_proof p;
	struct err e = {0};
	T_EQ(tlog_prove_inclusion(&hasher, &small_nodes, 3, SMALL + 100, &p, &e), ST_IO);
	T_STR(e.text, "asked for a node outside the tree");
}

/* Trees too large to have. All leaves are the same: a complete subtree's hash is that of its level.
 */
static struct tlog_hash chain[64];

static void equal_mth(void *ctx, uint64_t begin, uint64_t end, struct tlog_hash *ret)
{
	uint64_t n = end - begin, k = ref_split(n);
	struct tlog_hash l, r;
	if ((n & (n - 1)) == 0) {
		*ret = chain[__builtin_ctzll(n)];
		return;
	}
	equal_mth(ctx, begin, begin + k, &l);
	equal_mth(ctx, begin + k, end, &r);
	tlog_hash_node(&hasher, &l, &r, ret);
}

static st_t equal_get(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                      struct err *e)
{
	uint64_t size = *(uint64_t *)ctx;
	if (level > 62 || index >= size >> level)
		return fail(e, ST_IO, 0, "asked for a node outside the tree");
	*ret = chain[level];
	return ST_OK;
}

/* Every node has a hash of its own, made of where it stands. */
static st_t place_get(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                      struct err *e)
{
	uint64_t at[2] = {level, index};
	TRY(equal_get(ctx, level, index, ret, e));
	tlog_hash_leaf(&hasher, at, sizeof at, ret);
	return ST_OK;
}

static void place_mth(void *ctx, uint64_t begin, uint64_t end, struct tlog_hash *ret)
{
	uint64_t n = end - begin, k = ref_split(n), at[2];
	struct tlog_hash l, r;
	if ((n & (n - 1)) == 0) {
		at[0] = (uint64_t)__builtin_ctzll(n);
		at[1] = begin >> at[0];
		tlog_hash_leaf(&hasher, at, sizeof at, ret);
		return;
	}
	place_mth(ctx, begin, begin + k, &l);
	place_mth(ctx, begin + k, end, &r);
	tlog_hash_node(&hasher, &l, &r, ret);
}

static uint64_t random_size(uint64_t *seed, unsigned round)
{
	unsigned bits = round % 2 ? 40 : 63;
	uint64_t v = t_rand(seed) >> (64 - bits);
	switch (t_rand(seed) % 6) { /* also the neighbours of powers of two */
	case 0:
		v = UINT64_C(1) << (v % bits);
		break;
	case 1:
		v = (UINT64_C(1) << (v % bits)) - 1;
		break;
	case 2:
		v = (UINT64_C(1) << (v % (bits - 1))) + 1;
		break;
	}
	return v ? v : 1;
}

static void large_trees_as_the_definition_says(void)
{
	static const struct ref_tree place = {place_mth, NULL}, equal = {equal_mth, NULL};
	uint64_t seed = t_seed(3);
	chain[0] = (struct tlog_hash){{42}};
	for (unsigned i = 1; i < 64; i++)
		tlog_hash_node(&hasher, &chain[i - 1], &chain[i - 1], &chain[i]);
	for (unsigned round = 0; round < 4000; round++) {
		uint64_t n = random_size(&seed, round), i = t_rand(&seed) % n, m = i + 1;
		struct tlog_nodes places = {place_get, &n}, equals = {equal_get, &n};
		struct tlog_proof p = {0}, want = {0}, spoiled;
		struct tlog_hash root, old_root, got;
		struct err e = {0};
		T_EQ(tlog_prove_inclusion(&hasher, &places, i, n, &p, &e), ST_OK);
		ref_path(&place, i, 0, n, &want);
		T_TRUE(same_proof(&p, &want));
		T_EQ(tlog_prove_consistency(&hasher, &places, m, n, &p, &e), ST_OK);
		want.n = 0;
		ref_subproof(&place, m, 0, n, true, &want);
		T_TRUE(same_proof(&p, &want));

		equal_mth(NULL, 0, n, &root);
		equal_mth(NULL, 0, m, &old_root);
		T_EQ(tlog_tree_root(&hasher, &equals, n, &got, &e), ST_OK);
		T_TRUE(tlog_hash_equal(&got, &root));
		p.n = 0;
		ref_path(&equal, i, 0, n, &p);
		T_EQ(tlog_check_inclusion(&hasher, &chain[0], i, n, &p, &root, &e), ST_OK);
		for (unsigned how = 0; how < 5; how++) {
			spoiled = p;
			if (mutate(&spoiled, how, &seed))
				T_EQ(tlog_check_inclusion(&hasher, &chain[0], i, n, &spoiled, &root, NULL) == ST_OK,
				     ref_inclusion(&hasher, &chain[0], i, n, &spoiled, &root));
		}
		p.n = 0;
		ref_subproof(&equal, m, 0, n, true, &p);
		T_EQ(tlog_check_consistency(&hasher, m, n, &old_root, &root, &p, &e), ST_OK);
		for (unsigned how = 0; how < 5; how++) {
			spoiled = p;
			if (mutate(&spoiled, how, &seed))
				T_EQ(tlog_check_consistency(&hasher, m, n, &old_root, &root, &spoiled, NULL) ==
				         ST_OK,
				     ref_consistency(&hasher, m, n, &old_root, &root, &spoiled));
		}
	}
}

static void the_longest_proofs_fit(void)
{
	uint64_t n = TLOG_SIZE_MAX;
	struct tlog_nodes places = {place_get, &n};
	struct tlog_proof p;
	T_EQ(tlog_prove_inclusion(&hasher, &places, 0, n, &p, NULL), ST_OK);
	T_EQ(p.n, 63);
	T_EQ(tlog_prove_consistency(&hasher, &places, 3, n, &p, NULL), ST_OK);
	T_EQ(p.n, TLOG_PROOF_MAX);
}

/* --- Vectors of others: test/vectors/tlog/README.md. */

static bool hex_hash(const char *s, struct tlog_hash *ret)
{
	for (size_t i = 0; i < TLOG_HASH; i++) {
		char two[3] = {s[2 * i], s[2 * i] ? s[2 * i + 1] : 0, 0}, *end;
		ret->b[i] = (uint8_t)strtoul(two, &end, 16);
		if (*end || end != two + 2)
			return false;
	}
	return true;
}

/* The next word of a line, cut off; NULL behind the last. */
static char *word(char **at)
{
	char *w = *at + strspn(*at, " \n");
	size_t n = strcspn(w, " \n");
	*at = w + n + (w[n] != 0);
	w[n] = 0;
	return n ? w : NULL;
}

static void roots_of_vectors(void)
{
	char line[128], *at;
	struct tlog_frontier f = {0};
	struct tlog_hash want, got, leaf;
	unsigned lines = 0;
	FILE *in = fopen(VECTORS "/roots.txt", "r");
	T_TRUE(in);
	for (; in && fgets(line, sizeof line, in); lines++) {
		at = line;
		for (uint64_t n = strtoull(word(&at), NULL, 10); f.size < n;) {
			leaf_hash(f.size, &leaf);
			tlog_frontier_add(&f, &hasher, &leaf);
		}
		T_TRUE(hex_hash(word(&at), &want));
		tlog_frontier_root(&f, &hasher, &got);
		T_TRUE(tlog_hash_equal(&got, &want));
	}
	if (in)
		fclose(in);
	T_TRUE(lines > 10);
}

static void proofs_of_vectors(void)
{
	static char line[8192];
	unsigned inclusions = 0, consistencies = 0;
	FILE *in = fopen(VECTORS "/proofs.txt", "r");
	T_TRUE(in);
	while (in && fgets(line, sizeof line, in)) {
		char *at = line, *kind = word(&at), *w;
		uint64_t a = strtoull(word(&at), NULL, 10), b = strtoull(word(&at), NULL, 10);
		struct tlog_hash first, root;
		struct tlog_proof p = {0};
		struct err e = {0};
		T_TRUE(hex_hash(word(&at), &first));
		T_TRUE(hex_hash(word(&at), &root));
		while ((w = word(&at)) && p.n < TLOG_PROOF_MAX)
			T_TRUE(hex_hash(w, &p.hash[p.n++]));
		if (!strcmp(kind, "inclusion")) {
			inclusions++;
			T_EQ(tlog_check_inclusion(&hasher, &first, a, b, &p, &root, &e), ST_OK);
		} else {
			consistencies++;
			T_EQ(tlog_check_consistency(&hasher, a, b, &first, &root, &p, &e), ST_OK);
		}
	}
	if (in)
		fclose(in);
	T_TRUE(inclusions >= 15 && consistencies >= 15);
}

/* SHA-256 of 00, of 00 and 64 zeroes, of 01 and 64 zeroes, as any other program computes them. */
static void leaves_and_nodes_hash_as_sha256_says(void)
{
	struct tlog_hash got, want, zero = {0};
	static const uint8_t leaf64[64];
	tlog_hash_leaf(&hasher, NULL, 0, &got);
	T_TRUE(hex_hash("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", &want));
	T_TRUE(tlog_hash_equal(&got, &want));
	tlog_hash_leaf(&hasher, leaf64, sizeof leaf64, &got);
	T_TRUE(hex_hash("98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7", &want));
	T_TRUE(tlog_hash_equal(&got, &want));
	tlog_hash_node(&hasher, &zero, &zero, &got);
	T_TRUE(hex_hash("ae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577", &want));
	T_TRUE(tlog_hash_equal(&got, &want));
}

int main(void)
{
	if (tlog_hasher_init(&hasher, NULL) != ST_OK)
		return 1;
	T_RUN(leaves_and_nodes_hash_as_sha256_says);
	T_RUN(inclusion_proofs_are_those_of_the_definition_and_hold);
	T_RUN(consistency_proofs_are_those_of_the_definition_and_hold);
	T_RUN(roots_of_stored_and_of_growing_trees_are_those_of_the_definition);
	T_RUN(subtrees_append_as_their_leaves_would);
	T_RUN(a_frontier_that_cannot_take_a_subtree_spoils_the_hasher);
	T_RUN(spoiled_inclusion_proofs_are_refused);
	T_RUN(an_inclusion_proof_holds_for_no_other_index);
	T_RUN(an_inclusion_proof_of_another_size_is_judged_by_the_definition);
	T_RUN(a_proof_that_goes_on_above_the_root_is_refused);
	T_RUN(spoiled_consistency_proofs_are_refused);
	T_RUN(a_consistency_proof_of_other_sizes_is_judged_by_the_definition);
	T_RUN(sizes_that_no_tree_has_are_refused);
	T_RUN(a_broken_hasher_proves_nothing);
	T_RUN(what_the_source_of_nodes_says_comes_through);
	T_RUN(large_trees_as_the_definition_says);
	T_RUN(the_longest_proofs_fit);
	T_RUN(roots_of_vectors);
	T_RUN(proofs_of_vectors);
	tlog_hasher_done(&hasher);
	return t_end();
}
