/* What a fetcher may be asked for. */
#include "base/num.h"
#include "net/fetch_scope.h"
#include "net/fetch_wire.h"
#include "test/t.h"

static struct fetch_scope scope;

static bool add(const char *url, uint32_t may)
{
	return fetch_scope_add(&scope, url, strlen(url), may);
}

static void begin(const char *url, uint32_t may)
{
	scope = (struct fetch_scope){.n = 0};
	T_TRUE(add(url, may));
}

static void may(const char *url)
{
	if (!fetch_scope_allows(&scope, url, FETCH_MAY_GET))
		T_FAIL("refused: %s", url);
}

static void may_not(const char *url)
{
	if (fetch_scope_allows(&scope, url, FETCH_MAY_GET))
		T_FAIL("allowed: %s", url);
}

static void an_empty_scope_allows_nothing(void)
{
	scope = (struct fetch_scope){.n = 0};
	may_not("http://a/");
	may_not("https://a.example/x");
}

static void what_is_below_the_url_is_allowed(void)
{
	static const char *const same[] = {"https://a.example/repo", "https://a.example/repo/",
	                                   "https://a.example/repo//"};
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		begin(same[i], FETCH_MAY_GET);
		may("https://a.example/repo/");
		may("https://a.example/repo/metadata/1.root.json");
		may("https://a.example/repo/a..b/...");
		may("https://a.example/repo/100%25/a%20b/1.%2F.json");
		may("https://a.example/repo/a%3Fb");
	}
}

static void a_prefix_ends_at_a_slash(void)
{
	begin("https://a.example/repo", FETCH_MAY_GET);
	may_not("https://a.example/repo");
	may_not("https://a.example/repository/x");
	may_not("https://a.example/repo.old/x");
	may_not("https://a.example/repo;x/y");
	may_not("https://a.example/repo%2Fx");
	may_not("https://a.example/other/x");
	may_not("https://a.example/");
}

static void scheme_host_and_port_are_exact(void)
{
	begin("https://a.example:8443/x", FETCH_MAY_GET);
	may("https://a.example:8443/x/y");
	may_not("http://a.example:8443/x/y");
	may_not("https://a.example/x/y");
	may_not("https://a.example:443/x/y");
	may_not("https://a.example:84430/x/y");
	may_not("https://A.example:8443/x/y");
	may_not("https://a.example.:8443/x/y");
	may_not("https://b.example:8443/x/y");
	begin("http://a.example", FETCH_MAY_GET);
	may("http://a.example/x");
	may_not("http://a.example");
	may_not("http://a.example.evil.example/x");
	may_not("http://a.example:80/x");
	may_not("http://a.example@evil.example/x");
	may_not("http://a.example\\@evil.example/x");
	may_not("http://a.example?@evil.example/x");
}

static void no_path_climbs_however_it_is_written(void)
{
	static const char *const dots[] = {
		"../x", "./x", "a/../../x", "..", ".", "a/..", "a/../x",
		"%2e%2e/x", "%2E./x", ".%2e/x", "%2e/x",
		"..%2fx", "a%2f..%2f..%2fx", "%2e%2e%2fx",
		"%252e%252e/x", "%25252e%25252e/x", "..%252fx", "%25%32%65%25%32%65/x",
		"%%32e%%32e/x", "a%25zz/%252e%252e/x",
		"..\\x", "a\\..\\..\\x", "..%5cx", "%2e%2e%5cx",
		"..;/x", "..;a=b/x", "%2e%2e;/x", "..%3b/x",
		"a%00/../x", "a%00", "a%2500",
	};
	char url[256];
	begin("http://a/repo", FETCH_MAY_GET);
	for (size_t i = 0; i < ARRAY_LEN(dots); i++) {
		snprintf(url, sizeof url, "http://a/repo/%s", dots[i]);
		may_not(url);
	}
}

