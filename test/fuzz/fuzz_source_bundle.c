/* Files, "name NUL content NUL" each, become a source bundle. What can be bundled gives the same
 * bytes in any order, is read back whole, and its files, bundled again, give the bundle. */
#include "pack/source.h"
#include "pack/tar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 16
#define BYTES_MAX ((size_t)64 << 10)

struct files {
	struct source_file v[FILES_MAX];
	size_t n;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void take_files(const uint8_t *p, size_t size, struct files *ret)
{
	ret->n = 0;
	while (size && ret->n < FILES_MAX) {
		const uint8_t *end = memchr(p, 0, size);
		const uint8_t *behind = end ? memchr(end + 1, 0, size - (size_t)(end + 1 - p)) : NULL;
		if (!behind)
			return;
		ret->v[ret->n++] = (struct source_file){(const char *)p,
		                                        rd_make(end + 1, (size_t)(behind - end) - 1)};
		size -= (size_t)(behind + 1 - p);
		p = behind + 1;
	}
}

static st_t write_bundle(const struct files *f, bool reversed, uint8_t *ret, size_t *ret_n)
{
	static int fd = -1;
	struct files copy = *f;
	uint64_t size = 0;
	for (size_t i = 0; reversed && i < f->n; i++)
		copy.v[i] = f->v[f->n - 1 - i];
	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	st_t st = source_bundle_write(copy.v, copy.n, fd, &size, NULL);
	if (st == ST_OK)
		must(pread(fd, ret, BYTES_MAX, 0) == (ssize_t)size);
	*ret_n = (size_t)size;
	return st;
}

/* Names live in `names`. */
static void read_bundle(const uint8_t *p, size_t n, char names[][TAR_NAME_MAX + 1],
                        struct files *ret)
{
	static int fd = -1;
	struct tar_member m;
	bool more;
	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
	struct tar_reader t = {.fd = fd, .size = n};
	for (ret->n = 0;; ret->n++) {
		must(tar_reader_next(&t, false, &m, &more, NULL) == ST_OK);
		if (!more)
			return;
		must(ret->n < FILES_MAX);
		memcpy(names[ret->n], m.name, sizeof m.name);
		ret->v[ret->n] = (struct source_file){names[ret->n], rd_make(p + m.off, m.size)};
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t one[BYTES_MAX], other[BYTES_MAX];
	static char names[FILES_MAX][TAR_NAME_MAX + 1];
	struct files f, back;
	size_t n, k;
	if (size > BYTES_MAX / 4)
		return 0;
	take_files(data, size, &f);
	st_t st = write_bundle(&f, false, one, &n);
	must(write_bundle(&f, true, other, &k) == st || st != ST_OK);
	if (st != ST_OK)
		return 0;
	must(n == k && !memcmp(one, other, n));
	read_bundle(one, n, names, &back);
	must(back.n == f.n);
	must(write_bundle(&back, true, other, &k) == ST_OK && n == k && !memcmp(one, other, n));
	return 0;
}
