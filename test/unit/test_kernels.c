/* Every kernel of this machine against the reference: it must name the same offsets, and touch no
 * byte that the contract (match/kernels.h) does not give it. Data and filters stand between pages
 * that may not be read. */
#include "test/t.h"

#include "db/gram.h"
#include "guard.h"
#include "match/cpu.h"
#include "match/kernels.h"

#define DATA_PAGES ((size_t)MATCH_BLOCK / GUARD_PAGE + 1)
#define BLOOM_PAGES (((size_t)8 << BLOOM_LOG2_MAX) / GUARD_PAGE)
#define LEFT UINT32_C(0xdeadbeef) /* behind the slack of a result */

static uint64_t seed;
static struct guard data, bloom;

static const struct {
	uint32_t mask;
	const char *name;
} levels[] = {{0, "scalar"}, {CPU_AVX2, "avx2"}, {CPU_AVX2 | CPU_AVX512, "avx512"}};
#define LEVELS (sizeof levels / sizeof levels[0])

static bool have_level(size_t i)
{
	return (cpu_flags() & levels[i].mask) == levels[i].mask;
}

static uint64_t below(uint64_t n)
{
	return t_rand(&seed) % n;
}

/* From all bytes equal to all bytes random; text has both cases, so that folding matters. */
static void fill_data(unsigned kind)
{
	static const char text[] = "AbAbaBcz {[\0\x80";
	for (uint8_t *p = data.begin; p < data.end; p++) {
		uint64_t r = t_rand(&seed);
		switch (kind) {
		case 0:
			*p = 0;
			break;
		case 1:
			*p = (uint8_t)(r & 1 ? 'a' : 'A');
			break;
		case 2:
			*p = (uint8_t)text[r % (sizeof text - 1)];
			break;
		case 3:
			*p = r % 16 ? 0xff : (uint8_t)(r >> 8);
			break;
		default:
			*p = (uint8_t)(r >> 8);
		}
	}
}

static size_t word_size(enum db_class_id id)
{
	return gram_class(id).len == 8 ? 8 : 4;
}

/* The tables of the one filter there is. */
static struct nibbles nibbles;

/* A filter of 2^log2 words that ends at the forbidden page; `density` of 8 bits are set. */
static struct match_class make_filter(enum db_class_id id, uint32_t log2, unsigned density)
{
	size_t bytes = word_size(id) << log2;
	uint8_t *at = bloom.end - bytes;
	for (size_t i = 0; i < bytes; i++) {
		at[i] = 0;
		for (unsigned b = 0; b < 8; b++)
			if (below(8) < density)
				at[i] |= (uint8_t)(1u << b);
	}
	if (id == DB_CLASS_2_1)
		nibbles_make((const uint32_t *)(const void *)at, &nibbles);
	return (struct match_class){.id = id, .bloom_log2 = log2, .bloom = at, .nibbles = &nibbles};
}

/* Puts a gram in, as the compiler does. */
static void set_gram(const struct match_class *c, const uint8_t *p)
{
	struct gram g = gram_of(c->id, p);
	uint64_t *w64 = (uint64_t *)(uintptr_t)c->bloom;
	uint32_t *w32 = (uint32_t *)(uintptr_t)c->bloom, log2 = c->bloom_log2;
	struct pair even = pair_even(g.check), odd = pair_odd(g.check);
	switch (c->id) {
	case DB_CLASS_8_8:
	case DB_CLASS_8_4:
		w64[bloom_word(g.y, log2)] |= bloom_mask64(g.y);
		break;
	case DB_CLASS_4_1:
		w32[bloom_word(even.y, log2)] |= even.mask;
		w32[bloom_word(odd.y, log2)] |= odd.mask;
		break;
	case DB_CLASS_2_1:
		w32[bloom_word(g.y, log2)] |= bloom_mask2(g.y);
		nibbles_make(w32, &nibbles);
		break;
	default:
		w32[bloom_word(g.y, log2)] |= bloom_mask32(g.y);
	}
}

static uint32_t want[MATCH_CANDIDATES], got[MATCH_CANDIDATES + 1];

/* Probes [from, to) of the bytes at `base` with every level. */
static void levels_agree(const struct match_class *c, const uint8_t *base, size_t from, size_t to)
{
	size_t n = match_ref(c, base, from, to, want);
	for (size_t i = 0; i < LEVELS; i++) {
		if (!have_level(i))
			continue;
		struct kernels k = kernels_select(levels[i].mask);
		got[n < MATCH_BLOCK ? n + MATCH_SLACK : MATCH_CANDIDATES] = LEFT;
		size_t m = k.probe[c->id](c, base, from, to, got);
		if (m != n || memcmp(got, want, n * sizeof *got) != 0)
			T_FAIL("%s: class %d, [%zu, %zu), filter 2^%u: %zu offsets, not %zu", k.name, c->id,
			       from, to, c->bloom_log2, m, n);
		if (got[n < MATCH_BLOCK ? n + MATCH_SLACK : MATCH_CANDIDATES] != LEFT)
			T_FAIL("%s: class %d, [%zu, %zu): wrote behind its slack", k.name, c->id, from, to);
	}
}

