/* Databases: sizes and checksums of the input are made right, so that the checks behind them and,
 * where those let it pass, the engine, names, digests and explanations get to see what was
 * changed. */
#include "base/num.h"
#include "base/sum64.h"
#include "db/db.h"
#include "explain/explain.h"
#include "parse/filetype.h"
#include "test/db_object.h"
#include "verify/engine.h"
#include "verify/member.h"

#include <stdlib.h>
#include <time.h>

#define SECTIONS (DB_SECTIONS_END - 1)
#define TABLE_END (sizeof(struct db_header) + SECTIONS * sizeof(struct db_section))
#define SIZE_MAX_TRIED ((size_t)1 << 20)

/* Bytes of a record, so that a section's length is a multiple of it. */
static const uint16_t record_size[SECTIONS] = {
	sizeof(struct db_meta), sizeof(struct db_inactive), sizeof(struct db_sig),
	sizeof(struct db_cond), sizeof(struct db_pattern), sizeof(struct db_part), 1,
	sizeof(struct db_target), sizeof(struct db_filter), 8, 4, sizeof(struct db_slot),
	sizeof(struct db_place), 4, sizeof(struct db_hash_table), 8, sizeof(struct db_hash_dir), 1,
	sizeof(struct db_name_dir), 1, sizeof(struct db_regex), sizeof(struct db_compare),
	sizeof(struct db_image), sizeof(struct db_magic), sizeof(struct db_magic_part), 1,
	sizeof(struct db_note), sizeof(struct db_origin),
	sizeof(struct db_member), sizeof(struct db_password), 1,
};

static void fix_section(uint8_t *p, size_t size, size_t i)
{
	struct db_section *s = (struct db_section *)(void *)(p + sizeof(struct db_header)) + i;
	size_t room = size - TABLE_END - DB_TAIL_PAD;
	s->id = (uint32_t)i + 1;
	bool lazy = s->id >= DB_SEC_HASH_DIR && s->id <= DB_SEC_NAME_BLOCKS;
	s->flags = lazy ? DB_SECTION_LAZY : 0;
	s->off = TABLE_END + (s->off - TABLE_END) % (room + 1);
	s->off = (s->off + 63) & ~UINT64_C(63);
	uint64_t left = s->off < size - DB_TAIL_PAD ? size - DB_TAIL_PAD - s->off : 0;
	s->off = left ? s->off : 0;
	s->len = num_min_u64(s->len, left) / record_size[i] * record_size[i];
	s->sum = sum64(p + s->off, s->len);
}

static void fix_header(uint8_t *p, size_t size)
{
	struct db_header h = {.version = DB_VERSION, .nsections = SECTIONS, .file_size = size};
	for (size_t i = 0; i < SECTIONS; i++)
		fix_section(p, size, i);
	memcpy(h.magic, DB_MAGIC, sizeof h.magic);
	h.sum = sum64(p + sizeof h, TABLE_END - sizeof h);
	memcpy(p, &h, sizeof h);
}

/* The memory behind the view is ours: block sums are made right in it. Sections may overlap, so
 * that what is written may be what steers this; hence the copies. */
static void fix_names(const struct db_view *v)
{
	struct db_name_dir *d = (struct db_name_dir *)(uintptr_t)v->name_dir;
	for (size_t i = 0; i + 1 < v->nname_dir; i++) {
		uint32_t from = d[i].off, to = d[i + 1].off;
		if (from <= to && to <= v->nname_blocks)
			d[i].sum = (uint32_t)sum64(v->name_blocks + from, to - from);
	}
}

static void fix_table(const struct db_view *v, const struct db_hash_table *t)
{
	struct db_hash_dir *d = (struct db_hash_dir *)(uintptr_t)v->hash_dir + t->dir;
	const uint8_t *rows = v->hash_rows + t->rows_off;
	for (size_t i = 0; i < (size_t)1 << t->dir_log2; i++) {
		uint32_t from = d[i].start, to = d[i + 1].start;
		if (from <= to && to <= t->nrows)
			d[i].sum = (uint32_t)sum64(rows + from * (size_t)t->stride,
			                           (to - from) * (size_t)t->stride);
	}
}

static void fix_blocks(const struct db_view *v)
{
	struct db_hash_table t[DB_HASH_USES * DIGEST_KINDS];
	memcpy(t, v->hash, sizeof t);
	fix_names(v);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (t[i].nrows)
			fix_table(v, &t[i]);
}

static void on_hit(void *ctx, uint32_t nameref)
{
	char name[DB_NAME_MAX];
	struct db *db = ctx;
	(void)!db_name(db, nameref, name, NULL);
}

