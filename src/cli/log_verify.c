/* vitrine log verify: an offline proof (C2SP tlog-proof) and the entry that it is for. Opens both,
 * enters the jail of ROLE_CHECK and only then reads them. No network is needed. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/log_policy.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "sandbox/roles.h"
#include "tlog/proof.h"
#include "tlog/tile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const char usage[] =
    "Usage: vitrine log verify --policy FILE|--key VKEY [--json] PROOF ENTRY\n"
    "\n"
    "Checks without a network that the file ENTRY is an entry of a transparency log: that PROOF\n"
    "(C2SP tlog-proof, as 'vitrine log add --proof-dir' writes it) leads from its bytes to a\n"
    "checkpoint that the log signed and enough witnesses cosigned. What the entry says is for\n"
    "others to judge.\n"
    "Exit code: 0 verified, 1 not proven, 2 it could not be checked.\n"
    "\n"
    "  -p, --policy FILE   logs, witnesses and quorum (C2SP tlog-policy)\n"
    "  -k, --key VKEY      the log's verifier key alone, no witnesses; may be repeated\n"
    "      --json          one JSON object\n"
    "\n"
    "Examples:\n"
    "  vitrine log verify --policy policy.txt release.json.tlog-proof release.json\n";

struct args {
	struct str_list keys;
	const char *policy;
	bool json, help;
};

#define FIELD(f) offsetof(struct args, f)
static const struct opt options[] = {
    {"key", 'k', OPT_LIST, 0, FIELD(keys), NULL},
    {"policy", 'p', OPT_TEXT, 0, FIELD(policy), NULL},
    {"json", 0, OPT_BOOL, 0, FIELD(json), NULL},
    {"help", 'h', OPT_BOOL, 0, FIELD(help), NULL},
};
static const struct opt_table table = {options, sizeof options / sizeof options[0]};

struct run_state {
	const struct args *a;
	const char *proof_path, *entry_path;
	int proof_fd, entry_fd;
	struct buf policy_text, proof, entry;
	struct policy *policy;
	struct checkpoint checkpoint;
	struct policy_verdict verdict;
	uint64_t index;
};

static st_t open_files(struct run_state *s, struct err *e)
{
	s->proof_fd = open(s->proof_path, O_RDONLY | O_CLOEXEC);
	if (s->proof_fd < 0)
		return fail_errno(e, "%s", s->proof_path);
	s->entry_fd = open(s->entry_path, O_RDONLY | O_CLOEXEC);
	return s->entry_fd < 0 ? fail_errno(e, "%s", s->entry_path) : ST_OK;
}

static st_t enter_jail(const struct run_state *s, struct err *e)
{
	struct sandbox_report report;
	struct sandbox_paths none = {0};
	const int keep[] = {s->proof_fd, s->entry_fd};
	TRY(sandbox_preload(e));
	return sandbox_enter_self(ROLE_CHECK, &none, keep, 2, &report, e);
}

static st_t read_all(int fd, const char *path, size_t max, struct buf *ret, struct err *e)
{
	TRY(io_read_up_to(fd, max + 1, path, ret, e));
	if (ret->len > max)
		return fail(e, ST_LIMIT, max, "%s: longer than %zu bytes", path, max);
	return ST_OK;
}

/* What can be the fault of the proof: all statuses above 0 but the first two calls'. */
static st_t verify(struct run_state *s, struct err *e)
{
	struct tlog_hasher h = {0};
	struct tlog_hash leaf;
	struct offline_proof proof;
	TRY(tlog_hasher_init(&h, e));
	tlog_hash_leaf(&h, s->entry.data, s->entry.len, &leaf);
	st_t st = tlog_hasher_check(&h, e);
	tlog_hasher_done(&h);
	TRY(st);
	struct rd in = rd_make(s->proof.data, s->proof.len);
	TRY(offline_proof_check(s->policy, in, &leaf, &s->checkpoint, &s->verdict, e));
	TRY(offline_proof_parse(in, &proof, e));
	s->index = proof.index;
	return ST_OK;
}

