/* Everything that libarchive reads, as one plug-in: zip, tar, cpio, 7z, rar, iso9660, cab, xar,
 * lha, ar, and the single streams gzip, bzip2, xz, zstd, lzma, compress. Runs in the worker only.
 *
 * Invariants
 * 1. One reader of libarchive is on for an object: archives get no decompression filter, streams
 *    get one filter and the reader "raw". So every layer is an object of its own to scan/.
 * 2. Never a filter or format that starts a program (lrzip, lzop, grzip, program) or opens a file.
 * 3. A stream that gives nothing was either read to its end or is an error: damage is never taken
 *    for emptiness.
 * 4. An error of libarchive becomes a status > 0: memory, too, is used up by the input here.
 * 5. The short cuts of gzip.c and zip.c give content only, of a member that libarchive has named,
 *    and only what libarchive would give. */
#include "parse/libarchive.h"

#include "base/num.h"
#include "parse/archive_kind.h"
#include "parse/gzip.h"
#include "parse/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Headers in a row that libarchive wants tried again, and blocks in a row without a byte: some do
 * occur, an endless row is damage. */
#define RETRIES_MAX 1000

/* Longest name of a gzip member that is kept. */
#define STREAM_NAME_MAX 256

struct format_ctx {
	struct rd in;       /* the object */
	struct archive *a;
	struct archive_entry *entry;
	const struct archive_kind *kind;
	struct rd block;    /* bytes from libarchive that are not yet handed on */
	uint64_t hole;      /* zero bytes before `block` (sparse members) */
	uint64_t pos;       /* offset in the member of the end of `block` */
	bool at_end;        /* of the member */
	bool trick;         /* the member says that it is no file, and has content */
	st_t dead;          /* libarchive will not read on, and why; ST_OK: it will */
	bool not_archive;   /* weak magic and not recognised: a container without children */
	struct err damage;  /* a warning about content that was read all the same */
	uint64_t ordinal;   /* of the next member */
	uint64_t files;     /* regular members so far */
	struct zip_dir *zip; /* NULL: none, or not a sane one */
	struct libdeflate_decompressor *inflater; /* NULL until needed */
	char name[STREAM_NAME_MAX];
};

static int la_bid(enum file_type type, struct rd in)
{
	(void)type;
	const struct archive_kind *k = archive_kind_of(&in);
	if (!k)
		return 0;
	return k->weak ? 40 : 80;
}

/* Messages of libarchive may quote names out of the archive. */
static void printable(char *s)
{
	for (size_t i = 0; s[i]; i++)
		if (s[i] < ' ' || s[i] > '~')
			s[i] = '?';
}

static st_t status_of(const char *msg, int code)
{
	if (code == ENOMEM)
		return ST_LIMIT;
	if (strstr(msg, "ncrypt") || strstr(msg, "assphrase"))
		return ST_ENCRYPTED;
	if (strstr(msg, "nsupported") || strstr(msg, "not supported"))
		return ST_UNSUPPORTED;
	return strstr(msg, "runcated") ? ST_TRUNCATED : ST_MALFORMED;
}

/* What libarchive says went wrong, as a status and a text. */
static st_t la_fail(const struct format_ctx *c, struct err *e)
{
	char text[ERR_TEXT_MAX];
	const char *msg = archive_error_string(c->a);
	int code = archive_errno(c->a);
	snprintf(text, sizeof text, "%s", msg ? msg : "damaged");
	printable(text);
	if (code == ENOMEM)
		return fail(e, ST_LIMIT, 0, "%s: out of memory in libarchive", c->kind->name);
	return fail(e, status_of(text, code), 0, "%s: %s", c->kind->name, text);
}

static int enable(struct archive *a, const struct archive_kind *k)
{
	if (k->enable)
		return k->enable(a);
	/* Appending (rather than supporting) means exactly this filter, once. The filter "compress"
	 * reads while it is appended, before there is anything to read: libarchive 3.6 then crashes. */
	int r = k->filter == ARCHIVE_FILTER_COMPRESS ? archive_read_support_filter_compress(a)
	                                             : archive_read_append_filter(a, k->filter);
	return r == ARCHIVE_OK ? archive_read_set_format(a, ARCHIVE_FORMAT_RAW) : r;
}

