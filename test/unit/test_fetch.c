/* The fetcher's frames, and the client that does not believe it. */
#include "base/num.h"
#include "net/fetch_client.h"
#include "net/fetch_fake.h"
#include "net/fetch_wire.h"
#include "sandbox/ipc.h"
#include "test/t.h"

#include <unistd.h>

static struct frame in, out;

static struct buf written(const struct frame *f)
{
	struct buf b = {0};
	frame_write(f, &b);
	return b;
}

static st_t read_back(const struct buf *b, enum frame_side from)
{
	struct err e = {0};
	memset(&in, 0, sizeof in);
	return frame_read(rd_make(b->data, b->len), from, &in, &e);
}

static void set_request(const char *url)
{
	out = (struct frame){.type = FRAME_REQUEST, .id = 7, .method = FRAME_POST, .max = 8192,
	                     .timeout_ms = 1000, .nbody = 5};
	memcpy(out.url, url, strlen(url) + 1);
	memcpy(out.content_type, "text/plain", 11);
}

static void a_frame_is_read_as_it_was_written(void)
{
	set_request("https://log.example/checkpoint");
	struct buf b = written(&out);
	T_EQ(read_back(&b, FRAME_CLIENT), ST_OK);
	T_EQ(in.id, 7);
	T_EQ(in.max, 8192);
	T_EQ(in.nbody, 5);
	T_STR(in.url, "https://log.example/checkpoint");
	T_STR(in.content_type, "text/plain");
	buf_done(&b);
}

static void a_frame_of_the_wrong_side_is_refused(void)
{
	set_request("http://a/");
	struct buf b = written(&out);
	T_EQ(read_back(&b, FRAME_FETCHER), ST_MALFORMED);
	buf_done(&b);
}

static void a_frame_cut_anywhere_is_refused(void)
{
	set_request("http://a/");
	struct buf b = written(&out);
	size_t whole = b.len;
	for (b.len = 0; b.len < whole; b.len++)
		T_TRUE(read_back(&b, FRAME_CLIENT) != ST_OK);
	buf_done(&b);
}

static void a_byte_too_many_is_refused(void)
{
	set_request("http://a/");
	struct buf b = written(&out);
	buf_u8(&b, 0);
	T_EQ(read_back(&b, FRAME_CLIENT), ST_MALFORMED);
	buf_done(&b);
}

static void a_status_that_is_none_is_refused(void)
{
	static const uint32_t bad[] = {0, 99, 1000, UINT32_MAX};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		out = (struct frame){.type = FRAME_DONE, .status = bad[i]};
		struct buf b = written(&out);
		T_EQ(read_back(&b, FRAME_FETCHER), ST_MALFORMED);
		buf_done(&b);
	}
}

static void an_error_that_would_act_on_a_terminal_is_refused(void)
{
	out = (struct frame){.type = FRAME_FAILED, .error = "a\033[2Jb"};
	struct buf b = written(&out);
	T_EQ(read_back(&b, FRAME_FETCHER), ST_MALFORMED);
	buf_done(&b);
}

static void a_part_without_bytes_is_refused(void)
{
	out = (struct frame){.type = FRAME_PART};
	struct buf b = written(&out);
	T_EQ(read_back(&b, FRAME_FETCHER), ST_MALFORMED);
	buf_done(&b);
}

