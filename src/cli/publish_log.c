/* What the child says, numbers little-endian:
 *   OFFSET SIZE MEANING
 *   0      ...  for each entry of each set: index (8), length of its proof (4), the proof */
#include "cli/publish_log.h"

#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/set_release.h"
#include "cli/log_session.h"
#include "cli/ticker.h"
#include "crypto/random.h"
#include "proc/broker/apart.h"
#include "tlog/proof.h"

#include <string.h>

#define SET_ANSWER_MAX ((size_t)PUBLISH_LOG_ENTRIES_MAX * (PROOF_SIZE_MAX + 12))

void publish_log_answer_done(struct publish_log_answer *a)
{
	for (size_t i = 0; i < PUBLISH_LOG_ENTRIES_MAX; i++)
		buf_done(&a->v[i].proof);
}

struct job {
	const struct publish_log_opts *o;
	const struct publish_log_request *rq;
	size_t nsets;
	struct ticker ticker;
};

/* -- in the child ----------------------------------------------------------------------------- */

static bool is_about(const struct statement *s, const uint8_t sha256[32])
{
	for (size_t i = 0; i < s->nsubjects; i++)
		if (!memcmp(s->subject[i].sha256, sha256, 32))
			return true;
	return false;
}

static st_t open_envelope(struct rd envelope, struct dsse *ret, struct err *e)
{
	TRY(dsse_parse(envelope, ret, e));
	if (strcmp((const char *)ret->type.data, STATEMENT_PAYLOAD_TYPE))
		return fail(e, ST_CONFLICT, 0, "DSSE envelope: not of an in-toto statement");
	return ST_OK;
}

static st_t read_release(struct rd envelope, struct set_release *ret, struct err *e)
{
	struct dsse d;
	st_t st = open_envelope(envelope, &d, e);
	if (st == ST_OK)
		st = set_release_parse(rd_make(d.payload.data, d.payload.len), ret, e);
	dsse_done(&d);
	return st;
}

/* Whose signature it has is for readers to judge, by their policies. */
static st_t check_verdict(struct rd envelope, const uint8_t sha256[32], struct err *e)
{
	struct dsse d;
	struct statement s = {0};
	st_t st = open_envelope(envelope, &d, e);
	if (st == ST_OK)
		st = statement_parse(rd_make(d.payload.data, d.payload.len), &s, e);
	if (st == ST_OK && s.kind != STATEMENT_REBUILD)
		st = fail(e, ST_CONFLICT, 0, "a verdict: not a rebuilder's statement");
	if (st == ST_OK && !is_about(&s, sha256))
		st = fail(e, ST_CONFLICT, 0, "a verdict: about another main.vdb than the published one");
	statement_done(&s);
	dsse_done(&d);
	return st;
}

static st_t check_entries(const struct publish_log_request *rq, struct err *e)
{
	struct set_release r;
	TRY(read_release(rq->entry[0], &r, e));
	for (size_t i = 1; i < rq->n; i++)
		TRY(check_verdict(rq->entry[i], r.vdb, e));
	return ST_OK;
}

static st_t put_proof(struct log_writer *w, uint64_t index, struct buf *out, struct err *e)
{
	struct tlog_proof p;
	struct buf b = {0};
	TRY(log_writer_prove(w, index, &p, e));
	offline_proof_format(NULL, 0, index, &p, log_writer_checkpoint(w), &b);
	buf_u64le(out, index);
	buf_u32le(out, (uint32_t)b.len);
	buf_add(out, b.data, b.len);
	st_t st = buf_check(&b, e, "proof");
	buf_done(&b);
	return st;
}

static st_t add_set(struct log_writer *w, const struct publish_log_request *rq,
                    uint64_t index[PUBLISH_LOG_ENTRIES_MAX], struct err *e)
{
	struct log_entry entry[PUBLISH_LOG_ENTRIES_MAX];
	for (size_t i = 0; i < rq->n; i++)
		entry[i] = (struct log_entry){rq->entry[i].base, rq->entry[i].len};
	return log_writer_add(w, entry, rq->n, index, e);
}

