/* Opening a database: header, section table, checksums, typed arrays. */
#include "db/view.h"

#include "base/num.h"
#include "base/rd.h"
#include "base/sum64.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ALIGN 64u

/* How each section's bytes are divided, and where the view keeps it. */
struct section_rule {
	enum db_section_id id;
	size_t record;
	size_t ptr_at, count_at; /* in struct db_view */
	bool lazy;               /* blocks are checked on use */
};

#define RULE(id, type, ptr, count, lazy) \
	{id, sizeof(type), offsetof(struct db_view, ptr), offsetof(struct db_view, count), lazy}
#define NO_COUNT SIZE_MAX

static const struct section_rule rules[] = {
    {DB_SEC_META, sizeof(struct db_meta), offsetof(struct db_view, meta), NO_COUNT, false},
    RULE(DB_SEC_INACTIVE, struct db_inactive, inactive, ninactive, false),
    RULE(DB_SEC_SIG, struct db_sig, sig, nsig, false),
    RULE(DB_SEC_COND, struct db_cond, cond, ncond, false),
    RULE(DB_SEC_PATTERN, struct db_pattern, pattern, npattern, false),
    RULE(DB_SEC_PART, struct db_part, part, npart, false),
    RULE(DB_SEC_CODE, uint8_t, code, ncode, false),
    {DB_SEC_TARGET, sizeof(struct db_target), offsetof(struct db_view, target), NO_COUNT, false},
    RULE(DB_SEC_FILTER, struct db_filter, filter, nfilter, false),
    RULE(DB_SEC_BLOOM, uint64_t, bloom, nbloom, false),
    RULE(DB_SEC_BUCKET, uint32_t, bucket, nbucket, false),
    RULE(DB_SEC_SLOT, struct db_slot, slot, nslot, false),
    RULE(DB_SEC_PLACE, struct db_place, place, nplace, false),
    RULE(DB_SEC_ALWAYS, uint32_t, always, nalways, false),
    {DB_SEC_HASH, sizeof(struct db_hash_table), offsetof(struct db_view, hash), NO_COUNT, false},
    RULE(DB_SEC_HASH_SIZES, uint64_t, hash_sizes, nhash_sizes, false),
    RULE(DB_SEC_HASH_DIR, struct db_hash_dir, hash_dir, nhash_dir, true),
    RULE(DB_SEC_HASH_ROWS, uint8_t, hash_rows, nhash_rows, true),
    RULE(DB_SEC_NAME_DIR, struct db_name_dir, name_dir, nname_dir, true),
    RULE(DB_SEC_NAME_BLOCKS, uint8_t, name_blocks, nname_blocks, true),
    RULE(DB_SEC_REGEX, struct db_regex, regex, nregex, false),
    RULE(DB_SEC_COMPARE, struct db_compare, compare, ncompare, false),
    RULE(DB_SEC_IMAGE, struct db_image, image, nimage, false),
    RULE(DB_SEC_MAGIC, struct db_magic, magic, nmagic, false),
    RULE(DB_SEC_MAGIC_PART, struct db_magic_part, magic_part, nmagic_part, false),
    RULE(DB_SEC_MAGIC_BYTES, uint8_t, magic_bytes, nmagic_bytes, false),
    RULE(DB_SEC_NOTE, struct db_note, note, nnote, false),
    RULE(DB_SEC_ORIGIN, struct db_origin, origin, norigin, false),
    RULE(DB_SEC_MEMBER, struct db_member, member, nmember, false),
    RULE(DB_SEC_PASSWORD, struct db_password, password, npassword, false),
    RULE(DB_SEC_MEMBER_TEXT, char, member_text, nmember_text, false),
};

/* Sections without a count have exactly this many records. */
static size_t fixed_records(enum db_section_id id)
{
	if (id == DB_SEC_TARGET)
		return DB_TARGET_RECORDS;
	return id == DB_SEC_HASH ? DB_HASH_USES * DIGEST_KINDS : 1;
}

static void view_set(struct db_view *v, const struct section_rule *r, const uint8_t *p, size_t n)
{
	memcpy((char *)v + r->ptr_at, &p, sizeof p);
	if (r->count_at != NO_COUNT)
		memcpy((char *)v + r->count_at, &n, sizeof n);
}

static struct db_section read_section(struct rd *r)
{
	struct db_section s;
	s.id = rd_u32le(r);
	s.flags = rd_u32le(r);
	s.off = rd_u64le(r);
	s.len = rd_u64le(r);
	s.sum = rd_u64le(r);
	return s;
}

