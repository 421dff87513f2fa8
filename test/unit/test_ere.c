/* Regular expressions: what loads and what it matches was seen in clamscan 1.4.6 (.cdb names). */
#include "base/ere.h"
#include "test/t.h"

static st_t load(const char *text, struct ere **ret)
{
	*ret = NULL;
	return ere_new(text, strlen(text), ret, NULL);
}

static bool matches(const char *text, const char *name)
{
	struct ere *x;
	if (load(text, &x) != ST_OK)
		T_FAIL("'%s' is refused", text);
	bool found = x && ere_search(x, name, strlen(name));
	ere_free(x);
	return found;
}

static void some_part_of_the_text_matches(void)
{
	static const struct {
		const char *text, *name;
		bool want;
	} cases[] = {
		{"Foo", "xFoo", true}, {"foo", "Foo", false}, {"(?i)fOO[.]b", "Foo.Bar", true},
		{"^a", "ba", false}, {"^^a", "ab", true}, {"a$", "ba", true}, {"a$$", "ba", true},
		{"a$", "a\n", false}, {"a.$", "a\n", true}, {"x$y", "x$y", false}, {"a^b", "a^b", false},
		{"()", "", true},
		{"^(){2,3}a", "a", true}, {"^(()*)+a", "a", true}, {"^()$", "", true}, {"a|b", "xb", true},
		{"a*", "", true}, {"^a+$", "aaa", true}, {"^a?b", "ab", true}, {"^a?b", "aab", false},
		{"^a{2}$", "aa", true}, {"^a{2}$", "aaa", false}, {"^a{2,}$", "a", false},
		{"^a{2,}$", "aaaa", true}, {"^a{1,3}$", "aaa", true}, {"^a{1,3}$", "aaaa", false},
		{"^(ab|c){2}$", "abc", true}, {"^(ab|c){2}$", "ab", false}, {"x{0}y", "y", true},
		{"^x{0,1}y", "xy", true}, {"a{", "a{2", true}, {"a{,2}", "a{,2}", true}, {"a)", "a)", true},
		{"\\d", "5", false}, {"\\d", "d", true}, {"\\.", "a", false}, {"(a)\\1", "a1", true},
		{"[]y]", "]", true}, {"[^]y]", "]y", false}, {"[a-]", "-", true}, {"[-a]", "-", true},
		{"[^a-y]", "az", true}, {"[\\.]", "\\", true}, {"[[.-.]]", "-", true},
		{"[[=a=]]", "a", true}, {"(?i)[A-C]", "b", true}, {"\\<bar", "foo bar", true},
		{"\\<bar", "foobar", false}, {"foo\\>", "foo.x", true}, {"foo\\>", "foo_", false},
		{"(a*)*b", "aab", true}, {"(a*)+$", "", true}, {"((a|b)*c)+d", "abcbcd", true},
		{"a|b|c|d", "d", true}, {"^(a|b|c)+$", "cabd", false}, {".", "\xff", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (matches(cases[i].text, cases[i].name) != cases[i].want)
			T_FAIL("'%s' on '%s'", cases[i].text, cases[i].name);
}

static void what_clamscan_refuses_is_refused(void)
{
	static const char *const bad[] = {
		"", "(", "a|", "|a", "a||b", "(|a)", "(a|)", "a**", "a+?", "*a", "+a", "?a", "{2}", "(*a)",
		"a|*b", "^*", "[", "[^]", "[a-", "[z-a]", "[--/]", "[[:digit:]]", "\\", "a{1,", "a{2,1}",
		"a{256}", "a{1}{2}", "(?i)", "(?s)a", "(?=a)", "a(?i)b", "o{0}", "a|o{0}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ere *x;
		if (load(bad[i], &x) != ST_MALFORMED)
			T_FAIL("'%s' is not refused", bad[i]);
		ere_free(x);
	}
}

static void size_and_depth_are_limited(void)
{
	struct ere *x;
	char deep[400];
	T_EQ(load("((a{255}){255}){255}", &x), ST_UNSUPPORTED);
	T_EQ(load("(((a{0,255}){0,255}){0,255}){0}", &x), ST_UNSUPPORTED);
	memset(deep, '(', 150);
	deep[150] = 'a';
	memset(deep + 151, ')', 150);
	deep[301] = '\0';
	T_EQ(load(deep, &x), ST_UNSUPPORTED);
}

/* Backtracking would take 2^1000 steps. */
static void time_does_not_explode(void)
{
	char name[1001];
	memset(name, 'a', 1000);
	name[1000] = '\0';
	T_TRUE(!matches("^((a*)*)*(a|aa)+b$", name));
}

int main(void)
{
	T_RUN(some_part_of_the_text_matches);
	T_RUN(what_clamscan_refuses_is_refused);
	T_RUN(size_and_depth_are_limited);
	T_RUN(time_does_not_explode);
	return t_end();
}
