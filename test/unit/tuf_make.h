/* TUF metadata for tests, signed with Ed25519 keys that are named by one byte, their seed. The key
 * 0x2a has the identifier "k2a". Lists of keys are texts, a byte each. */
#ifndef VITRINE_TEST_TUF_MAKE_H
#define VITRINE_TEST_TUF_MAKE_H

#include "base/buf.h"

/* Appends printf-like. */
void make_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends {"k01":{...},...} and {"keyids":["k01",...],"threshold":N}. */
void make_keys(struct buf *b, const char *seeds);
void make_role(struct buf *b, const char *seeds, unsigned threshold);

/* Appends the envelope of what is to be signed, by those keys. */
void make_signed(struct buf *b, const char *body, const char *seeds);

/* Appends {"version":V[,"length":N,"hashes":{"sha256":HEX}]}; without bytes only the version. */
void make_file(struct buf *b, unsigned version, const struct buf *bytes);

/* Lower-case hex of the SHA-256. */
void make_sha256(const void *p, size_t n, char ret[65]);

#endif
