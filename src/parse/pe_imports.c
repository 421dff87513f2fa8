/* The text of import hashes (Mandiant's "imphash", as pefile made it popular), with the rules of
 * clamscan 1.4.6: each was found by asking sigtool --imp for generated files. Runs in the worker.
 *
 * Rules
 * 1. The import directory exists, begins inside the file and does not reach out of it.
 * 2. A descriptor counts if the directory's size reaches behind it; one without a name ends the
 *    list, and so does number 1,024.
 * 3. A library's name has at most 256 bytes and may end with the file. It is cut at its first dot
 *    if ".dll", ".ocx" or ".sys" stands there, whatever follows.
 * 4. The list of functions is that of the first thunk table that lies in the file: the original
 *    one, else the other. It ends with a zero or with the file.
 * 5. The highest bit says ordinal: a name that is known (pe_ordinals.c), or "ordN".
 * 6. A function's name has at most 256 bytes; where hint and 256 bytes do not fit into the file, it
 *    is left out. An address that lies nowhere is offset 0 in PE32 and left out in PE32+.
 * 7. A name with anything but letters, digits, '_' and '.' makes the whole table invalid.
 * 8. All is in lower case, joined by commas. No imports are the empty text. */
#include "parse/pe_imports.h"

#include "parse/pe_head.h"
#include "parse/pe_ordinals.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTOR_SIZE 20
#define DESCRIPTORS_MAX 1024
#define NAME_MAX_LEN 256
#define HINT_SIZE 2

/* Real programs stay below 1 MiB. Millions of thunks may share one long name. */
#define TEXT_MAX ((size_t)8 << 20)

/* Sections compared while addresses are looked up: a hundred for each of a million functions. Only
 * made files have thousands of sections. */
#define COMPARED_MAX (UINT64_C(100) << 20)

struct imports {
	struct rd in;
	const struct exe_layout *layout;
	struct pe_head head;
	uint64_t compared;
	struct buf *out;
	bool any; /* something stands in front: a comma belongs between */
	size_t stem; /* bytes of `library` without the extension */
	char library[NAME_MAX_LEN + 1];
};

static bool map(struct imports *m, uint32_t rva, uint64_t *ret)
{
	m->compared += m->head.nsections;
	return pe_map(&m->head, m->layout, m->in.len, rva, ret);
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static void copy_name(const struct rd *r, char ret[NAME_MAX_LEN + 1])
{
	size_t n = 0;
	for (; n < NAME_MAX_LEN && rd_byte(r, n); n++)
		ret[n] = lower(rd_byte(r, n));
	ret[n] = '\0';
}

/* Rule 7. */
static bool is_name(const char *s)
{
	const char *good = "abcdefghijklmnopqrstuvwxyz0123456789_.";
	return s[strspn(s, good)] == '\0';
}

static st_t put(struct imports *m, const char *function, struct err *e)
{
	if (m->any)
		buf_u8(m->out, ',');
	m->any = true;
	buf_add(m->out, m->library, m->stem);
	buf_u8(m->out, '.');
	buf_add(m->out, function, strlen(function));
	if (m->out->len > TEXT_MAX)
		return fail(e, ST_LIMIT, 0, "pe: too many imports");
	return buf_check(m->out, e, "pe: imports");
}

static st_t put_ordinal(struct imports *m, uint16_t ordinal, struct err *e)
{
	char text[16];
	const char *name = pe_ordinal_name(m->library, ordinal);
	if (name)
		return put(m, name, e);
	snprintf(text, sizeof text, "ord%u", ordinal);
	return put(m, text, e);
}

/* Rules 6 and 7. */
static st_t put_named(struct imports *m, uint32_t rva, struct err *e)
{
	char name[NAME_MAX_LEN + 1];
	uint64_t off = 0;
	if (!map(m, rva, &off) && m->head.plus)
		return ST_OK;
	struct rd r = rd_at(&m->in, off, HINT_SIZE + NAME_MAX_LEN);
	if (r.bad)
		return ST_OK;
	rd_skip(&r, HINT_SIZE);
	struct rd text = rd_sub(&r, NAME_MAX_LEN);
	copy_name(&text, name);
	if (!is_name(name))
		return fail(e, ST_MALFORMED, off, "pe: invalid name of an imported function");
	return put(m, name, e);
}

static st_t put_functions(struct imports *m, uint64_t thunks, struct err *e)
{
	struct rd r = m->in;
	rd_seek(&r, thunks);
	while (!r.bad) {
		uint64_t v = m->head.plus ? rd_u64le(&r) : rd_u32le(&r);
		bool by_ordinal = v >> (m->head.plus ? 63 : 31);
		if (v == 0)
			return ST_OK;
		if (m->compared > COMPARED_MAX)
			return fail(e, ST_LIMIT, 0, "pe: too many imports and sections");
		TRY(by_ordinal ? put_ordinal(m, (uint16_t)v, e) : put_named(m, (uint32_t)v, e));
	}
	return ST_OK;
}

/* Rule 3. */
static st_t read_library(struct imports *m, uint32_t rva, struct err *e)
{
	uint64_t off;
	if (!map(m, rva, &off))
		return fail(e, ST_MALFORMED, rva, "pe: the name of a library lies nowhere");
	struct rd r = rd_at(&m->in, off, m->in.len - off);
	copy_name(&r, m->library);
	const char *dot = strchr(m->library, '.');
	m->stem = strlen(m->library);
	if (dot && (!strncmp(dot, ".dll", 4) || !strncmp(dot, ".ocx", 4) || !strncmp(dot, ".sys", 4)))
		m->stem = (size_t)(dot - m->library);
	return ST_OK;
}

static st_t put_library(struct imports *m, struct rd d, bool *ret_end, struct err *e)
{
	uint64_t thunks;
	uint32_t original = rd_u32le(&d);
	rd_skip(&d, 8); /* time, forwarders */
	uint32_t name = rd_u32le(&d);
	uint32_t first = rd_u32le(&d);
	*ret_end = name == 0;
	if (*ret_end)
		return ST_OK;
	TRY(read_library(m, name, e));
	bool found = original != 0 && map(m, original, &thunks);
	if (!found && !map(m, first, &thunks))
		return fail(e, ST_MALFORMED, first, "pe: the functions of a library lie nowhere");
	return put_functions(m, thunks, e);
}

st_t pe_import_text(struct rd in, const struct exe_layout *l, struct buf *ret, struct err *e)
{
	struct imports m = {.in = in, .layout = l, .out = ret};
	struct rd table;
	uint64_t off;
	bool end = false;
	TRY(pe_head_read(in, &m.head, &table, e));
	if (m.head.import_rva == 0 || m.head.import_size == 0)
		return fail(e, ST_MALFORMED, 0, "pe: no import directory");
	if (!map(&m, m.head.import_rva, &off) || m.head.import_size > in.len - off)
		return fail(e, ST_MALFORMED, 0, "pe: the import directory lies outside");
	struct rd dir = rd_at(&in, off, m.head.import_size);
	for (unsigned i = 0; !end && i < DESCRIPTORS_MAX && rd_left(&dir) > DESCRIPTOR_SIZE; i++)
		TRY(put_library(&m, rd_sub(&dir, DESCRIPTOR_SIZE), &end, e));
	return ST_OK;
}
