/* TUF metadata: whose signatures count, what a file must have, which delegations match. */
#include "tuf/key.h"
#include "tuf/metadata.h"
#include "test/t.h"
#include "tuf_make.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define MEMORY ((size_t)4 << 20)
#define HEAD "\"spec_version\":\"1.0.34\",\"version\":1,\"expires\":\"2030-01-01T00:00:00Z\""
#define SHA "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""

static struct err e;

static st_t parse_bytes(const struct buf *b, enum tuf_type type, struct tuf_md *ret)
{
	err_clear(&e);
	return tuf_md_parse(rd_make(b->data, b->len), type, tuf_type_name(type), MEMORY, ret, &e);
}

/* Whether a body parses in an envelope without signatures. */
static st_t parse(enum tuf_type type, const char *body)
{
	struct buf b = {0};
	struct tuf_md md;
	make_signed(&b, body, "");
	st_t st = parse_bytes(&b, type, &md);
	if (st == ST_OK)
		tuf_md_done(&md);
	buf_done(&b);
	return st;
}

static void refuse(enum tuf_type type, const char *body, st_t st, const char *why)
{
	T_EQ(parse(type, body), st);
	if (!strstr(e.text, why))
		T_FAIL("\"%s\" is not why: \"%s\"", why, e.text);
}

static void times_are_utc_to_the_second(void)
{
	static const struct {
		const char *s;
		int64_t t;
	} good[] = {{"1970-01-01T00:00:00Z", 0},
	            {"1985-10-21T01:21:00Z", 498705660},
	            {"2000-02-29T23:59:59Z", 951868799},
	            {"2100-03-01T00:00:00Z", 4107542400},
	            {"9999-12-31T23:59:59Z", 253402300799},
	            {"1969-12-31T23:59:59Z", -1},
	            {"2021-12-18T13:28:12.99008-06:00", 1639855692},
	            {"2022-05-11T19:09:02.663975009Z", 1652296142},
	            {"1970-01-01T01:00:00+01:00", 0}};
	static const char *const bad[] = {
	    "", "1985-10-21", "1985-10-21 01:21:00Z", "1985-10-21T01:21:00", "1985-10-21T01:21:00z",
	    "1985-10-21T01:21:00ZZ", "1985-13-21T01:21:00Z", "1985-00-21T01:21:00Z",
	    "1985-02-29T01:21:00Z", "1900-02-29T00:00:00Z", "1985-10-00T01:21:00Z",
	    "1985-10-21T24:00:00Z", "1985-10-21T01:60:00Z", "1985-10-21T01:21:60Z",
	    "1985-10-21T01:21:0Z", "+985-10-21T01:21:00Z", "1985-10-21T01:21:00.Z",
	    "1985-10-21T01:21:00+0100", "1985-10-21T01:21:00+24:00", "0000-01-01T00:00:00Z"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		int64_t t = 7;
		T_TRUE(tuf_time(good[i].s, &t));
		T_EQ(t, good[i].t);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t t;
		if (tuf_time(bad[i], &t))
			T_FAIL("%s", bad[i]);
	}
}

