/* Intermediate form of signatures: what every text format is read into and what the database is
 * written from. A signature is a table of patterns plus a condition program over their counts, so
 * that ClamAV's logical signatures fit now and YARA conditions later.
 *
 * Everything hangs in the arena of its `struct ir_set`, except hash rows (flat arrays, because
 * there are millions) and names of hash rows, which point into source text that the caller keeps
 * alive until the database is written.
 *
 * Source of the language: doc/format/signatures.md. */
#ifndef VITRINE_SIG_IR_H
#define VITRINE_SIG_IR_H

#include "base/arena.h"
#include "base/st.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One position of a part. Case-insensitive letters are IR_BYTE with mask 0xdf; `??` is mask 0;
 * nibbles are masks 0xf0 and 0x0f. value has no bits outside mask. */
enum ir_elem_kind {
	IR_BYTE,  /* 1 byte: (b & mask) == value */
	IR_SET,   /* 1 byte in `set` (a negated set is stored complemented) */
	IR_STRS,  /* one of `alts`, all of the same length and without IR_ALT inside; may be negated:
	           * then any bytes of that length that equal none of them */
	IR_ALT,   /* one of `alts`, lengths may differ, nesting allowed */
	IR_BOUND, /* a neighbour condition: `bound` is 'B', 'L' or 'W'; only first or last in a part */
	IR_NEAR,  /* no byte; one with (b & mask) == value stands min..max bytes before (side 0) or
	           * behind (side 1) this place: the single byte of "[x-y]" */
};

struct ir_elem {
	uint8_t kind;
	uint8_t value, mask;
	uint8_t bound;
	bool negated;
	uint8_t side, min, max;
	uint32_t nalts;
	union {
		uint64_t *set;       /* 4 words, bit b of word b / 64 */
		struct ir_alt *alts; /* nalts of them */
	};
};

struct ir_alt {
	uint32_t nelems;
	struct ir_elem *elems;
};

#define IR_GAP_INF UINT32_MAX

/* A run of elements. Parts follow each other in order, at a distance of gap_min..gap_max bytes from
 * the end of the one before (the first part has 0, 0). `*` is 0..IR_GAP_INF. */
struct ir_part {
	uint32_t gap_min, gap_max;
	uint32_t nelems;
	struct ir_elem *elems;
};

enum ir_offset_kind {
	IR_OFF_ANY,
	IR_OFF_ABS,          /* n */
	IR_OFF_EOF,          /* size - n */
	IR_OFF_EP,           /* entry point + n (n may be negative) */
	IR_OFF_SECTION,      /* start of `section` + n */
	IR_OFF_LAST_SECTION, /* start of the last section + n */
	IR_OFF_IN_SECTION,   /* wholly inside `section` */
	IR_OFF_VERSION_INFO, /* at a key of the version information (VI) */
};

/* Where the first part may start: from the place named to the place + maxshift, inclusive. */
struct ir_offset {
	uint8_t kind;
	uint32_t section;
	int64_t n;
	uint32_t maxshift;
};

struct ir_pattern {
	struct ir_offset offset;
	bool fullword; /* neighbours must not be [0-9A-Za-z] */
	bool wide;     /* made by the modifier `w`: neighbours of fullword are wide too */
	uint32_t nparts;
	struct ir_part *parts;
};

/* A regular expression: looked for only in objects in which its trigger holds. */
struct ir_regex {
	struct ir_offset offset;
	const char *text; /* NUL-terminated; may hold no NUL inside */
	uint32_t len;
	uint32_t options; /* enum db_regex_options */
	uint32_t ntrigger;
	struct ir_cond *trigger; /* over sub-signatures in front of this one */
};

/* A comparison of a number in the object: `offset` bytes from the start of the last match of
 * sub-signature `subsig`, in a form that enum db_compare_base names. */
struct ir_compare {
	uint32_t subsig;
	int64_t offset;
	uint32_t len; /* bytes of the number */
	uint8_t base, order;
	bool exact;
	uint8_t n; /* of the comparisons, all of which must hold */
	char op[2]; /* '<' '=' '>' */
	int64_t value[2];
};

enum ir_subsig_kind {
	IR_SUBSIG_BODY,    /* patterns */
	IR_SUBSIG_REGEX,   /* regex */
	IR_SUBSIG_COMPARE, /* compare */
	IR_SUBSIG_IMAGE,   /* image: a perceptual hash of the object, if that is a picture */
	IR_SUBSIG_NEVER,   /* nothing: is never counted (macros) */
};

