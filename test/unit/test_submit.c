/* The client of witnesses, against witnesses that tell the truth, that lie, and that are silent. */
#include "../t.h"

#include "net/fetch_fake.h"
#include "tlog/text.h"
#include "witness/answer.h"
#include "witness/submit.h"
#include "witness_make.h"

#define ORIGIN "example.com/log"
#define NOW 1800000000u
#define N 3

static struct make_key log_key, stranger, w[N];
static struct make_view one = {.view = 0}, two = {.view = 2};

/* A witness of the test: what it does next, or the truth. */
enum mood {
	HONEST,
	SILENT,       /* nothing comes */
	FIXED,        /* always the same answer */
	OTHER_TEXT,   /* cosigns the other view */
	FUTURE,       /* a time far ahead */
	EXTRA_LINES,  /* strangers' lines before and behind its own */
	TWICE,        /* two lines of its key */
	STRANGE_KEY,  /* only a stranger's line */
	SPOILED,      /* a byte of the signature changed */
	MOVES_ON,     /* 409 with another size every time */
};

struct fake {
	enum mood mood;
	uint64_t size; /* that it cosigned last */
	unsigned asked;
	struct fake_answer fixed;
	struct buf out;
	uint64_t last_old;
};

static struct fake fakes[N];

static void add_line(struct buf *out, struct rd text, const struct make_key *k, uint64_t time)
{
	if (note_sign(text, k->key.name, k->key.type, k->signer, time, out, NULL) != ST_OK)
		exit(1);
}

static void cosign(struct fake *f, size_t i, struct rd text)
{
	struct buf other = {0};
	uint64_t time = f->mood == FUTURE ? NOW + 3600 : NOW;
	if (f->mood == OTHER_TEXT) {
		struct tlog_hash root = make_root(&two, 9);
		checkpoint_format(ORIGIN, 9, &root, &other);
		text = make_rd(&other);
	}
	if (f->mood == EXTRA_LINES)
		add_line(&f->out, text, &stranger, time);
	add_line(&f->out, text, f->mood == STRANGE_KEY ? &stranger : &w[i], time);
	if (f->mood == TWICE)
		add_line(&f->out, text, &w[i], time + 1);
	if (f->mood == EXTRA_LINES)
		add_line(&f->out, text, &stranger, time);
	if (f->mood == SPOILED)
		f->out.data[f->out.len - 20] = f->out.data[f->out.len - 20] == 'A' ? 'B' : 'A';
	buf_done(&other);
}

/* Reads what we sent as a witness does; a request that is not right ends the test. */
static uint64_t read_request(const struct fetch_request *r, struct rd *ret_text, uint64_t *ret_size)
{
	struct rd in = rd_make(r->body, r->nbody), line;
	struct note *n = calloc(1, sizeof *n);
	struct checkpoint cp;
	struct tlog_proof p = {0};
	uint64_t old = 0;
	T_TRUE(text_line(&in, &line) && rd_peek(&line, "old ", 4));
	rd_skip(&line, 4);
	T_TRUE(text_decimal(rd_sub(&line, rd_left(&line)), &old));
	while (text_line(&in, &line) && rd_left(&line))
		T_TRUE(text_hash(line, &p.hash[p.n++]));
	T_EQ(note_parse(rd_sub(&in, rd_left(&in)), n, NULL), ST_OK);
	T_EQ(checkpoint_parse(n->text, &cp, NULL), ST_OK);
	if (old && old < cp.size) {
		struct tlog_hash root = make_root(&one, old);
		T_EQ(tlog_check_consistency(&one.hasher, old, cp.size, &root, &cp.root, &p, NULL), ST_OK);
	} else {
		T_EQ(p.n, 0);
	}
	*ret_text = n->text;
	*ret_size = cp.size;
	free(n);
	return old;
}

static void say_size(struct fake *f, uint64_t size, struct fake_answer *ret)
{
	ret->status = 409;
	ret->type = ANSWER_TYPE_SIZE;
	text_decimal_add(&f->out, size);
	buf_u8(&f->out, '\n');
}

static bool answer(void *ctx, const struct fetch_request *r, struct fake_answer *ret)
{
	struct rd text;
	uint64_t size;
	(void)ctx;
	size_t i = (size_t)(r->url[strlen("http://w")] - '0');
	struct fake *f = &fakes[i];
	T_TRUE(i < N && r->body && strstr(r->url, "/add-checkpoint"));
	uint64_t old = f->last_old = read_request(r, &text, &size);
	f->asked++;
	f->out.len = 0;
	if (f->mood == SILENT) {
		*ret = (struct fake_answer){.error = "connection refused"};
		return true;
	}
	if (f->mood == FIXED) {
		*ret = f->fixed;
		return true;
	}
	*ret = (struct fake_answer){.status = 200, .type = ANSWER_TYPE_TEXT};
	if (f->mood == MOVES_ON)
		say_size(f, f->asked, ret);
	else if (old != f->size)
		say_size(f, f->size, ret);
	else
		cosign(f, i, text);
	if (ret->status == 200)
		f->size = size;
	ret->body = f->out.data;
	ret->nbody = f->out.len;
	return true;
}

