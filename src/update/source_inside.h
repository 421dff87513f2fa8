/* Inside of src/update: what the sources share. */
#ifndef VITRINE_UPDATE_SOURCE_INSIDE_H
#define VITRINE_UPDATE_SOURCE_INSIDE_H

/* The byte that "%XX" at s stands for; 0: it is none of those, or NUL. Reads no further than a
 * NUL. */
int update_percent_byte(const char *s);

#endif