/* One sub-signature. Body: usually one pattern; two when the modifiers `w` and `a` stand together.
 * Its count is the sum of the counts of its patterns. */
struct ir_subsig {
	enum ir_subsig_kind kind;
	uint32_t npatterns; /* 0 unless body */
	union {
		struct ir_pattern *patterns;
		struct ir_regex *regex;
		struct ir_compare *compare;
		uint64_t image;
	};
};

/* Condition program in reverse Polish notation; it leaves one value on the stack. A value is a
 * triple (truth, sum of counts, set of ids matched). */
enum ir_cond_op {
	IR_COND_ID,       /* push sub-signature `a`: (count > 0, count, {a} if count > 0) */
	IR_COND_AND,      /* pop `a` values, push their conjunction; no sum and no ids if false */
	IR_COND_OR,       /* pop `a` values, push their disjunction; sums add up, sets unite */
	/* Compare the top with `a`. Behind an ID: if true, the value is (true, count, {id}) even at
	 * count 0. Behind anything else: at least `b` ids must be in the set too, and if true the value
	 * is (true, sum, {}). If false: (false, 0, {}). */
	IR_COND_CMP_EQ,
	IR_COND_CMP_GT,
	IR_COND_CMP_LT,
	IR_COND_FILESIZE, /* push: object size in a..b, inclusive */
	IR_COND_EP,       /* push: file offset of the entry point in a..b */
	IR_COND_SECTIONS, /* push: number of sections in a..b */
	/* Push: the object that encloses this one `b` layers up (1: directly) is there and its type is
	 * `a` (enum file_type), or `a` is DB_LAYER_ANY. */
	IR_COND_LAYER,
	IR_COND_ROOT,     /* push: the object is the file itself */
};

struct ir_cond {
	uint8_t op;
	uint32_t a, b;
};

enum ir_sig_flags {
	IR_SIG_OFFICIAL = 1, /* from a signed container: no .UNOFFICIAL behind the name */
	IR_SIG_PUA = 2,      /* from a *u file: only with --detect-pua */
	IR_SIG_LOGICAL = 4,  /* from .ldb or .ldu */
};

#define IR_SUBSIGS_MAX 64

struct ir_sig {
	const char *name;
	uint8_t target; /* 0..14, ClamAV's target types */
	uint8_t flags;
	uint32_t nsubsigs;
	struct ir_subsig *subsigs;
	uint32_t nconds;
	struct ir_cond *conds;
	uint32_t handler; /* not found, but looked at again as type handler - 1; 0: an ordinary one */
	uint32_t nameref, order; /* set by emit */
};

/* What a digest names. */
enum ir_hash_use {
	IR_HASH_FILE,    /* whole object: .hdb .hsb */
	IR_HASH_SECTION, /* raw bytes of one PE section: .mdb .msb */
	IR_HASH_TRUST,   /* false-positive list: .fp .sfp */
	IR_HASH_IMPORT,  /* text of what a PE file imports: .imp */
	IR_HASH_USES,
};

#define IR_SIZE_ANY UINT32_MAX /* "*" in the size field */

/* A row is this header and digest_size(kind) bytes behind it. */
struct ir_hash {
	union {
		const char *name; /* not NUL-terminated */
		uint64_t nameref; /* instead, once emit has numbered the names */
	};
	uint32_t name_len : 24;
	uint32_t flags : 8; /* enum ir_sig_flags */
	uint32_t size;      /* bytes of the object, or IR_SIZE_ANY */
	uint8_t digest[];
};

/* Rows of one use and digest kind, in order of reading; stride is sizeof header + digest size,
 * rounded up to 8. */
struct ir_hash_list {
	uint8_t *rows;
	size_t n, cap;
	size_t stride;
};

/* What must hold of a member of a container: .cdb .zmd .rmd. */
struct ir_member {
	const char *name;
	uint32_t name_len;
	uint8_t flags;        /* enum ir_sig_flags */
	uint8_t encrypted;    /* 0, 1 or DB_MEMBER_ANY */
	bool has_crc;
	uint16_t container;   /* enum file_type; FILETYPES: any */
	uint32_t crc;
	const char *regex;    /* of its name, checked by ere_new(); NULL: any */
	uint32_t regex_len;
	uint64_t range[4][2]; /* enum db_member_range: first and last */
	uint32_t nameref;     /* set by emit */
	struct ir_member *next;
};

