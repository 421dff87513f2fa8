#include "tlog/public/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct vitrine_tlog_hash) == sizeof(struct tlog_hash), "both are 32 bytes");
_Static_assert(VITRINE_TLOG_PROOF_MAX == TLOG_PROOF_MAX, "one limit");
_Static_assert(VITRINE_TLOG_ERROR_TEXT_MAX == ERR_TEXT_MAX, "one limit");

static enum vitrine_tlog_status status_of(st_t st)
{
	switch ((int)st) {
	case ST_OK: return VITRINE_TLOG_OK;
	case ST_TRUNCATED:
	case ST_MALFORMED: return VITRINE_TLOG_MALFORMED;
	case ST_LIMIT: return VITRINE_TLOG_LIMIT;
	case ST_UNSUPPORTED: return VITRINE_TLOG_UNSUPPORTED;
	case ST_BAD_SIG: return VITRINE_TLOG_BAD_SIGNATURE;
	case ST_BAD_PROOF: return VITRINE_TLOG_BAD_PROOF;
	case ST_NOT_FOUND: return VITRINE_TLOG_NOT_FOUND;
	case ST_NOMEM: return VITRINE_TLOG_NO_MEMORY;
	case ST_CALLBACK: return VITRINE_TLOG_CALLBACK;
	default: return VITRINE_TLOG_INTERNAL;
	}
}

const char *vitrine_tlog_status_name(enum vitrine_tlog_status status)
{
	static const char *const names[] = {
		[VITRINE_TLOG_OK] = "ok",
		[VITRINE_TLOG_MALFORMED] = "malformed",
		[VITRINE_TLOG_LIMIT] = "limit reached",
		[VITRINE_TLOG_UNSUPPORTED] = "unsupported",
		[VITRINE_TLOG_BAD_SIGNATURE] = "signature not valid",
		[VITRINE_TLOG_BAD_PROOF] = "proof not valid",
		[VITRINE_TLOG_NOT_FOUND] = "not found",
		[VITRINE_TLOG_NO_MEMORY] = "out of memory",
		[VITRINE_TLOG_ARGUMENT] = "argument not valid",
		[VITRINE_TLOG_CALLBACK] = "callback failed",
		[VITRINE_TLOG_INTERNAL] = "internal error",
	};
	size_t i = (size_t)status;
	return i < sizeof names / sizeof names[0] ? names[i] : "unknown status";
}

const char *vitrine_tlog_version(void)
{
	return VITRINE_VERSION;
}

void vitrine_tlog_free(void *memory)
{
	free(memory);
}

enum vitrine_tlog_status public_refuse(enum vitrine_tlog_status status, const char *text,
                                       struct vitrine_tlog_error *ret)
{
	if (!ret)
		return status;
	*ret = (struct vitrine_tlog_error){.status = status};
	snprintf(ret->text, sizeof ret->text, "%s", text);
	return status;
}

enum vitrine_tlog_status public_status(st_t st, const struct err *e, struct vitrine_tlog_error *ret)
{
	enum vitrine_tlog_status status = status_of(st);
	if (status == VITRINE_TLOG_OK)
		return status;
	(void)public_refuse(status, e && e->text[0] ? e->text : vitrine_tlog_status_name(status), ret);
	if (ret && e)
		ret->offset = e->off;
	return status;
}

enum vitrine_tlog_status public_give_text(struct buf *b, char **ret_text, size_t *ret_size,
                                          struct vitrine_tlog_error *error)
{
	buf_u8(b, 0);
	if (b->oom) {
		buf_done(b);
		return public_refuse(VITRINE_TLOG_NO_MEMORY, "out of memory", error);
	}
	*ret_text = (char *)b->data;
	*ret_size = b->len - 1;
	*b = (struct buf){0};
	return VITRINE_TLOG_OK;
}

struct vitrine_tlog_span public_span(struct rd in)
{
	size_t n = rd_left(&in);
	return (struct vitrine_tlog_span){rd_take(&in, n), n};
}

struct rd public_rd(struct vitrine_tlog_span s)
{
	return rd_make(s.data, s.size);
}

struct tlog_hash public_hash_in(const struct vitrine_tlog_hash *h)
{
	struct tlog_hash out;
	memcpy(out.b, h->bytes, sizeof out.b);
	return out;
}

struct vitrine_tlog_hash public_hash_out(const struct tlog_hash *h)
{
	struct vitrine_tlog_hash out;
	memcpy(out.bytes, h->b, sizeof out.bytes);
	return out;
}

st_t public_path_in(const struct vitrine_tlog_hash *path, size_t count, struct tlog_proof *ret,
                    struct err *e)
{
	if (count > TLOG_PROOF_MAX)
		return fail(e, ST_BAD_PROOF, 0, "proof: %zu hashes, no tree needs more than %d", count,
		            TLOG_PROOF_MAX);
	ret->n = count;
	for (size_t i = 0; i < count; i++)
		ret->hash[i] = public_hash_in(&path[i]);
	return ST_OK;
}

void public_path_out(const struct tlog_proof *p, struct vitrine_tlog_proof *ret)
{
	ret->count = p->n;
	for (size_t i = 0; i < p->n; i++)
		ret->hash[i] = public_hash_out(&p->hash[i]);
}
