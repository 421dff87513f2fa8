/* sigtool --list-sigs and --find-sigs: files of signatures, line by line. */
#include "explain/sigtool.h"

#include "explain/sigtool_text.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where the name stands in a line. */
static const struct {
	const char *ext;
	char separator;
	int field;  /* that holds the name, from 0 */
	int fields; /* least number of them */
} formats[] = {
    {"db", '=', 0, 2},  {"ndb", ':', 0, 3}, {"ndu", ':', 0, 3}, {"sdb", ':', 0, 3},
    {"ldb", ';', 0, 3}, {"ldu", ';', 0, 3}, {"cdb", ':', 0, 3}, {"zmd", ':', 0, 3},
    {"rmd", ':', 0, 3}, {"crb", 0, 0, 1},   {"hdb", ':', 2, 3}, {"hdu", ':', 2, 3},
    {"hsb", ':', 2, 3}, {"hsu", ':', 2, 3}, {"mdb", ':', 2, 3}, {"mdu", ':', 2, 3},
    {"msb", ':', 2, 3}, {"msu", ':', 2, 3}, {"imp", ':', 2, 3},
};
#define NFORMATS (sizeof formats / sizeof formats[0])

static size_t format_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t i = 0;
	while (i < NFORMATS && !(dot && !strcasecmp(dot + 1, formats[i].ext)))
		i++;
	return i;
}

/* sigtool says this among the names, not beside them. */
static st_t refuse_line(struct out *o, unsigned n, const char *name, struct err *e)
{
	char head[64];
	int k = snprintf(head, sizeof head, "ERROR: listdb: Malformed pattern line %u (file ", n);
	out_raw(o, head, (size_t)k);
	out_raw(o, name, strlen(name));
	out_raw(o, ")\n", 2);
	return fail(e, ST_MALFORMED, n, SIGTOOL_SAID);
}

st_t sigtool_list(struct out *o, const struct explain_object *file, const char *name,
                  struct err *e)
{
	struct sigtool_lines all = {file->data, file->len, 0};
	struct piece line, field;
	size_t f = format_of(name);
	for (unsigned n = 1; f < NFORMATS && sigtool_next_line(&all, &line); n++) {
		if (line.len == 0 || line.p[0] == '#')
			continue;
		bool whole = formats[f].separator == 0;
		if (!whole && sigtool_fields(line, formats[f].separator) < formats[f].fields)
			return refuse_line(o, n, name, e);
		field = whole ? line : sigtool_field(line, formats[f].separator, formats[f].field);
		out_raw(o, field.p, field.len);
		out_raw(o, "\n", 1);
	}
	return o->st;
}

/* A line that is longer than this is no signature (doc/format/signatures.md, "Files and lines"). */
#define LINE_MAX_BYTES 32768u

static void put_if_fits(struct out *o, const regex_t *re, struct piece line, const char *name)
{
	char text[LINE_MAX_BYTES];
	if (line.len >= sizeof text)
		return;
	memcpy(text, line.p, line.len);
	text[line.len] = '\0';
	if (regexec(re, text, 0, NULL, 0) != 0)
		return;
	out_raw(o, "[", 1);
	out_raw(o, name, strlen(name));
	out_raw(o, "] ", 2);
	out_raw(o, line.p, line.len);
	out_raw(o, "\n", 1);
}

st_t sigtool_find(struct out *o, const struct explain_object *file, const char *name,
                  const char *regex, struct err *e)
{
	regex_t re;
	struct sigtool_lines all = {file->data, file->len, 0};
	struct piece line;
	if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB) != 0) {
		static const char why[] = "--find-sigs: Can't compile regex\n";
		out_raw(o, why, sizeof why - 1);
		return fail(e, ST_MALFORMED, 0, SIGTOOL_SAID);
	}
	while (format_of(name) < NFORMATS && sigtool_next_line(&all, &line) && o->st == ST_OK)
		put_if_fits(o, &re, line, name);
	regfree(&re);
	return o->st;
}
