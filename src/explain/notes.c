/* What a database knows of signatures that this version does not use: bytecode programs. The
 * compiler writes one text for each (sig/cbc.c), "name; kind; levels from-to[; trigger]". */
#include "explain/notes.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

#define SEPARATOR "; "

/* Takes what stands before the next separator (all of it if there is none) off *rest. */
static const char *cut(char **rest)
{
	char *from = *rest, *at = strstr(from, SEPARATOR);
	*rest = at ? at + strlen(SEPARATOR) : from + strlen(from);
	if (at)
		*at = '\0';
	return from;
}

/* Both fields of the record are filled without a NUL at most. */
void note_read(const struct db_note *in, struct note *ret)
{
	memcpy(ret->kind, in->kind, sizeof in->kind);
	ret->kind[sizeof in->kind] = '\0';
	memcpy(ret->text, in->text, sizeof in->text);
	ret->text[sizeof in->text] = '\0';
	char *rest = ret->text;
	ret->name = cut(&rest);
	ret->run = cut(&rest);
	ret->levels = cut(&rest);
	ret->trigger = rest;
}

void note_put(struct out *o, const struct note *n)
{
	out_name(o, n->name);
	out_open(o, "name");
	out_str(o, "name", n->name);
	out_str(o, "kind", n->kind);
	out_bool(o, "active", false);
	out_say(o, "A program (");
	out_name(o, n->kind);
	out_say(o, "): known, but not active in this version.");
	out_remark(o);
	out_say(o, "What would run it: ");
	out_name(o, n->run);
	out_open_one(o, "run");
	out_str(o, "by", n->run);
	if (*n->trigger) {
		out_say(o, "Trigger: ");
		out_name(o, n->trigger);
		out_open_one(o, "trigger");
		out_str(o, "text", n->trigger);
		out_close(o);
	}
	out_close(o);
	if (*n->levels) {
		out_say(o, "For engines of ");
		out_name(o, n->levels);
		out_remark(o);
	}
	out_close(o);
}

void note_put_line(struct out *o, const struct note *n)
{
	out_name(o, n->name);
	out_say(o, "  ");
	out_name(o, n->kind);
	out_say(o, ", not active");
	if (*n->run) {
		out_say(o, "; what would run it: ");
		out_name(o, n->run);
	}
	out_open(o, "names");
	out_str(o, "name", n->name);
	out_str(o, "kind", n->kind);
	out_bool(o, "active", false);
	out_str(o, "run_by", n->run);
	out_str(o, "trigger", n->trigger);
	out_close(o);
}
