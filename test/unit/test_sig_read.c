/* Reading signature text: which lines load, and what they become. The verdicts of the tables were
 * recorded from clamscan 1.4.6. */
#include "sig/compile.h"
#include "test/t.h"

#include <stdarg.h>

enum verdict { LOADS, MALFORMED, INACTIVE, LEVEL };

static const char *const VERDICTS[] = {"loads", "malformed", "inactive", "out of level"};

static st_t read_text(struct ir_set *s, const char *ext, const char *text, size_t len, bool strict,
                      struct err *e)
{
	char name[32];
	snprintf(name, sizeof name, "dir/t.%s", ext);
	struct sig_source src = {name, text, len};
	struct sig_opts opts = {.strict = strict};
	ir_init(s);
	return sig_read(s, &src, &opts, e);
}

static size_t count_rows(const struct ir_set *s)
{
	size_t n = 0;
	for (int use = 0; use < IR_HASH_USES; use++) {
		for (int kind = 0; kind < DIGEST_KINDS; kind++)
			n += s->hashes[use][kind].n;
	}
	for (const struct ir_password *p = s->passwords; p; p = p->next)
		n++;
	return n + s->nmembers;
}

static enum verdict verdict_of(const char *ext, const char *line)
{
	struct ir_set s;
	struct err e = {0};
	st_t st = read_text(&s, ext, line, strlen(line), true, &e);
	enum verdict v = LOADS;
	if (st == ST_MALFORMED)
		v = MALFORMED;
	else if (s.ninactive || s.nflevel)
		v = s.ninactive ? INACTIVE : LEVEL;
	if (v == LOADS && s.nsigs + count_rows(&s) != 1)
		T_FAIL("'%s' loaded nothing", line);
	ir_done(&s);
	return v;
}

struct rule {
	const char *line;
	enum verdict want;
};

static void check_rules(const char *ext, const char *before, const struct rule *r, size_t n,
                        const char *after)
{
	for (size_t i = 0; i < n; i++) {
		char line[1024];
		snprintf(line, sizeof line, "%s%s%s", before, r[i].line, after);
		enum verdict v = verdict_of(ext, line);
		if (v != r[i].want)
			T_FAIL("'%s' is %s, not %s", line, VERDICTS[v], VERDICTS[r[i].want]);
	}
}

#define CHECK(ext, before, rules, after) \
	check_rules(ext, before, rules, sizeof rules / sizeof *rules, after)

#define MD5 "aa15bcf478d165efd2065190eb473bcb"

static void hash_lines_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{MD5 ":544:A", LOADS}, {"AA15BCF478D165EFD2065190EB473BCB:544:A", LOADS},
		{MD5 "00112233:4:A", LOADS}, {MD5 MD5 ":4:A", LOADS}, {MD5 ":544:A B", LOADS},
		{MD5 ":544:A:", LOADS}, {MD5 ":544:A:x", LOADS}, {MD5 ":544:A:1:255", LOADS},
		{MD5 ":+5:A", LOADS}, {MD5 ": 5:A", LOADS}, {MD5 ":2147483648:A", LOADS},
		{MD5 ":*:A:73", LOADS}, {MD5 ":4:A\r\r", LOADS}, {MD5 ":544:A:217", LEVEL},
		{MD5 ":544:A::", LEVEL}, {MD5 ":544:A:1:215", LEVEL}, {"ZZ:544:A:300", LEVEL},
		{MD5 ":544:A:99999999999", LEVEL}, {MD5 ":544:A:-1", LEVEL}, {MD5 ":*:A", MALFORMED},
		{MD5 ":*:A:72", MALFORMED}, {MD5 ":544", MALFORMED}, {MD5 ":544:", MALFORMED},
		{MD5 ":0:A", MALFORMED}, {MD5 ":5x:A", MALFORMED}, {MD5 ":5 :A", MALFORMED},
		{MD5 ":4294967295:A", MALFORMED}, {MD5 ":544:A:1:2:3", MALFORMED},
		{"a" MD5 ":544:A", MALFORMED}, {"zz15bcf478d165efd2065190eb473bcb:5:A", MALFORMED},
		{" " MD5 ":5:A", MALFORMED}, {":4:A", MALFORMED},
	};
	CHECK("hdb", "", rules, "\n");
	CHECK("HSB", "", rules, "\n");
	CHECK("sfp", "", rules, "\n");
}

static void section_hash_lines_have_the_size_first(void)
{
	static const struct rule rules[] = {
		{"4:" MD5 ":A", LOADS}, {"*:" MD5 ":A:73", LOADS}, {"*:" MD5 ":A", MALFORMED},
		{MD5 ":4:A", MALFORMED}, {"0:" MD5 ":A", MALFORMED},
	};
	CHECK("mdb", "", rules, "\n");
}