static void a_query_is_refused_where_it_is_not_allowed(void)
{
	begin("http://a/x", FETCH_MAY_GET);
	may_not("http://a/x/y?");
	may_not("http://a/x/y?secret");
	may_not("http://a/x/?../../");
	begin("http://a/x", FETCH_MAY_GET | FETCH_MAY_QUERY);
	may("http://a/x/y?name=z");
	may("http://a/x/y?name=../z");
	may_not("http://a/x/../y?name=z");
	may_not("http://a/x?name=/");
}

static void each_url_has_its_methods(void)
{
	begin("http://a/x", FETCH_MAY_GET);
	T_TRUE(add("http://w", FETCH_MAY_POST));
	T_TRUE(add("http://a/x/files", FETCH_MAY_HEAD));
	T_TRUE(fetch_scope_allows(&scope, "http://a/x/y", FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&scope, "http://a/x/y", FETCH_MAY_POST));
	T_TRUE(!fetch_scope_allows(&scope, "http://a/x/y", FETCH_MAY_HEAD));
	T_TRUE(fetch_scope_allows(&scope, "http://a/x/files/y", FETCH_MAY_HEAD));
	T_TRUE(fetch_scope_allows(&scope, "http://a/x/files/y", FETCH_MAY_GET));
	T_TRUE(!fetch_scope_allows(&scope, "http://a/x/files/y", FETCH_MAY_POST));
	T_TRUE(fetch_scope_allows(&scope, "http://w/add-checkpoint", FETCH_MAY_POST));
	T_TRUE(!fetch_scope_allows(&scope, "http://w/add-checkpoint", FETCH_MAY_GET));
}

static void what_is_no_url_to_ask_below_adds_nothing(void)
{
	static char longest[FETCH_URL_MAX + 1] = "http://a/";
	static const char *const bad[] = {"", "/", "https:/", "https://", "http:///", "file:///srv",
	                                  "ftp://a/", "a", "http://u:p@a/", "http://a/x?y",
	                                  "http://a?x", "http://a/../b", "http://a/%2e%2e/b",
	                                  "http://a/b c", "http://a/\n", "http://a/#x", longest};
	memset(longest + 9, 'a', sizeof longest - 10);
	scope = (struct fetch_scope){.n = 0};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (add(bad[i], FETCH_MAY_ALL))
			T_FAIL("added: %s", bad[i]);
	T_TRUE(!fetch_scope_add(&scope, "http://a\0b", 10, FETCH_MAY_GET));
	T_EQ(scope.n, 0);
}

static void there_is_room_for_so_many_and_no_more(void)
{
	scope = (struct fetch_scope){.n = 0};
	for (size_t i = 0; i < FETCH_SCOPE_MAX; i++)
		T_TRUE(add("http://a/x", FETCH_MAY_GET));
	T_TRUE(!add("http://b/x", FETCH_MAY_GET));
	may_not("http://b/x/y");
}

static void the_weight_is_what_the_asker_chose(void)
{
	T_EQ(fetch_scope_weight("http://a/x", "", 0, 0), 10);
	T_EQ(fetch_scope_weight("http://a/x", "text", 100, 0), 114);
	T_TRUE(fetch_scope_weight("http://a/x", "", 0, UINT64_MAX) >= 10 + 20);
}

int main(void)
{
	T_RUN(an_empty_scope_allows_nothing);
	T_RUN(what_is_below_the_url_is_allowed);
	T_RUN(a_prefix_ends_at_a_slash);
	T_RUN(scheme_host_and_port_are_exact);
	T_RUN(no_path_climbs_however_it_is_written);
	T_RUN(a_query_is_refused_where_it_is_not_allowed);
	T_RUN(each_url_has_its_methods);
	T_RUN(what_is_no_url_to_ask_below_adds_nothing);
	T_RUN(there_is_room_for_so_many_and_no_more);
	T_RUN(the_weight_is_what_the_asker_chose);
	return t_end();
}
