/* Reads and writes the state of a set. Its text is state_text.c's. */
#include "crypto/digest.h"
#include "tlog/text.h"
#include "update/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELEASES "releases/"

/* A reader without the lock may see the record of before an activation and the link of after it:
 * it looks again so often. */
#define READ_TRIES 3

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "version-16 hex digits", as it is written. */
static bool parse_id(const char *id, uint64_t *ret_version)
{
	const char *dash = strchr(id, '-');
	size_t n = strlen(id);
	if (!dash || n >= UPDATE_ID_MAX || n - (size_t)(dash - id) != 17 || !digit(id[0]))
		return false;
	if (strspn(dash + 1, "0123456789abcdef") != 16)
		return false;
	return text_decimal(rd_make(id, (size_t)(dash - id)), ret_version);
}

st_t place_read_link(const struct update_place *p, char ret[UPDATE_ID_MAX], struct err *e)
{
	char text[128];
	uint64_t version;
	size_t skip = strlen(RELEASES);
	ssize_t n = p->io->readlink(p->io->ctx, p->dir, PLACE_LINK, text, sizeof text - 1);
	ret[0] = '\0';
	if (n < 0)
		return errno == ENOENT ? ST_OK : fail_errno(e, "%s: is no link to a release", PLACE_LINK);
	text[n] = '\0';
	if (strncmp(text, RELEASES, skip) || !parse_id(text + skip, &version))
		return fail(e, ST_MALFORMED, 0, "%s leads to \"%.60s\", which is no release; remove it, "
		            "and the next update sets it", PLACE_LINK, text);
	snprintf(ret, UPDATE_ID_MAX, "%.*s", UPDATE_ID_MAX - 1, text + skip);
	return ST_OK;
}

static st_t open_vdb(const struct update_place *p, const char *id, int *ret, struct err *e)
{
	char path[PLACE_PATH_MAX];
	snprintf(path, sizeof path, RELEASES "%s/" PLACE_VDB, id);
	*ret = p->io->open(p->io->ctx, p->dir, path, O_RDONLY | O_NONBLOCK, 0);
	return *ret < 0 && errno != ENOENT && errno != ENOTDIR ? fail_errno(e, "%s", path) : ST_OK;
}

st_t place_has_release(const struct update_place *p, const char *id, bool *ret, struct err *e)
{
	int fd = -1;
	TRY(open_vdb(p, id, &fd, e));
	*ret = fd >= 0;
	if (fd >= 0)
		p->io->close(p->io->ctx, fd);
	return ST_OK;
}

static st_t hash_pieces(const struct log_io *io, int fd, struct digest *d, struct err *e)
{
	uint8_t piece[16384];
	for (uint64_t off = 0;;) {
		ssize_t n = io->pread(io->ctx, fd, piece, sizeof piece, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, PLACE_VDB);
		if (n == 0)
			return ST_OK;
		TRY(digest_add(d, piece, (size_t)n, e));
		off += (uint64_t)n;
	}
}

static st_t hash_file(const struct log_io *io, int fd, uint8_t ret[32], struct err *e)
{
	struct digest d = {0};
	TRY(digest_init(&d, DIGEST_SHA256, e));
	st_t st = hash_pieces(io, fd, &d, e);
	if (st == ST_OK)
		return digest_end(&d, ret, e);
	digest_done(&d);
	return st;
}

size_t place_insert(struct update_state *s, const struct update_release *r)
{
	size_t i = s->n++;
	for (; i > 0 && s->v[i - 1].version > r->version; i--)
		s->v[i] = s->v[i - 1];
	s->v[i] = *r;
	if (s->current >= (int)i)
		s->current++;
	return i;
}

void place_delete(struct update_state *s, size_t i)
{
	s->n--;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof s->v[0]);
	if (s->current == (int)i)
		s->current = -1;
	if (s->current > (int)i)
		s->current--;
}

static bool has_version(const struct update_state *s, uint64_t version)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].version == version)
			return true;
	return false;
}