static void import_hashes_take_any_size_without_a_level(void)
{
	static const struct rule rules[] = {
		{MD5 ":39:A", LOADS}, {MD5 ":*:A", LOADS}, {MD5 ":*:A:73", LOADS}, {MD5 ":0:A", MALFORMED},
		{"39:" MD5 ":A", MALFORMED},
	};
	CHECK("imp", "", rules, "\n");
}

static void container_metadata_loads_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"T:*:*:*:*:*:*:*:*:*", LOADS}, {"T:CL_TYPE_ANY:*:*:*:*:*:*:*:*", LOADS},
		{"T:CL_TYPE_ZIP:1-9:a.b:5:0-7:1:2:12ab:x", LOADS}, {"T:*::*:::*::::", LOADS},
		{"T:*:1-2x:*:1-2-3:*:0:*:*:*:1:255", LOADS}, {"T:*:9-1:*:*:*:*:*:*:*", LOADS},
		{"T:*:*:*:*:*:*:*:*:*:217", LEVEL}, {"T:*:*:*:*:*:*:*:*:*:1:", LEVEL},
		{"T:*:*:*:*:*:*:*:*", MALFORMED}, {"T:*:*:*:*:*:*:*:*:*:1:2:3", MALFORMED},
		{"T:*:*:*:*:*:*:*:*:*:x", MALFORMED}, {":*:*:*:*:*:*:*:*:*", MALFORMED},
		{"T::*:*:*:*:*:*:*:*", MALFORMED}, {"T:CL_TYPE_NONE:*:*:*:*:*:*:*:*", MALFORMED},
		{"T:*:*::*:*:*:*:*:*", MALFORMED}, {"T:*:*:(:*:*:*:*:*:*", MALFORMED},
		{"T:*:*:*:-1:*:*:*:*:*", MALFORMED}, {"T:*:*:*:1-:*:*:*:*:*", MALFORMED},
		{"T:*:*:*:*:x:*:*:*:*", MALFORMED}, {"T:*:*:*:*:1x:*:*:*:*", MALFORMED},
		{"T:*:*:*:*:*:2:*:*:*", MALFORMED}, {"T:*:*:*:*:*::*:*:*", MALFORMED},
		{"T:*:*:((a{255}){255}){9}:*:*:*:*:*:*", INACTIVE},
	};
	CHECK("cdb", "", rules, "\n");
}

static void older_container_metadata_loads_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"T:*:*:*:*:*:*:*:*", LOADS}, {"T:2:a:5:7:1527a3eb:8:1:9", LOADS},
		{"T:0:a:*:*::*:*:*", LOADS}, {"T:0:a:*:*:eb:*:*:*", LOADS},
		{"T:x:a:*:*:*:*:*:*", MALFORMED}, {"T:0:a:1-2:*:*:*:*:*", MALFORMED},
		{"T:0:a:*:*:1:*:*:*", MALFORMED}, {"T:0:(:*:*:*:*:*:*", MALFORMED},
		{"T:0:a:*:*:*:*:*", MALFORMED}, {"T:0:a:*:*:*:*:*:*:1", MALFORMED},
	};
	CHECK("zmd", "", rules, "\n");
	CHECK("rmd", "", rules, "\n");
}

static void passwords_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"P;Engine:81-255;0;text", LOADS}, {"P;Target:0;1;6162", LOADS}, {";Target:0;;a;b", LOADS},
		{"P;Engine:81-255,Container:CL_TYPE_ZIP;0;a", LOADS},
		{"P;Engine:81-255,Container:CL_TYPE_RAR;0;a", LOADS},
		{"P;Engine:81-100;0;a", LEVEL}, {"P;Target:0;2;a", INACTIVE},
		{"P;Target:0;1;00", INACTIVE}, {"P;Engine:81-255,Foo:1;0;a", INACTIVE},
		{"P;Target:0;1;abc", MALFORMED}, {"P;Target:0;1;xy", MALFORMED},
		{"P;Target:0;0", MALFORMED}, {"P;;0;a", MALFORMED},
		{"P;Engine:81-255,Container:CL_TYPE_7Z;0;a", MALFORMED},
		{"P;Container:CL_TYPE_ZIP;0;a", MALFORMED},
	};
	CHECK("pwdb", "", rules, "\n");
}

static void ndb_fields_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"T:0:*:41424344", LOADS}, {"T::*:41424344", LOADS}, {"T:01:*:41424344", LOADS},
		{"T:14:*:41424344", LOADS}, {"T:0:*:41424344:", LOADS}, {"T:0:*:41424344::255", LOADS},
		{"T:1:*:4142", LOADS}, {"T:0:*:4142??", LOADS}, {"T:0::41424344", LOADS},
		{"T:15:*:zz", INACTIVE}, {"T:0:$1:4142", INACTIVE}, {"T:1:VI:4142", LOADS},
		{"T:0:*:41424344::100", LEVEL}, {"T:0:*:41424344::", LEVEL},
		{"T:zz:q:zz:217", LEVEL}, {"T:0:*:41424344:217:x", LEVEL}, {"T:0:*", MALFORMED},
		{"T:0:*:41424344:x", MALFORMED}, {"T:0:*:41424344:1:255:", MALFORMED},
		{"T:1x:*:41424344", MALFORMED}, {"T:-1:*:41424344", MALFORMED},
		{":0:*:41424344", MALFORMED}, {"T:0:*:", MALFORMED}, {"T:0:*:4142", MALFORMED},
		{"T:1:EP+0:4142", MALFORMED}, {"T:1:EP+0,4:4142", LOADS}, {"T:6:EP+0:4142", LOADS},
		{"T:0:$32:41424344", MALFORMED},
	};
	CHECK("ndb", "", rules, "\n");
}

