/* What all sources share: paths are checked before anybody sees them, bytes are counted and held to
 * their limit. Runs in vitrine-verifier. */
#include "update/source.h"

#include "net/fetch_wire.h"
#include "update/source_inside.h"

#include <string.h>

static bool part_good(const char *s, size_t n)
{
	bool dots = (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '\\')
			return false;
	return n > 0 && !dots;
}

bool update_path_good(const char *path)
{
	if (strnlen(path, UPDATE_PATH_MAX) == UPDATE_PATH_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");
		if (!part_good(path, n))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

/* ---- a repository line ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int update_percent_byte(const char *s)
{
	int hi = hex_digit(s[1]), lo = hi < 0 ? -1 : hex_digit(s[2]);
	return lo < 0 ? 0 : 16 * hi + lo;
}

/* RFC 8089: "file" "://" [ "localhost" ] path-absolute, percent-encoded. */
static st_t decode_folder(const char *s, char *ret, struct err *e)
{
	size_t n = 0;
	for (; *s && n < UPDATE_FOLDER_MAX - 1; s++) {
		int c = (unsigned char)*s;
		if (c == '%') {
			c = update_percent_byte(s);
			s += 2;
		}
		if (c == 0)
			return fail(e, ST_MALFORMED, 0, "a file URL with a wrong percent sign (RFC 8089)");
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return *s ? fail(e, ST_LIMIT, 0, "a file URL that is too long") : ST_OK;
}

st_t update_repository_folder(const char *url, char ret[UPDATE_FOLDER_MAX], struct err *e)
{
	char path[UPDATE_FOLDER_MAX];
	if (fetch_url_is_good(url)) {
		ret[0] = '\0';
		return ST_OK;
	}
	if (strncmp(url, "file://", 7))
		return fail(e, ST_MALFORMED, 0, "%.100s: no http, https or file URL", url);
	url += 7;
	if (!strncmp(url, "localhost/", 10))
		url += 9;
	if (url[0] != '/')
		return fail(e, ST_MALFORMED, 0, "file://%.100s: an absolute path follows \"file://\"", url);
	TRY(decode_folder(url, path, e));
	memcpy(ret, path, strlen(path) + 1);
	return ST_OK;
}

/* ---- moving bytes ---- */

struct counted {
	struct update_source *s;
	update_sink *sink;
	void *ctx;
};

static st_t count_bytes(void *ctx, const void *p, size_t n, struct err *e)
{
	struct counted *c = ctx;
	c->s->bytes += n;
	return c->sink(c->ctx, p, n, e);
}

static st_t add_to_buf(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *b = ctx;
	buf_add(b, p, n);
	return buf_check(b, e, "download");
}

static st_t check_path(const char *path, struct err *e)
{
	if (!update_path_good(path))
		return fail(e, ST_UNSUPPORTED, 0, "%.100s: not the path of a file in a repository", path);
	return ST_OK;
}

static void count(struct update_source *s)
{
	if (s->ops->count)
		s->ops->count(s->ctx, &s->bytes, &s->requests);
	if (s->ops->whose)
		s->ops->whose(s->ctx, &s->mirrors, &s->mirror);
}

st_t update_stream(struct update_source *s, const char *path, uint64_t from, uint64_t max,
                   update_sink *sink, void *ctx, struct err *e)
{
	struct counted c = {s, sink, ctx};
	TRY(check_path(path, e));
	s->requests++;
	st_t st = s->ops->stream(s->ctx, path, from, max, count_bytes, &c, e);
	count(s);
	return st;
}

st_t update_get(struct update_source *s, const char *path, size_t max, struct buf *ret,
                struct err *e)
{
	size_t begin = ret->len;
	st_t st;
	TRY(check_path(path, e));
	if (s->ops->get) {
		s->requests++;
		st = s->ops->get(s->ctx, path, max, ret, e);
		s->bytes += st == ST_OK ? ret->len - begin : 0;
		count(s);
	} else {
		st = update_stream(s, path, 0, max, add_to_buf, ret, e);
	}
	if (st != ST_OK)
		ret->len = begin;
	return st;
}

void update_source_done(struct update_source *s)
{
	if (s->ops)
		s->ops->free(s->ctx);
	*s = (struct update_source){0};
}
