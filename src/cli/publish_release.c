/* vitrine publish release, vitrine publish import: from sources to a release that everybody can
 * fetch and check.
 *
 *   made -> STAGED [start] -> SIGNED [gather, once or on several machines] -> LOGGED [finish]
 *        -> published [finish]
 * Nothing goes into the log before every signature is there (a statement that was logged cannot be
 * taken back), and nothing is published before its entry is in the log: `publish commit` refuses
 * while a release is staged and not logged (publish/release.h). Any step can fail or be killed and
 * be done again by --continue. */
#include "attest/dsse.h"
#include "cli/cli.h"
#include "cli/compile_tell.h"
#include "cli/publish_apart.h"
#include "cli/publish_finish.h"
#include "cli/publish_make.h"
#include "cli/report_json.h"
#include "cli/ticker.h"
#include "crypto/digest.h"
#include "db/layout.h"
#include "update/names.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BUILDER "https://vitrine-av.org/builder/vitrine-publish/v1"

struct release {
	struct publish_cmd *c;
	bool import;
	struct publish_pending pending;
	struct buf envelope;
};

static const struct opt options[] = {
	PUBLISH_TEXT("set", set),
	PUBLISH_LIST("publisher-key", publisher_key),
	PUBLISH_COUNT("publishers", publishers),
	PUBLISH_LIST("targets-key", targets_key),
	PUBLISH_COUNT("version", version),
	PUBLISH_BOOL("pua", pua),
	PUBLISH_BOOL("strict", strict),
	PUBLISH_TEXT("builder", builder),
	PUBLISH_COUNT("deltas", deltas),
	PUBLISH_TEXT("cvdcertsdir", certs_dir),
	PUBLISH_BOOL("continue", again),
	PUBLISH_LOGGED,
};

static const char usage_release[] =
	"Usage: vitrine publish release DIR SRC... --set NAME --log LOGDIR --publisher-key K\n"
	"                 [--targets-key K]... [--online-key K]... [OPTION]...\n"
	"       vitrine publish release DIR --continue [FILE...] --set NAME --log LOGDIR [OPTION]...\n"
	"\n"
	"Makes a release of a set of signatures: bundles the sources (text files, or folders of\n"
	"them), compiles the bundle, states what was built from what, stages all of it in the\n"
	"repository DIR, and, once every signature is there, adds the statement to the log, asks the\n"
	"witnesses of the log's policy, and publishes release and proof. What is missing is named;\n"
	"others sign on their machines ('vitrine publish sign'): first the statement, then the list\n"
	"of targets. --continue takes back the FILEs that they signed and goes on from there.\n"
	"\n"
	"  --set NAME           of the set: a-z, 0-9, \"-\" and \"_\"\n"
	"  --log LOGDIR         folder of the log ('vitrine log init'); --log-private DIR,\n"
	"                       --log-key K: where its private folder and key were moved;\n"
	"                       --ca-file FILE: to trust its witnesses by\n"
	"  --publisher-key K    signs the statement; may be given several times\n"
	"  --publishers N       signatures that the statement needs before it is logged; usual: one\n"
	"                       for each --publisher-key\n"
	"  --targets-key K      signs the list of targets, if its owner sits at this machine\n"
	"  --online-key K       signs evidence, snapshot, timestamp; usual: the one of 'publish init'\n"
	"  --version N          of the release; usual: one more than the last one\n"
	"  --pua                with the files for potentially unwanted programs (.ndu, .hdu, ...)\n"
	"  --strict             a line that cannot be read refuses the release\n"
	"  --builder URI        who builds (runDetails.builder.id of the statement)\n"
	"  --deltas N           from so many releases before, as far as they help; usual: 7\n"
	"  --time T             sign as of then, RFC 3339 (2026-11-24T12:00:00Z)\n"
	"  --private DIR2       where it is not DIR.private\n"
	"  --json               the result as one object\n"
	"\n"
	"Exit code: 0 published, 1 staged: signatures are missing, 2 an error.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish release /srv/updates rules/ --set main --log /srv/log \\\n"
	"    --publisher-key pub.key --targets-key alice.key --online-key online.key\n"
	"  vitrine publish release /srv/updates --continue --set main --log /srv/log \\\n"
	"    --online-key online.key\n";

