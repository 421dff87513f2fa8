#include "cli/publish_keys.h"

#include "base/io.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool may_sign(enum keyfile_kind kind, enum note_type type)
{
	/* Keys for notes were used before there was a kind for it. */
	return (kind == KEYFILE_PUBLISHER || kind == KEYFILE_NOTE) && type == NOTE_ED25519;
}

static st_t check_kind(const char *path, enum keyfile_kind kind, enum note_type type, struct err *e)
{
	if (may_sign(kind, type))
		return ST_OK;
	return fail(e, ST_UNSUPPORTED, 0, "%.160s: a key of a %s, not an Ed25519 key of a publisher or "
	            "rebuilder ('vitrine key new --for publisher')", path, keyfile_kind_name(kind));
}

static st_t from_vkey(struct rd text, struct attest_key *ret, struct err *e)
{
	struct note_key k;
	struct rd line;
	if (!text_line(&text, &line))
		line = rd_sub(&text, rd_left(&text));
	TRY(note_key_parse(line, &k, e));
	if (k.type != NOTE_ED25519)
		return fail(e, ST_UNSUPPORTED, 0, "a vkey of type 0x%02x: publishers sign with Ed25519 "
		            "(0x01)", (unsigned)k.type);
	attest_key_from_ed25519(k.pub, ret);
	return ST_OK;
}

static st_t from_keyfile(const char *path, struct attest_key *ret, struct err *e)
{
	struct secret file;
	struct keyfile k;
	TRY(key_read(path, &file, &k, e));
	st_t st = check_kind(path, k.kind, k.key.type, e);
	if (st == ST_OK)
		attest_key_from_ed25519(k.key.pub, ret);
	secret_done(&file);
	return st;
}

/* Looked at before anything is read into memory that is not wiped: the file may hold a seed. */
static bool is_keyfile(int fd)
{
	static const char begin[] = "vitrine key ";
	char head[sizeof begin - 1];
	return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	       !memcmp(head, begin, sizeof head);
}

static bool has(const struct buf *b, const char *s)
{
	return memmem(b->data, b->len, s, strlen(s)) != NULL;
}

st_t publish_key_read(const char *where, struct attest_key *ret, bool *ret_private, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	st_t st;
	*ret_private = false;
	AUTO_FD fd = open(where, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && strchr(where, '+')) {
		st = from_vkey(rd_make(where, strlen(where)), ret, &why);
		return st == ST_OK ? st : fail(e, st, 0, "%.100s: no file, and no vkey: %.120s", where,
		                               why.text);
	}
	if (fd < 0)
		return fail_errno(e, "%s", where);
	*ret_private = is_keyfile(fd);
	if (*ret_private)
		return from_keyfile(where, ret, e);
	st = io_read_up_to(fd, ATTEST_KEY_FILE_MAX, where, &b, &why);
	struct rd in = rd_make(b.data, b.len);
	if (st == ST_OK)
		st = has(&b, "-----BEGIN ") ? attest_key_parse_pem(in, ret, &why)
		                            : from_vkey(in, ret, &why);
	buf_done(&b);
	return st == ST_OK ? st : fail(e, st, 0, "%.100s: %.150s", where, why.text);
}

st_t publish_keys_read(const struct str_list *where, struct publish_role_keys *ret, struct err *e)
{
	for (size_t i = 0; i < where->n; i++) {
		bool private;
		if (ret->n == PUBLISH_KEYS_MAX)
			return fail(e, ST_LIMIT, 0, "more than %d keys", PUBLISH_KEYS_MAX);
		TRY(publish_key_read(where->v[i], &ret->v[ret->n].key, &private, e));
		ret->n++;
	}
	return ST_OK;
}

/* -- private ones ----------------------------------------------------------------------------- */

static bool is_loaded(const struct publish_ring *r, const struct attest_key *k)
{
	for (size_t i = 0; i < r->n; i++) {
		struct attest_key own;
		attest_key_from_ed25519(r->signer[i]->pub, &own);
		if (attest_key_equal(&own, k))
			return true;
	}
	return false;
}

static st_t load_one(struct publish_ring *r, const char *path, const struct key_pass_opts *pass,
                     struct err *e)
{
	struct loaded_key *k = &r->key[r->n];
	if (r->n == PUBLISH_KEYS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d keys", PUBLISH_KEYS_MAX);
	TRY(key_load(path, pass, k, e));
	r->signer[r->n++] = k->signer;
	return ST_OK;
}

static st_t refuse_public(const char *path, struct err *e)
{
	return fail(e, ST_UNSUPPORTED, 0, "%.160s: a public key: it cannot sign", path);
}

static st_t load(struct publish_ring *r, const struct str_list *where, bool all,
                 const struct key_pass_opts *pass, struct err *e)
{
	for (size_t i = 0; i < where->n; i++) {
		struct attest_key k;
		bool private;
		TRY(publish_key_read(where->v[i], &k, &private, e));
		if (!private && all)
			return refuse_public(where->v[i], e);
		if (private && !is_loaded(r, &k))
			TRY(load_one(r, where->v[i], pass, e));
	}
	return ST_OK;
}

st_t publish_ring_load(struct publish_ring *r, const struct str_list *paths,
                       const struct key_pass_opts *pass, struct err *e)
{
	return load(r, paths, true, pass, e);
}

st_t publish_ring_load_private(struct publish_ring *r, const struct str_list *where,
                               const struct key_pass_opts *pass, struct err *e)
{
	return load(r, where, false, pass, e);
}

st_t publish_ring_check(const struct str_list *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct attest_key k;
		bool private;
		TRY(publish_key_read(paths->v[i], &k, &private, e));
		if (!private)
			return refuse_public(paths->v[i], e);
	}
	return ST_OK;
}

void publish_ring_done(struct publish_ring *r)
{
	for (size_t i = 0; i < r->n; i++)
		key_unload(&r->key[i]);
	r->n = 0;
}
