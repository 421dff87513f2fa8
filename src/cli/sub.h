/* Commands that only choose one of several: vitrine db, key, log. */
#ifndef VITRINE_CLI_SUB_H
#define VITRINE_CLI_SUB_H

#include <stddef.h>

struct sub {
	const char *name;
	int (*run)(int argc, char **argv);
};

struct sub_table {
	const struct sub *v;
	size_t n;
	const char *usage;
};

/* Runs the one that argv[1] names. --help prints the usage on stdout; without a name, or with
 * another one, it goes to stderr and the exit code is EXIT_ERROR. */
int sub_run(const struct sub_table *t, int argc, char **argv);

#endif
