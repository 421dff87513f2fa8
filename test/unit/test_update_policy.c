/* What a customer demands of an update: what is read, what is refused and with which words, what
 * is said of it. */
#include "test/t.h"
#include "tlog_make.h"
#include "update/policy.h"

#define ACME "spki:MCowBQYDK2VwAyEAZeQx+lOhA+KLaHVq0iTE4PzhOXE/McaRrUsrquLZJVY="
#define OTHER "spki:MCowBQYDK2VwAyEAsipeyPxgvd1D9YqwR3WKNFK2mzPTSpjfPbSrduWFecU="
#define UNIVERSITY                                                                             \
	"spki:MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhuylEb8JYghXr8WgCMfD+WPp1mF//ZToC8U+3sO5hiAzUCNu" \
	"yVYopNbCsuKFbKfgF6aoqBud/EL+Tt4pVeO07g=="
#define LOG "log.example.org/av-updates+468a745a+AT/b0CcCI26gNznXbz4qSiY884R2L8T5F8VzLMtXVJ6i"
#define W1 "witness1.example.net+d47d8696+BF5CzfP3r2xj7XkpoTe3JLNUAUn7GhZ8P4IVKn/9/xbT"

/* The least that a policy must say. */
static const char *const least[] = {
    "set main",  "root root.json", "publisher acme " ACME, "log " LOG, "quorum none",
    "rebuilds-needed 0",
};
#define LEAST (sizeof least / sizeof *least)

/* The least, without the lines that start with `without` (may be NULL), and with more. */
static void make_text(struct buf *b, const char *without, const char *more)
{
	for (size_t i = 0; i < LEAST; i++) {
		if (without && !strncmp(least[i], without, strlen(without)))
			continue;
		make_add(b, least[i]);
		make_add(b, "\n");
	}
	make_add(b, more);
}

static st_t parse(const char *without, const char *more, struct update_policy *ret,
                  struct err *e)
{
	struct buf b = {0};
	make_text(&b, without, more);
	st_t st = update_policy_parse(make_rd(&b), ret, e);
	buf_done(&b);
	return st;
}

static void refused(const char *without, const char *more, const char *why)
{
	struct update_policy p;
	struct err e = {0};
	st_t st = parse(without, more, &p, &e);
	if (st != ST_MALFORMED && st != ST_LIMIT)
		T_FAIL("without %s, with %s: accepted", without ? without : "nothing", more);
	else if (!strstr(e.text, why))
		T_FAIL("\"%s\" is not in \"%s\"", why, e.text);
	update_policy_done(&p);
}

static void the_least_that_a_policy_says_is_accepted_with_the_defaults(void)
{
	struct update_policy p;
	struct err e = {0};
	T_EQ(parse(NULL, "", &p, &e), ST_OK);
	T_STR(e.text, "");
	T_STR(p.set, "main");
	T_STR(p.root, "root.json");
	T_EQ(rd_left(&p.root_bytes), 0);
	T_EQ(p.nrepositories, 0);
	T_EQ(p.publishers.n, 1);
	T_STR(p.publishers.v[0].name, "acme");
	T_EQ(p.release_signatures, 1);
	T_EQ(p.rebuilds_needed, 0);
	T_TRUE(p.logs->quorum == NULL);
	T_EQ(p.freshness, 48 * 3600);
	T_EQ(p.clock_tolerance, 300);
	T_EQ(p.hold, UPDATE_HOLD_NONE);
	T_EQ(p.compile, UPDATE_COMPILE_ATTESTED);
	T_EQ(p.keep, 3);
	T_TRUE(p.eicar);
	T_TRUE(!p.known_good && !p.known_bad && !p.proxy && !p.ca_file);
	T_EQ(p.timeout, 30);
	T_EQ(p.bandwidth, 0);
	update_policy_done(&p);
}

