/* A file system for SQLite that lives in memory and loses power. Each file has what programs see
 * and what is on the disk; a sync makes the second the first. At call N of those that change
 * something (write, sync, truncate, delete, create) the world stops: that call and all later ones
 * fail and change nothing. After crash_reboot() programs see what a disk might hold then.
 *
 * Not modelled: syncs that lie. Only for one connection at a time. */
#ifndef VITRINE_TEST_CRASH_VFS_H
#define VITRINE_TEST_CRASH_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define CRASH_VFS "crash"

enum crash_loss {
	CRASH_LOSE_ALL,  /* whatever was not synced is gone: power cut */
	CRASH_LOSE_NONE, /* everything is there: kill -9 */
	CRASH_TORN,      /* sectors of unsynced writes are there or not, in any mix */
	CRASH_LOSSES,
};

void crash_register(void);

/* An empty disk. stop_at: number of the call that does not happen any more; 0: never. */
void crash_reset(uint64_t stop_at);

bool crash_stopped(void);
uint64_t crash_calls(void);

/* Power is back; nothing stops any more unless stop_at says so again. */
void crash_reboot(enum crash_loss loss, uint64_t *seed, uint64_t stop_at);

/* Overwrites a byte on the disk; false if there is no such file or byte. */
bool crash_flip(const char *name, uint64_t at);

bool crash_exists(const char *name);

#endif
