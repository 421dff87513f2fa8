#include "tlog/policy.h"

#include "base/num.h"
#include "crypto/mldsa44.h"
#include "test/t.h"
#include "tlog_make.h"

#define NKEYS 8
#define TIME 1700000000

/* One log, another log, six witnesses. */
static struct make_key log_a, log_b, log_a2, wit[NKEYS];

static void make_keys(void)
{
	make_key(1, "a.example/log", NOTE_ED25519, &log_a);
	make_key(2, "b.example/log", NOTE_ED25519, &log_b);
	make_key(3, "a.example/log", NOTE_ED25519, &log_a2);
	for (size_t i = 0; i < NKEYS; i++) {
		char name[32];
		snprintf(name, sizeof name, "w%zu.example", i);
		make_key((uint8_t)(10 + i), name, NOTE_COSIGNATURE_ED25519, &wit[i]);
	}
}

static void free_keys(void)
{
	make_key_done(&log_a);
	make_key_done(&log_b);
	make_key_done(&log_a2);
	for (size_t i = 0; i < NKEYS; i++)
		make_key_done(&wit[i]);
}

/* Text with "{a}" and "{b}" for the keys of the logs, "{0}" to "{7}" for those of the witnesses. */
static void expand(const char *text, struct buf *out)
{
	for (const char *p = text; *p; p++) {
		if (*p != '{') {
			buf_u8(out, (uint8_t)*p);
			continue;
		}
		const struct make_key *k = p[1] == 'a'   ? &log_a
		                           : p[1] == 'A' ? &log_a2
		                           : p[1] == 'b' ? &log_b
		                                         : &wit[p[1] - '0'];
		note_key_format(&k->key, out);
		p += 2;
	}
}

static st_t parse_expanded(const char *text, struct policy **ret, struct err *e)
{
	struct buf b = {0};
	*ret = NULL;
	expand(text, &b);
	st_t st = policy_parse(make_rd(&b), ret, e);
	buf_done(&b);
	return st;
}

static struct policy *good(const char *text)
{
	struct policy *p;
	struct err e = {.st = ST_OK};
	T_EQ(parse_expanded(text, &p, &e), ST_OK);
	if (e.st)
		T_FAIL("%s", e.text);
	return p;
}

static const struct {
	const char *text, *why;
} bad[] = {
	{"", "no quorum line"},
	{"# nothing\n", "no quorum line"},
	{"log {a}\n", "no quorum line"},
	{"quorum none\nquorum none\n", "line 2: a second quorum"},
	{"quorum none", "line 1: the line is not terminated"},
	{"quorum none\n ", "line 2: the line is not terminated"},
	{"quorum\n", "line 1: a quorum without a name"},
	{"quorum none none\n", "nothing may follow, but \"none\" does"},
	{"quorum w\nwitness w {0}\n", "line 1: \"w\" is not defined on an earlier line"},
	{"log\nquorum none\n", "line 1: a log without a key"},
	{"log {a} http://x y\nquorum none\n", "nothing may follow, but \"y\" does"},
	{"log {a} # comment\nquorum none\n", "nothing may follow, but \"comment\" does"},
	{"log {0}\nquorum none\n", "line 1: signature type 0x04 is not one of a log"},
	{"witness w {a}\nquorum w\n", "line 1: signature type 0x01 is not one of a witness"},
	{"log {a}\nlog {a}\nquorum none\n", "line 2: this public key is that of another log"},
	{"witness w {0}\nwitness v {0}\nquorum w\n", "line 2: this public key is that of another wit"},
	{"witness {0}\nquorum none\n", "line 1: a witness without a key"},
	{"witness\nquorum none\n", "line 1: a witness without a name"},
	{"witness none {0}\nquorum none\n", "line 1: the name \"none\" is predefined"},
	{"witness w {0}\ngroup none any w\nquorum none\n", "line 2: the name \"none\" is predefined"},
	{"witness w {0}\nwitness w {1}\nquorum w\n", "line 2: the name \"w\" is defined already"},
	{"witness w {0}\ngroup w any w\nquorum w\n", "line 2: the name \"w\" is defined already"},
	{"group\nquorum none\n", "line 1: a group without a name"},
	{"group g\nquorum none\n", "line 1: a group without \"all\""},
	{"group g any\nquorum none\n", "line 1: a group without members"},
	{"group g any g\nquorum g\n", "line 1: \"g\" is not defined on an earlier line"},
	{"group g any w\nwitness w {0}\nquorum g\n", "line 1: \"w\" is not defined on an earlier"},
	{"witness w {0}\ngroup g any w w\nquorum g\n", "line 2: \"w\" is listed as a member twice"},
	{"witness w {0}\ngroup g any w\ngroup h any w\nquorum g\n", "line 3: \"w\" is listed as a"},
	{"witness w {0}\ngroup g any none\nquorum g\n", "line 2: \"none\" cannot be a member"},
	{"witness w {0}\ngroup g 0 w\nquorum g\n", "line 2: a group asks for 0 of 1 members"},
	{"witness w {0}\ngroup g 2 w\nquorum g\n", "line 2: a group asks for 2 of 1 members"},
	{"witness w {0}\ngroup g 01 w\nquorum g\n", "\"01\" is not \"all\", \"any\" or a decimal"},
	{"witness w {0}\ngroup g +1 w\nquorum g\n", "\"+1\" is not \"all\", \"any\" or a decimal"},
	{"witness w {0}\ngroup g 18446744073709551617 w\nquorum g\n", "or a decimal number"},
	{"witness w {0}\ngroup g ANY w\nquorum g\n", "\"ANY\" is not"},
	{"Quorum none\n", "line 1: \"Quorum\" is not \"log\""},
	{"quorum none\r\n", "line 1: byte 0x0d is not allowed (lines end with LF, not with CR LF)"},
	{"quorum none\n\v\n", "line 2: byte 0x0b is not allowed"},
	{"# \x7f\nquorum none\n", "line 1: byte 0x7f is not allowed"},
	{"log nonsense\nquorum none\n", "line 1: "},
	{"quorum n\xc2\xa0one\n", "is not defined on an earlier line"},
};

