/* libvitrine-tlog: transparency logs by the public standards, for those who check proofs, for logs,
 * witnesses and monitors. It reads and writes bytes that you bring; it opens no file, no socket,
 * asks no clock, prints nothing and never ends your process. See vitrine-tlog(3).
 *
 *   Merkle tree, proofs        RFC 6962 section 2.1, RFC 9162 section 2.1
 *   tiles, entry bundles       C2SP tlog-tiles
 *   notes, verifier keys       C2SP signed-note
 *   checkpoints                C2SP tlog-checkpoint
 *   cosignatures of witnesses  C2SP tlog-cosignature
 *   policies, quorums          C2SP tlog-policy
 *   offline proofs             C2SP tlog-proof
 *
 * Statuses. What can fail returns an enum vitrine_tlog_status; 0 is success and anything else is
 * not. Outputs (`ret_...`) are written only on success, unless a function says otherwise. `error`
 * may be NULL; if not, it is written only where a function fails, with a text in English that names
 * the rule that was broken.
 *
 * Ownership. An opaque type is made by ..._new() or ..._parse() and freed by its ..._free(), which
 * takes NULL. Text and bytes that the library allocates are freed with vitrine_tlog_free(). A
 * struct vitrine_tlog_span never owns: it points into what the function says, and is valid as long
 * as that is. Inputs are only read, and are not kept after the call, except where a function says
 * "borrows".
 *
 * Hostile input. Every function that takes bytes may be given anything. Pointers must be valid, and
 * may be NULL where the size is 0 or where it is said.
 *
 * Threads. The library has no state of its own. Different objects may be used by different threads
 * at once. An object that a function takes as pointer to const may be shared by threads that all
 * use it as const; otherwise one thread at a time.
 *
 * Compatibility. Structs that are shown here keep their size and layout, and functions and numbers
 * their meaning, as long as the soname is the same; opaque types may grow. Initialise structs that
 * you fill with {0} or by name.
 *
 * Stack. No function needs more than 64 KiB of it, besides what libcrypto and your callbacks take.
 *
 * Sizes are in bytes, indexes count from 0, times are seconds since 1970-01-01 UTC. Trees have at
 * most 2^63 - 1 leaves. */
#ifndef VITRINE_TLOG_H
#define VITRINE_TLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VITRINE_TLOG_API __attribute__((visibility("default")))
#define VITRINE_TLOG_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#define VITRINE_TLOG_API
#define VITRINE_TLOG_CHECKED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Statuses ---- */

/* The numbers are part of the interface and never change; later versions may add some, so treat one
 * that you do not know as failure. */
enum vitrine_tlog_status {
	VITRINE_TLOG_OK = 0,
	VITRINE_TLOG_MALFORMED = 1,     /* the input breaks a rule of its format */
	VITRINE_TLOG_LIMIT = 2,         /* the input is larger than this library reads */
	VITRINE_TLOG_UNSUPPORTED = 3,   /* an algorithm that this library, or libcrypto, has not */
	VITRINE_TLOG_BAD_SIGNATURE = 4, /* a signature is wrong, or those that are needed are missing */
	VITRINE_TLOG_BAD_PROOF = 5,     /* a Merkle proof does not lead where it should */
	VITRINE_TLOG_NOT_FOUND = 6,     /* what was asked for is not there */
	VITRINE_TLOG_NO_MEMORY = 7, /* or libcrypto could not work; not the input's fault */
	VITRINE_TLOG_ARGUMENT = 8, /* a value that the function does not take */
	VITRINE_TLOG_CALLBACK = 9, /* a function of yours failed */
	VITRINE_TLOG_INTERNAL = 10 /* a defect of this library */
};

/* Longest message with its NUL. */
#define VITRINE_TLOG_ERROR_TEXT_MAX 256

struct vitrine_tlog_error {
	enum vitrine_tlog_status status;
	uint64_t offset; /* in the input, where that has a meaning; else 0 */
	char text[VITRINE_TLOG_ERROR_TEXT_MAX];
};

