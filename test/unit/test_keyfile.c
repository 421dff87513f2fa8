/* Key files: what is written is the documented text, and nothing else is read. */
#include "tlog/keyfile.h"

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "tlog/text.h"

#include "test/t.h"

/* 0, 1, 2, ...: files come out the same each time. */
static st_t fill_counting(void *ctx, void *ret, size_t n, struct err *e)
{
	(void)e;
	uint8_t *next = ctx, *p = ret;
	for (size_t i = 0; i < n; i++)
		p[i] = (*next)++;
	return ST_OK;
}

static st_t fill_never(void *ctx, void *ret, size_t n, struct err *e)
{
	(void)ctx, (void)ret, (void)n;
	return fail(e, ST_IO, 0, "no randomness");
}

static const struct keyfile_new usual = {
    .kind = KEYFILE_LOG, .alg = SIGNER_ED25519, .name = "example.com/log", .pass = "correct horse",
    .npass = 13, .cost = {.n = 16, .r = 1, .p = 1}};

static st_t make(struct keyfile_new n, struct buf *ret, struct err *e)
{
	uint8_t counter = 0;
	struct random_source r = {.fill = fill_counting, .ctx = &counter};
	struct note_key key;
	n.random = n.random ? n.random : &r;
	return keyfile_make(&n, ret, &key, e);
}

/* The seed is 00 01 .. 1f, the salt goes on with 20, the nonce with 40. */
static const char encrypted[] =
    "vitrine key 1\n"
    "kind log\n"
    "vkey example.com/log+d455c521+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
    "kdf scrypt 16 1 1 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"
    "cipher chacha20-poly1305 QEFCQ0RFRkdISUpL\n"
    "seed g8SoRefAh0lRqN7HR9PGrXWniVT6HuTe9Ilwt5cwgoFlv9BJxTaLgYWlxGl3dyrT\n"
    "sum hMBtVYLal7haLtZDUw16uZp9v3CleMNS3atE4qxke5g=\n";

static const char plain[] =
    "vitrine key 1\n"
    "kind witness\n"
    "vkey w+6dd49194+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
    "kdf none\n"
    "cipher none\n"
    "seed AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    "sum e5T2ab3rZsWnkgWL7YYSKMMjobSjwZylmm6U1wbQebk=\n";

static struct keyfile_new unencrypted(void)
{
	struct keyfile_new n = usual;
	n.kind = KEYFILE_WITNESS;
	n.name = "w";
	n.pass = NULL;
	return n;
}

static void expect_text(const struct buf *b, const char *text)
{
	T_EQ(b->len, strlen(text));
	if (b->len != strlen(text) || memcmp(b->data, text, b->len))
		T_FAIL("not the text expected:\n%.*s", (int)b->len, (const char *)b->data);
}

static void the_same_randomness_gives_the_documented_file(void)
{
	struct buf b = {0};
	T_EQ(make(usual, &b, NULL), ST_OK);
	expect_text(&b, encrypted);
	secret_buf_done(&b);
	T_EQ(make(unencrypted(), &b, NULL), ST_OK);
	expect_text(&b, plain);
	secret_buf_done(&b);
}

static st_t parse_bytes(const void *p, size_t n, struct keyfile *ret, struct err *e)
{
	return keyfile_parse(rd_make(p, n), ret, e);
}

static st_t parse_text(const char *s, struct err *e)
{
	static struct keyfile k;
	return parse_bytes(s, strlen(s), &k, e);
}

static void what_is_public_needs_no_passphrase(void)
{
	struct keyfile k;
	struct buf vkey = {0};
	T_EQ(parse_bytes(encrypted, strlen(encrypted), &k, NULL), ST_OK);
	T_EQ(k.kind, KEYFILE_LOG);
	T_EQ(k.key.type, NOTE_ED25519);
	T_STR(k.key.name, "example.com/log");
	T_TRUE(k.encrypted);
	T_EQ(k.seal.cost.n, 16);
	note_key_format(&k.key, &vkey);
	T_TRUE(memmem(encrypted, strlen(encrypted), vkey.data, vkey.len) != NULL);
	buf_done(&vkey);
	T_EQ(parse_bytes(plain, strlen(plain), &k, NULL), ST_OK);
	T_EQ(k.key.type, NOTE_COSIGNATURE_ED25519);
	T_TRUE(!k.encrypted);
}

