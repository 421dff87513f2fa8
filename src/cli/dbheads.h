/* What the headers of containers say (read in the jail, unproven): which of two versions of one
 * container is the newer, and the version of the daily set. */
#ifndef VITRINE_CLI_DBHEADS_H
#define VITRINE_CLI_DBHEADS_H

#include "cli/dbset.h"
#include "proc/broker/compile.h"

/* Of X.cvd and X.cld of one folder the newer is kept; of equal versions the .cvd. Tells about each
 * that is removed: `same` if the versions are equal. */
st_t dbheads_drop_duplicates(struct db_set *s,
                             void (*dropped)(const char *path, const char *kept, bool same),
                             struct err *e);

/* The header of the newest daily.cvd or daily.cld of a folder; ret->known false if none has any. */
st_t dbheads_daily(const struct db_set *s, struct compile_head *ret, struct err *e);

#endif
