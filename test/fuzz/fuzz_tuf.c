/* TUF metadata. As JSON: what is accepted has one canonical form, no longer than the file, and
 * another strict reader (jansson) accepts it too. As each kind of metadata: everything that the
 * client would ask of it. As a repository of one file, which answers whatever is asked for and is
 * in the store too: a refresh and a search. */
#include "tuf/client.h"
#include "tuf/key.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY ((size_t)1 << 20)

static void must(bool x)
{
	if (!x)
		abort();
}

/* The canonical form of what is written canonically, with control characters left out: they are
 * raw there, which JSON does not allow. */
static void try_again(const struct buf *canonical)
{
	struct arena a;
	const struct tuf_value *v;
	struct buf again = {0};
	for (size_t i = 0; i < canonical->len; i++)
		if (canonical->data[i] < 0x20)
			return;
	arena_init(&a, 2 * MEMORY);
	must(tuf_json_parse(rd_make(canonical->data, canonical->len), &a, "again", &v, NULL) == ST_OK);
	tuf_json_canonical(v, &again);
	must(again.len == canonical->len && !memcmp(again.data, canonical->data, again.len));
	buf_done(&again);
	arena_done(&a);
}

static void try_json(const uint8_t *data, size_t size)
{
	struct arena a;
	const struct tuf_value *v;
	struct buf out = {0};
	arena_init(&a, MEMORY);
	if (tuf_json_parse(rd_make(data, size), &a, "file", &v, NULL) == ST_OK) {
		json_t *other = json_loadb((const char *)data, size,
		                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
		must(other != NULL);
		json_decref(other);
		tuf_json_canonical(v, &out);
		must(out.len <= size);
		try_again(&out);
		struct tuf_key k;
		(void)tuf_key_read(v, &k, NULL);
		tuf_key_done(&k);
	}
	buf_done(&out);
	arena_done(&a);
}

static void ask(const struct tuf_md *md)
{
	struct tuf_file f;
	const struct tuf_value *custom;
	bool match;
	struct tuf_delegation d;
	if (md->type == TUF_ROOT) {
		struct tuf_role r;
		bool rotated = true;
		tuf_root_role(md, TUF_ROOT, &r);
		(void)tuf_md_verify(md, &r, NULL);
		must(tuf_role_rotated(&r, &r, &rotated, NULL) != ST_OK || !rotated);
	} else if (md->type == TUF_TARGETS) {
		(void)tuf_md_target(md, "a/b", &f, &custom, NULL);
		for (uint32_t i = 0; i < tuf_md_delegations(md); i++)
			if (tuf_md_delegation(md, i, "a/b", &match, &d, NULL) == ST_OK && match)
				(void)tuf_md_verify(md, &d.role, NULL);
	} else {
		(void)tuf_md_file(md, "snapshot.json", &f, NULL);
		must(tuf_snapshot_follows(md, md, NULL) == ST_OK);
	}
}

static st_t get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	const struct buf *b = ctx;
	if (strcmp(name, "2.root.json") == 0)
		return fail(e, ST_NOT_FOUND, 0, "none");
	if (b->len > max)
		return fail(e, ST_LIMIT, 0, "too long");
	buf_add(ret, b->data, b->len);
	return ST_OK;
}

static st_t put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	(void)ctx, (void)name, (void)bytes, (void)e;
	return ST_OK;
}

static st_t none(void *ctx, const char *name, struct err *e)
{
	(void)ctx, (void)name, (void)e;
	return ST_OK;
}

static void try_client(const uint8_t *data, size_t size)
{
	struct buf b = {0};
	struct tuf_fetch fetch = {.get = get, .ctx = &b};
	struct tuf_store store = {.get = get, .put = put, .remove = none, .ctx = &b};
	struct tuf_client c;
	struct tuf_target t;
	buf_add(&b, data, size);
	if (tuf_refresh(&fetch, &store, 0, &c, NULL) == ST_OK &&
	    tuf_find_target(&c, "a/b", &t, NULL) == ST_OK)
		tuf_target_done(&t);
	tuf_client_done(&c);
	buf_done(&b);
}

/* "PATTERN NUL PATH" matches in bounded time, and a pattern without wildcards only itself. */
static void try_glob(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 2);
	if (!s)
		return;
	memcpy(s, data, size);
	s[size] = s[size + 1] = 0;
	const char *path = s + strlen(s) + (strlen(s) < size);
	bool match = tuf_glob(s, path);
	if (match && !strpbrk(s, "*?["))
		must(strcmp(s, path) == 0);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_object_seed(1);
	try_json(data, size);
	for (enum tuf_type t = 0; t < TUF_TYPES; t++) {
		struct tuf_md md;
		if (tuf_md_parse(rd_make(data, size), t, "role", MEMORY, &md, NULL) == ST_OK) {
			ask(&md);
			tuf_md_done(&md);
		}
	}
	try_client(data, size);
	if (size < 4096)
		try_glob(data, size);
	return 0;
}