/* RFC 8032 key of the seed 00 01 .. 1f signs; any other would not verify. */
static void the_passphrase_gives_a_signer_of_the_vkey(void)
{
	struct keyfile k;
	struct signer *s = NULL;
	uint8_t sig[SIGNER_SIGNATURE_MAX];
	T_EQ(parse_bytes(encrypted, strlen(encrypted), &k, NULL), ST_OK);
	T_EQ(keyfile_open(&k, "correct horse", 13, &s, NULL), ST_OK);
	T_EQ(signer_sign(s, "text", 4, sig, NULL), ST_OK);
	T_EQ(ed25519_verify(k.key.pub, "text", 4, sig, NULL), ST_OK);
	signer_free(s);
	T_EQ(parse_bytes(plain, strlen(plain), &k, NULL), ST_OK);
	T_EQ(keyfile_open(&k, NULL, 0, &s, NULL), ST_OK);
	signer_free(s);
}

static void a_wrong_passphrase_is_called_so(void)
{
	struct keyfile k;
	struct signer *s = NULL;
	struct err e = {0};
	T_EQ(parse_bytes(encrypted, strlen(encrypted), &k, NULL), ST_OK);
	T_EQ(keyfile_open(&k, "correct hors", 12, &s, &e), ST_BAD_SUM);
	T_STR(e.text, "wrong passphrase (or somebody changed the file and gave it a new checksum)");
	T_EQ(keyfile_open(&k, NULL, 0, &s, NULL), ST_BAD_SUM);
	T_TRUE(!s);
}

/* Damage is told from a wrong passphrase, and found without one. */
static void a_file_with_any_bit_changed_is_refused(void)
{
	static const char *const files[] = {encrypted, plain};
	for (size_t f = 0; f < 2; f++) {
		char copy[1024];
		size_t n = strlen(files[f]);
		memcpy(copy, files[f], n);
		for (size_t bit = 0; bit < 8 * n; bit++) {
			struct keyfile k;
			copy[bit / 8] ^= (char)(1u << bit % 8);
			if (parse_bytes(copy, n, &k, NULL) == ST_OK)
				T_FAIL("file %zu: bit %zu does not count", f, bit);
			copy[bit / 8] ^= (char)(1u << bit % 8);
		}
	}
}

static void damage_is_called_damage(void)
{
	char copy[1024];
	struct err e = {0};
	snprintf(copy, sizeof copy, "%s", encrypted);
	strstr(copy, "seed ")[8] ^= 1;
	T_EQ(parse_text(copy, &e), ST_BAD_SUM);
	T_STR(e.text, "key file: damaged: its checksum does not fit; restore it from a copy");
}

/* With a fresh checksum, as somebody would who changes it on purpose. */
static size_t sum_again(char *text, size_t n, size_t size)
{
	uint8_t digest[DIGEST_MAX];
	struct buf b = {0};
	char *sum = memmem(text, n, "\nsum ", 5);
	if (!sum)
		return n;
	size_t before = (size_t)(sum - text) + 1;
	if (digest_bytes(DIGEST_SHA256, text, before, digest, NULL) != ST_OK)
		abort();
	text_base64_add(&b, digest, 32);
	int k = snprintf(sum + 5, size - before - 4, "%.*s\n", (int)b.len, (const char *)b.data);
	buf_done(&b);
	return before + 4 + (size_t)k;
}

static st_t parse_summed(const char *from, const char *find, const char *put, struct err *e)
{
	static char copy[4 * KEYFILE_SIZE_MAX];
	static struct keyfile k;
	const char *at = strstr(from, find);
	if (!at)
		abort();
	int n = snprintf(copy, sizeof copy, "%.*s%s%s", (int)(at - from), from, put,
	                 at + strlen(find));
	return parse_bytes(copy, sum_again(copy, (size_t)n, sizeof copy), &k, e);
}

