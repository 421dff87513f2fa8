#include "witness/submit.h"

#include "base/num.h"
#include "tlog/text.h"
#include "witness/answer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Requests to one witness: with the size it is thought to have, with the size that it says it has,
 * and once more should somebody have brought it a checkpoint in between. */
#define SUBMIT_TRIES 3

/* Bytes of an answer: 16 lines of ML-DSA-44. */
#define SUBMIT_ANSWER_MAX ((size_t)64 << 10)

/* A witness whose clock is a little ahead is not from the future. */
#define SUBMIT_CLOCK_AHEAD_S 60

/* What is quoted of a witness's sentence. */
#define SUBMIT_QUOTE_MAX 120

/* Between two witnesses of one round in the tags of requests. */
#define SUBMIT_TAG_STEP ((uint64_t)POLICY_ITEMS_MAX * SUBMIT_TRIES)

struct visit {
	bool pending;
	unsigned tries;
	uint64_t tag; /* of the request under way */
	uint64_t old; /* size that it was sent with */
	struct buf line;
};

struct round {
	const struct submit *s;
	const struct policy_witness *witnesses;
	size_t n;
	struct note note; /* ours */
	struct checkpoint cp;
	struct rd bytes;
	struct note answer; /* scratch: the answer at hand */
	uint64_t next_tag;
	uint64_t deadline_ms;
	struct visit *visits;
	struct submit_outcome *outcomes;
};

/* Answers that came too late for an earlier round may still arrive: no tag is used twice. */
static uint64_t new_tags(void)
{
	static _Atomic uint64_t next = 1;
	return atomic_fetch_add(&next, SUBMIT_TAG_STEP);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t left_ms(const struct round *r)
{
	uint64_t now = now_ms();
	return now < r->deadline_ms ? (uint32_t)(r->deadline_ms - now) : 0;
}

__attribute__((format(printf, 3, 4))) static void give_up(struct round *r, size_t i,
                                                          const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->outcomes[i].error, sizeof r->outcomes[i].error, fmt, ap);
	va_end(ap);
	r->visits[i].pending = false;
}

/* --- asking --- */

