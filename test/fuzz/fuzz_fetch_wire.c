/* What the fetcher says, as its client reads it (and the other way round: bit 0 of byte 0). */
#include "net/fetch_wire.h"

#include <stdlib.h>
#include <string.h>

/* What is allowed begins as the scope says, and has no two dots between slashes: those that are
 * written so; the other spellings are the unit test's. */
static void check_scope(const char *url)
{
	static const char below[] = "http://a/x";
	struct fetch_scope s = {.n = 0};
	if (!fetch_scope_add(&s, below, sizeof below - 1, FETCH_MAY_GET))
		abort();
	if (!fetch_scope_allows(&s, url, FETCH_MAY_GET))
		return;
	if (strncmp(url, "http://a/x/", 11) || strchr(url, '?') || strstr(url, "/../") ||
	    strcasestr(url, "/%2e%2e/") || fetch_scope_allows(&s, url, FETCH_MAY_POST))
		abort();
}

/* Who may ask below an URL may ask for it with a slash and a name behind, and not for itself. */
static void check_allow(const struct frame *f)
{
	static char more[FETCH_URL_MAX + 2];
	struct fetch_scope s = {.n = 0};
	if (!fetch_scope_add(&s, f->url, strlen(f->url), f->may))
		return;
	size_t n = s.v[0].n;
	memcpy(more, f->url, n);
	more[n] = '\0';
	if (fetch_scope_allows(&s, more, FETCH_MAY_GET))
		abort();
	memcpy(more + n, "/y", 3);
	bool may = (f->may & FETCH_MAY_GET) && n + 2 < FETCH_URL_MAX;
	if (fetch_scope_allows(&s, more, FETCH_MAY_GET) != may)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;
	struct buf again = {0};
	if (size < 1)
		return 0;
	enum frame_side from = data[0] & 1 ? FRAME_CLIENT : FRAME_FETCHER;
	if (frame_read(rd_make(data + 1, size - 1), from, &f, NULL) != ST_OK)
		return 0;
	if (f.type == FRAME_REQUEST)
		check_scope(f.url);
	if (f.type == FRAME_ALLOW)
		check_allow(&f);
	/* What was accepted is written again as it came: nothing is read two ways. */
	frame_write(&f, &again);
	if (again.len != size - 1 || __builtin_memcmp(again.data, data + 1, again.len) != 0)
		abort();
	buf_done(&again);
	return 0;
}