static void offsets_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"*", LOADS}, {"", LOADS}, {"6", LOADS}, {"06", LOADS}, {"6,5", LOADS}, {"6,", LOADS},
		{",5", LOADS}, {"EOF-0", LOADS}, {"EOF-", LOADS}, {"EOF-1,4", LOADS}, {"EP+0", LOADS},
		{"EP-4,8", LOADS}, {"EP+", LOADS}, {"S0+0", LOADS}, {"S1+1x", LOADS}, {"SL+16", LOADS},
		{"SL+", LOADS}, {"SE1", LOADS}, {"SE0,10", LOADS}, {"VI", LOADS}, {"*,5", MALFORMED},
		{"**", MALFORMED}, {"-1", MALFORMED}, {"+5", MALFORMED}, {"0x6", MALFORMED},
		{"6,x", MALFORMED}, {"6,1,2", MALFORMED}, {"EOF", MALFORMED}, {"EOF+1", MALFORMED},
		{"EP", MALFORMED}, {"EP*1", MALFORMED}, {"EP+1x", MALFORMED}, {"ep+0", MALFORMED},
		{"S0", MALFORMED}, {"S1-1", MALFORMED}, {"S1+", MALFORMED}, {"S+0", MALFORMED},
		{"SL", MALFORMED}, {"SL-1", MALFORMED}, {"SEx", MALFORMED}, {"SE1+2", MALFORMED},
	};
	CHECK("ndb", "T:1:", rules, ":41424344\n");
	static const struct rule no_exe[] = {
		{"EP+0", MALFORMED}, {"S0+0", MALFORMED}, {"SL+0", MALFORMED}, {"SE0", MALFORMED},
		{"VI", MALFORMED}, {"EOF-1", LOADS},
	};
	CHECK("ndb", "T:0:", no_exe, ":41424344\n");
	CHECK("ndb", "T:3:", no_exe, ":41424344\n");
}

static void body_content_loads_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"4?4142", LOADS}, {"4142*4344", LOADS}, {"4142*{2}4344", LOADS}, {"4142{}4344", LOADS},
		{"4142{0}4344", LOADS}, {"4142{127}45", LOADS}, {"4142{1}43{1-2}4445", LOADS},
		{"{2}4142", LOADS}, {"4142{2}", LOADS}, {"4142{3-2}4344", INACTIVE},
		{"4142*41*42", MALFORMED}, {"4142*", MALFORMED}, {"*4142", MALFORMED},
		{"4142**4344", MALFORMED}, {"41*4243", MALFORMED}, {"4142{128}45", MALFORMED},
		{"4142{0}43", MALFORMED}, {"4142{1-2}4344{1}45", MALFORMED}, {"{0}4142", MALFORMED},
		{"4142{1x}4344", MALFORMED}, {"4142{1-2-3}4344", MALFORMED}, {"4?42", MALFORMED},
		{"414", MALFORMED}, {"41,42", MALFORMED}, {"4142 43", MALFORMED}, {"41??42", MALFORMED},
		{"4142[1-2]43", LOADS}, {"41[1-2]4243", LOADS}, {"41[1-2]4243[1-2]44", LOADS},
		{"4142[2]43", LOADS}, {"4142[1-x]43", LOADS}, {"4142[1-2]??", LOADS},
		{"4142[1-2]43*4445", LOADS}, {"4142[1-2]4344", MALFORMED}, {"4142[1-33]43", MALFORMED},
		{"4142[2-1]43", MALFORMED}, {"4142[]43", MALFORMED}, {"4142[1-2](43|44)", MALFORMED},
		{"4142[1-2]43[1-2]4445", MALFORMED}, {"4142[1-2]", MALFORMED},
		{"4142(43|44)", LOADS}, {"4142!(43|44)", LOADS}, {"4142(4344|4546)", LOADS},
		{"4142!(4344|4546)", LOADS}, {"4142(43|4445)", LOADS}, {"4142((43|44)|4545)", LOADS},
		{"4142(43|)", LOADS}, {"4142(43{2}44|45)", LOADS}, {"(4142|4344)4546", LOADS},
		{"41(43|44)4142", LOADS}, {"4142()", MALFORMED}, {"4142(|43)", MALFORMED},
		{"4142(43", MALFORMED}, {"4142(43))", MALFORMED}, {"4142!(43|4445)", MALFORMED},
		{"4142!43", MALFORMED}, {"4142(43*44|45)", MALFORMED}, {"4142(43{128}|45)", MALFORMED},
		{"4142(!(43|44)|45)", MALFORMED}, {"(4142|5152)", MALFORMED}, {"41(4243)44", MALFORMED},
		{"41(4344|4546)4142", MALFORMED}, {"\?\?(43|4545)4142", MALFORMED},
		{"4?4?(43|4545)4142", LOADS}, {"\?\?\?\?(43|4545)4142", MALFORMED},
		{"4142((((((((((((((((43))))))))))))))))", LOADS},
		{"4142(((((((((((((((((43)))))))))))))))))", MALFORMED},
		{"(B)4142", LOADS}, {"4142(L)", LOADS}, {"4142(W)4344", LOADS}, {"(B)(L)4142", LOADS},
		{"4142!(W)4344", LOADS}, {"!(B)4142", INACTIVE}, {"(B)", MALFORMED},
		{"41(B)4142", MALFORMED},
		{"4142(b)", MALFORMED}, {"4142(B|43)", MALFORMED},
	};
	CHECK("ndb", "T:0:*:", rules, "\n");
}

