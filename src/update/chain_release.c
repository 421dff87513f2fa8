/* The release statement: whose it is, and that it speaks of the files that TUF lists. And what was
 * accepted last, so that a version never goes back.
 *
 * "accepted" in the store:
 *   vitrine-accepted v1 LF
 *   version N LF
 *   sha256 HEX LF          of main.vdb
 */
#include "attest/set_release.h"
#include "crypto/digest.h"
#include "tlog/text.h"
#include "update/chain_inside.h"

#include <stdio.h>
#include <string.h>

#define ACCEPTED "accepted"
#define ACCEPTED_HEAD "vitrine-accepted v1"
#define ACCEPTED_MAX 256

_Static_assert(SET_RELEASE_NAME_MAX == UPDATE_SET_MAX, "one name, one limit");

static st_t check_file(const char *name, const uint8_t said[32], const struct chain_file *listed,
                       struct err *e)
{
	char a[65], b[65];
	if (!memcmp(said, listed->sha256, 32))
		return ST_OK;
	hex_encode(said, 32, a);
	hex_encode(listed->sha256, 32, b);
	return fail(e, ST_CONFLICT, 0, "statement: it is about %s %.16s..., the targets role lists "
	            "%.16s...", name, a, b);
}

static bool take_value(struct rd *in, const char *key, struct rd *ret)
{
	struct rd line;
	size_t n = strlen(key);
	if (!text_line(in, &line) || !rd_peek(&line, key, n))
		return false;
	*ret = rd_at(&line, n, line.len - n);
	return true;
}

static bool read_accepted(struct rd in, uint64_t *ret_version, char ret_hex[65])
{
	struct rd head, version, hex;
	if (!text_line(&in, &head) || !text_is(head, ACCEPTED_HEAD) ||
	    !take_value(&in, "version ", &version) || !text_decimal(version, ret_version) ||
	    !take_value(&in, "sha256 ", &hex) || hex.len != 64 || rd_left(&in))
		return false;
	rd_copy(&hex, ret_hex, 64);
	ret_hex[64] = 0;
	return true;
}

/* "version is a positive integer that only grows": of two files with one version, one was not meant
 * for everybody. */
static st_t compare_accepted(struct chain *c, struct rd in, struct err *e)
{
	uint64_t version;
	char old[65], hex[65];
	if (!read_accepted(in, &version, old))
		return chain_advise(c, "remove the file \"" ACCEPTED "\" in the folder tuf of this set; "
		                    "which version was accepted last is forgotten then",
		                    fail(e, ST_MALFORMED, 0, "statement: the note of what was accepted "
		                         "last is damaged"));
	hex_encode(c->r.vdb.sha256, 32, hex);
	if (c->r.version < version)
		return fail(e, ST_CONFLICT, 0, "statement: rollback: version %llu, accepted before was "
		            "%llu", (unsigned long long)c->r.version, (unsigned long long)version);
	if (c->r.version == version && strcmp(old, hex))
		return fail(e, ST_CONFLICT, 0, "statement: version %llu is another database (%.16s...) "
		            "than the one accepted under that version (%.16s...)",
		            (unsigned long long)version, hex, old);
	return ST_OK;
}

static st_t check_version(struct chain *c, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	st_t st = c->store.get(c->store.ctx, ACCEPTED, ACCEPTED_MAX, &b, &why);
	if (st == ST_OK)
		st = compare_accepted(c, rd_make(b.data, b.len), e);
	else if (st == ST_NOT_FOUND)
		st = ST_OK;
	else
		st = fail(e, st, 0, "statement: %s", why.text);
	buf_done(&b);
	return st;
}

st_t chain_store_release(struct chain *c, struct err *e)
{
	char text[ACCEPTED_MAX], hex[65];
	struct buf b = {0};
	hex_encode(c->r.vdb.sha256, 32, hex);
	snprintf(text, sizeof text, ACCEPTED_HEAD "\nversion %llu\nsha256 %s\n",
	         (unsigned long long)c->r.version, hex);
	st_t st = c->store.get(c->store.ctx, ACCEPTED, ACCEPTED_MAX, &b, NULL);
	bool there = st == ST_OK && b.len == strlen(text) && !memcmp(b.data, text, b.len);
	buf_done(&b);
	return there ? ST_OK : c->store.put(c->store.ctx, ACCEPTED, rd_make(text, strlen(text)), e);
}

static st_t take_payload(struct chain *c, struct rd payload, struct err *e)
{
	struct set_release s;
	TRY(set_release_parse(payload, &s, e));
	if (strcmp(s.set, c->rq->policy->set))
		return fail(e, ST_CONFLICT, 0, "statement: it is about the set \"%s\", the policy asks for "
		            "\"%s\"", s.set, c->rq->policy->set);
	TRY(check_file(SET_RELEASE_DATABASE, s.vdb, &c->r.vdb, e));
	TRY(check_file(SET_RELEASE_SOURCE, s.source, &c->r.source, e));
	c->r.version = s.version;
	c->r.pua = s.pua;
	c->r.strict = s.strict;
	c->r.clamav = s.clamav;
	c->r.database = s.database;
	return check_version(c, e);
}

static st_t check_signers(struct chain *c, const struct dsse *d, size_t n, struct err *e)
{
	const struct update_policy *p = c->rq->policy;
	char names[160];
	chain_names(&p->publishers, c->r.published_by, names, sizeof names);
	if (n < p->release_signatures)
		return fail(e, ST_BAD_SIG, 0, "statement: signed by %zu of the %llu publishers it takes "
		            "(%s)", n, (unsigned long long)p->release_signatures, names);
	if (strcmp((const char *)d->type.data, STATEMENT_PAYLOAD_TYPE))
		return fail(e, ST_UNSUPPORTED, 0, "statement: its payload is \"%.80s\", not "
		            STATEMENT_PAYLOAD_TYPE, (const char *)d->type.data);
	if (p->release_signatures)
		chain_say(c, "signed by %zu of %zu publishers (%s)", n, p->publishers.n, names);
	else
		chain_say(c, "the policy asks for no publisher's signature");
	return ST_OK;
}

st_t chain_check_statement(struct chain *c, struct err *e)
{
	struct dsse d = {0};
	size_t n;
	TRY(chain_get_small(c, &c->release, "release.dsse", DSSE_SIZE_MAX, &c->envelope, e));
	st_t st = chain_open_envelope(&c->rq->policy->publishers,
	                              rd_make(c->envelope.data, c->envelope.len), &d,
	                              c->r.published_by, &n, e);
	if (st == ST_OK)
		st = check_signers(c, &d, n, e);
	if (st == ST_OK)
		st = take_payload(c, rd_make(d.payload.data, d.payload.len), e);
	dsse_done(&d);
	TRY(st);
	chain_say(c, "version %llu, of the database and the rule text that are listed",
	          (unsigned long long)c->r.version);
	return ST_OK;
}