struct try {
	struct submit_outcome out[N];
	uint64_t known[N];
	struct buf lines;
	st_t st;
};

/* Of the second witness, where a test wants another. */
static const char *odd_url;

static struct policy *make_policy(void)
{
	struct buf b = {0};
	struct err e = {0};
	struct policy *p = NULL;
	make_log_line(&b, &log_key);
	for (int i = 0; i < N; i++) {
		char name[8], url[32];
		snprintf(name, sizeof name, "w%d", i);
		/* With a slash behind the prefix, without, and with a path. */
		snprintf(url, sizeof url, " http://w%d%s\n", i, i == 0 ? "/" : i == 1 ? "" : "/a/b/");
		if (i == 1 && odd_url)
			snprintf(url, sizeof url, " %s\n", odd_url);
		make_witness_line(&b, name, &w[i]);
		b.len--;
		make_add(&b, url);
	}
	make_add(&b, "quorum none\n");
	if (policy_parse(make_rd(&b), &p, &e) != ST_OK) {
		printf("%s\n", e.text);
		exit(1);
	}
	buf_done(&b);
	return p;
}

static void start(void)
{
	for (int i = 0; i < N; i++) {
		buf_done(&fakes[i].out);
		fakes[i] = (struct fake){0};
	}
}

static void submit_with(struct try *t, uint64_t size, struct fetch_fake *fake)
{
	struct policy *p = make_policy();
	struct fetch fetch = fetch_fake_as_fetch(fake);
	struct tlog_nodes nodes = make_nodes(&one);
	struct buf note = {0};
	struct submit s = {.policy = p, .fetch = &fetch, .nodes = &nodes, .hasher = &one.hasher,
	                   .timeout_ms = 1000, .now = NOW, .known_size = t->known};
	struct err e = {0};
	fetch_fake_on_request(fake, answer, NULL);
	make_note(&note, &one, size, &log_key);
	t->lines.len = 0;
	t->st = submit_checkpoint(&s, make_rd(&note), &t->lines, t->out, &e);
	buf_done(&note);
	policy_free(p);
}

static void submit(struct try *t, uint64_t size)
{
	struct fetch_fake *fake;
	if (fetch_fake_new(&fake, NULL) != ST_OK)
		exit(1);
	submit_with(t, size, fake);
	fetch_fake_free(fake);
}

/* The whole note with the lines is accepted for all of these witnesses. */
static void check_lines(const struct try *t, uint64_t size, const bool want[N])
{
	struct buf note = {0};
	struct note *n = calloc(1, sizeof *n);
	size_t count = 0;
	make_note(&note, &one, size, &log_key);
	buf_add(&note, t->lines.data, t->lines.len);
	T_EQ(note_parse(make_rd(&note), n, NULL), ST_OK);
	for (size_t i = 0; i < N; i++) {
		uint64_t time;
		bool there = note_verify_key(n, &w[i].key, &time, NULL) == ST_OK;
		T_EQ(there, want[i]);
		T_EQ(t->out[i].cosigned, want[i]);
		T_EQ(t->out[i].time != 0, want[i]);
		T_TRUE(want[i] == (t->out[i].error[0] == 0));
		count += there;
	}
	T_EQ(n->n, count + 1);
	free(n);
	buf_done(&note);
}

static void done(struct try *t)
{
	buf_done(&t->lines);
	start();
}

/* --- rules --- */

static void all_witnesses_cosign(void)
{
	struct try t = {0};
	start();
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){true, true, true});
	T_EQ(t.known[0], 9);
	submit(&t, 14);
	check_lines(&t, 14, (bool[]){true, true, true});
	T_EQ(fakes[0].asked, 2); /* the size that it is known to have is sent at once */
	submit(&t, 14);
	check_lines(&t, 14, (bool[]){true, true, true});
	done(&t);
}

static void a_witness_whose_url_is_none_keeps_nobody_else_from_cosigning(void)
{
	struct try t = {0};
	start();
	odd_url = "ftp://w1";
	submit(&t, 9);
	odd_url = NULL;
	check_lines(&t, 9, (bool[]){true, false, true});
	T_TRUE(strstr(t.out[1].error, "not an http or https URL") != NULL);
	done(&t);
}