static void patterns_are_globs_that_stay_in_a_segment(void)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {{"targets/*.tgz", "targets/foo.tgz", true},
	             {"targets/*.tgz", "targets/foo.txt", false},
	             {"foo-version-?.tgz", "foo-version-a.tgz", true},
	             {"foo-version-?.tgz", "foo-version-alpha.tgz", false},
	             {"*.tgz", "targets/foo.tgz", false},
	             {"foo.tgz", "foo.tgz", true},
	             {"foo.tgz", "foo.tgzz", false},
	             {"foo.tgz", "foo.tg", false},
	             {"*", "a", true},
	             {"*", "a/b", false},
	             {"*/*", "a/b", true},
	             {"*", "", true},
	             {"", "", true},
	             {"", "a", false},
	             {"a*", "a", true},
	             {"**", "abc", true},
	             {"a*b*c", "aXbXbXc", true},
	             {"a*b*c", "aXbXbXd", false},
	             {"a/*/c", "a/b/c", true},
	             {"a/*/c", "a/b/b/c", false},
	             {"a?c", "a/c", false},
	             {"?", "\xc3\xa9", true},
	             {"[ab]x", "bx", true},
	             {"[ab]x", "cx", false},
	             {"[!ab]x", "cx", true},
	             {"[!ab]x", "ax", false},
	             {"[a-c]x", "bx", true},
	             {"[a-c]x", "dx", false},
	             {"[]]x", "]x", true},
	             {"[a-]x", "-x", true},
	             {"[!a]b", "/b", false},
	             {"[.-0]b", "/b", false},
	             {"[abc", "[abc", true},
	             {"*[0-9].vdb", "daily-7.vdb", true},
	             {"FOO", "foo", false},
	             {"\\*", "*", false},
	             {".*", ".x", true}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (tuf_glob(cases[i].pattern, cases[i].path) != cases[i].match)
			T_FAIL("%s %s", cases[i].pattern, cases[i].path);
}

static void names_become_one_segment_of_a_url(void)
{
	struct buf b = {0};
	tuf_quote("../a?#%\xc3\xa9-._~Z9", false, &b);
	buf_u8(&b, 0);
	T_STR((char *)b.data, "..%2Fa%3F%23%25%C3%A9-._~Z9");
	b.len = 0;
	tuf_quote("a/b c", true, &b);
	buf_u8(&b, 0);
	T_STR((char *)b.data, "a/b%20c");
	buf_done(&b);
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..",
	                                  "a/./b"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (tuf_path_safe(bad[i]))
			T_FAIL("%s", bad[i]);
	T_TRUE(tuf_path_safe("a/...b/.c"));
}

static void heads_must_be_what_was_asked_for(void)
{
#define BODY "\"meta\":{\"snapshot.json\":{\"version\":1}}"
	T_EQ(parse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\"," HEAD "," BODY "}"), ST_OK);
	refuse(TUF_TIMESTAMP, "{\"_type\":\"snapshot\"," HEAD "," BODY "}", ST_MALFORMED, "_type");
	static const char *const specs[] = {"2.0.0", "1", "1.", "1.x", "1.0.", "10.0", "", "1.0-a"};
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
		char body[300];
		snprintf(body, sizeof body, "{\"_type\":\"timestamp\",\"spec_version\":\"%s\","
		         "\"version\":1,\"expires\":\"2030-01-01T00:00:00Z\"," BODY "}", specs[i]);
		refuse(TUF_TIMESTAMP, body, ST_UNSUPPORTED, "spec_version");
	}
	refuse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\",\"spec_version\":\"1.0\",\"version\":0,"
	       "\"expires\":\"2030-01-01T00:00:00Z\"," BODY "}", ST_MALFORMED, "\"version\" is less");
	refuse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\",\"spec_version\":\"1.0\",\"version\":\"1\","
	       "\"expires\":\"2030-01-01T00:00:00Z\"," BODY "}", ST_MALFORMED, "not an integer");
	refuse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\",\"spec_version\":\"1.0\",\"version\":1,"
	       "\"expires\":\"2030-01-01\"," BODY "}", ST_MALFORMED, "expires");
	refuse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\"," HEAD ",\"meta\":{}}", ST_MALFORMED,
	       "snapshot.json");
	refuse(TUF_TIMESTAMP, "{\"_type\":\"timestamp\"," HEAD ",\"meta\":{\"snapshot.json\":"
	       "{\"version\":0}}}", ST_MALFORMED, "version");
	refuse(TUF_SNAPSHOT, "{\"_type\":\"snapshot\"," HEAD ",\"meta\":{\"a.json\":{\"version\":1}}}",
	       ST_MALFORMED, "targets.json");
	refuse(TUF_SNAPSHOT, "{\"_type\":\"snapshot\"," HEAD ",\"meta\":{\"targets.json\":"
	       "{\"version\":1,\"length\":-1}}}", ST_MALFORMED, "length");
