/* A container as a whole: header, origin, unpacking, members against .info.
 *
 * Invariant: what cvd_open() gives when it returns ST_OK has been compared with .info byte for byte
 * (by SHA-256), and .info or the file around it with the signature that `scheme` names. */
#include "cvd/inside.h"

#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>

void cvd_done(struct cvd *c)
{
	free(c->members);
	buf_done(&c->unpacked);
	*c = (struct cvd){0};
}

/* -- origin of a published container ---------------------------------------------------------- */

static st_t prove_legacy(const struct cvd_input *in, struct rd body, struct cvd *c, struct err *e)
{
	uint8_t md5[16], said[16];
	const char *dsig = c->header.dsig;
	TRY(digest_bytes(DIGEST_MD5, body.base, body.len, md5, e));
	if (!piece_hex((struct piece){c->header.md5, strlen(c->header.md5)}, said, sizeof said) ||
	    memcmp(md5, said, sizeof md5))
		return fail(e, ST_BAD_SUM, 0, "content does not have the MD5 of the header");
	TRY(cvd_check_legacy(&in->keys->header, dsig, strlen(dsig), md5, e));
	c->scheme = CVD_LEGACY;
	return ST_OK;
}

/* A .sign of this version decides; without one, the header. */
static st_t prove_published(const struct cvd_input *in, struct rd body, struct cvd *c,
                            struct err *e)
{
	for (size_t i = 0; i < in->nsigns && in->roots; i++) {
		const struct cvd_file *s = &in->signs[i];
		struct err why = {0};
		bool applies;
		if (!cvd_sign_is_for(s->name, in->file.name, c->header.version))
			continue;
		st_t st = cvd_sign_check(s->p, s->n, in->file.p, in->file.n, in->roots, in->now, c->signer,
		                         &applies, &why);
		if (st < ST_OK)
			return fail(e, st, 0, "%s", why.text);
		if (st != ST_OK)
			return fail(e, ST_BAD_SUM, 0, "%.100s: %.120s", s->name, why.text);
		if (applies) {
			c->scheme = CVD_CMS;
			return ST_OK;
		}
	}
	return prove_legacy(in, body, c, e);
}

/* -- content ---------------------------------------------------------------------------------- */

static st_t unpack(struct rd body, struct cvd *c, struct rd *ret, struct err *e)
{
	*ret = body;
	if (rd_peek(&body, "\x1f\x8b", 2)) {
		TRY(cvd_gunzip(body.base, body.len, &c->unpacked, e));
		*ret = rd_make(c->unpacked.data, c->unpacked.len);
	}
	return ret->len > CVD_UNPACKED_MAX
	           ? fail(e, ST_LIMIT, 0, "more than %zu bytes", CVD_UNPACKED_MAX)
	           : ST_OK;
}

