/* In which ways a file can come: as it is, compressed, as a delta. Cheapest first. */
#ifndef VITRINE_UPDATE_CHAIN_WAYS_H
#define VITRINE_UPDATE_CHAIN_WAYS_H

#include "update/chain_inside.h"

#define CHAIN_WAYS_MAX 3

struct chain_way {
	char what[64];            /* "main.vdb.zst" */
	struct tuf_target target; /* what is fetched; borrowed where `open` is NULL */
	uint64_t cost;            /* bytes that are still to come */
	bool is_delta;
	int old_fd;
	/* Makes the file of `size` bytes; NULL: it is the file. */
	st_t (*open)(const struct chain_way *w, int in_fd, uint64_t in_size, uint64_t size, int out_fd,
	             struct err *e);
};

struct chain_ways {
	struct chain_way v[CHAIN_WAYS_MAX];
	size_t n;
};

/* A file of the release. */
struct chain_wanted {
	const char *what;               /* "main.vdb" */
	const struct tuf_target *plain; /* where it is as it is */
	const struct chain_file *file;
	struct chain_file *packed; /* want_packed: what is left of the way */
	int old_fd;                /* what is installed; -1: nothing */
};

/* At least one: the plain one. Free with chain_ways_done() whatever the status. */
st_t chain_ways_find(struct chain *c, const struct chain_wanted *f, struct chain_ways *ret,
                     struct err *e);
void chain_ways_done(struct chain_ways *w);

#endif
