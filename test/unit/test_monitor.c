/* The monitor over a clock and a network of its own: every alert is raised by what it is for, once,
 * and cleared when that is over; a good log stays silent. The state is written and read again after
 * every step, so each test is one of restarts too. */
#include "attest/json.h"
#include "base/num.h"
#include "monitor_world.h"
#include "test/t.h"

#define ALL "repository http://repo/{sha256}\nsubject-within 1h\nrebuilt-within 24h\n"

static struct world *w;

static void begin(const char *extra)
{
	w = calloc(1, sizeof *w);
	if (!w)
		exit(1);
	world_init(w, extra);
}

static void end(void)
{
	world_done(w);
	free(w);
}

static void step(void)
{
	world_step(w);
}

/* The step said exactly this, once. */
static void only(enum alert_kind k, enum alert_state s)
{
	T_EQ(world_said(w, k, s), 1);
	T_EQ(w->nalerts, 1);
	for (uint32_t i = 0; i < w->nalerts && w->nalerts != 1; i++)
		printf("    %s\n", w->alert[i].json);
}

static void silent(void)
{
	T_EQ(w->nalerts, 0);
	for (uint32_t i = 0; i < w->nalerts; i++)
		printf("    %s\n", w->alert[i].json);
}

/* One released file, rebuilt and in the repository. */
static void add_good(uint8_t file)
{
	world_add_release(w, file, w->publisher);
	world_add_rebuild(w, file, w->rebuilder[file % 2], true);
	world_publish_file(w, file, true);
}

static void begin_good(const char *extra)
{
	begin(extra);
	add_good(0);
	add_good(1);
	world_publish(w);
	step();
	silent();
	T_EQ(w->sum.unchecked, 0);
	w->now += 60;
}

static void a_good_log_is_silent_for_weeks(void)
{
	begin(ALL);
	for (unsigned day = 0; day < 40; day++) {
		add_good((uint8_t)day);
		for (unsigned hour = 0; hour < 24; hour++) {
			world_publish(w);
			step();
			silent();
			T_EQ(w->sum.unchecked, 0);
			T_EQ(w->sum.open, 0);
			w->now += 3600;
		}
	}
	T_EQ(w->m.state.logs[0].entries.size, 80);
	T_EQ(w->m.state.nsubjects, 40);
	end();
}

static void a_large_log_is_read_in_windows_and_once(void)
{
	begin(ALL);
	add_good(0);
	while (w->n < 2900)
		world_add(w, w->entry[0].data, w->entry[0].len);
	world_publish(w);
	step();
	silent();
	T_EQ(w->sum.entries, 2900);
	T_TRUE(!w->sum.more);
	size_t asked = fetch_fake_count(w->fake);
	step();
	T_EQ(w->sum.entries, 0);
	T_EQ(fetch_fake_count(w->fake) - asked, 4);
	end();
}

static void every_size_of_growth_is_followed(void)
{
	uint64_t seed = t_seed(11);
	begin(ALL);
	add_good(0);
	for (int i = 0; i < 60; i++) {
		uint32_t more = (uint32_t)(t_rand(&seed) % (i % 5 ? 4 : 300));
		while (more-- > 0 && w->n < WORLD_ENTRIES_MAX)
			world_add(w, w->entry[0].data, w->entry[0].len);
		world_publish(w);
		step();
		silent();
		T_EQ(w->m.state.logs[0].entries.size, w->n);
		w->now += 60;
	}
	end();
}

static void a_plain_policy_follows_without_judging_entries(void)
{
	begin(NULL);
	world_add(w, "not a statement", 15);
	world_publish(w);
	step();
	silent();
	T_EQ(w->sum.entries, 1);
	end();
}

/* The first entry becomes another one; all sizes and signatures stay right. */
static void rewrite_first(void)
{
	uint32_t n = w->n;
	w->n = 0;
	world_add_release(w, 99, w->publisher);
	w->n = n;
}

static void another_root_at_the_same_size_is_a_split_view(void)
{
	begin_good(ALL);
	rewrite_first();
	world_publish(w);
	step();
	T_EQ(world_said(w, ALERT_SPLIT_VIEW, ALERT_RAISED), 4); /* the log's, and three witnesses */
	end();
}

static void only_the_log_changed_its_mind(void)
{
	begin_good(ALL);
	for (int i = 0; i < 3; i++)
		w->wdown[i] = true;
	rewrite_first();
	world_sign(w, &w->note, w->n, 7, w->now);
	step();
	only(ALERT_SPLIT_VIEW, ALERT_RAISED);
	T_EQ(w->nevidence, 2);
	T_EQ(w->sum.critical, 1);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"evidence\":[\""));
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"severity\":\"critical\""));
	step();
	silent();
	T_EQ(w->sum.critical, 1);
	w->m.acknowledge = true;
	world_publish(w);
	rewrite_first();
	w->n = 0;
	add_good(0);
	w->n = 4;
	world_publish(w);
	step();
	only(ALERT_SPLIT_VIEW, ALERT_ACKNOWLEDGED);
	T_EQ(w->sum.open, 0);
	end();
}

