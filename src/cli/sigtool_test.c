/* sigtool --test-sigs: the inspector takes the signatures apart, the compiler compiles their
 * bodies, the inspector searches (explain/sigtool.h). What goes between them is looked at by nobody
 * here. */
#include "cli/sigtool.h"

#include "base/io.h"
#include "cli/text.h"
#include "proc/broker/compile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bodies of all signatures are less than the text they come from; ClamAV's largest has 0.3 GB. */
#define BODIES_MAX (UINT64_C(1) << 30)

struct bodies {
	int fd;
	uint64_t size;
};

static st_t keep_bodies(void *ctx, const void *p, size_t n, struct err *e)
{
	struct bodies *b = ctx;
	b->size += n;
	if (b->size > BODIES_MAX)
		return fail(e, ST_LIMIT, b->size, "testsigs: too many signatures");
	return io_write_all(b->fd, p, n, e);
}

/* Lines for stderr go there; ours begin with "ERROR: ", others never. */
struct lines {
	char head[8];
	size_t nhead; /* bytes of the line's begin that wait in `head` */
	FILE *to;     /* of the line; NULL: not known yet */
	bool escape;
};

static void put_text(struct lines *l, const char *p, size_t n)
{
	if (l->escape)
		text_put_answer(l->to, p, n, false);
	else
		fwrite(p, 1, n, l->to);
}

static void choose(struct lines *l)
{
	bool fault = l->nhead == 7 && !memcmp(l->head, "ERROR: ", 7);
	l->to = fault ? stderr : stdout;
	if (fault)
		fflush(stdout);
	l->escape = isatty(fileno(l->to));
	put_text(l, l->head, l->nhead);
	l->nhead = 0;
}

static st_t put_lines(void *ctx, const void *p, size_t n, struct err *e)
{
	struct lines *l = ctx;
	const char *s = p;
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		bool end = s[i] == '\n';
		if (!l->to) {
			l->head[l->nhead++] = s[i];
			from = i + 1;
			if (end || l->nhead == 7)
				choose(l);
		}
		if (!end)
			continue;
		if (i + 1 > from)
			put_text(l, s + from, i + 1 - from);
		from = i + 1;
		l->to = NULL;
	}
	if (l->to && n > from)
		put_text(l, s + from, n - from);
	return ferror(stdout) ? fail(e, ST_IO, 0, "cannot write") : ST_OK;
}

static bool compile(int bodies, int database)
{
	struct broker_source source = {.name = "bodies.ldb", .fd = bodies};
	struct compile_opts opts = {.now = (uint64_t)time(NULL)};
	struct compile_report report;
	struct err e = {0};
	st_t st = broker_compile(&source, 1, &opts, database, &report, &e);
	compile_report_done(&report);
	if (st == ST_OK)
		return true;
	fputs("ERROR: testsigs: ", stderr);
	text_put_answer(stderr, e.text, strlen(e.text), false);
	putc('\n', stderr);
	return false;
}

static bool test(int signatures, int file)
{
	AUTO_FD bodies = memfd_create("bodies", MFD_CLOEXEC);
	AUTO_FD database = memfd_create("database", MFD_CLOEXEC);
	enum inspect_outcome outcome;
	struct bodies b = {.fd = bodies};
	struct lines l = {0};
	if (bodies < 0 || database < 0) {
		fprintf(stderr, "ERROR: testsigs: memory file: %s\n", strerror(errno));
		return false;
	}
	struct inspect_request rq = {.op = INSPECT_BODIES, .fd = {-1, -1, signatures}};
	if (!sigtool_ask_with(&rq, keep_bodies, &b, &outcome) || !compile(bodies, database))
		return false;
	rq = (struct inspect_request){.op = INSPECT_TRY, .fd = {database, signatures, file}};
	bool good = sigtool_ask_with(&rq, put_lines, &l, &outcome);
	if (l.nhead)
		choose(&l);
	return good;
}

/* As sigtool: the name of the signatures stands for the other file too; what is behind them is not
 * looked at. Signatures are read twice, so they must be a file. */
int sigtool_test(const char *signatures, char **files, int n)
{
	struct stat st;
	if (n < 1) {
		fputs("ERROR: --test-sigs requires two arguments\n", stderr);
		return 1;
	}
	AUTO_FD sigs = sigtool_open(signatures);
	AUTO_FD file = sigtool_open(files[0]);
	if (sigs < 0 || file < 0 || fstat(sigs, &st) || !S_ISREG(st.st_mode)) {
		fputs("ERROR: testsigs: Can't open file ", stderr);
		text_put(stderr, signatures, TEXT_CLAMSCAN);
		putc('\n', stderr);
		return 1;
	}
	return test(sigs, file) ? 0 : 1;
}
