/* The check of a whole log, on logs in memory: whatever is wrong with any file is found, the same
 * fault is named by any number of threads, in whatever order files come. And the two sources. */
#include "log/check.h"
#include "log/source_inside.h"
#include "net/fetch_fake.h"
#include "test/t.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 600
#define NAME_MAX_ 96

static struct tlog_hasher hasher;

struct file {
	char path[NAME_MAX_];
	uint8_t *data;
	size_t n;
	bool gone;
};

struct log {
	struct file file[FILES_MAX];
	size_t nfiles;
	uint64_t size;
	struct tlog_hash root;
};

static void add_file(struct log *l, const struct tile *t, const void *p, size_t n)
{
	struct file *f = &l->file[l->nfiles++];
	tile_path(t, f->path);
	f->data = malloc(n ? n : 1);
	memcpy(f->data, p, n);
	f->n = n;
}

static struct file *find_file(struct log *l, const char *path)
{
	for (size_t i = 0; i < l->nfiles; i++)
		if (!strcmp(l->file[i].path, path))
			return &l->file[i];
	return NULL;
}

/* Tiles and bundles written straight from their definition: hash i of tile (l, n) is the root of
 * 256^l leaves. */
static void make_level(struct log *l, unsigned level, const struct tlog_hash *leaf)
{
	uint64_t span = UINT64_C(1) << (TILE_HEIGHT * level);
	struct tlog_hash row[TILE_WIDTH];
	unsigned n = 0;
	for (uint64_t i = 0; i < tile_level_size(l->size, level); i++) {
		struct tlog_frontier f = {0};
		for (uint64_t k = 0; k < span; k++)
			tlog_frontier_add(&f, &hasher, &leaf[i * span + k]);
		tlog_frontier_root(&f, &hasher, &row[n++]);
		if (n < TILE_WIDTH && i + 1 < tile_level_size(l->size, level))
			continue;
		struct tile t = {TILE_HASHES, level, i / TILE_WIDTH, n};
		add_file(l, &t, row, n * sizeof row[0]);
		n = 0;
	}
}

static struct log *make_log(uint64_t size)
{
	struct log *l = calloc(1, sizeof *l);
	struct tlog_hash *leaf = calloc(size + 1, sizeof *leaf);
	struct tlog_frontier f = {0};
	struct buf b = {0};
	l->size = size;
	for (uint64_t i = 0; i < size; i++) {
		char entry[40];
		int n = snprintf(entry, sizeof entry, "fixture entry %" PRIu64 "\n", i);
		tlog_hash_leaf(&hasher, entry, (size_t)n, &leaf[i]);
		tlog_frontier_add(&f, &hasher, &leaf[i]);
		T_EQ(bundle_add(&b, entry, (size_t)n, NULL), ST_OK);
		if ((i + 1) % TILE_WIDTH && i + 1 < size)
			continue;
		struct tile t = {TILE_ENTRIES, 0, i / TILE_WIDTH, (unsigned)(i % TILE_WIDTH) + 1};
		add_file(l, &t, b.data, b.len);
		b.len = 0;
	}
	for (unsigned level = 0; level < 3; level++)
		make_level(l, level, leaf);
	tlog_frontier_root(&f, &hasher, &l->root);
	buf_done(&b);
	free(leaf);
	return l;
}

static void free_log(struct log *l)
{
	for (size_t i = 0; i < l->nfiles; i++)
		free(l->file[i].data);
	free(l);
}

/* A source over it that answers in an order of its own. */
struct memory {
	struct log *log;
	uint64_t seed; /* 0: first come, first served */
	struct {
		char path[NAME_MAX_];
		size_t max, slot;
	} asked[256];
	size_t n, most;
	unsigned break_after; /* 0: never */
};

static st_t memory_ask(void *ctx, const char *path, size_t max, size_t slot, struct err *e)
{
	struct memory *m = ctx;
	if (m->n == 256)
		return fail(e, ST_NOMEM, 0, "too much at a time");
	snprintf(m->asked[m->n].path, NAME_MAX_, "%s", path);
	m->asked[m->n].max = max;
	m->asked[m->n++].slot = slot;
	m->most = m->n > m->most ? m->n : m->most;
	return ST_OK;
}

