/* Files that come to be signed: TUF metadata and DSSE envelopes of whoever sent them. What can be
 * signed is described in the same words afterwards, and signing again changes nothing. */
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
	words.len = 0;
	if (publish_sign_file(in, s, &out, &words, NULL) == ST_OK) {
		check_words(&words);
		sign_again(&out, s, &words);
	}
	buf_done(&words);
	buf_done(&out);
	return 0;
}
