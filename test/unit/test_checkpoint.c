/* tlog/checkpoint: checkpoints, and what cosignatures of them sign. */
#include "tlog/checkpoint.h"

#include "test/t.h"
#include "tlog/text.h"
#include "tlog_vectors.h"

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
#define SPEC "example.com/behind-the-sofa\n20852163\n" ROOT

static void the_example_of_the_standard_is_read(void)
{
	struct checkpoint c;
	T_EQ(checkpoint_parse(rd_str(SPEC), &c, NULL), ST_OK);
	T_TRUE(text_is(c.origin, "example.com/behind-the-sofa"));
	T_EQ(c.size, 20852163);
	T_EQ(c.root.b[0], 0x0a);
	T_EQ(c.root.b[31], 0x62);
	T_EQ(rd_left(&c.extensions), 0);
}

static void extension_lines_are_kept_as_they_are(void)
{
	struct checkpoint c;
	T_EQ(checkpoint_parse(rd_str(SPEC "one\n two = 2\n"), &c, NULL), ST_OK);
	T_TRUE(text_is(c.extensions, "one\n two = 2\n"));
}

/* "clients MUST NOT assume that the origin is following this format" */
static void an_origin_is_any_line_that_is_not_empty(void)
{
	struct checkpoint c;
	T_EQ(checkpoint_parse(rd_str("go.sum database tree + \xc3\xa9\n5\n" ROOT), &c, NULL), ST_OK);
	T_TRUE(text_is(c.origin, "go.sum database tree + \xc3\xa9"));
}

static void an_empty_tree_has_its_own_root(void)
{
	struct checkpoint c;
	struct tlog_hash empty;
	tlog_hash_empty(&empty);
	T_EQ(checkpoint_parse(rd_str("o\n0\n" EMPTY), &c, NULL), ST_OK);
	T_TRUE(c.size == 0 && tlog_hash_equal(&c.root, &empty));
	T_EQ(checkpoint_parse(rd_str("o\n9223372036854775807\n" ROOT), &c, NULL), ST_OK);
	T_EQ(c.size, INT64_MAX);
}

static const struct {
	const char *text;
	st_t st;
	const char *message;
} refused[] = {
	{"", ST_MALFORMED, "no line with the origin"},
	{"o", ST_MALFORMED, "no line with the origin"},
	{"\n1\n" ROOT, ST_MALFORMED, "the origin is empty"},
	{"o\n", ST_MALFORMED, "no line with the size"},
	{"o\n1", ST_MALFORMED, "no line with the size"},
	{"o\n\n" ROOT, ST_MALFORMED, "the size is empty"},
	{"o\n01\n" ROOT, ST_MALFORMED, "the size has a leading zero"},
	{"o\n00\n" EMPTY, ST_MALFORMED, "the size has a leading zero"},
	{"o\n+1\n" ROOT, ST_MALFORMED, "the size is not a decimal number"},
	{"o\n-1\n" ROOT, ST_MALFORMED, "the size is not a decimal number"},
	{"o\n 1\n" ROOT, ST_MALFORMED, "the size is not a decimal number"},
	{"o\n1 \n" ROOT, ST_MALFORMED, "the size is not a decimal number"},
	{"o\n0x1\n" ROOT, ST_MALFORMED, "the size is not a decimal number"},
	{"o\n9223372036854775808\n" ROOT, ST_LIMIT, "the size is greater than 2^63 - 1"},
	{"o\n18446744073709551616\n" ROOT, ST_LIMIT, "the size is greater than 2^63 - 1"},
	{"o\n999999999999999999999999\n" ROOT, ST_LIMIT, "the size is greater than 2^63 - 1"},
	{"o\n1\n", ST_MALFORMED, "no line with the root"},
	{"o\n1\n\n", ST_MALFORMED, "the root is empty"},
	{"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", ST_MALFORMED, "no line with the root"},
	{"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", ST_MALFORMED,
     "the root is not base64 of 32 bytes"},
	{"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", ST_MALFORMED,
     "the root is not base64 of 32 bytes"},
	{"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", ST_MALFORMED,
     "the root is not base64 of 32 bytes"},
	{"o\n1\n CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", ST_MALFORMED,
     "the root is not base64 of 32 bytes"},
	{"o\n0\n" ROOT, ST_MALFORMED, "size 0 with a root that is not the empty tree's"},
	{SPEC "\n", ST_MALFORMED, "an extension line is empty"},
	{SPEC "a\n\nb\n", ST_MALFORMED, "an extension line is empty"},
	{SPEC "a", ST_MALFORMED, "the last line does not end with a newline"},
};

static void what_is_no_checkpoint_is_refused_with_the_rule_broken(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct checkpoint c = {.size = 77};
		struct err e = {0};
		char want[ERR_TEXT_MAX];
		snprintf(want, sizeof want, "tlog-checkpoint: %s", refused[i].message);
		T_EQ(checkpoint_parse(rd_str(refused[i].text), &c, &e), refused[i].st);
		T_STR(e.text, want);
		T_EQ(c.size, 77);
	}
}

static void lines_end_with_lf_alone_and_text_is_utf8(void)
{
	struct checkpoint c;
	struct err e = {0}, f = {0};
	T_EQ(checkpoint_parse(rd_str("o\r\n1\r\n" ROOT), &c, &e), ST_MALFORMED);
	T_STR(e.text, "signed-note: control character 0x0d");
	T_EQ(checkpoint_parse(rd_str("\xff\n1\n" ROOT), &c, &f), ST_MALFORMED);
	T_STR(f.text, "signed-note: not valid UTF-8");
}

