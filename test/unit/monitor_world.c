#include "monitor_world.h"

#include "attest/dsse.h"
#include "attest/statement.h"
#include "crypto/digest.h"
#include "test/t.h"

static struct err e;

static void must(st_t st)
{
	if (st == ST_OK)
		return;
	printf("the test's world: %s\n", e.text);
	exit(1);
}

static struct signer *signer_of(uint8_t number)
{
	uint8_t seed[32];
	struct signer *s;
	memset(seed, number, sizeof seed);
	must(signer_new(SIGNER_ED25519, seed, &s, &e));
	return s;
}

/* MTH of leaves [from, from + n), as RFC 6962 defines it. */
static void tree(const struct world *w, struct tlog_hasher *h, uint64_t from, uint64_t n,
                 struct tlog_hash *ret)
{
	struct tlog_hash l, r;
	uint64_t k = 1;
	if (n == 0)
		tlog_hash_empty(ret);
	if (n == 1)
		*ret = w->leaf[from];
	if (n < 2)
		return;
	while (k * 2 < n)
		k *= 2;
	tree(w, h, from, k, &l);
	tree(w, h, from + k, n - k, &r);
	tlog_hash_node(h, &l, &r, ret);
}

void world_add(struct world *w, const void *p, size_t n)
{
	struct tlog_hasher h;
	must(tlog_hasher_init(&h, &e));
	buf_done(&w->entry[w->n]);
	w->entry[w->n] = (struct buf){0};
	buf_add(&w->entry[w->n], p, n);
	tlog_hash_leaf(&h, p, n, &w->leaf[w->n]);
	tlog_hasher_done(&h);
	w->n++;
}

static struct statement_subject subject_of(uint8_t file)
{
	struct statement_subject s = {0};
	snprintf(s.name, sizeof s.name, "file-%u", file);
	must(digest_bytes(DIGEST_SHA256, s.name, strlen(s.name), s.sha256, &e));
	return s;
}

static void add_signed(struct world *w, const struct buf *statement, const struct signer *by)
{
	struct buf out = {0};
	struct signer *s = (struct signer *)(uintptr_t)by;
	must(dsse_make(STATEMENT_PAYLOAD_TYPE, rd_make(statement->data, statement->len), &s, 1, &out,
	               &e));
	world_add(w, out.data, out.len);
	buf_done(&out);
}

void world_add_release(struct world *w, uint8_t file, const struct signer *by)
{
	struct statement_subject s = subject_of(file);
	struct buf b = {0};
	must(statement_make_release(&s, 1, "https://builder", "https://type", "git", &b, &e));
	add_signed(w, &b, by);
	buf_done(&b);
}

void world_add_rebuild(struct world *w, uint8_t file, const struct signer *by, bool passed)
{
	struct statement_subject s = subject_of(file);
	struct buf b = {0};
	must(statement_make_rebuild(&s, 1, "https://r", "2027-01-15T08:00:00Z", "file", "https://p",
	                            passed, &b, &e));
	add_signed(w, &b, by);
	buf_done(&b);
}

void world_publish_file(struct world *w, uint8_t file, bool right)
{
	struct statement_subject s = subject_of(file);
	uint32_t i = 0;
	while (i < w->nfiles && memcmp(w->file[i].sha256, s.sha256, 32))
		i++;
	memcpy(w->file[i].sha256, s.sha256, 32);
	w->file[i].n = strlen(s.name);
	memcpy(w->file[i].body, s.name, w->file[i].n);
	if (!right)
		w->file[i].body[0] ^= 1;
	w->nfiles += i == w->nfiles;
}

void world_sign(struct world *w, struct buf *out, uint64_t size, unsigned mask, uint64_t time)
{
	struct tlog_hasher h;
	struct tlog_hash root;
	must(tlog_hasher_init(&h, &e));
	tree(w, &h, 0, size, &root);
	tlog_hasher_done(&h);
	buf_done(out);
	*out = (struct buf){0};
	make_checkpoint(out, w->log.key.name, size, &root);
	make_signature(out, &w->log, 0);
	for (unsigned i = 0; i < 3; i++)
		if (mask & 1u << i)
			make_signature(out, &w->w[i], time);
}

void world_publish(struct world *w)
{
	w->served = w->n;
	world_sign(w, &w->note, w->n, 7, w->now);
	for (unsigned i = 0; i < 3; i++)
		world_sign(w, &w->wnote[i], w->n, 1u << i, w->now);
}

