/* Zip archives (APPNOTE 6.3) whose bytes are all in memory: content of deflated members. Names,
 * order, kinds of members and everything odd stay libarchive's. Runs in the worker.
 *
 * Invariants
 * 1. There is a directory only if both we and libarchive must find the same one: the last end
 *    record of the file, one disk, no zip64, the directory right before it, and its members in
 *    order of offset, without overlap.
 * 2. WHOLE_DONE only if the member's own header agrees with the directory and length and CRC-32 of
 *    the content are right. All else is left to libarchive. */
#include "parse/zip.h"

#include "base/num.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#define END_SIG "PK\5\6"
#define END_LEN 22
/* libarchive looks for the end record in so many last bytes. */
#define END_SEARCH ((size_t)16 << 10)
#define CENTRAL_SIG 0x02014b50u
#define CENTRAL_LEN 46
#define LOCAL_SIG 0x04034b50u
#define LOCAL_LEN 30
#define DESCRIPTOR_SIG "PK\7\x8"
#define SUMS_LEN 12
#define METHOD_DEFLATE 8

/* General purpose bits (4.4.4): 0, 6 and 13 have to do with encryption, 5 is patched data; with 3
 * the sums stand behind the data. */
#define FLAGS_ODD (1u << 0 | 1u << 5 | 1u << 6 | 1u << 13)
#define FLAG_DESCRIPTOR (1u << 3)

/* Values that say "look in the zip64 field". */
#define ZIP64_16 0xffffu
#define ZIP64_32 0xffffffffu

struct zip_entry {
	struct rd name;
	uint32_t off, csize, size, crc;
	uint16_t flags, method;
};

struct zip_dir {
	struct rd in;
	uint32_t central; /* offset of the central directory */
	size_t n;
	struct zip_entry entries[];
};

/* The last end record, as a reader behind its signature. */
static bool find_end(const struct rd *in, struct rd *ret, size_t *ret_at)
{
	if (in->len < END_LEN)
		return false;
	size_t last = in->len - END_LEN;
	size_t first = in->len > END_SEARCH ? in->len - END_SEARCH : 0;
	for (size_t i = last + 1; i > first; i--) {
		struct rd r = rd_at(in, i - 1, in->len - (i - 1));
		if (!rd_peek(&r, END_SIG, 4))
			continue;
		rd_skip(&r, 4);
		*ret = r;
		*ret_at = i - 1;
		return true;
	}
	return false;
}

/* 4.3.16: number of members and place of the directory, if all is as usual. */
static bool read_end(const struct rd *in, size_t *ret_n, uint32_t *ret_off, uint32_t *ret_len)
{
	struct rd r;
	size_t at;
	if (!find_end(in, &r, &at))
		return false;
	uint16_t disk = rd_u16le(&r);
	uint16_t first_disk = rd_u16le(&r);
	uint16_t here = rd_u16le(&r);
	uint16_t total = rd_u16le(&r);
	uint32_t len = rd_u32le(&r);
	uint32_t off = rd_u32le(&r);
	uint16_t comment = rd_u16le(&r);
	if (r.bad || disk != 0 || first_disk != 0 || here != total || total == ZIP64_16)
		return false;
	if (comment != rd_left(&r) || (uint64_t)off + len != at || off == ZIP64_32)
		return false;
	*ret_n = total;
	*ret_off = off;
	*ret_len = len;
	return true;
}

/* 4.3.12 */
static bool read_central(struct rd *r, struct zip_entry *ret)
{
	uint32_t sig = rd_u32le(r);
	rd_skip(r, 4);
	ret->flags = rd_u16le(r);
	ret->method = rd_u16le(r);
	rd_skip(r, 4);
	ret->crc = rd_u32le(r);
	ret->csize = rd_u32le(r);
	ret->size = rd_u32le(r);
	uint16_t name = rd_u16le(r);
	uint16_t extra = rd_u16le(r);
	uint16_t comment = rd_u16le(r);
	uint16_t disk = rd_u16le(r);
	rd_skip(r, 6);
	ret->off = rd_u32le(r);
	ret->name = rd_sub(r, name);
	rd_skip(r, extra);
	rd_skip(r, comment);
	if (r->bad || sig != CENTRAL_SIG || disk != 0)
		return false;
	return ret->csize != ZIP64_32 && ret->size != ZIP64_32 && ret->off != ZIP64_32;
}

static bool read_entries(struct zip_dir *z, uint32_t len)
{
	struct rd r = rd_at(&z->in, z->central, len);
	uint64_t free_from = 0;
	for (size_t i = 0; i < z->n; i++) {
		struct zip_entry *en = &z->entries[i];
		if (!read_central(&r, en) || en->off < free_from)
			return false;
		free_from = (uint64_t)en->off + LOCAL_LEN + en->name.len + en->csize;
	}
	return rd_left(&r) == 0 && free_from <= z->central;
}

bool zip_find_central(const struct rd *in, struct rd *ret)
{
	size_t n;
	uint32_t off, len;
	if (!read_end(in, &n, &off, &len))
		return false;
	*ret = rd_at(in, off, len);
	return !ret->bad;
}

