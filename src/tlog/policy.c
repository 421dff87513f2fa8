/* Reads policies (C2SP tlog-policy). A policy is the customer's own file, and read as strictly as
 * what comes from the network: a rule that is not understood must not become a weaker one. */
#include "tlog/policy.h"

#include "base/arena.h"
#include "base/num.h"
#include "tlog/quorum.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of an item that a message shows. */
#define SHOWN_MAX 48

/* A policy and everything it points to. The policy comes first: it is what callers hold. */
struct policy_memory {
	struct policy p;
	struct policy_log logs[POLICY_ITEMS_MAX];
	struct policy_witness witnesses[POLICY_ITEMS_MAX];
	struct policy_quorum quorum;
	struct arena strings;
};

struct policy_reader {
	struct policy_memory *m;
	unsigned line; /* counted from 1 */
	uint64_t off;  /* of the line */
	struct rd in;  /* what is left of it */
	size_t ngroups;
	bool has_quorum;
	struct err *e;
};

/* The text of an item for a message, cut where it is long. */
#define SHOW(item) (int)num_min_size((item).len, SHOWN_MAX), (const char *)(item).base

#define BAD(r, status, text, ...) \
	fail((r)->e, (status), (r)->off, "policy: line %u: " text, (r)->line __VA_OPT__(, ) __VA_ARGS__)

static st_t no_more_items(struct policy_reader *r)
{
	struct rd item;
	if (!text_item(&r->in, &item))
		return ST_OK;
	return BAD(r, ST_MALFORMED, "nothing may follow, but \"%.*s\" does", SHOW(item));
}

static st_t copy_item(struct policy_reader *r, struct rd item, const char **ret)
{
	*ret = arena_strndup(&r->m->strings, (const char *)item.base, item.len);
	return *ret ? ST_OK : BAD(r, ST_NOMEM, "out of memory");
}

static size_t find_name(const struct policy_quorum *q, struct rd name)
{
	for (size_t i = 0; i < q->n; i++)
		if (text_is(name, q->node[i].name))
			return i;
	return QUORUM_NO_NODE;
}

/* "Witnesses and groups share a single namespace. The special name `none` is predefined." */
static st_t new_name(struct policy_reader *r, const char *kind, struct quorum_node **ret)
{
	struct rd name;
	struct policy_quorum *q = &r->m->quorum;
	if (!text_item(&r->in, &name))
		return BAD(r, ST_MALFORMED, "a %s without a name", kind);
	if (text_is(name, "none"))
		return BAD(r, ST_MALFORMED, "the name \"none\" is predefined, no %s can have it", kind);
	if (find_name(q, name) != QUORUM_NO_NODE)
		return BAD(r, ST_MALFORMED, "the name \"%.*s\" is defined already", SHOW(name));
	struct quorum_node node = {.parent = QUORUM_NO_NODE};
	TRY(copy_item(r, name, &node.name));
	*ret = &q->node[q->n];
	**ret = node;
	return ST_OK;
}

static bool same_public_key(const struct note_key *a, const struct note_key *b)
{
	return a->npub == b->npub && memcmp(a->pub, b->pub, a->npub) == 0;
}

/* Two keys that one signature line could mean. */
static bool ambiguous(const struct note_key *a, const struct note_key *b)
{
	return a->id == b->id && strcmp(a->name, b->name) == 0 && !same_public_key(a, b);
}

/* "Two vkeys are considered duplicate if they wrap the same underlying public key, even if they
 * differ by key name and key id." "Duplicate logs [...] are not allowed." "Duplicate witnesses,
 * i.e., multiple witness lines with the same public key, are not allowed." */
static st_t check_new_key(struct policy_reader *r, const struct note_key *key, bool is_log)
{
	const struct policy *p = &r->m->p;
	bool same = false, unclear = false;
	for (size_t i = 0; i < p->nlogs; i++) {
		same |= is_log && same_public_key(&r->m->logs[i].key, key);
		unclear |= ambiguous(&r->m->logs[i].key, key);
	}
	for (size_t i = 0; i < p->nwitnesses; i++) {
		same |= !is_log && same_public_key(&r->m->witnesses[i].key, key);
		unclear |= ambiguous(&r->m->witnesses[i].key, key);
	}
	if (same)
		return BAD(r, ST_MALFORMED, "this public key is that of another %s (names do not matter)",
		           is_log ? "log" : "witness");
	if (unclear)
		return BAD(r, ST_MALFORMED, "another key has the same name and key ID");
	return ST_OK;
}

