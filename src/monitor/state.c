#include "monitor/state.h"

#include "attest/statement.h"
#include "base/num.h"
#include "crypto/digest.h"
#include "monitor/alert.h"
#include "tlog/note.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = "VTRMON1\n";
static const char what[] = "the monitor's state";

/* Room for one more of `size` bytes behind n of them; zeroed. */
static void *grow(void **v, uint32_t n, uint32_t *cap, uint32_t max, size_t size)
{
	if (n >= max)
		return NULL;
	if (n == *cap) {
		uint32_t more = *cap ? *cap * 2 : 16;
		void *p = reallocarray(*v, more, size);
		if (!p)
			return NULL;
		*v = p;
		*cap = more;
	}
	return memset((char *)*v + n * size, 0, size);
}

#define GROW(s, what, max) \
	grow((void **)&(s)->what, (s)->n##what, &(s)->cap##what, (max), sizeof *(s)->what)

struct monitor_log *monitor_state_log(struct monitor_state *s, const uint8_t id[32])
{
	for (uint32_t i = 0; i < s->nlogs; i++)
		if (!memcmp(s->logs[i].id, id, 32))
			return &s->logs[i];
	struct monitor_log *l = GROW(s, logs, MONITOR_VIEWS_MAX);
	if (!l)
		return NULL;
	memcpy(l->id, id, 32);
	s->nlogs++;
	return l;
}

struct monitor_view *monitor_state_view(struct monitor_state *s, const uint8_t log[32],
                                        const uint8_t witness[32])
{
	for (uint32_t i = 0; i < s->nviews; i++)
		if (!memcmp(s->views[i].log, log, 32) && !memcmp(s->views[i].witness, witness, 32))
			return &s->views[i];
	struct monitor_view *v = GROW(s, views, MONITOR_VIEWS_MAX);
	if (!v)
		return NULL;
	memcpy(v->log, log, 32);
	memcpy(v->witness, witness, 32);
	s->nviews++;
	return v;
}

/* Place in the table where the digest is, or would be. */
static uint32_t place(const struct monitor_state *s, const uint8_t sha256[32])
{
	uint32_t at = (uint32_t)load_u64le(sha256) & (s->capindex - 1);
	while (s->index[at] && memcmp(s->subjects[s->index[at] - 1].sha256, sha256, 32))
		at = (at + 1) & (s->capindex - 1);
	return at;
}

/* At most half full. */
static bool grow_index(struct monitor_state *s)
{
	if (s->capindex >= 2 * (s->nsubjects + 1))
		return true;
	uint32_t cap = s->capindex ? s->capindex * 2 : 64;
	uint32_t *index = calloc(cap, sizeof *index);
	if (!index)
		return false;
	free(s->index);
	s->index = index;
	s->capindex = cap;
	for (uint32_t i = 0; i < s->nsubjects; i++)
		s->index[place(s, s->subjects[i].sha256)] = i + 1;
	return true;
}

struct monitor_subject *monitor_state_subject(struct monitor_state *s, const uint8_t sha256[32])
{
	if (!grow_index(s))
		return NULL;
	uint32_t at = place(s, sha256);
	if (s->index[at])
		return &s->subjects[s->index[at] - 1];
	struct monitor_subject *x = GROW(s, subjects, MONITOR_SUBJECTS_MAX);
	if (!x)
		return NULL;
	memcpy(x->sha256, sha256, 32);
	s->index[at] = ++s->nsubjects;
	return x;
}

struct monitor_open *monitor_state_find_open(struct monitor_state *s, uint32_t kind,
                                             const char *about)
{
	for (uint32_t i = 0; i < s->nopen; i++)
		if (s->open[i].kind == kind && !strcmp(s->open[i].about, about))
			return &s->open[i];
	return NULL;
}

struct monitor_open *monitor_state_open(struct monitor_state *s, uint32_t kind, const char *about,
                                        uint64_t since)
{
	struct monitor_open *o = GROW(s, open, MONITOR_OPEN_MAX);
	char *text = o ? strdup(about) : NULL;
	if (!text)
		return NULL;
	*o = (struct monitor_open){kind, since, text};
	s->nopen++;
	return o;
}

void monitor_state_close(struct monitor_state *s, struct monitor_open *o)
{
	free(o->about);
	size_t behind = (size_t)(&s->open[s->nopen] - (o + 1));
	memmove(o, o + 1, behind * sizeof *o);
	s->nopen--;
}

void monitor_state_done(struct monitor_state *s)
{
	for (uint32_t i = 0; i < s->nlogs; i++)
		buf_done(&s->logs[i].note);
	for (uint32_t i = 0; i < s->nviews; i++)
		buf_done(&s->views[i].ahead);
	for (uint32_t i = 0; i < s->nsubjects; i++)
		free(s->subjects[i].name);
	for (uint32_t i = 0; i < s->nopen; i++)
		free(s->open[i].about);
	free(s->logs);
	free(s->views);
	free(s->subjects);
	free(s->open);
	free(s->index);
	*s = (struct monitor_state){0};
}

static void write_bytes(struct buf *b, const void *p, size_t n)
{
	buf_u32le(b, (uint32_t)n);
	buf_add(b, p, n);
}

static void write_log(struct buf *b, const struct monitor_log *l)
{
	buf_add(b, l->id, 32);
	buf_u8(b, l->known);
	write_bytes(b, l->note.data, l->note.len);
	buf_u64le(b, l->size);
	buf_add(b, l->root.b, TLOG_HASH);
	buf_u64le(b, l->entries.size);
	for (size_t i = 0; i < l->entries.n; i++)
		buf_add(b, l->entries.root[i].b, TLOG_HASH);
	buf_u64le(b, l->down_since);
	buf_u64le(b, l->tiles_since);
}

static void write_view(struct buf *b, const struct monitor_view *v)
{
	buf_add(b, v->log, 32);
	buf_add(b, v->witness, 32);
	buf_u64le(b, v->time);
	buf_u64le(b, v->own_time);
	buf_u64le(b, v->own_size);
	buf_u64le(b, v->down_since);
	write_bytes(b, v->ahead.data, v->ahead.len);
	buf_u64le(b, v->ahead_since);
}

static void write_subject(struct buf *b, const struct monitor_subject *x)
{
	buf_add(b, x->sha256, 32);
	buf_add(b, x->log, 32);
	write_bytes(b, x->name ? x->name : "", x->name ? strlen(x->name) : 0);
	buf_u8(b, (uint8_t)(x->released | x->present << 1));
	buf_u64le(b, x->index);
	buf_u64le(b, x->first_seen);
	buf_u8(b, (uint8_t)x->nrebuilders);
	for (uint32_t i = 0; i < x->nrebuilders; i++)
		buf_u64le(b, x->rebuilder[i]);
}

st_t monitor_state_write(const struct monitor_state *s, struct buf *out, struct err *e)
{
	size_t start = out->len;
	buf_add(out, magic, sizeof magic);
	buf_u32le(out, s->nlogs);
	for (uint32_t i = 0; i < s->nlogs; i++)
		write_log(out, &s->logs[i]);
	buf_u32le(out, s->nviews);
	for (uint32_t i = 0; i < s->nviews; i++)
		write_view(out, &s->views[i]);
	buf_u32le(out, s->nsubjects);
	for (uint32_t i = 0; i < s->nsubjects; i++)
		write_subject(out, &s->subjects[i]);
	buf_u32le(out, s->nopen);
	for (uint32_t i = 0; i < s->nopen; i++) {
		buf_u32le(out, s->open[i].kind);
		buf_u64le(out, s->open[i].since);
		write_bytes(out, s->open[i].about, strlen(s->open[i].about));
	}
	TRY(buf_check(out, e, what));
	if (out->len - start > MONITOR_STATE_MAX - 32)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", what, MONITOR_STATE_MAX);
	uint8_t sum[32];
	TRY(digest_bytes(DIGEST_SHA256, out->data + start, out->len - start, sum, e));
	buf_add(out, sum, sizeof sum);
	return buf_check(out, e, what);
}

static bool read_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);
	r->bad = r->bad || v > 1;
	return v == 1;
}