/* In target types without a matcher for plain strings one element in front is enough. */
static void less_is_needed_in_other_targets(void)
{
	static const struct rule rules[] = {
		{"\?\?(43|4545)4142", LOADS}, {"\?\?(B)4142", LOADS}, {"41(4344|4546)4142", LOADS},
		{"4142{2-3}\?\?(43|4545)4142", LOADS}, {"\?\?!(4343|4545)4142", LOADS},
		{"\?\?(43|4545)41", MALFORMED}, {"\?\?", MALFORMED},
	};
	CHECK("ndb", "T:5:*:", rules, "\n");
}

static void modifiers_change_what_loads(void)
{
	static const struct rule rules[] = {
		{"4142::i", LOADS}, {"4142::", LOADS}, {"4142::wiaf", LOADS}, {"5:4142::i", LOADS},
		{"4142::ii", LOADS}, {"4142::i::w", LOADS}, {"4142::x", MALFORMED},
		{"4142::I", MALFORMED}, {"4142::i ", MALFORMED}, {"4142:i", MALFORMED},
		{"5:6:4142", MALFORMED}, {"4142:::i", MALFORMED}, {"", MALFORMED}, {"::i", MALFORMED},
		{"4142!(43|44)::i", MALFORMED}, {"4142!(43|44)::", LOADS}, {"4142(|43)::i", LOADS},
		{"41(43|44)4142::i", MALFORMED}, {"41(43|44)4142::w", LOADS}, {"41??42::w", LOADS},
		{"41??42::wa", MALFORMED}, {"4142[1-2]4344::w", LOADS}, {"4142[1-2]43::f", MALFORMED},
		{"4142[1-2]43::i", LOADS}, {"4142(BB|43)::w", MALFORMED}, {"4142(BB|43)", LOADS},
	};
	CHECK("ldb", "T;Engine:81-255,Target:0;0;", rules, "\n");
}

static void other_subsignatures_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"0/abc/", LOADS}, {"0/a:b/gi", LOADS}, {"0,1:0/abc/", LOADS},
		{"(0|0)=1/abc/", LOADS}, {"/abc/", MALFORMED}, {"0/abc", MALFORMED},
		{"1/abc/", MALFORMED}, {"x/abc/", MALFORMED}, {"0//", MALFORMED}, {"0/abc/Q", MALFORMED},
		{"EP+0:0/abc/", MALFORMED}, {"0(>>0#de6#=1)", LOADS},
		{"0(<<0x10#ib4#>0x10,<9)", LOADS},
		{"0(>0#de6#=1)", MALFORMED}, {"0(>>0#dl6#=1)", MALFORMED}, {"0(>>0#ib3#=1)", MALFORMED},
		{"0(>>0#d6#1)", MALFORMED}, {"0(>>0#d6#=1,=2,=3)", MALFORMED}, {"${6-7}12$", LOADS},
		{"${6-7}33$", MALFORMED}, {"${6}3$", MALFORMED}, {"$1:4142", MALFORMED},
		{"fuzzy_img#aaaabbbbccccdddd", LOADS}, {"fuzzy_img#aaaabbbbccccdddd#0", LOADS},
		{"fuzzy_img#aaaabbbbccccdddd#1", MALFORMED}, {"fuzzy_img#aaaa", MALFORMED},
	};
	CHECK("ldb", "T;Engine:81-255,Target:0;0&1;41424344;", rules, "\n");
}

