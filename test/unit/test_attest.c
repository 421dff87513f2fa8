/* Envelopes, keys and statements: what others signed is read as they meant it, everything that
 * breaks a rule of DSSE, in-toto or our profile is refused, what we write is read back. */
#include "attest/base64.h"
#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/statement.h"
#include "tlog/text.h"
#include "test/t.h"

static struct err e;

/* A file of test/vectors/dsse; the caller frees its data. */
static struct rd vector(const char *name)
{
	static uint8_t bytes[8][4096];
	static unsigned turn;
	char path[512];
	uint8_t *p = bytes[turn++ % 8];
	snprintf(path, sizeof path, VECTORS "/dsse/%s", name);
	FILE *f = fopen(path, "rb");
	T_TRUE(f != NULL);
	size_t n = f ? fread(p, 1, sizeof bytes[0], f) : 0;
	if (f)
		fclose(f);
	return rd_make(p, n);
}

static struct rd text(const char *s)
{
	return rd_make(s, strlen(s));
}

static struct attest_key pem_key(const char *name)
{
	struct attest_key k = {0};
	T_EQ(attest_key_parse_pem(vector(name), &k, &e), ST_OK);
	return k;
}

static struct signer *seed_signer(uint8_t seed)
{
	uint8_t bytes[32];
	struct signer *s = NULL;
	memset(bytes, seed, sizeof bytes);
	T_EQ(signer_new(SIGNER_ED25519, bytes, &s, &e), ST_OK);
	return s;
}

static st_t parse(const char *s)
{
	struct dsse d;
	err_clear(&e);
	st_t st = dsse_parse(text(s), &d, &e);
	dsse_done(&d);
	return st;
}

static st_t say(const char *s)
{
	struct statement x;
	err_clear(&e);
	st_t st = statement_parse(text(s), &x, &e);
	statement_done(&x);
	return st;
}

static void pae_is_the_specifications_vector(void)
{
	struct buf b = {0};
	dsse_pae(text("http://example.com/HelloWorld"), text("hello world"), &b);
	const char *want = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
	T_EQ(b.len, strlen(want));
	T_MEM(b.data, want, b.len);
	buf_done(&b);
}

static void pae_of_the_statement_is_the_one_that_others_signed(void)
{
	struct buf b = {0};
	struct rd st = vector("st.json"), pae = vector("pae");
	st.len--; /* the file ends with a LF that was not signed */
	dsse_pae(text(STATEMENT_PAYLOAD_TYPE), st, &b);
	T_EQ(b.len, pae.len);
	T_MEM(b.data, pae.base, b.len);
	buf_done(&b);
}

static void check_envelope(const char *file, const char *key, bool want)
{
	struct dsse d;
	struct attest_key k = pem_key(key);
	bool signed_by = false;
	size_t n = 0;
	T_EQ(dsse_parse(vector(file), &d, &e), ST_OK);
	T_EQ(dsse_verify(&d, &k, 1, &signed_by, &n, &e), ST_OK);
	T_EQ(signed_by, want);
	T_EQ(n, want);
	dsse_done(&d);
}

static void envelopes_of_others_verify_with_their_key_only(void)
{
	check_envelope("env.ed.json", "p.pem", true);
	check_envelope("env.ec.json", "ep.pem", true);
	check_envelope("env.ed.json", "ep.pem", false);
	check_envelope("env.ec.json", "p.pem", false);
}

static void one_changed_byte_of_payload_type_or_signature_does_not_verify(void)
{
	const char *const files[] = {"env.ed.json", "env.ec.json"};
	const char *const keys[] = {"p.pem", "ep.pem"};
	for (int f = 0; f < 2; f++) {
		struct attest_key k = pem_key(keys[f]);
		struct dsse d;
		bool by = true;
		size_t n;
		T_EQ(dsse_parse(vector(files[f]), &d, &e), ST_OK);
		struct buf *parts[] = {&d.type, &d.payload, &d.sigs};
		for (int i = 0; i < 3; i++) {
			parts[i]->data[parts[i]->len / 2] ^= 1;
			T_EQ(dsse_verify(&d, &k, 1, &by, &n, &e), ST_OK);
			T_TRUE(!by && n == 0);
			parts[i]->data[parts[i]->len / 2] ^= 1;
		}
		dsse_done(&d);
	}
}