/* Without this a stream that its filter does not know would be its own child. */
static bool filter_is_on(const struct format_ctx *c)
{
	return c->kind->enable || archive_filter_code(c->a, 0) == c->kind->filter;
}

static bool is_gzip(const struct format_ctx *c)
{
	return c->kind->filter == ARCHIVE_FILTER_GZIP;
}

/* libarchive tries them on zip members, of PKWARE and of WinZip. */
static st_t add_passwords(struct format_ctx *c, const char *const *passwords, struct err *e)
{
	for (size_t i = 0; passwords && passwords[i]; i++)
		if (archive_read_add_passphrase(c->a, passwords[i]) != ARCHIVE_OK)
			return la_fail(c, e);
	return ST_OK;
}

static st_t open_archive(struct format_ctx *c, struct rd in, const char *const *passwords,
                         struct err *e)
{
	c->a = archive_read_new();
	if (!c->a)
		return fail(e, ST_LIMIT, 0, "%s: out of memory in libarchive", c->kind->name);
	if (enable(c->a, c->kind) != ARCHIVE_OK)
		return la_fail(c, e);
	TRY(add_passwords(c, passwords, e));
	if (is_gzip(c))
		archive_gzip_name(&in, c->name, sizeof c->name);
	/* One block as large as the object: libarchive then looks at our bytes in place. */
	int r = archive_read_open_memory2(c->a, in.base, in.len, in.len);
	if (r == ARCHIVE_OK && filter_is_on(c))
		return ST_OK;
	if (c->kind->weak && archive_errno(c->a) != ENOMEM) {
		c->not_archive = true;
		return ST_OK;
	}
	return la_fail(c, e);
}

static void la_close(struct format_ctx *c)
{
	if (!c)
		return;
	archive_read_free(c->a);
	zip_dir_free(c->zip);
	libdeflate_free_decompressor(c->inflater);
	free(c);
}

static st_t la_open_with(struct rd in, enum file_type type, const char *const *passwords,
                         struct format_ctx **ret, struct err *e)
{
	(void)type;
	const struct archive_kind *k = archive_kind_of(&in);
	if (!k)
		return fail(e, ST_UNSUPPORTED, 0, "no archive");
	struct format_ctx *c = calloc(1, sizeof *c);
	if (!c)
		return fail(e, ST_NOMEM, 0, "%s: no memory", k->name);
	c->kind = k;
	c->in = in;
	c->zip = k->enable && rd_peek(&in, "PK", 2) ? zip_dir_new(in) : NULL;
	st_t st = open_archive(c, in, passwords, e);
	if (st != ST_OK) {
		la_close(c);
		return st;
	}
	*ret = c;
	return ST_OK;
}

static st_t la_open(struct rd in, enum file_type type, struct format_ctx **ret, struct err *e)
{
	return la_open_with(in, type, NULL, ret, e);
}

static const char *member_name(struct format_ctx *c)
{
	if (!c->kind->enable)
		return c->name[0] ? c->name : "data";
	const char *name = archive_entry_pathname(c->entry);
	if (!name || !name[0])
		name = archive_entry_pathname_utf8(c->entry);
	if (name && name[0])
		return name;
	snprintf(c->name, sizeof c->name, "member-%llu", (unsigned long long)c->ordinal);
	return c->name;
}

/* Folders and links have no content, unless the header says that one has: such an entry is a trick,
 * and its bytes are looked at. */
static bool has_content(struct archive_entry *en)
{
	__LA_MODE_T type = archive_entry_filetype(en);
	if (type == AE_IFREG || type == 0)
		return true;
	return archive_entry_size_is_set(en) && archive_entry_size(en) > 0;
}

/* Does the header of something that is no file declare content? libarchive then gives none of it.
 * Folders have a size in other formats than zip. */