/* A word for a status: "malformed", "proof not valid", ... Never NULL; static. */
VITRINE_TLOG_API const char *vitrine_tlog_status_name(enum vitrine_tlog_status status);

/* The version of the library that is running, "MAJOR.MINOR.PATCH"; static. */
VITRINE_TLOG_API const char *vitrine_tlog_version(void);

/* ---- Bytes ---- */

/* Bytes that somebody else owns; not terminated by NUL. */
struct vitrine_tlog_span {
	const uint8_t *data;
	size_t size;
};

/* Frees what functions returned as `char **` or `uint8_t **`. NULL is allowed. */
VITRINE_TLOG_API void vitrine_tlog_free(void *memory);

/* ---- Hashes of the tree (SHA-256) ---- */

#define VITRINE_TLOG_HASH_SIZE 32

struct vitrine_tlog_hash {
	uint8_t bytes[VITRINE_TLOG_HASH_SIZE];
};

/* The root of the empty tree: SHA-256(""). */
VITRINE_TLOG_API void vitrine_tlog_hash_empty(struct vitrine_tlog_hash *ret);

/* SHA-256(0x00 || entry). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_hash_leaf(const void *entry, size_t size, struct vitrine_tlog_hash *ret);

/* SHA-256(0x01 || left || right). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_hash_node(const struct vitrine_tlog_hash *left, const struct vitrine_tlog_hash *right,
                       struct vitrine_tlog_hash *ret);

VITRINE_TLOG_API bool vitrine_tlog_hash_equal(const struct vitrine_tlog_hash *a,
                                              const struct vitrine_tlog_hash *b);

/* ---- Proofs ---- */

#define VITRINE_TLOG_PROOF_MAX 64
#define VITRINE_TLOG_TREE_MAX (UINT64_MAX / 2)

struct vitrine_tlog_proof {
	struct vitrine_tlog_hash hash[VITRINE_TLOG_PROOF_MAX];
	size_t count;
};

/* Is this leaf hash number `index` of the tree of `size` leaves with that root? `path` has `count`
 * hashes, leaf's sibling first. OK: proven. BAD_PROOF: not proven. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_check_inclusion(const struct vitrine_tlog_hash *leaf, uint64_t index, uint64_t size,
                             const struct vitrine_tlog_hash *path, size_t count,
                             const struct vitrine_tlog_hash *root,
                             struct vitrine_tlog_error *error);

/* Is the tree of `old_size` leaves a prefix of that of `new_size`? Statuses as before. `old_size` 0
 * is BAD_PROOF: everything is consistent with the empty tree, so there is nothing to prove. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_check_consistency(uint64_t old_size, uint64_t new_size,
                               const struct vitrine_tlog_hash *old_root,
                               const struct vitrine_tlog_hash *new_root,
                               const struct vitrine_tlog_hash *path, size_t count,
                               struct vitrine_tlog_error *error);

/* Where proofs are made from: `get` writes the hash of the complete subtree over the leaves
 * [index * 2^level, (index + 1) * 2^level), which lies in the tree asked about, and returns 0, or
 * anything else if it cannot (CALLBACK). Called by the thread that asked, some 64 times at most. */
struct vitrine_tlog_nodes {
	int (*get)(void *user, unsigned level, uint64_t index, struct vitrine_tlog_hash *ret);
	void *user;
};

/* BAD_PROOF: no such leaf or sizes. CALLBACK. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_prove_inclusion(const struct vitrine_tlog_nodes *nodes, uint64_t index, uint64_t size,
                             struct vitrine_tlog_proof *ret, struct vitrine_tlog_error *error);
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_prove_consistency(const struct vitrine_tlog_nodes *nodes, uint64_t old_size,
                               uint64_t new_size, struct vitrine_tlog_proof *ret,
                               struct vitrine_tlog_error *error);
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tree_root(const struct vitrine_tlog_nodes *nodes, uint64_t size,
                       struct vitrine_tlog_hash *ret, struct vitrine_tlog_error *error);

/* A tree that grows: it remembers at most 63 hashes, whatever its size. */
typedef struct vitrine_tlog_tree vitrine_tlog_tree;

