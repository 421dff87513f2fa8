#include "tlog/proof.h"

#include "base/num.h"
#include "test/t.h"
#include "tlog/text.h"
#include "tlog_make.h"

static struct policy *policy_of_vectors(void)
{
	struct buf b = {0};
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	make_read_file(VECTORS, "policy.txt", &b);
	if (policy_parse(make_rd(&b), &p, &e) != ST_OK)
		T_FAIL("policy.txt: %s", e.text);
	buf_done(&b);
	return p;
}

/* Entry i of the log that the vectors are about. */
static struct tlog_hash leaf_of(unsigned i)
{
	char entry[32];
	int n = snprintf(entry, sizeof entry, "fixture entry %u\n", i);
	struct tlog_hasher h;
	struct tlog_hash leaf = {0};
	T_EQ(tlog_hasher_init(&h, NULL), ST_OK);
	tlog_hash_leaf(&h, entry, (size_t)n, &leaf);
	tlog_hasher_done(&h);
	return leaf;
}

static st_t check(const struct policy *p, struct rd in, unsigned leaf, struct checkpoint *c,
                  struct policy_verdict *v, struct err *e)
{
	struct tlog_hash h = leaf_of(leaf);
	err_clear(e);
	return offline_proof_check(p, in, &h, c, v, e);
}

static const struct {
	const char *name;
	unsigned index;
} ok[] = {{"ok-0", 0}, {"ok-255", 255}, {"ok-256", 256}, {"ok-256-extra", 256}, {"ok-299", 299}};

static void read_proof(const char *name, struct buf *b)
{
	char file[80];
	snprintf(file, sizeof file, "tlog-proof/%s.tlog-proof", name);
	make_read_file(VECTORS, file, b);
}

static void proofs_of_the_log_are_accepted_for_their_entry_only(void)
{
	struct policy *p = policy_of_vectors();
	for (size_t i = 0; p && i < ARRAY_LEN(ok); i++) {
		struct buf b = {0};
		struct checkpoint c;
		struct policy_verdict v;
		struct err e;
		read_proof(ok[i].name, &b);
		if (check(p, make_rd(&b), ok[i].index, &c, &v, &e) != ST_OK)
			T_FAIL("%s: %s", ok[i].name, e.text);
		T_EQ(c.size, 300);
		T_TRUE(text_is(c.origin, "log.example.org/av-updates"));
		T_EQ(v.ncosigned, 3);
		T_EQ(v.time[0], 0x6b047a52);
		T_EQ(check(p, make_rd(&b), ok[i].index + 1, &c, &v, &e), ST_BAD_PROOF);
		T_EQ(offline_proof_check(p, make_rd(&b), &(struct tlog_hash){0}, NULL, NULL, NULL),
		     ST_BAD_PROOF);
		buf_done(&b);
	}
	policy_free(p);
}

static const struct {
	const char *name;
	st_t st;
	const char *why;
} bad[] = {
	{"bad-crlf", ST_MALFORMED, "lines end with a newline (U+000A), this one with CR LF"},
	{"bad-dup-hash", ST_BAD_PROOF, "inclusion"},
	{"bad-dup-witness1", ST_BAD_SIG, "missing w2, w3; cosigned by w1; the policy asks for 2 of"},
	{"bad-leading-zero-index", ST_MALFORMED, "the index is not an ASCII decimal with no leading"},
	{"bad-missing-hash", ST_BAD_PROOF, "inclusion"},
	{"bad-no-header", ST_MALFORMED, "the first line must be \"c2sp.org/tlog-proof@v1\""},
	{"bad-plus-index", ST_MALFORMED, "the index is not an ASCII decimal with no leading"},
	{"bad-quorum-1-of-3", ST_BAD_SIG, "missing w2, w3; cosigned by w1; the policy asks for 2 of"},
	{"bad-size-leading-zero", ST_MALFORMED, "tlog-checkpoint: the size has a leading zero"},
	{"bad-trailing-garbage", ST_MALFORMED, "the last line does not end with a newline"},
	{"bad-wrong-index", ST_BAD_PROOF, "inclusion"},
	{"bad-wrong-origin", ST_NOT_FOUND, "\"log.example.org/other\" is that of no log in the policy"},
};

