/* The database file in C. doc/format/database.md is the specification; each record here carries its
 * name there. Little-endian, naturally aligned, offsets only.
 *
 * File: header, section table, sections (each 64-byte aligned, gaps zero). */
#ifndef VITRINE_DB_LAYOUT_H
#define VITRINE_DB_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define DB_MAGIC "VITRINDB"
#define DB_VERSION 2

/* Bytes that may be read behind any section (kernels load whole vectors). */
#define DB_TAIL_PAD 64

enum db_section_id {
	DB_SEC_META = 1,     /* struct db_meta, one */
	DB_SEC_INACTIVE,     /* struct db_inactive[] */
	DB_SEC_SIG,          /* struct db_sig[] */
	DB_SEC_COND,         /* struct db_cond[] */
	DB_SEC_PATTERN,      /* struct db_pattern[] */
	DB_SEC_PART,         /* struct db_part[] */
	DB_SEC_CODE,         /* bytes: literals, masks, part programs */
	DB_SEC_TARGET,       /* struct db_target[DB_TARGET_RECORDS] */
	DB_SEC_FILTER,       /* struct db_filter[] */
	DB_SEC_BLOOM,        /* uint64_t[] */
	DB_SEC_BUCKET,       /* uint32_t[] */
	DB_SEC_SLOT,         /* struct db_slot[] */
	DB_SEC_PLACE,        /* struct db_place[]: patterns bound to an offset */
	DB_SEC_ALWAYS,       /* uint32_t[]: signatures without a necessary anchor */
	DB_SEC_HASH,         /* struct db_hash_table[DB_HASH_USES * DIGEST_KINDS] */
	DB_SEC_HASH_SIZES,   /* uint64_t[]: size filters */
	DB_SEC_HASH_DIR,     /* struct db_hash_dir[] */
	DB_SEC_HASH_ROWS,    /* rows; every bucket has its checksum in the directory */
	DB_SEC_NAME_DIR,     /* struct db_name_dir[] */
	DB_SEC_NAME_BLOCKS,  /* front-coded names; every block has its checksum in the directory */
	DB_SEC_REGEX,        /* struct db_regex[] */
	DB_SEC_COMPARE,      /* struct db_compare[] */
	DB_SEC_IMAGE,        /* struct db_image[] */
	DB_SEC_MAGIC,        /* struct db_magic[]: file types that signatures define */
	DB_SEC_MAGIC_PART,   /* struct db_magic_part[] */
	DB_SEC_MAGIC_BYTES,  /* bytes: values, then masks, of each part */
	DB_SEC_NOTE,         /* struct db_note[]: for people */
	DB_SEC_ORIGIN,       /* struct db_origin[]: signature containers read */
	DB_SEC_MEMBER,       /* struct db_member[]: conditions on members of containers */
	DB_SEC_PASSWORD,     /* struct db_password[] */
	DB_SEC_MEMBER_TEXT,  /* bytes: expressions and passwords, each with a NUL behind */
	DB_SECTIONS_END,
};

struct db_header {
	char magic[8];
	uint32_t version;
	uint32_t nsections;
	uint64_t file_size;
	uint64_t sum; /* sum64 of the section table */
};

struct db_section {
	uint32_t id;
	uint32_t flags; /* DB_SECTION_LAZY: not covered by sum, blocks are checked on use */
	uint64_t off, len;
	uint64_t sum; /* sum64 of the section, 0 if lazy */
};
#define DB_SECTION_LAZY 1u

/* db_meta: counters for people. */
struct db_meta {
	uint64_t sigs_body;     /* active body signatures (.ndb) */
	uint64_t sigs_logical;  /* active logical signatures */
	uint64_t hashes_file;   /* rows of whole-object digests */
	uint64_t hashes_section;
	uint64_t hashes_trust;
	uint64_t hashes_import;
	uint64_t sigs_member;
	uint64_t inactive;      /* recognised, not active in this version */
	uint64_t skipped;       /* malformed lines */
	uint64_t out_of_level;  /* left out because of MinFL / MaxFL */
	uint32_t nnames;
	uint32_t flevel;        /* functionality level the compiler announced */
	uint8_t sources[32];    /* SHA-256 over the sorted digests of the source files */
};

struct db_inactive {
	char what[56];
	uint64_t n;
};

