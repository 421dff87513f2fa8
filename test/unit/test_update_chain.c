/* The chain that an update must pass, link by link, in a world in memory: what it asks for, what it
 * accepts, and every way to cheat, each refused by the link that is there for it. */
#include "test/t.h"
#include "tuf_make.h"
#include "update_world.h"

#include "attest/dsse.h"
#include "attest/statement.h"

#include <unistd.h>

static struct world *w;

/* The chain ends at this link, with this status; the event and the error say why. */
static void refuse(enum chain_link link, st_t st, const char *why)
{
	st_t got = world_check(w);
	const struct chain_event *ev = w->nevents ? &w->event[w->nevents - 1] : NULL;
	T_EQ(got, st);
	T_TRUE(ev != NULL);
	if (!ev)
		return;
	T_STR(chain_link_name(ev->link), chain_link_name(link));
	T_EQ(ev->outcome, got ? CHAIN_REFUSED : CHAIN_PASSED);
	T_EQ(ev->why, st);
	T_EQ(w->nevents, link + 1);
	if (!strstr(ev->text, why))
		T_FAIL("\"%s\" is not why: \"%s\"", why, ev->text);
	T_TRUE(strncmp(w->e.text, chain_link_name(link), strlen(chain_link_name(link))) == 0);
}

static void accept(void)
{
	st_t st = world_check(w);
	T_EQ(st, ST_OK);
	if (st != ST_OK)
		T_FAIL("refused: %s", w->e.text);
}

static const char *text_of(enum chain_link link)
{
	return link < w->nevents ? w->event[link].text : "";
}

static void said(enum chain_link link, const char *what)
{
	if (!strstr(text_of(link), what))
		T_FAIL("\"%s\" is not said: \"%s\"", what, text_of(link));
}

static bool spool_is(const struct buf *whole)
{
	struct buf b = {0};
	bool there = world_spooled(w, whole, &b);
	bool equal = there && b.len == whole->len && !memcmp(b.data, whole->data, b.len);
	buf_done(&b);
	return equal;
}

static bool spool_has(const struct buf *whole)
{
	struct buf b = {0};
	bool there = world_spooled(w, whole, &b);
	buf_done(&b);
	return there;
}

/* A file of the store, or of what was kept, whose name begins so. */
static struct buf *begins_in(struct world_files *t, const char *begins)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strncmp(t->file[i].path, begins, strlen(begins)))
			return &t->file[i].bytes;
	return NULL;
}

/* Flips a bit in a file of the server. */
static void spoil(const char *path, size_t at)
{
	struct buf *b = world_file(&w->server, path);
	T_TRUE(b && at < b->len);
	if (b && at < b->len)
		b->data[at] ^= 1;
}

static void spoil_target(const char *path, const struct buf *bytes)
{
	char file[300];
	world_target_path(path, bytes, file);
	spoil(file, bytes->len / 2);
}

static void begin(void)
{
	w = world_new();
}

static void end(void)
{
	world_free(w);
	w = NULL;
}

/* ---- the whole ---- */

static void a_good_release_passes_every_link_in_order(void)
{
	begin();
	accept();
	T_EQ(w->nevents, CHAIN_FILES + 1);
	for (size_t i = 0; i < w->nevents; i++) {
		T_EQ(w->event[i].link, i);
		T_EQ(w->event[i].outcome, CHAIN_PASSED);
		T_TRUE(w->event[i].text[0] != 0);
	}
	T_EQ(w->got.version, 1);
	T_TRUE(w->got.pua && !w->got.strict && w->got.clamav);
	T_EQ(w->got.database, 7);
	T_EQ(w->got.log_index, w->release_index);
	T_EQ(w->got.tree_size, w->nleaves);
	T_EQ(w->got.cosigned.ncosigned, 3);
	T_TRUE(w->got.published_by[0] && w->got.published_by[1]);
	T_TRUE(w->got.rebuilt_by[0] && w->got.rebuilt_by[1] && !w->got.rebuilt_by[2]);
	T_STR(w->got.origin, "log.example/signatures");
	T_TRUE(spool_is(&w->vdb));
	T_TRUE(!spool_has(&w->source));
	said(CHAIN_WITNESSES, "cosigned by 3 of 3 witnesses (w1, w2, w3)");
	said(CHAIN_FRESHNESS, "the quorum's time is 2030-03-17T16:46:40Z, 60 min ago");
	said(CHAIN_REBUILDERS, "built by 2 of 3 rebuilders (r1, r2); the policy asks for 2");
	end();
}

static void what_passed_is_kept_as_evidence_by_its_path(void)
{
	char path[300];
	begin();
	accept();
	T_TRUE(world_file(&w->kept, "metadata/1.root.json") != NULL);
	T_TRUE(world_file(&w->kept, "metadata/timestamp.json") != NULL);
	T_TRUE(world_file(&w->kept, "metadata/1.snapshot.json") != NULL);
	T_TRUE(world_file(&w->kept, "metadata/1.targets.json") != NULL);
	T_TRUE(world_file(&w->kept, "metadata/1.evidence.json") != NULL);
	world_target_path("main/evidence/release.tlog-proof", &w->proof, path);
	T_TRUE(world_file(&w->kept, path) != NULL);
	world_target_path("main/release.dsse", &w->envelope, path);
	T_TRUE(world_file(&w->kept, path) != NULL);
	size_t n = w->kept.n;
	for (size_t i = 0; i < w->kept.n; i++) {
		const struct buf *b = world_file(&w->server, w->kept.file[i].path);
		T_TRUE(b && b->len == w->kept.file[i].bytes.len);
	}
	T_EQ(n, 5 + 2 + 4);
	T_EQ(w->nkept, n);
	accept(); /* now from the store: the same */
	T_EQ(w->kept.n, n);
	T_EQ(w->nkept, n);
	end();
}

