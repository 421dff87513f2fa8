/* Named character references of HTML, as clamscan knows them. */
#ifndef VITRINE_NORMAL_ENTITY_H
#define VITRINE_NORMAL_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

/* Length of the longest name, without its NUL. */
#define ENTITY_NAME_MAX 8

/* The character of the entity `name` (a string; case counts), if there is one. */
bool entity_find(const char *name, uint16_t *ret_value);

#endif