/* A container among the sources: what it says of itself, and by what its origin is proven (enum
 * cvd_scheme). Texts are printable ASCII and end with NUL. Sorted by file, then digest. */
struct db_origin {
	char file[64];    /* last part of its path, cut */
	char time[40];    /* of the build, as written */
	char builder[64];
	char signer[128]; /* scheme 3: common name of the root certificate */
	uint8_t sha256[32]; /* of the whole container */
	uint64_t stime;   /* of the build, seconds since 1970; 0: not said */
	uint32_t scheme;
	uint32_t version, sigs, flevel;
};
#define DB_ORIGIN_SCHEMES 4

/* Name reference: index of a name plus flags. */
#define DB_NAMEREF_INDEX 0x0fffffffu
#define DB_NAMEREF_OFFICIAL 0x10000000u
#define DB_NAMEREF_PUA 0x20000000u

/* Signature. Its id is its index; ids ascend by (name, content). */
enum db_sig_flags {
	DB_SIG_LOGICAL = 1,  /* from .ldb/.ldu, else .ndb/.ndu */
	DB_SIG_SIMPLE = 2,   /* one pattern, found means matched: no condition to evaluate */
	DB_SIG_GATED = 4,    /* the condition is an AND that ends with FILESIZE, LAYER or ROOT */
};

struct db_sig {
	uint32_t nameref;
	uint32_t cond;       /* first condition node */
	uint16_t ncond;      /* 0 if simple */
	uint8_t target;
	uint8_t flags;
	uint32_t pattern;    /* first pattern; patterns of a signature are neighbours */
	uint32_t npatterns;
	/* Type + 1 (enum file_type) as which the object is looked at again when the signature holds,
	 * instead of a finding; 0: an ordinary signature. */
	uint32_t handler;
};

/* Condition node, reverse Polish; see enum ir_cond_op for the meaning. */
enum db_cond_op {
	DB_COND_ID,       /* a: first pattern relative to the signature's, b: number of patterns */
	DB_COND_AND,
	DB_COND_OR,
	DB_COND_EQ,
	DB_COND_GT,
	DB_COND_LT,
	DB_COND_FILESIZE,
	DB_COND_EP,
	DB_COND_SECTIONS,
	DB_COND_LAYER,
	DB_COND_ROOT,
	DB_COND_OPS,
};

/* Types in DB_COND_LAYER beside enum file_type: any, as long as there is such a layer; one that no
 * object has. */
#define DB_LAYER_ANY UINT32_MAX
#define DB_LAYER_NONE (UINT32_MAX - 1)
#define DB_LAYERS_MAX 128 /* layers up */

struct db_cond {
	uint32_t op;
	uint32_t a, b;
};

/* Longest condition program, and most values on its stack. */
#define DB_CONDS_MAX 1024
#define DB_COND_STACK DB_CONDS_MAX

enum db_offset_kind {
	DB_OFF_ANY,
	DB_OFF_ABS,
	DB_OFF_EOF,
	DB_OFF_EP,
	DB_OFF_SECTION,
	DB_OFF_LAST_SECTION,
	DB_OFF_IN_SECTION,
	DB_OFF_VERSION_INFO,
	DB_OFF_KINDS,
};

/* The last ones stand for sub-signatures that are no body patterns: without parts, `part` is the
 * index of their record. */
enum db_pattern_flags {
	DB_PAT_FULLWORD = 1,
	DB_PAT_WIDE = 2,
	DB_PAT_REGEX = 4,   /* in DB_SEC_REGEX */
	DB_PAT_COMPARE = 8, /* in DB_SEC_COMPARE */
	DB_PAT_IMAGE = 16,  /* in DB_SEC_IMAGE */
	DB_PAT_NEVER = 32,  /* no record: is never counted */
};
#define DB_PAT_OTHER (DB_PAT_REGEX | DB_PAT_COMPARE | DB_PAT_IMAGE | DB_PAT_NEVER)

struct db_pattern {
	uint32_t sig;
	uint32_t part;      /* first part */
	uint16_t nparts;
	uint8_t flags;
	uint8_t off_kind;
	uint32_t off_section;
	int64_t off_n;
	uint32_t off_shift; /* maxshift */
	uint32_t min_len;   /* fewest bytes a match spans */
};

