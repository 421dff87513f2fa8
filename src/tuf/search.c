/* The search for a target (section 5.6.7). A role's files are held while its delegations are
 * followed, so what is in memory is the chain of roles from the top-level targets to the one that
 * is looked at. */
#include "base/num.h"
#include "tuf/inside.h"

#include <stdio.h>
#include <string.h>

struct search {
	struct tuf_client *c;
	const char *path;
	struct tuf_target *ret;
	char visited[TUF_ROLES_MAX][TUF_ROLE_NAME_MAX + 1];
	size_t nvisited;
	size_t memory; /* what trees have left */
	bool found, over;
};

static bool visited(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->nvisited; i++)
		if (strcmp(s->visited[i], name) == 0)
			return true;
	return false;
}

static void add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

/* "HASH.FILENAME.EXT [...], where HASH is one of the hashes of the targets file listed in the
 * targets metadata file"; the hash stands before the last segment of the path. */
static void add_url(const char *path, bool consistent, const struct tuf_hashes *h, struct buf *url)
{
	char hex[2 * SHA512_BYTES + 1];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct buf folder = {0};
	buf_add(&folder, path, (size_t)(name - path));
	buf_u8(&folder, 0);
	if (!folder.oom)
		tuf_quote((const char *)folder.data, true, url);
	url->oom = url->oom || folder.oom;
	buf_done(&folder);
	if (consistent) {
		if (h->has256)
			hex_encode(h->sha256, sizeof h->sha256, hex);
		else
			hex_encode(h->sha512, sizeof h->sha512, hex);
		add_text(url, hex);
		buf_u8(url, '.');
	}
	tuf_quote(name, false, url);
	buf_u8(url, 0);
}

void tuf_target_done(struct tuf_target *t)
{
	buf_done(&t->url);
	buf_done(&t->custom);
}

/* Looks into one role. */
static st_t look_into(struct search *s, const struct tuf_md *md, struct err *e)
{
	struct tuf_target t = {0};
	const struct tuf_value *custom;
	struct err why = {0};
	st_t st = tuf_md_target(md, s->path, &t.file, &custom, &why);
	if (st == ST_NOT_FOUND)
		return ST_OK;
	if (st != ST_OK)
		return fail(e, st, 0, "%s", why.text);
	snprintf(t.role, sizeof t.role, "%s", md->what);
	add_url(s->path, tuf_root_consistent(&s->c->root), &t.file.hashes, &t.url);
	if (custom)
		tuf_json_canonical(custom, &t.custom);
	st = buf_check(&t.url, e, "target");
	if (st == ST_OK)
		st = buf_check(&t.custom, e, "target");
	if (st == ST_OK)
		*s->ret = t;
	else
		tuf_target_done(&t);
	s->found = st == ST_OK;
	return st;
}

/* The role's file, verified by the keys of the delegation that leads to it. "If any metadata
 * requested in steps 5.6.7.1 - 5.6.7.2 cannot be downloaded nor validated, end the search and
 * report that the target cannot be found." */
static st_t load(struct search *s, const struct tuf_delegation *d, struct tuf_md *ret,
                 struct err *e)
{
	char name[TUF_ROLE_NAME_MAX + sizeof ".json"];
	struct tuf_file file;
	struct err why = {0};
	snprintf(name, sizeof name, "%s.json", d->name);
	st_t st = tuf_md_file(&s->c->snapshot, name, &file, &why);
	struct tuf_want w = {.type = TUF_TARGETS, .role = d->name, .by = &d->role, .file = &file,
	                     .max = TUF_TARGETS_MAX};
	if (st == ST_OK)
		st = tuf_obtain(s->c, &w, NULL, s->memory, ret, &why);
	if (st == ST_OK)
		return ST_OK;
	return fail(e, st, 0, "the search for \"%.60s\" ends: %.150s", s->path, why.text);
}

static st_t search_role(struct search *s, const struct tuf_md *md, struct err *e);

/* Goes on in the role that is delegated to. */
static st_t follow(struct search *s, const struct tuf_delegation *d, struct err *e)
{
	struct tuf_md md = {0};
	if (s->nvisited == TUF_ROLES_MAX)
		return fail(e, ST_LIMIT, 0, "the search for \"%.60s\" ends after %d roles", s->path,
		            TUF_ROLES_MAX);
	memcpy(s->visited[s->nvisited++], d->name, sizeof d->name);
	TRY(load(s, d, &md, e));
	size_t taken = num_min_size(md.arena.total, s->memory);
	s->memory -= taken;
	st_t st = search_role(s, &md, e);
	s->memory += taken;
	tuf_md_done(&md);
	return st;
}

/* "recursively search the list of delegations in order of appearance. If the current delegation is
 * a terminating delegation, then jump to step [fetch target]": nothing behind it is looked at, in
 * no role of the chain. Depth is bounded by TUF_ROLES_MAX, as no role is visited twice. */
static st_t search_role(struct search *s, const struct tuf_md *md, struct err *e)
{
	TRY(look_into(s, md, e));
	uint32_t n = tuf_md_delegations(md);
	for (uint32_t i = 0; i < n && !s->found && !s->over; i++) {
		struct tuf_delegation d;
		bool match = false;
		TRY(tuf_md_delegation(md, i, s->path, &match, &d, e));
		if (!match)
			continue;
		if (!visited(s, d.name))
			TRY(follow(s, &d, e));
		s->over = s->over || d.terminating;
	}
	return ST_OK;
}

st_t tuf_find_target(struct tuf_client *c, const char *path, struct tuf_target *ret, struct err *e)
{
	size_t used = c->root.arena.total + c->timestamp.arena.total + c->snapshot.arena.total +
	              c->targets.arena.total;
	struct search s = {.c = c, .path = path, .ret = ret};
	s.memory = used < TUF_MEMORY_MAX ? TUF_MEMORY_MAX - used : 0;
	if (!tuf_path_safe(path))
		return fail(e, ST_UNSUPPORTED, 0, "target \"%.100s\": a path with an empty part, \".\" or "
		            "\"..\", or too long", path);
	TRY(search_role(&s, &c->targets, e));
	if (!s.found)
		return fail(e, ST_NOT_FOUND, 0, "target \"%.100s\": no role that is trusted with it lists "
		            "it", path);
	return ST_OK;
}
