/* libvitrine-tlog as other programs see it: the shared library and <vitrine/tlog.h>, nothing
 * else. */
#include <vitrine/tlog.h>

#include "test/t.h"

#include <pthread.h>

#define ENTRIES 300
#define TIME 1700000000

static const char root_300[] = "r2i5bv9MpWGImn7c+7c9rW8DTy8oi2pEGwAOqCa9qB0=";
static struct vitrine_tlog_hash leaf[ENTRIES];

struct file {
	uint8_t data[8192];
	size_t size;
};

static void read_file(const char *name, struct file *ret)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", VECTORS, name);
	FILE *f = fopen(path, "rb");
	if (!f) {
		printf("cannot open %s\n", path);
		exit(1);
	}
	ret->size = fread(ret->data, 1, sizeof ret->data, f);
	fclose(f);
}

static void make_leaves(void)
{
	for (int i = 0; i < ENTRIES; i++) {
		char entry[32];
		int n = snprintf(entry, sizeof entry, "fixture entry %d\n", i);
		T_EQ(vitrine_tlog_hash_leaf(entry, (size_t)n, &leaf[i]), VITRINE_TLOG_OK);
	}
}

/* Complete subtrees by their definition; fails for level 99, as user != NULL says. */
static int get_node(void *user, unsigned level, uint64_t index, struct vitrine_tlog_hash *ret)
{
	struct vitrine_tlog_hash l, r;
	if (user && level == *(unsigned *)user)
		return -1;
	if (level == 0) {
		*ret = leaf[index];
		return 0;
	}
	if (get_node(user, level - 1, 2 * index, &l) || get_node(user, level - 1, 2 * index + 1, &r))
		return -1;
	return vitrine_tlog_hash_node(&l, &r, ret) == VITRINE_TLOG_OK ? 0 : -1;
}

static const struct vitrine_tlog_nodes nodes = {get_node, NULL};

static struct vitrine_tlog_hash root_of(uint64_t size)
{
	struct vitrine_tlog_hash root = {{0}};
	T_EQ(vitrine_tlog_tree_root(&nodes, size, &root, NULL), VITRINE_TLOG_OK);
	return root;
}

static void statuses_have_their_numbers_and_words(void)
{
	T_EQ(VITRINE_TLOG_OK, 0);
	T_EQ(VITRINE_TLOG_MALFORMED, 1);
	T_EQ(VITRINE_TLOG_LIMIT, 2);
	T_EQ(VITRINE_TLOG_UNSUPPORTED, 3);
	T_EQ(VITRINE_TLOG_BAD_SIGNATURE, 4);
	T_EQ(VITRINE_TLOG_BAD_PROOF, 5);
	T_EQ(VITRINE_TLOG_NOT_FOUND, 6);
	T_EQ(VITRINE_TLOG_NO_MEMORY, 7);
	T_EQ(VITRINE_TLOG_ARGUMENT, 8);
	T_EQ(VITRINE_TLOG_CALLBACK, 9);
	T_EQ(VITRINE_TLOG_INTERNAL, 10);
	T_STR(vitrine_tlog_status_name(VITRINE_TLOG_BAD_PROOF), "proof not valid");
	T_STR(vitrine_tlog_status_name((enum vitrine_tlog_status)99), "unknown status");
	T_TRUE(strchr(vitrine_tlog_version(), '.'));
}

static void a_growing_tree_has_the_roots_of_the_definition(void)
{
	struct vitrine_tlog_hash root, empty;
	vitrine_tlog_tree *tree = NULL;
	vitrine_tlog_hash_empty(&empty);
	T_EQ(vitrine_tlog_tree_new(&tree), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_tree_current_root(tree, &root), VITRINE_TLOG_OK);
	T_TRUE(vitrine_tlog_hash_equal(&root, &empty));
	for (uint64_t size = 1; size <= ENTRIES; size++) {
		struct vitrine_tlog_hash want = root_of(size);
		T_EQ(vitrine_tlog_tree_add(tree, &leaf[size - 1]), VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_tree_size(tree), size);
		T_EQ(vitrine_tlog_tree_current_root(tree, &root), VITRINE_TLOG_OK);
		T_TRUE(vitrine_tlog_hash_equal(&root, &want));
	}
	vitrine_tlog_tree_free(tree);
	vitrine_tlog_tree_free(NULL);
}

