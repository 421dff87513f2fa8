#include "tuf/metadata.h"

#include "tuf/path.h"

#include <stdio.h>
#include <string.h>

static const struct tuf_value *delegations(const struct tuf_md *md)
{
	return tuf_member(md->body, "delegations");
}

uint32_t tuf_md_delegations(const struct tuf_md *md)
{
	const struct tuf_value *roles = tuf_member(delegations(md), "roles");
	if (tuf_member(delegations(md), "succinct_roles"))
		return 1;
	return roles ? roles->n : 0;
}

static st_t hash_path(const char *path, uint8_t ret[32], struct err *e)
{
	return digest_bytes(DIGEST_SHA256, path, strlen(path), ret, e);
}

/* "each target path, when hashed with the SHA-256 hash function to produce a 64-byte hexadecimal
 * digest (HEX_DIGEST), must share the same prefix as one of the prefixes". */
static bool has_prefix(const struct tuf_value *prefixes, const char *hex)
{
	for (uint32_t i = 0; i < prefixes->n; i++) {
		const struct tuf_value *p = prefixes->item[i];
		if (p->n > 0 && p->n <= 64 && strncmp(p->text, hex, p->n) == 0)
			return true;
	}
	return false;
}

static bool has_pattern(const struct tuf_value *paths, const char *path)
{
	for (uint32_t i = 0; i < paths->n; i++)
		if (paths->item[i]->n <= TUF_PATH_MAX && tuf_glob(paths->item[i]->text, path))
			return true;
	return false;
}

static st_t trusted_with(const struct tuf_value *role, const char *path, bool *ret, struct err *e)
{
	const struct tuf_value *paths = tuf_member(role, "paths");
	const struct tuf_value *prefixes = tuf_member(role, "path_hash_prefixes");
	uint8_t sum[32];
	char hex[65];
	TRY(hash_path(path, sum, e));
	hex_encode(sum, sizeof sum, hex);
	*ret = (paths && has_pattern(paths, path)) || (prefixes && has_prefix(prefixes, hex));
	return ST_OK;
}

/* TAP 15: "the delegated role's name is name_prefix, a '-' and the bin number", hex with leading
 * zeroes, which is the first bit_length bits of the SHA-256 of the path. */
static st_t succinct(const struct tuf_value *s, const char *path, struct tuf_delegation *d,
                     struct err *e)
{
	uint8_t sum[32];
	unsigned bits = (unsigned)tuf_member(s, "bit_length")->num;
	TRY(hash_path(path, sum, e));
	struct rd r = rd_make(sum, sizeof sum);
	uint32_t bin = rd_u32be(&r) >> (32 - bits);
	snprintf(d->name, sizeof d->name, "%s-%0*x", tuf_member_text(s, "name_prefix"),
	         (int)(bits + 3) / 4, bin);
	return ST_OK;
}

st_t tuf_md_delegation(const struct tuf_md *md, uint32_t i, const char *path, bool *ret_match,
                       struct tuf_delegation *ret, struct err *e)
{
	const struct tuf_value *o = delegations(md), *s = tuf_member(o, "succinct_roles");
	const struct tuf_value *role = s ? s : tuf_member(o, "roles")->item[i];
	const struct tuf_value *terminating = tuf_member(role, "terminating");
	bool match = true;
	struct tuf_delegation d = {.terminating = !s && terminating && terminating->kind == TUF_TRUE};
	d.role = (struct tuf_role){.keys = tuf_member(o, "keys"), .keyids = tuf_member(role, "keyids"),
	                           .threshold = (uint64_t)tuf_member(role, "threshold")->num};
	if (s) {
		TRY(succinct(s, path, &d, e));
	} else {
		TRY(trusted_with(role, path, &match, e));
		snprintf(d.name, sizeof d.name, "%s", tuf_member_text(role, "name"));
	}
	*ret_match = match;
	if (match)
		*ret = d;
	return ST_OK;
}
