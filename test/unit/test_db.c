/* Databases: what the compiler wrote is found again, and whatever is changed in a file is refused
 * or harmless. Checksums are made right again after each change, so that the checks behind them are
 * what is tested. */
#include "test/t.h"

#include "base/num.h"
#include "base/sum64.h"
#include "db/db.h"
#include "sig/compile.h"
#include "test/db_object.h"
#include "verify/engine.h"

#include <time.h>

static uint64_t seed;

/* -- a database that can be changed --------------------------------------------------------- */

struct image {
	uint8_t *p;
	size_t len;
};

static const char NDB[] = "Long.Literal:0:*:6c6f6e67206c69746572616c207465787420746f2066696e64\n"
                          "Eleven:0:*:656c6576656e206279746573\n"
                          "Seven:0:*:736576656e2e2e\n"
                          "Five:0:*:6669766521\n"
                          "Four.1:0:*:61626364?8(41|42)4a4b\nFour.2:0:*:61626365?8(41|42)4a4b\n"
                          "Four.3:0:*:61626366?8(41|42)4a4b\nFour.4:0:*:61626367?8(41|42)4a4b\n"
                          "Four.5:0:*:61626368?8(41|42)4a4b\n"
                          "Gap:0:*:676170206f6e65{2-9}6761702074776f*676170207468726565\n"
                          "Nibble:0:*:6e6962626c65?1??2?3132333435\n"
                          "Alt:0:*:616c7465726e6174697665(6f6e65|74776f|7468726565)626568696e64\n"
                          "Not:0:*:6e6567617469766521(4142|4344)696e73696465\n"
                          "Place:0:0:6174207468652073746172742e2e\n"
                          "End:0:EOF-12:61742074686520656e64\n"
                          "Entry:1:EP+2:656e74727920706f696e74\n"
                          "Section:1:S1+0:73656374696f6e206f6e65\n"
                          "Last:6:SL+1,9:6c6173742073656374696f6e\n"
                          "Inside:1:SE0:696e736964652073656374696f6e\n"
                          "Two.1:0:*:7a41??3?\nTwo.2:0:*:7a42??3?\nTwo.3:0:*:7a43??3?\n"
                          "Two.4:0:*:7a44??3?\nTwo.5:0:*:7a45??3?\nTwo.6:0:*:7a46??3?\n"
                          "Two.7:0:*:7a47??3?\nTwo.8:0:*:7a48??3?\nTwo.9:0:*:7a49??3?\n";
/* Anchors of every length but the shortest: then the long strides are used. */
static const char STRIDES[] = "S.15:0:*:6c6f6e67206c69746572616c207465787420746f2066696e64\n"
                              "S.11:0:*:656c6576656e206279746573\n"
                              "S.7:0:*:736576656e2e2e\n"
                              "S.5:0:*:6669766521\n";
static const char LDB[] =
    "Logic.And;Target:0;0&1;6c6f676963206f6e65;6c6f6769632074776f\n"
    "Logic.Count;Engine:51-255,Target:1,FileSize:1-9000,NumberOfSections:1-9;(0|1)>2,1;"
    "636f756e74206f6e65::i;636f756e742074776f::wa\n"
    "Logic.Word;Target:0;0=1&(1|2);66756c6c776f7264::f;6f74686572;736f6d65\n"
    "Logic.Always;Target:0;0=0;6e6576657220736565\n";
static const char HDB[] = "44d88612fea8a8f36de82e1278abb02f:68:Hash.Md5\n"
                          "44d88612fea8a8f36de82e1278abb030:*:Hash.Any:73\n";
static const char MDB[] = "4096:44d88612fea8a8f36de82e1278abb031:Hash.Section\n";
static const char FP[] = "44d88612fea8a8f36de82e1278abb032:70:Hash.Trust\n";
static const char CRB[] = "C;0;00112233445566778899aabbccddeeff00112233;;ab;010001;1;1;1;0;\n";
static const char FTM[] = "0:4:5a5a:T:CL_TYPE_ANY:CL_TYPE_PDF\n"
                          "1:*:5a5a{2-4}5b5b:T:CL_TYPE_ANY:CL_TYPE_PDF\n";
static const char CBC[] = "not a program\n";
static const char CDB[] = "Member:CL_TYPE_ZIP:*:(?i)a\\.exe$:1-9:*:1:*:*:*\n"
                          "Member.Any:*:*:*:*:5:*:*:*:*\n";
static const char PWDB[] = "Password;Engine:81-255;0;text\n";

static struct image compile(const struct sig_source *src, size_t n)
{
	struct ir_set set;
	struct buf out = {0};
	struct err e = {0};
	struct sig_opts opts = {.strict = true};
	ir_init(&set);
	if (sig_compile(src, n, &opts, &out, &set, &e) != ST_OK) {
		printf("compile: %s\n", e.text);
		exit(2);
	}
	struct image r = {aligned_alloc(64, (out.len + 63) & ~(size_t)63), out.len};
	memcpy(r.p, out.data, out.len);
	buf_done(&out);
	ir_done(&set);
	return r;
}

#define SOURCE(name, text) {name, text, sizeof text - 1}

static struct image strides(void)
{
	static const struct sig_source src[] = {SOURCE("a.ndb", STRIDES), SOURCE("a.ldb", LDB)};
	return compile(src, ARRAY_LEN(src));
}

