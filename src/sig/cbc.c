/* Bytecode programs: .cbc. Only the first two lines are read, to say what the program is and what
 * would trigger it; programs are not run, and clamscan does not load one from a loose file either
 * unless it is told to. So a file that makes no sense is counted, not malformed.
 *
 * Line 1, as in files of the public set: "ClamBC", then numbers and texts of nibbles. A nibble is a
 * character 0x60 + value. A number is its count of nibbles and they, lowest first; a text is '|', a
 * number of bytes, two nibbles for each:
 *   format, time, text builder, number of excluded targets, kind, MinFL, MaxFL, resources, ...
 * Line 2: a logical signature (kind 256), else the name. */
#include "db/layout.h"
#include "sig/text.h"

#include <stdio.h>

#define WHAT "bytecode program (.cbc)"

enum hook {
	HOOK_STARTUP = 1,
	HOOK_LOGICAL = 256,
	HOOK_PE_UNPACKER,
	HOOK_PDF,
	HOOK_PE,
	HOOK_PRECLASS,
	HOOK_ELF_UNPACKER,
};

struct cbc {
	struct str s;
	bool bad;
};

static uint32_t nibble(struct cbc *c)
{
	uint8_t v = c->s.n ? (uint8_t)c->s.p[0] : 0;
	c->bad |= v < 0x60 || v > 0x6f;
	c->s = str_from(c->s, 1);
	return v & 15u;
}

static uint64_t number(struct cbc *c)
{
	uint32_t n = nibble(c);
	uint64_t v = 0;
	for (uint32_t i = 0; i < n; i++)
		v |= (uint64_t)nibble(c) << 4 * i;
	return v;
}

static void skip_text(struct cbc *c)
{
	c->bad |= !str_starts(c->s, "|");
	c->s = str_from(c->s, 1);
	uint64_t n = number(c);
	c->bad |= n > c->s.n / 2;
	if (!c->bad)
		c->s = str_from(c->s, (size_t)n * 2);
}

static const char *hook_name(uint64_t kind)
{
	switch (kind) {
	case HOOK_STARTUP:
		return "at start";
	case HOOK_LOGICAL:
		return "logical signature";
	case HOOK_PE_UNPACKER:
		return "unpacker of PE files";
	case HOOK_PDF:
		return "PDF files";
	case HOOK_PE:
		return "PE files";
	case HOOK_PRECLASS:
		return "every file, at its end";
	case HOOK_ELF_UNPACKER:
		return "unpacker of ELF files";
	default:
		return "unknown hook";
	}
}

/* The name, without the list of suffixes "{...}" that a logical trigger may bear. */
static struct str take_name(struct str *line)
{
	struct str name, unused;
	str_cut(*line, ';', &name, line);
	str_cut(name, '{', &name, &unused);
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

st_t sig_file_cbc(struct sig_reader *r, struct str text)
{
	struct str head, trigger;
	str_cut(text, '\n', &head, &text);
	str_cut(text, '\n', &trigger, &text);
	struct cbc c = {.s = str_from(head, 6), .bad = !str_starts(head, "ClamBC")};
	number(&c); /* format */
	number(&c); /* time */
	skip_text(&c);
	number(&c);
	uint64_t kind = number(&c), min = number(&c), max = number(&c);
	ir_count_inactive(r->set, WHAT);
	if (c.bad)
		return ir_add_note(r->set, "bytecode", "not readable", 12, r->e);
	char note[DB_NOTE_TEXT];
	struct str name = take_name(&trigger);
	int n = snprintf(note, sizeof note, "%.*s; %s; levels %llu-%llu%s%.*s",
	                 name.n > 80 ? 80 : (int)name.n, name.p, hook_name(kind),
	                 (unsigned long long)min, (unsigned long long)(max ? max : 255),
	                 trigger.n ? "; " : "", trigger.n > 200 ? 200 : (int)trigger.n, trigger.p);
	size_t len = n > 0 ? (size_t)n : 0;
	return ir_add_note(r->set, "bytecode", note, len < sizeof note ? len : sizeof note - 1, r->e);
}