static void fill_tile(struct world *w, const struct tile *t, struct buf *out)
{
	struct tlog_hasher h;
	struct tlog_hash x;
	uint64_t span = 1;
	must(tlog_hasher_init(&h, &e));
	for (unsigned i = 0; i < t->level; i++)
		span *= TILE_WIDTH;
	for (unsigned i = 0; i < t->width; i++) {
		uint64_t at = t->n * TILE_WIDTH + i;
		if (t->kind == TILE_ENTRIES) {
			const struct buf *b = w->lie && at == w->lie ? &w->lie_entry : &w->entry[at];
			must(bundle_add(out, b->data, b->len, &e));
			continue;
		}
		tree(w, &h, at * span, span, &x);
		if (t->level == 0 && w->lie && at == w->lie)
			tlog_hash_leaf(&h, w->lie_entry.data, w->lie_entry.len, &x);
		buf_add(out, x.b, TLOG_HASH);
	}
	tlog_hasher_done(&h);
}

static struct fake_answer with(const struct buf *b)
{
	if (!b->len)
		return (struct fake_answer){.status = 404};
	return (struct fake_answer){.status = 200, .body = b->data, .nbody = b->len};
}

static struct fake_answer answer_log(struct world *w, const char *path)
{
	static struct buf body;
	struct tile t;
	if (w->down)
		return (struct fake_answer){.error = "connection refused"};
	if (!strcmp(path, "checkpoint"))
		return with(&w->note);
	if (w->tiles_down)
		return (struct fake_answer){.status = 503};
	if (!strcmp(path, w->broken) ||
	    tile_path_parse(rd_make(path, strlen(path)), &t, NULL) != ST_OK ||
	    t.width > tile_width(w->served, t.level, t.n))
		return (struct fake_answer){.status = 404};
	buf_done(&body);
	body = (struct buf){0};
	fill_tile(w, &t, &body);
	if (!strcmp(path, w->spoiled))
		body.data[body.len - 1] ^= 1;
	return with(&body);
}

static struct fake_answer answer_repository(struct world *w, const char *hex)
{
	char have[65];
	if (w->repo_down)
		return (struct fake_answer){.error = "timed out"};
	for (uint32_t i = 0; i < w->nfiles; i++) {
		hex_encode(w->file[i].sha256, 32, have);
		if (!strcmp(have, hex))
			return (struct fake_answer){.status = 200, .body = w->file[i].body,
			                            .nbody = w->file[i].n};
	}
	return (struct fake_answer){.status = 404};
}

static bool answer(void *ctx, const struct fetch_request *r, struct fake_answer *ret)
{
	struct world *w = ctx;
	const char *url = r->url;
	if (!strncmp(url, "http://log/", 11))
		*ret = answer_log(w, url + 11);
	else if (!strncmp(url, "http://repo/", 12))
		*ret = answer_repository(w, url + 12);
	else if (!strncmp(url, "http://w", 8)) {
		unsigned i = (unsigned)(url[8] - '1');
		*ret = w->wdown[i] ? (struct fake_answer){.error = "no route"} : with(&w->wnote[i]);
	} else
		*ret = (struct fake_answer){.status = 404};
	return true;
}

static st_t take_alert(void *ctx, const struct monitor_message *msg, struct err *why)
{
	struct world *w = ctx;
	(void)why;
	if (w->nalerts < WORLD_ALERTS_MAX)
		w->alert[w->nalerts++] = (struct world_alert){msg->kind, msg->state, strdup(msg->json)};
	return ST_OK;
}

static st_t take_evidence(void *ctx, const char *name, struct rd bytes, struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->nevidence += strlen(name) == 69 && rd_left(&bytes) > 0;
	return ST_OK;
}

static st_t take_unchecked(void *ctx, const char *text, struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->nunchecked += text[0] != '\0';
	return ST_OK;
}

static void add_party(struct world *w, const char *kind, const char *name, const struct signer *s)
{
	struct note_key k;
	must(note_key_of_signer(name, NOTE_ED25519, s, &k, &e));
	make_add(&w->config_text, kind);
	make_add(&w->config_text, " ");
	make_add(&w->config_text, name);
	make_add(&w->config_text, " ");
	note_key_format(&k, &w->config_text);
	make_add(&w->config_text, "\n");
}

