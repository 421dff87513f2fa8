/* Compiling signatures in the jail, seen from the broker: it opens the sources and the output and
 * never reads either. */
#ifndef VITRINE_PROC_BROKER_COMPILE_H
#define VITRINE_PROC_BROKER_COMPILE_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker_source {
	const char *name; /* as the user named it: its extension decides the format */
	int fd;           /* stays the caller's; need not be at offset 0 */
	uint32_t role;    /* enum msg_source_role; a .sign comes directly behind its container */
};

struct compile_opts {
	bool strict; /* the three as in sig/compile.h */
	bool clamav;
	bool pua;
	uint64_t now; /* seconds since 1970, for certificates */
	const char *compiler_path; /* NULL: found beside our executable, else in libexecdir */
};

struct compile_skipped {
	char *file, *why;
	uint32_t line;
};

struct compile_inactive {
	char *what;
	uint64_t n;
};

/* What the header of a container says; nothing of it is proven. */
struct compile_head {
	bool known; /* it has a header */
	uint32_t version, sigs, flevel;
	uint64_t stime;
};

/* A container whose members went into a source bundle. */
struct compile_origin {
	char *file;      /* last part of its name */
	uint8_t sha256[32];
	uint32_t scheme; /* enum cvd_scheme: by what its origin is proven */
	char *signer;    /* common name of the root certificate; else empty */
	uint32_t version;
};

/* What the compiler said. Texts are of hostile origin: print them escaped. Skipped lines are there
 * also when the set was refused. */
struct compile_report {
	uint64_t size; /* of the database, bytes */
	uint64_t sigs; /* body and logical ones */
	uint64_t hashes_file, hashes_section, hashes_trust;
	uint64_t nskipped, out_of_level;
	struct compile_skipped *skipped; /* the first of them */
	size_t nskipped_kept;
	struct compile_inactive *inactive;
	size_t ninactive;
	struct compile_head *heads; /* for broker_heads() */
	size_t nheads;
	struct compile_origin *origins; /* of broker_bundle() */
	size_t norigins;
	uint32_t missing; /* layers of the jail this system refused (enum sandbox_missing) */
};
void compile_report_done(struct compile_report *r);

/* Where the compiler is, for cache keys: false if the path does not fit. */
bool broker_compiler_path(char *ret, size_t cap);

/* Starts the compiler, gives it the sources and out_fd (an empty file, open for writing, at offset
 * 0), and waits. On failure the output is worthless. A status > 0 is the reason for which the
 * compiler refused the set; ST_MALFORMED is also a compiler that crashed, ST_LIMIT one that
 * exceeded its memory, ST_TIMEOUT its time. */
st_t broker_compile(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                    int out_fd, struct compile_report *ret, struct err *e);

/* The same way, makes a source bundle of the sources (pack/source.h), containers taken apart: each
 * is proven, or the set is refused. */
st_t broker_bundle(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                   int out_fd, struct compile_report *ret, struct err *e);

/* Reads the headers of n containers, in the jail: ret_heads[i] is for srcs[i]. */
st_t broker_heads(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                  struct compile_head *ret_heads, struct err *e);

#endif
