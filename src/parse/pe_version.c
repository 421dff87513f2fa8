/* Version information of PE files: where its keys start (offset VI of signatures). Runs in the scan
 * worker on hostile bytes.
 *
 *   resource directory -> type 16 -> names -> languages -> data:
 *   VS_VERSION_INFO -> StringFileInfo -> tables -> strings (key, value)
 *
 * Each node begins with length, length of value and type (2 bytes each), then its key in UTF-16 and
 * a zero, then, from a multiple of 4 on, value and children (Microsoft, "VS_VERSIONINFO").
 *
 * Rules, found by scanning thousands of generated files with clamscan 1.4.6:
 * 1. Of the types, the first with id 16 that is a folder counts; of its names, folders; of their
 *    languages, data. 16 data are looked at in all.
 * 2. The root has exactly 52 bytes of value that begin with its magic; length of value and type of
 *    the nodes below do not matter.
 * 3. One VarFileInfo may stand before the StringFileInfo; what follows that one is not looked at.
 * 4. Keys of tables are taken to have eight characters, whatever they are. Tables follow each other
 *    without padding; up to 6 bytes behind the strings of one do not matter.
 * 5. A node that reaches out of its parent (strings: with their padding) ends the search in these
 *    data, as do tables of 24 bytes and less and strings of 16 bytes and less.
 * 6. A key counts if bytes of the string follow it and its padding. */
#include "parse/exe.h"
#include "parse/pe_head.h"

#include <stdlib.h>

#define TYPE_VERSION 16
#define VERSIONS_MAX 16 /* rule 1; bounds the work, too: each has at most 65,535 bytes */
#define DIR_COUNTS 12   /* offset of the numbers of entries in a directory */
#define SUBDIR 0x80000000u

#define HEAD 6          /* length, length of value, type */
#define ROOT_VALUE_OFF 40
#define ROOT_VALUE 52
#define ROOT_END (ROOT_VALUE_OFF + ROOT_VALUE)
#define ROOT_MAGIC 0xfeef04bdu
#define INFO_HEAD 36    /* of StringFileInfo: HEAD, 15 characters */
#define TABLE_HEAD 24   /* of a table: HEAD, 9 characters, padding */
#define STRING_MIN 17   /* rule 5 */

/* The directories may name each other: so many entries are looked at in all. A directory has at
 * most 131,070. */
#define ENTRIES_MAX 200000u

struct walk {
	struct rd in;
	struct pe_head head;
	struct exe_layout *l;
	uint32_t entries; /* left */
	uint32_t data;    /* left */
};

static bool has_key(const struct rd *r, const char *key)
{
	struct rd k = *r;
	for (; *key; key++)
		if (rd_u16le(&k) != (uint16_t)*key)
			return false;
	return rd_u16le(&k) == 0 && !k.bad;
}

static void add_key(struct walk *w, const struct rd *string)
{
	if (w->l->nversion_keys < EXE_VERSION_KEYS_MAX)
		w->l->version_key[w->l->nversion_keys++] = rd_offset(&w->in, string) + HEAD;
}

/* Rule 6; `s` holds the string without its padding. */
static bool has_value(struct rd s)
{
	rd_skip(&s, HEAD);
	while (rd_u16le(&s) != 0)
		continue;
	return !s.bad && ((s.pos + 3) & ~(size_t)3) < s.len;
}

/* False: the search in these data is over. */
static bool walk_strings(struct walk *w, struct rd table)
{
	rd_skip(&table, TABLE_HEAD);
	while (rd_left(&table) > HEAD) {
		struct rd head = table;
		uint16_t len = rd_u16le(&head);
		size_t padded = ((size_t)len + 3) & ~(size_t)3;
		if (len < STRING_MIN || padded > rd_left(&table))
			return false;
		struct rd s = rd_sub(&table, len);
		rd_skip(&table, padded - len);
		if (has_value(s))
			add_key(w, &s);
	}
	return true;
}

static void walk_tables(struct walk *w, struct rd info)
{
	rd_skip(&info, INFO_HEAD);
	while (rd_left(&info) > HEAD) {
		struct rd head = info;
		uint16_t len = rd_u16le(&head);
		if (len <= TABLE_HEAD || len > rd_left(&info))
			return;
		if (!walk_strings(w, rd_sub(&info, len)))
			return;
	}
}

