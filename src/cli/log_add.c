/* vitrine log add: files become entries of a log. */
#include "base/io.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/log_input.h"
#include "cli/log_proofs.h"
#include "cli/log_session.h"
#include "cli/progress.h"
#include "cli/report_json.h"
#include "cli/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Entries of one checkpoint. */
#define ADD_BATCH 1000

/* Between two lines of progress. */
#define PROGRESS_NS UINT64_C(500000000)

struct add {
	const char *key, *private_dir, *proof_dir, *ca_file;
	bool json, quiet, help;
	struct key_pass_opts pass;
};

static const struct opt options[] = {
	{"key", 'k', OPT_TEXT, 0, offsetof(struct add, key), NULL},
	{"private", 0, OPT_TEXT, 0, offsetof(struct add, private_dir), NULL},
	{"proof-dir", 0, OPT_TEXT, 0, offsetof(struct add, proof_dir), NULL},
	{"ca-file", 0, OPT_TEXT, 0, offsetof(struct add, ca_file), NULL},
	{"json", 0, OPT_BOOL, 0, offsetof(struct add, json), NULL},
	{"quiet", 'q', OPT_BOOL, 0, offsetof(struct add, quiet), NULL},
	KEY_PASS_OPTION_FILE(struct add, pass),
	KEY_PASS_OPTION_FD(struct add, pass),
	{"help", 'h', OPT_BOOL, 0, offsetof(struct add, help), NULL},
};

static const char usage[] =
	"Usage: vitrine log add DIR [--key KEYFILE] [--proof-dir OUT] [--json] [--quiet]\n"
	"                       [--private DIR2] [--ca-file FILE]\n"
	"                       [--passphrase-file FILE|--passphrase-fd N] [FILE...|-]\n"
	"\n"
	"Adds each file as one entry (at most 65,535 bytes: log digests and manifests, not data) and\n"
	"prints index and name once the entry is durable and in a published checkpoint. A file whose\n"
	"bytes are in the log already gets the index that it has. Files go in batches of 1,000, one\n"
	"checkpoint each. All files are read first: if one of them cannot be added, none is.\n"
	"Without files, a checkpoint that could not be published before is published now.\n"
	"\n"
	"  --proof-dir OUT  writes OUT/FILE.tlog-proof for each: a proof that needs no network\n"
	"  --key KEYFILE    where the key was moved since 'log init'\n"
	"  --ca-file FILE   certificates to trust witnesses by, instead of the system's\n"
	"  --json           a line {\"index\":..,\"size\":..,\"file\":..} each; size: of the tree\n"
	"\n"
	"Exit code: 0 all published, 2 an error; what was printed is in the log for good.\n"
	"\n"
	"Examples:\n"
	"  vitrine log add /srv/log release.json\n"
	"  vitrine log add /srv/log --proof-dir proofs/ dist/*.json\n"
	"  sha256sum big.iso | vitrine log add /srv/log -\n";

struct request {
	const struct add *o;
	struct log_input in;
	uint64_t *index;
	int proof_dir;
	uint64_t last_ns; /* of the progress */
	bool drawn;
};

static void put_line(const struct add *o, uint64_t index, uint64_t size, const char *name)
{
	if (o->json) {
		printf("{\"index\":%llu,\"size\":%llu,\"file\":", (unsigned long long)index,
		       (unsigned long long)size);
		(void)json_put_string(stdout, name);
		puts("}");
		return;
	}
	printf("%llu\t", (unsigned long long)index);
	text_put(stdout, name, TEXT_EXACT);
	putchar('\n');
}

static void put_progress(struct request *r, size_t done)
{
	uint64_t now = clock_now_ns();
	if (r->o->quiet || !isatty(STDERR_FILENO) || now - r->last_ns < PROGRESS_NS)
		return;
	r->last_ns = now;
	r->drawn = true;
	fprintf(stderr, "\r%zu of %zu entries\x1b[K", done, r->in.n);
}

