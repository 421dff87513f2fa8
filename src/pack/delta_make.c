/* Writing a delta: tables of a plan, then all of it compressed. Whatever a plan is wrong about only
 * costs bytes: a record that is not what moving its numbers makes of it is corrected. */
#include "pack/delta_make.h"

#include "crypto/digest.h"
#include "pack/delta.h"

#include "base/io.h"
#include "base/num.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>

/* Of the body. It is small where deltas are worth it. */
#define LEVEL 19
/* Of a body above this, which is no delta of a daily update: less time, hardly more bytes. */
#define LEVEL_LARGE 9
#define LARGE ((size_t)32 << 20)

void delta_put_number(struct buf *b, uint64_t v)
{
	while (v >= 128) {
		buf_u8(b, (uint8_t)(v | 128));
		v >>= 7;
	}
	buf_u8(b, (uint8_t)v);
}

static void put_signed(struct buf *b, uint64_t from, uint64_t to)
{
	delta_put_number(b, to >= from ? (to - from) << 1 : (from - to) << 1 | 1);
}

/* One record of a run, as it would be without correction, and as it is. */
struct fix {
	uint64_t n, last; /* corrections, record behind the last one */
	struct buf out;
};

static bool put_fix(struct fix *f, uint64_t i, const uint8_t *have, const uint8_t *want,
                    uint32_t stride)
{
	if (!memcmp(have, want, stride))
		return false;
	delta_put_number(&f->out, i - f->last);
	for (uint32_t k = 0; k < stride; k++)
		buf_u8(&f->out, have[k] ^ want[k]);
	f->last = i + 1;
	f->n++;
	return true;
}

/* The corrections of a run. */
static void put_run(struct delta_maker *m, const struct delta_table *t, const struct delta_run *r)
{
	struct fix f = {0};
	const uint8_t *old = m->old.base + t->old_off + (uint64_t)r->old * t->stride;
	const uint8_t *new = m->new.base + m->new_off + (uint64_t)r->new * t->stride;
	uint8_t record[DELTA_STRIDE_MAX];
	for (uint64_t i = 0; i < r->keep; i++) {
		const uint8_t *have = old + i * t->stride;
		if (t->nrefs) {
			memcpy(record, have, t->stride);
			delta_relocate(t, m->space, record, 1);
			have = record;
		}
		put_fix(&f, i, have, new + i * t->stride, t->stride);
	}
	delta_put_number(&m->tables, f.n);
	buf_add(&m->tables, f.out.data, f.out.len);
	m->tables.oom |= f.out.oom;
	buf_done(&f.out);
}

static void put_head(struct delta_maker *m, const struct delta_table *t, uint64_t script)
{
	struct buf *b = &m->tables;
	m->ntables++;
	delta_put_number(b, DELTA_EDIT);
	delta_put_number(b, t->old_off);
	delta_put_number(b, t->new_len);
	delta_put_number(b, t->stride);
	delta_put_number(b, t->nrefs);
	delta_put_number(b, script);
	for (uint32_t i = 0; i < t->nrefs; i++) {
		delta_put_number(b, t->ref[i].field);
		delta_put_number(b, t->ref[i].space);
		delta_put_number(b, t->ref[i].bits);
		delta_put_number(b, t->ref[i].old_base);
		delta_put_number(b, t->ref[i].new_base);
	}
}

static struct delta_run run_at(const struct delta_script *s, size_t i)
{
	return i < delta_script_n(s) ? *delta_script_at(s, i)
	                             : (struct delta_run){.new = (uint32_t)s->new_n};
}

void delta_put_edit(struct delta_maker *m, const struct delta_table *t,
                    const struct delta_script *script)
{
	bool own = script < m->space || script >= m->space + DELTA_SPACES_MAX;
	uint64_t old = 0, made = 0, records = t->new_len / t->stride;
	put_head(m, t, own ? 0 : (uint64_t)(script - m->space) + 1);
	for (size_t i = 0; i < delta_script_n(script) && made < records; i++) {
		struct delta_run r = run_at(script, i);
		uint64_t end = (uint64_t)r.new + r.keep, next = run_at(script, i + 1).new;
		if (own && next == r.new)
			continue;
		if (own) {
			put_signed(&m->tables, old, r.old);
			delta_put_number(&m->tables, r.keep);
			delta_put_number(&m->tables, next - end);
		}
		old = (uint64_t)r.old + r.keep;
		put_run(m, t, &r);
		buf_add(&m->tables, m->new.base + m->new_off + end * t->stride, (next - end) * t->stride);
		made = next;
	}
	m->new_off += t->new_len;
}

