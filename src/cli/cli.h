/* What every front end of the program shares: exit codes, version, subcommands. */
#ifndef VITRINE_CLI_CLI_H
#define VITRINE_CLI_CLI_H

#include "base/st.h"

enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_FOUND = 1,
	EXIT_ERROR = 2, /* an error, or something that was not fully scanned */
};

/* Each gets its own name in argv[0] and returns an exit code. */
int cmd_scan(int argc, char **argv);
int cmd_db(int argc, char **argv);
int cmd_db_build(int argc, char **argv);
int cmd_db_info(int argc, char **argv);
int cmd_db_list(int argc, char **argv);
int cmd_db_explain(int argc, char **argv);
int cmd_db_diff(int argc, char **argv);
int cmd_db_test(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_bundle(int argc, char **argv);
int cmd_bundle_make(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_key_new(int argc, char **argv);
int cmd_key_import(int argc, char **argv);
int cmd_key_show(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_log_init(int argc, char **argv);
int cmd_log_add(int argc, char **argv);
int cmd_log_serve(int argc, char **argv);
int cmd_log_check(int argc, char **argv);
int cmd_log_verify(int argc, char **argv);
int cmd_publish(int argc, char **argv);
int cmd_publish_init(int argc, char **argv);
int cmd_publish_sign(int argc, char **argv);
int cmd_publish_commit(int argc, char **argv);
int cmd_publish_timestamp(int argc, char **argv);
int cmd_publish_prune(int argc, char **argv);
int cmd_publish_renew(int argc, char **argv);
int cmd_publish_rotate(int argc, char **argv);
int cmd_publish_delegate(int argc, char **argv);
int cmd_witness(int argc, char **argv);
int cmd_attest(int argc, char **argv);
int cmd_publish_release(int argc, char **argv);
int cmd_publish_import(int argc, char **argv);
int cmd_publish_evidence(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* The clamscan look-alike: argv[0] is whatever name the program was called by. */
int clamscan_main(int argc, char **argv);

/* The sigtool look-alike; exit codes are sigtool's: 0 or 1. */
int sigtool_main(int argc, char **argv);

/* Writes "vitrine: TEXT" to stderr, escaped. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same for an error record. */
void say_error(const struct err *e, st_t st);

/* Lifts the soft limit of open files to the hard one: a walk and a quarantine keep many open. */
void raise_file_limit(void);

#endif
