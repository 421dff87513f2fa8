/* tlog/note: signed notes, verifier keys, signatures of every type. */
#include "tlog/note.h"

#include "crypto/ecdsa.h"
#include "test/t.h"
#include "tlog/text.h"
#include "tlog_vectors.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define CHECKPOINT "example.com/behind-the-sofa\n20852163\n" ROOT
#define FOO_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_LINE                                                                    \
	DASH "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E" \
		 "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define TIME_300 1795455570

static struct note note, other; /* large */

static st_t open_note(struct rd in, struct rd vkey, uint64_t *ret_time, struct err *e)
{
	struct note_key k = vector_key(vkey);
	TRY(note_parse(in, &note, e));
	return note_verify_key(&note, &k, ret_time, e);
}

/* The line of a vkey file. */
static struct rd vkey_file(const char *name)
{
	char path[64];
	struct rd line = {0};
	snprintf(path, sizeof path, "notes/%s.vkey", name);
	struct rd in = vector_file(path);
	T_TRUE(text_line(&in, &line));
	return line;
}

static struct rd note_file(const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "notes/%s.note", name);
	return vector_file(path);
}

static struct signer *seeded(const char *name, enum signer_alg alg)
{
	uint8_t seed[32];
	struct signer *s = NULL;
	vector_seed(name, seed);
	T_EQ(signer_new(alg, seed, &s, NULL), ST_OK);
	return s;
}

static void notes_of_other_programs_verify(void)
{
	static const char *const name[] = {"ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521",
	                                   "rfc6962"};
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		struct err e = {0};
		uint64_t time = 1;
		T_EQ(open_note(note_file(name[i]), vkey_file(name[i]), &time, &e), ST_OK);
		T_STR(e.text, "");
		T_EQ(time, 0);
	}
}

static void the_example_of_the_standard_has_these_parts(void)
{
	uint64_t time;
	struct rd in = rd_str("This is an example message.\n\n" FOO_LINE);
	T_EQ(open_note(in, rd_str(FOO_VKEY), &time, NULL), ST_OK);
	T_TRUE(text_is(note.text, "This is an example message.\n"));
	T_EQ(note.n, 1);
	T_TRUE(text_is(note.sig[0].name, "example.com/foo"));
	T_EQ(note.sig[0].id, 0x530d903a);
	T_TRUE(text_is(note.sig[0].line, FOO_LINE));
	T_TRUE(note.text.base == in.base);
}

static void a_checkpoint_is_verified_with_its_cosignatures(void)
{
	static const char *const key[] = {"log_vkey", "witness1.example.net_vkey",
	                                  "witness2.example.net_vkey", "witness3.example.net_vkey"};
	struct rd in = note_file("checkpoint-300");
	for (size_t i = 0; i < 4; i++) {
		struct err e = {0};
		uint64_t time = 1;
		T_EQ(open_note(in, vector_json(key[i]), &time, &e), ST_OK);
		T_STR(e.text, "");
		T_EQ(time, i ? TIME_300 : 0);
	}
}

/* Where libcrypto has no ML-DSA, the answer is that it was not verified. */
static void an_mldsa_cosignature_verifies_or_is_unsupported(void)
{
	struct err e = {0};
	uint64_t time = 1;
	st_t st = open_note(vector_file("mldsa/checkpoint"), vector_json("pqwitness.example.net_vkey"),
	                    &time, &e);
	T_EQ(st, mldsa44_available() ? ST_OK : ST_UNSUPPORTED);
	T_EQ(time, mldsa44_available() ? 1790000000 : 1);
	if (!mldsa44_available())
		T_STR(e.text, "signature of pqwitness.example.net: ML-DSA-44 needs libcrypto 3.5 or later");
	if (!mldsa44_available())
		printf("skipped: the ML-DSA-44 signature itself, libcrypto is older than 3.5\n");
}

static void an_mldsa_cosignature_covers_names_time_and_tree(void)
{
	struct rd in = vector_file("mldsa/checkpoint");
	struct note_key k = vector_key(vector_json("pqwitness.example.net_vkey"));
	uint64_t time;
	T_EQ(note_parse(in, &note, NULL), ST_OK);
	const struct note_signature *s = note_find(&note, &k);
	T_TRUE(s != NULL);
	if (!s || !mldsa44_available()) {
		printf("skipped: libcrypto is older than 3.5\n");
		return;
	}
	/* "checkpoint extension lines are not included in the signed message" */
	struct buf b = {0};
	buf_add(&b, note.text.base, note.text.len);
	buf_add(&b, "extension\n", 10);
	T_EQ(note_verify(rd_buf(&b), s, &k, &time, NULL), ST_OK);
	b.data[0] ^= 1;
	T_EQ(note_verify(rd_buf(&b), s, &k, &time, NULL), ST_BAD_SIG);
	b.data[0] ^= 1;
	b.data[27] = '4'; /* size 400 */
	T_EQ(note_verify(rd_buf(&b), s, &k, &time, NULL), ST_BAD_SIG);
	buf_done(&b);
}

