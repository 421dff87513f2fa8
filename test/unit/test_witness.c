/* The witness without HTTP: every row of the table of C2SP tlog-witness, its configuration, its
 * state, and that no crash at any call makes it forget what it answered. */
#include "../t.h"

#include "crash_vfs.h"
#include "tlog/text.h"
#include "witness/add_checkpoint.h"
#include "witness/rate.h"
#include "witness/witness.h"
#include "witness_make.h"

#include <pthread.h>
#include <stdatomic.h>

#define NAME "witness.example/w1"
#define ORIGIN "example.com/log"
#define OTHER "example.com/other"
#define START 1800000000u

static _Atomic uint64_t unix_now = START, us_now = 1;

static uint64_t get_unix(void *ctx)
{
	(void)ctx;
	return unix_now;
}

static uint64_t get_us(void *ctx)
{
	(void)ctx;
	return us_now;
}

static struct make_key log_key, log_key2, other_key, stranger, cosigner;
static struct make_view one = {.view = 0}, two = {.view = 2};

static void make_keys(void)
{
	make_key(1, ORIGIN, NOTE_ED25519, &log_key);
	make_key(2, ORIGIN, NOTE_ED25519, &log_key2);
	make_key(3, OTHER, NOTE_ED25519, &other_key);
	make_key(4, "example.com/stranger", NOTE_ED25519, &stranger);
	make_key(5, NAME, NOTE_COSIGNATURE_ED25519, &cosigner);
}

static void must(st_t st, const struct err *e)
{
	if (st == ST_OK)
		return;
	printf("the test cannot go on: %s\n", e->text);
	exit(1);
}

static struct witness_config *parse_config(const char *extra)
{
	struct buf b = {0};
	struct err e = {0};
	struct witness_config *c = NULL;
	make_add(&b, "# logs\n\n");
	make_log_line(&b, &log_key);
	make_log_line(&b, &log_key2);
	make_log_line(&b, &other_key);
	make_add(&b, extra);
	must(witness_config_parse(make_rd(&b), &c, &e), &e);
	buf_done(&b);
	return c;
}

/* A config whose log has this rate. */
static struct witness_config *rated_config(const char *rate)
{
	struct buf b = {0};
	struct err e = {0};
	struct witness_config *c = NULL;
	make_log_line(&b, &log_key);
	b.data[b.len - 1] = ' ';
	make_add(&b, rate);
	make_add(&b, "\n");
	must(witness_config_parse(make_rd(&b), &c, &e), &e);
	buf_done(&b);
	return c;
}

struct world {
	struct state *state;
	struct witness *w;
};

static st_t world_open(struct world *x, bool create, struct witness_config *config, struct err *e)
{
	struct state_opts so = {.path = "state.db", .witness = NAME, .create = create,
	                        .vfs = CRASH_VFS};
	*x = (struct world){0};
	st_t st = state_open(&so, &x->state, e);
	if (st != ST_OK) {
		witness_config_free(config);
		return st;
	}
	struct witness_opts wo = {
	    .keys = {{.name = NAME, .type = NOTE_COSIGNATURE_ED25519, .signer = cosigner.signer}},
	    .nkeys = 1,
	    .state = x->state,
	    .clock = {.unix_s = get_unix, .monotonic_us = get_us},
	};
	must(witness_new(&wo, config, &x->w, e), e);
	return ST_OK;
}

static void world_close(struct world *x)
{
	witness_free(x->w);
	state_close(x->state);
	*x = (struct world){0};
}

static void world_start(struct world *x)
{
	struct err e = {0};
	crash_reset(0);
	unix_now = START;
	us_now = 1;
	must(world_open(x, true, rated_config("rate=none"), &e), &e);
	must(witness_set_config(x->w, parse_config(""), &e), &e);
}

/* --- sending --- */

static unsigned send(struct world *x, const struct buf *body, struct answer *a)
{
	*a = (struct answer){0};
	us_now += 1000000; /* rates are another test's */
	witness_answer(x->w, "POST", "/add-checkpoint", make_rd(body), a);
	buf_u8(&a->body, 0);
	a->body.len--;
	return a->status;
}

static bool is_cosignature(const struct answer *a, const struct buf *body)
{
	struct note *n = calloc(1, sizeof *n), *mine = calloc(1, sizeof *mine);
	const char *blank = memmem(body->data, body->len, "\n\n", 2);
	struct rd note = rd_make(blank + 2, body->len - (size_t)(blank + 2 - (char *)body->data));
	uint64_t time = 0;
	bool ok = note_parse(note, mine, NULL) == ST_OK &&
	          note_parse_signatures(make_rd(&a->body), n, NULL) == ST_OK;
	n->text = mine->text;
	ok = ok && n->n == 1 && note_verify_key(n, &cosigner.key, &time, NULL) == ST_OK;
	ok = ok && time >= START;
	free(n);
	free(mine);
	return ok;
}