static void a_policy_that_breaks_a_rule_is_refused_with_the_rule(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy *p;
		struct err e = {.st = ST_OK};
		st_t st = parse_expanded(bad[i].text, &p, &e);
		if (st != ST_MALFORMED || p || !strstr(e.text, bad[i].why))
			T_FAIL("%s: status %d, \"%s\"", bad[i].text, st, e.text);
		policy_free(p);
	}
}

static void a_nul_byte_is_not_allowed(void)
{
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	T_EQ(policy_parse(rd_make("#\0\nquorum none\n", 15), &p, &e), ST_MALFORMED);
	T_TRUE(strstr(e.text, "byte 0x00 is not allowed"));
}

/* A vkey whose name and key ID are those of log_a, but which has the public key of log_b cannot be
 * written (the key ID would not fit), so only whole duplicates are seen here; they are refused. */
static void one_key_under_two_names_is_one_key(void)
{
	struct make_key other;
	struct buf b = {0};
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	make_key(10, "another.name", NOTE_COSIGNATURE_ED25519, &other);
	make_witness_line(&b, "w", &wit[0]);
	make_witness_line(&b, "v", &other);
	make_add(&b, "quorum w\n");
	T_EQ(policy_parse(make_rd(&b), &p, &e), ST_MALFORMED);
	T_TRUE(strstr(e.text, "line 2: this public key is that of another witness"));
	buf_done(&b);
	make_key_done(&other);
}

static void blanks_comments_and_opaque_names_are_read(void)
{
	struct policy *p = good("  # comment \x80\xff\n\t\n\n"
	                        "\tlog \t {a}\t https://a.example/ \t\n"
	                        "witness K {0} https://w\xc3\xa9.example\n"
	                        "witness \xe2\x84\xaa {1}\n"
	                        "witness #x {2}\n"
	                        "group all all K \xe2\x84\xaa\n"
	                        "  quorum  all  \n"
	                        "witness later {3}\n");
	if (!p)
		return;
	T_EQ(p->nlogs, 1);
	T_STR(p->logs[0].key.name, "a.example/log");
	T_STR(p->logs[0].url, "https://a.example/");
	T_EQ(p->nwitnesses, 4);
	T_STR(p->witnesses[1].name, "\xe2\x84\xaa");
	T_STR(p->witnesses[2].name, "#x");
	T_TRUE(!p->witnesses[1].url);
	T_TRUE(!policy_quorum_met(p, (bool[]){true, false, true, true}));
	T_TRUE(policy_quorum_met(p, (bool[]){true, true, false, false}));
	policy_free(p);
}

