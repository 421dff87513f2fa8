/* Inside of explain/: what a database knows of signatures that this version does not use. */
#ifndef VITRINE_EXPLAIN_NOTES_H
#define VITRINE_EXPLAIN_NOTES_H

#include "db/layout.h"
#include "explain/out.h"

/* Texts are of foreign origin; "" where the note does not tell. */
struct note {
	char kind[sizeof(((struct db_note *)NULL)->kind) + 1];
	char text[DB_NOTE_TEXT + 1]; /* what the others point into */
	const char *name, *run, *levels, *trigger;
};

void note_read(const struct db_note *in, struct note *ret);

/* All about it, and one line of a list. */
void note_put(struct out *o, const struct note *n);
void note_put_line(struct out *o, const struct note *n);

#endif