static struct image everything(void)
{
	static const struct sig_source src[] = {SOURCE("a.ndb", NDB), SOURCE("a.ldb", LDB),
	                                        SOURCE("a.hdb", HDB), SOURCE("a.mdb", MDB),
	                                        SOURCE("a.fp", FP),   SOURCE("a.crb", CRB),
	                                        SOURCE("a.ftm", FTM), SOURCE("a.cbc", CBC),
	                                        SOURCE("a.cdb", CDB), SOURCE("a.pwdb", PWDB)};
	return compile(src, ARRAY_LEN(src));
}

static struct db_header *header(struct image *m)
{
	return (struct db_header *)(void *)m->p;
}

static struct db_section *section(struct image *m, enum db_section_id id)
{
	return (struct db_section *)(void *)(m->p + sizeof(struct db_header)) + (id - 1);
}

static void seal_table(struct image *m)
{
	size_t n = (DB_SECTIONS_END - 1) * sizeof(struct db_section);
	header(m)->sum = sum64(section(m, DB_SEC_META), n);
}

static void seal(struct image *m, enum db_section_id id)
{
	struct db_section *s = section(m, id);
	if (!(s->flags & DB_SECTION_LAZY))
		s->sum = sum64(m->p + s->off, s->len);
	seal_table(m);
}

static st_t open_image(const struct image *m, struct db **ret)
{
	struct err e = {0};
	return db_open_memory(m->p, m->len, ret, &e);
}

/* -- use ------------------------------------------------------------------------------------ */

static uint64_t in_ms(unsigned ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec + ms * UINT64_C(1000000);
}

static void count_hit(void *ctx, uint32_t nameref)
{
	(void)nameref;
	*(unsigned *)ctx += 1;
}

/* All that a scanner does with a database. Returns the signatures found. */
static size_t use(struct db *db)
{
	char name[DB_NAME_MAX];
	struct engine *g = NULL;
	size_t found = 0;
	struct err e = {0};
	if (engine_new(db, 0, &g, &e) != ST_OK)
		return 0;
	static const uint8_t targets[] = {0, 1, 6};
	for (size_t t = 0; t < ARRAY_LEN(targets); t++) {
		const uint32_t *sigs;
		size_t n = 0;
		engine_deadline(g, in_ms(500));
		engine_begin(g, targets[t], (const uint8_t *)OBJECT, sizeof OBJECT - 1,
		             targets[t] ? &exe_facts : &no_facts);
		engine_feed(g, 100);
		if (engine_finish(g, &sigs, &n, &e) != ST_OK)
			continue;
		for (size_t i = 0; i < n; i++)
			(void)!db_name(db, db_sig_nameref(db, sigs[i]), name, &e);
		found += n;
	}
	engine_free(g);
	for (uint32_t i = 0; i < num_min_u64(db_meta(db)->nnames, 100); i++)
		(void)!db_name(db, i, name, NULL);
	unsigned hits = 0;
	for (unsigned u = 0; u < DB_HASH_USES; u++)
		for (unsigned k = 0; k < DIGEST_KINDS; k++)
			if (db_hash_wanted(db, u, k, 68))
				(void)!db_hash_lookup(db, u, k, (const uint8_t *)OBJECT, 68, count_hit, &hits,
				                      NULL);
	return found;
}

static void an_unchanged_database_finds_what_is_there(void)
{
	struct image m = everything();
	struct db *db = NULL;
	T_EQ(open_image(&m, &db), ST_OK);
	T_TRUE(use(db) > 40);
	T_EQ(db_meta(db)->sigs_body, 28);
	T_EQ(db_meta(db)->sigs_logical, 4);
	T_EQ(db_meta(db)->inactive, 2);
	T_TRUE(db_inactive(db, 0) && !db_inactive(db, db_view(db)->ninactive));
	db_close(db);
	free(m.p);
}

/* doc/format/database.md gives these; a change there is a change of the format. */
static void records_have_the_sizes_of_the_document(void)
{
	T_EQ(sizeof(struct db_header), 32);
	T_EQ(sizeof(struct db_section), 32);
	T_EQ(sizeof(struct db_meta), 120);
	T_EQ(sizeof(struct db_inactive), 64);
	T_EQ(sizeof(struct db_sig), 24);
	T_EQ(sizeof(struct db_cond), 12);
	T_EQ(sizeof(struct db_pattern), 32);
	T_EQ(sizeof(struct db_part), 40);
	T_EQ(sizeof(struct db_target), 32);
	T_EQ(sizeof(struct db_filter), 192);
	T_EQ(sizeof(struct db_slot), 16);
	T_EQ(sizeof(struct db_place), 24);
	T_EQ(sizeof(struct db_hash_table), 40);
	T_EQ(sizeof(struct db_hash_dir), 8);
	T_EQ(sizeof(struct db_name_dir), 8);
	T_EQ(sizeof(struct db_magic), 24);
	T_EQ(sizeof(struct db_magic_part), 16);
	T_EQ(sizeof(struct db_note), 256);
	T_EQ(sizeof(struct db_regex), 24);
	T_EQ(sizeof(struct db_compare), 48);
	T_EQ(sizeof(struct db_image), 16);
	T_EQ(sizeof(struct db_origin), 352);
	T_EQ(sizeof(struct db_member), 88);
	T_EQ(sizeof(struct db_password), 12);
	T_EQ(DB_SECTIONS_END - 1, 31);
}

