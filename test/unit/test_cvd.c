/* Signature containers: the three schemes, each with keys of the test's own, with good vectors and
 * with bad ones; tar, .info, .sign and .cdiff as formats. */
#include "cvd/cvd.h"

#include "crypto/digest.h"
#include "cvd_make.h"
#include "test/t.h"

#define NOW 1795500000 /* November 2026; certificates are for 2020 to 2040 */

static struct test_key legacy, info_key, cdiff_key, other;
static struct cvd_keys keys;
static struct test_cert root, middle, signer, stranger;
static struct cms_roots *roots;

static const struct test_file FILES[] = {
    {"test.ndb", "A:0:*:4142434445\nB:0:*:4142434446\n"},
    {"test.hdb", "44d88612fea8a8f36de82e1278abb02f:68:Eicar\n"},
};
#define NFILES 2

static void make_keys(void)
{
	struct buf pem = {0};
	struct err e = {0};
	test_key_make(&legacy, 1024);
	test_key_make(&info_key, 2047);
	test_key_make(&cdiff_key, 2047);
	test_key_make(&other, 2047);
	keys = (struct cvd_keys){legacy.pub, info_key.pub, cdiff_key.pub};
	test_cert_make(&root, "Test Root", NULL, true);
	test_cert_make(&middle, "Test Intermediate", &root, true);
	test_cert_make(&signer, "Test Signer", &middle, false);
	test_cert_make(&stranger, "Stranger", NULL, false);
	test_cert_pem(&root, &pem);
	T_EQ(cms_roots_new(&roots, &e), ST_OK);
	T_EQ(cms_roots_add(roots, pem.data, pem.len, &e), ST_OK);
	buf_done(&pem);
}

/* -- making containers ------------------------------------------------------------------------ */

static struct buf make_tar(const struct test_key *key, const struct test_file *listed,
                           const struct test_file *v, size_t n)
{
	struct buf info = {0}, tar = {0};
	test_info(&info, TEST_HEAD, listed, n, key);
	test_tar_add(&tar, "COPYING", "free", 4);
	test_tar_add(&tar, "test.info", info.data, info.len);
	for (size_t i = 0; i < n; i++)
		test_tar_add(&tar, v[i].name, v[i].text, strlen(v[i].text));
	buf_fill(&tar, 0, 1024);
	buf_done(&info);
	return tar;
}

/* Header with its signature, body packed. */
static struct buf make_cvd(struct buf tar)
{
	struct buf gz = {0}, out = {0};
	uint8_t md5[16];
	char hex[33], dsig[400];
	test_gzip(&gz, tar.data, tar.len);
	T_EQ(digest_bytes(DIGEST_MD5, gz.data, gz.len, md5, NULL), ST_OK);
	hex_encode(md5, 16, hex);
	test_sign_legacy(&legacy, md5, dsig);
	test_header(&out, hex, dsig);
	buf_add(&out, gz.data, gz.len);
	buf_done(&gz);
	buf_done(&tar);
	return out;
}

static struct buf make_plain(struct buf tar)
{
	struct buf out = {0};
	test_header(&out, "X", "X");
	buf_add(&out, tar.data, tar.len);
	buf_done(&tar);
	return out;
}

static struct buf good_cvd(void)
{
	return make_cvd(make_tar(&info_key, FILES, FILES, NFILES));
}

static struct buf good_cld(void)
{
	return make_plain(make_tar(&info_key, FILES, FILES, NFILES));
}

static st_t open_as(const char *name, const void *p, size_t n, const struct cvd_file *signs,
                    size_t nsigns, struct cvd *ret, struct err *e)
{
	struct cvd_input in = {.file = {name, p, n}, .signs = signs, .nsigns = nsigns, .roots = roots,
	                       .keys = &keys, .now = NOW};
	return cvd_open(&in, ret, e);
}

static st_t try_as(const char *name, const struct buf *b)
{
	struct cvd c;
	st_t st = open_as(name, b->data, b->len, NULL, 0, &c, NULL);
	cvd_done(&c);
	return st;
}

/* -- good ones -------------------------------------------------------------------------------- */