static void bad_proofs_are_refused_for_the_rule_that_they_break(void)
{
	struct policy *p = policy_of_vectors();
	for (size_t i = 0; p && i < ARRAY_LEN(bad); i++) {
		struct buf b = {0};
		struct err e;
		read_proof(bad[i].name, &b);
		st_t st = check(p, make_rd(&b), 256, NULL, NULL, &e);
		if (st != bad[i].st || e.st != st || !strstr(e.text, bad[i].why))
			T_FAIL("%s: status %d, \"%s\"", bad[i].name, st, e.text);
		buf_done(&b);
	}
	policy_free(p);
}

/* What a mutation that is still accepted must leave alone, and where it may be. */
static bool in_line_of_unknown_key(const struct policy *p, struct rd in, struct rd checkpoint,
                                   size_t at)
{
	struct note n;
	if (note_parse(checkpoint, &n, NULL) != ST_OK)
		return false;
	for (size_t i = 0; i < n.n; i++) {
		size_t start = rd_offset(&in, &n.sig[i].line);
		if (at < start || at >= start + n.sig[i].line.len)
			continue;
		bool known = false;
		for (size_t w = 0; w < p->nwitnesses; w++)
			known |= text_is(n.sig[i].name, p->witnesses[w].key.name) &&
			         n.sig[i].id == p->witnesses[w].key.id;
		return !known;
	}
	return false;
}

static void expect_harmless(const struct policy *p, struct rd in, unsigned index, size_t at)
{
	struct offline_proof proof;
	struct checkpoint c;
	struct policy_verdict v;
	struct err e;
	T_EQ(check(p, in, index, &c, &v, &e), ST_OK);
	T_EQ(offline_proof_parse(in, &proof, NULL), ST_OK);
	T_EQ(proof.index, index);
	T_EQ(c.size, 300);
	T_TRUE(text_is(c.origin, "log.example.org/av-updates"));
	size_t extra = proof.has_extra ? rd_offset(&in, &proof.extra_base64) : SIZE_MAX;
	bool in_extra = at >= extra && at < extra + proof.extra_base64.len;
	if (!in_extra && !in_line_of_unknown_key(p, in, proof.checkpoint, at))
		T_FAIL("byte %zu changed, and the proof is accepted:\n%.*s", at, (int)in.len, in.base);
}

/* Returns how many mutations were still accepted. */
static size_t mutate_byte(const struct policy *p, struct buf *b, unsigned index, size_t at,
                          const uint8_t *values, size_t n)
{
	size_t accepted = 0;
	uint8_t was = b->data[at];
	for (size_t i = 0; i < n; i++) {
		struct err e;
		b->data[at] = values[i];
		T_TRUE(check(p, make_rd(b), index + 1, NULL, NULL, &e) != ST_OK);
		if (values[i] == was || check(p, make_rd(b), index, NULL, NULL, &e) != ST_OK)
			continue;
		accepted++;
		expect_harmless(p, make_rd(b), index, at);
	}
	b->data[at] = was;
	return accepted;
}

/* With a line of an unknown key behind. VITRINE_TEST_ALL_BYTES: each byte takes all values, for
 * minutes. */
static void no_single_byte_changes_what_is_proven(void)
{
	static const char unknown[] = "\xe2\x80\x94 nobody.example AAAAAAAAAAAA\n";
	bool all = getenv("VITRINE_TEST_ALL_BYTES");
	uint64_t seed = t_seed(11);
	struct policy *p = policy_of_vectors();
	for (size_t i = 0; p && i < ARRAY_LEN(ok); i++) {
		struct buf b = {0};
		size_t accepted = 0;
		read_proof(ok[i].name, &b);
		make_add(&b, unknown);
		bool full = strcmp(ok[i].name, "ok-256-extra") == 0;
		for (size_t at = 0; at < b.len; at++) {
			uint8_t values[256];
			size_t n = all ? 256 : full ? 4 : 1;
			for (size_t k = 0; k < n; k++)
				values[k] = all ? (uint8_t)k : (uint8_t)(b.data[at] ^ 1u << t_rand(&seed) % 8);
			accepted += mutate_byte(p, &b, ok[i].index, at, values, n);
		}
		T_TRUE(accepted > 0 && accepted < (all ? b.len * 256 / 10 : b.len));
		buf_done(&b);
	}
	policy_free(p);
}

static void a_proof_that_ends_early_is_refused(void)
{
	struct policy *p = policy_of_vectors();
	struct buf b = {0};
	struct err e;
	read_proof("ok-256-extra", &b);
	size_t two_witnesses = b.len;
	for (unsigned lines = 0; lines < 2; two_witnesses--)
		lines += b.data[two_witnesses - 2] == '\n';
	for (size_t n = 0; p && n < b.len; n++) {
		/* The lines of log, w1 and w2 are enough. */
		bool enough = n > two_witnesses && b.data[n - 1] == '\n';
		T_EQ(check(p, rd_make(b.data, n), 256, NULL, NULL, &e) == ST_OK, enough);
	}
	buf_done(&b);
	policy_free(p);
}