void delta_script_keep_all(struct delta_script *s, uint64_t n)
{
	delta_script_keep(s, 0, 0, n);
	s->new_n = n;
}

st_t delta_put_bytes(struct delta_maker *m, uint64_t old_off, uint64_t old_len, uint64_t new_len,
                     struct err *e)
{
	struct delta_table t = {.old_off = old_off, .new_len = new_len, .stride = 1};
	struct delta_script s = {0};
	struct rd old = rd_at(&m->old, old_off, old_len), new = rd_at(&m->new, m->new_off, new_len);
	st_t st = ST_OK;
	if (old_len == new_len && new_len <= DELTA_CHUNK)
		delta_script_keep_all(&s, new_len);
	else
		st = delta_match(old, new, &s, e);
	if (st == ST_OK)
		delta_put_edit(m, &t, &s);
	buf_done(&s.runs);
	return st;
}

/* Names that come, each as what differs from the name before it in the new file. */
static void put_new_name(struct delta_maker *m, const struct delta_names *x,
                         const uint8_t *before, size_t before_len)
{
	size_t max = num_min_size(before_len, x->len), n = 0;
	while (n < max && before[n] == x->name[n])
		n++;
	delta_put_number(&m->tables, n);
	delta_put_number(&m->tables, x->len - n);
	buf_add(&m->tables, x->name + n, x->len - n);
}

void delta_put_names(struct delta_maker *m, uint64_t old_off, uint64_t old_len, uint64_t new_len,
                     uint32_t space)
{
	const struct delta_script *s = &m->space[space];
	struct delta_names x = {.in = {.fd = m->new_fd, .off = m->new_off,
	                               .end = m->new_off + new_len}};
	uint8_t before[DELTA_NAME_MAX];
	size_t before_len = 0, i = 0;
	m->ntables++;
	delta_put_number(&m->tables, DELTA_NAMES);
	delta_put_number(&m->tables, old_off);
	delta_put_number(&m->tables, old_len);
	delta_put_number(&m->tables, new_len);
	delta_put_number(&m->tables, space);
	for (uint64_t n = 0; n < s->new_n && delta_names_next(&x, NULL) == ST_OK; n++) {
		while (i < delta_script_n(s) && n >= (uint64_t)run_at(s, i).new + run_at(s, i).keep)
			i++;
		if (n < run_at(s, i).new || i == delta_script_n(s))
			put_new_name(m, &x, before, before_len);
		memcpy(before, x.name, x.len);
		before_len = x.len;
	}
	m->new_off += new_len;
}

void delta_put_dir(struct delta_maker *m, const struct delta_dir *d)
{
	m->ntables++;
	m->ndirs++;
	delta_put_number(&m->tables, d->kind);
	delta_put_number(&m->tables, d->from);
	delta_put_number(&m->tables, d->from_len);
	delta_put_number(&m->tables, d->from_n);
	delta_put_number(&m->tables, d->stride);
	delta_put_number(&m->tables, d->log2);
	m->new_off += delta_dir_len(d);
}

static void put_spaces(const struct delta_maker *m, struct buf *b)
{
	delta_put_number(b, m->nspaces);
	for (uint32_t i = 0; i < m->nspaces; i++) {
		const struct delta_script *s = &m->space[i];
		uint64_t old = 0;
		delta_put_number(b, delta_script_n(s));
		for (size_t k = 0; k < delta_script_n(s); k++) {
			struct delta_run r = run_at(s, k);
			delta_put_number(b, r.old - old);
			delta_put_number(b, r.keep);
			delta_put_number(b, (uint64_t)run_at(s, k + 1).new - r.new - r.keep);
			old = (uint64_t)r.old + r.keep;
		}
	}
}

