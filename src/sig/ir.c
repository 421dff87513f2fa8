/* Lists of the intermediate form. */
#include "sig/ir.h"

#include "base/sum64.h"
#include "db/layout.h"

#include <stdlib.h>
#include <string.h>

#define HASH_ROWS_FIRST 64
#define IGNORES_FIRST 64

void ir_init(struct ir_set *s)
{
	*s = (struct ir_set){0};
	arena_init(&s->arena, 0);
	for (int use = 0; use < IR_HASH_USES; use++) {
		for (int kind = 0; kind < DIGEST_KINDS; kind++) {
			size_t row = sizeof(struct ir_hash) + digest_size((enum digest_kind)kind);
			s->hashes[use][kind].stride = (row + 7) & ~(size_t)7;
		}
	}
	s->skipped_tail = &s->skipped;
	s->passwords_tail = &s->passwords;
}

void ir_done(struct ir_set *s)
{
	for (int use = 0; use < IR_HASH_USES; use++) {
		for (int kind = 0; kind < DIGEST_KINDS; kind++)
			free(s->hashes[use][kind].rows);
	}
	free(s->origins);
	free(s->sigs);
	free(s->ignores.slots);
	free(s->magics);
	free(s->notes);
	arena_done(&s->arena);
	*s = (struct ir_set){0};
}

st_t ir_add_sig(struct ir_set *s, struct ir_sig *sig, struct err *e)
{
	if (s->nsigs == s->cap_sigs) {
		size_t cap = s->cap_sigs ? s->cap_sigs * 2 : 256;
		struct ir_sig **p = reallocarray(s->sigs, cap, sizeof *p);
		if (!p)
			return fail(e, ST_NOMEM, 0, "out of memory for signatures");
		s->sigs = p;
		s->cap_sigs = cap;
	}
	s->sigs[s->nsigs++] = sig;
	return ST_OK;
}

static st_t hash_list_grow(struct ir_hash_list *l, struct err *e)
{
	size_t cap = l->cap ? l->cap * 2 : HASH_ROWS_FIRST;
	uint8_t *p = reallocarray(l->rows, cap, l->stride);
	if (!p)
		return fail(e, ST_NOMEM, 0, "out of memory for hash signatures");
	l->rows = p;
	l->cap = cap;
	return ST_OK;
}

st_t ir_add_hash(struct ir_set *s, enum ir_hash_use use, enum digest_kind kind,
                 const struct ir_hash *head, const uint8_t *digest, struct err *e)
{
	struct ir_hash_list *l = &s->hashes[use][kind];
	if (l->n == l->cap)
		TRY(hash_list_grow(l, e));
	struct ir_hash *row = ir_hash_at(l, l->n++);
	size_t size = digest_size(kind);
	memset((uint8_t *)row + l->stride - 8, 0, 8); /* padding, so that rows compare as bytes */
	*row = *head;
	memcpy(row->digest, digest, size);
	return ST_OK;
}

void ir_count_inactive(struct ir_set *s, const char *what)
{
	size_t i = 0;
	while (i < s->ninactive && strcmp(s->inactive[i].what, what))
		i++;
	if (i == IR_INACTIVE_MAX)
		i--; /* more kinds than rows cannot happen with the texts of this folder; keep the sum */
	if (i == s->ninactive)
		s->inactive[s->ninactive++] = (struct ir_inactive){.what = what};
	s->inactive[i].n++;
}

/* Where an entry of this name is, or belongs. There is a free slot. */
static struct ir_ignore *ignore_slot(const struct ir_ignores *l, const char *name, size_t len)
{
	size_t i = (size_t)sum64(name, len) & (l->cap - 1);
	while (l->slots[i].name && (l->slots[i].len != len || memcmp(l->slots[i].name, name, len)))
		i = (i + 1) & (l->cap - 1);
	return &l->slots[i];
}

