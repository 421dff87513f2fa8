/* What the files of the publisher's repository share. Metadata is kept as the JSON that it is
 * written as; what signatures are over is made by tuf/json.h, so there is one canonical form.
 *
 * A staged file without an expiry has the time PUBLISH_NO_EXPIRY: it is not final, nobody has
 * signed it. Signatures of staged files that are still missing are there with an empty "sig", so
 * that who gets the file sees who may sign; published files have none of them. */
#ifndef VITRINE_PUBLISH_REPO_INSIDE_H
#define VITRINE_PUBLISH_REPO_INSIDE_H

#include "attest/json.h"
#include "publish/repo.h"

#define PUBLISH_NO_EXPIRY "1970-01-01T00:00:00Z"
#define PUBLISH_SPEC_VERSION "1.0.31"

/* Names of roles and paths of targets are names of files and parts of URLs: both are made of
 * characters that mean the same in both, so that no server and no client has to decode anything. */
#define PUBLISH_ROLE_NAME_MAX 100
#define PUBLISH_PATH_MAX 160
#define PUBLISH_PATH_PARTS 7 /* folders that the store has open at a time */

/* Roles of a repository, top-level ones included. */
#define PUBLISH_ROLES_MAX PUBLISH_STAGED_MAX

#define PUBLISH_TIME 24 /* "YYYY-MM-DDTHH:MM:SSZ" and NUL, with room for no more than that */
#define PUBLISH_HEX 65

struct publish_md {
	char role[TUF_ROLE_NAME_MAX + 1];
	json_t *doc; /* {"signatures", "signed"} */
};

/* By roles, in the order in which they came. */
struct publish_set {
	struct publish_md v[PUBLISH_ROLES_MAX];
	size_t n;
};

struct publish_repo {
	const struct log_io *io;
	int dir_fd, private_fd, lock_fd;
	struct log_store *pub, *priv;
	struct publish_lifetimes lifetimes;
	struct publish_role_keys publishers;
	struct publish_set published, staged;
};

/* Who may sign a file. Points into the files that say so. */
struct publish_who {
	const json_t *keys, *keyids;
	uint64_t threshold;
	bool optional; /* need not sign */
};

/* -- repo_md.c: one file ---------------------------------------------------------------------- */

json_t *publish_set_find(const struct publish_set *s, const char *role);
/* Takes the document over, whatever the status. */
st_t publish_set_put(struct publish_set *s, const char *role, json_t *doc, struct err *e);
void publish_set_drop(struct publish_set *s, const char *role);
void publish_set_done(struct publish_set *s);

enum tuf_type publish_role_type(const char *role); /* TUF_TARGETS for delegated ones */
bool publish_role_name_valid(const char *role);
bool publish_path_valid(const char *path);

json_t *publish_md_signed(const json_t *doc);
uint64_t publish_md_version(const json_t *doc);
/* 0 where it has none yet. */
int64_t publish_md_expires(const json_t *doc);

/* A file's text, and back. Reading checks what tuf_md_parse() does. */
st_t publish_md_write(const json_t *doc, struct buf *out, struct err *e);
st_t publish_md_read(struct rd in, const char *role, json_t **ret, struct err *e);

/* Appends the canonical form of any part of a file. */
st_t publish_canonical(const json_t *v, struct buf *out, struct err *e);
st_t publish_same(const json_t *a, const json_t *b, bool *ret, struct err *e);

st_t publish_md_stamp(json_t *doc, uint64_t version, const char *expires, struct err *e);
st_t publish_time_text(int64_t t, char ret[PUBLISH_TIME], struct err *e);

/* {"keytype", "scheme", "keyval"} and its identifier: SHA-256 of the canonical form, in hex. */
st_t publish_key_json(const struct attest_key *k, char ret_id[PUBLISH_HEX], json_t **ret,
                      struct err *e);
st_t publish_key_parse(const json_t *key, struct attest_key *ret, struct err *e);
st_t publish_signer_id(const struct signer *s, char ret_id[PUBLISH_HEX], struct err *e);

st_t publish_nomem(struct err *e);

/* -- repo_who.c: signatures ------------------------------------------------------------------- */

/* Who may sign the role once what is staged is in force (`staged`), or as it is published; first
 * whoever must. At most two: a root is also signed by the keys of the one before. With a new root
 * the keys that another role had so far may sign too: what both sign is good before and after the
 * switch. ST_NOT_FOUND: nobody delegates to it. */