static void where_nothing_changed_two_small_files_are_asked_for(void)
{
	uint8_t sum[32];
	begin();
	accept();
	world_sha256(&w->vdb, sum);
	w->have = sum;
	accept();
	T_STR(w->asked, "metadata/2.root.json metadata/timestamp.json ");
	T_TRUE(w->source_of.bytes < 20000);
	T_EQ(w->event[CHAIN_FILES].outcome, CHAIN_NOT_ASKED);
	w->now += 49 * 3600;
	refuse(CHAIN_FRESHNESS, ST_TIMEOUT, "50 h ago; the policy allows 48 h");
	end();
}

static void a_second_release_is_accepted_after_the_first(void)
{
	begin();
	accept();
	world_next(w, "the second day");
	accept();
	T_EQ(w->got.version, 2);
	said(CHAIN_HISTORY, "11 entries, of which the first 8 are what was accepted before");
	T_TRUE(spool_is(&w->vdb));
	end();
}

static void the_timestamp_that_is_trusted_is_the_one_that_is_kept(void)
{
	begin();
	accept();
	buf_text(world_file(&w->server, "metadata/timestamp.json"), " ");
	accept();
	const struct buf *kept = world_file(&w->kept, "metadata/timestamp.json");
	const struct buf *stored = world_file(&w->store, "timestamp.json");
	T_TRUE(kept && stored && kept->len == stored->len);
	end();
}

static void what_was_refused_is_kept_apart_as_it_came(void)
{
	begin();
	w->role_signers[W_TIMESTAMP] = "z";
	world_write(w);
	refuse(CHAIN_TIMESTAMP, ST_BAD_SIG, "signed by 0");
	const struct buf *b = world_file(&w->server, "metadata/timestamp.json");
	const struct buf *kept = world_file(&w->kept, "refused/metadata/timestamp.json");
	T_TRUE(kept && kept->len == b->len && !memcmp(kept->data, b->data, b->len));
	T_TRUE(world_file(&w->kept, "metadata/timestamp.json") == NULL);
	end();
}

/* Whatever operation of the store fails: no release is accepted by it, and the next check, when the
 * disk works again, is as if nothing had been. */
static void a_store_that_fails_anywhere_accepts_nothing(void)
{
	int n = 0;
	for (bool more = true; more; n++) {
		begin();
		w->store_left = n;
		more = world_check(w) != ST_OK;
		if (more)
			T_EQ(w->event[w->nevents - 1].outcome, CHAIN_REFUSED);
		w->store_left = -1;
		accept();
		T_TRUE(spool_is(&w->vdb));
		end();
	}
	T_TRUE(n > 20);
}

/* ---- clock, TUF ---- */

static void a_clock_that_went_back_is_refused(void)
{
	begin();
	w->seen = w->now + 3600;
	refuse(CHAIN_CLOCK, ST_CONFLICT, "set the clock");
	T_STR(w->asked, "");
	w->seen = w->now + 200; /* within the tolerance */
	accept();
	end();
}

static void a_clock_far_ahead_finds_everything_expired(void)
{
	begin();
	w->now += INT64_C(40) * 365 * 86400;
	refuse(CHAIN_ROOT, ST_TIMEOUT, "expired");
	end();
}

static void the_chain_of_roots_since_the_pinned_one_is_kept(void)
{
	begin();
	accept();
	w->role_version[W_ROOT] = 2;
	w->role_keys[W_ROOT] = "x";
	w->role_signers[W_ROOT] = "ax";
	world_write_root(w);
	accept();
	T_TRUE(world_file(&w->store, "roots/1.root.json") != NULL);
	T_TRUE(world_file(&w->store, "roots/2.root.json") != NULL);
	T_EQ(w->got.root, 2);
	accept();
	T_TRUE(world_file(&w->kept, "metadata/1.root.json") != NULL);
	T_TRUE(world_file(&w->kept, "metadata/2.root.json") != NULL);
	buf_text(world_file(&w->store, "roots/1.root.json"), " ");
	refuse(CHAIN_ROOT, ST_CONFLICT, "not the one of that version that was trusted");
	world_remove(&w->store, "roots/1.root.json");
	refuse(CHAIN_ROOT, ST_CONFLICT, "not the one of that version that was trusted");
	end();
}

static void a_root_that_was_trusted_between_must_be_there(void)
{
	begin();
	for (w->role_version[W_ROOT] = 2; w->role_version[W_ROOT] < 4; w->role_version[W_ROOT]++)
		world_write_root(w);
	accept();
	T_EQ(w->got.root, 3);
	world_remove(&w->store, "roots/2.root.json");
	refuse(CHAIN_ROOT, ST_MALFORMED, "version 2, which was trusted once");
	end();
}

static void a_newer_root_can_be_pinned_and_must_be_what_comes(void)
{
	begin();
	accept();
	w->role_version[W_ROOT] = 2;
	world_write_root(w);
	world_pin(w, 2, "");
	accept();
	T_EQ(w->got.root, 2);
	end();
	begin();
	accept();
	w->role_version[W_ROOT] = 2;
	world_write_root(w);
	world_pin(w, 2, "");
	world_remove(&w->server, "metadata/2.root.json");
	refuse(CHAIN_ROOT, ST_CONFLICT, "the repository has version 1, the policy pins 2");
	w->role_expires[W_ROOT] = "2032-01-01T00:00:00Z";
	world_write_root(w); /* another second one, as well signed */
	refuse(CHAIN_ROOT, ST_CONFLICT, "not the one of that version that was trusted");
	end();
}

static void a_root_that_the_old_keys_did_not_sign_is_refused(void)
{
	begin();
	accept();
	w->role_version[W_ROOT] = 2;
	w->role_keys[W_ROOT] = "x";
	world_write_root(w);
	refuse(CHAIN_ROOT, ST_BAD_SIG, "root: signed by 0 of the 1 keys");
	w->role_signers[W_ROOT] = "a";
	world_write_root(w);
	refuse(CHAIN_ROOT, ST_BAD_SIG, "root: signed by 0 of the 1 keys");
	T_TRUE(world_file(&w->store, "roots/2.root.json") == NULL);
	end();
}

