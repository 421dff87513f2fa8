/* Sub-signatures that are no body content: recorded findings of clamscan (subsig_rows.h), and what
 * clamscan has no answer for because it never ends. */
#include "test/t.h"

#include "match/cpu.h"
#include "sig/compile.h"
#include "verify/engine.h"

#include <stdio.h>

struct row {
	const char *sig, *data;
	size_t size;
	bool found;
};

static const struct row rows[] = {
#define ROW(sig, data, found) {sig, data, sizeof data - 1, found},
#include "subsig_rows.h"
#undef ROW
};

/* One signature on one object; ST_OK and whether it was found, or what the engine said. */
static st_t try_row(const char *sig, const char *data, size_t size, bool *ret)
{
	char line[512];
	snprintf(line, sizeof line, "T;Engine:81-255,Target:0;%s\n", sig);
	struct sig_source src = {.name = "t.ldb", .text = line, .len = strlen(line)};
	struct sig_opts opts = {.strict = true};
	struct ir_set set;
	struct buf bytes = {0};
	struct err e = {0};
	struct db *db;
	struct engine *g;
	ir_init(&set);
	if (sig_compile(&src, 1, &opts, &bytes, &set, &e) != ST_OK)
		T_FAIL("%s: %s", sig, e.text);
	size_t room = (bytes.len + 63) & ~(size_t)63;
	void *aligned = aligned_alloc(64, room);
	memcpy(aligned, bytes.data, bytes.len);
	if (db_open_memory(aligned, bytes.len, &db, &e) != ST_OK ||
	    engine_new(db, CPU_ALL, &g, &e) != ST_OK) {
		printf("%s: %s\n", sig, e.text);
		abort();
	}
	struct object_facts facts = {.file_size = size};
	const uint32_t *sigs;
	size_t n;
	uint8_t *copy = calloc(1, size + DB_TAIL_PAD);
	memcpy(copy, data, size);
	engine_begin(g, 0, copy, size, &facts);
	st_t st = engine_finish(g, &sigs, &n, &e);
	*ret = n > 0;
	free(copy);
	engine_free(g);
	db_close(db);
	free(aligned);
	buf_done(&bytes);
	ir_done(&set);
	return st;
}

static void everything_is_found_that_clamscan_finds_and_nothing_else(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool found;
		T_EQ(try_row(rows[i].sig, rows[i].data, rows[i].size, &found), ST_OK);
		if (found != rows[i].found)
			T_FAIL("row %zu: %s: found %d, clamscan %d", i + 1, rows[i].sig, found,
			       rows[i].found);
	}
}

/* clamscan goes round for ever at a match of no bytes. */
static void empty_matches_are_counted_and_come_to_an_end(void)
{
	bool found;
	T_EQ(try_row("0&1;616263;0/x*/g", "\001abcxx", 6, &found), ST_OK);
	T_EQ(found, true);
	T_EQ(try_row("1=6;616263;0/x*/g", "\001abcxx", 6, &found), ST_OK);
	T_EQ(found, true);
}

/* "No match" would be a lie. */
static void an_expression_that_reaches_its_limits_is_said(void)
{
	char data[200];
	bool found;
	memset(data, 'a', sizeof data);
	memcpy(data, "\001abc", 4);
	T_EQ(try_row("0&1;616263;0/(a+)+(a+)+(a+)+[bc]$/", data, sizeof data, &found), ST_LIMIT);
	T_EQ(found, false);
}

int main(void)
{
	T_RUN(everything_is_found_that_clamscan_finds_and_nothing_else);
	T_RUN(empty_matches_are_counted_and_come_to_an_end);
	T_RUN(an_expression_that_reaches_its_limits_is_said);
	return t_end();
}
