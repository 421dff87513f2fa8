/* The text of the state file. Strict: numbers, order and spelling are those that are written, which
 * writing again what was read and comparing ensures. */
#include "crypto/digest.h"
#include "tlog/text.h"
#include "update/state.h"

#include <stdio.h>
#include <string.h>

#define HEAD "vitrine-state v1"
#define SUM_LINE (4 + 64 + 1) /* "sum ", hex, LF */

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
    {"approved", UPDATE_APPROVED},
    {"held", UPDATE_HELD},
    {"failed", UPDATE_FAILED},
    {"was-current", UPDATE_WAS_CURRENT},
};
#define NFLAGS (sizeof flags / sizeof *flags)

void update_release_id(uint64_t version, const uint8_t vdb_sha256[32], char ret[UPDATE_ID_MAX])
{
	char hex[17];
	hex_encode(vdb_sha256, 8, hex);
	snprintf(ret, UPDATE_ID_MAX, "%llu-%s", (unsigned long long)version, hex);
}

/* ---- writing ---- */

static void add_number(struct buf *out, const char *before, int64_t v)
{
	buf_text(out, before);
	text_decimal_add(out, v < 0 ? 0 : (uint64_t)v);
}

static void add_release(struct buf *out, const struct update_release *r)
{
	char hex[65];
	bool any = false;
	hex_encode(r->vdb_sha256, 32, hex);
	buf_text(out, "release ");
	text_decimal_add(out, r->version);
	buf_u8(out, ' ');
	buf_text(out, hex);
	add_number(out, " seen ", r->seen);
	add_number(out, " activated ", r->activated);
	buf_u8(out, ' ');
	for (size_t i = 0; i < NFLAGS; i++) {
		if (!(r->flags & flags[i].flag))
			continue;
		buf_text(out, any ? "," : "");
		buf_text(out, flags[i].name);
		any = true;
	}
	buf_text(out, any ? "\n" : "-\n");
}

st_t update_state_format(const struct update_state *s, struct buf *out, struct err *e)
{
	uint8_t sum[32];
	char hex[65];
	size_t start = out->len;
	buf_text(out, HEAD "\n");
	add_number(out, "seen ", s->seen);
	buf_text(out, s->hold_all ? "\nhold-all yes\n" : "\nhold-all no\n");
	for (size_t i = 0; i < s->n; i++)
		add_release(out, &s->v[i]);
	TRY(buf_check(out, e, "state"));
	TRY(digest_bytes(DIGEST_SHA256, out->data + start, out->len - start, sum, e));
	hex_encode(sum, 32, hex);
	buf_text(out, "sum ");
	buf_text(out, hex);
	buf_u8(out, '\n');
	return buf_check(out, e, "state");
}

/* ---- reading ---- */

static st_t bad(struct err *e, const char *what)
{
	return fail(e, ST_MALFORMED, 0, "state: %s", what);
}

static bool take_word(struct rd *line, const char *word)
{
	struct rd item;
	return text_item(line, &item) && text_is(item, word);
}

static bool take_u64(struct rd *line, uint64_t *ret)
{
	struct rd item;
	return text_item(line, &item) && text_decimal(item, ret);
}