static void a_larger_tree_that_does_not_extend_the_old_one_is_inconsistent(void)
{
	begin_good(ALL);
	for (int i = 0; i < 3; i++)
		w->wdown[i] = true;
	rewrite_first();
	add_good(2);
	w->served = w->n;
	world_sign(w, &w->note, w->n, 7, w->now);
	step();
	only(ALERT_INCONSISTENT, ALERT_RAISED);
	T_EQ(w->nevidence, 2);
	T_EQ(w->m.state.logs[0].size, 4);
	end();
}

static void old_tiles_do_not_prove_a_new_tree(void)
{
	begin_good(ALL);
	struct buf first = w->entry[0];
	struct tlog_hash leaf = w->leaf[0];
	w->entry[0] = (struct buf){0};
	rewrite_first();
	add_good(2);
	world_sign(w, &w->note, w->n, 7, w->now);
	buf_done(&w->entry[0]);
	w->entry[0] = first;
	w->leaf[0] = leaf;
	w->served = w->n;
	step();
	only(ALERT_BAD_TILE, ALERT_RAISED);
	T_EQ(w->m.state.logs[0].size, 4);
	end();
}

static void a_contradiction_counts_also_without_a_quorum(void)
{
	begin_good(ALL);
	rewrite_first();
	for (int i = 0; i < 3; i++)
		w->wdown[i] = true;
	world_sign(w, &w->note, w->n, 1, w->now);
	step();
	T_EQ(world_said(w, ALERT_NO_QUORUM, ALERT_RAISED), 1);
	T_EQ(world_said(w, ALERT_SPLIT_VIEW, ALERT_RAISED), 1);
	end();
}

static void a_smaller_tree_is_shrunk_and_clears(void)
{
	begin_good(ALL);
	world_sign(w, &w->note, 3, 7, w->now);
	step();
	only(ALERT_SHRUNK, ALERT_RAISED);
	T_EQ(w->m.state.logs[0].size, 4);
	step();
	silent();
	world_publish(w);
	step();
	only(ALERT_SHRUNK, ALERT_CLEARED);
	end();
}

static void a_smaller_tree_with_another_past_is_a_split_view(void)
{
	begin_good(ALL);
	struct buf first = w->entry[0];
	struct tlog_hash leaf = w->leaf[0];
	w->entry[0] = (struct buf){0};
	rewrite_first();
	world_sign(w, &w->note, 3, 7, w->now);
	buf_done(&w->entry[0]);
	w->entry[0] = first;
	w->leaf[0] = leaf;
	step();
	T_EQ(world_said(w, ALERT_SHRUNK, ALERT_RAISED), 1);
	T_EQ(world_said(w, ALERT_SPLIT_VIEW, ALERT_RAISED), 1);
	end();
}

static void a_witness_that_cosigned_another_tree_is_a_split_view(void)
{
	for (uint64_t size = 2; size <= 4; size++) {
		begin_good(ALL);
		struct buf first = w->entry[0];
		struct tlog_hash leaf = w->leaf[0];
		w->entry[0] = (struct buf){0};
		w->m.state.views[1].own_size = 0;
		rewrite_first();
		world_sign(w, &w->wnote[1], size, 2, w->now);
		buf_done(&w->entry[0]);
		w->entry[0] = first;
		w->leaf[0] = leaf;
		step();
		only(ALERT_SPLIT_VIEW, ALERT_RAISED);
		T_EQ(w->nevidence, 2);
		T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"witness\":\"w2\""));
		end();
	}
}

static void a_witness_that_lags_with_the_same_tree_is_no_alert(void)
{
	begin_good(ALL);
	struct buf old = {0};
	world_sign(w, &old, 4, 2, w->now);
	add_good(2);
	world_publish(w);
	buf_done(&w->wnote[1]);
	w->wnote[1] = old;
	step();
	silent();
	end();
}

/* The log shows 4 entries while a witness has cosigned 6. */
static void let_witness_run_ahead(unsigned which)
{
	struct buf small = {0};
	w->now += 60;
	world_sign(w, &small, 4, 7, w->now);
	add_good(2);
	world_publish(w);
	for (unsigned i = 0; i < 3; i++)
		if (i != which)
			world_sign(w, &w->wnote[i], 4, 1u << i, w->now);
	buf_done(&w->note);
	w->note = small;
	w->served = 4;
}

static void a_witness_may_be_ahead_for_a_while(void)
{
	begin_good(ALL);
	let_witness_run_ahead(0);
	step();
	silent();
	w->now += 300;
	step();
	silent();
	world_publish(w);
	step();
	silent();
	T_EQ(w->m.state.views[0].ahead.len, 0);
	end();
}

static void a_witness_that_stays_ahead_is_an_alert(void)
{
	begin_good(ALL);
	let_witness_run_ahead(0);
	step();
	silent();
	w->now += 901;
	step();
	only(ALERT_WITNESS_AHEAD, ALERT_RAISED);
	T_EQ(w->nevidence, 2);
	world_publish(w);
	step();
	only(ALERT_WITNESS_AHEAD, ALERT_CLEARED);
	end();
}

static void what_was_ahead_and_another_tree_is_a_split_view_once_it_can_be_seen(void)
{
	begin_good(ALL);
	let_witness_run_ahead(0);
	step();
	w->n = 4;
	add_good(3);
	add_good(4);
	world_publish(w);
	w->wdown[0] = true;
	step();
	only(ALERT_SPLIT_VIEW, ALERT_RAISED);
	end();
}