static const char *text_of(const struct answer *a)
{
	return a->body.data ? (const char *)a->body.data : "";
}

/* Sends and compares status, type and (NULL: any) the whole body. */
#define SEND(x, body, want_status, want_type, want_body)                      \
	do {                                                                      \
		struct answer a_;                                                     \
		T_EQ(send((x), &(body), &a_), want_status);                           \
		T_STR(a_.type, want_type);                                            \
		const char *want_ = want_body;                                        \
		if (want_)                                                            \
			T_STR(text_of(&a_), want_);                                       \
		if (a_.status == 200)                                                 \
			T_TRUE(is_cosignature(&a_, &(body)));                             \
		answer_done(&a_);                                                     \
		buf_done(&(body));                                                    \
	} while (0)

static struct buf request(struct make_view *v, uint64_t old, uint64_t size)
{
	struct buf b = {0};
	make_request(&b, v, old, size, &log_key);
	return b;
}

static unsigned try_sizes(struct world *x, struct make_view *v, uint64_t old, uint64_t size)
{
	struct answer a;
	struct buf b = request(v, old, size);
	unsigned status = send(x, &b, &a);
	answer_done(&a);
	buf_done(&b);
	return status;
}

/* --- the table --- */

static void a_first_checkpoint_is_cosigned(void)
{
	struct world x;
	world_start(&x);
	struct buf b = request(&one, 0, 7);
	SEND(&x, b, 200, ANSWER_TYPE_TEXT, NULL);
	world_close(&x);
}

static void a_proven_advance_is_cosigned(void)
{
	struct world x;
	world_start(&x);
	for (uint64_t old = 0; old < 40; old += 3) {
		struct buf b = request(&one, old, old + 3);
		SEND(&x, b, 200, ANSWER_TYPE_TEXT, NULL);
	}
	world_close(&x);
}

static void the_same_checkpoint_gets_a_fresh_cosignature(void)
{
	struct world x;
	struct answer a, c;
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	struct buf b = request(&one, 7, 7);
	T_EQ(send(&x, &b, &a), 200);
	unix_now += 10;
	T_EQ(send(&x, &b, &c), 200);
	T_TRUE(is_cosignature(&a, &b) && is_cosignature(&c, &b));
	T_TRUE(strcmp(text_of(&a), text_of(&c)) != 0);
	answer_done(&a);
	answer_done(&c);
	buf_done(&b);
	world_close(&x);
}

static void the_empty_tree_is_cosigned(void)
{
	struct world x;
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 0), 200);
	T_EQ(try_sizes(&x, &one, 0, 0), 200);
	T_EQ(try_sizes(&x, &one, 0, 4), 200);
	T_EQ(try_sizes(&x, &one, 0, 0), 409);
	world_close(&x);
}

static void an_old_size_that_is_not_the_latest_is_409(void)
{
	struct world x;
	world_start(&x);
	struct buf b = request(&one, 3, 7);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "0\n");
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	b = request(&one, 0, 9);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "7\n");
	b = request(&one, 3, 7);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "7\n");
	b = request(&two, 0, 7);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "7\n");
	b = request(&one, 8, 9);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "7\n");
	world_close(&x);
}

static void another_root_of_the_same_size_is_422(void)
{
	struct world x;
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	struct buf b = request(&two, 7, 7);
	SEND(&x, b, 422, ANSWER_TYPE_TEXT,
	     "tlog-witness: another root hash was cosigned for this size: the log shows two views\n");
	T_EQ(try_sizes(&x, &one, 7, 7), 200);
	world_close(&x);
}

static void a_proof_that_does_not_verify_is_422(void)
{
	struct world x;
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	T_EQ(try_sizes(&x, &two, 7, 12), 422);
	struct buf b = {0};
	make_add(&b, "old 7\n\n");
	make_note(&b, &one, 12, &log_key);
	SEND(&x, b, 422, ANSWER_TYPE_TEXT, NULL);
	T_EQ(try_sizes(&x, &one, 7, 12), 200);
	world_close(&x);
}