static const char usage_import[] =
	"Usage: vitrine publish import DIR FILE.cvd|FILE.cld... --set NAME --log LOGDIR\n"
	"                 --publisher-key K [--targets-key K]... [--online-key K]... [OPTION]...\n"
	"\n"
	"Makes a release of one's own out of ClamAV's signature containers. Each is proven first\n"
	"(.sign files beside it by the roots in --cvdcertsdir DIR, else the signature in it) and\n"
	"taken apart, in the jail; one that is not proven refuses the release. The rule text becomes\n"
	"the source bundle; the statement names each container with its SHA-256 and by what its\n"
	"origin was proven. Text files and folders may be named beside them. A container whose\n"
	"folder has it in two versions counts once. Everything else, options and exit codes, is as\n"
	"in 'vitrine publish release --help'.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish import /srv/updates main.cvd daily.cld bytecode.cvd --set main \\\n"
	"    --log /srv/log --publisher-key pub.key --targets-key alice.key --online-key online.key\n";

/* -- making and staging ----------------------------------------------------------------------- */

static st_t choose_version(struct release *r, struct err *e)
{
	uint64_t last;
	TRY(publish_last_version(r->c->repo, r->c->set, &last, e));
	if (r->c->version && r->c->version <= last)
		return fail(e, ST_CONFLICT, 0, "version %u: %s has %" PRIu64 " already, and versions only "
		            "grow", (unsigned)r->c->version, r->c->set, last);
	r->pending.version = r->c->version ? r->c->version : last + 1;
	return ST_OK;
}

static struct publish_release describe(const struct release *r, const struct publish_made *m)
{
	return (struct publish_release){
		.set = r->c->set,
		.version = r->pending.version,
		.pua = r->c->pua,
		.strict = r->c->strict,
		.database = DB_VERSION,
		.builder = r->c->builder ? r->c->builder : BUILDER,
		.vitrine = VITRINE_VERSION,
		.now = r->c->now,
		.vdb_fd = m->vdb_fd,
		.source_fd = m->source_fd,
		.imported = m->imported,
		.nimported = m->nimported,
	};
}

static st_t sign_statement(struct release *r, const struct buf *statement, struct err *e)
{
	struct publish_ring ring = {0};
	st_t st = publish_ring_load(&ring, &r->c->publisher_key, &r->c->pass, e);
	if (st == ST_OK)
		st = dsse_make(STATEMENT_PAYLOAD_TYPE, rd_make(statement->data, statement->len),
		               ring.signer, ring.n, &r->envelope, e);
	publish_ring_done(&ring);
	return st;
}

/* A key that is not one of the publishers' is refused before anything is staged. */
static st_t check_publishers(struct release *r, struct err *e)
{
	struct dsse d;
	size_t have;
	st_t st = dsse_parse(rd_make(r->envelope.data, r->envelope.len), &d, e);
	if (st == ST_OK)
		st = publish_statement_count(r->c->repo, &d, &have, e);
	dsse_done(&d);
	return st;
}

/* --publishers may ask for more than the repository does, not for less. */
static st_t choose_publishers(struct release *r, struct err *e)
{
	const struct publish_role_keys *known = publish_publishers(r->c->repo);
	uint64_t want = r->c->publishers;
	if (known->n && want && (want < known->threshold || want > known->n))
		return fail(e, ST_CONFLICT, 0, "--publishers %" PRIu64 ": the repository knows %zu "
		            "publishers, of whom %" PRIu64 " have to sign", want, known->n,
		            known->threshold);
	r->pending.publishers = want ? want : known->n ? known->threshold : r->c->publisher_key.n;
	return ST_OK;
}

/* That it waits for the log is on the disk before anything of it is staged. */
static st_t stage(struct release *r, const struct publish_release *pr, struct err *e)
{
	struct ticker ticker;
	struct rd envelope = rd_make(r->envelope.data, r->envelope.len);
	r->pending.staged = 0;
	TRY(publish_pending_write(r->c->repo, r->c->set, &r->pending, envelope, e));
	ticker_start(&ticker, !r->c->quiet, "compressing");
	st_t st = publish_release_stage(r->c->repo, pr, envelope, r->c->deltas, e);
	ticker_stop(&ticker);
	r->pending.staged = 1;
	if (st == ST_OK)
		st = publish_pending_write(r->c->repo, r->c->set, &r->pending, envelope, e);
	return st;
}