static st_t memory_take(void *ctx, struct source_answer *ret, struct err *e)
{
	struct memory *m = ctx;
	size_t i = m->seed ? (size_t)(t_rand(&m->seed) % m->n) : 0;
	struct file *f = find_file(m->log, m->asked[i].path);
	size_t max = m->asked[i].max;
	if (m->break_after && --m->break_after == 0)
		return fail(e, ST_TIMEOUT, 0, "log: no answer in 180 seconds");
	ret->slot = m->asked[i].slot;
	m->n--;
	memmove(&m->asked[i], &m->asked[i + 1], (m->n - i) * sizeof m->asked[0]);
	if (!f || f->gone) {
		ret->st = fail(&ret->e, ST_NOT_FOUND, 0, "not there");
	} else if (f->n > max) {
		ret->st = fail(&ret->e, ST_LIMIT, 0, "too long");
	} else {
		buf_add(&ret->body, f->data, f->n);
		ret->st = ST_OK;
	}
	return ST_OK;
}

static void memory_free(void *ctx)
{
	free(ctx);
}

static const struct source_ops memory_ops = {memory_ask, memory_take, memory_free};

static uint64_t last_done, progress_calls;

static void count_progress(void *ctx, uint64_t done, uint64_t size)
{
	(void)ctx;
	T_TRUE(done >= last_done && done <= size);
	last_done = done;
	progress_calls++;
}

static st_t check_log(struct log *l, unsigned jobs, uint64_t seed, unsigned break_after,
                      struct err *e)
{
	struct memory *m = calloc(1, sizeof *m);
	struct log_source *s;
	struct log_check_counts counts = {0};
	struct log_check_opts o = {.jobs = jobs, .progress = count_progress};
	m->log = l;
	m->seed = seed;
	m->break_after = break_after;
	last_done = progress_calls = 0;
	if (log_source_new(&memory_ops, m, &s, e) != ST_OK)
		return ST_NOMEM;
	st_t st = log_check_tree(s, l->size, &l->root, &o, &counts, e);
	if (st == ST_OK)
		T_EQ(counts.entries, l->size);
	log_source_free(s);
	return st;
}

static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 300, 511, 512, 65535, 65536, 65537, 65836};

static void sound_logs_are_verified(void)
{
	uint64_t seed = t_seed(21);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct log *l = make_log(sizes[i]);
		for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
			struct err e = {0};
			T_EQ(check_log(l, jobs, 0, 0, &e), ST_OK);
			T_EQ(check_log(l, jobs, t_rand(&seed) | 1, 0, &e), ST_OK);
			T_STR(e.text, "");
			T_EQ(last_done, sizes[i]);
		}
		free_log(l);
	}
}

/* Both with one thread and files in order, and with three and in any order. */
static void expect_refused(struct log *l, uint64_t *seed, const struct file *f, const char *what)
{
	struct err one = {0}, many = {0};
	st_t st = check_log(l, 1, 0, 0, &one);
	if (st <= ST_OK || log_check_could_not(st))
		T_FAIL("size %" PRIu64 ", %s %s: status %d", l->size, f->path, what, st);
	T_EQ(check_log(l, 3, t_rand(seed) | 1, 0, &many), st);
	T_STR(many.text, one.text);
	if (!strstr(one.text, f->path))
		T_FAIL("%s %s is not named: \"%s\"", f->path, what, one.text);
}

static void flip(struct log *l, struct file *f, uint64_t *seed)
{
	size_t at = (size_t)(t_rand(seed) % f->n);
	uint8_t bit = (uint8_t)(1u << t_rand(seed) % 8);
	f->data[at] ^= bit;
	expect_refused(l, seed, f, "flipped");
	f->data[at] ^= bit;
}

static void resize(struct log *l, struct file *f, uint64_t *seed)
{
	uint8_t *longer = realloc(f->data, f->n + 32);
	f->data = longer;
	memset(f->data + f->n, 0, 32);
	size_t n = f->n, other[] = {n + 1, n + 32, n - 1, n > 32 ? n - 32 : 0, 0};
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		f->n = other[i];
		expect_refused(l, seed, f, "of another length");
	}
	f->n = n;
}