static st_t check_section(const struct db *db, const struct db_section *s,
                          const struct section_rule *rule, struct err *e)
{
	if (s->id != (uint32_t)rule->id)
		return fail(e, ST_MALFORMED, 0, "section %u where %d belongs", s->id, rule->id);
	if (s->off % ALIGN || s->off > db->len || s->len > db->len - s->off ||
	    db->len - s->off - s->len < DB_TAIL_PAD)
		return fail(e, ST_MALFORMED, s->off, "section %u leaves the file", s->id);
	size_t n = (size_t)s->len / rule->record;
	if (s->len % rule->record || (rule->record > 1 && n >= UINT32_MAX))
		return fail(e, ST_MALFORMED, s->off, "section %u has a broken length", s->id);
	if (rule->count_at == NO_COUNT && n != fixed_records(rule->id))
		return fail(e, ST_MALFORMED, s->off, "section %u has %zu records", s->id, n);
	if (((s->flags & DB_SECTION_LAZY) != 0) != rule->lazy)
		return fail(e, ST_MALFORMED, s->off, "section %u has the wrong kind", s->id);
	if (!rule->lazy && sum64(db->base + s->off, (size_t)s->len) != s->sum)
		return fail(e, ST_BAD_SUM, s->off, "section %u is damaged", s->id);
	return ST_OK;
}

static st_t read_header(const struct db *db, struct rd *ret_table, struct err *e)
{
	struct rd r = rd_make(db->base, db->len);
	if (!rd_peek(&r, DB_MAGIC, 8))
		return fail(e, ST_MALFORMED, 0, "not a Vitrine database");
	rd_skip(&r, 8);
	uint32_t version = rd_u32le(&r);
	uint32_t n = rd_u32le(&r);
	uint64_t size = rd_u64le(&r);
	uint64_t sum = rd_u64le(&r);
	TRY(rd_check(&r, e, "header"));
	if (version != DB_VERSION)
		return fail(e, ST_UNSUPPORTED, 8, "format version %u; this program reads %u", version,
		            DB_VERSION);
	if (size != db->len)
		return fail(e, ST_TRUNCATED, 16, "%zu bytes instead of %llu", db->len,
		            (unsigned long long)size);
	if (n != ARRAY_LEN(rules))
		return fail(e, ST_MALFORMED, 12, "%u sections", n);
	*ret_table = rd_sub(&r, n * sizeof(struct db_section));
	TRY(rd_check(&r, e, "section table"));
	if (sum64(ret_table->base, ret_table->len) != sum)
		return fail(e, ST_BAD_SUM, 24, "the section table is damaged");
	return ST_OK;
}

static st_t read_sections(struct db *db, struct err *e)
{
	struct rd table;
	TRY(read_header(db, &table, e));
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct db_section s = read_section(&table);
		TRY(check_section(db, &s, &rules[i], e));
		view_set(&db->v, &rules[i], db->base + s.off, (size_t)s.len / rules[i].record);
	}
	return db_check(&db->v, e);
}

static st_t open_at(const void *p, size_t len, bool mapped, struct db **ret, struct err *e)
{
	struct db *db = calloc(1, sizeof *db);
	if (!db) {
		if (mapped)
			munmap((void *)(uintptr_t)p, len);
		return fail(e, ST_NOMEM, 0, "database: out of memory");
	}
	*db = (struct db){.base = p, .len = len, .mapped = mapped};
	st_t st = read_sections(db, e);
	if (st != ST_OK) {
		db_close(db);
		return st;
	}
	*ret = db;
	return ST_OK;
}

st_t db_open_memory(const void *p, size_t len, struct db **ret, struct err *e)
{
	if ((uintptr_t)p % ALIGN)
		return fail(e, ST_MALFORMED, 0, "database memory is not aligned");
	return open_at(p, len, false, ret, e);
}

st_t db_open(int fd, struct db **ret, struct err *e)
{
	struct stat sb;
	if (fstat(fd, &sb) < 0)
		return fail_errno(e, "database");
	if (!S_ISREG(sb.st_mode) || sb.st_size < (off_t)sizeof(struct db_header))
		return fail(e, ST_MALFORMED, 0, "not a Vitrine database");
	size_t len = (size_t)sb.st_size;
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return fail_errno(e, "database: mmap");
	return open_at(p, len, true, ret, e);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	if (db->mapped)
		munmap((void *)(uintptr_t)db->base, db->len);
	free(db);
}

const struct db_meta *db_meta(const struct db *db)
{
	return db->v.meta;
}

const struct db_view *db_view(const struct db *db)
{
	return &db->v;
}

const struct db_inactive *db_inactive(const struct db *db, size_t i)
{
	return i < db->v.ninactive ? &db->v.inactive[i] : NULL;
}

uint32_t db_sig_nameref(const struct db *db, uint32_t sig)
{
	return db->v.sig[sig].nameref;
}