static st_t state_and_stage(struct release *r, const struct publish_made *m, struct err *e)
{
	struct buf statement = {0};
	const struct publish_release pr = describe(r, m);
	st_t st = publish_release_statement(&pr, &statement, e);
	if (st == ST_OK)
		st = sign_statement(r, &statement, e);
	buf_done(&statement);
	if (st == ST_OK)
		st = check_publishers(r, e);
	return st == ST_OK ? stage(r, &pr, e) : st;
}

static st_t start(struct release *r, const struct str_list *args, struct err *e)
{
	struct publish_made made;
	const struct publish_make_opts mo = {
		.srcs = args,
		.import = r->import,
		.pua = r->c->pua,
		.strict = r->c->strict,
		.quiet = r->c->quiet,
		.certs_dir = r->c->certs_dir,
		.temp_dir = r->c->place.private_fd,
	};
	TRY(publish_ring_check(&r->c->publisher_key, e));
	TRY(publish_ring_check(&r->c->targets_key, e));
	TRY(choose_version(r, e));
	TRY(choose_publishers(r, e));
	st_t st = publish_make(&mo, &made, e);
	if (!r->c->quiet)
		compile_tell_skipped(&made.report);
	if (st == ST_OK && !r->c->quiet)
		compile_tell_counts(&made.report);
	if (st == ST_OK)
		st = state_and_stage(r, &made, e);
	publish_made_done(&made);
	return st;
}

/* -- signatures ------------------------------------------------------------------------------- */

/* Adds those of publishers' keys that came with --continue. */
static st_t add_publishers(struct release *r, struct err *e)
{
	struct publish_ring ring = {0};
	st_t st = publish_ring_load(&ring, &r->c->publisher_key, &r->c->pass, e);
	for (size_t i = 0; i < ring.n && st == ST_OK; i++) {
		struct buf out = {0}, said = {0};
		st = publish_sign_file(rd_make(r->envelope.data, r->envelope.len), ring.signer[i], &out,
		                       &said, e);
		buf_done(&said);
		if (st == ST_OK) {
			buf_done(&r->envelope);
			r->envelope = out;
			out = (struct buf){0};
		}
		buf_done(&out);
	}
	publish_ring_done(&ring);
	return st;
}

/* The envelope may have been on other machines. */
static st_t check_statement(struct release *r, struct rd payload, struct err *e)
{
	struct set_release s;
	uint8_t vdb[32], source[32];
	TRY(set_release_parse(payload, &s, e));
	TRY(publish_set_sha256(r->c, r->c->set, SET_RELEASE_DATABASE, vdb, e));
	TRY(publish_set_sha256(r->c, r->c->set, SET_RELEASE_SOURCE, source, e));
	if (strcmp(s.set, r->c->set) || s.version != r->pending.version || memcmp(s.vdb, vdb, 32) ||
	    memcmp(s.source, source, 32))
		return fail(e, ST_CONFLICT, 0, "%s: the statement is not about the release that is staged; "
		            "make the release again", r->c->set);
	return ST_OK;
}

static st_t count_publishers(struct release *r, size_t *ret, struct err *e)
{
	struct dsse d;
	st_t st = dsse_parse(rd_make(r->envelope.data, r->envelope.len), &d, e);
	if (st == ST_OK)
		st = check_statement(r, rd_make(d.payload.data, d.payload.len), e);
	if (st == ST_OK)
		st = publish_statement_count(r->c->repo, &d, ret, e);
	dsse_done(&d);
	return st;
}

static st_t merge_statement(struct release *r, struct rd signatures, struct err *e)
{
	struct dsse d;
	struct buf out = {0};
	st_t st = dsse_parse(rd_make(r->envelope.data, r->envelope.len), &d, e);
	if (st == ST_OK)
		st = publish_statement_merge(&d, signatures, &out, e);
	dsse_done(&d);
	if (st != ST_OK) {
		buf_done(&out);
		return st;
	}
	buf_done(&r->envelope);
	r->envelope = out;
	return ST_OK;
}

