/* PE headers: entry point and sections as file offsets, with the values clamscan 1.4.6 arrives at.
 * Runs in the scan worker on hostile bytes. Every rule below was found by scanning generated files
 * with clamscan; test/e2e/test_exe_offsets.py repeats the comparison.
 *
 * Rules
 * 1. Raw pointers are rounded down, raw sizes up, to the file alignment. If some pointer of a
 *    section with a raw size is no multiple of it but one of 512, the alignment of all is 512.
 * 2. A raw size that passes the end of the file is cut there; a section that starts at or behind
 *    the end has size 0.
 * 3. Virtual addresses are rounded down and SizeOfHeaders up to the section alignment.
 * 4. The entry point is the address itself if below SizeOfHeaders, else it is mapped by the last
 *    section whose raw bytes hold it. One that cannot be mapped makes the whole header invalid.
 * 5. All sums are modulo 2^32.
 * 6. Rule 4 holds for every address that is looked up; one behind the end of the file is none.
 * Section hashes (mdb, msb) cover exactly off..off+size as given here; clamscan 1.4.6 matches them
 * for PE32+ too, though its manual says that it does not. */
#include "parse/exe.h"

#include "parse/pe_head.h"

#define PE_MAGIC 0x4550u
#define PE_OPT_MAGIC_PLUS 0x20b
#define PE_OPT_SIZE 96       /* optional header up to the data directories */
#define PE_OPT_SIZE_PLUS 112
#define PE_DIRECTORIES_MAX 16
#define PE_DIRECTORY_SIZE 8
#define PE_SECTION_SIZE 40
#define PE_DIRECTORY_IMPORT 1
#define PE_DIRECTORY_RESOURCE 2 /* the next one */
#define PE_SECTOR 512 /* alignment that loaders fall back to */
#define PE_SIGN 0x80000000u

struct pe_section {
	uint32_t vsize, va, rsize, raw;
};

_Static_assert(EXE_SECTIONS_MAX >= UINT16_MAX, "all sections that a header can name fit");

static uint32_t align_down(uint32_t v, uint32_t a)
{
	return a ? v - v % a : v;
}

static uint32_t align_up(uint32_t v, uint32_t a)
{
	return a && v % a ? align_down(v, a) + a : v;
}

static st_t read_file_header(struct rd *r, struct pe_head *h, struct err *e)
{
	uint16_t mz = rd_u16le(r);
	rd_seek(r, 0x3c);
	uint32_t lfanew = rd_u32le(r);
	TRY(rd_check(r, e, "pe: DOS header"));
	if (mz != 0x5a4d || lfanew == 0)
		return fail(e, ST_MALFORMED, 0, "pe: not a PE file");
	rd_seek(r, lfanew);
	uint32_t magic = rd_u32le(r);
	rd_skip(r, 2); /* machine */
	h->nsections = rd_u16le(r);
	rd_skip(r, 12); /* time, symbols */
	h->opt_size = rd_u16le(r);
	rd_skip(r, 2); /* characteristics */
	TRY(rd_check(r, e, "pe: file header"));
	if (magic != PE_MAGIC)
		return fail(e, ST_MALFORMED, lfanew, "pe: no PE signature");
	if (h->nsections == 0)
		return fail(e, ST_MALFORMED, lfanew, "pe: no sections");
	return ST_OK;
}

/* The fields used lie at the same place in PE32 and PE32+; only the end differs. */
static st_t read_optional_header(struct rd *r, struct pe_head *h, struct err *e)
{
	uint64_t start = r->pos;
	h->table = start + h->opt_size;
	h->plus = rd_u16le(r) == PE_OPT_MAGIC_PLUS;
	uint32_t fixed = h->plus ? PE_OPT_SIZE_PLUS : PE_OPT_SIZE;
	rd_skip(r, 14);
	h->ep = rd_u32le(r);
	rd_skip(r, 12);
	h->section_align = rd_u32le(r);
	h->file_align = rd_u32le(r);
	rd_skip(r, 20);
	h->headers = align_up(rd_u32le(r), h->section_align);
	rd_seek(r, start + fixed - 4);
	uint32_t dirs = rd_u32le(r);
	TRY(rd_check(r, e, "pe: optional header"));
	if (dirs > PE_DIRECTORIES_MAX)
		dirs = PE_DIRECTORIES_MAX;
	if (h->opt_size < fixed + dirs * PE_DIRECTORY_SIZE)
		return fail(e, ST_MALFORMED, start, "pe: optional header of %u bytes", h->opt_size);
	if (dirs <= PE_DIRECTORY_IMPORT)
		return ST_OK;
	rd_skip(r, PE_DIRECTORY_IMPORT * PE_DIRECTORY_SIZE);
	h->import_rva = rd_u32le(r);
	h->import_size = rd_u32le(r);
	if (dirs > PE_DIRECTORY_RESOURCE) {
		h->resource_rva = rd_u32le(r);
		h->resource_size = rd_u32le(r);
	}
	return rd_check(r, e, "pe: data directories");
}