static void read_bytes(struct rd *r, size_t max, struct buf *ret)
{
	uint32_t n = rd_u32le(r);
	if (n > max)
		r->bad = true;
	const uint8_t *p = rd_take(r, r->bad ? 0 : n);
	if (p && !r->bad)
		buf_add(ret, p, n);
}

/* NULL with r->bad, or out of memory without. */
static char *read_text(struct rd *r, size_t max)
{
	struct buf b = {0};
	read_bytes(r, max, &b);
	r->bad = r->bad || (b.len && memchr(b.data, '\0', b.len));
	buf_u8(&b, '\0');
	if (b.oom || r->bad) {
		buf_done(&b);
		return NULL;
	}
	return (char *)b.data;
}

static void read_frontier(struct rd *r, struct tlog_frontier *f)
{
	f->size = rd_u64le(r);
	r->bad = r->bad || f->size > TLOG_SIZE_MAX;
	f->n = r->bad ? 0 : (size_t)__builtin_popcountll(f->size);
	for (size_t i = 0; i < f->n; i++)
		rd_copy(r, f->root[i].b, TLOG_HASH);
}

static st_t read_log(struct monitor_state *s, struct rd *r, struct err *e)
{
	uint8_t id[32];
	rd_copy(r, id, sizeof id);
	uint32_t before = s->nlogs;
	struct monitor_log *l = monitor_state_log(s, id);
	if (!l)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	if (s->nlogs == before)
		return fail(e, ST_MALFORMED, r->pos, "%s: a log twice", what);
	l->known = read_bool(r);
	read_bytes(r, NOTE_SIZE_MAX, &l->note);
	l->size = rd_u64le(r);
	rd_copy(r, l->root.b, TLOG_HASH);
	read_frontier(r, &l->entries);
	l->down_since = rd_u64le(r);
	l->tiles_since = rd_u64le(r);
	if (l->size > TLOG_SIZE_MAX || l->entries.size > l->size)
		return fail(e, ST_MALFORMED, r->pos, "%s: sizes of a log", what);
	return buf_check(&l->note, e, what);
}

