/* ELF headers: entry point and sections as file offsets, with the values clamscan 1.4.6 arrives at.
 * Runs in the scan worker on hostile bytes. Every rule below was found by scanning generated files
 * with clamscan; test/e2e/test_exe_offsets.py repeats the comparison.
 *
 * Rules
 * 1. EI_DATA 1 is little-endian, everything else big-endian; EI_CLASS must be 1 or 2; e_version,
 *    e_type and e_machine do not matter.
 * 2. The entry point is mapped by the first segment of any type that holds it in memory (p_memsz).
 *    One that cannot be mapped makes the header invalid. Without segments, or with e_entry 0, the
 *    entry point is file offset 0.
 * 3. At most 128 segments and 256 sections; entry sizes must be those of the class.
 * 4. Sections are all headers, in order, NOBITS and null included.
 * 5. The entry point's offset and the sizes of sections are cut to 32 bits. */
#include "parse/exe.h"

#define ELF_SEGMENTS_MAX 128
#define ELF_SECTIONS_MAX 256

_Static_assert(ELF_SECTIONS_MAX <= EXE_SECTIONS_MAX, "sections fit the layout");

struct elf {
	struct rd r;
	bool big, wide; /* byte order, class 64 */
	uint64_t entry, phoff, shoff;
	uint16_t phentsize, phnum, shentsize, shnum;
};

static uint16_t half(struct elf *f)
{
	return f->big ? rd_u16be(&f->r) : rd_u16le(&f->r);
}

static uint32_t word(struct elf *f)
{
	return f->big ? rd_u32be(&f->r) : rd_u32le(&f->r);
}

/* An address, offset or size: as wide as the class. */
static uint64_t addr(struct elf *f)
{
	if (!f->wide)
		return word(f);
	return f->big ? rd_u64be(&f->r) : rd_u64le(&f->r);
}

static st_t read_header(struct elf *f, struct err *e)
{
	if (!rd_peek(&f->r, "\x7f" "ELF", 4))
		return fail(e, ST_MALFORMED, 0, "elf: no magic");
	rd_skip(&f->r, 4);
	uint8_t class = rd_u8(&f->r);
	f->big = rd_u8(&f->r) != 1;
	f->wide = class == 2;
	rd_skip(&f->r, 10 + 8); /* rest of e_ident; type, machine, version */
	f->entry = addr(f);
	f->phoff = addr(f);
	f->shoff = addr(f);
	rd_skip(&f->r, 6); /* flags, header size */
	f->phentsize = half(f);
	f->phnum = half(f);
	f->shentsize = half(f);
	f->shnum = half(f);
	rd_skip(&f->r, 2);
	TRY(rd_check(&f->r, e, "elf: header"));
	if (class != 1 && class != 2)
		return fail(e, ST_MALFORMED, 4, "elf: class %u", class);
	return ST_OK;
}

struct elf_segment {
	uint64_t off, va, memsz;
};

static struct elf_segment read_segment(struct elf *f)
{
	struct elf_segment s;
	rd_skip(&f->r, f->wide ? 8 : 4); /* type; flags */
	s.off = addr(f);
	s.va = addr(f);
	rd_skip(&f->r, f->wide ? 16 : 8); /* physical address, file size */
	s.memsz = addr(f);
	rd_skip(&f->r, 8); /* alignment; flags too in class 32 */
	return s;
}

/* As the loader of a class-32 file counts: sums wrap at the width of the class. */
static bool segment_holds(const struct elf *f, const struct elf_segment *s)
{
	uint64_t end = s->va + s->memsz;
	if (!f->wide)
		end &= UINT32_MAX;
	return s->va <= f->entry && f->entry < end;
}

static st_t read_segments(struct elf *f, uint64_t *ret_ep, struct err *e)
{
	bool found = f->entry == 0 || f->phnum == 0;
	*ret_ep = 0;
	if (f->phnum == 0)
		return ST_OK;
	if (f->phnum > ELF_SEGMENTS_MAX)
		return fail(e, ST_LIMIT, 0, "elf: %u segments", f->phnum);
	if (f->phentsize != (f->wide ? 56 : 32))
		return fail(e, ST_MALFORMED, 0, "elf: segment headers of %u bytes", f->phentsize);
	rd_seek(&f->r, f->phoff);
	for (uint32_t i = 0; i < f->phnum; i++) {
		struct elf_segment s = read_segment(f);
		TRY(rd_check(&f->r, e, "elf: segment header"));
		if (found || !segment_holds(f, &s))
			continue;
		*ret_ep = (uint32_t)(f->entry - s.va + s.off);
		found = true;
	}
	if (!found)
		return fail(e, ST_MALFORMED, 0, "elf: entry point in no segment");
	return ST_OK;
}

static st_t read_sections(struct elf *f, struct exe_layout *l, struct err *e)
{
	l->nsections = f->shnum;
	if (f->shnum > ELF_SECTIONS_MAX)
		return fail(e, ST_LIMIT, 0, "elf: %u sections", f->shnum);
	if (f->shentsize != (f->wide ? 64 : 40))
		return fail(e, ST_MALFORMED, 0, "elf: section headers of %u bytes", f->shentsize);
	if (f->shnum > 0)
		rd_seek(&f->r, f->shoff);
	for (uint32_t i = 0; i < f->shnum; i++) {
		rd_skip(&f->r, 8); /* name, type */
		rd_skip(&f->r, f->wide ? 16 : 8); /* flags, address */
		l->sections[i].off = addr(f);
		l->sections[i].size = (uint32_t)addr(f);
		rd_skip(&f->r, f->wide ? 24 : 16);
		TRY(rd_check(&f->r, e, "elf: section header"));
	}
	return ST_OK;
}

st_t elf_parse(struct rd in, struct exe_layout *ret, struct err *e)
{
	struct elf f = {.r = in};
	ret->valid = false;
	ret->has_ep = false;
	TRY(read_header(&f, e));
	TRY(read_segments(&f, &ret->ep, e));
	TRY(read_sections(&f, ret, e));
	ret->is_64 = f.wide;
	ret->has_ep = true;
	ret->valid = true;
	return ST_OK;
}
