/* Command lines, read by a table: long options with unique abbreviations, bundled letters, options
 * anywhere between the arguments, "--" ends them. The caller words the errors, because the
 * look-alike must use clamscan's. */
#ifndef VITRINE_CLI_OPTS_H
#define VITRINE_CLI_OPTS_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing list of borrowed strings. */
struct str_list {
	const char **v;
	size_t n, cap;
};
void str_list_done(struct str_list *l);
st_t str_list_add(struct str_list *l, const char *s);

enum opt_kind {
	OPT_BOOL,   /* bool: --x, --x=yes|no|true|false|1|0 */
	OPT_COUNT,  /* uint32_t: decimal digits */
	OPT_SIZE,   /* uint64_t: decimal digits and K, M or G */
	OPT_TEXT,   /* const char *: the last one counts */
	OPT_LIST,   /* struct str_list: each one counts */
	OPT_CHOICE, /* const char *: one of `choices`, separated by | */
};

/* For an option that is accepted but does nothing here: which value deserves a warning. */
enum opt_warn {
	OPT_WARN_NEVER,
	OPT_WARN_YES, /* bool: when switched on */
	OPT_WARN_ANY, /* whenever it is given */
};

#define OPT_NOWHERE SIZE_MAX

struct opt {
	const char *name;
	char letter; /* 0: none */
	uint8_t kind;
	uint8_t warn;
	size_t off; /* of the field in the caller's structure, or OPT_NOWHERE */
	const char *choices;
};

enum opt_problem {
	OPT_FINE,
	OPT_UNKNOWN,
	OPT_AMBIGUOUS,
	OPT_NO_VALUE,
	OPT_BAD_VALUE,
	OPT_MEMORY,
};

struct opt_error {
	enum opt_problem what;
	bool is_letter;        /* it was given as a letter */
	char letter;
	const char *text;      /* the long option as given, without dashes and value */
	const struct opt *opt; /* where it is known which */
};

struct opt_table {
	const struct opt *v;
	size_t n;
};

/* Reads argv[1..argc) into the structure `into`. args and warned (names of options that had no
 * effect) get strings of argv and of the table. Returns false and fills ret_error if it fails. */
bool opts_read(const struct opt_table *table, int argc, char **argv, void *into,
               struct str_list *args, struct str_list *warned, struct opt_error *ret_error);

/* A subcommand of `vitrine` from its command line to its exit code: reads the options into `into`,
 * says what is wrong with them, shows the usage where --help (a bool of the table) is set, or runs,
 * which returns the exit code. Lists in `into` stay the caller's. */
struct opts_command {
	const char *name, *usage;
	struct opt_table options;
	int (*run)(void *into, const struct str_list *args);
};
int opts_run(const struct opts_command *c, int argc, char **argv, void *into);

/* Words an error for `vitrine`: written to stderr with the name of the subcommand. */
void opts_say(const struct opt_error *error, const char *command);

#endif
