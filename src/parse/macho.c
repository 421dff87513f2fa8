/* Mach-O headers: entry point and sections as file offsets, with the values clamscan 1.4.6 arrives
 * at. Runs in the scan worker on hostile bytes. Every rule below was found by scanning generated
 * files with clamscan; test/e2e/test_exe_offsets.py repeats the comparison.
 *
 * Rules
 * 1. Sections are those of LC_SEGMENT (32-bit files) or LC_SEGMENT_64 (64-bit), in order. Sizes are
 *    rounded up to the section's own alignment (2^align, align < 32); addresses are cut to 32 bits.
 * 2. Only PowerPC threads (LC_UNIXTHREAD) give an entry point, the last one counts: for every other
 *    machine, and with LC_MAIN, the entry point is file offset 0. It is mapped by the first section
 *    that holds it; one that cannot be mapped makes the header invalid.
 * 3. Behind a segment the next command follows its last section, behind a PowerPC thread its
 *    registers, whatever cmdsize says; a cmdsize below 8 counts as 8.
 * 4. 1..1024 commands, at most 255 sections a segment.
 * A universal binary is no Mach-O: its header is refused, its parts are objects of their own. */
#include "parse/exe.h"

#define MACHO_COMMANDS_MAX 1024
#define MACHO_SEGMENT_SECTIONS_MAX 255
#define LC_SEGMENT 0x1
#define LC_UNIXTHREAD 0x5
#define LC_SEGMENT_64 0x19
#define CPU_POWERPC 18
#define CPU_POWERPC64 0x1000012
#define THREAD_PPC 160   /* bytes of registers */
#define THREAD_PPC64 312

struct macho {
	struct rd r;
	bool big, wide;
	uint32_t cpu, ncmds;
	uint32_t entry; /* address; 0 is none */
};

static uint32_t word(struct macho *f)
{
	return f->big ? rd_u32be(&f->r) : rd_u32le(&f->r);
}

/* An address or size of the file's width, cut to 32 bits. */
static uint32_t addr(struct macho *f)
{
	if (!f->wide)
		return word(f);
	return (uint32_t)(f->big ? rd_u64be(&f->r) : rd_u64le(&f->r));
}

static st_t read_header(struct macho *f, struct err *e)
{
	uint32_t magic = rd_u32be(&f->r);
	f->big = (magic & 0xfffffffe) == 0xfeedface;
	f->wide = magic == 0xfeedfacf || magic == 0xcffaedfe;
	if (!f->big && magic != 0xcefaedfe && magic != 0xcffaedfe)
		return fail(e, ST_MALFORMED, 0, "macho: no magic");
	f->cpu = word(f);
	rd_skip(&f->r, 8); /* subtype, file type */
	f->ncmds = word(f);
	rd_skip(&f->r, f->wide ? 12 : 8);
	TRY(rd_check(&f->r, e, "macho: header"));
	if (f->ncmds == 0)
		return fail(e, ST_MALFORMED, 16, "macho: no commands");
	if (f->ncmds > MACHO_COMMANDS_MAX)
		return fail(e, ST_LIMIT, 16, "macho: %u commands", f->ncmds);
	return ST_OK;
}

static st_t read_section(struct macho *f, struct exe_layout *l, struct err *e)
{
	rd_skip(&f->r, 32); /* names */
	uint32_t va = addr(f);
	uint32_t size = addr(f);
	uint32_t off = word(f);
	uint32_t align = word(f);
	rd_skip(&f->r, f->wide ? 24 : 20);
	TRY(rd_check(&f->r, e, "macho: section"));
	if (align > 31)
		return fail(e, ST_MALFORMED, f->r.pos, "macho: alignment 2^%u", align);
	uint32_t mask = (UINT32_C(1) << align) - 1;
	uint32_t rounded = (size + mask) & ~mask;
	if (size != 0 && rounded == 0)
		return fail(e, ST_MALFORMED, f->r.pos, "macho: section of %u bytes", size);
	if (l->nsections >= EXE_SECTIONS_MAX)
		return fail(e, ST_LIMIT, f->r.pos, "macho: too many sections");
	l->sections[l->nsections++] =
	    (struct exe_section){.off = off, .size = rounded, .va = va, .vsize = size};
	return ST_OK;
}

static st_t read_segment(struct macho *f, struct exe_layout *l, struct err *e)
{
	rd_skip(&f->r, f->wide ? 16 + 32 : 16 + 16); /* name; address and file range */
	rd_skip(&f->r, 8);                           /* protections */
	uint32_t n = word(f);
	rd_skip(&f->r, 4);
	TRY(rd_check(&f->r, e, "macho: segment"));
	if (n > MACHO_SEGMENT_SECTIONS_MAX)
		return fail(e, ST_LIMIT, f->r.pos, "macho: segment of %u sections", n);
	for (uint32_t i = 0; i < n; i++)
		TRY(read_section(f, l, e));
	return ST_OK;
}

static st_t read_thread(struct macho *f, struct err *e)
{
	bool ppc64 = f->cpu == CPU_POWERPC64;
	rd_skip(&f->r, 8); /* flavor, count */
	struct rd regs = rd_sub(&f->r, ppc64 ? THREAD_PPC64 : THREAD_PPC);
	TRY(rd_check(&f->r, e, "macho: thread"));
	if (ppc64)
		f->entry = (uint32_t)(f->big ? rd_u64be(&regs) : rd_u64le(&regs));
	else
		f->entry = f->big ? rd_u32be(&regs) : rd_u32le(&regs);
	return ST_OK;
}

static st_t read_command(struct macho *f, struct exe_layout *l, struct err *e)
{
	uint32_t cmd = word(f);
	uint32_t size = word(f);
	TRY(rd_check(&f->r, e, "macho: command"));
	if (cmd == (f->wide ? LC_SEGMENT_64 : LC_SEGMENT))
		return read_segment(f, l, e);
	if (cmd == LC_UNIXTHREAD && (f->cpu == CPU_POWERPC || f->cpu == CPU_POWERPC64))
		return read_thread(f, e);
	if (size > 8)
		rd_skip(&f->r, size - 8); /* the last command may claim more than the file has */
	return ST_OK;
}

static st_t map_entry_point(const struct macho *f, struct exe_layout *l, struct err *e)
{
	l->ep = 0;
	if (f->entry == 0)
		return ST_OK;
	for (uint32_t i = 0; i < l->nsections; i++) {
		const struct exe_section *s = &l->sections[i];
		if (s->va > f->entry || f->entry >= s->va + s->vsize)
			continue;
		l->ep = (uint32_t)(f->entry - s->va + s->off);
		return ST_OK;
	}
	return fail(e, ST_MALFORMED, 0, "macho: entry point 0x%x in no section", f->entry);
}

st_t macho_parse(struct rd in, struct exe_layout *ret, struct err *e)
{
	struct macho f = {.r = in};
	ret->valid = false;
	ret->has_ep = false;
	ret->nsections = 0;
	TRY(read_header(&f, e));
	for (uint32_t i = 0; i < f.ncmds; i++)
		TRY(read_command(&f, ret, e));
	TRY(map_entry_point(&f, ret, e));
	ret->is_64 = f.wide;
	ret->has_ep = true;
	ret->valid = true;
	return ST_OK;
}
