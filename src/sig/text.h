/* Shared by the readers of signature text (private to sig/): slices of a line, the state of a
 * reader, and the pieces of the language. A reader function gets one line and either adds to the
 * set, counts the signature as inactive, or refuses the line with sig_bad(). */
#ifndef VITRINE_SIG_TEXT_H
#define VITRINE_SIG_TEXT_H

#include "sig/compile.h"
#include "sig/ir.h"

#include <string.h>

/* A piece of the source text; not NUL-terminated. */
struct str {
	const char *p;
	size_t n;
};

#define STR(s) ((struct str){(s), sizeof(s) - 1})

static inline bool str_is(struct str s, const char *t)
{
	return s.n == strlen(t) && !memcmp(s.p, t, s.n);
}

static inline bool str_starts(struct str s, const char *t)
{
	return s.n >= strlen(t) && !memcmp(s.p, t, strlen(t));
}

static inline struct str str_from(struct str s, size_t at)
{
	return at > s.n ? (struct str){s.p + s.n, 0} : (struct str){s.p + at, s.n - at};
}

/* True, and the parts around the first `c`, if there is one; else *ret_head is all of s. */
bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail);

/* Splits at `sep` into at most `max` fields; returns how many there are, which may be more. */
size_t str_split(struct str s, char sep, struct str *ret, size_t max);

bool str_all_digits(struct str s); /* true for "" */

/* Digits of s as a number; stops at the first other character, saturates at UINT64_MAX. */
uint64_t str_u64(struct str s);

/* C's atoi as ClamAV uses it for levels and counts: blanks, sign, digits, modulo 2^32. */
uint32_t str_atoi(struct str s);

/* Up to the " (Clam)" that names once ended in, as ClamAV shows them. */
struct str str_name(struct str s);

bool str_all_hex(struct str s); /* true for "" */

/* Value of a hex digit, or -1. */
int hex_value(char c);

#define SIG_WHY_MAX 200

struct sig_elems {
	struct ir_elem *v;
	size_t n, cap;
};

/* State of reading one source. */
struct sig_reader {
	struct ir_set *set;
	const struct sig_opts *opts;
	struct err *e;
	uint8_t flags;          /* enum ir_sig_flags of what is read */
	enum ir_hash_use use;   /* hash files */
	char why[SIG_WHY_MAX];  /* reason of the last ST_MALFORMED */
	struct sig_elems elems; /* scratch of the body parser, used as a stack */
	struct str line;        /* being read */
	uint32_t target;        /* of the signature being read; decides how short a part may begin */
	bool took;              /* a definition of a file type was for this level */
	void *scratch;          /* of sig_scratch() */
	size_t scratch_size;
};

/* Records why the line is malformed; returns ST_MALFORMED. */
st_t sig_bad(struct sig_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Arena memory or ST_NOMEM. */
st_t sig_alloc(struct sig_reader *r, size_t n, size_t size, void *ret);

/* At least `size` bytes that last until the next call, or NULL; freed with the reader. */
void *sig_scratch(struct sig_reader *r, size_t size);

/* A printable stretch of a field for messages: SIG_SHOW(s) fits "%.*s". */
#define SIG_SHOW(s) (int)((s).n > 60 ? 60 : (s).n), (s).p

/* One line of each format; ST_OK, ST_MALFORMED (sig_bad), ST_NOMEM. */
st_t sig_line_hash(struct sig_reader *r, struct str line);
st_t sig_line_ndb(struct sig_reader *r, struct str line);
st_t sig_line_ldb(struct sig_reader *r, struct str line);
st_t sig_line_db(struct sig_reader *r, struct str line);
st_t sig_line_ign(struct sig_reader *r, struct str line);
st_t sig_line_ftm(struct sig_reader *r, struct str line);
st_t sig_line_cfg(struct sig_reader *r, struct str line);
st_t sig_line_idb(struct sig_reader *r, struct str line);
st_t sig_line_crb(struct sig_reader *r, struct str line);
st_t sig_line_pdb(struct sig_reader *r, struct str line);
st_t sig_line_gdb(struct sig_reader *r, struct str line);
st_t sig_line_wdb(struct sig_reader *r, struct str line);
st_t sig_line_cdb(struct sig_reader *r, struct str line);
st_t sig_line_zmd(struct sig_reader *r, struct str line);
st_t sig_line_rmd(struct sig_reader *r, struct str line);
st_t sig_line_pwdb(struct sig_reader *r, struct str line);

/* A whole file: counts the program and notes what would trigger it. ST_OK or ST_NOMEM. */
st_t sig_file_cbc(struct sig_reader *r, struct str text);

/* True if the line being read, of a signature of this name, is on the ignore list; counts it. */
bool sig_ignored(struct sig_reader *r, struct str name);

/* Checks that `s` is a POSIX extended regular expression; ST_MALFORMED if not. It is not
 * compiled. */
st_t sig_check_regex(struct sig_reader *r, struct str s);

/* True for a name of a layer type that ClamAV 1.4 knows ("CL_TYPE_..."). */
bool sig_known_type(struct str s);

/* Modifiers of a sub-signature; any of them makes alternatives "generic". */
enum sig_mods {
	SIG_MOD_NOCASE = 1,
	SIG_MOD_WIDE = 2,
	SIG_MOD_ASCII = 4,
	SIG_MOD_FULLWORD = 8,
};

/* What a part of a signature said beside its content. */
struct sig_note {
	const char *inactive; /* static text if it needs something that is not active, else NULL */
};

/* Body content -> the parts of one pattern (offset is left alone). SIG_MOD_WIDE in `mods` makes the
 * wide form; `generic` says that the sub-signature has modifiers. */
st_t sig_body(struct sig_reader *r, struct str hex, unsigned mods, bool generic,
              struct ir_pattern *ret, struct sig_note *note);

/* Offset field -> offset. `target` decides whether EP, S, SE, SL and VI are legal. */
st_t sig_offset(struct sig_reader *r, struct str text, uint32_t target, struct ir_offset *ret,
                struct sig_note *note);

/* A condition program with the number of sub-signatures it speaks of (highest id + 1). */
struct sig_expr {
	struct ir_cond *conds;
	uint32_t nconds;
	uint64_t nids;
};

/* Logical expression -> reverse Polish, the deeper side of each operator first, so that the stack
 * stays logarithmic. `spare` entries are left free behind it. */
st_t sig_expr(struct sig_reader *r, struct str text, uint32_t spare, struct sig_expr *ret);

struct sig_range {
	bool set;
	uint32_t min, max;
};

/* Most types of Intermediates. */
#define SIG_LAYERS_MAX 16

/* Target description block. */
struct sig_tdb {
	bool out_of_level; /* MinFL or MaxFL exclude this engine */
	bool skip;         /* recognised as something unknown: rest of the line is not looked at */
	const char *inactive;
	uint32_t target;
	struct sig_range size, entry, sections;
	uint32_t handler; /* type + 1, or 0 */
	bool has_container;
	struct ir_cond container;
	uint32_t nlayers;
	struct ir_cond layers[SIG_LAYERS_MAX]; /* Intermediates */
};
#define SIG_TDB_CONDS (SIG_LAYERS_MAX + 5) /* most that it adds: container, three ranges, an AND */

/* need_target: Target must be there, as for signatures. */
st_t sig_tdb(struct sig_reader *r, struct str text, bool need_target, struct sig_tdb *ret);

/* True if `target` is an executable: 1, 6, 9. */
bool sig_target_is_exe(uint32_t target);

/* Highest target number with a meaning. */
#define SIG_TARGET_MAX 14

#endif
