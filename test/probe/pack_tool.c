/* pack_tool: src/pack for tests in other languages and for bench/delta.
 *
 *   pack_tool tar OUT NAME FILE [NAME FILE]...
 *   pack_tool untar ARCHIVE             names and sizes, a line each
 *   pack_tool compress IN OUT LEVEL
 *   pack_tool decompress IN SIZE OUT
 *   pack_tool make OLD NEW OUT          a delta
 *   pack_tool apply OLD DELTA MAX OUT
 *
 * Exit code 0, or 1 with the reason on stderr. */
#include "base/io.h"
#include "pack/delta.h"
#include "pack/tar.h"
#include "pack/zstd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_in(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		perror(path);
	return fd;
}

static int open_out(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		perror(path);
	return fd;
}

static uint64_t size_of(int fd)
{
	struct stat sb;
	return fstat(fd, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

static st_t add_member(int out, const char *name, const char *path, struct err *e)
{
	static const uint8_t zero[TAR_BLOCK];
	uint8_t head[TAR_BLOCK];
	AUTO_FD in = open_in(path);
	uint64_t size = size_of(in);
	struct buf content = {0};
	TRY(tar_header_make(name, size, head, e));
	TRY(io_write_all(out, head, sizeof head, e));
	TRY(io_read_up_to(in, size, path, &content, e));
	st_t st = io_write_all(out, content.data, content.len, e);
	buf_done(&content);
	return st == ST_OK ? io_write_all(out, zero, tar_padding(size), e) : st;
}

static st_t make_tar(int argc, char **argv, struct err *e)
{
	static const uint8_t end[2 * TAR_BLOCK];
	AUTO_FD out = open_out(argv[0]);
	for (int i = 1; i + 1 < argc; i += 2)
		TRY(add_member(out, argv[i], argv[i + 1], e));
	return io_write_all(out, end, sizeof end, e);
}

static st_t list_tar(int, char **argv, struct err *e)
{
	AUTO_FD in = open_in(argv[0]);
	struct tar_reader t = {.fd = in, .size = size_of(in)};
	struct tar_member m;
	bool more = true;
	for (;;) {
		TRY(tar_reader_next(&t, false, &m, &more, e));
		if (!more)
			return ST_OK;
		printf("%s %" PRIu64 "\n", m.name, m.size);
	}
}

static st_t compress(int, char **argv, struct err *e)
{
	AUTO_FD in = open_in(argv[0]);
	AUTO_FD out = open_out(argv[1]);
	uint64_t size;
	return pack_compress(in, size_of(in), (int)strtol(argv[2], NULL, 10), out, &size, e);
}

static st_t decompress(int, char **argv, struct err *e)
{
	AUTO_FD in = open_in(argv[0]);
	AUTO_FD out = open_out(argv[2]);
	return pack_decompress(in, size_of(in), strtoull(argv[1], NULL, 10), out, e);
}

static st_t make(int, char **argv, struct err *e)
{
	AUTO_FD old = open_in(argv[0]);
	AUTO_FD new = open_in(argv[1]);
	AUTO_FD out = open_out(argv[2]);
	uint64_t size;
	TRY(delta_make(old, new, out, &size, e));
	printf("%" PRIu64 "\n", size);
	return ST_OK;
}

static st_t apply(int, char **argv, struct err *e)
{
	AUTO_FD old = open_in(argv[0]);
	AUTO_FD delta = open_in(argv[1]);
	AUTO_FD out = open_out(argv[3]);
	return delta_apply(old, delta, strtoull(argv[2], NULL, 10), out, e);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least;
		st_t (*run)(int argc, char **argv, struct err *e);
	} commands[] = {{"tar", 1, make_tar},        {"untar", 1, list_tar}, {"compress", 3, compress},
	                {"decompress", 3, decompress}, {"make", 3, make},      {"apply", 4, apply}};
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 < commands[i].least)
			continue;
		struct err e = {0};
		if (commands[i].run(argc - 2, argv + 2, &e) == ST_OK)
			return 0;
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	fprintf(stderr, "pack_tool: which command?\n");
	return 1;
}