static void the_threshold_counts_distinct_keys(void)
{
	struct signer *a = seed_signer(1), *b = seed_signer(2);
	struct signer *twice[] = {a, a, b, a};
	struct buf out = {0};
	struct dsse d;
	struct attest_key k[3];
	bool by[3];
	size_t n = 0;
	T_EQ(dsse_make("text/plain", text("hello"), twice, 4, &out, &e), ST_OK);
	T_EQ(dsse_parse(rd_make(out.data, out.len), &d, &e), ST_OK);
	T_EQ(d.nsigs, 4);
	attest_key_from_ed25519(a->pub, &k[0]);
	attest_key_from_ed25519(b->pub, &k[1]);
	k[2] = pem_key("ep.pem");
	T_EQ(dsse_verify(&d, k, 3, by, &n, &e), ST_OK);
	T_EQ(n, 2);
	T_TRUE(by[0] && by[1] && !by[2]);
	dsse_done(&d);
	buf_done(&out);
	signer_free(a);
	signer_free(b);
}

static void base64_is_standard_or_url_safe_never_both_and_canonical(void)
{
	static const struct {
		const char *in;
		bool fine;
		const char *out;
	} cases[] = {
	    {"", true, ""},           {"Zg==", true, "f"},      {"Zm8=", true, "fo"},
	    {"Zm9v", true, "foo"},    {"+/+/", true, "\xfb\xff\xbf"}, {"-_-_", true, "\xfb\xff\xbf"},
	    {"+_+_", false, ""},      {"Zg", false, ""},        {"Zg=", false, ""},
	    {"Zh==", false, ""},      {"Zm9=", false, ""},      {"Zg==Zg==", false, ""},
	    {"====", false, ""},      {"Z===", false, ""},      {"Zm9v\n", false, ""},
	    {"Zm 9", false, ""},      {"=Zm9", false, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = {0};
		T_EQ(attest_base64(text(cases[i].in), &b), cases[i].fine);
		T_EQ(b.len, strlen(cases[i].out));
		if (b.len)
			T_MEM(b.data, cases[i].out, b.len);
		buf_done(&b);
	}
}

static void base64_reads_back_what_it_wrote(void)
{
	uint64_t seed = t_seed(7);
	for (size_t n = 0; n < 200; n++) {
		uint8_t bytes[200];
		struct buf a = {0}, b = {0};
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)t_rand(&seed);
		text_base64_add(&a, bytes, n);
		T_TRUE(attest_base64(rd_make(a.data, a.len), &b));
		T_EQ(b.len, n);
		if (n)
			T_MEM(b.data, bytes, n);
		buf_done(&a);
		buf_done(&b);
	}
}

#define SIGS "\"signatures\":[{\"sig\":\"Zg==\"}]"

static void an_envelope_with_url_safe_base64_and_unknown_members_is_read(void)
{
	T_EQ(parse("{\"payload\":\"-_-_\",\"payloadType\":\"t\",\"x\":[1,{}]," SIGS "}"), ST_OK);
	T_EQ(parse("{\"payload\":\"\",\"payloadType\":\"t\"," SIGS "}"), ST_OK);
}

static void envelopes_that_break_a_rule_are_refused(void)
{
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{}",
	    "\"x\"",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\"," SIGS "}x",
	    "{\"payload\":\"Zg==\",\"payload\":\"Zg==\",\"payloadType\":\"t\"," SIGS "}",
	    "{\"payload\":\"Zg\",\"payloadType\":\"t\"," SIGS "}",
	    "{\"payload\":1,\"payloadType\":\"t\"," SIGS "}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"\"," SIGS "}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"a\\u0000b\"," SIGS "}",
	    "{\"payload\":\"Zg==\"," SIGS "}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":[]}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":{}}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":[1]}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":[{}]}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"!\"}]}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"\",\"keyid\":1}]}",
	    "{\"payload\":\"Zg==\",\"payloadType\":\"\xff\"," SIGS "}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_EQ(parse(bad[i]), ST_MALFORMED);
		T_TRUE(strstr(e.text, "DSSE envelope: ") == e.text);
	}
}

static void envelopes_beyond_a_limit_are_refused(void)
{
	static char big[DSSE_SIZE_MAX + 2];
	memset(big, ' ', sizeof big - 1);
	T_EQ(parse(big), ST_LIMIT);
	memset(big, '[', 1000);
	T_EQ(parse(big + 500), ST_LIMIT);
	char many[2048] = "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"\"}";
	size_t n = strlen(many);
	for (int i = 0; i < DSSE_SIGNATURES_MAX; i++)
		n += (size_t)snprintf(many + n, sizeof many - n, ",{\"sig\":\"\"}");
	snprintf(many + n, sizeof many - n, "]}");
	T_EQ(parse(many), ST_LIMIT);
}