#undef BODY
}

static void targets_must_be_whole(void)
{
#define T(rest) "{\"_type\":\"targets\"," HEAD ",\"targets\":{}" rest "}"
#define ROLE(name) "{\"name\":\"" name "\",\"keyids\":[],\"threshold\":1,\"paths\":[\"*\"]}"
#define D(roles) T(",\"delegations\":{\"keys\":{},\"roles\":[" roles "]}")
	T_EQ(parse(TUF_TARGETS, T("")), ST_OK);
	T_EQ(parse(TUF_TARGETS, D(ROLE("a") "," ROLE("\xc3\xa9\\n"))), ST_OK);
	refuse(TUF_TARGETS, "{\"_type\":\"targets\"," HEAD "}", ST_MALFORMED, "targets");
	refuse(TUF_TARGETS, "{\"_type\":\"targets\"," HEAD ",\"targets\":{\"a\":{\"length\":1}}}",
	       ST_MALFORMED, "hashes");
	refuse(TUF_TARGETS, "{\"_type\":\"targets\"," HEAD ",\"targets\":{\"a\":{\"hashes\":{}}}}",
	       ST_MALFORMED, "length");
	refuse(TUF_TARGETS, "{\"_type\":\"targets\"," HEAD ",\"targets\":{\"a\":{\"length\":1,"
	       "\"hashes\":{},\"custom\":1}}}", ST_MALFORMED, "custom");
	refuse(TUF_TARGETS, T(",\"delegations\":{\"keys\":{}}"), ST_MALFORMED, "roles");
	refuse(TUF_TARGETS, D(ROLE("a") "," ROLE("b") "," ROLE("a")), ST_MALFORMED, "twice");
	refuse(TUF_TARGETS, D(ROLE("timestamp")), ST_MALFORMED, "top-level");
	refuse(TUF_TARGETS, D(ROLE("")), ST_LIMIT, "name of a role");
	refuse(TUF_TARGETS, D("{\"name\":\"a\",\"keyids\":[],\"threshold\":0}"), ST_MALFORMED,
	       "threshold");
	refuse(TUF_TARGETS, D("{\"name\":\"a\",\"keyids\":[1],\"threshold\":1}"), ST_MALFORMED,
	       "keyids");
	refuse(TUF_TARGETS, D("{\"name\":\"a\",\"keyids\":[],\"threshold\":1,\"paths\":[],"
	       "\"path_hash_prefixes\":[]}"), ST_MALFORMED, "both");
	refuse(TUF_TARGETS, D("{\"name\":\"a\",\"keyids\":[],\"threshold\":1,\"terminating\":1}"),
	       ST_MALFORMED, "boolean");
	refuse(TUF_TARGETS, T(",\"delegations\":{\"keys\":{},\"roles\":[],\"succinct_roles\":{}}"),
	       ST_MALFORMED, "both");
	refuse(TUF_TARGETS, T(",\"delegations\":{\"keys\":{},\"succinct_roles\":{\"keyids\":[],"
	       "\"threshold\":1,\"bit_length\":33,\"name_prefix\":\"b\"}}"), ST_MALFORMED,
	       "bit_length");
	refuse(TUF_TARGETS, T(",\"delegations\":{\"keys\":{\"x\":{\"keytype\":\"rsa\"}},"
	       "\"roles\":[]}"), ST_MALFORMED, "scheme");
#undef D
#undef ROLE
#undef T
}

