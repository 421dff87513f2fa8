#include "monitor/config.h"

#include "base/num.h"
#include "net/fetch.h"
#include "tlog/text.h"

#include <stddef.h>
#include <string.h>

/* Everything that the texts of a file of MONITOR_CONFIG_MAX need. */
#define CONFIG_ARENA_MAX (MONITOR_CONFIG_MAX * 4)

/* Witness and URL of a "monitoring" line: known once the policy is. */
struct monitoring {
	struct rd item[POLICY_ITEMS_MAX][2];
	uint64_t line[POLICY_ITEMS_MAX];
	size_t n;
};

static st_t read_monitoring(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct monitoring *m = r->ctx;
	(void)d;
	(void)at;
	if (m->n == POLICY_ITEMS_MAX)
		return config_bad(r, "more than %d of them", POLICY_ITEMS_MAX);
	struct rd *item = m->item[m->n];
	if (!text_item(&r->line, &item[0]) || !text_item(&r->line, &item[1]))
		return config_bad(r, "the name of a witness and a URL (or \"none\") are needed");
	m->line[m->n++] = r->number;
	return ST_OK;
}

static st_t read_hook(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	char **hook = at;
	size_t n = 0;
	(void)d;
	while (text_item(&r->line, &item)) {
		if (n == MONITOR_HOOK_ARGS_MAX)
			return config_bad(r, "more than %d words", MONITOR_HOOK_ARGS_MAX);
		const char *s = NULL;
		TRY(config_keep(r, item, &s));
		hook[n++] = (char *)(uintptr_t)s;
	}
	if (n == 0 || hook[0][0] != '/')
		return config_bad(r, "the hook is the full path of a program, and its arguments");
	return ST_OK;
}

static const struct config_directive directives[] = {
#define AT(m) .off = offsetof(struct monitor_config, m)
#define TIME(m, seconds) config_time, AT(m), .max = CONFIG_TEN_YEARS, .fallback = (seconds)
#define COUNT(m) config_number, AT(m), .min = 1, .max = ATTEST_PARTIES_MAX, .fallback = 1
    {"publisher", attest_party_read, AT(publishers), .again = true},
    {"rebuilder", attest_party_read, AT(rebuilders), .again = true},
    {"monitoring", read_monitoring, .again = true},
    {"hook", read_hook, AT(hook)},
    {"repository", config_url, AT(repository), .max = FETCH_URL_MAX},
    {"fetch-subjects", config_bool, AT(fetch_subjects)},
    {"subject-max", config_number, AT(subject_max), .min = 1, .max = MONITOR_SUBJECT_MAX,
     .fallback = (uint64_t)64 << 20},
    {"subject-within", TIME(subject_within, 3600)},
    {"release-signatures", COUNT(release_signatures)},
    {"rebuilds-needed", COUNT(rebuilds_needed)},
    {"rebuilt-within", TIME(rebuilt_within, 86400)},
    {"stale-after", TIME(stale_after, 3600)},
    {"ahead-after", TIME(ahead_after, 900)},
    {"unreachable-after", TIME(unreachable_after, 900)},
    {"clock-tolerance", TIME(clock_tolerance, 300)},
    {"interval", TIME(interval, 60)},
    {"state", config_text, AT(state)},
#undef AT
#undef TIME
#undef COUNT
};
_Static_assert(ARRAY_LEN(directives) <= CONFIG_DIRECTIVES_MAX, "one for each");

static st_t set_monitoring(struct config_reader *r, struct monitor_config *c, size_t i)
{
	const struct monitoring *m = r->ctx;
	const struct policy *p = c->policy;
	const struct rd *item = m->item[i];
	r->number = m->line[i];
	for (size_t w = 0; w < p->nwitnesses; w++) {
		if (!text_is(item[0], p->witnesses[w].name))
			continue;
		c->monitoring[w] = NULL;
		if (text_is(item[1], "none"))
			return ST_OK;
		return config_parse_url(r, item[1], FETCH_URL_MAX, &c->monitoring[w]);
	}
	return config_bad(r, "no witness has this name");
}

/* "http://a/files/{sha256}/{name}": below "http://a/files". */
static bool allow_repository(const struct monitor_config *c, struct fetch_scope *s)
{
	const char *url = c->repository;
	uint32_t may = c->fetch_subjects ? FETCH_MAY_GET : FETCH_MAY_HEAD;
	size_t n = strcspn(url, "{?");
	while (n > 0 && url[n - 1] != '/')
		n--;
	return fetch_scope_add(s, url, n, may | (strchr(url, '?') ? FETCH_MAY_QUERY : 0));
}

