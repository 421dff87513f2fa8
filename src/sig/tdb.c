/* Target description block of a logical signature: comma-separated "Key:Value".
 *
 * Order decides, as in ClamAV: attributes are looked at from left to right; the first one that is
 * malformed refuses the line, the first unknown one ends the reading and the signature is out. */
#include "db/filetypes.h"
#include "db/layout.h"
#include "sig/text.h"

/* Attributes other than Engine and Target came with this level. */
#define FLEVEL_ATTRIBUTES 51

/* Layer types that ClamAV 1.4 knows, without "CL_TYPE_", sorted. */
static const char *const TYPES[] = {
	"7Z", "7ZSFX", "ALZ", "ANY", "APM", "ARJ", "ARJSFX", "AUTOIT", "BINARY_DATA", "BINHEX", "BZ",
	"CABSFX", "CPIO_CRC", "CPIO_NEWC", "CPIO_ODC", "CPIO_OLD", "CRYPTFF", "DMG", "EGG", "EGGSFX",
	"ELF", "GIF", "GPT", "GRAPHICS", "GZ", "HTML", "HTML_UTF16", "HWP3", "HWPOLE2", "IGNORED",
	"INTERNAL", "ISHIELD_MSI", "ISO9660", "JAVA", "JPEG", "LHA_LZH", "LNK", "MACHO",
	"MACHO_UNIBIN", "MAIL", "MBR", "MHTML", "MSCAB", "MSCHM", "MSEXE", "MSOLE2", "MSSZDD",
	"NULSFT", "OLD_TAR", "ONENOTE", "OOXML_HWP", "OOXML_PPT", "OOXML_WORD", "OOXML_XL",
	"PART_ANY", "PART_HFSPLUS", "PDF", "PNG", "POSIX_TAR", "PS", "PYTHON_COMPILED", "RAR",
	"RARSFX", "RIFF", "RTF", "SCRENC", "SCRIPT", "SFX", "SIS", "SWF", "TEXT_ASCII", "TEXT_UTF16BE",
	"TEXT_UTF16LE", "TEXT_UTF8", "TIFF", "TNEF", "UDF", "UUENCODED", "XAR", "XDP", "XML_HWP",
	"XML_WORD", "XML_XL", "XZ", "ZIP", "ZIPSFX",
};

struct reading {
	struct sig_reader *r;
	struct sig_tdb *t;
	bool need_target, has_target, has_engine;
	bool has_newer; /* an attribute that needs FLEVEL_ATTRIBUTES */
	bool has_icon;
	uint32_t min_level, max_level;
};

bool sig_known_type(struct str s)
{
	if (!str_starts(s, "CL_TYPE_"))
		return false;
	struct str name = str_from(s, 8);
	for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
		if (str_is(name, TYPES[i]))
			return true;
	}
	return false;
}

/* The number of a known type: enum file_type, DB_LAYER_ANY, or DB_LAYER_NONE for those that ClamAV
 * names but gives to no object. */
static uint32_t type_number(struct str s)
{
	char name[64] = "";
	if (str_is(s, "CL_TYPE_ANY"))
		return DB_LAYER_ANY;
	if (s.n < sizeof name)
		memcpy(name, s.p, s.n);
	enum file_type t = filetype_by_name(name);
	return t < FILETYPES ? (uint32_t)t : DB_LAYER_NONE;
}

static void unknown_type(struct sig_tdb *t)
{
	t->skip = true;
	t->inactive = "unknown layer type";
}

/* The layer directly around the object; CL_TYPE_ANY: none, it is the file itself. */
static st_t read_container(struct sig_tdb *t, struct str value)
{
	if (!sig_known_type(value)) {
		unknown_type(t);
		return ST_OK;
	}
	uint32_t type = type_number(value);
	t->container = (struct ir_cond){.op = IR_COND_LAYER, .a = type, .b = 1};
	if (type == DB_LAYER_ANY)
		t->container = (struct ir_cond){.op = IR_COND_ROOT};
	t->has_container = true;
	return ST_OK;
}

/* "T1>T2>...": the last is the layer directly around the object. */
static st_t read_intermediates(struct sig_reader *r, struct sig_tdb *t, struct str value)
{
	struct str type[SIG_LAYERS_MAX];
	size_t n = str_split(value, '>', type, SIG_LAYERS_MAX);
	if (n > SIG_LAYERS_MAX)
		return sig_bad(r, "Intermediates names more than %d types", SIG_LAYERS_MAX);
	t->nlayers = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		if (!sig_known_type(type[i])) {
			unknown_type(t);
			return ST_OK;
		}
		t->layers[i] = (struct ir_cond){.op = IR_COND_LAYER, .a = type_number(type[i]),
		                                .b = (uint32_t)(n - i)};
	}
	return ST_OK;
}

