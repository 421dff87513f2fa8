/* Reading one object into memory, and telling the engine while the bytes are hot. */
#include "base/num.h"
#include "parse/zip.h"
#include "scan/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Buffers kept from file to file: most files fit, and a worker's private memory stays small. */
#define KEEP_FILE ((size_t)8 << 20)
#define KEEP_MEMBER ((size_t)1 << 20)

/* Room behind every object, so that whole vectors can be loaded at its end. */
#define ROOM DB_TAIL_PAD

/* First buffer of an object whose size nobody declared: a stream rarely unfolds to more than some
 * times its own size, and pages that are not touched cost nothing. */
#define FIRST_ROOM ((size_t)64 << 10)
#define UNFOLDED 6u

/* From here on large pages are asked for: faults on small ones cost as much as fast
 * decompression. */
#define LARGE_PAGE ((size_t)2 << 20)
#define LARGE_MIN (2 * LARGE_PAGE)

/* Attempts to get a member at once that may fail in one file: their work is on no account, and it
 * is done a second time. Only made files have more. */
#define WHOLE_FAILED_MAX 16u

static void layer_release(struct layer *l)
{
	free(l->p);
	l->p = NULL;
	l->cap = 0;
}

void layers_trim(struct scanner *s)
{
	for (size_t i = 0; i < LAYERS_MAX; i++) {
		if (s->layers[i].cap > (i == 0 ? KEEP_FILE : KEEP_MEMBER) + ROOM)
			layer_release(&s->layers[i]);
		hits_trim(s->layers[i].hits);
	}
}

void layers_free(struct scanner *s)
{
	for (size_t i = 0; i < LAYERS_MAX; i++) {
		layer_release(&s->layers[i]);
		hits_free(s->layers[i].hits);
	}
}

void object_done(struct object *o)
{
	free(o->names);
}

/* Makes the layer hold `want` bytes and the room behind; what is in it stays. */
static bool layer_hold(struct layer *l, size_t want)
{
	if (want + ROOM <= l->cap)
		return true;
	uint8_t *p = realloc(l->p, want + ROOM);
	if (!p)
		return false;
	l->p = p;
	l->cap = want + ROOM;
	return true;
}

