/* JSON of attestations, read strictly: one object and nothing behind it, valid UTF-8, no key twice
 * (which of the two would be meant?), no NUL in texts, limited size and depth. */
#ifndef VITRINE_ATTEST_JSON_H
#define VITRINE_ATTEST_JSON_H

#include "base/rd.h"

#include <jansson.h>

/* An object in an array in an object ...: provenance has some 6. jansson descends by recursion. */
#define ATTEST_DEPTH_MAX 32

/* The object that is all of `in`, at most `max` bytes; the caller frees it with json_decref().
 * `what` names it in errors. ST_MALFORMED, ST_LIMIT, ST_NOMEM. */
st_t attest_json_load(struct rd in, size_t max, const char *what, json_t **ret, struct err *e);

/* Its member of that name, which must be a text, an object or an array, or ST_MALFORMED. What is
 * returned belongs to `o`. */
st_t attest_json_text(const json_t *o, const char *key, const char *what, const char **ret,
                      struct err *e);
st_t attest_json_object(const json_t *o, const char *key, const char *what, const json_t **ret,
                        struct err *e);
st_t attest_json_array(const json_t *o, const char *key, const char *what, const json_t **ret,
                       struct err *e);

/* What must be loaded before a jail closes: jansson would read its seed for hash tables from a
 * file. `seed` is random, so that nobody can choose keys that collide. */
void attest_preload(uint32_t seed);

#endif
