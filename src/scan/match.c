/* Signatures of one object: body signatures by the engine, digests of the whole, of PE sections and
 * of what a PE file imports, and the trust list, which takes findings back. */
#include "base/num.h"
#include "parse/exe.h"
#include "parse/pe_imports.h"
#include "parse/views.h"
#include "scan/internal.h"

#include <stdlib.h>

/* Without archives there is nothing inside; without memory it is filtered again. */
static void record(struct scanner *s, struct object *o)
{
	struct layer *l = &s->layers[o->depth];
	if (!l->hits && s->opts.archives)
		l->hits = hits_new();
	o->hits = s->opts.archives ? l->hits : NULL;
	if (o->hits)
		engine_record(s->engine, l->hits);
}

void match_begin(struct scanner *s, struct object *o, size_t size)
{
	uint8_t target;
	if (!o->matched || !views_raw_target(s, o->type, &target))
		return;
	o->facts = (struct object_facts){.file_size = size};
	match_layers(o, &o->facts);
	engine_begin(s->engine, target, o->data, size, &o->facts);
	if (o->in_place && o->hits)
		engine_reuse(s->engine, o->hits);
	else
		record(s, o);
	o->begun = true;
	o->begun_size = size;
	o->fed = 0;
}

/* NULL if the object is no executable or its headers make no sense. */
static const struct exe_layout *layout_of(struct scanner *s, const struct object *o)
{
	struct rd in = rd_make(o->data, o->len);
	st_t st = ST_UNSUPPORTED;
	switch (filetype_target(o->type)) {
	case TARGET_PE:
		st = pe_parse(in, &s->exe, NULL);
		if (st == ST_OK && (engine_needs(s->engine) & ENGINE_NEEDS_VERSION_INFO))
			pe_version_keys(in, &s->exe);
		break;
	case TARGET_ELF:
		st = elf_parse(in, &s->exe, NULL);
		break;
	case TARGET_MACHO:
		st = macho_parse(in, &s->exe, NULL);
		break;
	default:
		break;
	}
	return st == ST_OK && s->exe.valid ? &s->exe : NULL;
}

_Static_assert(FILETYPES <= UINT8_MAX, "a type is a byte in object_facts");

void match_layers(struct object *o, struct object_facts *ret)
{
	ret->layers = o->layers;
	ret->nlayers = 0;
	for (const struct object *p = o->parent; p && ret->nlayers < LAYERS_MAX; p = p->parent)
		o->layers[ret->nlayers++] = (uint8_t)p->type;
}

static st_t add_name(struct object *o, uint32_t nameref, struct err *e)
{
	uint32_t *names = realloc(o->names, (o->nnames + 1) * sizeof *names);
	if (!names)
		return fail(e, ST_NOMEM, 0, "no memory for findings");
	o->names = names;
	names[o->nnames++] = nameref;
	return ST_OK;
}

/* The engine's list lasts until its next object, ours until the children are done. What a
 * signature with a HandlerType finds in a view holds at once: it is there in the second look,
 * whatever the type. */
static st_t keep_names(struct scanner *s, struct object *o, const uint32_t *sigs, size_t n,
                       bool in_view, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct db_sig *sig = &db_view(s->db)->sig[sigs[i]];
		bool as_it_is = sig->handler == 0 || sig->handler - 1 == o->type || o->retyped;
		if (as_it_is || in_view)
			TRY(add_name(o, sig->nameref, e));
		if (!as_it_is && o->handler == 0)
			o->handler = sig->handler;
	}
	return ST_OK;
}

/* A row with the digest of a view, on its way to o->names. */
struct view_row {
	struct object *o;
	struct err *e;
	st_t st;
};

static void keep_row(void *ctx, uint32_t nameref)
{
	struct view_row *r = ctx;
	if (r->st == ST_OK)
		r->st = add_name(r->o, nameref, r->e);
}

