/* ClamAV's signature containers: .cvd (published), .cld (kept by the updater), .cud (unsigned), the
 * .info in them, the .sign beside them, and .cdiff files that lead from one version to the next.
 *
 * The format is specified in doc/format/containers.md (written from public data and the behaviour
 * of clamscan 1.4). Everything here is hostile until a signature proves it, and the reader touches
 * it before that: it runs in the jails of compiler and inspector only. No I/O; keys, certificates
 * and the time are given.
 *
 * Statuses: ST_UNSUPPORTED and ST_TRUNCATED it is no container; ST_BAD_SUM its origin or content is
 * not proven; ST_MALFORMED, ST_LIMIT it contradicts its format or is too large; ST_NOMEM. */
#ifndef VITRINE_CVD_CVD_H
#define VITRINE_CVD_CVD_H

#include "base/buf.h"
#include "base/rd.h"
#include "crypto/cms.h"
#include "crypto/rsa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CVD_HEADER_BYTES 512

/* Limits. The largest container published (daily) unfolds to some 300 MiB, in some 40 members. */
#define CVD_UNPACKED_MAX ((size_t)1 << 30)
#define CVD_MEMBERS_MAX 4096
#define CVD_NAME_MAX 100 /* of a member, with NUL: what the tar header holds, less one */
#define CVD_INFO_MAX ((size_t)1 << 20)

/* ClamAV's level at which .sign files are understood; their lines name the levels they are for. Not
 * the level of the signature language, which may be an older one. */
#define CVD_SIGN_FLEVEL 233

struct cvd_keys {
	struct rsa_key header; /* RSA-1024, unpadded, over MD5: evidence of origin only */
	struct rsa_key info;   /* RSA-2047 over SHA-256 */
	struct rsa_key cdiff;
};
extern const struct cvd_keys cvd_production_keys;

/* Fields of the header, printable ASCII. */
struct cvd_header {
	char time[40]; /* as written: "20 Aug 2015 10-50 -0400" */
	uint32_t version, sigs, flevel;
	char md5[33], dsig[256]; /* "X" where there is none */
	char builder[64];
	uint64_t stime; /* seconds since 1970; 0 where an old header lacks it */
};

/* Reads the first CVD_HEADER_BYTES. */
st_t cvd_header_read(const void *p, size_t n, struct cvd_header *ret, struct err *e);

enum cvd_kind { CVD_PUBLISHED, CVD_LOCAL, CVD_UNSIGNED, CVD_KINDS };

/* The kind by the extension of a file name, or CVD_KINDS. */
enum cvd_kind cvd_kind_of(const char *name);

/* By what the origin is proven. */
enum cvd_scheme {
	CVD_UNPROVEN, /* .cud */
	CVD_LEGACY,   /* MD5 and RSA-1024 in the header: evidence only */
	CVD_INFO,     /* .info by RSA-2047 and SHA-256, members by it */
	CVD_CMS,      /* .sign */
	CVD_SCHEMES,
};

/* For people: "legacy MD5/RSA-1024: evidence of origin only", ... */
const char *cvd_scheme_text(enum cvd_scheme s);

struct cvd_file {
	const char *name; /* last part of its path */
	const void *p;
	size_t n;
};

struct cvd_input {
	struct cvd_file file;
	const struct cvd_file *signs; /* .sign files beside it; of other versions: passed over */
	size_t nsigns;
	const struct cms_roots *roots;
	const struct cvd_keys *keys;
	int64_t now;
};

struct cvd_member {
	char name[CVD_NAME_MAX];
	const uint8_t *p; /* in the input or in struct cvd */
	size_t n;
};

struct cvd {
	struct cvd_header header;
	enum cvd_scheme scheme;
	char signer[CMS_NAME_MAX]; /* CVD_CMS: common name of the root */
	struct cvd_member info;
	struct cvd_member *members; /* all files but .info */
	size_t nmembers;
	struct buf unpacked;
};

/* Opens and proves a container: `in->file` stays mapped while *ret is used; the caller calls
 * cvd_done(), also on failure.
 *   .cvd  a .sign for its name and version, else the legacy signature of its header; and .info
 *   .cld  .info's signature, which the digests of all members stand in
 *   .cud  nothing; .info's digests are checked all the same
 * A .sign that does not prove the file is refused although the header might. */
st_t cvd_open(const struct cvd_input *in, struct cvd *ret, struct err *e);
void cvd_done(struct cvd *c);

/* -- parts, each with tests of its own --------------------------------------------------------- */

/* tar.c: the next regular file of a tar archive; others than regular files and names with anything
 * but letters, digits, '.', '_' and '-' are ST_MALFORMED. *ret_end at the end. */
st_t cvd_tar_next(struct rd *r, struct cvd_member *ret, bool *ret_end, struct err *e);

/* rsa.c: signatures in text form: six bits a character, least significant first. */
st_t cvd_check_legacy(const struct rsa_key *key, const char *dsig, size_t n, const uint8_t md5[16],
                      struct err *e);
st_t cvd_check_pss(const struct rsa_key *key, const char *dsig, size_t n, const void *message,
                   size_t nmessage, struct err *e);

/* info.c */
struct cvd_info_row {
	char name[CVD_NAME_MAX];
	uint64_t size;
	uint8_t sha256[32];
	bool used;
};
struct cvd_info {
	struct cvd_header header;
	struct cvd_info_row *rows; /* sorted by name */
	size_t n, cap;
	bool is_signed; /* has a DSIG, which was checked */
};
/* With `key` NULL a signature is not allowed. The caller calls cvd_info_done(), also on failure. */
st_t cvd_info_read(const void *p, size_t n, const struct rsa_key *key, struct cvd_info *ret,
                   struct err *e);
void cvd_info_done(struct cvd_info *i);
/* The row of a name, or NULL. */
struct cvd_info_row *cvd_info_find(struct cvd_info *i, const char *name);

/* sign.c: checks .sign text against the file it is for. *ret_applies false: it has no line for our
 * level (then nothing was proven). */
st_t cvd_sign_check(const void *text, size_t n, const void *data, size_t ndata,
                    const struct cms_roots *roots, int64_t now, char ret_cn[CMS_NAME_MAX],
                    bool *ret_applies, struct err *e);
/* True if `sign` is the name of the .sign of container `name` in that version. */
bool cvd_sign_is_for(const char *sign, const char *name, uint32_t version);

/* cdiff.c: a script that leads from version - 1 to version. */
struct cvd_cdiff {
	uint32_t version;
	struct buf script; /* unpacked */
};
/* Checks the signature, then unpacks. The caller calls cvd_cdiff_done(), also on failure. */
st_t cvd_cdiff_open(const void *p, size_t n, const struct rsa_key *key, struct cvd_cdiff *ret,
                    struct err *e);
void cvd_cdiff_done(struct cvd_cdiff *d);

/* The files of an unpacked container, which a script edits. */
struct cvd_tree_file {
	char name[CVD_NAME_MAX];
	struct buf text;
};
struct cvd_tree {
	struct cvd_tree_file *files;
	size_t n;
};
void cvd_tree_done(struct cvd_tree *t);
/* Applies a script: all or, on failure, an unspecified part of it: then the tree is worthless. */
st_t cvd_cdiff_apply(const char *script, size_t n, struct cvd_tree *t, struct err *e);

#endif