/* A file that was signed elsewhere, statement or metadata: only its signatures are taken. */
static st_t take_signed(struct release *r, const char *path, struct err *e)
{
	struct buf said = {0};
	struct err why = {0};
	char role[TUF_ROLE_NAME_MAX + 1];
	TRY(publish_apart_signatures(path, &said, e));
	struct rd signatures = rd_make(said.data, said.len);
	st_t st = publish_merge(r->c->repo, signatures, role, &why);
	if (st == ST_UNSUPPORTED) {
		err_clear(&why);
		st = merge_statement(r, signatures, &why);
	}
	buf_done(&said);
	return st == ST_OK ? st : fail(e, st, why.off, "%.100s: %.150s", path, why.text);
}

/* What was staged before, with what was signed since. */
static st_t resume(struct release *r, const struct str_list *args, struct err *e)
{
	char path[UPDATE_SET_MAX + 16];
	size_t have;
	st_t st = publish_pending_read(r->c->repo, r->c->set, &r->pending, &r->envelope, e);
	if (st == ST_NOT_FOUND) {
		err_clear(e);
		return fail(e, st, 0, "%s: no release is staged that is not in the log", r->c->set);
	}
	TRY(st);
	if (!r->pending.staged)
		return fail(e, ST_CONFLICT, 0, "%s: staging was interrupted; make the release again",
		            r->c->set);
	for (size_t i = 1; i < args->n; i++)
		TRY(take_signed(r, args->v[i], e));
	TRY(add_publishers(r, e));
	TRY(count_publishers(r, &have, e)); /* before it takes the place of the staged one */
	struct rd envelope = rd_make(r->envelope.data, r->envelope.len);
	TRY(publish_pending_write(r->c->repo, r->c->set, &r->pending, envelope, e));
	snprintf(path, sizeof path, "%s/release.dsse", r->c->set);
	return publish_stage_bytes(r->c->repo, "targets", path, envelope, e);
}

/* Also without a key: then it is final, and others can sign it. */
static st_t sign_targets(struct release *r, struct err *e)
{
	struct publish_ring ring = {0};
	st_t st = publish_ring_load(&ring, &r->c->targets_key, &r->c->pass, e);
	if (st == ST_OK)
		st = publish_sign(r->c->repo, ring.signer, ring.n, r->c->now, e);
	publish_ring_done(&ring);
	return st;
}

static void say_missing_publishers(const struct release *r, size_t have)
{
	say("the statement has %zu of %" PRIu64 " signatures of publishers; next: 'vitrine publish "
	    "sign %s/staged/%s.release.dsse --key K' (a copy of it, on another machine), then 'vitrine "
	    "publish release %s --continue [COPY] ...'",
	    have, r->pending.publishers, r->c->place.private_dir, r->c->set, r->c->args.v[0]);
}

/* What the online keys sign is signed at the end. */
static st_t targets_complete(struct release *r, bool *ret, struct err *e)
{
	static struct publish_staged staged[PUBLISH_STAGED_MAX];
	size_t n;
	TRY(publish_staged(r->c->repo, staged, &n, e));
	*ret = true;
	for (size_t i = 0; i < n; i++) {
		const struct publish_staged *s = &staged[i];
		if (s->have >= s->need || !strcmp(s->role, PUBLISH_EVIDENCE_ROLE))
			continue;
		*ret = false;
		say("%s: %" PRIu64 " of %" PRIu64 " signatures; next: 'vitrine publish sign "
		    "%s/staged/%s.json --key K' on a copy of it, then 'vitrine publish release %s "
		    "--continue COPY ...'", s->role, s->have, s->need, r->c->place.private_dir, s->role,
		    r->c->args.v[0]);
	}
	return ST_OK;
}

/* *ret: every signature of people is there. Targets are signed only with the final statement. */
static st_t gather(struct release *r, bool *ret, struct err *e)
{
	size_t have;
	TRY(count_publishers(r, &have, e));
	/* The repository may ask for more of them than when this was staged. */
	uint64_t known = publish_publishers(r->c->repo)->threshold;
	*ret = have >= r->pending.publishers && have >= known;
	if (!*ret) {
		say_missing_publishers(r, have);
		return ST_OK;
	}
	TRY(sign_targets(r, e));
	return targets_complete(r, ret, e);
}