static void a_proof_where_none_belongs_is_422(void)
{
	static const char hash[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n";
	struct world x;
	struct buf b = {0};
	world_start(&x);
	make_add(&b, "old 0\n");
	make_add(&b, hash);
	make_note(&b, &one, 7, &log_key);
	SEND(&x, b, 422, ANSWER_TYPE_TEXT,
	     "tlog-witness: the old size is zero, so the consistency proof must be empty\n");
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	make_add(&b, "old 7\n");
	make_add(&b, hash);
	make_note(&b, &one, 7, &log_key);
	SEND(&x, b, 422, ANSWER_TYPE_TEXT,
	     "RFC 6962 section 2.1.2: the proof between equal sizes must be empty\n");
	world_close(&x);
}

static void size_0_with_another_root_is_422(void)
{
	struct world x;
	struct buf note = {0}, b = {0};
	struct tlog_hash root = make_root(&one, 3);
	world_start(&x);
	make_add(&note, ORIGIN "\n0\n");
	text_base64_add(&note, root.b, sizeof root.b);
	make_add(&note, "\n\n");
	make_signature(&note, &log_key, 0);
	make_add(&b, "old 0\n\n");
	buf_add(&b, note.data, note.len);
	SEND(&x, b, 422, ANSWER_TYPE_TEXT,
	     "tlog-witness: a checkpoint of size zero must have the root hash of the empty tree\n");
	T_EQ(try_sizes(&x, &one, 0, 4), 200);
	make_add(&b, "old 0\n\n");
	buf_add(&b, note.data, note.len);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "4\n");
	buf_done(&note);
	world_close(&x);
}

static void an_old_size_above_the_checkpoint_is_400(void)
{
	struct world x;
	world_start(&x);
	struct buf b = request(&one, 9, 7);
	SEND(&x, b, 400, ANSWER_TYPE_TEXT,
	     "tlog-witness: the old size is greater than the checkpoint size\n");
	world_close(&x);
}

static void an_unknown_origin_is_404(void)
{
	struct world x;
	struct buf b = {0};
	world_start(&x);
	make_request(&b, &one, 0, 7, &stranger);
	SEND(&x, b, 404, ANSWER_TYPE_TEXT,
	     "tlog-witness: the checkpoint origin is unknown to this witness\n");
	world_close(&x);
}

/* A checkpoint of the log, signed by whoever. */
static struct buf signed_by(const struct make_key *a, const struct make_key *b)
{
	struct buf note = {0}, body = {0};
	struct tlog_hash root = make_root(&one, 7);
	make_checkpoint(&note, ORIGIN, 7, &root);
	if (a)
		make_signature(&note, a, 0);
	if (b)
		make_signature(&note, b, 0);
	make_add(&body, "old 0\n\n");
	buf_add(&body, note.data, note.len);
	buf_done(&note);
	return body;
}

static void no_signature_of_a_trusted_key_is_403(void)
{
	struct world x;
	world_start(&x);
	struct buf b = signed_by(&stranger, &other_key);
	SEND(&x, b, 403, ANSWER_TYPE_TEXT,
	     "tlog-witness: no signature from a trusted key for the origin is present\n");
	world_close(&x);
}

static void a_wrong_signature_of_a_trusted_key_is_403(void)
{
	struct world x;
	world_start(&x);
	struct buf b = signed_by(&log_key, NULL);
	b.data[b.len - 20] ^= 1;
	SEND(&x, b, 403, ANSWER_TYPE_TEXT, NULL);
	/* Also beside a good one. */
	b = signed_by(&log_key, &log_key2);
	b.data[b.len - 20] ^= 1;
	SEND(&x, b, 403, ANSWER_TYPE_TEXT, NULL);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	world_close(&x);
}

static void signatures_of_unknown_keys_are_ignored(void)
{
	struct world x;
	world_start(&x);
	struct buf b = signed_by(&stranger, &log_key2);
	SEND(&x, b, 200, ANSWER_TYPE_TEXT, NULL);
	world_close(&x);
}

static void what_is_malformed_is_400(void)
{
	static const struct {
		const char *head, *said;
	} bad[] = {
	    {"", "tlog-witness: the first line does not begin with \"old \"\n"},
	    {"old\n\n", "tlog-witness: the first line does not begin with \"old \"\n"},
	    {"Old 0\n\n", "tlog-witness: the first line does not begin with \"old \"\n"},
	    {"old  0\n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old 00\n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old +0\n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old 0 \n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old 0\r\n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old \n\n", "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old 18446744073709551616\n\n",
	     "tlog-witness: the old size is not an ASCII decimal without leading zeroes\n"},
	    {"old 9223372036854775808\n\n", "tlog-witness: the old size is above 2^63 - 1\n"},
	    {"old 0\n", "tlog-witness: consistency proof line 1 is not one hash in base64\n"},
	    {"old 0\nAAAA\n\n", "tlog-witness: consistency proof line 1 is not one hash in base64\n"},
	    {"old 0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n\n",
	     "tlog-witness: consistency proof line 1 is not one hash in base64\n"},
	};
	struct world x;
	world_start(&x);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf b = {0};
		make_add(&b, bad[i].head);
		make_note(&b, &one, 7, &log_key);
		SEND(&x, b, 400, ANSWER_TYPE_TEXT, bad[i].said);
	}
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	world_close(&x);
}