/* An empty one. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status vitrine_tlog_tree_new(vitrine_tlog_tree **ret);
VITRINE_TLOG_API void vitrine_tlog_tree_free(vitrine_tlog_tree *tree);

/* Appends a leaf hash. LIMIT: the tree is full. NO_MEMORY: it can no longer be used. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tree_add(vitrine_tlog_tree *tree, const struct vitrine_tlog_hash *leaf);
VITRINE_TLOG_API uint64_t vitrine_tlog_tree_size(const vitrine_tlog_tree *tree);
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tree_current_root(const vitrine_tlog_tree *tree, struct vitrine_tlog_hash *ret);

/* ---- Tiles ---- */

#define VITRINE_TLOG_TILE_WIDTH 256
#define VITRINE_TLOG_TILE_PATH_MAX 64 /* longest path, with its NUL */
#define VITRINE_TLOG_ENTRY_MAX 65535  /* longest entry */

enum vitrine_tlog_tile_kind {
	VITRINE_TLOG_TILE_CHECKPOINT = 0,
	VITRINE_TLOG_TILE_HASHES = 1,
	VITRINE_TLOG_TILE_ENTRIES = 2
};

struct vitrine_tlog_tile {
	enum vitrine_tlog_tile_kind kind;
	unsigned level; /* of hashes: 0 to 63 */
	uint64_t index;
	unsigned width; /* 1 to 256; 256 is a full tile */
};

/* "tile/0/x001/x234/067", "tile/entries/000.p/5", "checkpoint": no slash in front. ARGUMENT: no
 * such tile. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tile_path(const struct vitrine_tlog_tile *tile, char ret[VITRINE_TLOG_TILE_PATH_MAX]);

/* Reads a path; only the one spelling of a tile is taken. MALFORMED. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tile_parse(const char *path, size_t size, struct vitrine_tlog_tile *ret,
                        struct vitrine_tlog_error *error);

/* The number of hashes of that level in a tree of `size` leaves: floor(size / 256^level). */
VITRINE_TLOG_API uint64_t vitrine_tlog_tile_level_size(uint64_t size, unsigned level);

/* How wide a tile is in a tree of `size` leaves: 256, less for the last of its level, 0 if it is
 * not in the tree. Entry bundles are as wide as tiles of level 0. */
VITRINE_TLOG_API unsigned vitrine_tlog_tile_width(uint64_t size, unsigned level, uint64_t index);

/* Reads `tile->width` hashes from the bytes of a tile. MALFORMED: not exactly that long.
 * ARGUMENT. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tile_read(const struct vitrine_tlog_tile *tile, const void *data, size_t size,
                       struct vitrine_tlog_hash ret[VITRINE_TLOG_TILE_WIDTH],
                       struct vitrine_tlog_error *error);

/* A cursor over the entries of a bundle; a plain value, nothing to free. */
struct vitrine_tlog_bundle {
	struct vitrine_tlog_span rest;
	unsigned left; /* entries */
};

/* Borrows `data`. */
VITRINE_TLOG_API struct vitrine_tlog_bundle vitrine_tlog_bundle_open(const void *data, size_t size,
                                                                     unsigned width);

/* The next entry; it points into the data. NOT_FOUND: there is no more, and the bundle was well
 * formed. MALFORMED: it does not hold exactly `width` entries. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_bundle_next(struct vitrine_tlog_bundle *bundle, struct vitrine_tlog_span *ret_entry,
                         struct vitrine_tlog_error *error);

/* Makes a bundle of 1 to 256 entries. LIMIT: an entry is too long. ARGUMENT. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_bundle_format(const struct vitrine_tlog_span *entries, size_t count,
                           uint8_t **ret_data, size_t *ret_size, struct vitrine_tlog_error *error);

/* Where tiles come from: `get` writes the `tile->width` hashes of a tile of hashes and returns 0,
 * or anything else if it cannot (CALLBACK). */
