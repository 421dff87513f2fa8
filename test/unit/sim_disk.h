/* A disk that loses power: struct log_io in memory. What was written and what is durable are kept
 * apart, file by file and name by name, more strictly than any file system is:
 *
 * - a file's bytes are durable after sync of the file, its name after sync of the folder;
 * - a power cut may keep, lose or tear each of the others, independently of all else;
 * - only a rename is one step: a name points to the old file or to the new one, and a folder has
 *   one name. */
#ifndef VITRINE_TEST_SIM_DISK_H
#define VITRINE_TEST_SIM_DISK_H

#include "log/io.h"

#include <stdbool.h>

#define SIM_PUBLIC 0 /* descriptors of the two folders */
#define SIM_PRIVATE 1
#define SIM_FDS 256
#define SIM_HISTORY 6

struct sim_name {
	char *name;
	int now, durable;        /* node, or -1 */
	int was[SIM_HISTORY];    /* since the folder was synced */
	size_t nwas;
};

struct sim_node {
	bool dir;
	char *link;             /* of a symbolic link: what it says. Whole as soon as it has a name */
	uint8_t *now, *durable; /* of a file */
	size_t size, cap, durable_size;
	struct sim_name *names; /* of a folder */
	size_t nnames;
};

struct sim_disk {
	struct log_io io;
	struct sim_node **node; /* 0: public, 1: private */
	size_t nnodes;
	int fd[SIM_FDS]; /* node, or -1 */
	uint64_t calls;  /* that change something */
	uint64_t stop;   /* at this one the world stops: it and all later ones fail; 0: never */
	uint64_t fault;  /* only this one fails; 0: none */
	uint64_t full;   /* from this one on the disk is full: what needs room fails (ENOSPC), a write
	                  * after half of its bytes; 0: never */
	bool stopped;
	/* Called after each rename, with the new name: what readers can see. */
	void (*seen)(void *arg, struct sim_disk *d, const char *name);
	void *seen_arg;
};

enum sim_crash {
	SIM_KILLED,  /* the process only: everything written is still there, durable or not */
	SIM_DURABLE, /* nothing else survives */
	SIM_ALL,     /* everything survives */
	SIM_NAMES,   /* names survive, unsynced bytes do not */
	SIM_BYTES,   /* bytes survive, unsynced names do not */
	SIM_RANDOM,  /* any mixture, torn files too */
};

struct sim_disk *sim_new(void);
void sim_free(struct sim_disk *d);

/* The disk as it is found afterwards. */
struct sim_disk *sim_crash(const struct sim_disk *d, enum sim_crash how, uint64_t seed);

/* What a symbolic link says, or NULL. */
const char *sim_link(const struct sim_disk *d, int root, const char *path);

/* Bytes of a file that can be read now, or NULL. */
const uint8_t *sim_file(const struct sim_disk *d, int root, const char *path, size_t *ret_n);

#endif