static void proofs_made_are_proofs_that_check(void)
{
	struct vitrine_tlog_proof p;
	struct vitrine_tlog_error e;
	struct vitrine_tlog_hash root = root_of(ENTRIES);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		T_EQ(vitrine_tlog_prove_inclusion(&nodes, i, ENTRIES, &p, &e), VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_check_inclusion(&leaf[i], i, ENTRIES, p.hash, p.count, &root, &e),
		     VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_check_inclusion(&leaf[i], i ^ 1, ENTRIES, p.hash, p.count, &root, &e),
		     VITRINE_TLOG_BAD_PROOF);
		T_EQ(e.status, VITRINE_TLOG_BAD_PROOF);
		T_TRUE(strstr(e.text, "inclusion proof: "));
	}
	for (uint64_t old = 1; old <= ENTRIES; old++) {
		struct vitrine_tlog_hash old_root = root_of(old);
		T_EQ(vitrine_tlog_prove_consistency(&nodes, old, ENTRIES, &p, &e), VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_check_consistency(old, ENTRIES, &old_root, &root, p.hash, p.count, &e),
		     VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_check_consistency(old, ENTRIES, &root, &old_root, p.hash, p.count, &e),
		     old == ENTRIES ? VITRINE_TLOG_OK : VITRINE_TLOG_BAD_PROOF);
	}
}

static void wrong_arguments_of_proofs_are_refused(void)
{
	struct vitrine_tlog_proof p;
	struct vitrine_tlog_hash many[VITRINE_TLOG_PROOF_MAX + 1] = {{{0}}};
	unsigned level = 3;
	struct vitrine_tlog_nodes failing = {get_node, &level};
	struct vitrine_tlog_error e;
	T_EQ(vitrine_tlog_prove_inclusion(&nodes, 5, 5, &p, NULL), VITRINE_TLOG_BAD_PROOF);
	T_EQ(vitrine_tlog_prove_consistency(&nodes, 0, 5, &p, NULL), VITRINE_TLOG_BAD_PROOF);
	T_EQ(vitrine_tlog_check_inclusion(&leaf[0], 0, 1, many, sizeof many / sizeof many[0], &leaf[0],
	                                  &e),
	     VITRINE_TLOG_BAD_PROOF);
	T_EQ(vitrine_tlog_check_inclusion(&leaf[0], 0, 1, NULL, 0, &leaf[0], NULL), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_prove_inclusion(&failing, 0, ENTRIES, &p, &e), VITRINE_TLOG_CALLBACK);
	T_TRUE(strstr(e.text, "the callback gave no node 1 of level 3"));
}

/* Tiles of the log of 300 entries, made from its leaves. */
static int get_tile(void *user, const struct vitrine_tlog_tile *tile, struct vitrine_tlog_hash *ret)
{
	unsigned *calls = user;
	++*calls;
	for (unsigned i = 0; i < tile->width; i++)
		if (get_node(NULL, 8 * tile->level, tile->index * 256 + i, &ret[i]))
			return -1;
	return 0;
}

static int get_no_tile(void *user, const struct vitrine_tlog_tile *tile,
                       struct vitrine_tlog_hash *ret)
{
	(void)user;
	(void)tile;
	(void)ret;
	return 1;
}

static void tiles_give_the_same_proofs(void)
{
	unsigned calls = 0;
	struct vitrine_tlog_tile_source source = {get_tile, &calls};
	vitrine_tlog_tile_reader *r = NULL;
	T_EQ(vitrine_tlog_tile_reader_new(&source, ENTRIES, &r), VITRINE_TLOG_OK);
	struct vitrine_tlog_nodes tiles = vitrine_tlog_tile_reader_nodes(r);
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct vitrine_tlog_proof a, b;
		T_EQ(vitrine_tlog_prove_inclusion(&nodes, i, ENTRIES, &a, NULL), VITRINE_TLOG_OK);
		T_EQ(vitrine_tlog_prove_inclusion(&tiles, i, ENTRIES, &b, NULL), VITRINE_TLOG_OK);
		T_EQ(a.count, b.count);
		T_MEM(a.hash, b.hash, a.count * sizeof a.hash[0]);
	}
	struct vitrine_tlog_hash one, two;
	T_EQ(tiles.get(tiles.user, 2, 3, &one), 0);
	T_EQ(get_node(NULL, 2, 3, &two), 0);
	T_TRUE(vitrine_tlog_hash_equal(&one, &two));
	T_TRUE(calls > 0);
	vitrine_tlog_tile_reader_free(r);
}