/* -- log and publication ---------------------------------------------------------------------- */

static st_t put_result(struct release *r, const uint64_t *index, struct err *e)
{
	uint8_t sha256[2][32];
	char vdb[65], source[65];
	TRY(publish_set_sha256(r->c, r->c->set, "main.vdb", sha256[0], e));
	TRY(publish_set_sha256(r->c, r->c->set, "source.tar", sha256[1], e));
	hex_encode(sha256[0], 32, vdb);
	hex_encode(sha256[1], 32, source);
	if (r->c->json) {
		printf("{\"set\":\"%s\",\"version\":%" PRIu64 ",\"main.vdb\":\"%s\",\"source.tar\":\"%s\",",
		       r->c->set, r->pending.version, vdb, source);
		if (index)
			printf("\"index\":%" PRIu64 ",", *index);
		printf("\"published\":%s}\n", index ? "true" : "false");
		return ST_OK;
	}
	printf("%s\tversion %" PRIu64 "\nmain.vdb\t%s\nsource.tar\t%s\n", r->c->set, r->pending.version,
	       vdb, source);
	if (index)
		printf("log index\t%" PRIu64 "\n", *index);
	return ST_OK;
}

static st_t finish(struct release *r, struct err *e)
{
	struct publish_cmd *c = r->c;
	uint64_t index;
	struct rd entry = rd_make(r->envelope.data, r->envelope.len);
	TRY(publish_pending_log(c->repo, c->set, r->pending.version, e));
	TRY(publish_release_prove(c, c->set, entry, &index, e));
	TRY(publish_pending_end(c->repo, c->set, e));
	st_t st = publish_online_load(c, e);
	if (st == ST_OK)
		st = publish_sign(c->repo, c->ring.signer, c->ring.n, c->now, e);
	if (st == ST_OK)
		st = publish_commit(c->repo, c->ring.signer, c->ring.n, c->now, e);
	if (st != ST_OK) {
		say("%s %" PRIu64 " is in the log (index %" PRIu64 ") and staged, but not published: "
		    "'vitrine publish commit' tries again", c->set, r->pending.version, index);
		return st;
	}
	TRY(publish_proved_write(c->repo, c->set, c->now, e));
	return put_result(r, &index, e);
}

static st_t check_complete(const struct release *r, struct err *e)
{
	const struct publish_cmd *c = r->c;
	const char *what = !c->set                            ? "a set (--set NAME)"
	                   : !update_set_name_good(c->set)    ? "a good name of a set (--set NAME)"
	                   : !c->log.dir                      ? "a log (--log LOGDIR)"
	                   : !c->again && c->args.n < 2       ? "a source"
	                   : !c->again && !c->publisher_key.n ? "a key (--publisher-key K)"
	                                                      : NULL;
	if (what)
		return fail(e, ST_MALFORMED, 0, "%s: %s is needed; try 'vitrine %s --help'", c->name, what,
		            c->name);
	return ST_OK;
}

static st_t run(struct release *r, int *ret_code, struct err *e)
{
	struct publish_cmd *c = r->c;
	bool complete;
	TRY(check_complete(r, e));
	TRY(publish_cmd_open(c, e));
	TRY(publish_online_check(c, e));
	TRY(c->again ? resume(r, &c->args, e) : start(r, &c->args, e));
	TRY(gather(r, &complete, e));
	*ret_code = complete ? EXIT_CLEAN : EXIT_STAGED;
	return complete ? finish(r, e) : put_result(r, NULL, e);
}

static st_t release(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct release r = {.c = c};
	st_t st = run(&r, ret_code, e);
	buf_done(&r.envelope);
	return st;
}

static st_t import(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct release r = {.c = c, .import = true};
	st_t st = run(&r, ret_code, e);
	buf_done(&r.envelope);
	return st;
}

int cmd_publish_release(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish release", .usage = usage_release,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = SIZE_MAX, .run = release};
	return publish_main(&p, argc, argv);
}

int cmd_publish_import(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish import", .usage = usage_import,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = SIZE_MAX, .run = import};
	return publish_main(&p, argc, argv);
}