/* Most bytes by which matches of one part may differ in length. */
#define DB_PART_SPAN 1023
/* Most parts of a pattern, deepest nesting of alternatives. */
#define DB_PARTS_MAX 512
#define DB_ALT_DEPTH 8

enum db_part_kind {
	DB_PART_LITERAL, /* code: len bytes */
	DB_PART_MASKED,  /* code: len values, then len masks */
	DB_PART_PROGRAM, /* code: ops, see db_op */
};

struct db_part {
	uint32_t pattern;          /* that it belongs to */
	uint32_t gap_min, gap_max; /* from the end of the part before; UINT32_MAX: no limit */
	uint32_t code;             /* offset in DB_SEC_CODE */
	uint32_t code_len;
	uint32_t min_len, max_len; /* bytes that a match spans; at most DB_PART_SPAN apart */
	uint32_t lit;              /* best literal run: where in DB_SEC_CODE its bytes stand, */
	uint16_t lit_off, lit_len; /* its offset from the part's start, its length (0: none) */
	uint8_t kind;
	uint8_t lit_folded;        /* the run has letters of either case */
	uint8_t rare[2];           /* where in the run its two rarest bytes are (0, 0 without a run) */
};

/* How a regular expression is compiled and run (ClamAV's flags in brackets). The first ones are
 * PCRE2's of the same name. */
enum db_regex_options {
	DB_RE_CASELESS = 1,        /* i */
	DB_RE_DOTALL = 2,          /* s */
	DB_RE_MULTILINE = 4,       /* m */
	DB_RE_EXTENDED = 8,        /* x */
	DB_RE_ANCHORED = 16,       /* A */
	DB_RE_DOLLAR_ENDONLY = 32, /* E */
	DB_RE_UNGREEDY = 64,       /* U */
	DB_RE_GLOBAL = 128,        /* g: count all matches, not only the first */
	DB_RE_ROLLING = 256,       /* r: anywhere behind the offset, not only there */
	DB_RE_ENCOMPASS = 512,     /* e: the match must end within the maxshift, too */
};
#define DB_RE_ALL 1023u
#define DB_REGEX_MAX 32767 /* bytes of one */

struct db_regex {
	uint32_t pattern;     /* that it belongs to */
	uint32_t text, len;   /* in DB_SEC_CODE */
	uint32_t options;
	uint32_t cond, ncond; /* the trigger: a condition over patterns in front of this one */
};

enum db_compare_base { DB_CMP_HEX, DB_CMP_DECIMAL, DB_CMP_AUTO, DB_CMP_RAW, DB_CMP_BASES };
enum db_compare_order { DB_CMP_NO_ORDER, DB_CMP_LITTLE, DB_CMP_BIG, DB_CMP_ORDERS };

/* A number in the object, compared: see verify/compare.c for the rules. */
struct db_compare {
	uint32_t pattern;     /* that it belongs to */
	uint32_t first, n;    /* patterns of the sub-signature it hangs on, relative to the signature's;
	                       * n 0: it never holds */
	uint32_t len;         /* bytes of the number */
	int64_t offset;       /* from the start of that sub-signature's last match */
	int64_t value[2];
	uint8_t op[2];        /* '<' '=' '>' */
	uint8_t ncmp;         /* 1 or 2: all must hold */
	uint8_t base, order;
	uint8_t exact;        /* all bytes of the number belong to it */
	uint8_t pad[2];
};
#define DB_COMPARE_LEN_MAX 65535

/* A picture by its perceptual hash. */
struct db_image {
	uint64_t hash;
	uint32_t pattern; /* that it belongs to */
	uint32_t pad;
};

/* Ops of a part program: one byte op, then operands. Offsets are forward, from the op's own byte,
 * so a program ends. */
enum db_op {
	DB_OP_END,
	DB_OP_BYTES,   /* u16 n, n bytes */
	DB_OP_MASKED,  /* u16 n, n values, n masks */
	DB_OP_SKIP,    /* u16 n: any n bytes */
	DB_OP_SET,     /* 32 bytes of bits */
	DB_OP_NOT,     /* u16 nalts, u16 n, nalts times n values and n masks: n bytes that equal none */
	DB_OP_ALT,     /* u16 nalts, nalts times u16 offset of a branch; branches end with JUMP */
	DB_OP_JUMP,    /* u16 offset */
	DB_OP_BOUND,   /* u8 'B' 'L' or 'W', u8 side: looks at the byte before (0) or behind (1) */
	DB_OP_NEAR,    /* u8 side, min, max, value, mask: a byte that far before or behind */
	DB_OP_COUNT,
};

