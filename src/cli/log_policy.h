/* Whom log check and log verify believe: a policy file, or keys of logs alone. Its text is read
 * before the jail closes and taken apart behind it. */
#ifndef VITRINE_CLI_LOG_POLICY_H
#define VITRINE_CLI_LOG_POLICY_H

#include "base/buf.h"
#include "cli/opts.h"
#include "tlog/policy.h"

/* Names either the file (NULL: none) or keys; both empty: an empty text. */
st_t log_policy_read(const char *path, const struct str_list *keys, struct buf *ret, struct err *e);

/* NULL for an empty text without a path. Free with policy_free(). */
st_t log_policy_parse(const char *path, const struct buf *text, struct policy **ret, struct err *e);

/* Lines "signed by" and "cosigned by" on stdout. */
void log_policy_put_signers(const struct policy *p, const struct policy_verdict *v);

/* The witnesses that cosigned, as a JSON list of names. */
void log_policy_put_json_cosigned(const struct policy *p, const struct policy_verdict *v);

/* A hash in base64, a name out of a note as JSON string or as text. */
void log_put_hash(const struct tlog_hash *h);
void log_put_json_name(struct rd name);
void log_put_name(struct rd name);

#endif