static void brackets_inside_of_texts_are_no_depth(void)
{
	char s[512] = "{\"x\":\"\\\"";
	size_t n = strlen(s);
	memset(s + n, '[', 200);
	snprintf(s + n + 200, sizeof s - n - 200,
	         "\",\"payload\":\"\",\"payloadType\":\"t\"," SIGS "}");
	T_EQ(parse(s), ST_OK);
}

static void keys_are_ed25519_or_p256_and_nothing_else(void)
{
	struct attest_key k, again;
	struct rd pem = vector("p.pem");
	T_EQ(attest_key_parse_pem(pem, &k, &e), ST_OK);
	T_EQ(k.alg, ATTEST_ED25519);
	attest_key_from_ed25519(k.spki + k.nspki - 32, &again);
	T_TRUE(attest_key_equal(&k, &again));
	T_EQ(pem_key("ep.pem").alg, ATTEST_ECDSA_P256);
	T_EQ(attest_key_parse_pem(text("no key"), &k, &e), ST_MALFORMED);
	T_EQ(attest_key_parse_pem(rd_make(pem.base, pem.len - 10), &k, &e), ST_MALFORMED);
	T_EQ(attest_key_parse_pem(text("-----BEGIN PUBLIC KEY-----\nZm9v\n-----END PUBLIC KEY-----\n"),
	                          &k, &e),
	     ST_UNSUPPORTED);
	T_EQ(attest_key_parse_pem(text("-----BEGIN PUBLIC KEY-----\nZm9\n-----END PUBLIC KEY-----\n"),
	                          &k, &e),
	     ST_MALFORMED);
}

static void a_point_that_is_not_on_the_curve_is_no_key(void)
{
	struct attest_key k = pem_key("ep.pem"), again;
	T_EQ(attest_key_verify(&k, "x", 1, text("0123456789"), NULL), ST_BAD_SIG);
	T_EQ(attest_key_verify(&k, "x", 1, text(""), NULL), ST_BAD_SIG);
	k.spki[k.nspki - 1] ^= 1;
	T_EQ(attest_key_parse_spki(rd_make(k.spki, k.nspki), &again, NULL), ST_MALFORMED);
	T_TRUE(attest_key_verify(&k, "x", 1, text("0123456789"), NULL) != ST_OK);
}

static void a_statement_of_others_is_a_release(void)
{
	struct statement s;
	T_EQ(statement_parse(vector("st.json"), &s, &e), ST_OK);
	T_EQ(s.kind, STATEMENT_RELEASE);
	T_EQ(s.nsubjects, 1);
	T_STR(s.subject[0].name, "avd");
	T_EQ(s.subject[0].sha256[0], 0xfa);
	T_STR(s.builder, "https://rebuilder1.example.net/av");
	statement_done(&s);
}

static void an_unknown_predicate_type_is_unknown_not_wrong(void)
{
	struct statement s;
	const char *in = "{\"_type\":\"" STATEMENT_TYPE "\",\"predicateType\":\"https://x/v1\"}";
	T_EQ(statement_parse(text(in), &s, &e), ST_OK);
	T_EQ(s.kind, STATEMENT_UNKNOWN);
	T_STR(s.predicate_type, "https://x/v1");
	statement_done(&s);
	T_EQ(say("{\"_type\":\"" STATEMENT_TYPE
	         "\",\"predicateType\":\"" STATEMENT_RELEASE_TYPE "/\"}"),
	     ST_OK);
}

static const struct statement_subject two[2] = {{"a.vdb", {1, 2, 3}},
                                                {"b \"quoted\" \xc3\xa9", {9}}};

static void releases_are_read_back_as_written(void)
{
	struct buf b = {0};
	struct statement s;
	T_EQ(statement_make_release(two, 2, "https://builder", "https://type", "git+x@1", &b, &e),
	     ST_OK);
	T_EQ(statement_parse(rd_make(b.data, b.len), &s, &e), ST_OK);
	T_EQ(s.kind, STATEMENT_RELEASE);
	T_EQ(s.nsubjects, 2);
	for (size_t i = 0; i < 2 && s.nsubjects == 2; i++) {
		T_STR(s.subject[i].name, two[i].name);
		T_MEM(s.subject[i].sha256, two[i].sha256, 32);
	}
	T_STR(s.builder, "https://builder");
	statement_done(&s);
	buf_done(&b);
}

