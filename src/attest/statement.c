#include "attest/statement.h"

#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/statement_inside.h"
#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "in-toto statement";

#define SHA256_HEX 64

void statement_done(struct statement *s)
{
	free(s->subject);
	s->subject = NULL;
	s->nsubjects = 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* in-toto's DigestSet: "lowercase hex-encoded". */
bool statement_read_sha256(const char *hex, uint8_t ret[32])
{
	struct rd r = rd_make(hex, strlen(hex));
	if (r.len != SHA256_HEX)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int hi = hex_digit(rd_u8(&r));
		int lo = hex_digit(rd_u8(&r));
		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static st_t keep(char *ret, size_t cap, const char *text, const char *key, struct err *e)
{
	size_t n = strlen(text);
	if (n >= cap)
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is longer than %zu bytes", what, key, cap - 1);
	memcpy(ret, text, n + 1);
	return ST_OK;
}

static st_t take_subject(const json_t *o, struct statement_subject *ret, struct err *e)
{
	const json_t *digests;
	const char *hex;
	if (!json_is_object(o))
		return fail(e, ST_MALFORMED, 0, "%s: a subject is not an object", what);
	TRY(attest_json_object(o, "digest", what, &digests, e));
	TRY(attest_json_text(digests, "sha256", what, &hex, e));
	if (!statement_read_sha256(hex, ret->sha256))
		return fail(e, ST_MALFORMED, 0, "%s: \"sha256\" is not 64 lower-case hex digits", what);
	const json_t *name = json_object_get(o, "name");
	if (name && !json_is_string(name))
		return fail(e, ST_MALFORMED, 0, "%s: \"name\" of a subject is not a text", what);
	return name ? keep(ret->name, sizeof ret->name, json_string_value(name), "name", e) : ST_OK;
}

static st_t take_subjects(const json_t *o, struct statement *s, struct err *e)
{
	const json_t *all;
	TRY(attest_json_array(o, "subject", what, &all, e));
	size_t n = json_array_size(all);
	if (n == 0)
		return fail(e, ST_MALFORMED, 0, "%s: no subject", what);
	if (n > STATEMENT_SUBJECTS_MAX)
		return fail(e, ST_LIMIT, 0, "%s: more than %d subjects", what, STATEMENT_SUBJECTS_MAX);
	s->subject = calloc(n, sizeof *s->subject);
	if (!s->subject)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	for (size_t i = 0; i < n; i++)
		TRY(take_subject(json_array_get(all, i), &s->subject[i], e));
	s->nsubjects = n;
	return ST_OK;
}

/* SLSA provenance v1: "buildDefinition.buildType", "buildDefinition.externalParameters" and
 * "runDetails.builder.id" are required. */
static st_t take_release(const json_t *predicate, struct statement *s, struct err *e)
{
	const json_t *definition, *parameters, *run, *builder;
	const char *type, *id;
	TRY(attest_json_object(predicate, "buildDefinition", what, &definition, e));
	TRY(attest_json_text(definition, "buildType", what, &type, e));
	TRY(attest_json_object(definition, "externalParameters", what, &parameters, e));
	TRY(attest_json_object(predicate, "runDetails", what, &run, e));
	TRY(attest_json_object(run, "builder", what, &builder, e));
	TRY(attest_json_text(builder, "id", what, &id, e));
	return keep(s->builder, sizeof s->builder, id, "id", e);
}

/* SLSA VSA v1: "verifier.id", "resourceUri", "policy" and "verificationResult" ("PASSED" or
 * "FAILED") are required. */
static st_t take_rebuild(const json_t *predicate, struct statement *s, struct err *e)
{
	const json_t *verifier, *policy;
	const char *id, *resource, *result;
	TRY(attest_json_object(predicate, "verifier", what, &verifier, e));
	TRY(attest_json_text(verifier, "id", what, &id, e));
	TRY(attest_json_text(predicate, "resourceUri", what, &resource, e));
	TRY(attest_json_object(predicate, "policy", what, &policy, e));
	TRY(attest_json_text(predicate, "verificationResult", what, &result, e));
	s->passed = !strcmp(result, "PASSED");
	if (!s->passed && strcmp(result, "FAILED"))
		return fail(e, ST_MALFORMED, 0, "%s: \"verificationResult\" is neither PASSED nor FAILED",
		            what);
	return keep(s->builder, sizeof s->builder, id, "id", e);
}

static enum statement_kind kind_of(const char *type)
{
	if (!strcmp(type, STATEMENT_RELEASE_TYPE))
		return STATEMENT_RELEASE;
	return strcmp(type, STATEMENT_REBUILD_TYPE) ? STATEMENT_UNKNOWN : STATEMENT_REBUILD;
}

static st_t take_members(const json_t *o, struct statement *s, struct err *e)
{
	const char *text;
	const json_t *predicate;
	TRY(attest_json_text(o, "_type", what, &text, e));
	if (strcmp(text, STATEMENT_TYPE))
		return fail(e, ST_MALFORMED, 0, "%s: \"_type\" is not %s", what, STATEMENT_TYPE);
	TRY(attest_json_text(o, "predicateType", what, &text, e));
	TRY(keep(s->predicate_type, sizeof s->predicate_type, text, "predicateType", e));
	s->kind = kind_of(text);
	if (s->kind == STATEMENT_UNKNOWN)
		return ST_OK;
	TRY(take_subjects(o, s, e));
	TRY(attest_json_object(o, "predicate", what, &predicate, e));
	return s->kind == STATEMENT_RELEASE ? take_release(predicate, s, e)
	                                    : take_rebuild(predicate, s, e);
}

st_t statement_parse(struct rd payload, struct statement *ret, struct err *e)
{
	json_t *o;
	*ret = (struct statement){0};
	TRY(attest_json_load(payload, DSSE_SIZE_MAX, what, &o, e));
	st_t st = take_members(o, ret, e);
	json_decref(o);
	return st;
}

json_t *statement_pack_subjects(const struct statement_subject *subjects, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		char hex[SHA256_HEX + 1];
		hex_encode(subjects[i].sha256, 32, hex);
		json_t *one = json_pack("{s:s,s:{s:s}}", "name", subjects[i].name, "digest", "sha256", hex);
		if (!one || json_array_append_new(all, one)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

st_t statement_write(json_t *subjects, const char *type, json_t *predicate, struct buf *out,
                     struct err *e)
{
	json_t *o = NULL;
	if (subjects && predicate)
		o = json_pack("{s:s,s:O,s:s,s:O}", "_type", STATEMENT_TYPE, "subject", subjects,
		              "predicateType", type, "predicate", predicate);
	json_decref(subjects);
	json_decref(predicate);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!text)
		return fail(e, ST_MALFORMED, 0, "%s: a text is no UTF-8", what);
	buf_add(out, text, strlen(text));
	free(text);
	return buf_check(out, e, what);
}

st_t statement_make_release(const struct statement_subject *subjects, size_t n,
                            const char *builder, const char *build_type, const char *source,
                            struct buf *out, struct err *e)
{
	json_t *predicate = json_pack("{s:{s:s,s:{s:s}},s:{s:{s:s}}}", "buildDefinition", "buildType",
	                              build_type, "externalParameters", "source", source,
	                              "runDetails", "builder", "id", builder);
	return statement_write(statement_pack_subjects(subjects, n), STATEMENT_RELEASE_TYPE,
	                       predicate, out, e);
}

st_t statement_make_rebuild(const struct statement_subject *subjects, size_t n,
                            const char *verifier, const char *time, const char *resource,
                            const char *policy, bool passed, struct buf *out, struct err *e)
{
	json_t *predicate =
	    json_pack("{s:{s:s},s:s,s:s,s:{s:s},s:s,s:[]}", "verifier", "id", verifier, "timeVerified",
	              time, "resourceUri", resource, "policy", "uri", policy, "verificationResult",
	              passed ? "PASSED" : "FAILED", "verifiedLevels");
	return statement_write(statement_pack_subjects(subjects, n), STATEMENT_REBUILD_TYPE,
	                       predicate, out, e);
}