struct zip_dir *zip_dir_new(struct rd in)
{
	size_t n;
	uint32_t off, len;
	if (!read_end(&in, &n, &off, &len) || n > len / CENTRAL_LEN)
		return NULL;
	struct zip_dir *z = calloc(1, sizeof *z + n * sizeof z->entries[0]);
	if (!z)
		return NULL;
	z->in = in;
	z->central = off;
	z->n = n;
	if (read_entries(z, len))
		return z;
	zip_dir_free(z);
	return NULL;
}

void zip_dir_free(struct zip_dir *z)
{
	free(z);
}

static const struct zip_entry *entry_of(const struct zip_dir *z, uint64_t ordinal, const char *name,
                                        uint64_t size)
{
	if (!z || ordinal >= z->n)
		return NULL;
	const struct zip_entry *en = &z->entries[ordinal];
	size_t len = strlen(name);
	return en->size == size && en->name.len == len && rd_peek(&en->name, name, len) ? en : NULL;
}

bool zip_has_whole(const struct zip_dir *z, uint64_t ordinal, const char *name, uint64_t size)
{
	const struct zip_entry *en = entry_of(z, ordinal, name, size);
	return en && en->method == METHOD_DEFLATE && !(en->flags & FLAGS_ODD);
}

bool zip_facts(const struct zip_dir *z, uint64_t ordinal, const char *name, uint64_t size,
               uint64_t *ret_stored, uint32_t *ret_crc)
{
	const struct zip_entry *en = entry_of(z, ordinal, name, size);
	if (!en)
		return false;
	*ret_stored = en->csize;
	*ret_crc = en->crc;
	return true;
}

static bool sums_are(struct rd *r, const struct zip_entry *en)
{
	uint32_t crc = rd_u32le(r);
	uint32_t csize = rd_u32le(r);
	uint32_t size = rd_u32le(r);
	return !r->bad && crc == en->crc && csize == en->csize && size == en->size;
}

/* The same where what was not yet known is 0. */
static bool sums_may_be(struct rd *r, const struct zip_entry *en)
{
	uint32_t crc = rd_u32le(r);
	uint32_t csize = rd_u32le(r);
	uint32_t size = rd_u32le(r);
	bool known_good = (crc == 0 || crc == en->crc) && (csize == 0 || csize == en->csize);
	return !r->bad && known_good && (size == 0 || size == en->size);
}

/* 4.3.9 */
static bool descriptor_agrees(struct rd r, const struct zip_entry *en)
{
	if (rd_peek(&r, DESCRIPTOR_SIG, 4))
		rd_skip(&r, 4);
	return sums_are(&r, en);
}

/* 4.3.7: the member's own header; *ret_data is then its content as it is stored. */
static bool read_local(const struct zip_dir *z, const struct zip_entry *en, struct rd *ret_data)
{
	struct rd r = rd_at(&z->in, en->off, z->central - en->off);
	uint32_t sig = rd_u32le(&r);
	rd_skip(&r, 2);
	uint16_t flags = rd_u16le(&r);
	uint16_t method = rd_u16le(&r);
	rd_skip(&r, 4);
	struct rd sums = rd_sub(&r, SUMS_LEN);
	uint16_t name_len = rd_u16le(&r);
	uint16_t extra_len = rd_u16le(&r);
	struct rd name = rd_sub(&r, name_len);
	rd_skip(&r, extra_len);
	*ret_data = rd_sub(&r, en->csize);
	if (r.bad || sig != LOCAL_SIG || flags != en->flags || method != en->method)
		return false;
	if (name.len != en->name.len || !rd_peek(&en->name, name.base, name.len))
		return false;
	if (!(flags & FLAG_DESCRIPTOR))
		return sums_are(&sums, en);
	return sums_may_be(&sums, en) && descriptor_agrees(r, en);
}

/* Where the room of a member ends: what follows is another's. */
static uint32_t entry_end(const struct zip_dir *z, uint64_t ordinal)
{
	return ordinal + 1 < z->n ? z->entries[ordinal + 1].off : z->central;
}

enum whole zip_whole(const struct zip_dir *z, struct libdeflate_decompressor *d, uint64_t ordinal,
                     void *buf, size_t cap, size_t *ret_n)
{
	const struct zip_entry *en = &z->entries[ordinal];
	struct rd data;
	size_t used = 0;
	if (en->size > cap)
		return WHOLE_LARGER;
	if (!read_local(z, en, &data))
		return WHOLE_NO;
	struct rd room = rd_at(&z->in, en->off, entry_end(z, ordinal) - en->off);
	if (!rd_within(&room, &data))
		return WHOLE_NO;
	const uint8_t *p = rd_take(&data, en->csize);
	if (libdeflate_deflate_decompress_ex(d, p, en->csize, buf, en->size, &used, NULL) !=
	    LIBDEFLATE_SUCCESS)
		return WHOLE_NO;
	if (used != en->csize || libdeflate_crc32(0, buf, en->size) != en->crc)
		return WHOLE_NO;
	*ret_n = en->size;
	return WHOLE_DONE;
}