static void a_tile_that_is_not_there_is_named(void)
{
	struct vitrine_tlog_tile_source source = {get_no_tile, NULL};
	struct vitrine_tlog_error e;
	struct vitrine_tlog_hash root;
	vitrine_tlog_tile_reader *r = NULL;
	T_EQ(vitrine_tlog_tile_reader_new(&source, 70000, &r), VITRINE_TLOG_OK);
	struct vitrine_tlog_nodes tiles = vitrine_tlog_tile_reader_nodes(r);
	T_EQ(vitrine_tlog_tree_root(&tiles, 70000, &root, &e), VITRINE_TLOG_CALLBACK);
	T_TRUE(strstr(e.text, "the callback gave no tile/0/273.p/112"));
	vitrine_tlog_tile_reader_free(r);
}

static void paths_of_tiles_have_one_spelling(void)
{
	struct vitrine_tlog_tile t = {VITRINE_TLOG_TILE_HASHES, 0, 1234067, 256}, back;
	struct vitrine_tlog_error e;
	char path[VITRINE_TLOG_TILE_PATH_MAX];
	T_EQ(vitrine_tlog_tile_path(&t, path), VITRINE_TLOG_OK);
	T_STR(path, "tile/0/x001/x234/067");
	T_EQ(vitrine_tlog_tile_parse(path, strlen(path), &back, &e), VITRINE_TLOG_OK);
	T_EQ(back.index, t.index);
	T_EQ(back.width, 256);
	t = (struct vitrine_tlog_tile){VITRINE_TLOG_TILE_ENTRIES, 0, 0, 5};
	T_EQ(vitrine_tlog_tile_path(&t, path), VITRINE_TLOG_OK);
	T_STR(path, "tile/entries/000.p/5");
	T_EQ(vitrine_tlog_tile_parse("tile/0/5", 8, &back, &e), VITRINE_TLOG_MALFORMED);
	t.width = 0;
	T_EQ(vitrine_tlog_tile_path(&t, path), VITRINE_TLOG_ARGUMENT);
	t = (struct vitrine_tlog_tile){VITRINE_TLOG_TILE_HASHES, 64, 0, 5};
	T_EQ(vitrine_tlog_tile_path(&t, path), VITRINE_TLOG_ARGUMENT);
	T_EQ(vitrine_tlog_tile_width(70000, 0, 273), 112);
	T_EQ(vitrine_tlog_tile_width(70000, 0, 274), 0);
	T_EQ(vitrine_tlog_tile_level_size(70000, 2), 1);
}

static void a_tile_is_exactly_as_long_as_it_is_wide(void)
{
	struct vitrine_tlog_tile t = {VITRINE_TLOG_TILE_HASHES, 0, 0, 2};
	struct vitrine_tlog_hash got[VITRINE_TLOG_TILE_WIDTH];
	T_EQ(vitrine_tlog_tile_read(&t, leaf, 64, got, NULL), VITRINE_TLOG_OK);
	T_MEM(got, leaf, 64);
	T_EQ(vitrine_tlog_tile_read(&t, leaf, 63, got, NULL), VITRINE_TLOG_MALFORMED);
	t.kind = VITRINE_TLOG_TILE_ENTRIES;
	T_EQ(vitrine_tlog_tile_read(&t, leaf, 64, got, NULL), VITRINE_TLOG_ARGUMENT);
}