static void a_note_or_checkpoint_that_is_malformed_is_400(void)
{
	static const char *const bad[] = {
	    "old 0\n\n",
	    "old 0\n\n" ORIGIN "\n7\n",
	    "old 0\n\n" ORIGIN "\n07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
	    "\xe2\x80\x94 a AAAAAAAA\n",
	    "old 0\n\n" ORIGIN "\n0\nAAAA\n\n\xe2\x80\x94 a AAAAAAAA\n",
	    "old 0\n\n" ORIGIN "\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
	    "old 0\n\n" ORIGIN "\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n- a AAAAAAAA\n",
	};
	struct world x;
	world_start(&x);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf b = {0};
		make_add(&b, bad[i]);
		SEND(&x, b, 400, ANSWER_TYPE_TEXT, NULL);
	}
	world_close(&x);
}

/* A proof of 64 hashes is malformed, one of 63 is only wrong. */
static void more_than_63_proof_lines_are_400(void)
{
	struct world x;
	world_start(&x);
	for (int n = 63; n <= 64; n++) {
		struct buf b = {0};
		make_add(&b, "old 0\n");
		for (int i = 0; i < n; i++)
			make_add(&b, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
		make_add(&b, "\n");
		make_note(&b, &one, 7, &log_key);
		SEND(&x, b, n == 63 ? 422 : 400, ANSWER_TYPE_TEXT, NULL);
	}
	world_close(&x);
}

static void a_body_that_is_too_long_is_413(void)
{
	struct world x;
	struct buf b = {0};
	world_start(&x);
	buf_fill(&b, 'a', WITNESS_BODY_MAX + 1);
	SEND(&x, b, 413, ANSWER_TYPE_TEXT, "the body is longer than 65536 bytes\n");
	world_close(&x);
}

static void several_faults_give_the_first_of_the_table(void)
{
	struct world x;
	struct buf b = {0};
	world_start(&x);
	make_request(&b, &one, 9, 7, &stranger);
	SEND(&x, b, 400, ANSWER_TYPE_TEXT, NULL);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	/* Wrong signature and wrong old size; wrong old size and wrong proof. */
	b = signed_by(&stranger, NULL);
	SEND(&x, b, 403, ANSWER_TYPE_TEXT, NULL);
	b = request(&two, 6, 12);
	SEND(&x, b, 409, ANSWER_TYPE_SIZE, "7\n");
	world_close(&x);
}

static void other_paths_and_methods_are_refused(void)
{
	static const struct {
		const char *method, *path;
		unsigned status;
	} rows[] = {
	    {"GET", "/add-checkpoint", 405}, {"POST", "/", 404},        {"GET", "/checkpoint", 404},
	    {"POST", "/add-checkpoint/", 404}, {"GET", "/abc/checkpoint", 404},
	    {"GET", "//checkpoint", 404},    {"POST", "/sign-subtree", 404},
	};
	struct world x;
	world_start(&x);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a = {0};
		witness_answer(x.w, rows[i].method, rows[i].path, rd_make("", 0), &a);
		T_EQ(a.status, rows[i].status);
		answer_done(&a);
	}
	world_close(&x);
}

/* --- rate, clock, monitoring, configuration --- */

static unsigned send_now(struct world *x, uint64_t old, uint64_t size, uint32_t *ret_retry)
{
	struct answer a = {0};
	struct buf b = request(&one, old, size);
	witness_answer(x->w, "POST", "/add-checkpoint", make_rd(&b), &a);
	unsigned status = a.status;
	*ret_retry = a.retry_after_s;
	answer_done(&a);
	buf_done(&b);
	return status;
}

static void more_than_the_rate_is_429(void)
{
	struct world x;
	struct err e = {0};
	uint32_t retry;
	world_start(&x);
	must(witness_set_config(x.w, rated_config("rate=2/m"), &e), &e);
	T_EQ(send_now(&x, 0, 3, &retry), 200);
	T_EQ(send_now(&x, 1, 4, &retry), 409); /* what is refused costs nothing */
	T_EQ(send_now(&x, 3, 4, &retry), 200);
	T_EQ(send_now(&x, 4, 5, &retry), 429);
	T_EQ(retry, 30);
	us_now += 29000000;
	T_EQ(send_now(&x, 4, 5, &retry), 429);
	T_EQ(retry, 1);
	us_now += 1000000;
	T_EQ(send_now(&x, 4, 5, &retry), 200);
	world_close(&x);
}

