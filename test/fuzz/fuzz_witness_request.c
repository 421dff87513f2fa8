/* What a witness reads: the body of add-checkpoint, and the file of its logs. The first byte
 * chooses. A body that is accepted has one spelling: written anew it is the same. */
#include "tlog/text.h"
#include "witness/add_checkpoint.h"

#include <stdlib.h>
#include <string.h>

static void check_spelling(const struct witness_request *r, const uint8_t *p, size_t n)
{
	struct buf b = {0};
	buf_add(&b, "old ", 4);
	text_decimal_add(&b, r->old_size);
	buf_u8(&b, '\n');
	for (size_t i = 0; i < r->proof.n; i++) {
		text_base64_add(&b, r->proof.hash[i].b, TLOG_HASH);
		buf_u8(&b, '\n');
	}
	buf_u8(&b, '\n');
	buf_add(&b, r->checkpoint.base, r->checkpoint.len);
	if (b.oom || b.len != n || memcmp(b.data, p, n) != 0 || r->proof.n > WITNESS_PROOF_MAX)
		abort();
	buf_done(&b);
}

static void try_request(const uint8_t *p, size_t n)
{
	static struct witness_request r;
	static const struct witness_config none;
	const struct witness_log *log;
	struct state_record record = {.known = true, .size = r.old_size};
	struct tlog_hasher h;
	struct answer a = {0};
	struct buf note = {0};
	struct err e = {0};
	if (witness_request_parse(rd_make(p, n), &r, &e) == ST_OK) {
		check_spelling(&r, p, n);
		record.size = r.old_size;
		if (tlog_hasher_init(&h, NULL) == ST_OK && r.old_size <= r.cp.size)
			(void)add_checkpoint_judge(&r, &record, &h, &a);
		answer_done(&a);
	} else if (!e.text[0]) {
		abort(); /* no reason given */
	}
	/* A witness without logs cosigns nothing. */
	if (add_checkpoint_check(&none, rd_make(p, n), &r, &log, &note, &a) || a.status < 400)
		abort();
	answer_done(&a);
	buf_done(&note);
}

static void try_config(const uint8_t *p, size_t n)
{
	struct witness_config *c = NULL;
	if (witness_config_parse(rd_make(p, n), &c, NULL) != ST_OK)
		return;
	for (size_t i = 0; i < c->n; i++) {
		const char *origin = c->logs[i].keys[0].name;
		if (witness_config_find(c, rd_make(origin, strlen(origin))) != &c->logs[i])
			abort();
	}
	witness_config_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		try_config(data + 1, size - 1);
	else
		try_request(data + 1, size - 1);
	return 0;
}