static struct pe_section read_section(struct rd *r)
{
	struct pe_section s;
	rd_skip(r, 8); /* name */
	s.vsize = rd_u32le(r);
	s.va = rd_u32le(r);
	s.rsize = rd_u32le(r);
	s.raw = rd_u32le(r);
	rd_skip(r, 16);
	return s;
}

/* Rule 1, second sentence. */
static uint32_t effective_align(struct rd table, const struct pe_head *h)
{
	uint32_t a = h->file_align;
	for (uint32_t i = 0; a && i < h->nsections; i++) {
		struct pe_section s = read_section(&table);
		if (s.rsize && s.raw % a && s.raw % PE_SECTOR == 0)
			return PE_SECTOR;
	}
	return a;
}

/* Rules 1 and 2; false if the header is to be refused. */
static bool place_section(const struct pe_section *s, uint32_t align, uint64_t file_size,
                          struct exe_section *ret)
{
	uint32_t off = align_down(s->raw, align);
	uint32_t size = align_up(s->rsize, align);
	bool wrapped = size == 0 && s->rsize != 0;
	if (wrapped)
		size = s->rsize;
	if (off >= file_size && !wrapped)
		size = 0;
	else if (!wrapped && size > file_size - off)
		size = (uint32_t)(file_size - off);
	ret->off = off;
	ret->size = size;
	return !((s->vsize | s->va | size) & PE_SIGN);
}

bool pe_map(const struct pe_head *h, const struct exe_layout *l, uint64_t file_size, uint32_t rva,
            uint64_t *ret)
{
	bool found = rva < h->headers;
	uint64_t off = rva;
	for (uint32_t i = h->nsections; !found && i > 0; i--) {
		const struct exe_section *s = &l->sections[i - 1];
		found = s->va <= rva && rva - s->va < s->size;
		off = s->off + (rva - s->va);
	}
	if (!found || off >= file_size)
		return false;
	*ret = off;
	return true;
}

st_t pe_head_read(struct rd in, struct pe_head *ret, struct rd *ret_table, struct err *e)
{
	*ret = (struct pe_head){0};
	TRY(read_file_header(&in, ret, e));
	TRY(read_optional_header(&in, ret, e));
	*ret_table = rd_at(&in, ret->table, (uint64_t)ret->nsections * PE_SECTION_SIZE);
	return rd_check(ret_table, e, "pe: section table");
}

st_t pe_parse(struct rd in, struct exe_layout *ret, struct err *e)
{
	struct pe_head h;
	struct rd table;
	ret->valid = false;
	ret->has_ep = false;
	ret->nversion_keys = 0;
	TRY(pe_head_read(in, &h, &table, e));

	uint32_t align = effective_align(table, &h);
	struct rd r = table;
	for (uint32_t i = 0; i < h.nsections; i++) {
		struct pe_section s = read_section(&r);
		ret->sections[i].va = align_down(s.va, h.section_align);
		if (!place_section(&s, align, in.len, &ret->sections[i]))
			return fail(e, ST_MALFORMED, h.table, "pe: section %u is too large", i);
	}
	if (!pe_map(&h, ret, in.len, h.ep, &ret->ep))
		return fail(e, ST_MALFORMED, 0, "pe: entry point 0x%x outside the file", h.ep);
	ret->nsections = h.nsections;
	ret->is_64 = h.plus;
	ret->has_ep = true;
	ret->valid = true;
	return ST_OK;
}
