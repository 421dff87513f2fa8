/* Files and recursion: an object is read and matched, then its children, then it is reported. That
 * order (children, body signatures, digests) is ClamAV's: it decides which name is told when only
 * the first is. */
#include "scan/scan.h"

#include "base/io.h"
#include "base/num.h"
#include "scan/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Inner paths are cut here: names in archives may be as long as the archive. */
#define INNER_MAX 4096

st_t scanner_new(const struct db *db, const struct scan_opts *opts, struct scanner **ret,
                 struct err *e)
{
	if (opts->stripe_count == 0 || opts->stripe_index >= opts->stripe_count)
		return fail(e, -EINVAL, 0, "no such stripe");
	struct scanner *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "no memory for a scanner");
	s->db = db;
	s->opts = *opts;
	limits_normalise(&s->opts.limits);
	st_t st = engine_new(db, opts->cpumask, &s->engine, e);
	if (st == ST_OK)
		st = members_new(db, &s->members, e);
	if (st == ST_OK)
		st = member_passwords_new(db, &s->zip_passwords, e);
	if (st != ST_OK) {
		scanner_free(s);
		return st;
	}
	const struct scan_limits *l = &s->opts.limits;
	engine_regex_limits(s->engine, &(struct regex_limits){.match = l->pcre_match_limit,
	                                                      .depth = l->pcre_recmatch_limit,
	                                                      .max_size = l->pcre_max_filesize,
	                                                      .jit = opts->regex_jit});
	*ret = s;
	return ST_OK;
}

void scanner_free(struct scanner *s)
{
	if (!s)
		return;
	engine_free(s->engine);
	members_free(s->members);
	free(s->zip_passwords);
	layers_free(s);
	seen_done(&s->seen);
	buf_done(&s->copy);
	buf_done(&s->path);
	buf_done(&s->postponed);
	free(s);
}

/* Puts a member's name behind the inner path and returns its length before. */
static st_t path_push(struct scanner *s, const char *name, size_t *ret_old, struct err *e)
{
	size_t old = s->path.len ? s->path.len - 1 : 0;
	size_t room = INNER_MAX - num_min_size(old, INNER_MAX);
	*ret_old = s->path.len;
	s->path.len = old;
	if (old > 0)
		buf_u8(&s->path, '/');
	buf_add(&s->path, name, num_min_size(strlen(name), room));
	buf_u8(&s->path, 0);
	return buf_check(&s->path, e, "inner path");
}

static void path_pop(struct scanner *s, size_t old)
{
	s->path.len = old;
	if (old > 0)
		s->path.data[old - 1] = 0;
}

static st_t scan_object(struct scanner *s, struct object *o, const struct source *src,
                        struct err *e);

struct member_source {
	const struct format *format;
	struct format_ctx *ctx;
};

static st_t read_member(void *ctx, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
	struct member_source *m = ctx;
	return m->format->read(m->ctx, buf, cap, ret_n, e);
}

static st_t place_member(void *ctx, struct rd *ret, struct err *e)
{
	struct member_source *m = ctx;
	return m->format->in_place(m->ctx, ret, e);
}

static enum whole take_member(void *ctx, void *buf, size_t cap, size_t *ret_n)
{
	struct member_source *m = ctx;
	return m->format->whole(m->ctx, buf, cap, ret_n);
}

static st_t scan_member(struct scanner *s, struct object *parent, struct member_source *from,
                        const struct member *m, struct err *e)
{
	bool ok;
	if (m->encrypted && !(from->format->open_with && member_passwords(s, parent)))
		return report_incomplete(s, ST_ENCRYPTED, "encrypted");
	TRY(limits_count_object(s, &ok));
	if (!ok)
		return ST_OK;
	struct object o = {
		.parent = parent, .depth = parent->depth + 1, .matched = true, .hits = parent->hits};
	struct source src = {
		.read = read_member, .in_place = from->format->in_place ? place_member : NULL,
		.whole = m->whole && from->format->whole ? take_member : NULL,
		.ctx = from, .has_size = m->has_size, .size = m->size, .guess = m->guess};
	st_t st = scan_object(s, &o, &src, e);
	object_done(&o);
	return st;
}

/* Whether this scan looks at the member: the outermost container is shared out. */
static bool is_ours(const struct scanner *s, const struct object *parent, uint64_t ordinal)
{
	return parent->depth > 0 || ordinal % s->opts.stripe_count == s->opts.stripe_index;
}

/* names_only: compares them with signatures on members and reads none; names_done: that has been
 * done. */
static st_t scan_members(struct scanner *s, struct object *parent, struct member_source *from,
                         bool names_only, bool names_done, struct err *e)
{
	for (uint64_t ordinal = 0; !s->stop; ordinal++) {
		struct member m;
		struct err why = {0};
		bool end;
		size_t old;
		st_t st = from->format->next(from->ctx, &m, &end, &why);
		if (st != ST_OK)
			return names_only ? ST_OK : report_incomplete(s, st, why.text);
		if (end)
			return ST_OK;
		TRY(limits_check_time(s));
		if (s->stop || (!m.is_regular && !m.has_facts) || !is_ours(s, parent, ordinal))
			continue;
		TRY(path_push(s, m.name, &old, e));
		st = names_only || !names_done ? member_report(s, parent, &m, e) : ST_OK;
		if (st == ST_OK && !names_only && m.is_regular && !s->stop)
			st = scan_member(s, parent, from, &m, e);
		path_pop(s, old);
		TRY(st);
	}
	return ST_OK;
}

