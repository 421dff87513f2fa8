/* Files of private keys: one key of a log, a witness, a
 * publisher or for notes, encrypted with a passphrase. The
 * format is described in doc/format/keyfile.md.
 *
 * Works on memory, no I/O. The file is the owner's own, but what is read may be damaged or swapped:
 * it goes through base/rd, and what scrypt may cost is bounded. Names, parameters and the public
 * key stand in the clear and are authenticated with the private key. */
#ifndef VITRINE_TLOG_KEYFILE_H
#define VITRINE_TLOG_KEYFILE_H

#include "base/buf.h"
#include "base/rd.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/signer.h"
#include "tlog/note.h"

/* The vkey of an ML-DSA-44 key is the longest line. */
#define KEYFILE_SIZE_MAX ((size_t)4096)
#define KEYFILE_SEED 32
#define KEYFILE_PASSPHRASE_MAX 1024

enum keyfile_kind {
	KEYFILE_LOG,     /* signs checkpoints: NOTE_ED25519, or NOTE_COSIGNATURE_MLDSA44 */
	KEYFILE_WITNESS, /* cosigns: NOTE_COSIGNATURE_ED25519, NOTE_COSIGNATURE_MLDSA44 */
	KEYFILE_NOTE,    /* signs any note: NOTE_ED25519 */
	KEYFILE_PUBLISHER, /* signs TUF metadata and DSSE statements, no notes: NOTE_ED25519 */
	KEYFILE_KINDS,
};

/* "log", "witness", "note", "publisher". */
const char *keyfile_kind_name(enum keyfile_kind kind);
bool keyfile_kind_find(struct rd name, enum keyfile_kind *ret);

/* The type of its signatures. ST_UNSUPPORTED: no such key. */
st_t keyfile_note_type(enum keyfile_kind kind, enum signer_alg alg, enum note_type *ret,
                       struct err *e);

/* "ed25519", "ml-dsa-44": of a key that a key file can hold. */
const char *keyfile_algorithm_name(enum note_type type);

/* What was read. Points into the file, which stays the caller's. */
struct keyfile {
	enum keyfile_kind kind;
	struct note_key key; /* the public half and the name */
	bool encrypted;      /* false: the seed stands there as it is */
	struct seal seal;    /* where encrypted */
	struct rd clear;     /* what is authenticated: all before the line of the seed */
	struct rd seed;      /* base64 */
};

/* No passphrase needed. ST_MALFORMED with the line that is wrong. ST_BAD_SUM: the file's own
 * checksum does not fit: damaged. ST_UNSUPPORTED: a newer version. ST_LIMIT. */
st_t keyfile_parse(struct rd file, struct keyfile *ret, struct err *e);

/* Decrypts, and proves that the private key belongs to the public one. The passphrase is not looked
 * at where the file is not encrypted. ST_BAD_SUM: wrong passphrase, or a file that was changed and
 * given a new checksum. ST_CONFLICT: the keys are no pair. ST_UNSUPPORTED: algorithm not in this
 * libcrypto. ST_NOMEM. */
st_t keyfile_open(const struct keyfile *k, const void *pass, size_t npass, struct signer **ret,
                  struct err *e);

struct keyfile_new {
	enum keyfile_kind kind;
	enum signer_alg alg;
	const char *name;
	const uint8_t *seed; /* of an imported key; NULL: a new one */
	const void *pass;    /* NULL: not encrypted */
	size_t npass;
	struct scrypt_cost cost;
	const struct random_source *random;
};

/* Makes a file. `ret_file` is secret where not encrypted: secret_buf_done(). ST_MALFORMED: no name
 * for a key. ST_LIMIT: passphrase empty or too long. ST_UNSUPPORTED, ST_NOMEM. */
st_t keyfile_make(const struct keyfile_new *n, struct buf *ret_file, struct note_key *ret_key,
                  struct err *e);

/* A private key as Go's golang.org/x/mod/sumdb/note writes it:
 * "PRIVATE+KEY+" name "+" hex8(keyid) "+" base64(0x01 || seed). ret_seed is the caller's to clean.
 * ST_MALFORMED with the rule broken; ST_UNSUPPORTED: not Ed25519. */
st_t keyfile_parse_go(struct rd text, char ret_name[NOTE_NAME_MAX + 1],
                      uint8_t ret_seed[KEYFILE_SEED], struct err *e);

#endif
