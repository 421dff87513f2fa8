/* A bundle: opened, then asked for each of its members by name, and for some that it may not have.
 */
#include "pack/tar.h"
#include "update/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void get(struct update_source *s, const char *path, const uint8_t *want, uint64_t size)
{
	struct buf got = {0};
	st_t st = update_get(s, path, 1 << 20, &got, NULL);
	if (want)
		must(st != ST_OK || (got.len == size && (!size || !memcmp(got.data, want, size))));
	buf_done(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	struct update_source s;
	if (update_source_open_bundle(fd, size, &s, NULL) != ST_OK)
		return 0;
	struct tar_reader t = {.fd = fd, .size = size};
	struct tar_member m;
	bool more = true;
	while (tar_reader_next(&t, true, &m, &more, NULL) == ST_OK && more)
		get(&s, m.name, data + m.off, m.size);
	must(!more);
	get(&s, "metadata/timestamp.json", NULL, 0);
	get(&s, "zzz", NULL, 0);
	update_source_done(&s);
	return 0;
}