/* -- refusals ------------------------------------------------------------------------------- */

static void a_wrong_header_is_refused_for_its_reason(void)
{
	static const struct {
		size_t at;
		uint8_t value;
		st_t want;
	} cases[] = {
	    {offsetof(struct db_header, magic), 'X', ST_MALFORMED},
	    {offsetof(struct db_header, version), DB_VERSION + 1, ST_UNSUPPORTED},
	    {offsetof(struct db_header, nsections), DB_SECTIONS_END, ST_MALFORMED},
	    {offsetof(struct db_header, file_size), 1, ST_TRUNCATED},
	    {offsetof(struct db_header, file_size) + 7, 1, ST_TRUNCATED},
	    {offsetof(struct db_header, sum), 0x55, ST_BAD_SUM},
	};
	struct image m = everything();
	m.p[offsetof(struct db_header, sum)] = 0;
	seal_table(&m);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct db *db = NULL;
		uint8_t was = m.p[cases[i].at];
		m.p[cases[i].at] = was == cases[i].value ? (uint8_t)~was : cases[i].value;
		T_EQ(open_image(&m, &db), cases[i].want);
		m.p[cases[i].at] = was;
	}
	struct image odd = {m.p + 1, m.len - 1};
	struct db *db = NULL;
	T_EQ(open_image(&odd, &db), ST_MALFORMED);
	free(m.p);
}

static void section_is_refused(struct image *m, enum db_section_id id, uint64_t *field,
                               uint64_t value, st_t want)
{
	struct db *db = NULL;
	uint64_t was = *field;
	*field = value;
	seal_table(m);
	st_t st = open_image(m, &db);
	if (st != want)
		T_FAIL("section %d: %s, not %s", id, st_name(st), st_name(want));
	*field = was;
	seal_table(m);
	db_close(db);
}

static void a_section_outside_the_file_or_misaligned_is_refused(void)
{
	struct image m = everything();
	for (enum db_section_id id = DB_SEC_META; id < DB_SECTIONS_END; id++) {
		struct db_section *s = section(&m, id);
		section_is_refused(&m, id, &s->off, s->off + 1, ST_MALFORMED);
		section_is_refused(&m, id, &s->off, (m.len + 63) & ~(size_t)63, ST_MALFORMED);
		section_is_refused(&m, id, &s->off, UINT64_MAX - 63, ST_MALFORMED);
		section_is_refused(&m, id, &s->len, m.len - s->off - DB_TAIL_PAD + 1, ST_MALFORMED);
		section_is_refused(&m, id, &s->len, UINT64_MAX, ST_MALFORMED);
		section_is_refused(&m, id, &s->len, UINT64_MAX - s->off + 1, ST_MALFORMED);
		if (!(s->flags & DB_SECTION_LAZY))
			section_is_refused(&m, id, &s->sum, s->sum ^ 1, ST_BAD_SUM);
		s->flags ^= DB_SECTION_LAZY;
		section_is_refused(&m, id, &s->sum, s->sum, ST_MALFORMED);
		s->flags ^= DB_SECTION_LAZY;
		s->id++;
		section_is_refused(&m, id, &s->sum, s->sum, ST_MALFORMED);
		s->id--;
	}
	free(m.p);
}

static void a_file_cut_anywhere_is_refused(void)
{
	struct image m = everything();
	for (enum db_section_id id = DB_SEC_META; id < DB_SECTIONS_END; id++) {
		const struct db_section *s = section(&m, id);
		const size_t at[] = {s->off, s->off + s->len / 2, s->off + s->len,
		                     s->off + s->len + DB_TAIL_PAD - 1};
		for (size_t i = 0; i < ARRAY_LEN(at); i++) {
			struct image cut = {m.p, at[i] < m.len ? at[i] : m.len - 1};
			struct db *db = NULL;
			T_EQ(open_image(&cut, &db), ST_TRUNCATED);
			header(&m)->file_size = cut.len; /* as if it had always been so short */
			T_TRUE(open_image(&cut, &db) > 0);
			header(&m)->file_size = m.len;
		}
	}
	for (size_t n = 0; n < sizeof(struct db_header) + 24 * sizeof(struct db_section); n++) {
		struct image cut = {m.p, n};
		struct db *db = NULL;
		T_TRUE(open_image(&cut, &db) > 0);
	}
	free(m.p);
}

/* One field of the record `index` of a section: each of these values must be refused. */
struct field_case {
	enum db_section_id id;
	size_t record, index, at, size;
	uint64_t value;
	const char *what;
};

struct word {
	uint32_t v;
};