/* Else a log could withhold tiles for a moment to have the proof against it forgotten. */
static void what_was_ahead_is_kept_while_tiles_are_withheld(void)
{
	begin_good(ALL);
	let_witness_run_ahead(0);
	step();
	w->n = 4;
	for (uint8_t i = 3; i < 6; i++)
		add_good(i);
	world_publish(w);
	w->wdown[0] = true;
	w->tiles_down = true;
	step();
	T_EQ(world_said(w, ALERT_SPLIT_VIEW, ALERT_RAISED), 0);
	w->now += 60;
	w->tiles_down = false;
	step();
	step();
	T_EQ(w->sum.critical, 1);
	end();
}

static void a_witness_that_hides_what_it_showed_does_not_answer(void)
{
	begin_good(ALL);
	buf_done(&w->wnote[0]);
	w->wnote[0] = (struct buf){0};
	step();
	silent();
	T_EQ(w->sum.unchecked, 1);
	w->now += 901;
	world_sign(w, &w->note, w->n, 7, w->now);
	step();
	only(ALERT_UNREACHABLE, ALERT_RAISED);
	end();
}

static void two_witnesses_ahead_with_two_trees_are_a_split_view_at_once(void)
{
	begin_good(ALL);
	let_witness_run_ahead(0);
	w->n = 4;
	add_good(3);
	world_sign(w, &w->wnote[2], 6, 4, w->now);
	step();
	only(ALERT_SPLIT_VIEW, ALERT_RAISED);
	T_EQ(w->nevidence, 2);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"other\":\"w3\""));
	end();
}

static void a_witness_that_shrinks_is_an_alert(void)
{
	begin_good(ALL);
	world_sign(w, &w->wnote[1], 3, 2, w->now);
	step();
	only(ALERT_SHRUNK, ALERT_RAISED);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"witness\":\"w2\""));
	world_sign(w, &w->wnote[1], 4, 2, w->now);
	step();
	only(ALERT_SHRUNK, ALERT_CLEARED);
	end();
}

static void too_few_cosignatures_are_no_quorum_and_not_taken_over(void)
{
	begin_good(ALL);
	add_good(2);
	world_publish(w);
	world_sign(w, &w->note, 6, 1, w->now);
	step();
	only(ALERT_NO_QUORUM, ALERT_RAISED);
	T_TRUE(w->sum.unchecked > 0);
	T_EQ(w->m.state.logs[0].size, 4);
	world_publish(w);
	step();
	only(ALERT_NO_QUORUM, ALERT_CLEARED);
	T_EQ(w->m.state.logs[0].size, 6);
	end();
}

static void change(struct buf *b, const char *find, size_t skip)
{
	char *p = memmem(b->data, b->len, find, strlen(find));
	T_TRUE(p != NULL);
	if (p)
		p[skip] = p[skip] == 'A' ? 'B' : 'A';
}

static void a_wrong_signature_of_log_or_witness_is_bad(void)
{
	static const char *const lines[] = {"\xe2\x80\x94 log.example/x ", "\xe2\x80\x94 w2.example "};
	for (int i = 0; i < 2; i++) {
		begin_good(ALL);
		world_publish(w);
		change(&w->note, lines[i], strlen(lines[i]) + 40);
		step();
		only(ALERT_BAD_SIGNATURE, ALERT_RAISED);
		world_publish(w);
		step();
		only(ALERT_BAD_SIGNATURE, ALERT_CLEARED);
		end();
	}
}

static void a_witness_endpoint_with_a_wrong_or_no_cosignature_is_bad(void)
{
	begin_good(ALL);
	world_sign(w, &w->wnote[0], 4, 0, w->now);
	step();
	only(ALERT_BAD_SIGNATURE, ALERT_RAISED);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"witness\":\"w1\""));
	end();
}

static void what_is_no_checkpoint_is_said(void)
{
	begin_good(ALL);
	buf_done(&w->note);
	w->note = (struct buf){0};
	make_add(&w->note, "hello\n");
	step();
	only(ALERT_BAD_CHECKPOINT, ALERT_RAISED);
	world_publish(w);
	step();
	only(ALERT_BAD_CHECKPOINT, ALERT_CLEARED);
	end();
}

static void an_old_cosignature_is_stale_and_clears(void)
{
	begin_good(ALL);
	w->now += 3600;
	step();
	only(ALERT_STALE, ALERT_RAISED);
	step();
	silent();
	world_publish(w);
	step();
	only(ALERT_STALE, ALERT_CLEARED);
	end();
}

static void time_that_goes_backwards_is_an_alert(void)
{
	begin_good(ALL);
	world_publish(w);
	step();
	world_sign(w, &w->note, 4, 7, w->now - 10);
	step();
	T_EQ(world_said(w, ALERT_TIME_BACKWARDS, ALERT_RAISED), 3);
	T_EQ(w->nalerts, 3);
	world_publish(w);
	step();
	T_EQ(world_said(w, ALERT_TIME_BACKWARDS, ALERT_CLEARED), 3);
	end();
}

