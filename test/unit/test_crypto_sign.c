/* Signatures: Ed25519 against RFC 8032 and at its edges, signers, ML-DSA-44 where there is one. */
#include "crypto/ed25519.h"
#include "crypto/signer.h"

#include "hex.h"
#include "test/t.h"

#include <pthread.h>

struct vector {
	const char *name, *seed, *pub, *msg, *sig;
};

/* RFC 8032, section 7.1 */
static const struct vector rfc8032[] = {
    {"TEST 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"TEST 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"TEST 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
    {"TEST SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
     "ebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431"
     "e0303dca179c138ac17ad9bef1177331a704"},
};
#define NVECTORS (sizeof rfc8032 / sizeof rfc8032[0])

struct made {
	uint8_t seed[ED25519_SEED], pub[ED25519_PUBLIC], msg[64], sig[ED25519_SIGNATURE];
	size_t n;
};

static struct made make(const struct vector *v)
{
	struct made m = {0};
	hex_bytes(v->seed, m.seed, sizeof m.seed);
	hex_bytes(v->pub, m.pub, sizeof m.pub);
	hex_bytes(v->sig, m.sig, sizeof m.sig);
	m.n = hex_bytes(v->msg, m.msg, sizeof m.msg);
	return m;
}

static st_t verify(const struct made *m)
{
	return ed25519_verify(m->pub, m->msg, m->n, m->sig, NULL);
}

static void rfc_8032_signatures_verify(void)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		struct made m = make(&rfc8032[i]);
		T_EQ(verify(&m), ST_OK);
	}
}

static void a_seed_gives_the_key_and_signature_of_rfc_8032(void)
{
	for (size_t i = 0; i < NVECTORS; i++) {
		struct made m = make(&rfc8032[i]);
		struct signer *s;
		uint8_t sig[SIGNER_SIGNATURE_MAX];
		T_EQ(signer_new(SIGNER_ED25519, m.seed, &s, NULL), ST_OK);
		T_EQ(s->npub, ED25519_PUBLIC);
		T_MEM(s->pub, m.pub, ED25519_PUBLIC);
		T_EQ(signer_signature_size(s), ED25519_SIGNATURE);
		T_EQ(signer_sign(s, m.msg, m.n, sig, NULL), ST_OK);
		T_MEM(sig, m.sig, ED25519_SIGNATURE);
		signer_free(s);
	}
}

static void each_bit_of_a_signature_key_and_message_counts(void)
{
	const struct made good = make(&rfc8032[2]);
	for (size_t bit = 0; bit < 8 * ED25519_SIGNATURE; bit++) {
		struct made m = good;
		m.sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_EQ(verify(&m), ST_BAD_SIG);
	}
	for (size_t bit = 0; bit < 8 * ED25519_PUBLIC; bit++) {
		struct made m = good;
		m.pub[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_EQ(verify(&m), ST_BAD_SIG);
	}
	for (size_t bit = 0; bit < 8 * good.n; bit++) {
		struct made m = good;
		m.msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_EQ(verify(&m), ST_BAD_SIG);
	}
}

static void a_longer_or_shorter_message_is_another_one(void)
{
	struct made m = make(&rfc8032[2]);
	m.n++;
	T_EQ(verify(&m), ST_BAD_SIG);
	m.n -= 2;
	T_EQ(verify(&m), ST_BAD_SIG);
}

/* RFC 8032, section 5.1.7: S is "in range 0 <= s < L"; S + L would be a second signature. */
static void a_second_form_of_the_scalar_is_refused(void)
{
	static const char order[] = "edd3f55c1a631258d69cf7a2def9de14"
	                            "00000000000000000000000000000010";
	uint8_t l[32];
	unsigned carry = 0;
	struct made m = make(&rfc8032[0]);
	hex_bytes(order, l, sizeof l);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)m.sig[32 + i] + l[i];
		m.sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	T_EQ(carry, 0);
	T_EQ(verify(&m), ST_BAD_SIG);
}

static void nothing_but_zeroes_or_ones_is_a_signature(void)
{
	struct made m = make(&rfc8032[1]);
	memset(m.sig, 0, sizeof m.sig);
	T_EQ(verify(&m), ST_BAD_SIG);
	memset(m.sig, 0xff, sizeof m.sig);
	T_EQ(verify(&m), ST_BAD_SIG);
}

static st_t verify_raw(const char *pub, const char *r)
{
	struct made m = {.msg = "any message", .n = 11};
	hex_bytes(pub, m.pub, sizeof m.pub);
	hex_bytes(r, m.sig, 32);
	return verify(&m);
}

#define ZEROES_30 "000000000000000000000000000000000000000000000000000000000000"
#define ONES_30 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define NEUTRAL "01" ZEROES_30 "00"

static void a_key_that_is_no_point_verifies_nothing(void)
{
	/* No x belongs to y = 2. */
	T_EQ(verify_raw("02" ZEROES_30 "00", NEUTRAL), ST_BAD_SIG);
}