static st_t check_repository(const struct monitor_config *c, struct err *e)
{
	struct fetch_scope s = {.n = 0};
	const char *url = c->repository;
	if (!url)
		return ST_OK;
	if (!strstr(url, "{sha256}") && !strstr(url, "{name}"))
		return fail(e, ST_MALFORMED, 0, "repository: neither {sha256} nor {name} in the URL");
	if (!allow_repository(c, &s))
		return fail(e, ST_MALFORMED, 0, "repository: it is https://HOST/..., with {sha256} and "
		                                "{name} behind the slash, without user name and dots");
	return ST_OK;
}

static st_t check_parties(const struct monitor_config *c, struct err *e)
{
	if (c->rebuilders.n > 0 && c->publishers.n == 0)
		return fail(e, ST_MALFORMED, 0, "rebuilders without a publisher");
	if (c->release_signatures > c->publishers.n && c->publishers.n > 0)
		return fail(e, ST_MALFORMED, 0, "release-signatures: there are fewer publishers");
	if (c->rebuilds_needed > c->rebuilders.n && c->rebuilders.n > 0)
		return fail(e, ST_MALFORMED, 0, "rebuilds-needed: there are fewer rebuilders");
	return ST_OK;
}

static st_t finish(struct config_reader *r, struct monitor_config *c)
{
	const struct monitoring *m = r->ctx;
	TRY(policy_parse(rd_make(r->policy.data, r->policy.len), &c->policy, r->e));
	/* Else "nothing is wrong" would be said of nothing. */
	if (c->policy->nlogs == 0)
		return fail(r->e, ST_MALFORMED, 0, "no \"log\" line, so nothing to watch");
	for (size_t i = 0; i < c->policy->nlogs; i++)
		if (!c->policy->logs[i].url)
			return fail(r->e, ST_MALFORMED, 0, "log %s: no URL, so nothing to watch",
			            c->policy->logs[i].key.name);
	for (size_t i = 0; i < c->policy->nwitnesses; i++)
		c->monitoring[i] = c->policy->witnesses[i].url;
	for (size_t i = 0; i < m->n; i++)
		TRY(set_monitoring(r, c, i));
	TRY(check_repository(c, r->e));
	return check_parties(c, r->e);
}

st_t monitor_config_parse(struct rd text, struct monitor_config *ret, struct err *e)
{
	struct monitoring m = {0};
	*ret = (struct monitor_config){0};
	arena_init(&ret->arena, CONFIG_ARENA_MAX);
	if (rd_left(&text) > MONITOR_CONFIG_MAX)
		return fail(e, ST_LIMIT, 0, "configuration: more than %zu bytes", MONITOR_CONFIG_MAX);
	struct config_reader r = {.directive = directives, .n = ARRAY_LEN(directives), .fill = ret,
	                          .manual = "vitrine-monitor(1)", .arena = &ret->arena, .ctx = &m,
	                          .e = e};
	st_t st = config_read(&r, text);
	if (st == ST_OK)
		st = finish(&r, ret);
	buf_done(&r.policy);
	return st;
}

void monitor_config_done(struct monitor_config *c)
{
	policy_free(c->policy);
	arena_done(&c->arena);
	*c = (struct monitor_config){0};
}

st_t monitor_config_expand(struct rd text,
                           st_t (*read)(void *ctx, const char *name, struct buf *out,
                                        struct err *e),
                           void *ctx, struct buf *out, struct err *e)
{
	const struct config_expand x = {.names = attest_party_names_file, .read = read, .ctx = ctx,
	                                .put = attest_party_put_key};
	return config_expand(text, &x, out, e);
}

void monitor_config_scope(const struct monitor_config *c, struct fetch_scope *ret)
{
	const struct policy *p = c->policy;
	*ret = (struct fetch_scope){.n = 0};
	for (size_t i = 0; i < p->nlogs; i++)
		fetch_scope_add(ret, p->logs[i].url, strlen(p->logs[i].url), FETCH_MAY_GET);
	for (size_t i = 0; i < p->nwitnesses; i++)
		if (c->monitoring[i])
			fetch_scope_add(ret, c->monitoring[i], strlen(c->monitoring[i]), FETCH_MAY_GET);
	if (c->repository)
		allow_repository(c, ret);
}
