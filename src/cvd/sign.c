/* .sign files: text beside a container, since ClamAV 1.5.
 *   #clamsign-1.0
 *   minimum level:[maximum level]:pkcs7-pem:base64 of CMS SignedData, the body of its PEM form
 * Lines that begin with '#' and blank ones mean nothing. */
#include "cvd/inside.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "#clamsign-1.0"
#define FORMAT "pkcs7-pem"
#define SIGN_FILE_MAX ((size_t)1 << 20)
#define LINES_MAX 64

static bool piece_is(struct piece s, const char *t)
{
	return s.n == strlen(t) && !memcmp(s.p, t, s.n);
}

/* Takes "min:max:format:" off; false: broken. */
static bool read_levels(struct piece *line, uint32_t *ret_min, uint32_t *ret_max)
{
	struct piece min, max, format;
	*ret_max = UINT32_MAX;
	return piece_cut(line, ':', &min) && piece_cut(line, ':', &max) &&
	       piece_cut(line, ':', &format) && piece_u32(min, ret_min) &&
	       (!max.n || piece_u32(max, ret_max)) && piece_is(format, FORMAT);
}

/* Base64 without line ends into ret (3/4 of its length); the length, or 0 if it is none. */
static size_t base64(struct piece s, uint8_t *ret)
{
	if (!s.n || s.n % 4 || s.n > INT32_MAX)
		return 0;
	int n = EVP_DecodeBlock(ret, (const unsigned char *)s.p, (int)s.n);
	size_t pad = (s.p[s.n - 1] == '=') + (s.p[s.n - 2] == '=');
	return n < 0 || (size_t)n <= pad ? 0 : (size_t)n - pad;
}

static st_t check_line(struct piece body, const struct cvd_file *data,
                       const struct cms_roots *roots, int64_t now, char ret_cn[CMS_NAME_MAX],
                       struct err *e)
{
	if (body.n > CMS_SIGNATURE_MAX)
		return fail(e, ST_LIMIT, 0, ".sign: signature too long");
	uint8_t *der = malloc(body.n + 4);
	if (!der)
		return fail(e, ST_NOMEM, 0, ".sign: out of memory");
	size_t n = base64(body, der);
	st_t st = n ? cms_check(roots, der, n, data->p, data->n, now, ret_cn, e)
	            : fail(e, ST_MALFORMED, 0, ".sign: not base64");
	free(der);
	return st;
}

static struct piece take_line(struct piece *rest)
{
	struct piece line;
	(void)piece_cut(rest, '\n', &line);
	while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
		line.n--;
	return line;
}

/* The first line for our level decides. */
static st_t check_lines(struct piece rest, const struct cvd_file *data,
                        const struct cms_roots *roots, int64_t now, char ret_cn[CMS_NAME_MAX],
                        bool *ret_applies, struct err *e)
{
	for (int i = 0; rest.n; i++) {
		uint32_t min, max;
		struct piece line = take_line(&rest);
		if (i == LINES_MAX)
			return fail(e, ST_LIMIT, 0, ".sign: more than %d lines", LINES_MAX);
		if (!line.n || line.p[0] == '#')
			continue;
		if (!read_levels(&line, &min, &max))
			return fail(e, ST_MALFORMED, 0, ".sign: broken line");
		if (min > CVD_SIGN_FLEVEL || max < CVD_SIGN_FLEVEL)
			continue;
		TRY(check_line(line, data, roots, now, ret_cn, e));
		*ret_applies = true;
		return ST_OK;
	}
	return ST_OK;
}

st_t cvd_sign_check(const void *text, size_t n, const void *data, size_t ndata,
                    const struct cms_roots *roots, int64_t now, char ret_cn[CMS_NAME_MAX],
                    bool *ret_applies, struct err *e)
{
	struct piece rest = {text, n};
	struct cvd_file file = {.p = data, .n = ndata};
	*ret_applies = false;
	if (n > SIGN_FILE_MAX)
		return fail(e, ST_LIMIT, 0, ".sign: more than %zu bytes", SIGN_FILE_MAX);
	if (!piece_is(take_line(&rest), FIRST_LINE))
		return fail(e, ST_MALFORMED, 0, ".sign: first line is not " FIRST_LINE);
	return check_lines(rest, &file, roots, now, ret_cn, ret_applies, e);
}

/* "daily.cvd" in version 27000: "daily-27000.cvd.sign". */
bool cvd_sign_is_for(const char *sign, const char *name, uint32_t version)
{
	const char *dot = strrchr(name, '.');
	size_t base = dot ? (size_t)(dot - name) : 0;
	struct piece rest = {sign + base + 1, 0}, digits;
	uint32_t v;
	if (!dot || strlen(sign) <= base + 1 || memcmp(sign, name, base) || sign[base] != '-')
		return false;
	rest.n = strlen(rest.p);
	return piece_cut(&rest, '.', &digits) && piece_u32(digits, &v) && v == version &&
	       rest.n == strlen(dot + 1) + sizeof ".sign" - 1 &&
	       !memcmp(rest.p, dot + 1, strlen(dot + 1)) &&
	       !memcmp(rest.p + strlen(dot + 1), ".sign", sizeof ".sign" - 1);
}