static void repeating_a_checkpoint_does_not_spend_the_logs_rate(void)
{
	struct world x;
	struct err e = {0};
	uint32_t retry;
	world_start(&x);
	must(witness_set_config(x.w, rated_config("rate=2/h"), &e), &e);
	T_EQ(send_now(&x, 0, 3, &retry), 200);
	T_EQ(send_now(&x, 3, 3, &retry), 200);
	T_EQ(send_now(&x, 3, 3, &retry), 200);
	T_EQ(send_now(&x, 3, 3, &retry), 429);
	T_EQ(send_now(&x, 3, 4, &retry), 200);
	world_close(&x);
}

static void a_rate_is_a_burst_then_an_average(void)
{
	struct rate_bucket b = {0};
	struct witness_rate r = {.n = 10, .period_s = 1}, none = {.n = 0, .period_s = 1};
	unsigned passed = 0;
	for (uint64_t us = 1; us < 10000000; us += 1000)
		passed += rate_take(&b, &r, us) == 0;
	T_EQ(passed, 109);
	for (int i = 0; i < 1000; i++)
		T_EQ(rate_take(&b, &none, 1), 0);
}

static void a_clock_that_went_back_signs_nothing(void)
{
	struct world x;
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 3), 200);
	unix_now = START - WITNESS_CLOCK_BACK_S;
	T_EQ(try_sizes(&x, &one, 3, 4), 200); /* with the time signed last */
	unix_now = START - WITNESS_CLOCK_BACK_S - 1;
	T_EQ(try_sizes(&x, &one, 4, 5), 503);
	unix_now = START;
	T_EQ(try_sizes(&x, &one, 4, 5), 200);
	world_close(&x);
}

static void hex_of(const char *origin, char ret[80])
{
	struct tlog_hash id;
	T_TRUE(witness_origin_id(origin, strlen(origin), &id));
	char *p = ret;
	p += sprintf(p, "/");
	for (size_t i = 0; i < sizeof id.b; i++)
		p += sprintf(p, "%02x", id.b[i]);
	sprintf(p, "/checkpoint");
}

static void the_latest_cosigned_checkpoint_is_served(void)
{
	struct world x;
	struct answer a = {0};
	struct note *n = calloc(1, sizeof *n);
	struct checkpoint cp;
	uint64_t time;
	char path[80];
	world_start(&x);
	hex_of(ORIGIN, path);
	witness_answer(x.w, "GET", path, rd_make("", 0), &a);
	T_EQ(a.status, 404);
	answer_done(&a);

	struct buf b = signed_by(&stranger, &log_key2);
	SEND(&x, b, 200, ANSWER_TYPE_TEXT, NULL);
	T_EQ(try_sizes(&x, &two, 7, 12), 422);
	witness_answer(x.w, "GET", path, rd_make("", 0), &a);
	T_EQ(a.status, 200);
	T_STR(a.type, ANSWER_TYPE_TEXT);
	must(note_parse(make_rd(&a.body), n, NULL), &(struct err){0});
	T_EQ(n->n, 2); /* the log's and the witness's, not the stranger's */
	T_EQ(note_verify_key(n, &log_key2.key, &time, NULL), ST_OK);
	T_EQ(note_verify_key(n, &cosigner.key, &time, NULL), ST_OK);
	T_EQ(time, START);
	T_EQ(checkpoint_parse(n->text, &cp, NULL), ST_OK);
	T_EQ(cp.size, 7);
	answer_done(&a);
	free(n);
	world_close(&x);
}

static void a_reload_takes_effect_at_the_next_request(void)
{
	struct world x;
	struct err e = {0};
	struct buf b = {0};
	world_start(&x);
	T_EQ(try_sizes(&x, &one, 0, 7), 200);
	must(witness_set_config(x.w, parse_config(""), &e), &e);
	T_EQ(try_sizes(&x, &one, 7, 9), 200);
	struct witness_config *none;
	must(witness_config_parse(rd_make("# none\n", 7), &none, &e), &e);
	must(witness_set_config(x.w, none, &e), &e);
	T_EQ(try_sizes(&x, &one, 9, 10), 404);
	must(witness_set_config(x.w, parse_config(""), &e), &e);
	make_request(&b, &one, 0, 3, &other_key);
	SEND(&x, b, 200, ANSWER_TYPE_TEXT, NULL);
	T_EQ(try_sizes(&x, &one, 9, 10), 200); /* what was cosigned is not forgotten */
	world_close(&x);
}

