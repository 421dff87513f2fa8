#include "attest/set_release.h"

#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/statement_inside.h"
#include "base/num.h"
#include "crypto/digest.h"

#include <string.h>

static const char what[] = "release statement";

static st_t take_bool(const json_t *o, const char *key, bool *ret, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_boolean(v))
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is missing, or neither true nor false", what,
		            key);
	*ret = json_is_true(v);
	return ST_OK;
}

static st_t take_count(const json_t *o, const char *key, uint64_t max, uint64_t *ret,
                       struct err *e)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;
	if (n < 1 || (uint64_t)n > max)
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is missing, or no integer from 1 to %llu", what,
		            key, (unsigned long long)max);
	*ret = (uint64_t)n;
	return ST_OK;
}

static st_t refuse_unknown(const json_t *o, const char *const *known, size_t n, struct err *e)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		size_t i = 0;
		while (i < n && strcmp(key, known[i]))
			i++;
		if (i == n)
			return fail(e, ST_UNSUPPORTED, 0, "%s: the parameter \"%.60s\" is not known here: "
			            "SLSA has consumers reject it", what, key);
	}
	return ST_OK;
}

static st_t take_parameters(const json_t *definition, struct set_release *r, struct err *e)
{
	static const char *const external[] = {"set", "version", "pua", "strict", "clamav"};
	static const char *const internal[] = {"database"};
	const json_t *x, *in;
	const char *set;
	uint64_t database;
	TRY(attest_json_object(definition, "externalParameters", what, &x, e));
	TRY(attest_json_object(definition, "internalParameters", what, &in, e));
	TRY(refuse_unknown(x, external, ARRAY_LEN(external), e));
	TRY(refuse_unknown(in, internal, ARRAY_LEN(internal), e));
	TRY(attest_json_text(x, "set", what, &set, e));
	if (strlen(set) > SET_RELEASE_NAME_MAX)
		return fail(e, ST_MALFORMED, 0, "%s: \"set\" has more than %d bytes", what,
		            SET_RELEASE_NAME_MAX);
	memcpy(r->set, set, strlen(set) + 1);
	TRY(take_count(x, "version", SET_RELEASE_VERSION_MAX, &r->version, e));
	TRY(take_bool(x, "pua", &r->pua, e));
	TRY(take_bool(x, "strict", &r->strict, e));
	TRY(take_bool(x, "clamav", &r->clamav, e));
	TRY(take_count(in, "database", UINT32_MAX, &database, e));
	r->database = (uint32_t)database;
	return ST_OK;
}

/* The rule text has to be among what was resolved, under its name, by the digest it is published
 * with. Others, such as containers that were imported, are the publisher's to tell. */
static st_t check_dependencies(const json_t *definition, const struct set_release *r, struct err *e)
{
	const json_t *all;
	TRY(attest_json_array(definition, "resolvedDependencies", what, &all, e));
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		const char *name = json_string_value(json_object_get(one, "name"));
		const char *hex = json_string_value(json_object_get(json_object_get(one, "digest"),
		                                                    "sha256"));
		uint8_t sum[32];
		if (!name || strcmp(name, SET_RELEASE_SOURCE))
			continue;
		if (!hex || !statement_read_sha256(hex, sum) || memcmp(sum, r->source, sizeof sum))
			return fail(e, ST_MALFORMED, 0, "%s: %s of \"resolvedDependencies\" has not the digest "
			            "of the subject %s", what, name, name);
		return ST_OK;
	}
	return fail(e, ST_MALFORMED, 0, "%s: \"resolvedDependencies\" has no " SET_RELEASE_SOURCE,
	            what);
}

static st_t take_predicate(const json_t *o, struct set_release *r, struct err *e)
{
	const json_t *predicate, *definition;
	const char *type;
	TRY(attest_json_object(o, "predicate", what, &predicate, e));
	TRY(attest_json_object(predicate, "buildDefinition", what, &definition, e));
	TRY(attest_json_text(definition, "buildType", what, &type, e));
	if (strcmp(type, SET_RELEASE_BUILD_TYPE))
		return fail(e, ST_UNSUPPORTED, 0, "%s: \"buildType\" is %.80s, not " SET_RELEASE_BUILD_TYPE,
		            what, type);
	TRY(take_parameters(definition, r, e));
	return check_dependencies(definition, r, e);
}