static void only_plain_http_urls_are_good(void)
{
	static const char *const good[] = {"http://a", "https://a.example:8443/x/y?z=1",
	                                   "http://[::1]:1/", "http://a/@b"};
	static const char *const bad[] = {"", "a", "file:///etc/passwd", "ftp://a/", "HTTP://a/",
	                                  "http:a", "http://",
	                                  "http:///x", "http://user@a/", "http://u:p@a/x",
	                                  "http://a/ b", "http://a/\n", "http://a/\x80", "http://a/#x",
	                                  "http://a\\@b/", "https:/a", "gopher://a"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		T_TRUE(fetch_url_is_good(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (fetch_url_is_good(bad[i]))
			T_FAIL("taken for good: %s", bad[i]);
}

/* ---- the client, with the test as its fetcher ---- */

static int theirs;
static struct fetch_client *client;
static struct fetch fetch;
static struct err why;

static void tell(const struct frame *f)
{
	struct buf b = written(f);
	T_EQ(frame_send(theirs, &b, NULL), ST_OK);
	buf_done(&b);
}

static bool hear(struct frame *f)
{
	static uint8_t packet[FRAME_MAX];
	size_t n = 0;
	return frame_recv(theirs, packet, &n, NULL) == ST_OK && n > 0 &&
	       frame_read(rd_make(packet, n), FRAME_CLIENT, f, NULL) == ST_OK;
}

static void begin_with(const struct fetch_scope *scope)
{
	int pair[2];
	uint32_t missing = 0, abi = 0;
	struct fetch_settings s = {.scope = scope};
	why = (struct err){0};
	client = NULL;
	T_EQ(ipc_pair(pair, NULL), ST_OK);
	theirs = pair[1];
	out = (struct frame){.type = FRAME_HELLO, .missing = 2, .landlock_abi = 6};
	tell(&out);
	T_EQ(fetch_client_new(pair[0], &s, &client, &missing, &abi, &why), ST_OK);
	T_EQ(missing, 2);
	T_EQ(abi, 6);
	for (size_t i = 0; scope && i < scope->n; i++)
		T_TRUE(hear(&in) && in.type == FRAME_ALLOW && in.may == scope->v[i].may &&
		       !strncmp(in.url, scope->v[i].url, scope->v[i].n) && !in.url[scope->v[i].n]);
	T_TRUE(hear(&in) && in.type == FRAME_SETUP && in.per_host == FETCH_PER_HOST &&
	       in.send_max == (scope ? scope->send_max : 0));
	fetch = fetch_client_as_fetch(client);
}

static void begin(void)
{
	begin_with(NULL);
}

static void end(void)
{
	fetch_client_free(client);
	if (theirs >= 0)
		close(theirs);
}

static void what_may_be_asked_for_is_said_before_anything_else(void)
{
	struct fetch_scope s = {.send_max = 1000};
	T_TRUE(fetch_scope_add(&s, "http://a/x//", 12, FETCH_MAY_GET));
	T_TRUE(fetch_scope_add(&s, "http://w/longer", 8, FETCH_MAY_POST));
	begin_with(&s);
	T_TRUE(!hear(&in));
	end();
}

static void a_fetcher_that_does_not_take_it_is_not_handed_on(void)
{
	int pair[2];
	uint32_t missing = 0, abi = 0;
	struct fetch_settings s = {0};
	T_EQ(ipc_pair(pair, NULL), ST_OK);
	close(pair[1]);
	T_TRUE(fetch_client_new(pair[0], &s, &client, &missing, &abi, NULL) < ST_OK);
	close(pair[0]);
}

static void ask(uint64_t tag, size_t max)
{
	struct fetch_request r = {.url = "http://a/x", .max = max, .timeout_ms = 1000, .tag = tag};
	T_EQ(fetch.ops->submit(fetch.ctx, &r, &why), ST_OK);
}

static uint64_t asked(void)
{
	T_TRUE(hear(&in) && in.type == FRAME_REQUEST);
	return in.id;
}

static st_t next(struct fetch_response *ret)
{
	why = (struct err){0};
	return fetch.ops->next(fetch.ctx, 0, ret, &why);
}

static void say(enum frame_type type, uint64_t id, const char *bytes, uint64_t size)
{
	out = (struct frame){.type = type, .id = id, .status = 200, .size = size,
	                     .bytes = rd_make(bytes, strlen(bytes))};
	if (type == FRAME_FAILED)
		memcpy(out.error, "no route", 9);
	tell(&out);
}

static void answers_come_in_any_order_and_in_parts(void)
{
	struct fetch_response r;
	begin();
	ask(100, 10);
	ask(200, 10);
	uint64_t first = asked(), second = asked();
	say(FRAME_PART, second, "ab", 0);
	say(FRAME_PART, first, "12", 0);
	say(FRAME_DONE, second, "cd", 4);
	say(FRAME_FAILED, first, "", 0);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.tag, 200);
	T_EQ(r.status, 200);
	T_EQ(r.body.len, 4);
	T_MEM(r.body.data, "abcd", 4);
	buf_done(&r.body);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.tag, 100);
	T_EQ(r.status, 0);
	T_STR(r.error, "no route");
	T_EQ(next(&r), ST_NOT_FOUND);
	end();
}

static void no_answer_yet_is_a_timeout(void)
{
	struct fetch_response r;
	begin();
	ask(1, 10);
	T_EQ(next(&r), ST_TIMEOUT);
	end();
}

/* The fetcher says one thing that it must not; all answers are lost, now and later. */
static void expect_gone(const char *text)
{
	struct fetch_response r;
	T_TRUE(next(&r) < ST_OK);
	if (!strstr(why.text, text))
		T_FAIL("\"%s\" is not in \"%s\"", text, why.text);
	T_TRUE(next(&r) < ST_OK);
	struct fetch_request q = {.url = "http://a/x", .max = 1};
	T_TRUE(fetch.ops->submit(fetch.ctx, &q, NULL) < ST_OK);
}

static void more_bytes_than_allowed_end_the_fetcher(void)
{
	begin();
	ask(1, 3);
	say(FRAME_PART, asked(), "abcd", 0);
	expect_gone("more bytes than allowed");
	end();
}

static void an_answer_that_is_not_whole_ends_the_fetcher(void)
{
	begin();
	ask(1, 10);
	say(FRAME_DONE, asked(), "abc", 4);
	expect_gone("not whole");
	end();
}

static void an_answer_to_no_request_ends_the_fetcher(void)
{
	begin();
	ask(1, 10);
	say(FRAME_DONE, asked() + 1, "", 0);
	expect_gone("no request");
	end();
}

/* What waits here, because the fetcher has enough, is not known to it. */
static void an_answer_to_what_was_not_sent_ends_the_fetcher(void)
{
	uint64_t last = 0;
	begin();
	for (uint64_t i = 0; i < 1000; i++)
		ask(i, 10);
	while (hear(&in))
		last = in.id;
	T_TRUE(last < 999);
	say(FRAME_DONE, 999, "", 0);
	expect_gone("no request");
	end();
}

static void a_second_answer_ends_the_fetcher(void)
{
	struct fetch_response r;
	begin();
	ask(1, 10);
	uint64_t id = asked();
	say(FRAME_DONE, id, "", 0);
	T_EQ(next(&r), ST_OK);
	ask(2, 10);
	T_TRUE(asked() != id);
	say(FRAME_DONE, id, "", 0);
	expect_gone("no request");
	end();
}

static void a_second_hello_ends_the_fetcher(void)
{
	begin();
	ask(1, 10);
	out = (struct frame){.type = FRAME_HELLO};
	tell(&out);
	expect_gone("out of turn");
	end();
}

static void the_death_of_the_fetcher_is_an_error_for_all_that_is_pending(void)
{
	begin();
	ask(1, 10);
	ask(2, 10);
	close(theirs);
	theirs = -1;
	expect_gone("ended");
	end();
}

static void what_was_said_before_the_death_counts(void)
{
	struct fetch_response r;
	begin();
	ask(1, 10);
	ask(2, 10);
	say(FRAME_DONE, asked(), "abc", 3);
	close(theirs);
	theirs = -1;
	T_EQ(next(&r), ST_OK);
	T_EQ(r.tag, 1);
	buf_done(&r.body);
	expect_gone("ended");
	end();
}

static void the_end_brings_the_weight_of_what_was_sent(void)
{
	uint64_t sent = 0;
	begin();
	ask(1, 10);
	uint64_t id = asked();
	say(FRAME_PART, id, "ab", 0);
	out = (struct frame){.type = FRAME_SENT, .sent = 4711};
	tell(&out);
	T_EQ(fetch_client_close(client, &sent, &why), ST_OK);
	T_EQ(sent, 4711);
	T_TRUE(hear(&in) && in.type == FRAME_CLOSE);
	end();
}

static void a_fetcher_that_is_gone_does_not_say_it(void)
{
	uint64_t sent = 7;
	begin();
	close(theirs);
	theirs = -1;
	T_TRUE(fetch_client_close(client, &sent, &why) < ST_OK);
	T_EQ(sent, 7);
	end();
}

static void a_weight_that_nobody_asked_for_ends_the_fetcher(void)
{
	begin();
	ask(1, 10);
	out = (struct frame){.type = FRAME_SENT, .sent = 1};
	tell(&out);
	expect_gone("out of turn");
	end();
}

/* More than the fetcher holds, more than a socket holds, with bodies: nobody blocks. */
static void any_number_may_be_asked_for_at_once(void)
{
	enum { MANY = 3000, BODY = 60000 };
	static char body[BODY];
	static bool seen[MANY];
	size_t answered = 0, left = 0;
	struct fetch_response r;
	begin();
	for (uint64_t i = 0; i < MANY; i++) {
		struct fetch_request q = {.url = "http://a/x", .max = 10, .timeout_ms = 1000, .tag = i,
		                          .body = i % 100 ? NULL : body, .nbody = BODY};
		T_EQ(fetch.ops->submit(fetch.ctx, &q, &why), ST_OK);
	}
	while (answered < MANY && !t_bad) {
		while (hear(&in)) {
			left = in.type == FRAME_REQUEST ? in.nbody : left - in.bytes.len;
			if (left == 0)
				say(FRAME_DONE, in.id, "ab", 2);
		}
		st_t st = next(&r);
		T_TRUE(st == ST_OK || st == ST_TIMEOUT);
		if (st != ST_OK)
			continue;
		T_TRUE(r.tag < MANY && !seen[r.tag]);
		seen[r.tag] = true;
		answered++;
		buf_done(&r.body);
	}
	T_EQ(next(&r), ST_NOT_FOUND);
	end();
}

/* ---- streams ---- */

static char poured[64];
static size_t npoured, full_at; /* the sink takes no more than full_at */

static st_t pour(void *ctx, const void *p, size_t n, struct err *e)
{
	T_TRUE(ctx == poured);
	if (npoured + n > full_at)
		return fail(e, (st_t)-ENOSPC, 0, "the disk is full");
	memcpy(poured + npoured, p, n);
	npoured += n;
	return ST_OK;
}

static void ask_stream(uint64_t tag, size_t max, uint64_t from)
{
	struct fetch_request r = {.url = "http://a/x", .max = max, .timeout_ms = 1000, .tag = tag,
	                          .sink = pour, .sink_ctx = poured, .from = from, .bandwidth = 9};
	npoured = 0;
	full_at = sizeof poured;
	T_EQ(fetch.ops->submit(fetch.ctx, &r, &why), ST_OK);
}

static void a_stream_goes_to_its_sink_in_order(void)
{
	struct fetch_response r;
	begin();
	ask_stream(1, (size_t)FETCH_ANSWER_MAX + 1, 5);
	uint64_t id = asked();
	T_EQ(in.from, 5);
	T_EQ(in.bandwidth, 9);
	T_EQ(in.max, FETCH_ANSWER_MAX + 1);
	say(FRAME_PART, id, "abc", 0);
	T_EQ(next(&r), ST_TIMEOUT);
	T_EQ(npoured, 3);
	say(FRAME_DONE, id, "de", 5);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.status, 200);
	T_EQ(r.size, 5);
	T_EQ(r.body.len, 0);
	T_MEM(poured, "abcde", 5);
	end();
}