static st_t build_body(struct round *r, uint64_t old, struct buf *out, struct err *e)
{
	struct tlog_proof proof = {0};
	if (old != 0 && old != r->cp.size)
		TRY(tlog_prove_consistency(r->s->hasher, r->s->nodes, old, r->cp.size, &proof, e));
	buf_add(out, "old ", 4);
	text_decimal_add(out, old);
	buf_u8(out, '\n');
	for (size_t i = 0; i < proof.n; i++) {
		text_base64_add(out, proof.hash[i].b, TLOG_HASH);
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
	buf_add(out, r->bytes.base, r->bytes.len);
	return buf_check(out, e, "submit");
}

/* "POST <submission prefix>/add-checkpoint" */
static bool build_url(const char *prefix, char ret[FETCH_URL_MAX])
{
	size_t n = strlen(prefix);
	while (n && prefix[n - 1] == '/')
		n--;
	int len = snprintf(ret, FETCH_URL_MAX, "%.*s/add-checkpoint",
					   (int)num_min_size(n, FETCH_URL_MAX), prefix);
	return len > 0 && len < FETCH_URL_MAX;
}

static st_t ask(struct round *r, size_t i, uint64_t old, struct err *e)
{
	char url[FETCH_URL_MAX];
	struct visit *v = &r->visits[i];
	struct buf body = {0};
	v->pending = false;
	if (!build_url(r->witnesses[i].url, url)) {
		give_up(r, i, "its URL is longer than %d bytes", FETCH_URL_MAX - 1);
		return ST_OK;
	}
	st_t st = build_body(r, old, &body, e);
	if (st != ST_OK) {
		buf_done(&body);
		return st;
	}
	struct fetch_request rq = {.url = url, .body = body.data, .nbody = body.len,
	                           .type = "text/plain; charset=utf-8", .max = SUBMIT_ANSWER_MAX,
	                           .timeout_ms = left_ms(r) ?: 1,
	                           .tag = r->next_tag};
	struct err why = {0};
	st = r->s->fetch->ops->submit(r->s->fetch->ctx, &rq, &why);
	buf_done(&body);
	/* A request that cannot be asked (its URL is none) is this witness's alone. */
	if (st > 0) {
		give_up(r, i, "%s", why.text);
		return ST_OK;
	}
	if (st != ST_OK)
		return fail(e, st, why.off, "%s", why.text);
	v->pending = true;
	v->tries++;
	v->tag = r->next_tag++;
	v->old = old;
	return ST_OK;
}

/* --- answers --- */

/* "text/x.tlog.size", whatever parameters follow. */
static bool is_size_type(const char *type)
{
	size_t n = sizeof ANSWER_TYPE_SIZE - 1;
	return !strncasecmp(type, ANSWER_TYPE_SIZE, n) &&
	       (type[n] == 0 || type[n] == ';' || type[n] == ' ');
}

/* "The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal,
 * followed by a newline (U+000A)." */
static bool read_size(const struct fetch_response *a, uint64_t *ret)
{
	struct rd in = rd_make(a->body.data, a->body.len), line;
	return is_size_type(a->type) && text_line(&in, &line) && !rd_left(&in) &&
	       text_decimal(line, ret) && *ret <= TLOG_SIZE_MAX;
}

static st_t take_conflict(struct round *r, size_t i, const struct fetch_response *a,
                          struct err *e)
{
	uint64_t size;
	struct visit *v = &r->visits[i];
	if (!read_size(a, &size)) {
		give_up(r, i, "it answered 409 without the size that it cosigned last; perhaps it cosigned "
		              "another root at this size");
		return ST_OK;
	}
	if (size > r->cp.size) {
		r->outcomes[i].contradicts = true;
		give_up(r, i,
				"it says that it cosigned size %llu of this log, which is at %llu: the log was "
				"rolled back, or there are two of it",
				(unsigned long long)size, (unsigned long long)r->cp.size);
		return ST_OK;
	}
	r->s->known_size[i] = size;
	if (size == v->old) {
		give_up(r, i, "it answered 409 with the very size that it was asked with");
		return ST_OK;
	}
	if (v->tries >= SUBMIT_TRIES) {
		give_up(r, i, "it answered 409 %u times, each time with another size", v->tries);
		return ST_OK;
	}
	return ask(r, i, size, e);
}

static void take_cosignature(struct round *r, size_t i, const struct fetch_response *a)
{
	const struct note_key *k = &r->witnesses[i].key;
	struct submit_outcome *o = &r->outcomes[i];
	struct err why = {0};
	uint64_t time = 0;
	st_t st = note_parse_signatures(rd_make(a->body.data, a->body.len), &r->answer, &why);
	r->answer.text = r->note.text;
	/* "The client MUST ignore any cosignatures from unknown keys." */
	const struct note_signature *s = NULL;
	if (st == ST_OK)
		st = note_verify_latest(&r->answer, k, &s, &time, &why);
	if (st != ST_OK) {
		give_up(r, i, "its answer holds no cosignature of this checkpoint: %s",
		        why.text[0] ? why.text : st_name(st));
		return;
	}
	/* "verifiers MAY reject cosignatures with timestamps in the future" */
	if (time > r->s->now && time - r->s->now > SUBMIT_CLOCK_AHEAD_S) {
		give_up(r, i, "its cosignature is from the future, %llu seconds ahead of the clock here",
		        (unsigned long long)(time - r->s->now));
		return;
	}
	buf_add(&r->visits[i].line, s->line.base, s->line.len);
	o->cosigned = true;
	o->time = time;
	r->visits[i].pending = false;
	r->s->known_size[i] = r->cp.size;
}

/* The first line of what it says, if that is plain text. */
static void quote(const struct fetch_response *a, char ret[SUBMIT_QUOTE_MAX + 3])
{
	struct rd in = rd_make(a->body.data, a->body.len);
	size_t n = 0;
	memcpy(ret, ": ", 3);
	for (; n < SUBMIT_QUOTE_MAX && rd_byte(&in, n) >= 0x20 && rd_byte(&in, n) < 0x7f; n++)
		ret[n + 2] = (char)rd_byte(&in, n);
	ret[n ? n + 2 : 0] = 0;
}

static const char *explain_status(unsigned status)
{
	switch (status) {
	case 400:
		return "it finds the request malformed";
	case 403:
		return "it trusts none of the keys that signed the checkpoint";
	case 404:
		return "it does not know this log";
	case 422:
		return "it finds the checkpoint inconsistent with what it cosigned";
	case 429:
		return "it limits the rate of this log";
	default:
		return "it answered otherwise than tlog-witness allows";
	}
}

static st_t take_answer(struct round *r, size_t i, const struct fetch_response *a, struct err *e)
{
	char said[SUBMIT_QUOTE_MAX + 3];
	r->outcomes[i].status = a->status;
	switch (a->status) {
	case 0:
		give_up(r, i, "%.200s", a->error[0] ? a->error : "no answer");
		return ST_OK;
	case 200:
		take_cosignature(r, i, a);
		return ST_OK;
	case 409:
		return take_conflict(r, i, a, e);
	default:
		r->outcomes[i].contradicts = a->status == 422;
		quote(a, said);
		give_up(r, i, "%u, %s%s", a->status, explain_status(a->status), said);
		return ST_OK;
	}
}

/* The witness whose request has this tag; r->n if none: an answer to an earlier round. */
static size_t find_visit(const struct round *r, uint64_t tag)
{
	size_t i = 0;
	while (i < r->n && !(r->visits[i].pending && r->visits[i].tag == tag))
		i++;
	return i;
}

static bool any_pending(const struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->visits[i].pending)
			return true;
	return false;
}

