#include "monitor/config.h"

#include "attest/base64.h"
#include "base/num.h"
#include "net/fetch.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Everything that the texts of a file of MONITOR_CONFIG_MAX need. */
#define CONFIG_ARENA_MAX (MONITOR_CONFIG_MAX * 4)
#define TEN_YEARS (UINT64_C(3653) * 86400)

struct reader {
	struct monitor_config *c;
	struct buf policy; /* the lines that are not ours, the others empty: line numbers stay */
	struct rd line;
	uint64_t number;
	struct rd monitoring[POLICY_ITEMS_MAX][2]; /* witness and URL: known once the policy is */
	uint64_t monitoring_line[POLICY_ITEMS_MAX];
	size_t nmonitoring;
	bool seen[32];
	struct err *e;
};

#define BAD(r, ...) bad_line((r), __VA_ARGS__)

__attribute__((format(printf, 2, 3))) static st_t bad_line(struct reader *r, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fail(r->e, ST_MALFORMED, r->number, "line %" PRIu64 ": %s", r->number, text);
}

static st_t keep(struct reader *r, struct rd item, const char **ret)
{
	size_t n = rd_left(&item);
	char *s = arena_strndup(&r->c->arena, (const char *)rd_take(&item, n), n);
	if (!s)
		return fail(r->e, ST_NOMEM, 0, "configuration: out of memory");
	*ret = s;
	return ST_OK;
}

static bool ends_with(struct rd item, const char *tail)
{
	size_t n = strlen(tail);
	if (rd_left(&item) < n)
		return false;
	rd_skip(&item, rd_left(&item) - n);
	return rd_peek(&item, tail, n);
}

static st_t key_of_spki(struct reader *r, struct rd base64, struct attest_key *ret)
{
	struct buf der = {0};
	struct err why = {0};
	st_t st = ST_MALFORMED;
	if (attest_base64(base64, &der))
		st = attest_key_parse_spki(rd_make(der.data, der.len), ret, &why);
	buf_done(&der);
	return st == ST_OK ? ST_OK : BAD(r, "%s", why.text[0] ? why.text : "spki: is no base64");
}

static st_t key_of_vkey(struct reader *r, struct rd vkey, struct attest_key *ret)
{
	struct note_key k;
	struct err why = {0};
	if (note_key_parse(vkey, &k, &why) != ST_OK)
		return BAD(r, "%.200s", why.text);
	if (k.type == NOTE_ED25519) {
		attest_key_from_ed25519(k.pub, ret);
		return ST_OK;
	}
	if (k.type == NOTE_ECDSA && attest_key_parse_spki(rd_make(k.pub, k.npub), ret, NULL) == ST_OK)
		return ST_OK;
	return BAD(r, "a vkey that signs statements is Ed25519 or ECDSA P-256");
}

static st_t read_key(struct reader *r, struct rd item, struct attest_key *ret)
{
	if (ends_with(item, ".pem"))
		return BAD(r, "a key in a file cannot be read here");
	if (!rd_peek(&item, "spki:", 5))
		return key_of_vkey(r, item, ret);
	rd_skip(&item, 5);
	return key_of_spki(r, item, ret);
}

static st_t check_new_party(struct reader *r, const struct monitor_parties *all,
                            const struct monitor_party *p)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!strcmp(all->v[i].name, p->name))
			return BAD(r, "\"%s\" is there already", p->name);
		if (attest_key_equal(&all->v[i].key, &p->key))
			return BAD(r, "this key is \"%s\" already; keys are counted", all->v[i].name);
	}
	return ST_OK;
}

