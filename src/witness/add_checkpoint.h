/* What a witness answers to add-checkpoint (C2SP tlog-witness), and nothing else: no clock, no
 * state, no HTTP. In two steps, because the second has to see the record of the log in the same
 * transaction that replaces it.
 *
 * The order of the checks, and the status that each gives:
 *   add_checkpoint_check    the body is malformed, or old > size                    400
 *                           (it is too long)                                        413
 *                           the origin is of no log that is known                   404
 *                           no signature of a trusted key, or a wrong one of such   403
 *   add_checkpoint_judge    old is not the size cosigned last                       409
 *                           size 0 without the root of the empty tree; a proof
 *                           where old is 0; the proof does not verify; the same
 *                           size with another root                                  422 */
#ifndef VITRINE_WITNESS_ADD_CHECKPOINT_H
#define VITRINE_WITNESS_ADD_CHECKPOINT_H

#include "witness/answer.h"
#include "witness/config.h"
#include "witness/request.h"
#include "witness/state.h"

/* True: all is well so far, ret_log and ret_signed are filled. Else `ret` is the answer.
 * ret_log: of `config`. ret_signed: text, separator and those signature lines that were verified,
 * appended. */
bool add_checkpoint_check(const struct witness_config *config, struct rd body,
                          struct witness_request *ret_request, const struct witness_log **ret_log,
                          struct buf *ret_signed, struct answer *ret);

/* True: the checkpoint follows from the record and may be cosigned. Else `ret` is the answer. */
bool add_checkpoint_judge(const struct witness_request *r, const struct state_record *record,
                          struct tlog_hasher *hasher, struct answer *ret);

/* The 409: the size that was cosigned last. */
void add_checkpoint_conflict(uint64_t size, struct answer *ret);

#endif