static void roots_must_name_four_roles(void)
{
	struct buf b = {0};
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets"};
	for (size_t leave_out = 0; leave_out <= 4; leave_out++) {
		b.len = 0;
		make_fmt(&b, "{\"_type\":\"root\"," HEAD ",\"keys\":{},\"roles\":{");
		for (size_t i = 0; i < 4; i++)
			if (i != leave_out)
				make_fmt(&b, "\"%s\":{\"keyids\":[],\"threshold\":1},", names[i]);
		make_fmt(&b, "\"mirrors\":{}}}%c", 0);
		T_EQ(parse(TUF_ROOT, (const char *)b.data), leave_out == 4 ? ST_OK : ST_MALFORMED);
	}
	buf_done(&b);
}

/* A timestamp as those keys sign it, verified by a role with these keys. `patch` replaces a text in
 * the file first. */
static st_t verify(const char *signers, const char *keys, unsigned threshold, const char *from,
                   const char *to)
{
	struct buf file = {0}, role = {0}, changed = {0};
	struct arena a;
	const struct tuf_value *k;
	struct tuf_md md;
	make_signed(&file, "{\"_type\":\"timestamp\"," HEAD ",\"x\":\"y\","
	            "\"meta\":{\"snapshot.json\":{\"version\":1}}}", signers);
	buf_u8(&file, 0);
	const char *at = from ? strstr((const char *)file.data, from) : NULL;
	size_t before = at ? (size_t)(at - (const char *)file.data) : file.len - 1;
	buf_add(&changed, file.data, before);
	if (at) {
		buf_add(&changed, to, strlen(to));
		buf_add(&changed, at + strlen(from), file.len - 1 - before - strlen(from));
	}
	make_fmt(&role, "{\"keys\":");
	make_keys(&role, keys);
	make_fmt(&role, ",\"role\":");
	make_role(&role, keys, threshold);
	make_fmt(&role, "}");
	arena_init(&a, 0);
	T_EQ(tuf_json_parse(rd_make(role.data, role.len), &a, "role", &k, &e), ST_OK);
	struct tuf_role by = {.keys = tuf_member(k, "keys"), .threshold = threshold,
	                      .keyids = tuf_member(tuf_member(k, "role"), "keyids")};
	st_t st = parse_bytes(&changed, TUF_TIMESTAMP, &md);
	if (st == ST_OK) {
		st = tuf_md_verify(&md, &by, &e);
		tuf_md_done(&md);
	}
	arena_done(&a);
	buf_done(&file);
	buf_done(&role);
	buf_done(&changed);
	return st;
}

static void a_threshold_of_keys_must_have_signed(void)
{
	T_EQ(verify("a", "a", 1, NULL, NULL), ST_OK);
	T_EQ(verify("ab", "abc", 2, NULL, NULL), ST_OK);
	T_EQ(verify("xab", "abc", 2, NULL, NULL), ST_OK);
	T_EQ(verify("a", "abc", 2, NULL, NULL), ST_BAD_SIG);
	T_STR(e.text, "timestamp: signed by 1 of the 2 keys it takes");
	T_EQ(verify("xy", "abc", 1, NULL, NULL), ST_BAD_SIG);
	T_EQ(verify("", "abc", 1, NULL, NULL), ST_BAD_SIG);
	T_EQ(verify("abc", "abc", 4, NULL, NULL), ST_BAD_SIG);
	T_EQ(verify("a", "a", 1, "\"y\"", "\"z\""), ST_BAD_SIG);
	T_EQ(verify("a", "a", 1, "\"y\"", " \"\\u0079\" "), ST_OK);
}

