/* Inside of explain/: the forms of a file that signatures are matched with, as a scan makes them
 * (scan/views.c, doc/views.md). A new kind of view is added here and there. */
#ifndef VITRINE_EXPLAIN_TEST_VIEWS_H
#define VITRINE_EXPLAIN_TEST_VIEWS_H

#include "db/filetypes.h"
#include "explain/explain.h"
#include "normal/html.h"
#include "verify/facts.h"

struct test_view {
	const char *words;
	uint8_t target;
	bool views_only; /* signatures for the file's own target see other views, not this one */
	bool digests;    /* digests of whole files are compared with it, as with the file itself */
	const char *name; /* where `digests` */
	struct object_facts facts;
	struct explain_object object;
};

struct test_views {
	struct test_view *v;
	size_t n;
	struct html_views html;
	struct buf copy;
};

/* The object must outlive the views. The caller calls test_views_done(), also on failure. ST_LIMIT:
 * a view that a scan cannot make either. */
st_t test_views_of(const struct db_view *db, enum file_type type, const struct exe_layout *exe,
                   const struct explain_object *object, struct test_views *ret, struct err *e);
void test_views_done(struct test_views *v);

#endif
