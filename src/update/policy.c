/* Reads a policy. What it demands in words: policy_words.c. */
#include "update/policy.h"

#include "attest/base64.h"
#include "base/num.h"
#include "net/fetch.h"
#include "tlog/text.h"

#include <stddef.h>
#include <string.h>

/* Everything that the texts of a file of UPDATE_POLICY_MAX need. */
#define POLICY_ARENA_MAX (UPDATE_POLICY_MAX * 4)

static bool is_url(struct rd item, const char *const *start, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rd_peek(&item, start[i], strlen(start[i])) && rd_left(&item) > strlen(start[i]))
			return true;
	return false;
}

static st_t read_repository(struct config_reader *r, const struct config_directive *d, void *at)
{
	static const char *const starts[] = {"https://", "http://", "file:///"};
	struct update_policy *p = r->fill;
	const char **all = at;
	struct rd item;
	TRY(config_item(r, d, &item));
	if (p->nrepositories == UPDATE_MIRRORS_MAX)
		return config_bad(r, "more than %d repositories", UPDATE_MIRRORS_MAX);
	if (rd_left(&item) >= FETCH_URL_MAX)
		return config_bad(r, "a URL is shorter than %d bytes", FETCH_URL_MAX);
	if (!is_url(item, starts, ARRAY_LEN(starts)))
		return config_bad(r, "a repository is https://..., http://... or file:///...");
	for (size_t i = 0; i < p->nrepositories; i++)
		if (text_is(item, all[i]))
			return config_bad(r, "this repository is there already");
	TRY(config_keep(r, item, &all[p->nrepositories]));
	p->nrepositories++;
	return ST_OK;
}

static st_t read_root_bytes(struct config_reader *r, struct rd base64)
{
	struct update_policy *p = r->fill;
	struct buf b = {0};
	const char *kept = NULL;
	st_t st = ST_OK;
	if (!attest_base64(base64, &b) && !b.oom)
		st = config_bad(r, "root: behind \"base64:\" is no base64");
	if (st == ST_OK)
		st = buf_check(&b, r->e, "root");
	if (st == ST_OK && (b.len == 0 || b.len > UPDATE_ROOT_MAX))
		st = config_bad(r, "root: 1 to %zu bytes are needed", UPDATE_ROOT_MAX);
	if (st == ST_OK)
		st = config_keep(r, rd_make(b.data, b.len), &kept);
	if (st == ST_OK)
		p->root_bytes = rd_make(kept, b.len);
	buf_done(&b);
	return st;
}

static st_t read_root(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	TRY(config_item(r, d, &item));
	if (!rd_peek(&item, "base64:", 7))
		return config_keep(r, item, at);
	rd_skip(&item, 7);
	return read_root_bytes(r, rd_sub(&item, rd_left(&item)));
}

static st_t read_set(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	const char *s = NULL;
	TRY(config_item(r, d, &item));
	TRY(config_keep(r, item, &s));
	if (!update_set_name_good(s))
		return config_bad(r, "set: 1 to %d of a-z, 0-9, \"-\" and \"_\" are needed",
		                  UPDATE_SET_MAX);
	memcpy(at, s, strlen(s) + 1);
	return ST_OK;
}

static st_t read_hold(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct update_policy *p = r->fill;
	struct rd item;
	(void)at;
	TRY(config_item(r, d, &item));
	if (text_is(item, "none"))
		p->hold = UPDATE_HOLD_NONE;
	else if (text_is(item, "manual"))
		p->hold = UPDATE_HOLD_MANUAL;
	else {
		p->hold = UPDATE_HOLD_TIME;
		if (!config_ends_with(item, "s") && !config_ends_with(item, "m") &&
		    !config_ends_with(item, "h") && !config_ends_with(item, "d"))
			return config_bad(r, "hold: \"none\", \"manual\" or a time such as 24h is needed");
		return config_parse_time(r, d, item, &p->hold_time);
	}
	return ST_OK;
}

static st_t read_compile(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct update_policy *p = r->fill;
	struct rd item;
	(void)at;
	TRY(config_item(r, d, &item));
	if (!text_is(item, "attested") && !text_is(item, "local"))
		return config_bad(r, "compile: \"attested\" or \"local\" is needed");
	p->compile = text_is(item, "local") ? UPDATE_COMPILE_LOCAL : UPDATE_COMPILE_ATTESTED;
	return ST_OK;
}