static void the_page_of_an_error_is_not_the_file(void)
{
	struct fetch_response r;
	begin();
	ask_stream(1, 10, 0);
	out = (struct frame){.type = FRAME_DONE, .id = asked(), .status = 404, .size = 2,
	                     .bytes = rd_make("no", 2)};
	tell(&out);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.status, 404);
	T_EQ(npoured, 0);
	end();
}

static void bytes_of_a_file_that_is_none_end_the_fetcher(void)
{
	begin();
	ask_stream(1, 10, 0);
	uint64_t id = asked();
	say(FRAME_PART, id, "abc", 0);
	out = (struct frame){.type = FRAME_DONE, .id = id, .status = 404, .size = 3};
	tell(&out);
	expect_gone("a file that is none");
	end();
}

static void a_stream_that_is_too_long_ends_the_fetcher(void)
{
	begin();
	ask_stream(1, 3, 0);
	uint64_t id = asked();
	say(FRAME_PART, id, "ab", 0);
	say(FRAME_PART, id, "cd", 0);
	expect_gone("more bytes than allowed");
	T_EQ(npoured, 2);
	end();
}

static void a_stream_that_fails_says_how_far_it_came(void)
{
	struct fetch_response r;
	begin();
	ask_stream(1, 10, 0);
	uint64_t id = asked();
	say(FRAME_PART, id, "abc", 0);
	out = (struct frame){.type = FRAME_FAILED, .id = id, .failure = FETCH_TOO_SLOW,
	                     .error = "timed out"};
	tell(&out);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.status, 0);
	T_EQ(r.size, 3);
	T_EQ(r.failure, FETCH_TOO_SLOW);
	T_STR(r.error, "timed out");
	end();
}