static st_t compress(const struct buf *body, int fd, uint64_t *ret_size, struct err *e)
{
	size_t room = ZSTD_compressBound(body->len), n = 0;
	void *out = malloc(room);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	st_t st = out && c ? ST_OK : fail(e, ST_NOMEM, 0, "delta: out of memory");
	int level = body->len > LARGE ? LEVEL_LARGE : LEVEL;
	if (st == ST_OK && (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) ||
	                    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog,
	                                                        DELTA_WINDOW_LOG))))
		st = fail(e, ST_NOMEM, 0, "delta: zstd takes no parameters");
	if (st == ST_OK)
		n = ZSTD_compress2(c, out, room, body->data, body->len);
	if (st == ST_OK && ZSTD_isError(n))
		st = fail(e, ST_NOMEM, 0, "delta: %s", ZSTD_getErrorName(n));
	if (st == ST_OK)
		st = io_write_all(fd, out, n, e);
	if (st == ST_OK)
		*ret_size = n;
	ZSTD_freeCCtx(c);
	free(out);
	return st;
}

static void drop_plan(struct delta_maker *m)
{
	for (uint32_t i = 0; i < DELTA_SPACES_MAX; i++)
		buf_done(&m->space[i].runs);
	buf_done(&m->tables);
	*m = (struct delta_maker){.old = m->old, .new = m->new, .old_fd = m->old_fd,
	                          .new_fd = m->new_fd};
}

static bool too_large(const struct delta_maker *m)
{
	uint64_t runs = 0;
	for (uint32_t i = 0; i < m->nspaces; i++)
		runs += delta_script_n(&m->space[i]);
	return runs > DELTA_RUNS_MAX || m->ntables > DELTA_TABLES_MAX || m->ndirs > DELTA_DERIVED_MAX;
}

/* As a database if both are one, else as bytes. */
static st_t plan(struct delta_maker *m, struct err *e)
{
	struct err why = {0};
	st_t st = delta_put_database(m, &why);
	if (st < 0)
		return fail(e, st, 0, "%s", why.text);
	if (st == ST_OK && !too_large(m))
		return ST_OK;
	drop_plan(m);
	return delta_put_bytes(m, 0, m->old.len, m->new.len, e);
}

static st_t write_delta(const struct delta_maker *m, int out_fd, uint64_t *ret_size,
                        struct err *e)
{
	uint8_t sum[32];
	uint64_t size;
	struct buf body = {0}, head = {0};
	TRY(digest_file(DIGEST_SHA256, m->old_fd, sum, &size, e));
	buf_add(&head, DELTA_MAGIC, 8);
	buf_add(&head, sum, sizeof sum);
	buf_u64le(&head, m->old.len);
	buf_u64le(&head, m->new.len);
	put_spaces(m, &body);
	delta_put_number(&body, m->ntables);
	buf_add(&body, m->tables.data, m->tables.len);
	body.oom |= m->tables.oom || head.oom;
	st_t st = buf_check(&body, e, "delta");
	if (st == ST_OK)
		st = io_write_all(out_fd, head.data, head.len, e);
	if (st == ST_OK)
		st = compress(&body, out_fd, &size, e);
	if (st == ST_OK)
		*ret_size = size + DELTA_HEAD;
	buf_done(&head);
	buf_done(&body);
	return st;
}

/* Numbers of bytes are 32 bits wide in runs. */
#define FILE_MAX ((uint64_t)UINT32_MAX)

static st_t map_file(int fd, struct rd *ret, struct err *e)
{
	struct stat sb;
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "delta");
	if (sb.st_size < 0 || (uint64_t)sb.st_size > FILE_MAX)
		return fail(e, ST_LIMIT, 0, "delta: a file of 4 GiB or more");
	size_t n = (size_t)sb.st_size;
	void *p = n ? mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0) : NULL;
	if (p == MAP_FAILED)
		return fail_errno(e, "delta: map");
	*ret = rd_make(p ? p : (void *)"", n);
	return ST_OK;
}

static void unmap(struct rd *r)
{
	if (r->len)
		munmap((void *)(uintptr_t)r->base, r->len);
}

st_t delta_make(int old_fd, int new_fd, int out_fd, uint64_t *ret_size, struct err *e)
{
	struct delta_maker m = {.old_fd = old_fd, .new_fd = new_fd};
	st_t st = map_file(old_fd, &m.old, e);
	if (st == ST_OK)
		st = map_file(new_fd, &m.new, e);
	if (st == ST_OK)
		st = plan(&m, e);
	if (st == ST_OK)
		st = write_delta(&m, out_fd, ret_size, e);
	drop_plan(&m);
	unmap(&m.old);
	unmap(&m.new);
	return st;
}
