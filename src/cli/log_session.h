/* A log that is being written by a command: key, witnesses, jail, store and writer. */
#ifndef VITRINE_CLI_LOG_SESSION_H
#define VITRINE_CLI_LOG_SESSION_H

#include "cli/key_load.h"
#include "cli/log_place.h"
#include "log/cosign.h"
#include "proc/broker/fetcher.h"

struct log_session {
	struct log_place *place;
	struct loaded_key key;
	struct fetcher *fetcher; /* NULL: no witness has a URL */
	struct fetch fetch;
	struct log_witnesses witnesses;
	struct log_cosigners cosigners;
	struct log_writer_opts o;
};

struct log_session_opts {
	const char *key; /* where it is (key_load()) */
	const struct key_pass_opts *pass;
	const struct note_key *expect; /* NULL: any key of a log */
	const struct policy *policy;   /* NULL: none */
	const char *ca_file;           /* for witnesses by https; NULL: the system's */
	int out_dir;                   /* a further folder to write to, or -1 */
};

/* ST_UNSUPPORTED: not a key that a log can sign with. `path` is where it is, for the message. */
st_t log_key_check(const char *path, enum keyfile_kind kind, const struct note_key *key,
                   struct err *e);

/* Loads the key, starts the fetcher where witnesses have to be asked, enters the jail for good
 * (ROLE_LOG_WRITE) and opens the store. From then on only the log's two folders and out_dir can be
 * reached. `ret` must stay where it is. */
st_t log_session_open(struct log_place *place, const struct log_session_opts *o,
                      struct log_session *ret, struct err *e);
void log_session_done(struct log_session *s);

/* Says on stderr who of the witnesses did not cosign the checkpoint that was published last, and
 * why. */
void log_session_warn(const struct log_session *s);

#endif
