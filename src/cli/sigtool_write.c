/* sigtool where it writes files into the current folder: normalised copies, views of HTML, members
 * of containers.
 *
 * What is written comes from the jail and is hostile, also how it is cut into members: a name of a
 * member is a plain file name or ends it. A file that stands there already is overwritten, as by
 * sigtool; a link is not followed, and nothing but a regular file is written to. */
#include "cli/sigtool.h"

#include "base/io.h"
#include "base/num.h"
#include "base/rd.h"
#include "cli/text.h"
#include "explain/sigtool_member.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of one container, at most: what src/cvd lets through, and its .info. */
#define UNPACKED_MAX ((uint64_t)1 << 31)
#define MEMBERS_MAX 5000u

/* A file of the current folder, empty now; or -1. */
static int create(const char *name, mode_t mode)
{
	struct stat st;
	int fd = open(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Closes *fd, if there is one; false if what was written may not be there. */
static bool close_written(int *fd)
{
	bool good = *fd < 0 || close(*fd) == 0;
	*fd = -1;
	return good;
}

static void say_cannot(const char *what, const char *path)
{
	fprintf(stderr, "ERROR: %s ", what);
	text_put(stderr, path, TEXT_CLAMSCAN);
	putc('\n', stderr);
}

/* -- copies --------------------------------------------------------------------------------- */

int sigtool_copy(enum inspect_op op, const char *path)
{
	bool text = op == INSPECT_NORMAL_TEXT;
	char name[PATH_MAX];
	AUTO_FD fd = sigtool_open(path);
	if (fd < 0) {
		say_cannot(text ? "asciinorm: Can't open file" : "utf16decode: Can't open file", path);
		return 1;
	}
	int n = snprintf(name, sizeof name, "%s.ascii", path);
	bool fits = text || (n > 0 && (size_t)n < sizeof name);
	int out = fits ? create(text ? "normalised_text" : name, 0600) : -1;
	FILE *to = out < 0 ? NULL : fdopen(out, "w");
	if (!to) {
		say_cannot("Can't create output file", text ? "normalised_text" : path);
		return 1;
	}
	struct inspect_request rq = {.op = op, .fd = {-1, -1, fd}};
	bool good = sigtool_ask(&rq, to);
	return fclose(to) == 0 && good ? 0 : 1;
}

/* -- views of HTML ---------------------------------------------------------------------------- */

struct view {
	const char *name;
	int fd; /* -1: not created */
};

static st_t view_open(struct view *v, struct err *e)
{
	if (v->fd < 0)
		v->fd = create(v->name, 0600);
	return v->fd < 0 ? fail(e, ST_IO, 0, "htmlnorm: Can't create %s", v->name) : ST_OK;
}

static st_t view_take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct view *v = ctx;
	TRY(view_open(v, e));
	return io_write_all(v->fd, p, n, e);
}

/* A view that the file does not have leaves no file; an empty one an empty file. */
static bool write_view(enum inspect_op op, const char *name, int fd)
{
	struct inspect_request rq = {.op = op, .fd = {-1, -1, fd}};
	struct view v = {.name = name, .fd = -1};
	enum inspect_outcome outcome;
	struct err e = {0};
	bool good = sigtool_ask_with(&rq, view_take, &v, &outcome);
	if (good && outcome == INSPECT_DONE && view_open(&v, &e) != ST_OK) {
		fprintf(stderr, "ERROR: %s\n", e.text);
		good = false;
	}
	return close_written(&v.fd) && good;
}

int sigtool_html_views(const char *path)
{
	AUTO_FD fd = sigtool_open(path);
	if (fd < 0) {
		say_cannot("htmlnorm: Can't open file", path);
		return 1;
	}
	bool good = write_view(INSPECT_HTML_NOCOMMENT, "nocomment.html", fd) &&
	            write_view(INSPECT_HTML_NOTAGS, "notags.html", fd) &&
	            write_view(INSPECT_HTML_SCRIPT, "javascript", fd);
	return good ? 0 : 1;
}

/* -- members of containers ------------------------------------------------------------------ */

struct unpack {
	uint8_t head[SIGTOOL_MEMBER_HEAD];
	size_t nhead;
	uint64_t left; /* bytes of the member that are to come */
	uint64_t total;
	unsigned members;
	int fd;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* As src/cvd lets through: no folder, nothing hidden, no option. */
static bool is_plain_name(const char *s)
{
	if (!is_letter(*s) && *s != '_')
		return false;
	while (is_letter(*s) || *s == '.' || *s == '_' || *s == '-')
		s++;
	return *s == '\0';
}

static st_t member_end(struct unpack *u, struct err *e)
{
	u->nhead = 0;
	return close_written(&u->fd) ? ST_OK : fail_errno(e, "unpack: write");
}

static st_t member_begin(struct unpack *u, struct err *e)
{
	struct rd r = rd_make(u->head, sizeof u->head);
	const uint8_t *text = rd_take(&r, SIGTOOL_MEMBER_NAME);
	char name[SIGTOOL_MEMBER_NAME + 1] = {0};
	u->left = rd_u64le(&r);
	TRY(rd_check(&r, e, "unpack: member"));
	memcpy(name, text, SIGTOOL_MEMBER_NAME);
	if (!is_plain_name(name))
		return fail(e, ST_MALFORMED, 0, "unpack: a member's name is not allowed");
	if (++u->members > MEMBERS_MAX || u->left > UNPACKED_MAX - u->total)
		return fail(e, ST_LIMIT, 0, "unpack: too much in the container");
	u->total += u->left;
	u->fd = create(name, 0644);
	if (u->fd < 0)
		return fail(e, ST_IO, 0, "unpack: Can't create %s", name);
	return u->left ? ST_OK : member_end(u, e);
}

static st_t unpack_take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct unpack *u = ctx;
	const uint8_t *b = p;
	while (n) {
		size_t room = sizeof u->head - u->nhead;
		size_t k = room ? num_min_size(n, room) : num_min_size(n, (size_t)u->left);
		if (room)
			memcpy(u->head + u->nhead, b, k);
		else
			TRY(io_write_all(u->fd, b, k, e));
		u->nhead += room ? k : 0;
		u->left -= room ? 0 : k;
		b += k;
		n -= k;
		if (room && k == room)
			TRY(member_begin(u, e));
		else if (!room && u->left == 0)
			TRY(member_end(u, e));
	}
	return ST_OK;
}

int sigtool_unpack_file(const char *path)
{
	AUTO_FD fd = sigtool_open(path);
	struct unpack u = {.fd = -1};
	enum inspect_outcome outcome;
	if (fd < 0) {
		fputs("ERROR: unpack: ", stderr);
		text_put(stderr, path, TEXT_CLAMSCAN);
		fputs(" is not a valid CVD\n", stderr);
		return 1;
	}
	struct inspect_request rq = {.op = INSPECT_UNPACK, .text = path, .fd = {-1, -1, fd}};
	bool good = sigtool_ask_with(&rq, unpack_take, &u, &outcome);
	bool whole = u.nhead == 0 && u.fd < 0;
	if (good && !whole)
		fputs("ERROR: unpack: the last member is not whole\n", stderr);
	return close_written(&u.fd) && good && whole ? 0 : 1;
}

/* As for sigtool, a published container comes before what the updater keeps; .cud does not
 * count. */
int sigtool_unpack_current(const char *name, const char *folder)
{
	static const char *const ends[] = {"cvd", "cld"};
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(ends) && !strchr(name, '/'); i++) {
		int n = snprintf(path, sizeof path, "%s/%s.%s", folder, name, ends[i]);
		if (n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0)
			return sigtool_unpack_file(path);
	}
	fputs("ERROR: unpack: Couldn't find ", stderr);
	text_put(stderr, name, TEXT_CLAMSCAN);
	fputs(" CLD/CVD database in ", stderr);
	text_put(stderr, folder, TEXT_CLAMSCAN);
	putc('\n', stderr);
	return 1;
}

int sigtool_container(const char *path)
{
	AUTO_FD fd = sigtool_open(path);
	if (fd < 0) {
		say_cannot("cvdinfo: Can't read/parse CVD header of", path);
		return 1;
	}
	struct inspect_request rq = {.op = INSPECT_CVD, .text = path, .fd = {-1, -1, fd}};
	return sigtool_ask(&rq, stdout) ? 0 : 1;
}
