/* What a payload says: an in-toto Statement v1 about files, by their SHA-256.
 *
 *   {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name", "digest": {"sha256"}}],
 *    "predicateType": URI, "predicate": {...}}
 *
 * Two kinds are known: a release (SLSA provenance v1: "this was built, from that") and the verdict
 * of a rebuilder (SLSA verification summary v1: PASSED, "I built the same", or FAILED, "I did
 * not"). Read only after the envelope's signature was verified. doc/format/entry.md is the profile.
 */
#ifndef VITRINE_ATTEST_STATEMENT_H
#define VITRINE_ATTEST_STATEMENT_H

#include "base/buf.h"
#include "base/rd.h"

#define STATEMENT_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define STATEMENT_RELEASE_TYPE "https://slsa.dev/provenance/v1"
#define STATEMENT_REBUILD_TYPE "https://slsa.dev/verification_summary/v1"

/* Files of one release. An entry of a log holds about 400 of them at most. */
#define STATEMENT_SUBJECTS_MAX 256

/* Longest texts kept, bytes with NUL. Longer ones are malformed: they are names and URIs. */
#define STATEMENT_NAME_MAX 256
#define STATEMENT_URI_MAX 512

enum statement_kind { STATEMENT_UNKNOWN, STATEMENT_RELEASE, STATEMENT_REBUILD };

struct statement_subject {
	char name[STATEMENT_NAME_MAX]; /* a label: "subjects match by digest only"; may be empty */
	uint8_t sha256[32];
};

struct statement {
	enum statement_kind kind;
	char predicate_type[STATEMENT_URI_MAX];
	char builder[STATEMENT_URI_MAX]; /* builder.id of a release, verifier.id of a rebuild */
	bool passed;                     /* of a rebuild */
	struct statement_subject *subject; /* none where the kind is unknown */
	size_t nsubjects;
};

/* ST_OK with STATEMENT_UNKNOWN: a statement, but of a predicate type that is not known: nothing but
 * its type was read. ST_MALFORMED: no statement, or a known kind that lacks what it must have.
 * Members that are not known are ignored, as in-toto's parsing rules want. Free with
 * statement_done() whatever the status. */
st_t statement_parse(struct rd payload, struct statement *ret, struct err *e);
void statement_done(struct statement *s);

/* A digest as in-toto's DigestSet has it: 64 lower-case hex digits and nothing else. */
bool statement_read_sha256(const char *hex, uint8_t ret[32]);

/* Appends statements of the two kinds, compact and in a fixed order. Names and URIs are UTF-8.
 * source: what was built (a URI with a revision). ST_MALFORMED: a text is no UTF-8. */
st_t statement_make_release(const struct statement_subject *subjects, size_t n,
                            const char *builder, const char *build_type, const char *source,
                            struct buf *out, struct err *e);

/* time: RFC 3339, UTC ("2026-11-24T12:00:00Z"); policy: URI of what "the same" means. */
st_t statement_make_rebuild(const struct statement_subject *subjects, size_t n,
                            const char *verifier, const char *time, const char *resource,
                            const char *policy, bool passed, struct buf *out, struct err *e);

#endif
