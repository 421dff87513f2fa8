/* vitrine key new: makes a private key and writes it to a file. */
#include "cli/cli.h"
#include "cli/key_write.h"

#include <stdio.h>

static const struct opt options[] = {
    {"name", 0, OPT_TEXT, 0, offsetof(struct key_write, name), NULL},
    {"for", 0, OPT_CHOICE, 0, offsetof(struct key_write, kind), "log|witness|note|publisher"},
    {"algorithm", 0, OPT_CHOICE, 0, offsetof(struct key_write, algorithm), "ed25519|ml-dsa-44"},
    KEY_PASS_OPTION_FILE(struct key_write, pass),
    KEY_PASS_OPTION_FD(struct key_write, pass),
    {"no-passphrase", 0, OPT_BOOL, 0, offsetof(struct key_write, no_passphrase), NULL},
    {"output", 'o', OPT_TEXT, 0, offsetof(struct key_write, out), NULL},
    {"help", 'h', OPT_BOOL, 0, offsetof(struct key_write, help), NULL},
};

static const char usage[] =
    "Usage: vitrine key new --name NAME [--for log|witness|note|publisher]\n"
    "                       [--algorithm ed25519|ml-dsa-44]\n"
    "                       [--passphrase-file FILE|--passphrase-fd N|--no-passphrase] -o FILE\n"
    "\n"
    "Makes a private key, writes it to a new file, encrypted with a passphrase, and prints its\n"
    "public half, the vkey that others put into their policies. The passphrase is asked for on\n"
    "the terminal, twice, or is the one line of a file. --no-passphrase leaves the key\n"
    "unencrypted: for an encrypted credential of systemd, or a test.\n"
    "\n"
    "  --name NAME   of the key: for a log its origin, a URL without scheme is usual\n"
    "  --for KIND    what it signs: checkpoints of a log (usual), cosignatures of a witness,\n"
    "                any note, or metadata and statements of a publisher. A key is for one of\n"
    "                them: cosignatures do not say whose they are, so a witness needs a key that\n"
    "                signs nothing else\n"
    "\n"
    "Exit code: 0 written, 2 not written.\n"
    "\n"
    "Examples:\n"
    "  vitrine key new --name example.com/log -o log.key\n"
    "  vitrine key new --name w1.example.org --for witness --passphrase-file /etc/pw -o w1.key\n";

static int make(const struct key_write *w)
{
	struct err e = {0};
	if (!w->name) {
		say("key new: a name (--name NAME) is needed; try 'vitrine key new --help'");
		return EXIT_ERROR;
	}
	if (!key_write_check("key new", w))
		return EXIT_ERROR;
	st_t st = key_write(w, w->name, NULL, &e);
	if (st != ST_OK)
		say_error(&e, st);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct key_write *w = into;
	if (args->n) {
		say("key new: '%s' is too much; try 'vitrine key new --help'", args->v[0]);
		return EXIT_ERROR;
	}
	return make(w);
}

int cmd_key_new(int argc, char **argv)
{
	static const struct opts_command command = {
	    "key new", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct key_write o = {0};
	return opts_run(&command, argc, argv, &o);
}