static bool is_trick(struct archive *a, struct archive_entry *en)
{
	__LA_MODE_T type = archive_entry_filetype(en);
	if (type == AE_IFREG || type == AE_IFLNK || type == 0 || archive_entry_hardlink(en))
		return false;
	if (type == AE_IFDIR && archive_format(a) != ARCHIVE_FORMAT_ZIP)
		return false;
	return archive_entry_size_is_set(en) && archive_entry_size(en) > 0;
}

/* What clamscan 1.4.6 takes from each kind of container, found with made ones: which members count,
 * their numbers and names. False: these members are not compared. `size` is 0 if not declared. */
static bool fill_facts(const struct format_ctx *c, const char *name, uint64_t size,
                       struct member_facts *f)
{
	__LA_MODE_T type = archive_entry_filetype(c->entry);
	bool is_file = type == AE_IFREG && !archive_entry_hardlink(c->entry);
	const char *slash = strrchr(name, '/');
	*f = (struct member_facts){.name = name, .real = size,
	                           .encrypted = archive_entry_is_data_encrypted(c->entry) > 0};
	f->has_stored = true;
	switch (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) {
	case ARCHIVE_FORMAT_ZIP: /* numbers from 1, folders too */
		f->position = c->ordinal + 1;
		f->has_stored = f->has_crc = zip_facts(c->zip, c->ordinal, name, size, &f->stored, &f->crc);
		break;
	case ARCHIVE_FORMAT_TAR: /* numbers from 1, files only */
		f->position = c->files + 1;
		f->stored = size;
		f->has_stored = is_file;
		break;
	case ARCHIVE_FORMAT_CPIO: /* numbers from 1, all; what has content is compared */
		f->position = c->ordinal + 1;
		f->stored = size;
		is_file = size > 0;
		break;
	case ARCHIVE_FORMAT_7ZIP: /* numbers from 0, all; size in the archive not told */
	case ARCHIVE_FORMAT_CAB:
		f->position = c->ordinal;
		break;
	case ARCHIVE_FORMAT_ISO9660: /* no numbers, no folders in names */
		f->name = slash ? slash + 1 : name;
		f->stored = size;
		is_file = true;
		break;
	case ARCHIVE_FORMAT_RAR:
	case ARCHIVE_FORMAT_RAR_V5: /* not told by libarchive; the manual: numbers from 1 */
		f->position = c->ordinal + 1;
		f->has_stored = false;
		break;
	default:
		return false;
	}
	f->name_len = strlen(f->name);
	return is_file || (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
}

static void fill_member(struct format_ctx *c, struct member *ret)
{
	struct archive_entry *en = c->entry;
	int64_t size = archive_entry_size_is_set(en) ? archive_entry_size(en) : -1;
	*ret = (struct member){
		.name = member_name(c),
		.has_size = size >= 0,
		.size = size >= 0 ? (uint64_t)size : 0,
		.encrypted = archive_entry_is_encrypted(en) > 0,
		.is_regular = has_content(en),
	};
	ret->whole = is_gzip(c) || (size > 0 && zip_has_whole(c->zip, c->ordinal, ret->name,
	                                                      ret->size));
	ret->guess = is_gzip(c) ? gzip_guess(&c->in) : 0;
	ret->has_facts = c->kind->enable && fill_facts(c, ret->name, ret->size, &ret->facts);
	c->files += ret->has_facts;
	c->block = rd_make("", 0);
	c->hole = c->pos = 0;
	c->at_end = false;
	c->trick = is_trick(c->a, en);
	err_clear(&c->damage);
	c->ordinal++;
}

static st_t la_next(struct format_ctx *c, struct member *ret, bool *ret_end, struct err *e)
{
	*ret_end = false;
	if (c->not_archive || (c->dead != ST_OK && !c->kind->enable)) {
		*ret_end = true;
		return ST_OK;
	}
	if (c->dead != ST_OK)
		return fail(e, c->dead, 0, "%s: the rest cannot be read", c->kind->name);
	int r = ARCHIVE_RETRY;
	for (unsigned i = 0; r == ARCHIVE_RETRY && i < RETRIES_MAX; i++)
		r = archive_read_next_header(c->a, &c->entry);
	if (r == ARCHIVE_EOF) {
		*ret_end = true;
		return ST_OK;
	}
	if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
		fill_member(c, ret);
		return ST_OK;
	}
	c->dead = la_fail(c, e);
	return c->dead;
}

