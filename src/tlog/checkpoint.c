#include "tlog/checkpoint.h"

#include "tlog/text.h"

#include <string.h>

static bool all_digits(struct rd in)
{
	while (rd_left(&in)) {
		uint8_t c = rd_u8(&in);
		if (c < '0' || c > '9')
			return false;
	}
	return true;
}

/* "the ASCII decimal representation of the number of leaves in the tree, with no leading zeroes
 * (unless the tree is empty, in which case the tree size is `0`)" */
static st_t read_size(struct rd line, size_t at, uint64_t *ret, struct err *e)
{
	uint64_t v = UINT64_MAX;
	bool decimal = text_decimal(line, &v);
	if (!decimal && !all_digits(line))
		return fail(e, ST_MALFORMED, at, "tlog-checkpoint: the size is not a decimal number");
	if (!decimal && rd_peek(&line, "0", 1))
		return fail(e, ST_MALFORMED, at, "tlog-checkpoint: the size has a leading zero");
	if (v > TLOG_SIZE_MAX)
		return fail(e, ST_LIMIT, at, "tlog-checkpoint: the size is greater than 2^63 - 1");
	*ret = v;
	return ST_OK;
}

static st_t read_root(struct rd line, size_t at, uint64_t size, struct tlog_hash *ret,
                      struct err *e)
{
	struct tlog_hash empty, root;
	if (!text_hash(line, &root))
		return fail(e, ST_MALFORMED, at, "tlog-checkpoint: the root is not base64 of 32 bytes");
	/* RFC 6962 section 2.1: "The hash of an empty list is the hash of an empty string". */
	tlog_hash_empty(&empty);
	if (size == 0 && !tlog_hash_equal(&root, &empty))
		return fail(e, ST_MALFORMED, at,
		            "tlog-checkpoint: size 0 with a root that is not the empty tree's");
	*ret = root;
	return ST_OK;
}

/* "Extension lines, if any, MUST be non-empty." */
static st_t check_extensions(struct rd in, size_t at, struct err *e)
{
	struct rd line;
	while (text_line(&in, &line))
		if (!line.len)
			return fail(e, ST_MALFORMED, at + in.pos - 1,
			            "tlog-checkpoint: an extension line is empty");
	if (rd_left(&in))
		return fail(e, ST_MALFORMED, at + in.pos,
		            "tlog-checkpoint: the last line does not end with a newline");
	return ST_OK;
}

/* "The note text is a sequence of at least three non-empty lines, separated by newlines" */
static st_t next_line(struct rd *in, const char *what, struct rd *ret, size_t *ret_at,
                      struct err *e)
{
	size_t at = in->pos;
	struct rd line;
	if (!text_line(in, &line))
		return fail(e, ST_MALFORMED, at, "tlog-checkpoint: no line with the %s", what);
	if (!line.len)
		return fail(e, ST_MALFORMED, at, "tlog-checkpoint: the %s is empty", what);
	*ret = line;
	*ret_at = at;
	return ST_OK;
}

st_t checkpoint_parse(struct rd text, struct checkpoint *ret, struct err *e)
{
	struct checkpoint c;
	struct rd line;
	size_t at = 0;
	TRY(text_check_note(text, e));
	TRY(next_line(&text, "origin", &c.origin, &at, e));
	TRY(next_line(&text, "size", &line, &at, e));
	TRY(read_size(line, at, &c.size, e));
	TRY(next_line(&text, "root", &line, &at, e));
	TRY(read_root(line, at, c.size, &c.root, e));
	at = text.pos;
	c.extensions = rd_sub(&text, rd_left(&text));
	TRY(check_extensions(c.extensions, at, e));
	*ret = c;
	return ST_OK;
}

void checkpoint_format(const char *origin, uint64_t size, const struct tlog_hash *root,
                       struct buf *out)
{
	buf_add(out, origin, strlen(origin));
	buf_u8(out, '\n');
	text_decimal_add(out, size);
	buf_u8(out, '\n');
	text_base64_add(out, root->b, sizeof root->b);
	buf_u8(out, '\n');
}