static void a_time_from_the_future_is_an_alert_and_does_not_count(void)
{
	begin_good(ALL);
	world_sign(w, &w->note, 4, 7, w->now + 301);
	step();
	T_EQ(world_said(w, ALERT_FUTURE_TIME, ALERT_RAISED), 3);
	world_publish(w);
	step();
	T_EQ(world_said(w, ALERT_FUTURE_TIME, ALERT_CLEARED), 3);
	T_EQ(w->nalerts, 3);
	end();
}

static void a_log_that_does_not_answer_is_an_alert_after_a_while(void)
{
	begin_good(ALL);
	w->down = true;
	step();
	silent();
	T_EQ(w->sum.unchecked, 1);
	T_EQ(w->nunchecked, 1);
	w->now += 899;
	step();
	silent();
	w->now += 1;
	step();
	only(ALERT_UNREACHABLE, ALERT_RAISED);
	w->down = false;
	world_publish(w);
	step();
	only(ALERT_UNREACHABLE, ALERT_CLEARED);
	T_EQ(w->sum.unchecked, 0);
	end();
}

static void tiles_that_do_not_come_are_an_alert_after_a_while_though_the_checkpoint_does(void)
{
	begin_good(ALL);
	add_good(2);
	w->tiles_down = true;
	for (int i = 0; i < 15; i++) {
		world_publish(w);
		for (int k = 0; k < 3; k++)
			world_sign(w, &w->wnote[k], 4, 1u << k, w->now);
		step();
		silent();
		T_EQ(w->sum.unchecked, 1);
		w->now += 60;
	}
	world_sign(w, &w->note, w->n, 7, w->now);
	step();
	only(ALERT_UNREACHABLE, ALERT_RAISED);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"other\":\"tiles\""));
	w->tiles_down = false;
	world_publish(w);
	step();
	only(ALERT_UNREACHABLE, ALERT_CLEARED);
	T_EQ(w->m.state.logs[0].entries.size, 6);
	end();
}

static uint64_t slow_ms;

static uint64_t slow_clock(void)
{
	return slow_ms += 4 * 60 * 1000;
}

static void a_slow_log_is_read_over_several_steps(void)
{
	begin(ALL);
	add_good(0);
	while (w->n < 2900)
		world_add(w, w->entry[0].data, w->entry[0].len);
	world_publish(w);
	w->m.clock_ms = slow_clock;
	step();
	T_TRUE(w->sum.more);
	T_EQ(w->m.state.logs[0].entries.size, 2048);
	w->m.clock_ms = NULL;
	step();
	T_EQ(w->m.state.logs[0].entries.size, 2900);
	end();
}

static void a_witness_that_does_not_answer_is_an_alert_after_a_while(void)
{
	begin_good(ALL);
	w->wdown[2] = true;
	step();
	silent();
	w->now += 900;
	step();
	only(ALERT_UNREACHABLE, ALERT_RAISED);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"witness\":\"w3\""));
	end();
}

static void a_witness_without_an_endpoint_is_no_alert(void)
{
	begin_good(ALL);
	for (int i = 0; i < 3; i++) {
		buf_done(&w->wnote[i]);
		w->wnote[i] = (struct buf){0};
	}
	w->now += 1000;
	step();
	silent();
	end();
}

static void a_missing_bundle_or_tile_is_a_gap_and_nothing_is_skipped(void)
{
	static const char *const paths[] = {"tile/entries/000.p/6", "tile/0/000.p/6"};
	for (int i = 0; i < 2; i++) {
		begin_good(ALL);
		add_good(2);
		world_publish(w);
		strcpy(w->broken, paths[i]);
		step();
		only(ALERT_GAP, ALERT_RAISED);
		T_EQ(w->m.state.logs[0].entries.size, 4);
		w->broken[0] = '\0';
		step();
		only(ALERT_GAP, ALERT_CLEARED);
		T_EQ(w->m.state.logs[0].entries.size, 6);
		end();
	}
}

static void bytes_that_are_not_of_the_tree_are_a_bad_tile_and_not_judged(void)
{
	static const char *const paths[] = {"tile/entries/000.p/6", "tile/0/000.p/6"};
	for (int i = 0; i < 2; i++) {
		begin_good(ALL);
		add_good(2);
		world_publish(w);
		strcpy(w->spoiled, paths[i]);
		step();
		only(ALERT_BAD_TILE, ALERT_RAISED);
		T_TRUE(i || (w->nalerts && strstr(w->alert[0].json, "entry 5 of the bundle is not")));
		T_EQ(w->m.state.logs[0].entries.size, 4);
		w->spoiled[0] = '\0';
		step();
		only(ALERT_BAD_TILE, ALERT_CLEARED);
		T_EQ(w->m.state.logs[0].entries.size, 6);
		end();
	}
}

static void an_entry_and_its_tile_that_agree_but_are_not_of_the_tree_are_not_judged(void)
{
	begin(ALL);
	add_good(0);
	while (w->n < 2900)
		world_add(w, w->entry[0].data, w->entry[0].len);
	world_publish(w);
	w->lie = 1500;
	make_add(&w->lie_entry, "forged");
	step();
	only(ALERT_BAD_TILE, ALERT_RAISED);
	T_EQ(w->m.state.logs[0].entries.size, 0);
	w->lie = 0;
	step();
	only(ALERT_BAD_TILE, ALERT_CLEARED);
	T_EQ(w->m.state.logs[0].entries.size, 2900);
	end();
}