/* "Log and witness keys must use a signature type appropriate [for the] respective function." A log
 * may use "any note signature algorithm" but cosignature/v1, which is a witness's statement; a
 * witness makes cosignatures. */
static bool type_fits(enum note_type type, bool is_log)
{
	if (is_log)
		return type != NOTE_COSIGNATURE_ED25519;
	return type == NOTE_COSIGNATURE_ED25519 || type == NOTE_COSIGNATURE_MLDSA44;
}

static st_t read_key(struct policy_reader *r, bool is_log, struct note_key *ret)
{
	struct rd item;
	struct err why = {.st = ST_OK};
	const char *kind = is_log ? "log" : "witness";
	if (!text_item(&r->in, &item))
		return BAD(r, ST_MALFORMED, "a %s without a key", kind);
	st_t st = note_key_parse(item, ret, &why);
	if (st != ST_OK)
		return BAD(r, st, "%s", why.text);
	if (!type_fits(ret->type, is_log))
		return BAD(r, ST_MALFORMED, "signature type 0x%02x is not one of a %s", ret->type, kind);
	return check_new_key(r, ret, is_log);
}

/* [<url>], the last item of its line. */
static st_t read_url(struct policy_reader *r, const char **ret)
{
	struct rd item;
	*ret = NULL;
	if (!text_item(&r->in, &item))
		return ST_OK;
	TRY(copy_item(r, item, ret));
	return no_more_items(r);
}

static st_t read_log(struct policy_reader *r)
{
	struct policy *p = &r->m->p;
	if (p->nlogs == POLICY_ITEMS_MAX)
		return BAD(r, ST_LIMIT, "more than %d logs", POLICY_ITEMS_MAX);
	struct policy_log *log = &r->m->logs[p->nlogs];
	TRY(read_key(r, true, &log->key));
	TRY(read_url(r, &log->url));
	p->nlogs++;
	return ST_OK;
}

static st_t read_witness(struct policy_reader *r)
{
	struct policy *p = &r->m->p;
	struct quorum_node *node;
	if (p->nwitnesses == POLICY_ITEMS_MAX)
		return BAD(r, ST_LIMIT, "more than %d witnesses", POLICY_ITEMS_MAX);
	struct policy_witness *w = &r->m->witnesses[p->nwitnesses];
	TRY(new_name(r, "witness", &node));
	TRY(read_key(r, false, &w->key));
	TRY(read_url(r, &w->url));
	w->name = node->name;
	node->witness = p->nwitnesses++;
	r->m->quorum.n++;
	return ST_OK;
}

/* "Each defined name can be listed as a group member at most once. This ensures that each witness
 * can contribute to a group, or to the quorum in particular, in only one way." */
static st_t add_member(struct policy_reader *r, struct rd name, size_t group)
{
	struct policy_quorum *q = &r->m->quorum;
	size_t i = find_name(q, name);
	if (text_is(name, "none"))
		return BAD(r, ST_MALFORMED, "\"none\" cannot be a member of a group");
	if (i == QUORUM_NO_NODE)
		return BAD(r, ST_MALFORMED, "\"%.*s\" is not defined on an earlier line", SHOW(name));
	if (q->node[i].parent != QUORUM_NO_NODE)
		return BAD(r, ST_MALFORMED, "\"%.*s\" is listed as a member twice", SHOW(name));
	q->node[i].parent = group;
	q->node[group].n++;
	return ST_OK;
}

/* "The `any` variant is a shorthand for k = 1, and the `all` variant is a shorthand for k = n. If k
 * is given numerically, it must be written in decimal, and it is required that 1 <= k <= n." */
static st_t set_threshold(struct policy_reader *r, struct rd item, struct quorum_node *g)
{
	uint64_t k = 0;
	if (text_is(item, "any"))
		k = 1;
	else if (text_is(item, "all"))
		k = g->n;
	else if (!text_decimal(item, &k))
		return BAD(r, ST_MALFORMED, "\"%.*s\" is not \"all\", \"any\" or a decimal number",
		           SHOW(item));
	if (k < 1 || k > g->n)
		return BAD(r, ST_MALFORMED, "a group asks for %" PRIu64 " of %zu members", k, g->n);
	g->k = (size_t)k;
	return ST_OK;
}

