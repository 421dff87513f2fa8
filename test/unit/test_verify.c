/* The activator's side of verifying, against test/sandbox/fake_verifier.c, and the frames. */
#include "base/num.h"
#include "proc/broker/verify.h"
#include "proc/verify_wire.h"
#include "test/t.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static char verifier[4096];
static struct verify_request rq;
static struct chain_release release;
static struct verify_cost cost;
static struct err why;
static unsigned events, kept;
static struct buf kept_bytes;

/* build/test/unit/test_verify -> build/test/sandbox/fake_verifier */
static bool find_verifier(void)
{
	char self[3072];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(verifier, sizeof verifier, "%s/../sandbox/fake_verifier", self);
	return access(verifier, X_OK) == 0;
}

static void count_event(void *ctx, const struct chain_event *ev)
{
	T_TRUE(ctx == &rq);
	T_STR(ev->text, "a\033b");
	events++;
}

static void check_progress(void *ctx, const char *what, uint64_t done, uint64_t size)
{
	T_TRUE(ctx == &rq);
	T_STR(what, "main.vdb");
	T_EQ(done, 5);
	T_EQ(size, 10);
}

static st_t keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	T_TRUE(ctx == &rq && path[0] == 'm');
	kept++;
	buf_add(&kept_bytes, bytes.base, bytes.len);
	return buf_check(&kept_bytes, e, "kept");
}

static void begin(const char *word)
{
	rq = (struct verify_request){.policy = rd_make(word, strlen(word)), .now = 1000, .tuf_fd = 0,
	                             .spool_fd = -1, .old_vdb_fd = -1, .old_source_fd = -1,
	                             .folder_fd = 0, .bundle_fd = -1, .stop_fd = -1,
	                             .verifier_path = verifier};
	release = (struct chain_release){0};
	why = (struct err){0};
	events = kept = 0;
	kept_bytes.len = 0;
}

static st_t go(void)
{
	struct verify_out out = {count_event, check_progress, keep, &rq};
	st_t st = broker_verify(&rq, &out, &release, &cost, &why);
	T_EQ(waitpid(-1, NULL, WNOHANG), -1);
	return st;
}

static st_t verify(const char *word)
{
	begin(word);
	return go();
}

static void what_a_good_verifier_says_arrives(void)
{
	T_EQ(verify("good"), ST_OK);
	T_EQ(events, CHAIN_COMPILED);
	T_EQ(kept, 2);
	T_EQ(kept_bytes.len, 6);
	T_MEM(kept_bytes.data, "abcabc", 6);
	T_EQ(release.version, 12);
	T_EQ(release.vdb.size, 34);
	T_TRUE(release.pua && !release.strict && release.rebuilt_by[31]);
	T_STR(release.origin, "log.example");
	T_TRUE(release.cosigned.cosigned[3] && release.cosigned.time[3] == 99);
	T_EQ(cost.bytes, 1000);
	T_EQ(cost.requests, 7);
	T_EQ(cost.mirrors, 5);
	T_EQ(cost.mirror, 3);
	T_TRUE(cost.peak_kb > 0);
}

static void a_refusal_keeps_its_status_and_reason(void)
{
	T_EQ(verify("refuse"), ST_BAD_SIG);
	T_STR(why.text, "root: threshold");
	T_EQ(events, 2);
	T_EQ(release.version, 12);
}

static void only_what_was_given_is_passed(void)
{
	begin("fds");
	T_EQ(go(), ST_OK);
	T_EQ(release.root, 1u << VERIFY_FD_TUF | 1u << VERIFY_FD_FOLDER);
}

static void the_request_arrives(void)
{
	uint8_t have[32] = {[31] = 77};
	begin("flags");
	rq.have = have;
	rq.evidence_only = true;
	T_EQ(go(), ST_OK);
	T_EQ(release.root, VERIFY_HAVE | VERIFY_EVIDENCE_ONLY);
	begin("flags");
	rq.have = have;
	rq.want_tiles = rq.want_packed = true;
	rq.mirror = 9;
	T_EQ(go(), ST_OK);
	T_EQ(release.root, VERIFY_HAVE | VERIFY_WANT_TILES | VERIFY_WANT_PACKED);
	T_EQ(release.tree_size, 77);
	T_EQ(release.snapshot, 1000);
	T_EQ(release.targets, 9);
}