static st_t ignores_grow(struct ir_ignores *l, struct err *e)
{
	struct ir_ignores bigger = *l;
	bigger.cap = l->cap ? l->cap * 2 : IGNORES_FIRST;
	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return fail(e, ST_NOMEM, 0, "out of memory for the ignore list");
	for (size_t i = 0; i < l->cap; i++) {
		const struct ir_ignore *from = &l->slots[i];
		if (from->name)
			*ignore_slot(&bigger, from->name, from->len) = *from;
	}
	free(l->slots);
	*l = bigger;
	return ST_OK;
}

static uint64_t length_bit(size_t len)
{
	return UINT64_C(1) << (len < 63 ? len : 63);
}

st_t ir_add_ignore(struct ir_set *s, const struct ir_ignore *ignore, struct err *e)
{
	struct ir_ignores *l = &s->ignores;
	if (2 * l->n >= l->cap)
		TRY(ignores_grow(l, e));
	struct ir_ignore *at = ignore_slot(l, ignore->name, ignore->len);
	l->n += !at->name;
	*at = *ignore;
	at->name = arena_strndup(&s->arena, ignore->name, ignore->len);
	if (!at->name)
		return fail(e, ST_NOMEM, 0, "out of memory for the ignore list");
	l->lengths |= length_bit(ignore->len);
	return ST_OK;
}

const struct ir_ignore *ir_find_ignore(const struct ir_set *s, const char *name, size_t len)
{
	const struct ir_ignores *l = &s->ignores;
	if (!(l->lengths & length_bit(len)))
		return NULL;
	const struct ir_ignore *at = ignore_slot(l, name, len);
	return at->name ? at : NULL;
}

st_t ir_add_note(struct ir_set *s, const char *kind, const char *text, size_t n, struct err *e)
{
	struct ir_note *p = s->notes;
	if (s->nnotes >= DB_NOTES_MAX)
		return ST_OK;
	if ((s->nnotes & (s->nnotes - 1)) == 0)
		p = reallocarray(p, s->nnotes ? s->nnotes * 2 : 1, sizeof *p);
	char *copy = arena_strndup(&s->arena, text, n < DB_NOTE_TEXT ? n : DB_NOTE_TEXT - 1);
	if (p)
		s->notes = p;
	if (!p || !copy)
		return fail(e, ST_NOMEM, 0, "out of memory for notes");
	for (char *c = copy; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	p[s->nnotes++] = (struct ir_note){kind, copy};
	return ST_OK;
}

st_t ir_add_magic(struct ir_set *s, const struct ir_magic *magic, struct err *e)
{
	struct ir_magic *p = s->magics;
	if ((s->nmagics & (s->nmagics - 1)) == 0)
		p = reallocarray(p, s->nmagics ? s->nmagics * 2 : 1, sizeof *p);
	if (!p)
		return fail(e, ST_NOMEM, 0, "out of memory for file types");
	s->magics = p;
	p[s->nmagics++] = *magic;
	return ST_OK;
}

st_t ir_add_origin(struct ir_set *s, const struct db_origin *o, struct err *e)
{
	struct db_origin *p = reallocarray(s->origins, s->norigins + 1, sizeof *p);
	if (!p)
		return fail(e, ST_NOMEM, 0, "out of memory for containers");
	s->origins = p;
	p[s->norigins++] = *o;
	return ST_OK;
}

st_t ir_add_skipped(struct ir_set *s, const char *file, uint32_t line, const char *why)
{
	if (s->nskipped++ >= IR_SKIPPED_KEPT)
		return ST_OK;
	struct ir_skipped *k = arena_alloc(&s->arena, sizeof *k);
	char *file_copy = arena_strndup(&s->arena, file, strlen(file));
	char *why_copy = arena_strndup(&s->arena, why, strlen(why));
	if (!k || !file_copy || !why_copy)
		return ST_NOMEM;
	*k = (struct ir_skipped){.file = file_copy, .line = line, .why = why_copy};
	*s->skipped_tail = k;
	s->skipped_tail = &k->next;
	return ST_OK;
}

struct ir_hash *ir_hash_at(const struct ir_hash_list *l, size_t i)
{
	return (struct ir_hash *)(void *)(l->rows + i * l->stride);
}