static void the_example_of_the_documentation_is_a_configuration(void)
{
	struct buf b = {0};
	struct monitor_config c;
	struct err e = {0};
	make_read_file(VECTORS "/../../doc/examples", "monitor.policy", &b);
	T_EQ(monitor_config_parse(make_rd(&b), &c, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(c.publishers.n, 1);
	T_EQ(c.rebuilders.n, 1);
	T_EQ(c.subject_within, 1800);
	T_STR(c.monitoring[2], "https://show.witness3.example.net");
	T_STR(c.hook[2], "security");
	monitor_config_done(&c);
	buf_done(&b);
}

static void check_files(const char *repository, bool whole, const char *good, const char *bad)
{
	struct policy none = {0};
	struct monitor_config c = {.policy = &none, .repository = repository, .fetch_subjects = whole};
	struct fetch_scope s;
	monitor_config_scope(&c, &s);
	uint32_t method = whole ? FETCH_MAY_GET : FETCH_MAY_HEAD;
	T_TRUE(fetch_scope_allows(&s, good, method));
	T_TRUE(!fetch_scope_allows(&s, good, whole ? FETCH_MAY_HEAD : FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&s, good, FETCH_MAY_POST));
	T_TRUE(!fetch_scope_allows(&s, bad, method));
}

static void a_step_may_ask_for_files_below_the_folder_before_the_first_brace(void)
{
	check_files("https://a/files/{sha256}/{name}", false, "https://a/files/00/x",
	            "https://a/other/00/x");
	check_files("https://a/files/v-{name}", true, "https://a/files/v-x", "https://a/files/v-x?y");
	check_files("https://a/get?file={sha256}", true, "https://a/get?file=00",
	            "https://b/get?file=00");
}

static void a_step_may_look_at_logs_and_witnesses_and_nothing_else(void)
{
	struct fetch_scope s;
	begin("");
	monitor_config_scope(&w->cfg, &s);
	T_TRUE(s.n > 0);
	for (size_t i = 0; i < s.n; i++)
		T_TRUE(s.v[i].may == FETCH_MAY_GET || s.v[i].may == FETCH_MAY_HEAD);
	for (size_t i = 0; i < w->cfg.policy->nlogs; i++) {
		char url[FETCH_URL_MAX];
		snprintf(url, sizeof url, "%s/checkpoint", w->cfg.policy->logs[i].url);
		T_TRUE(fetch_scope_allows(&s, url, FETCH_MAY_GET));
	}
	T_TRUE(!fetch_scope_allows(&s, "http://else.example/checkpoint", FETCH_MAY_GET));
	end();
}

static void expect_event(enum alert_kind k)
{
	world_publish(w);
	step();
	only(k, ALERT_RAISED);
	step();
	silent();
	T_EQ(w->sum.open, 1);
	end();
}

static void an_entry_that_is_no_envelope_is_malformed(void)
{
	begin_good(ALL);
	world_add(w, "{}", 2);
	expect_event(ALERT_MALFORMED_ENTRY);
}

static void a_release_signed_by_a_stranger_is_a_bad_signature(void)
{
	begin_good(ALL);
	world_add_release(w, 50, w->unknown);
	expect_event(ALERT_BAD_ENTRY_SIGNATURE);
}

static void a_release_signed_by_a_rebuilder_is_a_bad_signature(void)
{
	begin_good(ALL);
	world_add_release(w, 50, w->rebuilder[0]);
	expect_event(ALERT_BAD_ENTRY_SIGNATURE);
}

static void a_verdict_signed_by_the_publisher_is_a_bad_signature(void)
{
	begin_good(ALL);
	world_add_rebuild(w, 0, w->publisher, true);
	expect_event(ALERT_BAD_ENTRY_SIGNATURE);
}

#include "attest/dsse.h"
#include "attest/statement.h"

static void add_envelope(const char *type, const char *payload)
{
	struct buf b = {0};
	T_EQ(dsse_make(type, rd_make(payload, strlen(payload)), &w->publisher, 1, &b, NULL), ST_OK);
	world_add(w, b.data, b.len);
	buf_done(&b);
}

static void an_entry_of_another_kind_is_unknown(void)
{
	begin_good(ALL);
	add_envelope("text/plain", "hello");
	expect_event(ALERT_UNKNOWN_ENTRY);
	begin_good(ALL);
	add_envelope(STATEMENT_PAYLOAD_TYPE,
	             "{\"_type\":\"" STATEMENT_TYPE "\",\"predicateType\":\"https://x\"}");
	expect_event(ALERT_UNKNOWN_ENTRY);
	begin_good(ALL);
	add_envelope(STATEMENT_PAYLOAD_TYPE, "{}");
	expect_event(ALERT_MALFORMED_ENTRY);
}

static void what_a_stranger_signed_is_not_read(void)
{
	static const char *const types[] = {"text/plain", STATEMENT_PAYLOAD_TYPE};
	for (int i = 0; i < 2; i++) {
		struct buf b = {0};
		begin_good(ALL);
		T_EQ(dsse_make(types[i], rd_make("{}", 2), &w->unknown, 1, &b, NULL), ST_OK);
		world_add(w, b.data, b.len);
		buf_done(&b);
		expect_event(ALERT_BAD_ENTRY_SIGNATURE);
	}
}

static void an_acknowledged_entry_is_not_looked_at_again(void)
{
	begin_good(ALL);
	world_add(w, "x", 1);
	world_publish(w);
	step();
	only(ALERT_MALFORMED_ENTRY, ALERT_RAISED);
	w->m.acknowledge = true;
	add_good(2);
	world_publish(w);
	step();
	only(ALERT_MALFORMED_ENTRY, ALERT_ACKNOWLEDGED);
	end();
}

static void a_negative_verdict_is_an_alert_that_names_the_rebuilder(void)
{
	begin_good(ALL);
	world_add_rebuild(w, 0, w->rebuilder[1], false);
	world_publish(w);
	step();
	only(ALERT_REBUILD_DIFFERS, ALERT_RAISED);
	T_TRUE(w->nalerts && strstr(w->alert[0].json, "\"other\":\"r2\""));
	end();
}

static void a_release_that_nobody_rebuilt_in_time_is_an_alert_until_somebody_does(void)
{
	begin_good(ALL);
	world_add_release(w, 7, w->publisher);
	world_publish_file(w, 7, true);
	for (int hour = 0; hour < 24; hour++) {
		world_publish(w);
		step();
		silent();
		w->now += 3600;
	}
	world_publish(w);
	step();
	only(ALERT_NOT_REBUILT, ALERT_RAISED);
	step();
	silent();
	world_add_rebuild(w, 7, w->rebuilder[0], true);
	world_publish(w);
	step();
	only(ALERT_NOT_REBUILT, ALERT_CLEARED);
	end();
}

static void as_many_rebuilders_as_wanted_count_each_once(void)
{
	begin_good(ALL "rebuilds-needed 2\n");
	world_add_rebuild(w, 0, w->rebuilder[0], true);
	world_add_rebuild(w, 0, w->rebuilder[0], true);
	w->now += 86400;
	world_publish(w);
	step();
	T_EQ(world_said(w, ALERT_NOT_REBUILT, ALERT_RAISED), 2);
	world_add_rebuild(w, 0, w->rebuilder[1], true);
	world_publish(w);
	step();
	only(ALERT_NOT_REBUILT, ALERT_CLEARED);
	end();
}

static void a_release_that_the_repository_does_not_have_is_missing_after_its_time(void)
{
	begin_good(ALL);
	world_add_release(w, 8, w->publisher);
	world_add_rebuild(w, 8, w->rebuilder[0], true);
	world_publish(w);
	step();
	silent();
	w->now += 3600;
	world_publish(w);
	step();
	only(ALERT_SUBJECT_MISSING, ALERT_RAISED);
	world_publish_file(w, 8, true);
	step();
	only(ALERT_SUBJECT_MISSING, ALERT_CLEARED);
	end();
}

static void a_file_that_is_not_what_was_released_differs(void)
{
	begin_good(ALL "fetch-subjects yes\n");
	world_add_release(w, 9, w->publisher);
	world_add_rebuild(w, 9, w->rebuilder[0], true);
	world_publish_file(w, 9, false);
	world_publish(w);
	step();
	only(ALERT_SUBJECT_DIFFERS, ALERT_RAISED);
	step();
	silent();
	world_publish_file(w, 9, true);
	step();
	only(ALERT_SUBJECT_DIFFERS, ALERT_CLEARED);
	end();
}

static void without_fetching_only_existence_is_asked_for(void)
{
	begin_good(ALL);
	world_add_release(w, 9, w->publisher);
	world_add_rebuild(w, 9, w->rebuilder[0], true);
	world_publish_file(w, 9, false);
	world_publish(w);
	step();
	silent();
	end();
}

static void a_crowd_of_alerts_is_said_over_several_steps_and_none_is_lost(void)
{
	begin(ALL);
	for (int i = 0; i < 2500; i++)
		world_add(w, "x", 1);
	world_publish(w);
	uint32_t said = 0, steps = 0;
	do {
		step();
		said += w->sum.raised;
		steps++;
	} while (w->sum.more && steps < 10);
	T_EQ(steps, 2);
	T_EQ(said, 2500);
	T_EQ(w->sum.open, 2500);
	end();
}

static void a_fetcher_that_ends_ends_the_step(void)
{
	struct monitor_summary s;
	struct err e = {0};
	begin_good(ALL);
	fetch_fake_break(w->fake);
	T_TRUE(monitor_step(&w->m, w->now, &s, &e) < ST_OK);
	end();
}

static void alerts_are_json_that_names_what_it_is_about(void)
{
	begin_good(ALL);
	world_add(w, "x", 1);
	world_publish(w);
	step();
	json_t *o = w->nalerts ? json_loads(w->alert[0].json, JSON_REJECT_DUPLICATES, NULL) : NULL;
	T_TRUE(o != NULL);
	T_STR(json_string_value(json_object_get(o, "alert")), "malformed-entry");
	T_STR(json_string_value(json_object_get(o, "state")), "raised");
	T_STR(json_string_value(json_object_get(o, "log")), "log.example/x");
	T_STR(json_string_value(json_object_get(o, "time")), "2027-01-15T08:01:00Z");
	T_EQ(json_integer_value(json_object_get(o, "entry")), 4);
	json_decref(o);
	end();
}

static void any_changed_byte_of_the_state_is_refused(void)
{
	struct buf b = {0};
	begin_good(ALL);
	T_EQ(monitor_state_write(&w->m.state, &b, NULL), ST_OK);
	for (size_t i = 0; i < b.len; i++) {
		struct monitor_state s;
		b.data[i] ^= 0x41;
		T_TRUE(monitor_state_read(make_rd(&b), &s, NULL) > ST_OK);
		monitor_state_done(&s);
		b.data[i] ^= 0x41;
	}
	for (size_t n = 1; n < b.len; n += 7) {
		struct monitor_state s;
		T_TRUE(monitor_state_read(rd_make(b.data, n), &s, NULL) > ST_OK);
		monitor_state_done(&s);
	}
	buf_done(&b);
	end();
}

static void refused(const char *lines, const char *why)
{
	struct buf b = {0};
	struct monitor_config c;
	struct err e = {0};
	buf_add(&b, w->config_text.data, w->config_text.len);
	make_add(&b, lines);
	T_TRUE(monitor_config_parse(make_rd(&b), &c, &e) > ST_OK);
	if (!strstr(e.text, why))
		T_FAIL("\"%s\" is not in \"%s\"", why, e.text);
	monitor_config_done(&c);
	buf_done(&b);
}

static void a_repository_whose_host_is_filled_in_is_refused(void)
{
	static const char *const bad[] = {"https://{sha256}.example/{name}", "https://a{name}/x",
	                                  "https://a?{sha256}", "https://u:p@a/{name}",
	                                  "https://a/../{name}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[256];
		struct monitor_config c;
		struct err e = {0};
		snprintf(text, sizeof text,
		         "log log.example.org/av-updates+468a745a+"
		         "AT/b0CcCI26gNznXbz4qSiY884R2L8T5F8VzLMtXVJ6i https://log.example.org\n"
		         "quorum none\nrepository %s\n", bad[i]);
		T_EQ(monitor_config_parse(rd_make(text, strlen(text)), &c, &e), ST_MALFORMED);
		if (!strstr(e.text, "behind the slash"))
			T_FAIL("%s: %s", bad[i], e.text);
		monitor_config_done(&c);
	}
}

static void a_policy_without_a_log_is_refused(void)
{
	static const char text[] = "quorum none\n";
	struct monitor_config c;
	struct err e = {0};
	T_EQ(monitor_config_parse(rd_make(text, sizeof text - 1), &c, &e), ST_MALFORMED);
	T_TRUE(strstr(e.text, "nothing to watch") != NULL);
	monitor_config_done(&c);
}

static void configurations_that_break_a_rule_are_refused_with_their_line(void)
{
	begin(ALL);
	refused("nonsense 1\n", "line 13");
	refused("interval\n", "line 13: \"interval\" without a value");
	refused("interval 5\n", "line 13: interval: a time is");
	refused("interval 5m 6m\n", "too many words");
	refused("interval 05m\n", "a time is");
	refused("interval 5m\ninterval 5m\n", "line 14: a second");
	refused("rebuilds-needed 0\n", "a number from 1");
	refused("rebuilds-needed 3\n", "fewer rebuilders");
	refused("release-signatures 2\n", "fewer publishers");
	refused("fetch-subjects maybe\n", "\"yes\" or \"no\"");
	refused("repository ftp://x/{sha256}\n", "line 13: a second");
	refused("hook relative\n", "full path");
	refused("hook\n", "full path");
	refused("publisher p2\n", "a name and a key");
	refused("publisher p2 x\n", "line 13");
	refused("publisher p2 key.pem\n", "file");
	refused("publisher p2 spki:AAAA\n", "neither Ed25519");
	refused("publisher p2 spki:!\n", "base64");
	refused("monitoring w9 http://x\n", "no witness has this name");
	refused("monitoring w1 x\n", "a URL starts");
	end();
}

static void a_key_is_counted_once_whatever_it_is_called(void)
{
	begin(ALL);
	struct buf line = {0};
	struct note_key k;
	T_EQ(note_key_of_signer("again", NOTE_ED25519, w->publisher, &k, NULL), ST_OK);
	make_add(&line, "publisher again ");
	note_key_format(&k, &line);
	make_add(&line, "\n");
	buf_u8(&line, '\0');
	refused((const char *)line.data, "keys are counted");
	buf_done(&line);
	end();
}

static st_t read_pem(void *ctx, const char *name, struct buf *out, struct err *e)
{
	(void)e;
	*(int *)ctx += !strcmp(name, "dir/key.pem");
	make_read_file(VECTORS "/dsse", "p.pem", out);
	return ST_OK;
}

static void keys_in_files_are_put_into_the_text(void)
{
	static const char in[] = "# x\n publisher p  dir/key.pem \nquorum none";
	struct buf out = {0};
	int asked = 0;
	T_EQ(monitor_config_expand(rd_make(in, strlen(in)), read_pem, &asked, &out, NULL), ST_OK);
	buf_u8(&out, '\0');
	T_EQ(asked, 1);
	T_STR((char *)out.data, "# x\n publisher p  "
	                        "spki:MCowBQYDK2VwAyEAZeQx+lOhA+KLaHVq0iTE4PzhOXE/McaRrUsrquLZJVY= "
	                        "\nquorum none\n");
	buf_done(&out);
}

int main(void)
{
	attest_preload(1);
	T_RUN(a_good_log_is_silent_for_weeks);
	T_RUN(a_large_log_is_read_in_windows_and_once);
	T_RUN(every_size_of_growth_is_followed);
	T_RUN(a_plain_policy_follows_without_judging_entries);
	T_RUN(another_root_at_the_same_size_is_a_split_view);
	T_RUN(only_the_log_changed_its_mind);
	T_RUN(a_larger_tree_that_does_not_extend_the_old_one_is_inconsistent);
	T_RUN(old_tiles_do_not_prove_a_new_tree);
	T_RUN(a_contradiction_counts_also_without_a_quorum);
	T_RUN(a_smaller_tree_is_shrunk_and_clears);
	T_RUN(a_smaller_tree_with_another_past_is_a_split_view);
	T_RUN(a_witness_that_cosigned_another_tree_is_a_split_view);
	T_RUN(a_witness_that_lags_with_the_same_tree_is_no_alert);
	T_RUN(a_witness_may_be_ahead_for_a_while);
	T_RUN(a_witness_that_stays_ahead_is_an_alert);
	T_RUN(what_was_ahead_and_another_tree_is_a_split_view_once_it_can_be_seen);
	T_RUN(what_was_ahead_is_kept_while_tiles_are_withheld);
	T_RUN(a_witness_that_hides_what_it_showed_does_not_answer);
	T_RUN(two_witnesses_ahead_with_two_trees_are_a_split_view_at_once);
	T_RUN(a_witness_that_shrinks_is_an_alert);
	T_RUN(too_few_cosignatures_are_no_quorum_and_not_taken_over);
	T_RUN(a_wrong_signature_of_log_or_witness_is_bad);
	T_RUN(a_witness_endpoint_with_a_wrong_or_no_cosignature_is_bad);
	T_RUN(what_is_no_checkpoint_is_said);
	T_RUN(an_old_cosignature_is_stale_and_clears);
	T_RUN(time_that_goes_backwards_is_an_alert);
	T_RUN(a_time_from_the_future_is_an_alert_and_does_not_count);
	T_RUN(a_log_that_does_not_answer_is_an_alert_after_a_while);
	T_RUN(tiles_that_do_not_come_are_an_alert_after_a_while_though_the_checkpoint_does);
	T_RUN(a_slow_log_is_read_over_several_steps);
	T_RUN(a_witness_that_does_not_answer_is_an_alert_after_a_while);
	T_RUN(a_witness_without_an_endpoint_is_no_alert);
	T_RUN(a_missing_bundle_or_tile_is_a_gap_and_nothing_is_skipped);
	T_RUN(bytes_that_are_not_of_the_tree_are_a_bad_tile_and_not_judged);
	T_RUN(an_entry_and_its_tile_that_agree_but_are_not_of_the_tree_are_not_judged);
	T_RUN(the_example_of_the_documentation_is_a_configuration);
	T_RUN(a_step_may_ask_for_files_below_the_folder_before_the_first_brace);
	T_RUN(a_step_may_look_at_logs_and_witnesses_and_nothing_else);
	T_RUN(an_entry_that_is_no_envelope_is_malformed);
	T_RUN(a_release_signed_by_a_stranger_is_a_bad_signature);
	T_RUN(a_release_signed_by_a_rebuilder_is_a_bad_signature);
	T_RUN(a_verdict_signed_by_the_publisher_is_a_bad_signature);
	T_RUN(an_entry_of_another_kind_is_unknown);
	T_RUN(what_a_stranger_signed_is_not_read);
	T_RUN(an_acknowledged_entry_is_not_looked_at_again);
	T_RUN(a_negative_verdict_is_an_alert_that_names_the_rebuilder);
	T_RUN(a_release_that_nobody_rebuilt_in_time_is_an_alert_until_somebody_does);
	T_RUN(as_many_rebuilders_as_wanted_count_each_once);
	T_RUN(a_release_that_the_repository_does_not_have_is_missing_after_its_time);
	T_RUN(a_file_that_is_not_what_was_released_differs);
	T_RUN(without_fetching_only_existence_is_asked_for);
	T_RUN(a_crowd_of_alerts_is_said_over_several_steps_and_none_is_lost);
	T_RUN(a_fetcher_that_ends_ends_the_step);
	T_RUN(alerts_are_json_that_names_what_it_is_about);
	T_RUN(any_changed_byte_of_the_state_is_refused);
	T_RUN(a_policy_without_a_log_is_refused);
	T_RUN(a_repository_whose_host_is_filled_in_is_refused);
	T_RUN(configurations_that_break_a_rule_are_refused_with_their_line);
	T_RUN(a_key_is_counted_once_whatever_it_is_called);
	T_RUN(keys_in_files_are_put_into_the_text);
	return t_end();
}