static st_t read_party(struct reader *r, struct monitor_parties *all)
{
	struct rd name, key;
	struct monitor_party p;
	uint8_t id[32];
	if (all->n == MONITOR_PARTIES_MAX)
		return BAD(r, "more than %d of them", MONITOR_PARTIES_MAX);
	if (!text_item(&r->line, &name) || !text_item(&r->line, &key))
		return BAD(r, "a name and a key are needed");
	if (rd_left(&name) >= MONITOR_PARTY_NAME_MAX || !text_is_note(name))
		return BAD(r, "a name is UTF-8 and shorter than %d bytes", MONITOR_PARTY_NAME_MAX);
	TRY(keep(r, name, &p.name));
	TRY(read_key(r, key, &p.key));
	TRY(check_new_party(r, all, &p));
	TRY(attest_key_id(&p.key, id, r->e));
	p.id = load_u64le(id);
	all->v[all->n++] = p;
	return ST_OK;
}

static st_t read_monitoring(struct reader *r)
{
	struct rd *item = r->monitoring[r->nmonitoring];
	if (r->nmonitoring == POLICY_ITEMS_MAX)
		return BAD(r, "more than %d of them", POLICY_ITEMS_MAX);
	if (!text_item(&r->line, &item[0]) || !text_item(&r->line, &item[1]))
		return BAD(r, "the name of a witness and a URL (or \"none\") are needed");
	r->monitoring_line[r->nmonitoring++] = r->number;
	return ST_OK;
}

static st_t read_hook(struct reader *r)
{
	struct rd item;
	size_t n = 0;
	while (text_item(&r->line, &item)) {
		if (n == MONITOR_HOOK_ARGS_MAX)
			return BAD(r, "more than %d words", MONITOR_HOOK_ARGS_MAX);
		const char *s = NULL;
		TRY(keep(r, item, &s));
		r->c->hook[n++] = (char *)(uintptr_t)s;
	}
	if (n == 0 || r->c->hook[0][0] != '/')
		return BAD(r, "the hook is the full path of a program, and its arguments");
	return ST_OK;
}

static st_t read_duration(struct reader *r, struct rd item, uint64_t *ret)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	uint64_t v;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct rd digits = item;
		if (!ends_with(item, units[i].unit))
			continue;
		digits = rd_at(&item, 0, rd_left(&item) - 1);
		if (text_decimal(digits, &v) && num_mul_u64(v, units[i].seconds, &v) && v <= TEN_YEARS) {
			*ret = v;
			return ST_OK;
		}
	}
	return BAD(r, "a time is a number and s, m, h or d");
}

static st_t read_count(struct reader *r, struct rd item, uint64_t *ret)
{
	if (!text_decimal(item, ret) || *ret == 0 || *ret > MONITOR_PARTIES_MAX)
		return BAD(r, "a number from 1 to %d is needed", MONITOR_PARTIES_MAX);
	return ST_OK;
}

static st_t read_size(struct reader *r, struct rd item, uint64_t *ret)
{
	if (!text_decimal(item, ret) || *ret == 0 || *ret > MONITOR_SUBJECT_MAX)
		return BAD(r, "a number of bytes from 1 to %" PRIu64 " is needed", MONITOR_SUBJECT_MAX);
	return ST_OK;
}

static st_t read_bool(struct reader *r, struct rd item, bool *ret)
{
	if (!text_is(item, "yes") && !text_is(item, "no"))
		return BAD(r, "\"yes\" or \"no\" is needed");
	*ret = text_is(item, "yes");
	return ST_OK;
}

static st_t read_url(struct reader *r, struct rd item, const char **ret)
{
	if (rd_left(&item) >= FETCH_URL_MAX ||
	    (!rd_peek(&item, "http://", 7) && !rd_peek(&item, "https://", 8)))
		return BAD(r, "a URL starts with https:// or http://");
	return keep(r, item, ret);
}

enum kind { DURATION, COUNT, SIZE, BOOL, URL, TEXT };

