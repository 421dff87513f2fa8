/* Scanning one file: type, target, engine, digests, children, limits, verdict.
 * Runs in the worker only: this is where hostile bytes are looked at. */
#ifndef VITRINE_SCAN_SCAN_H
#define VITRINE_SCAN_SCAN_H

#include "base/st.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

/* ClamAV's names and defaults (doc/differences.md for what we do when one is hit). Sizes in
 * bytes. */
#define SCAN_MIB (UINT64_C(1) << 20)
struct scan_limits {
	uint64_t max_scansize;  /* 400 MiB: bytes of all objects of one file together */
	uint64_t max_filesize;  /* 100 MiB: one object */
	uint32_t max_recursion; /* 17 layers */
	uint32_t max_files;     /* 10,000 objects in one file */
	uint32_t max_scantime_ms; /* 120,000 */
	/* Objects larger than these have no view of the kind; 0 is no limit. */
	uint64_t max_scriptnormalize; /* 20 MiB: of text and scripts */
	uint64_t max_htmlnormalize;   /* 40 MiB */
	uint64_t max_htmlnotags;      /* 8 MiB: the view without tags */
	/* Of regular expressions: steps, depth, and the size of objects they are looked for in. */
	uint32_t pcre_match_limit;    /* 100,000 */
	uint32_t pcre_recmatch_limit; /* 2,000 */
	uint64_t pcre_max_filesize;   /* 100 MiB */
};
/* Here, so that the broker can have it without the scanner. */
static inline void scan_limits_default(struct scan_limits *ret)
{
	*ret = (struct scan_limits){
		.max_scansize = 400 * SCAN_MIB,
		.max_filesize = 100 * SCAN_MIB,
		.max_recursion = 17,
		.max_files = 10000,
		.max_scantime_ms = 120000,
		.max_scriptnormalize = 20 * SCAN_MIB,
		.max_htmlnormalize = 40 * SCAN_MIB,
		.max_htmlnotags = 8 * SCAN_MIB,
		.pcre_match_limit = 100000,
		.pcre_recmatch_limit = 2000,
		.pcre_max_filesize = 100 * SCAN_MIB,
	};
}

/* Room for the categories of potentially unwanted applications. */
#define SCAN_PUA_MAX 512

struct scan_opts {
	struct scan_limits limits;
	bool all_matches; /* report every signature, not only the first */
	bool archives;    /* look into containers */
	bool detect_pua;  /* signatures from *u files count */
	/* Of those only the ones of these categories (the second part of their names), or all others;
	 * ".Win.Packed." or "" for no choice. */
	char pua_categories[SCAN_PUA_MAX];
	bool pua_exclude;
	bool heuristics_first; /* names of heuristics are told as they come, not behind all others */
	bool no_pe;       /* digests of PE sections do not count; clamscan's --scan-pe=no */
	bool regex_jit;    /* regular expressions may become machine code: the jail allows it */
	bool no_normalize; /* text has no normalised copy: signatures for target 7 find nothing */
	bool no_image_hash; /* pictures have no perceptual hash */
	bool no_html;      /* HTML is matched as it is instead of by its views */
	uint32_t cpumask;
	/* Members of the outermost container are shared out: this scan looks only at those whose
	 * ordinal (from 0) modulo stripe_count is stripe_index. 0 of 1 is everything. */
	uint32_t stripe_index, stripe_count;
};

/* Three verdicts, not two. FOUND wins over INCOMPLETE wins over CLEAN. */
enum verdict { VERDICT_CLEAN, VERDICT_FOUND, VERDICT_INCOMPLETE };

/* Told as it happens. `inner` is the path inside the file ("a.zip/b.exe"), "" for the file itself:
 * hostile bytes, never NULL. Any status but ST_OK ends the scan and is handed through. */
struct scan_sink {
	void *ctx;
	st_t (*found)(void *ctx, const char *name, bool official, const char *inner);
	/* Something was not looked at: why (a limit, encryption, damage, an unsupported feature). */
	st_t (*incomplete)(void *ctx, st_t why, const char *text, const char *inner);
};

struct scan_stats {
	enum verdict verdict;
	const char *type_name;  /* CL_TYPE_… of the file itself; static */
	uint64_t bytes_read;    /* of the file itself */
	uint64_t bytes_scanned; /* of all objects */
	uint64_t objects;
};

struct scanner;
st_t scanner_new(const struct db *db, const struct scan_opts *opts, struct scanner **ret,
                 struct err *e);
void scanner_free(struct scanner *s);

/* Scans the file behind fd from offset 0. An empty file is CLEAN with bytes_read 0. A status < 0 is
 * our fault: the worker should be replaced. */
st_t scanner_scan_fd(struct scanner *s, int fd, const struct scan_sink *sink,
                     struct scan_stats *ret, struct err *e);

#endif
