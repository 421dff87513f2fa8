/* Names and targets of file types. */
#include "db/filetypes.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	uint8_t target;
} types[] = {
#define X(e, n, t) [e] = {n, t},
	FILETYPE_TABLE(X)
#undef X
};

const char *filetype_name(enum file_type t)
{
	return t < FILETYPES ? types[t].name : "CL_TYPE_ANY";
}

uint8_t filetype_target(enum file_type t)
{
	return t < FILETYPES ? types[t].target : 0;
}

enum file_type filetype_by_name(const char *name)
{
	for (size_t i = 0; i < FILETYPES; i++)
		if (!strcmp(types[i].name, name))
			return (enum file_type)i;
	return FILETYPES;
}
