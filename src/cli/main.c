/* vitrine: one program, git-like. Runs as the broker: it opens what the user names and reads none
 * of it; called as clamscan or sigtool (by a link) it is the look-alike. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *does;
};

static const struct command commands[] = {
    {"scan", cmd_scan, "scan files and folders"},
    {"update", cmd_update, "fetch signatures that prove themselves, hold and approve them"},
    {"bundle", cmd_bundle, "updates as one file, for hosts without a network"},
    {"rollback", cmd_rollback, "go back to an earlier release of signatures"},
    {"verify", cmd_verify, "show the evidence of what is installed"},
    {"db", cmd_db, "build, explain, compare and try signature databases"},
    {"key", cmd_key, "make and show keys of logs and witnesses"},
    {"log", cmd_log, "make, extend and check transparency logs"},
    {"witness", cmd_witness, "cosign the checkpoints of logs"},
    {"publish", cmd_publish, "make and sign a repository of updates"},
    {"attest", cmd_attest, "sign a rebuilder's verdict about files"},
    {"monitor", cmd_monitor, "watch transparency logs and their witnesses"},
    {"help", cmd_help, "show this, or the help of a command"},
    {"version", cmd_version, "show the version"},
};
#define NCOMMANDS (sizeof commands / sizeof commands[0])

void raise_file_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	(void)!setrlimit(RLIMIT_NOFILE, &r);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

static void put_overview(FILE *f)
{
	fputs("Usage: vitrine COMMAND [OPTIONS] ...\n\n"
	      "A malware scanner behind glass: files are read only in a jail.\n\nCommands:\n",
	      f);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].does);
	fputs("\nExamples:\n"
	      "  vitrine scan ~/Downloads\n"
	      "  vitrine scan --json --database rules.ndb /srv/files\n"
	      "  vitrine db build -o all.vdb /var/lib/clamav\n\n"
	      "'vitrine COMMAND --help' explains a command. Called as clamscan, the program takes\n"
	      "clamscan's options.\n",
	      f);
}

int cmd_help(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find_command(argv[1]) : NULL;
	if (!c || c->run == cmd_help || c->run == cmd_version) {
		put_overview(stdout);
		return EXIT_CLEAN;
	}
	char name[16], option[] = "--help";
	snprintf(name, sizeof name, "%s", c->name);
	char *args[] = {name, option, NULL};
	return c->run(2, args);
}

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("vitrine " VITRINE_VERSION);
	return EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc ? argv[0] : "vitrine";
	raise_file_limit();
	if (!strcmp(name, "clamscan"))
		return clamscan_main(argc, argv);
	if (!strcmp(name, "sigtool"))
		return sigtool_main(argc, argv);
	if (argc < 2) {
		put_overview(stderr);
		return EXIT_ERROR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(1, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return cmd_version(1, argv);
	const struct command *c = find_command(argv[1]);
	if (c)
		return c->run(argc - 1, argv + 1);
	say("unknown command '%s'; try 'vitrine --help'", argv[1]);
	return EXIT_ERROR;
}
