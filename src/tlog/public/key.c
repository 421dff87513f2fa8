/* Verifier keys and signing of <vitrine/tlog.h>. */
#include "tlog/public/note.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)VITRINE_TLOG_ED25519 == (int)NOTE_ED25519 &&
                   (int)VITRINE_TLOG_ECDSA == (int)NOTE_ECDSA &&
                   (int)VITRINE_TLOG_COSIGNATURE_ED25519 == (int)NOTE_COSIGNATURE_ED25519 &&
                   (int)VITRINE_TLOG_RFC6962 == (int)NOTE_RFC6962 &&
                   (int)VITRINE_TLOG_COSIGNATURE_MLDSA44 == (int)NOTE_COSIGNATURE_MLDSA44,
               "one numbering");
_Static_assert(VITRINE_TLOG_SEED_SIZE == ED25519_SEED && VITRINE_TLOG_SEED_SIZE == MLDSA44_SEED,
               "one size");

enum vitrine_tlog_status vitrine_tlog_key_parse(const char *vkey, size_t size,
                                                vitrine_tlog_key **ret,
                                                struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct note_key *k = malloc(sizeof *k);
	if (!k)
		return public_refuse(VITRINE_TLOG_NO_MEMORY, "out of memory", error);
	st_t st = note_key_parse(rd_make(vkey, size), k, &e);
	if (st == ST_OK)
		*ret = (vitrine_tlog_key *)k;
	else
		free(k);
	return public_status(st, &e, error);
}

void vitrine_tlog_key_free(vitrine_tlog_key *key)
{
	free(key);
}

const char *vitrine_tlog_key_name(const vitrine_tlog_key *key)
{
	return public_key_in(key)->name;
}

uint32_t vitrine_tlog_key_id(const vitrine_tlog_key *key)
{
	return public_key_in(key)->id;
}

enum vitrine_tlog_key_type vitrine_tlog_key_get_type(const vitrine_tlog_key *key)
{
	return (enum vitrine_tlog_key_type)public_key_in(key)->type;
}

struct vitrine_tlog_span vitrine_tlog_key_public(const vitrine_tlog_key *key)
{
	const struct note_key *k = public_key_in(key);
	return (struct vitrine_tlog_span){k->pub, k->npub};
}

enum vitrine_tlog_status vitrine_tlog_key_format(const vitrine_tlog_key *key, char **ret_text,
                                                 size_t *ret_size)
{
	struct buf b = {0};
	note_key_format(public_key_in(key), &b);
	return public_give_text(&b, ret_text, ret_size, NULL);
}

struct vitrine_tlog_signer {
	struct signer *signer;
	struct note_key key;
};

static st_t make_signer(const char *name, enum note_type type, const uint8_t seed[32],
                        vitrine_tlog_signer *s, struct err *e)
{
	enum signer_alg alg = type == NOTE_COSIGNATURE_MLDSA44 ? SIGNER_MLDSA44 : SIGNER_ED25519;
	TRY(signer_new(alg, seed, &s->signer, e));
	return note_key_of_signer(name, type, s->signer, &s->key, e);
}

enum vitrine_tlog_status vitrine_tlog_signer_new(const char *name, enum vitrine_tlog_key_type type,
                                                 const uint8_t seed[VITRINE_TLOG_SEED_SIZE],
                                                 vitrine_tlog_signer **ret,
                                                 struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	vitrine_tlog_signer *s = calloc(1, sizeof *s);
	if (!s)
		return public_refuse(VITRINE_TLOG_NO_MEMORY, "out of memory", error);
	st_t st = make_signer(name, (enum note_type)type, seed, s, &e);
	if (st == ST_OK)
		*ret = s;
	else
		vitrine_tlog_signer_free(s);
	return public_status(st, &e, error);
}

void vitrine_tlog_signer_free(vitrine_tlog_signer *signer)
{
	if (!signer)
		return;
	signer_free(signer->signer);
	free(signer);
}

const vitrine_tlog_key *vitrine_tlog_signer_key(const vitrine_tlog_signer *signer)
{
	return public_key_out(&signer->key);
}

static st_t add_line(const vitrine_tlog_signer *s, struct rd text, uint64_t time, struct buf *out,
                     struct err *e)
{
	return note_sign(text, s->key.name, s->key.type, s->signer, time, out, e);
}

enum vitrine_tlog_status vitrine_tlog_sign(const vitrine_tlog_signer *signer, const void *text,
                                           size_t size, uint64_t time, char **ret_line,
                                           size_t *ret_size, struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct buf b = {0};
	st_t st = add_line(signer, rd_make(text, size), time, &b, &e);
	if (st == ST_OK)
		return public_give_text(&b, ret_line, ret_size, error);
	buf_done(&b);
	return public_status(st, &e, error);
}

static st_t add_note(struct rd text, const vitrine_tlog_signer *const *signers, size_t count,
                     uint64_t time, struct buf *out, struct err *e)
{
	struct vitrine_tlog_span bytes = public_span(text);
	buf_add(out, bytes.data, bytes.size);
	buf_u8(out, '\n');
	for (size_t i = 0; i < count; i++)
		TRY(add_line(signers[i], text, time, out, e));
	return ST_OK;
}

enum vitrine_tlog_status vitrine_tlog_note_format(const void *text, size_t size,
                                                  const vitrine_tlog_signer *const *signers,
                                                  size_t count, uint64_t time, char **ret_note,
                                                  size_t *ret_size,
                                                  struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct buf b = {0};
	if (count < 1 || count > NOTE_SIGNATURES_MAX)
		return public_refuse(VITRINE_TLOG_ARGUMENT, "a note has 1 to 100 signatures", error);
	st_t st = add_note(rd_make(text, size), signers, count, time, &b, &e);
	if (st == ST_OK)
		return public_give_text(&b, ret_note, ret_size, error);
	buf_done(&b);
	return public_status(st, &e, error);
}
