/* Signed notes (C2SP signed-note v1.0.0): a text and lines of signatures.
 *
 *   note    = text LF siglines         the text ends with LF; the last empty line separates
 *   sigline = "— " name " " base64(keyid[4] || signature) LF
 *   vkey    = name "+" hex8(keyid) "+" base64(type || public key)
 *
 * Everything here reads hostile bytes. Readers and what they return point into the input. */
#ifndef VITRINE_TLOG_NOTE_H
#define VITRINE_TLOG_NOTE_H

#include "base/buf.h"
#include "base/rd.h"
#include "crypto/signer.h"

/* Limits. "MUST accept at least 16 signatures"; a policy may name 32 witnesses, an ML-DSA-44 line
 * has 3.3 kB. */
#define NOTE_SIGNATURES_MAX 100
#define NOTE_SIZE_MAX ((size_t)512 << 10)
#define NOTE_NAME_MAX 255
#define NOTE_SIGNATURE_MAX 4096 /* bytes of one of a known key, decoded, with its key id */
#define NOTE_PUBLIC_MAX MLDSA44_PUBLIC
#define VKEY_MAX 2048 /* bytes of a verifier key as text */

/* Signature types of signed-note. Those of NOTE_ECDSA and NOTE_RFC6962 are only verified. */
enum note_type {
	NOTE_ED25519 = 0x01,
	NOTE_ECDSA = 0x02,
	NOTE_COSIGNATURE_ED25519 = 0x04,
	NOTE_RFC6962 = 0x05,
	NOTE_COSIGNATURE_MLDSA44 = 0x06,
};

/* A verifier key. "The identity of a key is the pair (name, key ID)." */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint32_t id;
	enum note_type type;
	uint8_t pub[NOTE_PUBLIC_MAX];
	size_t npub;
};

/* ST_MALFORMED, ST_UNSUPPORTED (a type that is not read), each with the rule broken. The key id
 * must be the one that name and key give. */
st_t note_key_parse(struct rd vkey, struct note_key *ret, struct err *e);
void note_key_format(const struct note_key *k, struct buf *out);

/* Same name, type and public key: more than the same pair of name and key ID, of which somebody can
 * make a second with some four thousand million tries. */
bool note_key_equal(const struct note_key *a, const struct note_key *b);

/* The verifier key of a private one under that name. ST_MALFORMED: no name for a key. */
st_t note_key_of_signer(const char *name, enum note_type type, const struct signer *s,
                        struct note_key *ret, struct err *e);

/* "non-empty, no Unicode space, no +" and at most NOTE_NAME_MAX bytes of UTF-8. */
bool note_name_valid(struct rd name);

struct note_signature {
	struct rd name;
	uint32_t id;
	struct rd line;   /* the whole line, with its LF */
	struct rd base64; /* of keyid || signature */
};

struct note {
	struct rd text; /* with its final LF: the bytes that are signed */
	struct note_signature sig[NOTE_SIGNATURES_MAX];
	size_t n;
};

/* Takes a note apart; checks no signature. ST_MALFORMED with the rule broken, ST_LIMIT. `ret` is
 * large: not for the stack of a deep call. */
st_t note_parse(struct rd in, struct note *ret, struct err *e);

/* Signature lines alone, as a witness answers (C2SP tlog-witness). n == 0 is malformed. */
st_t note_parse_signatures(struct rd in, struct note *ret, struct err *e);

/* Whether a line says that it is of this key: "the pair (name, key ID)" is a key's identity. */
bool note_is_of(const struct note_signature *s, const struct note_key *k);

/* The signature of this key (the first, where there are several), or NULL. */
const struct note_signature *note_find(const struct note *n, const struct note_key *k);

/* Verifies one line of a key over a text. ret_time: seconds since 1970 of a cosignature, else 0.
 * ST_BAD_SIG, ST_MALFORMED (wrong length, time 0 or too large), ST_UNSUPPORTED (algorithm not in
 * this libcrypto). For cosignatures the text must be a checkpoint. */
st_t note_verify(struct rd text, const struct note_signature *s, const struct note_key *k,
                 uint64_t *ret_time, struct err *e);

/* Verifies what one key says of a note. The one rule for a key with several lines, wherever
 * signatures are judged: "If the key name and ID match a known key, verifiers MUST verify the
 * signature", so every line is, and one that is wrong refuses them all; the key has signed once,
 * and the latest time is what it last said. ret_time: the latest, 0 where there is none.
 * ST_NOT_FOUND: no signature of it; else as note_verify(). */
st_t note_verify_key(const struct note *n, const struct note_key *k, uint64_t *ret_time,
                     struct err *e);

/* The same; ret: the line with the latest time, of equal ones the first. */
st_t note_verify_latest(const struct note *n, const struct note_key *k,
                        const struct note_signature **ret, uint64_t *ret_time, struct err *e);

/* Appends the line of a signature over the text. `type` is NOTE_ED25519, or a cosignature of that
 * time (seconds since 1970, not 0). ST_UNSUPPORTED if signer and type do not fit. */
st_t note_sign(struct rd text, const char *name, enum note_type type, const struct signer *s,
               uint64_t time, struct buf *out, struct err *e);

#endif