struct vitrine_tlog_tile_source {
	int (*get)(void *user, const struct vitrine_tlog_tile *tile,
	           struct vitrine_tlog_hash ret[VITRINE_TLOG_TILE_WIDTH]);
	void *user;
};

/* Makes proofs from the tiles of one tree, keeping the last tile of each level. The tiles are not
 * checked here: the root that they give has to be the one of a checkpoint you trust
 * (vitrine_tlog_tree_root()). */
typedef struct vitrine_tlog_tile_reader vitrine_tlog_tile_reader;

/* A reader of the tree of `size` leaves. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_tile_reader_new(const struct vitrine_tlog_tile_source *source, uint64_t size,
                             vitrine_tlog_tile_reader **ret);
VITRINE_TLOG_API void vitrine_tlog_tile_reader_free(vitrine_tlog_tile_reader *reader);

/* For the functions above that take nodes; valid as long as the reader. */
VITRINE_TLOG_API struct vitrine_tlog_nodes
vitrine_tlog_tile_reader_nodes(vitrine_tlog_tile_reader *reader);

/* ---- Keys ---- */

/* Signature types of signed-note. ECDSA and RFC 6962 are verified, not made. ML-DSA-44 needs
 * libcrypto 3.5 or later. */
enum vitrine_tlog_key_type {
	VITRINE_TLOG_ED25519 = 0x01,
	VITRINE_TLOG_ECDSA = 0x02,
	VITRINE_TLOG_COSIGNATURE_ED25519 = 0x04,
	VITRINE_TLOG_RFC6962 = 0x05,
	VITRINE_TLOG_COSIGNATURE_MLDSA44 = 0x06
};

/* A verifier key ("vkey"): a name and a public key. */
typedef struct vitrine_tlog_key vitrine_tlog_key;

/* Reads "name+hex8+base64". MALFORMED. UNSUPPORTED: a type that is not known. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_key_parse(const char *vkey, size_t size, vitrine_tlog_key **ret,
                       struct vitrine_tlog_error *error);
VITRINE_TLOG_API void vitrine_tlog_key_free(vitrine_tlog_key *key);

/* What the functions return points into the key. */
VITRINE_TLOG_API const char *vitrine_tlog_key_name(const vitrine_tlog_key *key);
VITRINE_TLOG_API uint32_t vitrine_tlog_key_id(const vitrine_tlog_key *key);
VITRINE_TLOG_API enum vitrine_tlog_key_type vitrine_tlog_key_get_type(const vitrine_tlog_key *key);
VITRINE_TLOG_API struct vitrine_tlog_span vitrine_tlog_key_public(const vitrine_tlog_key *key);

/* Its text, with a NUL behind that is not counted. Free with vitrine_tlog_free(). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_key_format(const vitrine_tlog_key *key, char **ret_text, size_t *ret_size);

/* ---- Signing ---- */

#define VITRINE_TLOG_SEED_SIZE 32

/* A private key under a name. Signing does not change it: threads may share one. */
typedef struct vitrine_tlog_signer vitrine_tlog_signer;

/* Makes a key of a seed of 32 random bytes, which is not kept; zeroise it yourself. MALFORMED: no
 * name for a key. UNSUPPORTED: a type that is only verified, or that libcrypto has not.
 * NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_signer_new(const char *name, enum vitrine_tlog_key_type type,
                        const uint8_t seed[VITRINE_TLOG_SEED_SIZE], vitrine_tlog_signer **ret,
                        struct vitrine_tlog_error *error);

/* Zeroises the key. */
VITRINE_TLOG_API void vitrine_tlog_signer_free(vitrine_tlog_signer *signer);

/* The verifier key; it belongs to the signer. */
VITRINE_TLOG_API const vitrine_tlog_key *
vitrine_tlog_signer_key(const vitrine_tlog_signer *signer);

