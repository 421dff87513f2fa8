/* Formats beside body, logical and hash signatures: which lines load (recorded from clamscan 1.4.6
 * in load_decisions.tsv), what ignore lists leave out, what file types become. */
#include "db/filetypes.h"
#include "db/layout.h"
#include "sig/compile.h"
#include "test/t.h"

static struct err e;

static st_t read_sources(struct ir_set *s, const struct sig_source *src, size_t n, bool strict)
{
	struct sig_opts opts = {.strict = strict, .pua = true};
	err_clear(&e);
	ir_init(s);
	return sig_read_all(s, src, n, &opts, &e);
}

static st_t read_text(struct ir_set *s, const char *name, const char *text, bool strict)
{
	struct sig_source src = {name, text, strlen(text)};
	return read_sources(s, &src, 1, strict);
}

/* "extension TAB ok|bad TAB line" */
static void check_decision(char *row)
{
	char *want = strchr(row, '\t'), *line = want ? strchr(want + 1, '\t') : NULL, name[32];
	if (!line)
		return;
	*want++ = '\0';
	*line = '\0';
	snprintf(name, sizeof name, "t.%.8s", row);
	struct ir_set s;
	bool ok = read_text(&s, name, line + 1, true) == ST_OK;
	if (ok != !strcmp(want, "ok"))
		T_FAIL("%s: %s is %s here", name, line + 1, ok ? "loaded" : "refused");
	ir_done(&s);
}

static void lines_load_as_in_clamscan(void)
{
	char row[1024];
	unsigned n = 0;
	FILE *f = fopen(LOAD_DECISIONS, "r");
	T_TRUE(f);
	while (f && fgets(row, sizeof row, f)) {
		if (row[0] != '#')
			check_decision(row);
		n++;
	}
	T_TRUE(n > 400);
	if (f)
		fclose(f);
}

static void blank_lines_and_empty_files_are_refused_where_clamscan_does(void)
{
	static const struct {
		const char *name;
		bool blank, empty, comment; /* loads */
	} rules[] = {
		{"t.db", false, false, true}, {"t.idb", false, false, true},
		{"t.ftm", false, false, false}, {"t.ign", false, true, true},
		{"t.ign2", false, true, true}, {"t.cfg", true, true, true}, {"t.crb", true, true, true},
		{"t.wdb", true, true, true}, {"t.pdb", true, true, true}, {"t.gdb", true, true, true},
	};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct ir_set s;
		T_EQ(read_text(&s, rules[i].name, "\n", true) == ST_OK, rules[i].blank);
		ir_done(&s);
		T_EQ(read_text(&s, rules[i].name, "", true) == ST_OK, rules[i].empty);
		ir_done(&s);
		T_EQ(read_text(&s, rules[i].name, "# x\n", true) == ST_OK, rules[i].comment);
		ir_done(&s);
		T_EQ(read_text(&s, rules[i].name, "\n", false), ST_OK);
		ir_done(&s);
	}
}

static void a_malformed_line_is_skipped_and_told_unless_strict(void)
{
	static const char *const bad[] = {
		"a.db", "a.ign2", "a.ftm", "a.idb", "a.crb", "a.pdb", "a.wdb", "a.gdb",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ir_set s;
		T_EQ(read_text(&s, bad[i], ":::\n", false), ST_OK);
		T_EQ(s.nskipped, 1);
		T_TRUE(s.skipped && s.skipped->why[0] && s.skipped->line == 1);
		ir_done(&s);
	}
}

#define HASH "aa15bcf478d165efd2065190eb473bcb:544:Hash.One"
#define BODY "Sig.One:0:*:4142434445464748"
#define BODY_MD5 "e5b6e7a8d3c1b0f4a29784635261f0e9" /* of something else */

static size_t count_rows(const struct ir_set *s)
{
	size_t n = 0;
	for (int use = 0; use < IR_HASH_USES; use++)
		for (int kind = 0; kind < DIGEST_KINDS; kind++)
			n += s->hashes[use][kind].n;
	return n;
}

/* Signatures that are left of four of different kinds. */
static size_t left_with(const char *list)
{
	const struct sig_source src[] = {
		{"a.ndb", BODY "\n", sizeof BODY}, {"a.hdb", HASH "\n", sizeof HASH},
		{"a.ldb", "Log.One;Target:0;0;4142434445\n", 30},
		{"a.db", "Old.One (Clam)=4142434445\n", 26}, {"z.ign2", list, strlen(list)},
	};
	struct ir_set s;
	if (read_sources(&s, src, 5, true) != ST_OK)
		T_FAIL("%s", e.text);
	size_t n = s.nsigs + count_rows(&s);
	T_EQ(s.ignores.hits, 4 - n);
	ir_done(&s);
	return n;
}

static void an_ignored_name_is_left_out_wherever_it_stands(void)
{
	T_EQ(left_with("Nope\n"), 4);
	T_EQ(left_with("Sig.One\n"), 3);
	T_EQ(left_with("Hash.One\n"), 3);
	T_EQ(left_with("Log.One\n"), 3);
	T_EQ(left_with("Old.One\n"), 4);
	T_EQ(left_with("Old.One (Clam)\n"), 3);
	T_EQ(left_with("sig.one\n"), 4);
	T_EQ(left_with("Sig.One.UNOFFICIAL\n"), 4);
	T_EQ(left_with("a.ndb:77:Sig.One\n"), 3);
	T_EQ(left_with("Sig.One\nHash.One\nLog.One\n"), 1);
}