static void give_up_all(struct round *r, const char *why)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->visits[i].pending)
			give_up(r, i, "%s", why);
}

static st_t collect(struct round *r, struct err *e)
{
	while (any_pending(r)) {
		struct fetch_response a = {0};
		struct err why = {0};
		uint32_t left = left_ms(r);
		st_t st = left ? r->s->fetch->ops->next(r->s->fetch->ctx, (int)num_min_u64(left, INT32_MAX),
		                                        &a, &why)
		               : ST_TIMEOUT;
		if (st == ST_TIMEOUT || st == ST_NOT_FOUND) {
			give_up_all(r, "no answer in the time allowed");
			return ST_OK;
		}
		if (st != ST_OK)
			return fail(e, st, 0, "%s", why.text);
		size_t i = find_visit(r, a.tag);
		if (i < r->n)
			st = take_answer(r, i, &a, e);
		buf_done(&a.body);
		TRY(st);
	}
	return ST_OK;
}

/* --- all of it --- */

static st_t ask_all(struct round *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++) {
		uint64_t old = r->s->known_size[i];
		if (!r->witnesses[i].url)
			give_up(r, i, "the policy names no URL for it");
		else
			TRY(ask(r, i, old <= r->cp.size ? old : 0, e));
	}
	return ST_OK;
}

static st_t run_round(struct round *r, struct buf *ret_lines, struct err *e)
{
	struct buf lines = {0};
	TRY(note_parse(r->bytes, &r->note, e));
	TRY(checkpoint_parse(r->note.text, &r->cp, e));
	TRY(ask_all(r, e));
	TRY(collect(r, e));
	for (size_t i = 0; i < r->n; i++)
		buf_add(&lines, r->visits[i].line.data, r->visits[i].line.len);
	st_t st = buf_check(&lines, e, "submit");
	if (st == ST_OK)
		buf_add(ret_lines, lines.data, lines.len);
	buf_done(&lines);
	return st == ST_OK ? buf_check(ret_lines, e, "submit") : st;
}

st_t submit_checkpoint(const struct submit *s, struct rd note, struct buf *ret_lines,
                       struct submit_outcome *ret_outcomes, struct err *e)
{
	size_t n = s->policy->nwitnesses;
	struct round *r = calloc(1, sizeof *r);
	struct visit *visits = calloc(n + 1, sizeof *visits);
	st_t st = r && visits ? ST_OK : fail(e, ST_NOMEM, 0, "submit: out of memory");
	if (st == ST_OK) {
		memset(ret_outcomes, 0, n * sizeof *ret_outcomes);
		*r = (struct round){.s = s, .witnesses = s->policy->witnesses, .n = n, .bytes = note,
		                    .next_tag = new_tags(), .deadline_ms = now_ms() + s->timeout_ms,
		                    .visits = visits, .outcomes = ret_outcomes};
		st = run_round(r, ret_lines, e);
	}
	for (size_t i = 0; visits && i < n; i++)
		buf_done(&visits[i].line);
	free(visits);
	free(r);
	return st;
}