#define FIELD(sec, type, i, field, value) \
	{sec, sizeof(type), i, offsetof(type, field), sizeof(((type *)0)->field), value, \
	 #field " = " #value}
#define SIG(field, value) FIELD(DB_SEC_SIG, struct db_sig, 0, field, value)
#define PATTERN(field, value) FIELD(DB_SEC_PATTERN, struct db_pattern, 0, field, value)
#define PART(field, value) FIELD(DB_SEC_PART, struct db_part, 0, field, value)
#define TARGET(field, value) FIELD(DB_SEC_TARGET, struct db_target, 1, field, value)
#define CLASS(field, value) FIELD(DB_SEC_FILTER, struct db_class, DB_CLASS_8_8, field, value)
#define MAGIC(field, value) FIELD(DB_SEC_MAGIC, struct db_magic, 1, field, value)
#define MAGIC_PART(field, value) FIELD(DB_SEC_MAGIC_PART, struct db_magic_part, 1, field, value)
#define HASH(field, value) FIELD(DB_SEC_HASH, struct db_hash_table, 0, field, value)
#define MEMBER(field, value) FIELD(DB_SEC_MEMBER, struct db_member, 1, field, value)
#define PASSWORD(field, value) FIELD(DB_SEC_PASSWORD, struct db_password, 0, field, value)

static const struct field_case field_cases[] = {
    FIELD(DB_SEC_META, struct db_meta, 0, nnames, 1),
    FIELD(DB_SEC_META, struct db_meta, 0, nnames, UINT32_MAX),
    FIELD(DB_SEC_INACTIVE, struct db_inactive, 0, what[55], 'x'),
    SIG(nameref, DB_NAMEREF_INDEX), SIG(nameref, UINT32_MAX), SIG(target, DB_TARGETS),
    SIG(target, 255), SIG(cond, UINT32_MAX), SIG(ncond, UINT16_MAX), SIG(ncond, DB_CONDS_MAX + 1),
    SIG(pattern, UINT32_MAX), SIG(pattern, 1), SIG(npatterns, UINT32_MAX), SIG(npatterns, 0),
    SIG(npatterns, 2), SIG(flags, 0),
    PATTERN(sig, UINT32_MAX), PATTERN(sig, 1), PATTERN(part, UINT32_MAX), PATTERN(nparts, 0),
    PATTERN(nparts, DB_PARTS_MAX + 1), PATTERN(off_kind, DB_OFF_KINDS), PATTERN(off_kind, 255),
    PATTERN(off_n, (uint64_t)INT64_MIN), PATTERN(off_n, INT64_MAX),
    PART(code, UINT32_MAX), PART(code_len, UINT32_MAX), PART(code_len, 0), PART(min_len, 0),
    PART(min_len, UINT32_MAX), PART(max_len, 0), PART(max_len, UINT32_MAX), PART(lit, UINT32_MAX),
    PART(lit_off, UINT16_MAX), PART(lit_len, UINT16_MAX), PART(kind, DB_PART_PROGRAM + 1),
    PART(kind, DB_PART_PROGRAM), PART(kind, DB_PART_MASKED),
    TARGET(nfilters, DB_TARGET_FILTERS + 1), TARGET(nfilters, UINT32_MAX), TARGET(filter[0], 99),
    TARGET(filter[0], UINT32_MAX), TARGET(place, UINT32_MAX), TARGET(nplaces, UINT32_MAX),
    TARGET(always, UINT32_MAX), TARGET(nalways, UINT32_MAX),
    CLASS(bloom, UINT32_MAX), CLASS(bloom_log2, 21), CLASS(bloom_log2, 32),
    CLASS(bloom_log2, UINT32_MAX), CLASS(bucket, UINT32_MAX), CLASS(bucket_log2, 31),
    CLASS(bucket_log2, 32), CLASS(bucket_log2, UINT32_MAX), CLASS(slot, UINT32_MAX),
    CLASS(nslots, UINT32_MAX), CLASS(nslots, 0),
    FIELD(DB_SEC_FILTER, struct db_class, DB_CLASS_2_1, bloom_log2, 12),
    FIELD(DB_SEC_BUCKET, struct word, 0, v, UINT32_MAX),
    PART(pattern, UINT32_MAX), PART(pattern, 1),
    FIELD(DB_SEC_SLOT, struct db_slot, 0, part, UINT32_MAX),
    FIELD(DB_SEC_PLACE, struct db_place, 0, pattern, UINT32_MAX),
    FIELD(DB_SEC_ALWAYS, struct word, 0, v, UINT32_MAX),
    HASH(nrows, UINT64_MAX), HASH(nrows, UINT32_MAX), HASH(rows_off, UINT64_MAX),
    HASH(dir, UINT32_MAX), HASH(dir_log2, 31), HASH(dir_log2, 32), HASH(sizes, UINT32_MAX),
    HASH(sizes_log2, 5), HASH(sizes_log2, 36), HASH(sizes_log2, 64), HASH(stride, 0),
    HASH(stride, 28), HASH(stride, UINT32_MAX),
    MAGIC(type, UINT16_MAX), MAGIC(rtype, UINT16_MAX), MAGIC(flags, 2), MAGIC(off_min, 5),
    MAGIC(part, 3), MAGIC(part, UINT32_MAX), MAGIC(nparts, 0), MAGIC(nparts, UINT32_MAX),
    MAGIC(nparts, DB_MAGIC_PARTS_MAX + 1), MAGIC_PART(gap_min, 5), MAGIC_PART(bytes, UINT32_MAX),
    MAGIC_PART(bytes, 9), MAGIC_PART(len, 0), MAGIC_PART(len, UINT32_MAX),
    MAGIC_PART(len, DB_MAGIC_LOOK + 1),
    FIELD(DB_SEC_NOTE, struct db_note, 0, kind[15], 'x'),
    FIELD(DB_SEC_NOTE, struct db_note, 0, text[239], 'x'),
    MEMBER(nameref, DB_NAMEREF_INDEX), MEMBER(regex, UINT32_MAX), MEMBER(regex, 1),
    MEMBER(regex_len, 0), MEMBER(regex_len, UINT32_MAX), MEMBER(container, UINT16_MAX),
    MEMBER(encrypted, 3), MEMBER(has_crc, 2),
    PASSWORD(text, UINT32_MAX), PASSWORD(len, 1), PASSWORD(len, UINT32_MAX),
    PASSWORD(container, UINT16_MAX),
};

static void every_field_that_leads_outside_is_refused(void)
{
	struct image m = everything();
	for (size_t i = 0; i < ARRAY_LEN(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		struct db_section *s = section(&m, c->id);
		uint8_t *p = m.p + s->off + c->index * c->record + c->at, was[8];
		if ((c->index + 1) * c->record > s->len)
			T_FAIL("section %d has no record %zu", c->id, c->index);
		memcpy(was, p, c->size);
		memcpy(p, &c->value, c->size);
		seal(&m, c->id);
		struct db *db = NULL;
		st_t st = open_image(&m, &db);
		if (st != ST_MALFORMED)
			T_FAIL("section %d, %s: %s", c->id, c->what, st_name(st));
		db_close(db);
		memcpy(p, was, c->size);
		seal(&m, c->id);
	}
	free(m.p);
}

/* -- part programs and conditions ----------------------------------------------------------- */

/* The first program of a database and what a change at one of its bytes does. */
static struct db_part *first_program(struct image *m)
{
	const uint8_t *code = m->p + section(m, DB_SEC_CODE)->off;
	struct db_section *s = section(m, DB_SEC_PART);
	struct db_part *p = (struct db_part *)(void *)(m->p + s->off);
	for (size_t i = 0; i < s->len / sizeof *p; i++)
		if (p[i].kind == DB_PART_PROGRAM && code[p[i].code] == DB_OP_ALT)
			return &p[i];
	printf("no program with alternatives\n");
	exit(2);
}

static void program_is_refused(struct image *m, size_t at, uint8_t value, const char *what)
{
	struct db *db = NULL;
	uint8_t *p = m->p + section(m, DB_SEC_CODE)->off + first_program(m)->code + at, was = *p;
	*p = value;
	seal(m, DB_SEC_CODE);
	st_t st = open_image(m, &db);
	if (st != ST_MALFORMED && st != ST_TRUNCATED)
		T_FAIL("%s: %s", what, st_name(st));
	*p = was;
	seal(m, DB_SEC_CODE);
	db_close(db);
}

/* ALT 3, three offsets, BYTES 3 "one" JUMP, BYTES 3 "two" JUMP, BYTES 5 "three" JUMP, END. */
static void a_program_that_the_compiler_would_not_write_is_refused(void)
{
	struct image m = everything();
	size_t len = first_program(&m)->code_len, jump = 9 + 6;
	program_is_refused(&m, 1, 0, "no alternatives");
	program_is_refused(&m, 1, 2, "one branch too few");
	program_is_refused(&m, 2, 0xff, "more branches than bytes");
	program_is_refused(&m, 3, 0, "a branch to the table");
	program_is_refused(&m, 5, 9, "two branches at one place");
	program_is_refused(&m, 6, 0xff, "a branch outside");
	program_is_refused(&m, 9, DB_OP_COUNT, "an unknown op");
	program_is_refused(&m, 9, DB_OP_END, "an end in a branch");
	program_is_refused(&m, 10, 0xff, "more bytes than there are");
	program_is_refused(&m, jump + 1, 3, "a jump to the next branch");
	program_is_refused(&m, jump + 1, 0, "a jump to itself");
	program_is_refused(&m, jump + 2, 0xff, "a jump outside");
	program_is_refused(&m, len - 1, DB_OP_JUMP, "no end");
	program_is_refused(&m, len - 1, DB_OP_BOUND, "half a boundary at the end");
	first_program(&m)->min_len++;
	seal(&m, DB_SEC_PART);
	struct db *db = NULL;
	T_EQ(open_image(&m, &db), ST_MALFORMED);
	free(m.p);
}

static void cond_is_refused(struct image *m, struct db_cond *c, struct db_cond to)
{
	struct db *db = NULL;
	struct db_cond was = *c;
	*c = to;
	seal(m, DB_SEC_COND);
	if (open_image(m, &db) != ST_MALFORMED)
		T_FAIL("condition %u %u %u is accepted", to.op, to.a, to.b);
	*c = was;
	seal(m, DB_SEC_COND);
	db_close(db);
}

/* The first condition is that of Logic.Always: ID 0, compare. */
static void a_condition_that_is_no_program_is_refused(void)
{
	struct image m = everything();
	struct db_cond *c = (struct db_cond *)(void *)(m.p + section(&m, DB_SEC_COND)->off);
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_OPS, 0, 0});
	cond_is_refused(&m, &c[0], (struct db_cond){UINT32_MAX, 0, 0});
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_AND, 1, 0}); /* of nothing */
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_GT, 0, 0});
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_ID, 0, 0}); /* no patterns */
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_ID, 99, 1});
	cond_is_refused(&m, &c[0], (struct db_cond){DB_COND_ID, UINT32_MAX, 2});
	cond_is_refused(&m, &c[1], (struct db_cond){DB_COND_AND, 0, 0});
	cond_is_refused(&m, &c[1], (struct db_cond){DB_COND_OR, 2, 0});
	cond_is_refused(&m, &c[1], (struct db_cond){DB_COND_OR, UINT32_MAX, 0});
	cond_is_refused(&m, &c[1], (struct db_cond){DB_COND_ID, 0, 1}); /* two values are left */
	cond_is_refused(&m, &c[1], (struct db_cond){DB_COND_FILESIZE, 0, 1});
	free(m.p);
}