/* One signature line over the text of a note (which ends with a newline), to be appended to the
 * note. `time`: of a cosignature, not 0; ignored for VITRINE_TLOG_ED25519. Free with
 * vitrine_tlog_free(). MALFORMED: no text of a note, or of a cosignature no checkpoint, or time 0.
 * NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_sign(const vitrine_tlog_signer *signer, const void *text, size_t size, uint64_t time,
                  char **ret_line, size_t *ret_size, struct vitrine_tlog_error *error);

/* A whole note: the text, an empty line, and a line of each signer. Statuses as before; ARGUMENT:
 * no signer. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_note_format(const void *text, size_t size, const vitrine_tlog_signer *const *signers,
                         size_t count, uint64_t time, char **ret_note, size_t *ret_size,
                         struct vitrine_tlog_error *error);

/* ---- Notes ---- */

/* A note taken apart. Nothing in it is proven before its signatures are verified. */
typedef struct vitrine_tlog_note vitrine_tlog_note;

struct vitrine_tlog_signature {
	struct vitrine_tlog_span name;
	uint32_t id;
	struct vitrine_tlog_span line; /* all of it, with its newline */
};

/* Copies what it reads. MALFORMED, LIMIT (100 signatures, 512 KiB), NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_note_parse(const void *data, size_t size, vitrine_tlog_note **ret,
                        struct vitrine_tlog_error *error);

/* The same of signature lines alone, as witnesses answer; `text` is what they sign. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_note_parse_lines(const void *text, size_t text_size, const void *lines,
                              size_t lines_size, vitrine_tlog_note **ret,
                              struct vitrine_tlog_error *error);
VITRINE_TLOG_API void vitrine_tlog_note_free(vitrine_tlog_note *note);

/* The text that is signed, with its last newline. Points into the note, as signatures do. */
VITRINE_TLOG_API struct vitrine_tlog_span vitrine_tlog_note_text(const vitrine_tlog_note *note);
VITRINE_TLOG_API size_t vitrine_tlog_note_signature_count(const vitrine_tlog_note *note);

/* NOT_FOUND: `i` is not below the count. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_note_signature(const vitrine_tlog_note *note, size_t i,
                            struct vitrine_tlog_signature *ret);

/* Verifies the signature of this key; of several, every one. ret_time (may be NULL): of a
 * cosignature (the latest), else 0. NOT_FOUND: the key did not sign. BAD_SIGNATURE: it is wrong, or
 * not of the right length. UNSUPPORTED. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_note_verify(const vitrine_tlog_note *note, const vitrine_tlog_key *key,
                         uint64_t *ret_time, struct vitrine_tlog_error *error);

/* ---- Checkpoints ---- */

/* The spans point into the text that was read. */
struct vitrine_tlog_checkpoint {
	struct vitrine_tlog_span origin;
	uint64_t size;
	struct vitrine_tlog_hash root;
	struct vitrine_tlog_span extensions; /* whole lines; usually empty */
};

/* Reads the text of a note, which is borrowed by the spans. MALFORMED, LIMIT. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_checkpoint_parse(const void *text, size_t size, struct vitrine_tlog_checkpoint *ret,
                              struct vitrine_tlog_error *error);

/* The text of a checkpoint, to be signed. Free with vitrine_tlog_free(). MALFORMED: an origin that
 * is empty or not one line, or a root that the empty tree has not. LIMIT. NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_checkpoint_format(const char *origin, uint64_t size,
                               const struct vitrine_tlog_hash *root, char **ret_text,
                               size_t *ret_size, struct vitrine_tlog_error *error);

/* ---- Policies ---- */

#define VITRINE_TLOG_POLICY_MAX 64 /* logs, witnesses and groups, each */

typedef struct vitrine_tlog_policy vitrine_tlog_policy;

/* A log or a witness of a policy. Everything belongs to the policy. */
struct vitrine_tlog_party {
	const char *name; /* of a log: its origin; of a witness: the policy's name for it */
	const vitrine_tlog_key *key;
	const char *url; /* NULL: none given */
};

