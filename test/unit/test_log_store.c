/* The private state's records, and a log's objects in a real folder. */
#include "log/state.h"
#include "log/store.h"
#include "log/writer.h"
#include "test/t.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tlog_hasher h;
static struct tlog_hash origin;

static void put_record(uint8_t file[LOG_STATE_FILE], uint64_t sequence, uint64_t size)
{
	struct log_state s = {.sequence = sequence, .size = size};
	s.root.b[0] = (uint8_t)size;
	log_state_write(&s, &origin, &h, file + sequence % 2 * LOG_STATE_SLOT);
}

static st_t read_state(const uint8_t *file, size_t n, struct log_state *ret)
{
	return log_state_read(rd_make(file, n), &origin, &h, ret, NULL);
}

static void newer_record_counts(void)
{
	uint8_t file[LOG_STATE_FILE] = {0};
	struct log_state s;
	for (uint64_t i = 1; i < 6; i++) {
		put_record(file, i, i * 10);
		T_EQ(read_state(file, sizeof file, &s), ST_OK);
		T_EQ(s.sequence, i);
		T_EQ(s.size, i * 10);
		T_EQ(s.root.b[0], i * 10);
	}
}

static void record_with_any_bit_changed_does_not_count(void)
{
	uint8_t file[LOG_STATE_FILE] = {0};
	struct log_state s;
	put_record(file, 4, 10);
	put_record(file, 5, 20);
	for (size_t bit = 0; bit < LOG_STATE_RECORD * 8; bit++) {
		uint8_t *p = file + LOG_STATE_SLOT + bit / 8;
		*p ^= (uint8_t)(1u << bit % 8);
		T_EQ(read_state(file, sizeof file, &s), ST_OK);
		T_EQ(s.size, 10);
		*p ^= (uint8_t)(1u << bit % 8);
	}
}

static void state_that_contradicts_itself_is_refused(void)
{
	uint8_t file[LOG_STATE_FILE] = {0};
	struct log_state s;
	struct tlog_hash mine = origin;
	T_EQ(read_state(file, sizeof file, &s), ST_BAD_SUM);
	T_EQ(read_state(file, sizeof file - 1, &s), ST_TRUNCATED);
	T_EQ(read_state(file, 0, &s), ST_TRUNCATED);
	put_record(file, 4, 10);
	put_record(file, 5, 9); /* smaller */
	T_EQ(read_state(file, sizeof file, &s), ST_MALFORMED);
	put_record(file, 7, 20); /* one is missing */
	T_EQ(read_state(file, sizeof file, &s), ST_MALFORMED);
	put_record(file, 5, 10); /* the same tree again */
	T_EQ(read_state(file, sizeof file, &s), ST_OK);
	memmove(file, file + LOG_STATE_SLOT, LOG_STATE_SLOT); /* in the other's slot */
	T_EQ(read_state(file, sizeof file, &s), ST_MALFORMED);
	put_record(file, 4, UINT64_MAX);
	T_EQ(read_state(file, sizeof file, &s), ST_MALFORMED);
	origin.b[0] ^= 1;
	T_EQ(read_state(file, sizeof file, &s), ST_CONFLICT);
	origin = mine;
}

static char dir[] = "/tmp/vitrine-store-XXXXXX";