/* -- whatever else is changed --------------------------------------------------------------- */

static void try_image(struct image *m, unsigned *ret_refused)
{
	struct db *db = NULL;
	if (open_image(m, &db) == ST_OK)
		(void)use(db);
	else
		*ret_refused += 1;
	db_close(db);
}

static void every_word_of(struct image *m, enum db_section_id id, unsigned *ret_refused)
{
	static const uint32_t values[] = {0,      1,          255,        0x7fff,
	                                  0xffff, 0x7fffffff, 0x80000000, UINT32_MAX};
	struct db_section *s = section(m, id);
	uint8_t *p = m->p + s->off;
	for (size_t at = 0; at + 4 <= s->len; at += 4) {
		uint32_t was = load_u32le(p + at);
		for (size_t i = 0; i < ARRAY_LEN(values) + 2; i++) {
			uint32_t v = i < ARRAY_LEN(values) ? values[i] : was + (i & 1 ? 1u : UINT32_MAX);
			memcpy(p + at, &v, 4);
			seal(m, id);
			try_image(m, ret_refused);
		}
		memcpy(p + at, &was, 4);
	}
	seal(m, id);
}

static void every_changed_word_is_refused_or_harmless(void)
{
	static const enum db_section_id ids[] = {
	    DB_SEC_META,   DB_SEC_SIG,  DB_SEC_COND,  DB_SEC_PATTERN, DB_SEC_PART,   DB_SEC_CODE,
	    DB_SEC_TARGET, DB_SEC_SLOT, DB_SEC_PLACE, DB_SEC_ALWAYS,  DB_SEC_FILTER, DB_SEC_HASH,
	    DB_SEC_HASH_DIR, DB_SEC_HASH_ROWS, DB_SEC_NAME_DIR, DB_SEC_NAME_BLOCKS,
	};
	unsigned refused = 0;
	struct image all[] = {strides(), everything()};
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		for (size_t i = 0; i < ARRAY_LEN(ids); i++)
			every_word_of(&all[k], ids[i], &refused);
		free(all[k].p);
	}
	printf("  %u databases refused\n", refused);
	T_TRUE(refused > 3000);
}

