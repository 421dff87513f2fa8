/* What the files of the public library share: how statuses, bytes, hashes and errors of the inside
 * become those of <vitrine/tlog.h>. The public types never show the inner ones; values are copied,
 * opaque types are pointers to inner structs by another name. */
#ifndef VITRINE_TLOG_PUBLIC_COMMON_H
#define VITRINE_TLOG_PUBLIC_COMMON_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/merkle.h"

#include <vitrine/tlog.h>

/* A callback of the caller failed; the inside knows no status of its own for that, and does no I/O
 * that could. */
#define ST_CALLBACK ST_IO

/* The public status of an inner one; `e` becomes *ret (NULL allowed) where it is a failure. */
enum vitrine_tlog_status public_status(st_t st, const struct err *e,
                                       struct vitrine_tlog_error *ret);

/* A failure found here. */
enum vitrine_tlog_status public_refuse(enum vitrine_tlog_status status, const char *text,
                                       struct vitrine_tlog_error *ret);

/* Gives a text away, with a NUL behind that is not counted, or frees it. */
enum vitrine_tlog_status public_give_text(struct buf *b, char **ret_text, size_t *ret_size,
                                          struct vitrine_tlog_error *error);

/* What is left of a reader. */
struct vitrine_tlog_span public_span(struct rd in);
struct rd public_rd(struct vitrine_tlog_span s);

struct tlog_hash public_hash_in(const struct vitrine_tlog_hash *h);
struct vitrine_tlog_hash public_hash_out(const struct tlog_hash *h);

/* ST_BAD_PROOF: more hashes than a proof has. */
st_t public_path_in(const struct vitrine_tlog_hash *path, size_t count, struct tlog_proof *ret,
                    struct err *e);
void public_path_out(const struct tlog_proof *p, struct vitrine_tlog_proof *ret);

#endif
