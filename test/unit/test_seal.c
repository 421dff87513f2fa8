/* Sealing with a passphrase, secrets in memory, randomness. */
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/secret.h"

#include "hex.h"
#include "test/t.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- scrypt ----------------------------------------------------------------------------------- */

/* RFC 7914, section 12; its fourth vector takes 1 GiB, which is above the limit. */
static const struct {
	const char *pass, *salt;
	struct scrypt_cost cost;
	const char *want;
} rfc7914[] = {
    {"", "", {.n = 16, .r = 1, .p = 1},
     "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
     "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
    {"password", "NaCl", {.n = 1024, .r = 8, .p = 16},
     "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
     "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
    {"pleaseletmein", "SodiumChloride", {.n = 16384, .r = 8, .p = 1},
     "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
     "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
};

static void scrypt_gives_what_rfc_7914_says(void)
{
	for (size_t i = 0; i < sizeof rfc7914 / sizeof rfc7914[0]; i++) {
		uint8_t want[64], got[64];
		hex_bytes(rfc7914[i].want, want, sizeof want);
		T_EQ(scrypt_derive(&rfc7914[i].cost, rfc7914[i].pass, strlen(rfc7914[i].pass),
		                   rfc7914[i].salt, strlen(rfc7914[i].salt), got, sizeof got, NULL),
		     ST_OK);
		T_MEM(got, want, sizeof want);
	}
}

static st_t check_cost(uint64_t n, uint32_t r, uint32_t p)
{
	return scrypt_cost_check(&(struct scrypt_cost){.n = n, .r = r, .p = p}, NULL);
}

static void what_is_no_parameter_of_scrypt_is_refused(void)
{
	T_EQ(check_cost(0, 8, 1), ST_MALFORMED);
	T_EQ(check_cost(1, 8, 1), ST_MALFORMED);
	T_EQ(check_cost(1000, 8, 1), ST_MALFORMED);
	T_EQ(check_cost(1024, 0, 1), ST_MALFORMED);
	T_EQ(check_cost(1024, 8, 0), ST_MALFORMED);
	T_EQ(check_cost(65536, 1, 1), ST_MALFORMED);
	T_EQ(check_cost(32768, 1, 1), ST_OK);
}

static void scrypt_cannot_be_made_to_eat_memory_or_time(void)
{
	T_EQ(check_cost((uint64_t)1 << 17, 8, 1), ST_OK);
	T_EQ(check_cost((uint64_t)1 << 18, 8, 1), ST_OK);
	T_EQ(check_cost((uint64_t)1 << 19, 8, 1), ST_LIMIT);
	T_EQ(check_cost((uint64_t)1 << 17, 16, 1), ST_OK);
	T_EQ(check_cost((uint64_t)1 << 17, 8, 4), ST_OK);
	T_EQ(check_cost((uint64_t)1 << 17, 8, 5), ST_LIMIT);
	T_EQ(check_cost((uint64_t)1 << 63, 8, 1), ST_LIMIT);
	T_EQ(check_cost(2, UINT32_MAX, 1), ST_LIMIT);
	T_EQ(check_cost(2, 8, UINT32_MAX), ST_LIMIT);
}

/* Whatever passes the check can be computed: no number in between overflows or is refused. */
static void the_largest_cost_allowed_works(void)
{
	uint8_t out[32];
	struct scrypt_cost most = {.n = (uint64_t)1 << 18, .r = 8, .p = 1};
	T_EQ(scrypt_derive(&most, "x", 1, "y", 1, out, sizeof out, NULL), ST_OK);
	most = (struct scrypt_cost){.n = (uint64_t)1 << 13, .r = 32, .p = 16};
	T_EQ(scrypt_derive(&most, "x", 1, "y", 1, out, sizeof out, NULL), ST_OK);
}

/* -- sealing ---------------------------------------------------------------------------------- */

static const struct seal cheap = {.cost = {.n = 16, .r = 1, .p = 1}, .salt = {1}, .nonce = {2}};

static st_t open_with(const struct seal *s, const char *pass, const char *clear,
                      const uint8_t sealed[32], uint8_t ret[16])
{
	return seal_open(s, pass, strlen(pass), clear, strlen(clear), sealed, 32, ret, NULL);
}

static void what_was_sealed_opens_with_its_passphrase_and_clear_text_only(void)
{
	uint8_t sealed[32], text[16], zero[16] = {0};
	T_EQ(seal_close(&cheap, "pw", 2, "clear", 5, (const uint8_t *)"sixteen letters!", 16, sealed,
	                NULL),
	     ST_OK);
	T_EQ(open_with(&cheap, "pw", "clear", sealed, text), ST_OK);
	T_MEM(text, "sixteen letters!", 16);
	T_EQ(open_with(&cheap, "pW", "clear", sealed, text), ST_BAD_SUM);
	T_MEM(text, zero, sizeof zero);
	T_EQ(open_with(&cheap, "pw", "Clear", sealed, text), ST_BAD_SUM);
	T_EQ(open_with(&cheap, "pw", "", sealed, text), ST_BAD_SUM);
	struct seal other = cheap;
	other.salt[31] = 1;
	T_EQ(open_with(&other, "pw", "clear", sealed, text), ST_BAD_SUM);
	other = cheap;
	other.nonce[11] = 1;
	T_EQ(open_with(&other, "pw", "clear", sealed, text), ST_BAD_SUM);
	other = cheap;
	other.cost.p = 2;
	T_EQ(open_with(&other, "pw", "clear", sealed, text), ST_BAD_SUM);
}

static void each_bit_of_what_was_sealed_counts(void)
{
	uint8_t sealed[32], text[16];
	T_EQ(seal_close(&cheap, "pw", 2, "", 0, (const uint8_t *)"sixteen letters!", 16, sealed, NULL),
	     ST_OK);
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_EQ(open_with(&cheap, "pw", "", sealed, text), ST_BAD_SUM);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	T_EQ(seal_open(&cheap, "pw", 2, "", 0, sealed, 15, text, NULL), ST_TRUNCATED);
}

/* -- secrets ---------------------------------------------------------------------------------- */

/* Every page that is given back in this program passes here. */
static size_t given_back, given_back_dirty;

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static const void *watched;

int munmap(void *p, size_t n)
{
	if (p == watched) {
		given_back++;
		given_back_dirty += !all_zero(p, n);
	}
	return (int)syscall(SYS_munmap, p, n);
}

static void a_secret_is_zeroes_before_its_memory_is_given_back(void)
{
	struct secret s;
	T_EQ(secret_init(&s, 5000, NULL), ST_OK);
	T_TRUE(s.cap >= 5000 && s.len == 0);
	T_TRUE(all_zero(s.data, s.cap));
	memset(s.data, 0xa5, s.cap);
	s.len = s.cap;
	watched = s.data;
	given_back = given_back_dirty = 0;
	secret_done(&s);
	T_EQ(given_back, 1);
	T_EQ(given_back_dirty, 0);
	T_TRUE(!s.data && !s.len && !s.cap);
	secret_done(&s);
	T_EQ(given_back, 1);
}

static void a_wiped_secret_can_be_used_again(void)
{
	struct secret s;
	T_EQ(secret_init(&s, 16, NULL), ST_OK);
	memset(s.data, 0xa5, 16);
	s.len = 16;
	secret_wipe(&s);
	T_EQ(s.len, 0);
	T_TRUE(all_zero(s.data, s.cap));
	s.data[0] = 1;
	secret_done(&s);
	T_EQ(secret_init(&s, 0, NULL), ST_LIMIT);
	T_EQ(secret_init(&s, SIZE_MAX, NULL), ST_LIMIT);
}

static void a_child_sees_no_secret(void)
{
	struct secret s;
	int status = -1;
	T_EQ(secret_init(&s, 16, NULL), ST_OK);
	memset(s.data, 0xa5, 16);
	pid_t child = fork();
	if (child == 0)
		_exit(all_zero(s.data, s.cap) ? 0 : 1);
	T_EQ(waitpid(child, &status, 0), child);
	T_EQ(status, 0);
	secret_done(&s);
}

/* Whether /proc/self/smaps has this flag for the page. */
static bool page_has_flag(const void *p, const char *flag)
{
	char line[512], head[32];
	bool here = false, found = false;
	FILE *f = fopen("/proc/self/smaps", "r");
	int n = snprintf(head, sizeof head, "%lx-", (unsigned long)(uintptr_t)p);
	while (f && fgets(line, sizeof line, f)) {
		here |= !strncmp(line, head, (size_t)n);
		if (here && !strncmp(line, "VmFlags:", 8)) {
			found = strstr(line, flag) != NULL;
			break;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void a_secret_is_in_no_core_dump(void)
{
	struct secret s;
	T_EQ(secret_init(&s, 16, NULL), ST_OK);
	T_TRUE(page_has_flag(s.data, " dd"));
	secret_done(&s);
}

/* -- randomness ------------------------------------------------------------------------------- */

static void the_system_s_randomness_fills_all_and_differs(void)
{
	static uint8_t a[100000], b[100000];
	T_EQ(random_fill(&random_system, a, sizeof a, NULL), ST_OK);
	T_EQ(random_fill(&random_system, b, sizeof b, NULL), ST_OK);
	T_TRUE(memcmp(a, b, sizeof a) != 0);
	T_TRUE(!all_zero(a + sizeof a - 16, 16));
	T_EQ(random_fill(&random_system, a, 0, NULL), ST_OK);
}

int main(void)
{
	T_RUN(scrypt_gives_what_rfc_7914_says);
	T_RUN(what_is_no_parameter_of_scrypt_is_refused);
	T_RUN(scrypt_cannot_be_made_to_eat_memory_or_time);
	T_RUN(the_largest_cost_allowed_works);
	T_RUN(what_was_sealed_opens_with_its_passphrase_and_clear_text_only);
	T_RUN(each_bit_of_what_was_sealed_counts);
	T_RUN(a_secret_is_zeroes_before_its_memory_is_given_back);
	T_RUN(a_wiped_secret_can_be_used_again);
	T_RUN(a_child_sees_no_secret);
	T_RUN(a_secret_is_in_no_core_dump);
	T_RUN(the_system_s_randomness_fills_all_and_differs);
	return t_end();
}
