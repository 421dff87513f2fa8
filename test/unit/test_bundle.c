/* Bundles: what was put in comes out by its path, in whatever order it was put in, and nothing that
 * is no bundle is opened. */
#include "update/bundle.h"

#include "base/io.h"
#include "pack/tar.h"
#include "test/t.h"
#include "update/source.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rd text(const char *s)
{
	return rd_make(s, strlen(s));
}

static uint64_t length(int fd)
{
	struct stat sb;
	return fstat(fd, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

static int file_of(const char *s)
{
	int fd = memfd_create("file", 0);
	T_EQ(io_write_all(fd, s, strlen(s), NULL), ST_OK);
	return fd;
}

static struct update_bundle *bundle_new(void)
{
	struct update_bundle *b = NULL;
	T_EQ(update_bundle_new(&b, NULL), ST_OK);
	return b;
}

static int written(const struct update_bundle *b)
{
	int fd = memfd_create("bundle", 0);
	T_EQ(update_bundle_write(b, fd, NULL), ST_OK);
	return fd;
}

static st_t open_bundle(int fd, struct update_source *s)
{
	return update_source_open_bundle(fd, length(fd), s, NULL);
}

static void has(struct update_source *s, const char *path, const char *want)
{
	struct buf got = {0};
	T_EQ(update_get(s, path, 1000, &got, NULL), ST_OK);
	buf_u8(&got, 0);
	T_STR((const char *)got.data, want);
	buf_done(&got);
}

static void files_come_out_by_their_paths(void)
{
	struct update_bundle *b = bundle_new();
	struct update_source s;
	int large = file_of("a large one");
	T_EQ(update_bundle_add(b, "metadata/timestamp.json", text("time"), NULL), ST_OK);
	T_EQ(update_bundle_add(b, "metadata/1.root.json", text("root"), NULL), ST_OK);
	T_EQ(update_bundle_add(b, "a", text(""), NULL), ST_OK);
	T_EQ(update_bundle_add_file(b, "targets/main/0.main.vdb", large, 11, NULL), ST_OK);
	T_EQ(update_bundle_add(b, "zz", text("behind \"vitrine-bundle\""), NULL), ST_OK);
	int fd = written(b);
	T_EQ(open_bundle(fd, &s), ST_OK);
	has(&s, "metadata/timestamp.json", "time");
	has(&s, "metadata/1.root.json", "root");
	has(&s, "a", "");
	has(&s, "targets/main/0.main.vdb", "a large one");
	has(&s, "zz", "behind \"vitrine-bundle\"");
	struct buf none = {0};
	T_EQ(update_get(&s, "metadata/2.root.json", 1000, &none, NULL), ST_NOT_FOUND);
	T_EQ(update_get(&s, "vitrine-bundle", 1000, &none, NULL), ST_NOT_FOUND);
	T_EQ(update_get(&s, "zz", 3, &none, NULL), ST_LIMIT);
	T_EQ(none.len, 0);
	update_source_done(&s);
	update_bundle_free(b);
	close(fd);
	close(large);
}

static st_t append(void *ctx, const void *p, size_t n, struct err *)
{
	buf_add(ctx, p, n);
	return ST_OK;
}

static void a_transfer_goes_on_where_it_ended(void)
{
	struct update_bundle *b = bundle_new();
	struct update_source s;
	struct buf got = {0};
	T_EQ(update_bundle_add(b, "x", text("0123456789"), NULL), ST_OK);
	int fd = written(b);
	T_EQ(open_bundle(fd, &s), ST_OK);
	T_EQ(update_stream(&s, "x", 4, 6, append, &got, NULL), ST_OK);
	T_EQ(got.len, 6);
	T_MEM(got.data, "456789", 6);
	T_EQ(update_stream(&s, "x", 10, 6, append, &got, NULL), ST_OK);
	T_EQ(update_stream(&s, "x", 11, 6, append, &got, NULL), ST_TRUNCATED);
	T_EQ(update_stream(&s, "x", 0, 9, append, &got, NULL), ST_LIMIT);
	T_EQ(got.len, 6);
	update_source_done(&s);
	update_bundle_free(b);
	buf_done(&got);
	close(fd);
}

static void the_order_of_adding_leaves_no_trace(void)
{
	static const char *const path[] = {"b/x", "a", "b.y", "c"};
	struct update_bundle *b = bundle_new(), *r = bundle_new();
	T_EQ(update_bundle_add(b, "c", text("replaced"), NULL), ST_OK);
	for (size_t i = 0; i < 4; i++) {
		T_EQ(update_bundle_add(b, path[i], text(path[i]), NULL), ST_OK);
		T_EQ(update_bundle_add(r, path[3 - i], text(path[3 - i]), NULL), ST_OK);
	}
	int x = written(b), y = written(r);
	struct buf p = {0}, q = {0};
	T_EQ(length(x), length(y));
	T_EQ(io_read_up_to(x, length(x), "", &p, NULL), ST_OK);
	T_EQ(io_read_up_to(y, length(y), "", &q, NULL), ST_OK);
	T_MEM(p.data, q.data, p.len);
	buf_done(&p);
	buf_done(&q);
	update_bundle_free(b);
	update_bundle_free(r);
	close(x);
	close(y);
}

static void paths_that_lead_elsewhere_are_not_added(void)
{
	struct update_bundle *b = bundle_new();
	T_EQ(update_bundle_add(b, "../x", text(""), NULL), ST_MALFORMED);
	T_EQ(update_bundle_add(b, "/x", text(""), NULL), ST_MALFORMED);
	T_EQ(update_bundle_add_file(b, "a//x", 0, 1, NULL), ST_MALFORMED);
	T_EQ(update_bundle_add(b, "vitrine-bundle", text(""), NULL), ST_MALFORMED);
	update_bundle_free(b);
}

static void put_member(struct buf *b, const char *name, const char *content)
{
	uint8_t head[TAR_BLOCK];
	T_EQ(tar_header_make(name, strlen(content), head, NULL), ST_OK);
	buf_add(b, head, sizeof head);
	buf_text(b, content);
	buf_fill(b, 0, tar_padding(strlen(content)));
}

/* Opens an archive of these two members. */
static st_t open_two(const char *first, const char *line, const char *second)
{
	struct buf b = {0};
	struct update_source s;
	put_member(&b, first, line);
	put_member(&b, second, "x");
	buf_fill(&b, 0, 2 * TAR_BLOCK);
	int fd = memfd_create("bundle", 0);
	T_EQ(io_write_all(fd, b.data, b.len, NULL), ST_OK);
	st_t st = open_bundle(fd, &s);
	if (st == ST_OK)
		update_source_done(&s);
	buf_done(&b);
	close(fd);
	return st;
}

static void an_archive_that_is_no_bundle_is_refused(void)
{
	T_EQ(open_two("vitrine-bundle", "vitrine-bundle v1\n", "a"), ST_OK);
	T_EQ(open_two("vitrine-bundle", "vitrine-bundle v1\n", "z"), ST_OK);
	T_EQ(open_two("vitrine-bundle", "vitrine-bundle v2\n", "z"), ST_UNSUPPORTED);
	T_EQ(open_two("vitrine-bundle", "vitrine-bundle v1", "z"), ST_UNSUPPORTED);
	T_EQ(open_two("a", "vitrine-bundle v1\n", "vitrine-bundle"), ST_MALFORMED);
	T_EQ(open_two("vitrine-bundle", "vitrine-bundle v1\n", "vitrine-bundle"), ST_MALFORMED);
}

static void a_bundle_that_is_cut_off_is_not_opened(void)
{
	struct update_bundle *b = bundle_new();
	struct update_source s;
	T_EQ(update_bundle_add(b, "a", text("first"), NULL), ST_OK);
	T_EQ(update_bundle_add(b, "b", text("second"), NULL), ST_OK);
	int fd = written(b);
	uint64_t size = length(fd);
	for (uint64_t n = 0; n < size; n += 64)
		T_EQ(update_source_open_bundle(fd, n, &s, NULL), ST_TRUNCATED);
	update_bundle_free(b);
	close(fd);
}

int main(void)
{
	T_RUN(files_come_out_by_their_paths);
	T_RUN(a_transfer_goes_on_where_it_ended);
	T_RUN(the_order_of_adding_leaves_no_trace);
	T_RUN(paths_that_lead_elsewhere_are_not_added);
	T_RUN(an_archive_that_is_no_bundle_is_refused);
	T_RUN(a_bundle_that_is_cut_off_is_not_opened);
	return t_end();
}