/* The fetcher is told, and what it had sent before it heard that is dropped. */
static void a_sink_that_fails_ends_its_transfer_and_no_other(void)
{
	struct fetch_response r;
	begin();
	ask_stream(1, 10, 0);
	ask(2, 10);
	uint64_t id = asked(), other = asked();
	full_at = 2;
	say(FRAME_PART, id, "ab", 0);
	say(FRAME_PART, id, "cd", 0);
	say(FRAME_PART, id, "ef", 0);
	T_EQ(next(&r), ST_TIMEOUT);
	T_EQ(next(&r), ST_TIMEOUT);
	T_TRUE(hear(&in) && in.type == FRAME_CANCEL && in.id == id);
	T_TRUE(!hear(&in));
	say(FRAME_FAILED, id, "", 0);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.tag, 1);
	T_EQ(r.status, 0);
	T_EQ(r.sink, -ENOSPC);
	T_EQ(r.size, 2);
	T_STR(r.error, "the disk is full");
	say(FRAME_DONE, other, "x", 1);
	T_EQ(next(&r), ST_OK);
	T_EQ(r.tag, 2);
	T_EQ(r.sink, ST_OK);
	buf_done(&r.body);
	end();
}

static void the_fake_streams_parts_of_files(void)
{
	struct fetch_fake *f = NULL;
	struct fetch_response r;
	T_EQ(fetch_fake_new(&f, NULL), ST_OK);
	struct fetch fake = fetch_fake_as_fetch(f);
	struct fake_answer a = {.status = 200, .body = "abcdef", .nbody = 6};
	struct fetch_request q = {.url = "http://a/t", .max = 10, .from = 2, .sink = pour,
	                          .sink_ctx = poured};
	for (int i = 0; i < 2; i++) {
		npoured = 0;
		full_at = sizeof poured;
		a.no_ranges = i == 1;
		T_EQ(fetch_fake_set(f, "http://a/t", &a, NULL), ST_OK);
		T_EQ(fetch_one(&fake, &q, &r, NULL), ST_OK);
		T_EQ(r.status, i ? 200 : 206);
		T_EQ(r.size, 4);
		T_MEM(poured, "cdef", 4);
	}
	q.from = 7;
	T_EQ(fetch_one(&fake, &q, &r, NULL), ST_OK);
	T_EQ(r.status, 0);
	fetch_fake_free(f);
}

