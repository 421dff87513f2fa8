#include "witness/config.h"

#include "base/num.h"
#include "tlog/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* One line, before lines of one origin are brought together. */
struct entry {
	struct tlog_hash id;
	struct note_key key;
	char *url;
	struct witness_rate rate;
	bool has_rate;
	unsigned line;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

/* What is handed out as struct witness_config, with what it owns. */
struct owned {
	struct witness_config pub;
	struct witness_log *logs;
	struct note_key *keys;
	char **urls;
	size_t nurls;
};

bool witness_origin_id(const void *origin, size_t n, struct tlog_hash *ret)
{
	unsigned len = 0;
	return EVP_Digest(origin, n, ret->b, &len, EVP_sha256(), NULL) == 1 && len == TLOG_HASH;
}

/* tlog-policy: "octets 0x09, 0x0A, 0x20-0x7E, 0x80-0xFF only". */
static bool is_config_text(struct rd line)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = rd_byte(&line, i);
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Takes the next item of a line; false at its end or at a comment. */
static bool next_item(struct rd *line, struct rd *ret)
{
	return text_item(line, ret) && !rd_peek(ret, "#", 1);
}

/* "5/s", "600/h", "none". */
static bool read_rate(struct rd v, struct witness_rate *ret)
{
	if (text_is(v, "none")) {
		*ret = (struct witness_rate){.n = 0, .period_s = 1};
		return true;
	}
	if (v.len < 3 || rd_byte(&v, v.len - 2) != '/')
		return false;
	uint64_t n;
	if (!text_decimal(rd_at(&v, 0, v.len - 2), &n) || n == 0 || n > WITNESS_RATE_MAX)
		return false;
	uint8_t unit = rd_byte(&v, v.len - 1);
	uint32_t period = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
	*ret = (struct witness_rate){.n = (uint32_t)n, .period_s = period};
	return period != 0;
}

static st_t read_log_item(struct rd item, struct entry *en, struct err *e)
{
	if (rd_peek(&item, "rate=", 5)) {
		rd_skip(&item, 5);
		if (en->has_rate)
			return fail(e, ST_MALFORMED, 0, "line %u: two rates", en->line);
		if (!read_rate(rd_sub(&item, rd_left(&item)), &en->rate))
			return fail(e, ST_MALFORMED, 0,
			            "line %u: a rate is N/s, N/m, N/h (N from 1 to %u) or none", en->line,
			            WITNESS_RATE_MAX);
		en->has_rate = true;
		return ST_OK;
	}
	if (!rd_peek(&item, "http://", 7) && !rd_peek(&item, "https://", 8))
		return fail(e, ST_MALFORMED, 0, "line %u: '%.*s' is neither a URL nor rate=...", en->line,
		            (int)num_min_size(item.len, 64), (const char *)item.base);
	if (en->url)
		return fail(e, ST_MALFORMED, 0, "line %u: two URLs", en->line);
	en->url = strndup((const char *)item.base, item.len);
	return en->url ? ST_OK : fail(e, ST_NOMEM, 0, "witness: out of memory");
}

static st_t read_log(struct rd line, struct entry *en, struct err *e)
{
	struct rd item;
	struct err why = {0};
	if (!next_item(&line, &item))
		return fail(e, ST_MALFORMED, 0, "line %u: log without a vkey", en->line);
	st_t st = note_key_parse(item, &en->key, &why);
	if (st != ST_OK)
		return fail(e, st, 0, "line %u: %s", en->line, why.text);
	/* Better now than a 403 for every checkpoint. */
	if (en->key.type == NOTE_COSIGNATURE_MLDSA44 && !mldsa44_available())
		return fail(e, ST_UNSUPPORTED, 0,
		            "line %u: an ML-DSA-44 key, which this libcrypto cannot verify", en->line);
	if (!witness_origin_id(en->key.name, strlen(en->key.name), &en->id))
		return fail(e, ST_NOMEM, 0, "witness: cannot hash an origin");
	while (next_item(&line, &item))
		TRY(read_log_item(item, en, e));
	return ST_OK;
}

static st_t add_entry(struct entries *all, struct entry **ret, struct err *e)
{
	if (all->n == WITNESS_LOGS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %u keys of logs", WITNESS_LOGS_MAX);
	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 16;
		struct entry *v = realloc(all->v, cap * sizeof *v);
		if (!v)
			return fail(e, ST_NOMEM, 0, "witness: out of memory");
		all->v = v;
		all->cap = cap;
	}
	*ret = &all->v[all->n++];
	**ret = (struct entry){0};
	return ST_OK;
}

static st_t read_line(struct rd line, unsigned number, struct entries *all, struct err *e)
{
	struct rd word;
	if (!is_config_text(line))
		return fail(e, ST_MALFORMED, 0, "line %u: a control character", number);
	if (!next_item(&line, &word))
		return ST_OK;
	if (!text_is(word, "log"))
		return fail(e, ST_MALFORMED, 0, "line %u: '%.*s' is not \"log\"", number,
		            (int)num_min_size(word.len, 64), (const char *)word.base);
	struct entry *en = NULL;
	TRY(add_entry(all, &en, e));
	en->line = number;
	return read_log(line, en, e);
}

static st_t read_lines(struct rd text, struct entries *all, struct err *e)
{
	struct rd line;
	unsigned number = 0;
	while (rd_left(&text)) {
		number++;
		if (!text_line(&text, &line))
			return fail(e, ST_MALFORMED, text.pos, "line %u: does not end in a newline", number);
		TRY(read_line(line, number, all, e));
	}
	return ST_OK;
}

/* By origin, then in the order of the file. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = memcmp(x->id.b, y->id.b, TLOG_HASH);
	return c ? c : (x->line > y->line) - (x->line < y->line);
}

static bool same_public(const struct note_key *a, const struct note_key *b)
{
	return a->npub == b->npub && memcmp(a->pub, b->pub, a->npub) == 0;
}

/* What lines of one origin must not disagree about. */
static st_t join(struct witness_log *log, struct note_key *keys, struct entry *en, struct err *e)
{
	for (size_t i = 0; i < log->nkeys; i++)
		if (same_public(&keys[i], &en->key))
			return fail(e, ST_MALFORMED, 0, "line %u: this key is listed already", en->line);
	if (log->nkeys == WITNESS_LOG_KEYS_MAX)
		return fail(e, ST_LIMIT, 0, "line %u: more than %u keys of one log", en->line,
		            WITNESS_LOG_KEYS_MAX);
	if (en->has_rate && log->nkeys && log->rate.period_s &&
	    (log->rate.n != en->rate.n || log->rate.period_s != en->rate.period_s))
		return fail(e, ST_MALFORMED, 0, "line %u: another rate for the same origin", en->line);
	if (en->has_rate)
		log->rate = en->rate;
	if (en->url && !log->url)
		log->url = en->url;
	keys[log->nkeys++] = en->key;
	return ST_OK;
}

static st_t join_all(struct entries *all, struct owned *o, struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++) {
		struct entry *en = &all->v[i];
		if (!n || memcmp(o->logs[n - 1].id.b, en->id.b, TLOG_HASH)) {
			o->logs[n] = (struct witness_log){.id = en->id, .keys = &o->keys[i]};
			n++;
		}
		size_t first = (size_t)(o->logs[n - 1].keys - o->keys);
		TRY(join(&o->logs[n - 1], &o->keys[first], en, e));
		o->urls[o->nurls++] = en->url;
		en->url = NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (!o->logs[i].rate.period_s)
			o->logs[i].rate = (struct witness_rate){WITNESS_RATE_DEFAULT, 1};
	o->pub = (struct witness_config){.logs = o->logs, .n = n};
	return ST_OK;
}

static st_t make(struct entries *all, struct witness_config **ret, struct err *e)
{
	struct owned *o = calloc(1, sizeof *o);
	if (!o)
		return fail(e, ST_NOMEM, 0, "witness: out of memory");
	o->logs = calloc(all->n + 1, sizeof *o->logs);
	o->keys = calloc(all->n + 1, sizeof *o->keys);
	o->urls = calloc(all->n + 1, sizeof *o->urls);
	st_t st =
		o->logs && o->keys && o->urls ? ST_OK : fail(e, ST_NOMEM, 0, "witness: out of memory");
	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, compare_entries);
	if (st == ST_OK)
		st = join_all(all, o, e);
	if (st == ST_OK)
		*ret = &o->pub;
	else
		witness_config_free(&o->pub);
	return st;
}

