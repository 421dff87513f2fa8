/* Names of sets: parts of paths, of targets and on disks. */
#ifndef VITRINE_UPDATE_NAMES_H
#define VITRINE_UPDATE_NAMES_H

#include <stdbool.h>

#define UPDATE_SET_MAX 64

/* Lower-case letters, digits, "-" and "_", at most UPDATE_SET_MAX (doc/format/updates.md). */
bool update_set_name_good(const char *s);

#endif