/* The last gram of [from, to) ends at the last byte that may be read. */
static const uint8_t *base_at_end(enum db_class_id id, size_t to)
{
	return data.end - (to + gram_class(id).len - 1);
}

static uint32_t any_log2(enum db_class_id id)
{
	return id == DB_CLASS_2_1 ? BLOOM2_LOG2 : (uint32_t)below(13);
}

static void every_start_and_length_gives_what_the_reference_gives(void)
{
	fill_data(2);
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		struct match_class c = make_filter(id, any_log2(id), 5);
		for (size_t from = 0; from < 72; from++)
			for (size_t n = 0; n < 140; n++) {
				levels_agree(&c, data.begin, from, from + n);
				levels_agree(&c, base_at_end(id, from + n), from, from + n);
			}
	}
}

static void every_address_of_the_data_gives_what_the_reference_gives(void)
{
	fill_data(4);
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		struct match_class c = make_filter(id, any_log2(id), 6);
		for (size_t at = 0; at < 64; at++)
			for (unsigned i = 0; i < 20; i++) {
				size_t from = below(200), to = from + below(400);
				levels_agree(&c, data.begin + at, from, to);
				levels_agree(&c, base_at_end(id, to) - at, from, to);
			}
	}
}

static void random_data_and_filters_give_what_the_reference_gives(void)
{
	for (unsigned round = 0; round < 120; round++) {
		fill_data(round % 6);
		for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
			struct match_class c = make_filter(id, any_log2(id), (unsigned)below(9));
			size_t to = below(MATCH_BLOCK), from = below(to + 1);
			levels_agree(&c, base_at_end(id, to), from, to);
		}
	}
}

/* Sizes that a database may have, up to the largest. */
static void every_size_of_filter_gives_what_the_reference_gives(void)
{
	fill_data(4);
	for (enum db_class_id id = 0; id < DB_CLASSES; id++)
		for (uint32_t log2 = 0; log2 <= BLOOM_LOG2_MAX; log2 += log2 < 4 ? 1 : 4) {
			uint32_t use = id == DB_CLASS_2_1 ? BLOOM2_LOG2 : log2;
			struct match_class c = make_filter(id, use, log2 > 12 ? 1 : 4);
			for (unsigned i = 0; i < 200; i++)
				set_gram(&c, data.begin + below(MATCH_BLOCK - 8));
			levels_agree(&c, data.begin, 0, MATCH_BLOCK);
		}
}

static void an_empty_filter_passes_nothing_and_a_full_one_everything(void)
{
	fill_data(4);
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		size_t stride = gram_class(id).stride;
		struct match_class none = make_filter(id, any_log2(id), 0);
		levels_agree(&none, data.begin, 0, MATCH_BLOCK);
		T_EQ(match_ref(&none, data.begin, 0, MATCH_BLOCK, want), 0);
		struct match_class all = make_filter(id, any_log2(id), 8);
		levels_agree(&all, base_at_end(id, MATCH_BLOCK), 0, MATCH_BLOCK);
		T_EQ(match_ref(&all, data.begin, 0, MATCH_BLOCK, want), MATCH_BLOCK / stride);
		for (size_t i = 0; i < MATCH_BLOCK / stride; i++)
			if (want[i] != i * stride)
				T_FAIL("class %d: offset %zu is %u", id, i, want[i]);
	}
}

/* What is in the filter is never lost: an anchor found nowhere would be a missed signature. */
static void an_indexed_gram_is_found_at_every_offset_of_its_stride(void)
{
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		size_t stride = gram_class(id).stride;
		for (unsigned round = 0; round < 40; round++) {
			fill_data(4);
			struct match_class c = make_filter(id, any_log2(id), 0);
			size_t at = below(MATCH_BLOCK / stride) * stride;
			set_gram(&c, data.begin + at);
			size_t n = match_ref(&c, data.begin, 0, MATCH_BLOCK, want);
			bool there = false;
			for (size_t i = 0; i < n; i++)
				there |= want[i] == at;
			if (!there)
				T_FAIL("class %d: the gram at %zu is lost", id, at);
			levels_agree(&c, data.begin, 0, MATCH_BLOCK);
		}
	}
}

/* A filter with n two-byte grams: of the data, or any. */
static struct match_class few_grams(unsigned n, bool of_data)
{
	struct match_class c = make_filter(DB_CLASS_2_1, BLOOM2_LOG2, 0);
	for (unsigned i = 0; i < n; i++) {
		uint8_t any[8] = {(uint8_t)below(256), (uint8_t)below(256)};
		set_gram(&c, of_data ? data.begin + below(MATCH_BLOCK - 8) : any);
	}
	return c;
}