st_t publish_who(const struct publish_repo *r, const char *role, bool staged,
                 struct publish_who ret[2], size_t *ret_n, struct err *e);

bool publish_who_has(const struct publish_who *w, const char *id);

/* How many of the role's keys signed the document. */
st_t publish_who_count(const struct publish_who *w, const json_t *doc, uint64_t *ret,
                       struct err *e);

/* Signs, in place of an older signature of that key. */
st_t publish_md_sign(json_t *doc, const struct signer *s, struct err *e);

/* Signatures of those who may sign: right ones stay, others go; missing ones are there, empty, if
 * `open`. */
st_t publish_md_tidy(json_t *doc, const struct publish_who *w, size_t n, bool open, struct err *e);

/* Puts a signature of that key of the role into the document if it is right. ST_BAD_SIG. */
st_t publish_md_take(json_t *doc, const struct publish_who *w, const char *id, const char *hex,
                     struct err *e);

/* -- repo_sign.c ------------------------------------------------------------------------------ */

/* Gives it an expiry if it has none. */
st_t publish_md_finish(const struct publish_repo *r, const char *role, json_t *doc, int64_t now,
                       struct err *e);

/* Signs with those that may; how many did. */
st_t publish_md_sign_all(json_t *doc, const struct publish_who *w, size_t nwho,
                         struct signer *const *signers, size_t n, size_t *ret_n, struct err *e);

/* -- repo_roles.c: what stands in root and targets -------------------------------------------- */

st_t publish_keys_check(const char *role, const struct publish_role_keys *k, struct err *e);

/* Files of version 1 without expiry. */
st_t publish_make_root(const struct publish_role_keys role[TUF_TYPES], json_t **ret,
                       struct err *e);
st_t publish_make_targets(json_t **ret, struct err *e);

/* New keys of a role in a root, or of a delegation in a targets file. */
st_t publish_put_keys(json_t *doc, const char *role, const struct publish_role_keys *k,
                      struct err *e);
st_t publish_add_delegation(json_t *doc, const struct publish_delegation *d, struct err *e);

/* The delegation object of that name in a targets file, or NULL. */
json_t *publish_delegation(const json_t *doc, const char *name);

/* -- repo_stage.c ----------------------------------------------------------------------------- */

/* The document in force or staged. NULL: none. */
json_t *publish_current(const struct publish_repo *r, const char *role);

/* The staged document of a role, to be changed: without signatures and expiry. */
st_t publish_stage_edit(struct publish_repo *r, const char *role, json_t **ret, struct err *e);

/* Writes it, with places for the signatures that are missing. */
st_t publish_stage_save(struct publish_repo *r, const char *role, struct err *e);
st_t publish_stage_drop(struct publish_repo *r, const char *role, struct err *e);

/* "staged/targets/HEX", "targets/DIR/HEX.NAME". */
void publish_staged_path(const char *hex, char ret[LOG_PATH_MAX]);
void publish_target_path(const char *path, const char *hex, char ret[LOG_PATH_MAX]);

/* The "sha256" of a target's object, or NULL. */
const char *publish_target_hex(const json_t *target);

/* -- repo.c ----------------------------------------------------------------------------------- */

/* Staged files after others were published. */
st_t publish_resettle(struct publish_repo *r, struct err *e);

/* -- repo_commit.c ---------------------------------------------------------------------------- */

/* Publishes one delegated role's file, with the "signed" of `doc` but the next version and a new
 * expiry, and what publish_refresh() does; its targets wait in staged/targets. What is staged stays
 * staged. `role` NULL: nothing but the latter. */
st_t publish_commit_file(struct publish_repo *r, const char *role, json_t *doc,
                         struct signer *const *online, size_t n, int64_t now, struct err *e);

/* -- repo_verify.c ---------------------------------------------------------------------------- */

/* A file that is to appear. */
struct publish_new {
	char role[TUF_ROLE_NAME_MAX + 1];
	char name[LOG_PATH_MAX]; /* below "metadata/" */
	const json_t *doc;
	struct buf bytes;
};

struct publish_next {
	struct publish_new v[PUBLISH_ROLES_MAX + TUF_TYPES];
	size_t n;
	bool staged; /* what is staged is among them */
};
void publish_next_done(struct publish_next *next);

/* Refreshes a client, which trusts what is published now, from the repository as it would be with
 * those files; without the new root if `old_root`. Looks for every target of every new file. */
st_t publish_verify(struct publish_repo *r, const struct publish_next *next, bool old_root,
                    int64_t now, struct err *e);

#endif