static void another_pinned_root_is_noticed(void)
{
	begin();
	accept();
	w->role_expires[W_ROOT] = "2032-01-01T00:00:00Z";
	world_write_root(w); /* also version 1 */
	world_set_policy(w, "");
	refuse(CHAIN_ROOT, ST_CONFLICT, "not the one of that version that was trusted");
	end();
}

static void an_expired_or_badly_signed_role_is_refused_by_its_link(void)
{
	static const enum chain_link links[] = {[W_TIMESTAMP] = CHAIN_TIMESTAMP,
	                                        [W_SNAPSHOT] = CHAIN_SNAPSHOT,
	                                        [W_TARGETS] = CHAIN_TARGETS,
	                                        [W_EVIDENCE] = CHAIN_TARGETS};
	for (enum world_role r = W_TIMESTAMP; r < W_ROLES; r++) {
		begin();
		w->role_expires[r] = "2030-03-17T17:46:40Z";
		world_write(w);
		refuse(links[r], ST_TIMEOUT, "expired");
		w->role_expires[r] = NULL;
		w->role_signers[r] = "z";
		world_write(w);
		refuse(links[r], ST_BAD_SIG, "signed by 0 of the 1 keys");
		w->role_signers[r] = NULL;
		world_write(w);
		accept();
		end();
	}
}

static void an_old_timestamp_snapshot_or_targets_is_a_rollback(void)
{
	struct buf old = {0};
	begin();
	const struct buf *b = world_file(&w->server, "metadata/timestamp.json");
	buf_add(&old, b->data, b->len);
	world_next(w, "the second day");
	accept();
	buf_add(world_put(&w->server, "metadata/timestamp.json"), old.data, old.len);
	refuse(CHAIN_TIMESTAMP, ST_CONFLICT, "rollback");
	w->role_version[W_TIMESTAMP] = 9;
	w->role_version[W_SNAPSHOT] = 1;
	world_write_timestamp(w);
	refuse(CHAIN_TIMESTAMP, ST_CONFLICT, "rollback: lists version 1 of the snapshot");
	w->role_version[W_SNAPSHOT] = 9;
	w->role_version[W_TARGETS] = 1;
	world_write_snapshot(w);
	world_write_timestamp(w);
	refuse(CHAIN_SNAPSHOT, ST_CONFLICT, "\"targets.json\" went from version 2 to 1");
	buf_done(&old);
	end();
}

static void mixed_versions_are_refused(void)
{
	begin();
	accept();
	world_next(w, "the second day");
	const struct buf *b = world_file(&w->server, "metadata/1.snapshot.json");
	struct buf *now = world_put(&w->server, "metadata/2.snapshot.json");
	b = world_file(&w->server, "metadata/1.snapshot.json");
	buf_add(now, b->data, b->len);
	refuse(CHAIN_SNAPSHOT, ST_BAD_SUM, "snapshot");
	end();
}

static void endless_data_ends_at_its_limit(void)
{
	begin();
	w->endless = true;
	refuse(CHAIN_TIMESTAMP, ST_LIMIT, "longer than");
	T_TRUE(w->source_of.bytes < 20000);
	end();
}

static void a_mirror_without_metadata_is_said(void)
{
	begin();
	world_put(&w->server, "metadata/timestamp.json");
	w->server.n--; /* the last one that was written */
	refuse(CHAIN_TIMESTAMP, ST_NOT_FOUND, "no mirror has metadata/timestamp.json");
	end();
}

static void a_broken_connection_is_no_verdict(void)
{
	begin();
	w->broken = "metadata/timestamp.json";
	w->broken_after = 10;
	refuse(CHAIN_TIMESTAMP, ST_IO, "the connection broke");
	end();
}

static void a_repository_without_the_set_is_refused(void)
{
	begin();
	world_set_policy(w, "");
	snprintf(w->policy.set, sizeof w->policy.set, "other");
	refuse(CHAIN_TARGETS, ST_NOT_FOUND, "target \"other/main.vdb\": no role");
	end();
}

static void a_database_is_listed_with_its_sha256_and_a_possible_length(void)
{
	char text[400], zeroes[129];
	begin();
	memset(zeroes, '0', 128);
	zeroes[128] = 0;
	snprintf(text, sizeof text, "{\"length\":9,\"hashes\":{\"sha512\":\"%s\"}}", zeroes);
	w->vdb_listed = text;
	world_write(w);
	refuse(CHAIN_TARGETS, ST_UNSUPPORTED, "main.vdb is listed without its SHA-256");
	snprintf(text, sizeof text, "{\"length\":9000000000,\"hashes\":{\"sha256\":\"%.64s\"}}",
	         zeroes);
	world_write(w);
	refuse(CHAIN_TARGETS, ST_LIMIT, "main.vdb has 9000000000 bytes");
	end();
}

/* ---- the statement ---- */

static void refuse_statement(st_t st, const char *why)
{
	world_publish(w);
	refuse(CHAIN_STATEMENT, st, why);
}

static void a_statement_needs_its_publishers(void)
{
	begin();
	w->release.publishers = 2;
	refuse_statement(ST_BAD_SIG, "signed by 1 of the 2 publishers it takes (p2)");
	world_set_policy(w, "release-signatures 1\n");
	accept();
	struct signer *theirs = w->publisher[1];
	w->publisher[1] = w->rebuilder[0];
	w->release.publishers = 2;
	refuse_statement(ST_BAD_SIG, "signed by 0 of the 1 publishers it takes (nobody)");
	w->publisher[1] = theirs;
	end();
}

static void a_statement_about_other_files_is_refused(void)
{
	static const uint8_t other[32] = {1};
	begin();
	w->release.said_vdb = other;
	refuse_statement(ST_CONFLICT, "it is about main.vdb 0100000000000000..., the targets role");
	w->release.said_vdb = NULL;
	w->release.said_source = other;
	w->release.said_dependency = other;
	refuse_statement(ST_CONFLICT, "it is about source.tar");
	w->release.said_source = NULL;
	refuse_statement(ST_MALFORMED, "\"resolvedDependencies\" has not the digest");
	end();
}