static bool take_time(struct rd *line, int64_t *ret)
{
	uint64_t v;
	if (!take_u64(line, &v) || v > INT64_MAX)
		return false;
	*ret = (int64_t)v;
	return true;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_sha256(struct rd *line, uint8_t ret[32])
{
	struct rd item;
	if (!text_item(line, &item) || rd_left(&item) != 64)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int high = hex_digit(rd_u8(&item));
		int low = hex_digit(rd_u8(&item));
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Unknown words are caught by the comparison: they are not written again. */
static bool take_flags(struct rd *line, uint32_t *ret)
{
	struct rd item, word;
	if (!text_item(line, &item))
		return false;
	*ret = 0;
	while (rd_left(&item)) {
		if (!text_until(&item, ',', &word))
			word = rd_sub(&item, rd_left(&item));
		for (size_t i = 0; i < NFLAGS; i++)
			if (text_is(word, flags[i].name))
				*ret |= flags[i].flag;
	}
	return true;
}

static st_t read_release(struct rd *line, struct update_state *s, struct err *e)
{
	struct update_release r = {0};
	if (s->n == UPDATE_RELEASES_MAX)
		return fail(e, ST_LIMIT, 0, "state: more than %d releases", UPDATE_RELEASES_MAX);
	if (!take_u64(line, &r.version) || !take_sha256(line, r.vdb_sha256))
		return bad(e, "a release is a version and a SHA-256 in hex");
	if (!take_word(line, "seen") || !take_time(line, &r.seen) || !take_word(line, "activated") ||
	    !take_time(line, &r.activated) || !take_flags(line, &r.flags))
		return bad(e, "behind a release stand \"seen TIME activated TIME FLAGS\"");
	if (s->n && s->v[s->n - 1].version >= r.version)
		return bad(e, "versions of releases do not ascend");
	update_release_id(r.version, r.vdb_sha256, r.id);
	s->v[s->n++] = r;
	return ST_OK;
}

static st_t read_head(struct rd *in, struct update_state *s, struct err *e)
{
	struct rd line, item;
	if (!text_line(in, &line) || !text_is(line, HEAD))
		return bad(e, "it does not start with \"" HEAD "\"");
	if (!text_line(in, &line) || !take_word(&line, "seen") || !take_time(&line, &s->seen))
		return bad(e, "the second line is not \"seen TIME\"");
	if (!text_line(in, &line) || !take_word(&line, "hold-all") || !text_item(&line, &item))
		return bad(e, "the third line is not \"hold-all yes\" or \"hold-all no\"");
	s->hold_all = text_is(item, "yes");
	return ST_OK;
}

static st_t read_lines(struct rd in, struct update_state *s, struct err *e)
{
	struct rd line;
	TRY(read_head(&in, s, e));
	while (text_line(&in, &line)) {
		if (!take_word(&line, "release"))
			return bad(e, "a line is not \"release ...\"");
		TRY(read_release(&line, s, e));
	}
	return ST_OK;
}

/* The digest of what stands before its line. */
static st_t check_sum(struct rd body, struct rd sum, struct err *e)
{
	uint8_t want[32];
	char hex[65];
	struct rd line;
	TRY(digest_bytes(DIGEST_SHA256, body.base, body.len, want, e));
	hex_encode(want, 32, hex);
	if (!text_line(&sum, &line) || !take_word(&line, "sum") || !rd_peek(&line, " ", 1))
		return bad(e, "the last line is not \"sum SHA256\"");
	rd_skip(&line, 1);
	if (!rd_peek(&line, hex, 64) || rd_left(&line) != 64)
		return fail(e, ST_BAD_SUM, 0, "state: its checksum differs");
	return ST_OK;
}

st_t update_state_parse(struct rd in, struct update_state *ret, struct err *e)
{
	struct update_state s = {.current = -1};
	struct buf again = {0};
	struct rd all = rd_sub(&in, rd_left(&in));
	if (all.len > UPDATE_STATE_MAX)
		return fail(e, ST_LIMIT, 0, "state: longer than %zu bytes", UPDATE_STATE_MAX);
	if (all.len < SUM_LINE)
		return bad(e, "too short");
	struct rd body = rd_at(&all, 0, all.len - SUM_LINE);
	TRY(check_sum(body, rd_at(&all, body.len, SUM_LINE), e));
	TRY(read_lines(body, &s, e));
	st_t st = update_state_format(&s, &again, e);
	if (st == ST_OK && (again.len != all.len || !rd_peek(&all, again.data, again.len)))
		st = bad(e, "not the text that is written for what it says");
	buf_done(&again);
	if (st == ST_OK)
		*ret = s;
	return st;
}
