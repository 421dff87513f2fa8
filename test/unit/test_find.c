/* find_literal() against a search that cannot be wrong, with the bytes that it may read between
 * pages that it may not. */
#include "test/t.h"

#include "guard.h"
#include "match/cpu.h"
#include "match/kernels.h"

static uint64_t seed;
static struct guard hay;

static uint64_t below(uint64_t n)
{
	return t_rand(&seed) % n;
}

static size_t naive(const uint8_t *h, size_t from, size_t to, const uint8_t *lit, size_t n,
                    bool folded)
{
	uint8_t bit = folded ? 0x20 : 0;
	for (size_t p = from; p <= to; p++) {
		size_t i = 0;
		while (i < n && (h[p + i] | bit) == (lit[i] | bit))
			i++;
		if (i == n)
			return p;
	}
	return FIND_NONE;
}

/* Few different bytes, so that beginnings and ends agree often; both cases. */
static void fill(uint8_t *p, size_t n, uint64_t alphabet)
{
	static const uint8_t bytes[] = {'a', 'A', 'b', 0, 0xff, '[', '{', 0x80, '@', '`'};
	for (size_t i = 0; i < n; i++)
		p[i] = alphabet < 256 ? bytes[below(alphabet)] : (uint8_t)below(256);
}

/* The last literal that could be there ends at the last byte that may be read. */
static void check(size_t from, size_t to, const uint8_t *lit, size_t n, bool folded)
{
	const uint8_t *base = hay.end - (to + n);
	size_t want = naive(base, from, to, lit, n, folded);
	const struct find_what w = {lit, n, {(uint8_t)below(n), (uint8_t)below(n)}, folded};
	static const uint32_t masks[] = {0, CPU_AVX2, CPU_ALL};
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		struct kernels k = kernels_select(masks[i]);
		size_t got = k.find(base, from, to, &w);
		if (got != want)
			T_FAIL("%s [%zu, %zu], %zu bytes%s: at %zu, not %zu", k.name, from, to, n,
			       folded ? ", folded" : "", got, want);
	}
}

static void every_literal_is_found_where_it_is_first(void)
{
	uint8_t lit[64];
	for (unsigned round = 0; round < 60000; round++) {
		uint64_t alphabet = (uint64_t[]){2, 3, 6, 10, 256}[below(5)];
		size_t n = 1 + below(below(2) ? 4 : sizeof lit), from = below(40);
		size_t to = from + below(below(4) ? 90 : 700);
		fill(hay.end - (to + n), to + n, alphabet);
		fill(lit, n, alphabet);
		if (below(2))
			memcpy(lit, hay.end - n - below(to + 1), n);
		check(from, to, lit, n, below(2));
	}
}

static void every_pair_of_start_and_length_is_searched_whole(void)
{
	const uint8_t lit[] = {'x', 'y'};
	for (size_t from = 0; from < 34; from++) {
		for (size_t to = from; to < from + 40; to++) {
			uint8_t *base = hay.end - (to + sizeof lit);
			memset(base, 'x', to + sizeof lit);
			check(from, to, lit, sizeof lit, false);
			for (size_t at = 0; at <= to; at++) {
				base[at + 1] = 'y';
				check(from, to, lit, sizeof lit, false);
				base[at + 1] = 'x';
			}
		}
	}
}

static size_t find_in(const uint8_t *p, size_t from, size_t to, const uint8_t *lit, bool folded)
{
	return find_literal(p, from, to, &(struct find_what){lit, 6, {0, 5}, folded});
}

static void nothing_in_front_of_the_first_byte_is_read(void)
{
	const uint8_t lit[] = "needle";
	memset(hay.begin, 'n', GUARD_PAGE);
	memcpy(hay.begin + 1000, lit, 6);
	T_EQ(find_in(hay.begin, 0, 2000, lit, false), 1000);
	T_EQ(find_in(hay.begin, 0, 999, lit, false), FIND_NONE);
	T_EQ(find_in(hay.begin, 1001, 2000, lit, false), FIND_NONE);
}

static void folding_joins_cases_and_exact_search_does_not(void)
{
	const uint8_t upper[] = "NEEDLE";
	memcpy(hay.begin, "  needle  ", 10);
	T_EQ(find_in(hay.begin, 0, 4, upper, true), 2);
	T_EQ(find_in(hay.begin, 0, 4, upper, false), FIND_NONE);
}

/* Some of the literals stand in the object, one may be the beginning of another. */
static void several_literals_are_found_where_they_are_first(void)
{
	static uint8_t lits[FIND_MANY_MAX][40];
	static const uint32_t masks[] = {0, CPU_AVX2, CPU_ALL};
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t alphabet = (uint64_t[]){2, 3, 6, 10, 256}[below(5)];
		size_t size = below(below(4) ? 100 : 900), first[FIND_MANY_MAX];
		uint8_t *base = hay.end - size;
		struct find_what w[FIND_MANY_MAX];
		unsigned n = 1 + (unsigned)below(FIND_MANY_MAX);
		fill(base, size, alphabet);
		for (unsigned i = 0; i < n; i++) {
			size_t len = FIND_MANY_LEN + below(below(2) ? 4 : sizeof lits[i] - FIND_MANY_LEN);
			fill(lits[i], len, alphabet);
			if (below(2) && size >= len)
				memcpy(lits[i], base + below(size - len + 1), len);
			w[i] = (struct find_what){lits[i], len, {(uint8_t)below(len), (uint8_t)below(len)},
			                          below(2)};
		}
		for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
			struct kernels k = kernels_select(masks[m]);
			k.find_many(base, size, w, n, first);
			for (unsigned i = 0; i < n; i++) {
				size_t want = size < w[i].n ? FIND_NONE
				                            : naive(base, 0, size - w[i].n, w[i].lit, w[i].n,
				                                    w[i].folded);
				if (first[i] != want)
					T_FAIL("%s: literal %u of %u in %zu bytes: at %zu, not %zu", k.name, i, n,
					       size, first[i], want);
			}
		}
	}
}

int main(void)
{
	seed = t_seed(20181112);
	hay = guard_new(1);
	T_RUN(every_literal_is_found_where_it_is_first);
	T_RUN(every_pair_of_start_and_length_is_searched_whole);
	T_RUN(nothing_in_front_of_the_first_byte_is_read);
	T_RUN(folding_joins_cases_and_exact_search_does_not);
	T_RUN(several_literals_are_found_where_they_are_first);
	guard_free(&hay);
	return t_end();
}
