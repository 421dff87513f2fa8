#include "cli/log_proofs.h"

#include "base/io.h"
#include "tlog/proof.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".tlog-proof"
#define TEMP_NAME ".new" SUFFIX

static const char *base_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	return strcmp(name, "-") == 0 ? "stdin" : slash ? slash + 1 : name;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static st_t check_sorted(const char **name, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (i && strcmp(name[i - 1], name[i]) == 0)
			return fail(e, ST_CONFLICT, 0,
			            "%.120s: two files of that name; their proofs need folders of their own",
			            name[i]);
		if (strlen(name[i]) + sizeof SUFFIX > NAME_MAX)
			return fail(e, ST_LIMIT, 0, "%.120s...: too long for the name of a proof", name[i]);
	}
	return ST_OK;
}

st_t log_proofs_check(const struct log_input *in, struct err *e)
{
	const char **name = calloc(in->n + 1, sizeof *name);
	if (!name)
		return fail(e, ST_NOMEM, 0, "log add: out of memory");
	for (size_t i = 0; i < in->n; i++)
		name[i] = base_name(in->name[i]);
	qsort(name, in->n, sizeof *name, compare_names);
	st_t st = check_sorted(name, in->n, e);
	free(name);
	return st;
}

static st_t put_file(int dir, const char *name, const struct buf *b, struct err *e)
{
	char path[NAME_MAX + 1];
	snprintf(path, sizeof path, "%s" SUFFIX, name);
	AUTO_FD fd = openat(dir, TEMP_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	TRY(io_write_all(fd, b->data, b->len, e));
	if (fsync(fd) || renameat(dir, TEMP_NAME, dir, path))
		return fail_errno(e, "%s", path);
	return ST_OK;
}

st_t log_proofs_write(struct log_writer *w, const struct log_input *in, const uint64_t *index,
                      int dir, struct err *e)
{
	for (size_t i = 0; i < in->n; i++) {
		struct tlog_proof p;
		struct buf b = {0};
		TRY(log_writer_prove(w, index[i], &p, e));
		offline_proof_format(NULL, 0, index[i], &p, log_writer_checkpoint(w), &b);
		st_t st = buf_check(&b, e, "proof");
		if (st == ST_OK)
			st = put_file(dir, base_name(in->name[i]), &b, e);
		buf_done(&b);
		if (st != ST_OK)
			return st;
	}
	return fsync(dir) ? fail_errno(e, "folder of proofs") : ST_OK;
}
