/* A world for the tests of the monitor: a log, three witnesses, a publisher, two rebuilders, a
 * repository, a clock, all in memory, and everything that may go wrong with them. */
#ifndef VITRINE_TEST_MONITOR_WORLD_H
#define VITRINE_TEST_MONITOR_WORLD_H

#include "monitor/monitor.h"
#include "tlog/tile.h"
#include "net/fetch_fake.h"
#include "tlog_make.h"

#define WORLD_ENTRIES_MAX 3000
#define WORLD_ALERTS_MAX 512
#define WORLD_START 1800000000u

struct world_alert {
	enum alert_kind kind;
	enum alert_state state;
	char *json;
};

struct world {
	struct make_key log, w[3], stranger;
	struct signer *publisher, *rebuilder[2], *unknown;
	struct buf entry[WORLD_ENTRIES_MAX];
	struct tlog_hash leaf[WORLD_ENTRIES_MAX];
	uint32_t n;      /* entries that exist */
	uint64_t served; /* size of the tree whose tiles are served */
	struct buf note, wnote[3];
	bool down, tiles_down, wdown[3], repo_down;
	char broken[64];      /* path below the log that answers 404 */
	char spoiled[64];     /* path whose bytes are changed */
	struct {
		uint8_t sha256[32];
		uint8_t body[32];
		size_t n;
	} file[64];
	uint32_t nfiles;
	uint64_t now;
	struct fetch_fake *fake;
	struct fetch fetch;
	struct buf config_text;
	struct monitor_config cfg;
	struct monitor m;
	struct monitor_summary sum;
	struct world_alert alert[WORLD_ALERTS_MAX];
	uint32_t nalerts, nevidence, nunchecked;
	uint32_t lie;         /* this entry and its hash are served as another one; 0: none */
	struct buf lie_entry;
};

/* `extra`: further lines of the configuration. */
void world_init(struct world *w, const char *extra);
void world_done(struct world *w);

/* Entries. The release of file number k is a release of "file-k" with the digest of its content. */
void world_add(struct world *w, const void *p, size_t n);
void world_add_release(struct world *w, uint8_t file, const struct signer *by);
void world_add_rebuild(struct world *w, uint8_t file, const struct signer *by, bool passed);
void world_publish_file(struct world *w, uint8_t file, bool right);

/* A checkpoint of the first `size` entries, cosigned by the witnesses in the mask at that time. */
void world_sign(struct world *w, struct buf *out, uint64_t size, unsigned mask, uint64_t time);

/* The log shows all its entries, cosigned now by all three. */
void world_publish(struct world *w);

/* One step; state is written and read again in between, as in production. */
void world_step(struct world *w);

/* How many alerts of the kind were said in the last step; their lines are forgotten by the next. */
uint32_t world_said(const struct world *w, enum alert_kind k, enum alert_state s);

#endif