/* Directives with one value. */
static const struct {
	const char *name;
	enum kind kind;
	size_t off;
	uint64_t fallback;
} directives[] = {
#define AT(m) offsetof(struct monitor_config, m)
    {"repository", URL, AT(repository), 0},
    {"fetch-subjects", BOOL, AT(fetch_subjects), 0},
    {"subject-max", SIZE, AT(subject_max), (uint64_t)64 << 20},
    {"subject-within", DURATION, AT(subject_within), 3600},
    {"release-signatures", COUNT, AT(release_signatures), 1},
    {"rebuilds-needed", COUNT, AT(rebuilds_needed), 1},
    {"rebuilt-within", DURATION, AT(rebuilt_within), 86400},
    {"stale-after", DURATION, AT(stale_after), 3600},
    {"ahead-after", DURATION, AT(ahead_after), 900},
    {"unreachable-after", DURATION, AT(unreachable_after), 900},
    {"clock-tolerance", DURATION, AT(clock_tolerance), 300},
    {"interval", DURATION, AT(interval), 60},
    {"state", TEXT, AT(state), 0},
#undef AT
};
_Static_assert(ARRAY_LEN(directives) <= ARRAY_LEN(((struct reader *)NULL)->seen), "one for each");

static st_t read_value(struct reader *r, size_t i, struct rd item)
{
	void *at = (char *)r->c + directives[i].off;
	switch (directives[i].kind) {
	case DURATION: return read_duration(r, item, at);
	case COUNT: return read_count(r, item, at);
	case SIZE: return read_size(r, item, at);
	case BOOL: return read_bool(r, item, at);
	case URL: return read_url(r, item, at);
	default: return keep(r, item, at);
	}
}

static st_t read_directive(struct reader *r, size_t i)
{
	struct rd item;
	if (r->seen[i])
		return BAD(r, "a second \"%s\"", directives[i].name);
	r->seen[i] = true;
	if (!text_item(&r->line, &item))
		return BAD(r, "\"%s\" without a value", directives[i].name);
	return read_value(r, i, item);
}

/* Takes a line of ours. *ret_ours is false for all others, which the policy's reader judges. */
static st_t read_line(struct reader *r, bool *ret_ours)
{
	struct rd item, word;
	*ret_ours = true;
	if (!text_item(&r->line, &word)) {
		*ret_ours = false;
		return ST_OK;
	}
	bool known = true;
	size_t i = 0;
	while (i < ARRAY_LEN(directives) && !text_is(word, directives[i].name))
		i++;
	if (i < ARRAY_LEN(directives))
		TRY(read_directive(r, i));
	else if (text_is(word, "publisher"))
		TRY(read_party(r, &r->c->publishers));
	else if (text_is(word, "rebuilder"))
		TRY(read_party(r, &r->c->rebuilders));
	else if (text_is(word, "monitoring"))
		TRY(read_monitoring(r));
	else if (text_is(word, "hook"))
		TRY(read_hook(r));
	else
		known = false;
	*ret_ours = known;
	return known && text_item(&r->line, &item) ? BAD(r, "too many words") : ST_OK;
}

static st_t read_lines(struct reader *r, struct rd text)
{
	struct rd line;
	while (rd_left(&text) > 0) {
		bool ours;
		r->number++;
		if (!text_line(&text, &line))
			line = rd_sub(&text, rd_left(&text));
		r->line = line;
		TRY(read_line(r, &ours));
		if (!ours)
			buf_add(&r->policy, line.base, line.len);
		buf_u8(&r->policy, '\n');
	}
	return buf_check(&r->policy, r->e, "configuration");
}

static st_t set_monitoring(struct reader *r, size_t i)
{
	const struct policy *p = r->c->policy;
	struct rd *item = r->monitoring[i];
	r->number = r->monitoring_line[i];
	for (size_t w = 0; w < p->nwitnesses; w++) {
		if (!text_is(item[0], p->witnesses[w].name))
			continue;
		r->c->monitoring[w] = NULL;
		return text_is(item[1], "none") ? ST_OK : read_url(r, item[1], &r->c->monitoring[w]);
	}
	return BAD(r, "no witness has this name");
}

static st_t check_repository(struct reader *r)
{
	const char *s = r->c->repository;
	if (!s || strstr(s, "{sha256}") || strstr(s, "{name}"))
		return ST_OK;
	return fail(r->e, ST_MALFORMED, 0, "repository: neither {sha256} nor {name} in the URL");
}

