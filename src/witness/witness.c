#include "witness/witness.h"

#include "base/num.h"
#include "witness/add_checkpoint.h"
#include "witness/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A configuration in use, with the rates of its logs. Requests hold it while they are under way. */
struct shared_config {
	unsigned refs; /* under witness.lock */
	struct witness_config *config;
	struct rate_bucket *advance, *repeat; /* one each a log; of the committing thread */
};

struct job {
	struct job *next;
	struct shared_config *config;
	const struct witness_log *log;
	const struct witness_request *request;
	const struct buf *signed_note; /* text, separator, lines of the log's keys */
	struct answer *answer;
	struct state_record was, now; /* of one that is being cosigned */
	bool done;                    /* under witness.lock */
	pthread_cond_t finished;
};

struct witness {
	struct witness_opts o;
	pthread_t thread;
	struct tlog_hasher hasher; /* of the committing thread */
	struct buf note, lines;    /* likewise: built anew for every request */

	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t work;
	struct shared_config *config;
	struct job *first, **last;
	bool stop;
	struct witness_stats stats;
};

/* --- configuration --- */

static struct shared_config *shared_config_new(struct witness_config *c)
{
	struct shared_config *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->advance = calloc(c->n + 1, sizeof *s->advance);
	s->repeat = calloc(c->n + 1, sizeof *s->repeat);
	if (!s->advance || !s->repeat) {
		free(s->advance);
		free(s->repeat);
		free(s);
		return NULL;
	}
	s->refs = 1;
	s->config = c;
	return s;
}

static void shared_config_free(struct shared_config *s)
{
	witness_config_free(s->config);
	free(s->advance);
	free(s->repeat);
	free(s);
}

static struct shared_config *hold_config(struct witness *w)
{
	pthread_mutex_lock(&w->lock);
	struct shared_config *s = w->config;
	s->refs++;
	w->stats.requests++;
	pthread_mutex_unlock(&w->lock);
	return s;
}

static void release_config(struct witness *w, struct shared_config *s)
{
	pthread_mutex_lock(&w->lock);
	bool last = --s->refs == 0;
	pthread_mutex_unlock(&w->lock);
	if (last)
		shared_config_free(s);
}

st_t witness_set_config(struct witness *w, struct witness_config *config, struct err *e)
{
	struct shared_config *s = shared_config_new(config);
	if (!s) {
		witness_config_free(config);
		return fail(e, ST_NOMEM, 0, "witness: out of memory");
	}
	pthread_mutex_lock(&w->lock);
	struct shared_config *old = w->config;
	w->config = s;
	pthread_mutex_unlock(&w->lock);
	release_config(w, old);
	return ST_OK;
}

/* --- one request, in the transaction --- */

/* "The cosignature MUST NOT omit the timestamp, i.e. the timestamp MUST NOT be zero." Times of one
 * log never go back. */
static bool choose_time(struct witness *w, const struct state_record *was, uint64_t *ret,
                        struct answer *answer)
{
	uint64_t now = w->o.clock.unix_s(w->o.clock.ctx);
	if (now && (!was->known || now >= was->time)) {
		*ret = now;
		return true;
	}
	if (now && was->time - now <= WITNESS_CLOCK_BACK_S) {
		*ret = was->time;
		return true;
	}
	answer_say(answer, 503, "the clock of this witness is behind what it signed: it signs nothing");
	return false;
}

static bool rate_allows(struct witness *w, struct job *j)
{
	size_t i = (size_t)(j->log - j->config->config->logs);
	bool again = j->was.known && j->was.size == j->request->cp.size;
	struct rate_bucket *b = again ? &j->config->repeat[i] : &j->config->advance[i];
	uint32_t wait = rate_take(b, &j->log->rate, w->o.clock.monotonic_us(w->o.clock.ctx));
	if (!wait)
		return true;
	answer_say(j->answer, 429, "too many checkpoints of this log: its rate is limited here");
	j->answer->retry_after_s = wait;
	return false;
}

static st_t sign_all(struct witness *w, struct job *j, struct err *e)
{
	struct rd text = j->request->note.text;
	w->lines.len = 0;
	for (size_t i = 0; i < w->o.nkeys; i++) {
		const struct witness_key *k = &w->o.keys[i];
		TRY(note_sign(text, k->name, k->type, k->signer, j->now.time, &w->lines, e));
	}
	w->note.len = 0;
	buf_add(&w->note, j->signed_note->data, j->signed_note->len);
	buf_add(&w->note, w->lines.data, w->lines.len);
	TRY(buf_check(&w->lines, e, "witness"));
	return buf_check(&w->note, e, "witness");
}

