/* The engine: finds in one object ("view") every signature of a database.
 *
 *   engine_begin  -> engine_feed* -> engine_finish          one object after the other
 *
 * The object is in memory as a whole when engine_finish() is called; engine_feed() may be called
 * while it is still being read, so that bytes are filtered while they are hot in the cache.
 * Deterministic: the same object and database give the same signatures whatever the kernels are. */
#ifndef VITRINE_VERIFY_ENGINE_H
#define VITRINE_VERIFY_ENGINE_H

#include "base/st.h"
#include "db/db.h"
#include "verify/facts.h"
#include "verify/regex.h"

struct engine;

/* One per worker; `db` outlives it. cpumask: CPU features that kernels may use (match/cpu.h). */
st_t engine_new(const struct db *db, uint32_t cpumask, struct engine **ret, struct err *e);
void engine_free(struct engine *g);

/* What signatures of the database ask about objects beyond layout and layers. */
enum engine_needs {
	ENGINE_NEEDS_VERSION_INFO = 1,
	ENGINE_NEEDS_IMAGE_HASH = 2,
	/* Some body signature of target 7 is bound to the end: see doc/views.md, "Two ways". */
	ENGINE_NEEDS_WHOLE_TEXT = 4,
};
unsigned engine_needs(const struct engine *g);
unsigned engine_needs_of(const struct db_view *db);

/* Limits of regular expressions, from the next object on. */
void engine_regex_limits(struct engine *g, const struct regex_limits *l);

/* Starts an object of `target` (0..14) with `size` bytes that will be at data[0..size). The bytes
 * behind `have` of engine_feed() need not be filled yet. `facts` stay alive until engine_finish();
 * what is not known of them until all bytes are there (exe, image_hash) may be filled in before
 * that. */
void engine_begin(struct engine *g, uint8_t target, const uint8_t *data, size_t size,
                  const struct object_facts *facts);

/* Says that data[0..have) is there. */
void engine_feed(struct engine *g, size_t have);

/* What the filters find in one object, for slices of it (members of an archive that stores them as
 * they are). NULL if memory is up. hits_trim() gives back what a large object took. */
struct hits;
struct hits *hits_new(void);
void hits_free(struct hits *h);
void hits_trim(struct hits *h);

/* Right after engine_begin(): keep in `to` what the filters find. Of use once the object is
 * finished, as long as its bytes stay where they are. */
void engine_record(struct engine *g, struct hits *to);

/* Right after engine_begin(), when the object is all there: if it lies inside the bytes of the
 * object recorded in `from`, the filters that ran over that one are not run again. Same
 * findings. */
void engine_reuse(struct engine *g, const struct hits *from);

/* Finishes the object. *ret_sigs points to the ids of the
 * signatures found, ascending, without duplicates, owned by the engine until the next begin.
 * ST_TIMEOUT when the deadline set by engine_deadline() passed, ST_LIMIT when a regular expression
 * reached its limits: the list is then incomplete. */
st_t engine_finish(struct engine *g, const uint32_t **ret_sigs, size_t *ret_n, struct err *e);

/* Counters since engine_new(), for benchmarks: what the filters let through and what it cost. */
struct engine_stats {
	uint64_t objects, bytes;
	uint64_t candidates; /* offsets that passed a bloom filter */
	uint64_t confirms;   /* grams found in the index: a part was compared */
	uint64_t evaluated;  /* signatures whose condition was evaluated */
};
struct engine_stats engine_stats(const struct engine *g);

/* Level of the kernels in use: "scalar", "avx2" or "avx512". */
const char *engine_kernels(const struct engine *g);

/* Monotonic nanoseconds after which engine_finish() gives up; 0 is none. */
void engine_deadline(struct engine *g, uint64_t deadline_ns);

#endif
