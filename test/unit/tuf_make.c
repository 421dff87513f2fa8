#include "tuf_make.h"

#include "crypto/digest.h"
#include "crypto/signer.h"
#include "tuf/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool x)
{
	if (!x)
		abort();
}

void make_fmt(struct buf *b, const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	must(n >= 0 && (size_t)n < sizeof text);
	buf_add(b, text, (size_t)n);
}

static struct signer *key(char seed)
{
	uint8_t bytes[32];
	struct signer *s = NULL;
	memset(bytes, seed, sizeof bytes);
	must(signer_new(SIGNER_ED25519, bytes, &s, NULL) == ST_OK);
	return s;
}

void make_keys(struct buf *b, const char *seeds)
{
	make_fmt(b, "{");
	for (const char *s = seeds; *s; s++) {
		char hex[65];
		struct signer *k = key(*s);
		hex_encode(k->pub, 32, hex);
		signer_free(k);
		make_fmt(b, "%s\"k%02x\":{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\","
		         "\"keyval\":{\"public\":\"%s\"}}", s == seeds ? "" : ",", *s, hex);
	}
	make_fmt(b, "}");
}

void make_role(struct buf *b, const char *seeds, unsigned threshold)
{
	make_fmt(b, "{\"keyids\":[");
	for (const char *s = seeds; *s; s++)
		make_fmt(b, "%s\"k%02x\"", s == seeds ? "" : ",", *s);
	make_fmt(b, "],\"threshold\":%u}", threshold);
}

static void canonical(const char *json, struct buf *out)
{
	struct arena a;
	const struct tuf_value *v;
	arena_init(&a, 0);
	must(tuf_json_parse(rd_make(json, strlen(json)), &a, "test", &v, NULL) == ST_OK);
	tuf_json_canonical(v, out);
	arena_done(&a);
}

void make_signed(struct buf *b, const char *body, const char *seeds)
{
	struct buf msg = {0};
	canonical(body, &msg);
	buf_text(b, "{\"signed\": ");
	buf_text(b, body);
	buf_text(b, ", \"signatures\": [");
	for (const char *s = seeds; *s; s++) {
		uint8_t sig[SIGNER_SIGNATURE_MAX];
		char hex[129];
		struct signer *k = key(*s);
		must(signer_sign(k, msg.data, msg.len, sig, NULL) == ST_OK);
		signer_free(k);
		hex_encode(sig, 64, hex);
		make_fmt(b, "%s{\"keyid\":\"k%02x\",\"sig\":\"%s\"}", s == seeds ? "" : ",", *s, hex);
	}
	make_fmt(b, "]}");
	buf_done(&msg);
}

void make_sha256(const void *p, size_t n, char ret[65])
{
	uint8_t sum[32];
	must(digest_bytes(DIGEST_SHA256, p, n, sum, NULL) == ST_OK);
	hex_encode(sum, sizeof sum, ret);
}

void make_file(struct buf *b, unsigned version, const struct buf *bytes)
{
	char hex[65];
	make_fmt(b, "{\"version\":%u", version);
	if (bytes) {
		make_sha256(bytes->data, bytes->len, hex);
		make_fmt(b, ",\"length\":%zu,\"hashes\":{\"sha256\":\"%s\"}", bytes->len, hex);
	}
	make_fmt(b, "}");
}
