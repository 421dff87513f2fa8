/* Messages between the broker and its jailed processes, as C structures. ipc.def says which may be
 * sent when; the field lists in msg.c are their form on the wire:
 *
 *   OFFSET SIZE MEANING
 *   0      4    enum msg_type
 *   4      …    fields in order, little-endian; a text is its length (4 bytes) and its bytes
 *
 * Both ends are of one build, so there is no version. Everything that arrives is checked: type,
 * sender, state, number of descriptors, the range of each field, no byte left over. */
#ifndef VITRINE_PROC_MSG_H
#define VITRINE_PROC_MSG_H

#include "base/buf.h"
#include "sandbox/ipc.h"

#include <stdbool.h>
#include <stdint.h>

enum msg_party { BROKER, WORKER, COMPILER, INSPECTOR };

enum msg_state {
	STAY = 0,
	S_NEW = 1,
	S_LOADING = 2,
	S_READY = 4,
	S_ENDED = 8,
	C_NEW = 16,
	C_SOURCES = 32,
	C_RUNNING = 64,
	C_ENDED = 128,
	I_NEW = 256,
	I_INPUTS = 512,
	I_RUNNING = 1024,
	I_ENDED = 2048,
};

enum msg_type {
#define X(name, from, to, allowed, next, fds) MSG_##name,
#include "proc/ipc.def"
#undef X
	MSG_TYPES
};

/* Longest texts, with their NUL. What is longer is cut by the sender: a name or a path of hostile
 * origin need not be whole to be of use. Together they fit into IPC_BYTES_MAX. */
#define MSG_NAME_MAX 1024
#define MSG_PATH_MAX 2048
#define MSG_TEXT_MAX 256
#define MSG_TYPE_NAME_MAX 40
#define MSG_WHAT_MAX 56
#define MSG_CATEGORIES_MAX 512

/* Events of one file at most, so that no worker fills the broker's memory: one for each of the
 * 10,000 objects that a file may hold by default. */
#define MSG_EVENTS_MAX 10000

/* Lines that the compiler reports at most, and kinds of inactive signatures. */
#define MSG_SKIPPED_MAX 1000
#define MSG_INACTIVE_MAX 64

/* Exit status of a jailed process whose memory was used up; others have no meaning. */
#define MSG_EXIT_NOMEM 3

struct msg_setup { /* with the database */
	uint64_t max_scansize, max_filesize, max_scriptnormalize, max_htmlnormalize, max_htmlnotags;
	uint64_t pcre_max_filesize;
	uint32_t pcre_match_limit, pcre_recmatch_limit;
	uint32_t max_recursion, max_files, max_scantime_ms;
	uint32_t all_matches, archives, detect_pua, no_pe, no_normalize, no_html, no_image_hash;
	uint32_t cpumask;
	uint32_t pua_exclude, heuristics_first;
	char pua_categories[MSG_CATEGORIES_MAX];
};

struct msg_hello {
	uint64_t signatures;
	uint32_t missing, landlock_abi; /* struct sandbox_report */
};

struct msg_scan { /* with the file */
	uint64_t id;
	uint32_t stripe_index, stripe_count;
};

struct msg_found {
	uint64_t id;
	uint32_t official;
	char name[MSG_NAME_MAX];
	char inner[MSG_PATH_MAX];
};

struct msg_incomplete {
	uint64_t id;
	int32_t why; /* st_t */
	char text[MSG_TEXT_MAX];
	char inner[MSG_PATH_MAX];
};

struct msg_done {
	uint64_t id;
	uint32_t verdict;
	char type_name[MSG_TYPE_NAME_MAX];
	uint64_t bytes_read, bytes_scanned, objects;
};

/* HELLO_FAIL, SCAN_FAIL, REFUSED, INSPECT_FAIL */
struct msg_fail {
	uint64_t id; /* SCAN_FAIL only */
	int32_t why; /* st_t */
	uint64_t off;
	char text[MSG_TEXT_MAX];
};

struct msg_options {
	uint32_t strict, clamav, pua;
	uint32_t heads;  /* only say what the headers of containers say */
	uint32_t bundle; /* do not compile: write the sources as a source bundle */
	uint64_t now;    /* seconds since 1970: certificates are valid for a time */
};

enum msg_source_role {
	MSG_SOURCE_SIGNATURES, /* text, a container or a source bundle, by its extension */
	MSG_SOURCE_SIGN,       /* .sign of the container that came before */
	MSG_SOURCE_ROOTS,      /* certificates, PEM */
	MSG_SOURCE_ROLES,
};

struct msg_source { /* with the text */
	char name[MSG_PATH_MAX];
	uint32_t role;
};

struct msg_compile {
	uint32_t nsources; /* as a check */
};

struct msg_skipped {
	char file[MSG_PATH_MAX];
	uint32_t line;
	char why[MSG_TEXT_MAX];
};

struct msg_inactive {
	char what[MSG_WHAT_MAX];
	uint64_t n;
};

