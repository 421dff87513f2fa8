/* An archive, read to its end. What passes is written again member by member and has to be the same
 * bytes. */
#include "pack/tar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_member(const uint8_t *data, size_t size, const struct tar_member *m)
{
	uint8_t head[TAR_BLOCK];
	must(m->off >= TAR_BLOCK && m->off <= size && m->size <= size - m->off);
	must(tar_header_make(m->name, m->size, head, NULL) == ST_OK);
	must(!memcmp(head, data + m->off - TAR_BLOCK, TAR_BLOCK));
	must(!strstr(m->name, "//") && !strstr(m->name, "\\") && m->name[0] != '/');
	must(strncmp(m->name, "../", 3) != 0 && !strstr(m->name, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	struct tar_reader t = {.fd = fd, .size = size};
	struct tar_member m;
	uint64_t end = 0;
	bool more = true, free_first = size % 2;
	while (tar_reader_next(&t, free_first, &m, &more, NULL) == ST_OK && more) {
		check_member(data, size, &m);
		must(m.off == end + TAR_BLOCK);
		end = m.off + m.size + tar_padding(m.size);
	}
	must(more || end + 2 * TAR_BLOCK == size);
	return 0;
}
