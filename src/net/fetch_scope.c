#include "net/fetch_scope.h"

#include "net/fetch_wire.h"

#include <string.h>

/* The digits of a Range. */
#define RANGE_BYTES 20

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes every %XX once; a percent sign without two digits stays. False: a NUL. */
static bool decode_once(char *s, bool *ret_changed)
{
	char *to = s;
	*ret_changed = false;
	while (*s) {
		int high = *s == '%' ? hex_value(s[1]) : -1;
		int low = high < 0 ? -1 : hex_value(s[2]);
		if (low < 0) {
			*to++ = *s++;
			continue;
		}
		if (high == 0 && low == 0)
			return false;
		*to++ = (char)(high * 16 + low);
		*ret_changed = true;
		s += 3;
	}
	*to = '\0';
	return true;
}

/* RFC 3986, 5.2.4: dot segments. A backslash is a slash to some servers, and some leave out what
 * follows a semicolon (3.3: parameters). */
static bool has_dots(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/\\"), name = strcspn(path, "/\\;");
		if ((name == 1 || name == 2) && !strncmp(path, "..", name))
			return true;
		if (path[n] == '\0')
			return false;
		path += n + 1;
	}
}

/* However often the server decodes it, nothing in the path climbs: "%2e", "%2f" and "%252e" are
 * looked at like what they stand for. Each round makes the text shorter. */
static bool stays_below(const char *path, size_t n)
{
	char s[FETCH_URL_MAX];
	bool changed = true;
	memcpy(s, path, n);
	s[n] = '\0';
	while (changed)
		if (has_dots(s) || !decode_once(s, &changed))
			return false;
	return true;
}

/* From the path on. */
static size_t authority_end(const char *url)
{
	size_t scheme = strcspn(url, ":") + 3;
	return scheme + strcspn(url + scheme, "/?");
}

static bool is_path_good(const char *url)
{
	size_t at = authority_end(url);
	return stays_below(url + at, strcspn(url + at, "?"));
}

bool fetch_scope_add(struct fetch_scope *s, const char *url, size_t n, uint32_t may)
{
	char text[FETCH_URL_MAX];
	while (n > 0 && url[n - 1] == '/')
		n--;
	if (s->n == FETCH_SCOPE_MAX || n >= sizeof text || memchr(url, '?', n))
		return false;
	memcpy(text, url, n);
	text[n] = '\0';
	if (strlen(text) != n || !fetch_url_is_good(text) || !is_path_good(text))
		return false;
	s->v[s->n++] = (struct fetch_below){url, n, may};
	return true;
}

/* The authority is part of what is compared, so host and port are those of the scope. */
static bool is_below(const struct fetch_below *b, const char *url)
{
	return !strncmp(url, b->url, b->n) && url[b->n] == '/';
}

bool fetch_scope_allows(const struct fetch_scope *s, const char *url, uint32_t method)
{
	uint32_t need = method | (strchr(url, '?') ? FETCH_MAY_QUERY : 0);
	if (!fetch_url_is_good(url) || !is_path_good(url))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if ((s->v[i].may & need) == need && is_below(&s->v[i], url))
			return true;
	return false;
}

uint64_t fetch_scope_weight(const char *url, const char *type, uint64_t nbody, uint64_t from)
{
	return strlen(url) + strlen(type) + nbody + (from ? RANGE_BYTES : 0);
}
