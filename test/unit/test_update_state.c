/* A client's state: what waits, what is due, what is kept; the text of its record; and that a power
 * cut or a full disk at any call leaves a whole release in use (sim_disk.h). */
#include "crypto/digest.h"
#include "sim_disk.h"
#include "test/t.h"
#include "update/state.h"

#include <fcntl.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define T0 INT64_C(1790000000)

/* ---- wishes ---- */

static struct update_state st;
static struct update_policy pol;

static void begin_wish(enum update_hold hold, uint64_t seconds)
{
	st = (struct update_state){.current = -1};
	pol = (struct update_policy){.hold = hold, .hold_time = seconds};
}

/* Versions 1, 2, ... in order. */
static void have(int64_t seen, int64_t activated, uint32_t flags)
{
	struct update_release *r = &st.v[st.n++];
	*r = (struct update_release){
		.version = st.n, .seen = seen, .activated = activated, .flags = flags};
	r->vdb_sha256[0] = (uint8_t)st.n;
	update_release_id(r->version, r->vdb_sha256, r->id);
}

static int due(int64_t now, int64_t *ret_until)
{
	return update_state_due(&st, &pol, now, ret_until);
}

static void without_a_hold_the_newest_is_due_at_once(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_NONE, 0);
	T_EQ(due(T0, &until), -1);
	have(T0, 0, 0);
	have(T0, 0, 0);
	T_EQ(due(T0, &until), 1);
	T_EQ(until, 0);
	st.current = 1;
	T_EQ(due(T0, &until), -1);
}

static void a_release_waits_from_when_it_was_seen_whatever_comes_after_it(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_TIME, 24 * 3600);
	have(T0, 0, 0);
	have(T0 + 3600, 0, 0);
	have(T0 + 7200, 0, 0);
	T_EQ(due(T0 + DAY - 1, &until), -1);
	T_EQ(until, T0 + DAY);
	T_EQ(due(T0 + DAY, &until), 0);
	T_EQ(until, T0 + DAY + 3600);
	T_EQ(due(T0 + DAY + 3600, &until), 1);
	T_EQ(due(T0 + DAY + 7200, &until), 2);
	T_EQ(until, 0);
}

static void a_manual_hold_waits_for_ever_and_approval_ends_it(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_MANUAL, 0);
	have(T0, 0, 0);
	have(T0, 0, 0);
	T_EQ(due(T0 + 1000 * DAY, &until), -1);
	T_EQ(until, 0);
	st.v[0].flags = UPDATE_APPROVED;
	T_EQ(due(T0, &until), 0);
}

static void approval_cuts_the_time_short(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_TIME, 3600);
	have(T0, 0, 0);
	have(T0, 0, UPDATE_APPROVED);
	have(T0, 0, 0);
	T_EQ(due(T0, &until), 1);
	T_EQ(until, T0 + 3600);
}

static void what_is_held_or_failed_is_never_due_by_itself(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_NONE, 0);
	have(T0, 0, 0);
	have(T0, 0, UPDATE_HELD);
	have(T0, 0, UPDATE_FAILED);
	have(T0, 0, UPDATE_FAILED | UPDATE_APPROVED);
	T_EQ(due(T0 + 1000 * DAY, &until), 0);
	T_EQ(until, 0);
}

static void hold_all_stops_everything_but_what_is_approved(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_NONE, 0);
	have(T0, 0, 0);
	have(T0, 0, 0);
	st.hold_all = true;
	T_EQ(due(T0, &until), -1);
	T_EQ(until, 0);
	st.v[0].flags = UPDATE_APPROVED;
	T_EQ(due(T0, &until), 0);
}

static void what_is_older_than_the_current_one_is_never_due(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_NONE, 0);
	have(T0, T0, UPDATE_WAS_CURRENT);
	have(T0, 0, UPDATE_APPROVED);
	have(T0, T0 + 1, UPDATE_WAS_CURRENT);
	st.current = 2;
	T_EQ(due(T0, &until), -1);
}

static void a_clock_that_goes_back_cuts_no_wait_short(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_TIME, 3600);
	have(T0, 0, 0);
	T_EQ(due(0, &until), -1);
	T_EQ(until, T0 + 3600);
	T_EQ(due(INT64_MIN, &until), -1);
	T_EQ(due(T0 - 1000 * DAY, &until), -1);
}

static void times_at_the_end_of_their_range_do_not_wrap(void)
{
	int64_t until;
	begin_wish(UPDATE_HOLD_TIME, UINT64_MAX);
	have(T0, 0, 0);
	T_EQ(due(INT64_MAX, &until), -1);
	T_EQ(until, 0);
	pol.hold_time = 3600;
	st.v[0].seen = INT64_MAX - 5;
	T_EQ(due(INT64_MAX, &until), -1);
	T_EQ(until, 0);
	st.v[0].seen = 0;
	T_EQ(due(INT64_MAX, &until), 0);
}

static void back_goes_to_the_last_one_that_was_current_and_is_good(void)
{
	begin_wish(UPDATE_HOLD_NONE, 0);
	T_EQ(update_state_previous(&st), -1);
	have(T0, T0 + 1, UPDATE_WAS_CURRENT);
	have(T0, T0 + 2, UPDATE_WAS_CURRENT);
	have(T0, 0, 0);
	have(T0, T0 + 3, UPDATE_WAS_CURRENT);
	have(T0, T0 + 4, UPDATE_WAS_CURRENT);
	st.current = 4;
	T_EQ(update_state_previous(&st), 3);
	st.v[3].flags |= UPDATE_FAILED;
	T_EQ(update_state_previous(&st), 1);
	st.v[1].flags |= UPDATE_HELD;
	T_EQ(update_state_previous(&st), 0);
	st.v[0].activated = T0 + 9;
	st.current = 0;
	T_EQ(update_state_previous(&st), 4);
}

/* ---- the text ---- */

static const char *const text_of_two =
	"vitrine-state v1\n"
	"seen 1790000100\n"
	"hold-all yes\n"
	"release 1 0100000000000000000000000000000000000000000000000000000000000000 seen 1790000000 "
	"activated 1790000001 failed,was-current\n"
	"release 2 0200000000000000000000000000000000000000000000000000000000000000 seen 1790000000 "
	"activated 0 -\n";

static void two_releases(void)
{
	begin_wish(UPDATE_HOLD_NONE, 0);
	have(T0, T0 + 1, UPDATE_FAILED | UPDATE_WAS_CURRENT);
	have(T0, 0, 0);
	st.seen = T0 + 100;
	st.hold_all = true;
}

