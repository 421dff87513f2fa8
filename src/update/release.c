/* Putting a release in place, switching to it, removing what is over. */
#include "update/place.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- adding ---- */

/* A file of the spool, durable, takes its place in the folder `to`. */
static st_t move_file(struct update_place *p, int spool, const char *from, int to,
                      const char *name, uint64_t size, struct err *e)
{
	const struct log_io *io = p->io;
	uint64_t have = 0;
	int fd = io->open(io->ctx, spool, from, O_RDONLY, 0);
	if (fd < 0)
		return fail_errno(e, "spool/%.64s", from);
	st_t st = io->size(io->ctx, fd, &have) ? fail_errno(e, "spool/%.64s", from) : ST_OK;
	if (st == ST_OK && have != size)
		st = fail(e, ST_CONFLICT, 0, "spool/%.64s: %" PRIu64 " bytes, %" PRIu64 " were verified",
		          from, have, size);
	if (st == ST_OK)
		st = disk_sync(io, fd, from, e);
	io->close(io->ctx, fd);
	TRY(st);
	return io->rename(io->ctx, spool, from, to, name) ? fail_errno(e, "%s: rename", name) : ST_OK;
}

static st_t move_files(struct update_place *p, const struct chain_release *r,
                       const struct update_files *f, int to, struct err *e)
{
	int spool = -1;
	TRY(disk_folder(p->io, p->dir, "spool", false, &spool, e));
	st_t st = move_file(p, spool, f->vdb, to, PLACE_VDB, r->vdb.size, e);
	if (st == ST_OK && f->source && f->source[0])
		st = move_file(p, spool, f->source, to, "source.tar", r->source.size, e);
	p->io->close(p->io->ctx, spool);
	return st;
}

/* The small files first: where the disk is full it is seen before a download is touched. */
static st_t fill_folder(struct update_place *p, const struct chain_release *r,
                        const struct update_files *f, int to, struct err *e)
{
	TRY(disk_create(p->io, to, "evidence.tar", f->evidence, e));
	TRY(disk_create(p->io, to, "summary.json", f->summary, e));
	TRY(move_files(p, r, f, to, e));
	return disk_sync(p->io, to, "release", e);
}

static st_t put_release(struct update_place *p, const char *id, const struct chain_release *r,
                        const struct update_files *f, struct err *e)
{
	int to = -1;
	TRY(place_remove_tree(p->io, p->releases, DISK_NEW, e));
	/* No record has it, so it is not whole: somebody else's hand, or the disk's. */
	TRY(place_remove_release(p, id, e));
	TRY(disk_folder(p->io, p->releases, DISK_NEW, true, &to, e));
	st_t st = fill_folder(p, r, f, to, e);
	p->io->close(p->io->ctx, to);
	TRY(st);
	if (p->io->rename(p->io->ctx, p->releases, DISK_NEW, p->releases, id))
		return fail_errno(e, "releases/%s: rename", id);
	return disk_sync(p->io, p->releases, "releases", e);
}

/* The newest that waits, rather unapproved than approved: -1 where none does. */
static int to_make_room(const struct update_state *s)
{
	int best = -1;
	for (int i = (int)s->n - 1; i > s->current; i--) {
		if (s->v[i].flags & UPDATE_WAS_CURRENT)
			continue;
		if (!(s->v[i].flags & UPDATE_APPROVED))
			return i;
		if (best < 0)
			best = i;
	}
	return best;
}

static st_t make_room(struct update_place *p, struct update_state *s, struct err *e)
{
	if (s->n < UPDATE_RELEASES_MAX)
		return ST_OK;
	int i = to_make_room(s);
	if (i < 0)
		return fail(e, ST_LIMIT, 0, "more than %d releases are kept: approve one or lower \"keep\"",
		            UPDATE_RELEASES_MAX - 1);
	TRY(place_remove_release(p, s->v[i].id, e));
	place_delete(s, (size_t)i);
	return ST_OK;
}

static st_t find_version(const struct update_state *s, const struct update_release *r, int *ret,
                         struct err *e)
{
	*ret = -1;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].version != r->version)
			continue;
		if (memcmp(s->v[i].vdb_sha256, r->vdb_sha256, sizeof r->vdb_sha256))
			return fail(e, ST_CONFLICT, 0, "version %" PRIu64 " is here with another database: %s; "
			            "a publisher gives each version once", r->version, s->v[i].id);
		*ret = (int)i;
	}
	return ST_OK;
}