/* What was in the log before gets a checkpoint of today as well. Proofs come when all is in. */
static st_t add(struct log_writer *w, const struct job *j, struct buf *out, struct err *e)
{
	static uint64_t index[PUBLISH_LOG_SETS_MAX][PUBLISH_LOG_ENTRIES_MAX];
	uint64_t before = log_writer_published(w);
	for (size_t i = 0; i < j->nsets; i++)
		TRY(add_set(w, &j->rq[i], index[i], e));
	if (log_writer_published(w) == before)
		TRY(log_writer_refresh(w, e));
	for (size_t i = 0; i < j->nsets; i++)
		for (size_t k = 0; k < j->rq[i].n; k++)
			TRY(put_proof(w, index[i][k], out, e));
	return buf_check(out, e, "proofs");
}

static st_t write_log(struct log_session *s, const struct job *j, struct buf *out, struct err *e)
{
	struct log_writer *w;
	for (size_t i = 0; i < j->nsets; i++)
		TRY(check_entries(&j->rq[i], e));
	TRY(log_writer_open(&s->o, &w, e));
	st_t st = add(w, j, out, e);
	if (st == ST_OK)
		log_session_warn(s);
	struct err second = {0};
	st_t closed = log_writer_close(w, &second);
	if (st == ST_OK && closed != ST_OK)
		st = fail(e, closed, second.off, "%s", second.text);
	log_writer_free(w);
	return st;
}

static st_t run_session(const struct job *j, struct log_place *place, const struct log_config *c,
                        struct buf *out, struct err *e)
{
	const struct publish_log_opts *o = j->o;
	struct log_session s;
	uint32_t seed;
	const struct log_session_opts so = {
		.key = o->key ? o->key : c->key_path,
		.pass = o->pass,
		.expect = &c->key,
		.policy = c->policy,
		.ca_file = o->ca_file,
		.out_dir = -1,
	};
	TRY(random_fill(&random_system, &seed, sizeof seed, e));
	attest_preload(seed);
	st_t st = log_session_open(place, &so, &s, e);
	if (st == ST_OK)
		st = write_log(&s, j, out, e);
	log_session_done(&s);
	return st;
}

static st_t work(void *ctx, struct buf *out, struct err *e)
{
	const struct job *j = ctx;
	struct log_place place;
	struct log_config config = {0};
	TRY(log_place_open(j->o->dir, j->o->private_dir, false, &place, e));
	st_t st = log_config_read(&place, &config, e);
	if (st == ST_OK)
		st = run_session(j, &place, &config, out, e);
	log_config_done(&config);
	log_place_done(&place);
	return st;
}

/* -- in the parent ---------------------------------------------------------------------------- */

static st_t read_set(struct rd *r, size_t n, struct publish_log_answer *ret, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		ret->v[i].index = rd_u64le(r);
		struct rd proof = rd_sub(r, rd_u32le(r));
		TRY(rd_check(r, e, "log"));
		buf_add(&ret->v[i].proof, proof.base, proof.len);
		TRY(buf_check(&ret->v[i].proof, e, "proof"));
	}
	return ST_OK;
}

static void started(void *ctx)
{
	struct job *j = ctx;
	ticker_start(&j->ticker, !j->o->quiet, "log and witnesses");
}

st_t publish_log_add(const struct publish_log_opts *o, const struct publish_log_request *rq,
                     size_t nsets, struct publish_log_answer *ret, struct err *e)
{
	struct buf said = {0};
	struct job j = {.o = o, .rq = rq, .nsets = nsets};
	const struct apart a = {
		.work = work, .started = started, .ctx = &j, .max = nsets * SET_ANSWER_MAX};
	if (nsets > PUBLISH_LOG_SETS_MAX)
		return fail(e, ST_LIMIT, 0, "log: more than %d sets", PUBLISH_LOG_SETS_MAX);
	st_t st = broker_apart(&a, &said, e);
	ticker_stop(&j.ticker);
	struct rd r = rd_make(said.data, said.len);
	for (size_t i = 0; i < nsets && st == ST_OK; i++)
		st = read_set(&r, rq[i].n, &ret[i], e);
	buf_done(&said);
	return st;
}