/* A password for archives: .pwdb. */
struct ir_password {
	const char *text; /* no NUL inside */
	uint32_t len;
	uint16_t container;
	struct ir_password *next;
};

/* A kind of signature that was recognised but is not active in this version. */
struct ir_inactive {
	const char *what; /* e.g. "regular expression", "icon group"; static text */
	uint64_t n;
};
#define IR_INACTIVE_MAX 48

/* Something about one that `db list` shows, e.g. what would trigger a program. */
struct ir_note {
	const char *kind; /* static text */
	char *text;       /* in the arena; printable */
};
/* A container that was opened: struct db_origin as it goes into the database. */
struct db_origin;

/* A line that was skipped. */
struct ir_skipped {
	const char *file; /* as the user named it */
	uint32_t line;    /* 1-based */
	const char *why;
	struct ir_skipped *next;
};

/* An ignore list entry: signatures of this name are left out, or only the line with this digest. */
struct ir_ignore {
	const char *name; /* in the arena, not NUL-terminated */
	uint32_t len;
	bool has_md5;
	uint8_t md5[16];
};

/* The ignore list: an open-addressed table by name, at most half full. All-zero is empty. */
struct ir_ignores {
	struct ir_ignore *slots;
	size_t n, cap;
	uint64_t lengths; /* bit min(length, 63) of each name: most names are told apart by it */
	uint64_t hits;    /* signatures left out */
};

/* A definition of a file type (.ftm). */
struct ir_magic {
	uint16_t type, rtype;   /* enum file_type; rtype FILETYPES: whatever was detected */
	bool direct;            /* bytes at one place; else body content */
	struct ir_pattern pattern; /* parts of IR_BYTE only; offset IR_OFF_ANY or IR_OFF_ABS */
};

struct ir_set {
	struct arena arena;
	struct ir_sig **sigs;
	size_t nsigs, cap_sigs;
	struct ir_hash_list hashes[IR_HASH_USES][DIGEST_KINDS];
	struct ir_member *members; /* the one read last is the first, as clamscan tries them */
	uint32_t nmembers;
	struct ir_password *passwords; /* in order */
	struct ir_password **passwords_tail;
	struct ir_inactive inactive[IR_INACTIVE_MAX];
	size_t ninactive;
	struct ir_note *notes;
	size_t nnotes;
	struct ir_ignores ignores;
	struct ir_magic *magics; /* in order of reading; of equals the last one counts */
	size_t nmagics;
	uint64_t nskipped;          /* malformed lines, all of them */
	uint64_t nflevel;           /* left out because of MinFL / MaxFL */
	struct ir_skipped *skipped; /* the first IR_SKIPPED_KEPT of them, in order */
	struct ir_skipped **skipped_tail;
	struct db_origin *origins;
	size_t norigins;
};
#define IR_SKIPPED_KEPT 1000

void ir_init(struct ir_set *s);
void ir_done(struct ir_set *s);

/* Each appends; ST_NOMEM is the only failure. `what` must be static text. */
st_t ir_add_sig(struct ir_set *s, struct ir_sig *sig, struct err *e);
st_t ir_add_hash(struct ir_set *s, enum ir_hash_use use, enum digest_kind kind,
                 const struct ir_hash *head, const uint8_t *digest, struct err *e);
void ir_count_inactive(struct ir_set *s, const char *what);
st_t ir_add_ignore(struct ir_set *s, const struct ir_ignore *ignore, struct err *e);
/* The entry for this name, or NULL. */
const struct ir_ignore *ir_find_ignore(const struct ir_set *s, const char *name, size_t len);
/* Copies n bytes of text, cut to what a note holds; beyond DB_NOTES_MAX notes nothing is kept. */
st_t ir_add_note(struct ir_set *s, const char *kind, const char *text, size_t n, struct err *e);
st_t ir_add_magic(struct ir_set *s, const struct ir_magic *magic, struct err *e);
st_t ir_add_origin(struct ir_set *s, const struct db_origin *o, struct err *e);
st_t ir_add_skipped(struct ir_set *s, const char *file, uint32_t line, const char *why);

/* Row i of a list. */
struct ir_hash *ir_hash_at(const struct ir_hash_list *l, size_t i);

#endif