/* What to run for an object of target t: its filters, its places and its always-list. There are two
 * records for each target: t for the file itself, DB_TARGETS + t for an object inside another, with
 * the signatures that hold only there (Container, Intermediates). */
#define DB_TARGETS 15
#define DB_TARGET_RECORDS (2 * DB_TARGETS)
#define DB_TARGET_FILTERS 3
struct db_target {
	uint32_t nfilters;
	uint32_t filter[DB_TARGET_FILTERS];
	uint32_t place, nplaces;
	uint32_t always, nalways;
};

/* A filter holds the grams of one set of signatures in classes by gram length and stride. */
enum db_class_id {
	DB_CLASS_8_8, /* 8-byte grams at every 8th offset: anchors of >= 15 bytes */
	DB_CLASS_8_4, /* 8-byte grams at every 4th: >= 11 */
	DB_CLASS_4_4, /* 4-byte grams at every 4th: >= 7 */
	DB_CLASS_4_2, /* 4-byte grams at every 2nd: >= 5 */
	DB_CLASS_4_1, /* 4-byte grams everywhere: 4 */
	DB_CLASS_2_1, /* 2-byte grams everywhere: 2 and 3 */
	DB_CLASSES,
};

struct db_class {
	uint32_t ngrams;       /* 0: class absent */
	uint32_t bloom;        /* first word in DB_SEC_BLOOM */
	uint32_t bloom_log2;   /* log2 of the number of words */
	uint32_t bucket;       /* first entry in DB_SEC_BUCKET; 2^bucket_log2 + 1 of them */
	uint32_t bucket_log2;
	uint32_t slot, nslots; /* of this class in DB_SEC_SLOT; bucket entries count from `slot` */
	uint32_t pad;
};

struct db_filter {
	struct db_class cls[DB_CLASSES];
};

/* One gram of one anchor. The context is four more bytes of the same anchor (folded like a gram):
 * common grams are told apart by it before any pattern is touched. */
struct db_slot {
	uint32_t check;   /* see db/gram.h */
	uint32_t context; /* the four bytes at context_off from the gram */
	uint32_t part;    /* index in DB_SEC_PART of the part that holds the anchor */
	uint16_t delta;      /* gram's offset from the start of that part */
	int16_t context_off; /* DB_NO_CONTEXT: the anchor has no four bytes */
};
#define DB_NO_CONTEXT INT16_MIN

/* A pattern that can only be at one place: looked at there. Sorted by place. */
struct db_place {
	uint64_t value, mask; /* of the first 8 bytes at the place; mask 0 where nothing is fixed */
	uint32_t pattern;
	uint32_t pad;
};

/* Digest tables. */
enum db_hash_use { DB_HASH_FILE, DB_HASH_SECTION, DB_HASH_TRUST, DB_HASH_IMPORT, DB_HASH_USES };

/* Rows of one (use, digest kind): sorted by (digest, size, nameref), cut into buckets by the top
 * dir_log2 bits of the digest. Row: digest, u32 size (UINT32_MAX: any), u32 nameref. */
struct db_hash_table {
	uint64_t nrows;
	uint64_t rows_off;   /* in DB_SEC_HASH_ROWS, bytes */
	uint32_t dir;        /* first entry in DB_SEC_HASH_DIR; 2^dir_log2 + 1 of them */
	uint32_t dir_log2;
	uint32_t sizes;      /* first word in DB_SEC_HASH_SIZES: bit filter of object sizes */
	uint32_t sizes_log2; /* log2 of its number of bits (>= 6) */
	uint32_t any_size;   /* rows with any size: every object wants the digest */
	uint32_t stride;     /* digest size + 8 */
};

struct db_hash_dir {
	uint32_t start; /* row index; the next entry's start is the end */
	uint32_t sum;   /* low half of sum64 of the bucket's bytes */
};

/* Names are sorted; DB_NAME_BLOCK of them make a block: each is u8 shared-prefix length, u16 rest
 * length, rest. */