static void a_statement_of_another_set_or_kind_is_refused(void)
{
	begin();
	w->release.set = "other";
	refuse_statement(ST_CONFLICT, "about the set \"other\", the policy asks for \"main\"");
	w->release.set = "main";
	w->release.build_type = "https://example.org/build";
	refuse_statement(ST_UNSUPPORTED, "\"buildType\" is https://example.org/build");
	w->release.build_type = "https://vitrine-av.org/build/signatures/v1";
	w->release.predicate_type = STATEMENT_REBUILD_TYPE;
	refuse_statement(ST_MALFORMED, "verifier");
	w->release.predicate_type = STATEMENT_RELEASE_TYPE;
	w->release.payload_type = "text/plain";
	refuse_statement(ST_UNSUPPORTED, "its payload is \"text/plain\"");
	end();
}

static void a_statement_has_two_subjects(void)
{
	begin();
	w->release.subjects = ",{\"name\":\"third\",\"digest\":{\"sha256\":"
	                      "\"0000000000000000000000000000000000000000000000000000000000000000\"}}";
	refuse_statement(ST_MALFORMED, "3 subjects, not main.vdb and source.tar");
	end();
}

static void a_statement_with_a_wrong_byte_or_too_long_is_not_read(void)
{
	begin();
	spoil_target("main/release.dsse", &w->envelope);
	refuse(CHAIN_STATEMENT, ST_BAD_SUM, "release.dsse");
	buf_fill(&w->envelope, ' ', 70000);
	world_write(w);
	refuse(CHAIN_STATEMENT, ST_LIMIT, "at most 65535 are read");
	end();
}

static void a_damaged_note_of_what_was_accepted_is_said(void)
{
	begin();
	accept();
	world_file(&w->store, "accepted")->len -= 3;
	refuse(CHAIN_STATEMENT, ST_MALFORMED, "remove the file \"accepted\"");
	end();
}

static void unknown_parameters_are_refused(void)
{
	begin();
	w->release.external = ",\"backdoor\":true";
	refuse_statement(ST_UNSUPPORTED, "the parameter \"backdoor\" is not known");
	w->release.external = "";
	w->release.internal = ",\"more\":1";
	refuse_statement(ST_UNSUPPORTED, "the parameter \"more\" is not known");
	end();
}

static void a_version_never_goes_back_and_means_one_database(void)
{
	begin();
	world_next(w, "the second day");
	accept();
	w->release.version = 0;
	world_next(w, "yesterday");
	refuse(CHAIN_STATEMENT, ST_CONFLICT, "rollback: version 1, accepted before was 2");
	w->release.version = 1;
	world_next(w, "for somebody else");
	refuse(CHAIN_STATEMENT, ST_CONFLICT, "version 2 is another database");
	world_next(w, "the third day");
	accept();
	end();
}

/* ---- log, witnesses, freshness ---- */

static void a_release_without_a_proof_is_refused(void)
{
	begin();
	w->no_proof = true;
	world_write(w);
	refuse(CHAIN_LOG, ST_NOT_FOUND, "no proof that the release is an entry");
	said(CHAIN_LOG, "\"main/evidence/release.tlog-proof\": no role that is trusted with it");
	w->no_proof = false;
	world_write(w);
	world_remove(&w->server, "metadata/3.evidence.json");
	refuse(CHAIN_LOG, ST_NOT_FOUND, "no mirror has metadata/3.evidence.json");
	end();
}

static void a_proof_for_another_entry_is_refused(void)
{
	begin();
	world_prove(w, 2, w->nleaves, &w->proof);
	world_write(w);
	refuse(CHAIN_LOG, ST_BAD_PROOF, "ask the publisher");
	end();
}

static void a_checkpoint_of_another_key_is_refused(void)
{
	begin();
	struct make_key real = w->log;
	make_key(2, "log.example/signatures", NOTE_ED25519, &w->log);
	world_prove_all(w, w->nleaves);
	world_write(w);
	refuse(CHAIN_LOG, ST_BAD_SIG, "not signed by its log");
	make_key_done(&w->log);
	w->log = real;
	world_prove_all(w, w->nleaves);
	w->proof.data[w->proof.len - 20] ^= 1;
	world_write(w);
	T_TRUE(world_check(w) != ST_OK); /* a witness's line, or no note any more */
	end();
}

static void a_checkpoint_without_quorum_is_refused(void)
{
	begin();
	w->witnesses = 2;
	world_prove_all(w, w->nleaves);
	world_write(w);
	refuse(CHAIN_WITNESSES, ST_BAD_SIG, "missing w1, w3; cosigned by w2");
	T_TRUE(begins_in(&w->kept, "refused/") == NULL); /* no file came for this link */
	w->witnesses = 3;
	world_prove_all(w, w->nleaves);
	world_write(w);
	accept();
	said(CHAIN_WITNESSES, "cosigned by 2 of 3 witnesses (w1, w2)");
	end();
}

static void without_a_quorum_two_links_are_not_asked(void)
{
	begin();
	w->witnesses = 0;
	world_prove_all(w, w->nleaves);
	world_write(w);
	world_set_policy(w, "quorum none\n");
	accept();
	T_EQ(w->event[CHAIN_WITNESSES].outcome, CHAIN_NOT_ASKED);
	T_EQ(w->event[CHAIN_FRESHNESS].outcome, CHAIN_NOT_ASKED);
	end();
}

static void cosigned(int64_t a, int64_t b, int64_t c)
{
	w->cosigned_at[0] = WORLD_NOW + a;
	w->cosigned_at[1] = WORLD_NOW + b;
	w->cosigned_at[2] = WORLD_NOW + c;
	world_prove_all(w, w->nleaves);
	world_write(w);
}

static void the_age_is_the_newest_time_of_a_quorum(void)
{
	begin();
	cosigned(-10, -49 * 3600, -49 * 3600);
	refuse(CHAIN_FRESHNESS, ST_TIMEOUT, "49 h ago; the policy allows 48 h");
	cosigned(-10, -40 * 3600, -49 * 3600);
	accept();
	said(CHAIN_FRESHNESS, "40 h ago");
	end();
}