st_t update_release_add(struct update_place *p, struct update_state *s,
                        const struct chain_release *r, const struct update_files *f, int64_t now,
                        size_t *ret_index, struct err *e)
{
	struct update_release rel = {.version = r->version, .seen = now < 0 ? 0 : now};
	struct update_state next = *s;
	int there;
	memcpy(rel.vdb_sha256, r->vdb.sha256, sizeof rel.vdb_sha256);
	update_release_id(rel.version, rel.vdb_sha256, rel.id);
	TRY(find_version(s, &rel, &there, e));
	if (there >= 0) {
		*ret_index = (size_t)there;
		return ST_OK;
	}
	TRY(make_room(p, &next, e));
	TRY(put_release(p, rel.id, r, f, e));
	size_t index = place_insert(&next, &rel);
	if (rel.seen > next.seen)
		next.seen = rel.seen;
	TRY(update_state_write(p, &next, e));
	*s = next;
	*ret_index = index;
	return ST_OK;
}

/* ---- activating ---- */

/* So that the next update does not activate again what was gone back from. Durable before the
 * switch. */
static st_t hold_newer(struct update_place *p, struct update_state *s, size_t index,
                       struct err *e)
{
	if (s->current <= (int)index)
		return ST_OK;
	struct update_state next = *s;
	struct update_release *from = &next.v[s->current];
	uint32_t before = from->flags;
	from->flags = (from->flags | UPDATE_HELD) & ~(uint32_t)UPDATE_APPROVED;
	if (from->flags != before)
		TRY(update_state_write(p, &next, e));
	*s = next;
	return ST_OK;
}

static st_t switch_link(struct update_place *p, const char *id, struct err *e)
{
	const struct log_io *io = p->io;
	char target[PLACE_PATH_MAX];
	snprintf(target, sizeof target, "releases/%s", id);
	TRY(disk_remove(io, p->dir, PLACE_LINK_NEW, e));
	if (io->symlink(io->ctx, target, p->dir, PLACE_LINK_NEW))
		return fail_errno(e, "%s: cannot make the link", PLACE_LINK);
	if (io->rename(io->ctx, p->dir, PLACE_LINK_NEW, p->dir, PLACE_LINK))
		return fail_errno(e, "%s: rename", PLACE_LINK);
	return ST_OK;
}

/* How many that were current came after this one. */
static size_t current_after(const struct update_state *s, size_t i)
{
	size_t n = 0;
	for (size_t k = 0; k < s->n; k++)
		n += s->v[k].flags & UPDATE_WAS_CURRENT && s->v[k].activated > s->v[i].activated;
	return n;
}

static bool is_over(const struct update_state *s, size_t i, uint32_t keep)
{
	if ((int)i >= s->current)
		return false;
	return !(s->v[i].flags & UPDATE_WAS_CURRENT) || current_after(s, i) >= keep;
}

/* Files go first, so that a full disk has room for the record. What is listed and not there is left
 * out by who reads; what could not be removed stays listed and is tried again. */
static void remove_over(struct update_place *p, struct update_state *s, uint32_t keep)
{
	bool over[UPDATE_RELEASES_MAX];
	for (size_t i = 0; i < s->n; i++)
		over[i] = is_over(s, i, keep);
	for (size_t i = s->n; i-- > 0;)
		if (over[i] && place_remove_release(p, s->v[i].id, NULL) == ST_OK)
			place_delete(s, i);
}

static void note_current(struct update_state *s, size_t index, int64_t now)
{
	struct update_release *r = &s->v[index];
	s->current = (int)index;
	r->activated = place_next_activation(s, now);
	r->flags = (r->flags | UPDATE_WAS_CURRENT) & ~(uint32_t)UPDATE_HELD;
	if (now > s->seen)
		s->seen = now;
}

st_t update_activate(struct update_place *p, struct update_state *s, size_t index, int64_t now,
                     uint32_t keep, struct err *e)
{
	bool there = false;
	TRY(place_has_release(p, s->v[index].id, &there, e));
	if (!there)
		return fail(e, ST_NOT_FOUND, 0, "releases/%s/" PLACE_VDB " is gone", s->v[index].id);
	if (s->current != (int)index) {
		TRY(hold_newer(p, s, index, e));
		TRY(switch_link(p, s->v[index].id, e));
		note_current(s, index, now);
		/* Before anything that the old one needs is removed. */
		TRY(disk_sync(p->io, p->dir, PLACE_LINK, e));
	}
	remove_over(p, s, keep);
	return update_state_write(p, s, e);
}

/* ---- reading, and what was refused ---- */

st_t update_release_open(struct update_place *p, const char *id, const char *name, int *ret_fd,
                         struct err *e)
{
	char path[PLACE_PATH_MAX];
	snprintf(path, sizeof path, "releases/%.*s/%.100s", UPDATE_ID_MAX, id, name);
	int fd = p->io->open(p->io->ctx, p->dir, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 && errno == ENOENT)
		return fail(e, ST_NOT_FOUND, 0, "%s: not there", path);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	*ret_fd = fd;
	return ST_OK;
}