static st_t find_subject(const struct statement *s, const char *name, uint8_t ret[32],
                         struct err *e)
{
	for (size_t i = 0; i < s->nsubjects; i++) {
		if (strcmp(s->subject[i].name, name))
			continue;
		memcpy(ret, s->subject[i].sha256, 32);
		return ST_OK;
	}
	return fail(e, ST_MALFORMED, 0, "%s: no subject %s", what, name);
}

/* With two subjects and two names, each is there once. */
static st_t take_subjects(const struct statement *s, struct set_release *r, struct err *e)
{
	if (s->kind != STATEMENT_RELEASE)
		return fail(e, ST_MALFORMED, 0, "%s: \"predicateType\" is %.100s, not "
		            STATEMENT_RELEASE_TYPE, what, s->predicate_type);
	if (s->nsubjects != 2)
		return fail(e, ST_MALFORMED, 0, "%s: %zu subjects, not " SET_RELEASE_DATABASE " and "
		            SET_RELEASE_SOURCE, what, s->nsubjects);
	TRY(find_subject(s, SET_RELEASE_DATABASE, r->vdb, e));
	TRY(find_subject(s, SET_RELEASE_SOURCE, r->source, e));
	memcpy(r->builder, s->builder, sizeof r->builder);
	return ST_OK;
}

st_t set_release_parse(struct rd payload, struct set_release *ret, struct err *e)
{
	struct set_release r = {.version = 0};
	struct statement s;
	json_t *o;
	st_t st = statement_parse(payload, &s, e);
	if (st == ST_OK)
		st = take_subjects(&s, &r, e);
	statement_done(&s);
	TRY(st);
	TRY(attest_json_load(payload, DSSE_SIZE_MAX, what, &o, e));
	st = take_predicate(o, &r, e);
	json_decref(o);
	if (st == ST_OK)
		*ret = r;
	return st;
}

static json_t *pack_dependencies(const struct set_release_dependency *d, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		char hex[2 * 32 + 1];
		hex_encode(d[i].file.sha256, 32, hex);
		json_t *one = json_pack("{s:s,s:{s:s}}", "name", d[i].file.name, "digest", "sha256", hex);
		bool bad = !one || json_array_append_new(all, one);
		if (!bad && d[i].origin)
			bad = json_object_set_new(one, "annotations",
			                          json_pack("{s:s}", "origin", d[i].origin)) != 0;
		if (bad) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

st_t set_release_make(const struct set_release_new *s, struct buf *out, struct err *e)
{
	if (s->version == 0 || s->version > SET_RELEASE_VERSION_MAX)
		return fail(e, ST_LIMIT, 0, "%s: a version is from 1 to 2^53 - 1", what);
	json_t *parameters =
	    json_pack("{s:s,s:I,s:b,s:b,s:b}", "set", s->set, "version", (json_int_t)s->version, "pua",
	              s->pua, "strict", s->strict, "clamav", s->clamav);
	json_t *definition = json_pack(
	    "{s:s,s:o,s:{s:I},s:o}", "buildType", SET_RELEASE_BUILD_TYPE, "externalParameters",
	    parameters, "internalParameters", "database", (json_int_t)s->database,
	    "resolvedDependencies", pack_dependencies(s->dependency, s->ndependencies));
	json_t *run = json_pack("{s:{s:s,s:{s:s}},s:{s:s}}", "builder", "id", s->builder, "version",
	                        "vitrine", s->vitrine, "metadata", "startedOn", s->started);
	json_t *predicate = json_pack("{s:o,s:o}", "buildDefinition", definition, "runDetails", run);
	return statement_write(statement_pack_subjects(s->subject, s->nsubjects),
	                       STATEMENT_RELEASE_TYPE, predicate, out, e);
}