static void a_changed_file_with_a_new_checksum_never_opens(void)
{
	static char copy[1024];
	size_t n = strlen(encrypted);
	unsigned parsed = 0;
	for (size_t bit = 0; bit < 8 * (size_t)(strstr(encrypted, "\nsum ") - encrypted); bit++) {
		struct keyfile k;
		struct signer *s = NULL;
		memcpy(copy, encrypted, n + 1);
		copy[bit / 8] ^= (char)(1u << bit % 8);
		if (parse_bytes(copy, sum_again(copy, n, sizeof copy), &k, NULL) != ST_OK)
			continue;
		parsed++;
		T_TRUE(keyfile_open(&k, "correct horse", 13, &s, NULL) != ST_OK);
		T_TRUE(!s);
	}
	/* Salt, nonce and seed can be changed so that the text is still well-formed. */
	T_TRUE(parsed > 300);
}

static void another_kind_or_cost_is_noticed_when_opened(void)
{
	static char copy[1024];
	struct keyfile k;
	struct signer *s = NULL;
	int n = snprintf(copy, sizeof copy, "%s", encrypted);
	memcpy(strstr(copy, "scrypt 16 "), "scrypt 32 ", 10);
	T_EQ(parse_bytes(copy, sum_again(copy, (size_t)n, sizeof copy), &k, NULL), ST_OK);
	T_EQ(keyfile_open(&k, "correct horse", 13, &s, NULL), ST_BAD_SUM);
	char *kind = strstr(copy, "log\n");
	memmove(kind + 5, kind + 4, strlen(kind + 4) + 1);
	memcpy(kind, "note\n", 5);
	memcpy(strstr(copy, "scrypt 32 "), "scrypt 16 ", 10);
	T_EQ(parse_bytes(copy, sum_again(copy, (size_t)n + 1, sizeof copy), &k, NULL), ST_OK);
	T_EQ(k.kind, KEYFILE_NOTE);
	T_EQ(keyfile_open(&k, "correct horse", 13, &s, NULL), ST_BAD_SUM);
}

static void an_unencrypted_seed_has_to_belong_to_the_vkey(void)
{
	static char copy[1024];
	struct keyfile k;
	struct signer *s = NULL;
	struct err e = {0};
	int n = snprintf(copy, sizeof copy, "%s", plain);
	memcpy(strstr(copy, "seed AAEC"), "seed BAEC", 9);
	T_EQ(parse_bytes(copy, sum_again(copy, (size_t)n, sizeof copy), &k, NULL), ST_OK);
	T_EQ(keyfile_open(&k, NULL, 0, &s, &e), ST_CONFLICT);
	T_STR(e.text, "the private key does not belong to the vkey of this file");
	T_TRUE(!s);
}

static void a_cut_file_is_refused(void)
{
	struct keyfile k;
	for (size_t n = 0; n < strlen(encrypted); n++)
		T_TRUE(parse_bytes(encrypted, n, &k, NULL) != ST_OK);
}