static void one_key_under_two_names_counts_once(void)
{
	/* The bytes of the key are those of "a", its name is that of "b". */
	struct buf keys = {0}, file = {0};
	struct arena a;
	const struct tuf_value *k;
	struct tuf_md md;
	make_signed(&file, "{\"_type\":\"timestamp\"," HEAD ",\"meta\":{\"snapshot.json\":"
	            "{\"version\":1}}}", "a");
	buf_u8(&file, 0);
	char *sig = strstr((char *)file.data, "\"sig\":\"") + 7;
	struct buf twice = {0};
	buf_add(&twice, file.data, file.len - 3);
	make_fmt(&twice, ",{\"keyid\":\"other\",\"sig\":\"%.128s\"}]}", sig);
	make_keys(&keys, "a");
	buf_u8(&keys, 0);
	struct buf two = {0};
	make_fmt(&two, "{\"keys\":{\"other\":%.*s,%s,\"ids\":[\"k61\",\"other\"]}",
	         (int)(keys.len - 9), (const char *)keys.data + 7, (const char *)keys.data + 1);
	arena_init(&a, 0);
	T_EQ(tuf_json_parse(rd_make(two.data, two.len), &a, "role", &k, &e), ST_OK);
	struct tuf_role by = {.keys = tuf_member(k, "keys"), .keyids = tuf_member(k, "ids"),
	                      .threshold = 2};
	T_EQ(parse_bytes(&twice, TUF_TIMESTAMP, &md), ST_OK);
	T_EQ(tuf_md_verify(&md, &by, &e), ST_BAD_SIG);
	by.threshold = 1;
	T_EQ(tuf_md_verify(&md, &by, &e), ST_OK);
	tuf_md_done(&md);
	arena_done(&a);
	buf_done(&keys);
	buf_done(&file);
	buf_done(&twice);
	buf_done(&two);
}

static void a_keyid_twice_in_signatures_refuses_the_file(void)
{
	T_EQ(verify("ab", "ab", 1, "\"k62\"", "\"k61\""), ST_MALFORMED);
	T_TRUE(strstr(e.text, "two signatures") != NULL);
}

static void signatures_that_are_none_do_not_count(void)
{
	T_EQ(verify("ab", "ab", 1, "\"sig\":\"", "\"sig\":\"\",\"was\":\""), ST_OK);
	T_EQ(verify("ab", "ab", 2, "\"sig\":\"", "\"sig\":\"\",\"was\":\""), ST_BAD_SIG);
	T_EQ(verify("ab", "ab", 1, "\"sig\":\"", "\"sig\":\"xyz\",\"was\":\""), ST_OK);
	T_EQ(verify("ab", "ab", 1, "\"sig\":\"", "\"sig\":\"00\",\"was\":\""), ST_OK);
	T_EQ(verify("ab", "ab", 1, "\"sig\":\"", "\"sig\":1,\"was\":\""), ST_MALFORMED);
	T_EQ(verify("ab", "ab", 1, "\"keyid\"", "\"keyd\""), ST_MALFORMED);
}

/* The key as JSON text for metadata: PEM with its line ends escaped. */
static void pem_key(EVP_PKEY *key, const char *type, const char *scheme, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	PEM_write_bio_PUBKEY(bio, key);
	long n = BIO_get_mem_data(bio, &pem);
	make_fmt(out, "{\"keytype\":\"%s\",\"scheme\":\"%s\",\"keyval\":{\"public\":\"", type, scheme);
	for (long i = 0; i < n; i++)
		make_fmt(out, pem[i] == '\n' ? "\\n" : "%c", pem[i]);
	make_fmt(out, "\"}}");
	BIO_free(bio);
}

static st_t read_key(const struct buf *json, struct tuf_key *ret)
{
	struct arena a;
	const struct tuf_value *v;
	arena_init(&a, 0);
	err_clear(&e);
	st_t st = tuf_json_parse(rd_make(json->data, json->len), &a, "key", &v, &e);
	if (st == ST_OK)
		st = tuf_key_read(v, ret, &e);
	arena_done(&a);
	return st;
}

static void sign(EVP_PKEY *key, bool pss, const struct buf *msg, struct buf *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;
	size_t n = 1024;
	T_EQ(EVP_DigestSignInit(ctx, &k, EVP_sha256(), NULL, key), 1);
	if (pss)
		T_EQ(EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING), 1);
	T_EQ(EVP_DigestSign(ctx, buf_room(sig, n), &n, msg->data, msg->len), 1);
	sig->len = n;
	EVP_MD_CTX_free(ctx);
}

