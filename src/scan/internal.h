/* Inside of scan/: the scanner, and one object on its way through it.
 *
 *   scan.c    files and recursion         object.c  reading an object, buffers
 *   match.c   engine, digests, trust      report.c  names and reasons to the sink, verdict
 *   member.c  signatures on members before they are read, passwords
 *   limits.c  what may still be spent     seen.c    what was reported already
 *   views.c   text and HTML in the forms that signatures are written for
 *
 * Invariants
 * 1. Statuses > 0 of parsers end in report_incomplete(), never in silence; a status other than
 *    ST_OK that travels up here is the sink's or our own fault and ends the scan.
 * 2. `stop` ends every loop that reads; findings of what was read are reported even then, unless
 *    `done`.
 * 3. The bytes of an object stay alive while its children are scanned (trust asks for them). */
#ifndef VITRINE_SCAN_INTERNAL_H
#define VITRINE_SCAN_INTERNAL_H

#include "base/buf.h"
#include "parse/format.h"
#include "scan/scan.h"
#include "scan/seen.h"
#include "verify/engine.h"
#include "verify/member.h"

/* Hard bound of the recursion, whatever is configured: each layer takes stack and a buffer. */
#define LAYERS_MAX 100

/* Bytes read, and given to the engine, at a time: half of a usual second-level cache. */
#define CHUNK ((size_t)256 << 10)

/* A buffer of one layer, and what the filters found in it. */
struct layer {
	uint8_t *p;
	size_t cap;
	struct hits *hits; /* NULL until needed */
};

struct scanner {
	const struct db *db;
	struct engine *engine;
	struct members *members; /* NULL: no such signatures */
	const char **zip_passwords;
	struct scan_opts opts; /* limits: 0 replaced by "none" */
	struct layer layers[LAYERS_MAX];
	struct exe_layout exe;
	struct seen seen;
	struct buf copy; /* view of the object at hand, and room behind it */
	struct buf postponed; /* of heuristics: name reference, path with its NUL */
	uint32_t npostponed;
	struct buf path; /* inner path of the current object, NUL-terminated */

	/* Of the file that is being scanned: */
	const struct scan_sink *sink;
	struct scan_stats *stats;
	uint64_t deadline_ns;
	uint64_t left; /* of max_scansize */
	uint32_t reports;
	uint32_t whole_failed; /* attempts at whole() that came to nothing */
	bool found, incomplete;
	bool stop; /* no object is read any more */
	bool done; /* and no finding reported any more: one was enough */
};

/* Where an object's bytes come from. ret_n is 0 at the end. */
struct source {
	st_t (*read)(void *ctx, void *buf, size_t cap, size_t *ret_n, struct err *e);
	/* The first bytes, if they lie inside the bytes of the enclosing object; else *ret is empty.
	 * May be NULL. */
	st_t (*in_place)(void *ctx, struct rd *ret, struct err *e);
	/* All of it at once, as format.whole. NULL: it cannot be had so. */
	enum whole (*whole)(void *ctx, void *buf, size_t cap, size_t *ret_n);
	void *ctx;
	bool has_size; /* as declared, hostile */
	uint64_t size;
	uint64_t guess; /* without has_size: hostile too; 0: no idea */
};

enum trust { TRUST_UNKNOWN, TRUST_NO, TRUST_YES };

struct object {
	struct object *parent;
	uint32_t depth; /* 0: the file itself */
	enum file_type type;
	const uint8_t *data;
	size_t len;
	struct object_facts facts; /* told to the engine */
	uint8_t layers[LAYERS_MAX];
	bool matched;     /* by this scan; else another stripe does */
	bool begun;       /* the engine has been told of it, with size begun_size */
	size_t begun_size, fed;
	bool in_place;    /* the bytes are those of the parent */
	const struct hits *hits; /* of the object whose bytes these are; NULL if not recorded */
	uint32_t *names;  /* name references of body signatures found; views behind the bytes, each in
	                   * order of id; owned */
	size_t nnames;
	uint32_t handler; /* type + 1 as which a signature wants it looked at again; 0: none does */
	bool retyped;     /* this is that second look */
	enum trust trust;
	bool have_digest[DIGEST_KINDS];
	uint8_t digest[DIGEST_KINDS][DIGEST_MAX];
};

