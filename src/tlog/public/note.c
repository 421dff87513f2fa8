/* Notes and checkpoints of <vitrine/tlog.h>. */
#include "tlog/public/note.h"

#include "tlog/text.h"

#include <stdlib.h>
#include <string.h>

/* The inner note points into `bytes`. */
struct vitrine_tlog_note {
	struct note note;
	struct buf bytes;
};

static st_t read_note(vitrine_tlog_note *n, const void *data, size_t size, struct err *e)
{
	if (size > NOTE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "signed-note: longer than %zu bytes", NOTE_SIZE_MAX);
	buf_add(&n->bytes, data, size);
	TRY(buf_check(&n->bytes, e, "note"));
	return note_parse(rd_make(n->bytes.data, n->bytes.len), &n->note, e);
}

static st_t read_lines(vitrine_tlog_note *n, struct rd text, struct rd lines, struct err *e)
{
	if (rd_left(&text) > NOTE_SIZE_MAX || rd_left(&lines) > NOTE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "signed-note: longer than %zu bytes", NOTE_SIZE_MAX);
	buf_add(&n->bytes, text.base, text.len);
	buf_add(&n->bytes, lines.base, lines.len);
	TRY(buf_check(&n->bytes, e, "note"));
	struct rd all = rd_make(n->bytes.data, n->bytes.len);
	TRY(note_parse_signatures(rd_at(&all, text.len, lines.len), &n->note, e));
	n->note.text = rd_at(&all, 0, text.len);
	return ST_OK;
}

static enum vitrine_tlog_status give_note(st_t st, const struct err *e, vitrine_tlog_note *n,
                                          vitrine_tlog_note **ret, struct vitrine_tlog_error *error)
{
	if (st == ST_OK)
		*ret = n;
	else
		vitrine_tlog_note_free(n);
	return public_status(st, e, error);
}

enum vitrine_tlog_status vitrine_tlog_note_parse(const void *data, size_t size,
                                                 vitrine_tlog_note **ret,
                                                 struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	vitrine_tlog_note *n = calloc(1, sizeof *n);
	if (!n)
		return public_refuse(VITRINE_TLOG_NO_MEMORY, "out of memory", error);
	return give_note(read_note(n, data, size, &e), &e, n, ret, error);
}

enum vitrine_tlog_status vitrine_tlog_note_parse_lines(const void *text, size_t text_size,
                                                       const void *lines, size_t lines_size,
                                                       vitrine_tlog_note **ret,
                                                       struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	vitrine_tlog_note *n = calloc(1, sizeof *n);
	if (!n)
		return public_refuse(VITRINE_TLOG_NO_MEMORY, "out of memory", error);
	st_t st = read_lines(n, rd_make(text, text_size), rd_make(lines, lines_size), &e);
	return give_note(st, &e, n, ret, error);
}

void vitrine_tlog_note_free(vitrine_tlog_note *note)
{
	if (!note)
		return;
	buf_done(&note->bytes);
	free(note);
}

struct vitrine_tlog_span vitrine_tlog_note_text(const vitrine_tlog_note *note)
{
	return public_span(note->note.text);
}

size_t vitrine_tlog_note_signature_count(const vitrine_tlog_note *note)
{
	return note->note.n;
}

enum vitrine_tlog_status vitrine_tlog_note_signature(const vitrine_tlog_note *note, size_t i,
                                                     struct vitrine_tlog_signature *ret)
{
	if (i >= note->note.n)
		return VITRINE_TLOG_NOT_FOUND;
	const struct note_signature *s = &note->note.sig[i];
	*ret = (struct vitrine_tlog_signature){
		.name = public_span(s->name), .id = s->id, .line = public_span(s->line)};
	return VITRINE_TLOG_OK;
}

enum vitrine_tlog_status vitrine_tlog_note_verify(const vitrine_tlog_note *note,
                                                  const vitrine_tlog_key *key, uint64_t *ret_time,
                                                  struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	uint64_t time = 0;
	st_t st = note_verify_key(&note->note, public_key_in(key), &time, &e);
	if (st == ST_OK && ret_time)
		*ret_time = time;
	/* A signature of the wrong length, or over what its type does not sign, is a wrong one here. */
	return public_status(st == ST_MALFORMED ? ST_BAD_SIG : st, &e, error);
}

void public_checkpoint_out(const struct checkpoint *c, struct vitrine_tlog_checkpoint *ret)
{
	*ret = (struct vitrine_tlog_checkpoint){.origin = public_span(c->origin),
	                                        .size = c->size,
	                                        .root = public_hash_out(&c->root),
	                                        .extensions = public_span(c->extensions)};
}

enum vitrine_tlog_status vitrine_tlog_checkpoint_parse(const void *text, size_t size,
                                                       struct vitrine_tlog_checkpoint *ret,
                                                       struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct checkpoint c;
	st_t st = checkpoint_parse(rd_make(text, size), &c, &e);
	if (st == ST_OK)
		public_checkpoint_out(&c, ret);
	return public_status(st, &e, error);
}

/* Whether what was written is what will be read. */
static st_t read_back(const struct buf *b, const char *origin, struct err *e)
{
	struct checkpoint c;
	TRY(buf_check(b, e, "checkpoint"));
	TRY(checkpoint_parse(rd_make(b->data, b->len), &c, e));
	if (!text_is(c.origin, origin) || c.extensions.len)
		return fail(e, ST_MALFORMED, 0, "tlog-checkpoint: the origin is not one line");
	return ST_OK;
}

enum vitrine_tlog_status vitrine_tlog_checkpoint_format(const char *origin, uint64_t size,
                                                        const struct vitrine_tlog_hash *root,
                                                        char **ret_text, size_t *ret_size,
                                                        struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct buf b = {0};
	struct tlog_hash r = public_hash_in(root);
	checkpoint_format(origin, size, &r, &b);
	st_t st = read_back(&b, origin, &e);
	if (st == ST_OK)
		return public_give_text(&b, ret_text, ret_size, error);
	buf_done(&b);
	return public_status(st, &e, error);
}