static void what_is_written_is_what_was_read(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ok); i++) {
		struct buf b = {0}, out = {0};
		struct offline_proof p;
		uint8_t extra[64];
		size_t n = 0;
		read_proof(ok[i].name, &b);
		T_EQ(offline_proof_parse(make_rd(&b), &p, NULL), ST_OK);
		if (p.has_extra)
			T_TRUE(text_base64(p.extra_base64, extra, sizeof extra, &n));
		offline_proof_format(p.has_extra ? extra : NULL, n, p.index, &p.proof, p.checkpoint, &out);
		T_EQ(out.len, b.len);
		T_TRUE(out.len == b.len && memcmp(out.data, b.data, b.len) == 0);
		buf_done(&b);
		buf_done(&out);
	}
}

static const struct {
	const char *text, *why;
} malformed[] = {
	{"", "it ends before the empty line"},
	{"c2sp.org/tlog-proof@v1", "it ends before the empty line"},
	{"c2sp.org/tlog-proof@v2\n", "the first line must be"},
	{" c2sp.org/tlog-proof@v1\nindex 0\n\nx", "the first line must be"},
	{"c2sp.org/tlog-proof@v1\n", "it ends before the empty line"},
	{"c2sp.org/tlog-proof@v1\n\nindex 0\n\nx", "the line must start with \"index \""},
	{"c2sp.org/tlog-proof@v1\nextra\nindex 0\n\nx", "the line must start with \"index \""},
	{"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx", "an extra line without data"},
	{"c2sp.org/tlog-proof@v1\nextra  QQ==\nindex 0\n\nx", "the extra data is not base64"},
	{"c2sp.org/tlog-proof@v1\nextra QQ\nindex 0\n\nx", "the extra data is not base64"},
	{"c2sp.org/tlog-proof@v1\nextra QR==\nindex 0\n\nx", "the extra data is not base64"},
	{"c2sp.org/tlog-proof@v1\nextra QQ==\nextra QQ==\nindex 0\n\nx", "must start with \"index \""},
	{"c2sp.org/tlog-proof@v1\nindex 0\nextra QQ==\n\nx", "hash 1 is not the base64 of 32 bytes"},
	{"c2sp.org/tlog-proof@v1\nIndex 0\n\nx", "the line must start with \"index \""},
	{"c2sp.org/tlog-proof@v1\nindex\n\nx", "the line must start with \"index \""},
	{"c2sp.org/tlog-proof@v1\nindex \n\nx", "the index is not an ASCII decimal"},
	{"c2sp.org/tlog-proof@v1\nindex 00\n\nx", "the index is not an ASCII decimal"},
	{"c2sp.org/tlog-proof@v1\nindex -1\n\nx", "the index is not an ASCII decimal"},
	{"c2sp.org/tlog-proof@v1\nindex 1 \n\nx", "the index is not an ASCII decimal"},
	{"c2sp.org/tlog-proof@v1\nindex 0x1\n\nx", "the index is not an ASCII decimal"},
	{"c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\nx", "the index is not an ASCII dec"},
	{"c2sp.org/tlog-proof@v1\nindex 9223372036854775807\n\nx", "the index is 2^63 - 1 or more"},
	{"c2sp.org/tlog-proof@v1\nindex 0\nQUJD\n\nx", "hash 1 is not the base64 of 32 bytes"},
	{"c2sp.org/tlog-proof@v1\nindex 0\n", "it ends before the empty line"},
	{"c2sp.org/tlog-proof@v1\nindex 0\n\n", "it ends before the checkpoint"},
};

static void a_proof_that_breaks_a_rule_is_refused_with_the_rule(void)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct offline_proof p;
		struct err e = {.st = ST_OK};
		struct rd in = rd_make(malformed[i].text, strlen(malformed[i].text));
		st_t st = offline_proof_parse(in, &p, &e);
		if (st != ST_MALFORMED || !strstr(e.text, malformed[i].why))
			T_FAIL("%s: status %d, \"%s\"", malformed[i].text, st, e.text);
	}
}

