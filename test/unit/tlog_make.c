#include "tlog_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(st_t st, const struct err *e)
{
	if (st == ST_OK)
		return;
	printf("the test cannot make its data: %s\n", e->text);
	exit(1);
}

void make_key(uint8_t number, const char *name, enum note_type type, struct make_key *ret)
{
	struct err e = {.st = ST_OK};
	uint8_t seed[32];
	bool mldsa = type == NOTE_COSIGNATURE_MLDSA44;
	memset(seed, number, sizeof seed);
	must(signer_new(mldsa ? SIGNER_MLDSA44 : SIGNER_ED25519, seed, &ret->signer, &e), &e);
	must(note_key_of_signer(name, type, ret->signer, &ret->key, &e), &e);
}

void make_key_done(struct make_key *k)
{
	signer_free(k->signer);
	k->signer = NULL;
}

void make_add(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void make_log_line(struct buf *b, const struct make_key *k)
{
	make_add(b, "log ");
	note_key_format(&k->key, b);
	make_add(b, "\n");
}

void make_witness_line(struct buf *b, const char *name, const struct make_key *k)
{
	make_add(b, "witness ");
	make_add(b, name);
	make_add(b, " ");
	note_key_format(&k->key, b);
	make_add(b, "\n");
}

void make_checkpoint(struct buf *b, const char *origin, uint64_t size,
                     const struct tlog_hash *root)
{
	checkpoint_format(origin, size, root, b);
	make_add(b, "\n");
}

void make_signature(struct buf *b, const struct make_key *k, uint64_t time)
{
	struct err e = {.st = ST_OK};
	struct buf line = {0};
	const uint8_t *blank = memmem(b->data, b->len, "\n\n", 2);
	struct rd text = rd_make(b->data, blank ? (size_t)(blank - b->data) + 1 : 0);
	must(note_sign(text, k->key.name, k->key.type, k->signer, time, &line, &e), &e);
	buf_add(b, line.data, line.len);
	buf_done(&line);
}

struct rd make_rd(const struct buf *b)
{
	return rd_make(b->data, b->len);
}

void make_read_file(const char *dir, const char *name, struct buf *ret)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (!f) {
		printf("cannot open %s\n", path);
		exit(1);
	}
	for (int c = fgetc(f); c != EOF; c = fgetc(f))
		buf_u8(ret, (uint8_t)c);
	fclose(f);
}