static st_t read_group(struct policy_reader *r)
{
	struct policy_quorum *q = &r->m->quorum;
	struct quorum_node *g;
	struct rd threshold, name;
	size_t group = q->n;
	if (r->ngroups == POLICY_ITEMS_MAX)
		return BAD(r, ST_LIMIT, "more than %d groups", POLICY_ITEMS_MAX);
	TRY(new_name(r, "group", &g));
	if (!text_item(&r->in, &threshold))
		return BAD(r, ST_MALFORMED, "a group without \"all\", \"any\" or a number");
	g->is_group = true;
	while (text_item(&r->in, &name))
		TRY(add_member(r, name, group));
	if (g->n == 0)
		return BAD(r, ST_MALFORMED, "a group without members");
	TRY(set_threshold(r, threshold, g));
	r->ngroups++;
	q->n++;
	return ST_OK;
}

/* "A policy file must include exactly one quorum line." "The name must be properly defined on a
 * line preceding the quorum definition." */
static st_t read_quorum(struct policy_reader *r)
{
	struct policy_quorum *q = &r->m->quorum;
	struct rd name;
	if (r->has_quorum)
		return BAD(r, ST_MALFORMED, "a second quorum; there must be exactly one");
	if (!text_item(&r->in, &name))
		return BAD(r, ST_MALFORMED, "a quorum without a name (\"none\": no witness is needed)");
	r->has_quorum = true;
	if (!text_is(name, "none")) {
		q->root = find_name(q, name);
		if (q->root == QUORUM_NO_NODE)
			return BAD(r, ST_MALFORMED, "\"%.*s\" is not defined on an earlier line", SHOW(name));
		r->m->p.quorum = q;
	}
	return no_more_items(r);
}

/* "The only allowed control characters are tab and newline, which means that the allowed octet
 * values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF." */
static st_t check_octets(struct policy_reader *r)
{
	for (size_t i = 0; i < r->in.len; i++) {
		uint8_t c = rd_byte(&r->in, i);
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return BAD(r, ST_MALFORMED, "byte 0x%02x is not allowed%s", c,
			           c == '\r' ? " (lines end with LF, not with CR LF)" : "");
	}
	return ST_OK;
}

/* "Empty lines (whitespace only) and comment lines (lines starting with "#", possibly preceded by
 * whitespace) are allowed and ignored." */
static st_t read_line(struct policy_reader *r)
{
	struct rd item;
	TRY(check_octets(r));
	if (!text_item(&r->in, &item) || rd_peek(&item, "#", 1))
		return ST_OK;
	if (text_is(item, "log"))
		return read_log(r);
	if (text_is(item, "witness"))
		return read_witness(r);
	if (text_is(item, "group"))
		return read_group(r);
	if (text_is(item, "quorum"))
		return read_quorum(r);
	return BAD(r, ST_MALFORMED, "\"%.*s\" is not \"log\", \"witness\", \"group\" or \"quorum\"",
	           SHOW(item));
}

static st_t read_lines(struct policy_reader *r, struct rd text)
{
	while (rd_left(&text)) {
		r->line++;
		r->off = text.pos;
		if (!text_line(&text, &r->in))
			return BAD(r, ST_MALFORMED, "the line is not terminated by a newline");
		TRY(read_line(r));
	}
	if (!r->has_quorum)
		return fail(r->e, ST_MALFORMED, text.pos,
		            "policy: it has no quorum line; there must be exactly one");
	return ST_OK;
}

st_t policy_parse(struct rd text, struct policy **ret, struct err *e)
{
	if (rd_left(&text) > POLICY_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "policy: more than %zu bytes", POLICY_SIZE_MAX);
	struct policy_memory *m = calloc(1, sizeof *m);
	if (!m)
		return fail(e, ST_NOMEM, 0, "policy: out of memory");
	arena_init(&m->strings, 0);
	m->p.logs = m->logs;
	m->p.witnesses = m->witnesses;
	struct policy_reader r = {.m = m, .e = e};
	st_t st = read_lines(&r, text);
	if (st != ST_OK) {
		policy_free(&m->p);
		return st;
	}
	*ret = &m->p;
	return ST_OK;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	struct policy_memory *m = (struct policy_memory *)p;
	arena_done(&m->strings);
	free(m);
}