static const struct {
	const char *in;
	const char *message;
} bad_note[] = {
	{"", "no empty line between a text and its signatures"},
	{"text\n", "no empty line between a text and its signatures"},
	{"text\n" FOO_LINE, "no empty line between a text and its signatures"},
	{"\n" FOO_LINE, "no empty line between a text and its signatures"},
	{"text\n\n", "no signatures"},
	{"text\n\n" FOO_LINE "\n", "no signatures"},
	{"text\n\n" DASH "a AAAAAAA=", "the last line does not end with a newline"},
	{"text\n\n" FOO_LINE "x", "the last line does not end with a newline"},
	{"text\n\nx\n", "a signature line does not start with an em dash and a space"},
	{"text\n\n- a AAAAAAA=\n", "a signature line does not start with an em dash and a space"},
	{"text\n\n\xe2\x80\x93 a AAAAAAA=\n",
     "a signature line does not start with an em dash and a space"},
	{"text\n\n\xe2\x80\x94"
     "a AAAAAAA=\n",
     "a signature line does not start with an em dash and a space"},
	{"text\n\n " DASH "a AAAAAAA=\n",
     "a signature line does not start with an em dash and a space"},
	{"text\n\n" DASH "a\n", "a signature line has no signature"},
	{"text\n\n" DASH "\n", "a signature line has no signature"},
	{"text\n\n" DASH " AAAAAAA=\n", "a key name is empty"},
	{"text\n\n" DASH "a+b AAAAAAA=\n", "a key name has a plus in it"},
	{"text\n\n" DASH "a\xc2\xa0"
     "b AAAAAAA=\n",
     "a key name has a space in it"},
	{"text\n\n" DASH "a \n", "a signature has nothing behind its key ID"},
	{"text\n\n" DASH "a AAAAAA==\n", "a signature has nothing behind its key ID"},
	{"text\n\n" DASH "a  AAAAAAA=\n", "a signature is not base64 in its canonical form"},
	{"text\n\n" DASH "a AAAAAAA= \n", "a signature is not base64 in its canonical form"},
	{"text\n\n" DASH "a AAAAAAA= AAAAAAA=\n", "a signature is not base64 in its canonical form"},
	{"text\n\n" DASH "a AAAAAAA\n", "a signature is not base64 in its canonical form"},
	{"text\n\n" DASH "a AAAAAAB=\n", "a signature is not base64 in its canonical form"},
	{"text\n\n" DASH "a AAAA-AA=\n", "a signature is not base64 in its canonical form"},
	{"te\txt\n\n" FOO_LINE, "control character 0x09"},
	{"text\r\n\r\n" FOO_LINE, "control character 0x0d"},
	{"te\xffxt\n\n" FOO_LINE, "not valid UTF-8"},
	{"text\n\n" DASH "a\xed\xa0\x80 AAAAAAA=\n", "not valid UTF-8"},
};

static void what_is_no_note_is_refused_with_the_rule_broken(void)
{
	for (size_t i = 0; i < sizeof bad_note / sizeof bad_note[0]; i++) {
		struct err e = {0};
		char want[ERR_TEXT_MAX];
		snprintf(want, sizeof want, "signed-note: %s", bad_note[i].message);
		note.n = 77;
		T_EQ(note_parse(rd_str(bad_note[i].in), &note, &e), ST_MALFORMED);
		T_STR(e.text, want);
		T_EQ(note.n, 77);
	}
	struct err e = {0};
	T_EQ(note_parse(rd_make("a\0b\n\n" FOO_LINE, 5 + strlen(FOO_LINE)), &note, &e), ST_MALFORMED);
	T_STR(e.text, "signed-note: control character 0x00");
}

static void the_last_empty_line_separates(void)
{
	T_EQ(note_parse(rd_str("a\n\nb\n\n\n" DASH "n AAAAAAA=\n"), &note, NULL), ST_OK);
	T_TRUE(text_is(note.text, "a\n\nb\n\n"));
	T_EQ(note_parse(rd_str("\n\n" DASH "n AAAAAAA=\n"), &note, NULL), ST_OK);
	T_TRUE(text_is(note.text, "\n"));
	/* A signature line of the text is text. */
	T_EQ(note_parse(rd_str("a\n\n" FOO_LINE "\n" DASH "n AAAAAAA=\n"), &note, NULL), ST_OK);
	T_TRUE(text_is(note.text, "a\n\n" FOO_LINE));
	T_EQ(note.n, 1);
}

static void many(struct buf *b, size_t n)
{
	buf_add(b, "text\n\n", 6);
	for (size_t i = 0; i < n; i++)
		buf_add(b, DASH "n AAAAAAA=\n", strlen(DASH "n AAAAAAA=\n"));
}

static void limited(struct buf *b, st_t st, const char *message)
{
	struct err e = {0};
	T_EQ(note_parse(rd_buf(b), &note, &e), st);
	T_STR(e.text, message);
	buf_done(b);
}

static void a_note_has_its_limits(void)
{
	struct buf b = {0};
	many(&b, NOTE_SIGNATURES_MAX);
	limited(&b, ST_OK, "");
	T_EQ(note.n, 100);
	many(&b, NOTE_SIGNATURES_MAX + 1);
	limited(&b, ST_LIMIT, "signed-note: more than 100 signatures");
	buf_fill(&b, 'a', NOTE_SIZE_MAX - 14);
	buf_add(&b, "\n\n" DASH "n AAAA\n", 13);
	limited(&b, ST_MALFORMED, "signed-note: a signature has nothing behind its key ID");
	buf_fill(&b, 'a', NOTE_SIZE_MAX + 1);
	limited(&b, ST_LIMIT, "signed-note: longer than 524288 bytes");
	buf_add(&b, "a\n\n" DASH, 7);
	buf_fill(&b, 'n', 256);
	buf_add(&b, " AAAAAAA=\n", 10);
	limited(&b, ST_MALFORMED, "signed-note: a key name is longer than 255 bytes");
}