struct msg_container { /* one that was asked for by `heads` and has a header */
	uint32_t index;      /* of the source, in order of sending */
	uint32_t version, sigs, flevel;
	uint64_t stime;
};

#define MSG_ORIGIN_FILE_MAX 64
#define MSG_ORIGIN_SIGNER_MAX 128

struct msg_origin { /* a container that went into a source bundle */
	char file[MSG_ORIGIN_FILE_MAX];
	char sha256[65];
	char signer[MSG_ORIGIN_SIGNER_MAX];
	uint32_t scheme; /* enum cvd_scheme */
	uint32_t version;
};

struct msg_compiled {
	uint64_t size; /* bytes written */
	uint64_t sigs, hashes_file, hashes_section, hashes_trust;
	uint64_t nskipped, out_of_level;
	uint32_t missing, landlock_abi; /* struct sandbox_report */
};

/* What an inspector is asked; what it needs comes as INPUT messages. */
enum inspect_op {
	INSPECT_INFO,    /* A; text: its path */
	INSPECT_LIST,    /* A; text: pattern */
	INSPECT_EXPLAIN, /* A; text: name */
	INSPECT_DIFF,    /* A, B */
	INSPECT_TEST,    /* A, FILE; text: name */
	/* As sigtool; all of FILE. name: of the file, where it is shown or decides. */
	INSPECT_MD5,
	INSPECT_SHA1,
	INSPECT_SHA256,
	INSPECT_HEX,
	INSPECT_SECTIONS,
	INSPECT_IMPORTS,
	INSPECT_IMAGE_HASH,
	INSPECT_NORMAL_TEXT,
	INSPECT_UTF16,
	INSPECT_NAMES,
	INSPECT_FIND,   /* text: regular expression */
	INSPECT_DECODE,
	INSPECT_HTML_NOCOMMENT,
	INSPECT_HTML_NOTAGS,
	INSPECT_HTML_SCRIPT,
	INSPECT_CVD,    /* text: its path */
	INSPECT_UNPACK, /* text: its path; the answer consists of members (explain/sigtool_member.h) */
	INSPECT_BODIES,
	INSPECT_TRY, /* A: of INSPECT_BODIES' answer; B: the signatures as text; FILE */
	INSPECT_OPS
};
enum inspect_input { INSPECT_A, INSPECT_B, INSPECT_FILE, INSPECT_INPUTS };

/* How it ended. */
enum inspect_outcome {
	INSPECT_DONE,    /* found, where something is looked for; no difference */
	INSPECT_OTHER,   /* the databases differ; not found in the file; the file has no such view */
	INSPECT_NO_NAME, /* there is no such name; the answer holds names like it */
	INSPECT_OUTCOMES
};

struct msg_inspect {
	uint32_t op;   /* enum inspect_op */
	uint32_t json;
	char text[MSG_PATH_MAX];
	char name[MSG_NAME_MAX];
};

struct msg_input { /* with the database or file */
	uint32_t what; /* enum inspect_input */
};

struct msg_inspected {
	uint32_t outcome; /* enum inspect_outcome */
	uint64_t size;    /* bytes of the answer */
};

struct msg {
	enum msg_type type;
	union {
		struct msg_setup setup;
		struct msg_hello hello;
		struct msg_scan scan;
		struct msg_found found;
		struct msg_incomplete incomplete;
		struct msg_done done;
		struct msg_fail fail;
		struct msg_options options;
		struct msg_source source;
		struct msg_compile compile;
		struct msg_skipped skipped;
		struct msg_inactive inactive;
		struct msg_container container;
		struct msg_origin origin;
		struct msg_compiled compiled;
		struct msg_inspect inspect;
		struct msg_input input;
		struct msg_inspected inspected;
	};
};

/* One end of a conversation. */
struct msg_peer {
	int sock;
	enum msg_party self;
	uint32_t state; /* one of enum msg_state */
};

/* Copies a text of any length, cut to what `cap` holds. */
void msg_text(char *ret, size_t cap, const char *s);

/* Sends and moves the state on. `fd` -1: none; it stays the caller's. A message out of turn is
 * ST_MALFORMED: our own mistake. */
st_t msg_send(struct msg_peer *p, const struct msg *m, int fd, bool wait, struct err *e);

/* The next message; *ret_fd is the receiver's. ST_MALFORMED or ST_TRUNCATED: the peer broke the
 * rules and must be killed; nothing of the message is kept. */
st_t msg_recv(struct msg_peer *p, bool wait, struct msg *ret, int *ret_fd, enum ipc_got *ret_got,
              struct err *e);

/* The part of msg_recv() behind the socket: `nfds` came with the bytes. */
st_t msg_parse(struct msg_peer *p, const void *bytes, size_t len, unsigned nfds, struct msg *ret,
               struct err *e);

/* The part of msg_send() before the socket: appends the message to b. */
void msg_write(const struct msg *m, struct buf *b);

#endif