static void the_record_is_text_with_a_checksum(void)
{
	struct buf b = {0};
	struct update_state s;
	two_releases();
	T_EQ(update_state_format(&st, &b, NULL), ST_OK);
	T_EQ(b.len, strlen(text_of_two) + 4 + 64 + 1);
	T_MEM(b.data, text_of_two, strlen(text_of_two));
	T_MEM(b.data + strlen(text_of_two), "sum ", 4);
	T_EQ(update_state_parse(rd_make(b.data, b.len), &s, NULL), ST_OK);
	T_EQ(s.n, 2);
	T_EQ(s.seen, T0 + 100);
	T_TRUE(s.hold_all);
	T_EQ(s.current, -1);
	T_EQ(s.v[0].flags, UPDATE_FAILED | UPDATE_WAS_CURRENT);
	T_EQ(s.v[0].activated, T0 + 1);
	T_STR(s.v[1].id, "2-0200000000000000");
	buf_done(&b);
}

static void a_record_that_is_damaged_anywhere_is_refused(void)
{
	struct buf b = {0};
	struct update_state s;
	two_releases();
	T_EQ(update_state_format(&st, &b, NULL), ST_OK);
	for (size_t i = 0; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] ^= (uint8_t)(1 << bit);
			if (update_state_parse(rd_make(b.data, b.len), &s, NULL) <= ST_OK)
				T_FAIL("byte %zu, bit %d: accepted", i, bit);
			b.data[i] ^= (uint8_t)(1 << bit);
		}
		T_TRUE(update_state_parse(rd_make(b.data, i), &s, NULL) > ST_OK);
	}
	buf_u8(&b, '\n');
	T_TRUE(update_state_parse(rd_make(b.data, b.len), &s, NULL) > ST_OK);
	buf_done(&b);
}

/* With a good checksum: the text itself is wrong. */
static void text_refused(const char *text, const char *why)
{
	struct buf b = {0};
	struct update_state s;
	struct err e = {0};
	uint8_t sum[32];
	char hex[65];
	T_EQ(digest_bytes(DIGEST_SHA256, text, strlen(text), sum, NULL), ST_OK);
	hex_encode(sum, 32, hex);
	buf_text(&b, text);
	buf_text(&b, "sum ");
	buf_text(&b, hex);
	buf_u8(&b, '\n');
	T_TRUE(update_state_parse(rd_make(b.data, b.len), &s, &e) > ST_OK);
	if (!strstr(e.text, why))
		T_FAIL("\"%s\" is not in \"%s\"", why, e.text);
	buf_done(&b);
}

#define HEAD "vitrine-state v1\nseen 1\nhold-all no\n"
#define SHA(c) c "00000000000000000000000000000000000000000000000000000000000000"

static void a_record_with_another_spelling_is_refused(void)
{
	text_refused("", "does not start with");
	text_refused("vitrine-state v2\nseen 1\nhold-all no\n", "does not start with");
	text_refused("vitrine-state v1\nseen -1\nhold-all no\n", "second line");
	text_refused("vitrine-state v1\nseen 9999999999999999999\nhold-all no\n", "second line");
	text_refused("vitrine-state v1\nseen 1\nhold-all maybe\n", "not the text that is written");
	text_refused("vitrine-state v1\nseen  1\nhold-all no\n", "not the text that is written");
	text_refused(HEAD "something 1\n", "is not \"release ...\"");
	text_refused(HEAD "\n", "is not \"release ...\"");
	text_refused(HEAD "release 1 00 seen 1 activated 0 -\n", "a version and a SHA-256");
	text_refused(HEAD "release 1 " SHA("0G") " seen 1 activated 0 -\n", "a SHA-256 in hex");
	text_refused(HEAD "release 1 " SHA("AB") " seen 1 activated 0 -\n", "a SHA-256 in hex");
	text_refused(HEAD "release 1 " SHA("ab") " seen 1 activated 0\n", "behind a release stand");
	text_refused(HEAD "release 1 " SHA("ab") " seen 1 activated 0 odd\n", "not the text");
	text_refused(HEAD "release 1 " SHA("ab") " seen 1 activated 0 held,approved\n", "not the text");
	text_refused(HEAD "release 1 " SHA("ab") " seen 1 activated 0 - more\n", "not the text");
	text_refused(HEAD "release 2 " SHA("ab") " seen 1 activated 0 -\n"
	             "release 2 " SHA("ac") " seen 1 activated 0 -\n", "do not ascend");
}

static void more_releases_than_there_may_be_are_refused(void)
{
	struct buf b = {0};
	for (int i = 1; i <= UPDATE_RELEASES_MAX + 1; i++) {
		char line[160];
		snprintf(line, sizeof line, "release %d " SHA("ab") " seen 1 activated 0 -\n", i);
		if (i == 1)
			buf_text(&b, HEAD);
		buf_text(&b, line);
	}
	buf_u8(&b, '\0');
	text_refused((const char *)b.data, "more than 64 releases");
	buf_done(&b);
}

/* ---- a disk ---- */

#define DIR SIM_PRIVATE
#define VERSIONS 8

struct content {
	uint8_t vdb[1024], source[300];
	char evidence[64], summary[64];
	size_t nvdb;
	struct chain_release r;
	char id[UPDATE_ID_MAX];
};

static struct content content[VERSIONS + 1];

static void make_contents(void)
{
	for (unsigned v = 1; v <= VERSIONS; v++) {
		struct content *c = &content[v];
		uint64_t seed = v;
		c->nvdb = 300 + 64 * v;
		for (size_t i = 0; i < c->nvdb; i++)
			c->vdb[i] = (uint8_t)t_rand(&seed);
		memset(c->source, (int)v, sizeof c->source);
		snprintf(c->evidence, sizeof c->evidence, "evidence of version %u", v);
		snprintf(c->summary, sizeof c->summary, "{\"version\": %u}", v);
		c->r.version = v;
		c->r.vdb.size = c->nvdb;
		c->r.source.size = sizeof c->source;
		T_EQ(digest_bytes(DIGEST_SHA256, c->vdb, c->nvdb, c->r.vdb.sha256, NULL), ST_OK);
		update_release_id(v, c->r.vdb.sha256, c->id);
	}
}