static void each_line_is_checked(void)
{
	static const struct {
		const char *find, *put;
		st_t st;
		const char *text;
	} cases[] = {
	    {"vitrine key 1\n", "", ST_MALFORMED, "this is no key file of vitrine"},
	    {"vitrine key 1\n", "vitrine key 2\n", ST_UNSUPPORTED,
	     "key file: of a version that this program does not read"},
	    {"kind log\n", "", ST_MALFORMED, "key file: line 2 is not 'kind ...'"},
	    {"kind log\n", "kind log \n", ST_UNSUPPORTED,
	     "key file: line 2 is none of log, witness, note, publisher"},
	    {"kind log\n", "kind witness\n", ST_MALFORMED,
	     "key file: a witness has no key of type 0x01"},
	    {"kind log\n", "kind log\nkind log\n", ST_MALFORMED, "key file: line 3 is not 'vkey ...'"},
	    {"example.com", "example.org", ST_MALFORMED, NULL},
	    {"kdf scrypt", "kdf argon2", ST_UNSUPPORTED, "key file: line 4: neither scrypt nor none"},
	    {"kdf scrypt 16 1 1", "kdf scrypt 16 1", ST_MALFORMED,
	     "key file: line 4 is not 'kdf scrypt N r p SALT'"},
	    {"kdf scrypt 16", "kdf scrypt 016", ST_MALFORMED,
	     "key file: line 4 is not 'kdf scrypt N r p SALT'"},
	    {"kdf scrypt 16", "kdf scrypt 17", ST_MALFORMED,
	     "scrypt: N is not a power of 2 above 1 (RFC 7914)"},
	    {"kdf scrypt 16 1 1", "kdf scrypt 1048576 8 1", ST_LIMIT,
	     "scrypt: N and r ask for more than 256 MiB of memory"},
	    {"kdf scrypt 16 1 1", "kdf scrypt 131072 8 16", ST_LIMIT,
	     "scrypt: N, r and p ask for too much work"},
	    {"kdf scrypt 16 1 1", "kdf scrypt 16 4294967297 1", ST_MALFORMED,
	     "key file: line 4 is not 'kdf scrypt N r p SALT'"},
	    {"kdf scrypt 16 1 1 ", "kdf none", ST_UNSUPPORTED, NULL},
	    {"cipher chacha20-poly1305 ", "cipher none ", ST_UNSUPPORTED,
	     "key file: line 5: no cipher that goes with line 4"},
	    {"cipher chacha20-poly1305 ", "cipher chacha20-poly1305 AAAA", ST_MALFORMED,
	     "key file: line 5 is not 'cipher chacha20-poly1305 NONCE'"},
	    {"\nseed ", "\nseed AAAA", ST_MALFORMED, "key file: line 6 is not 48 bytes in base64"},
	    {"\nseed ", "\nSeed ", ST_MALFORMED, "key file: line 6 is not 'seed ...'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		st_t st = parse_summed(encrypted, cases[i].find, cases[i].put, &e);
		if (st != cases[i].st)
			T_FAIL("'%s' for '%s': %s (%s)", cases[i].put, cases[i].find, st_name(st), e.text);
		if (cases[i].text)
			T_STR(e.text, cases[i].text);
	}
}

/* A seed that was encrypted is never taken for one that was not, nor the reverse. */
static void encryption_cannot_be_taken_away(void)
{
	struct err e = {0};
	T_EQ(parse_summed(plain, "cipher none", "cipher chacha20-poly1305 QEFCQ0RFRkdISUpL", &e),
	     ST_MALFORMED);
	err_clear(&e);
	T_EQ(parse_summed(plain, "seed AAECAwQF", "seed AAECAwQFAAECAwQFAAECAwQF", &e), ST_MALFORMED);
	T_STR(e.text, "key file: line 6 is not 32 bytes in base64");
}

static void nothing_follows_the_last_line(void)
{
	char copy[1024];
	struct err e = {0};
	snprintf(copy, sizeof copy, "%s\n", encrypted);
	T_EQ(parse_text(copy, &e), ST_MALFORMED);
	T_STR(e.text, "key file: something follows its last line");
}

static void a_large_file_is_not_read(void)
{
	static char large[KEYFILE_SIZE_MAX + 1];
	struct keyfile k;
	T_EQ(parse_bytes(large, sizeof large, &k, NULL), ST_LIMIT);
	T_EQ(parse_bytes(NULL, 0, &k, NULL), ST_MALFORMED);
}

static st_t make_status(struct keyfile_new n)
{
	struct buf b = {0};
	st_t st = make(n, &b, NULL);
	T_TRUE((st == ST_OK) == (b.len > 0));
	secret_buf_done(&b);
	return st;
}

static void a_key_that_cannot_be_is_not_made(void)
{
	static char long_name[NOTE_NAME_MAX + 2];
	const struct random_source never = {.fill = fill_never};
	struct keyfile_new n = usual;
	n.npass = 0;
	T_EQ(make_status(n), ST_LIMIT);
	n.npass = KEYFILE_PASSPHRASE_MAX + 1;
	T_EQ(make_status(n), ST_LIMIT);
	n = usual;
	n.name = "with blank ";
	T_EQ(make_status(n), ST_MALFORMED);
	n.name = "";
	T_EQ(make_status(n), ST_MALFORMED);
	memset(long_name, 'a', sizeof long_name - 1);
	n.name = long_name;
	T_EQ(make_status(n), ST_MALFORMED);
	n = usual;
	n.cost.n = 3;
	T_EQ(make_status(n), ST_MALFORMED);
	n = usual;
	n.random = &never;
	T_EQ(make_status(n), ST_IO);
	n = usual;
	n.kind = KEYFILE_NOTE;
	n.alg = SIGNER_MLDSA44;
	T_EQ(make_status(n), ST_UNSUPPORTED);
}

static void the_longest_names_fit(void)
{
	static char long_name[NOTE_NAME_MAX + 1];
	struct keyfile_new n = usual;
	memset(long_name, 'a', sizeof long_name - 1);
	n.name = long_name;
	T_EQ(make_status(n), ST_OK);
	n.kind = KEYFILE_WITNESS;
	n.alg = SIGNER_MLDSA44;
	T_EQ(make_status(n), mldsa44_available() ? ST_OK : ST_UNSUPPORTED);
}

static void an_imported_seed_is_kept(void)
{
	static const uint8_t seed[KEYFILE_SEED] = {7};
	struct keyfile_new n = unencrypted();
	struct buf b = {0};
	n.seed = seed;
	T_EQ(make(n, &b, NULL), ST_OK);
	T_TRUE(memmem(b.data, b.len, "\nseed BwAAAAAA", 14) != NULL);
	secret_buf_done(&b);
}

/* -- Go's private keys ------------------------------------------------------------------------ */

/* The example of golang.org/x/mod/sumdb/note. */
static const char go_key[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char go_vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

static st_t parse_go(const char *s, char *ret_name, uint8_t *ret_seed, struct err *e)
{
	return keyfile_parse_go(rd_make(s, strlen(s)), ret_name, ret_seed, e);
}

static void a_key_of_go_gives_its_vkey(void)
{
	char name[NOTE_NAME_MAX + 1];
	uint8_t seed[KEYFILE_SEED];
	struct signer *s = NULL;
	struct note_key key;
	struct buf vkey = {0};
	T_EQ(parse_go(go_key, name, seed, NULL), ST_OK);
	T_STR(name, "PeterNeumann");
	T_EQ(signer_new(SIGNER_ED25519, seed, &s, NULL), ST_OK);
	T_EQ(note_key_of_signer(name, NOTE_ED25519, s, &key, NULL), ST_OK);
	note_key_format(&key, &vkey);
	expect_text(&vkey, go_vkey);
	buf_done(&vkey);
	signer_free(s);
}

static void a_damaged_key_of_go_is_refused(void)
{
	static const struct {
		const char *text;
		st_t st;
	} cases[] = {
	    {"", ST_MALFORMED},
	    {"PRIVATE+KEY+", ST_MALFORMED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a3", ST_MALFORMED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a3+", ST_MALFORMED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEK", ST_UNSUPPORTED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a3+BIEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
	     ST_UNSUPPORTED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
	     ST_CONFLICT},
	    {"PRIVATE+KEY+PeterNeuman+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
	     ST_CONFLICT},
	    {"PRIVATE+KEY+Peter Neumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
	     ST_MALFORMED},
	    {"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n\n",
	     ST_MALFORMED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[NOTE_NAME_MAX + 1];
		uint8_t seed[KEYFILE_SEED];
		st_t st = parse_go(cases[i].text, name, seed, NULL);
		if (st != cases[i].st)
			T_FAIL("%s: %s", cases[i].text, st_name(st));
	}
}

static void a_key_of_go_is_told_from_a_key_file(void)
{
	struct err e = {0};
	T_EQ(parse_text(go_key, &e), ST_UNSUPPORTED);
	T_STR(e.text, "a private key of Go's: 'vitrine key import' takes it");
}

int main(void)
{
	T_RUN(the_same_randomness_gives_the_documented_file);
	T_RUN(what_is_public_needs_no_passphrase);
	T_RUN(the_passphrase_gives_a_signer_of_the_vkey);
	T_RUN(a_wrong_passphrase_is_called_so);
	T_RUN(a_file_with_any_bit_changed_is_refused);
	T_RUN(damage_is_called_damage);
	T_RUN(a_changed_file_with_a_new_checksum_never_opens);
	T_RUN(another_kind_or_cost_is_noticed_when_opened);
	T_RUN(an_unencrypted_seed_has_to_belong_to_the_vkey);
	T_RUN(a_cut_file_is_refused);
	T_RUN(each_line_is_checked);
	T_RUN(encryption_cannot_be_taken_away);
	T_RUN(nothing_follows_the_last_line);
	T_RUN(a_large_file_is_not_read);
	T_RUN(a_key_that_cannot_be_is_not_made);
	T_RUN(the_longest_names_fit);
	T_RUN(an_imported_seed_is_kept);
	T_RUN(a_key_of_go_gives_its_vkey);
	T_RUN(a_damaged_key_of_go_is_refused);
	T_RUN(a_key_of_go_is_told_from_a_key_file);
	return t_end();
}
