/* pe_parse() against files built here; each rule was seen in clamscan 1.4.6. */
#include "parse/exe.h"
#include "test/t.h"

#define SIZE 0x3000
#define LFANEW 0x80
#define OPT (LFANEW + 24)

struct sec {
	uint32_t va, vsize, raw, rsize;
};

struct pe {
	uint32_t ep, section_align, file_align, headers, dirs;
	uint16_t opt_size, magic, nsections;
	struct sec s[2];
};

static uint8_t file[0x300000]; /* the largest section table has 40 * 65,535 bytes */
static struct exe_layout l;

static const struct pe base = {
	.ep = 0x1000, .section_align = 0x1000, .file_align = 0x200, .headers = 0x400, .dirs = 16,
	.opt_size = 0xe0, .magic = 0x10b, .nsections = 2,
	.s = {{0x1000, 0x1000, 0x400, 0x200}, {0x2000, 0x1000, 0x600, 0x200}},
};

static void put(size_t off, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file[off + i] = (uint8_t)(v >> 8 * i);
}

static st_t parse(const struct pe *p)
{
	memset(file, 0, sizeof file);
	put(0, 0x5a4d, 2);
	put(0x3c, LFANEW, 4);
	put(LFANEW, 0x4550, 4);
	put(LFANEW + 6, p->nsections, 2);
	put(LFANEW + 20, p->opt_size, 2);
	put(OPT, p->magic, 2);
	put(OPT + 16, p->ep, 4);
	put(OPT + 32, p->section_align, 4);
	put(OPT + 36, p->file_align, 4);
	put(OPT + 60, p->headers, 4);
	put(OPT + (p->magic == 0x20b ? 108 : 92), p->dirs, 4);
	for (size_t i = 0; i < p->nsections; i++) {
		const struct sec *s = &p->s[i % 2];
		size_t at = OPT + p->opt_size + 40 * i;
		put(at + 8, s->vsize, 4);
		put(at + 12, s->va, 4);
		put(at + 16, s->rsize, 4);
		put(at + 20, s->raw, 4);
	}
	return pe_parse(rd_make(file, p->nsections > 2 ? sizeof file : SIZE), &l, NULL);
}

static void reads_pe32_and_pe32plus(void)
{
	struct pe p = base;
	T_EQ(parse(&p), ST_OK);
	T_TRUE(l.valid && l.has_ep && !l.is_64);
	T_EQ(l.ep, 0x400);
	T_EQ(l.nsections, 2);
	T_EQ(l.sections[1].off, 0x600);
	T_EQ(l.sections[1].size, 0x200);
	p.magic = 0x20b;
	p.opt_size = 0xf0;
	T_EQ(parse(&p), ST_OK);
	T_TRUE(l.is_64);
	T_EQ(l.ep, 0x400);
}

static void rounds_raw_pointers_down_and_sizes_up(void)
{
	struct pe p = base;
	p.s[0].rsize = 0x101;
	p.s[1].raw = 0x7ff;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[0].size, 0x200);
	T_EQ(l.sections[1].off, 0x600);
}

static void falls_back_to_sectors_if_a_pointer_is_misaligned(void)
{
	struct pe p = base;
	p.file_align = 0x400;
	p.s[0].raw = 0x617;
	p.s[1].raw = 0xa00;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[0].off, 0x600);
	p.s[1].rsize = 0;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[0].off, 0x400);
	p = base;
	p.file_align = 0x400;
	p.s[0].raw = 0x617;
	p.s[1].raw = 0x800;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[0].off, 0x400);
}

static void cuts_sections_at_the_end_of_the_file(void)
{
	struct pe p = base;
	p.s[1].rsize = 0x80000000;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[1].size, SIZE - 0x600);
	p.s[1].raw = 0x10000;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.sections[1].size, 0);
	p.s[1].rsize = 0xffffffff; /* rounds to 0 */
	T_EQ(parse(&p), ST_MALFORMED);
	T_TRUE(!l.valid);
}

/* Version information in the second section: directories of type, name and language, then data. */
enum { RSRC = 0x600, DATA = 0x600 + 0x60, TABLE = DATA + 92 + 36, STRING = TABLE + 24 };

static void put_text(size_t off, const char *s)
{
	for (; *s; s++, off += 2)
		put(off, (uint8_t)*s, 2);
}

static void put_directory(size_t off, uint32_t id, uint32_t to)
{
	put(off + 14, 1, 2);
	put(off + 16, id, 4);
	put(off + 20, to, 4);
}

static void put_node(size_t off, size_t len, size_t value, const char *key)
{
	put(off, len, 2);
	put(off + 2, value, 2);
	put_text(off + 6, key);
}

/* A file whose only string "Key" = "Value" has the length `string`. */
static void version_file(uint32_t string)
{
	struct pe p = base;
	p.s[1].rsize = 0x400;
	T_EQ(parse(&p), ST_OK);
	put(OPT + 96 + 16, 0x2000, 4);
	put(OPT + 96 + 20, 0x100, 4);
	put_directory(RSRC, 16, 0x80000018);
	put_directory(RSRC + 0x18, 1, 0x80000030);
	put_directory(RSRC + 0x30, 0x409, 0x48);
	put(RSRC + 0x48, 0x2060, 4);
	put(RSRC + 0x4c, 92 + 36 + 24 + 28, 4);
	put_node(DATA, 92 + 36 + 24 + 28, 52, "VS_VERSION_INFO");
	put(DATA + 40, 0xfeef04bd, 4);
	put_node(DATA + 92, 36 + 24 + 28, 0, "StringFileInfo");
	put_node(TABLE, 24 + 28, 0, "040904b0");
	put_node(STRING, string, 6, "Key");
	put_text(STRING + 16, "Value");
	T_EQ(pe_parse(rd_make(file, SIZE), &l, NULL), ST_OK);
	pe_version_keys(rd_make(file, SIZE), &l);
}