static st_t put_file(struct sim_disk *d, const char *path, const void *p, size_t n)
{
	const struct log_io *io = &d->io;
	if (io->unlink(io->ctx, DIR, path, 0) && errno != ENOENT)
		return ST_IO;
	int fd = io->open(io->ctx, DIR, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return ST_IO;
	bool good = io->pwrite(io->ctx, fd, p, n, 0) == (ssize_t)n;
	io->close(io->ctx, fd);
	return good ? ST_OK : ST_IO;
}

/* A download is there, and the chain passed. */
static st_t add(struct sim_disk *d, struct update_place *p, struct update_state *s, unsigned v,
                int64_t now, struct err *e)
{
	const struct content *c = &content[v];
	size_t index;
	TRY(put_file(d, "spool/vdb", c->vdb, c->nvdb));
	TRY(put_file(d, "spool/source", c->source, sizeof c->source));
	const struct update_files f = {.vdb = "vdb", .source = v % 2 ? "source" : "",
	                               .evidence = rd_make(c->evidence, strlen(c->evidence)),
	                               .summary = rd_make(c->summary, strlen(c->summary))};
	TRY(update_release_add(p, s, &c->r, &f, now, &index, e));
	T_EQ(s->v[index].version, v);
	return ST_OK;
}

static int index_of(const struct update_state *s, unsigned v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].version == v)
			return (int)i;
	return -1;
}

static bool same_file(const struct sim_disk *d, const char *folder, const char *name,
                      const void *p, size_t n)
{
	char path[128];
	size_t len = 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	const uint8_t *have_ = sim_file(d, DIR, path, &len);
	return have_ && len == n && !memcmp(have_, p, n);
}

/* The version that a folder is a whole release of, or 0. */
static unsigned whole_release(const struct sim_disk *d, const char *folder)
{
	for (unsigned v = 1; v <= VERSIONS; v++) {
		const struct content *c = &content[v];
		char want[64];
		snprintf(want, sizeof want, "releases/%s", c->id);
		if (strcmp(folder, want))
			continue;
		bool whole = same_file(d, folder, "main.vdb", c->vdb, c->nvdb) &&
		             same_file(d, folder, "evidence.tar", c->evidence, strlen(c->evidence)) &&
		             same_file(d, folder, "summary.json", c->summary, strlen(c->summary)) &&
		             (v % 2 == 0 ||
		              same_file(d, folder, "source.tar", c->source, sizeof c->source));
		return whole ? v : 0;
	}
	return 0;
}

static unsigned current_version(const struct sim_disk *d)
{
	const char *link = sim_link(d, DIR, "current");
	return link ? whole_release(d, link) : 0;
}

struct opened {
	struct update_place *p;
	struct update_state s;
};

static st_t open_place(struct sim_disk *d, struct opened *o, struct err *e)
{
	o->p = NULL;
	TRY(update_place_open(&d->io, DIR, true, &o->p, e));
	return update_state_read(o->p, &o->s, e);
}

static void close_place(struct opened *o)
{
	update_place_free(o->p);
	o->p = NULL;
}

static st_t activate(struct opened *o, unsigned v, int64_t now, uint32_t keep, struct err *e)
{
	return update_activate(o->p, &o->s, (size_t)index_of(&o->s, v), now, keep, e);
}