static void rebuilds_are_read_back_as_written(void)
{
	for (int passed = 0; passed < 2; passed++) {
		struct buf b = {0};
		struct statement s;
		T_EQ(statement_make_rebuild(two, 1, "https://r1", "2026-11-24T00:00:00Z", "pkg:x",
		                            "https://policy", passed, &b, &e),
		     ST_OK);
		T_EQ(statement_parse(rd_make(b.data, b.len), &s, &e), ST_OK);
		T_EQ(s.kind, STATEMENT_REBUILD);
		T_EQ(s.passed, passed);
		T_STR(s.builder, "https://r1");
		statement_done(&s);
		buf_done(&b);
	}
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SUBJECT(d) "\"subject\":[{\"digest\":{\"sha256\":\"" d "\"}}]"
#define STATEMENT(type, rest) \
	"{\"_type\":\"" STATEMENT_TYPE "\",\"predicateType\":\"" type "\"," rest "}"
#define VSA(result)                                                                     \
	"\"predicate\":{\"verifier\":{\"id\":\"x\"},\"resourceUri\":\"r\",\"policy\":{},"   \
	"\"verificationResult\":\"" result "\"}"

static void statements_that_break_a_rule_are_refused(void)
{
	static const char *const bad[] = {
	    "{}",
	    "{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"predicateType\":\"x\"}",
	    "{\"_type\":\"" STATEMENT_TYPE "\"}",
	    STATEMENT(STATEMENT_REBUILD_TYPE, VSA("PASSED")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, SUBJECT(HEX64)),
	    STATEMENT(STATEMENT_REBUILD_TYPE, SUBJECT(HEX64) "," VSA("passed")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, SUBJECT(HEX64 "0") "," VSA("PASSED")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, "\"subject\":[]," VSA("PASSED")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, "\"subject\":[1]," VSA("PASSED")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, "\"subject\":[{\"digest\":{}}]," VSA("PASSED")),
	    STATEMENT(STATEMENT_REBUILD_TYPE, "\"subject\":[{\"name\":\"x\"}]," VSA("PASSED")),
	    STATEMENT(STATEMENT_RELEASE_TYPE, SUBJECT(HEX64) ",\"predicate\":{}"),
	};
	T_EQ(say(STATEMENT(STATEMENT_REBUILD_TYPE, SUBJECT(HEX64) "," VSA("PASSED"))), ST_OK);
	T_EQ(say(STATEMENT(STATEMENT_REBUILD_TYPE, SUBJECT(HEX64) "," VSA("FAILED"))), ST_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_EQ(say(bad[i]), ST_MALFORMED);
}

static void what_cannot_be_written_is_said(void)
{
	struct signer *s = seed_signer(3);
	struct buf b = {0};
	uint8_t *big = calloc(1, 60000);
	T_EQ(dsse_make("a\"b", text("x"), &s, 1, &b, NULL), ST_MALFORMED);
	T_EQ(dsse_make("t", rd_make(big, 60000), &s, 1, &b, NULL), ST_LIMIT);
	T_EQ(dsse_make("t", text("x"), &s, 0, &b, NULL), ST_LIMIT);
	T_EQ(statement_make_release(two, 1, "\xff", "t", "s", &b, NULL), ST_MALFORMED);
	free(big);
	buf_done(&b);
	signer_free(s);
}

int main(void)
{
	attest_preload(1);
	T_RUN(pae_is_the_specifications_vector);
	T_RUN(pae_of_the_statement_is_the_one_that_others_signed);
	T_RUN(envelopes_of_others_verify_with_their_key_only);
	T_RUN(one_changed_byte_of_payload_type_or_signature_does_not_verify);
	T_RUN(the_threshold_counts_distinct_keys);
	T_RUN(base64_is_standard_or_url_safe_never_both_and_canonical);
	T_RUN(base64_reads_back_what_it_wrote);
	T_RUN(an_envelope_with_url_safe_base64_and_unknown_members_is_read);
	T_RUN(envelopes_that_break_a_rule_are_refused);
	T_RUN(envelopes_beyond_a_limit_are_refused);
	T_RUN(brackets_inside_of_texts_are_no_depth);
	T_RUN(keys_are_ed25519_or_p256_and_nothing_else);
	T_RUN(a_point_that_is_not_on_the_curve_is_no_key);
	T_RUN(a_statement_of_others_is_a_release);
	T_RUN(an_unknown_predicate_type_is_unknown_not_wrong);
	T_RUN(releases_are_read_back_as_written);
	T_RUN(rebuilds_are_read_back_as_written);
	T_RUN(statements_that_break_a_rule_are_refused);
	T_RUN(what_cannot_be_written_is_said);
	return t_end();
}
