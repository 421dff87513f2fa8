/* File types: .ftm "MagicType:Offset:Magic:Name:RType:Type[:MinFL[:MaxFL]]".
 *
 *   0  Magic (hex) stands at Offset           of several that fit the last one counts
 *   1  Magic is body content at Offset        asked if nothing of kind 0 fits
 *   4  as 0, of a partition of a disk image   not active: partitions are not taken apart
 *
 * Both look at the first kilobyte only (parse/filetype.c). RType, the type so far, is looked at for
 * kind 1. */
#include "db/filetypes.h"
#include "db/layout.h"
#include "sig/text.h"

enum { F_KIND, F_OFFSET, F_MAGIC, F_NAME, F_RTYPE, F_TYPE, F_MINFL, F_MAXFL, F_COUNT };
enum { KIND_DIRECT = 0, KIND_CONTENT = 1, KIND_PARTITION = 4 };

#define TYPE_NAME_MAX 64

/* FILETYPES for CL_TYPE_ANY and what has a name but no place in our table. */
static st_t read_type(struct sig_reader *r, struct str s, enum file_type *ret)
{
	char name[TYPE_NAME_MAX];
	if (!sig_known_type(s) || s.n >= sizeof name)
		return sig_bad(r, "unknown file type: '%.*s'", SIG_SHOW(s));
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	*ret = filetype_by_name(name);
	return ST_OK;
}

/* Types that ClamAV finds inside of other files: they are not the type of the file. */
static bool is_embedded(enum file_type t)
{
	switch (t) {
	case FT_ZIPSFX:
	case FT_RARSFX:
	case FT_7ZSFX:
	case FT_ARJSFX:
	case FT_CABSFX:
	case FT_EGGSFX:
	case FT_NULSFT:
	case FT_AUTOIT:
	case FT_ISHIELD_MSI:
		return true;
	default:
		return false;
	}
}

static st_t inactive(struct sig_reader *r, const char *what)
{
	ir_count_inactive(r->set, what);
	return ST_OK;
}

static st_t direct_pattern(struct sig_reader *r, const struct str *f, struct ir_pattern *p)
{
	struct str hex = f[F_MAGIC];
	if (!str_all_digits(f[F_OFFSET]))
		return sig_bad(r, "the offset is not a number: '%.*s'", SIG_SHOW(f[F_OFFSET]));
	if (hex.n % 2 || !str_all_hex(hex))
		return sig_bad(r, "the magic is not hexadecimal: '%.*s'", SIG_SHOW(hex));
	uint64_t at = str_u64(f[F_OFFSET]);
	*p = (struct ir_pattern){.offset = {.kind = IR_OFF_ABS}, .nparts = 1};
	p->offset.n = at < DB_MAGIC_LOOK ? (int64_t)at : DB_MAGIC_LOOK;
	TRY(sig_alloc(r, 1, sizeof *p->parts, &p->parts));
	*p->parts = (struct ir_part){.nelems = (uint32_t)(hex.n / 2)};
	TRY(sig_alloc(r, hex.n / 2, sizeof *p->parts->elems, &p->parts->elems));
	for (size_t i = 0; i < hex.n / 2; i++)
		p->parts->elems[i] = (struct ir_elem){
			.kind = IR_BYTE, .mask = 0xff,
			.value = (uint8_t)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]))};
	return ST_OK;
}

/* Only what parse/filetype.c understands: bytes with masks, and gaps. */
static bool is_plain(const struct ir_pattern *p)
{
	bool ok = p->offset.kind == IR_OFF_ANY || p->offset.kind == IR_OFF_ABS;
	ok &= p->nparts <= DB_MAGIC_PARTS_MAX;
	for (uint32_t i = 0; i < p->nparts; i++) {
		ok &= p->parts[i].nelems <= DB_MAGIC_LOOK;
		for (uint32_t k = 0; k < p->parts[i].nelems; k++)
			ok &= p->parts[i].elems[k].kind == IR_BYTE;
	}
	return ok;
}

static st_t content_pattern(struct sig_reader *r, const struct str *f, struct ir_pattern *p,
                            struct sig_note *note)
{
	TRY(sig_offset(r, f[F_OFFSET], 0, &p->offset, note));
	r->target = 0;
	return sig_body(r, f[F_MAGIC], 0, false, p, note);
}

static st_t add(struct sig_reader *r, const struct str *f, bool direct)
{
	struct ir_magic m = {.direct = direct};
	struct sig_note note = {0};
	enum file_type type = FILETYPES, rtype = FILETYPES;
	TRY(read_type(r, f[F_RTYPE], &rtype));
	TRY(read_type(r, f[F_TYPE], &type));
	m.type = (uint16_t)type;
	m.rtype = (uint16_t)rtype;
	TRY(direct ? direct_pattern(r, f, &m.pattern) : content_pattern(r, f, &m.pattern, &note));
	r->took = true;
	if (!m.pattern.parts[0].nelems)
		return inactive(r, "file type definition without magic (.ftm)");
	if (type == FILETYPES || (!direct && is_embedded(type)))
		return inactive(r, "file type inside other files (.ftm)");
	if (note.inactive || !is_plain(&m.pattern))
		return inactive(r, "file type definition with alternatives (.ftm)");
	if (r->set->nmagics >= DB_MAGIC_MAX)
		return inactive(r, "file type definition beyond the limit (.ftm)");
	return ir_add_magic(r->set, &m, r->e);
}

st_t sig_line_ftm(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = str_split(line, ':', f, F_COUNT);
	if (n <= F_TYPE || n > F_COUNT)
		return sig_bad(r, "a file type definition has 6 to 8 fields, this one has %zu", n);
	if (n > F_MINFL && !str_all_digits(f[F_MINFL]))
		return sig_bad(r, "MinFL is not a number: '%.*s'", SIG_SHOW(f[F_MINFL]));
	if ((n > F_MINFL && str_u64(f[F_MINFL]) > SIG_FLEVEL) ||
	    (n > F_MAXFL && str_atoi(f[F_MAXFL]) < SIG_FLEVEL)) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (!str_all_digits(f[F_KIND]))
		return sig_bad(r, "the kind of magic is not a number: '%.*s'", SIG_SHOW(f[F_KIND]));
	switch (str_u64(f[F_KIND])) {
	case KIND_DIRECT:
		return add(r, f, true);
	case KIND_CONTENT:
		return add(r, f, false);
	case KIND_PARTITION: {
		struct ir_pattern unused;
		enum file_type type;
		TRY(read_type(r, f[F_RTYPE], &type));
		TRY(read_type(r, f[F_TYPE], &type));
		TRY(direct_pattern(r, f, &unused));
		r->took = true;
		return inactive(r, "partition type (.ftm)");
	}
	default:
		return inactive(r, "file type definition of an unknown kind (.ftm)");
	}
}