static void every_checkpoint_is_read_as_it_was_written(void)
{
	uint64_t state = t_seed(2);
	for (int i = 0; i < 500; i++) {
		struct buf b = {0};
		struct tlog_hash root;
		struct checkpoint c;
		uint64_t size = (t_rand(&state) >> (t_rand(&state) % 63) >> 1) | 1;
		for (size_t k = 0; k < sizeof root.b; k++)
			root.b[k] = (uint8_t)t_rand(&state);
		checkpoint_format("log.example.org/\xc3\xa9", size, &root, &b);
		T_EQ(checkpoint_parse(rd_buf(&b), &c, NULL), ST_OK);
		T_TRUE(c.size == size && tlog_hash_equal(&c.root, &root));
		T_TRUE(text_is(c.origin, "log.example.org/\xc3\xa9"));
		buf_done(&b);
	}
}

/* The example in the text of C2SP tlog-cosignature. */
static void an_ed25519_cosignature_signs_time_and_text(void)
{
	struct buf b = {0};
	T_EQ(cosignature_message(rd_str(SPEC), 1679315147, &b, NULL), ST_OK);
	T_TRUE(buf_is(&b, rd_str("cosignature/v1\ntime 1679315147\n" SPEC)));
	buf_done(&b);
}

static void an_mldsa_cosignature_signs_names_time_and_tree(void)
{
	struct rd note = vector_file("mldsa/checkpoint"), want = vector_file("mldsa/message.bin");
	static struct note n;
	struct checkpoint c;
	struct buf b = {0};
	T_EQ(note_parse(note, &n, NULL), ST_OK);
	T_EQ(checkpoint_parse(n.text, &c, NULL), ST_OK);
	T_EQ(subtree_message(rd_str("pqwitness.example.net"), 1790000000, c.origin, 0, c.size, &c.root,
	                     &b, NULL),
	     ST_OK);
	T_TRUE(buf_is(&b, want));
	buf_done(&b);
}

static void message_refused(size_t nname, size_t norigin, uint64_t time, uint64_t start,
                            uint64_t end, const char *message)
{
	static const char a[300];
	struct tlog_hash h = {{0}};
	struct buf b = {0};
	struct err e = {0};
	T_EQ(subtree_message(rd_make(a, nname), time, rd_make(a, norigin), start, end, &h, &b, &e),
	     *message ? ST_MALFORMED : ST_OK);
	T_STR(e.text, message);
	T_EQ(b.len, *message ? 0 : 12 + 1 + nname + 8 + 1 + norigin + 8 + 8 + 32);
	buf_done(&b);
}

static void a_subtree_message_keeps_its_limits(void)
{
	message_refused(1, 1, 0, 0, 0, "");
	message_refused(255, 255, INT64_MAX, 0, 1, "");
	message_refused(1, 1, 0, 8, 9, "");
	message_refused(0, 1, 1, 0, 1,
	                "tlog-cosignature: the cosigner's name has 0 bytes, not 1 to 255");
	message_refused(256, 1, 1, 0, 1,
	                "tlog-cosignature: the cosigner's name has 256 bytes, not 1 to 255");
	message_refused(1, 0, 1, 0, 1, "tlog-cosignature: the origin has 0 bytes, not 1 to 255");
	message_refused(1, 256, 1, 0, 1, "tlog-cosignature: the origin has 256 bytes, not 1 to 255");
	message_refused(1, 1, (uint64_t)INT64_MAX + 1, 0, 1,
	                "tlog-cosignature: the time is greater than 2^63 - 1");
	message_refused(1, 1, 1, 8, 9, "tlog-cosignature: a subtree's cosignature has a time");
	message_refused(1, 1, 0, 8, 8, "tlog-cosignature: the subtree ends before it starts");
	message_refused(1, 1, 0, 8, 7, "tlog-cosignature: the subtree ends before it starts");
}

static void a_time_is_at_most_2_63_minus_1(void)
{
	struct buf b = {0};
	struct err e = {0};
	T_EQ(cosignature_message(rd_str(SPEC), UINT64_MAX / 2, &b, NULL), ST_OK);
	size_t len = b.len;
	T_EQ(cosignature_message(rd_str(SPEC), UINT64_MAX / 2 + 1, &b, &e), ST_MALFORMED);
	T_STR(e.text, "tlog-cosignature: the time is greater than 2^63 - 1");
	T_EQ(b.len, len);
	buf_done(&b);
}

int main(void)
{
	T_RUN(the_example_of_the_standard_is_read);
	T_RUN(extension_lines_are_kept_as_they_are);
	T_RUN(an_origin_is_any_line_that_is_not_empty);
	T_RUN(an_empty_tree_has_its_own_root);
	T_RUN(what_is_no_checkpoint_is_refused_with_the_rule_broken);
	T_RUN(lines_end_with_lf_alone_and_text_is_utf8);
	T_RUN(every_checkpoint_is_read_as_it_was_written);
	T_RUN(an_ed25519_cosignature_signs_time_and_text);
	T_RUN(an_mldsa_cosignature_signs_names_time_and_tree);
	T_RUN(a_subtree_message_keeps_its_limits);
	T_RUN(a_time_is_at_most_2_63_minus_1);
	return t_end();
}