static void take_away(struct log *l, struct file *f, uint64_t *seed)
{
	f->gone = true;
	expect_refused(l, seed, f, "missing");
	f->gone = false;
}

/* With any file of other content. */
static void put_in_place_of(struct log *l, struct file *f, uint64_t *seed)
{
	struct file *g = &l->file[t_rand(seed) % l->nfiles], keep = *f;
	if (g == f || (g->n == f->n && !memcmp(g->data, f->data, f->n)))
		return;
	f->data = g->data;
	f->n = g->n;
	expect_refused(l, seed, f, "is another");
	f->data = keep.data;
	f->n = keep.n;
}

static void whatever_is_wrong_with_any_file_is_found_and_named(void)
{
	uint64_t seed = t_seed(22);
	for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct log *l = make_log(sizes[i]);
		size_t rounds = l->nfiles < 12 ? l->nfiles : 6;
		for (size_t k = 0; k < rounds; k++) {
			/* The last files are those of the higher levels. */
			size_t at = k < 3 ? l->nfiles - 1 - k % l->nfiles : (size_t)(t_rand(&seed) % l->nfiles);
			struct file *f = &l->file[l->nfiles < 12 ? k : at];
			flip(l, f, &seed);
			take_away(l, f, &seed);
			put_in_place_of(l, f, &seed);
			if (l->size < 1000)
				resize(l, f, &seed);
		}
		free_log(l);
	}
}

/* Tiles that agree with forged entries still end in another root. */
static void a_consistent_forgery_has_another_root(void)
{
	for (uint64_t size = 1; size < 600; size += 37) {
		struct log *l = make_log(size), *other = make_log(size + 1);
		struct err e = {0};
		l->root = other->root;
		T_EQ(check_log(l, 2, 0, 0, &e), ST_BAD_PROOF);
		T_TRUE(strstr(e.text, "checkpoint: the root of these"));
		free_log(l);
		free_log(other);
	}
}

static void an_entry_in_the_wrong_place_is_named(void)
{
	struct log *l = make_log(300);
	struct file *f = find_file(l, "tile/entries/001.p/44");
	struct err e = {0};
	f->data[f->n - 2] ^= 1;
	T_EQ(check_log(l, 2, 0, 0, &e), ST_BAD_SUM);
	T_STR(e.text, "entry 299: number 43 of tile/entries/001.p/44 does not hash to number 43 of "
	              "tile/0/001.p/44");
	f->data[f->n - 2] ^= 1;
	f = find_file(l, "tile/1/000.p/1");
	f->data[0] ^= 1;
	err_clear(&e);
	T_EQ(check_log(l, 2, 0, 0, &e), ST_BAD_SUM);
	T_STR(e.text, "tile/1/000.p/1: number 0 is not the hash of tile/0/000");
	free_log(l);
}

static void a_partial_tile_that_is_gone_is_cut_out_of_the_full_one(void)
{
	struct log *l = make_log(300), *full = make_log(512);
	uint64_t seed = 5;
	struct err e = {0};
	struct file *partial = find_file(l, "tile/0/001.p/44"), *whole = find_file(full, "tile/0/001");
	struct tile t = {TILE_HASHES, 0, 1, 256}, b = {TILE_ENTRIES, 0, 1, 256};
	partial->gone = true;
	find_file(l, "tile/entries/001.p/44")->gone = true;
	T_EQ(check_log(l, 2, 0, 0, NULL), ST_NOT_FOUND);
	add_file(l, &t, whole->data, whole->n);
	whole = find_file(full, "tile/entries/001");
	add_file(l, &b, whole->data, whole->n);
	T_EQ(check_log(l, 1, 0, 0, &e), ST_OK);
	T_EQ(check_log(l, 3, 77, 0, &e), ST_OK);
	/* The full one has to be full, and right as far as it is needed. */
	struct file *f = find_file(l, "tile/0/001");
	f->n -= 32;
	expect_refused(l, &seed, partial, "cut out of one that is not full");
	f->n += 32;
	f->data[43 * 32] ^= 1;
	expect_refused(l, &seed, partial, "cut out of a wrong one");
	f->data[43 * 32] ^= 1;
	f = find_file(l, "tile/entries/001");
	f->n -= 1;
	T_EQ(check_log(l, 2, 0, 0, &e), ST_MALFORMED);
	free_log(l);
	free_log(full);
}

