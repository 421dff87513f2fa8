/* The release of a set of signatures: an in-toto Statement with SLSA provenance v1 whose predicate
 * is all that doc/format/updates.md says and nothing that it does not. Read only after the
 * envelope's signatures were verified.
 *
 * SLSA provenance v1, externalParameters: "Consumers SHOULD reject unrecognized external
 * parameters": what we do not know may have changed what was built. */
#ifndef VITRINE_ATTEST_SET_RELEASE_H
#define VITRINE_ATTEST_SET_RELEASE_H

#include "attest/statement.h"

#define SET_RELEASE_BUILD_TYPE "https://vitrine-av.org/build/signatures/v1"
#define SET_RELEASE_NAME_MAX 64 /* as UPDATE_SET_MAX */

/* "integers are [...] exactly representable" up to here (RFC 8259, section 6). */
#define SET_RELEASE_VERSION_MAX ((UINT64_C(1) << 53) - 1)

/* Names of its two subjects; the second is what the first was compiled from. */
#define SET_RELEASE_DATABASE "main.vdb"
#define SET_RELEASE_SOURCE "source.tar"

struct set_release {
	char builder[STATEMENT_URI_MAX];
	char set[SET_RELEASE_NAME_MAX + 1];
	uint64_t version;          /* at least 1 */
	bool pua, strict, clamav;  /* how it was compiled */
	uint32_t database;         /* version of the format of .vdb */
	uint8_t vdb[32], source[32]; /* SHA-256 */
};

/* ST_MALFORMED, with what is missing or wrong: no release, other subjects than the two, a source
 * that is not among resolvedDependencies with the same digest. ST_UNSUPPORTED: another buildType,
 * or parameters that are not known. ST_LIMIT, ST_NOMEM. */
st_t set_release_parse(struct rd payload, struct set_release *ret, struct err *e);

struct set_release_dependency { /* of resolvedDependencies */
	struct statement_subject file;
	const char *origin; /* by what its origin is proven, for people; NULL: not said */
};

struct set_release_new {
	const struct statement_subject *subject; /* the two */
	size_t nsubjects;
	const char *set;
	uint64_t version;
	bool pua, strict, clamav;
	uint32_t database;
	const struct set_release_dependency *dependency; /* the source and what was imported */
	size_t ndependencies;
	const char *builder; /* URI */
	const char *vitrine; /* version of the program that built it */
	const char *started; /* RFC 3339, UTC */
};

/* Appends the statement. ST_MALFORMED: a text is no UTF-8. ST_LIMIT: no such version. */
st_t set_release_make(const struct set_release_new *s, struct buf *out, struct err *e);

#endif