static void finds_the_keys_of_version_information(void)
{
	version_file(28);
	T_EQ(l.nversion_keys, 1);
	T_EQ(l.version_key[0], STRING + 6);
}

static void a_key_without_a_value_or_reaching_out_does_not_count(void)
{
	version_file(17);
	T_EQ(l.nversion_keys, 1);
	version_file(16);
	T_EQ(l.nversion_keys, 0);
	version_file(29);
	T_EQ(l.nversion_keys, 0);
}

static void a_version_that_refers_to_itself_ends(void)
{
	version_file(28);
	put_directory(RSRC + 0x18, 1, 0x80000018); /* of languages: none is data */
	pe_version_keys(rd_make(file, SIZE), &l);
	T_EQ(l.nversion_keys, 0);
	put(RSRC + 14, 0xffff, 2); /* types */
	put_directory(RSRC, 16, 0x80000000);
	pe_version_keys(rd_make(file, SIZE), &l);
	T_EQ(l.nversion_keys, 0);
}

static void the_same_data_named_twice_count_once(void)
{
	version_file(28);
	put(RSRC + 0x30 + 14, 2, 2); /* two languages: the second entry takes the place of the data's */
	put(RSRC + 0x30 + 20, 0x58, 4);
	put(RSRC + 0x48, 0x407, 4);
	put(RSRC + 0x4c, 0x58, 4);
	put(RSRC + 0x58, 0x2060, 4);
	put(RSRC + 0x5c, 92 + 36 + 24 + 28, 4);
	pe_version_keys(rd_make(file, SIZE), &l);
	T_EQ(l.nversion_keys, 1);
	T_EQ(l.version_key[0], STRING + 6);
}

static void refuses_addresses_with_the_sign_bit(void)
{
	struct pe p = base;
	p.s[1].va = 0x80000000;
	T_EQ(parse(&p), ST_MALFORMED);
	p = base;
	p.s[1].vsize = 0x80000000;
	T_EQ(parse(&p), ST_MALFORMED);
}

static void maps_the_entry_point_by_the_last_section_that_holds_it(void)
{
	struct pe p = base;
	p.s[0] = (struct sec){0x1000, 0x2000, 0x400, 0x1200};
	p.s[1].raw = 0x1600;
	p.ep = 0x2010;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.ep, 0x1610);
	p.s[1] = p.s[0];
	p.s[0] = (struct sec){0x2000, 0x1000, 0x1600, 0x200};
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.ep, 0x1410);
}

static void an_entry_point_in_the_header_is_its_own_offset(void)
{
	struct pe p = base;
	p.ep = 0xfff; /* SizeOfHeaders 0x400 rounds up to 0x1000 */
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.ep, 0xfff);
	p.headers = 0x5000;
	p.ep = 0x3fff;
	T_EQ(parse(&p), ST_MALFORMED);
}

static void an_entry_point_outside_raw_bytes_is_refused(void)
{
	struct pe p = base;
	p.ep = 0x1200; /* within VirtualSize, behind SizeOfRawData */
	T_EQ(parse(&p), ST_MALFORMED);
}

static void the_optional_header_must_hold_its_directories(void)
{
	struct pe p = base;
	p.opt_size = 0x60;
	T_EQ(parse(&p), ST_MALFORMED);
	p.dirs = 0;
	T_EQ(parse(&p), ST_OK);
	p.opt_size = 0xe0;
	p.dirs = 99; /* counts as 16 */
	T_EQ(parse(&p), ST_OK);
}

static void no_number_of_sections_hides_them(void)
{
	struct pe p = base;
	p.nsections = 200;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.nsections, 200);
	p.nsections = 0;
	T_EQ(parse(&p), ST_MALFORMED);
	for (uint32_t n = 513; n <= UINT16_MAX; n = n * 2 + 1) {
		p.nsections = (uint16_t)n;
		T_EQ(parse(&p), ST_OK);
		T_EQ(l.nsections, n);
		T_EQ(l.sections[n - 1].size, 0x200);
	}
	p.nsections = UINT16_MAX;
	T_EQ(parse(&p), ST_OK);
	T_EQ(l.nsections, UINT16_MAX);
}

static void every_truncation_is_refused(void)
{
	struct pe p = base;
	T_EQ(parse(&p), ST_OK);
	for (size_t n = 0; n < OPT + 0xe0 + 80; n++)
		T_TRUE(pe_parse(rd_make(file, n), &l, NULL) > 0 && !l.valid);
}

int main(void)
{
	T_RUN(reads_pe32_and_pe32plus);
	T_RUN(rounds_raw_pointers_down_and_sizes_up);
	T_RUN(falls_back_to_sectors_if_a_pointer_is_misaligned);
	T_RUN(cuts_sections_at_the_end_of_the_file);
	T_RUN(refuses_addresses_with_the_sign_bit);
	T_RUN(maps_the_entry_point_by_the_last_section_that_holds_it);
	T_RUN(an_entry_point_in_the_header_is_its_own_offset);
	T_RUN(an_entry_point_outside_raw_bytes_is_refused);
	T_RUN(the_optional_header_must_hold_its_directories);
	T_RUN(no_number_of_sections_hides_them);
	T_RUN(finds_the_keys_of_version_information);
	T_RUN(a_key_without_a_value_or_reaching_out_does_not_count);
	T_RUN(a_version_that_refers_to_itself_ends);
	T_RUN(the_same_data_named_twice_count_once);
	T_RUN(every_truncation_is_refused);
	return t_end();
}