/* End of the member: fine, unless something was wrong with what was read. */
static st_t member_end(struct format_ctx *c, struct err *e)
{
	c->at_end = true;
	if (c->damage.st != ST_OK)
		return fail(e, c->damage.st, 0, "%s", c->damage.text);
	if (c->trick && c->pos == 0)
		return fail(e, ST_MALFORMED, 0, "%s: content behind an entry that is no file",
		            c->kind->name);
	bool read_nothing = c->pos == 0 && archive_filter_bytes(c->a, -1) == 0;
	if (!c->kind->enable && read_nothing)
		return fail(e, ST_TRUNCATED, 0, "%s: truncated header", c->kind->name);
	return ST_OK;
}

/* Gets blocks until there is something to hand on, or the end. */
static st_t fill_block(struct format_ctx *c, struct err *e)
{
	for (unsigned i = 0; i < RETRIES_MAX; i++) {
		const void *p = NULL;
		size_t n = 0;
		int64_t off = 0;
		int r = archive_read_data_block(c->a, &p, &n, &off);
		if (r == ARCHIVE_EOF)
			return member_end(c, e);
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
			st_t st = la_fail(c, e);
			c->dead = r == ARCHIVE_FATAL ? st : ST_OK;
			c->at_end = true;
			return st;
		}
		if (r == ARCHIVE_WARN)
			(void)la_fail(c, &c->damage);
		uint64_t start = off > 0 ? (uint64_t)off : 0;
		c->hole = start > c->pos ? start - c->pos : 0;
		c->block = rd_make(n ? p : "", n);
		if (!num_add_u64(start, n, &c->pos))
			return fail(e, ST_MALFORMED, 0, "%s: member too long", c->kind->name);
		if (n > 0 || c->hole > 0)
			return ST_OK;
	}
	c->dead = ST_MALFORMED;
	return fail(e, ST_MALFORMED, 0, "%s: endless empty blocks", c->kind->name);
}

static st_t la_read(struct format_ctx *c, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
	*ret_n = 0;
	if (c->hole == 0 && rd_left(&c->block) == 0 && !c->at_end)
		TRY(fill_block(c, e));
	if (c->hole > 0) {
		size_t n = (size_t)num_min_u64(c->hole, cap);
		memset(buf, 0, n);
		c->hole -= n;
		*ret_n = n;
		return ST_OK;
	}
	size_t n = num_min_size(rd_left(&c->block), cap);
	rd_copy(&c->block, buf, n);
	*ret_n = n;
	return ST_OK;
}

/* Members that are stored as they are come as one block that lies in our own bytes. */
static st_t la_in_place(struct format_ctx *c, struct rd *ret, struct err *e)
{
	*ret = rd_make("", 0);
	if (c->hole == 0 && rd_left(&c->block) == 0 && !c->at_end)
		TRY(fill_block(c, e));
	if (c->hole == 0 && rd_left(&c->block) > 0 && rd_within(&c->in, &c->block))
		*ret = rd_sub(&c->block, rd_left(&c->block));
	return ST_OK;
}

static enum whole la_whole(struct format_ctx *c, void *buf, size_t cap, size_t *ret_n)
{
	if (!c->inflater)
		c->inflater = libdeflate_alloc_decompressor();
	if (!c->inflater)
		return WHOLE_NO;
	if (is_gzip(c))
		return gzip_whole(c->inflater, c->in, buf, cap, ret_n);
	return zip_whole(c->zip, c->inflater, c->ordinal - 1, buf, cap, ret_n);
}

const struct format format_libarchive = {
	.name = "archive",
	.bid = la_bid,
	.open = la_open,
	.open_with = la_open_with,
	.next = la_next,
	.read = la_read,
	.in_place = la_in_place,
	.whole = la_whole,
	.close = la_close,
};