/* Several random changes at once, in records only. */
static void random_changes_are_refused_or_harmless(void)
{
	struct image m = everything();
	struct image copy = {aligned_alloc(64, (m.len + 63) & ~(size_t)63), m.len};
	unsigned refused = 0;
	for (unsigned i = 0; i < 4000; i++) {
		memcpy(copy.p, m.p, m.len);
		for (uint64_t n = 1 + t_rand(&seed) % 3; n > 0; n--) {
			enum db_section_id id = 1 + t_rand(&seed) % (DB_SECTIONS_END - 1);
			struct db_section *s = section(&copy, id);
			if (s->len)
				copy.p[s->off + t_rand(&seed) % s->len] ^= (uint8_t)(1u << (t_rand(&seed) % 8));
			seal(&copy, id);
		}
		try_image(&copy, &refused);
	}
	T_TRUE(refused > 300 && refused < 4000);
	free(copy.p);
	free(m.p);
}

/* -- names ---------------------------------------------------------------------------------- */

#define NAMES 5000u

/* Beginnings shared in every degree, some very long. */
static int make_name(char *ret, size_t cap, unsigned i)
{
	static const char *const stem[] = {"Win.Trojan.", "Win.Trojan.Agent-", "Unix.", "A", ""};
	int pad = i % 500 == 0 ? 900 : (int)(i % 7);
	return snprintf(ret, cap, "%s%0*u%s", stem[i % 5], pad, i, i % 3 ? "" : "-extra");
}

static char names_text[NAMES * 128];

static struct image named(void)
{
	size_t n = 0;
	char name[1024];
	for (unsigned i = 0; i < NAMES; i++) {
		make_name(name, sizeof name, i);
		n += (size_t)snprintf(names_text + n, sizeof names_text - n, "%032x:%u:%s\n",
		                      i * 2654435761u, i + 1, name);
	}
	struct sig_source src = {"names.hdb", names_text, n};
	return compile(&src, 1);
}

struct wanted {
	uint32_t nameref;
	unsigned hits;
};

static void keep_hit(void *ctx, uint32_t nameref)
{
	struct wanted *w = ctx;
	w->nameref = nameref;
	w->hits++;
}

static void digest_of(unsigned i, uint8_t ret[16])
{
	memset(ret, 0, 16);
	uint32_t v = i * 2654435761u;
	for (unsigned k = 0; k < 4; k++)
		ret[15 - k] = (uint8_t)(v >> 8 * k);
}

