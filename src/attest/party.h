/* Who may sign statements: lines "publisher NAME KEY" and "rebuilder NAME KEY" of a configuration
 * (tlog/config.h). KEY is a vkey (Ed25519, ECDSA P-256), spki:BASE64, or a file NAME.pem, which
 * has to be expanded before it can be read. */
#ifndef VITRINE_ATTEST_PARTY_H
#define VITRINE_ATTEST_PARTY_H

#include "attest/key.h"
#include "tlog/config.h"

/* Of a kind. Every signature of an entry is tried with every key. */
#define ATTEST_PARTIES_MAX 32
#define ATTEST_PARTY_NAME_MAX 128 /* bytes with NUL */

struct attest_party {
	const char *name;
	struct attest_key key;
	uint64_t id; /* of the key: what a state knows it by */
};

struct attest_parties {
	struct attest_party v[ATTEST_PARTIES_MAX];
	size_t n;
};

/* A reader for config_directive; `at` is a struct attest_parties. Keys are counted: one that is
 * there already, under whatever name, is refused. */
st_t attest_party_read(struct config_reader *r, const struct config_directive *d, void *at);

/* For config_expand: keys in files, and what stands for them. */
bool attest_party_names_file(struct rd line, struct rd *ret_name);
st_t attest_party_put_key(struct rd line, struct rd file, struct buf *out, struct err *e);

#endif
