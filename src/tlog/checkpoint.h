/* Checkpoints (C2SP tlog-checkpoint v1.0.0): the text of a note that says how large a log is.
 *
 *   origin LF size LF base64(root) LF [extension LF]*
 */
#ifndef VITRINE_TLOG_CHECKPOINT_H
#define VITRINE_TLOG_CHECKPOINT_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/merkle.h"

struct checkpoint {
	struct rd origin;
	uint64_t size;
	struct tlog_hash root;
	struct rd extensions; /* whole lines; usually empty */
};

/* Reads the text of a note. ST_MALFORMED with the rule broken; ST_LIMIT: size above TLOG_SIZE_MAX.
 * An empty tree must have the root of the empty tree. */
st_t checkpoint_parse(struct rd text, struct checkpoint *ret, struct err *e);

void checkpoint_format(const char *origin, uint64_t size, const struct tlog_hash *root,
                       struct buf *out);

/* The message that a cosignature signs (C2SP tlog-cosignature): for Ed25519
 * "cosignature/v1\ntime T\n" || text, for ML-DSA-44 "subtree/v1\n\0" ... (cosigner name, origin, 0,
 * size, root). Note functions use these; they are here for who signs elsewhere. */
st_t cosignature_message(struct rd text, uint64_t time, struct buf *out, struct err *e);
st_t subtree_message(struct rd cosigner, uint64_t time, struct rd origin, uint64_t start,
                     uint64_t end, const struct tlog_hash *hash, struct buf *out, struct err *e);

#endif