static void cosignatures_from_times_to_come_do_not_count(void)
{
	begin();
	cosigned(3600, -60, -120);
	accept();
	said(CHAIN_FRESHNESS, "120 s ago");
	cosigned(3600, 3600, -120);
	refuse(CHAIN_FRESHNESS, ST_CONFLICT, "from times to come");
	cosigned(250, 250, -120); /* within the tolerance */
	accept();
	end();
}

/* ---- history ---- */

/* The log shows another tree from here on. */
static void fork_log(void)
{
	memset(&w->leaf[0], 7, sizeof w->leaf[0]);
}

static void two_views_of_one_size_are_refused_and_kept(void)
{
	begin();
	accept();
	fork_log();
	world_prove_all(w, w->nleaves);
	world_write(w);
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees");
	T_TRUE(world_file(&w->kept, "conflict/checkpoint-accepted") != NULL);
	T_TRUE(world_file(&w->kept, "conflict/checkpoint-offered") != NULL);
	said(CHAIN_HISTORY, "keep the two checkpoints");
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees"); /* it was not stored */
	end();
}

static void a_larger_tree_must_extend_the_accepted_one(void)
{
	begin();
	accept();
	fork_log();
	world_next(w, "the second day");
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees: one of 8 entries before, and one of 11");
	T_TRUE(world_file(&w->kept, "conflict/checkpoint-offered") != NULL);
	end();
}

static void consistency_is_proven_by_tiles_full_and_partial(void)
{
	begin();
	accept();
	world_add_entries(w, 300);
	world_next(w, "the second day");
	accept();
	world_add_entries(w, 500);
	world_next(w, "the third day");
	T_EQ(w->nleaves, 814);
	accept();
	T_TRUE(begins_in(&w->store, "joined-")->len < 60); /* one line: what is not used goes */
	T_TRUE(strstr(w->asked, "log/log.example%2Fsignatures/tile/1/000.p/3") != NULL);
	T_TRUE(world_file(&w->kept, "log/log.example%2Fsignatures/tile/1/000.p/3") != NULL);
	end();
}

static void a_partial_tile_that_is_gone_is_cut_from_the_full_one(void)
{
	begin();
	accept();
	world_next(w, "the second day");
	world_add_entries(w, 300);
	w->no_partial_tiles = true;
	accept();
	T_TRUE(strstr(w->asked, "log/log.example%2Fsignatures/tile/0/000 ") != NULL);
	end();
}

static void without_tiles_a_larger_tree_is_not_believed(void)
{
	begin();
	accept();
	world_next(w, "the second day");
	w->no_tiles = true;
	refuse(CHAIN_HISTORY, ST_NOT_FOUND, "cannot be proven that the tree of 11 entries extends");
	T_TRUE(world_file(&w->kept, "conflict/checkpoint-offered") == NULL);
	end();
}

static void an_older_tree_passes_only_as_the_beginning_of_the_accepted_one(void)
{
	begin();
	uint64_t old = w->nleaves;
	world_add_entries(w, 3);
	world_prove_all(w, w->nleaves);
	world_write(w);
	accept();
	world_prove_all(w, old);
	world_write(w);
	w->no_tiles = true;
	refuse(CHAIN_HISTORY, ST_CONFLICT, "the mirror may lag");
	w->no_tiles = false;
	accept();
	said(CHAIN_HISTORY, "8 entries, the beginning of the 11 that were accepted before");
	w->no_tiles = true;
	accept(); /* that was proven once */
	said(CHAIN_HISTORY, "8 entries, the beginning of the 11"); /* 11 is still what is stored */
	w->no_tiles = false;
	fork_log();
	world_prove_all(w, old);
	world_write(w);
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees");
	end();
}

static void a_checkpoint_is_stored_only_when_the_whole_chain_passed(void)
{
	struct buf before = {0};
	begin();
	w->no_zst = true;
	world_write(w);
	accept();
	world_next(w, "the second day");
	spoil_target("main/main.vdb", &w->vdb);
	for (size_t i = 0; i < w->store.n; i++)
		if (!strncmp(w->store.file[i].path, "checkpoint-", 11) ||
		    !strcmp(w->store.file[i].path, "accepted"))
			buf_add(&before, w->store.file[i].bytes.data, w->store.file[i].bytes.len);
	T_EQ(world_check(w), ST_BAD_SUM);
	said(CHAIN_HISTORY, "11 entries, of which the first 8");
	size_t at = 0;
	for (size_t i = 0; i < w->store.n; i++) {
		const struct buf *b = &w->store.file[i].bytes;
		if (strncmp(w->store.file[i].path, "checkpoint-", 11) &&
		    strcmp(w->store.file[i].path, "accepted"))
			continue;
		T_TRUE(at + b->len <= before.len && !memcmp(before.data + at, b->data, b->len));
		at += b->len;
	}
	T_TRUE(at > 0 && at == before.len);
	buf_done(&before);
	end();
}

/* Verdicts come later than the release, and their proofs may lead to larger trees. */
static void proofs_of_several_trees_are_joined_once(void)
{
	begin();
	world_add_entries(w, 2);
	world_prove(w, w->release_index + 1, w->nleaves, &w->rebuild[0].proof);
	world_add_entries(w, 2);
	world_prove(w, w->release_index + 2, w->nleaves, &w->rebuild[1].proof);
	world_write(w);
	accept();
	T_TRUE(strstr(w->asked, "/tile/0/000.p/") != NULL);
	accept();
	T_STR(w->asked, "metadata/2.root.json metadata/timestamp.json ");
	struct buf *joined = begins_in(&w->store, "joined-");
	T_TRUE(joined && joined->len > 2);
	joined->data[0] = 'x'; /* damaged: proven again */
	accept();
	T_TRUE(strstr(w->asked, "/tile/0/000.p/") != NULL);
	fork_log();
	world_prove(w, w->release_index, 8, &w->proof);
	world_write(w);
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees");
	end();
}

