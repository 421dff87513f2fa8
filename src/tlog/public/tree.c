/* Hashes, proofs and growing trees of <vitrine/tlog.h>. */
#include "tlog/public/nodes.h"

#include <stdlib.h>

void vitrine_tlog_hash_empty(struct vitrine_tlog_hash *ret)
{
	struct tlog_hash h;
	tlog_hash_empty(&h);
	*ret = public_hash_out(&h);
}

enum vitrine_tlog_status vitrine_tlog_hash_leaf(const void *entry, size_t size,
                                                struct vitrine_tlog_hash *ret)
{
	struct tlog_hasher h;
	struct tlog_hash out;
	st_t st = tlog_hasher_init(&h, NULL);
	if (st == ST_OK) {
		tlog_hash_leaf(&h, entry, size, &out);
		st = tlog_hasher_check(&h, NULL);
	}
	if (st == ST_OK)
		*ret = public_hash_out(&out);
	tlog_hasher_done(&h);
	return public_status(st, NULL, NULL);
}

enum vitrine_tlog_status vitrine_tlog_hash_node(const struct vitrine_tlog_hash *left,
                                                const struct vitrine_tlog_hash *right,
                                                struct vitrine_tlog_hash *ret)
{
	struct tlog_hash l = public_hash_in(left), r = public_hash_in(right), out;
	struct tlog_hasher h;
	st_t st = tlog_hasher_init(&h, NULL);
	if (st == ST_OK) {
		tlog_hash_node(&h, &l, &r, &out);
		st = tlog_hasher_check(&h, NULL);
	}
	if (st == ST_OK)
		*ret = public_hash_out(&out);
	tlog_hasher_done(&h);
	return public_status(st, NULL, NULL);
}

bool vitrine_tlog_hash_equal(const struct vitrine_tlog_hash *a, const struct vitrine_tlog_hash *b)
{
	struct tlog_hash x = public_hash_in(a), y = public_hash_in(b);
	return tlog_hash_equal(&x, &y);
}

static st_t check_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
                            const struct tlog_proof *p, const struct tlog_hash *root, struct err *e)
{
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	st_t st = tlog_check_inclusion(&h, leaf, index, size, p, root, e);
	tlog_hasher_done(&h);
	return st;
}

enum vitrine_tlog_status
vitrine_tlog_check_inclusion(const struct vitrine_tlog_hash *leaf, uint64_t index, uint64_t size,
                             const struct vitrine_tlog_hash *path, size_t count,
                             const struct vitrine_tlog_hash *root, struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_proof p;
	struct tlog_hash l = public_hash_in(leaf), r = public_hash_in(root);
	st_t st = public_path_in(path, count, &p, &e);
	if (st == ST_OK)
		st = check_inclusion(&l, index, size, &p, &r, &e);
	return public_status(st, &e, error);
}

static st_t check_consistency(uint64_t old_size, uint64_t new_size,
                              const struct tlog_hash *old_root, const struct tlog_hash *new_root,
                              const struct tlog_proof *p, struct err *e)
{
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	st_t st = tlog_check_consistency(&h, old_size, new_size, old_root, new_root, p, e);
	tlog_hasher_done(&h);
	return st;
}

enum vitrine_tlog_status
vitrine_tlog_check_consistency(uint64_t old_size, uint64_t new_size,
                               const struct vitrine_tlog_hash *old_root,
                               const struct vitrine_tlog_hash *new_root,
                               const struct vitrine_tlog_hash *path, size_t count,
                               struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_proof p;
	struct tlog_hash o = public_hash_in(old_root), n = public_hash_in(new_root);
	st_t st = public_path_in(path, count, &p, &e);
	if (st == ST_OK)
		st = check_consistency(old_size, new_size, &o, &n, &p, &e);
	return public_status(st, &e, error);
}

static st_t user_get(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                     struct err *e)
{
	const struct vitrine_tlog_nodes *n = ctx;
	struct vitrine_tlog_hash h;
	if (n->get(n->user, level, index, &h) != 0)
		return fail(e, ST_CALLBACK, 0, "the callback gave no node %llu of level %u",
		            (unsigned long long)index, level);
	*ret = public_hash_in(&h);
	return ST_OK;
}

/* The nodes of a tile reader of ours tell why they fail. */
static struct tlog_nodes nodes_of(const struct vitrine_tlog_nodes *n)
{
	struct tlog_nodes inner;
	if (public_tile_reader_nodes(n, &inner))
		return inner;
	return (struct tlog_nodes){user_get, (void *)(uintptr_t)n};
}

