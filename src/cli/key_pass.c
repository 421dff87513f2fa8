#include "cli/key_pass.h"

#include "base/buf.h"
#include "base/io.h"
#include "cli/key_tty.h"
#include "cli/text.h"
#include "tlog/keyfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool key_pass_given(const struct key_pass_opts *o)
{
	return o->file || o->fd;
}

static st_t read_into(int fd, size_t max, struct secret *s, struct err *e)
{
	for (;;) {
		/* One byte more than allowed shows that there is more. */
		ssize_t k = read(fd, s->data + s->len, max + 1 - s->len);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "read");
		if (k == 0)
			return ST_OK;
		s->len += (size_t)k;
		if (s->len > max)
			return fail(e, ST_LIMIT, 0, "more than %zu bytes", max);
	}
}

st_t key_read_all(int fd, size_t max, struct secret *ret, struct err *e)
{
	struct secret s;
	TRY(secret_init(&s, max + 1, e));
	st_t st = read_into(fd, max, &s, e);
	if (st == ST_OK)
		*ret = s;
	else
		secret_done(&s);
	return st;
}

/* Takes one newline away; what is left has to be one line. */
static st_t take_line(struct secret *s, struct err *e)
{
	if (s->len && s->data[s->len - 1] == '\n')
		s->len -= s->len > 1 && s->data[s->len - 2] == '\r' ? 2 : 1;
	if (s->len > KEYFILE_PASSPHRASE_MAX)
		return fail(e, ST_LIMIT, 0, "the passphrase has more than %d bytes",
		            KEYFILE_PASSPHRASE_MAX);
	if (!s->len)
		return fail(e, ST_MALFORMED, 0, "the passphrase is empty");
	if (memchr(s->data, '\n', s->len) || memchr(s->data, '\0', s->len))
		return fail(e, ST_MALFORMED, 0, "the passphrase is more than one line of text");
	return ST_OK;
}

static st_t read_fd(int fd, struct secret *ret, struct err *e)
{
	struct secret s;
	/* CR LF may follow. */
	TRY(key_read_all(fd, KEYFILE_PASSPHRASE_MAX + 2, &s, e));
	st_t st = take_line(&s, e);
	if (st == ST_OK)
		*ret = s;
	else
		secret_done(&s);
	return st;
}

static st_t read_file(const char *path, struct secret *ret, struct err *e)
{
	struct err why = {0};
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail_errno(e, "passphrase file %s", path);
	st_t st = read_fd(fd, ret, &why);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "passphrase file %s: %s", path, why.text);
}

static st_t read_numbered(const char *digits, struct secret *ret, struct err *e)
{
	struct err why = {0};
	int fd = 0;
	size_t n = strlen(digits);
	if (!n || n > 6 || strspn(digits, "0123456789") != n)
		return fail(e, ST_MALFORMED, 0, "--passphrase-fd %s: no number of a descriptor", digits);
	for (; *digits; digits++)
		fd = fd * 10 + (*digits - '0');
	st_t st = read_fd(fd, ret, &why);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "--passphrase-fd %d: %s", fd, why.text);
}

static st_t ask(const char *before, const char *what, struct secret *ret, struct err *e)
{
	struct buf q = {0};
	struct secret s;
	st_t st = secret_init(&s, KEYFILE_PASSPHRASE_MAX + 1, e);
	if (st != ST_OK)
		return st;
	buf_add(&q, before, strlen(before));
	text_add(&q, what, TEXT_EXACT);
	buf_add(&q, ": ", 3);
	st = buf_check(&q, e, "passphrase");
	if (st == ST_OK)
		st = key_tty_ask((const char *)q.data, &s, e);
	buf_done(&q);
	if (st == ST_OK)
		st = take_line(&s, e);
	if (st == ST_OK)
		*ret = s;
	else
		secret_done(&s);
	return st;
}

static st_t ask_twice(const char *what, struct secret *ret, struct err *e)
{
	struct secret one, two;
	TRY(ask("New passphrase for ", what, &one, e));
	st_t st = ask("The same again for ", what, &two, e);
	if (st == ST_OK) {
		if (one.len != two.len || memcmp(one.data, two.data, one.len))
			st = fail(e, ST_CONFLICT, 0, "the two passphrases differ; try again");
		secret_done(&two);
	}
	if (st == ST_OK)
		*ret = one;
	else
		secret_done(&one);
	return st;
}

st_t key_passphrase(const struct key_pass_opts *o, const char *what, bool twice,
                    struct secret *ret, struct err *e)
{
	if (o->file && o->fd)
		return fail(e, ST_CONFLICT, 0, "--passphrase-file and --passphrase-fd: one of them");
	if (o->file)
		return read_file(o->file, ret, e);
	if (o->fd)
		return read_numbered(o->fd, ret, e);
	return twice ? ask_twice(what, ret, e) : ask("Passphrase of ", what, ret, e);
}