static void what_was_joined_goes_with_its_checkpoint(void)
{
	begin();
	uint64_t old = w->nleaves;
	world_add_entries(w, 3);
	world_prove_all(w, w->nleaves);
	world_write(w);
	accept();
	world_prove_all(w, old);
	world_write(w);
	accept();
	for (size_t i = 0; i < w->store.n; i++)
		if (!strncmp(w->store.file[i].path, "checkpoint-", 11))
			world_remove(&w->store, w->store.file[i].path);
	struct tlog_hash was = w->leaf[0];
	fork_log();
	world_prove_all(w, w->nleaves);
	world_write(w);
	accept(); /* begun anew, with what is another log */
	w->leaf[0] = was;
	world_prove_all(w, old);
	world_write(w);
	refuse(CHAIN_HISTORY, ST_CONFLICT, "showed two trees");
	end();
}

static void a_damaged_checkpoint_is_said(void)
{
	struct buf other = {0};
	begin();
	accept();
	for (size_t i = 0; i < w->store.n; i++)
		if (!strncmp(w->store.file[i].path, "checkpoint-", 11)) {
			struct buf *b = &w->store.file[i].bytes;
			buf_add(&other, b->data, b->len);
			memcpy(b->data, "lag", 3); /* now of an origin that is not the log's */
			refuse(CHAIN_HISTORY, ST_MALFORMED, "it is of another log");
			b->len = 20;
			refuse(CHAIN_HISTORY, ST_MALFORMED, "remove that file");
		}
	T_TRUE(other.len > 0);
	buf_done(&other);
	end();
}

/* ---- rebuilders ---- */

static void publish_verdicts(void)
{
	world_prove_all(w, w->nleaves);
	world_write(w);
}

static void rebuilders_must_be_as_many_as_the_policy_says(void)
{
	uint8_t vdb[32], source[32];
	begin();
	world_sha256(&w->vdb, vdb);
	world_sha256(&w->source, source);
	w->nrebuilds = 1;
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_BAD_SIG, "1 built the same (r1), the policy asks for 2 of 3");
	world_add_rebuild(w, 0, true, vdb, source); /* the same one again */
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_BAD_SIG, "1 built the same (r1)");
	world_add_rebuild(w, 2, true, vdb, source);
	publish_verdicts();
	accept();
	said(CHAIN_REBUILDERS, "2 of 3 rebuilders (r1, r3)");
	end();
}

static void a_rebuild_of_other_files_does_not_count(void)
{
	uint8_t vdb[32] = {9}, source[32];
	begin();
	world_sha256(&w->source, source);
	w->nrebuilds = 1;
	world_add_rebuild(w, 1, true, vdb, source);
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_BAD_SIG, "verdict 2, by r2, is about other files");
	end();
}

static void a_known_rebuilder_that_failed_refuses_the_release(void)
{
	uint8_t vdb[32], source[32];
	begin();
	world_sha256(&w->vdb, vdb);
	world_sha256(&w->source, source);
	world_add_rebuild(w, 2, false, vdb, source);
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_CONFLICT, "r3 built something else from the same rule text");
	w->nrebuilds--;
	memset(vdb, 1, sizeof vdb);
	memset(source, 1, sizeof source);
	world_add_rebuild(w, 2, false, vdb, source); /* of another release */
	publish_verdicts();
	accept();
	end();
}

static void an_unknown_rebuilder_is_ignored(void)
{
	uint8_t vdb[32], source[32];
	begin();
	struct signer *known = w->rebuilder[2];
	world_sha256(&w->vdb, vdb);
	world_sha256(&w->source, source);
	w->rebuilder[2] = w->publisher[0];
	world_add_rebuild(w, 2, false, vdb, source);
	world_add_rebuild(w, 2, true, vdb, source);
	w->rebuilder[2] = known;
	buf_done(&w->rebuild[4].envelope);
	buf_text(&w->rebuild[4].envelope, "no envelope");
	world_log(w, &w->rebuild[4].envelope);
	w->nrebuilds = 5;
	publish_verdicts();
	accept();
	said(CHAIN_REBUILDERS, "2 of 3 rebuilders (r1, r2)");
	end();
}

static void what_a_rebuilder_says_of_other_things_is_ignored(void)
{
	struct dsse d;
	struct err e = {0};
	begin();
	T_EQ(dsse_parse(make_rd(&w->envelope), &d, &e), ST_OK);
	buf_u8(&d.payload, 0);
	world_add_verdict(w, (char *)d.payload.data, STATEMENT_PAYLOAD_TYPE, &w->rebuilder[2], 1);
	publish_verdicts();
	accept();
	said(CHAIN_REBUILDERS, "2 of 3 rebuilders (r1, r2)");
	dsse_done(&d);
	end();
}

static void a_malformed_verdict_of_a_known_rebuilder_refuses(void)
{
	begin();
	world_add_verdict(w, "{}", STATEMENT_PAYLOAD_TYPE, &w->rebuilder[2], 1);
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_MALFORMED, "verdict 3, by r3: in-toto statement");
	w->nrebuilds--;
	world_add_verdict(w, "{}", "text/plain", &w->rebuilder[2], 1);
	publish_verdicts();
	refuse(CHAIN_REBUILDERS, ST_UNSUPPORTED, "r3 signed verdict 3 with a payload of \"text");
	end();
}

static void a_verdict_must_be_in_the_log(void)
{
	begin();
	buf_done(&w->rebuild[1].proof);
	world_write(w);
	refuse(CHAIN_REBUILDERS, ST_NOT_FOUND, "no proof that verdict 2, by r2, is an entry");
	world_prove(w, 0, w->nleaves, &w->rebuild[1].proof);
	world_write(w);
	refuse(CHAIN_REBUILDERS, ST_BAD_PROOF, "verdict 2, by r2");
	w->witnesses = 1;
	world_prove(w, w->nleaves - 1, w->nleaves, &w->rebuild[1].proof);
	world_write(w);
	refuse(CHAIN_REBUILDERS, ST_BAD_SIG, "the quorum is not met");
	end();
}

