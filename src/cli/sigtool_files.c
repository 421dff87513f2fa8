/* sigtool on files: digests, hex dumps, sections. */
#include "cli/sigtool.h"

#include "base/io.h"
#include "cli/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct shown {
	FILE *to;
	bool escape;
};

static st_t show(void *ctx, const void *p, size_t n, struct err *e)
{
	struct shown *s = ctx;
	if (s->escape)
		text_put_answer(s->to, p, n, false);
	else
		fwrite(p, 1, n, s->to);
	return ferror(s->to) ? fail(e, ST_IO, 0, "cannot write") : ST_OK;
}

static bool on_terminal(FILE *f)
{
	int fd = fileno(f);
	return fd >= 0 && isatty(fd);
}

bool sigtool_ask_with(const struct inspect_request *rq, sigtool_sink *sink, void *ctx,
                      enum inspect_outcome *ret)
{
	struct err e = {0};
	st_t st = broker_inspect(rq, sink, ctx, ret, &e);
	if (st == ST_OK)
		return true;
	fflush(stdout);
	if (!strcmp(e.text, "-"))
		return false; /* it was said in the answer */
	fputs("ERROR: ", stderr);
	text_put_answer(stderr, e.text, strlen(e.text), false);
	putc('\n', stderr);
	return false;
}

bool sigtool_ask(const struct inspect_request *rq, FILE *to)
{
	enum inspect_outcome outcome;
	struct shown s = {.to = to, .escape = on_terminal(to)};
	return sigtool_ask_with(rq, show, &s, &outcome);
}

int sigtool_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static void say_no_file(const char *what, const char *path)
{
	fprintf(stderr, "ERROR: %s file ", what);
	text_put(stderr, path, TEXT_CLAMSCAN);
	putc('\n', stderr);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* As sigtool: folders are passed over, the first file that is not there ends it. */
static int digest_one(enum inspect_op op, const char *path)
{
	struct stat st;
	AUTO_FD fd = sigtool_open(path);
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "hashsig: %s\n", strerror(errno));
		say_no_file("hashsig: Can't access", path);
		return 1;
	}
	if (!S_ISREG(st.st_mode))
		return 0;
	struct inspect_request rq = {.op = op, .name = base_name(path), .fd = {-1, -1, fd}};
	return sigtool_ask(&rq, stdout) ? 0 : 1;
}

int sigtool_digests(enum inspect_op op, char **files, int n)
{
	int code = 0;
	struct inspect_request rq = {.op = op, .fd = {-1, -1, STDIN_FILENO}};
	if (n == 0)
		return sigtool_ask(&rq, stdout) ? 0 : 1;
	for (int i = 0; i < n && code == 0; i++)
		code = digest_one(op, files[i]);
	return code;
}

int sigtool_hex_dump(void)
{
	struct inspect_request rq = {.op = INSPECT_HEX, .fd = {-1, -1, STDIN_FILENO}};
	return sigtool_ask(&rq, stdout) ? 0 : 1;
}

int sigtool_pe(enum inspect_op op, char **files, int n)
{
	for (int i = 0; i < n; i++) {
		AUTO_FD fd = sigtool_open(files[i]);
		if (fd < 0) {
			say_no_file("hashpe: Can't open", files[i]);
			return 1;
		}
		struct inspect_request rq = {.op = op, .fd = {-1, -1, fd}};
		(void)sigtool_ask(&rq, stderr); /* the exit code does not tell, as with sigtool */
	}
	return 0;
}

static bool image_one(const char *path)
{
	AUTO_FD fd = sigtool_open(path);
	const char *name = base_name(path);
	if (fd < 0) {
		const char *why = strerror(errno);
		fputs("ERROR: ", stderr);
		text_put(stderr, name, TEXT_CLAMSCAN);
		fprintf(stderr, ": Can't open file: %s\n", why);
		return false;
	}
	struct inspect_request rq = {.op = INSPECT_IMAGE_HASH, .name = name, .fd = {-1, -1, fd}};
	return sigtool_ask(&rq, stdout);
}

int sigtool_images(char **files, int n)
{
	int code = n == 0;
	if (n == 0)
		fputs("ERROR: You must provide one or more files to generate a hash.", stderr);
	for (int i = 0; i < n; i++)
		code |= !image_one(files[i]);
	return code;
}