static void check_scheme(EVP_PKEY *key, const char *type, const char *scheme, bool pss)
{
	struct buf json = {0}, msg = {0}, sig = {0}, pkcs1 = {0};
	struct tuf_key k = {0};
	pem_key(key, type, scheme, &json);
	make_fmt(&msg, "message");
	sign(key, pss, &msg, &sig);
	T_EQ(read_key(&json, &k), ST_OK);
	T_EQ(tuf_key_verify(&k, &msg, &sig, &e), ST_OK);
	if (pss) {
		sign(key, false, &msg, &pkcs1);
		T_EQ(tuf_key_verify(&k, &msg, &pkcs1, NULL), ST_BAD_SIG);
	}
	msg.data[0] ^= 1;
	T_EQ(tuf_key_verify(&k, &msg, &sig, NULL), ST_BAD_SIG);
	sig.len--;
	T_EQ(tuf_key_verify(&k, &msg, &sig, NULL), ST_BAD_SIG);
	tuf_key_done(&k);
	buf_done(&json);
	buf_done(&msg);
	buf_done(&sig);
	buf_done(&pkcs1);
}

static void refuse_key(EVP_PKEY *key, const char *type, const char *scheme)
{
	struct buf json = {0};
	struct tuf_key k = {0};
	pem_key(key, type, scheme, &json);
	T_EQ(read_key(&json, &k), ST_UNSUPPORTED);
	tuf_key_done(&k);
	buf_done(&json);
}

static void ecdsa_and_rsa_pss_keys_sign(void)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384");
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *weak = EVP_RSA_gen(1024);
	check_scheme(p256, "ecdsa", "ecdsa-sha2-nistp256", false);
	check_scheme(p256, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", false);
	check_scheme(rsa, "rsa", "rsassa-pss-sha256", true);
	refuse_key(weak, "rsa", "rsassa-pss-sha256");
	refuse_key(p256, "rsa", "rsassa-pss-sha256");
	refuse_key(p384, "ecdsa", "ecdsa-sha2-nistp256");
	refuse_key(rsa, "ecdsa", "ecdsa-sha2-nistp256");
	refuse_key(rsa, "rsa", "rsa-pkcs1v15-sha256");
	refuse_key(p256, "ecdsa", "ed25519");
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
}

/* Which of a targets file's delegations matches the path. */
static const char *delegate(const char *delegations, const char *path)
{
	static struct tuf_delegation d;
	struct buf body = {0}, file = {0};
	struct tuf_md md;
	bool match = false;
	make_fmt(&body, "{\"_type\":\"targets\"," HEAD ",\"targets\":{},\"delegations\":%s}%c",
	         delegations, 0);
	make_signed(&file, (const char *)body.data, "");
	T_EQ(parse_bytes(&file, TUF_TARGETS, &md), ST_OK);
	for (uint32_t i = 0; i < tuf_md_delegations(&md) && !match; i++)
		T_EQ(tuf_md_delegation(&md, i, path, &match, &d, &e), ST_OK);
	tuf_md_done(&md);
	buf_done(&body);
	buf_done(&file);
	return match ? d.name : NULL;
}