/* "Verifiers MUST ignore signatures from unknown keys", of whatever algorithm and size. */
static void signatures_of_unknown_keys_are_ignored(void)
{
	struct buf b = {0};
	uint64_t time;
	struct err e = {0};
	buf_add(&b, "This is an example message.\n\n", 29);
	buf_add(&b, DASH "x.example ", 14);
	buf_fill(&b, 'A', 66664); /* SLH-DSA has 49,856 bytes */
	buf_add(&b, "\n" DASH "example.com/foo AAAAAAA=\n" DASH "example.com/bar Uw2QOgA=\n",
	        1 + 2 * strlen(DASH "example.com/foo AAAAAAA=\n"));
	T_EQ(open_note(rd_buf(&b), rd_str(FOO_VKEY), &time, &e), ST_NOT_FOUND);
	T_STR(e.text, "no signature of example.com/foo");
	buf_add(&b, FOO_LINE, strlen(FOO_LINE));
	T_EQ(open_note(rd_buf(&b), rd_str(FOO_VKEY), &time, NULL), ST_OK);
	T_EQ(note.n, 4);
	/* Also behind it: no second signature of the key, only of its name, and only of its ID. */
	buf_add(&b, DASH "example.com/foo AAAAAAA=\n" DASH "example.com/bar Uw2QOgA=\n",
	        2 * strlen(DASH "example.com/foo AAAAAAA=\n"));
	T_EQ(open_note(rd_buf(&b), rd_str(FOO_VKEY), &time, NULL), ST_OK);
	T_EQ(note.n, 6);
	buf_done(&b);
}

/* "If the key name and ID match a known key, verifiers MUST verify the signature." */
static void a_signature_of_a_known_key_must_be_right(void)
{
	struct err e = {0};
	uint64_t time = 7;
	T_EQ(open_note(rd_str("This is another message.\n\n" FOO_LINE), rd_str(FOO_VKEY), &time, &e),
	     ST_BAD_SIG);
	T_STR(e.text,
	      "signature of example.com/foo: the Ed25519 signature is not of this key and text");
	T_EQ(time, 7);
	err_clear(&e);
	T_EQ(open_note(rd_str("a\n\n" DASH "example.com/foo Uw2QOgA=\n"), rd_str(FOO_VKEY), &time, &e),
	     ST_MALFORMED);
	T_STR(e.text, "signature of example.com/foo: 1 bytes, not 64");
}

static void every_line_of_a_known_key_is_verified_and_the_latest_counts(void)
{
	static const char twice[] = "This is an example message.\n\n" FOO_LINE FOO_LINE;
	static const char wrong[] =
		"This is an example message.\n\n" FOO_LINE DASH "example.com/foo Uw2QOgA=\n";
	struct note_key k = vector_key(rd_str(FOO_VKEY));
	struct err e = {0};
	uint64_t time;
	T_EQ(open_note(rd_str(twice), rd_str(FOO_VKEY), &time, &e), ST_OK);
	T_TRUE(note_find(&note, &k) == &note.sig[0]);
	T_EQ(open_note(rd_str(wrong), rd_str(FOO_VKEY), &time, &e), ST_MALFORMED);
	T_STR(e.text, "signature of example.com/foo: 1 bytes, not 64");
}

static void latest_line_is_the_one_with_the_latest_time_wherever_it_stands(void)
{
	static const uint64_t times[][3] = {{5, 9, 7}, {9, 5, 7}, {7, 5, 9}, {9, 9, 1}};
	static const size_t latest[] = {1, 0, 2, 0};
	struct signer *s = seeded("witness1.example.net_seed_hex", SIGNER_ED25519);
	struct note_key k;
	T_EQ(note_key_of_signer("w", NOTE_COSIGNATURE_ED25519, s, &k, NULL), ST_OK);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		const struct note_signature *line = NULL;
		struct buf b = {0};
		uint64_t time = 0;
		struct rd text = rd_str("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
		buf_add(&b, text.base, text.len);
		buf_u8(&b, '\n');
		for (size_t n = 0; n < 3; n++)
			T_EQ(note_sign(text, "w", NOTE_COSIGNATURE_ED25519, s, times[i][n], &b, NULL), ST_OK);
		T_EQ(note_parse(rd_buf(&b), &note, NULL), ST_OK);
		T_EQ(note_verify_latest(&note, &k, &line, &time, NULL), ST_OK);
		T_EQ(time, 9);
		T_TRUE(line == &note.sig[latest[i]]);
		buf_done(&b);
	}
	signer_free(s);
}

static void a_line_is_verified_with_its_own_key_only(void)
{
	struct note_key k = vector_key(rd_str(FOO_VKEY));
	struct err e = {0};
	uint64_t time;
	T_EQ(note_parse(note_file("checkpoint-300"), &note, NULL), ST_OK);
	T_EQ(note_verify(note.text, &note.sig[0], &k, &time, &e), ST_BAD_SIG);
	T_STR(e.text, "signature of example.com/foo: the line is of another key");
	/* A right signature under another name, and under another ID. */
	T_EQ(note_parse(note_file("ed25519"), &note, NULL), ST_OK);
	struct note_signature s = note.sig[0];
	s.name = rd_str("example.com/bar");
	T_EQ(note_verify(note.text, &s, &k, &time, NULL), ST_BAD_SIG);
	s = note.sig[0];
	T_EQ(note_verify(note.text, &s, &k, &time, NULL), ST_OK);
	k.id ^= 1;
	T_EQ(note_verify(note.text, &s, &k, &time, NULL), ST_BAD_SIG);
}

static void signature_lines_alone_are_read(void)
{
	struct err e = {0};
	T_EQ(note_parse_signatures(rd_str(FOO_LINE FOO_LINE), &note, NULL), ST_OK);
	T_EQ(note.n, 2);
	T_EQ(note.text.len, 0);
	T_TRUE(text_is(note.sig[1].line, FOO_LINE));
	T_EQ(note_parse_signatures(rd_str(""), &note, &e), ST_MALFORMED);
	T_STR(e.text, "signed-note: no signatures");
	T_EQ(note_parse_signatures(rd_str(FOO_LINE "\n" FOO_LINE), &note, NULL), ST_MALFORMED);
	T_EQ(note_parse_signatures(rd_str("a\n\n" FOO_LINE), &note, NULL), ST_MALFORMED);
	T_EQ(note_parse_signatures(rd_make(FOO_LINE, strlen(FOO_LINE) - 1), &note, NULL), ST_MALFORMED);
}