st_t witness_config_parse(struct rd text, struct witness_config **ret, struct err *e)
{
	struct entries all = {0};
	if (rd_left(&text) > WITNESS_CONFIG_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "longer than %zu bytes", WITNESS_CONFIG_SIZE_MAX);
	st_t st = read_lines(text, &all, e);
	if (st == ST_OK)
		st = make(&all, ret, e);
	for (size_t i = 0; i < all.n; i++)
		free(all.v[i].url);
	free(all.v);
	return st;
}

void witness_config_free(struct witness_config *c)
{
	struct owned *o = (struct owned *)c;
	if (!o)
		return;
	for (size_t i = 0; i < o->nurls; i++)
		free(o->urls[i]);
	free(o->urls);
	free(o->logs);
	free(o->keys);
	free(o);
}

static int compare_id(const void *key, const void *log)
{
	return memcmp(((const struct tlog_hash *)key)->b, ((const struct witness_log *)log)->id.b,
	              TLOG_HASH);
}

const struct witness_log *witness_config_find(const struct witness_config *c, struct rd origin)
{
	struct tlog_hash id;
	if (!c->n || !witness_origin_id(origin.base, origin.len, &id))
		return NULL;
	return bsearch(&id, c->logs, c->n, sizeof *c->logs, compare_id);
}