static void delegations_match_by_pattern_prefix_or_bin(void)
{
	/* SHA-256("a") = ca978112..., SHA-256("b") = 3e23e816... */
	const char *prefixes = "{\"keys\":{},\"roles\":[{\"name\":\"x\",\"keyids\":[],\"threshold\":1,"
	                       "\"path_hash_prefixes\":[\"\",\"0\",\"ca9\"]},{\"name\":\"y\","
	                       "\"keyids\":[],\"threshold\":1,\"path_hash_prefixes\":[\"3e23e816\"]}]}";
	T_STR(delegate(prefixes, "a"), "x");
	T_STR(delegate(prefixes, "b"), "y");
	T_TRUE(delegate(prefixes, "c") == NULL);
	const char *bins = "{\"keys\":{},\"succinct_roles\":{\"keyids\":[],\"threshold\":1,"
	                   "\"bit_length\":%s,\"name_prefix\":\"bin\"}}";
	static const char *const names[][2] = {{"1", "bin-1"},    {"4", "bin-c"}, {"5", "bin-19"},
	                                       {"8", "bin-ca"},   {"9", "bin-195"},
	                                       {"32", "bin-ca978112"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buf b = {0};
		make_fmt(&b, "%.*s%s%s%c", (int)(strstr(bins, "%s") - bins), bins, names[i][0],
		         strstr(bins, "%s") + 2, 0);
		T_STR(delegate((const char *)b.data, "a"), names[i][1]);
		buf_done(&b);
	}
	T_TRUE(delegate("{\"keys\":{},\"roles\":[{\"name\":\"x\",\"keyids\":[],\"threshold\":1}]}",
	                "a") == NULL);
}

static st_t hashes(const char *json, struct tuf_hashes *h)
{
	struct arena a;
	const struct tuf_value *v;
	arena_init(&a, 0);
	err_clear(&e);
	T_EQ(tuf_json_parse(rd_make(json, strlen(json)), &a, "x", &v, &e), ST_OK);
	st_t st = tuf_hashes_read(v, "x", h, &e);
	arena_done(&a);
	return st;
}

static void every_known_hash_must_match(void)
{
	struct tuf_hashes h;
	struct tuf_sum s;
	uint64_t n = 0;
	T_EQ(hashes("{\"sha256\":" SHA ",\"other\":\"zz\"}", &h), ST_OK);
	T_EQ(tuf_sum_init(&s, &e), ST_OK);
	T_EQ(tuf_sum_check(&s, &h, &n, "x", &e), ST_OK);
	T_EQ(tuf_sum_init(&s, &e), ST_OK);
	T_EQ(tuf_sum_add(&s, "a", 1, &e), ST_OK);
	T_EQ(tuf_sum_check(&s, &h, NULL, "x", &e), ST_BAD_SUM);
	n = 1;
	T_EQ(tuf_sum_init(&s, &e), ST_OK);
	T_EQ(tuf_sum_check(&s, &h, &n, "x", &e), ST_BAD_SUM);
	h.has512 = true;
	memset(h.sha512, 0, sizeof h.sha512);
	T_EQ(tuf_sum_init(&s, &e), ST_OK);
	T_EQ(tuf_sum_check(&s, &h, NULL, "x", &e), ST_BAD_SUM);
	T_EQ(hashes("{\"other\":\"00\"}", &h), ST_UNSUPPORTED);
	T_EQ(hashes("{}", &h), ST_MALFORMED);
	T_EQ(hashes("{\"sha256\":\"00\"}", &h), ST_MALFORMED);
	T_EQ(hashes("{\"sha256\":" SHA ",\"sha512\":1}", &h), ST_MALFORMED);
}

int main(void)
{
	T_RUN(times_are_utc_to_the_second);
	T_RUN(patterns_are_globs_that_stay_in_a_segment);
	T_RUN(names_become_one_segment_of_a_url);
	T_RUN(heads_must_be_what_was_asked_for);
	T_RUN(targets_must_be_whole);
	T_RUN(roots_must_name_four_roles);
	T_RUN(a_threshold_of_keys_must_have_signed);
	T_RUN(one_key_under_two_names_counts_once);
	T_RUN(a_keyid_twice_in_signatures_refuses_the_file);
	T_RUN(signatures_that_are_none_do_not_count);
	T_RUN(ecdsa_and_rsa_pss_keys_sign);
	T_RUN(delegations_match_by_pattern_prefix_or_bin);
	T_RUN(every_known_hash_must_match);
	return t_end();
}