#define GOOD(call)                                                       \
	do {                                                                 \
		struct err e_ = {0};                                             \
		struct err *e = &e_;                                             \
		st_t st_ = (call);                                               \
		if (st_ != ST_OK)                                                \
			T_FAIL("%s: %d %s", #call, st_, e_.text);                    \
	} while (0)

static struct sim_disk *disk;
static struct opened o;

static void begin_disk(void)
{
	disk = sim_new();
	GOOD(open_place(disk, &o, e));
}

static void end_disk(void)
{
	close_place(&o);
	for (int fd = 2; fd < SIM_FDS; fd++)
		T_EQ(disk->fd[fd], -1);
	sim_free(disk);
}

static void step(unsigned v, uint32_t keep)
{
	GOOD(add(disk, o.p, &o.s, v, T0 + v, e));
	GOOD(activate(&o, v, T0 + v, keep, e));
	T_EQ(current_version(disk), v);
}

static void reopen(void)
{
	close_place(&o);
	GOOD(open_place(disk, &o, e));
}

static void an_empty_place_has_no_release(void)
{
	begin_disk();
	T_EQ(o.s.n, 0);
	T_EQ(o.s.current, -1);
	end_disk();
}

static void an_activated_release_is_current_and_found_again(void)
{
	int fd = -1;
	begin_disk();
	step(1, 3);
	step(2, 3);
	reopen();
	T_EQ(o.s.n, 2);
	T_EQ(o.s.current, 1);
	T_EQ(o.s.v[1].version, 2);
	T_EQ(o.s.v[1].seen, T0 + 2);
	T_EQ(o.s.v[0].flags, UPDATE_WAS_CURRENT);
	T_EQ(o.s.seen, T0 + 2);
	GOOD(update_release_open(o.p, content[1].id, "main.vdb", &fd, e));
	disk->io.close(disk, fd);
	T_EQ(update_release_open(o.p, content[2].id, "source.tar", &fd, NULL), ST_NOT_FOUND);
	end_disk();
}

static void only_the_last_that_were_current_are_kept(void)
{
	begin_disk();
	for (unsigned v = 1; v <= 6; v++)
		step(v, 3);
	T_EQ(o.s.n, 3);
	T_EQ(o.s.v[0].version, 4);
	for (unsigned v = 1; v <= 3; v++) {
		char path[64];
		size_t n;
		snprintf(path, sizeof path, "releases/%s/main.vdb", content[v].id);
		T_TRUE(sim_file(disk, DIR, path, &n) == NULL);
	}
	reopen();
	T_EQ(o.s.n, 3);
	end_disk();
}

static void what_waits_is_kept_and_what_was_overtaken_goes(void)
{
	begin_disk();
	step(1, 2);
	for (unsigned v = 2; v <= 4; v++)
		GOOD(add(disk, o.p, &o.s, v, T0, e));
	GOOD(activate(&o, 3, T0, 2, e));
	T_EQ(o.s.n, 3);
	T_EQ(index_of(&o.s, 2), -1);
	T_EQ(index_of(&o.s, 1), 0);
	T_EQ(index_of(&o.s, 4), 2);
	T_EQ(o.s.current, 1);
	end_disk();
}

static void what_was_gone_back_from_is_not_activated_again_until_approved(void)
{
	int64_t until;
	begin_disk();
	pol = (struct update_policy){.hold = UPDATE_HOLD_NONE};
	step(1, 3);
	step(2, 3);
	step(3, 3);
	GOOD(activate(&o, (unsigned)o.s.v[update_state_previous(&o.s)].version, T0 + 9, 3, e));
	T_EQ(current_version(disk), 2);
	reopen();
	T_EQ(update_state_due(&o.s, &pol, T0 + 1000 * DAY, &until), -1);
	/* The same release, offered again, changes nothing. */
	GOOD(add(disk, o.p, &o.s, 3, T0 + 10, e));
	T_EQ(update_state_due(&o.s, &pol, T0 + 1000 * DAY, &until), -1);
	T_EQ(o.s.v[2].seen, T0 + 3);
	/* Once more goes further back, not to where one came from. */
	T_EQ(o.s.v[update_state_previous(&o.s)].version, 1);
	GOOD(add(disk, o.p, &o.s, 4, T0 + 10, e));
	T_EQ(update_state_due(&o.s, &pol, T0 + 10, &until), 3);
	o.s.v[3].flags |= UPDATE_FAILED;
	o.s.v[2].flags = (o.s.v[2].flags | UPDATE_APPROVED) & ~(uint32_t)UPDATE_HELD;
	T_EQ(update_state_due(&o.s, &pol, T0 + 10, &until), 2);
	end_disk();
}

static void the_order_of_activations_does_not_depend_on_the_clock(void)
{
	begin_disk();
	GOOD(add(disk, o.p, &o.s, 1, T0, e));
	GOOD(activate(&o, 1, T0 + 5000, 3, e));
	GOOD(add(disk, o.p, &o.s, 2, T0, e));
	GOOD(activate(&o, 2, T0 - 5000, 3, e));
	GOOD(add(disk, o.p, &o.s, 3, T0, e));
	GOOD(activate(&o, 3, 0, 3, e));
	T_EQ(o.s.v[update_state_previous(&o.s)].version, 2);
	T_EQ(o.s.seen, T0 + 5000);
	end_disk();
}

static void a_second_database_of_one_version_is_refused(void)
{
	struct content *two = &content[2];
	begin_disk();
	step(1, 3);
	uint64_t version = two->r.version;
	two->r.version = 1;
	size_t index;
	struct err e = {0};
	const struct update_files f = {.vdb = "vdb", .source = ""};
	T_EQ(update_release_add(o.p, &o.s, &two->r, &f, T0, &index, &e), ST_CONFLICT);
	T_TRUE(strstr(e.text, "version 1 is here with another database") != NULL);
	two->r.version = version;
	end_disk();
}

static void a_file_of_another_size_than_was_verified_is_refused(void)
{
	struct content *c = &content[2];
	begin_disk();
	step(1, 3);
	c->r.vdb.size++;
	T_EQ(add(disk, o.p, &o.s, 2, T0, NULL), ST_CONFLICT);
	c->r.vdb.size--;
	T_EQ(o.s.n, 1);
	reopen();
	T_EQ(o.s.n, 1);
	T_EQ(current_version(disk), 1);
	end_disk();
}

static void where_too_many_wait_the_newest_makes_room(void)
{
	begin_disk();
	step(1, 3);
	while (o.s.n < UPDATE_RELEASES_MAX) {
		struct update_release *r = &o.s.v[o.s.n];
		*r = (struct update_release){.version = 100 + o.s.n};
		update_release_id(r->version, r->vdb_sha256, r->id);
		o.s.n++;
	}
	/* Version 2 is older than all of them; the newest goes. */
	GOOD(add(disk, o.p, &o.s, 2, T0, e));
	T_EQ(o.s.n, UPDATE_RELEASES_MAX);
	T_EQ(index_of(&o.s, 100 + UPDATE_RELEASES_MAX - 1), -1);
	T_EQ(o.s.current, 0);
	end_disk();
}

static void a_damaged_record_is_said_and_a_missing_one_holds_everything(void)
{
	int64_t until;
	struct err why = {0};
	begin_disk();
	pol = (struct update_policy){.hold = UPDATE_HOLD_NONE};
	step(1, 3);
	step(2, 3);
	GOOD(add(disk, o.p, &o.s, 3, T0, e));
	T_EQ(put_file(disk, "state", "vitrine-state v1\n", 17), ST_OK);
	close_place(&o);
	T_EQ(open_place(disk, &o, &why), ST_MALFORMED);
	T_TRUE(strstr(why.text, "Move the file \"state\" away") != NULL);
	T_EQ(current_version(disk), 2);
	disk->io.unlink(disk, DIR, "state", 0);
	reopen();
	T_EQ(o.s.n, 3);
	T_EQ(o.s.v[o.s.current].version, 2);
	T_EQ(o.s.v[o.s.current].flags, UPDATE_WAS_CURRENT);
	T_EQ(o.s.v[2].flags, UPDATE_HELD);
	T_EQ(update_state_due(&o.s, &pol, T0 + 1000 * DAY, &until), -1);
	end_disk();
}

static void a_release_that_somebody_removed_is_not_listed(void)
{
	char path[64];
	begin_disk();
	step(1, 3);
	step(2, 3);
	snprintf(path, sizeof path, "releases/%s/main.vdb", content[1].id);
	disk->io.unlink(disk, DIR, path, 0);
	reopen();
	T_EQ(o.s.n, 1);
	T_EQ(o.s.current, 0);
	T_EQ(update_state_previous(&o.s), -1);
	/* It can come again. */
	snprintf(path, sizeof path, "releases/%s/main.vdb", content[2].id);
	disk->io.unlink(disk, DIR, path, 0);
	reopen();
	T_EQ(o.s.current, -1);
	step(2, 3);
	end_disk();
}

static void a_link_that_leads_elsewhere_is_refused(void)
{
	struct err e = {0};
	begin_disk();
	step(1, 3);
	disk->io.unlink(disk, DIR, "current", 0);
	disk->io.symlink(disk, "../../etc", DIR, "current");
	T_EQ(update_state_read(o.p, &o.s, &e), ST_MALFORMED);
	T_TRUE(strstr(e.text, "\"../../etc\", which is no release") != NULL);
	end_disk();
}

static void a_reader_needs_no_lock_and_changes_nothing(void)
{
	struct update_place *p;
	struct update_state s;
	begin_disk();
	step(1, 3);
	step(2, 3);
	uint64_t calls = disk->calls;
	GOOD(update_place_open(&disk->io, DIR, false, &p, e));
	GOOD(update_state_read(p, &s, e));
	T_EQ(s.current, 1);
	T_EQ(s.n, 2);
	update_place_free(p);
	T_EQ(disk->calls, calls);
	end_disk();
}

static void make_release(const char *id)
{
	char path[64];
	int fd = disk->io.open(disk, DIR, "releases", O_RDONLY | O_DIRECTORY, 0);
	T_EQ(disk->io.mkdir(disk, fd, id), 0);
	disk->io.close(disk, fd);
	snprintf(path, sizeof path, "releases/%s/main.vdb", id);
	T_EQ(put_file(disk, path, "x", 1), ST_OK);
}

/* Whatever a record says: the link is what scans follow. */
static void what_is_in_use_is_not_removed_though_no_record_has_it(void)
{
	begin_disk();
	step(1, 3);
	o.s.v[0].version = 7;
	update_release_id(7, o.s.v[0].vdb_sha256, o.s.v[0].id);
	make_release(o.s.v[0].id);
	GOOD(update_state_write(o.p, &o.s, e));
	reopen();
	T_EQ(current_version(disk), 1);
	T_EQ(o.s.n, 2);
	T_EQ(o.s.v[o.s.current].version, 1);
	T_EQ(o.s.v[o.s.current].flags, UPDATE_WAS_CURRENT);
	/* Nor if it cannot be taken up, for the record has another of its version. */
	o.s.current = -1;
	o.s.n = 1;
	o.s.v[0].vdb_sha256[0] ^= 1;
	update_release_id(1, o.s.v[0].vdb_sha256, o.s.v[0].id);
	make_release(o.s.v[0].id);
	GOOD(update_state_write(o.p, &o.s, e));
	reopen();
	T_EQ(current_version(disk), 1);
	end_disk();
}

/* ---- evidence of refusals ---- */

static size_t refused_files(void)
{
	size_t n = 0;
	int node = -1;
	for (size_t i = 0; i < disk->node[DIR]->nnames; i++)
		if (!strcmp(disk->node[DIR]->names[i].name, "refused"))
			node = disk->node[DIR]->names[i].now;
	for (size_t i = 0; node >= 0 && i < disk->node[node]->nnames; i++)
		n += disk->node[node]->names[i].now >= 0;
	return n;
}

static void refuse(const char *name, int64_t t)
{
	GOOD(update_refused_keep(o.p, t, name, rd_make("tar", 3), rd_make("why", 3), e));
}

static void the_last_ten_refusals_are_kept_each_once(void)
{
	size_t n;
	begin_disk();
	for (int i = 0; i < 15; i++) {
		char name[32];
		snprintf(name, sizeof name, "log-%d", i);
		refuse(name, T0 + i);
	}
	T_EQ(refused_files(), 20);
	T_TRUE(sim_file(disk, DIR, "refused/01790000014-log-14.tar", &n) != NULL);
	T_TRUE(sim_file(disk, DIR, "refused/01790000014-log-14.txt", &n) != NULL);
	T_TRUE(sim_file(disk, DIR, "refused/01790000004-log-4.tar", &n) == NULL);
	for (int i = 0; i < 30; i++)
		refuse("log-14", T0 + 100 + i);
	T_EQ(refused_files(), 20);
	T_TRUE(sim_file(disk, DIR, "refused/01790000129-log-14.tar", &n) != NULL);
	T_TRUE(sim_file(disk, DIR, "refused/01790000005-log-5.tar", &n) != NULL);
	T_EQ(update_refused_keep(o.p, T0, "../x", rd_make("", 0), rd_make("", 0), NULL), ST_MALFORMED);
	end_disk();
}

/* ---- the store of metadata ---- */

static struct update_store *store;
static struct tuf_store ts;

static void the_store_gives_back_what_was_put(void)
{
	struct buf b = {0};
	disk = sim_new();
	GOOD(update_store_open(&disk->io, DIR, &store, &ts, e));
	T_EQ(ts.get(ts.ctx, "root.json", 100, &b, NULL), ST_NOT_FOUND);
	T_EQ(ts.get(ts.ctx, "roots/1.root.json", 100, &b, NULL), ST_NOT_FOUND);
	GOOD(ts.remove(ts.ctx, "root.json", e));
	GOOD(ts.put(ts.ctx, "root.json", rd_make("one", 3), e));
	GOOD(ts.put(ts.ctx, "root.json", rd_make("three", 5), e));
	GOOD(ts.put(ts.ctx, "roots/1.root.json", rd_make("r1", 2), e));
	GOOD(ts.put(ts.ctx, "roots/2.root.json", rd_make("r2", 2), e));
	GOOD(ts.get(ts.ctx, "root.json", 5, &b, e));
	T_EQ(b.len, 5);
	T_MEM(b.data, "three", 5);
	T_EQ(ts.get(ts.ctx, "root.json", 4, &b, NULL), ST_LIMIT);
	GOOD(ts.get(ts.ctx, "roots/2.root.json", 5, &b, e));
	T_EQ(b.len, 7);
	GOOD(ts.remove(ts.ctx, "root.json", e));
	T_EQ(ts.get(ts.ctx, "root.json", 100, &b, NULL), ST_NOT_FOUND);
	buf_done(&b);
	update_store_free(store);
	for (int fd = 2; fd < SIM_FDS; fd++)
		T_EQ(disk->fd[fd], -1);
	sim_free(disk);
}

static bool in_store(const struct sim_disk *d, const char *name)
{
	size_t n;
	return sim_file(d, DIR, name, &n) != NULL;
}

static void what_was_removed_from_the_store_does_not_come_back(void)
{
	disk = sim_new();
	GOOD(update_store_open(&disk->io, DIR, &store, &ts, e));
	GOOD(ts.put(ts.ctx, "timestamp.json", rd_make("one", 3), e));
	GOOD(ts.remove(ts.ctx, "timestamp.json", e));
	struct sim_disk *c = sim_crash(disk, SIM_DURABLE, 1);
	T_TRUE(!in_store(c, "timestamp.json"));
	sim_free(c);
	update_store_free(store);
	sim_free(disk);
}

/* Also where an earlier one was killed at any call. */
static void what_was_put_into_the_store_survives_a_power_cut(void)
{
	st_t end = ST_IO;
	for (uint64_t at = 1; end != ST_OK && t_bad == 0; at++) {
		disk = sim_new();
		disk->stop = at;
		end = update_store_open(&disk->io, DIR, &store, &ts, NULL);
		if (end == ST_OK) {
			end = ts.put(ts.ctx, "roots/1.root.json", rd_make("one", 3), NULL);
			update_store_free(store);
		}
		struct sim_disk *killed = sim_crash(disk, SIM_KILLED, 0);
		GOOD(update_store_open(&killed->io, DIR, &store, &ts, e));
		GOOD(ts.put(ts.ctx, "roots/2.root.json", rd_make("two", 3), e));
		update_store_free(store);
		struct sim_disk *c = sim_crash(killed, SIM_DURABLE, 0);
		T_TRUE(same_file(c, "roots", "2.root.json", "two", 3));
		T_TRUE(end != ST_OK || same_file(c, "roots", "1.root.json", "one", 3));
		sim_free(c);
		sim_free(killed);
		sim_free(disk);
	}
}

static void a_put_that_failed_does_not_keep_the_next_from_working(void)
{
	disk = sim_new();
	GOOD(update_store_open(&disk->io, DIR, &store, &ts, e));
	disk->full = disk->calls + 2;
	T_EQ(ts.put(ts.ctx, "root.json", rd_make("one", 3), NULL), -ENOSPC);
	T_TRUE(!in_store(disk, "root.json"));
	disk->full = 0;
	GOOD(ts.put(ts.ctx, "root.json", rd_make("one", 3), e));
	T_TRUE(in_store(disk, "root.json"));
	update_store_free(store);
	sim_free(disk);
}

static void names_that_lead_out_of_the_store_are_refused(void)
{
	static const char *const bad[] = {
		"", ".", "..", "../x", "a/b", "/etc/passwd", "roots", "roots/", "roots/../x",
		"roots/a/b", ".new", "roots/.new", "a\\b", "a b", "a\n", "\xc3\xa9", "roots//x",
	};
	char longest[300];
	struct buf b = {0};
	disk = sim_new();
	GOOD(update_store_open(&disk->io, DIR, &store, &ts, e));
	uint64_t calls = disk->calls;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (ts.put(ts.ctx, bad[i], rd_make("x", 1), NULL) != ST_MALFORMED ||
		    ts.get(ts.ctx, bad[i], 1, &b, NULL) != ST_MALFORMED ||
		    ts.remove(ts.ctx, bad[i], NULL) != ST_MALFORMED)
			T_FAIL("\"%s\" was not refused", bad[i]);
	}
	memset(longest, 'a', sizeof longest);
	longest[256] = '\0';
	T_EQ(ts.put(ts.ctx, longest, rd_make("x", 1), NULL), ST_MALFORMED);
	T_EQ(disk->calls, calls);
	longest[255] = '\0';
	GOOD(ts.put(ts.ctx, longest, rd_make("x", 1), e));
	GOOD(ts.put(ts.ctx, "role%2Fa.json", rd_make("x", 1), e));
	update_store_free(store);
	sim_free(disk);
}