static void lines_come_in_the_order_of_the_policy(void)
{
	struct try t = {0}, u = {0};
	struct fetch_fake *fake;
	start();
	submit(&t, 9);
	start();
	if (fetch_fake_new(&fake, NULL) != ST_OK)
		exit(1);
	fetch_fake_reverse(fake, true);
	submit_with(&u, 9, fake);
	T_TRUE(t.lines.len && t.lines.len == u.lines.len);
	T_MEM(t.lines.data, u.lines.data, t.lines.len);
	fetch_fake_free(fake);
	done(&t);
	done(&u);
}

static void a_size_that_is_not_known_is_learnt(void)
{
	struct try t = {.known = {0, 7, 100}};
	start();
	fakes[0].size = 5;
	fakes[1].size = 9;
	fakes[2].size = 3;
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){true, true, true});
	T_EQ(fakes[1].asked, 2);
	T_EQ(fakes[2].asked, 2);
	done(&t);
}

static void retries_end(void)
{
	struct try t = {0};
	start();
	fakes[0].mood = MOVES_ON;
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){false, true, true});
	T_EQ(fakes[0].asked, 3);
	T_STR(t.out[0].error, "it answered 409 3 times, each time with another size");
	done(&t);
}

static void a_size_above_ours_is_no_reason_to_ask_again(void)
{
	struct try t = {0};
	start();
	fakes[1].size = 10;
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){true, false, true});
	T_EQ(fakes[1].asked, 1);
	T_EQ(t.known[1], 0);
	T_STR(t.out[1].error,
		  "it says that it cosigned size 10 of this log, which is at 9: the log was "
		  "rolled back, or there are two of it");
	done(&t);
}

static void other_statuses_are_reported(void)
{
	static const struct {
		unsigned status;
		const char *type, *body, *said;
	} rows[] = {
		{400, "text/plain", "no\n", "400, it finds the request malformed: no"},
		{403, "text/plain", "", "403, it trusts none of the keys that signed the checkpoint"},
		{404, "text/plain", "unknown log\nmore\n", "404, it does not know this log: unknown log"},
		{422, "text/plain", "\x1b[31m",
		 "422, it finds the checkpoint inconsistent with what it "
		 "cosigned"},
		{429, "text/plain", "slow\x07", "429, it limits the rate of this log: slow"},
		{500, "text/html", "<p>", "500, it answered otherwise than tlog-witness allows: <p>"},
		{301, "text/html", "", "301, it answered otherwise than tlog-witness allows"},
		{409, "text/plain", "",
		 "it answered 409 without the size that it cosigned last; perhaps it "
		 "cosigned another root at this size"},
		{409, "text/x.tlog.size", "", NULL},
		{409, "text/x.tlog.size", "5", NULL},
		{409, "text/x.tlog.size", "05\n", NULL},
		{409, "text/x.tlog.size", "5\n\n", NULL},
		{409, "text/x.tlog.size", "-5\n", NULL},
		{409, "text/x.tlog.sizes", "5\n", NULL},
		{409, "text/x.tlog.size", "99999999999999999999\n", NULL},
		{409, "text/x.tlog.size", "0\n",
		 "it answered 409 with the very size that it was asked with"},
		{200, "text/plain", "", NULL},
		{200, "text/plain", "hello\n", NULL},
		{200, "text/plain", "\xe2\x80\x94 w0 AAAA", NULL},
		{200, "text/plain", "\xe2\x80\x94 w0 AAAA\n\n", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct try t = {0};
		start();
		fakes[0].mood = FIXED;
		fakes[0].fixed = (struct fake_answer){.status = rows[i].status, .type = rows[i].type,
		                                      .body = rows[i].body,
		                                      .nbody = strlen(rows[i].body)};
		submit(&t, 9);
		T_EQ(t.st, ST_OK);
		check_lines(&t, 9, (bool[]){false, true, true});
		T_EQ(t.out[0].status, rows[i].status);
		T_EQ(fakes[0].asked, 1);
		if (rows[i].said)
			T_STR(t.out[0].error, rows[i].said);
		done(&t);
	}
}

/* The type may carry parameters, in any case of letters. */
static void a_size_is_read_whatever_parameters_its_type_has(void)
{
	struct try t = {0};
	start();
	fakes[0].mood = FIXED;
	fakes[0].fixed = (struct fake_answer){.status = 409, .type = "Text/X.tlog.size; charset=utf-8",
	                                      .body = "5\n", .nbody = 2};
	submit(&t, 9);
	T_EQ(fakes[0].asked, 2);
	T_EQ(fakes[0].last_old, 5);
	done(&t);
}

static void what_is_no_cosignature_of_ours_is_refused(void)
{
	static const enum mood moods[] = {OTHER_TEXT, FUTURE, STRANGE_KEY, SPOILED, SILENT};
	for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++) {
		struct try t = {0};
		start();
		fakes[1].mood = moods[i];
		submit(&t, 9);
		check_lines(&t, 9, (bool[]){true, false, true});
		T_EQ(t.known[1], 0);
		done(&t);
	}
}