static void verdicts_and_release_are_in_one_tree(void)
{
	begin();
	fork_log(); /* the verdicts are shown in another tree than the release */
	world_prove(w, w->nleaves - 2, w->nleaves, &w->rebuild[0].proof);
	world_write(w);
	refuse(CHAIN_REBUILDERS, ST_CONFLICT, "showed two trees");
	end();
}

static void without_rebuilders_the_link_is_not_asked(void)
{
	begin();
	w->nrebuilds = 0;
	publish_verdicts();
	world_set_policy(w, "rebuilds-needed 0\n");
	accept();
	T_EQ(w->event[CHAIN_REBUILDERS].outcome, CHAIN_NOT_ASKED);
	end();
}

/* ---- files ---- */

static void plain_only(void)
{
	begin();
	w->no_zst = true;
	world_write(w);
}

static void a_compressed_file_is_preferred(void)
{
	begin();
	accept();
	said(CHAIN_FILES, "(main.vdb.zst)");
	T_TRUE(strstr(w->asked, ".main.vdb.zst ") && !strstr(w->asked, ".main.vdb "));
	T_TRUE(spool_is(&w->vdb));
	end();
	plain_only();
	accept();
	said(CHAIN_FILES, "(main.vdb)");
	T_TRUE(spool_is(&w->vdb));
	end();
}

static void a_wrong_byte_is_refused_and_removed(void)
{
	plain_only();
	spoil_target("main/main.vdb", &w->vdb);
	refuse(CHAIN_FILES, ST_BAD_SUM, "main.vdb: its SHA-256 is not the one that is listed");
	T_TRUE(!spool_has(&w->vdb));
	end();
	begin();
	char path[300];
	for (size_t i = 0; i < w->server.n; i++)
		if (strstr(w->server.file[i].path, ".main.vdb.zst"))
			snprintf(path, sizeof path, "%s", w->server.file[i].path);
	spoil(path, 20);
	refuse(CHAIN_FILES, ST_BAD_SUM, "main.vdb.zst: its SHA-256");
	T_TRUE(!spool_has(&w->vdb));
	end();
}

static void a_file_of_another_length_is_refused(void)
{
	char path[300];
	plain_only();
	world_target_path("main/main.vdb", &w->vdb, path);
	world_file(&w->server, path)->len--;
	refuse(CHAIN_FILES, ST_BAD_SUM, "bytes came");
	T_TRUE(!spool_has(&w->vdb));
	buf_text(world_file(&w->server, path), "xyz");
	refuse(CHAIN_FILES, ST_LIMIT, "longer than");
	T_TRUE(!spool_has(&w->vdb));
	end();
}

static void a_compressed_file_that_holds_another_is_refused(void)
{
	struct buf zst = {0};
	begin();
	world_compress(&w->source, &zst);
	w->zst = &zst;
	world_write(w);
	T_TRUE(world_check(w) > ST_OK);
	T_EQ(w->nevents, CHAIN_FILES + 1);
	T_TRUE(!spool_has(&w->vdb));
	buf_done(&zst);
	end();
}

static void a_source_that_keeps_to_no_limit_is_refused(void)
{
	char path[300];
	plain_only();
	world_target_path("main/main.vdb", &w->vdb, path);
	buf_fill(world_file(&w->server, path), 'x', 5000);
	w->overlong = true;
	refuse(CHAIN_FILES, ST_LIMIT, "bytes that are listed");
	T_TRUE(!spool_has(&w->vdb));
	end();
}

static void a_download_is_gone_on_with(void)
{
	char path[300];
	plain_only();
	world_target_path("main/main.vdb", &w->vdb, path);
	w->broken = path;
	w->broken_after = 5000;
	refuse(CHAIN_FILES, ST_IO, "the connection broke");
	T_TRUE(spool_has(&w->vdb));
	w->broken = NULL;
	accept();
	T_TRUE(spool_is(&w->vdb));
	T_TRUE(w->source_of.bytes < w->vdb.len - 5000 + 3000);
	end();
}

static void a_damaged_part_is_begun_anew(void)
{
	plain_only();
	world_spool_put(w, &w->vdb, "rubbish", 7);
	accept();
	said(CHAIN_FILES, "what there was of it was damaged");
	T_TRUE(spool_is(&w->vdb));
	struct buf longer = {0};
	buf_fill(&longer, 'x', w->vdb.len + 9);
	world_spool_put(w, &w->vdb, longer.data, longer.len);
	accept();
	T_TRUE(spool_is(&w->vdb));
	buf_done(&longer);
	end();
}

static void a_whole_file_of_the_spool_is_not_asked_for_again(void)
{
	plain_only();
	accept();
	accept();
	T_TRUE(strstr(w->asked, "main.vdb") == NULL);
	T_TRUE(spool_is(&w->vdb));
	end();
}

/* A second release with a delta from the first one. */
static void begin_delta(void)
{
	begin();
	w->delta_from = &w->old_vdb;
	world_next(w, "the second day");
	w->old_vdb_fd = world_fd(&w->old_vdb);
}

static void end_delta(void)
{
	close(w->old_vdb_fd);
	end();
}

static void a_delta_from_what_is_installed_is_the_cheapest(void)
{
	begin_delta();
	accept();
	said(CHAIN_FILES, "(delta/main.vdb-");
	T_TRUE(spool_is(&w->vdb));
	end_delta();
}

static void a_delta_that_does_not_apply_is_not_the_end(void)
{
	begin_delta();
	w->delta_wrong = true;
	world_write(w);
	accept();
	said(CHAIN_FILES, "did not do (");
	said(CHAIN_FILES, "(main.vdb.zst)");
	T_TRUE(spool_is(&w->vdb));
	end_delta();
}

static void a_delta_with_a_wrong_byte_is_refused(void)
{
	begin_delta();
	for (size_t i = 0; i < w->server.n; i++)
		if (strstr(w->server.file[i].path, "targets/main/delta/"))
			spoil(w->server.file[i].path, 30);
	refuse(CHAIN_FILES, ST_BAD_SUM, ": its SHA-256 is not the one that is listed");
	T_TRUE(!spool_has(&w->vdb));
	end_delta();
}

