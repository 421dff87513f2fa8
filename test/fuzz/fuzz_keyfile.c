/* Key files and Go's private keys: the first byte chooses. A checksum stands in the way of the
 * fuzzer, so it is made to fit; what then parses is opened too, where that is cheap. What opens is
 * a pair, and the vkey of a file reads as the same key again. */
#include "tlog/keyfile.h"

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "tlog/text.h"

#include <stdlib.h>
#include <string.h>

enum { AS_IT_IS, SUMMED, GO, KINDS };

/* More takes longer than parsing does. */
#define BLOCKS_TRIED 64

static void try_open(const struct keyfile *k)
{
	static const char message[] = "message";
	struct signer *s;
	uint8_t sig[SIGNER_SIGNATURE_MAX];
	if (k->encrypted && k->seal.cost.n * k->seal.cost.r * k->seal.cost.p > BLOCKS_TRIED)
		return;
	if (keyfile_open(k, "correct horse", 13, &s, NULL) != ST_OK)
		return;
	if (signer_sign(s, message, sizeof message, sig, NULL) != ST_OK)
		abort();
	if (s->alg == SIGNER_ED25519 &&
	    ed25519_verify(k->key.pub, message, sizeof message, sig, NULL) != ST_OK)
		abort();
	signer_free(s);
}

/* The vkey of what was read reads as the same key. */
static void check_vkey(const struct note_key *key)
{
	struct note_key again;
	struct buf b = {0};
	note_key_format(key, &b);
	if (b.oom || note_key_parse(rd_make(b.data, b.len), &again, NULL) != ST_OK ||
	    again.id != key->id || again.type != key->type || strcmp(again.name, key->name))
		abort();
	buf_done(&b);
}

static void try_file(const uint8_t *p, size_t n)
{
	static struct keyfile k;
	if (keyfile_parse(rd_make(p, n), &k, NULL) != ST_OK)
		return;
	check_vkey(&k.key);
	try_open(&k);
}

/* The input is all but the last line. */
static void try_summed(const uint8_t *p, size_t n)
{
	uint8_t digest[DIGEST_MAX];
	struct buf b = {0};
	if (digest_bytes(DIGEST_SHA256, p, n, digest, NULL) != ST_OK)
		abort();
	buf_add(&b, p, n);
	buf_add(&b, "sum ", 4);
	text_base64_add(&b, digest, digest_size(DIGEST_SHA256));
	buf_u8(&b, '\n');
	if (!b.oom)
		try_file(b.data, b.len);
	buf_done(&b);
}

static void try_go(const uint8_t *p, size_t n)
{
	char name[NOTE_NAME_MAX + 1];
	uint8_t seed[KEYFILE_SEED];
	if (keyfile_parse_go(rd_make(p, n), name, seed, NULL) == ST_OK &&
	    !note_name_valid(rd_make(name, strlen(name))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n)
		return 0;
	switch (p[0] % KINDS) {
	case AS_IT_IS:
		try_file(p + 1, n - 1);
		break;
	case SUMMED:
		try_summed(p + 1, n - 1);
		break;
	default:
		try_go(p + 1, n - 1);
	}
	return 0;
}