static void target_descriptions_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"Target:0", LOADS}, {"Target:", LOADS}, {"Target:14", LOADS}, {"Target:0,Target:1", LOADS},
		{"Engine:51-255,Target:0,FileSize:1-10", LOADS},
		{"Engine:51-255,FileSize:-,Target:0", LOADS},
		{"Engine:51-255,Target:9,EntryPoint:1-2,NumberOfSections:3-4", LOADS},
		{"Engine:1-,Target:0", LEVEL}, {"Engine:217-255", LEVEL}, {"Engine:1-215,Target:0", LEVEL},
		{"Target:15", INACTIVE}, {"Target:0,Foo:1", INACTIVE}, {"target:0", INACTIVE},
		{" Target:0", INACTIVE}, {"Engine:51-255,Target:0,Container:CL_TYPE_ZIP", LOADS},
		{"Target:0,Container:CL_TYPE_BOGUS", INACTIVE}, {"Foo:1,Target:0,FileSize:x", INACTIVE},
		{"Engine:51-255,Target:0,Intermediates:CL_TYPE_ANY>CL_TYPE_ZIP", LOADS},
		{"Engine:51-255,Target:0,HandlerType:CL_TYPE_PDF", LOADS},
		{"Engine:51-255,Target:1,IconGroup1:X", INACTIVE},
		{"Engine:51-255,Target:0,IconGroup1:X", MALFORMED}, {"", MALFORMED},
		{"Target", MALFORMED}, {"Target:0,", MALFORMED}, {"Target: 0", MALFORMED},
		{"Target:-1", MALFORMED}, {"Engine:1-255", MALFORMED}, {"Engine:51,Target:0", MALFORMED},
		{"Target:0,Engine:51-255", MALFORMED}, {"Target:0,FileSize:1-10", MALFORMED},
		{"Engine:50-255,Target:0,FileSize:1-2", MALFORMED},
		{"Engine:51-255,Target:0,FileSize:67", MALFORMED},
		{"Engine:51-255,Target:0,EntryPoint:1-2", MALFORMED},
		{"Target:0,Container:CL_TYPE_ZIP", MALFORMED},
	};
	CHECK("ldb", "T;", rules, ";0;41424344\n");
}

static void expressions_load_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"0&1", LOADS}, {"1", LOADS}, {" 0 & 1 ", LOADS}, {"(0|1)=2,1", LOADS},
		{"((0|1)=2)", LOADS},
		{"((0)|1)=2", LOADS}, {"0x&1", LOADS}, {"0>=1&1", LOADS}, {"(0|1)= 2&1", LOADS},
		{"0,1&1", LOADS}, {"0|(0&(1))", LOADS}, {"", MALFORMED}, {"0", MALFORMED},
		{"2", MALFORMED}, {"0&&1", MALFORMED}, {"&1", MALFORMED}, {"1&", MALFORMED},
		{"!1", MALFORMED}, {"(0|1", MALFORMED}, {"0|1)", MALFORMED}, {"()|1", MALFORMED},
		{"0(1)", MALFORMED}, {"1=", MALFORMED}, {"1=x", MALFORMED}, {"(1)=1", MALFORMED},
		{"((0|1))=1", MALFORMED}, {"(0|1)==2", MALFORMED}, {"(0|1) =2", MALFORMED},
		{"(0|1)=2x", MALFORMED}, {" (0|1)", MALFORMED}, {"(0|1)1", MALFORMED},
	};
	CHECK("ldb", "T;Target:0;", rules, ";41424344;4243\n");
	static const struct rule fields[] = {
		{"T;Target:0;0", MALFORMED}, {"T;Target:0;0;4142;", MALFORMED},
		{";Target:0;0;4142", MALFORMED}, {";Target:99;0;4142", INACTIVE},
		{"T;Target:99;9;4142", MALFORMED}, {"T;Target:99;0;zz", INACTIVE},
	};
	CHECK("ldb", "", fields, "\n");
}

static void lines_end_as_in_clamscan(void)
{
	static const struct rule rules[] = {
		{"#c\n" MD5 ":4:A\n#", LOADS}, {MD5 ":4:A", LOADS}, {MD5 ":4:A\n\n", MALFORMED},
		{MD5 ":4:A\n\r\n", MALFORMED}, {"\n", MALFORMED}, {"", MALFORMED}, {" #\n", MALFORMED},
	};
	CHECK("hdb", "", rules, "");
	char line[9000];
	memset(line, 'A', sizeof line);
	memcpy(line, MD5 ":4:", 35);
	memcpy(line + 8190, "\n", 2);
	T_EQ(verdict_of("hdb", line), LOADS);
	memcpy(line + 8190, "A\n", 3);
	T_EQ(verdict_of("hdb", line), MALFORMED);
}

