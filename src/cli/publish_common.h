/* What the commands of `vitrine publish` that deal with metadata share: options, the repository and
 * its private folder, keys, and the last step: published if all have signed, else who must sign
 * what. They run as the user, and read the user's own files and what comes back from others of the
 * same publisher. */
#ifndef VITRINE_CLI_PUBLISH_COMMON_H
#define VITRINE_CLI_PUBLISH_COMMON_H

#include "cli/key_load.h"
#include "cli/log_place.h"
#include "publish/repo.h"

#define EXIT_STAGED 1 /* signatures are missing, nothing was published */

struct publish_cmd {
	bool help, json, terminating;
	const char *time, *private_dir, *out, *old, *delegator;
	uint32_t threshold, root_threshold, targets_threshold;
	struct str_list key, add, remove, online, path, root_key, targets_key, expires;
	struct key_pass_opts pass;
	/* Own. */
	const char *name; /* of the command, for messages */
	struct str_list args;
	int64_t now;
	struct log_place place;
	struct publish_repo *repo;
	struct loaded_key loaded[PUBLISH_KEYS_MAX];
	struct signer *signer[PUBLISH_KEYS_MAX];
	size_t nsigners;
};

/* Rows of a table of options. */
#define PUBLISH_LIST(o, m) {o, 0, OPT_LIST, 0, offsetof(struct publish_cmd, m), NULL}
#define PUBLISH_COUNT(o, m) {o, 0, OPT_COUNT, 0, offsetof(struct publish_cmd, m), NULL}
#define PUBLISH_TEXT(o, m) {o, 0, OPT_TEXT, 0, offsetof(struct publish_cmd, m), NULL}
#define PUBLISH_PASSPHRASES                              \
	KEY_PASS_OPTION_FILE(struct publish_cmd, pass),      \
	KEY_PASS_OPTION_FD(struct publish_cmd, pass)
#define PUBLISH_ALL                                                            \
	{"key", 'k', OPT_LIST, 0, offsetof(struct publish_cmd, key), NULL},        \
	PUBLISH_PASSPHRASES,                                                       \
	PUBLISH_COMMON
#define PUBLISH_COMMON                                                         \
	PUBLISH_TEXT("time", time), PUBLISH_TEXT("private", private_dir),          \
	{"json", 0, OPT_BOOL, 0, offsetof(struct publish_cmd, json), NULL},        \
	{"help", 'h', OPT_BOOL, 0, offsetof(struct publish_cmd, help), NULL}

/* Reads the command line, runs, says what went wrong, cleans up. `run` returns an exit code in
 * *ret_code where it is ST_OK. */
struct publish_command {
	const char *name, *usage;
	struct opt_table options;
	size_t min_args, max_args;
	st_t (*run)(struct publish_cmd *c, int *ret_code, struct err *e);
};
int publish_main(const struct publish_command *p, int argc, char **argv);

/* Opens the repository of args[0]. */
st_t publish_cmd_open(struct publish_cmd *c, struct err *e);

/* Opens private keys, each once. */
st_t publish_cmd_load(struct publish_cmd *c, const struct str_list *paths, struct err *e);

/* A public key: from a key file, a PEM file, a file with a vkey, or a vkey. ret_private: whether it
 * was a key file, so that it can sign. */
st_t publish_key_read(const char *where, struct attest_key *ret, bool *ret_private, struct err *e);

/* Adds them to a role. */
st_t publish_keys_read(const struct str_list *where, struct publish_role_keys *ret, struct err *e);

/* Of a list those that can sign. */
st_t publish_cmd_load_private(struct publish_cmd *c, const struct str_list *where, struct err *e);

/* Signs with what was loaded and with the online keys that the repository knows, and publishes; or
 * says who must sign. */
st_t publish_cmd_finish(struct publish_cmd *c, int *ret_code, struct err *e);

/* Where the online keys are: written by init, a path a line. */
st_t publish_online_write(struct publish_cmd *c, const struct str_list *paths, struct err *e);
st_t publish_online_load(struct publish_cmd *c, struct err *e);

/* What is published, as a line or an object. */
st_t publish_tell_published(struct publish_cmd *c, struct err *e);

#endif