/* The record is compared before anything is signed, though nothing can come between here. */
static st_t cosign(struct witness *w, struct job *j, struct err *e)
{
	struct answer *a = j->answer;
	const struct checkpoint *cp = &j->request->cp;
	j->now = (struct state_record){.known = true, .size = cp->size, .root = cp->root};
	if (!choose_time(w, &j->was, &j->now.time, a) || !rate_allows(w, j))
		return ST_OK;
	TRY(sign_all(w, j, e));
	st_t st = state_put(w->o.state, &j->log->id, cp->origin, &j->was, &j->now,
	                    rd_make(w->note.data, w->note.len), e);
	if (st != ST_OK)
		return st;
	a->status = 200;
	a->type = ANSWER_TYPE_TEXT;
	buf_add(&a->body, w->lines.data, w->lines.len);
	return buf_check(&a->body, e, "witness");
}

static st_t decide(struct witness *w, struct job *j, struct err *e)
{
	TRY(state_get(w->o.state, &j->log->id, &j->was, e));
	if (!add_checkpoint_judge(j->request, &j->was, &w->hasher, j->answer))
		return ST_OK;
	return cosign(w, j, e);
}

/* --- the thread that commits --- */

static void refuse_all(struct job *jobs)
{
	for (struct job *j = jobs; j; j = j->next)
		answer_say(j->answer, 500, "the witness cannot store what it would sign");
}

/* Whatever goes wrong, goes wrong for all: what one wrote, another may have seen. It is the end,
 * too: something may have been signed that was not recorded, and only forgetting it with the whole
 * process makes sure that it never leaves. */
static bool run_batch(struct witness *w, struct job *jobs, struct err *e)
{
	if (state_begin(w->o.state, e) != ST_OK) {
		refuse_all(jobs);
		return false;
	}
	st_t st = ST_OK;
	for (struct job *j = jobs; j && st == ST_OK; j = j->next)
		st = decide(w, j, e);
	if (st != ST_OK)
		state_rollback(w->o.state);
	else
		st = state_commit(w->o.state, e);
	if (st != ST_OK)
		refuse_all(jobs);
	return st == ST_OK;
}

/* Takes up to WITNESS_BATCH_MAX jobs; NULL: it is time to end. */
static struct job *take_jobs(struct witness *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stop)
		pthread_cond_wait(&w->work, &w->lock);
	struct job *jobs = w->first, *j = jobs;
	for (size_t n = 1; j && j->next && n < WITNESS_BATCH_MAX; n++)
		j = j->next;
	w->first = j ? j->next : NULL;
	if (!w->first)
		w->last = &w->first;
	if (j)
		j->next = NULL;
	pthread_mutex_unlock(&w->lock);
	return jobs;
}

static void finish_jobs(struct witness *w, struct job *jobs, bool ok, const struct err *why)
{
	pthread_mutex_lock(&w->lock);
	if (!ok && !w->stats.failed)
		memcpy(w->stats.why, why->text, sizeof w->stats.why);
	w->stats.failed = w->stats.failed || !ok;
	w->stats.commits += ok;
	for (struct job *j = jobs; j;) {
		struct job *next = j->next;
		w->stats.cosigned += j->answer->status == 200;
		j->done = true;
		pthread_cond_signal(&j->finished);
		j = next; /* its owner may be gone by now */
	}
	pthread_mutex_unlock(&w->lock);
}

static void *commit_loop(void *ctx)
{
	struct witness *w = ctx;
	for (struct job *jobs; (jobs = take_jobs(w));) {
		struct err e = {0};
		bool ok = run_batch(w, jobs, &e);
		finish_jobs(w, jobs, ok, &e);
	}
	return NULL;
}

