/* elf_parse() against files built here; each rule was seen in clamscan 1.4.6. */
#include "parse/exe.h"
#include "test/t.h"

#define SIZE 0x6000
#define SHOFF 0x200

struct elf {
	bool big, wide;
	uint8_t class, data;
	uint64_t entry, va, off, memsz;
	uint16_t phnum, shnum, phentsize;
};

static uint8_t file[SIZE];
static size_t at;
static bool big;
static struct exe_layout l;

static void put(uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file[at + i] = (uint8_t)(v >> 8 * (big ? n - 1 - i : i));
	at += n;
}

static void put_section(const struct elf *f, uint64_t off, uint64_t size)
{
	size_t w = f->wide ? 8 : 4;
	put(1, 4);
	put(1, 4);
	put(0, w);
	put(0, w);
	put(off, w);
	put(size, w);
	put(0, 8);
	put(0, w);
	put(0, w);
}

static st_t parse(const struct elf *f)
{
	size_t w = f->wide ? 8 : 4, head = f->wide ? 64 : 52;
	memset(file, 0, sizeof file);
	memcpy(file, "\x7f" "ELF", 4);
	file[4] = f->class;
	file[5] = f->data;
	big = f->big;
	at = 24;
	put(f->entry, w);
	put(head, w);
	put(SHOFF, w);
	put(0, 4);
	put(head, 2);
	put(f->phentsize, 2);
	put(f->phnum, 2);
	put(f->wide ? 64 : 40, 2);
	put(f->shnum, 2);
	put(0, 2);
	for (size_t i = 0; i < f->phnum && i < 2; i++) {
		at = head + i * f->phentsize;
		put(1, 4);
		if (f->wide)
			put(5, 4);
		put(f->off + i * 0x800, w);
		put(f->va, w);
		put(0, w);
		put(0x10, w); /* file size: does not count */
		put(f->memsz, w);
	}
	at = SHOFF;
	for (uint32_t i = 0; i < f->shnum && i <= 256; i++)
		put_section(f, i * 0x10, 0x100 + i);
	return elf_parse(rd_make(file, SIZE), &l, NULL);
}

static struct elf make(bool big_, bool wide)
{
	return (struct elf){.big = big_, .wide = wide, .class = wide ? 2 : 1, .data = big_ ? 2 : 1,
		.entry = 0x400510, .va = 0x400000, .memsz = 0x2000, .phnum = 1, .shnum = 3,
		.phentsize = wide ? 56 : 32};
}

static void reads_both_classes_in_both_orders(void)
{
	for (int i = 0; i < 4; i++) {
		struct elf f = make(i & 1, i & 2);
		T_EQ(parse(&f), ST_OK);
		T_EQ(l.ep, 0x510);
		T_EQ(l.is_64, (i & 2) != 0);
		T_EQ(l.nsections, 3);
		T_EQ(l.sections[2].off, 0x20);
		T_EQ(l.sections[2].size, 0x102);
	}
}

static void every_data_byte_but_1_is_big_endian(void)
{
	struct elf f = make(true, true);
	f.data = 0;
	T_EQ(parse(&f), ST_OK);
	f.class = 3;
	T_EQ(parse(&f), ST_MALFORMED);
}

static void the_first_segment_in_memory_maps_the_entry_point(void)
{
	struct elf f = make(false, true);
	f.phnum = 2;
	f.off = 0x100;
	T_EQ(parse(&f), ST_OK);
	T_EQ(l.ep, 0x610);
	f.entry = 0x402000; /* one behind */
	T_EQ(parse(&f), ST_MALFORMED);
	T_TRUE(!l.valid);
	f.off = 0x100000000;
	f.entry = 0x400510;
	T_EQ(parse(&f), ST_OK);
	T_EQ(l.ep, 0x510); /* cut to 32 bits */
}

static void no_entry_point_is_offset_0(void)
{
	struct elf f = make(false, true);
	f.entry = 0;
	T_EQ(parse(&f), ST_OK);
	T_TRUE(l.has_ep && l.ep == 0);
	f = make(false, false);
	f.phnum = 0;
	f.phentsize = 0;
	T_EQ(parse(&f), ST_OK);
	T_EQ(l.ep, 0);
}

static void counts_are_limited(void)
{
	struct elf f = make(false, true);
	f.shnum = 256;
	T_EQ(parse(&f), ST_OK);
	T_EQ(l.nsections, 256);
	f.shnum = 257;
	T_EQ(parse(&f), ST_LIMIT);
	f.shnum = 0;
	T_EQ(parse(&f), ST_OK);
	f.phnum = 129;
	T_EQ(parse(&f), ST_LIMIT);
	f.phnum = 1;
	f.phentsize = 40;
	T_EQ(parse(&f), ST_MALFORMED);
}

static void every_truncation_is_refused(void)
{
	struct elf f = make(false, true);
	T_EQ(parse(&f), ST_OK);
	for (size_t n = 0; n < SHOFF + 3 * 64; n++)
		T_TRUE(elf_parse(rd_make(file, n), &l, NULL) > 0 && !l.valid);
}

int main(void)
{
	T_RUN(reads_both_classes_in_both_orders);
	T_RUN(every_data_byte_but_1_is_big_endian);
	T_RUN(the_first_segment_in_memory_maps_the_entry_point);
	T_RUN(no_entry_point_is_offset_0);
	T_RUN(counts_are_limited);
	T_RUN(every_truncation_is_refused);
	return t_end();
}