static void requests_that_cannot_be_are_refused_at_once(void)
{
	static char longest[FETCH_URL_MAX + 10];
	memset(longest, 'a', sizeof longest - 1);
	memcpy(longest, "http://", 7);
	struct fetch_request bad[] = {
		{.url = longest, .max = 1},
		{.url = "file:///etc/passwd", .max = 1},
		{.url = "http://a/", .max = FETCH_ANSWER_MAX + 1},
		{.url = "http://a/", .body = "", .nbody = FETCH_BODY_MAX + 1},
		{.url = "http://a/", .max = FETCH_FILE_MAX + 1, .sink = pour},
		{.url = "http://a/", .body = "", .sink = pour},
		{.url = "http://a/", .head = true, .from = 1},
	};
	static const st_t want[] = {ST_LIMIT, ST_MALFORMED, ST_LIMIT, ST_LIMIT, ST_LIMIT,
	                            ST_UNSUPPORTED, ST_UNSUPPORTED};
	begin();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		T_EQ(fetch.ops->submit(fetch.ctx, &bad[i], NULL), want[i]);
	T_TRUE(!hear(&in));
	end();
}

static void the_fake_answers_from_its_table(void)
{
	struct fetch_fake *f = NULL;
	struct fetch_response r;
	T_EQ(fetch_fake_new(&f, NULL), ST_OK);
	struct fake_answer a = {.status = 200, .body = "tile", .nbody = 4};
	T_EQ(fetch_fake_set(f, "http://a/t", &a, NULL), ST_OK);
	struct fetch fake = fetch_fake_as_fetch(f);
	struct fetch_request q = {.url = "http://a/t", .max = 4, .tag = 5};
	T_EQ(fetch_one(&fake, &q, &r, NULL), ST_OK);
	T_EQ(r.status, 200);
	T_EQ(r.tag, 5);
	T_EQ(r.body.len, 4);
	buf_done(&r.body);
	q.max = 3;
	T_EQ(fetch_one(&fake, &q, &r, NULL), ST_OK);
	T_EQ(r.status, 0);
	q.url = "http://a/other";
	T_EQ(fetch_one(&fake, &q, &r, NULL), ST_OK);
	T_EQ(r.status, 404);
	T_EQ(fetch_fake_count(f), 3);
	fetch_fake_break(f);
	T_TRUE(fetch_one(&fake, &q, &r, NULL) < ST_OK);
	fetch_fake_free(f);
}