/* MALFORMED: "policy: line N: ..." with the rule broken. LIMIT (64 of each, 256 KiB). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_policy_parse(const void *text, size_t size, vitrine_tlog_policy **ret,
                          struct vitrine_tlog_error *error);
VITRINE_TLOG_API void vitrine_tlog_policy_free(vitrine_tlog_policy *policy);

VITRINE_TLOG_API size_t vitrine_tlog_policy_log_count(const vitrine_tlog_policy *policy);
VITRINE_TLOG_API size_t vitrine_tlog_policy_witness_count(const vitrine_tlog_policy *policy);

/* NOT_FOUND: `i` is not below the count. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_policy_log(const vitrine_tlog_policy *policy, size_t i,
                        struct vitrine_tlog_party *ret);
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_policy_witness(const vitrine_tlog_policy *policy, size_t i,
                            struct vitrine_tlog_party *ret);

/* The quorum in words: "2 of w1, w2, w3". Free with vitrine_tlog_free(). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_policy_quorum(const vitrine_tlog_policy *policy, char **ret_text, size_t *ret_size);

/* Whether these witnesses (one bool for each of the policy) are a quorum. */
VITRINE_TLOG_API bool vitrine_tlog_policy_quorum_met(const vitrine_tlog_policy *policy,
                                                     const bool *cosigned);

/* What a policy says of a checkpoint that it accepts. */
struct vitrine_tlog_verdict {
	struct vitrine_tlog_checkpoint checkpoint;
	size_t log;             /* index of the log that signed */
	size_t cosigned_count;  /* of witnesses */
	bool cosigned[VITRINE_TLOG_POLICY_MAX];
	uint64_t time[VITRINE_TLOG_POLICY_MAX]; /* of the latest cosignature of each; 0: none */
};

/* Judges a signed checkpoint: signed by a log of the policy under its own origin, cosigned by a
 * quorum, and no signature of a known key is wrong. `ret` may be NULL; its spans point into `data`.
 * MALFORMED, LIMIT: no note or no checkpoint. NOT_FOUND: the origin is that of no log.
 * BAD_SIGNATURE: not signed by its log, a wrong signature, or no quorum (the text says who is
 * missing). NO_MEMORY. A policy says nothing of age: compare `time` with your clock. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_policy_check(const vitrine_tlog_policy *policy, const void *data, size_t size,
                          struct vitrine_tlog_verdict *ret, struct vitrine_tlog_error *error);

/* ---- Offline proofs (*.tlog-proof) ---- */

/* A proof taken apart; the spans point into the bytes that were read. */
struct vitrine_tlog_offline_proof {
	uint64_t index;
	struct vitrine_tlog_proof path;
	struct vitrine_tlog_span checkpoint; /* the signed note */
	bool has_extra;
	struct vitrine_tlog_span extra_base64; /* not authenticated: never to be trusted */
};

/* MALFORMED, LIMIT. Proves nothing. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_offline_proof_parse(const void *data, size_t size,
                                 struct vitrine_tlog_offline_proof *ret,
                                 struct vitrine_tlog_error *error);

/* Is the entry with this leaf hash in a log that the policy accepts? OK only if the checkpoint is
 * accepted and the entry is in its tree. `ret` may be NULL; its spans point into `data`. Statuses
 * of vitrine_tlog_offline_proof_parse(), vitrine_tlog_policy_check(),
 * vitrine_tlog_check_inclusion(). */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_offline_proof_check(const vitrine_tlog_policy *policy, const void *data, size_t size,
                                 const struct vitrine_tlog_hash *leaf,
                                 struct vitrine_tlog_verdict *ret,
                                 struct vitrine_tlog_error *error);

/* Writes one: extra data (NULL: none), index, path, and the signed checkpoint as it is. What comes
 * out is read back before it is returned: MALFORMED, LIMIT if it could not be. Free with
 * vitrine_tlog_free(). NO_MEMORY. */
VITRINE_TLOG_CHECKED enum vitrine_tlog_status
vitrine_tlog_offline_proof_format(const void *extra, size_t extra_size, uint64_t index,
                                  const struct vitrine_tlog_hash *path, size_t count,
                                  const void *checkpoint, size_t checkpoint_size, char **ret_proof,
                                  size_t *ret_size, struct vitrine_tlog_error *error);

#ifdef __cplusplus
}
#endif

#endif