static void use_lists(struct db *db)
{
	char name[DB_NAME_MAX];
	for (uint32_t i = 0; i < num_min_u64(db_meta(db)->nnames, 200); i++)
		if (db_name(db, i, name, NULL) == ST_OK && strlen(name) >= sizeof name)
			abort();
	for (unsigned k = 0; k < DB_HASH_USES * DIGEST_KINDS; k++) {
		const struct db_view *v = db_view(db);
		enum db_hash_use use = k / DIGEST_KINDS;
		enum digest_kind kind = k % DIGEST_KINDS;
		uint8_t digest[DIGEST_MAX] = {0};
		(void)!db_hash_lookup(db, use, kind, digest, 68, on_hit, db, NULL);
		if (v->hash[k].nrows == 0)
			continue;
		memcpy(digest, v->hash_rows + v->hash[k].rows_off, digest_size(kind));
		(void)db_hash_wanted(db, use, kind, 68);
		(void)!db_hash_lookup(db, use, kind, digest, 68, on_hit, db, NULL);
	}
	for (size_t i = 0; db_inactive(db, i); i++)
		if (strlen(db_inactive(db, i)->what) >= sizeof db_inactive(db, i)->what)
			abort();
}

static st_t on_member(void *ctx, uint32_t nameref)
{
	on_hit(ctx, nameref);
	return ST_OK;
}

static void use_members(struct db *db)
{
	static const struct member_facts facts[] = {
		{.name = "dir/a.EXE", .name_len = 9, .container = FT_ZIP, .encrypted = true,
		 .has_stored = true, .stored = 5, .real = 5},
		{.name = "aabcd", .name_len = 5, .container = FT_7Z, .position = 1},
	};
	const struct db_view *v = db_view(db);
	struct members *m = NULL;
	for (size_t i = 0; i < v->npassword; i++)
		if (strlen(v->member_text + v->password[i].text) > v->password[i].len)
			abort();
	if (members_new(db, &m, NULL) != ST_OK)
		return;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		(void)!members_match(m, &facts[i], on_member, db);
	members_free(m);
}

/* A time limit as every scan has one; what does not keep to it is found by the fuzzer's own. */
static uint64_t deadline(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec + 1) * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void use_engine(struct db *db)
{
	static const uint8_t targets[] = {0, 1, 6};
	struct engine *g;
	if (engine_new(db, 0, &g, NULL) != ST_OK)
		return;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const uint32_t *sigs;
		size_t n;
		engine_deadline(g, deadline());
		engine_begin(g, targets[i], (const uint8_t *)OBJECT, sizeof OBJECT - 1,
		             targets[i] ? &exe_facts : &no_facts);
		engine_feed(g, 200);
		if (engine_finish(g, &sigs, &n, NULL) != ST_OK)
			continue;
		for (size_t k = 0; k < n; k++)
			on_hit(db, db_sig_nameref(db, sigs[k]));
	}
	engine_free(g);
}

static void use_types(struct db *db)
{
	struct rd r = rd_make(OBJECT, sizeof OBJECT - 1);
	if (filetype_detect_with(db_view(db), r, r.len) >= FILETYPES)
		abort();
}

static void use_explain(struct db *db)
{
	struct explain_object object = {(const uint8_t *)OBJECT, sizeof OBJECT - 1, 0};
	struct explain_diff d;
	bool hit;
	enum explain_found found;
	uint32_t index;
	struct out o = {.json = db_meta(db)->nnames % 2};
	for (uint32_t i = 0; i < num_min_u64(db_meta(db)->nnames, 20); i++) {
		(void)!explain_name(&o, db, i, NULL);
		object.deadline_ns = deadline();
		(void)!explain_test(&o, db, i, &object, &hit, NULL);
		(void)!out_finish(&o, NULL);
		out_done(&o);
		o = (struct out){.json = o.json};
	}
	(void)!explain_find(&o, db, "Logic.Counts.UNOFFICIAL", &index, &found, NULL);
	(void)!explain_list(&o, db, "*i?", NULL);
	if (explain_diff(&o, db, db, &d, NULL) == ST_OK && (d.added || d.removed || d.changed))
		abort();
	explain_info(&o, db, "a.vdb", 1);
	out_done(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < TABLE_END + DB_TAIL_PAD || size > SIZE_MAX_TRIED)
		return 0;
	uint8_t *p = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (!p)
		return -1;
	memcpy(p, data, size);
	fix_header(p, size);
	struct db *db;
	if (db_open_memory(p, size, &db, NULL) == ST_OK) {
		fix_blocks(db_view(db));
		db_close(db);
		fix_header(p, size);
	}
	if (db_open_memory(p, size, &db, NULL) == ST_OK) {
		use_lists(db);
		use_members(db);
		use_engine(db);
		use_types(db);
		use_explain(db);
		db_close(db);
	}
	free(p);
	return 0;
}
