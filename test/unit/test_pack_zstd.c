/* Compressed files: exactly the bytes that were expected, or a refusal. */
#include "pack/zstd.h"

#include "base/buf.h"
#include "base/io.h"
#include "test/t.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("zstd", 0);
	T_EQ(io_write_all(fd, p, n, NULL), ST_OK);
	return fd;
}

static uint64_t length(int fd)
{
	struct stat sb;
	return fstat(fd, &sb) == 0 ? (uint64_t)sb.st_size : UINT64_MAX;
}

static struct buf content(int fd)
{
	struct buf b = {0};
	T_EQ(io_read_up_to(fd, (size_t)length(fd), "test", &b, NULL), ST_OK);
	return b;
}

/* Half noise, half repetition. */
static struct buf sample(size_t n, uint64_t seed)
{
	struct buf b = {0};
	while (b.len < n && !b.oom) {
		uint64_t v = t_rand(&seed);
		buf_fill(&b, (uint8_t)v, v >> 8 & 63);
		buf_u64le(&b, v);
	}
	b.len = n;
	return b;
}

static struct buf compressed(const struct buf *plain, int level)
{
	int in = file_of(plain->data, plain->len), out = file_of("", 0);
	uint64_t size = 0;
	T_EQ(pack_compress(in, plain->len, level, out, &size, NULL), ST_OK);
	T_EQ(size, length(out));
	struct buf ret = content(out);
	close(in);
	close(out);
	return ret;
}

static st_t unpack(const void *p, size_t n, uint64_t size, struct buf *ret)
{
	int in = file_of(p, n), out = file_of("", 0);
	st_t st = pack_decompress(in, n, size, out, NULL);
	T_TRUE(length(out) <= size);
	if (st == ST_OK && ret)
		*ret = content(out);
	close(in);
	close(out);
	return st;
}

static void what_is_compressed_comes_back(void)
{
	static const size_t sizes[] = {0, 1, 100, 131071, 131072, 131073, 3000001};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf plain = sample(sizes[i], i), small = compressed(&plain, 3), again = {0};
		T_EQ(unpack(small.data, small.len, plain.len, &again), ST_OK);
		T_EQ(again.len, plain.len);
		if (plain.len)
			T_MEM(again.data, plain.data, plain.len);
		buf_done(&plain);
		buf_done(&small);
		buf_done(&again);
	}
}

static void the_same_bytes_give_the_same_bytes(void)
{
	struct buf plain = sample(500000, 7), a = compressed(&plain, 19), b = compressed(&plain, 19);
	T_TRUE(a.len == b.len && !memcmp(a.data, b.data, a.len));
	buf_done(&plain);
	buf_done(&a);
	buf_done(&b);
}

static void another_length_than_expected_is_refused(void)
{
	struct buf plain = sample(300000, 9), small = compressed(&plain, 3);
	T_EQ(unpack(small.data, small.len, plain.len - 1, NULL), ST_LIMIT);
	T_EQ(unpack(small.data, small.len, 0, NULL), ST_LIMIT);
	T_EQ(unpack(small.data, small.len, plain.len + 1, NULL), ST_MALFORMED);
	buf_done(&plain);
	buf_done(&small);
}

static void every_shorter_frame_is_truncated(void)
{
	struct buf plain = sample(2000, 11), small = compressed(&plain, 3);
	for (size_t n = 0; n < small.len; n++)
		T_EQ(unpack(small.data, n, plain.len, NULL), ST_TRUNCATED);
	buf_done(&plain);
	buf_done(&small);
}

static void there_is_one_frame_and_nothing_else(void)
{
	struct buf plain = sample(2000, 13), small = compressed(&plain, 3);
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
	struct buf more = {0};
	buf_add(&more, small.data, small.len);
	buf_u8(&more, 0);
	T_EQ(unpack(more.data, more.len, plain.len, NULL), ST_MALFORMED);
	more.len = small.len;
	buf_add(&more, small.data, small.len);
	T_EQ(unpack(more.data, more.len, 2 * plain.len, NULL), ST_MALFORMED);
	T_EQ(unpack(skippable, sizeof skippable, 0, NULL), ST_MALFORMED);
	T_EQ(unpack("no zstd at all", 14, 14, NULL), ST_MALFORMED);
	buf_done(&plain);
	buf_done(&small);
	buf_done(&more);
}

static void a_frame_that_wants_a_large_window_is_refused(void)
{
	/* RFC 8878, 3.1.1.1.2: descriptor 0 (no content size), window descriptor: exponent in the
	 * upper five bits, windowLog = 10 + exponent. Then one empty last raw block. */
	uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0x01, 0, 0};
	T_EQ(unpack(frame, sizeof frame, 0, NULL), ST_OK);
	frame[5] = 14 << 3;
	T_EQ(unpack(frame, sizeof frame, 0, NULL), ST_LIMIT);
	frame[5] = 31 << 3;
	T_EQ(unpack(frame, sizeof frame, 0, NULL), ST_LIMIT);
}

static void a_file_shorter_than_said_is_truncated(void)
{
	int in = file_of("abc", 3), out = file_of("", 0);
	uint64_t size;
	T_EQ(pack_compress(in, 4, 3, out, &size, NULL), ST_TRUNCATED);
	T_EQ(pack_decompress(in, 4, 4, out, NULL), ST_TRUNCATED);
	close(in);
	close(out);
}

int main(void)
{
	T_RUN(what_is_compressed_comes_back);
	T_RUN(the_same_bytes_give_the_same_bytes);
	T_RUN(another_length_than_expected_is_refused);
	T_RUN(every_shorter_frame_is_truncated);
	T_RUN(there_is_one_frame_and_nothing_else);
	T_RUN(a_frame_that_wants_a_large_window_is_refused);
	T_RUN(a_file_shorter_than_said_is_truncated);
	return t_end();
}
