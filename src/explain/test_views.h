/* Inside of explain/: the forms of a file that signatures are matched with, as a scan makes them
 * (scan/views.c, doc/views.md). A new kind of view is added here and there. */
#ifndef VITRINE_EXPLAIN_TEST_VIEWS_H
#define VITRINE_EXPLAIN_TEST_VIEWS_H

#include "db/filetypes.h"
#include "explain/explain.h"
#include "verify/facts.h"

#define TEST_VIEWS_MAX 2

struct test_view {
	const char *words;
	uint8_t target;
	bool raw_of_copy; /* signatures for the file's own target see the copy only */
	struct object_facts facts;
	struct explain_object object;
};

struct test_views {
	struct test_view v[TEST_VIEWS_MAX];
	size_t n;
	struct buf copy;
};

/* The object must outlive the views. */
st_t test_views_of(const struct db_view *db, enum file_type type, const struct exe_layout *exe,
                   const struct explain_object *object, struct test_views *ret, struct err *e);
void test_views_done(struct test_views *v);

#endif
