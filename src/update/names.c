#include "update/names.h"

#include <string.h>

bool update_set_name_good(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= UPDATE_SET_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}