st_t match_view_digests(struct scanner *s, struct object *o, const uint8_t *data, size_t len,
                        struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	struct view_row row = {.o = o, .e = e};
	for (enum digest_kind k = 0; k < DIGEST_KINDS && row.st == ST_OK; k++) {
		if (!db_hash_wanted(s->db, DB_HASH_FILE, k, len))
			continue;
		TRY(digest_bytes(k, data, len, digest, e));
		TRY(db_hash_lookup(s->db, DB_HASH_FILE, k, digest, len, keep_row, &row, e));
	}
	return row.st;
}

st_t match_object(struct scanner *s, struct object *o, bool in_view, struct err *e)
{
	const uint32_t *sigs = NULL;
	size_t n = 0;
	st_t st = engine_finish(s->engine, &sigs, &n, e);
	if (st != ST_OK && st != ST_TIMEOUT && st != ST_LIMIT)
		return st;
	TRY(keep_names(s, o, sigs, n, in_view, e));
	if (st == ST_OK)
		return ST_OK;
	if (st == ST_LIMIT)
		TRY(report_incomplete(s, st, e ? e->text : ""));
	err_clear(e);
	return st == ST_LIMIT ? ST_OK : limits_check_time(s);
}

static st_t match_raw(struct scanner *s, struct object *o, struct err *e)
{
	if (!o->begun)
		match_begin(s, o, o->len);
	while (o->fed < o->len) {
		o->fed += num_min_size(CHUNK, o->len - o->fed);
		engine_feed(s->engine, o->fed);
		TRY(limits_check_time(s));
	}
	o->facts.exe = layout_of(s, o);
	if ((engine_needs(s->engine) & ENGINE_NEEDS_IMAGE_HASH) && !s->opts.no_image_hash)
		TRY(find_image_hash(o->type, rd_make(o->data, o->len), &o->facts, e));
	return match_object(s, o, false, e);
}

st_t match_finish(struct scanner *s, struct object *o, struct err *e)
{
	uint8_t target;
	if (!o->matched || s->stop)
		return ST_OK;
	s->stats->bytes_scanned += o->len;
	if (views_raw_target(s, o->type, &target))
		TRY(match_raw(s, o, e));
	return s->stop ? ST_OK : views_match(s, o, e);
}

static st_t digest_of(struct object *o, enum digest_kind kind, struct err *e)
{
	if (!o->have_digest[kind])
		TRY(digest_bytes(kind, o->data, o->len, o->digest[kind], e));
	o->have_digest[kind] = true;
	return ST_OK;
}

static void set_flag(void *ctx, uint32_t nameref)
{
	(void)nameref;
	*(bool *)ctx = true;
}

/* Whether the object itself is on the trust list. */
static st_t object_trust(struct scanner *s, struct object *o, struct err *e)
{
	bool hit = false;
	if (o->trust != TRUST_UNKNOWN)
		return ST_OK;
	for (enum digest_kind k = 0; k < DIGEST_KINDS && !hit; k++) {
		if (!db_hash_wanted(s->db, DB_HASH_TRUST, k, o->len))
			continue;
		TRY(digest_of(o, k, e));
		TRY(db_hash_lookup(s->db, DB_HASH_TRUST, k, o->digest[k], o->len, set_flag, &hit, e));
	}
	o->trust = hit ? TRUST_YES : TRUST_NO;
	return ST_OK;
}

st_t match_is_trusted(struct scanner *s, struct object *o, bool *ret, struct err *e)
{
	*ret = false;
	for (; o && !*ret; o = o->parent) {
		TRY(object_trust(s, o, e));
		*ret = o->trust == TRUST_YES;
	}
	return ST_OK;
}

/* A digest row that fits, on its way to the sink. */
struct hit {
	struct scanner *s;
	struct object *o;
	struct err *e;
	st_t st;
};

static void on_hit(void *ctx, uint32_t nameref)
{
	struct hit *h = ctx;
	if (h->st == ST_OK)
		h->st = report_found(h->s, h->o, nameref, h->e);
}

static st_t look_up(struct scanner *s, struct object *o, enum db_hash_use use,
                    enum digest_kind kind, const uint8_t *digest, uint64_t size, struct err *e)
{
	struct hit h = {.s = s, .o = o, .e = e};
	TRY(db_hash_lookup(s->db, use, kind, digest, size, on_hit, &h, e));
	return h.st;
}