static void of_two_wrong_files_always_the_same_is_named(void)
{
	struct log *l = make_log(65836);
	find_file(l, "tile/0/100")->gone = true;
	find_file(l, "tile/entries/100")->gone = true;
	find_file(l, "tile/entries/101")->n -= 3;
	find_file(l, "tile/2/000.p/1")->data[0] ^= 1;
	for (unsigned i = 0; i < 20; i++) {
		struct err e = {0};
		T_EQ(check_log(l, 1 + i % 4, i, 0, &e), ST_NOT_FOUND);
		T_STR(e.text, "tile/0/100: not there");
	}
	free_log(l);
}

static void a_source_that_stalls_ends_the_check(void)
{
	struct log *l = make_log(65836);
	for (unsigned after = 1; after < 519; after += 64) {
		struct err e = {0};
		st_t st = check_log(l, 3, after, after, &e);
		T_EQ(st, ST_TIMEOUT);
		T_TRUE(log_check_could_not(st));
		T_STR(e.text, "log: no answer in 180 seconds");
	}
	free_log(l);
}

/* A tree of 2^63 - 1 entries of which nothing exists: not more than a window is asked for. */
static st_t take_strange(void *ctx, struct source_answer *ret, struct err *e)
{
	(void)e;
	*ret = (struct source_answer){.slot = *(size_t *)ctx};
	buf_u8(&ret->body, 0);
	return ST_OK;
}

static st_t ask_nothing(void *ctx, const char *path, size_t max, size_t slot, struct err *e)
{
	(void)ctx, (void)path, (void)max, (void)slot, (void)e;
	return ST_OK;
}

static void free_nothing(void *ctx)
{
	(void)ctx;
}

static void an_answer_to_what_was_not_asked_for_is_refused(void)
{
	static const struct source_ops strange = {ask_nothing, take_strange, free_nothing};
	const struct tile t = {.kind = TILE_HASHES, .width = TILE_WIDTH};
	for (size_t slot = 1; slot < 200; slot += 3) {
		struct log_source *s;
		struct buf body = {0};
		T_EQ(log_source_new(&strange, &slot, &s, NULL), ST_OK);
		T_EQ(log_source_get(s, &t, &body, NULL), ST_IO);
		log_source_free(s);
	}
}

static void a_huge_size_costs_nothing(void)
{
	struct log *l = make_log(0);
	struct err e = {0};
	l->size = TLOG_SIZE_MAX;
	T_EQ(check_log(l, 2, 0, 0, &e), ST_NOT_FOUND);
	T_STR(e.text, "tile/0/000: not there");
	free_log(l);
}

/* --- log_check() and the folder. */

static char dir_name[] = "/tmp/vitrine-test-log-XXXXXX";

