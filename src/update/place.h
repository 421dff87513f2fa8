/* The folder of a set, for the files of src/update that change it. */
#ifndef VITRINE_UPDATE_PLACE_H
#define VITRINE_UPDATE_PLACE_H

#include "update/disk.h"
#include "update/state.h"

#define PLACE_LINK "current"
#define PLACE_LINK_NEW ".current"
#define PLACE_RELEASE_GONE ".gone" /* what is being removed */
#define PLACE_VDB "main.vdb"
#define PLACE_PATH_MAX 320 /* "releases/", an ID or name, a name */

struct update_place {
	const struct log_io *io;
	int dir;
	int lock, releases; /* a writer's; -1 */
};

/* Removes a folder of files. ST_OK also if there is none. */
st_t place_remove_tree(const struct log_io *io, int dir, const char *name, struct err *e);

/* Takes a release away: from one moment to the next, then file by file. */
st_t place_remove_release(struct update_place *p, const char *id, struct err *e);

/* The ID that "current" leads to; "" if there is no link. */
st_t place_read_link(const struct update_place *p, char ret[UPDATE_ID_MAX], struct err *e);

/* Whether a release's database is there. */
st_t place_has_release(const struct update_place *p, const char *id, bool *ret, struct err *e);

/* A release that is on the disk and in no record: adds it with these flags, unless its database is
 * not the one that its name says. */
st_t place_take_up(const struct update_place *p, const char *id, uint32_t flags,
                   struct update_state *s, struct err *e);

/* Inserts by version, and keeps `current`. There must be room. The index. */
size_t place_insert(struct update_state *s, const struct update_release *r);
void place_delete(struct update_state *s, size_t i);

/* Later than any before, whatever the clock says. */
int64_t place_next_activation(const struct update_state *s, int64_t now);

#endif