#define DB_NAME_BLOCK 32
struct db_name_dir {
	uint32_t off; /* of the block, bytes; the next entry's off is the end */
	uint32_t sum;
};

/* Definition of a file type; the first one that fits counts. Its parts follow each other in the
 * first DB_MAGIC_LOOK bytes of an object. */
enum db_magic_flags {
	DB_MAGIC_DIRECT = 1, /* asked before our own magics, else behind those at fixed places */
};

struct db_magic {
	uint16_t type, rtype;      /* enum file_type; rtype FILETYPES: whatever else it is */
	uint32_t flags;
	uint32_t off_min, off_max; /* of the first part, inclusive */
	uint32_t part, nparts;
};

struct db_magic_part {
	uint32_t gap_min, gap_max; /* from the end of the part before; UINT32_MAX: no limit */
	uint32_t bytes, len;       /* in DB_SEC_MAGIC_BYTES: len values, then len masks */
};

#define DB_MAGIC_LOOK 1024u
#define DB_MAGIC_MAX 4096u
#define DB_MAGIC_PARTS_MAX 16u

/* A line for `db list`: what a signature that is not active is, and what would trigger it. */
#define DB_NOTE_TEXT 240u
#define DB_NOTES_MAX 10000u
struct db_note {
	char kind[16];
	char text[DB_NOTE_TEXT];
};

/* What is said of a member of a container without reading it; all of it must hold. */
enum db_member_range {
	DB_MEMBER_CONTAINER, /* bytes of the container */
	DB_MEMBER_STORED,    /* bytes of the member in it */
	DB_MEMBER_REAL,      /* bytes of its content */
	DB_MEMBER_POSITION,  /* its number */
	DB_MEMBER_RANGES,
};
#define DB_MEMBER_ANY 2       /* encrypted or not */
#define DB_NO_TEXT UINT32_MAX /* any name */

struct db_range {
	uint64_t min, max; /* inclusive */
};

struct db_member {
	uint32_t nameref;
	uint32_t regex, regex_len; /* in DB_SEC_MEMBER_TEXT; DB_NO_TEXT, 0 */
	uint32_t crc;              /* if has_crc */
	uint16_t container;        /* enum file_type of the container; FILETYPES: any */
	uint8_t encrypted;         /* 0, 1 or DB_MEMBER_ANY */
	uint8_t has_crc;
	uint32_t pad;
	struct db_range range[DB_MEMBER_RANGES];
};

/* Tried on encrypted members. */
struct db_password {
	uint32_t text, len; /* in DB_SEC_MEMBER_TEXT, no NUL inside */
	uint16_t container; /* as above */
	uint16_t pad;
};

/* The mapped file as typed arrays; valid after db_open(). */
struct db_view {
	const struct db_meta *meta;
	const struct db_inactive *inactive;
	const struct db_sig *sig;
	const struct db_cond *cond;
	const struct db_pattern *pattern;
	const struct db_part *part;
	const uint8_t *code;
	const struct db_target *target;
	const struct db_filter *filter;
	const uint64_t *bloom;
	const uint32_t *bucket;
	const struct db_slot *slot;
	const struct db_place *place;
	const uint32_t *always;
	const struct db_hash_table *hash;
	const uint64_t *hash_sizes;
	const struct db_hash_dir *hash_dir;
	const uint8_t *hash_rows;
	const struct db_name_dir *name_dir;
	const uint8_t *name_blocks;
	const struct db_regex *regex;
	const struct db_compare *compare;
	const struct db_image *image;
	size_t nregex, ncompare, nimage;
	const struct db_magic *magic;
	const struct db_magic_part *magic_part;
	const uint8_t *magic_bytes;
	const struct db_note *note;
	const struct db_member *member;
	const struct db_password *password;
	const char *member_text;
	size_t ninactive, nsig, ncond, npattern, npart, ncode, nfilter, nbloom, nbucket, nslot,
	    nplace, nalways, nhash_sizes, nhash_dir, nhash_rows, nname_dir, nname_blocks, nmagic,
	    nmagic_part, nmagic_bytes, nnote, nmember,
	    npassword, nmember_text;
	const struct db_origin *origin;
	size_t norigin;
};

#endif
