/* Notes, signature lines, verifier keys and checkpoints. The whole input is read as a note and as
 * signature lines; its first line is read as a vkey, which then verifies what follows as a note.
 * What is accepted has one spelling: written again it is the input. */
#include "tlog/checkpoint.h"
#include "tlog/note.h"
#include "tlog/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool x)
{
	if (!x)
		abort();
}

static void must_be(struct buf *b, struct rd r)
{
	must(!b->oom && b->len == rd_left(&r) && rd_peek(&r, b->data, b->len));
	buf_done(b);
}

static void add(struct buf *b, struct rd r)
{
	size_t n = rd_left(&r);
	buf_add(b, rd_take(&r, n), n);
}

static void try_checkpoint(struct rd text)
{
	struct checkpoint c;
	struct buf b = {0}, origin = {0};
	if (checkpoint_parse(text, &c, NULL) != ST_OK)
		return;
	must(c.size <= TLOG_SIZE_MAX && rd_left(&c.origin));
	add(&origin, c.origin);
	buf_u8(&origin, 0);
	checkpoint_format((char *)origin.data, c.size, &c.root, &b);
	add(&b, c.extensions);
	must_be(&b, text);
	buf_done(&origin);
}

static void check_lines(const struct note *n, struct buf *b)
{
	must(n->n > 0 && n->n <= NOTE_SIGNATURES_MAX);
	for (size_t i = 0; i < n->n; i++) {
		const struct note_signature *s = &n->sig[i];
		uint8_t raw[4 + 4096];
		size_t len = 0;
		must(note_name_valid(s->name));
		if (text_base64(s->base64, raw, sizeof raw, &len)) {
			struct rd r = rd_make(raw, len);
			must(rd_u32be(&r) == s->id && rd_left(&r) > 0);
		}
		add(b, s->line);
	}
}

static void try_note(struct rd in)
{
	static struct note n;
	struct buf b = {0};
	try_checkpoint(in);
	if (note_parse_signatures(in, &n, NULL) == ST_OK) {
		check_lines(&n, &b);
		must_be(&b, in);
	}
	if (note_parse(in, &n, NULL) != ST_OK)
		return;
	add(&b, n.text);
	must(b.len && b.data[b.len - 1] == '\n' && text_is_note(n.text));
	buf_u8(&b, '\n');
	check_lines(&n, &b);
	must_be(&b, in);
	try_checkpoint(n.text);
}

static void try_key(struct rd in)
{
	static struct note n;
	struct note_key k;
	struct buf b = {0};
	struct rd line;
	uint64_t time = 0;
	if (!text_line(&in, &line) || note_key_parse(line, &k, NULL) != ST_OK)
		return;
	note_key_format(&k, &b);
	must_be(&b, line);
	must(note_name_valid(rd_make(k.name, strlen(k.name))));
	if (note_parse(rd_sub(&in, rd_left(&in)), &n, NULL) != ST_OK)
		return;
	st_t st = note_verify_key(&n, &k, &time, NULL);
	must((st == ST_NOT_FOUND) == !note_find(&n, &k));
	must(st != ST_OK || time > 0 || k.type == NOTE_ED25519 || k.type == NOTE_ECDSA ||
	     k.type == NOTE_RFC6962);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_make(data, size);
	try_note(in);
	try_key(in);
	return 0;
}
