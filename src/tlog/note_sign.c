#include "tlog/message.h"
#include "tlog/text.h"

#include <string.h>

/* keyid || timestamp || signature */
#define RAW_MAX (4 + 8 + SIGNER_SIGNATURE_MAX)

struct raw {
	uint8_t b[RAW_MAX];
	size_t n;
};

static void put_be(struct raw *r, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		r->b[r->n++] = (uint8_t)(v >> (8 * bytes));
}

static st_t put_signature(struct raw *r, const struct signer *s, const void *msg, size_t n,
                          struct err *e)
{
	size_t len = signer_signature_size(s);
	if (len > sizeof r->b - r->n)
		return fail(e, ST_LIMIT, 0, "signed-note: a signature of %zu bytes", len);
	TRY(signer_sign(s, msg, n, r->b + r->n, e));
	r->n += len;
	return ST_OK;
}

/* What will be read as one: a text that ends with a newline, of UTF-8 without control characters.
 */
static st_t check_text(struct rd text, struct err *e)
{
	if (!rd_left(&text) || rd_byte(&text, text.len - 1) != '\n')
		return fail(e, ST_MALFORMED, 0, "signed-note: the text does not end with a newline");
	return text_check_note(text, e);
}

static st_t sign_text(struct rd text, const struct signer *s, struct raw *r, struct err *e)
{
	size_t n = rd_left(&text);
	return put_signature(r, s, rd_take(&text, n), n, e);
}

static st_t sign_cosignature(struct rd text, const struct note_key *k, const struct signer *s,
                             uint64_t time, struct raw *r, struct err *e)
{
	struct buf msg = {0};
	struct rd name = rd_make(k->name, strlen(k->name));
	st_t st = message_of_cosignature(text, k->type, name, time, &msg, e);
	if (st == ST_OK) {
		put_be(r, time, 8);
		st = put_signature(r, s, msg.data, msg.len, e);
	}
	buf_done(&msg);
	return st;
}

static st_t add_line(const struct note_key *k, const struct raw *r, struct buf *out, struct err *e)
{
	static const char dash[] = "\xe2\x80\x94 ";
	buf_add(out, dash, strlen(dash));
	buf_add(out, k->name, strlen(k->name));
	buf_u8(out, ' ');
	text_base64_add(out, r->b, r->n);
	buf_u8(out, '\n');
	return buf_check(out, e, "signed-note");
}

st_t note_sign(struct rd text, const char *name, enum note_type type, const struct signer *s,
               uint64_t time, struct buf *out, struct err *e)
{
	struct note_key k;
	struct raw r = {.n = 0};
	TRY(note_key_of_signer(name, type, s, &k, e));
	TRY(check_text(text, e));
	put_be(&r, k.id, 4);
	if (type == NOTE_ED25519)
		TRY(sign_text(text, s, &r, e));
	else
		TRY(sign_cosignature(text, &k, s, time, &r, e));
	return add_line(&k, &r, out, e);
}