static void wait_for(struct witness *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	*w->last = j;
	w->last = &j->next;
	pthread_cond_signal(&w->work);
	while (!j->done)
		pthread_cond_wait(&j->finished, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

/* --- interface --- */

static void add_checkpoint(struct witness *w, struct shared_config *config, struct rd body,
                           struct witness_request *r, struct answer *ret)
{
	struct buf note = {0};
	struct job j = {.config = config, .request = r, .signed_note = &note, .answer = ret};
	if (add_checkpoint_check(config->config, body, r, &j.log, &note, ret)) {
		if (note.oom || pthread_cond_init(&j.finished, NULL)) {
			answer_say(ret, 500, "the witness is out of memory");
		} else {
			wait_for(w, &j);
			pthread_cond_destroy(&j.finished);
		}
	}
	buf_done(&note);
}

void witness_add_checkpoint(struct witness *w, struct rd body, struct answer *ret)
{
	struct witness_request *r = malloc(sizeof *r);
	if (!r) {
		answer_say(ret, 500, "the witness is out of memory");
		return;
	}
	struct shared_config *config = hold_config(w);
	add_checkpoint(w, config, body, r, ret);
	release_config(w, config);
	free(r);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "The origin hash is the SHA-256 hash of the log's origin, hex encoded, in lowercase." */
static bool read_hash(struct rd in, struct tlog_hash *ret)
{
	if (in.len != 2 * TLOG_HASH)
		return false;
	for (size_t i = 0; i < TLOG_HASH; i++) {
		int hi = hex_digit(rd_byte(&in, 2 * i)), lo = hex_digit(rd_byte(&in, 2 * i + 1));
		if (hi < 0 || lo < 0)
			return false;
		ret->b[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void witness_get_checkpoint(struct witness *w, struct rd hash, struct answer *ret)
{
	struct tlog_hash id;
	struct err e = {0};
	if (!read_hash(hash, &id)) {
		answer_say(ret, 404,
		           "tlog-witness: an origin hash is 64 hexadecimal digits, in lowercase");
		return;
	}
	st_t st = state_note(w->o.state, &id, &ret->body, &e);
	if (st == ST_OK) {
		ret->status = 200;
		ret->type = ANSWER_TYPE_TEXT;
	} else if (st == ST_NOT_FOUND) {
		answer_say(ret, 404, "tlog-witness: no checkpoint of this log was ever cosigned here");
	} else {
		answer_say(ret, 500, "the witness cannot read its state");
	}
}

static void need_method(const char *method, struct answer *ret)
{
	answer_say(ret, 405, !strcmp(method, "POST")
	                         ? "tlog-witness: the request must be an HTTP POST"
	                         : "tlog-witness: the request must be an HTTP GET");
}

void witness_answer(struct witness *w, const char *method, const char *path, struct rd body,
                    struct answer *ret)
{
	static const char tail[] = "/checkpoint";
	size_t n = strlen(path), ntail = sizeof tail - 1;
	if (!strcmp(path, "/add-checkpoint")) {
		if (strcmp(method, "POST") != 0)
			need_method("POST", ret);
		else
			witness_add_checkpoint(w, body, ret);
	} else if (n > ntail + 1 && path[0] == '/' && !strcmp(path + n - ntail, tail)) {
		if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
			need_method("GET", ret);
		else
			witness_get_checkpoint(w, rd_make(path + 1, n - ntail - 1), ret);
	} else {
		answer_say(ret, 404, "tlog-witness: no such call; there are POST /add-checkpoint and GET "
		                     "/<origin hash>/checkpoint");
	}
}

struct witness_stats witness_stats(struct witness *w)
{
	pthread_mutex_lock(&w->lock);
	struct witness_stats s = w->stats;
	pthread_mutex_unlock(&w->lock);
	return s;
}

static st_t witness_start(struct witness *w, struct err *e)
{
	TRY(tlog_hasher_init(&w->hasher, e));
	if (pthread_create(&w->thread, NULL, commit_loop, w))
		return fail(e, -EAGAIN, 0, "witness: cannot start a thread");
	return ST_OK;
}

static void witness_destroy(struct witness *w)
{
	tlog_hasher_done(&w->hasher);
	buf_done(&w->note);
	buf_done(&w->lines);
	if (w->config)
		shared_config_free(w->config);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

st_t witness_new(const struct witness_opts *o, struct witness_config *config, struct witness **ret,
                 struct err *e)
{
	struct witness *w = calloc(1, sizeof *w);
	struct shared_config *c = shared_config_new(config);
	if (!w || !c) {
		free(w);
		c ? shared_config_free(c) : witness_config_free(config);
		return fail(e, ST_NOMEM, 0, "witness: out of memory");
	}
	w->o = *o;
	w->config = c;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	st_t st = witness_start(w, e);
	if (st == ST_OK)
		*ret = w;
	else
		witness_destroy(w);
	return st;
}

void witness_free(struct witness *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	witness_destroy(w);
}
