/* A log whose policy asks for witnesses: what they answer decides what is published. The witnesses
 * are here, behind the interface of the fetcher. */
#include "log/cosign.h"
#include "sim_disk.h"
#include "test/t.h"
#include "tlog/checkpoint.h"

#define WITNESSES 3

/* One answer at a time of each witness. */
struct net {
	struct signer *key[WITNESSES];
	bool away[WITNESSES], lies[WITNESSES];
	unsigned contradicts[WITNESSES]; /* the status of its answer; 0: it does not */
	struct fetch_response answer[WITNESSES * 4];
	size_t first, n;
	unsigned asked;
};

static st_t net_submit(void *ctx, const struct fetch_request *r, struct err *e)
{
	static struct note note;
	struct net *net = ctx;
	struct fetch_response *a = &net->answer[net->n++ % (WITNESSES * 4)];
	size_t i = (size_t)(r->url[strlen("http://w")] - '0');
	char name[] = "w0.example";
	name[1] = (char)('0' + i);
	net->asked++;
	*a = (struct fetch_response){.tag = r->tag, .status = net->away[i] ? 0 : 200};
	snprintf(a->error, sizeof a->error, "nobody home");
	if (net->contradicts[i]) {
		a->status = net->contradicts[i];
		snprintf(a->type, sizeof a->type, "text/x.tlog.size");
		buf_add(&a->body, "1000\n", 5);
		return ST_OK;
	}
	const char *body = r->body, *cut = memmem(body, r->nbody, "\n\n", 2);
	if (net->away[i] || !cut)
		return ST_OK;
	size_t head = (size_t)(cut + 2 - body);
	T_EQ(note_parse(rd_make(body + head, r->nbody - head), &note, e), ST_OK);
	T_EQ(note_sign(note.text, name, NOTE_COSIGNATURE_ED25519, net->key[i], 1000, &a->body, e),
	     ST_OK);
	if (net->lies[i])
		a->body.data[a->body.len - 10] ^= 1;
	return ST_OK;
}

static st_t net_next(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e)
{
	struct net *net = ctx;
	(void)wait_ms;
	if (net->first == net->n)
		return fail(e, ST_NOT_FOUND, 0, "nothing is under way");
	*ret = net->answer[net->first++ % (WITNESSES * 4)];
	return ST_OK;
}

static const struct fetch_ops net_ops = {net_submit, net_next};

static uint64_t now_s(void)
{
	return 2000;
}

struct bed {
	struct net net;
	struct fetch fetch;
	struct policy *policy;
	struct log_witnesses witnesses;
	struct log_cosigners cosigners;
	struct signer *signer;
	struct note_key key;
	struct sim_disk *disk;
	struct log_writer_opts o;
	struct log_writer *w;
};

static void make_policy(struct bed *b, const char *quorum)
{
	struct buf text = {0};
	char line[64];
	for (unsigned i = 0; i < WITNESSES; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		struct note_key k;
		T_EQ(signer_new(SIGNER_ED25519, seed, &b->net.key[i], NULL), ST_OK);
		snprintf(line, sizeof line, "w%u.example", i);
		T_EQ(note_key_of_signer(line, NOTE_COSIGNATURE_ED25519, b->net.key[i], &k, NULL), ST_OK);
		snprintf(line, sizeof line, "witness w%u ", i);
		buf_add(&text, line, strlen(line));
		note_key_format(&k, &text);
		snprintf(line, sizeof line, " http://w%u/\n", i);
		buf_add(&text, line, strlen(line));
	}
	buf_add(&text, quorum, strlen(quorum));
	T_EQ(policy_parse(rd_make(text.data, text.len), &b->policy, NULL), ST_OK);
	buf_done(&text);
}

static void bed_init(struct bed *b, const char *quorum)
{
	static const uint8_t seed[32] = "log";
	*b = (struct bed){0};
	make_policy(b, quorum);
	b->fetch = (struct fetch){&net_ops, &b->net};
	T_EQ(log_witnesses_init(&b->witnesses, b->policy, &b->fetch, 1000, now_s, NULL), ST_OK);
	b->cosigners = log_witnesses_as_cosigners(&b->witnesses);
	T_EQ(signer_new(SIGNER_ED25519, seed, &b->signer, NULL), ST_OK);
	T_EQ(note_key_of_signer("log.example", NOTE_ED25519, b->signer, &b->key, NULL), ST_OK);
	b->disk = sim_new();
	b->o = (struct log_writer_opts){.io = &b->disk->io, .private_dir = SIM_PRIVATE,
	                                .signer = b->signer, .key = &b->key,
	                                .cosigners = &b->cosigners, .seed = {1, 2}};
	T_EQ(log_store_open_folder(&b->disk->io, SIM_PUBLIC, &b->o.store, NULL), ST_OK);
	T_EQ(log_writer_create(&b->o, NULL), ST_OK);
	T_EQ(log_writer_open(&b->o, &b->w, NULL), ST_OK);
}