static void a_malformed_line_is_reported_and_skipped_unless_strict(void)
{
	static const char text[] = "# c\nbad\n\n" MD5 ":4:A\r\n" MD5 ":0:B\n";
	struct ir_set s;
	struct err e = {0};
	T_EQ(read_text(&s, "hdb", text, strlen(text), false, &e), ST_OK);
	T_EQ(s.nskipped, 2);
	T_EQ(count_rows(&s), 1);
	T_STR(s.skipped->file, "dir/t.hdb");
	T_EQ(s.skipped->line, 2);
	T_STR(s.skipped->why, "a hash line has 3 to 5 fields, this one has 1");
	T_EQ(s.skipped->next->line, 5);
	ir_done(&s);
	T_EQ(read_text(&s, "hdb", text, strlen(text), true, &e), ST_MALFORMED);
	T_STR(e.text, "dir/t.hdb:2: a hash line has 3 to 5 fields, this one has 1");
	ir_done(&s);
}

static void a_hash_row_keeps_digest_size_and_name(void)
{
	static const char text[] = MD5 ":544:Name-1\n" MD5 ":*:Two:73\n";
	struct ir_set s;
	T_EQ(read_text(&s, "fp", text, strlen(text), true, NULL), ST_OK);
	const struct ir_hash_list *l = &s.hashes[IR_HASH_TRUST][DIGEST_MD5];
	T_EQ(l->n, 2);
	T_EQ(l->stride, 32);
	const struct ir_hash *h = ir_hash_at(l, 0);
	T_EQ(h->size, 544);
	T_EQ(h->name_len, 6);
	T_MEM(h->name, "Name-1", 6);
	T_MEM(h->digest, "\xaa\x15\xbc\xf4\x78\xd1\x65\xef\xd2\x06\x51\x90\xeb\x47\x3b\xcb", 16);
	T_EQ(ir_hash_at(l, 1)->size, IR_SIZE_ANY);
	ir_done(&s);
}

/* --- the intermediate form as text --- */

struct out {
	char text[2048];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(o->text + o->n, sizeof o->text - o->n, fmt, ap);
	va_end(ap);
	o->n += n > 0 && (size_t)n < sizeof o->text - o->n ? (size_t)n : 0;
}

static void put_elems(struct out *o, const struct ir_elem *el, uint32_t n);

static void put_elem(struct out *o, const struct ir_elem *el)
{
	unsigned bits = 0;
	switch (el->kind) {
	case IR_BYTE:
		put(o, el->mask == 0xff ? "%02x" : el->mask ? "%02x/%02x" : "??", el->value, el->mask);
		break;
	case IR_SET:
		for (int i = 0; i < 256; i++)
			bits += el->set[i / 64] >> i % 64 & 1;
		put(o, "[%u%s]", bits, el->set[0x43 / 64] >> 0x43 % 64 & 1 ? " C" : "");
		break;
	case IR_BOUND:
		put(o, "<%c>", el->bound);
		break;
	case IR_NEAR:
		put(o, "<%s %02x/%02x %u-%u>", el->side ? "behind" : "before", el->value, el->mask, el->min,
		    el->max);
		break;
	default:
		put(o, "%s%s(", el->negated ? "!" : "", el->kind == IR_STRS ? "=" : "");
		for (uint32_t i = 0; i < el->nalts; i++) {
			put(o, i ? "|" : "");
			put_elems(o, el->alts[i].elems, el->alts[i].nelems);
		}
		put(o, ")");
	}
}

static void put_elems(struct out *o, const struct ir_elem *el, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		put_elem(o, &el[i]);
}

static void put_pattern(struct out *o, const struct ir_pattern *p)
{
	static const char *const kinds[] = {"*", "abs", "eof", "ep", "sec", "last", "in", "vi"};
	put(o, "%s", kinds[p->offset.kind]);
	if (p->offset.kind != IR_OFF_ANY)
		put(o, " s%u n%d +%u", p->offset.section, (int)p->offset.n, p->offset.maxshift);
	put(o, "%s%s:", p->fullword ? " f" : "", p->wide ? " w" : "");
	for (uint32_t i = 0; i < p->nparts; i++) {
		const struct ir_part *part = &p->parts[i];
		if (i && part->gap_max == IR_GAP_INF)
			put(o, " {%u-} ", part->gap_min);
		else if (i)
			put(o, " {%u-%u} ", part->gap_min, part->gap_max);
		put_elems(o, part->elems, part->nelems);
	}
}

static void put_conds(struct out *o, const struct ir_sig *s)
{
	static const char *const ops[] = {"id", "and", "or", "=", ">", "<", "size", "ep", "sections"};
	for (uint32_t i = 0; i < s->nconds; i++) {
		const struct ir_cond *c = &s->conds[i];
		put(o, "%s%s%u", i ? " " : "", ops[c->op], c->a);
		if (c->b)
			put(o, ",%u", c->b);
	}
}

