#include "witness_make.h"

#include "tlog/text.h"

#include <stdio.h>
#include <stdlib.h>

static st_t get_node(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                     struct err *e)
{
	struct make_view *v = ctx;
	if (level) {
		struct tlog_hash l, r;
		TRY(get_node(ctx, level - 1, 2 * index, &l, e));
		TRY(get_node(ctx, level - 1, 2 * index + 1, &r, e));
		tlog_hash_node(&v->hasher, &l, &r, ret);
		return ST_OK;
	}
	char text[48];
	int n = snprintf(text, sizeof text, "entry %llu of view %u", (unsigned long long)index,
	                 index < MAKE_FORK ? 0 : v->view);
	tlog_hash_leaf(&v->hasher, text, (size_t)n, ret);
	return ST_OK;
}

struct tlog_nodes make_nodes(struct make_view *v)
{
	if (tlog_hasher_init(&v->hasher, NULL) != ST_OK)
		exit(1);
	return (struct tlog_nodes){.get = get_node, .ctx = v};
}

struct tlog_hash make_root(struct make_view *v, uint64_t size)
{
	struct tlog_hash h;
	struct tlog_nodes nodes = make_nodes(v);
	tlog_hash_empty(&h);
	if (size && tlog_tree_root(&v->hasher, &nodes, size, &h, NULL) != ST_OK)
		exit(1);
	return h;
}

void make_note(struct buf *b, struct make_view *v, uint64_t size, const struct make_key *k)
{
	struct buf note = {0};
	struct tlog_hash root = make_root(v, size);
	make_checkpoint(&note, k->key.name, size, &root);
	make_signature(&note, k, 0);
	buf_add(b, note.data, note.len);
	buf_done(&note);
}

void make_head(struct buf *b, struct make_view *v, uint64_t old, uint64_t size)
{
	struct tlog_proof p = {0};
	struct tlog_nodes nodes = make_nodes(v);
	if (old && old < size &&
	    tlog_prove_consistency(&v->hasher, &nodes, old, size, &p, NULL) != ST_OK)
		exit(1);
	make_add(b, "old ");
	text_decimal_add(b, old);
	make_add(b, "\n");
	for (size_t i = 0; i < p.n; i++) {
		text_base64_add(b, p.hash[i].b, TLOG_HASH);
		make_add(b, "\n");
	}
	make_add(b, "\n");
}

void make_request(struct buf *b, struct make_view *v, uint64_t old, uint64_t size,
                  const struct make_key *k)
{
	make_head(b, v, old, size);
	make_note(b, v, size, k);
}