static st_t read_keep(struct config_reader *r, const struct config_directive *d, void *at)
{
	uint64_t v;
	TRY(config_number(r, d, &v));
	*(uint32_t *)at = (uint32_t)v;
	return ST_OK;
}

static const struct config_directive directives[] = {
#define AT(m) .off = offsetof(struct update_policy, m)
#define TIME(m, least, seconds) \
	config_time, AT(m), .min = (least), .max = CONFIG_TEN_YEARS, .fallback = (seconds)
    {"repository", read_repository, AT(repository), .again = true},
    {"root", read_root, AT(root)},
    {"set", read_set, AT(set)},
    {"publisher", attest_party_read, AT(publishers), .again = true},
    {"rebuilder", attest_party_read, AT(rebuilders), .again = true},
    {"release-signatures", config_number, AT(release_signatures), .min = 1,
     .max = UPDATE_PARTIES_MAX, .fallback = 1},
    {"rebuilds-needed", config_number, AT(rebuilds_needed), .max = UPDATE_PARTIES_MAX},
    {"freshness", TIME(freshness, 1, 48 * 3600)},
    {"clock-tolerance", TIME(clock_tolerance, 0, 300)},
    {"hold", read_hold, .min = 1, .max = CONFIG_TEN_YEARS},
    {"compile", read_compile},
    {"keep", read_keep, AT(keep), .min = 1, .max = UPDATE_KEEP_MAX},
    {"known-good", config_text, AT(known_good)},
    {"known-bad", config_text, AT(known_bad)},
    {"eicar", config_bool, AT(eicar)},
    {"timeout", config_time, AT(timeout), .min = 1, .max = UPDATE_TIMEOUT_MAX, .fallback = 30},
    {"bandwidth", config_number, AT(bandwidth), .min = UPDATE_BANDWIDTH_MIN,
     .max = UPDATE_BANDWIDTH_MAX},
    {"proxy", config_url, AT(proxy), .max = FETCH_URL_MAX},
    {"ca-file", config_text, AT(ca_file)},
#undef AT
#undef TIME
};
_Static_assert(ARRAY_LEN(directives) <= CONFIG_DIRECTIVES_MAX, "one for each");

static st_t check_logs(const struct policy *logs, struct err *e)
{
	static const char *const starts[] = {"https://", "http://", "file:///"};
	if (logs->nlogs == 0)
		return fail(e, ST_MALFORMED, 0, "no \"log\" line: a release is only believed if a log that "
		                                "is named (\"log VKEY URL\") shows it to everybody");
	for (size_t i = 0; i < logs->nlogs; i++) {
		const char *url = logs->logs[i].url;
		if (url && !is_url(rd_make(url, strlen(url)), starts, ARRAY_LEN(starts)))
			return fail(e, ST_MALFORMED, 0, "log %.100s: its URL is https://..., http://... or "
			                                "file:///...", logs->logs[i].key.name);
	}
	return ST_OK;
}

static st_t check_publishers(const struct update_policy *p, struct err *e)
{
	if (p->publishers.n == 0)
		return fail(e, ST_MALFORMED, 0, "no \"publisher\" line: who may sign a release has to be "
		                                "said (\"publisher NAME KEY\")");
	if (p->release_signatures > p->publishers.n)
		return fail(e, ST_MALFORMED, 0, "release-signatures: more than there are publishers (%zu)",
		            p->publishers.n);
	return ST_OK;
}

/* Who rebuilds has to be somebody else than who published: else one key says it twice. */
static st_t check_others(const struct update_policy *p, struct err *e)
{
	for (size_t i = 0; i < p->rebuilders.n; i++)
		for (size_t k = 0; k < p->publishers.n; k++)
			if (attest_key_equal(&p->rebuilders.v[i].key, &p->publishers.v[k].key))
				return fail(e, ST_MALFORMED, 0, "rebuilder %.60s has the key of the publisher "
				            "%.60s: who rebuilds must be somebody else",
				            p->rebuilders.v[i].name, p->publishers.v[k].name);
	return ST_OK;
}

