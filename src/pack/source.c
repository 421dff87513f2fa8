#include "pack/source.h"

#include "base/io.h"
#include "pack/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *pa, const void *pb)
{
	const struct source_file *a = pa, *b = pb;
	return strcmp(a->name, b->name);
}

static int by_name_and_content(const void *pa, const void *pb)
{
	const struct source_file *a = pa, *b = pb;
	size_t na = rd_left(&a->bytes), nb = rd_left(&b->bytes), n = na < nb ? na : nb;
	int c = strcmp(a->name, b->name);
	if (c)
		return c;
	c = n ? memcmp(a->bytes.base + a->bytes.pos, b->bytes.base + b->bytes.pos, n) : 0;
	return c ? c : (na > nb) - (na < nb);
}

/* The k-th file of one name, k from 2. `name` is replaced by memory of the list of renamed ones. */
static st_t rename_one(struct source_file *f, size_t k, char **ret_name, struct err *e)
{
	if (strchr(f->name, '/'))
		return fail(e, ST_CONFLICT, 0, "source bundle: two files %.160s", f->name);
	if (asprintf(ret_name, "%zu/%s", k, f->name) < 0) {
		*ret_name = NULL;
		return fail(e, ST_NOMEM, 0, "source bundle: out of memory");
	}
	f->name = *ret_name;
	return ST_OK;
}

/* names: as many as files, NULL where a file keeps its name. */
static st_t make_names_differ(struct source_file *v, size_t n, char **names, struct err *e)
{
	const char *same = "";
	qsort(v, n, sizeof *v, by_name_and_content);
	for (size_t i = 0, k = 1; i < n; i++) {
		k = strcmp(v[i].name, same) ? 1 : k + 1;
		same = k == 1 ? v[i].name : same;
		if (k > 1)
			TRY(rename_one(&v[i], k, &names[i], e));
	}
	qsort(v, n, sizeof *v, by_name);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(v[i - 1].name, v[i].name))
			return fail(e, ST_CONFLICT, 0, "source bundle: two files %.160s", v[i].name);
	return ST_OK;
}

static st_t write_file(const struct source_file *f, int fd, uint64_t *size, struct err *e)
{
	static const uint8_t zeroes[TAR_BLOCK];
	uint8_t head[TAR_BLOCK];
	size_t n = rd_left(&f->bytes);
	TRY(tar_header_make(f->name, n, head, e));
	TRY(io_write_all(fd, head, sizeof head, e));
	if (n)
		TRY(io_write_all(fd, f->bytes.base + f->bytes.pos, n, e));
	TRY(io_write_all(fd, zeroes, tar_padding(n), e));
	*size += TAR_BLOCK + n + tar_padding(n);
	return ST_OK;
}

static st_t write_all(const struct source_file *v, size_t n, int fd, uint64_t *ret_size,
                      struct err *e)
{
	static const uint8_t end[2 * TAR_BLOCK];
	uint64_t size = sizeof end;
	for (size_t i = 0; i < n; i++)
		TRY(write_file(&v[i], fd, &size, e));
	TRY(io_write_all(fd, end, sizeof end, e));
	*ret_size = size;
	return ST_OK;
}

st_t source_bundle_write(struct source_file *v, size_t n, int out_fd, uint64_t *ret_size,
                         struct err *e)
{
	if (n == 0 || n > TAR_MEMBERS_MAX)
		return fail(e, ST_LIMIT, 0, "source bundle: 1 to %u files", TAR_MEMBERS_MAX);
	char **names = calloc(n, sizeof *names);
	if (!names)
		return fail(e, ST_NOMEM, 0, "source bundle: out of memory");
	st_t st = make_names_differ(v, n, names, e);
	if (st == ST_OK)
		st = write_all(v, n, out_fd, ret_size, e);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return st;
}
