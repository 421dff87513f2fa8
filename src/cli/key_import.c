/* vitrine key import: a private key as Go's signed-note package writes it, to a key file. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/key_load.h"
#include "cli/key_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct opt options[] = {
    {"for", 0, OPT_CHOICE, 0, offsetof(struct key_write, kind), "log|witness|note|publisher"},
    KEY_PASS_OPTION_FILE(struct key_write, pass),
    KEY_PASS_OPTION_FD(struct key_write, pass),
    {"no-passphrase", 0, OPT_BOOL, 0, offsetof(struct key_write, no_passphrase), NULL},
    {"output", 'o', OPT_TEXT, 0, offsetof(struct key_write, out), NULL},
    {"help", 'h', OPT_BOOL, 0, offsetof(struct key_write, help), NULL},
};

static const char usage[] =
    "Usage: vitrine key import [--for log|witness|note|publisher]\n"
    "                          [--passphrase-file FILE|--passphrase-fd N|--no-passphrase]\n"
    "                          -o FILE [FILE]\n"
    "\n"
    "Reads a private key as golang.org/x/mod/sumdb/note and its many users write it\n"
    "(PRIVATE+KEY+NAME+ID+KEY, Ed25519) from a file or stdin, writes it to a new, encrypted key\n"
    "file under the same name, and prints its vkey. With --for witness the same key becomes one\n"
    "for cosignatures, with another key ID. The passphrase is the one of the new file.\n"
    "\n"
    "Exit code: 0 written, 2 not written.\n"
    "\n"
    "Examples:\n"
    "  vitrine key import -o log.key log.skey\n"
    "  pass show log | vitrine key import --for witness --passphrase-file pw -o w.key\n";

static st_t read_text(const char *path, struct secret *ret, struct err *e)
{
	struct err why = {0};
	bool given = path && strcmp(path, "-");
	AUTO_FD fd = given ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
	                   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	const char *what = given ? path : "stdin";
	if (fd < 0)
		return fail_errno(e, "%s", what);
	st_t st = key_read_all(fd, KEYFILE_SIZE_MAX, ret, &why);
	return st == ST_OK ? st : fail(e, st, 0, "%s: %s", what, why.text);
}

static st_t import(const struct key_write *w, const char *path, struct err *e)
{
	char name[NOTE_NAME_MAX + 1];
	uint8_t seed[KEYFILE_SEED];
	struct secret text;
	key_protect_process();
	TRY(read_text(path, &text, e));
	st_t st = keyfile_parse_go(rd_make(text.data, text.len), name, seed, e);
	secret_done(&text);
	if (st == ST_OK)
		st = key_write(w, name, seed, e);
	secret_clean(seed, sizeof seed);
	return st;
}

static int run(const struct key_write *w, const struct str_list *args)
{
	struct err e = {0};
	if (args->n > 1) {
		say("key import: '%s' is too much; try 'vitrine key import --help'", args->v[1]);
		return EXIT_ERROR;
	}
	if (!key_write_check("key import", w))
		return EXIT_ERROR;
	st_t st = import(w, args->n ? args->v[0] : NULL, &e);
	if (st != ST_OK)
		say_error(&e, st);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct key_write *w = into;
	return run(w, args);
}

int cmd_key_import(int argc, char **argv)
{
	static const struct opts_command command = {
	    "key import", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct key_write o = {0};
	return opts_run(&command, argc, argv, &o);
}
