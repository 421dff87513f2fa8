/* Files that come to be signed: TUF metadata and DSSE envelopes of whoever sent them. What can be
 * signed is described in the same words afterwards, and signing again changes nothing. What comes
 * back signed: a statement joined with itself is one, and joined again it is the same bytes. */
#include "publish/repo.h"

#include <stdlib.h>
#include <string.h>

static void must(bool x)
{
	if (!x)
		abort();
}

/* One line is one thing that is said: nothing of a file breaks it or acts on a terminal. */
static void check_words(const struct buf *words)
{
	for (size_t i = 0; i < words->len; i++)
		must(words->data[i] >= 0x20 || words->data[i] == '\n');
}

static void sign_again(const struct buf *once, struct signer *s, const struct buf *words)
{
	struct buf twice = {0}, same = {0};
	must(publish_sign_file(rd_make(once->data, once->len), s, &twice, &same, NULL) == ST_OK);
	must(twice.len == once->len && !memcmp(twice.data, once->data, once->len));
	must(same.len == words->len && !memcmp(same.data, words->data, same.len));
	buf_done(&twice);
	buf_done(&same);
}

static struct buf join(struct rd file, struct rd signatures)
{
	struct dsse d;
	struct buf out = {0};
	if (dsse_parse(file, &d, NULL) != ST_OK || publish_statement_merge(&d, signatures, &out, NULL))
		out.len = 0;
	dsse_done(&d);
	return out;
}

static void take_back(struct rd in)
{
	struct buf said = {0};
	struct buf any = join(in, in); /* the flat form itself is not trusted */
	buf_done(&any);
	if (publish_signatures_read(in, &said, NULL) == ST_OK) {
		struct buf once = join(in, rd_make(said.data, said.len));
		struct buf twice = {0};
		if (once.len)
			twice = join(rd_make(once.data, once.len), rd_make(said.data, said.len));
		must(once.len == twice.len && (!once.len || !memcmp(once.data, twice.data, once.len)));
		buf_done(&once);
		buf_done(&twice);
	}
	buf_done(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = "t";
	static struct signer *s;
	struct rd in = rd_make(data, size);
	struct buf words = {0}, out = {0};
	if (!s)
		must(signer_new(SIGNER_ED25519, seed, &s, NULL) == ST_OK);
	if (publish_describe(in, in, &words, NULL) == ST_OK)
		check_words(&words);
	take_back(in);
	words.len = 0;
	if (publish_sign_file(in, s, &out, &words, NULL) == ST_OK) {
		check_words(&words);
		sign_again(&out, s, &words);
	}
	buf_done(&words);
	buf_done(&out);
	return 0;
}