static void put_verified(const struct run_state *s)
{
	text_put(stdout, s->entry_path, TEXT_EXACT);
	fputs(": verified\norigin      ", stdout);
	log_put_name(s->checkpoint.origin);
	printf("\nindex       %" PRIu64 "\nsize        %" PRIu64 "\nroot        ", s->index,
	       s->checkpoint.size);
	log_put_hash(&s->checkpoint.root);
	putchar('\n');
	log_policy_put_signers(s->policy, &s->verdict);
}

static void put_json(const struct run_state *s, const char *verdict, const char *why)
{
	fputs("{\"entry\": ", stdout);
	json_put_string(stdout, s->entry_path);
	printf(", \"verdict\": \"%s\"", verdict);
	if (why) {
		fputs(", \"error\": ", stdout);
		json_put_string(stdout, why);
		puts("}");
		return;
	}
	fputs(", \"origin\": ", stdout);
	log_put_json_name(s->checkpoint.origin);
	printf(", \"index\": %" PRIu64 ", \"size\": %" PRIu64 ", \"root\": \"", s->index,
	       s->checkpoint.size);
	log_put_hash(&s->checkpoint.root);
	fputs("\", \"cosigned\": ", stdout);
	log_policy_put_json_cosigned(s->policy, &s->verdict);
	puts("}");
}

static int answer(const struct run_state *s, st_t st, const struct err *e)
{
	const char *why = e->text[0] ? e->text : st_name(st);
	if (s->a->json) {
		put_json(s, st == ST_OK ? "verified" : "wrong", st == ST_OK ? NULL : why);
	} else if (st == ST_OK) {
		put_verified(s);
	} else {
		text_put(stdout, s->entry_path, TEXT_EXACT);
		fputs(": NOT PROVEN: ", stdout);
		text_put(stdout, why, TEXT_EXACT);
		putchar('\n');
	}
	/* "verified" that could not be written was not said. */
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write the result");
		return EXIT_ERROR;
	}
	return st == ST_OK ? EXIT_CLEAN : EXIT_FOUND;
}

/* Everything that is not the proof's fault if it fails. */
static st_t prepare(struct run_state *s, struct err *e)
{
	TRY(log_policy_read(s->a->policy, &s->a->keys, &s->policy_text, e));
	TRY(open_files(s, e));
	TRY(enter_jail(s, e));
	TRY(log_policy_parse(s->a->policy, &s->policy_text, &s->policy, e));
	TRY(read_all(s->proof_fd, s->proof_path, PROOF_SIZE_MAX, &s->proof, e));
	return read_all(s->entry_fd, s->entry_path, ENTRY_MAX, &s->entry, e);
}

static int run(const struct args *a, const struct str_list *paths)
{
	struct err e = {0};
	struct run_state s = {.a = a, .proof_path = paths->v[0], .entry_path = paths->v[1],
	                      .proof_fd = -1, .entry_fd = -1};
	int code = EXIT_ERROR;
	st_t st = prepare(&s, &e);
	if (st != ST_OK) {
		say_error(&e, st);
	} else {
		st = verify(&s, &e);
		if (st < 0)
			say_error(&e, st);
		else
			code = answer(&s, st, &e);
	}
	policy_free(s.policy);
	buf_done(&s.policy_text);
	buf_done(&s.proof);
	buf_done(&s.entry);
	fd_closep(&s.proof_fd);
	fd_closep(&s.entry_fd);
	return code;
}

static bool read_args(int argc, char **argv, struct args *a, struct str_list *paths, int *ret_code)
{
	struct str_list warned = {0};
	struct opt_error error = {0};
	*ret_code = EXIT_ERROR;
	bool good = opts_read(&table, argc, argv, a, paths, &warned, &error);
	str_list_done(&warned);
	if (!good) {
		opts_say(&error, "log verify");
		return false;
	}
	if (a->help) {
		fputs(usage, stdout);
		*ret_code = EXIT_CLEAN;
		return false;
	}
	if (paths->n != 2)
		say("log verify: a proof and an entry; try 'vitrine log verify --help'");
	else if (!a->policy == !a->keys.n)
		say("log verify: either --policy or --key");
	else
		return true;
	return false;
}

int cmd_log_verify(int argc, char **argv)
{
	struct args a = {0};
	struct str_list paths = {0};
	int code;
	if (read_args(argc, argv, &a, &paths, &code))
		code = run(&a, &paths);
	str_list_done(&a.keys);
	str_list_done(&paths);
	return code;
}
