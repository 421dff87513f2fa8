/* vitrine log init: makes an empty log. */
#include "cli/cli.h"
#include "cli/log_session.h"
#include "cli/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct init {
	const char *key, *private_dir, *policy;
	bool help;
	struct key_pass_opts pass;
};

static const struct opt options[] = {
	{"key", 'k', OPT_TEXT, 0, offsetof(struct init, key), NULL},
	{"private", 0, OPT_TEXT, 0, offsetof(struct init, private_dir), NULL},
	{"policy", 0, OPT_TEXT, 0, offsetof(struct init, policy), NULL},
	KEY_PASS_OPTION_FILE(struct init, pass),
	KEY_PASS_OPTION_FD(struct init, pass),
	{"help", 'h', OPT_BOOL, 0, offsetof(struct init, help), NULL},
};

static const char usage[] =
	"Usage: vitrine log init DIR --key KEYFILE [--policy FILE] [--private DIR2]\n"
	"                        [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Makes an empty transparency log (C2SP tlog-tiles) and prints its vkey, which others put into\n"
	"their policies. DIR has what is public and nothing else: any web server or object store can\n"
	"serve it, rsync can copy it. State, lock and configuration are in DIR.private (or DIR2),\n"
	"which must not be served. A log must not go on from a backup that is older than the last\n"
	"checkpoint that it published: doc/log.md says how to make and restore one.\n"
	"\n"
	"  --key KEYFILE  made by 'vitrine key new --for log'; its name is the log's origin. Where it\n"
	"                 is, is noted for 'log add'; the key itself is not copied\n"
	"  --policy FILE  witnesses that have to cosign a checkpoint before it is published (C2SP\n"
	"                 tlog-policy); a copy is kept. With it nothing is published before the first\n"
	"                 entries are, without it the empty checkpoint is\n"
	"\n"
	"Exit code: 0 made, 2 not made. An attempt that was interrupted can be repeated.\n"
	"\n"
	"Examples:\n"
	"  vitrine key new --name example.com/log -o log.key\n"
	"  vitrine log init /srv/log --key log.key\n"
	"  vitrine log init /srv/log --key log.key --policy witnesses.policy\n";

/* The policy of a log may leave out the log itself; if it names logs, this one must be there. */
static st_t check_policy(const struct policy *p, const struct note_key *k, struct err *e)
{
	bool named = p->nlogs == 0;
	for (size_t i = 0; i < p->nlogs; i++)
		named = named || note_key_equal(&p->logs[i].key, k);
	if (!named)
		return fail(e, ST_CONFLICT, 0, "policy: none of its logs is this one, %.80s+%08x", k->name,
		            (unsigned)k->id);
	return ST_OK;
}

static st_t read_policy(const char *path, struct buf *ret_text, struct policy **ret, struct err *e)
{
	struct err why = {0};
	if (!path)
		return ST_OK;
	st_t st = log_read_file(AT_FDCWD, path, POLICY_SIZE_MAX, ret_text, e);
	if (st == ST_OK)
		st = policy_parse(rd_make(ret_text->data, ret_text->len), ret, &why);
	return st == ST_OK ? st : fail(e, st, why.off, "%.80s: %.160s", path, why.text);
}

/* What is public of the key, without a passphrase. */
static st_t read_public(const char *path, struct note_key *ret, struct err *e)
{
	struct secret file;
	struct keyfile k;
	TRY(key_read(path, &file, &k, e));
	st_t st = log_key_check(path, k.kind, &k.key, e);
	if (st == ST_OK)
		*ret = k.key;
	secret_done(&file);
	return st;
}

/* A log whose private folder was lost must not begin anew. */
static st_t check_not_lost(const struct log_place *p, struct err *e)
{
	bool config = faccessat(p->private_fd, "config", F_OK, 0) == 0;
	bool public = faccessat(p->dir_fd, LOG_CHECKPOINT, F_OK, 0) == 0 ||
	              faccessat(p->dir_fd, "tile", F_OK, 0) == 0;
	if (config || !public)
		return ST_OK;
	(void)rmdir(p->private_dir); /* if it was made just now */
	return fail(e, ST_CONFLICT, 0,
	            "%.120s: there is a log already, but not its private folder: restore that", p->dir);
}

/* What can be refused before anything is made. */
static st_t prepare(const struct init *o, struct buf *policy_text, struct policy **ret_policy,
                    struct note_key *ret_key, struct err *e)
{
	TRY(read_public(o->key, ret_key, e));
	TRY(read_policy(o->policy, policy_text, ret_policy, e));
	return *ret_policy ? check_policy(*ret_policy, ret_key, e) : ST_OK;
}

static st_t make(const struct init *o, struct log_place *place, const struct policy *policy,
                 struct rd text, const struct note_key *key, struct err *e)
{
	char key_path[PATH_MAX];
	struct log_session s;
	TRY(check_not_lost(place, e));
	if (!realpath(o->key, key_path))
		return fail_errno(e, "%s", o->key);
	TRY(log_config_write(place, key, key_path, text, e));
	const struct log_session_opts so = {
		.key = o->key, .pass = &o->pass, .expect = key, .policy = policy, .out_dir = -1};
	st_t st = log_session_open(place, &so, &s, e);
	if (st == ST_OK)
		st = log_writer_create(&s.o, e);
	log_session_done(&s);
	return st;
}

static int init(const struct init *o, const char *dir)
{
	struct err e = {0};
	struct log_place place = {.dir_fd = -1, .private_fd = -1};
	struct policy *policy = NULL;
	struct buf text = {0}, vkey = {0};
	struct note_key key;
	st_t st = prepare(o, &text, &policy, &key, &e);
	if (st == ST_OK)
		st = log_place_open(dir, o->private_dir, true, &place, &e);
	if (st == ST_OK)
		st = make(o, &place, policy, rd_make(text.data, text.len), &key, &e);
	if (st == ST_OK) {
		note_key_format(&key, &vkey);
		buf_u8(&vkey, 0);
		text_put(stdout, (const char *)vkey.data, TEXT_CLAMSCAN);
		putchar('\n');
	} else {
		say_error(&e, st);
	}
	log_place_done(&place);
	policy_free(policy);
	buf_done(&text);
	buf_done(&vkey);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct init *o = into;
	if (args->n != 1 || !o->key) {
		say("log init: one folder and a key (--key KEYFILE) are needed; try 'vitrine log init "
		    "--help'");
		return EXIT_ERROR;
	}
	return init(o, args->v[0]);
}

int cmd_log_init(int argc, char **argv)
{
	static const struct opts_command command = {
	    "log init", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct init o = {0};
	return opts_run(&command, argc, argv, &o);
}
