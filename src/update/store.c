/* The store of trusted metadata: files in "tuf/" and, below it, "roots/". A put is a file that is
 * written aside, synced and renamed, so that after a power cut there is the old one or the new one.
 *
 * Names come from delegated roles, so from the network: what is not plainly the name of a file is
 * refused.
 *
 * Runs in vitrine-verifier: no path leaves the folder that was handed over. */
#include "update/disk.h"
#include "update/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOTS "roots/"

/* Longest name of a file, everywhere. */
#define STORE_NAME_MAX 255

struct update_store {
	const struct log_io *io;
	int dir, roots; /* roots: -1 until one is put */
};

/* Visible ASCII without what means something to file systems. A role may be called "../role": its
 * file is "..%2Frole.json", a name like others. */
static bool file_name_good(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > STORE_NAME_MAX)
		return false;
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0 || strcmp(s, DISK_NEW) == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f || s[i] == '/' || s[i] == '\\')
			return false;
	return true;
}

static bool is_root(const char *name)
{
	return strncmp(name, ROOTS, strlen(ROOTS)) == 0;
}

static st_t check_name(const char *name, struct err *e)
{
	const char *file = is_root(name) ? name + strlen(ROOTS) : name;
	if (file_name_good(file) && strcmp(file, "roots"))
		return ST_OK;
	return fail(e, ST_MALFORMED, 0, "store: this cannot be the name of a file: %.100s", name);
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	struct update_store *s = ctx;
	TRY(check_name(name, e));
	return disk_read(s->io, s->dir, name, max, ret, e);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct update_store *s = ctx;
	TRY(check_name(name, e));
	if (!is_root(name))
		return disk_put(s->io, s->dir, s->dir, name, bytes, e);
	if (s->roots < 0)
		TRY(disk_folder(s->io, s->dir, "roots", true, &s->roots, e));
	return disk_put(s->io, s->dir, s->roots, name + strlen(ROOTS), bytes, e);
}

static st_t store_remove(void *ctx, const char *name, struct err *e)
{
	struct update_store *s = ctx;
	TRY(check_name(name, e));
	TRY(disk_remove(s->io, s->dir, name, e));
	/* TUF 5.3.11 removes after fast-forward attacks: it must not come back. That of a root is
	 * not durable; nothing rests on it. */
	return is_root(name) ? ST_OK : disk_sync(s->io, s->dir, name, e);
}

st_t update_store_open(const struct log_io *io, int dir_fd, struct update_store **ret,
                       struct tuf_store *ret_store, struct err *e)
{
	TRY(disk_remove(io, dir_fd, DISK_NEW, e));
	/* Names that are seen now are not lost by a later power cut. */
	TRY(disk_sync(io, dir_fd, "store", e));
	struct update_store *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "store: out of memory");
	*s = (struct update_store){.io = io, .dir = dir_fd, .roots = -1};
	*ret_store = (struct tuf_store){
		.get = store_get, .put = store_put, .remove = store_remove, .ctx = s};
	*ret = s;
	return ST_OK;
}

void update_store_free(struct update_store *s)
{
	if (!s)
		return;
	if (s->roots >= 0)
		s->io->close(s->io->ctx, s->roots);
	free(s);
}
