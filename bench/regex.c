/* Does it matter that regular expressions are interpreted? The jail allows no memory that is both
 * written and executed, so the worker runs PCRE2 without its JIT compiler. This program, outside of
 * any jail, runs the regular expressions of a database both ways.
 *
 *   regex DB.vdb FILES.list
 *
 * Each expression without an offset is run on each file on which its trigger holds (whatever the
 * rest of its signature says: more often than in a scan), for its first match, with the worker's
 * limits. Prints one line: runs, MB looked at, seconds interpreted, seconds with JIT, expressions
 * used, seconds to compile them, seconds more to compile them for JIT, runs whose outcome differs,
 * bytes of the files. */
#include "base/io.h"
#include "db/db.h"
#include "db/regex_options.h"
#include "match/find.h"
#include "parse/filetype.h"
#include "verify/view.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATH_LINE_MAX 8192
#define FILE_MAX_LEN (64u << 20)
#define LINKS 512 /* DB_PARTS_MAX: the most parts of a pattern */

/* One expression in both forms. */
struct pair {
	pcre2_code *plain, *jit;
};

struct bench {
	const struct db_view *db;
	struct pair *pairs; /* of each record; made when one is needed */
	struct regexes *regexes; /* for triggers that name expressions */
	struct link *links;
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint64_t runs, differ, used, looked_at, bytes;
	double plain_s, jit_s, compile_s, jit_compile_s;
};

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "regex: %s: failed\n", what);
	exit(2);
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static pcre2_code *compile(const struct bench *b, uint32_t i)
{
	const struct db_regex *r = &b->db->regex[i];
	int code;
	PCRE2_SIZE at;
	pcre2_code *ret = pcre2_compile(b->db->code + r->text, r->len,
	                                db_regex_compile_options(r->options), &code, &at, NULL);
	if (!ret)
		die("an expression");
	return ret;
}

static void make_pair(struct bench *b, uint32_t i)
{
	double start = now_s();
	b->pairs[i].plain = compile(b, i);
	b->compile_s += now_s() - start;
	b->pairs[i].jit = compile(b, i);
	start = now_s();
	if (pcre2_jit_compile(b->pairs[i].jit, PCRE2_JIT_COMPLETE) != 0)
		die("JIT");
	b->jit_compile_s += now_s() - start;
	b->used++;
}

/* Whether it matches; the time it takes is added. PCRE2 runs what was compiled for JIT with it. */
static bool timed(struct bench *b, const pcre2_code *code, const struct view *v, double *seconds)
{
	double start = now_s();
	int got = pcre2_match(code, v->data, v->size, 0, 0, b->data, b->context);
	*seconds += now_s() - start;
	return got >= 0;
}

/* Does the trigger hold? It is evaluated as the condition of a signature of its own. */
static bool triggered(struct bench *b, struct view *v, const struct db_regex *r)
{
	struct db_sig s = b->db->sig[b->db->pattern[r->pattern].sig];
	s.cond = r->cond;
	s.ncond = (uint16_t)r->ncond;
	s.flags &= (uint8_t)~DB_SIG_SIMPLE;
	return cond_true(v, &s, b->links);
}

static void run_one(struct bench *b, struct view *v, uint8_t target, uint32_t i)
{
	const struct db_regex *r = &b->db->regex[i];
	const struct db_pattern *p = &b->db->pattern[r->pattern];
	uint8_t wanted = b->db->sig[p->sig].target;
	if (p->off_kind != DB_OFF_ANY || (wanted != 0 && wanted != target) || !triggered(b, v, r))
		return;
	if (!b->pairs[i].plain)
		make_pair(b, i);
	bool plain, jit;
	if (b->runs++ % 2) { /* neither always finds the bytes in the cache */
		plain = timed(b, b->pairs[i].plain, v, &b->plain_s);
		jit = timed(b, b->pairs[i].jit, v, &b->jit_s);
	} else {
		jit = timed(b, b->pairs[i].jit, v, &b->jit_s);
		plain = timed(b, b->pairs[i].plain, v, &b->plain_s);
	}
	b->differ += plain != jit;
	b->looked_at += v->size;
}

static void run_file(struct bench *b, const char *path, uint8_t *buf)
{
	struct err e = {0};
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	if (fd < 0 || io_pread_full(fd, buf, FILE_MAX_LEN, 0, &n, &e) != ST_OK)
		die(path);
	const struct object_facts facts = {.file_size = n};
	struct view v = {.db = b->db, .data = buf, .size = n, .facts = &facts, .find = find_literal,
	                 .regexes = b->regexes, .trace = {.part = NO_TRACE}};
	size_t head = n < FILETYPE_HEAD ? n : FILETYPE_HEAD;
	uint8_t target = filetype_target(filetype_detect(rd_make(buf, head), n));
	for (uint32_t i = 0; i < b->db->nregex; i++)
		run_one(b, &v, target, i);
	b->bytes += n;
}

static void run_list(struct bench *b, const char *list)
{
	char line[PATH_LINE_MAX];
	uint8_t *buf = malloc(FILE_MAX_LEN + DB_TAIL_PAD);
	FILE *f = fopen(list, "r");
	if (!f || !buf)
		die(list);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		run_file(b, line, buf);
	}
	fclose(f);
	free(buf);
}

static void prepare(struct bench *b, const struct db *db)
{
	static const struct regex_limits limits = REGEX_LIMITS_DEFAULT;
	struct err e = {0};
	b->db = db_view(db);
	b->pairs = calloc(b->db->nregex + 1, sizeof *b->pairs);
	b->links = calloc(LINKS, link_size());
	b->data = pcre2_match_data_create(1, NULL);
	b->context = pcre2_match_context_create(NULL);
	if (!b->pairs || !b->links || !b->data || !b->context ||
	    regexes_new(b->db, &b->regexes, &e) != ST_OK)
		die("memory");
	pcre2_set_match_limit(b->context, limits.match);
	pcre2_set_depth_limit(b->context, limits.depth);
}

static void done(struct bench *b)
{
	for (size_t i = 0; i < b->db->nregex; i++) {
		pcre2_code_free(b->pairs[i].plain);
		pcre2_code_free(b->pairs[i].jit);
	}
	free(b->pairs);
	free(b->links);
	pcre2_match_data_free(b->data);
	pcre2_match_context_free(b->context);
	regexes_free(b->regexes);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: regex DB.vdb FILES.list\n");
		return 2;
	}
	struct err e = {0};
	struct db *db = NULL;
	AUTO_FD fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || db_open(fd, &db, &e) != ST_OK)
		die(argv[1]);
	struct bench b = {0};
	prepare(&b, db);
	run_list(&b, argv[2]);
	printf("%llu %.1f %.6f %.6f %llu %.6f %.6f %llu %llu\n", (unsigned long long)b.runs,
	       (double)b.looked_at / 1e6, b.plain_s, b.jit_s, (unsigned long long)b.used, b.compile_s,
	       b.jit_compile_s, (unsigned long long)b.differ, (unsigned long long)b.bytes);
	done(&b);
	db_close(db);
	return 0;
}