/* Which of the three a caller of prove() wants. */
enum wanted { INCLUSION, CONSISTENCY, ROOT };

static st_t prove(const struct vitrine_tlog_nodes *user, enum wanted what, uint64_t from,
                  uint64_t size, struct tlog_proof *ret_proof, struct tlog_hash *ret_root,
                  struct err *e)
{
	struct tlog_nodes nodes = nodes_of(user);
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	st_t st;
	if (what == ROOT)
		st = tlog_tree_root(&h, &nodes, size, ret_root, e);
	else if (what == INCLUSION)
		st = tlog_prove_inclusion(&h, &nodes, from, size, ret_proof, e);
	else
		st = tlog_prove_consistency(&h, &nodes, from, size, ret_proof, e);
	tlog_hasher_done(&h);
	return st;
}

enum vitrine_tlog_status vitrine_tlog_prove_inclusion(const struct vitrine_tlog_nodes *nodes,
                                                      uint64_t index, uint64_t size,
                                                      struct vitrine_tlog_proof *ret,
                                                      struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_proof p;
	st_t st = prove(nodes, INCLUSION, index, size, &p, NULL, &e);
	if (st == ST_OK)
		public_path_out(&p, ret);
	return public_status(st, &e, error);
}

enum vitrine_tlog_status vitrine_tlog_prove_consistency(const struct vitrine_tlog_nodes *nodes,
                                                        uint64_t old_size, uint64_t new_size,
                                                        struct vitrine_tlog_proof *ret,
                                                        struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_proof p;
	st_t st = prove(nodes, CONSISTENCY, old_size, new_size, &p, NULL, &e);
	if (st == ST_OK)
		public_path_out(&p, ret);
	return public_status(st, &e, error);
}

enum vitrine_tlog_status vitrine_tlog_tree_root(const struct vitrine_tlog_nodes *nodes,
                                                uint64_t size, struct vitrine_tlog_hash *ret,
                                                struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct tlog_hash root;
	st_t st = prove(nodes, ROOT, 0, size, NULL, &root, &e);
	if (st == ST_OK)
		*ret = public_hash_out(&root);
	return public_status(st, &e, error);
}

struct vitrine_tlog_tree {
	struct tlog_frontier frontier;
	struct tlog_hasher hasher;
};

enum vitrine_tlog_status vitrine_tlog_tree_new(vitrine_tlog_tree **ret)
{
	vitrine_tlog_tree *t = calloc(1, sizeof *t);
	st_t st = t ? tlog_hasher_init(&t->hasher, NULL) : ST_NOMEM;
	if (st == ST_OK)
		*ret = t;
	else
		free(t);
	return public_status(st, NULL, NULL);
}

void vitrine_tlog_tree_free(vitrine_tlog_tree *tree)
{
	if (!tree)
		return;
	tlog_hasher_done(&tree->hasher);
	free(tree);
}

enum vitrine_tlog_status vitrine_tlog_tree_add(vitrine_tlog_tree *tree,
                                               const struct vitrine_tlog_hash *leaf)
{
	struct tlog_hash h = public_hash_in(leaf);
	if (tree->frontier.size == TLOG_SIZE_MAX)
		return VITRINE_TLOG_LIMIT;
	tlog_frontier_add(&tree->frontier, &tree->hasher, &h);
	return public_status(tlog_hasher_check(&tree->hasher, NULL), NULL, NULL);
}

uint64_t vitrine_tlog_tree_size(const vitrine_tlog_tree *tree)
{
	return tree->frontier.size;
}

/* Through a hasher of its own, so that the tree is only read. */
enum vitrine_tlog_status vitrine_tlog_tree_current_root(const vitrine_tlog_tree *tree,
                                                        struct vitrine_tlog_hash *ret)
{
	struct tlog_hasher h;
	struct tlog_hash root;
	st_t st = tlog_hasher_check(&tree->hasher, NULL);
	if (st == ST_OK)
		st = tlog_hasher_init(&h, NULL);
	if (st != ST_OK)
		return public_status(st, NULL, NULL);
	tlog_frontier_root(&tree->frontier, &h, &root);
	st = tlog_hasher_check(&h, NULL);
	tlog_hasher_done(&h);
	if (st == ST_OK)
		*ret = public_hash_out(&root);
	return public_status(st, NULL, NULL);
}
