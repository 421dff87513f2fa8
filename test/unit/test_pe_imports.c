/* pe_import_text() against files built here; each rule was seen in sigtool --imp 1.4.6. */
#include "parse/exe.h"
#include "parse/pe_imports.h"
#include "test/t.h"

#define SIZE 0x1000
#define LFANEW 0x80
#define OPT (LFANEW + 24)
#define VA 0x1000 /* of the only section, which begins at RAW */
#define RAW 0x400
#define TABLE 0x100u  /* in the section: descriptors, thunks of each library, names */
#define THUNKS 0x200u
#define NAMES 0x400u

static uint8_t file[SIZE];
static struct exe_layout l;
static struct buf text;
static size_t names_end;
static bool plus;

static void put(size_t off, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file[off + i] = (uint8_t)(v >> 8 * i);
}

static void put_directory(uint32_t rva, uint32_t size)
{
	put(OPT + (plus ? 120 : 104), rva, 4);
	put(OPT + (plus ? 124 : 108), size, 4);
}

static void make(bool is_plus)
{
	plus = is_plus;
	memset(file, 0, sizeof file);
	names_end = NAMES;
	put(0, 0x5a4d, 2);
	put(0x3c, LFANEW, 4);
	put(LFANEW, 0x4550, 4);
	put(LFANEW + 6, 1, 2);
	put(LFANEW + 20, plus ? 0xf0 : 0xe0, 2);
	put(OPT, plus ? 0x20b : 0x10b, 2);
	put(OPT + 16, VA, 4);
	put(OPT + 32, 0x1000, 4);
	put(OPT + 36, 0x200, 4);
	put(OPT + 60, RAW, 4);
	put(OPT + (plus ? 108 : 92), 16, 4);
	size_t table = OPT + (plus ? 0xf0 : 0xe0);
	put(table + 8, 0x1000, 4);
	put(table + 12, VA, 4);
	put(table + 16, SIZE - RAW, 4);
	put(table + 20, RAW, 4);
	put_directory(VA + TABLE, 200);
}

static uint32_t put_name(const char *s, size_t hint)
{
	uint32_t rva = (uint32_t)(VA + names_end);
	memcpy(file + RAW + names_end + hint, s, strlen(s) + 1);
	names_end += hint + strlen(s) + 1;
	return rva;
}

/* Library i; its thunks are at thunks(i). */
static uint32_t thunks(unsigned i)
{
	return VA + THUNKS + 64 * i;
}

static void put_library(unsigned i, const char *name)
{
	size_t at = RAW + TABLE + 20 * i;
	put(at, thunks(i), 4);
	put(at + 12, put_name(name, 0), 4);
	put(at + 16, thunks(i), 4);
}

static void put_thunk(unsigned i, unsigned k, uint64_t v)
{
	size_t width = plus ? 8 : 4;
	put(thunks(i) - VA + RAW + width * k, v, width);
}

static const char *result(void)
{
	struct rd in = rd_make(file, sizeof file);
	text.len = 0;
	if (pe_parse(in, &l, NULL) != ST_OK)
		return "no PE";
	if (pe_import_text(in, &l, &text, NULL) != ST_OK)
		return "none";
	buf_u8(&text, 0);
	return (const char *)text.data;
}

static void names_and_ordinals_are_joined_in_lower_case(void)
{
	for (int p = 0; p < 2; p++) {
		make(p);
		put_library(0, "KERNEL32.dll");
		put_thunk(0, 0, put_name("ExitProcess", 2));
		put_thunk(0, 1, (p ? UINT64_C(1) << 63 : 1u << 31) | 77);
		put_library(1, "b.drv");
		put_thunk(1, 0, put_name("_z.9", 2));
		T_STR(result(), "kernel32.exitprocess,kernel32.ord77,b.drv._z.9");
	}
}