/* What libcrypto accepts, so that nobody relies on the opposite: a key of small order is a key, and
 * with it one signature fits every message. A policy is trusted to name keys that somebody owns;
 * who publishes such a key gives away their own name and nobody else's. */
static void a_key_of_small_order_is_accepted_as_libcrypto_does(void)
{
	T_EQ(verify_raw(NEUTRAL, NEUTRAL), ST_OK);
	/* y = p + 1, the same point in a form that is not canonical. */
	T_EQ(verify_raw("ee" ONES_30 "7f", NEUTRAL), ST_OK);
}

/* R is compared as bytes, so it has one form only. */
static void another_form_of_r_is_refused(void)
{
	T_EQ(verify_raw(NEUTRAL, "ee" ONES_30 "7f"), ST_BAD_SIG);
	T_EQ(verify_raw(NEUTRAL, "01" ZEROES_30 "80"), ST_BAD_SIG);
}

static void a_signature_is_of_one_key(void)
{
	struct made m = make(&rfc8032[0]), other = make(&rfc8032[1]);
	memcpy(m.pub, other.pub, sizeof m.pub);
	T_EQ(verify(&m), ST_BAD_SIG);
}

struct work {
	const struct signer *s;
	const struct made *want;
	unsigned wrong;
};

static void *sign_often(void *ctx)
{
	struct work *w = ctx;
	for (int i = 0; i < 200; i++) {
		uint8_t sig[ED25519_SIGNATURE] = {0};
		bool ok = signer_sign(w->s, w->want->msg, w->want->n, sig, NULL) == ST_OK;
		w->wrong += !ok || memcmp(sig, w->want->sig, sizeof sig);
	}
	return NULL;
}

static void a_signer_serves_several_threads(void)
{
	struct made m = make(&rfc8032[2]);
	struct signer *s;
	pthread_t t[4];
	struct work w[4];
	T_EQ(signer_new(SIGNER_ED25519, m.seed, &s, NULL), ST_OK);
	for (size_t i = 0; i < 4; i++) {
		w[i] = (struct work){.s = s, .want = &m};
		T_EQ(pthread_create(&t[i], NULL, sign_often, &w[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		T_EQ(pthread_join(t[i], NULL), 0);
		T_EQ(w[i].wrong, 0);
	}
	signer_free(s);
	signer_free(NULL);
}

/* Either both directions work, or both say that they cannot. */
static void ml_dsa_44_signs_or_says_that_it_cannot(void)
{
	static const uint8_t seed[MLDSA44_SEED] = {1, 2, 3};
	static uint8_t sig[MLDSA44_SIGNATURE];
	struct signer *s = NULL;
	struct err e = {0};
	if (!mldsa44_available()) {
		static const uint8_t pub[MLDSA44_PUBLIC];
		T_EQ(signer_new(SIGNER_MLDSA44, seed, &s, &e), ST_UNSUPPORTED);
		T_STR(e.text, "ML-DSA-44 needs libcrypto 3.5 or later");
		T_EQ(mldsa44_verify(pub, "x", 1, sig, NULL), ST_UNSUPPORTED);
		return;
	}
	T_EQ(signer_new(SIGNER_MLDSA44, seed, &s, &e), ST_OK);
	if (!s)
		return;
	T_EQ(s->npub, MLDSA44_PUBLIC);
	T_EQ(signer_signature_size(s), MLDSA44_SIGNATURE);
	T_EQ(signer_sign(s, "text", 4, sig, NULL), ST_OK);
	T_EQ(mldsa44_verify(s->pub, "text", 4, sig, NULL), ST_OK);
	T_EQ(mldsa44_verify(s->pub, "Text", 4, sig, NULL), ST_BAD_SIG);
	sig[MLDSA44_SIGNATURE - 1] ^= 1;
	T_EQ(mldsa44_verify(s->pub, "text", 4, sig, NULL), ST_BAD_SIG);
	signer_free(s);
}

int main(void)
{
	T_RUN(rfc_8032_signatures_verify);
	T_RUN(a_seed_gives_the_key_and_signature_of_rfc_8032);
	T_RUN(each_bit_of_a_signature_key_and_message_counts);
	T_RUN(a_longer_or_shorter_message_is_another_one);
	T_RUN(a_second_form_of_the_scalar_is_refused);
	T_RUN(nothing_but_zeroes_or_ones_is_a_signature);
	T_RUN(a_key_that_is_no_point_verifies_nothing);
	T_RUN(a_key_of_small_order_is_accepted_as_libcrypto_does);
	T_RUN(another_form_of_r_is_refused);
	T_RUN(a_signature_is_of_one_key);
	T_RUN(a_signer_serves_several_threads);
	T_RUN(ml_dsa_44_signs_or_says_that_it_cannot);
	return t_end();
}
