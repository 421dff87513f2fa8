/* sigtool on files: digests, dumps, sections, views. */
#include "explain/sigtool.h"

#include "normal/html.h"
#include "base/num.h"
#include "image/image.h"
#include "normal/text.h"
#include "normal/utf16.h"
#include "parse/exe.h"
#include "parse/filetype.h"
#include "parse/pe_imports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

st_t sigtool_digest(struct out *o, enum digest_kind kind, const struct explain_object *file,
                    const char *name, struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1], size[32];
	TRY(digest_bytes(kind, file->data, file->len, digest, e));
	hex_encode(digest, digest_size(kind), hex);
	out_raw(o, hex, strlen(hex));
	if (*name) {
		snprintf(size, sizeof size, ":%zu:", file->len);
		out_raw(o, size, strlen(size));
		out_raw(o, name, strlen(name));
	}
	out_raw(o, "\n", 1);
	return o->st;
}

void sigtool_hex(struct out *o, const struct explain_object *file)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < file->len && o->st == ST_OK; i++) {
		char two[2] = {digits[file->data[i] >> 4], digits[file->data[i] & 15]};
		out_raw(o, two, sizeof two);
	}
}

static st_t put_section(struct out *o, struct rd in, const struct exe_section *s, uint32_t n,
                        struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1], line[160];
	struct rd raw = rd_at(&in, s->off, s->size);
	int k = snprintf(line, sizeof line, "LibClamAV debug: Section{%" PRIu32 "}: ", n);
	out_raw(o, line, (size_t)k);
	if (raw.bad || raw.len == 0) {
		static const char none[] = "section contains no data\n";
		out_raw(o, none, sizeof none - 1);
		return o->st;
	}
	TRY(digest_bytes(DIGEST_MD5, raw.base, raw.len, digest, e));
	hex_encode(digest, digest_size(DIGEST_MD5), hex);
	k = snprintf(line, sizeof line, "%zu:%s\n", raw.len, hex);
	out_raw(o, line, (size_t)k);
	return o->st;
}

/* Sections may overlap: what is digested is bounded by a number of passes over the file. */
#define SECTION_PASSES 64u

static st_t put_sections(struct out *o, struct rd in, const struct exe_layout *exe, struct err *e)
{
	uint64_t left = (uint64_t)in.len * SECTION_PASSES;
	for (uint32_t i = 0; i < exe->nsections; i++) {
		uint64_t size = exe->sections[i].size;
		if (size > left)
			return fail(e, ST_LIMIT, i, "hashpe: sections overlap too much");
		left -= size;
		TRY(put_section(o, in, &exe->sections[i], i, e));
	}
	return ST_OK;
}

static st_t put_imports(struct out *o, struct rd in, const struct exe_layout *exe, struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1], line[128];
	struct buf text = {0};
	st_t st = pe_import_text(in, exe, &text, e);
	const uint8_t *p = text.len ? text.data : (const uint8_t *)"";
	if (st == ST_OK)
		st = digest_bytes(DIGEST_MD5, p, text.len, digest, e);
	if (st == ST_OK) {
		hex_encode(digest, digest_size(DIGEST_MD5), hex);
		int k = snprintf(line, sizeof line, "LibClamAV debug: Imphash: %s:%zu\n", hex, text.len);
		out_raw(o, line, (size_t)k);
	}
	buf_done(&text);
	return st == ST_OK ? o->st : st;
}

static st_t on_pe(struct out *o, const struct explain_object *file,
                  st_t (*put)(struct out *, struct rd, const struct exe_layout *, struct err *),
                  struct err *e)
{
	struct rd in = rd_make(file->data, file->len);
	struct exe_layout *exe = calloc(1, sizeof *exe);
	if (!exe)
		return fail(e, ST_NOMEM, 0, "out of memory");
	st_t st = pe_parse(in, exe, NULL);
	if (st != ST_OK || !exe->valid)
		st = fail(e, ST_MALFORMED, 0, "hashpe: Not a valid PE file!");
	else
		st = put(o, in, exe, e);
	free(exe);
	return st;
}

st_t sigtool_sections(struct out *o, const struct explain_object *file, struct err *e)
{
	return on_pe(o, file, put_sections, e);
}

st_t sigtool_imports(struct out *o, const struct explain_object *file, struct err *e)
{
	return on_pe(o, file, put_imports, e);
}

st_t sigtool_image(struct out *o, const struct explain_object *file, const char *name,
                   struct err *e)
{
	struct err why = {0};
	uint64_t hash;
	char line[32];
	struct rd in = rd_make(file->data, file->len);
	struct rd head = rd_at(&in, 0, num_min_size(file->len, FILETYPE_HEAD));
	st_t st = image_hash(in, filetype_detect(head, file->len), &hash, &why);
	if (st != ST_OK)
		return fail(e, st, why.off, "%s: Failed to calculate image fuzzy hash: %s", name, why.text);
	int n = snprintf(line, sizeof line, ": %016" PRIx64 "\n", hash);
	out_raw(o, name, strlen(name));
	out_raw(o, line, (size_t)n);
	return o->st;
}

static st_t put_copy(struct out *o, struct buf *b, st_t st)
{
	if (st == ST_OK)
		out_raw(o, b->data, b->len);
	buf_done(b);
	return st == ST_OK ? o->st : st;
}

st_t sigtool_text(struct out *o, const struct explain_object *file, struct err *e)
{
	struct buf b = {0};
	return put_copy(o, &b, normal_text_sigtool(file->data, file->len, &b, e));
}

st_t sigtool_utf16(struct out *o, const struct explain_object *file, struct err *e)
{
	struct buf b = {0};
	return put_copy(o, &b, normal_utf16_sigtool(file->data, file->len, &b, e));
}

/* sigtool makes no views of an empty file; its bytes are taken as they are, UTF-16 or not. */
st_t sigtool_html(struct out *o, enum sigtool_html which, const struct explain_object *file,
                  bool *ret_there, struct err *e)
{
	struct html_views v = {0};
	struct html_opts opts = {.scripts = which == SIGTOOL_SCRIPT};
	TRY(normal_html(rd_make(file->data, file->len), &opts, &v, e));
	const struct buf *b = which == SIGTOOL_NOCOMMENT ? &v.nocomment
	                      : which == SIGTOOL_NOTAGS  ? &v.notags
	                                                 : &v.javascript;
	*ret_there = file->len > 0 && (which != SIGTOOL_SCRIPT || v.has_script);
	if (*ret_there)
		out_raw(o, b->data, b->len);
	html_views_done(&v);
	return o->st;
}
