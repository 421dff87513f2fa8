/* Inside of src/attest: how statements are put together. */
#ifndef VITRINE_ATTEST_STATEMENT_INSIDE_H
#define VITRINE_ATTEST_STATEMENT_INSIDE_H

#include "attest/statement.h"

#include <jansson.h>

/* NULL: no memory, or a name is no UTF-8. */
json_t *statement_pack_subjects(const struct statement_subject *subjects, size_t n);

/* Appends the statement and frees both, either of which is NULL if it could not be made. */
st_t statement_write(json_t *subjects, const char *type, json_t *predicate, struct buf *out,
                     struct err *e);

#endif