static void every_directive_is_read(void)
{
	struct update_policy p;
	struct err e = {0};
	T_EQ(parse(NULL,
	           "repository https://a.example/r\nrepository http://b.example/\n"
	           "repository file:///srv/r\nfreshness 3d\nclock-tolerance 0s\nhold 24h\n"
	           "compile local\nkeep 1\nknown-good /g\nknown-bad /b\neicar no\ntimeout 5s\n"
	           "bandwidth 4096\nproxy http://p:1\nca-file /c.pem\nrelease-signatures 1\n"
	           "rebuilder university " UNIVERSITY "\n",
	           &p, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(p.nrepositories, 3);
	T_STR(p.repository[0], "https://a.example/r");
	T_STR(p.repository[2], "file:///srv/r");
	T_EQ(p.freshness, 3 * 86400);
	T_EQ(p.clock_tolerance, 0);
	T_EQ(p.hold, UPDATE_HOLD_TIME);
	T_EQ(p.hold_time, 86400);
	T_EQ(p.compile, UPDATE_COMPILE_LOCAL);
	T_EQ(p.keep, 1);
	T_STR(p.known_good, "/g");
	T_STR(p.known_bad, "/b");
	T_TRUE(!p.eicar);
	T_EQ(p.timeout, 5);
	T_EQ(p.bandwidth, 4096);
	T_STR(p.proxy, "http://p:1");
	T_STR(p.ca_file, "/c.pem");
	T_EQ(p.rebuilders.n, 1);
	T_EQ(p.rebuilds_needed, 0);
	update_policy_done(&p);
	T_EQ(parse(NULL, "hold manual\n", &p, &e), ST_OK);
	T_EQ(p.hold, UPDATE_HOLD_MANUAL);
	update_policy_done(&p);
}

static void what_is_not_checked_has_to_be_written_down(void)
{
	refused("log", "", "no \"log\" line");
	refused("publisher", "", "no \"publisher\" line");
	refused("quorum", "", "no quorum line");
	refused("rebuilds-needed", "", "write \"rebuilds-needed 0\"");
	refused("root", "", "no \"root\" line");
	refused("set", "", "no \"set\" line");
}

static void all_rebuilders_that_are_named_are_needed_unless_said_otherwise(void)
{
	struct update_policy p;
	T_EQ(parse("rebuilds", "rebuilder u " UNIVERSITY "\nrebuilder a " OTHER "\n", &p, NULL), ST_OK);
	T_EQ(p.rebuilds_needed, 2);
	update_policy_done(&p);
	T_EQ(parse("rebuilds", "rebuilder u " UNIVERSITY "\nrebuilder a " OTHER "\nrebuilds-needed 1\n",
	           &p, NULL), ST_OK);
	T_EQ(p.rebuilds_needed, 1);
	update_policy_done(&p);
	refused("rebuilds", "rebuilds-needed 1\n", "more than there are rebuilders (0)");
	refused(NULL, "release-signatures 2\n", "more than there are publishers (1)");
	refused(NULL, "rebuilder a " ACME "\n",
	        "rebuilder a has the key of the publisher acme: who rebuilds must be somebody else");
}

static void a_line_that_breaks_a_rule_is_refused_with_its_number_and_what_would_be_right(void)
{
	refused(NULL, "holt 24h\n", "line 7: \"holt\" is no directive; vitrine-policy(5)");
	refused(NULL, "hold = 24h\n", "line 7: write \"hold VALUE\", without \"=\"");
	refused(NULL, "hold\n", "line 7: \"hold\" without a value");
	refused(NULL, "hold soon\n", "\"none\", \"manual\" or a time such as 24h");
	refused(NULL, "hold 0h\n", "hold: a time from 1s");
	refused(NULL, "hold 24h # wait\n", "nothing may follow, but \"#\"");
	refused(NULL, "hold 1h\nhold 1h\n", "line 8: a second \"hold\"");
	refused(NULL, "freshness 2\n", "a number and s, m, h or d");
	refused(NULL, "freshness 99999999999999999999d\n", "a number and s, m, h or d");
	refused(NULL, "freshness 9000000000s\n", "a time from");
	refused(NULL, "set other\n", "a second \"set\"");
	refused("set", "set Main\n", "line 6: set: 1 to 64 of a-z");
	refused("set", "set ../x\n", "set: 1 to 64");
	refused("root", "root base64:!\n", "no base64");
	refused("root", "root base64:\n", "1 to 131072");
	refused(NULL, "repository ftp://x\n", "https://..., http://... or file:///...");
	refused(NULL, "repository https://\n", "https://..., http://... or file:///...");
	refused(NULL, "repository http://x\nrepository http://x\n", "line 8: this repository");
	refused(NULL, "compile remote\n", "\"attested\" or \"local\"");
	refused(NULL, "keep 0\n", "keep: a number from 1 to 32");
	refused(NULL, "keep 33\n", "keep: a number from 1 to 32");
	refused(NULL, "known-good\n", "\"known-good\" without a value");
	refused(NULL, "eicar maybe\n", "\"yes\" or \"no\"");
	refused(NULL, "timeout 2h\n", "timeout: a time from 1s to 3600s");
	refused(NULL, "bandwidth 1\n", "bandwidth: a number from 1024");
	refused(NULL, "proxy p:1\n", "a URL starts with");
	refused(NULL, "release-signatures 0\n", "a number from 1 to 32");
	refused(NULL, "publisher again " ACME "\n", "this key is \"acme\" already");
	refused(NULL, "publisher acme " UNIVERSITY "\n", "\"acme\" is there already");
	refused(NULL, "publisher file key.pem\n", "cannot be read here");
	refused(NULL, "eicar yes\r\n", "lines end with LF, not with CR LF");
	refused("log", "log " LOG " gopher://x\n", "its URL is https://...");
	refused(NULL, "witness w1 " W1 " \nquorum w1\n", "line 8: a second quorum");
}

static void a_policy_larger_than_the_limit_is_refused(void)
{
	struct buf b = {0};
	struct update_policy p;
	buf_fill(&b, '\n', UPDATE_POLICY_MAX + 1);
	T_EQ(update_policy_parse(make_rd(&b), &p, NULL), ST_LIMIT);
	update_policy_done(&p);
	buf_done(&b);
}

static void one_repository_more_than_there_may_be_is_refused(void)
{
	struct buf b = {0};
	for (int i = 0; i <= UPDATE_MIRRORS_MAX; i++) {
		char line[64];
		snprintf(line, sizeof line, "repository http://m%d/\n", i);
		make_add(&b, line);
	}
	buf_u8(&b, '\0');
	refused(NULL, (const char *)b.data, "more than 16 repositories");
	buf_done(&b);
}

static st_t read_file(void *ctx, const char *name, struct buf *out, struct err *e)
{
	const char *more = ctx;
	if (strstr(name, ".pem"))
		make_read_file(VECTORS "/dsse", "p.pem", out);
	else if (!strcmp(name, "dir/root.json"))
		make_add(out, more);
	else
		return fail(e, ST_NOT_FOUND, 0, "%s: not there", name);
	return ST_OK;
}

static st_t expand(const char *in, const char *root, struct buf *out, struct err *e)
{
	return update_policy_expand(rd_make(in, strlen(in)), read_file, (void *)(uintptr_t)root, out,
	                            e);
}

static void an_expanded_policy_holds_its_keys_and_root_and_reads_the_same(void)
{
	static const char in[] = "# x\nset main\n root  dir/root.json \npublisher acme keys/acme.pem\n"
							 "log " LOG "\nquorum none\nrebuilds-needed 0";
	struct buf out = {0}, again = {0};
	struct update_policy p;
	struct err e = {0};
	T_EQ(expand(in, "{\"signed\":1}", &out, &e), ST_OK);
	T_TRUE(memmem(out.data, out.len, ACME, strlen(ACME)) != NULL);
	T_EQ(update_policy_parse(make_rd(&out), &p, &e), ST_OK);
	T_STR(e.text, "");
	T_TRUE(p.root == NULL);
	T_EQ(rd_left(&p.root_bytes), 12);
	T_TRUE(rd_peek(&p.root_bytes, "{\"signed\":1}", 12));
	buf_u8(&out, '\0');
	T_EQ(expand((const char *)out.data, "", &again, &e), ST_OK);
	T_EQ(again.len, out.len - 1);
	T_MEM(again.data, out.data, again.len);
	update_policy_done(&p);
	buf_done(&out);
	buf_done(&again);
}

static void a_root_that_is_missing_empty_or_too_large_is_not_expanded(void)
{
	struct buf out = {0}, big = {0};
	struct err e = {0};
	T_EQ(expand("root nowhere.json\n", "", &out, &e), ST_NOT_FOUND);
	T_EQ(expand("root dir/root.json\n", "", &out, NULL), ST_LIMIT);
	buf_fill(&big, 'x', UPDATE_ROOT_MAX + 1);
	buf_u8(&big, '\0');
	T_EQ(expand("root dir/root.json\n", (const char *)big.data, &out, NULL), ST_LIMIT);
	big.data[UPDATE_ROOT_MAX] = '\0';
	T_EQ(expand("root dir/root.json\n", (const char *)big.data, &out, NULL), ST_OK);
	buf_done(&out);
	buf_done(&big);
}

static void described(const char *without, const char *more, const char *want)
{
	struct update_policy p;
	struct buf b = {0};
	T_EQ(parse(without, more, &p, NULL), ST_OK);
	update_policy_describe(&p, &b);
	buf_u8(&b, '\0');
	if (!strstr((char *)b.data, want))
		T_FAIL("\"%s\" is not in \"%s\"", want, b.data);
	buf_done(&b);
	update_policy_done(&p);
}

static void what_a_policy_demands_is_said_in_sentences(void)
{
	described(NULL, "", "The set \"main\" comes from bundles only: no repository is named.\n");
	described(NULL, "repository http://a/\nrepository http://b/\n",
	          "\"main\" comes from http://a/; mirrors: http://b/.\n"
	          "Its TUF metadata must lead from the pinned root (root.json) to the release.\n");
	described(NULL, "", "A release must be signed by 1 of 1 publishers: acme.\n");
	described(NULL, "", "It must be an entry of the log log.example.org/av-updates, ");
	described(NULL, "", "No witness has to have seen the log: not asked for");
	described("quorum", "witness w1 " W1 "\nquorum w1\nfreshness 90s\n",
	          "must be cosigned by witnesses: w1; at most 90 seconds ago.\n");
	described("quorum", "witness w1 " W1 "\nquorum w1\n", "at most 48 hours ago.\n");
	described("quorum", "witness w1 " W1 "\nquorum w1\nfreshness 7d\n", "at most 7 days ago.\n");
	described(NULL, "", "Nobody rebuilds: not asked for.\n");
	described(NULL, "rebuilder u " UNIVERSITY "\n", "No rebuild is needed");
	described("rebuilds", "rebuilder u " UNIVERSITY "\nrebuilder a " OTHER "\n",
	          "rebuilt from the source by 2 of 2 rebuilders: u, a; none may have built others.\n");
	described(NULL, "", "A release that passed is used at once.\n");
	described(NULL, "hold 1h\n", "A release that passed waits for 1 hour, or until it is");
	described(NULL, "hold manual\n", "A release that passed waits until it is approved.\n");
	described(NULL, "compile local\n", "compiled here from the rule text, and must be the same");
	described(NULL, "", "Before it is used it must find the EICAR test file.\n");
	described(NULL, "known-bad /b\nknown-good /g\n",
	          "find the EICAR test file and every file in /b.\nIt must find nothing in /g.\n");
	described(NULL, "keep 1\n", "there is none to go back to.\n");
	described(NULL, "", "The last 3 releases that were in use are kept.\n");
}

static void the_example_that_is_installed_is_a_policy(void)
{
	struct buf b = {0};
	struct update_policy p;
	struct err e = {0};
	make_read_file(EXAMPLES, "update.policy.example", &b);
	T_EQ(update_policy_parse(make_rd(&b), &p, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(p.nrepositories, 2);
	T_EQ(p.rebuilds_needed, 1);
	T_EQ(p.logs->nwitnesses, 3);
	update_policy_done(&p);
	buf_done(&b);
}

/* What the example offers behind a "#" works when the "#" is taken away. */
static void the_commented_lines_of_the_example_work_too(void)
{
	struct buf b = {0}, with = {0};
	struct update_policy p;
	struct err e = {0};
	make_read_file(EXAMPLES, "update.policy.example", &b);
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] != '#' || i + 1 == b.len || b.data[i + 1] == ' ')
			buf_u8(&with, b.data[i]);
	T_EQ(update_policy_parse(make_rd(&with), &p, &e), ST_OK);
	T_STR(e.text, "");
	T_TRUE(p.known_bad && p.known_good && p.proxy && p.ca_file && p.bandwidth);
	update_policy_done(&p);
	buf_done(&b);
	buf_done(&with);
}

static void an_update_may_get_below_the_urls_of_the_policy_and_nothing_else(void)
{
	struct update_policy p;
	struct fetch_scope s;
	struct err e = {0};
	T_EQ(parse("log ", "log " LOG " https://log.example.org/av\n"
	           "repository https://r.example/repo/\nrepository file:///srv/repo\n", &p, &e), ST_OK);
	update_policy_scope(&p, &s);
	T_EQ(s.n, 2);
	T_EQ(s.send_max, UPDATE_SEND_MAX);
	T_TRUE(fetch_scope_allows(&s, "https://r.example/repo/metadata/1.root.json", FETCH_MAY_GET));
	T_TRUE(fetch_scope_allows(&s, "https://log.example.org/av/checkpoint", FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&s, "https://r.example/repo/a", FETCH_MAY_POST));
	T_TRUE(!fetch_scope_allows(&s, "https://r.example/repo/a", FETCH_MAY_HEAD));
	T_TRUE(!fetch_scope_allows(&s, "https://r.example/repo/a?b", FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&s, "https://r.example/other", FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&s, "https://else.example/repo/a", FETCH_MAY_GET));
	update_policy_done(&p);
}

int main(void)
{
	T_RUN(the_least_that_a_policy_says_is_accepted_with_the_defaults);
	T_RUN(every_directive_is_read);
	T_RUN(what_is_not_checked_has_to_be_written_down);
	T_RUN(all_rebuilders_that_are_named_are_needed_unless_said_otherwise);
	T_RUN(a_line_that_breaks_a_rule_is_refused_with_its_number_and_what_would_be_right);
	T_RUN(a_policy_larger_than_the_limit_is_refused);
	T_RUN(one_repository_more_than_there_may_be_is_refused);
	T_RUN(an_expanded_policy_holds_its_keys_and_root_and_reads_the_same);
	T_RUN(a_root_that_is_missing_empty_or_too_large_is_not_expanded);
	T_RUN(what_a_policy_demands_is_said_in_sentences);
	T_RUN(the_example_that_is_installed_is_a_policy);
	T_RUN(the_commented_lines_of_the_example_work_too);
	T_RUN(an_update_may_get_below_the_urls_of_the_policy_and_nothing_else);
	return t_end();
}