static void clear_progress(struct request *r)
{
	if (r->drawn)
		fputs("\r\x1b[K", stderr);
	r->drawn = false;
}

static st_t add_all(struct log_writer *w, struct request *r, struct err *e)
{
	r->last_ns = clock_now_ns();
	if (r->in.n == 0)
		return log_writer_publish(w, e);
	for (size_t done = 0; done < r->in.n;) {
		size_t n = num_min_size(ADD_BATCH, r->in.n - done);
		TRY(log_writer_add(w, r->in.entry + done, n, r->index + done, e));
		clear_progress(r);
		for (size_t i = done; i < done + n; i++)
			put_line(r->o, r->index[i], log_writer_published(w), r->in.name[i]);
		if (fflush(stdout))
			return fail_errno(e, "standard output");
		done += n;
		put_progress(r, done);
	}
	return r->proof_dir < 0 ? ST_OK : log_proofs_write(w, &r->in, r->index, r->proof_dir, e);
}

static st_t write_log(struct log_session *s, struct request *r, struct err *e)
{
	struct log_writer *w;
	TRY(log_writer_open(&s->o, &w, e));
	st_t st = add_all(w, r, e);
	clear_progress(r);
	if (st == ST_OK)
		log_session_warn(s);
	struct err second = {0};
	st_t closed = log_writer_close(w, &second);
	if (st == ST_OK && closed != ST_OK)
		st = fail(e, closed, second.off, "%s", second.text);
	log_writer_free(w);
	return st;
}

static st_t open_proof_dir(const char *dir, int *ret, struct err *e)
{
	if (!dir)
		return ST_OK;
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "%s", dir) : ST_OK;
}

static st_t prepare(struct request *r, const struct str_list *args, struct err *e)
{
	TRY(log_input_read(args->v + 1, args->n - 1, &r->in, e));
	r->index = calloc(r->in.n + 1, sizeof *r->index);
	if (!r->index)
		return fail(e, ST_NOMEM, 0, "log add: out of memory");
	if (!r->o->proof_dir)
		return ST_OK;
	TRY(log_proofs_check(&r->in, e));
	return open_proof_dir(r->o->proof_dir, &r->proof_dir, e);
}

static st_t run(struct request *r, struct log_place *place, const struct log_config *c,
                struct err *e)
{
	struct log_session s;
	const struct log_session_opts so = {
		.key = r->o->key ? r->o->key : c->key_path,
		.pass = &r->o->pass,
		.expect = &c->key,
		.policy = c->policy,
		.ca_file = r->o->ca_file,
		.out_dir = r->proof_dir,
	};
	st_t st = log_session_open(place, &so, &s, e);
	if (st == ST_OK)
		st = write_log(&s, r, e);
	log_session_done(&s);
	return st;
}

static int add(const struct add *o, const struct str_list *args)
{
	struct err e = {0};
	struct request r = {.o = o, .proof_dir = -1};
	struct log_place place = {.dir_fd = -1, .private_fd = -1};
	struct log_config config = {0};
	st_t st = log_place_open(args->v[0], o->private_dir, false, &place, &e);
	if (st == ST_OK)
		st = log_config_read(&place, &config, &e);
	if (st == ST_OK)
		st = prepare(&r, args, &e);
	if (st == ST_OK)
		st = run(&r, &place, &config, &e);
	if (st != ST_OK)
		say_error(&e, st);
	log_config_done(&config);
	log_place_done(&place);
	log_input_done(&r.in);
	free(r.index);
	fd_closep(&r.proof_dir);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct add *o = into;
	if (args->n == 0) {
		say("log add: the folder of a log is needed; try 'vitrine log add --help'");
		return EXIT_ERROR;
	}
	return add(o, args);
}

int cmd_log_add(int argc, char **argv)
{
	static const struct opts_command command = {
	    "log add", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct add o = {0};
	return opts_run(&command, argc, argv, &o);
}