static void known_ordinals_have_names(void)
{
	make(false);
	put_library(0, "WS2_32.DLL");
	put_thunk(0, 0, 0x80000000u | 1);
	put_thunk(0, 1, 0x80000000u | 600);
	put_library(1, "wsock32.dll");
	put_thunk(1, 0, 0x80000000u | 24);
	put_library(2, "oleaut32.dll");
	put_thunk(2, 0, 0x80000000u | 2);
	put_library(3, "oleaut32");
	put_thunk(3, 0, 0x80000000u | 2);
	T_STR(result(), "ws2_32.accept,ws2_32.ord600,wsock32.getaddrinfow,oleaut32.sysallocstring,"
	                "oleaut32.ord2");
}

static void the_first_dot_decides_about_the_extension(void)
{
	static const char *const names[][2] = {
		{"a.ocx", "a.f"}, {"a.SYS", "a.f"}, {"a.dllx", "a.f"}, {"a.dll.b", "a.f"},
		{"a.exe", "a.exe.f"}, {"a.b.dll", "a.b.dll.f"}, {"a.dl", "a.dl.f"}, {".dll", ".f"},
		{"\xc4 b", "\xc4 b.f"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		make(false);
		put_library(0, names[i][0]);
		put_thunk(0, 0, put_name("f", 2));
		T_STR(result(), names[i][1]);
	}
}

static void names_are_cut_at_256_bytes(void)
{
	char name[300], want[600];
	memset(name, 'q', sizeof name);
	name[299] = '\0';
	make(false);
	put_library(0, name);
	put_thunk(0, 0, put_name(name, 2));
	snprintf(want, sizeof want, "%.256s.%.256s", name, name);
	T_STR(result(), want);
}

static void a_strange_function_name_makes_the_table_invalid(void)
{
	make(false);
	put_library(0, "a.dll");
	put_thunk(0, 0, put_name("f", 2));
	put_thunk(0, 1, put_name("g?h", 2));
	T_STR(result(), "none");
}

static void a_name_near_the_end_of_the_file_is_left_out(void)
{
	for (uint32_t room = 257; room <= 258; room++) {
		make(false);
		put_library(0, "a.dll");
		put_thunk(0, 0, VA + (SIZE - RAW) - room);
		put_thunk(0, 1, put_name("f", 2));
		T_STR(result(), room == 258 ? "a.,a.f" : "a.f");
	}
}

static void a_name_that_lies_nowhere_is_read_from_the_header_in_pe32(void)
{
	for (int p = 0; p < 2; p++) {
		make(p);
		file[2] = 'Q';
		put_library(0, "a.dll");
		put_thunk(0, 0, 0x9000);
		put_thunk(0, 1, put_name("f", 2));
		T_STR(result(), p ? "a.f" : "a.q,a.f");
	}
}

static void thunks_come_from_the_first_table_that_lies_in_the_file(void)
{
	make(false);
	put_library(0, "a.dll");
	put_thunk(0, 0, put_name("f", 2));
	put(RAW + TABLE, 0x9000, 4);
	T_STR(result(), "a.f");
	put(RAW + TABLE, 0, 4);
	T_STR(result(), "a.f");
	put(RAW + TABLE + 16, 0x9000, 4);
	T_STR(result(), "none");
	put(RAW + TABLE, thunks(0), 4);
	T_STR(result(), "a.f");
}

static void the_directory_says_how_many_libraries_count(void)
{
	make(false);
	put_library(0, "a.dll");
	put_thunk(0, 0, put_name("f", 2));
	put_library(1, "b.dll");
	put_thunk(1, 0, put_name("g", 2));
	put_directory(VA + TABLE, 20);
	T_STR(result(), "");
	put_directory(VA + TABLE, 21);
	T_STR(result(), "a.f");
	put_directory(VA + TABLE, 40);
	T_STR(result(), "a.f");
	put_directory(VA + TABLE, SIZE - RAW - TABLE);
	T_STR(result(), "a.f,b.g");
	put_directory(VA + TABLE, SIZE - RAW - TABLE + 1);
	T_STR(result(), "none");
	put_directory(VA + TABLE, 0);
	T_STR(result(), "none");
	put_directory(0, 200);
	T_STR(result(), "none");
}

static void a_library_name_that_lies_nowhere_makes_the_table_invalid(void)
{
	make(false);
	put_library(0, "a.dll");
	put_thunk(0, 0, put_name("f", 2));
	put_library(1, "b.dll");
	put(RAW + TABLE + 20 + 12, 0x9000, 4);
	T_STR(result(), "none");
}

/* Every thunk names the same long function: a file of megabytes would make gigabytes of text. */
static void text_is_limited(void)
{
	static uint8_t big[0x40000];
	make(false);
	char name[257];
	memset(name, 'q', 256);
	name[256] = '\0';
	put_library(0, name);
	uint32_t function = put_name(name, 2);
	put(RAW + TABLE, VA + SIZE - RAW, 4);
	put(OPT + 0xe0 + 16, sizeof big - RAW, 4);
	memcpy(big, file, sizeof file);
	for (size_t i = SIZE; i < sizeof big; i += 4)
		memcpy(big + i, &function, 4);
	struct rd in = rd_make(big, sizeof big);
	text.len = 0;
	T_EQ(pe_parse(in, &l, NULL), ST_OK);
	T_EQ(pe_import_text(in, &l, &text, NULL), ST_LIMIT);
}

/* Every address lies nowhere, and is looked for in thousands of sections. */
static void look_ups_are_limited(void)
{
	static uint8_t big[0x300000];
	enum { SECTIONS = 20000, TABLE_AT = OPT + 0xe0 };
	make(false);
	put_library(0, "a.dll");
	memcpy(big, file, RAW);
	big[LFANEW + 6] = (uint8_t)(SECTIONS & 0xff);
	big[LFANEW + 7] = (uint8_t)(SECTIONS >> 8);
	/* The last section holds the import directory; the others are empty. */
	static uint8_t section[40];
	memcpy(section, file + TABLE_AT, sizeof section);
	memset(big + TABLE_AT, 0, sizeof section);
	size_t raw = 0x100000;
	memcpy(section + 20, &(uint32_t){(uint32_t)raw}, 4);
	memcpy(section + 16, &(uint32_t){(uint32_t)(sizeof big - raw)}, 4);
	memcpy(big + TABLE_AT, section, sizeof section);
	memcpy(big + raw, file + RAW, SIZE - RAW);
	uint32_t nowhere = 0x7f000000;
	for (size_t i = raw + THUNKS; i < sizeof big; i += 4)
		memcpy(big + i, &nowhere, 4);
	memcpy(big + raw + NAMES, "a.dll", 6);
	struct rd in = rd_make(big, sizeof big);
	text.len = 0;
	T_EQ(pe_parse(in, &l, NULL), ST_OK);
	T_EQ(pe_import_text(in, &l, &text, NULL), ST_LIMIT);
	T_TRUE(text.len < (size_t)1 << 20); /* it is not the length of the text */
}

int main(void)
{
	T_RUN(names_and_ordinals_are_joined_in_lower_case);
	T_RUN(known_ordinals_have_names);
	T_RUN(the_first_dot_decides_about_the_extension);
	T_RUN(names_are_cut_at_256_bytes);
	T_RUN(a_strange_function_name_makes_the_table_invalid);
	T_RUN(a_name_near_the_end_of_the_file_is_left_out);
	T_RUN(a_name_that_lies_nowhere_is_read_from_the_header_in_pe32);
	T_RUN(thunks_come_from_the_first_table_that_lies_in_the_file);
	T_RUN(the_directory_says_how_many_libraries_count);
	T_RUN(a_library_name_that_lies_nowhere_makes_the_table_invalid);
	T_RUN(text_is_limited);
	T_RUN(look_ups_are_limited);
	buf_done(&text);
	return t_end();
}