static void a_configuration_is_read_strictly(void)
{
	static const struct {
		const char *before, *after, *said;
	} bad[] = {
	    {"log", "\n", "line 1: log without a vkey"},
	    {"log x\n", "", "line 1: "},
	    {"witness a b\n", "", "line 1: 'witness' is not \"log\""},
	    {"# fine\nlog \x01\n", "", "line 2: a control character"},
	    {"log LINE", " rate=0/s\n", "line 1: a rate is "},
	    {"log LINE", " rate=5/d\n", "line 1: a rate is "},
	    {"log LINE", " rate=05/s\n", "line 1: a rate is "},
	    {"log LINE", " rate=1000001/s\n", "line 1: a rate is "},
	    {"log LINE", " rate=1/s rate=1/s\n", "line 1: two rates"},
	    {"log LINE", " https://a/ https://b/\n", "line 1: two URLs"},
	    {"log LINE", " ftp://a/\n", "line 1: 'ftp://a/' is neither a URL nor rate=..."},
	    {"log LINE", "\nlog LINE\n", "line 2: this key is listed already"},
	    {"log LINE", " rate=1/s\nlog SECOND rate=2/s\n",
	     "line 2: another rate for the same origin"},
	    {"log LINE", "", "line 1: does not end in a newline"},
	};
	struct buf line = {0}, second = {0};
	note_key_format(&log_key.key, &line);
	note_key_format(&log_key2.key, &second);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf b = {0};
		struct err e = {0};
		struct witness_config *c = NULL;
		char text[512];
		snprintf(text, sizeof text, "%s%s", bad[i].before, bad[i].after);
		for (const char *p = text; *p;) {
			bool is_line = !strncmp(p, "LINE", 4), is_second = !strncmp(p, "SECOND", 6);
			const struct buf *key = is_line ? &line : &second;
			if (is_line || is_second)
				buf_add(&b, key->data, key->len);
			else
				buf_u8(&b, (uint8_t)*p);
			p += is_line ? 4 : is_second ? 6 : 1;
		}
		T_TRUE(witness_config_parse(make_rd(&b), &c, &e) > 0);
		if (strncmp(e.text, bad[i].said, strlen(bad[i].said)) != 0)
			T_STR(e.text, bad[i].said);
		witness_config_free(c);
		buf_done(&b);
	}
	buf_done(&line);
	buf_done(&second);
}

static void a_configuration_brings_the_keys_of_an_origin_together(void)
{
	struct witness_config *c = parse_config("# end\n\t \n");
	const struct witness_log *l = witness_config_find(c, rd_make(ORIGIN, strlen(ORIGIN)));
	T_EQ(c->n, 2);
	T_TRUE(l && l->nkeys == 2);
	T_TRUE(l && l->rate.n == WITNESS_RATE_DEFAULT && l->rate.period_s == 1);
	T_TRUE(!witness_config_find(c, rd_make("example.com", 11)));
	witness_config_free(c);
	c = rated_config("https://example.com/log/ rate=600/h # often");
	T_EQ(c->logs[0].rate.n, 600);
	T_EQ(c->logs[0].rate.period_s, 3600);
	T_STR(c->logs[0].url, "https://example.com/log/");
	witness_config_free(c);
}

/* --- state --- */

static void a_state_of_another_witness_is_refused(void)
{
	struct world x;
	struct err e = {0};
	struct state *s = NULL;
	world_start(&x);
	world_close(&x);
	struct state_opts o = {.path = "state.db", .witness = "w2", .vfs = CRASH_VFS};
	T_EQ(state_open(&o, &s, &e), ST_CONFLICT);
	T_STR(e.text, "state: it is that of the witness 'witness.example/w1', not of 'w2'");
}

static void a_damaged_state_is_refused(void)
{
	struct world x;
	unsigned refused = 0, damaged = 0;
	for (uint64_t at = 0; at < 3 * 4096; at += 61) {
		struct err e = {0};
		world_start(&x);
		T_EQ(try_sizes(&x, &one, 0, 7), 200);
		world_close(&x);
		if (!crash_flip("state.db", at))
			break;
		damaged++;
		st_t st = world_open(&x, false, parse_config(""), &e);
		refused += st > 0;
		/* What is not refused was room that nothing uses. */
		if (st == ST_OK) {
			T_EQ(try_sizes(&x, &one, 0, 9), 409);
			T_EQ(try_sizes(&x, &two, 7, 7), 422);
			T_EQ(try_sizes(&x, &one, 7, 9), 200);
			world_close(&x);
		}
	}
	T_TRUE(damaged > 100 && refused > 5);
}

/* --- crashes --- */

#define LOGS 2

struct promise {
	uint64_t size; /* 0: nothing was answered */
};

static const struct make_key *key_of(unsigned log)
{
	return log ? &other_key : &log_key;
}

