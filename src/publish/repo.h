/* A publisher's repository: TUF metadata and targets as static files, made, staged, signed by
 * several people on different machines, and published (doc/format/updates.md). No network, no
 * process.
 *
 * Public folder DIR, which is served, and the private one beside it, DIR.private, with
 *   config    "vitrine-publish v1", then a line "ROLE SECONDS" for each lifetime; where it is known
 *             who signs statements of releases: "publishers N", how many of them have to, and for
 *             each "publisher KEY", base64 of its SubjectPublicKeyInfo
 *   online    where the online keys are, a path a line (written by the commands)
 *   staged/   what is to be published: ROLE.json with the signatures so far, and an empty "sig"
 *             for who may still sign; SET.release.dsse; targets/SHA256
 *   lock
 *
 * Invariants
 * 1. A reader of DIR sees one consistent repository at any time: targets and versioned metadata are
 *    durable before timestamp.json is replaced (log/store.h).
 * 2. Nothing is published that its role's threshold did not sign; what was published is verified by
 *    the client's own code (src/tuf) before the switch.
 * 3. Same input, same time, same keys: same bytes.
 * 4. Versions only grow; all roots stay, and files of older snapshots until publish_prune(). */
#ifndef VITRINE_PUBLISH_REPO_H
#define VITRINE_PUBLISH_REPO_H

#include "attest/dsse.h"
#include "crypto/signer.h"
#include "log/store.h"
#include "tuf/client.h"

#define PUBLISH_KEYS_MAX 32 /* of one role */
#define PUBLISH_EVIDENCE_ROLE "evidence"
#define PUBLISH_PUBLISHER "publisher" /* who signs statements: no role of TUF, and no name of one */

struct publish_key {
	struct attest_key key; /* Ed25519 is written as "ed25519", P-256 as "ecdsa" */
};

struct publish_role_keys {
	struct publish_key v[PUBLISH_KEYS_MAX];
	size_t n;
	uint64_t threshold;
};

/* Seconds that metadata is valid from its signing. */
struct publish_lifetimes {
	int64_t root, targets, evidence, snapshot, timestamp;
};
extern const struct publish_lifetimes publish_lifetimes_default;

struct publish_init {
	struct publish_role_keys role[TUF_TYPES], evidence; /* each with 1 <= threshold <= n */
	struct publish_lifetimes lifetimes;
	struct publish_role_keys publishers; /* who sign statements; n is 0: not known */
};

struct publish_repo;

/* Folders by descriptor (the caller's, must stay). ST_CONFLICT: another writer, or (init) there is
 * a repository already. */
st_t publish_repo_init(const struct log_io *io, int dir_fd, int private_fd,
                       const struct publish_init *init, int64_t now, struct publish_repo **ret,
                       struct err *e);
st_t publish_repo_open(const struct log_io *io, int dir_fd, int private_fd,
                       struct publish_repo **ret, struct err *e);
void publish_repo_free(struct publish_repo *r);

/* Stages a target of a role: copies `size` bytes of fd into staged/targets and lists them. Role
 * "targets", "evidence" or a delegated one. Replaces an older one of that path. */
st_t publish_stage_target(struct publish_repo *r, const char *role, const char *path, int fd,
                          uint64_t size, struct err *e);
st_t publish_stage_bytes(struct publish_repo *r, const char *role, const char *path,
                         struct rd bytes, struct err *e);

/* Takes a target out. ST_NOT_FOUND. */
st_t publish_unstage_target(struct publish_repo *r, const char *role, const char *path,
                            struct err *e);

/* What is listed of a path, staged or published. ST_NOT_FOUND. */
st_t publish_find_target(struct publish_repo *r, const char *path, struct tuf_file *ret,
                         struct err *e);

/* Descriptor of a published target's file, read-only. */
st_t publish_open_target(struct publish_repo *r, const char *path, int *ret_fd, struct err *e);

/* New keys and threshold of a top-level or delegated role: stages the file that says so (root, or
 * the delegator). */
st_t publish_stage_role(struct publish_repo *r, const char *role,
                        const struct publish_role_keys *keys, struct err *e);

/* The file of a role once more, as it is, for a new expiry. Not of snapshot and timestamp. */
st_t publish_stage_renew(struct publish_repo *r, const char *role, struct err *e);

/* The keys and the threshold of a role, as staged or published. ST_NOT_FOUND. */
st_t publish_role_keys(struct publish_repo *r, const char *role, struct publish_role_keys *ret,
                       struct err *e);