#define THREE "signed-note: a vkey has three parts: name, key ID and key, joined by plus"
#define NAME                                                                           \
	"signed-note: a key name must be 1 to 255 bytes of UTF-8 without spaces, control " \
	"characters and plus"
#define HEX "signed-note: the key ID of a vkey is not 8 hex digits in lower case"
#define B64 "signed-note: the key of a vkey is not base64 in its canonical form"

static const struct {
	const char *vkey;
	st_t st;
	const char *message;
} bad_vkey[] = {
	{"", ST_MALFORMED, THREE},
	{"example.com/foo", ST_MALFORMED, THREE},
	{"example.com/foo+530d903a", ST_MALFORMED, THREE},
	{"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, NAME},
	{"a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, NAME},
	{"a\n+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, NAME},
	{"a\xff+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, NAME},
	{"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo++AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo+ 30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo+0x30d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED, HEX},
	{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n", ST_MALFORMED, B64},
	{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", ST_MALFORMED, B64},
	{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2=", ST_MALFORMED, B64},
	{"example.com/foo+530d903a+", ST_MALFORMED, "signed-note: the key of a vkey is empty"},
	{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", ST_MALFORMED,
     "signed-note: a key of type 0x01 has 30 bytes, not 32"},
	{"example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED,
     "signed-note: a key of type 0x06 has 32 bytes, not 1312"},
	{"example.com/foo+530d903a+A+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_UNSUPPORTED,
     "signed-note: keys of type 0x03 are not known here"},
	{"example.com/foo+530d903a+/+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_UNSUPPORTED,
     "signed-note: keys of type 0xff are not known here"},
	{"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED,
     "a public key that is not a DER SubjectPublicKeyInfo"},
	{"example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED,
     "signed-note: the vkey says key ID 530d903a, its name and key give 53c901c8"},
	{"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ST_MALFORMED,
     "signed-note: the vkey says key ID 530d903b, its name and key give 530d903a"},
};

static void what_is_no_vkey_is_refused_with_the_rule_broken(void)
{
	for (size_t i = 0; i < sizeof bad_vkey / sizeof bad_vkey[0]; i++) {
		struct err e = {0};
		struct note_key k = {.npub = 77};
		T_EQ(note_key_parse(rd_str(bad_vkey[i].vkey), &k, &e), bad_vkey[i].st);
		T_STR(e.text, bad_vkey[i].message);
		T_EQ(k.npub, 77);
	}
}

static void long_vkeys_are_refused(void)
{
	struct buf b = {0};
	struct note_key k;
	struct err e = {0}, f = {0};
	buf_add(&b, "a+00000000+", 11);
	buf_fill(&b, 'A', 2000);
	T_EQ(note_key_parse(rd_buf(&b), &k, &e), ST_UNSUPPORTED);
	T_STR(e.text, "signed-note: keys of 1499 bytes are not known here");
	buf_fill(&b, 'A', 40);
	T_EQ(note_key_parse(rd_buf(&b), &k, &f), ST_MALFORMED);
	T_STR(f.text, "signed-note: a vkey is longer than 2048 bytes");
	buf_done(&b);
}

static void every_vkey_is_written_as_it_was_read(void)
{
	static const char *const name[] = {"ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521",
	                                   "rfc6962"};
	static const char *const json[] = {"log_vkey", "witness1.example.net_vkey",
	                                   "pqwitness.example.net_vkey"};
	for (size_t i = 0; i < 8; i++) {
		struct rd vkey = i < 5 ? vkey_file(name[i]) : vector_json(json[i - 5]);
		struct note_key k = vector_key(vkey);
		struct buf b = {0};
		note_key_format(&k, &b);
		T_TRUE(buf_is(&b, vkey));
		buf_done(&b);
	}
}

/* A key of a public log, as it is published: its ID is that of its SubjectPublicKeyInfo. */
static void the_key_id_of_an_ecdsa_key_is_that_of_its_spki(void)
{
	struct note_key k = vector_key(rd_str(
		"rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSM"
		"dGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="));
	T_EQ(k.id, 0xc0d23d6a);
	T_EQ(k.npub, 91);
}

static void an_ecdsa_key_has_one_encoding(void)
{
	struct note_key k = vector_key(vkey_file("ecdsa-p256"));
	struct err e = {0};
	k.pub[91] = 0;
	T_EQ(ecdsa_check_key(k.pub, 92, &e), ST_MALFORMED);
	T_STR(e.text, "bytes behind a SubjectPublicKeyInfo");
	/* The same point, compressed: lengths of SEQUENCE and BIT STRING, then 02 or 03. */
	uint8_t small[59];
	memcpy(small, k.pub, sizeof small);
	small[1] = 57;
	small[24] = 34;
	small[26] = 2 + (k.pub[90] & 1);
	err_clear(&e);
	T_EQ(ecdsa_check_key(small, sizeof small, &e), ST_UNSUPPORTED);
	T_STR(e.text, "an elliptic curve key that is not an uncompressed one of P-256, P-384, P-521");
	k.pub[90] ^= 1; /* not on the curve */
	T_EQ(ecdsa_check_key(k.pub, 91, NULL), ST_MALFORMED);
}

/* RFC 6962 logs may sign with RSA; such a key is told from a broken one. */
static void keys_of_other_algorithms_are_unsupported(void)
{
	struct note_key k = vector_key(vkey_file("ed25519"));
	struct err e = {0};
	uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	memcpy(spki + 12, k.pub, 32);
	T_EQ(ecdsa_check_key(spki, sizeof spki, &e), ST_UNSUPPORTED);
	T_STR(e.text, "a public key that is not of an elliptic curve");
}

static void an_ecdsa_signature_is_of_its_text(void)
{
	struct rd in = note_file("ecdsa-p256");
	struct note_key k = vector_key(vkey_file("ecdsa-p256"));
	struct err e = {0};
	uint64_t time;
	T_EQ(note_parse(in, &note, NULL), ST_OK);
	T_EQ(note_verify(rd_str("another\n"), &note.sig[0], &k, &time, &e), ST_BAD_SIG);
	T_STR(e.text,
	      "signature of ecdsa.example.org/P-256: the ECDSA signature is not of this key and "
	      "text");
	struct buf b = {0};
	buf_add(&b, in.base, in.len - 5);
	buf_add(&b, "AAAA\n", 5);
	T_EQ(open_note(rd_buf(&b), vkey_file("ecdsa-p256"), &time, NULL), ST_BAD_SIG);
	buf_done(&b);
}

/* static-ct-api: what a checkpoint with such a signature must be. */
static void a_tree_head_is_of_its_origin_and_has_no_extensions(void)
{
	struct note_key k = vector_key(vkey_file("rfc6962"));
	struct err e = {0}, f = {0}, g = {0};
	uint64_t time;
	struct buf b = {0};
	T_EQ(note_parse(note_file("rfc6962"), &note, NULL), ST_OK);
	buf_add(&b, note.text.base, note.text.len);
	T_EQ(note_verify(rd_buf(&b), &note.sig[0], &k, &time, NULL), ST_OK);
	b.data[0] ^= 1;
	T_EQ(note_verify(rd_buf(&b), &note.sig[0], &k, &time, &e), ST_MALFORMED);
	T_STR(e.text,
	      "signature of ct.example.org/2026: static-ct-api: the key name is not the origin");
	b.data[0] ^= 1;
	b.data[20] = '4'; /* size 400 */
	T_EQ(note_verify(rd_buf(&b), &note.sig[0], &k, &time, &f), ST_BAD_SIG);
	buf_add(&b, "x\n", 2);
	T_EQ(note_verify(rd_buf(&b), &note.sig[0], &k, &time, &g), ST_MALFORMED);
	T_STR(g.text,
	      "signature of ct.example.org/2026: static-ct-api: a checkpoint \"signed with this "
	      "algorithm MUST NOT include any extension lines\"");
	buf_done(&b);
}

/* The tree head of the vectors with byte `at` of its signature replaced. */
static void tree_head_refused(size_t at, uint8_t value, st_t st, const char *message)
{
	struct note_key k = vector_key(vkey_file("rfc6962"));
	uint8_t raw[256];
	struct err e = {0};
	uint64_t time;
	size_t n = 0;
	struct buf b = {0};
	T_EQ(note_parse(note_file("rfc6962"), &note, NULL), ST_OK);
	T_TRUE(text_base64(note.sig[0].base64, raw, sizeof raw, &n));
	raw[4 + at] = value;
	text_base64_add(&b, raw, n);
	struct note_signature s = note.sig[0];
	s.base64 = rd_buf(&b);
	T_EQ(note_verify(note.text, &s, &k, &time, &e), st);
	T_STR(e.text, message);
	buf_done(&b);
}

#define CT "signature of ct.example.org/2026: "

static void a_tree_head_is_signed_with_sha256_and_ecdsa(void)
{
	tree_head_refused(8, 4, ST_OK, "");
	tree_head_refused(8, 5, ST_UNSUPPORTED, CT "static-ct-api: neither SHA-256 nor ECDSA");
	tree_head_refused(9, 1, ST_UNSUPPORTED, CT "static-ct-api: neither SHA-256 nor ECDSA");
	tree_head_refused(11, 1, ST_MALFORMED, CT "static-ct-api: a signature of a wrong length");
	tree_head_refused(10, 1, ST_MALFORMED, CT "static-ct-api: a signature of a wrong length");
	tree_head_refused(7, 0, ST_BAD_SIG, CT "the ECDSA signature is not of this key and text");
}

static bool name_is_valid(const char *s)
{
	return note_name_valid(rd_str(s));
}

static void a_name_has_no_unicode_space_and_no_plus(void)
{
	static const uint32_t space[] = {0x9,    0xa,    0xb,    0xc,    0xd,    0x20,   0x85,
	                                 0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
	                                 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
	                                 0x2029, 0x202f, 0x205f, 0x3000};
	size_t refused = 0;
	for (uint32_t c = 0x21; c < 0x10000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		uint8_t s[3] = {(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 63)),
		                (uint8_t)(0x80 | (c & 63))};
		if (c < 0x800)
			memcpy(s, (uint8_t[]){(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 63))}, 2);
		if (c < 0x80)
			s[0] = (uint8_t)c;
		bool ok = note_name_valid(rd_make(s, c < 0x80 ? 1 : c < 0x800 ? 2 : 3)), want = c != '+';
		for (size_t i = 0; i < sizeof space / sizeof space[0]; i++)
			want = want && c != space[i];
		if (ok != want)
			T_FAIL("U+%04X", c);
		refused += !ok;
	}
	T_EQ(refused, 20);
	for (int c = 0; c <= 0x20; c++)
		T_TRUE(!note_name_valid(rd_make(&(char){(char)c}, 1)));
	T_TRUE(name_is_valid("log.example.org/\xc3\xa9") && !name_is_valid("") &&
	       !name_is_valid("a b"));
}

static void the_seeds_of_the_vectors_give_their_vkeys(void)
{
	static const struct {
		const char *name, *seed, *vkey;
		enum note_type type;
	} key[] = {
		{"log.example.org/av-updates", "log_seed_hex", "log_vkey", NOTE_ED25519},
		{"witness1.example.net", "witness1.example.net_seed_hex", "witness1.example.net_vkey",
	     NOTE_COSIGNATURE_ED25519},
		{"pqwitness.example.net", "pqwitness.example.net_seed_hex", "pqwitness.example.net_vkey",
	     NOTE_COSIGNATURE_MLDSA44},
	};
	for (size_t i = 0; i < (mldsa44_available() ? 3 : 2); i++) {
		struct signer *s = seeded(key[i].seed, i == 2 ? SIGNER_MLDSA44 : SIGNER_ED25519);
		struct note_key k = {0};
		struct buf b = {0};
		T_EQ(note_key_of_signer(key[i].name, key[i].type, s, &k, NULL), ST_OK);
		note_key_format(&k, &b);
		T_TRUE(buf_is(&b, vector_json(key[i].vkey)));
		buf_done(&b);
		signer_free(s);
	}
}

/* Ed25519 is deterministic: our lines are those of other programs. */
static void a_note_is_signed_byte_for_byte_as_others_do(void)
{
	struct rd want = note_file("checkpoint-300");
	struct signer *log = seeded("log_seed_hex", SIGNER_ED25519);
	struct signer *w = seeded("witness1.example.net_seed_hex", SIGNER_ED25519);
	struct buf b = {0};
	T_EQ(note_parse(want, &note, NULL), ST_OK);
	T_EQ(note_sign(note.text, "log.example.org/av-updates", NOTE_ED25519, log, 0, &b, NULL), ST_OK);
	T_TRUE(buf_is(&b, note.sig[0].line));
	b.len = 0;
	T_EQ(note_sign(note.text, "witness1.example.net", NOTE_COSIGNATURE_ED25519, w, TIME_300, &b,
	               NULL),
	     ST_OK);
	T_TRUE(buf_is(&b, note.sig[1].line));
	buf_done(&b);
	signer_free(log);
	signer_free(w);
}

static void sign_refused(const char *text, const char *name, enum note_type type, uint64_t time,
                         const struct signer *s, st_t st, const char *message)
{
	struct buf b = {0};
	struct err e = {0};
	T_EQ(note_sign(rd_str(text), name, type, s, time, &b, &e), st);
	T_STR(e.text, message);
	T_EQ(b.len, 0);
	buf_done(&b);
}

static void what_would_not_verify_is_not_signed(void)
{
	struct signer *s = seeded("log_seed_hex", SIGNER_ED25519);
	const enum note_type cosig = NOTE_COSIGNATURE_ED25519;
	sign_refused("a", "n", NOTE_ED25519, 0, s, ST_MALFORMED,
	             "signed-note: the text does not end with a newline");
	sign_refused("", "n", NOTE_ED25519, 0, s, ST_MALFORMED,
	             "signed-note: the text does not end with a newline");
	sign_refused("a\r\n", "n", NOTE_ED25519, 0, s, ST_MALFORMED,
	             "signed-note: control character 0x0d");
	sign_refused("\xff\n", "n", NOTE_ED25519, 0, s, ST_MALFORMED, "signed-note: not valid UTF-8");
	sign_refused("a\n", "n n", NOTE_ED25519, 0, s, ST_MALFORMED, NAME);
	sign_refused("a\n", "", NOTE_ED25519, 0, s, ST_MALFORMED, NAME);
	sign_refused("a\n", "n", cosig, 1, s, ST_MALFORMED, "tlog-checkpoint: no line with the size");
	sign_refused(CHECKPOINT, "n", cosig, 0, s, ST_MALFORMED, "tlog-cosignature: the time is 0");
	sign_refused(CHECKPOINT, "n", cosig, UINT64_MAX, s, ST_MALFORMED,
	             "tlog-cosignature: the time is greater than 2^63 - 1");
	sign_refused(CHECKPOINT, "n", NOTE_COSIGNATURE_MLDSA44, 1, s, ST_UNSUPPORTED,
	             "signed-note: this key cannot make signatures of type 0x06");
	sign_refused(CHECKPOINT, "n", NOTE_RFC6962, 1, s, ST_UNSUPPORTED,
	             "signed-note: this key cannot make signatures of type 0x05");
	signer_free(s);
}

/* A signer in whose place a token could be: it keeps what it was asked to sign. */
struct keeping_signer {
	struct signer s;
	struct buf *msg;
};

static st_t keep(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig, struct err *e)
{
	buf_add(((const struct keeping_signer *)s)->msg, msg, n);
	struct rd sig = vector_file("mldsa/signature.bin");
	rd_copy(&sig, ret_sig, signer_signature_size(s));
	return rd_check(&sig, e, "signature");
}

/* Whether or not libcrypto has ML-DSA: what is signed, and the line that it gives. */
static void an_mldsa_signer_signs_the_message_of_the_standard(void)
{
	static const struct signer_ops ops = {.sign = keep};
	struct buf msg = {0}, line = {0};
	struct keeping_signer k = {.s = {.ops = &ops, .alg = SIGNER_MLDSA44, .npub = MLDSA44_PUBLIC},
	                           .msg = &msg};
	struct rd pub = vector_file("mldsa/pubkey.bin");
	struct err e = {0};
	struct note_key key;
	rd_copy(&pub, k.s.pub, MLDSA44_PUBLIC);
	T_EQ(note_parse(vector_file("mldsa/checkpoint"), &note, NULL), ST_OK);
	T_EQ(note_sign(note.text, "pqwitness.example.net", NOTE_COSIGNATURE_MLDSA44, &k.s, 1790000000,
	               &line, &e),
	     ST_OK);
	T_TRUE(buf_is(&msg, vector_file("mldsa/message.bin")));
	T_TRUE(buf_is(&line, vector_file("mldsa/signature_line.txt")));
	T_EQ(note_key_of_signer("n", NOTE_ED25519, &k.s, &key, &e), ST_UNSUPPORTED);
	T_STR(e.text, "signed-note: this key cannot make signatures of type 0x01");
	buf_done(&msg);
	buf_done(&line);
}

/* A line of `k` with that signature. */
static void add_raw(struct buf *b, const struct note_key *k, uint64_t time, const uint8_t *sig,
                    size_t n)
{
	uint8_t raw[12 + 2420];
	for (int i = 0; i < 4; i++)
		raw[i] = (uint8_t)(k->id >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		raw[4 + i] = (uint8_t)(time >> (56 - 8 * i));
	memcpy(raw + 12, sig, n);
	buf_add(b, DASH, strlen(DASH));
	buf_add(b, k->name, strlen(k->name));
	buf_u8(b, ' ');
	text_base64_add(b, raw, 12 + n);
	buf_u8(b, '\n');
}

static void time_refused(uint64_t time, size_t nsig, const char *message)
{
	struct note_key k = vector_key(vector_json("witness1.example.net_vkey"));
	struct buf b = {0};
	struct err e = {0};
	uint64_t got;
	buf_add(&b, CHECKPOINT "\n", strlen(CHECKPOINT "\n"));
	add_raw(&b, &k, time, (uint8_t[65]){0}, nsig);
	T_EQ(open_note(rd_buf(&b), vector_json("witness1.example.net_vkey"), &got, &e), ST_MALFORMED);
	T_STR(e.text, message);
	buf_done(&b);
}

static void a_cosignature_has_a_time_and_one_length(void)
{
	time_refused(0, 64, "signature of witness1.example.net: tlog-cosignature: the time is 0");
	time_refused(UINT64_MAX / 2 + 1, 64,
	             "signature of witness1.example.net: tlog-cosignature: the "
	             "time is greater than 2^63 - 1");
	time_refused(1, 63, "signature of witness1.example.net: 71 bytes, not 72");
	time_refused(1, 65, "signature of witness1.example.net: 73 bytes, not 72");
}

static void a_cosignature_is_of_a_checkpoint_only(void)
{
	struct note_key k = vector_key(vector_json("witness1.example.net_vkey"));
	struct err e = {0};
	uint64_t time;
	T_EQ(note_parse(note_file("checkpoint-300"), &note, NULL), ST_OK);
	T_EQ(note_verify(rd_str("text\n"), &note.sig[1], &k, &time, &e), ST_MALFORMED);
	T_STR(e.text, "signature of witness1.example.net: tlog-checkpoint: no line with the size");
}

/* Random runes, among them those that a careless parser trips over. */
static void add_random_text(struct buf *b, uint64_t *state, bool name)
{
	static const char *const piece[] = {
		"a",  "Z9",   "\xc3\xa9", "\xe2\x80\x94", "\xf0\x9f\x98\x80",
		"/",  "\x7f", ".",        "\xe2\x80\x8b", "=",
		"\n", " ",    "+",        DASH,           "\n\n"};
	for (uint64_t n = 1 + t_rand(state) % 20; n; n--) {
		const char *s = piece[t_rand(state) % (name ? 10 : 15)];
		buf_add(b, s, strlen(s));
	}
}

static void round_trip(uint64_t *state, const struct signer *s)
{
	struct buf text = {0}, name = {0}, all = {0};
	struct note_key k;
	uint64_t time = 1;
	add_random_text(&text, state, false);
	buf_u8(&text, '\n');
	add_random_text(&name, state, true);
	buf_u8(&name, 0);
	buf_add(&all, text.data, text.len);
	buf_u8(&all, '\n');
	T_EQ(note_sign(rd_buf(&text), (char *)name.data, NOTE_ED25519, s, 0, &all, NULL), ST_OK);
	T_EQ(note_key_of_signer((char *)name.data, NOTE_ED25519, s, &k, NULL), ST_OK);
	T_EQ(note_parse(rd_buf(&all), &note, NULL), ST_OK);
	T_TRUE(buf_is(&text, note.text));
	T_EQ(note_verify_key(&note, &k, &time, NULL), ST_OK);
	T_EQ(time, 0);
	buf_done(&text);
	buf_done(&name);
	buf_done(&all);
}

static void what_is_signed_verifies_whatever_the_text_and_name(void)
{
	uint64_t state = t_seed(3);
	struct signer *s = seeded("log_seed_hex", SIGNER_ED25519);
	for (int i = 0; i < 500; i++)
		round_trip(&state, s);
	signer_free(s);
}

static void cosign_round_trip(enum note_type type, const struct signer *s, uint64_t time)
{
	struct buf all = {0};
	struct note_key k;
	uint64_t got = 0;
	buf_add(&all, CHECKPOINT "ext\n\n", strlen(CHECKPOINT "ext\n\n"));
	T_EQ(note_sign(rd_str(CHECKPOINT "ext\n"), "w.example", type, s, time, &all, NULL), ST_OK);
	T_EQ(note_key_of_signer("w.example", type, s, &k, NULL), ST_OK);
	T_EQ(note_parse(rd_buf(&all), &note, NULL), ST_OK);
	T_EQ(note_verify_key(&note, &k, &got, NULL), ST_OK);
	T_EQ(got, time);
	buf_done(&all);
}

static void what_is_cosigned_verifies_with_its_time(void)
{
	struct signer *s = seeded("witness1.example.net_seed_hex", SIGNER_ED25519);
	cosign_round_trip(NOTE_COSIGNATURE_ED25519, s, 1);
	cosign_round_trip(NOTE_COSIGNATURE_ED25519, s, TIME_300);
	cosign_round_trip(NOTE_COSIGNATURE_ED25519, s, INT64_MAX);
	signer_free(s);
	if (!mldsa44_available()) {
		printf("skipped: ML-DSA-44, libcrypto is older than 3.5\n");
		return;
	}
	s = seeded("pqwitness.example.net_seed_hex", SIGNER_MLDSA44);
	cosign_round_trip(NOTE_COSIGNATURE_MLDSA44, s, TIME_300);
	signer_free(s);
}

/* Whoever verifies after a change either trusts nothing new or refuses: a signature that still
 * verifies is over the same text, with the same time. */
static size_t still_trusted(const struct buf *b, const struct note_key *key, size_t n)
{
	size_t ok = 0;
	if (note_parse(rd_buf(b), &other, NULL) != ST_OK)
		return 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t time = 9;
		if (note_verify_key(&other, &key[i], &time, NULL) != ST_OK)
			continue;
		T_TRUE(other.text.len == note.text.len);
		T_MEM(other.text.base, note.text.base, note.text.len);
		T_EQ(time, i ? TIME_300 : 0);
		ok++;
	}
	return ok;
}

static void a_changed_byte_changes_nothing_that_is_trusted(void)
{
	static struct note_key key[2];
	struct rd in = note_file("checkpoint-300");
	struct buf b = {0};
	key[0] = vector_key(vector_json("log_vkey"));
	key[1] = vector_key(vector_json("witness1.example.net_vkey"));
	T_EQ(note_parse(in, &note, NULL), ST_OK);
	buf_add(&b, in.base, in.len);
	T_EQ(still_trusted(&b, key, 2), 2);
	size_t mine = (size_t)(note.sig[2].line.base - in.base);
	for (size_t i = 0; i < in.len; i++)
		for (unsigned bit = 1; bit < 256; bit *= 2) {
			b.data[i] ^= (uint8_t)bit;
			size_t ok = still_trusted(&b, key, 2);
			/* Both can only hold if the change was in the lines of the others. */
			if (ok == 2 && i < mine)
				T_FAIL("byte %zu bit %u changed and everything verified", i, bit);
			if (ok && i < note.text.len)
				T_FAIL("byte %zu bit %u of the text changed and a signature verified", i, bit);
			b.data[i] ^= (uint8_t)bit;
		}
	buf_done(&b);
}

static void a_note_cut_short_or_with_more_is_refused_or_the_same(void)
{
	static struct note_key key[2];
	struct rd in = note_file("checkpoint-300");
	struct buf b = {0};
	key[0] = vector_key(vector_json("log_vkey"));
	key[1] = vector_key(vector_json("witness1.example.net_vkey"));
	T_EQ(note_parse(in, &note, NULL), ST_OK);
	for (size_t i = 0; i < in.len; i++) {
		b.len = 0;
		buf_add(&b, in.base, i);
		(void)still_trusted(&b, key, 2);
		buf_u8(&b, '\n');
		buf_add(&b, in.base + i, in.len - i);
		(void)still_trusted(&b, key, 2);
	}
	buf_done(&b);
}

int main(void)
{
	T_RUN(notes_of_other_programs_verify);
	T_RUN(the_example_of_the_standard_has_these_parts);
	T_RUN(a_checkpoint_is_verified_with_its_cosignatures);
	T_RUN(an_mldsa_cosignature_verifies_or_is_unsupported);
	T_RUN(an_mldsa_cosignature_covers_names_time_and_tree);
	T_RUN(what_is_no_note_is_refused_with_the_rule_broken);
	T_RUN(the_last_empty_line_separates);
	T_RUN(a_note_has_its_limits);
	T_RUN(signatures_of_unknown_keys_are_ignored);
	T_RUN(a_signature_of_a_known_key_must_be_right);
	T_RUN(every_line_of_a_known_key_is_verified_and_the_latest_counts);
	T_RUN(latest_line_is_the_one_with_the_latest_time_wherever_it_stands);
	T_RUN(a_line_is_verified_with_its_own_key_only);
	T_RUN(signature_lines_alone_are_read);
	T_RUN(what_is_no_vkey_is_refused_with_the_rule_broken);
	T_RUN(long_vkeys_are_refused);
	T_RUN(every_vkey_is_written_as_it_was_read);
	T_RUN(the_key_id_of_an_ecdsa_key_is_that_of_its_spki);
	T_RUN(an_ecdsa_key_has_one_encoding);
	T_RUN(keys_of_other_algorithms_are_unsupported);
	T_RUN(an_ecdsa_signature_is_of_its_text);
	T_RUN(a_tree_head_is_of_its_origin_and_has_no_extensions);
	T_RUN(a_tree_head_is_signed_with_sha256_and_ecdsa);
	T_RUN(a_name_has_no_unicode_space_and_no_plus);
	T_RUN(the_seeds_of_the_vectors_give_their_vkeys);
	T_RUN(a_note_is_signed_byte_for_byte_as_others_do);
	T_RUN(an_mldsa_signer_signs_the_message_of_the_standard);
	T_RUN(what_would_not_verify_is_not_signed);
	T_RUN(a_cosignature_has_a_time_and_one_length);
	T_RUN(a_cosignature_is_of_a_checkpoint_only);
	T_RUN(what_is_signed_verifies_whatever_the_text_and_name);
	T_RUN(what_is_cosigned_verifies_with_its_time);
	T_RUN(a_changed_byte_changes_nothing_that_is_trusted);
	T_RUN(a_note_cut_short_or_with_more_is_refused_or_the_same);
	return t_end();
}