/* First signature of a line as text: its patterns separated by " ; ", or its conditions. */
static const char *dump(const char *ext, const char *line, bool conds)
{
	static struct out o;
	struct ir_set s;
	o = (struct out){0};
	if (read_text(&s, ext, line, strlen(line), true, NULL) != ST_OK || s.nsigs != 1) {
		ir_done(&s);
		return "not one signature";
	}
	if (conds)
		put_conds(&o, s.sigs[0]);
	for (uint32_t i = 0; !conds && i < s.sigs[0]->nsubsigs; i++) {
		for (uint32_t j = 0; j < s.sigs[0]->subsigs[i].npatterns; j++) {
			put(&o, i + j ? " ; " : "");
			put_pattern(&o, &s.sigs[0]->subsigs[i].patterns[j]);
		}
	}
	ir_done(&s);
	return o.text;
}

static const char *body(const char *hex)
{
	char line[512];
	snprintf(line, sizeof line, "T;Target:1;0;%s", hex);
	return dump("ldb", line, false);
}

static void body_content_becomes_parts_of_elements(void)
{
	T_STR(body("41aB4?"), "*:41ab40/f0");
	T_STR(body("4142{2}43?4"), "*:4142????4304/0f");
	T_STR(body("4142*4344{2-3}4546{-5}4748{5-}4950"),
	      "*:4142 {0-} 4344 {2-3} 4546 {0-5} 4748 {5-} 4950");
	T_STR(body("4142{200}4344{3}4546"), "*:4142 {200-200} 4344 {3-3} 4546");
	T_STR(body("4142{0-0}4344"), "*:4142 {0-} 4344");
	T_STR(body("41[1-2]4243[0-3]44"), "*:<before 41/ff 1-2>4243<behind 44/ff 0-3>");
	T_STR(body("4142(43|44)!(43|44)"), "*:4142[2 C][254]");
	T_STR(body("4142(4344|4545)!(4344|4545)"), "*:4142=(4344|4545)!=(4344|4545)");
	T_STR(body("4142(43|4445|)"), "*:4142(43|4445)");
	T_STR(body("4142((43|44)|4?)"), "*:4142[16 C]");
	T_STR(body("4142(43|44(45|4647))"), "*:4142(43|44(45|4647))");
}

static void boundaries_stay_only_at_the_ends_of_a_part(void)
{
	T_STR(body("(B)4142(W)"), "*:<B>4142<W>");
	T_STR(body("4142(B)4344"), "*:4142[13]4344");
	T_STR(body("4142(W)4344"), "*:4142[194]4344");
	T_STR(body("4142!(W)4344"), "*:4142[62 C]4344");
	T_STR(body("4142(L)4344"), "*:4142(0a|0d0a)4344");
	T_STR(body("4142(L)*(B)4344"), "*:4142<L> {0-} <B>4344");
}

static void modifiers_become_masks_and_wide_patterns(void)
{
	T_STR(body("4143317a::i"), "*:41/df43/df315a/df");
	T_STR(body("414?::w"), "* w:410040/f000");
	T_STR(body("4142??4?::w"), "* w:41004200??0040/f000");
	T_STR(body("4142{1}43{2-3}44::w"), "* w:41004200??4300 {2-3} 4400");
	T_STR(body("4142(43|44)::wf"), "* f w:41004200=(4300|4400)");
	T_STR(body("4142::wa"), "*:4142 ; * w:41004200");
	T_STR(body("4142(43|44)::i"), "*:41/df42/df[4 C]");
}

static void offsets_keep_place_and_shift(void)
{
	T_STR(body("6,5:4142"), "abs s0 n6 +5:4142");
	T_STR(body("EOF-10:4142"), "eof s0 n10 +0:4142");
	T_STR(body("EP-4,8:4142"), "ep s0 n-4 +8:4142");
	T_STR(body("S3+16:4142"), "sec s3 n16 +0:4142");
	T_STR(body("SL+2:4142"), "last s0 n2 +0:4142");
	T_STR(body("SE2:4142"), "in s2 n0 +0:4142");
}

static const char *conds(const char *tdb, const char *expr, int nsubsigs)
{
	char line[512];
	int n = snprintf(line, sizeof line, "T;%s;%s", tdb, expr);
	for (int i = 0; i < nsubsigs; i++)
		n += snprintf(line + n, sizeof line - (size_t)n, ";4142");
	return dump("ldb", line, true);
}

static void expressions_become_reverse_polish(void)
{
	T_STR(conds("Target:0", "0", 1), "id0");
	T_STR(conds("Target:0", "2&0|1", 3), "id0 id1 or2 id2 and2");
	T_STR(conds("Target:0", "(0|1)>2,1&2=0", 3), "id0 id1 or2 >2,1 id2 =0 and2");
	T_STR(conds("Target:0", "0>1<3", 1), "id0 <3");
	T_STR(conds("Target:0", "0|1&2", 3), "id1 id2 and2 id0 or2");
	T_STR(conds("Target:0", "((0)|1)<4,2", 2), "id0 id1 or2 <4,2");
	T_STR(conds("Engine:51-255,Target:1,FileSize:1-9,NumberOfSections:2-3", "0|1", 2),
	      "id0 id1 or2 size1,9 sections2,3 and3");
}

