/* Opening the folder of a set, and removing what an interrupted writer has left in it. */
#include "update/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64 /* at a time */

struct names {
	char v[NAMES_MAX][256];
	size_t n;
	bool more;
};

static void add_name(void *arg, const char *name)
{
	struct names *l = arg;
	if (l->n == NAMES_MAX || strlen(name) >= sizeof l->v[0]) {
		l->more = true;
		return;
	}
	snprintf(l->v[l->n++], sizeof l->v[0], "%s", name);
}

static st_t list_names(const struct log_io *io, int fd, struct names *ret, struct err *e)
{
	ret->n = 0;
	ret->more = false;
	return io->list(io->ctx, fd, add_name, ret) ? fail_errno(e, "list") : ST_OK;
}

static st_t remove_files(const struct log_io *io, int fd, struct err *e)
{
	struct names *l = malloc(sizeof *l);
	if (!l)
		return fail(e, ST_NOMEM, 0, "state: out of memory");
	st_t st;
	do {
		st = list_names(io, fd, l, e);
		for (size_t i = 0; i < l->n && st == ST_OK; i++)
			st = disk_remove(io, fd, l->v[i], e);
	} while (st == ST_OK && l->more && l->n);
	free(l);
	return st;
}

st_t place_remove_tree(const struct log_io *io, int dir, const char *name, struct err *e)
{
	int fd = io->open(io->ctx, dir, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOENT)
		return ST_OK;
	if (fd < 0)
		return fail_errno(e, "%s", name);
	st_t st = remove_files(io, fd, e);
	io->close(io->ctx, fd);
	TRY(st);
	if (io->unlink(io->ctx, dir, name, AT_REMOVEDIR) && errno != ENOENT)
		return fail_errno(e, "%s: cannot remove", name);
	return ST_OK;
}

st_t place_remove_release(struct update_place *p, const char *id, struct err *e)
{
	const struct log_io *io = p->io;
	TRY(place_remove_tree(io, p->releases, PLACE_RELEASE_GONE, e));
	if (io->rename(io->ctx, p->releases, id, p->releases, PLACE_RELEASE_GONE))
		return errno == ENOENT ? ST_OK : fail_errno(e, "%s: rename", id);
	/* Else a power cut could leave half of it under its name. */
	TRY(disk_sync(io, p->releases, "releases", e));
	return place_remove_tree(io, p->releases, PLACE_RELEASE_GONE, e);
}

/* What nobody finished. */
static st_t remove_unfinished(struct update_place *p, struct err *e)
{
	TRY(disk_remove(p->io, p->dir, DISK_NEW, e));
	TRY(disk_remove(p->io, p->dir, PLACE_LINK_NEW, e));
	TRY(place_remove_tree(p->io, p->releases, DISK_NEW, e));
	return place_remove_tree(p->io, p->releases, PLACE_RELEASE_GONE, e);
}

static bool is_listed(const struct update_state *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].id, id))
			return true;
	return false;
}

static st_t remove_all_unlisted(struct update_place *p, const struct update_state *s,
                                struct names *l, struct err *e)
{
	char current[UPDATE_ID_MAX];
	TRY(place_read_link(p, current, e));
	TRY(list_names(p->io, p->releases, l, e));
	for (size_t i = 0; i < l->n; i++)
		if (!is_listed(s, l->v[i]) && strcmp(l->v[i], current))
			TRY(place_remove_release(p, l->v[i], e));
	return ST_OK;
}

/* Releases that no record has: one that was put in place when the power went, before its record
 * was written, or one that was being removed. Where the record itself is missing or damaged nothing
 * is touched. */
static st_t remove_unlisted(struct update_place *p, struct err *e)
{
	struct update_state *s = malloc(sizeof *s);
	struct names *l = malloc(sizeof *l);
	struct buf text = {0};
	st_t st = s && l ? ST_OK : fail(e, ST_NOMEM, 0, "state: out of memory");
	/* Read as it is seen by all: what "current" leads to is taken up there. */
	if (st == ST_OK && disk_read(p->io, p->dir, "state", UPDATE_STATE_MAX, &text, NULL) == ST_OK &&
	    update_state_read(p, s, NULL) == ST_OK)
		st = remove_all_unlisted(p, s, l, e);
	buf_done(&text);
	free(s);
	free(l);
	return st;
}

static st_t make_folders(struct update_place *p, struct err *e)
{
	static const char *const names[] = {"tuf", "spool", "refused"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int fd = -1;
		TRY(disk_folder(p->io, p->dir, names[i], true, &fd, e));
		p->io->close(p->io->ctx, fd);
	}
	return disk_folder(p->io, p->dir, "releases", true, &p->releases, e);
}

static st_t lock(struct update_place *p, struct err *e)
{
	p->lock = p->io->open(p->io->ctx, p->dir, "lock", O_RDWR | O_CREAT, 0644);
	if (p->lock < 0)
		return fail_errno(e, "lock");
	if (p->io->lock(p->io->ctx, p->lock) == 0)
		return ST_OK;
	if (errno == EAGAIN || errno == EACCES)
		return fail(e, ST_CONFLICT, 0, "another update or rollback is at work here; wait until it "
		                               "has ended");
	return fail_errno(e, "lock");
}

static st_t open_writer(struct update_place *p, struct err *e)
{
	TRY(lock(p, e));
	TRY(make_folders(p, e));
	TRY(remove_unfinished(p, e));
	/* What is seen from here on stays: the last writer may have been killed before it waited. */
	TRY(disk_sync(p->io, p->releases, "releases", e));
	TRY(disk_sync(p->io, p->dir, "state", e));
	return remove_unlisted(p, e);
}

st_t update_place_open(const struct log_io *io, int dir_fd, bool writer, struct update_place **ret,
                       struct err *e)
{
	struct update_place *p = malloc(sizeof *p);
	if (!p)
		return fail(e, ST_NOMEM, 0, "state: out of memory");
	*p = (struct update_place){.io = io, .dir = dir_fd, .lock = -1, .releases = -1};
	st_t st = writer ? open_writer(p, e) : ST_OK;
	if (st == ST_OK)
		*ret = p;
	else
		update_place_free(p);
	return st;
}

void update_place_free(struct update_place *p)
{
	if (!p)
		return;
	if (p->releases >= 0)
		p->io->close(p->io->ctx, p->releases);
	if (p->lock >= 0)
		p->io->close(p->io->ctx, p->lock);
	free(p);
}