static unsigned bring(struct world *x, struct make_view *v, unsigned log, uint64_t old,
                      uint64_t size)
{
	struct answer a;
	struct buf b = {0};
	make_request(&b, v, old, size, key_of(log));
	unsigned status = send(x, &b, &a);
	if (status == 200)
		T_TRUE(is_cosignature(&a, &b));
	answer_done(&a);
	buf_done(&b);
	return status;
}

/* Checkpoints of two logs, one after another, until the world stops. */
static void live(struct world *x, struct promise promised[LOGS])
{
	for (unsigned i = 0; i < 12 && !crash_stopped(); i++) {
		unsigned log = i % LOGS;
		uint64_t old = promised[log].size, size = old + 6 + (i % 4 == 3 ? 0 : i % 3);
		if (i % 4 == 3)
			size = old; /* the same again */
		unsigned status = bring(x, &one, log, old, size);
		if (status == 200)
			promised[log].size = size;
		else
			T_EQ(status, 500);
	}
}

/* After the power is back: nothing that was answered is forgotten, and the other view is refused
 * whatever it says that it is the successor of. */
static void check_promises(const struct promise promised[LOGS])
{
	struct world x;
	struct err e = {0};
	st_t st = world_open(&x, false, parse_config(""), &e);
	T_EQ(st, ST_OK);
	if (st != ST_OK) {
		printf("  %s\n", e.text);
		return;
	}
	for (unsigned log = 0; log < LOGS; log++) {
		uint64_t size = promised[log].size, latest = 0;
		struct answer a;
		struct buf b = {0};
		make_request(&b, &one, 1000, 1000, key_of(log));
		T_EQ(send(&x, &b, &a), 409);
		latest = strtoull(text_of(&a), NULL, 10);
		answer_done(&a);
		buf_done(&b);
		T_TRUE(latest >= size);
		if (!size)
			continue;
		T_EQ(bring(&x, &two, log, latest, latest), 422);
		T_EQ(bring(&x, &two, log, latest, latest + 9), 422);
		T_EQ(bring(&x, &two, log, 0, latest + 9), 409);
		T_EQ(bring(&x, &one, log, latest, latest), 200);
		T_EQ(bring(&x, &one, log, latest, latest + 9), 200);
	}
	world_close(&x);
}

/* One life that ends at call `at`; false: it ended by itself before that. */
static bool crash_at(uint64_t at, enum crash_loss loss, uint64_t *seed)
{
	struct world x;
	struct promise promised[LOGS] = {{0}};
	struct err e = {0};
	crash_reset(at);
	unix_now = START;
	bool opened = world_open(&x, true, parse_config(""), &e) == ST_OK;
	if (opened) {
		live(&x, promised);
		world_close(&x);
	}
	bool stopped = crash_stopped();
	crash_reboot(loss, seed, 0);
	if (opened)
		check_promises(promised);
	return stopped;
}

static void no_crash_at_any_call_forgets_what_was_answered(void)
{
	uint64_t seed = t_seed(0x5eed), at = 0;
	for (int loss = 0; loss < CRASH_LOSSES; loss++) {
		int rounds = loss == CRASH_TORN ? 4 : 1;
		for (at = 1; at < 10000; at++) {
			bool stopped = false;
			for (int i = 0; i < rounds; i++)
				stopped = crash_at(at, (enum crash_loss)loss, &seed);
			if (!stopped)
				break;
		}
	}
	printf("  stopped at each of %llu calls\n", (unsigned long long)at - 1);
	T_TRUE(at > 40);
}

/* The same while the state is opened again and its log of writes is brought in. */
static void no_crash_while_starting_again_forgets_anything(void)
{
	uint64_t seed = t_seed(0xfeed);
	for (uint64_t at = 1; at < 1000; at++) {
		struct world x;
		struct promise promised[LOGS] = {{0}};
		struct err e = {0};
		crash_reset(0);
		unix_now = START;
		must(world_open(&x, true, parse_config(""), &e), &e);
		live(&x, promised);
		/* Not closed before the power fails: its write-ahead log is full. */
		struct world dead = x;
		crash_reboot(CRASH_LOSE_ALL, &seed, 1);
		world_close(&dead);
		crash_reboot(CRASH_LOSE_NONE, &seed, at);
		if (world_open(&x, false, parse_config(""), &e) == ST_OK) {
			live(&x, promised);
			world_close(&x);
		}
		bool stopped = crash_stopped();
		crash_reboot(CRASH_TORN, &seed, 0);
		check_promises(promised);
		if (!stopped)
			return;
	}
	T_FAIL("it never ended by itself");
}

