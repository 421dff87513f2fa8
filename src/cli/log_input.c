#include "cli/log_input.h"

#include "base/io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static st_t open_input(const char *name, int *ret, struct err *e)
{
	struct stat s;
	if (strcmp(name, "-") == 0)
		*ret = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		*ret = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*ret < 0 || fstat(*ret, &s))
		return fail_errno(e, "%s", name);
	if (S_ISDIR(s.st_mode))
		return fail(e, ST_UNSUPPORTED, 0, "%s: a folder; an entry is a file", name);
	return ST_OK;
}

/* Appends the bytes of one. */
static st_t read_entry(int fd, const char *name, struct buf *bytes, struct err *e)
{
	size_t start = bytes->len;
	for (;;) {
		size_t left = ENTRY_MAX + 1 - (bytes->len - start);
		uint8_t *p = buf_room(bytes, left);
		if (!p)
			return fail(e, ST_NOMEM, 0, "%s: out of memory", name);
		ssize_t n = read(fd, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "%s", name);
		if (n == 0)
			return ST_OK;
		bytes->len += (size_t)n;
		if (bytes->len - start > ENTRY_MAX)
			return fail(e, ST_LIMIT, ENTRY_MAX,
			            "%.120s: longer than %u bytes, and tlog-tiles: entries \"MUST be at most "
			            "65535 bytes\"; log its digest instead", name, ENTRY_MAX);
	}
}

static st_t read_one(struct log_input *in, const char *name, struct err *e)
{
	AUTO_FD fd = -1;
	TRY(open_input(name, &fd, e));
	TRY(read_entry(fd, name, &in->bytes, e));
	if (in->bytes.len > LOG_REQUEST_MAX)
		return fail(e, ST_LIMIT, 0, "more than 1 GiB at a time; add the files in several calls");
	buf_add(&in->ends, &in->bytes.len, sizeof in->bytes.len);
	return buf_check(&in->ends, e, "log add");
}

static st_t make_entries(struct log_input *in, struct err *e)
{
	size_t start = 0;
	in->entry = calloc(in->n + 1, sizeof *in->entry);
	if (!in->entry)
		return fail(e, ST_NOMEM, 0, "log add: out of memory");
	for (size_t i = 0; i < in->n; i++) {
		size_t end;
		memcpy(&end, in->ends.data + i * sizeof end, sizeof end);
		in->entry[i] = (struct log_entry){in->bytes.data + start, end - start};
		start = end;
	}
	return ST_OK;
}

st_t log_input_read(const char *const *names, size_t n, struct log_input *ret, struct err *e)
{
	*ret = (struct log_input){.name = names, .n = n};
	for (size_t i = 0; i < n; i++)
		TRY(read_one(ret, names[i], e));
	return make_entries(ret, e);
}

void log_input_done(struct log_input *in)
{
	buf_done(&in->bytes);
	buf_done(&in->ends);
	free(in->entry);
	in->entry = NULL;
}