int main(void)
{
	T_RUN(a_frame_is_read_as_it_was_written);
	T_RUN(a_frame_of_the_wrong_side_is_refused);
	T_RUN(a_frame_cut_anywhere_is_refused);
	T_RUN(a_byte_too_many_is_refused);
	T_RUN(a_status_that_is_none_is_refused);
	T_RUN(an_error_that_would_act_on_a_terminal_is_refused);
	T_RUN(a_part_without_bytes_is_refused);
	T_RUN(only_plain_http_urls_are_good);
	T_RUN(answers_come_in_any_order_and_in_parts);
	T_RUN(no_answer_yet_is_a_timeout);
	T_RUN(more_bytes_than_allowed_end_the_fetcher);
	T_RUN(an_answer_that_is_not_whole_ends_the_fetcher);
	T_RUN(an_answer_to_no_request_ends_the_fetcher);
	T_RUN(an_answer_to_what_was_not_sent_ends_the_fetcher);
	T_RUN(a_second_answer_ends_the_fetcher);
	T_RUN(a_second_hello_ends_the_fetcher);
	T_RUN(the_death_of_the_fetcher_is_an_error_for_all_that_is_pending);
	T_RUN(what_was_said_before_the_death_counts);
	T_RUN(any_number_may_be_asked_for_at_once);
	T_RUN(requests_that_cannot_be_are_refused_at_once);
	T_RUN(the_fake_answers_from_its_table);
	T_RUN(a_stream_goes_to_its_sink_in_order);
	T_RUN(the_page_of_an_error_is_not_the_file);
	T_RUN(bytes_of_a_file_that_is_none_end_the_fetcher);
	T_RUN(a_stream_that_is_too_long_ends_the_fetcher);
	T_RUN(a_stream_that_fails_says_how_far_it_came);
	T_RUN(a_sink_that_fails_ends_its_transfer_and_no_other);
	T_RUN(the_fake_streams_parts_of_files);
	T_RUN(what_may_be_asked_for_is_said_before_anything_else);
	T_RUN(a_fetcher_that_does_not_take_it_is_not_handed_on);
	T_RUN(the_end_brings_the_weight_of_what_was_sent);
	T_RUN(a_fetcher_that_is_gone_does_not_say_it);
	T_RUN(a_weight_that_nobody_asked_for_ends_the_fetcher);
	return t_end();
}