static void quorum_none_needs_nobody_and_logs_may_be_absent(void)
{
	struct policy *p = good("witness w {0}\nquorum none\n");
	if (!p)
		return;
	T_EQ(p->nlogs, 0);
	T_TRUE(!p->quorum);
	T_TRUE(policy_quorum_met(p, (bool[]){false}));
	policy_free(p);
}

static void the_policy_of_the_vectors_asks_for_two_of_three(void)
{
	struct buf b = {0};
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	make_read_file(VECTORS, "policy.txt", &b);
	T_EQ(policy_parse(make_rd(&b), &p, &e), ST_OK);
	buf_done(&b);
	if (!p)
		return;
	for (unsigned set = 0; set < 8; set++) {
		bool cosigned[] = {set & 1, set & 2, set & 4};
		T_EQ(policy_quorum_met(p, cosigned), __builtin_popcount(set) >= 2);
	}
	policy_describe_quorum(p, &b);
	buf_u8(&b, 0);
	T_STR((char *)b.data, "2 of w1, w2, w3");
	buf_done(&b);
	policy_free(p);
}

static void expect_description(const char *text, const char *words)
{
	struct policy *p = good(text);
	struct buf b = {0};
	if (!p)
		return;
	policy_describe_quorum(p, &b);
	buf_u8(&b, 0);
	T_STR((char *)b.data, words);
	buf_done(&b);
	policy_free(p);
}

static void a_quorum_is_described_in_words(void)
{
#define SIX                                                     \
	"witness a {0}\nwitness b {1}\nwitness c {2}\n"               \
	"witness x {3}\nwitness y {4}\nwitness z {5}\n"
	expect_description(SIX "quorum none\n", "none");
	expect_description(SIX "quorum b\n", "b");
	expect_description(SIX "group g 1 a\nquorum g\n", "all of a");
	expect_description(SIX "group g 2 a b c\ngroup h any x y z\ngroup q all g h\nquorum q\n",
	                   "all of (2 of a, b, c), (any of x, y, z)");
	expect_description(SIX "group g any a b\ngroup h 2 g c x\ngroup q any h y\nquorum h\n",
	                   "2 of c, x, (any of a, b)");
	expect_description(SIX "group g any a b\ngroup h 2 g c x\ngroup q any h y\nquorum q\n",
	                   "any of y, (2 of c, x, (any of a, b))");
}

/* "It is strongly recommended that an implementation supports at least up to 32 logs, 32 witnesses,
 * and 32 groups." */
static void many_items(size_t nlogs, size_t nwitnesses, size_t ngroups, st_t expected)
{
	struct buf b = {0};
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	for (size_t i = 0; i < nlogs + nwitnesses; i++) {
		struct make_key k;
		char name[32];
		bool is_log = i < nlogs;
		snprintf(name, sizeof name, "n%zu", i);
		make_key((uint8_t)i, name, is_log ? NOTE_ED25519 : NOTE_COSIGNATURE_ED25519, &k);
		if (is_log)
			make_log_line(&b, &k);
		else
			make_witness_line(&b, name, &k);
		make_key_done(&k);
	}
	char line[64];
	for (size_t i = 0; i < ngroups; i++) {
		snprintf(line, sizeof line, "group g%zu any %c%zu\n", i, i ? 'g' : 'n', i ? i - 1 : nlogs);
		make_add(&b, line);
	}
	snprintf(line, sizeof line, "quorum g%zu\n", ngroups - 1);
	make_add(&b, line);
	T_EQ(policy_parse(make_rd(&b), &p, &e), expected);
	if (p) {
		bool cosigned[POLICY_ITEMS_MAX] = {true};
		T_TRUE(policy_quorum_met(p, cosigned));
		cosigned[0] = false;
		T_TRUE(!policy_quorum_met(p, cosigned));
	}
	buf_done(&b);
	policy_free(p);
}

static void limits_are_64_of_each_and_groups_may_be_as_deep(void)
{
	many_items(64, 64, 64, ST_OK);
	many_items(65, 1, 1, ST_LIMIT);
	many_items(1, 65, 1, ST_LIMIT);
	many_items(1, 1, 65, ST_LIMIT);
}

