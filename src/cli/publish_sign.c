/* vitrine publish sign: one signature on a staged file, on a machine of its own.
 *
 * The file comes from elsewhere. A child in a jail takes it apart first and says what it is; a file
 * that it does not read to its end is not signed, nor is a key opened. Then the same bytes are read
 * by the same code once more beside the key: what is signed has to be what was said, and only who
 * has the key can see to that. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/publish_apart.h"
#include "cli/publish_common.h"
#include "cli/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const struct opt options[] = {
	PUBLISH_OPT("output", 'o', OPT_TEXT, out),
	PUBLISH_TEXT("old", old),
	PUBLISH_OPT("key", 'k', OPT_LIST, key),
	PUBLISH_PASSPHRASES,
	PUBLISH_HELP,
};

static const char usage[] =
	"Usage: vitrine publish sign FILE [--key K] [--old FILE] [-o OUT]\n"
	"                            [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Says in words what a staged file is (role, version, expiry, keys, paths with their digests;\n"
	"of a DSSE envelope the statement in it) and adds one signature, in place of an older one of\n"
	"the same key. Needs no repository: take the file to the machine that has the key, and its\n"
	"result back for 'publish commit'. A key that the file does not name as a signer is refused.\n"
	"Without --key nothing is signed.\n"
	"\n"
	"  --old FILE  what was published before: only what changed is listed\n"
	"  -o OUT      where the result goes; usual: FILE\n"
	"\n"
	"Exit code: 0 signed (or shown), 2 an error, nothing written.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish sign targets.json --old 7.targets.json\n"
	"  vitrine publish sign targets.json --key anna.key -o anna.targets.json\n";

static st_t describe(struct rd in, struct rd old, struct err *e)
{
	struct buf words = {0};
	st_t st = publish_apart_describe(in, old, &words, e);
	if (st == ST_OK)
		text_put_answer(stdout, (const char *)words.data, words.len, false);
	buf_done(&words);
	return st;
}

static st_t add_signature(struct publish_cmd *c, struct rd in, struct err *e)
{
	struct buf out = {0}, words = {0};
	/* What is signed is on the screen before a passphrase is asked for. */
	if (fflush(stdout))
		return fail_errno(e, "stdout");
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	st_t st = publish_sign_file(in, c->ring.signer[0], &out, &words, e);
	if (st == ST_OK)
		st = file_replace(c->out ? c->out : c->args.v[0], &out, e);
	buf_done(&out);
	buf_done(&words);
	return st;
}

static st_t sign(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct buf in = {0}, old = {0};
	if (c->key.n > 1)
		return fail(e, ST_LIMIT, 0, "one key at a time");
	st_t st = log_read_file(AT_FDCWD, c->args.v[0], TUF_TARGETS_MAX, &in, e);
	if (st == ST_OK && c->old)
		st = log_read_file(AT_FDCWD, c->old, TUF_TARGETS_MAX, &old, e);
	struct rd bytes = rd_make(in.data, in.len);
	if (st == ST_OK)
		st = describe(bytes, rd_make(old.data, old.len), e);
	if (st == ST_OK && c->key.n)
		st = add_signature(c, bytes, e);
	if (st == ST_OK && c->key.n)
		say("signed: %s", c->out ? c->out : c->args.v[0]);
	buf_done(&in);
	buf_done(&old);
	*ret_code = EXIT_CLEAN;
	return st;
}

int cmd_publish_sign(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish sign", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1, .run = sign};
	return publish_main(&p, argc, argv);
}