static void objects_are_put_read_listed_and_removed(void)
{
	struct log_store *s;
	struct buf b = {0};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	T_EQ(log_store_open_folder(&log_io_system, fd, &s, NULL), ST_OK);
	T_EQ(s->ops->put(s->ctx, "tile/0/x001/000.p/7", "seven", 5, NULL), ST_OK);
	T_EQ(s->ops->put(s->ctx, "tile/0/x001/000.p/7", "again", 5, NULL), ST_OK);
	T_EQ(s->ops->barrier(s->ctx, NULL), ST_OK);
	T_EQ(s->ops->replace(s->ctx, "checkpoint", "c", 1, NULL), ST_OK);
	T_EQ(s->ops->get(s->ctx, "tile/0/x001/000.p/7", 5, &b, NULL), ST_OK);
	T_EQ(b.len, 5);
	T_MEM(b.data, "again", 5);
	T_EQ(s->ops->get(s->ctx, "tile/0/x001/000.p/7", 4, &b, NULL), ST_LIMIT);
	T_EQ(s->ops->get(s->ctx, "tile/0/x001/000.p/8", 5, &b, NULL), ST_NOT_FOUND);
	T_EQ(s->ops->get(s->ctx, "checkpoint/8", 5, &b, NULL), ST_NOT_FOUND);
	T_EQ(s->ops->remove(s->ctx, "tile/0/x001/000.p/7", NULL), ST_OK);
	T_EQ(s->ops->remove(s->ctx, "tile/0/x001/000.p/7", NULL), ST_OK);
	T_EQ(faccessat(fd, "tile/0/x001/000.p", F_OK, 0), -1);
	T_EQ(s->ops->put(s->ctx, "tile/0/x001/000.p/9", "nine", 4, NULL), ST_OK);
	T_EQ(s->ops->barrier(s->ctx, NULL), ST_OK);
	T_EQ(s->ops->remove(s->ctx, "tile/0/x001/000.p/9", NULL), ST_OK);
	log_store_free(s);
	buf_done(&b);
	close(fd);
}

static void many_objects_between_two_barriers(void)
{
	struct log_store *s;
	char path[LOG_PATH_MAX];
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	T_EQ(log_store_open_folder(&log_io_system, fd, &s, NULL), ST_OK);
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof path, "tile/entries/%03d.p/%d", i, i % 255 + 1);
		T_EQ(s->ops->put(s->ctx, path, path, strlen(path), NULL), ST_OK);
	}
	T_EQ(s->ops->barrier(s->ctx, NULL), ST_OK);
	for (int i = 0; i < 400; i++) {
		struct buf b = {0};
		snprintf(path, sizeof path, "tile/entries/%03d.p/%d", i, i % 255 + 1);
		T_EQ(s->ops->get(s->ctx, path, sizeof path, &b, NULL), ST_OK);
		T_TRUE(b.len == strlen(path) && !memcmp(b.data, path, b.len));
		buf_done(&b);
		T_EQ(s->ops->remove(s->ctx, path, NULL), ST_OK);
	}
	log_store_free(s);
	close(fd);
}

static void links_lead_nowhere(void)
{
	struct log_store *s;
	struct buf b = {0};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	T_EQ(symlinkat("/etc", fd, "away"), 0);
	T_EQ(log_store_open_folder(&log_io_system, fd, &s, NULL), ST_OK);
	T_EQ(s->ops->get(s->ctx, "away/passwd", 1 << 20, &b, NULL), (st_t)-ELOOP);
	T_TRUE(s->ops->put(s->ctx, "away/x", "x", 1, NULL) < 0);
	T_TRUE(s->ops->get(s->ctx, "../x", 1 << 20, &b, NULL) != ST_OK);
	log_store_free(s);
	T_EQ(unlinkat(fd, "away", 0), 0);
	T_EQ(unlinkat(fd, ".new", 0), 0);
	close(fd);
}

static void what_an_unfinished_write_left_is_removed(void)
{
	struct log_store *s;
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	close(openat(fd, ".new", O_WRONLY | O_CREAT, 0644));
	T_EQ(log_store_open_folder(&log_io_system, fd, &s, NULL), ST_OK);
	T_EQ(faccessat(fd, ".new", F_OK, 0), -1);
	log_store_free(s);
	close(fd);
}

int main(void)
{
	if (tlog_hasher_init(&h, NULL) != ST_OK || !mkdtemp(dir))
		return 2;
	T_RUN(newer_record_counts);
	T_RUN(record_with_any_bit_changed_does_not_count);
	T_RUN(state_that_contradicts_itself_is_refused);
	T_RUN(objects_are_put_read_listed_and_removed);
	T_RUN(many_objects_between_two_barriers);
	T_RUN(links_lead_nowhere);
	T_RUN(what_an_unfinished_write_left_is_removed);
	tlog_hasher_done(&h);
	return t_end();
}