static st_t report_digests(struct scanner *s, struct object *o, struct err *e)
{
	for (enum digest_kind k = 0; k < DIGEST_KINDS && !s->done; k++) {
		if (!db_hash_wanted(s->db, DB_HASH_FILE, k, o->len))
			continue;
		TRY(digest_of(o, k, e));
		TRY(look_up(s, o, DB_HASH_FILE, k, o->digest[k], o->len, e));
	}
	return ST_OK;
}

static st_t report_section(struct scanner *s, struct object *o, const struct exe_section *sec,
                           struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	struct rd in = rd_make(o->data, o->len);
	struct rd raw = rd_at(&in, sec->off, sec->size);
	if (raw.bad || raw.len == 0)
		return ST_OK;
	for (enum digest_kind k = 0; k < DIGEST_KINDS && !s->done; k++) {
		if (!db_hash_wanted(s->db, DB_HASH_SECTION, k, raw.len))
			continue;
		TRY(digest_bytes(k, raw.base, raw.len, digest, e));
		TRY(look_up(s, o, DB_HASH_SECTION, k, digest, raw.len, e));
	}
	return ST_OK;
}

static bool has_rows(const struct scanner *s, enum db_hash_use use)
{
	const struct db_hash_table *t = &db_view(s->db)->hash[(size_t)use * DIGEST_KINDS];
	uint64_t n = 0;
	for (size_t k = 0; k < DIGEST_KINDS; k++)
		n += t[k].nrows;
	return n > 0;
}

static st_t report_sections(struct scanner *s, struct object *o, struct err *e)
{
	if (!has_rows(s, DB_HASH_SECTION))
		return ST_OK;
	/* Sections may overlap: thousands of them, each nearly the whole file, are bounded by time. */
	for (uint32_t i = 0; i < s->exe.nsections && !s->done && !s->stop; i++) {
		TRY(report_section(s, o, &s->exe.sections[i], e));
		TRY(limits_check_time(s));
	}
	return ST_OK;
}

static st_t report_import_text(struct scanner *s, struct object *o, const struct buf *text,
                               struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	for (enum digest_kind k = 0; k < DIGEST_KINDS && !s->done; k++) {
		if (!db_hash_wanted(s->db, DB_HASH_IMPORT, k, text->len))
			continue;
		TRY(digest_bytes(k, text->len ? text->data : (const uint8_t *)"", text->len, digest, e));
		TRY(look_up(s, o, DB_HASH_IMPORT, k, digest, text->len, e));
	}
	return ST_OK;
}

/* PE32 only: clamscan 1.4.6 computes the same for PE32+, but does not look it up. */
static st_t report_imports(struct scanner *s, struct object *o, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	if (s->done || s->exe.is_64 || !has_rows(s, DB_HASH_IMPORT))
		return ST_OK;
	st_t st = pe_import_text(rd_make(o->data, o->len), &s->exe, &text, &why);
	if (st == ST_OK)
		st = report_import_text(s, o, &text, e);
	else if (st == ST_LIMIT)
		st = report_incomplete(s, st, why.text);
	else
		st = st > 0 ? ST_OK : fail(e, st, why.off, "%s", why.text);
	buf_done(&text);
	return st;
}

/* Of PE only, as in ClamAV. */
static st_t report_pe(struct scanner *s, struct object *o, struct err *e)
{
	if (filetype_target(o->type) != TARGET_PE || s->opts.no_pe || s->done)
		return ST_OK;
	bool wanted = has_rows(s, DB_HASH_SECTION) || has_rows(s, DB_HASH_IMPORT);
	/* The layout in `s` may be a child's by now. */
	if (!wanted || !layout_of(s, o))
		return ST_OK;
	TRY(report_sections(s, o, e));
	return report_imports(s, o, e);
}

st_t match_report(struct scanner *s, struct object *o, struct err *e)
{
	if (!o->matched)
		return ST_OK;
	for (size_t i = 0; i < o->nnames && !s->done; i++)
		TRY(report_found(s, o, o->names[i], e));
	if (!s->done)
		TRY(report_digests(s, o, e));
	return report_pe(s, o, e);
}