static st_t add_member(struct cvd *c, size_t *cap, const struct cvd_member *m, struct err *e)
{
	if (c->nmembers == CVD_MEMBERS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d members", CVD_MEMBERS_MAX);
	if (c->nmembers == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		struct cvd_member *p = reallocarray(c->members, *cap, sizeof *p);
		if (!p)
			return fail(e, ST_NOMEM, 0, "members: out of memory");
		c->members = p;
	}
	c->members[c->nmembers++] = *m;
	return ST_OK;
}

static bool has_extension(const char *name, const char *ext)
{
	size_t n = strlen(name), k = strlen(ext);
	return n > k && !strcmp(name + n - k, ext);
}

/* All members; the one .info apart. */
static st_t list_members(struct rd tar, struct cvd *c, struct cvd_member *ret_info, struct err *e)
{
	struct cvd_member m;
	size_t cap = 0;
	bool end, found = false;
	for (;;) {
		TRY(cvd_tar_next(&tar, &m, &end, e));
		if (end)
			break;
		bool info = has_extension(m.name, ".info");
		if (info && found)
			return fail(e, ST_MALFORMED, tar.pos, "two .info files");
		if (info)
			*ret_info = m;
		else
			TRY(add_member(c, &cap, &m, e));
		found |= info;
	}
	return found ? ST_OK : fail(e, ST_MALFORMED, 0, "no .info file");
}

/* .info repeats the header, without digest and signature. The time as text is not compared:
 * clamscan does not, and it is taken from .info. */
static bool same_header(const struct cvd_header *a, const struct cvd_header *b)
{
	return a->version == b->version && a->sigs == b->sigs &&
	       a->flevel == b->flevel && !strcmp(a->builder, b->builder) && a->stime == b->stime;
}

static st_t check_member(struct cvd_info *info, const struct cvd_member *m, struct err *e)
{
	uint8_t sum[32];
	struct cvd_info_row *row = cvd_info_find(info, m->name);
	if (!row && !strcmp(m->name, "COPYING")) /* the licence's text, which nothing reads */
		return ST_OK;
	if (!row)
		return fail(e, ST_MALFORMED, 0, "%s is not in .info", m->name);
	if (row->used)
		return fail(e, ST_MALFORMED, 0, "%s is there twice", m->name);
	row->used = true;
	TRY(digest_bytes(DIGEST_SHA256, m->p, m->n, sum, e));
	if (row->size != m->n || memcmp(sum, row->sha256, sizeof sum))
		return fail(e, ST_MALFORMED, 0, "%s is not what .info says", m->name);
	return ST_OK;
}

static st_t check_members(struct cvd_info *info, const struct cvd *c, struct err *e)
{
	if (!same_header(&info->header, &c->header))
		return fail(e, ST_MALFORMED, 0, ".info does not repeat the header");
	for (size_t i = 0; i < c->nmembers; i++)
		TRY(check_member(info, &c->members[i], e));
	for (size_t i = 0; i < info->n && c->scheme != CVD_UNPROVEN; i++)
		if (!info->rows[i].used)
			return fail(e, ST_MALFORMED, 0, "%s is missing", info->rows[i].name);
	return ST_OK;
}

/* A container that .sign does not prove has to have a signed .info. */
static st_t check_content(const struct cvd_input *in, enum cvd_kind kind, struct rd tar,
                          struct cvd *c, struct cvd_info *info, struct err *e)
{
	const struct rsa_key *key = kind == CVD_UNSIGNED ? NULL : &in->keys->info;
	TRY(list_members(tar, c, &c->info, e));
	TRY(cvd_info_read(c->info.p, c->info.n, key, info, e));
	if (key && c->scheme != CVD_CMS && !info->is_signed)
		return fail(e, ST_MALFORMED, 0, ".info is not signed");
	if (kind == CVD_LOCAL)
		c->scheme = CVD_INFO;
	TRY(check_members(info, c, e));
	memcpy(c->header.time, info->header.time, sizeof c->header.time);
	return ST_OK;
}

/* -- the whole -------------------------------------------------------------------------------- */

/* What the updater keeps has no digest and no signature in its header: anything else there would be
 * a claim that nobody checks. */
static bool bare(const struct cvd_header *h)
{
	return !strcmp(h->md5, "X") && !strcmp(h->dsig, "X");
}

st_t cvd_open(const struct cvd_input *in, struct cvd *ret, struct err *e)
{
	enum cvd_kind kind = cvd_kind_of(in->file.name);
	struct cvd_info info = {0};
	struct rd file = rd_make(in->file.p, in->file.n), tar;
	*ret = (struct cvd){0};
	TRY(cvd_header_read(in->file.p, in->file.n, &ret->header, e));
	if (kind == CVD_KINDS)
		return fail(e, ST_UNSUPPORTED, 0, "not a name of a signature container");
	struct rd body = rd_at(&file, CVD_HEADER_BYTES, in->file.n - CVD_HEADER_BYTES);
	if (kind == CVD_LOCAL && !bare(&ret->header))
		return fail(e, ST_BAD_SUM, 0, "a .cld has no digest in its header");
	if (kind == CVD_PUBLISHED)
		TRY(prove_published(in, body, ret, e));
	TRY(unpack(body, ret, &tar, e));
	st_t st = check_content(in, kind, tar, ret, &info, e);
	cvd_info_done(&info);
	return st;
}
