/* What would open files in the jail is done once before it. Found with strace over one archive of
 * each kind: libarchive asks for the time zone at every member of zip, cab and iso, converts names
 * with iconv (which reads its configuration at first use), and glibc's qsort() asks for the size of
 * the memory when it is first given more than a kilobyte. */
#include "base/num.h"
#include "sandbox/roles.h"

#include <iconv.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

/* Character sets of member names: cab, 7z, rar, iso; zip and lha of DOS and Windows. */
static const char *const charsets[] = {
	"UTF-16LE", "UTF-16BE", "UTF-8", "CP437", "CP850", "CP1252", "CP932",
};

/* More than the kilobyte up to which qsort() needs no memory. */
#define SORTED 512

static int by_value(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static void preload_qsort(void)
{
	int v[SORTED];
	for (int i = 0; i < SORTED; i++)
		v[i] = SORTED - i;
	qsort(v, SORTED, sizeof v[0], by_value);
}

/* The handles stay open for ever: closing them would unload what was loaded. A set that this
 * machine lacks is lacking in the jail, too. */
static void preload_iconv(void)
{
	for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
		(void)iconv_open("UTF-8", charsets[i]);
		(void)iconv_open(charsets[i], "UTF-8");
	}
}

st_t sandbox_preload(struct err *e)
{
	if (setenv("TZ", "UTC0", 1) != 0)
		return fail_errno(e, "setenv");
	tzset();
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return fail(e, ST_UNSUPPORTED, 0, "locale: no C.UTF-8");
	preload_qsort();
	preload_iconv();
	return ST_OK;
}
