#include "update/chain.h"

const char *chain_link_name(enum chain_link l)
{
	static const char *const names[CHAIN_LINKS] = {
	    "clock",     "root",    "timestamp", "snapshot",   "targets", "statement",
	    "log",       "witnesses", "freshness", "history",  "rebuilders", "files",
	    "compiled",  "health",  "hold",      "active",
	};
	return l < CHAIN_LINKS ? names[l] : "?";
}
