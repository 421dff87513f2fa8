/* The signature compiler: signature text -> intermediate form -> database.
 * Runs in the compiler process, jailed: it gets descriptors and gives bytes. Deterministic: the
 * same set of sources gives the same bytes, in any order of arguments and on any machine. */
#ifndef VITRINE_SIG_COMPILE_H
#define VITRINE_SIG_COMPILE_H

#include "base/buf.h"
#include "sig/ir.h"

/* Functionality level announced to signatures' MinFL/MaxFL: ClamAV 1.4.6. */
#define SIG_FLEVEL 216

enum sig_role {
	SIG_ROLE_TEXT,
	SIG_ROLE_MEMBER,    /* of a container: read, but the container's bytes are its origin */
	SIG_ROLE_CONTAINER, /* whose members are among the sources: not read */
	SIG_ROLE_PROOF,     /* .sign or certificate that proved a container: not read */
};

/* One source: the text and the name that decides its format by extension. */
struct sig_source {
	const char *name; /* as the user named it; basename and extension matter */
	const char *text;
	size_t len;
	enum sig_role role;
	bool official; /* its origin is proven */
};

struct sig_opts {
	bool strict;     /* the first malformed line refuses the set */
	bool clamav;     /* load decisions exactly as clamscan's (implies strict) */
	bool pua;        /* *u files are read (else they are skipped as clamscan does) */
};

/* Reads one source into the set. ST_MALFORMED only with strict; e then says file, line, reason. An
 * unknown extension is ST_UNSUPPORTED. */
st_t sig_read(struct ir_set *set, const struct sig_source *src, const struct sig_opts *opts,
              struct err *e);

/* True if sig_read() knows the extension of this file name. */
bool sig_known_extension(const char *name);

/* Reads all sources (in a canonical order, whatever theirs is). */
st_t sig_read_all(struct ir_set *set, const struct sig_source *srcs, size_t n,
                  const struct sig_opts *opts, struct err *e);

/* Writes the database and uses up the set: names and rows of digests are gone, counters stay.
 * `sources` is SHA-256 over the sorted digests of the sources (not of members and proofs). */
st_t sig_emit(struct ir_set *set, const uint8_t sources[32], struct buf *ret, struct err *e);

/* sig_read_all() and sig_emit(). The caller has called ir_init() on *ret_set and calls ir_done() on
 * it afterwards, also on failure: its counters say what was inactive or skipped. */
st_t sig_compile(const struct sig_source *srcs, size_t n, const struct sig_opts *opts,
                 struct buf *ret, struct ir_set *ret_set, struct err *e);

#endif