static void every_name_is_decoded_as_it_was_written(void)
{
	struct image m = named();
	struct db *db = NULL;
	T_EQ(open_image(&m, &db), ST_OK);
	for (unsigned i = 0; i < NAMES; i++) {
		char want[DB_NAME_MAX], got[DB_NAME_MAX] = "";
		uint8_t digest[16];
		struct wanted w = {0};
		make_name(want, sizeof want, i);
		digest_of(i, digest);
		T_EQ(db_hash_lookup(db, DB_HASH_FILE, DIGEST_MD5, digest, i + 1, keep_hit, &w, NULL),
		     ST_OK);
		T_EQ(w.hits, 1);
		T_EQ(db_name(db, w.nameref, got, NULL), ST_OK);
		T_STR(got, want);
	}
	char name[DB_NAME_MAX];
	T_EQ(db_name(db, db_meta(db)->nnames, name, NULL), ST_BAD_SUM);
	T_EQ(db_name(db, UINT32_MAX, name, NULL), ST_BAD_SUM);
	db_close(db);
	free(m.p);
}

/* Blocks of names whose first name cannot be read. */
static unsigned bad_name_blocks(const struct db *db)
{
	char name[DB_NAME_MAX];
	unsigned bad = 0;
	for (uint32_t k = 0; k < NAMES; k += DB_NAME_BLOCK)
		bad += db_name(db, k, name, NULL) == ST_BAD_SUM;
	return bad;
}

static void a_damaged_block_of_names_is_noticed_when_it_is_read(void)
{
	struct image m = named();
	const struct db_section *s = section(&m, DB_SEC_NAME_BLOCKS);
	struct db *db = NULL;
	T_EQ(open_image(&m, &db), ST_OK);
	T_EQ(bad_name_blocks(db), 0);
	for (unsigned i = 0; i < 100; i++) {
		uint8_t *p = m.p + s->off + t_rand(&seed) % s->len;
		uint8_t bit = (uint8_t)(1u << (t_rand(&seed) % 8));
		*p ^= bit;
		T_EQ(bad_name_blocks(db), 1);
		*p ^= bit;
	}
	db_close(db);
	free(m.p);
}

/* -- digests -------------------------------------------------------------------------------- */

#define ROWS 100000u

struct row {
	uint8_t digest[DIGEST_MAX];
	uint32_t size; /* 0: any */
};

static struct row rows[ROWS];
static char rows_text[ROWS * 96];

/* One row in 16 fits any size; the level that `*` needs stands behind the name. */
static struct image random_rows(enum digest_kind kind)
{
	size_t n = 0;
	char hex[2 * DIGEST_MAX + 1];
	for (unsigned i = 0; i < ROWS; i++) {
		for (unsigned k = 0; k < DIGEST_MAX; k++)
			rows[i].digest[k] = (uint8_t)t_rand(&seed);
		rows[i].size = i % 16 ? 1 + (uint32_t)(t_rand(&seed) % 300000) * 4 : 0;
		hex_encode(rows[i].digest, digest_size(kind), hex);
		if (rows[i].size)
			n += (size_t)snprintf(rows_text + n, 96, "%s:%u:N%u\n", hex, rows[i].size, i);
		else
			n += (size_t)snprintf(rows_text + n, 96, "%s:*:N%u:73\n", hex, i);
	}
	struct sig_source src = {"rows.hsb", rows_text, n};
	return compile(&src, 1);
}

static unsigned hits(const struct db *db, enum digest_kind kind, const uint8_t *digest,
                     uint64_t size)
{
	struct wanted w = {0};
	T_EQ(db_hash_lookup(db, DB_HASH_FILE, kind, digest, size, keep_hit, &w, NULL), ST_OK);
	return w.hits;
}

static void every_row_is_found_and_nothing_else(void)
{
	for (enum digest_kind kind = 0; kind < DIGEST_KINDS; kind++) {
		struct image m = random_rows(kind);
		struct db *db = NULL;
		unsigned lost = 0, invented = 0;
		T_EQ(open_image(&m, &db), ST_OK);
		for (unsigned i = 0; i < ROWS; i++) {
			struct row *r = &rows[i];
			uint64_t size = r->size ? r->size : t_rand(&seed);
			lost += !db_hash_wanted(db, DB_HASH_FILE, kind, size) ||
			        hits(db, kind, r->digest, size) != 1;
			invented += r->size != 0 && hits(db, kind, r->digest, size + 1) != 0;
			r->digest[t_rand(&seed) % digest_size(kind)] ^= 1; /* absent now */
			invented += hits(db, kind, r->digest, size);
		}
		T_EQ(lost, 0);
		T_EQ(invented, 0);
		T_EQ(hits(db, (kind + 1) % DIGEST_KINDS, rows[0].digest, 1), 0);
		db_close(db);
		free(m.p);
	}
}

static const char SIZES[] = "44d88612fea8a8f36de82e1278abb02f:68:One\n"
                            "44d88612fea8a8f36de82e1278abb030:4294967294:Largest\n";

