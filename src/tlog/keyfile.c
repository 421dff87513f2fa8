#include "tlog/keyfile.h"

#include "base/num.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "tlog/text.h"

#include <string.h>

static const char *const kind_names[KEYFILE_KINDS] = {"log", "witness", "note",
                                                     "publisher"};

/* In the order of the file; each line is one of these words, a space and a value. */
enum line { MAGIC, KIND, VKEY, KDF, CIPHER, SEED, SUM, LINES };
static const char *const words[LINES] = {"vitrine", "kind", "vkey", "kdf", "cipher", "seed", "sum"};

#define MAGIC_VALUE "key 1"

const char *keyfile_kind_name(enum keyfile_kind kind)
{
	return kind_names[kind];
}

bool keyfile_kind_find(struct rd name, enum keyfile_kind *ret)
{
	for (enum keyfile_kind k = 0; k < KEYFILE_KINDS; k++) {
		if (text_is(name, kind_names[k])) {
			*ret = k;
			return true;
		}
	}
	return false;
}

st_t keyfile_note_type(enum keyfile_kind kind, enum signer_alg alg, enum note_type *ret,
                       struct err *e)
{
	if (alg == SIGNER_MLDSA44 && kind == KEYFILE_PUBLISHER)
		return fail(e, ST_UNSUPPORTED, 0, "TUF metadata and statements are signed with Ed25519");
	if (alg == SIGNER_MLDSA44 && kind == KEYFILE_NOTE)
		return fail(e, ST_UNSUPPORTED, 0,
		            "signed-note has no type for ML-DSA-44 other than cosignatures");
	if (alg == SIGNER_MLDSA44)
		*ret = NOTE_COSIGNATURE_MLDSA44;
	else
		*ret = kind == KEYFILE_WITNESS ? NOTE_COSIGNATURE_ED25519 : NOTE_ED25519;
	return ST_OK;
}

static enum signer_alg algorithm(enum note_type type)
{
	return type == NOTE_COSIGNATURE_MLDSA44 ? SIGNER_MLDSA44 : SIGNER_ED25519;
}

const char *keyfile_algorithm_name(enum note_type type)
{
	return algorithm(type) == SIGNER_MLDSA44 ? "ml-dsa-44" : "ed25519";
}

/* -- reading ---------------------------------------------------------------------------------- */

static struct rd take_rest(struct rd *in)
{
	return rd_sub(in, rd_left(in));
}

/* The lines, unread: where each begins, and what stands behind its word. */
struct lines {
	struct rd value[LINES];
	size_t start[LINES];
};

static st_t split(struct rd in, struct lines *ret, struct err *e)
{
	for (enum line i = 0; i < LINES; i++) {
		struct rd line, word;
		ret->start[i] = in.pos;
		if (!text_line(&in, &line) || !text_until(&line, ' ', &word) || !text_is(word, words[i]))
			return i ? fail(e, ST_MALFORMED, ret->start[i], "key file: line %d is not '%s ...'",
			                (int)i + 1, words[i])
			         : fail(e, ST_MALFORMED, 0, "this is no key file of vitrine");
		ret->value[i] = take_rest(&line);
	}
	if (rd_left(&in))
		return fail(e, ST_MALFORMED, in.pos, "key file: something follows its last line");
	return ST_OK;
}

static st_t check_sum(const struct rd *file, size_t summed, struct rd value, struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	struct tlog_hash said;
	TRY(digest_bytes(DIGEST_SHA256, file->base, summed, digest, e));
	if (!text_hash(value, &said) || memcmp(said.b, digest, sizeof said.b))
		return fail(e, ST_BAD_SUM, summed,
		            "key file: damaged: its checksum does not fit; restore it from a copy");
	return ST_OK;
}

static st_t read_kind(struct rd kind, struct rd vkey, struct keyfile *k, struct err *e)
{
	enum note_type type;
	if (!keyfile_kind_find(kind, &k->kind))
		return fail(e, ST_UNSUPPORTED, 0, "key file: line 2 is none of log, witness, note, "
		            "publisher");
	TRY(note_key_parse(vkey, &k->key, e));
	TRY(keyfile_note_type(k->kind, algorithm(k->key.type), &type, e));
	if (type != k->key.type)
		return fail(e, ST_MALFORMED, 0, "key file: a %s has no key of type 0x%02x",
		            keyfile_kind_name(k->kind), (unsigned)k->key.type);
	return ST_OK;
}