static void after_a_failed_commit_nothing_is_cosigned(void)
{
	struct world x;
	uint64_t seed = 1;
	world_start(&x);
	T_EQ(bring(&x, &one, 0, 0, 7), 200);
	crash_reboot(CRASH_LOSE_NONE, &seed, 1);
	T_EQ(bring(&x, &one, 0, 7, 9), 500);
	crash_reboot(CRASH_LOSE_NONE, &seed, 0); /* the disk is well again, the witness is not */
	T_EQ(bring(&x, &two, 0, 7, 9), 500);
	T_TRUE(witness_stats(x.w).failed);
	world_close(&x);
}

/* --- races --- */

struct racer {
	pthread_t thread;
	struct world *x;
	struct make_view *view;
	uint64_t old, size;
	unsigned status;
};

static void *race(void *ctx)
{
	struct racer *r = ctx;
	struct answer a = {0};
	struct buf b = {0};
	struct make_view v = {.view = r->view->view};
	make_request(&b, &v, r->old, r->size, &log_key);
	witness_answer(r->x->w, "POST", "/add-checkpoint", make_rd(&b), &a);
	r->status = a.status;
	answer_done(&a);
	buf_done(&b);
	return NULL;
}

static void of_two_views_that_race_one_is_cosigned(void)
{
	struct world x;
	struct err e = {0};
	world_start(&x);
	must(witness_set_config(x.w, rated_config("rate=none"), &e), &e);
	T_EQ(try_sizes(&x, &one, 0, 4), 200);
	uint64_t size = 4;
	struct make_view *truth = NULL;
	for (int round = 0; round < 20; round++, size += 3) {
		struct racer r[16];
		unsigned won[2] = {0, 0};
		for (int i = 0; i < 16; i++) {
			r[i] = (struct racer){.x = &x, .view = i % 2 ? &two : &one, .old = size,
			                      .size = size + 3};
			if (pthread_create(&r[i].thread, NULL, race, &r[i]))
				exit(1);
		}
		for (int i = 0; i < 16; i++) {
			pthread_join(r[i].thread, NULL);
			won[i % 2] += r[i].status == 200;
			T_TRUE(r[i].status == 200 || r[i].status == 409 || r[i].status == 422);
		}
		T_EQ(won[0] + won[1], 1); /* the others see that the size moved on */
		struct make_view *winner = won[0] ? &one : &two;
		T_TRUE(!truth || truth == winner);
		truth = winner;
	}
	world_close(&x);
}

int main(void)
{
	make_keys();
	crash_register();
	T_RUN(a_first_checkpoint_is_cosigned);
	T_RUN(a_proven_advance_is_cosigned);
	T_RUN(the_same_checkpoint_gets_a_fresh_cosignature);
	T_RUN(the_empty_tree_is_cosigned);
	T_RUN(an_old_size_that_is_not_the_latest_is_409);
	T_RUN(another_root_of_the_same_size_is_422);
	T_RUN(a_proof_that_does_not_verify_is_422);
	T_RUN(a_proof_where_none_belongs_is_422);
	T_RUN(size_0_with_another_root_is_422);
	T_RUN(an_old_size_above_the_checkpoint_is_400);
	T_RUN(an_unknown_origin_is_404);
	T_RUN(no_signature_of_a_trusted_key_is_403);
	T_RUN(a_wrong_signature_of_a_trusted_key_is_403);
	T_RUN(signatures_of_unknown_keys_are_ignored);
	T_RUN(what_is_malformed_is_400);
	T_RUN(a_note_or_checkpoint_that_is_malformed_is_400);
	T_RUN(more_than_63_proof_lines_are_400);
	T_RUN(a_body_that_is_too_long_is_413);
	T_RUN(several_faults_give_the_first_of_the_table);
	T_RUN(other_paths_and_methods_are_refused);
	T_RUN(more_than_the_rate_is_429);
	T_RUN(repeating_a_checkpoint_does_not_spend_the_logs_rate);
	T_RUN(a_rate_is_a_burst_then_an_average);
	T_RUN(a_clock_that_went_back_signs_nothing);
	T_RUN(the_latest_cosigned_checkpoint_is_served);
	T_RUN(a_reload_takes_effect_at_the_next_request);
	T_RUN(a_configuration_is_read_strictly);
	T_RUN(a_configuration_brings_the_keys_of_an_origin_together);
	T_RUN(a_state_of_another_witness_is_refused);
	T_RUN(a_damaged_state_is_refused);
	T_RUN(no_crash_at_any_call_forgets_what_was_answered);
	T_RUN(no_crash_while_starting_again_forgets_anything);
	T_RUN(after_a_failed_commit_nothing_is_cosigned);
	T_RUN(of_two_views_that_race_one_is_cosigned);
	return t_end();
}