static void write_at(int dir, const char *path, const void *p, size_t n)
{
	char folder[NAME_MAX_];
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		snprintf(folder, sizeof folder, "%.*s", (int)(s - path), path);
		mkdirat(dir, folder, 0777);
	}
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	T_TRUE(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static st_t get(struct log_source *s, const char *path, struct buf *ret, struct err *e)
{
	struct tile t;
	T_EQ(tile_path_parse(rd_make(path, strlen(path)), &t, NULL), ST_OK);
	err_clear(e);
	return log_source_get(s, &t, ret, e);
}

static void a_folder_gives_regular_files_below_it_and_nothing_else(void)
{
	static const uint8_t big[TILE_BYTES_MAX + 1];
	struct log_source *s;
	struct buf b = {0};
	struct err e = {0};
	T_TRUE(mkdtemp(dir_name));
	int dir = open(dir_name, O_PATH | O_DIRECTORY);
	write_at(dir, "tile/0/000", big, 5);
	write_at(dir, "tile/0/001", big, sizeof big);
	write_at(dir, "tile/0/008", big, 0);
	T_EQ(symlinkat("000", dir, "tile/0/002"), 0);
	T_EQ(symlinkat("/etc/passwd", dir, "tile/0/003"), 0);
	T_EQ(symlinkat("0", dir, "tile/1"), 0);
	T_EQ(mkfifoat(dir, "tile/0/004", 0666), 0);
	T_EQ(mkdirat(dir, "tile/0/005", 0777), 0);
	T_EQ(log_source_new_folder(dir, &s, NULL), ST_OK);
	T_EQ(get(s, "tile/0/000", &b, &e), ST_OK);
	T_EQ(b.len, 5);
	buf_done(&b);
	T_EQ(get(s, "tile/0/008", &b, &e), ST_OK);
	T_EQ(b.len, 0);
	buf_done(&b);
	T_EQ(get(s, "tile/0/001", &b, &e), ST_LIMIT);
	T_STR(e.text, "tile/0/001: 8193 bytes, at most 8192 are possible");
	T_EQ(get(s, "tile/0/002", &b, &e), ST_MALFORMED);
	T_EQ(get(s, "tile/0/003", &b, &e), ST_MALFORMED);
	T_EQ(get(s, "tile/1/000", &b, &e), ST_MALFORMED);
	T_EQ(get(s, "tile/0/004", &b, &e), ST_MALFORMED);
	T_STR(e.text, "tile/0/004: not a regular file");
	T_EQ(get(s, "tile/0/005", &b, &e), ST_MALFORMED);
	T_EQ(get(s, "tile/0/006", &b, &e), ST_NOT_FOUND);
	T_EQ(get(s, "tile/0/007.p/3", &b, &e), ST_NOT_FOUND);
	T_STR(e.text, "tile/0/007.p/3: not there");
	T_EQ(get(s, "checkpoint", &b, &e), ST_NOT_FOUND);
	log_source_free(s);
	close(dir);
}

static void more_files_than_may_be_open_can_be_asked_for(void)
{
	struct log_source *s;
	struct err e = {0};
	int dir = open(dir_name, O_PATH | O_DIRECTORY);
	struct tile t = {TILE_HASHES, 0, 0, 256};
	T_EQ(log_source_new_folder(dir, &s, NULL), ST_OK);
	for (uint64_t i = 0; i < 3000; i++)
		T_EQ(log_source_ask(s, &t, i, NULL), ST_OK);
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t tag;
		struct buf body;
		st_t st;
		T_EQ(log_source_take(s, &tag, &body, &st, &e, NULL), ST_OK);
		T_EQ(st, ST_OK);
		T_EQ(tag, i);
		T_EQ(body.len, 5);
		buf_done(&body);
	}
	log_source_free(s);
	close(dir);
}