/* Rule 2; *ret is what stands below the root. */
static bool read_root(struct rd r, struct rd *ret)
{
	uint16_t len = rd_u16le(&r);
	uint16_t value = rd_u16le(&r);
	rd_skip(&r, 2);
	if (r.bad || value != ROOT_VALUE || !has_key(&r, "VS_VERSION_INFO"))
		return false;
	rd_seek(&r, ROOT_VALUE_OFF);
	if (rd_u32le(&r) != ROOT_MAGIC || len < ROOT_END || len > r.len)
		return false;
	rd_seek(&r, ROOT_END);
	*ret = rd_sub(&r, len - ROOT_END);
	return !ret->bad;
}

static void walk_version(struct walk *w, struct rd data)
{
	struct rd r;
	if (!read_root(data, &r))
		return;
	for (int tries = 0; tries < 2 && rd_left(&r) > HEAD; tries++) {
		struct rd head = r;
		uint16_t len = rd_u16le(&head);
		rd_skip(&head, HEAD - 2);
		if (len < HEAD || len > rd_left(&r))
			return;
		if (has_key(&head, "StringFileInfo")) {
			walk_tables(w, rd_sub(&r, len));
			return;
		}
		if (!has_key(&head, "VarFileInfo"))
			return;
		rd_skip(&r, len);
	}
}

/* A reader from an address to the end of the file. */
static struct rd at_address(const struct walk *w, uint32_t rva)
{
	uint64_t off;
	if (!pe_map(&w->head, w->l, w->in.len, rva, &off))
		return rd_at(&w->in, w->in.len, 1); /* bad */
	return rd_at(&w->in, off, w->in.len - off);
}

/* Data entry: address and size of the data. */
static void walk_data(struct walk *w, uint32_t at)
{
	struct rd r = at_address(w, w->head.resource_rva + at);
	uint32_t rva = rd_u32le(&r);
	uint32_t size = rd_u32le(&r);
	if (r.bad)
		return;
	w->data--;
	struct rd data = at_address(w, rva);
	data = rd_sub(&data, size);
	if (!data.bad)
		walk_version(w, data);
}

/* One directory: what is left of its entries. */
struct dir {
	struct rd r;
	uint32_t named, ids;
};

static bool dir_open(const struct walk *w, uint32_t at, struct dir *ret)
{
	ret->r = at_address(w, w->head.resource_rva + at);
	rd_skip(&ret->r, DIR_COUNTS);
	ret->named = rd_u16le(&ret->r);
	ret->ids = rd_u16le(&ret->r);
	return !ret->r.bad;
}

static bool dir_next(struct walk *w, struct dir *d, uint32_t *ret_id, uint32_t *ret_at)
{
	if ((d->named == 0 && d->ids == 0) || w->entries == 0 || w->data == 0)
		return false;
	w->entries--;
	*ret_id = rd_u32le(&d->r);
	*ret_at = rd_u32le(&d->r);
	if (d->named > 0)
		d->named--;
	else
		d->ids--;
	return !d->r.bad;
}

/* False: there is no directory. */
static bool walk_languages(struct walk *w, uint32_t at)
{
	struct dir d;
	uint32_t id, to;
	if (!dir_open(w, at, &d))
		return false;
	while (dir_next(w, &d, &id, &to))
		if (!(to & SUBDIR))
			walk_data(w, to);
	return true;
}

static void walk_names(struct walk *w, uint32_t at)
{
	struct dir d;
	uint32_t id, to;
	if (!dir_open(w, at, &d))
		return;
	while (dir_next(w, &d, &id, &to))
		if ((to & SUBDIR) && !walk_languages(w, to & ~SUBDIR))
			return;
}

static void walk_types(struct walk *w)
{
	struct dir d;
	uint32_t id, to;
	if (!dir_open(w, 0, &d))
		return;
	rd_skip(&d.r, (size_t)d.named * 8); /* id and place */
	d.named = 0;
	while (dir_next(w, &d, &id, &to)) {
		if (id != TYPE_VERSION || !(to & SUBDIR))
			continue;
		walk_names(w, to & ~SUBDIR);
		return;
	}
}

static int by_offset(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

void pe_version_keys(struct rd in, struct exe_layout *l)
{
	struct walk w = {.in = in, .l = l, .entries = ENTRIES_MAX, .data = VERSIONS_MAX};
	struct rd table;
	l->nversion_keys = 0;
	if (pe_head_read(in, &w.head, &table, NULL) != ST_OK || w.head.resource_size == 0)
		return;
	walk_types(&w);
	qsort(l->version_key, l->nversion_keys, sizeof l->version_key[0], by_offset);
	uint32_t n = 0;
	for (uint32_t i = 0; i < l->nversion_keys; i++)
		if (n == 0 || l->version_key[i] != l->version_key[n - 1])
			l->version_key[n++] = l->version_key[i];
	l->nversion_keys = n;
}
