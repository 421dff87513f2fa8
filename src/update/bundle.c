/* Writing a bundle. Files are noted in any order; where a path comes twice the later one counts.
 * Everything is sorted when it is written, so the order of adding leaves no trace. */
#include "update/bundle.h"

#include "base/io.h"
#include "base/num.h"
#include "pack/tar.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 << 10)

struct entry {
	char *path;
	uint8_t *bytes; /* NULL: in fd */
	int fd;
	uint64_t size;
	size_t order; /* of adding */
};

struct update_bundle {
	struct buf entries; /* struct entry[] */
};

static struct entry *entries(const struct update_bundle *b)
{
	return (struct entry *)(void *)b->entries.data;
}

static size_t count(const struct update_bundle *b)
{
	return b->entries.len / sizeof(struct entry);
}

st_t update_bundle_new(struct update_bundle **ret, struct err *e)
{
	struct update_bundle *b = calloc(1, sizeof *b);
	if (!b)
		return fail(e, ST_NOMEM, 0, "bundle: out of memory");
	*ret = b;
	return ST_OK;
}

void update_bundle_free(struct update_bundle *b)
{
	for (size_t i = 0; b && i < count(b); i++) {
		free(entries(b)[i].path);
		free(entries(b)[i].bytes);
	}
	if (b)
		buf_done(&b->entries);
	free(b);
}

/* Takes what `x` owns. */
static st_t add(struct update_bundle *b, struct entry x, struct err *e)
{
	x.order = count(b);
	size_t len = b->entries.len;
	buf_add(&b->entries, &x, sizeof x);
	if (b->entries.len > len)
		return ST_OK;
	free(x.path);
	free(x.bytes);
	return fail(e, ST_NOMEM, 0, "bundle: out of memory");
}

static st_t check_path(const char *path, uint64_t size, struct err *e)
{
	uint8_t head[TAR_BLOCK];
	if (!strcmp(path, UPDATE_BUNDLE_FIRST))
		return fail(e, ST_MALFORMED, 0, "bundle: no file of a repository has the name %s", path);
	return tar_header_make(path, size, head, e);
}

st_t update_bundle_add(struct update_bundle *b, const char *path, struct rd bytes, struct err *e)
{
	TRY(check_path(path, bytes.len, e));
	struct entry x = {.path = strdup(path), .bytes = malloc(bytes.len + 1), .fd = -1,
	                  .size = bytes.len};
	if (!x.path || !x.bytes) {
		free(x.path);
		free(x.bytes);
		return fail(e, ST_NOMEM, 0, "bundle: out of memory");
	}
	if (bytes.len)
		memcpy(x.bytes, bytes.base, bytes.len);
	return add(b, x, e);
}

st_t update_bundle_add_file(struct update_bundle *b, const char *path, int fd, uint64_t size,
                            struct err *e)
{
	TRY(check_path(path, size, e));
	struct entry x = {.path = strdup(path), .fd = fd, .size = size};
	return x.path ? add(b, x, e) : fail(e, ST_NOMEM, 0, "bundle: out of memory");
}

static int by_path(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	int order = strcmp((*x)->path, (*y)->path);
	return order ? order : (*x)->order < (*y)->order ? -1 : 1;
}

static st_t put_head(int out, const char *path, uint64_t size, struct err *e)
{
	uint8_t head[TAR_BLOCK];
	TRY(tar_header_make(path, size, head, e));
	return io_write_all(out, head, sizeof head, e);
}

static st_t put_zeroes(int out, size_t n, struct err *e)
{
	static const uint8_t zero[2 * TAR_BLOCK];
	return io_write_all(out, zero, n, e);
}

static st_t copy(int out, const struct entry *x, struct err *e)
{
	uint8_t *piece = malloc(PIECE);
	st_t st = piece ? ST_OK : fail(e, ST_NOMEM, 0, "bundle: out of memory");
	for (uint64_t at = 0; st == ST_OK && at < x->size;) {
		size_t n = 0;
		st = io_pread_full(x->fd, piece, (size_t)num_min_u64(PIECE, x->size - at), at, &n, e);
		if (st == ST_OK && n == 0)
			st = fail(e, ST_TRUNCATED, at, "%s: the file became shorter", x->path);
		if (st == ST_OK)
			st = io_write_all(out, piece, n, e);
		at += n;
	}
	free(piece);
	return st;
}

static st_t put_entry(int out, const struct entry *x, struct err *e)
{
	TRY(put_head(out, x->path, x->size, e));
	TRY(x->bytes ? io_write_all(out, x->bytes, x->size, e) : copy(out, x, e));
	return put_zeroes(out, tar_padding(x->size), e);
}

static st_t put_first(int out, struct err *e)
{
	uint64_t n = sizeof UPDATE_BUNDLE_LINE - 1;
	TRY(put_head(out, UPDATE_BUNDLE_FIRST, n, e));
	TRY(io_write_all(out, UPDATE_BUNDLE_LINE, n, e));
	return put_zeroes(out, tar_padding(n), e);
}

static st_t put_all(const struct entry *const *v, size_t n, int out, struct err *e)
{
	TRY(put_first(out, e));
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || strcmp(v[i]->path, v[i + 1]->path) != 0)
			TRY(put_entry(out, v[i], e));
	return put_zeroes(out, 2 * TAR_BLOCK, e);
}

st_t update_bundle_write(const struct update_bundle *b, int out_fd, struct err *e)
{
	size_t n = count(b);
	if (n >= TAR_MEMBERS_MAX)
		return fail(e, ST_LIMIT, 0, "bundle: more than %u files", TAR_MEMBERS_MAX - 1);
	const struct entry **v = malloc((n + 1) * sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "bundle: out of memory");
	for (size_t i = 0; i < n; i++)
		v[i] = &entries(b)[i];
	qsort(v, n, sizeof *v, by_path);
	st_t st = put_all(v, n, out_fd, e);
	free(v);
	return st;
}