static void a_packed_file_that_no_mirror_has_is_not_the_end(void)
{
	begin();
	for (size_t i = 0; i < w->server.n; i++)
		if (strstr(w->server.file[i].path, ".main.vdb.zst"))
			w->server.file[i].path[0] = 'X';
	accept();
	said(CHAIN_FILES, "(main.vdb)");
	end();
}

static void the_rule_text_comes_where_it_is_wanted(void)
{
	begin();
	w->want_source = true;
	accept();
	T_TRUE(spool_is(&w->source));
	end();
	begin();
	world_set_policy(w, "compile local\n");
	accept();
	T_TRUE(spool_is(&w->source));
	end();
}

static void for_evidence_alone_no_file_is_fetched(void)
{
	begin();
	w->evidence_only = true;
	accept();
	T_EQ(w->event[CHAIN_FILES].outcome, CHAIN_NOT_ASKED);
	T_TRUE(!spool_has(&w->vdb));
	end();
}

int main(void)
{
	T_RUN(a_good_release_passes_every_link_in_order);
	T_RUN(what_passed_is_kept_as_evidence_by_its_path);
	T_RUN(where_nothing_changed_two_small_files_are_asked_for);
	T_RUN(a_second_release_is_accepted_after_the_first);
	T_RUN(the_timestamp_that_is_trusted_is_the_one_that_is_kept);
	T_RUN(what_was_refused_is_kept_apart_as_it_came);
	T_RUN(a_store_that_fails_anywhere_accepts_nothing);
	T_RUN(a_clock_that_went_back_is_refused);
	T_RUN(a_clock_far_ahead_finds_everything_expired);
	T_RUN(the_chain_of_roots_since_the_pinned_one_is_kept);
	T_RUN(a_root_that_was_trusted_between_must_be_there);
	T_RUN(a_newer_root_can_be_pinned_and_must_be_what_comes);
	T_RUN(a_root_that_the_old_keys_did_not_sign_is_refused);
	T_RUN(another_pinned_root_is_noticed);
	T_RUN(an_expired_or_badly_signed_role_is_refused_by_its_link);
	T_RUN(an_old_timestamp_snapshot_or_targets_is_a_rollback);
	T_RUN(mixed_versions_are_refused);
	T_RUN(endless_data_ends_at_its_limit);
	T_RUN(a_mirror_without_metadata_is_said);
	T_RUN(a_broken_connection_is_no_verdict);
	T_RUN(a_repository_without_the_set_is_refused);
	T_RUN(a_database_is_listed_with_its_sha256_and_a_possible_length);
	T_RUN(a_statement_needs_its_publishers);
	T_RUN(a_statement_about_other_files_is_refused);
	T_RUN(a_statement_of_another_set_or_kind_is_refused);
	T_RUN(a_statement_has_two_subjects);
	T_RUN(a_statement_with_a_wrong_byte_or_too_long_is_not_read);
	T_RUN(a_damaged_note_of_what_was_accepted_is_said);
	T_RUN(unknown_parameters_are_refused);
	T_RUN(a_version_never_goes_back_and_means_one_database);
	T_RUN(a_release_without_a_proof_is_refused);
	T_RUN(a_proof_for_another_entry_is_refused);
	T_RUN(a_checkpoint_of_another_key_is_refused);
	T_RUN(a_checkpoint_without_quorum_is_refused);
	T_RUN(without_a_quorum_two_links_are_not_asked);
	T_RUN(the_age_is_the_newest_time_of_a_quorum);
	T_RUN(cosignatures_from_times_to_come_do_not_count);
	T_RUN(two_views_of_one_size_are_refused_and_kept);
	T_RUN(a_larger_tree_must_extend_the_accepted_one);
	T_RUN(consistency_is_proven_by_tiles_full_and_partial);
	T_RUN(a_partial_tile_that_is_gone_is_cut_from_the_full_one);
	T_RUN(without_tiles_a_larger_tree_is_not_believed);
	T_RUN(an_older_tree_passes_only_as_the_beginning_of_the_accepted_one);
	T_RUN(a_checkpoint_is_stored_only_when_the_whole_chain_passed);
	T_RUN(proofs_of_several_trees_are_joined_once);
	T_RUN(what_was_joined_goes_with_its_checkpoint);
	T_RUN(a_damaged_checkpoint_is_said);
	T_RUN(rebuilders_must_be_as_many_as_the_policy_says);
	T_RUN(a_rebuild_of_other_files_does_not_count);
	T_RUN(a_known_rebuilder_that_failed_refuses_the_release);
	T_RUN(an_unknown_rebuilder_is_ignored);
	T_RUN(what_a_rebuilder_says_of_other_things_is_ignored);
	T_RUN(a_malformed_verdict_of_a_known_rebuilder_refuses);
	T_RUN(a_verdict_must_be_in_the_log);
	T_RUN(verdicts_and_release_are_in_one_tree);
	T_RUN(without_rebuilders_the_link_is_not_asked);
	T_RUN(a_compressed_file_is_preferred);
	T_RUN(a_wrong_byte_is_refused_and_removed);
	T_RUN(a_file_of_another_length_is_refused);
	T_RUN(a_compressed_file_that_holds_another_is_refused);
	T_RUN(a_source_that_keeps_to_no_limit_is_refused);
	T_RUN(a_download_is_gone_on_with);
	T_RUN(a_damaged_part_is_begun_anew);
	T_RUN(a_whole_file_of_the_spool_is_not_asked_for_again);
	T_RUN(a_delta_from_what_is_installed_is_the_cheapest);
	T_RUN(a_delta_that_does_not_apply_is_not_the_end);
	T_RUN(a_delta_with_a_wrong_byte_is_refused);
	T_RUN(a_packed_file_that_no_mirror_has_is_not_the_end);
	T_RUN(the_rule_text_comes_where_it_is_wanted);
	T_RUN(for_evidence_alone_no_file_is_fetched);
	return t_end();
}
