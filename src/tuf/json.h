/* The JSON that TUF metadata is written in ("a subset of the JSON object format, with
 * floating-point numbers omitted", TUF 1.0.34 section 4.1), read strictly into a tree, and written
 * back in canonical form, which is what signatures are over. No process yet but tests; meant for a
 * jail.
 *
 * Invariants
 * 1. A file has one meaning: no name twice in an object, valid UTF-8, no NUL in texts (they are C
 *    strings here), no unpaired surrogate, nothing behind the value.
 * 2. Numbers are integers that fit int64_t: "-0", fractions and exponents are refused.
 * 3. Depth is bounded by TUF_DEPTH_MAX, memory by the arena's limit.
 * 4. The canonical form is never longer than the file. */
#ifndef VITRINE_TUF_JSON_H
#define VITRINE_TUF_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rd.h"

/* signed, delegations, roles, role, paths: metadata has 6, "custom" may have more. Parser and
 * writer descend by recursion. */
#define TUF_DEPTH_MAX 32

enum tuf_kind { TUF_NULL, TUF_FALSE, TUF_TRUE, TUF_INT, TUF_TEXT, TUF_ARRAY, TUF_OBJECT };

struct tuf_value {
	enum tuf_kind kind;
	uint32_t n;      /* members of an array or object, bytes of a text */
	const char *key; /* its name in an object; NULL elsewhere */
	union {
		int64_t num;
		const char *text;
		struct tuf_value **item; /* an object's are sorted by the code points of their names */
	};
	struct tuf_value *next; /* while it is read */
};

/* The value that is all of `in`, which lives in the arena; nothing points into `in`.
 * ST_MALFORMED, ST_LIMIT (also when the arena's limit is reached), with the offset. */
st_t tuf_json_parse(struct rd in, struct arena *a, const char *what, const struct tuf_value **ret,
                    struct err *e);

/* Appends the canonical form (OLPC's canonical JSON as TUF uses it: names sorted by code point, no
 * white space, in texts only '"' and '\' are escaped, control characters are as they are). The
 * caller checks the buffer. */
void tuf_json_canonical(const struct tuf_value *v, struct buf *out);

/* The member of that name, or NULL; also for `o` NULL or no object. */
const struct tuf_value *tuf_member(const struct tuf_value *o, const char *key);

/* The text of the member of that name, or NULL if there is none or it is no text. */
const char *tuf_member_text(const struct tuf_value *o, const char *key);

/* Members that must be there and of that kind, or ST_MALFORMED. */
st_t tuf_take(const struct tuf_value *o, const char *key, enum tuf_kind kind, const char *what,
              const struct tuf_value **ret, struct err *e);
st_t tuf_take_text(const struct tuf_value *o, const char *key, const char *what, const char **ret,
                   struct err *e);

/* An integer of at least `min`, which is not negative. */
st_t tuf_take_count(const struct tuf_value *o, const char *key, int64_t min, const char *what,
                    uint64_t *ret, struct err *e);

/* A boolean that may be missing. */
st_t tuf_take_bool(const struct tuf_value *o, const char *key, const char *what, bool *ret,
                   struct err *e);

/* Whether it is an array of nothing but texts. */
bool tuf_is_texts(const struct tuf_value *v);

#endif