/* The same without what is in it. */
static bool layer_renew(struct layer *l, size_t want)
{
	if (want + ROOM <= l->cap)
		return true;
	layer_release(l);
	if (want < LARGE_MIN)
		return layer_hold(l, want);
	size_t size = (want + ROOM + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	l->p = aligned_alloc(LARGE_PAGE, size);
	if (!l->p)
		return false;
	l->cap = size;
	(void)madvise(l->p, size, MADV_HUGEPAGE); /* a wish */
	return true;
}

/* The machine's memory is up, by the input's doing: its verdict is "not fully scanned". */
static st_t report_no_memory(struct scanner *s, size_t want)
{
	char text[80];
	snprintf(text, sizeof text, "not enough memory for an object of %zu bytes", want);
	return report_incomplete(s, ST_LIMIT, text);
}

/* Fills p[0..cap) unless the source ends before (*ret_end). A source that fails has ended; what it
 * gave so far counts. */
static st_t read_chunk(struct scanner *s, const struct source *src, uint8_t *p, size_t cap,
                       size_t *ret_n, bool *ret_end)
{
	*ret_n = 0;
	*ret_end = false;
	while (*ret_n < cap && !*ret_end) {
		struct err why = {0};
		size_t n = 0;
		st_t st = src->read(src->ctx, p + *ret_n, cap - *ret_n, &n, &why);
		*ret_n += n;
		*ret_end = st != ST_OK || n == 0;
		if (st != ST_OK)
			TRY(report_incomplete(s, st, why.text));
	}
	return ST_OK;
}

static void detect(const struct scanner *s, struct object *o, size_t have, size_t size)
{
	struct rd head = rd_make(o->data, num_min_size(have, FILETYPE_HEAD));
	o->type = filetype_detect_with(db_view(s->db), head, size);
}

/* Tells the engine what came in, provided the size is known beforehand: it may be wrong, then
 * match_finish() begins again. */
static void match_chunk(struct scanner *s, struct object *o, const struct source *src)
{
	if (!src->has_size || !o->matched || o->len > src->size)
		return;
	if (!o->begun && o->len >= num_min_u64(src->size, FILETYPE_HEAD)) {
		detect(s, o, o->len, (size_t)src->size);
		match_begin(s, o, (size_t)src->size);
	}
	if (!o->begun)
		return;
	engine_feed(s->engine, o->len);
	o->fed = o->len;
}

/* Room for the next chunk; the object may move. */
static size_t chunk_room(struct object *o, struct layer *l)
{
	if (o->len + ROOM >= l->cap) {
		if (!layer_hold(l, o->len * 2))
			return 0;
		o->begun = false;
		o->data = l->p;
	}
	return num_min_size(CHUNK, l->cap - ROOM - o->len);
}

/* Reads to the end, or until a limit says no: then nothing of the object is looked at. */
static st_t read_all(struct scanner *s, struct object *o, struct layer *l,
                     const struct source *src)
{
	bool end = false;
	while (!end && !s->stop) {
		size_t n, cap = chunk_room(o, l);
		bool ok;
		if (cap == 0) {
			o->len = 0;
			return report_no_memory(s, l->cap * 2);
		}
		TRY(read_chunk(s, src, l->p + o->len, cap, &n, &end));
		o->len += n;
		TRY(limits_spend(s, n, o->len, &ok));
		if (!ok) {
			o->len = 0;
			return ST_OK;
		}
		match_chunk(s, o, src);
		TRY(limits_check_time(s));
	}
	return ST_OK;
}

/* What stood in place is not all: it is copied, and the byte behind it. */
static st_t leave_place(struct scanner *s, struct object *o, struct layer *l, uint8_t next)
{
	const uint8_t *from = o->data;
	size_t n = o->len;
	o->in_place = false;
	o->len = 0;
	if (!layer_hold(l, n + 1))
		return report_no_memory(s, n + 1);
	memcpy(l->p, from, n);
	l->p[n] = next;
	o->data = l->p;
	o->len = n + 1;
	return ST_OK;
}

/* Looks at the object where it stands already, inside its parent. *ret_end: that is all of it, or
 * nothing more is to be had. */
static st_t read_in_place(struct scanner *s, struct object *o, struct layer *l,
                          const struct source *src, bool *ret_end)
{
	struct rd in = {0};
	struct err why = {0};
	uint8_t next;
	size_t n;
	bool ok;
	*ret_end = false;
	st_t st = src->in_place ? src->in_place(src->ctx, &in, &why) : ST_OK;
	if (st != ST_OK) {
		*ret_end = true;
		return report_incomplete(s, st, why.text);
	}
	if (in.len == 0)
		return ST_OK;
	o->data = in.base;
	o->len = in.len;
	o->in_place = true;
	TRY(read_chunk(s, src, &next, 1, &n, ret_end));
	if (n > 0)
		TRY(leave_place(s, o, l, next));
	TRY(limits_spend(s, in.len + n, o->len, &ok));
	o->len = ok ? o->len : 0;
	*ret_end |= o->len == 0;
	return limits_check_time(s);
}

/* What was guessed too much counts against the memory of the worker: nested streams would use it
 * up. */
static void give_back(struct object *o, struct layer *l)
{
	if (l->cap - ROOM - o->len < LARGE_PAGE)
		return;
	uint8_t *p = realloc(l->p, o->len + ROOM);
	if (!p)
		return;
	l->p = p;
	l->cap = o->len + ROOM;
	o->data = p;
}

static size_t first_room(const struct scanner *s, const struct object *o,
                         const struct source *src)
{
	/* One byte more than declared, so that the source can show that it has ended. */
	if (src->has_size)
		return num_max_u64(src->size + 1, FIRST_ROOM);
	uint64_t most = num_min_u64(s->opts.limits.max_filesize, s->left) + 1;
	uint64_t guess = o->parent ? (uint64_t)o->parent->len * UNFOLDED : 0;
	return num_max_u64(num_min_u64(guess, most), FIRST_ROOM);
}

static st_t read_copy(struct scanner *s, struct object *o, struct layer *l,
                      const struct source *src)
{
	size_t want = first_room(s, o, src);
	if (!(o->len > 0 ? layer_hold(l, want) : layer_renew(l, want)))
		return report_no_memory(s, want);
	o->data = l->p;
	TRY(read_all(s, o, l, src));
	if (!src->has_size && !o->begun)
		give_back(o, l);
	return ST_OK;
}

/* Unfolds the object into a buffer that grows until it fits, within the limits. */
static enum whole unfold(struct scanner *s, struct object *o, struct layer *l,
                         const struct source *src)
{
	size_t most = (size_t)num_min_u64(s->opts.limits.max_filesize, s->left);
	uint64_t guess = src->has_size ? src->size : src->guess;
	size_t want = (size_t)num_min_u64(num_max_u64(guess, FIRST_ROOM), most);
	while (layer_renew(l, want)) {
		size_t cap = num_min_size(l->cap - ROOM, most);
		enum whole w = src->whole(src->ctx, l->p, cap, &o->len);
		if (w != WHOLE_LARGER || cap == most)
			return w;
		want = num_min_size(cap * 2, most);
	}
	return WHOLE_NO;
}

static st_t read_whole(struct scanner *s, struct object *o, struct layer *l,
                       const struct source *src, bool *ret_done)
{
	bool ok;
	*ret_done = false;
	if (!src->whole || s->whole_failed >= WHOLE_FAILED_MAX)
		return ST_OK;
	if (unfold(s, o, l, src) != WHOLE_DONE) {
		s->whole_failed++;
		o->len = 0;
		return limits_check_time(s);
	}
	*ret_done = true;
	o->data = l->p;
	TRY(limits_spend(s, o->len, o->len, &ok));
	o->len = ok ? o->len : 0;
	if (!src->has_size && o->len > 0)
		give_back(o, l);
	return limits_check_time(s);
}

st_t object_read(struct scanner *s, struct object *o, const struct source *src, struct err *e)
{
	struct layer *l = &s->layers[o->depth];
	bool admitted = true, end = false;
	o->len = 0;
	if (src->has_size)
		TRY(limits_admit(s, src->size, &admitted));
	if (!admitted)
		return ST_OK;
	TRY(read_whole(s, o, l, src, &end));
	if (!end && !s->stop)
		TRY(read_in_place(s, o, l, src, &end));
	if (!end && !s->stop)
		TRY(read_copy(s, o, l, src));
	if (o->len == 0)
		return ST_OK;
	if (!o->begun || o->begun_size != o->len) {
		o->begun = false;
		detect(s, o, o->len, o->len);
	}
	/* Kinds of zip differ for what is inside of them only: the engine need not be told. */
	if (o->type == FT_ZIP)
		o->type = zip_kind(rd_make(o->data, o->len));
	return match_finish(s, o, e);
}