/* ---- power cuts and full disks ---- */

/* What the outside knows. A run goes from `old` on; once a call is back its result stays. */
struct known {
	unsigned current;    /* activation that is back */
	unsigned trying;     /* and one that is not; 0: none */
	bool hold_all;       /* durable wish */
	bool trying_hold;
	unsigned held;       /* a release that was gone back from */
	const char *root, *trying_root; /* of the store */
};

static struct known known;

static st_t go_to(struct sim_disk *d, struct opened *x, unsigned v, uint32_t keep, struct err *e)
{
	if (index_of(&x->s, v) < 0)
		TRY(add(d, x->p, &x->s, v, T0 + v, e));
	known.trying = v;
	TRY(activate(x, v, T0 + v, keep, e));
	known.current = v;
	known.trying = 0;
	return ST_OK;
}

static st_t put_metadata(struct sim_disk *d, const char *root, struct err *e)
{
	struct update_store *s = NULL;
	struct tuf_store t;
	int tuf = d->io.open(d, DIR, "tuf", O_RDONLY | O_DIRECTORY, 0);
	if (tuf < 0)
		return fail_errno(e, "tuf");
	known.trying_root = root;
	st_t st_ = update_store_open(&d->io, tuf, &s, &t, e);
	if (st_ == ST_OK)
		st_ = t.put(t.ctx, "roots/2.root.json", rd_make(root, strlen(root)), e);
	if (st_ == ST_OK)
		st_ = t.put(t.ctx, "root.json", rd_make(root, strlen(root)), e);
	if (st_ == ST_OK)
		known.root = root;
	if (st_ == ST_OK)
		st_ = t.remove(t.ctx, "timestamp.json", e);
	update_store_free(s);
	d->io.close(d, tuf);
	return st_;
}