static void read_handler(struct sig_tdb *t, struct str value)
{
	if (!sig_known_type(value)) {
		unknown_type(t);
		return;
	}
	uint32_t type = type_number(value);
	if (type >= FILETYPES)
		t->inactive = "HandlerType that is no type";
	else
		t->handler = type + 1;
}

/* "X-Y"; an empty side is 0; numbers are modulo 2^32, as in ClamAV. */
static st_t parse_range(struct sig_reader *r, struct str key, struct str s, struct sig_range *ret)
{
	struct str lo, hi;
	if (!str_cut(s, '-', &lo, &hi))
		return sig_bad(r, "%.*s needs a range X-Y: '%.*s'", SIG_SHOW(key), SIG_SHOW(s));
	if (!str_all_digits(lo) || !str_all_digits(hi))
		return sig_bad(r, "%.*s is not a range of numbers: '%.*s'", SIG_SHOW(key), SIG_SHOW(s));
	*ret = (struct sig_range){true, (uint32_t)str_u64(lo), (uint32_t)str_u64(hi)};
	return ST_OK;
}

static st_t read_level(struct reading *x, struct str key, struct str value, bool first)
{
	if (!first)
		return sig_bad(x->r, "Engine must be the first attribute");
	struct sig_range level;
	TRY(parse_range(x->r, key, value, &level));
	x->has_engine = true;
	x->min_level = level.min;
	x->max_level = level.max;
	return ST_OK;
}

static st_t read_target(struct reading *x, struct str value)
{
	if (!str_all_digits(value))
		return sig_bad(x->r, "Target is not a number: '%.*s'", SIG_SHOW(value));
	x->t->target = (uint32_t)str_u64(value);
	x->has_target = true;
	return ST_OK;
}

static st_t read_attribute(struct reading *x, struct str key, struct str value, bool first)
{
	struct sig_tdb *t = x->t;
	if (str_is(key, "Engine"))
		return read_level(x, key, value, first);
	if (str_is(key, "Target"))
		return read_target(x, value);
	x->has_newer = true;
	if (str_is(key, "FileSize"))
		return parse_range(x->r, key, value, &t->size);
	if (str_is(key, "EntryPoint"))
		return parse_range(x->r, key, value, &t->entry);
	if (str_is(key, "NumberOfSections"))
		return parse_range(x->r, key, value, &t->sections);
	if (str_is(key, "Container"))
		return read_container(t, value);
	if (str_is(key, "Intermediates"))
		return read_intermediates(x->r, t, value);
	if (str_is(key, "HandlerType")) {
		read_handler(t, value);
	} else if (str_is(key, "IconGroup1") || str_is(key, "IconGroup2")) {
		x->has_icon = true;
		t->inactive = "icon group";
	} else {
		t->skip = true;
		t->inactive = "unknown target description key";
	}
	return ST_OK;
}

/* Rules that hold for the block as a whole. */
static st_t check_block(struct reading *x)
{
	struct sig_tdb *t = x->t;
	if (x->has_newer && (!x->has_engine || x->min_level < FLEVEL_ATTRIBUTES))
		return sig_bad(x->r, "attributes other than Target need Engine:%d-... or higher in front",
		               FLEVEL_ATTRIBUTES);
	t->out_of_level = x->has_engine && (x->min_level > SIG_FLEVEL || x->max_level < SIG_FLEVEL);
	if (t->out_of_level)
		return ST_OK;
	if (!x->has_target && x->need_target)
		return sig_bad(x->r, "Target is missing");
	if (t->target > SIG_TARGET_MAX) {
		t->skip = true;
		t->inactive = "unknown target type";
		return ST_OK;
	}
	if ((t->entry.set || t->sections.set) && !sig_target_is_exe(t->target))
		return sig_bad(x->r, "EntryPoint and NumberOfSections need target 1, 6 or 9");
	if (x->has_icon && t->target != 1)
		return sig_bad(x->r, "icon groups need target 1");
	return ST_OK;
}

st_t sig_tdb(struct sig_reader *r, struct str text, bool need_target, struct sig_tdb *ret)
{
	*ret = (struct sig_tdb){0};
	struct reading x = {.r = r, .t = ret, .need_target = need_target};
	bool first = true, more = true;
	while (more) {
		struct str attribute, key, value;
		more = str_cut(text, ',', &attribute, &text);
		if (!str_cut(attribute, ':', &key, &value))
			return sig_bad(r, "target description is not Key:Value: '%.*s'", SIG_SHOW(attribute));
		TRY(read_attribute(&x, key, value, first));
		if (ret->skip)
			return ST_OK;
		first = false;
	}
	return check_block(&x);
}