static st_t finish(struct reader *r)
{
	struct monitor_config *c = r->c;
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
	for (size_t i = 0; i < r->nmonitoring; i++)
		TRY(set_monitoring(r, i));
	TRY(check_repository(r));
	if (c->rebuilders.n > 0 && c->publishers.n == 0)
		return fail(r->e, ST_MALFORMED, 0, "rebuilders without a publisher");
	if (c->release_signatures > c->publishers.n && c->publishers.n > 0)
		return fail(r->e, ST_MALFORMED, 0, "release-signatures: there are fewer publishers");
	if (c->rebuilds_needed > c->rebuilders.n && c->rebuilders.n > 0)
		return fail(r->e, ST_MALFORMED, 0, "rebuilds-needed: there are fewer rebuilders");
	return ST_OK;
}

static void set_fallbacks(struct monitor_config *c)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		if (directives[i].kind <= SIZE)
			memcpy((char *)c + directives[i].off, &directives[i].fallback, sizeof(uint64_t));
}

st_t monitor_config_parse(struct rd text, struct monitor_config *ret, struct err *e)
{
	*ret = (struct monitor_config){0};
	arena_init(&ret->arena, CONFIG_ARENA_MAX);
	if (rd_left(&text) > MONITOR_CONFIG_MAX)
		return fail(e, ST_LIMIT, 0, "configuration: more than %zu bytes", MONITOR_CONFIG_MAX);
	struct reader r = {.c = ret, .e = e};
	set_fallbacks(ret);
	st_t st = read_lines(&r, text);
	if (st == ST_OK)
		st = finish(&r);
	buf_done(&r.policy);
	return st;
}

void monitor_config_done(struct monitor_config *c)
{
	policy_free(c->policy);
	arena_done(&c->arena);
	*c = (struct monitor_config){0};
}

/* Appends the line with the key, which `file` holds, in place of its last item. */
static st_t add_expanded(struct rd line, struct rd key, const struct buf *file, struct buf *out,
                         struct err *e)
{
	struct attest_key k;
	TRY(attest_key_parse_pem(rd_make(file->data, file->len), &k, e));
	buf_add(out, line.base, rd_offset(&line, &key));
	buf_add(out, "spki:", 5);
	text_base64_add(out, k.spki, k.nspki);
	size_t after = rd_offset(&line, &key) + key.len;
	buf_add(out, line.base + after, line.len - after);
	return ST_OK;
}

/* The item of a party's line that names a file, if it is such a line. */
static bool key_file(struct rd line, struct rd *ret)
{
	struct rd word, name;
	return text_item(&line, &word) &&
	       (text_is(word, "publisher") || text_is(word, "rebuilder")) && text_item(&line, &name) &&
	       text_item(&line, ret) && ends_with(*ret, ".pem");
}

static st_t expand_line(struct rd line, struct rd key,
                        st_t (*read)(void *, const char *, struct buf *, struct err *), void *ctx,
                        struct buf *out, struct err *e)
{
	char name[4096];
	if (key.len >= sizeof name)
		return fail(e, ST_LIMIT, 0, "the name of a key file is too long");
	struct rd r = key;
	rd_copy(&r, name, key.len);
	name[key.len] = '\0';
	struct buf file = {0};
	st_t st = read(ctx, name, &file, e);
	if (st == ST_OK)
		st = add_expanded(line, key, &file, out, e);
	buf_done(&file);
	return st;
}

st_t monitor_config_expand(struct rd text,
                           st_t (*read)(void *ctx, const char *name, struct buf *out,
                                        struct err *e),
                           void *ctx, struct buf *out, struct err *e)
{
	struct rd line, key;
	while (rd_left(&text) > 0) {
		if (!text_line(&text, &line))
			line = rd_sub(&text, rd_left(&text));
		if (key_file(line, &key))
			TRY(expand_line(line, key, read, ctx, out, e));
		else
			buf_add(out, line.base, line.len);
		buf_u8(out, '\n');
	}
	return buf_check(out, e, "configuration");
}