static st_t wish(struct opened *x, bool hold_all, struct err *e)
{
	known.trying_hold = hold_all;
	x->s.hold_all = hold_all;
	TRY(update_state_write(x->p, &x->s, e));
	known.hold_all = hold_all;
	return ST_OK;
}

/* Two updates, a wish, a third one that waits, and a step back. */
static st_t play(struct sim_disk *d, struct opened *x, struct err *e)
{
	TRY(open_place(d, x, e));
	TRY(put_metadata(d, "a longer root of version 2", e));
	TRY(go_to(d, x, 2, 2, e));
	TRY(wish(x, true, e));
	TRY(go_to(d, x, 3, 2, e));
	TRY(add(d, x->p, &x->s, 5, T0, e));
	TRY(go_to(d, x, 4, 2, e));
	TRY(update_refused_keep(x->p, T0, "log", rd_make("tar", 3), rd_make("why", 3), e));
	TRY(go_to(d, x, 3, 2, e));
	known.held = 4;
	return ST_OK;
}

static struct sim_disk *begin_play(void)
{
	struct sim_disk *d = sim_new();
	struct opened x;
	known = (struct known){0};
	GOOD(open_place(d, &x, e));
	GOOD(put_metadata(d, "root 1", e));
	GOOD(go_to(d, &x, 1, 2, e));
	close_place(&x);
	d->calls = 0;
	return d;
}

static void check_names(struct sim_disk *d)
{
	const struct sim_node *dir = d->node[DIR];
	int node = -1;
	for (size_t i = 0; i < dir->nnames; i++)
		if (!strcmp(dir->names[i].name, "releases"))
			node = dir->names[i].now;
	for (size_t i = 0; node >= 0 && i < d->node[node]->nnames; i++) {
		const struct sim_name *n = &d->node[node]->names[i];
		char path[64];
		snprintf(path, sizeof path, "releases/%.40s", n->name);
		if (n->now >= 0 && n->name[0] != '.' && !whole_release(d, path))
			T_FAIL("%s is not whole", path);
	}
}

static void check_listed(const struct sim_disk *d, const struct update_state *s)
{
	for (unsigned v = 1; v <= VERSIONS; v++) {
		char path[64];
		snprintf(path, sizeof path, "releases/%s", content[v].id);
		if (whole_release(d, path) && index_of(s, v) < 0)
			T_FAIL("%s is there and not listed", path);
	}
}