static void check_good(const char *name, struct buf b, enum cvd_scheme scheme)
{
	struct cvd c;
	struct err e = {0};
	T_EQ(open_as(name, b.data, b.len, NULL, 0, &c, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(c.scheme, scheme);
	T_EQ(c.header.version, 7);
	T_EQ(c.header.sigs, 2);
	T_EQ(c.header.flevel, 90);
	T_EQ(c.header.stime, 1795467600);
	T_STR(c.header.builder, "tester");
	T_STR(c.header.time, "23 Nov 2026 21-00 +0000");
	T_EQ(c.nmembers, 3);
	if (c.nmembers == 3) {
		T_STR(c.members[1].name, "test.ndb");
		T_EQ(c.members[1].n, strlen(FILES[0].text));
		T_MEM(c.members[1].p, FILES[0].text, c.members[1].n);
	}
	cvd_done(&c);
	buf_done(&b);
}

static void each_kind_opens_with_its_scheme(void)
{
	check_good("test.cvd", good_cvd(), CVD_LEGACY);
	check_good("test.cld", good_cld(), CVD_INFO);
	check_good("test.cud", make_plain(make_tar(NULL, FILES, FILES, NFILES)), CVD_UNPROVEN);
}

/* -- no change goes unnoticed ----------------------------------------------------------------- */

static void no_flipped_bit_of_a_published_body_passes(void)
{
	struct buf b = good_cvd();
	uint64_t seed = t_seed(1);
	for (int i = 0; i < 300; i++) {
		size_t at = CVD_HEADER_BYTES + t_rand(&seed) % (b.len - CVD_HEADER_BYTES);
		uint8_t bit = (uint8_t)(1 << t_rand(&seed) % 8);
		b.data[at] ^= bit;
		T_EQ(try_as("test.cvd", &b), ST_BAD_SUM);
		b.data[at] ^= bit;
	}
	T_EQ(try_as("test.cvd", &b), ST_OK);
	buf_done(&b);
}

static void no_flipped_bit_of_the_header_but_the_time_passes(void)
{
	struct buf b = good_cvd();
	const char *text = (const char *)b.data;
	size_t from = (size_t)((const char *)memchr(text + 11, ':', 100) - text);
	size_t to = CVD_HEADER_BYTES;
	while (text[to - 1] == ' ')
		to--;
	for (size_t i = 0; i < to; i++) {
		if (i > 10 && i < from)
			continue;
		b.data[i] ^= 4; /* hex digits stay hex digits, or not */
		if (try_as("test.cvd", &b) == ST_OK)
			T_FAIL("flipped bit at %zu of the header", i);
		b.data[i] ^= 4;
	}
	buf_done(&b);
}

/* The members of a .cld and its .info, each byte of them. */
static void no_flipped_bit_of_a_local_container_passes(void)
{
	struct buf b = good_cld();
	size_t info = CVD_HEADER_BYTES + 2 * 512, ndb = info;
	size_t size = strtoul((const char *)b.data + info + 124, NULL, 8);
	for (size_t i = info + 512; i < info + 512 + size; i++) {
		b.data[i] ^= 1;
		if (try_as("test.cld", &b) == ST_OK)
			T_FAIL("flipped bit at %zu of .info", i - info - 512);
		b.data[i] ^= 1;
	}
	ndb += 512 + (size + 511) / 512 * 512;
	for (size_t i = ndb; i < ndb + 512 + strlen(FILES[0].text); i++) {
		if (i == ndb + 155) /* behind the digits of the sum */
			continue;
		b.data[i] ^= 1;
		if (try_as("test.cld", &b) == ST_OK)
			T_FAIL("flipped bit at %zu of a member", i - ndb);
		b.data[i] ^= 1;
	}
	T_EQ(try_as("test.cld", &b), ST_OK);
	buf_done(&b);
}

static void every_truncation_is_refused(void)
{
	struct buf b = good_cvd(), l = good_cld();
	size_t whole = b.len, most = l.len - 1024;
	for (b.len = 0; b.len < whole; b.len += b.len < 600 ? 1 : 13)
		if (try_as("test.cvd", &b) == ST_OK)
			T_FAIL(".cvd of %zu bytes", b.len);
	for (l.len = 0; l.len < most; l.len += 13)
		if (try_as("test.cld", &l) == ST_OK)
			T_FAIL(".cld of %zu bytes", l.len);
	buf_done(&b);
	buf_done(&l);
}

static void a_container_under_the_name_of_another_kind_is_refused(void)
{
	struct buf b = good_cvd(), l = good_cld();
	T_EQ(try_as("test.cld", &b), ST_BAD_SUM);
	T_EQ(try_as("test.cud", &b), ST_MALFORMED);
	T_EQ(try_as("test.cvd", &l), ST_BAD_SUM);
	T_EQ(try_as("test.foo", &b), ST_UNSUPPORTED);
	buf_done(&b);
	buf_done(&l);
}

static void another_key_proves_nothing(void)
{
	struct buf l = make_plain(make_tar(&other, FILES, FILES, NFILES));
	struct buf b = make_cvd(make_tar(&other, FILES, FILES, NFILES));
	struct buf u = make_plain(make_tar(NULL, FILES, FILES, NFILES));
	struct buf c = make_cvd(make_tar(NULL, FILES, FILES, NFILES));
	T_EQ(try_as("test.cld", &l), ST_BAD_SUM);
	T_EQ(try_as("test.cvd", &b), ST_BAD_SUM);
	T_EQ(try_as("test.cld", &u), ST_MALFORMED);
	T_EQ(try_as("test.cvd", &c), ST_MALFORMED);
	buf_done(&l);
	buf_done(&b);
	buf_done(&u);
	buf_done(&c);
}

/* Signatures by the right keys, but over something else. */
static void a_signature_moved_to_other_content_is_refused(void)
{
	static const uint8_t md5[16] = "another content", changed[16] = "another c0ntent";
	char dsig[400];
	test_sign_legacy(&legacy, md5, dsig);
	T_EQ(cvd_check_legacy(&keys.header, dsig, strlen(dsig), md5, NULL), ST_OK);
	T_EQ(cvd_check_legacy(&keys.header, dsig, strlen(dsig), changed, NULL), ST_BAD_SUM);
	T_EQ(cvd_check_legacy(&keys.info, dsig, strlen(dsig), md5, NULL), ST_BAD_SUM);
	test_sign_pss(&info_key, "message", 7, dsig);
	T_EQ(cvd_check_pss(&keys.info, dsig, strlen(dsig), "message", 7, NULL), ST_OK);
	T_EQ(cvd_check_pss(&keys.info, dsig, strlen(dsig), "massage", 7, NULL), ST_BAD_SUM);
	T_EQ(cvd_check_pss(&keys.cdiff, dsig, strlen(dsig), "message", 7, NULL), ST_BAD_SUM);
	T_EQ(cvd_check_pss(&keys.info, dsig, 0, "message", 7, NULL), ST_BAD_SUM);
	T_EQ(cvd_check_pss(&keys.info, "!", 1, "message", 7, NULL), ST_BAD_SUM);
}

/* -- members ---------------------------------------------------------------------------------- */

static st_t try_members(const struct test_file *listed, const struct test_file *v, size_t n)
{
	struct buf b = make_plain(make_tar(&info_key, listed, v, n));
	st_t st = try_as("test.cld", &b);
	buf_done(&b);
	return st;
}

static void members_have_to_be_those_of_info(void)
{
	const struct test_file wrong[] = {FILES[0], {"test.hdb", "44d8:68:Eicar\n"}};
	const struct test_file twice[] = {FILES[0], FILES[0]};
	const struct test_file renamed[] = {FILES[0], {"tesu.hdb", FILES[1].text}};
	T_EQ(try_members(FILES, wrong, 2), ST_MALFORMED);
	T_EQ(try_members(FILES, twice, 2), ST_MALFORMED);
	T_EQ(try_members(twice, twice, 2), ST_MALFORMED);
	T_EQ(try_members(FILES, renamed, 2), ST_MALFORMED);
}

static void a_member_left_out_of_a_signed_container_is_missed(void)
{
	struct buf info = {0}, tar = {0};
	test_info(&info, TEST_HEAD, FILES, NFILES, &info_key);
	test_tar_add(&tar, "test.info", info.data, info.len);
	test_tar_add(&tar, FILES[0].name, FILES[0].text, strlen(FILES[0].text));
	struct buf b = make_plain(tar);
	T_EQ(try_as("test.cld", &b), ST_MALFORMED);
	buf_done(&b);
	buf_done(&info);
}

static void info_repeats_the_header(void)
{
	struct buf info = {0}, tar = {0};
	const char *next = "ClamAV-VDB:23 Nov 2026 21-00 +0000:8:2:90:X:X:tester:1795467600";
	test_info(&info, next, FILES, NFILES, &info_key);
	test_tar_add(&tar, "test.info", info.data, info.len);
	for (size_t i = 0; i < NFILES; i++)
		test_tar_add(&tar, FILES[i].name, FILES[i].text, strlen(FILES[i].text));
	struct buf b = make_plain(tar);
	T_EQ(try_as("test.cld", &b), ST_MALFORMED);
	buf_done(&b);
	buf_done(&info);
}

/* -- tar -------------------------------------------------------------------------------------- */

static st_t try_name(const char *name)
{
	struct buf tar = {0};
	struct cvd_member m;
	bool end;
	test_tar_add(&tar, name, "x", 1);
	struct rd r = rd_make(tar.data, tar.len);
	st_t st = cvd_tar_next(&r, &m, &end, NULL);
	buf_done(&tar);
	return st;
}

static void a_name_is_no_path(void)
{
	static const char *const bad[] = {"../x.ndb", "a/b.ndb", "/x", ".x", "-x", "", "a b", "a\nb",
	                                  "a:b", "a\\b", "\xc3\xa9", "."};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (try_name(bad[i]) != ST_MALFORMED)
			T_FAIL("name '%s' is accepted", bad[i]);
	T_EQ(try_name("Daily_1-2.ndb"), ST_OK);
}

static void set_sum(uint8_t *h)
{
	unsigned sum = 0;
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

/* One field of the header changed, with the sum made right. */
static st_t try_field(size_t at, const char *value)
{
	struct buf tar = {0};
	struct cvd_member m;
	bool end;
	test_tar_add(&tar, "x", "x", 1);
	memcpy(tar.data + at, value, strlen(value));
	set_sum(tar.data);
	struct rd r = rd_make(tar.data, tar.len);
	st_t st = cvd_tar_next(&r, &m, &end, NULL);
	buf_done(&tar);
	return st;
}

static void only_regular_files_inside_the_archive(void)
{
	T_EQ(try_field(156, "0"), ST_OK);
	T_EQ(try_field(156, "5"), ST_MALFORMED);
	T_EQ(try_field(156, "2"), ST_MALFORMED);
	T_EQ(try_field(156, "L"), ST_MALFORMED);
	T_EQ(try_field(156, "x"), ST_MALFORMED);
	T_EQ(try_field(345, "folder"), ST_MALFORMED);
	T_EQ(try_field(124, "77777777777"), ST_TRUNCATED);
	T_EQ(try_field(124, "0000000x001"), ST_MALFORMED);
	T_EQ(try_field(124, "\xff\xff\xff"), ST_MALFORMED);
}

/* -- sizes ------------------------------------------------------------------------------------ */

/* A stream whose end claims n bytes. */
static st_t try_claim(uint32_t n)
{
	struct buf tar = make_tar(NULL, FILES, FILES, NFILES), gz = {0}, b = {0};
	test_gzip(&gz, tar.data, tar.len);
	memcpy(gz.data + gz.len - 4, &n, 4);
	test_header(&b, "X", "X");
	buf_add(&b, gz.data, gz.len);
	st_t st = try_as("test.cud", &b);
	buf_done(&tar);
	buf_done(&gz);
	buf_done(&b);
	return st;
}

static void a_bomb_is_refused_before_it_unfolds(void)
{
	T_EQ(try_claim(UINT32_MAX), ST_LIMIT);
	T_EQ(try_claim(CVD_UNPACKED_MAX + 1), ST_LIMIT);
	T_EQ(try_claim(CVD_UNPACKED_MAX), ST_MALFORMED);
	T_EQ(try_claim(0), ST_MALFORMED);
	T_EQ(try_claim(100), ST_MALFORMED);
}

static void too_many_members_are_refused(void)
{
	struct buf tar = {0};
	for (int i = 0; i <= CVD_MEMBERS_MAX; i++)
		test_tar_add(&tar, "x", "", 0);
	struct buf b = make_plain(tar);
	T_EQ(try_as("test.cud", &b), ST_LIMIT);
	buf_done(&b);
}

/* -- .sign ------------------------------------------------------------------------------------ */

static st_t try_sign(const char *sign_name, const struct buf *sign, struct cvd *ret, struct err *e)
{
	struct buf b = good_cvd();
	struct cvd_file f = {sign_name, sign->data, sign->len};
	st_t st = open_as("test.cvd", b.data, b.len, &f, 1, ret, e);
	cvd_done(&(struct cvd){.unpacked = ret->unpacked, .members = ret->members});
	buf_done(&b);
	return st;
}

static struct buf make_sign(const struct test_cert *by, const struct test_cert *more,
                            const char *levels)
{
	struct buf b = good_cvd(), sign = {0};
	test_sign_file(by, more, b.data, b.len, levels, &sign);
	buf_done(&b);
	return sign;
}

static void a_sign_file_proves_by_its_root(void)
{
	struct buf s = make_sign(&signer, &middle, "220:");
	struct cvd c;
	struct err e = {0};
	T_EQ(try_sign("test-7.cvd.sign", &s, &c, &e), ST_OK);
	T_STR(e.text, "");
	T_EQ(c.scheme, CVD_CMS);
	T_STR(c.signer, "Test Root");
	buf_done(&s);
}

static void a_sign_file_of_another_version_or_level_is_passed_over(void)
{
	struct buf s = make_sign(&signer, &middle, "220:"), late = make_sign(&signer, &middle, "999:"),
	           early = make_sign(&signer, &middle, "100:220");
	struct cvd c;
	T_EQ(try_sign("test-8.cvd.sign", &s, &c, NULL), ST_OK);
	T_EQ(c.scheme, CVD_LEGACY);
	T_EQ(try_sign("test-7.cvd.sign", &late, &c, NULL), ST_OK);
	T_EQ(c.scheme, CVD_LEGACY);
	T_EQ(try_sign("test-7.cvd.sign", &early, &c, NULL), ST_OK);
	T_EQ(c.scheme, CVD_LEGACY);
	buf_done(&s);
	buf_done(&late);
	buf_done(&early);
}

/* Although the header's own signature is good. */
static void a_bad_sign_file_refuses_the_container(void)
{
	struct buf s = make_sign(&signer, &middle, "220:"), none = make_sign(&signer, NULL, "220:"),
	           wrong = make_sign(&stranger, NULL, "220:"), other_text = {0};
	struct cvd c;
	T_EQ(try_sign("test-7.cvd.sign", &none, &c, NULL), ST_BAD_SUM);  /* no chain */
	T_EQ(try_sign("test-7.cvd.sign", &wrong, &c, NULL), ST_BAD_SUM); /* no root */
	test_sign_file(&signer, &middle, "other", 5, "220:", &other_text);
	T_EQ(try_sign("test-7.cvd.sign", &other_text, &c, NULL), ST_BAD_SUM);
	s.data[s.len - 40] ^= 1;
	T_EQ(try_sign("test-7.cvd.sign", &s, &c, NULL), ST_BAD_SUM);
	s.data[s.len - 40] ^= 1;
	s.data[0] = '!';
	T_EQ(try_sign("test-7.cvd.sign", &s, &c, NULL), ST_BAD_SUM);
	s.data[0] = '#';
	for (size_t n = 0; n < s.len - 1; n += 97) {
		struct buf cut = {.data = s.data, .len = n};
		st_t st = try_sign("test-7.cvd.sign", &cut, &c, NULL);
		/* with not even a line of a level, nothing is said about the file */
		if (st != ST_BAD_SUM && !(n < 16 && st == ST_OK))
			T_FAIL(".sign of %zu bytes: %d", n, st);
	}
	buf_done(&s);
	buf_done(&none);
	buf_done(&wrong);
	buf_done(&other_text);
}

static void certificates_hold_for_a_time(void)
{
	struct buf b = good_cvd(), s = {0};
	char cn[CMS_NAME_MAX];
	bool applies;
	test_sign_file(&signer, &middle, b.data, b.len, "220:", &s);
	T_EQ(cvd_sign_check(s.data, s.len, b.data, b.len, roots, NOW, cn, &applies, NULL), ST_OK);
	T_EQ(cvd_sign_check(s.data, s.len, b.data, b.len, roots, 1500000000, cn, &applies, NULL),
	     ST_BAD_SUM);
	T_EQ(cvd_sign_check(s.data, s.len, b.data, b.len, roots, 2300000000, cn, &applies, NULL),
	     ST_BAD_SUM);
	buf_done(&b);
	buf_done(&s);
}

static void two_roots_of_one_name_are_refused(void)
{
	static struct test_cert again;
	struct buf pem = {0}, same = {0};
	struct cms_roots *r;
	struct err e = {0};
	test_cert_make(&again, "Test Root", NULL, true);
	test_cert_pem(&root, &same);
	test_cert_pem(&again, &pem);
	T_EQ(cms_roots_new(&r, &e), ST_OK);
	T_EQ(cms_roots_add(r, same.data, same.len, &e), ST_OK);
	T_EQ(cms_roots_add(r, same.data, same.len, &e), ST_OK); /* the same one is no other */
	T_EQ(cms_roots_add(r, pem.data, pem.len, &e), ST_MALFORMED);
	T_STR(e.text, "two certificates are called 'Test Root'");
	T_EQ(cms_roots_add(r, "nothing", 7, NULL), ST_MALFORMED);
	cms_roots_free(r);
	buf_done(&pem);
	buf_done(&same);
}

static void a_sign_file_is_found_by_name_and_version(void)
{
	T_TRUE(cvd_sign_is_for("daily-27000.cvd.sign", "daily.cvd", 27000));
	T_TRUE(!cvd_sign_is_for("daily-27001.cvd.sign", "daily.cvd", 27000));
	T_TRUE(!cvd_sign_is_for("daily-27000.cld.sign", "daily.cvd", 27000));
	T_TRUE(!cvd_sign_is_for("daily-27000.cvd.sign2", "daily.cvd", 27000));
	T_TRUE(!cvd_sign_is_for("dail-27000.cvd.sign", "daily.cvd", 27000));
	T_TRUE(!cvd_sign_is_for("daily-.cvd.sign", "daily.cvd", 0));
	T_TRUE(!cvd_sign_is_for("daily-", "daily.cvd", 0));
	T_TRUE(!cvd_sign_is_for("", "daily.cvd", 0));
}

/* -- .cdiff ----------------------------------------------------------------------------------- */

static struct buf make_cdiff(const char *script, const struct test_key *key)
{
	struct buf b = {0};
	char text[64], dsig[400];
	buf_add(&b, text, (size_t)snprintf(text, sizeof text, "ClamAV-Diff:8:%zu:", strlen(script)));
	test_gzip(&b, script, strlen(script));
	test_sign_pss(key, b.data, b.len, dsig);
	buf_u8(&b, ':');
	buf_add(&b, dsig, strlen(dsig));
	return b;
}

static void a_cdiff_is_read_only_when_signed(void)
{
	struct buf b = make_cdiff("OPEN a\nCLOSE\n", &cdiff_key), bad = make_cdiff("CLOSE\n", &other);
	struct cvd_cdiff d;
	T_EQ(cvd_cdiff_open(b.data, b.len, &keys.cdiff, &d, NULL), ST_OK);
	T_EQ(d.version, 8);
	T_EQ(d.script.len, 13);
	cvd_cdiff_done(&d);
	T_EQ(cvd_cdiff_open(bad.data, bad.len, &keys.cdiff, &d, NULL), ST_BAD_SUM);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 2;
		if (cvd_cdiff_open(b.data, b.len, &keys.cdiff, &d, NULL) == ST_OK)
			T_FAIL("flipped bit at %zu", i);
		cvd_cdiff_done(&d);
		if (cvd_cdiff_open(b.data, i, &keys.cdiff, &d, NULL) == ST_OK)
			T_FAIL("%zu bytes", i);
		cvd_cdiff_done(&d);
		b.data[i] ^= 2;
	}
	buf_done(&b);
	buf_done(&bad);
}

/* Applies a script to "a": one two three, "b": four. */
static st_t apply(const char *script, const char *want_a, const char *want_b)
{
	struct cvd_tree t = {.files = calloc(2, sizeof(struct cvd_tree_file)), .n = 2};
	strcpy(t.files[0].name, "a");
	strcpy(t.files[1].name, "b");
	buf_add(&t.files[0].text, "one 1\ntwo 2\nthree 3\n", 20);
	buf_add(&t.files[1].text, "four\n", 5);
	st_t st = cvd_cdiff_apply(script, strlen(script), &t, NULL);
	for (size_t i = 0; st == ST_OK && i < t.n; i++) {
		const char *want = t.files[i].name[0] == 'a' ? want_a : want_b;
		buf_u8(&t.files[i].text, '\0');
		T_STR((const char *)t.files[i].text.data, want);
	}
	cvd_tree_done(&t);
	return st;
}

static void a_script_edits_lines_as_they_were_before(void)
{
	T_EQ(apply("OPEN a\nADD five 5\nDEL 1 one\nXCHG 3 thr drei: 3 4\nCLOSE\n",
	           "two 2\ndrei: 3 4\nfive 5\n", "four\n"), ST_OK);
	T_EQ(apply("OPEN a\nDEL 3 three\nDEL 1 one\nCLOSE\n", "two 2\n", "four\n"), ST_OK);
	T_EQ(apply("MOVE a b 1 one 2 two\n", "three 3\n", "four\none 1\ntwo 2\n"), ST_OK);
	T_EQ(apply("UNLINK b\n", "one 1\ntwo 2\nthree 3\n", ""), ST_OK);
}

static void a_script_for_another_state_is_refused(void)
{
	static const char *const bad[] = {
	    "OPEN a\nDEL 1 two\nCLOSE\n", "OPEN a\nDEL 4 x\nCLOSE\n", "OPEN a\nDEL 0 x\nCLOSE\n",
	    "OPEN a\nDEL 1 one\nDEL 1 one\nCLOSE\n", "OPEN a\nXCHG 1 one\nCLOSE\n", "OPEN a\n",
	    "CLOSE\n", "ADD x\n", "DEL 1 one\n", "OPEN ../a\nCLOSE\n", "OPEN a/b\nCLOSE\n",
	    "UNLINK c\n",
	    "MOVE a a 1 one 1 one\n", "MOVE a b 2 one 2 one\n", "MOVE a b 2 two 9 x\n",
	    "MOVE c b 1 one 1 one\n", "MOVE a b 2 two 1 one\n", "OPEN a\nOPEN b\nCLOSE\n",
	    "FOO\n", "\n",
	    "OPEN a\nUNLINK a\nCLOSE\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (apply(bad[i], "", "") != ST_MALFORMED)
			T_FAIL("accepted: %s", bad[i]);
}

static void a_script_has_a_bounded_number_of_passes(void)
{
	struct buf b = {0};
	for (int i = 0; i < 5000; i++)
		buf_add(&b, "OPEN a\nCLOSE\n", 13);
	buf_u8(&b, '\0');
	T_EQ(apply((const char *)b.data, "", ""), ST_LIMIT);
	buf_done(&b);
}

int main(void)
{
	make_keys();
	T_RUN(each_kind_opens_with_its_scheme);
	T_RUN(no_flipped_bit_of_a_published_body_passes);
	T_RUN(no_flipped_bit_of_the_header_but_the_time_passes);
	T_RUN(no_flipped_bit_of_a_local_container_passes);
	T_RUN(every_truncation_is_refused);
	T_RUN(a_container_under_the_name_of_another_kind_is_refused);
	T_RUN(another_key_proves_nothing);
	T_RUN(a_signature_moved_to_other_content_is_refused);
	T_RUN(members_have_to_be_those_of_info);
	T_RUN(a_member_left_out_of_a_signed_container_is_missed);
	T_RUN(info_repeats_the_header);
	T_RUN(a_name_is_no_path);
	T_RUN(only_regular_files_inside_the_archive);
	T_RUN(a_bomb_is_refused_before_it_unfolds);
	T_RUN(too_many_members_are_refused);
	T_RUN(a_sign_file_proves_by_its_root);
	T_RUN(a_sign_file_of_another_version_or_level_is_passed_over);
	T_RUN(a_bad_sign_file_refuses_the_container);
	T_RUN(certificates_hold_for_a_time);
	T_RUN(two_roots_of_one_name_are_refused);
	T_RUN(a_sign_file_is_found_by_name_and_version);
	T_RUN(a_cdiff_is_read_only_when_signed);
	T_RUN(a_script_edits_lines_as_they_were_before);
	T_RUN(a_script_for_another_state_is_refused);
	T_RUN(a_script_has_a_bounded_number_of_passes);
	cms_roots_free(roots);
	return t_end();
}