static void a_verifier_that_breaks_its_protocol_fails(void)
{
	static const struct {
		const char *word, *text;
	} bad[] = {
		{"crash", "crashed (signal 6)"},
		{"leave", "ended by itself (status 4)"},
		{"hello-twice", "HELLO"},
		{"lie", "after a refusal"},
		{"nothing", "left out"},
		{"too-few", "left out"},
		{"skip", "link out of turn"},
		{"again", "link out of turn"},
		{"of-ours", "link out of turn"},
		{"go-on", "link out of turn"},
		{"garbage", "frame"},
		{"keep-too-long", "longer than announced"},
		{"kept-alone", "out of turn"},
		{"end-in-keep", "out of turn"},
		{"leave-the-folder", "bad field"},
		{"no-such-status", "bad field"},
		{"miscount", "bad field"},
		{"too-much", "more evidence"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		st_t st = verify(bad[i].word);
		if (st != ST_MALFORMED || !strstr(why.text, bad[i].text))
			T_FAIL("%s: %d %s", bad[i].word, st, why.text);
		T_EQ(release.version, 0);
	}
}

static void more_files_are_kept_where_tiles_are_wanted(void)
{
	begin("too-much");
	rq.want_tiles = true;
	T_EQ(go(), ST_OK);
	T_EQ(kept, 10000);
}

static void being_stopped_ends_it_at_once(void)
{
	int pair[2];
	T_EQ(pipe(pair), 0);
	T_EQ(write(pair[1], "x", 1), 1);
	begin("hang");
	rq.stop_fd = pair[0];
	T_EQ(go(), ST_TIMEOUT);
	T_STR(why.text, "stopped");
	close(pair[0]);
	close(pair[1]);
}

static st_t fail_to_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	(void)ctx;
	(void)bytes;
	return fail(e, (st_t)-ENOSPC, 0, "%s: the disk is full", path);
}

static void a_keeper_that_fails_ends_it(void)
{
	struct verify_out sink = {.keep = fail_to_keep};
	begin("good");
	T_EQ(broker_verify(&rq, &sink, &release, NULL, &why), -ENOSPC);
	T_STR(why.text, "metadata/1.root.json: the disk is full");
}

static void a_policy_that_is_too_long_is_refused_before_anything_starts(void)
{
	static char text[UPDATE_POLICY_MAX + 1];
	begin("");
	rq.policy = rd_make(text, sizeof text);
	T_EQ(go(), ST_LIMIT);
}

static void a_program_that_is_not_there_is_an_error(void)
{
	begin("good");
	rq.verifier_path = "/nowhere/vitrine-verifier";
	T_TRUE(go() != ST_OK);
}

/* ---- frames ---- */

static struct verify_frame in, out;

static struct buf written(enum verify_type t)
{
	struct buf b = {0};
	out.type = t;
	verify_frame_write(&out, &b);
	return b;
}

static void a_frame_cut_or_lengthened_is_refused(void)
{
	static const enum verify_type types[] = {VERIFY_HELLO, VERIFY_EVENT, VERIFY_PROGRESS,
	                                         VERIFY_KEEP, VERIFY_END};
	out = (struct verify_frame){.path = "a", .status = ST_BAD_SIG};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct buf b = written(types[i]);
		size_t whole = b.len;
		T_EQ(verify_frame_read(rd_make(b.data, b.len), VERIFY_CHILD, &in, NULL), ST_OK);
		T_TRUE(verify_frame_read(rd_make(b.data, b.len), VERIFY_PARENT, &in, NULL) != ST_OK);
		for (b.len = 0; b.len < whole; b.len++)
			T_TRUE(verify_frame_read(rd_make(b.data, b.len), VERIFY_CHILD, &in, NULL) != ST_OK);
		buf_u8(&b, 0);
		T_TRUE(verify_frame_read(rd_make(b.data, b.len), VERIFY_CHILD, &in, NULL) != ST_OK);
		buf_done(&b);
	}
}

static void the_longest_frame_fits_into_a_packet(void)
{
	static uint8_t bytes[VERIFY_BYTES_MAX];
	out = (struct verify_frame){.bytes = rd_make(bytes, sizeof bytes)};
	memset(out.path, 'a', sizeof out.path - 1);
	memset(out.event_text, 'a', sizeof out.event_text - 1);
	memset(out.text, 'a', sizeof out.text - 1);
	memset(out.release.origin, 'a', sizeof out.release.origin - 1);
	for (unsigned t = 0; t < VERIFY_TYPES; t++) {
		struct buf b = written((enum verify_type)t);
		T_TRUE(b.len <= IPC_BYTES_MAX);
		buf_done(&b);
	}
}

int main(void)
{
	if (!find_verifier())
		return 2;
	T_RUN(what_a_good_verifier_says_arrives);
	T_RUN(a_refusal_keeps_its_status_and_reason);
	T_RUN(only_what_was_given_is_passed);
	T_RUN(the_request_arrives);
	T_RUN(a_verifier_that_breaks_its_protocol_fails);
	T_RUN(more_files_are_kept_where_tiles_are_wanted);
	T_RUN(being_stopped_ends_it_at_once);
	T_RUN(a_keeper_that_fails_ends_it);
	T_RUN(a_policy_that_is_too_long_is_refused_before_anything_starts);
	T_RUN(a_program_that_is_not_there_is_an_error);
	T_RUN(a_frame_cut_or_lengthened_is_refused);
	T_RUN(the_longest_frame_fits_into_a_packet);
	buf_done(&kept_bytes);
	return t_end();
}