/* Found by comparison with clamscan: (0=0|1&2) needs 2 there. */
static void the_last_operator_of_a_block_comes_last(void)
{
	T_STR(conds("Target:0", "(0|1&2)", 3), "id0 id1 or2 id2 and2");
	T_STR(conds("Target:0", "(0|1&2|3)", 4), "id1 id2 and2 id0 or2 id3 or2");
	T_STR(conds("Target:0", "3&(0&1|2)>1", 4), "id0 id1 and2 id2 or2 >1 id3 and2");
}

static void the_condition_stack_stays_small(void)
{
	char *line = malloc(30000);
	size_t n = (size_t)sprintf(line, "T;Target:0;");
	for (int i = 0; i < 3000; i++)
		n += (size_t)sprintf(line + n, "(0|");
	n += (size_t)sprintf(line + n, "0");
	for (int i = 0; i < 3000; i++)
		n += (size_t)sprintf(line + n, ")");
	n += (size_t)sprintf(line + n, "&0&0&0&0;4142");
	struct ir_set s;
	T_EQ(read_text(&s, "ldb", line, n, true, NULL), ST_OK);
	T_EQ(s.nsigs, 1);
	int depth = 0, most = 0;
	for (uint32_t i = 0; s.nsigs && i < s.sigs[0]->nconds; i++) {
		const struct ir_cond *c = &s.sigs[0]->conds[i];
		depth += c->op == IR_COND_ID ? 1 : 1 - (int)c->a;
		most = depth > most ? depth : most;
	}
	T_EQ(depth, 1);
	T_TRUE(most <= 4);
	ir_done(&s);
	free(line);
}

static void sources_are_read_in_canonical_order(void)
{
	struct sig_source srcs[] = {{"z/b.hdb", MD5 ":2:B2\n", 38}, {"a/b.hdb", MD5 ":1:B1\n", 38},
	                            {"x/a.hdb", MD5 ":3:A3\n", 38}};
	struct sig_opts opts = {.strict = true};
	struct ir_set s;
	ir_init(&s);
	T_EQ(sig_read_all(&s, srcs, 3, &opts, NULL), ST_OK);
	const struct ir_hash_list *l = &s.hashes[IR_HASH_FILE][DIGEST_MD5];
	T_EQ(l->n, 3);
	T_EQ(ir_hash_at(l, 0)->size, 3);
	T_EQ(ir_hash_at(l, 1)->size, 1);
	T_EQ(ir_hash_at(l, 2)->size, 2);
	ir_done(&s);
}

static void extensions_decide_the_format(void)
{
	static const char *const known[] = {"a.hdb", "x/a.NDB", "a.ldu", "a.yara", "a.cvd", "a.ign2"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		T_TRUE(sig_known_extension(known[i]));
	T_TRUE(!sig_known_extension("a.txt"));
	T_TRUE(!sig_known_extension("x.hdb/a"));
	T_TRUE(!sig_known_extension("a.hdb.bak"));
	struct ir_set s;
	T_EQ(read_text(&s, "txt", "x", 1, true, NULL), ST_UNSUPPORTED);
	ir_done(&s);
	T_EQ(read_text(&s, "ndu", "bad\n", 4, true, NULL), ST_OK); /* not read without opts->pua */
	T_EQ(s.inactive[0].n, 1);
	ir_done(&s);
}

int main(void)
{
	T_RUN(hash_lines_load_as_in_clamscan);
	T_RUN(section_hash_lines_have_the_size_first);
	T_RUN(import_hashes_take_any_size_without_a_level);
	T_RUN(container_metadata_loads_as_in_clamscan);
	T_RUN(older_container_metadata_loads_as_in_clamscan);
	T_RUN(passwords_load_as_in_clamscan);
	T_RUN(ndb_fields_load_as_in_clamscan);
	T_RUN(offsets_load_as_in_clamscan);
	T_RUN(body_content_loads_as_in_clamscan);
	T_RUN(less_is_needed_in_other_targets);
	T_RUN(modifiers_change_what_loads);
	T_RUN(other_subsignatures_load_as_in_clamscan);
	T_RUN(target_descriptions_load_as_in_clamscan);
	T_RUN(expressions_load_as_in_clamscan);
	T_RUN(lines_end_as_in_clamscan);
	T_RUN(a_malformed_line_is_reported_and_skipped_unless_strict);
	T_RUN(a_hash_row_keeps_digest_size_and_name);
	T_RUN(body_content_becomes_parts_of_elements);
	T_RUN(boundaries_stay_only_at_the_ends_of_a_part);
	T_RUN(modifiers_become_masks_and_wide_patterns);
	T_RUN(offsets_keep_place_and_shift);
	T_RUN(expressions_become_reverse_polish);
	T_RUN(the_last_operator_of_a_block_comes_last);
	T_RUN(the_condition_stack_stays_small);
	T_RUN(sources_are_read_in_canonical_order);
	T_RUN(extensions_decide_the_format);
	return t_end();
}