static void add_with_url(struct world *w, struct buf *line, const char *url)
{
	buf_add(&w->config_text, line->data, line->len - 1);
	make_add(&w->config_text, url);
	buf_done(line);
	*line = (struct buf){0};
}

static void write_config(struct world *w, const char *extra)
{
	static const char *const urls[] = {" http://w1\n", " http://w2/\n", " http://w3\n"};
	static const char *const names[] = {"w1", "w2", "w3"};
	struct buf line = {0};
	make_log_line(&line, &w->log);
	add_with_url(w, &line, " http://log/\n");
	for (int i = 0; i < 3; i++) {
		make_witness_line(&line, names[i], &w->w[i]);
		add_with_url(w, &line, urls[i]);
	}
	make_add(&w->config_text, "group g 2 w1 w2 w3\nquorum g\n");
	if (!extra)
		return;
	add_party(w, "publisher", "pub", w->publisher);
	add_party(w, "rebuilder", "r1", w->rebuilder[0]);
	add_party(w, "rebuilder", "r2", w->rebuilder[1]);
	make_add(&w->config_text, extra);
}

void world_init(struct world *w, const char *extra)
{
	memset(w, 0, sizeof *w);
	make_key(1, "log.example/x", NOTE_ED25519, &w->log);
	make_key(2, "w1.example", NOTE_COSIGNATURE_ED25519, &w->w[0]);
	make_key(3, "w2.example", NOTE_COSIGNATURE_ED25519, &w->w[1]);
	make_key(4, "w3.example", NOTE_COSIGNATURE_ED25519, &w->w[2]);
	make_key(5, "log.example/x", NOTE_ED25519, &w->stranger);
	w->publisher = signer_of(10);
	w->rebuilder[0] = signer_of(11);
	w->rebuilder[1] = signer_of(12);
	w->unknown = signer_of(13);
	w->now = WORLD_START;
	write_config(w, extra);
	must(monitor_config_parse(make_rd(&w->config_text), &w->cfg, &e));
	must(fetch_fake_new(&w->fake, &e));
	fetch_fake_on_request(w->fake, answer, w);
	fetch_fake_reverse(w->fake, true);
	w->fetch = fetch_fake_as_fetch(w->fake);
	w->m.cfg = &w->cfg;
	w->m.fetch = &w->fetch;
	w->m.out.alert = take_alert;
	w->m.out.evidence = take_evidence;
	w->m.out.unchecked = take_unchecked;
	w->m.out.ctx = w;
}

static void forget_alerts(struct world *w)
{
	for (uint32_t i = 0; i < w->nalerts; i++)
		free(w->alert[i].json);
	w->nalerts = w->nevidence = w->nunchecked = 0;
}

void world_done(struct world *w)
{
	forget_alerts(w);
	make_key_done(&w->log);
	make_key_done(&w->stranger);
	for (int i = 0; i < 3; i++) {
		make_key_done(&w->w[i]);
		buf_done(&w->wnote[i]);
	}
	signer_free(w->publisher);
	signer_free(w->rebuilder[0]);
	signer_free(w->rebuilder[1]);
	signer_free(w->unknown);
	for (uint32_t i = 0; i < WORLD_ENTRIES_MAX; i++)
		buf_done(&w->entry[i]);
	buf_done(&w->note);
	buf_done(&w->lie_entry);
	buf_done(&w->config_text);
	monitor_state_done(&w->m.state);
	monitor_config_done(&w->cfg);
	fetch_fake_free(w->fake);
}

void world_step(struct world *w)
{
	struct buf state = {0}, again = {0};
	forget_alerts(w);
	err_clear(&e);
	must(monitor_step(&w->m, w->now, &w->sum, &e));
	must(monitor_state_write(&w->m.state, &state, &e));
	monitor_state_done(&w->m.state);
	must(monitor_state_read(make_rd(&state), &w->m.state, &e));
	must(monitor_state_write(&w->m.state, &again, &e));
	T_EQ(state.len, again.len);
	T_MEM(state.data, again.data, state.len);
	buf_done(&state);
	buf_done(&again);
}

uint32_t world_said(const struct world *w, enum alert_kind k, enum alert_state s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->nalerts; i++)
		n += w->alert[i].kind == k && w->alert[i].state == s;
	return n;
}
