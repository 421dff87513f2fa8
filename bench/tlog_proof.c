/* What a client pays for proof: the inclusion check beside the signatures, one Ed25519 signature,
 * and a whole offline proof of one log and three witnesses, text and all. Each figure is the best
 * mean of several rounds. Prints lines "NAME VALUE UNIT".
 *
 * usage: tlog_proof */
#include "crypto/ed25519.h"
#include "tlog/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 7
#define ROUND_S 0.1
#define WITNESSES 3

static void must(st_t st, const struct err *e)
{
	if (st == ST_OK)
		return;
	fprintf(stderr, "tlog_proof: %s\n", e->text);
	exit(2);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Microseconds that one call takes. */
static double measure(void (*call)(void *), void *ctx)
{
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), spent = 0;
		unsigned calls = 0;
		while (spent < ROUND_S) {
			for (int i = 0; i < 16; i++)
				call(ctx);
			calls += 16;
			spent = now() - start;
		}
		if (spent / calls < best)
			best = spent / calls;
	}
	return best * 1e6;
}

/* A tree whose leaves are all the same has one hash for each level, so its proofs cost nothing to
 * make whatever its size. */
struct same_leaves {
	struct tlog_hasher h;
	struct tlog_hash level[64];
	struct tlog_nodes nodes;
};

static st_t node_of_level(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret,
                          struct err *e)
{
	const struct same_leaves *t = ctx;
	(void)index;
	(void)e;
	*ret = t->level[level];
	return ST_OK;
}

static void make_tree(struct same_leaves *t)
{
	struct err e = {.st = ST_OK};
	must(tlog_hasher_init(&t->h, &e), &e);
	tlog_hash_leaf(&t->h, "entry", 5, &t->level[0]);
	for (unsigned i = 1; i < 64; i++)
		tlog_hash_node(&t->h, &t->level[i - 1], &t->level[i - 1], &t->level[i]);
	t->nodes = (struct tlog_nodes){node_of_level, t};
}

struct inclusion {
	struct same_leaves *t;
	uint64_t index, size;
	struct tlog_proof proof;
	struct tlog_hash root;
};

static void make_inclusion(struct inclusion *i)
{
	struct err e = {.st = ST_OK};
	i->index = i->size / 3 * 2;
	must(tlog_prove_inclusion(&i->t->h, &i->t->nodes, i->index, i->size, &i->proof, &e), &e);
	must(tlog_tree_root(&i->t->h, &i->t->nodes, i->size, &i->root, &e), &e);
}

static void check_inclusion(void *ctx)
{
	struct inclusion *i = ctx;
	struct err e = {.st = ST_OK};
	const struct tlog_hash *leaf = &i->t->level[0];
	must(tlog_check_inclusion(&i->t->h, leaf, i->index, i->size, &i->proof, &i->root, &e), &e);
}

struct message {
	uint8_t pub[ED25519_PUBLIC], sig[ED25519_SIGNATURE], text[128];
};

static void verify_signature(void *ctx)
{
	const struct message *m = ctx;
	struct err e = {.st = ST_OK};
	must(ed25519_verify(m->pub, m->text, sizeof m->text, m->sig, &e), &e);
}

static struct signer *make_signer(uint8_t number)
{
	struct err e = {.st = ST_OK};
	struct signer *s = NULL;
	uint8_t seed[32];
	memset(seed, number, sizeof seed);
	must(signer_new(SIGNER_ED25519, seed, &s, &e), &e);
	return s;
}

static double measure_signature(void)
{
	struct message m = {0};
	struct err e = {.st = ST_OK};
	struct signer *s = make_signer(1);
	memcpy(m.pub, s->pub, sizeof m.pub);
	must(signer_sign(s, m.text, sizeof m.text, m.sig, &e), &e);
	double us = measure(verify_signature, &m);
	signer_free(s);
	return us;
}

struct whole {
	struct policy *policy;
	struct buf proof;
	const struct tlog_hash *leaf;
};

static void check_whole(void *ctx)
{
	const struct whole *w = ctx;
	struct err e = {.st = ST_OK};
	struct rd in = rd_make(w->proof.data, w->proof.len);
	must(offline_proof_check(w->policy, in, w->leaf, NULL, NULL, &e), &e);
}

/* Adds a key to the policy, and its signature to the note. */
static void add_party(uint8_t number, struct buf *policy, struct rd text, struct buf *note)
{
	struct err e = {.st = ST_OK};
	struct note_key k;
	char name[32], line[48];
	bool is_log = number == 0;
	enum note_type type = is_log ? NOTE_ED25519 : NOTE_COSIGNATURE_ED25519;
	struct signer *s = make_signer(number);
	snprintf(name, sizeof name, is_log ? "log.example" : "witness%u.example", number);
	snprintf(line, sizeof line, is_log ? "log " : "witness w%u ", number);
	must(note_key_of_signer(name, type, s, &k, &e), &e);
	buf_add(policy, line, strlen(line));
	note_key_format(&k, policy);
	buf_u8(policy, '\n');
	must(note_sign(text, name, type, s, 1700000000, note, &e), &e);
	signer_free(s);
}

static void make_whole(const struct inclusion *i, struct whole *ret)
{
	static const char quorum[] = "group all-of-them all w1 w2 w3\nquorum all-of-them\n";
	struct err e = {.st = ST_OK};
	struct buf policy = {0}, text = {0}, note = {0};
	checkpoint_format("log.example", i->size, &i->root, &text);
	buf_add(&note, text.data, text.len);
	buf_u8(&note, '\n');
	for (uint8_t n = 0; n <= WITNESSES; n++)
		add_party(n, &policy, rd_make(text.data, text.len), &note);
	buf_add(&policy, quorum, strlen(quorum));
	*ret = (struct whole){.leaf = &i->t->level[0]};
	must(policy_parse(rd_make(policy.data, policy.len), &ret->policy, &e), &e);
	offline_proof_format(NULL, 0, i->index, &i->proof, rd_make(note.data, note.len), &ret->proof);
	buf_done(&policy);
	buf_done(&text);
	buf_done(&note);
}

static double measure_whole(const struct inclusion *i)
{
	struct whole w;
	make_whole(i, &w);
	double us = measure(check_whole, &w);
	policy_free(w.policy);
	buf_done(&w.proof);
	return us;
}

int main(void)
{
	static const uint64_t sizes[] = {1000, 1000000, 100000000, UINT64_C(1) << 40};
	static struct same_leaves t;
	make_tree(&t);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct inclusion in = {.t = &t, .size = sizes[i]};
		make_inclusion(&in);
		printf("inclusion_check_%" PRIu64 " %.2f us\n", in.size, measure(check_inclusion, &in));
	}
	struct inclusion million = {.t = &t, .size = 1000000};
	make_inclusion(&million);
	printf("ed25519_verify %.1f us\n", measure_signature());
	printf("offline_proof_1_log_3_witnesses %.1f us\n", measure_whole(&million));
	tlog_hasher_done(&t.h);
	return 0;
}