/* A proof of so many hashes and so many bytes of extra data. */
static st_t parse_large(size_t hashes, size_t extra, size_t checkpoint)
{
	struct buf b = {0}, zero = {0};
	struct offline_proof p;
	struct tlog_proof path = {0};
	buf_fill(&zero, 0, extra + checkpoint + 1);
	offline_proof_format(extra ? zero.data : NULL, extra, 0, &path, rd_make(NULL, 0), &b);
	b.len--;
	for (size_t i = 0; i < hashes; i++) {
		text_base64_add(&b, path.hash[0].b, TLOG_HASH);
		make_add(&b, "\n");
	}
	make_add(&b, "\n");
	buf_add(&b, zero.data, checkpoint);
	st_t st = offline_proof_parse(make_rd(&b), &p, NULL);
	buf_done(&b);
	buf_done(&zero);
	return st;
}

static void the_limits_are_as_they_say(void)
{
	T_EQ(parse_large(63, 0, 1), ST_OK);
	T_EQ(parse_large(64, 0, 1), ST_MALFORMED);
	T_EQ(parse_large(0, PROOF_EXTRA_MAX, 1), ST_OK);
	T_EQ(parse_large(0, PROOF_EXTRA_MAX + 1, 1), ST_LIMIT);
	T_EQ(parse_large(0, 0, NOTE_SIZE_MAX), ST_OK);
	T_EQ(parse_large(0, 0, PROOF_SIZE_MAX), ST_LIMIT);
}

/* A log of our own: subtrees by the definition, from leaves. */
static st_t subtree(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret, struct err *e)
{
	struct tlog_hasher *h = ctx;
	struct tlog_hash l, r;
	if (level == 0) {
		*ret = leaf_of((unsigned)index);
		return ST_OK;
	}
	TRY(subtree(ctx, level - 1, 2 * index, &l, e));
	TRY(subtree(ctx, level - 1, 2 * index + 1, &r, e));
	tlog_hash_node(h, &l, &r, ret);
	return ST_OK;
}

static void expect_own_proof(const struct policy *p, struct tlog_hasher *h, const struct buf *note,
                             uint64_t index, uint64_t size)
{
	struct tlog_nodes nodes = {subtree, h};
	struct tlog_proof path;
	struct buf b = {0};
	struct checkpoint c;
	struct err e = {.st = ST_OK};
	T_EQ(tlog_prove_inclusion(h, &nodes, index, size, &path, &e), ST_OK);
	offline_proof_format(NULL, 0, index, &path, make_rd(note), &b);
	for (unsigned leaf = 0; leaf < size; leaf++)
		T_EQ(check(p, make_rd(&b), leaf, &c, NULL, &e), leaf == index ? ST_OK : ST_BAD_PROOF);
	b.len = 0;
	offline_proof_format(NULL, 0, (index + 1) % (size + 1), &path, make_rd(note), &b);
	T_EQ(check(p, make_rd(&b), (unsigned)index, &c, NULL, &e), ST_BAD_PROOF);
	buf_done(&b);
}

static void each_entry_of_small_logs_can_be_proven_offline(void)
{
	struct make_key log;
	struct buf text = {0};
	struct policy *p = NULL;
	struct tlog_hasher h;
	make_key(1, "log.example", NOTE_ED25519, &log);
	make_log_line(&text, &log);
	make_add(&text, "quorum none\n");
	T_EQ(policy_parse(make_rd(&text), &p, NULL), ST_OK);
	T_EQ(tlog_hasher_init(&h, NULL), ST_OK);
	for (uint64_t size = 1; p && size <= 9; size++) {
		struct tlog_nodes nodes = {subtree, &h};
		struct tlog_hash root;
		struct buf note = {0};
		T_EQ(tlog_tree_root(&h, &nodes, size, &root, NULL), ST_OK);
		make_checkpoint(&note, "log.example", size, &root);
		make_signature(&note, &log, 0);
		for (uint64_t i = 0; i < size; i++)
			expect_own_proof(p, &h, &note, i, size);
		buf_done(&note);
	}
	tlog_hasher_done(&h);
	policy_free(p);
	buf_done(&text);
	make_key_done(&log);
}

int main(void)
{
	T_RUN(proofs_of_the_log_are_accepted_for_their_entry_only);
	T_RUN(bad_proofs_are_refused_for_the_rule_that_they_break);
	T_RUN(no_single_byte_changes_what_is_proven);
	T_RUN(a_proof_that_ends_early_is_refused);
	T_RUN(what_is_written_is_what_was_read);
	T_RUN(a_proof_that_breaks_a_rule_is_refused_with_the_rule);
	T_RUN(the_limits_are_as_they_say);
	T_RUN(each_entry_of_small_logs_can_be_proven_offline);
	return t_end();
}
