/* What the commands of `vitrine publish` share: options, the repository and
 * its private folder, keys, and the last step: published if all have signed, else who must sign
 * what. They run as the user, and read the user's own files and what comes back from others of the
 * same publisher. */
#ifndef VITRINE_CLI_PUBLISH_COMMON_H
#define VITRINE_CLI_PUBLISH_COMMON_H

#include "cli/log_place.h"
#include "cli/publish_keys.h"
#include "cli/publish_log.h"

#define EXIT_STAGED 1 /* signatures are missing, nothing was published */

/* Every option that some of the commands have; each has those in its table. */
struct publish_cmd {
	bool help, json, quiet, terminating, pua, strict, again, dry;
	const char *time, *private_dir, *out, *old, *delegator, *set, *builder, *certs_dir,
		*proofs_age, *age;
	uint32_t threshold, root_threshold, targets_threshold, publisher_threshold;
	uint32_t publishers, version, deltas, keep;
	struct str_list key, add, remove, online, path, root_key, targets_key, publisher_key, expires,
		rebuild;
	struct publish_log_opts log;
	struct key_pass_opts pass;
	/* Own. */
	const char *name; /* of the command, for messages */
	struct str_list args;
	int64_t now;
	struct log_place place;
	struct publish_repo *repo;
	struct publish_ring ring; /* keys that sign at the end */
	struct buf online_text;
	struct str_list online_known; /* where the online keys are */
};

/* Rows of a table of options. */
#define PUBLISH_OPT(o, letter, kind, m) {o, letter, kind, 0, offsetof(struct publish_cmd, m), NULL}
#define PUBLISH_LIST(o, m) PUBLISH_OPT(o, 0, OPT_LIST, m)
#define PUBLISH_COUNT(o, m) PUBLISH_OPT(o, 0, OPT_COUNT, m)
#define PUBLISH_TEXT(o, m) PUBLISH_OPT(o, 0, OPT_TEXT, m)
#define PUBLISH_BOOL(o, m) PUBLISH_OPT(o, 0, OPT_BOOL, m)
#define PUBLISH_HELP PUBLISH_OPT("help", 'h', OPT_BOOL, help)
#define PUBLISH_PASSPHRASES                         \
	KEY_PASS_OPTION_FILE(struct publish_cmd, pass), \
	KEY_PASS_OPTION_FD(struct publish_cmd, pass)
/* Of all that open a repository. */
#define PUBLISH_COMMON                                                               \
	PUBLISH_LIST("online-key", online), PUBLISH_TEXT("time", time),                  \
	PUBLISH_TEXT("private", private_dir), PUBLISH_BOOL("json", json), PUBLISH_PASSPHRASES, \
	PUBLISH_HELP
/* Of those where people's keys may sign. */
#define PUBLISH_KEYED PUBLISH_OPT("key", 'k', OPT_LIST, key), PUBLISH_COMMON
/* Of those that write to the log. */
#define PUBLISH_LOGGED                                                           \
	PUBLISH_TEXT("log", log.dir), PUBLISH_TEXT("log-private", log.private_dir),  \
	PUBLISH_TEXT("log-key", log.key), PUBLISH_TEXT("ca-file", log.ca_file),      \
	PUBLISH_OPT("quiet", 'q', OPT_BOOL, quiet), PUBLISH_COMMON

/* Reads the command line, runs, says what went wrong, cleans up. `run` returns an exit code in
 * *ret_code where it is ST_OK. */
struct publish_command {
	const char *name, *usage;
	struct opt_table options;
	size_t min_args, max_args;
	st_t (*run)(struct publish_cmd *c, int *ret_code, struct err *e);
};
int publish_main(const struct publish_command *p, int argc, char **argv);

/* "12h", "365d": a number and s, m, h or d, above 0. */
bool publish_duration(const char *s, int64_t *ret);

/* Opens the repository of args[0]. */
st_t publish_cmd_open(struct publish_cmd *c, struct err *e);

/* Signs with what was loaded and with the online keys that the repository knows, and publishes; or
 * says who must sign. */
st_t publish_cmd_finish(struct publish_cmd *c, int *ret_code, struct err *e);

/* Where the online keys are: written by init, a path a line. */
st_t publish_online_write(struct publish_cmd *c, const struct str_list *paths, struct err *e);

/* Those that --online-key names, else those that were written. Loads them, or looks at them without
 * a passphrase. */
st_t publish_online_load(struct publish_cmd *c, struct err *e);
st_t publish_online_check(struct publish_cmd *c, struct err *e);

/* What is published, as a line or an object. */
st_t publish_tell_published(struct publish_cmd *c, struct err *e);

#endif