/* With few grams the kernels go by nibble tables, with many by the filter alone. */
static void two_byte_grams_of_any_number_are_found_at_every_offset(void)
{
	for (unsigned n = 0; n <= 300; n = n * 3 / 2 + 1)
		for (unsigned kind = 1; kind < 6; kind++) {
			fill_data(kind);
			struct match_class c = few_grams(n, n % 2);
			levels_agree(&c, base_at_end(c.id, MATCH_BLOCK), 0, MATCH_BLOCK);
			for (unsigned i = 0; i < 300; i++) {
				size_t from = below(200), to = from + below(200);
				levels_agree(&c, data.begin + below(64), from, to);
				levels_agree(&c, base_at_end(c.id, to), from, to);
			}
		}
}

static bool in_tables(const uint8_t *p)
{
	return (nibbles.lo[0][p[0] & 15] & nibbles.hi[0][p[0] >> 4] & nibbles.lo[1][p[1] & 15] &
	        nibbles.hi[1][p[1] >> 4]) != 0;
}

/* Counts the pairs of bytes that the tables let through; all whose gram is in the filter are among
 * them. */
static size_t passing_pairs(const struct match_class *c)
{
	size_t passed = 0;
	for (unsigned v = 0; v <= UINT16_MAX; v++) {
		const uint8_t pair[8] = {(uint8_t)v, (uint8_t)(v >> 8)};
		bool has = match_ref(c, pair, 0, 1, want) == 1, passes = in_tables(pair);
		if (has && !passes)
			T_FAIL("%02x%02x is lost", pair[0], pair[1]);
		passed += passes;
	}
	return passed;
}

static void nibble_tables_let_every_gram_of_their_filter_through(void)
{
	for (unsigned n = 0; n <= 40; n++) {
		struct match_class c = few_grams(n, n % 2);
		passing_pairs(&c);
		if (n <= 20)
			T_TRUE(nibbles.few);
	}
}

/* Each has a bucket of its own, and a byte has two foldings. */
static void nibble_tables_are_exact_for_eight_first_bytes(void)
{
	struct match_class c = few_grams(0, false);
	for (unsigned n = 1; n <= NIBBLE_BUCKETS; n++) {
		const uint8_t gram[8] = {(uint8_t)(0x60 + 3 * n), (uint8_t)below(256)};
		set_gram(&c, gram);
		T_EQ(passing_pairs(&c), 4 * n);
	}
}

static void tables_that_keep_little_out_are_not_used(void)
{
	T_TRUE(few_grams(4000, false).nibbles == &nibbles);
	T_TRUE(!nibbles.few);
	make_filter(DB_CLASS_2_1, BLOOM2_LOG2, 8);
	T_TRUE(!nibbles.few);
}

static void letters_of_either_case_are_the_same_gram(void)
{
	for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
		struct match_class c = make_filter(id, any_log2(id), 0);
		memcpy(data.begin, "ordinary", 8);
		set_gram(&c, data.begin);
		memcpy(data.begin, "oRDInARy", 8);
		T_EQ(match_ref(&c, data.begin, 0, 1, want), 1);
		levels_agree(&c, data.begin, 0, 1);
	}
}

static void a_mask_chooses_the_level(void)
{
	T_STR(kernels_select(0).name, "scalar");
	for (size_t i = 0; i < LEVELS; i++) {
		uint32_t mask;
		T_EQ(cpu_mask_by_name(levels[i].name, &mask), 0);
		T_EQ(mask, levels[i].mask);
		if (have_level(i))
			T_STR(kernels_select(mask).name, levels[i].name);
		else
			printf("  this machine has no %s\n", levels[i].name);
	}
}

int main(void)
{
	seed = t_seed(20181111);
	data = guard_new(DATA_PAGES);
	bloom = guard_new(BLOOM_PAGES);
	T_RUN(every_start_and_length_gives_what_the_reference_gives);
	T_RUN(every_address_of_the_data_gives_what_the_reference_gives);
	T_RUN(random_data_and_filters_give_what_the_reference_gives);
	T_RUN(every_size_of_filter_gives_what_the_reference_gives);
	T_RUN(an_empty_filter_passes_nothing_and_a_full_one_everything);
	T_RUN(an_indexed_gram_is_found_at_every_offset_of_its_stride);
	T_RUN(two_byte_grams_of_any_number_are_found_at_every_offset);
	T_RUN(nibble_tables_let_every_gram_of_their_filter_through);
	T_RUN(nibble_tables_are_exact_for_eight_first_bytes);
	T_RUN(tables_that_keep_little_out_are_not_used);
	T_RUN(letters_of_either_case_are_the_same_gram);
	T_RUN(a_mask_chooses_the_level);
	guard_free(&data);
	guard_free(&bloom);
	return t_end();
}