static void remove_folder(void)
{
	static const char *const files[] = {"tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003",
	                                    "tile/0/004", "tile/0/008", "tile/1"};
	int dir = open(dir_name, O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlinkat(dir, files[i], 0);
	unlinkat(dir, "tile/0/005", AT_REMOVEDIR);
	unlinkat(dir, "tile/0", AT_REMOVEDIR);
	unlinkat(dir, "tile", AT_REMOVEDIR);
	close(dir);
	T_EQ(rmdir(dir_name), 0);
}

/* --- URLs. */

static void set_url(struct fetch_fake *f, const char *path, unsigned status, const void *p,
                    size_t n)
{
	char url[256];
	struct fake_answer a = {.status = status, .body = p, .nbody = n};
	snprintf(url, sizeof url, "https://log.example/x/%s", path);
	T_EQ(fetch_fake_set(f, url, &a, NULL), ST_OK);
}

static st_t check_url(struct fetch_fake *f, const char *url, struct log_check_report *r,
                      struct err *e)
{
	struct fetch fetch = fetch_fake_as_fetch(f);
	struct log_source *s;
	struct log_check_opts o = {.jobs = 2};
	T_EQ(log_source_new_url(url, &fetch, &s, e), ST_OK);
	err_clear(e);
	st_t st = log_check(s, NULL, &o, r, e);
	log_source_free(s);
	return st;
}

static void put_log(struct fetch_fake *f, const struct log *l)
{
	struct buf b = {0};
	checkpoint_format("log.example/x", l->size, &l->root, &b);
	static const char sig[] = "\n\xe2\x80\x94 log.example/x AAAAAAAA\n";
	buf_add(&b, sig, sizeof sig - 1);
	set_url(f, "checkpoint", 200, b.data, b.len);
	buf_done(&b);
	for (size_t i = 0; i < l->nfiles; i++)
		set_url(f, l->file[i].path, 200, l->file[i].data, l->file[i].n);
}

static unsigned failures_left;

static bool fail_some(void *ctx, const struct fetch_request *r, struct fake_answer *ret)
{
	(void)ctx;
	if (!strstr(r->url, "tile/0/000") || failures_left == 0)
		return false;
	failures_left--;
	*ret = (struct fake_answer){.status = failures_left % 2 ? 503 : 0, .error = "connection reset"};
	return true;
}

static void logs_behind_urls_are_checked(void)
{
	static struct log_check_report r;
	struct log *l = make_log(300);
	struct fetch_fake *f;
	struct err e = {0};
	T_EQ(fetch_fake_new(&f, NULL), ST_OK);
	T_EQ(check_url(f, "https://log.example/x", &r, &e), -ENOENT);
	put_log(f, l);
	for (unsigned i = 0; i < 4; i++) {
		fetch_fake_reverse(f, i % 2);
		const char *url = i < 2 ? "https://log.example/x" : "https://log.example/x/";
		T_EQ(check_url(f, url, &r, &e), ST_OK);
		T_EQ(r.checkpoint.size, 300);
		T_EQ(r.counts.entries, 300);
		log_check_report_done(&r);
	}
	/* Passing faults of a server are asked about again, lasting ones say nothing about the log. */
	fetch_fake_on_request(f, fail_some, NULL);
	failures_left = 2;
	T_EQ(check_url(f, "https://log.example/x", &r, &e), ST_OK);
	log_check_report_done(&r);
	failures_left = 1000;
	st_t st = check_url(f, "https://log.example/x", &r, &e);
	T_TRUE(log_check_could_not(st));
	T_TRUE(strstr(e.text, "tile/0/000: "));
	log_check_report_done(&r);
	failures_left = 0;
	set_url(f, "tile/0/000", 404, "", 0);
	T_EQ(check_url(f, "https://log.example/x", &r, &e), ST_NOT_FOUND);
	T_STR(e.text, "tile/0/000: not there (HTTP status 404)");
	log_check_report_done(&r);
	set_url(f, "tile/0/000", 403, "", 0);
	st = check_url(f, "https://log.example/x", &r, &e);
	T_TRUE(log_check_could_not(st));
	log_check_report_done(&r);
	fetch_fake_break(f);
	st = check_url(f, "https://log.example/x", &r, &e);
	T_TRUE(log_check_could_not(st));
	log_check_report_done(&r);
	fetch_fake_free(f);
	free_log(l);
}

int main(void)
{
	if (tlog_hasher_init(&hasher, NULL) != ST_OK)
		return 1;
	T_RUN(sound_logs_are_verified);
	T_RUN(whatever_is_wrong_with_any_file_is_found_and_named);
	T_RUN(a_consistent_forgery_has_another_root);
	T_RUN(an_entry_in_the_wrong_place_is_named);
	T_RUN(a_partial_tile_that_is_gone_is_cut_out_of_the_full_one);
	T_RUN(of_two_wrong_files_always_the_same_is_named);
	T_RUN(a_source_that_stalls_ends_the_check);
	T_RUN(an_answer_to_what_was_not_asked_for_is_refused);
	T_RUN(a_huge_size_costs_nothing);
	T_RUN(a_folder_gives_regular_files_below_it_and_nothing_else);
	T_RUN(more_files_than_may_be_open_can_be_asked_for);
	remove_folder();
	T_RUN(logs_behind_urls_are_checked);
	tlog_hasher_done(&hasher);
	return t_end();
}