static void an_ignored_line_is_left_out_while_it_is_the_same(void)
{
	uint8_t md5[16];
	char hex[33], list[200];
	T_EQ(digest_bytes(DIGEST_MD5, HASH, strlen(HASH), md5, NULL), ST_OK);
	for (size_t i = 0; i < sizeof md5; i++)
		snprintf(hex + 2 * i, 3, "%02X", md5[i]);
	snprintf(list, sizeof list, "Hash.One:%s\n", hex);
	T_EQ(left_with(list), 3);
	T_EQ(left_with("Hash.One:" BODY_MD5 "\n"), 4);
	snprintf(list, sizeof list, "Hash.One:" BODY_MD5 "\nHash.One:%s\n", hex);
	T_EQ(left_with(list), 3);
	snprintf(list, sizeof list, "Hash.One:%s\nHash.One:" BODY_MD5 "\n", hex);
	T_EQ(left_with(list), 4);
}

static void many_ignores_are_all_found(void)
{
	static char list[40000];
	size_t n = 0;
	for (int i = 0; i < 2000; i++)
		n += (size_t)snprintf(list + n, sizeof list - n, "Name.%d\n", i);
	struct ir_set s;
	T_EQ(read_text(&s, "a.ign2", list, true), ST_OK);
	T_EQ(s.ignores.n, 2000);
	for (int i = 0; i < 3000; i++) {
		char name[32];
		int len = snprintf(name, sizeof name, "Name.%d", i);
		T_EQ(ir_find_ignore(&s, name, (size_t)len) != NULL, i < 2000);
	}
	ir_done(&s);
}

static void what_is_ignored_may_be_malformed(void)
{
	static const struct sig_source src[] = {{"a.ndb", "Sig.One:z:q:zz\n", 15},
	                                        {"z.ign", "Sig.One\n", 8}};
	struct ir_set s;
	T_EQ(read_sources(&s, src, 2, true), ST_OK);
	T_EQ(s.nsigs, 0);
	ir_done(&s);
}

static void file_types_that_cannot_be_decided_are_inactive(void)
{
	static const char *const lines[] = {
		"4:0:5a5a:M:CL_TYPE_PART_ANY:CL_TYPE_PART_HFSPLUS\n", "0:0::M:CL_TYPE_ANY:CL_TYPE_ZIP\n",
		"1:*:5a5a:M:CL_TYPE_ANY:CL_TYPE_ZIPSFX\n", "0:0:5a5a:M:CL_TYPE_ANY:CL_TYPE_ANY\n",
		"1:EOF-4:5a5a5a5a:M:CL_TYPE_ANY:CL_TYPE_ZIP\n",
		"1:*:5a5a(5b|5c)5d5d:M:CL_TYPE_ANY:CL_TYPE_ZIP\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct ir_set s;
		T_EQ(read_text(&s, "a.ftm", lines[i], true), ST_OK);
		if (s.nmagics != 0 || s.ninactive != 1)
			T_FAIL("%s", lines[i]);
		ir_done(&s);
	}
}

static void a_file_type_keeps_place_and_types(void)
{
	struct ir_set s;
	T_EQ(read_text(&s, "a.ftm", "0:12:5a5b:M:CL_TYPE_ANY:CL_TYPE_PDF\n"
	               "1:3,4:5a5b{2-}5c5d:M:CL_TYPE_TEXT_ASCII:CL_TYPE_GIF\n", true), ST_OK);
	T_EQ(s.nmagics, 2);
	T_TRUE(s.magics[0].direct && s.magics[0].type == FT_PDF && s.magics[0].rtype == FILETYPES);
	T_EQ(s.magics[0].pattern.offset.n, 12);
	T_EQ(s.magics[0].pattern.parts[0].elems[1].value, 0x5b);
	T_TRUE(!s.magics[1].direct && s.magics[1].rtype == FT_TEXT_ASCII);
	T_EQ(s.magics[1].pattern.nparts, 2);
	T_EQ(s.magics[1].pattern.offset.maxshift, 4);
	ir_done(&s);
}

static void a_program_is_noted_with_its_trigger(void)
{
	static const char text[] =
		"ClamBCaghkkcacemd|ahnfefbgfgofegcg```c``abhc``|biacfl:4096\n"
		"BC.Test.Name.{A,B};Engine:56-255,Target:1;(1|0);EOF-64:453a5c776f;453a5c776f\nx\n";
	struct ir_set s;
	T_EQ(read_text(&s, "a.cbc", text, true), ST_OK);
	T_EQ(s.nnotes, 1);
	T_STR(s.notes[0].text, "BC.Test.Name; logical signature; levels 56-255; Engine:56-255,Target:1;"
	                       "(1|0);EOF-64:453a5c776f;453a5c776f");
	ir_done(&s);
	T_EQ(read_text(&s, "a.cbc", "\x01\xff", true), ST_OK);
	T_STR(s.notes[0].text, "not readable");
	ir_done(&s);
}

int main(void)
{
	T_RUN(lines_load_as_in_clamscan);
	T_RUN(blank_lines_and_empty_files_are_refused_where_clamscan_does);
	T_RUN(a_malformed_line_is_skipped_and_told_unless_strict);
	T_RUN(an_ignored_name_is_left_out_wherever_it_stands);
	T_RUN(an_ignored_line_is_left_out_while_it_is_the_same);
	T_RUN(many_ignores_are_all_found);
	T_RUN(what_is_ignored_may_be_malformed);
	T_RUN(file_types_that_cannot_be_decided_are_inactive);
	T_RUN(a_file_type_keeps_place_and_types);
	T_RUN(a_program_is_noted_with_its_trigger);
	return t_end();
}
