/* Signatures of what is staged by keys that are here. */
#include "publish/repo_inside.h"

#include <stdio.h>
#include <string.h>

static int64_t lifetime(const struct publish_repo *r, const char *role)
{
	if (strcmp(role, "root") == 0)
		return r->lifetimes.root;
	return strcmp(role, PUBLISH_EVIDENCE_ROLE) == 0 ? r->lifetimes.evidence : r->lifetimes.targets;
}

st_t publish_md_finish(const struct publish_repo *r, const char *role, json_t *doc, int64_t now,
                       struct err *e)
{
	char text[PUBLISH_TIME];
	if (publish_md_expires(doc) != 0)
		return ST_OK;
	TRY(publish_time_text(now + lifetime(r, role), text, e));
	return publish_md_stamp(doc, publish_md_version(doc), text, e);
}

st_t publish_md_sign_all(json_t *doc, const struct publish_who *w, size_t nwho,
                         struct signer *const *signers, size_t n, size_t *ret_n, struct err *e)
{
	size_t signed_by = 0;
	for (size_t i = 0; i < n; i++) {
		char id[PUBLISH_HEX];
		bool may = false;
		TRY(publish_signer_id(signers[i], id, e));
		for (size_t k = 0; k < nwho; k++)
			may = may || publish_who_has(&w[k], id);
		if (!may)
			continue;
		TRY(publish_md_sign(doc, signers[i], e));
		signed_by++;
	}
	*ret_n = signed_by;
	return ST_OK;
}

static st_t sign_role(struct publish_repo *r, const char *role, struct signer *const *signers,
                      size_t n, int64_t now, struct err *e)
{
	json_t *doc = publish_set_find(&r->staged, role);
	struct publish_who who[2];
	size_t nwho, done;
	bool fresh = publish_md_expires(doc) == 0;
	TRY(publish_who(r, role, true, who, &nwho, e));
	TRY(publish_md_finish(r, role, doc, now, e));
	TRY(publish_md_sign_all(doc, who, nwho, signers, n, &done, e));
	return fresh || done ? publish_stage_save(r, role, e) : ST_OK;
}

st_t publish_sign(struct publish_repo *r, struct signer *const *signers, size_t n, int64_t now,
                  struct err *e)
{
	for (size_t i = 0; i < r->staged.n; i++)
		TRY(sign_role(r, r->staged.v[i].role, signers, n, now, e));
	return ST_OK;
}

static void note_missing(const json_t *doc, struct publish_staged *s)
{
	size_t i;
	const json_t *v;
	json_array_foreach(json_object_get(doc, "signatures"), i, v) {
		const char *sig = json_string_value(json_object_get(v, "sig"));
		const char *id = json_string_value(json_object_get(v, "keyid"));
		if (sig && !sig[0] && id && s->nmissing < PUBLISH_KEYS_MAX)
			snprintf(s->missing[s->nmissing++], sizeof s->missing[0], "%s", id);
	}
}

/* Of a root that two sets of keys have to sign, the worse one counts. */
static st_t look(const struct publish_repo *r, const struct publish_md *m,
                 struct publish_staged *ret, struct err *e)
{
	struct publish_staged s = {.version = publish_md_version(m->doc)};
	struct publish_who who[2];
	size_t n;
	uint64_t missing = 0;
	snprintf(s.role, sizeof s.role, "%s", m->role);
	TRY(publish_who(r, m->role, true, who, &n, e));
	for (size_t i = 0; i < n && !who[i].optional; i++) {
		uint64_t have = 0, need = who[i].threshold;
		if (publish_md_expires(m->doc) != 0)
			TRY(publish_who_count(&who[i], m->doc, &have, e));
		missing = have < need && need - have > missing ? need - have : missing;
		s.need = need > s.need ? need : s.need;
	}
	s.have = s.need - missing;
	note_missing(m->doc, &s);
	*ret = s;
	return ST_OK;
}

st_t publish_staged(struct publish_repo *r, struct publish_staged ret[PUBLISH_STAGED_MAX],
                    size_t *ret_n, struct err *e)
{
	for (size_t i = 0; i < r->staged.n; i++)
		TRY(look(r, &r->staged.v[i], &ret[i], e));
	*ret_n = r->staged.n;
	return ST_OK;
}