/* Nothing that an interrupted one left. */
static void check_clean(struct sim_disk *d)
{
	static const char *const left[] = {".new", ".current", "releases/.new", "releases/.gone"};
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		int fd = d->io.open(d, DIR, left[i], O_RDONLY, 0);
		if (fd >= 0 || errno != ENOENT)
			T_FAIL("%s is still there", left[i]);
		if (fd >= 0)
			d->io.close(d, fd);
	}
}

static bool root_is(const struct sim_disk *d, const char *want)
{
	return want && same_file(d, "tuf", "root.json", want, strlen(want));
}

static void check_state(const struct opened *x)
{
	bool hold = x->s.hold_all;
	if (hold != known.hold_all && hold != known.trying_hold)
		T_FAIL("the customer's hold is lost");
	int held = known.held ? index_of(&x->s, known.held) : -1;
	if (known.held && (held < 0 || !(x->s.v[held].flags & UPDATE_HELD)))
		T_FAIL("what was gone back from is not held");
	int64_t until;
	pol = (struct update_policy){.hold = UPDATE_HOLD_MANUAL};
	T_EQ(update_state_due(&x->s, &pol, INT64_MAX, &until), -1);
}

/* What is promised of the disk as it is found, and that it can be gone on with. */
static void check_disk(struct sim_disk *d)
{
	unsigned v = current_version(d);
	struct opened x;
	const struct known before = known;
	if (v == 0 || (v != known.current && v != known.trying))
		T_FAIL("current is version %u; it was %u, and %u was coming", v, known.current,
		       known.trying);
	if (!root_is(d, known.root) && !root_is(d, known.trying_root))
		T_FAIL("root.json is neither the old one nor the new one");
	check_names(d);
	GOOD(open_place(d, &x, e));
	check_clean(d);
	check_listed(d, &x.s);
	T_EQ(x.s.current, index_of(&x.s, v));
	T_TRUE(x.s.current >= 0);
	T_EQ(current_version(d), v);
	check_state(&x);
	GOOD(go_to(d, &x, 6, 2, e));
	GOOD(put_metadata(d, "root 3", e));
	T_EQ(current_version(d), 6);
	T_TRUE(root_is(d, "root 3"));
	close_place(&x);
	known = before;
}

static const struct {
	enum sim_crash how;
	unsigned times;
	const char *name;
} crashes[] = {
	{SIM_KILLED, 1, "killed"}, {SIM_DURABLE, 1, "nothing but what is durable"},
	{SIM_ALL, 1, "everything"}, {SIM_NAMES, 1, "names"}, {SIM_BYTES, 1, "bytes"},
	{SIM_RANDOM, 12, "a mixture"},
};

static bool crash_at(uint64_t at, uint64_t seed)
{
	struct sim_disk *d = begin_play();
	struct opened x;
	d->stop = at;
	st_t end = play(d, &x, NULL);
	close_place(&x);
	int bad = t_bad;
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
		for (unsigned k = 0; k < crashes[i].times && t_bad == bad; k++) {
			struct sim_disk *c = sim_crash(d, crashes[i].how, seed + at * 100 + k);
			check_disk(c);
			sim_free(c);
			if (t_bad > bad)
				printf("  power cut at call %" PRIu64 ", what survived: %s (%u)\n", at,
				       crashes[i].name, k);
		}
	}
	sim_free(d);
	return end != ST_OK;
}

static void a_power_cut_at_any_call_leaves_a_whole_release_in_use(void)
{
	uint64_t seed = t_seed(5), at = 1;
	while (crash_at(at, seed) && t_bad == 0)
		at++;
	printf("  %" PRIu64 " calls\n", at - 1);
	T_TRUE(at > 100);
}

/* A power cut while the one who comes after a power cut cleans up. */
static void a_second_power_cut_leaves_a_whole_release_too(void)
{
	uint64_t seed = t_seed(6);
	for (uint64_t at = 1; t_bad == 0; at++) {
		struct sim_disk *d = begin_play();
		struct opened x;
		d->stop = at;
		st_t end = play(d, &x, NULL);
		close_place(&x);
		for (uint64_t second = 1; second < 40 && t_bad == 0; second += 3) {
			const struct known before = known;
			struct sim_disk *c = sim_crash(d, SIM_RANDOM, seed + at);
			c->stop = second;
			unsigned was = current_version(c);
			if (open_place(c, &x, NULL) == ST_OK && known.trying)
				known.current = was, (void)go_to(c, &x, 6, 2, NULL);
			close_place(&x);
			struct sim_disk *cc = sim_crash(c, SIM_RANDOM, seed + at * 31 + second);
			unsigned v = current_version(cc);
			if (v == 0 || (v != was && v != before.current && v != before.trying && v != 6))
				T_FAIL("calls %" PRIu64 ", %" PRIu64 ": current is version %u", at, second, v);
			check_names(cc);
			GOOD(open_place(cc, &x, e));
			T_TRUE(x.s.current >= 0);
			close_place(&x);
			sim_free(cc);
			sim_free(c);
			known = before;
		}
		sim_free(d);
		if (end == ST_OK)
			break;
	}
}

/* The process was killed; the next one saw what was not yet durable, told somebody, and then the
 * power went. */
static void what_was_seen_once_stays_after_a_power_cut(void)
{
	for (uint64_t at = 1; t_bad == 0; at++) {
		struct sim_disk *d = begin_play();
		struct opened x;
		d->stop = at;
		st_t end = play(d, &x, NULL);
		close_place(&x);
		struct sim_disk *c = sim_crash(d, SIM_KILLED, 0);
		GOOD(open_place(c, &x, e));
		unsigned v = current_version(c);
		size_t n = x.s.n;
		close_place(&x);
		struct sim_disk *cc = sim_crash(c, SIM_DURABLE, 0);
		GOOD(open_place(cc, &x, e));
		T_EQ(current_version(cc), v);
		T_EQ(x.s.n, n);
		close_place(&x);
		if (t_bad)
			printf("  killed at call %" PRIu64 "\n", at);
		sim_free(cc);
		sim_free(c);
		sim_free(d);
		if (end == ST_OK)
			break;
	}
}

