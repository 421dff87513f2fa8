/* Source bundles: same files, same bytes; names differ; what is written, the strict reader takes.
 */
#include "pack/source.h"
#include "pack/tar.h"
#include "test/t.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 8

static struct source_file file(const char *name, const char *text)
{
	return (struct source_file){name, rd_make(text, strlen(text))};
}

/* The bundle as a descriptor, or the status. */
static st_t write_bundle(const struct source_file *v, size_t n, int *ret)
{
	struct source_file copy[FILES_MAX];
	struct stat s;
	uint64_t size = 0;
	*ret = memfd_create("bundle", 0);
	memcpy(copy, v, n * sizeof *v);
	st_t st = source_bundle_write(copy, n, *ret, &size, NULL);
	T_EQ(fstat(*ret, &s), 0);
	if (st == ST_OK)
		T_EQ(s.st_size, size);
	return st;
}

/* Names and contents in order: "a.ndb=one b.ndb=two ". */
static void list(int fd, char *ret, size_t cap)
{
	struct stat s;
	struct tar_member m;
	bool more = true;
	size_t n = 0;
	T_EQ(fstat(fd, &s), 0);
	struct tar_reader t = {.fd = fd, .size = (uint64_t)s.st_size};
	for (ret[0] = '\0';;) {
		char text[64] = "";
		T_EQ(tar_reader_next(&t, false, &m, &more, NULL), ST_OK);
		if (!more)
			return;
		T_EQ(pread(fd, text, m.size, (off_t)m.off), m.size);
		n += (size_t)snprintf(ret + n, cap - n, "%s=%s ", m.name, text);
	}
}

static void expect(const struct source_file *v, size_t n, const char *what)
{
	char is[512];
	int fd;
	T_EQ(write_bundle(v, n, &fd), ST_OK);
	list(fd, is, sizeof is);
	T_STR(is, what);
	close(fd);
}

static void members_are_sorted_whatever_the_order(void)
{
	const struct source_file a[] = {file("b.ndb", "two"), file("a.ndb", "one"),
	                                file("main.cvd/z.ndb", "three")};
	const struct source_file b[] = {a[2], a[0], a[1]};
	expect(a, 3, "a.ndb=one b.ndb=two main.cvd/z.ndb=three ");
	expect(b, 3, "a.ndb=one b.ndb=two main.cvd/z.ndb=three ");
}

static void files_of_one_name_are_told_apart_by_content(void)
{
	const struct source_file a[] = {file("x.ndb", "2"), file("x.ndb", "1"), file("x.ndb", "11")};
	const struct source_file b[] = {a[1], a[2], a[0]};
	expect(a, 3, "2/x.ndb=11 3/x.ndb=2 x.ndb=1 ");
	expect(b, 3, "2/x.ndb=11 3/x.ndb=2 x.ndb=1 ");
}

static void equal_files_are_both_there(void)
{
	const struct source_file a[] = {file("x.ndb", "1"), file("x.ndb", "1"), file("y.ndb", "")};
	expect(a, 3, "2/x.ndb=1 x.ndb=1 y.ndb= ");
}

static void names_that_cannot_be_told_apart_are_refused(void)
{
	const struct source_file a[] = {file("main.cvd/x.ndb", "1"), file("main.cvd/x.ndb", "2")};
	const struct source_file b[] = {file("2/x.ndb", "1"), file("x.ndb", "2"), file("x.ndb", "3")};
	int fd;
	T_EQ(write_bundle(a, 2, &fd), ST_CONFLICT);
	T_EQ(write_bundle(b, 3, &fd), ST_CONFLICT);
}

static void what_no_archive_has_is_refused(void)
{
	const struct source_file bad[] = {file("../x.ndb", ""), file("/x.ndb", ""), file("", ""),
	                                  file("a\nb.ndb", ""), file("\xc3\xa4.ndb", "")};
	int fd;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		T_EQ(write_bundle(&bad[i], 1, &fd), ST_MALFORMED);
	T_EQ(write_bundle(bad, 0, &fd), ST_LIMIT);
}

int main(void)
{
	T_RUN(members_are_sorted_whatever_the_order);
	T_RUN(files_of_one_name_are_told_apart_by_content);
	T_RUN(equal_files_are_both_there);
	T_RUN(names_that_cannot_be_told_apart_are_refused);
	T_RUN(what_no_archive_has_is_refused);
	return t_end();
}