static st_t check_rebuilders(const struct config_reader *r, struct update_policy *p)
{
	bool said = config_seen(r, "rebuilds-needed");
	if (p->rebuilders.n == 0 && !said)
		return fail(r->e, ST_MALFORMED, 0, "no \"rebuilder\" line: if nobody has to rebuild a "
		                                   "release, write \"rebuilds-needed 0\"");
	if (!said)
		p->rebuilds_needed = p->rebuilders.n;
	if (p->rebuilds_needed > p->rebuilders.n)
		return fail(r->e, ST_MALFORMED, 0, "rebuilds-needed: more than there are rebuilders (%zu)",
		            p->rebuilders.n);
	return ST_OK;
}

static st_t finish(struct config_reader *r, struct update_policy *p)
{
	/* An unsaid quorum is refused there: "A policy file must include exactly one quorum line." */
	TRY(policy_parse(rd_make(r->policy.data, r->policy.len), &p->logs, r->e));
	TRY(check_logs(p->logs, r->e));
	TRY(check_publishers(p, r->e));
	TRY(check_rebuilders(r, p));
	TRY(check_others(p, r->e));
	if (!p->root && rd_left(&p->root_bytes) == 0)
		return fail(r->e, ST_MALFORMED, 0, "no \"root\" line: the root.json that everything rests "
		                                   "on has to be pinned (\"root FILE\")");
	if (!p->set[0])
		return fail(r->e, ST_MALFORMED, 0, "no \"set\" line: which set of signatures, such as "
		                                   "\"set main\"");
	return ST_OK;
}

st_t update_policy_parse(struct rd text, struct update_policy *ret, struct err *e)
{
	*ret = (struct update_policy){.keep = 3, .eicar = true};
	arena_init(&ret->arena, POLICY_ARENA_MAX);
	if (rd_left(&text) > UPDATE_POLICY_MAX)
		return fail(e, ST_LIMIT, 0, "policy: more than %zu bytes", UPDATE_POLICY_MAX);
	struct config_reader r = {.directive = directives, .n = ARRAY_LEN(directives), .fill = ret,
	                          .manual = "vitrine-policy(5)", .arena = &ret->arena, .e = e};
	st_t st = config_read(&r, text);
	if (st == ST_OK)
		st = finish(&r, ret);
	buf_done(&r.policy);
	return st;
}

void update_policy_done(struct update_policy *p)
{
	policy_free(p->logs);
	arena_done(&p->arena);
	*p = (struct update_policy){0};
}

static bool is_root_line(struct rd line, struct rd *ret_name)
{
	struct rd word;
	return text_item(&line, &word) && text_is(word, "root") && text_item(&line, ret_name) &&
	       !rd_peek(ret_name, "base64:", 7) && !text_is(*ret_name, "=");
}

static bool names_file(struct rd line, struct rd *ret_name)
{
	return attest_party_names_file(line, ret_name) || is_root_line(line, ret_name);
}

static st_t put_file(struct rd line, struct rd file, struct buf *out, struct err *e)
{
	struct rd name;
	if (!is_root_line(line, &name))
		return attest_party_put_key(line, file, out, e);
	if (rd_left(&file) == 0 || rd_left(&file) > UPDATE_ROOT_MAX)
		return fail(e, ST_LIMIT, 0, "root: the file has %zu bytes; 1 to %zu are read",
		            rd_left(&file), UPDATE_ROOT_MAX);
	buf_text(out, "base64:");
	text_base64_add(out, file.base, file.len);
	return ST_OK;
}

st_t update_policy_expand(struct rd text,
                          st_t (*read)(void *ctx, const char *name, struct buf *out,
                                       struct err *e),
                          void *ctx, struct buf *out, struct err *e)
{
	const struct config_expand x = {.names = names_file, .read = read, .ctx = ctx,
	                                .put = put_file};
	return config_expand(text, &x, out, e);
}

/* Folders are no URLs, and add nothing. */
void update_policy_scope(const struct update_policy *p, struct fetch_scope *ret)
{
	const struct policy *logs = p->logs;
	*ret = (struct fetch_scope){.send_max = UPDATE_SEND_MAX};
	for (size_t i = 0; i < p->nrepositories; i++)
		fetch_scope_add(ret, p->repository[i], strlen(p->repository[i]), FETCH_MAY_GET);
	for (size_t i = 0; i < logs->nlogs; i++)
		if (logs->logs[i].url)
			fetch_scope_add(ret, logs->logs[i].url, strlen(logs->logs[i].url), FETCH_MAY_GET);
}
