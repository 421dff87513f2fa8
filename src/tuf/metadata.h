/* Metadata of TUF 1.0.34, section 4: root, timestamp, snapshot, targets and delegated targets.
 *
 * What is parsed is hostile until tuf_md_verify() was told by whose keys it must be signed; the
 * checks of versions and times, which need to know other files, are client.c's.
 *
 * Invariants of what tuf_md_parse() lets pass
 * 1. The envelope has no identifier of a key twice in "signatures".
 * 2. "_type" is the one that was asked for, "spec_version" is 1.x, "version" is at least 1,
 *    "expires" is a time.
 * 3. Everything that the functions below read is there and of the right kind.
 * Members that the specification does not name are ignored, and signed. */
#ifndef VITRINE_TUF_METADATA_H
#define VITRINE_TUF_METADATA_H

#include "tuf/hash.h"
#include "tuf/json.h"
#include "tuf/path.h"

/* Signatures in one file. Each one that a key of the role is named for is checked. */
#define TUF_SIGNATURES_MAX 256

/* Keys of one role. */
#define TUF_KEYIDS_MAX 256

/* TAP 15: "bit_length: an integer between 1 and 32". */
#define TUF_BITS_MAX 32

enum tuf_type { TUF_ROOT, TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS, TUF_TYPES };

/* "root", "timestamp", "snapshot", "targets". */
const char *tuf_type_name(enum tuf_type type);

struct tuf_md {
	enum tuf_type type;
	uint64_t version;
	int64_t expires; /* seconds since 1970, UTC */
	const struct tuf_value *body, *signatures;
	struct arena arena;
	char what[TUF_ROLE_NAME_MAX + 1]; /* the role, for errors */
};

/* Who may sign: the keys are those of the file that says so. Points into that file. */
struct tuf_role {
	const struct tuf_value *keys;   /* by identifier */
	const struct tuf_value *keyids;
	uint64_t threshold;
};

/* What a file says of another one. */
struct tuf_file {
	uint64_t version; /* 0 for targets */
	bool has_length, has_hashes;
	uint64_t length;
	struct tuf_hashes hashes;
};

struct tuf_delegation {
	struct tuf_role role;
	bool terminating;
	char name[TUF_ROLE_NAME_MAX + 1];
};

/* Takes a file apart. `role` names it in errors, `memory` bounds what the tree may take.
 * ST_MALFORMED, ST_LIMIT, ST_UNSUPPORTED (spec_version). Free with tuf_md_done() if ST_OK. */
st_t tuf_md_parse(struct rd in, enum tuf_type type, const char *role, size_t memory,
                  struct tuf_md *ret, struct err *e);
void tuf_md_done(struct tuf_md *md);

/* ST_OK only if distinct keys of the role, as many as its threshold says, signed. A key counts once
 * whatever identifiers it has; a signature that is empty, no hex, by an unknown key or wrong does
 * not count. ST_BAD_SIG with the count and why the last one did not count; ST_NOMEM. */
st_t tuf_md_verify(const struct tuf_md *md, const struct tuf_role *by, struct err *e);

/* Of a root. */
void tuf_root_role(const struct tuf_md *root, enum tuf_type type, struct tuf_role *ret);
bool tuf_root_consistent(const struct tuf_md *root);

/* Whether the older role has a key that the newer has not: it was rotated. Keys are compared, not
 * their identifiers. */
st_t tuf_role_rotated(const struct tuf_role *old, const struct tuf_role *now, bool *ret,
                      struct err *e);

/* What a timestamp says of "snapshot.json", or a snapshot of "targets.json" or another role's.
 * ST_NOT_FOUND; ST_UNSUPPORTED, ST_MALFORMED: its hashes. */
st_t tuf_md_file(const struct tuf_md *md, const char *name, struct tuf_file *ret, struct err *e);

/* ST_OK only if every file that the older snapshot lists is in the newer one, at no lower version.
 * ST_CONFLICT. */
st_t tuf_snapshot_follows(const struct tuf_md *old, const struct tuf_md *now, struct err *e);

/* What a targets file says of that target, and its "custom" (or NULL). As tuf_md_file(). */
st_t tuf_md_target(const struct tuf_md *md, const char *path, struct tuf_file *ret,
                   const struct tuf_value **ret_custom, struct err *e);

/* Delegations of a targets file, in order of appearance; succinct ones count as one. */
uint32_t tuf_md_delegations(const struct tuf_md *md);

/* Delegation i, if it is trusted with that path of a target: sets *ret_match, and *ret if so. */
st_t tuf_md_delegation(const struct tuf_md *md, uint32_t i, const char *path, bool *ret_match,
                       struct tuf_delegation *ret, struct err *e);

/* "YYYY-MM-DDTHH:MM:SSZ", also as RFC 3339 has it with a fraction, which is cut off, and an offset
 * in place of the Z: repositories had those. */
bool tuf_time(const char *s, int64_t *ret);

#endif
