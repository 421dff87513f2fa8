/* Conditions on members of containers, compiled and matched: each field, right and nearly right. */
#include "sig/compile.h"
#include "test/t.h"
#include "verify/member.h"

#include <stdlib.h>

static const struct member_facts zip_member = {
	.name = "dir/Two.exe", .name_len = 11, .container = FT_ZIP, .container_size = 500,
	.has_stored = true, .has_crc = true, .stored = 20, .real = 30, .position = 2, .crc = 0x12345678,
	.encrypted = true,
};

static struct db *compile(const char *name, const char *text, uint8_t **ret_p)
{
	struct sig_source src = {name, text, strlen(text)};
	struct sig_opts opts = {.strict = true};
	struct ir_set set;
	struct buf out = {0};
	struct db *db = NULL;
	ir_init(&set);
	T_EQ(sig_compile(&src, 1, &opts, &out, &set, NULL), ST_OK);
	*ret_p = aligned_alloc(64, (out.len + 63) & ~(size_t)63);
	memcpy(*ret_p, out.data, out.len);
	T_EQ(db_open_memory(*ret_p, out.len, &db, NULL), ST_OK);
	buf_done(&out);
	ir_done(&set);
	return db;
}

struct hits {
	const struct db *db;
	char names[200];
};

static st_t on_hit(void *ctx, uint32_t nameref)
{
	struct hits *h = ctx;
	char name[DB_NAME_MAX];
	TRY(db_name(h->db, nameref, name, NULL));
	size_t n = strlen(h->names);
	snprintf(h->names + n, sizeof h->names - n, "%s%s", n ? " " : "", name);
	return ST_OK;
}

/* Names of the lines that fit, in the order told. */
static const char *matches(const char *file, const char *text, const struct member_facts *f)
{
	static struct hits h;
	struct members *m = NULL;
	uint8_t *p = NULL;
	struct db *db = compile(file, text, &p);
	h = (struct hits){.db = db};
	T_EQ(members_new(db, &m, NULL), ST_OK);
	T_EQ(members_match(m, f, on_hit, &h), ST_OK);
	members_free(m);
	db_close(db);
	free(p);
	return h.names;
}

static void each_field_must_fit(void)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{"A:CL_TYPE_ZIP:500:Two:20:30:1:2:*:*\n", "A"}, {"A:CL_TYPE_7Z:*:*:*:*:*:*:*:*\n", ""},
		{"A:*:499-500:*:*:*:*:*:*:*\n", "A"}, {"A:*:501-502:*:*:*:*:*:*:*\n", ""},
		{"A:*:*:^two:*:*:*:*:*:*\n", ""}, {"A:*:*:(?i)/two:*:*:*:*:*:*\n", "A"},
		{"A:*:*:*:19:*:*:*:*:*\n", ""}, {"A:*:*:*:0-20:*:*:*:*:*\n", "A"},
		{"A:*:*:*:*:31:*:*:*:*\n", ""}, {"A:*:*:*:*:30-30:*:*:*:*\n", "A"},
		{"A:*:*:*:*:*:0:*:*:*\n", ""}, {"A:*:*:*:*:*:1:*:*:*\n", "A"},
		{"A:*:*:*:*:*:*:1:*:*\n", ""}, {"A:*:*:*:*:*:*:1-2:*:*\n", "A"},
		{"A:*:*:*:*:*:*:*:ffffffff:x\n", "A"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		T_STR(matches("a.cdb", cases[i].line, &zip_member), cases[i].want);
}

static void the_line_read_last_is_told_first(void)
{
	T_STR(matches("a.cdb", "Z:*:*:*:*:*:*:*:*:*\nA:*:*:*:*:*:*:*:*:*\nB:*:*:x$:*:*:*:*:*:*\n",
	              &zip_member),
	      "A Z");
}

static void old_lines_are_of_one_type_and_look_at_the_crc(void)
{
	T_STR(matches("a.zmd", "A:1:Two:30:20:12345678:0:2:0\n", &zip_member), "A");
	T_STR(matches("a.zmd", "A:1:Two:30:20:12345679:0:2:0\n", &zip_member), "");
	T_STR(matches("a.zmd", "A:2:*:*:*:00000000:*:*:*\n", &zip_member), "A");
	T_STR(matches("a.rmd", "A:*:*:*:*:*:*:*:*\n", &zip_member), "");
}

static void what_is_unknown_fits_no_condition_on_it(void)
{
	struct member_facts f = zip_member;
	f.has_stored = f.has_crc = false;
	T_STR(matches("a.cdb", "A:*:*:*:0-99:*:*:*:*:*\nB:*:*:*:*:*:*:*:*:*\n", &f), "B");
	T_STR(matches("a.zmd", "A:*:*:*:*:12345678:*:*:*\nB:*:*:*:20:*:*:*:*\nC:*:*:*:*:*:*:*:*\n", &f),
	      "C");
}

static void a_database_without_conditions_needs_nothing(void)
{
	struct members *m = NULL;
	uint8_t *p = NULL;
	struct db *db = compile("a.hdb", "44d88612fea8a8f36de82e1278abb02f:68:Hash\n", &p);
	T_EQ(members_new(db, &m, NULL), ST_OK);
	T_TRUE(m == NULL);
	T_EQ(members_match(m, &zip_member, on_hit, NULL), ST_OK);
	members_free(m);
	db_close(db);
	free(p);
}

int main(void)
{
	T_RUN(each_field_must_fit);
	T_RUN(the_line_read_last_is_told_first);
	T_RUN(old_lines_are_of_one_type_and_look_at_the_crc);
	T_RUN(what_is_unknown_fits_no_condition_on_it);
	T_RUN(a_database_without_conditions_needs_nothing);
	return t_end();
}
