/* A bundle as a repository: a tar archive of one spelling (pack/tar.h), read once to its end before
 * anything is believed, then by place. Its index is where the members' headers are, eight bytes
 * each; names are compared in the file, so that memory stays small whatever they are. The file must
 * not change meanwhile: what is read is hashed by the caller anyway.
 *
 * Runs in vitrine-verifier. */
#include "update/source.h"

#include "base/io.h"
#include "base/num.h"
#include "pack/tar.h"
#include "update/bundle.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 << 10)

struct bundle {
	int fd;
	uint64_t size;
	struct buf heads; /* uint64_t[], in order of names; without the first member */
	uint8_t piece[PIECE];
};

static size_t count(const struct bundle *b)
{
	return b->heads.len / sizeof(uint64_t);
}

static uint64_t head_at(const struct bundle *b, size_t i)
{
	return load_u64le(b->heads.data + i * sizeof(uint64_t));
}

/* Reads a member again, by where its header is. */
static st_t member_at(const struct bundle *b, size_t i, struct tar_member *ret, struct err *e)
{
	struct tar_reader t = {.fd = b->fd, .size = b->size, .off = head_at(b, i)};
	bool more = false;
	TRY(tar_reader_next(&t, false, ret, &more, e));
	return more ? ST_OK : fail(e, ST_MALFORMED, t.off, "bundle: the file changed meanwhile");
}

static st_t find(const struct bundle *b, const char *path, struct tar_member *ret, struct err *e)
{
	size_t lo = 0, hi = count(b);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct tar_member m = {0};
		TRY(member_at(b, mid, &m, e));
		int order = strcmp(path, m.name);
		if (order == 0) {
			*ret = m;
			return ST_OK;
		}
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return fail(e, ST_NOT_FOUND, 0, "%s: not in the bundle", path);
}

static st_t bundle_stream(void *ctx, const char *path, uint64_t from, uint64_t max,
                          update_sink *sink, void *sink_ctx, struct err *e)
{
	struct bundle *b = ctx;
	struct tar_member m = {0};
	size_t n = 0;
	TRY(find(b, path, &m, e));
	if (from > m.size)
		return fail(e, ST_TRUNCATED, m.size, "%s: only %llu bytes", path,
		            (unsigned long long)m.size);
	if (m.size - from > max)
		return fail(e, ST_LIMIT, 0, "%s: %llu bytes, %llu are allowed", path,
		            (unsigned long long)(m.size - from), (unsigned long long)max);
	for (uint64_t at = from; at < m.size; at += n) {
		TRY(io_pread_full(b->fd, b->piece, (size_t)num_min_u64(PIECE, m.size - at), m.off + at, &n,
		                  e));
		if (n == 0)
			return fail(e, ST_TRUNCATED, at, "bundle: the file became shorter");
		TRY(sink(sink_ctx, b->piece, n, e));
	}
	return ST_OK;
}

static void bundle_free(void *ctx)
{
	struct bundle *b = ctx;
	if (b)
		buf_done(&b->heads);
	free(b);
}

static const struct update_source_ops bundle_ops = {.stream = bundle_stream, .free = bundle_free};

/* "first a member `vitrine-bundle` with the line `vitrine-bundle v1`" (doc/format/updates.md). */
static st_t check_first(const struct bundle *b, struct tar_reader *t, struct err *e)
{
	struct tar_member m = {0};
	char line[sizeof UPDATE_BUNDLE_LINE - 1];
	bool more = false;
	size_t got = 0;
	TRY(tar_reader_next(t, true, &m, &more, e));
	if (!more || strcmp(m.name, UPDATE_BUNDLE_FIRST) != 0)
		return fail(e, ST_MALFORMED, 0,
		            "this is no bundle: its first member is not \"" UPDATE_BUNDLE_FIRST "\"");
	if (m.size == sizeof line)
		TRY(io_pread_full(b->fd, line, sizeof line, m.off, &got, e));
	if (got != sizeof line || memcmp(line, UPDATE_BUNDLE_LINE, sizeof line) != 0)
		return fail(e, ST_UNSUPPORTED, 0, "a bundle of a version that is not known; update the "
		                                  "program");
	return ST_OK;
}

static st_t read_index(struct bundle *b, struct err *e)
{
	struct tar_reader t = {.fd = b->fd, .size = b->size};
	TRY(check_first(b, &t, e));
	for (;;) {
		struct tar_member m;
		bool more = false;
		uint64_t head = t.off;
		TRY(tar_reader_next(&t, true, &m, &more, e));
		if (!more)
			return buf_check(&b->heads, e, "bundle");
		buf_u64le(&b->heads, head);
	}
}

st_t update_source_open_bundle(int fd, uint64_t size, struct update_source *ret, struct err *e)
{
	struct bundle *b = calloc(1, sizeof *b);
	if (!b)
		return fail(e, ST_NOMEM, 0, "bundle: out of memory");
	b->fd = fd;
	b->size = size;
	st_t st = read_index(b, e);
	if (st != ST_OK) {
		bundle_free(b);
		return st;
	}
	*ret = (struct update_source){.ops = &bundle_ops, .ctx = b};
	return ST_OK;
}