/* A number of at most 32 bits and the space behind it. */
static bool take_number(struct rd *in, uint64_t *ret)
{
	struct rd digits;
	return text_until(in, ' ', &digits) && text_decimal(digits, ret) && *ret <= UINT32_MAX;
}

static bool read_bytes(struct rd base64, uint8_t *ret, size_t n)
{
	size_t got;
	return text_base64(base64, ret, n, &got) && got == n;
}

static st_t read_kdf(struct rd value, struct keyfile *k, struct err *e)
{
	struct rd name;
	uint64_t n, r, p;
	k->encrypted = !text_is(value, "none");
	if (!k->encrypted)
		return ST_OK;
	if (!text_until(&value, ' ', &name) || !text_is(name, "scrypt"))
		return fail(e, ST_UNSUPPORTED, 0, "key file: line 4: neither scrypt nor none");
	if (!take_number(&value, &n) || !take_number(&value, &r) || !take_number(&value, &p) ||
	    !read_bytes(take_rest(&value), k->seal.salt, SEAL_SALT))
		return fail(e, ST_MALFORMED, 0, "key file: line 4 is not 'kdf scrypt N r p SALT'");
	k->seal.cost = (struct scrypt_cost){.n = n, .r = (uint32_t)r, .p = (uint32_t)p};
	return scrypt_cost_check(&k->seal.cost, e);
}

static st_t read_cipher(struct rd value, struct keyfile *k, struct err *e)
{
	struct rd name;
	if (text_is(value, "none") && !k->encrypted)
		return ST_OK;
	if (!text_until(&value, ' ', &name) || !text_is(name, "chacha20-poly1305"))
		return fail(e, ST_UNSUPPORTED, 0, "key file: line 5: no cipher that goes with line 4");
	if (!k->encrypted || !read_bytes(take_rest(&value), k->seal.nonce, SEAL_NONCE))
		return fail(e, ST_MALFORMED, 0, "key file: line 5 is not 'cipher chacha20-poly1305 NONCE'");
	return ST_OK;
}

/* The seed, sealed or not: ret has room for KEYFILE_SEED + SEAL_TAG. */
static st_t read_seed(const struct keyfile *k, uint8_t *ret, struct err *e)
{
	size_t n = KEYFILE_SEED + (k->encrypted ? SEAL_TAG : 0);
	if (!read_bytes(k->seed, ret, n))
		return fail(e, ST_MALFORMED, 0, "key file: line 6 is not %zu bytes in base64", n);
	return ST_OK;
}

st_t keyfile_parse(struct rd file, struct keyfile *ret, struct err *e)
{
	struct lines l = {0};
	struct keyfile k = {0};
	uint8_t seed[KEYFILE_SEED + SEAL_TAG];
	if (file.len > KEYFILE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "this is no key file: more than %zu bytes", KEYFILE_SIZE_MAX);
	if (rd_peek(&file, "PRIVATE+KEY+", 12))
		return fail(e, ST_UNSUPPORTED, 0, "a private key of Go's: 'vitrine key import' takes it");
	TRY(split(file, &l, e));
	if (!text_is(l.value[MAGIC], MAGIC_VALUE))
		return fail(e, ST_UNSUPPORTED, 0, "key file: of a version that this program does not read");
	TRY(check_sum(&file, l.start[SUM], l.value[SUM], e));
	TRY(read_kind(l.value[KIND], l.value[VKEY], &k, e));
	TRY(read_kdf(l.value[KDF], &k, e));
	TRY(read_cipher(l.value[CIPHER], &k, e));
	k.clear = rd_at(&file, 0, l.start[SEED]);
	k.seed = l.value[SEED];
	st_t st = read_seed(&k, seed, e);
	secret_clean(seed, sizeof seed);
	TRY(st);
	*ret = k;
	return ST_OK;
}

/* -- opening ---------------------------------------------------------------------------------- */

static st_t unseal(const struct keyfile *k, const void *pass, size_t npass, const uint8_t *sealed,
                   uint8_t *ret_seed, struct err *e)
{
	struct err why = {0};
	st_t st = seal_open(&k->seal, pass, npass, k->clear.base, k->clear.len, sealed,
	                    KEYFILE_SEED + SEAL_TAG, ret_seed, &why);
	if (st == ST_BAD_SUM)
		return fail(e, st, 0,
		            "wrong passphrase (or somebody changed the file and gave it a new checksum)");
	return st == ST_OK ? ST_OK : fail(e, st, 0, "%s", why.text);
}