static void a_policy_over_the_size_limit_is_refused(void)
{
	struct buf b = {0};
	struct policy *p = NULL;
	struct err e = {.st = ST_OK};
	make_add(&b, "quorum none\n");
	buf_fill(&b, '\n', POLICY_SIZE_MAX - b.len);
	T_EQ(policy_parse(make_rd(&b), &p, &e), ST_OK);
	policy_free(p);
	p = NULL;
	buf_u8(&b, '\n');
	T_EQ(policy_parse(make_rd(&b), &p, &e), ST_LIMIT);
	buf_done(&b);
}

/* Random trees of groups against the definition, evaluated recursively over a tree of our own. */
#define TREE_MAX 24

struct tree {
	size_t nwitnesses, n; /* nodes 0 .. nwitnesses - 1 are witnesses */
	size_t parent[TREE_MAX], k[TREE_MAX], members[TREE_MAX];
};

static bool naive_met(const struct tree *t, size_t node, const bool *cosigned)
{
	if (node < t->nwitnesses)
		return cosigned[node];
	size_t met = 0;
	for (size_t i = 0; i < node; i++)
		met += t->parent[i] == node && naive_met(t, i, cosigned);
	return met >= t->k[node];
}

static void random_tree(uint64_t *seed, struct tree *t, struct buf *out)
{
	char line[64];
	*t = (struct tree){.nwitnesses = 1 + t_rand(seed) % NKEYS};
	for (; t->n < t->nwitnesses; t->n++) {
		snprintf(line, sizeof line, "witness n%zu {%zu}\n", t->n, t->n);
		make_add(out, line);
	}
	size_t groups = t_rand(seed) % 8;
	for (size_t g = 0; g < groups; g++) {
		struct buf members = {0};
		for (size_t i = 0; i < t->n; i++) {
			if (t->parent[i] || t_rand(seed) % 2)
				continue;
			t->parent[i] = t->n;
			t->members[t->n]++;
			snprintf(line, sizeof line, " n%zu", i);
			make_add(&members, line);
		}
		buf_u8(&members, 0);
		if (t->members[t->n]) {
			t->k[t->n] = 1 + t_rand(seed) % t->members[t->n];
			snprintf(line, sizeof line, "group n%zu %zu", t->n, t->k[t->n]);
			make_add(out, line);
			make_add(out, (char *)members.data);
			make_add(out, "\n");
			t->n++;
		}
		buf_done(&members);
	}
}

static void random_groups_are_judged_as_the_definition_says(void)
{
	uint64_t seed = t_seed(7);
	for (int round = 0; round < 300; round++) {
		struct tree t;
		struct buf text = {0};
		char line[32];
		random_tree(&seed, &t, &text);
		size_t root = t_rand(&seed) % t.n;
		snprintf(line, sizeof line, "quorum n%zu\n", root);
		make_add(&text, line);
		buf_u8(&text, 0);
		struct policy *p = good((char *)text.data);
		for (unsigned set = 0; p && set < 1u << t.nwitnesses; set++) {
			bool cosigned[NKEYS];
			for (size_t i = 0; i < NKEYS; i++)
				cosigned[i] = set >> i & 1;
			if (policy_quorum_met(p, cosigned) != naive_met(&t, root, cosigned))
				T_FAIL("set %x of\n%s", set, (char *)text.data);
		}
		policy_free(p);
		buf_done(&text);
	}
}

/* Judging of notes. The policy: logs a and b, two of w0, w1, w2. */
#define POLICY                                                  \
	"log {a}\nlog {b}\n"                                          \
	"witness w0 {0}\nwitness w1 {1}\nwitness w2 {2}\n"            \
	"group g 2 w0 w1 w2\nquorum g\n"

/* Makes a checkpoint of that origin, signed by the keys of the string: 'a', 'b', 'A' or a digit. */
static void signed_by(const char *origin, const char *keys, struct buf *out)
{
	struct tlog_hash root;
	memset(root.b, 0x5a, sizeof root.b);
	make_checkpoint(out, origin, 17, &root);
	for (; *keys; keys++) {
		bool digit = *keys >= '0' && *keys <= '9';
		const struct make_key *k = *keys == 'a'   ? &log_a
		                           : *keys == 'b' ? &log_b
		                           : *keys == 'A' ? &log_a2
		                                          : &wit[*keys - '0'];
		make_signature(out, k, digit ? TIME + (uint64_t)(*keys - '0') : 0);
	}
}

