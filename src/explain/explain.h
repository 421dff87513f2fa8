/* Databases in words: what a signature does, what a database holds, how two differ, why a signature
 * is found in a file or not. Works on the compiled database, so it tells what the engine does.
 *
 * Runs in the inspector's jail: databases and files may be anybody's. Every function writes items
 * to `o` (see explain/out.h) and leaves out_finish() to the caller. */
#ifndef VITRINE_EXPLAIN_EXPLAIN_H
#define VITRINE_EXPLAIN_EXPLAIN_H

#include "db/db.h"
#include "explain/out.h"

/* Counters and sections of a database of `size` bytes that the user calls `path`. */
void explain_info(struct out *o, const struct db *db, const char *path, uint64_t size);

/* All names that fit the pattern ("": all; with * or ? a pattern for the whole name, else a part of
 * it, in any case) and what stands under each; then those that are known, but not active. */
st_t explain_list(struct out *o, const struct db *db, const char *pattern, struct err *e);

/* Finds a name, with or without .UNOFFICIAL behind it. If only a signature that is not active has
 * it, what is known of that has been written; if there is none, names like it. */
enum explain_found { EXPLAIN_NONE, EXPLAIN_ACTIVE, EXPLAIN_INACTIVE };
st_t explain_find(struct out *o, const struct db *db, const char *name, uint32_t *ret_index,
                  enum explain_found *ret, struct err *e);

/* Everything under one name. */
st_t explain_name(struct out *o, const struct db *db, uint32_t index, struct err *e);

/* What is under a name in one of the databases only, or differs. */
struct explain_diff {
	uint64_t added, removed, changed, same; /* names */
};
st_t explain_diff(struct out *o, const struct db *a, const struct db *b, struct explain_diff *ret,
                  struct err *e);

/* Tries everything under one name on data[0..len). *ret_hit: something was found, as a scan of just
 * these bytes finds it (nothing inside of containers). The object is readable for
 * DB_TAIL_PAD bytes more. deadline_ns: monotonic, 0 is none; ST_TIMEOUT then. */
struct explain_object {
	const uint8_t *data;
	size_t len;
	uint64_t deadline_ns;
};
st_t explain_test(struct out *o, const struct db *db, uint32_t index,
                  const struct explain_object *object, bool *ret_hit, struct err *e);

/* The same for one signature on an object of a known target type. *ret_hit is the engine's answer,
 * *ret_words that of the steps shown: they are the same. */
struct object_facts;
st_t explain_test_sig(struct out *o, const struct db *db, uint32_t sig, uint8_t target,
                      const struct object_facts *facts, const struct explain_object *object,
                      bool *ret_hit, bool *ret_words, struct err *e);

#endif
