#include "cli/publish_keys.h"

static st_t check_kind(const char *path, enum keyfile_kind kind, const struct note_key *k,
                       struct err *e)
{
	bool signs = kind == KEYFILE_PUBLISHER || kind == KEYFILE_NOTE; /* from before there was one */
	if (signs && k->type == NOTE_ED25519)
		return ST_OK;
	return fail(e, ST_UNSUPPORTED, 0,
	            "%.160s: not an Ed25519 key of a publisher or rebuilder ('vitrine key new --for "
	            "publisher')", path);
}

st_t publish_ring_check(const struct str_list *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct secret file;
		struct keyfile k;
		TRY(key_read(paths->v[i], &file, &k, e));
		st_t st = check_kind(paths->v[i], k.kind, &k.key, e);
		secret_done(&file);
		TRY(st);
	}
	return ST_OK;
}

st_t publish_ring_load(struct publish_ring *r, const struct str_list *paths,
                       const struct key_pass_opts *pass, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct loaded_key *k = &r->key[r->n];
		if (r->n == PUBLISH_KEYS_MAX)
			return fail(e, ST_LIMIT, 0, "more than %d keys", PUBLISH_KEYS_MAX);
		TRY(key_load(paths->v[i], pass, k, e));
		r->signer[r->n++] = k->signer;
		TRY(check_kind(paths->v[i], k->kind, &k->key, e));
	}
	return ST_OK;
}

void publish_ring_done(struct publish_ring *r)
{
	for (size_t i = 0; i < r->n; i++)
		key_unload(&r->key[i]);
	r->n = 0;
}