static st_t check(const char *policy, const struct buf *note, struct policy_verdict *v,
                  struct err *e)
{
	struct policy *p = good(policy);
	struct note n;
	struct checkpoint c;
	err_clear(e);
	st_t st = p ? policy_check(p, make_rd(note), &n, &c, v, e) : ST_MALFORMED;
	policy_free(p);
	return st;
}

static void judge(const char *origin, const char *keys, st_t expected, const char *why)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	signed_by(origin, keys, &b);
	st_t st = check(POLICY, &b, &v, &e);
	if (st != expected || (why && !strstr(e.text, why)))
		T_FAIL("%s signed by %s: status %d \"%s\"", origin, keys, st, e.text);
	buf_done(&b);
}

static void any_one_log_and_a_quorum_make_a_checkpoint_valid(void)
{
	judge("a.example/log", "a01", ST_OK, NULL);
	judge("b.example/log", "b12", ST_OK, NULL);
	judge("a.example/log", "20a", ST_OK, NULL);
	judge("a.example/log", "012a", ST_OK, NULL);
}

static void a_log_vouches_only_for_its_own_origin(void)
{
	judge("c.example/log", "a01", ST_NOT_FOUND,
	      "\"c.example/log\" is that of no log in the policy");
	judge("a.example/log", "b01", ST_BAD_SIG, "not signed by its log");
	judge("a.example/log", "01", ST_BAD_SIG, "not signed by its log");
	judge("a.example/log", "A01", ST_BAD_SIG, "not signed by its log");
}

static void an_unmet_quorum_says_who_is_missing(void)
{
	judge("a.example/log", "a", ST_BAD_SIG,
	      "the quorum is not met: missing w0, w1, w2; cosigned by nobody; the policy asks for 2 of "
	      "w0, w1, w2");
	judge("a.example/log", "a1", ST_BAD_SIG, "missing w0, w2; cosigned by w1;");
}

static void a_witness_counts_once_however_often_it_cosigned(void)
{
	judge("a.example/log", "a00", ST_BAD_SIG, "missing w1, w2; cosigned by w0;");
	judge("a.example/log", "a0000000", ST_BAD_SIG, "the quorum is not met");
}

static void unknown_keys_are_ignored(void)
{
	judge("a.example/log", "a3456", ST_BAD_SIG, "cosigned by nobody");
	judge("a.example/log", "a301A4", ST_OK, NULL);
}

static void the_verdict_names_the_log_and_the_witnesses(void)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	signed_by("b.example/log", "b20", &b);
	make_signature(&b, &wit[2], TIME + 99);
	make_signature(&b, &wit[2], TIME + 50);
	T_EQ(check(POLICY, &b, &v, &e), ST_OK);
	T_EQ(v.log, 1);
	T_EQ(v.ncosigned, 2);
	T_TRUE(v.cosigned[0] && !v.cosigned[1] && v.cosigned[2]);
	T_EQ(v.time[0], TIME);
	T_EQ(v.time[1], 0);
	T_EQ(v.time[2], TIME + 99);
	buf_done(&b);
}

static void a_log_may_have_two_keys_for_one_origin(void)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	signed_by("a.example/log", "A", &b);
	T_EQ(check("log {a}\nlog {A}\nquorum none\n", &b, &v, &e), ST_OK);
	T_EQ(v.log, 1);
	buf_done(&b);
}

/* The last line of signatures goes bad: a bit of its last byte but the padding. */
static void spoil_last_line(struct buf *b)
{
	uint8_t *p = b->data + b->len - 8;
	*p = *p == 'A' ? 'B' : 'A';
}

static void a_wrong_signature_of_a_known_key_refuses_the_note(void)
{
	static const char *const lines[] = {"01a", "a012", "01ab"};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct buf b = {0};
		struct policy_verdict v;
		struct err e;
		signed_by("a.example/log", lines[i], &b);
		T_EQ(check(POLICY, &b, &v, &e), ST_OK);
		spoil_last_line(&b);
		T_EQ(check(POLICY, &b, &v, &e), ST_BAD_SIG);
		T_TRUE(strstr(e.text, "checkpoint: signature of "));
		buf_done(&b);
	}
}

static void a_wrong_signature_of_an_unknown_key_does_not(void)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	signed_by("a.example/log", "a017", &b);
	spoil_last_line(&b);
	T_EQ(check(POLICY, &b, &v, &e), ST_OK);
	buf_done(&b);
}