static st_t scan_opened(struct scanner *s, struct object *o, struct member_source *from,
                        bool names_only, bool names_done, struct err *e)
{
	struct err why = {0};
	struct rd in = rd_make(o->data, o->len);
	const char *const *passwords = member_passwords(s, o);
	st_t st = passwords && from->format->open_with
	              ? from->format->open_with(in, o->type, passwords, &from->ctx, &why)
	              : from->format->open(in, o->type, &from->ctx, &why);
	if (st != ST_OK)
		return names_only ? ST_OK : report_incomplete(s, st, why.text);
	st = scan_members(s, o, from, names_only, names_done, e);
	from->format->close(from->ctx);
	return st;
}

static st_t scan_children(struct scanner *s, struct object *o, struct err *e)
{
	struct rd in = rd_make(o->data, o->len);
	if (s->stop || !views_may_open(s, o->type))
		return ST_OK;
	struct member_source from = {.format = format_for(o->type, in)};
	if (!from.format)
		return ST_OK;
	if (o->depth + 1 >= s->opts.limits.max_recursion) {
		char text[80];
		snprintf(text, sizeof text, "MaxRecursion reached: %" PRIu32,
		         s->opts.limits.max_recursion);
		return report_incomplete(s, ST_LIMIT, text);
	}
	bool first = member_names_first(s, o);
	if (first)
		TRY(scan_opened(s, o, &from, true, false, e));
	return s->stop ? ST_OK : scan_opened(s, o, &from, false, first, e);
}

/* A signature with HandlerType held: the object is looked at once more as that type. */
static st_t scan_as(struct scanner *s, struct object *o, enum file_type type, struct err *e)
{
	struct object again = {.parent = o->parent, .depth = o->depth, .type = type, .data = o->data,
	                       .len = o->len, .matched = true, .in_place = true, .retyped = true};
	st_t st = match_finish(s, &again, e);
	if (st == ST_OK)
		st = scan_children(s, &again, e);
	if (st == ST_OK)
		st = match_report(s, &again, e);
	object_done(&again);
	return st;
}

static st_t scan_object(struct scanner *s, struct object *o, const struct source *src,
                        struct err *e)
{
	TRY(object_read(s, o, src, e));
	if (o->len == 0)
		return ST_OK;
	TRY(scan_children(s, o, e));
	TRY(match_report(s, o, e));
	if (o->handler == 0 || o->handler - 1 == o->type || s->stop)
		return ST_OK;
	return scan_as(s, o, (enum file_type)(o->handler - 1), e);
}

struct file_source {
	int fd;
	uint64_t off, size;
};

static st_t read_file(void *ctx, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
	struct file_source *f = ctx;
	size_t want = (size_t)num_min_u64(cap, f->size - f->off);
	*ret_n = 0;
	if (want == 0)
		return ST_OK;
	st_t st = io_pread_full(f->fd, buf, want, f->off, ret_n, e);
	f->off += *ret_n;
	return st;
}

static void start_file(struct scanner *s, const struct scan_sink *sink, struct scan_stats *stats)
{
	*stats = (struct scan_stats){.type_name = ""};
	s->sink = sink;
	s->stats = stats;
	s->reports = 0;
	s->whole_failed = 0;
	s->found = s->incomplete = s->stop = s->done = false;
	s->path.len = 0;
	seen_clear(&s->seen);
	s->postponed.len = 0;
	s->npostponed = 0;
	limits_start(s);
}

static st_t scan_file(struct scanner *s, struct file_source *f, struct err *e)
{
	bool ok;
	struct source src = {.read = read_file, .ctx = f, .has_size = true, .size = f->size};
	struct object o = {.matched = s->opts.stripe_index == 0};
	TRY(limits_count_object(s, &ok));
	st_t st = scan_object(s, &o, &src, e);
	s->stats->bytes_read = f->off;
	if (o.len > 0)
		s->stats->type_name = filetype_name(o.type);
	object_done(&o);
	TRY(st);
	TRY(report_postponed(s, e));
	if (f->off < f->size && !s->incomplete && !s->stop)
		return report_incomplete(s, ST_TRUNCATED, "the file shrank while it was read");
	return ST_OK;
}

st_t scanner_scan_fd(struct scanner *s, int fd, const struct scan_sink *sink,
                     struct scan_stats *ret, struct err *e)
{
	struct stat sb;
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "fstat");
	start_file(s, sink, ret);
	struct file_source f = {.fd = fd, .size = sb.st_size > 0 ? (uint64_t)sb.st_size : 0};
	st_t st = f.size > 0 ? scan_file(s, &f, e) : ST_OK;
	layers_trim(s);
	ret->verdict = VERDICT_CLEAN;
	if (s->incomplete)
		ret->verdict = VERDICT_INCOMPLETE;
	if (s->found)
		ret->verdict = VERDICT_FOUND;
	return st;
}