static void lines_of_unknown_keys_are_ignored(void)
{
	struct try t = {0};
	start();
	fakes[1].mood = EXTRA_LINES;
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){true, true, true});
	done(&t);
}

static void of_two_lines_of_a_witness_the_latest_is_taken(void)
{
	struct try t = {0}, once = {0};
	start();
	submit(&once, 9);
	check_lines(&once, 9, (bool[]){true, true, true});
	start();
	fakes[1].mood = TWICE;
	submit(&t, 9);
	check_lines(&t, 9, (bool[]){true, true, true});
	T_EQ(t.out[1].time, once.out[1].time + 1);
	done(&once);
	done(&t);
}

static void a_fetcher_that_is_gone_is_an_error_of_ours(void)
{
	struct try t = {0};
	struct fetch_fake *fake;
	start();
	if (fetch_fake_new(&fake, NULL) != ST_OK)
		exit(1);
	fetch_fake_break(fake);
	submit_with(&t, 9, fake);
	T_TRUE(t.st < 0);
	T_EQ(t.lines.len, 0);
	fetch_fake_free(fake);
	done(&t);
}

/* A fetcher that never answers. */
static st_t never_submit(void *ctx, const struct fetch_request *r, struct err *e)
{
	(void)ctx;
	(void)r;
	(void)e;
	return ST_OK;
}

static st_t never_next(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e)
{
	unsigned *stale = ctx;
	(void)wait_ms;
	if (*stale == 0)
		return fail(e, ST_TIMEOUT, 0, "no answer");
	/* To a round that is long over. */
	--*stale;
	*ret = (struct fetch_response){.tag = 0, .status = 200};
	buf_add(&ret->body, "late\n", 5);
	return ST_OK;
}

static void silence_ends_and_late_answers_are_nobodys(void)
{
	static const struct fetch_ops ops = {.submit = never_submit, .next = never_next};
	unsigned stale = 5;
	struct fetch fetch = {.ops = &ops, .ctx = &stale};
	struct policy *p = make_policy();
	struct tlog_nodes nodes = make_nodes(&one);
	struct try t = {0};
	struct buf note = {0};
	struct submit s = {.policy = p, .fetch = &fetch, .nodes = &nodes, .hasher = &one.hasher,
	                   .timeout_ms = 50, .now = NOW, .known_size = t.known};
	make_note(&note, &one, 9, &log_key);
	T_EQ(submit_checkpoint(&s, make_rd(&note), &t.lines, t.out, NULL), ST_OK);
	T_EQ(stale, 0);
	T_EQ(t.lines.len, 0);
	for (int i = 0; i < N; i++)
		T_STR(t.out[i].error, "no answer in the time allowed");
	policy_free(p);
	buf_done(&note);
	done(&t);
}

int main(void)
{
	make_key(1, ORIGIN, NOTE_ED25519, &log_key);
	make_key(9, "witness.example/stranger", NOTE_COSIGNATURE_ED25519, &stranger);
	for (int i = 0; i < N; i++) {
		char name[32];
		snprintf(name, sizeof name, "witness.example/w%d", i);
		make_key((uint8_t)(10 + i), name, NOTE_COSIGNATURE_ED25519, &w[i]);
	}
	T_RUN(all_witnesses_cosign);
	T_RUN(a_witness_whose_url_is_none_keeps_nobody_else_from_cosigning);
	T_RUN(lines_come_in_the_order_of_the_policy);
	T_RUN(a_size_that_is_not_known_is_learnt);
	T_RUN(retries_end);
	T_RUN(a_size_above_ours_is_no_reason_to_ask_again);
	T_RUN(other_statuses_are_reported);
	T_RUN(a_size_is_read_whatever_parameters_its_type_has);
	T_RUN(what_is_no_cosignature_of_ours_is_refused);
	T_RUN(lines_of_unknown_keys_are_ignored);
	T_RUN(of_two_lines_of_a_witness_the_latest_is_taken);
	T_RUN(a_fetcher_that_is_gone_is_an_error_of_ours);
	T_RUN(silence_ends_and_late_answers_are_nobodys);
	return t_end();
}