static void a_policy_without_logs_accepts_no_note(void)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	signed_by("a.example/log", "a", &b);
	T_EQ(check("quorum none\n", &b, &v, &e), ST_NOT_FOUND);
	buf_done(&b);
}

/* A checkpoint with a line of a key in ML-DSA-44, which the libcrypto at hand has or has not. */
static void judge_mldsa(const char *policy_end, const char *witness, st_t expected)
{
	struct buf policy = {0}, note = {0};
	struct policy *p = NULL;
	struct note n;
	struct checkpoint c;
	struct policy_verdict v;
	struct err e = {.st = ST_OK};
	make_read_file(VECTORS, "policy.txt", &policy);
	const uint8_t *lf = memchr(policy.data, '\n', policy.len);
	policy.len = (size_t)(lf - policy.data) + 1; /* the log */
	make_add(&policy, "witness pq ");
	make_add(&policy, witness);
	make_add(&policy, policy_end);
	make_read_file(VECTORS, "mldsa/checkpoint", &note);
	T_EQ(policy_parse(make_rd(&policy), &p, &e), ST_OK);
	if (p) {
		T_EQ(policy_check(p, make_rd(&note), &n, &c, &v, &e), expected);
		T_TRUE(expected == ST_OK ? v.cosigned[0] == mldsa44_available()
		                         : !!strstr(e.text, "missing pq"));
	}
	policy_free(p);
	buf_done(&policy);
	buf_done(&note);
}

static void a_key_that_libcrypto_cannot_verify_did_not_sign(void)
{
	static const char name[] = "pqwitness.example.net_vkey\": \"";
	struct buf keys = {0};
	make_read_file(VECTORS, "keys.json", &keys);
	char *vkey = memmem(keys.data, keys.len, name, strlen(name));
	char *end = vkey ? strchr(vkey += strlen(name), '"') : NULL;
	if (!end) {
		T_FAIL("no such key in keys.json");
		return;
	}
	*end = 0;
	judge_mldsa("\nquorum none\n", vkey, ST_OK);
	judge_mldsa("\nquorum pq\n", vkey, mldsa44_available() ? ST_OK : ST_BAD_SIG);
	buf_done(&keys);
}

static void what_is_no_checkpoint_is_malformed(void)
{
	struct buf b = {0};
	struct policy_verdict v;
	struct err e;
	make_add(&b, "just text\n");
	T_EQ(check(POLICY, &b, &v, &e), ST_MALFORMED);
	b.len = 0;
	make_add(&b, "a.example/log\nseventeen\n\n");
	make_signature(&b, &log_a, 0);
	T_EQ(check(POLICY, &b, &v, &e), ST_MALFORMED);
	buf_done(&b);
}

int main(void)
{
	make_keys();
	T_RUN(a_policy_that_breaks_a_rule_is_refused_with_the_rule);
	T_RUN(a_nul_byte_is_not_allowed);
	T_RUN(one_key_under_two_names_is_one_key);
	T_RUN(blanks_comments_and_opaque_names_are_read);
	T_RUN(quorum_none_needs_nobody_and_logs_may_be_absent);
	T_RUN(the_policy_of_the_vectors_asks_for_two_of_three);
	T_RUN(a_quorum_is_described_in_words);
	T_RUN(limits_are_64_of_each_and_groups_may_be_as_deep);
	T_RUN(a_policy_over_the_size_limit_is_refused);
	T_RUN(random_groups_are_judged_as_the_definition_says);
	T_RUN(any_one_log_and_a_quorum_make_a_checkpoint_valid);
	T_RUN(a_log_vouches_only_for_its_own_origin);
	T_RUN(an_unmet_quorum_says_who_is_missing);
	T_RUN(a_witness_counts_once_however_often_it_cosigned);
	T_RUN(unknown_keys_are_ignored);
	T_RUN(the_verdict_names_the_log_and_the_witnesses);
	T_RUN(a_log_may_have_two_keys_for_one_origin);
	T_RUN(a_wrong_signature_of_a_known_key_refuses_the_note);
	T_RUN(a_wrong_signature_of_an_unknown_key_does_not);
	T_RUN(a_policy_without_logs_accepts_no_note);
	T_RUN(a_key_that_libcrypto_cannot_verify_did_not_sign);
	T_RUN(what_is_no_checkpoint_is_malformed);
	free_keys();
	return t_end();
}
