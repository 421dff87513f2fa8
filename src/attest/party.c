#include "attest/party.h"

#include "attest/base64.h"
#include "base/num.h"
#include "tlog/note.h"
#include "tlog/text.h"

#include <string.h>

static st_t key_of_spki(struct config_reader *r, struct rd base64, struct attest_key *ret)
{
	struct buf der = {0};
	struct err why = {0};
	st_t st = ST_MALFORMED;
	if (attest_base64(base64, &der))
		st = attest_key_parse_spki(rd_make(der.data, der.len), ret, &why);
	buf_done(&der);
	if (st == ST_NOMEM)
		return fail(r->e, st, 0, "configuration: out of memory");
	return st == ST_OK ? ST_OK : config_bad(r, "%s", why.text[0] ? why.text : "spki: is no base64");
}

static st_t key_of_vkey(struct config_reader *r, struct rd vkey, struct attest_key *ret)
{
	struct note_key k;
	struct err why = {0};
	if (note_key_parse(vkey, &k, &why) != ST_OK)
		return config_bad(r, "%.200s", why.text);
	if (k.type == NOTE_ED25519) {
		attest_key_from_ed25519(k.pub, ret);
		return ST_OK;
	}
	if (k.type == NOTE_ECDSA && attest_key_parse_spki(rd_make(k.pub, k.npub), ret, NULL) == ST_OK)
		return ST_OK;
	return config_bad(r, "a vkey that signs statements is Ed25519 or ECDSA P-256");
}

static st_t read_key(struct config_reader *r, struct rd item, struct attest_key *ret)
{
	if (config_ends_with(item, ".pem"))
		return config_bad(r, "a key in a file cannot be read here");
	if (!rd_peek(&item, "spki:", 5))
		return key_of_vkey(r, item, ret);
	rd_skip(&item, 5);
	return key_of_spki(r, item, ret);
}

static st_t check_new(struct config_reader *r, const struct attest_parties *all,
                      const struct attest_party *p)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!strcmp(all->v[i].name, p->name))
			return config_bad(r, "\"%s\" is there already", p->name);
		if (attest_key_equal(&all->v[i].key, &p->key))
			return config_bad(r, "this key is \"%s\" already; keys are counted", all->v[i].name);
	}
	return ST_OK;
}

st_t attest_party_read(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct attest_parties *all = at;
	struct rd name, key;
	struct attest_party p;
	uint8_t id[32];
	if (all->n == ATTEST_PARTIES_MAX)
		return config_bad(r, "more than %d lines \"%s\"", ATTEST_PARTIES_MAX, d->name);
	if (!text_item(&r->line, &name) || !text_item(&r->line, &key))
		return config_bad(r, "%s: a name and a key are needed", d->name);
	if (rd_left(&name) >= ATTEST_PARTY_NAME_MAX || !text_is_note(name))
		return config_bad(r, "a name is UTF-8 and shorter than %d bytes", ATTEST_PARTY_NAME_MAX);
	TRY(config_keep(r, name, &p.name));
	TRY(read_key(r, key, &p.key));
	TRY(check_new(r, all, &p));
	TRY(attest_key_id(&p.key, id, r->e));
	p.id = load_u64le(id);
	all->v[all->n++] = p;
	return ST_OK;
}

bool attest_party_names_file(struct rd line, struct rd *ret_name)
{
	struct rd word, name;
	return text_item(&line, &word) &&
	       (text_is(word, "publisher") || text_is(word, "rebuilder")) && text_item(&line, &name) &&
	       text_item(&line, ret_name) && config_ends_with(*ret_name, ".pem");
}

st_t attest_party_put_key(struct rd line, struct rd file, struct buf *out, struct err *e)
{
	struct attest_key k;
	(void)line;
	TRY(attest_key_parse_pem(file, &k, e));
	buf_add(out, "spki:", 5);
	text_base64_add(out, k.spki, k.nspki);
	return ST_OK;
}