static void bundles_are_read_as_they_are_written(void)
{
	static const uint8_t long_one[VITRINE_TLOG_ENTRY_MAX + 1];
	struct vitrine_tlog_span in[] = {{(const uint8_t *)"abc", 3}, {NULL, 0}, {long_one, 65535}};
	struct vitrine_tlog_span out;
	struct vitrine_tlog_error e;
	uint8_t *data = NULL;
	size_t size = 0;
	T_EQ(vitrine_tlog_bundle_format(in, 3, &data, &size, &e), VITRINE_TLOG_OK);
	T_EQ(size, 3 * 2 + 3 + 65535);
	struct vitrine_tlog_bundle b = vitrine_tlog_bundle_open(data, size, 3);
	for (size_t i = 0; i < 3; i++) {
		T_EQ(vitrine_tlog_bundle_next(&b, &out, &e), VITRINE_TLOG_OK);
		T_TRUE(out.size == in[i].size && (!out.size || !memcmp(out.data, in[i].data, out.size)));
	}
	T_EQ(vitrine_tlog_bundle_next(&b, &out, &e), VITRINE_TLOG_NOT_FOUND);
	b = vitrine_tlog_bundle_open(data, size - 1, 3);
	T_EQ(vitrine_tlog_bundle_next(&b, &out, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_bundle_next(&b, &out, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_bundle_next(&b, &out, &e), VITRINE_TLOG_MALFORMED);
	vitrine_tlog_free(data);
	in[2].size = 65536;
	T_EQ(vitrine_tlog_bundle_format(in, 3, &data, &size, &e), VITRINE_TLOG_LIMIT);
	T_EQ(vitrine_tlog_bundle_format(in, 0, &data, &size, &e), VITRINE_TLOG_ARGUMENT);
}

static vitrine_tlog_signer *new_signer(uint8_t seed_byte, const char *name,
                                       enum vitrine_tlog_key_type type)
{
	uint8_t seed[VITRINE_TLOG_SEED_SIZE];
	vitrine_tlog_signer *s = NULL;
	struct vitrine_tlog_error e = {VITRINE_TLOG_OK, 0, ""};
	memset(seed, seed_byte, sizeof seed);
	if (vitrine_tlog_signer_new(name, type, seed, &s, &e) != VITRINE_TLOG_OK) {
		printf("no signer: %s\n", e.text);
		exit(1);
	}
	return s;
}

static void keys_are_read_as_they_are_written(void)
{
	static const char vkey[] =
	    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	struct vitrine_tlog_error e;
	vitrine_tlog_key *k = NULL;
	char *text = NULL;
	size_t size = 0;
	T_EQ(vitrine_tlog_key_parse(vkey, strlen(vkey), &k, &e), VITRINE_TLOG_OK);
	T_STR(vitrine_tlog_key_name(k), "example.com/foo");
	T_EQ(vitrine_tlog_key_id(k), 0x530d903a);
	T_EQ(vitrine_tlog_key_get_type(k), VITRINE_TLOG_ED25519);
	T_EQ(vitrine_tlog_key_public(k).size, 32);
	T_EQ(vitrine_tlog_key_format(k, &text, &size), VITRINE_TLOG_OK);
	T_STR(text, vkey);
	T_EQ(size, strlen(vkey));
	vitrine_tlog_free(text);
	vitrine_tlog_key_free(k);
	k = NULL;
	T_EQ(vitrine_tlog_key_parse(vkey, strlen(vkey) - 1, &k, &e), VITRINE_TLOG_MALFORMED);
	T_TRUE(!k);
}

static void only_keys_that_can_sign_are_made(void)
{
	static const uint8_t seed[VITRINE_TLOG_SEED_SIZE];
	struct vitrine_tlog_error e;
	vitrine_tlog_signer *s = NULL;
	T_EQ(vitrine_tlog_signer_new("a b", VITRINE_TLOG_ED25519, seed, &s, &e),
	     VITRINE_TLOG_MALFORMED);
	T_EQ(vitrine_tlog_signer_new("a", VITRINE_TLOG_ECDSA, seed, &s, &e), VITRINE_TLOG_UNSUPPORTED);
	T_EQ(vitrine_tlog_signer_new("a", (enum vitrine_tlog_key_type)0x99, seed, &s, &e),
	     VITRINE_TLOG_UNSUPPORTED);
	T_TRUE(!s);
}

static void checkpoints_are_read_as_they_are_written(void)
{
	struct vitrine_tlog_hash root = root_of(ENTRIES);
	struct vitrine_tlog_checkpoint c;
	struct vitrine_tlog_error e;
	char *text = NULL, *none = NULL, want[128];
	size_t size = 0;
	T_EQ(vitrine_tlog_checkpoint_format("log.example", ENTRIES, &root, &text, &size, &e),
	     VITRINE_TLOG_OK);
	snprintf(want, sizeof want, "log.example\n%d\n%s\n", ENTRIES, root_300);
	T_STR(text, want);
	T_EQ(vitrine_tlog_checkpoint_parse(text, size, &c, &e), VITRINE_TLOG_OK);
	T_EQ(c.size, ENTRIES);
	T_EQ(c.origin.size, 11);
	T_TRUE(vitrine_tlog_hash_equal(&c.root, &root));
	T_EQ(vitrine_tlog_checkpoint_parse(text, size - 1, &c, &e), VITRINE_TLOG_MALFORMED);
	T_TRUE(strstr(e.text, "tlog-checkpoint: "));
	vitrine_tlog_free(text);
	T_EQ(vitrine_tlog_checkpoint_format("", 1, &root, &none, &size, &e), VITRINE_TLOG_MALFORMED);
	T_EQ(vitrine_tlog_checkpoint_format("a\nb", 1, &root, &none, &size, &e),
	     VITRINE_TLOG_MALFORMED);
	T_EQ(vitrine_tlog_checkpoint_format("a", 0, &root, &none, &size, &e), VITRINE_TLOG_MALFORMED);
	T_TRUE(!none);
}

/* A log, a witness, and a checkpoint that both signed. */
struct world {
	vitrine_tlog_signer *log, *witness;
	char *text, *note;
	size_t text_size, note_size;
};

static void make_world(struct world *w)
{
	struct vitrine_tlog_hash root = root_of(ENTRIES);
	*w = (struct world){new_signer(1, "log.example", VITRINE_TLOG_ED25519),
	                    new_signer(2, "witness.example", VITRINE_TLOG_COSIGNATURE_ED25519)};
	const vitrine_tlog_signer *both[] = {w->log, w->witness};
	T_EQ(vitrine_tlog_checkpoint_format("log.example", ENTRIES, &root, &w->text, &w->text_size,
	                                    NULL),
	     VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_note_format(w->text, w->text_size, both, 2, TIME, &w->note, &w->note_size,
	                              NULL),
	     VITRINE_TLOG_OK);
}

static void free_world(struct world *w)
{
	vitrine_tlog_signer_free(w->log);
	vitrine_tlog_signer_free(w->witness);
	vitrine_tlog_free(w->text);
	vitrine_tlog_free(w->note);
}

static void notes_are_verified_by_the_keys_that_signed(void)
{
	struct world w;
	struct vitrine_tlog_signature s;
	struct vitrine_tlog_error e;
	vitrine_tlog_note *n = NULL;
	uint64_t time = 1;
	make_world(&w);
	T_EQ(vitrine_tlog_note_parse(w.note, w.note_size, &n, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_note_text(n).size, w.text_size);
	T_EQ(vitrine_tlog_note_signature_count(n), 2);
	T_EQ(vitrine_tlog_note_signature(n, 1, &s), VITRINE_TLOG_OK);
	T_TRUE(s.name.size == 15 && !memcmp(s.name.data, "witness.example", 15));
	T_EQ(s.id, vitrine_tlog_key_id(vitrine_tlog_signer_key(w.witness)));
	T_EQ(vitrine_tlog_note_signature(n, 2, &s), VITRINE_TLOG_NOT_FOUND);
	T_EQ(vitrine_tlog_note_verify(n, vitrine_tlog_signer_key(w.log), &time, &e), VITRINE_TLOG_OK);
	T_EQ(time, 0);
	T_EQ(vitrine_tlog_note_verify(n, vitrine_tlog_signer_key(w.witness), &time, &e),
	     VITRINE_TLOG_OK);
	T_EQ(time, TIME);
	vitrine_tlog_signer *other = new_signer(3, "log.example", VITRINE_TLOG_ED25519);
	T_EQ(vitrine_tlog_note_verify(n, vitrine_tlog_signer_key(other), NULL, &e),
	     VITRINE_TLOG_NOT_FOUND);
	vitrine_tlog_signer_free(other);
	vitrine_tlog_note_free(n);
	w.note[0] = 'L';
	T_EQ(vitrine_tlog_note_parse(w.note, w.note_size, &n, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_note_verify(n, vitrine_tlog_signer_key(w.log), &time, &e),
	     VITRINE_TLOG_BAD_SIGNATURE);
	T_EQ(time, TIME);
	vitrine_tlog_note_free(n);
	free_world(&w);
}

static void lines_of_a_witness_are_verified_over_the_text(void)
{
	struct world w;
	struct vitrine_tlog_error e;
	vitrine_tlog_note *n = NULL;
	char *line = NULL;
	size_t size = 0;
	make_world(&w);
	T_EQ(vitrine_tlog_sign(w.witness, w.text, w.text_size, 0, &line, &size, &e),
	     VITRINE_TLOG_MALFORMED);
	T_EQ(vitrine_tlog_sign(w.witness, w.text, w.text_size, TIME, &line, &size, &e),
	     VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_note_parse_lines(w.text, w.text_size, line, size, &n, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_note_verify(n, vitrine_tlog_signer_key(w.witness), NULL, &e),
	     VITRINE_TLOG_OK);
	vitrine_tlog_note_free(n);
	n = NULL;
	T_EQ(vitrine_tlog_note_parse_lines(w.text, w.text_size, line, size - 1, &n, &e),
	     VITRINE_TLOG_MALFORMED);
	T_EQ(vitrine_tlog_note_parse_lines(w.text, w.text_size, NULL, 0, &n, &e),
	     VITRINE_TLOG_MALFORMED);
	T_TRUE(!n);
	vitrine_tlog_free(line);
	free_world(&w);
}

static vitrine_tlog_policy *policy_of_vectors(void)
{
	struct file f;
	struct vitrine_tlog_error e = {VITRINE_TLOG_OK, 0, ""};
	vitrine_tlog_policy *p = NULL;
	read_file("policy.txt", &f);
	if (vitrine_tlog_policy_parse(f.data, f.size, &p, &e) != VITRINE_TLOG_OK) {
		printf("policy.txt: %s\n", e.text);
		exit(1);
	}
	return p;
}

static void a_policy_tells_who_is_in_it(void)
{
	vitrine_tlog_policy *p = policy_of_vectors();
	struct vitrine_tlog_party party;
	char *words = NULL;
	size_t size = 0;
	T_EQ(vitrine_tlog_policy_log_count(p), 1);
	T_EQ(vitrine_tlog_policy_witness_count(p), 3);
	T_EQ(vitrine_tlog_policy_log(p, 0, &party), VITRINE_TLOG_OK);
	T_STR(party.name, "log.example.org/av-updates");
	T_TRUE(!party.url);
	T_EQ(vitrine_tlog_policy_log(p, 1, &party), VITRINE_TLOG_NOT_FOUND);
	T_EQ(vitrine_tlog_policy_witness(p, 2, &party), VITRINE_TLOG_OK);
	T_STR(party.name, "w3");
	T_STR(vitrine_tlog_key_name(party.key), "witness3.example.net");
	T_EQ(vitrine_tlog_policy_witness(p, 3, &party), VITRINE_TLOG_NOT_FOUND);
	T_EQ(vitrine_tlog_policy_quorum(p, &words, &size), VITRINE_TLOG_OK);
	T_STR(words, "2 of w1, w2, w3");
	T_TRUE(vitrine_tlog_policy_quorum_met(p, (bool[]){true, false, true}));
	T_TRUE(!vitrine_tlog_policy_quorum_met(p, (bool[]){true, false, false}));
	vitrine_tlog_free(words);
	vitrine_tlog_policy_free(p);
}

static void a_malformed_policy_is_refused_with_line_and_offset(void)
{
	vitrine_tlog_policy *p = NULL;
	struct vitrine_tlog_error e;
	T_EQ(vitrine_tlog_policy_parse("#\nquorum x\n", 11, &p, &e), VITRINE_TLOG_MALFORMED);
	T_EQ(e.status, VITRINE_TLOG_MALFORMED);
	T_EQ(e.offset, 2);
	T_STR(e.text, "policy: line 2: \"x\" is not defined on an earlier line");
	T_TRUE(!p);
}

static const struct {
	const char *name;
	unsigned leaf;
	enum vitrine_tlog_status status;
} proofs[] = {
	{"ok-0", 0, VITRINE_TLOG_OK},
	{"ok-255", 255, VITRINE_TLOG_OK},
	{"ok-256", 256, VITRINE_TLOG_OK},
	{"ok-256-extra", 256, VITRINE_TLOG_OK},
	{"ok-299", 299, VITRINE_TLOG_OK},
	{"ok-299", 298, VITRINE_TLOG_BAD_PROOF},
	{"bad-crlf", 256, VITRINE_TLOG_MALFORMED},
	{"bad-dup-hash", 256, VITRINE_TLOG_BAD_PROOF},
	{"bad-dup-witness1", 256, VITRINE_TLOG_BAD_SIGNATURE},
	{"bad-leading-zero-index", 256, VITRINE_TLOG_MALFORMED},
	{"bad-missing-hash", 256, VITRINE_TLOG_BAD_PROOF},
	{"bad-no-header", 256, VITRINE_TLOG_MALFORMED},
	{"bad-plus-index", 256, VITRINE_TLOG_MALFORMED},
	{"bad-quorum-1-of-3", 256, VITRINE_TLOG_BAD_SIGNATURE},
	{"bad-size-leading-zero", 256, VITRINE_TLOG_MALFORMED},
	{"bad-trailing-garbage", 256, VITRINE_TLOG_MALFORMED},
	{"bad-wrong-index", 256, VITRINE_TLOG_BAD_PROOF},
	{"bad-wrong-origin", 256, VITRINE_TLOG_NOT_FOUND},
};

#define NPROOFS (sizeof proofs / sizeof proofs[0])

static bool check_proof(const vitrine_tlog_policy *p, size_t i, struct vitrine_tlog_verdict *v,
                        struct vitrine_tlog_error *e)
{
	struct file f;
	char name[80];
	snprintf(name, sizeof name, "tlog-proof/%s.tlog-proof", proofs[i].name);
	read_file(name, &f);
	return vitrine_tlog_offline_proof_check(p, f.data, f.size, &leaf[proofs[i].leaf], v, e) ==
	       proofs[i].status;
}

static void offline_proofs_of_the_vectors_are_judged_right(void)
{
	vitrine_tlog_policy *p = policy_of_vectors();
	for (size_t i = 0; i < NPROOFS; i++) {
		struct vitrine_tlog_verdict v = {.log = 77};
		struct vitrine_tlog_error e = {VITRINE_TLOG_OK, 0, ""};
		bool ok = proofs[i].status == VITRINE_TLOG_OK;
		if (!check_proof(p, i, &v, &e))
			T_FAIL("%s: %d %s", proofs[i].name, e.status, e.text);
		T_EQ(v.log, ok ? 0 : 77);
		T_EQ(v.cosigned_count, ok ? 3 : 0);
		T_EQ(v.checkpoint.size, ok ? ENTRIES : 0);
		T_EQ(e.status, proofs[i].status);
		T_TRUE(ok == (e.text[0] == 0));
		T_TRUE(check_proof(p, i, NULL, NULL));
	}
	vitrine_tlog_policy_free(p);
}

static void an_offline_proof_is_written_as_it_was_read(void)
{
	struct file f;
	struct vitrine_tlog_offline_proof p;
	struct vitrine_tlog_error e;
	char *text = NULL;
	size_t size = 0;
	read_file("tlog-proof/ok-256-extra.tlog-proof", &f);
	T_EQ(vitrine_tlog_offline_proof_parse(f.data, f.size, &p, &e), VITRINE_TLOG_OK);
	T_EQ(p.index, 256);
	T_EQ(p.path.count, 7);
	T_TRUE(p.has_extra && p.extra_base64.size == 8 && !memcmp(p.extra_base64.data, "aGVsbG8=", 8));
	T_EQ(vitrine_tlog_offline_proof_format("hello", 5, p.index, p.path.hash, p.path.count,
	                                       p.checkpoint.data, p.checkpoint.size, &text, &size, &e),
	     VITRINE_TLOG_OK);
	T_TRUE(size == f.size && !memcmp(text, f.data, size));
	vitrine_tlog_free(text);
	text = NULL;
	T_EQ(vitrine_tlog_offline_proof_format(NULL, 0, p.index, p.path.hash, p.path.count,
	                                       p.checkpoint.data, p.checkpoint.size - 1, &text, &size,
	                                       &e),
	     VITRINE_TLOG_MALFORMED);
	T_TRUE(!text);
}

static void a_checkpoint_is_judged_by_a_policy_of_its_keys(void)
{
	struct world w;
	struct vitrine_tlog_verdict v;
	struct vitrine_tlog_error e;
	vitrine_tlog_policy *p = NULL;
	char text[512], *log_key = NULL, *witness_key = NULL;
	size_t n;
	make_world(&w);
	T_EQ(vitrine_tlog_key_format(vitrine_tlog_signer_key(w.log), &log_key, &n), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_key_format(vitrine_tlog_signer_key(w.witness), &witness_key, &n),
	     VITRINE_TLOG_OK);
	int len = snprintf(text, sizeof text, "log %s\nwitness w %s\nquorum w\n", log_key, witness_key);
	T_EQ(vitrine_tlog_policy_parse(text, (size_t)len, &p, &e), VITRINE_TLOG_OK);
	T_EQ(vitrine_tlog_policy_check(p, w.note, w.note_size, &v, &e), VITRINE_TLOG_OK);
	T_EQ(v.time[0], TIME);
	T_TRUE(v.checkpoint.origin.data == (const uint8_t *)w.note);
	w.note[w.note_size - 8] ^= 1;
	T_EQ(vitrine_tlog_policy_check(p, w.note, w.note_size, &v, &e), VITRINE_TLOG_BAD_SIGNATURE);
	vitrine_tlog_policy_free(p);
	vitrine_tlog_free(log_key);
	vitrine_tlog_free(witness_key);
	free_world(&w);
}

static void *check_many(void *policy)
{
	size_t right = 0;
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < NPROOFS; i++) {
			struct vitrine_tlog_verdict v;
			struct vitrine_tlog_error e;
			right += check_proof(policy, i, &v, &e);
		}
	return right == 20 * NPROOFS ? policy : NULL;
}

static void threads_share_a_policy(void)
{
	vitrine_tlog_policy *p = policy_of_vectors();
	pthread_t t[4];
	for (size_t i = 0; i < 4; i++)
		T_EQ(pthread_create(&t[i], NULL, check_many, p), 0);
	for (size_t i = 0; i < 4; i++) {
		void *ret = NULL;
		T_EQ(pthread_join(t[i], &ret), 0);
		T_TRUE(ret == p);
	}
	vitrine_tlog_policy_free(p);
}

int main(void)
{
	make_leaves();
	T_RUN(statuses_have_their_numbers_and_words);
	T_RUN(a_growing_tree_has_the_roots_of_the_definition);
	T_RUN(proofs_made_are_proofs_that_check);
	T_RUN(wrong_arguments_of_proofs_are_refused);
	T_RUN(tiles_give_the_same_proofs);
	T_RUN(a_tile_that_is_not_there_is_named);
	T_RUN(paths_of_tiles_have_one_spelling);
	T_RUN(a_tile_is_exactly_as_long_as_it_is_wide);
	T_RUN(bundles_are_read_as_they_are_written);
	T_RUN(keys_are_read_as_they_are_written);
	T_RUN(only_keys_that_can_sign_are_made);
	T_RUN(checkpoints_are_read_as_they_are_written);
	T_RUN(notes_are_verified_by_the_keys_that_signed);
	T_RUN(lines_of_a_witness_are_verified_over_the_text);
	T_RUN(a_policy_tells_who_is_in_it);
	T_RUN(a_malformed_policy_is_refused_with_line_and_offset);
	T_RUN(offline_proofs_of_the_vectors_are_judged_right);
	T_RUN(an_offline_proof_is_written_as_it_was_read);
	T_RUN(a_checkpoint_is_judged_by_a_policy_of_its_keys);
	T_RUN(threads_share_a_policy);
	return t_end();
}
