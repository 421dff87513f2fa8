#include "cli/sub.h"

#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int sub_run(const struct sub_table *t, int argc, char **argv)
{
	const char *sub = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(sub, t->v[i].name))
			return t->v[i].run(argc - 1, argv + 1);
	if (!strcmp(sub, "--help") || !strcmp(sub, "-h")) {
		fputs(t->usage, stdout);
		return EXIT_CLEAN;
	}
	if (sub[0])
		say("%s: there is no '%s'", argv[0], sub);
	fputs(t->usage, stderr);
	return EXIT_ERROR;
}