static st_t make_signer(const struct keyfile *k, const uint8_t *seed, struct signer **ret,
                        struct err *e)
{
	struct signer *s;
	TRY(signer_new(algorithm(k->key.type), seed, &s, e));
	if (s->npub != k->key.npub || memcmp(s->pub, k->key.pub, s->npub)) {
		signer_free(s);
		return fail(e, ST_CONFLICT, 0, "the private key does not belong to the vkey of this file");
	}
	*ret = s;
	return ST_OK;
}

st_t keyfile_open(const struct keyfile *k, const void *pass, size_t npass, struct signer **ret,
                  struct err *e)
{
	uint8_t raw[KEYFILE_SEED + SEAL_TAG], seed[KEYFILE_SEED];
	st_t st = read_seed(k, raw, e);
	if (st == ST_OK && k->encrypted)
		st = unseal(k, pass, npass, raw, seed, e);
	else if (st == ST_OK)
		memcpy(seed, raw, sizeof seed);
	if (st == ST_OK)
		st = make_signer(k, seed, ret, e);
	secret_clean(raw, sizeof raw);
	secret_clean(seed, sizeof seed);
	return st;
}

/* -- making ----------------------------------------------------------------------------------- */

static void add_word(struct buf *out, enum line line)
{
	buf_text(out, words[line]);
	buf_u8(out, ' ');
}

static void add_line(struct buf *out, enum line line, const char *value)
{
	add_word(out, line);
	buf_text(out, value);
	buf_u8(out, '\n');
}

static void add_base64_end(struct buf *out, const void *p, size_t n)
{
	text_base64_add(out, p, n);
	buf_u8(out, '\n');
}

static void add_seal(struct buf *out, const struct seal *s)
{
	const uint64_t cost[3] = {s->cost.n, s->cost.r, s->cost.p};
	add_word(out, KDF);
	buf_text(out, "scrypt ");
	for (size_t i = 0; i < ARRAY_LEN(cost); i++) {
		text_decimal_add(out, cost[i]);
		buf_u8(out, ' ');
	}
	add_base64_end(out, s->salt, sizeof s->salt);
	add_word(out, CIPHER);
	buf_text(out, "chacha20-poly1305 ");
	add_base64_end(out, s->nonce, sizeof s->nonce);
}

static void add_clear(struct buf *out, const struct keyfile_new *n, const struct note_key *key,
                      const struct seal *s)
{
	add_line(out, MAGIC, MAGIC_VALUE);
	add_line(out, KIND, keyfile_kind_name(n->kind));
	add_word(out, VKEY);
	note_key_format(key, out);
	buf_u8(out, '\n');
	if (n->pass) {
		add_seal(out, s);
		return;
	}
	add_line(out, KDF, "none");
	add_line(out, CIPHER, "none");
}

static st_t add_seed(struct buf *out, const struct keyfile_new *n, const struct seal *s,
                     const uint8_t *seed, struct err *e)
{
	uint8_t sealed[KEYFILE_SEED + SEAL_TAG];
	if (n->pass)
		TRY(seal_close(s, n->pass, n->npass, out->data, out->len, seed, KEYFILE_SEED, sealed, e));
	add_word(out, SEED);
	add_base64_end(out, n->pass ? sealed : seed, n->pass ? sizeof sealed : KEYFILE_SEED);
	return ST_OK;
}

static st_t add_sum(struct buf *out, struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	TRY(buf_check(out, e, "key file"));
	TRY(digest_bytes(DIGEST_SHA256, out->data, out->len, digest, e));
	add_word(out, SUM);
	add_base64_end(out, digest, digest_size(DIGEST_SHA256));
	return buf_check(out, e, "key file");
}

static st_t name_key(const struct keyfile_new *n, const uint8_t *seed, struct note_key *ret,
                     struct err *e)
{
	enum note_type type;
	struct signer *s;
	TRY(keyfile_note_type(n->kind, n->alg, &type, e));
	TRY(signer_new(n->alg, seed, &s, e));
	st_t st = note_key_of_signer(n->name, type, s, ret, e);
	signer_free(s);
	return st;
}