static st_t read_view(struct monitor_state *s, struct rd *r, struct err *e)
{
	uint8_t log[32], witness[32];
	rd_copy(r, log, sizeof log);
	rd_copy(r, witness, sizeof witness);
	uint32_t before = s->nviews;
	struct monitor_view *v = monitor_state_view(s, log, witness);
	if (!v)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	if (s->nviews == before)
		return fail(e, ST_MALFORMED, r->pos, "%s: a view twice", what);
	v->time = rd_u64le(r);
	v->own_time = rd_u64le(r);
	v->own_size = rd_u64le(r);
	v->down_since = rd_u64le(r);
	read_bytes(r, NOTE_SIZE_MAX, &v->ahead);
	v->ahead_since = rd_u64le(r);
	return buf_check(&v->ahead, e, what);
}

static st_t read_subject(struct monitor_state *s, struct rd *r, struct err *e)
{
	uint8_t sha256[32];
	rd_copy(r, sha256, sizeof sha256);
	uint32_t before = s->nsubjects;
	struct monitor_subject *x = monitor_state_subject(s, sha256);
	if (!x)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	if (s->nsubjects == before)
		return fail(e, ST_MALFORMED, r->pos, "%s: a subject twice", what);
	rd_copy(r, x->log, sizeof x->log);
	x->name = read_text(r, STATEMENT_NAME_MAX - 1);
	if (!x->name && !r->bad)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	uint8_t flags = rd_u8(r);
	x->released = flags & 1;
	x->present = flags & 2;
	x->index = rd_u64le(r);
	x->first_seen = rd_u64le(r);
	x->nrebuilders = rd_u8(r);
	if (flags > 3 || x->nrebuilders > MONITOR_REBUILDERS_MAX)
		return fail(e, ST_MALFORMED, r->pos, "%s: a subject", what);
	for (uint32_t i = 0; i < x->nrebuilders; i++)
		x->rebuilder[i] = rd_u64le(r);
	return ST_OK;
}

static st_t read_open(struct monitor_state *s, struct rd *r, struct err *e)
{
	uint32_t kind = rd_u32le(r);
	uint64_t since = rd_u64le(r);
	char *about = read_text(r, MONITOR_ABOUT_MAX);
	bool fine = about && kind < ALERT_KINDS;
	bool kept = fine && monitor_state_open(s, kind, about, since);
	free(about);
	if (fine && !kept)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	return fine ? ST_OK : fail(e, ST_MALFORMED, r->pos, "%s: an open alert", what);
}

static st_t read_all(struct monitor_state *s, struct rd *r, uint32_t max,
                     st_t (*one)(struct monitor_state *, struct rd *, struct err *), struct err *e)
{
	uint32_t n = rd_u32le(r);
	if (n > max)
		return fail(e, ST_MALFORMED, r->pos, "%s: too many", what);
	for (uint32_t i = 0; i < n && !r->bad; i++)
		TRY(one(s, r, e));
	return rd_check(r, e, what);
}

st_t monitor_state_read(struct rd in, struct monitor_state *ret, struct err *e)
{
	uint8_t sum[32], want[32];
	*ret = (struct monitor_state){0};
	if (rd_left(&in) == 0)
		return ST_OK;
	if (rd_left(&in) > MONITOR_STATE_MAX)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", what, MONITOR_STATE_MAX);
	if (rd_left(&in) < sizeof magic + 32 || !rd_peek(&in, magic, sizeof magic))
		return fail(e, ST_MALFORMED, 0, "%s: not of this version", what);
	struct rd body = rd_sub(&in, rd_left(&in) - 32);
	rd_copy(&in, want, sizeof want);
	TRY(digest_bytes(DIGEST_SHA256, body.base, body.len, sum, e));
	if (memcmp(sum, want, sizeof sum))
		return fail(e, ST_BAD_SUM, 0, "%s is damaged", what);
	rd_skip(&body, sizeof magic);
	TRY(read_all(ret, &body, MONITOR_VIEWS_MAX, read_log, e));
	TRY(read_all(ret, &body, MONITOR_VIEWS_MAX, read_view, e));
	TRY(read_all(ret, &body, MONITOR_SUBJECTS_MAX, read_subject, e));
	TRY(read_all(ret, &body, MONITOR_OPEN_MAX, read_open, e));
	return rd_left(&body) ? fail(e, ST_MALFORMED, body.pos, "%s: too long", what) : ST_OK;
}