st_t place_take_up(const struct update_place *p, const char *id, uint32_t flags,
                   struct update_state *s, struct err *e)
{
	struct update_release r = {.flags = flags};
	int fd = -1;
	if (!parse_id(id, &r.version) || s->n == UPDATE_RELEASES_MAX || has_version(s, r.version))
		return ST_OK;
	TRY(open_vdb(p, id, &fd, e));
	if (fd < 0)
		return ST_OK;
	st_t st = hash_file(p->io, fd, r.vdb_sha256, e);
	p->io->close(p->io->ctx, fd);
	TRY(st);
	update_release_id(r.version, r.vdb_sha256, r.id);
	if (!strcmp(r.id, id))
		(void)place_insert(s, &r);
	return ST_OK;
}

struct found {
	char id[UPDATE_RELEASES_MAX][UPDATE_ID_MAX];
	size_t n;
};

static void add_found(void *arg, const char *name)
{
	struct found *f = arg;
	if (f->n < UPDATE_RELEASES_MAX && strlen(name) < UPDATE_ID_MAX)
		snprintf(f->id[f->n++], UPDATE_ID_MAX, "%s", name);
}

/* Without a record nobody knows what the customer held: so all are. */
static st_t take_up_all(const struct update_place *p, struct update_state *s, struct err *e)
{
	struct found f = {.n = 0};
	int fd = p->io->open(p->io->ctx, p->dir, "releases", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return errno == ENOENT ? ST_OK : fail_errno(e, "releases");
	st_t st = p->io->list(p->io->ctx, fd, add_found, &f) ? fail_errno(e, "releases: list") : ST_OK;
	p->io->close(p->io->ctx, fd);
	for (size_t i = 0; i < f.n && st == ST_OK; i++)
		st = place_take_up(p, f.id[i], UPDATE_HELD, s, e);
	return st;
}

static st_t read_text(const struct update_place *p, struct update_state *ret, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	st_t st = disk_read(p->io, p->dir, "state", UPDATE_STATE_MAX, &text, &why);
	if (st == ST_OK)
		st = update_state_parse(rd_make(text.data, text.len), ret, &why);
	buf_done(&text);
	if (st == ST_NOT_FOUND) {
		*ret = (struct update_state){.current = -1};
		return take_up_all(p, ret, e);
	}
	if (st > ST_OK)
		return fail(e, st, why.off, "%.100s. Scans are not affected. Move the file \"state\" away "
		            "to begin a new one: all but the current release are held then", why.text);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

static st_t drop_missing(const struct update_place *p, struct update_state *s, struct err *e)
{
	for (size_t i = s->n; i-- > 0;) {
		bool there;
		TRY(place_has_release(p, s->v[i].id, &there, e));
		if (!there)
			place_delete(s, i);
	}
	return ST_OK;
}

static bool find_current(struct update_state *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].id, id))
			s->current = (int)i;
	return !id[0] || s->current >= 0;
}

int64_t place_next_activation(const struct update_state *s, int64_t now)
{
	int64_t last = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].activated > last)
			last = s->v[i].activated;
	return now > last ? now : last == INT64_MAX ? last : last + 1;
}

/* The link says what took place, whatever the record has: an activation that was not written down,
 * or a hold for a switch that did not come. */
static void repair_current(struct update_state *s)
{
	if (s->current < 0)
		return;
	struct update_release *r = &s->v[s->current];
	bool last = r->activated > 0;
	for (size_t i = 0; i < s->n; i++)
		last &= i == (size_t)s->current || s->v[i].activated < r->activated;
	r->flags = (r->flags | UPDATE_WAS_CURRENT) & ~(uint32_t)UPDATE_HELD;
	if (!last)
		r->activated = place_next_activation(s, 0);
}

st_t update_state_read(struct update_place *p, struct update_state *ret, struct err *e)
{
	struct update_state s;
	char id[UPDATE_ID_MAX];
	bool found = false;
	for (int i = 0; i < READ_TRIES && !found; i++) {
		TRY(read_text(p, &s, e));
		TRY(place_read_link(p, id, e));
		TRY(drop_missing(p, &s, e));
		found = find_current(&s, id);
	}
	if (!found) {
		TRY(place_take_up(p, id, UPDATE_WAS_CURRENT, &s, e));
		(void)find_current(&s, id);
	}
	repair_current(&s);
	*ret = s;
	return ST_OK;
}

st_t update_state_write(struct update_place *p, const struct update_state *s, struct err *e)
{
	struct buf text = {0};
	st_t st = update_state_format(s, &text, e);
	if (st == ST_OK)
		st = disk_put(p->io, p->dir, p->dir, "state", rd_make(text.data, text.len), e);
	buf_done(&text);
	return st;
}