static st_t make(const struct keyfile_new *n, const uint8_t *seed, struct buf *out,
                 struct note_key *ret_key, struct err *e)
{
	struct note_key key;
	struct seal seal = {.cost = n->cost};
	TRY(name_key(n, seed, &key, e));
	TRY(random_fill(n->random, seal.salt, sizeof seal.salt, e));
	TRY(random_fill(n->random, seal.nonce, sizeof seal.nonce, e));
	/* All the room at once: a buffer that grows leaves copies behind. */
	if (!buf_room(out, KEYFILE_SIZE_MAX))
		return fail(e, ST_NOMEM, 0, "key file: out of memory");
	add_clear(out, n, &key, &seal);
	TRY(buf_check(out, e, "key file"));
	TRY(add_seed(out, n, &seal, seed, e));
	TRY(add_sum(out, e));
	*ret_key = key;
	return ST_OK;
}

st_t keyfile_make(const struct keyfile_new *n, struct buf *ret_file, struct note_key *ret_key,
                  struct err *e)
{
	uint8_t seed[KEYFILE_SEED];
	struct buf out = {0};
	if (n->pass && (!n->npass || n->npass > KEYFILE_PASSPHRASE_MAX))
		return fail(e, ST_LIMIT, 0, n->npass ? "the passphrase has more than %d bytes"
		                                     : "the passphrase is empty (1 to %d bytes)",
		            KEYFILE_PASSPHRASE_MAX);
	if (n->seed)
		memcpy(seed, n->seed, sizeof seed);
	else
		TRY(random_fill(n->random, seed, sizeof seed, e));
	st_t st = make(n, seed, &out, ret_key, e);
	secret_clean(seed, sizeof seed);
	if (st == ST_OK)
		*ret_file = out;
	else
		secret_buf_done(&out);
	return st;
}

/* -- Go's private keys ------------------------------------------------------------------------ */

/* "type || seed": one byte more than a seed. */
static st_t read_go_seed(struct rd base64, uint8_t *ret_seed, struct err *e)
{
	uint8_t raw[1 + KEYFILE_SEED];
	size_t n = 0;
	bool good = text_base64(base64, raw, sizeof raw, &n) && n > 0;
	bool ed25519 = good && raw[0] == NOTE_ED25519 && n == sizeof raw;
	if (ed25519)
		memcpy(ret_seed, raw + 1, KEYFILE_SEED);
	secret_clean(raw, sizeof raw);
	if (!good)
		return fail(e, ST_MALFORMED, 0, "private key: its last part is not 33 bytes in base64");
	return ed25519 ? ST_OK : fail(e, ST_UNSUPPORTED, 0, "private key: not of type 0x01 (Ed25519)");
}

static st_t check_go_id(const char *name, const uint8_t *seed, struct rd id, struct err *e)
{
	struct keyfile_new n = {.kind = KEYFILE_NOTE, .alg = SIGNER_ED25519, .name = name};
	struct note_key key;
	uint8_t be[4];
	char hex[2 * sizeof be + 1];
	TRY(name_key(&n, seed, &key, e));
	for (size_t i = 0; i < sizeof be; i++)
		be[i] = (uint8_t)(key.id >> (24 - 8 * i));
	hex_encode(be, sizeof be, hex);
	if (!text_is(id, hex))
		return fail(e, ST_CONFLICT, 0, "private key: its key ID is not that of its name and key");
	return ST_OK;
}

st_t keyfile_parse_go(struct rd text, char ret_name[NOTE_NAME_MAX + 1],
                      uint8_t ret_seed[KEYFILE_SEED], struct err *e)
{
	static const char head[] = "PRIVATE+KEY+";
	struct rd line, name, id;
	if (!text_line(&text, &line))
		line = take_rest(&text);
	if (rd_left(&text) || !rd_peek(&line, head, sizeof head - 1))
		return fail(e, ST_MALFORMED, 0, "private key: not one line that begins with %s", head);
	rd_skip(&line, sizeof head - 1);
	if (!text_until(&line, '+', &name) || !text_until(&line, '+', &id) || name.len > NOTE_NAME_MAX)
		return fail(e, ST_MALFORMED, 0, "private key: not PRIVATE+KEY+NAME+ID+KEY");
	char text_name[NOTE_NAME_MAX + 1] = {0};
	rd_copy(&name, text_name, name.len);
	if (strlen(text_name) != name.len)
		return fail(e, ST_MALFORMED, 0, "private key: a NUL byte in its name");
	TRY(read_go_seed(take_rest(&line), ret_seed, e));
	st_t st = check_go_id(text_name, ret_seed, id, e);
	if (st != ST_OK) {
		secret_clean(ret_seed, KEYFILE_SEED);
		return st;
	}
	memcpy(ret_name, text_name, sizeof text_name);
	return ST_OK;
}