struct publish_delegation {
	const char *name, *delegator; /* delegator: "targets" or a delegated role */
	const char *const *paths;
	size_t npaths;
	bool terminating;
	const struct publish_role_keys *keys;
};
st_t publish_stage_delegation(struct publish_repo *r, const struct publish_delegation *d,
                              struct err *e);

/* Adds signatures to everything staged that these keys may sign, and gives it version and expiry if
 * it has none yet. */
st_t publish_sign(struct publish_repo *r, struct signer *const *signers, size_t n, int64_t now,
                  struct err *e);

/* Who signs statements of releases, as noted in the private folder; n is 0: not known. */
const struct publish_role_keys *publish_publishers(const struct publish_repo *r);
st_t publish_publishers_write(struct publish_repo *r, const struct publish_role_keys *keys,
                              struct err *e);

/* A file of TUF metadata or a DSSE envelope of others: what is signed, by its digest, and the
 * signatures, in a flat form, appended. Takes hostile JSON apart: for a process in a jail. */
st_t publish_signatures_read(struct rd file, struct buf *ret, struct err *e);

/* Takes over the signatures of a staged file of TUF metadata that was signed elsewhere, as
 * publish_signatures_read() said them, which is not trusted. ret_role (room for TUF_ROLE_NAME_MAX +
 * 1): whose it is. ST_CONFLICT: what is signed is not what is staged. ST_BAD_SIG: a signature is of
 * no key that may sign, or wrong; nothing is taken over then. ST_UNSUPPORTED: a DSSE envelope. */
st_t publish_merge(struct publish_repo *r, struct rd signatures, char *ret_role, struct err *e);

/* The same for a statement: appends an envelope with the signatures of both, each once.
 * ST_CONFLICT. Whose they are, publish_statement_count() looks at. */
st_t publish_statement_merge(const struct dsse *own, struct rd signatures, struct buf *ret,
                             struct err *e);

/* How many publishers signed. ST_BAD_SIG: a signature is wrong, or of nobody who is one. Where the
 * publishers are not known: how many signatures there are. */
st_t publish_statement_count(const struct publish_repo *r, const struct dsse *d, size_t *ret,
                             struct err *e);

/* Adds one signature to a staged file (TUF metadata or a DSSE envelope), by its bytes: on another
 * machine, without a repository. ret_summary: in words, what is being signed. */
st_t publish_sign_file(struct rd in, struct signer *s, struct buf *out, struct buf *ret_summary,
                       struct err *e);

/* The same words without signing. `old`: the file's predecessor, for what changed, or empty. */
st_t publish_describe(struct rd in, struct rd old, struct buf *ret, struct err *e);

/* What is staged and how many signatures each file still needs; nothing staged: n is 0. */
#define PUBLISH_STAGED_MAX 64
struct publish_staged {
	char role[TUF_ROLE_NAME_MAX + 1];
	uint64_t version, have, need;
	char missing[PUBLISH_KEYS_MAX][65]; /* keys that may sign and have not, by their key ids */
	size_t nmissing;
};
st_t publish_staged(struct publish_repo *r, struct publish_staged ret[PUBLISH_STAGED_MAX],
                    size_t *ret_n, struct err *e);

/* Publishes what is staged, with a new snapshot and a new timestamp by the online signers; with
 * nothing staged, a new timestamp (and what is about to expire). ST_BAD_SIG: signatures are missing
 * (publish_staged() says which); nothing changed. */
st_t publish_commit(struct publish_repo *r, struct signer *const *online, size_t n, int64_t now,
                    struct err *e);

/* A new timestamp, and what is about to expire (half of its life is over) of what the online
 * signers may sign alone; what is staged stays staged. */
st_t publish_refresh(struct publish_repo *r, struct signer *const *online, size_t n, int64_t now,
                     struct err *e);

/* The version of the published file of a role. ST_NOT_FOUND. */
st_t publish_version(struct publish_repo *r, const char *role, uint64_t *ret, struct err *e);

/* When the published file of a role expires, seconds since 1970. ST_NOT_FOUND. */
st_t publish_expires(struct publish_repo *r, const char *role, int64_t *ret, struct err *e);

/* A public key as metadata has it: its key id (64 hex digits and NUL), and its PEM, appended. */
st_t publish_key_id(const struct attest_key *k, char ret_id[65], struct err *e);
st_t publish_key_pem(const struct attest_key *k, struct buf *out, struct err *e);

#endif