/* limits.c */
void limits_normalise(struct scan_limits *l);
void limits_start(struct scanner *s);
/* True when the time is over; says so once and stops the scan. *ret is the sink's answer. */
st_t limits_check_time(struct scanner *s);
/* Whether an object of this declared size may be read; says why not. */
st_t limits_admit(struct scanner *s, uint64_t size, bool *ret_admitted);
/* Accounts for n bytes read into an object that now has len. *ret_ok is false when too much. */
st_t limits_spend(struct scanner *s, size_t n, uint64_t len, bool *ret_ok);
/* Whether one more object may be looked at. */
st_t limits_count_object(struct scanner *s, bool *ret_ok);

/* report.c */
st_t report_incomplete(struct scanner *s, st_t why, const char *text);
/* A finding in `o`; ignored when it does not count (PUA, trusted, reported already). */
st_t report_found(struct scanner *s, struct object *o, uint32_t nameref, struct err *e);
/* Names of heuristics wait for the end of the file; only then they are told. */
st_t report_postponed(struct scanner *s, struct err *e);

/* object.c: reads the source into the buffer of the layer, telling the engine as it comes in.
 * Afterwards o->len is 0 if there is nothing to look at. */
st_t object_read(struct scanner *s, struct object *o, const struct source *src, struct err *e);
void object_done(struct object *o);
void layers_trim(struct scanner *s);
void layers_free(struct scanner *s);

/* match.c: the engine's findings in a view or in the object itself go to o->names and o->handler.
 * ST_TIMEOUT and ST_LIMIT are told here. */
st_t match_object(struct scanner *s, struct object *o, bool in_view, struct err *e);
/* Fills in the layers around `o`; they are kept in o->layers. */
void match_layers(struct object *o, struct object_facts *ret);

/* match.c: names of rows with the digest of a view go to o->names. */
st_t match_view_digests(struct scanner *s, struct object *o, const uint8_t *data, size_t len,
                        struct err *e);

/* views.c: true if signatures see the object's own bytes with this target. */
bool views_raw_target(const struct scanner *s, enum file_type type, uint8_t *ret);
/* True if children of an object of this type are looked at. */
bool views_may_open(const struct scanner *s, enum file_type type);
/* Matches the views of the object (doc/views.md). */
st_t views_match(struct scanner *s, struct object *o, struct err *e);

/* member.c: reports signatures that what `container` says of the member fits. */
st_t member_report(struct scanner *s, struct object *container, const struct member *m,
                   struct err *e);
/* Whether all members are compared before the first is read: clamscan does so with zip. */
bool member_names_first(const struct scanner *s, const struct object *container);
/* The passwords of the database that zip archives are tried with, a list that ends with NULL; *ret
 * is NULL if there are none at all. For free(). */
st_t member_passwords_new(const struct db *db, const char ***ret, struct err *e);
/* Those to try on encrypted members of it; NULL: none. */
const char *const *member_passwords(const struct scanner *s, const struct object *container);

/* match.c: tells the engine of the object. What its filters find is kept for objects inside its
 * bytes, or taken over from the object that it lies in. */
void match_begin(struct scanner *s, struct object *o, size_t size);
st_t match_finish(struct scanner *s, struct object *o, struct err *e);
/* Reports what was found in the object: body signatures, then digests. */
st_t match_report(struct scanner *s, struct object *o, struct err *e);
/* Whether the object, or one that encloses it, is on the trust list. */
st_t match_is_trusted(struct scanner *s, struct object *o, bool *ret, struct err *e);

#endif