static void a_digest_is_wanted_only_for_sizes_that_rows_have(void)
{
	struct sig_source src = SOURCE("a.hdb", SIZES);
	struct image m = compile(&src, 1);
	struct db *db = NULL;
	unsigned wanted = 0;
	T_EQ(open_image(&m, &db), ST_OK);
	T_TRUE(db_hash_wanted(db, DB_HASH_FILE, DIGEST_MD5, 68));
	T_TRUE(db_hash_wanted(db, DB_HASH_FILE, DIGEST_MD5, UINT32_MAX - 1));
	for (uint64_t size = 0; size < 10000; size++)
		wanted += db_hash_wanted(db, DB_HASH_FILE, DIGEST_MD5, size);
	T_TRUE(wanted >= 1 && wanted < 200); /* a filter of 512 bits, two of them set */
	T_TRUE(!db_hash_wanted(db, DB_HASH_FILE, DIGEST_SHA256, 68));
	T_TRUE(!db_hash_wanted(db, DB_HASH_TRUST, DIGEST_MD5, 68));
	db_close(db);
	free(m.p);
}

static const char TWICE[] = "44d88612fea8a8f36de82e1278abb02f:68:First\n"
                            "44d88612fea8a8f36de82e1278abb02f:69:Other.Size\n"
                            "44d88612fea8a8f36de82e1278abb02f:*:Any.Size:73\n"
                            "44d88612fea8a8f36de82e1278abb02f:68:Last\n";

static void of_equal_rows_the_last_one_counts(void)
{
	static const uint8_t digest[] = {0x44, 0xd8, 0x86, 0x12, 0xfe, 0xa8, 0xa8, 0xf3,
	                                 0x6d, 0xe8, 0x2e, 0x12, 0x78, 0xab, 0xb0, 0x2f};
	struct sig_source src = SOURCE("a.hdb", TWICE);
	struct image m = compile(&src, 1);
	struct db *db = NULL;
	struct wanted w = {0};
	char name[DB_NAME_MAX];
	bool first = false;
	T_EQ(open_image(&m, &db), ST_OK);
	T_EQ(db_hash_lookup(db, DB_HASH_FILE, DIGEST_MD5, digest, 68, keep_hit, &w, NULL), ST_OK);
	T_EQ(w.hits, 2); /* Last, and Any.Size behind it */
	T_EQ(db_name(db, w.nameref, name, NULL), ST_OK);
	T_STR(name, "Any.Size");
	for (uint32_t i = 0; db_name(db, i, name, NULL) == ST_OK; i++)
		first |= !strcmp(name, "First");
	T_TRUE(first); /* the name is kept, no row bears it */
	T_EQ(hits(db, DIGEST_MD5, digest, 70), 1);
	db_close(db);
	free(m.p);
}

static void a_damaged_block_of_digests_is_noticed_when_it_is_read(void)
{
	struct image m = random_rows(DIGEST_SHA1);
	const struct db_section *s = section(&m, DB_SEC_HASH_ROWS);
	struct db *db = NULL;
	T_EQ(open_image(&m, &db), ST_OK);
	for (unsigned i = 0; i < 100; i++) {
		struct wanted w = {0};
		size_t stride = digest_size(DIGEST_SHA1) + 8;
		uint8_t *row = m.p + s->off + t_rand(&seed) % ROWS * stride, digest[20];
		memcpy(digest, row, sizeof digest);
		uint8_t *p = row + t_rand(&seed) % stride;
		*p ^= 0x10;
		T_EQ(db_hash_lookup(db, DB_HASH_FILE, DIGEST_SHA1, digest, 1, keep_hit, &w, NULL),
		     ST_BAD_SUM);
		T_EQ(w.hits, 0);
		*p ^= 0x10;
	}
	db_close(db);
	free(m.p);
}

static void a_file_that_is_no_database_is_refused(void)
{
	static const char text[4096] = "this is no database";
	struct err e = {0};
	struct db *db = NULL;
	FILE *f = tmpfile();
	T_EQ(db_open(fileno(f), &db, &e), ST_MALFORMED); /* empty */
	fwrite(text, sizeof text, 1, f);
	fflush(f);
	T_EQ(db_open(fileno(f), &db, NULL), ST_MALFORMED);
	rewind(f);
	struct image m = everything();
	fwrite(m.p, m.len, 1, f);
	fflush(f);
	T_EQ(db_open(fileno(f), &db, NULL), ST_OK);
	T_TRUE(use(db) > 40);
	db_close(db);
	free(m.p);
	fclose(f);
	T_TRUE(db_open(-1, &db, NULL) < 0);
}

int main(void)
{
	seed = t_seed(20190101);
	T_RUN(records_have_the_sizes_of_the_document);
	T_RUN(an_unchanged_database_finds_what_is_there);
	T_RUN(a_file_that_is_no_database_is_refused);
	T_RUN(a_wrong_header_is_refused_for_its_reason);
	T_RUN(a_section_outside_the_file_or_misaligned_is_refused);
	T_RUN(a_file_cut_anywhere_is_refused);
	T_RUN(every_field_that_leads_outside_is_refused);
	T_RUN(a_program_that_the_compiler_would_not_write_is_refused);
	T_RUN(a_condition_that_is_no_program_is_refused);
	T_RUN(every_changed_word_is_refused_or_harmless);
	T_RUN(random_changes_are_refused_or_harmless);
	T_RUN(every_name_is_decoded_as_it_was_written);
	T_RUN(a_damaged_block_of_names_is_noticed_when_it_is_read);
	T_RUN(every_row_is_found_and_nothing_else);
	T_RUN(a_digest_is_wanted_only_for_sizes_that_rows_have);
	T_RUN(of_equal_rows_the_last_one_counts);
	T_RUN(a_damaged_block_of_digests_is_noticed_when_it_is_read);
	return t_end();
}