static bool fault_at(uint64_t at, bool full, uint64_t seed)
{
	struct sim_disk *d = begin_play();
	struct opened x;
	d->full = full ? at : 0;
	d->fault = full ? 0 : at;
	st_t end = play(d, &x, NULL);
	bool reached = d->calls >= at;
	close_place(&x);
	d->full = d->fault = 0;
	int bad = t_bad;
	struct sim_disk *c = sim_crash(d, SIM_RANDOM, seed + at);
	check_disk(c);
	sim_free(c);
	if (t_bad == bad)
		check_disk(d);
	if (t_bad > bad)
		printf("  %s at call %" PRIu64 ", status %d\n", full ? "full" : "fault", at, end);
	for (int fd = 2; fd < SIM_FDS; fd++)
		T_EQ(d->fd[fd], -1);
	sim_free(d);
	return reached;
}

static void a_disk_that_is_full_from_any_call_on_leaves_a_whole_release_in_use(void)
{
	for (uint64_t at = 1; fault_at(at, true, 7) && t_bad == 0; at++)
		continue;
}

static void a_call_that_fails_leaves_a_whole_release_in_use(void)
{
	for (uint64_t at = 1; fault_at(at, false, 8) && t_bad == 0; at++)
		continue;
}

/* Readers see one release or the other at every moment of a switch. */
static void watch(void *arg, struct sim_disk *d, const char *name)
{
	(void)name;
	++*(int *)arg;
	if (current_version(d) == 0)
		T_FAIL("no whole release is current after the rename to %s", name);
}

static void who_scans_meanwhile_always_finds_a_whole_release(void)
{
	int renames = 0;
	struct opened x;
	struct sim_disk *d = begin_play();
	d->seen = watch;
	d->seen_arg = &renames;
	GOOD(play(d, &x, e));
	T_TRUE(renames > 20);
	close_place(&x);
	sim_free(d);
}

/* ---- a real folder ---- */

static void a_real_folder_has_one_writer_and_a_link_that_can_be_opened(void)
{
	char dir[] = "/tmp/vitrine-state-XXXXXX";
	T_TRUE(mkdtemp(dir) != NULL);
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct opened x = {0};
	struct update_place *second = NULL;
	const struct content *c = &content[1];
	size_t index;
	GOOD(update_place_open(&log_io_system, fd, true, &x.p, e));
	GOOD(update_state_read(x.p, &x.s, e));
	T_EQ(update_place_open(&log_io_system, fd, true, &second, NULL), ST_CONFLICT);
	GOOD(update_place_open(&log_io_system, fd, false, &second, e));
	update_place_free(second);
	int spool = openat(fd, "spool/vdb", O_WRONLY | O_CREAT, 0600);
	T_EQ(write(spool, c->vdb, c->nvdb), c->nvdb);
	close(spool);
	const struct update_files f = {.vdb = "vdb", .source = NULL};
	GOOD(update_release_add(x.p, &x.s, &c->r, &f, T0, &index, e));
	GOOD(update_activate(x.p, &x.s, index, T0, 3, e));
	int vdb = openat(fd, "current/main.vdb", O_RDONLY);
	T_TRUE(vdb >= 0);
	uint8_t read_[sizeof c->vdb];
	T_EQ(read(vdb, read_, sizeof read_), c->nvdb);
	T_MEM(read_, c->vdb, c->nvdb);
	close(vdb);
	update_place_free(x.p);
	GOOD(update_place_open(&log_io_system, fd, true, &x.p, e));
	GOOD(update_state_read(x.p, &x.s, e));
	T_EQ(x.s.current, 0);
	update_place_free(x.p);
	close(fd);
	char command[64];
	snprintf(command, sizeof command, "rm -r %s", dir);
	T_EQ(system(command), 0);
}

int main(void)
{
	make_contents();
	T_RUN(without_a_hold_the_newest_is_due_at_once);
	T_RUN(a_release_waits_from_when_it_was_seen_whatever_comes_after_it);
	T_RUN(a_manual_hold_waits_for_ever_and_approval_ends_it);
	T_RUN(approval_cuts_the_time_short);
	T_RUN(what_is_held_or_failed_is_never_due_by_itself);
	T_RUN(hold_all_stops_everything_but_what_is_approved);
	T_RUN(what_is_older_than_the_current_one_is_never_due);
	T_RUN(a_clock_that_goes_back_cuts_no_wait_short);
	T_RUN(times_at_the_end_of_their_range_do_not_wrap);
	T_RUN(back_goes_to_the_last_one_that_was_current_and_is_good);
	T_RUN(the_record_is_text_with_a_checksum);
	T_RUN(a_record_that_is_damaged_anywhere_is_refused);
	T_RUN(a_record_with_another_spelling_is_refused);
	T_RUN(more_releases_than_there_may_be_are_refused);
	T_RUN(an_empty_place_has_no_release);
	T_RUN(an_activated_release_is_current_and_found_again);
	T_RUN(only_the_last_that_were_current_are_kept);
	T_RUN(what_waits_is_kept_and_what_was_overtaken_goes);
	T_RUN(what_was_gone_back_from_is_not_activated_again_until_approved);
	T_RUN(the_order_of_activations_does_not_depend_on_the_clock);
	T_RUN(a_second_database_of_one_version_is_refused);
	T_RUN(a_file_of_another_size_than_was_verified_is_refused);
	T_RUN(where_too_many_wait_the_newest_makes_room);
	T_RUN(a_damaged_record_is_said_and_a_missing_one_holds_everything);
	T_RUN(a_release_that_somebody_removed_is_not_listed);
	T_RUN(a_link_that_leads_elsewhere_is_refused);
	T_RUN(a_reader_needs_no_lock_and_changes_nothing);
	T_RUN(what_is_in_use_is_not_removed_though_no_record_has_it);
	T_RUN(the_last_ten_refusals_are_kept_each_once);
	T_RUN(the_store_gives_back_what_was_put);
	T_RUN(what_was_removed_from_the_store_does_not_come_back);
	T_RUN(what_was_put_into_the_store_survives_a_power_cut);
	T_RUN(a_put_that_failed_does_not_keep_the_next_from_working);
	T_RUN(names_that_lead_out_of_the_store_are_refused);
	T_RUN(a_power_cut_at_any_call_leaves_a_whole_release_in_use);
	T_RUN(a_second_power_cut_leaves_a_whole_release_too);
	T_RUN(what_was_seen_once_stays_after_a_power_cut);
	T_RUN(a_disk_that_is_full_from_any_call_on_leaves_a_whole_release_in_use);
	T_RUN(a_call_that_fails_leaves_a_whole_release_in_use);
	T_RUN(who_scans_meanwhile_always_finds_a_whole_release);
	T_RUN(a_real_folder_has_one_writer_and_a_link_that_can_be_opened);
	return t_end();
}