static void bed_done(struct bed *b)
{
	log_writer_free(b->w);
	log_store_free(b->o.store);
	sim_free(b->disk);
	signer_free(b->signer);
	log_witnesses_done(&b->witnesses);
	policy_free(b->policy);
	for (unsigned i = 0; i < WITNESSES; i++)
		signer_free(b->net.key[i]);
}

static st_t add(struct bed *b, const char *text, uint64_t *ret_index, struct err *e)
{
	const struct log_entry entry = {text, strlen(text)};
	return log_writer_add(b->w, &entry, 1, ret_index, e);
}

static bool published_with(struct bed *b, unsigned i)
{
	struct rd note = log_writer_checkpoint(b->w);
	char name[] = "\xe2\x80\x94 w0.example ";
	name[5] = (char)('0' + i);
	return memmem(note.base, note.len, name, strlen(name)) != NULL;
}

static void checkpoint_is_published_with_the_cosignatures_of_a_quorum(void)
{
	struct bed b;
	uint64_t index = 9;
	bed_init(&b, "group g 2 w0 w1 w2\nquorum g\n");
	b.net.away[1] = true;
	T_EQ(add(&b, "one", &index, NULL), ST_OK);
	T_EQ(index, 0);
	T_TRUE(published_with(&b, 0) && !published_with(&b, 1) && published_with(&b, 2));
	b.net.away[1] = false;
	T_EQ(add(&b, "two", &index, NULL), ST_OK);
	T_TRUE(published_with(&b, 0) && published_with(&b, 1) && published_with(&b, 2));
	bed_done(&b);
}

static void nothing_is_published_or_acknowledged_without_the_quorum(void)
{
	struct bed b;
	uint64_t index = 9;
	size_t n;
	struct err e = {0};
	bed_init(&b, "group g 2 w0 w1 w2\nquorum g\n");
	b.net.away[1] = b.net.away[2] = true;
	T_EQ(add(&b, "one", &index, &e), ST_BAD_SIG);
	T_TRUE(strstr(e.text, "1 of 3") && strstr(e.text, "w1: ") && strstr(e.text, "nobody home"));
	T_TRUE(sim_file(b.disk, SIM_PUBLIC, "checkpoint", &n) == NULL);
	/* The same again is in the tree, but still not acknowledged. */
	T_EQ(add(&b, "one", &index, NULL), ST_BAD_SIG);
	T_EQ(log_writer_size(b.w), 1);
	b.net.away[2] = false;
	T_EQ(add(&b, "one", &index, NULL), ST_OK);
	T_EQ(index, 0);
	T_EQ(log_writer_published(b.w), 1);
	bed_done(&b);
}

static void cosignature_that_does_not_verify_does_not_count(void)
{
	struct bed b;
	uint64_t index = 9;
	bed_init(&b, "group g all w0 w1 w2\nquorum g\n");
	b.net.lies[0] = true;
	T_EQ(add(&b, "one", &index, NULL), ST_BAD_SIG);
	b.net.lies[0] = false;
	T_EQ(log_writer_publish(b.w, NULL), ST_OK);
	T_EQ(log_writer_published(b.w), 1);
	bed_done(&b);
}

static void quorum_none_publishes_with_whoever_answers(void)
{
	struct bed b;
	uint64_t index = 9;
	bed_init(&b, "quorum none\n");
	b.net.away[0] = b.net.away[1] = true;
	T_EQ(add(&b, "one", &index, NULL), ST_OK);
	T_TRUE(!published_with(&b, 0) && published_with(&b, 2));
	bed_done(&b);
}

static void known_entries_ask_nobody(void)
{
	struct bed b;
	uint64_t index = 9;
	bed_init(&b, "group g all w0 w1 w2\nquorum g\n");
	T_EQ(add(&b, "one", &index, NULL), ST_OK);
	unsigned asked = b.net.asked;
	T_EQ(add(&b, "one", &index, NULL), ST_OK);
	T_EQ(b.net.asked, asked);
	bed_done(&b);
}

static void one_witness_of_another_view_outweighs_a_quorum(void)
{
	static const unsigned status[] = {409, 422};
	for (size_t i = 0; i < 2; i++) {
		struct bed b;
		struct err e = {0};
		uint64_t index = 7;
		bed_init(&b, "group g any w0 w1 w2\nquorum g\n");
		b.net.contradicts[1] = status[i];
		T_EQ(add(&b, "one", &index, &e), ST_CONFLICT);
		T_TRUE(strstr(e.text, "not published: witness w1: "));
		T_EQ(log_writer_published(b.w), 0);
		T_EQ(log_writer_checkpoint(b.w).len, 0);
		b.net.contradicts[1] = 0;
		T_EQ(add(&b, "one", &index, NULL), ST_OK);
		T_EQ(index, 0);
		bed_done(&b);
	}
}

int main(void)
{
	T_RUN(one_witness_of_another_view_outweighs_a_quorum);
	T_RUN(checkpoint_is_published_with_the_cosignatures_of_a_quorum);
	T_RUN(nothing_is_published_or_acknowledged_without_the_quorum);
	T_RUN(cosignature_that_does_not_verify_does_not_count);
	T_RUN(quorum_none_publishes_with_whoever_answers);
	T_RUN(known_entries_ask_nobody);
	return t_end();
}
