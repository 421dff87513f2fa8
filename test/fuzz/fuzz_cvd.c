/* Signature containers and what belongs to them: the first byte chooses the format, the rest is the
 * file. Unsigned containers get furthest; what comes behind a signature is also tried by itself. */
#include "cvd/cvd.h"

#include <stdlib.h>
#include <string.h>

enum { UNSIGNED, LOCAL, PUBLISHED, INFO, SIGN, CDIFF, SCRIPT, KINDS };

/* Nobody has the private half. */
static const struct cvd_keys *const keys = &cvd_production_keys;

static struct cms_roots *roots(void)
{
	static struct cms_roots *r;
	if (!r && cms_roots_new(&r, NULL) != ST_OK)
		abort();
	return r;
}

static void try_open(const char *name, const uint8_t *p, size_t n)
{
	struct cvd c;
	struct cvd_input in = {.file = {name, p, n}, .roots = roots(), .keys = keys, .now = 1795500000};
	if (cvd_open(&in, &c, NULL) == ST_OK)
		for (size_t i = 0; i < c.nmembers; i++)
			if (strchr(c.members[i].name, '/') || (c.members[i].n && !c.members[i].p))
				abort();
	cvd_done(&c);
}

static void try_info(const uint8_t *p, size_t n)
{
	struct cvd_info info;
	if (cvd_info_read(p, n, NULL, &info, NULL) == ST_OK)
		for (size_t i = 0; i < info.n; i++)
			if (cvd_info_find(&info, info.rows[i].name) != &info.rows[i])
				abort();
	cvd_info_done(&info);
}

static void try_sign(const uint8_t *p, size_t n)
{
	char cn[CMS_NAME_MAX];
	bool applies;
	st_t st = cvd_sign_check(p, n, "data", 4, roots(), 1795500000, cn, &applies, NULL);
	if (st == ST_OK && applies)
		abort(); /* there is no root */
}

static void try_cdiff(const uint8_t *p, size_t n)
{
	struct cvd_cdiff d;
	(void)!cvd_cdiff_open(p, n, &keys->cdiff, &d, NULL);
	cvd_cdiff_done(&d);
}

/* Over two small files. */
static void try_script(const uint8_t *p, size_t n)
{
	struct cvd_tree t = {.files = calloc(2, sizeof *t.files), .n = 2};
	if (!t.files)
		return;
	strcpy(t.files[0].name, "a");
	strcpy(t.files[1].name, "b");
	buf_add(&t.files[0].text, "one 1\ntwo 2\nthree 3\n", 20);
	buf_add(&t.files[1].text, "four\n", 5);
	(void)!cvd_cdiff_apply((const char *)p, n, &t, NULL);
	cvd_tree_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	const uint8_t *p = data + 1;
	size_t n = size - 1;
	switch (data[0] % KINDS) {
	case UNSIGNED:
		try_open("test.cud", p, n);
		break;
	case LOCAL:
		try_open("test.cld", p, n);
		break;
	case PUBLISHED:
		try_open("test.cvd", p, n);
		break;
	case INFO:
		try_info(p, n);
		break;
	case SIGN:
		try_sign(p, n);
		break;
	case CDIFF:
		try_cdiff(p, n);
		break;
	default:
		try_script(p, n);
	}
	return 0;
}
