/* macho_parse() against files built here; each rule was seen in clamscan 1.4.6. */
#include "parse/exe.h"
#include "test/t.h"

#define PPC 18
#define PPC64 0x1000012
#define X86_64 0x1000007

static uint8_t file[0x8000];
static size_t at;
static bool big, wide;
static struct exe_layout l;

static void put(uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file[at + i] = (uint8_t)(v >> 8 * (big ? n - 1 - i : i));
	at += n;
}

static void begin(bool big_, bool wide_, uint32_t cpu, uint32_t ncmds)
{
	memset(file, 0, sizeof file);
	big = big_;
	wide = wide_;
	at = 0;
	put(wide ? 0xfeedfacf : 0xfeedface, 4);
	put(cpu, 4);
	at += 8;
	put(ncmds, 4);
	at += wide ? 12 : 8;
}

/* A segment of n sections of `size` bytes: in memory at 0x1500, 0x1700 …, on disk 0x1000 below. */
static void segment(uint32_t n, uint32_t size, uint32_t align)
{
	size_t w = wide ? 8 : 4;
	put(wide ? 0x19 : 1, 4);
	put(0, 4); /* cmdsize: does not count */
	at += 16 + 4 * w + 8;
	put(n, 4);
	put(0, 4);
	for (uint32_t i = 0; i < n; i++) {
		at += 32;
		put(0x1500 + 0x200 * i, w);
		put(size, w);
		put(0x500 + 0x200 * i, 4);
		put(align, 4);
		at += wide ? 24 : 20;
	}
}

static void thread(uint32_t pc, size_t state)
{
	size_t end = at + 16 + state;
	put(5, 4);
	put(16 + state, 4);
	at += 8;
	put(pc, wide ? 8 : 4);
	at = end;
}

static st_t parse(void)
{
	return macho_parse(rd_make(file, at), &l, NULL);
}

static void reads_both_widths_in_both_orders(void)
{
	for (int i = 0; i < 4; i++) {
		begin(i & 1, i & 2, PPC, 2);
		segment(2, 0x103, 4);
		segment(1, 0x100, 0);
		T_EQ(parse(), ST_OK);
		T_EQ(l.is_64, (i & 2) != 0);
		T_EQ(l.nsections, 3);
		T_EQ(l.sections[1].off, 0x700);
		T_EQ(l.sections[1].size, 0x110); /* to the section's alignment, 2^4 */
		T_EQ(l.sections[2].size, 0x100);
	}
}

static void only_powerpc_threads_have_an_entry_point(void)
{
	begin(true, false, PPC, 3);
	thread(0x1520, 160);
	segment(2, 0x100, 4);
	thread(0x1710, 160); /* the last one counts */
	T_EQ(parse(), ST_OK);
	T_EQ(l.ep, 0x710);
	begin(true, true, PPC64, 2);
	thread(0x1510, 312);
	segment(1, 0x100, 4);
	T_EQ(parse(), ST_OK);
	T_EQ(l.ep, 0x510);
	begin(false, true, X86_64, 2);
	segment(1, 0x100, 4);
	thread(0x1510, 168);
	T_EQ(parse(), ST_OK);
	T_TRUE(l.has_ep && l.ep == 0);
}

static void an_entry_point_in_no_section_is_refused(void)
{
	begin(true, false, PPC, 2);
	segment(1, 0x101, 4);
	thread(0x1605, 160); /* within the rounded size only */
	T_EQ(parse(), ST_MALFORMED);
	T_TRUE(!l.valid);
}

static void limits_are_those_of_clamscan(void)
{
	begin(true, false, PPC, 1);
	segment(255, 1, 0);
	T_EQ(parse(), ST_OK);
	begin(true, false, PPC, 1);
	segment(256, 1, 0);
	T_EQ(parse(), ST_LIMIT);
	begin(true, false, PPC, 0);
	T_EQ(parse(), ST_MALFORMED);
	begin(true, false, PPC, 1025);
	T_EQ(parse(), ST_LIMIT);
	begin(true, false, PPC, 1);
	segment(1, 1, 32);
	T_EQ(parse(), ST_MALFORMED);
	begin(true, false, PPC, 1);
	segment(1, 0xffffffff, 4); /* rounds to 0 */
	T_EQ(parse(), ST_MALFORMED);
}

static void a_universal_binary_is_refused(void)
{
	begin(true, false, PPC, 1);
	memcpy(file, "\xca\xfe\xba\xbe", 4);
	T_EQ(parse(), ST_MALFORMED);
}

static void every_truncation_is_refused(void)
{
	begin(true, false, PPC, 2);
	segment(2, 0x100, 4);
	thread(0x1510, 160);
	T_EQ(parse(), ST_OK);
	for (size_t n = 0; n < at; n++)
		T_TRUE(macho_parse(rd_make(file, n), &l, NULL) > 0 && !l.valid);
}

int main(void)
{
	T_RUN(reads_both_widths_in_both_orders);
	T_RUN(only_powerpc_threads_have_an_entry_point);
	T_RUN(an_entry_point_in_no_section_is_refused);
	T_RUN(limits_are_those_of_clamscan);
	T_RUN(a_universal_binary_is_refused);
	T_RUN(every_truncation_is_refused);
	return t_end();
}
