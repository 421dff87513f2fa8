/* Signature text: the first byte chooses the format (and strict reading), the rest is the file. */
#include "sig/compile.h"

static const char *const NAMES[] = {"f.hdb", "f.mdb", "f.ndb", "f.ldb", "f.sfp", "f.cdb", "f.ldu",
                                    "f.db",  "f.ign2", "f.ftm", "f.cfg", "f.idb", "f.crb", "f.pdb",
                                    "f.gdb", "f.wdb",  "f.cbc",
                                    "f.imp", "f.zmd", "f.rmd", "f.pwdb"};
#define NNAMES (sizeof NAMES / sizeof *NAMES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct sig_source src = {NAMES[data[0] % NNAMES], (const char *)data + 1, size - 1};
	struct sig_opts opts = {.strict = data[0] & 0x80, .pua = true};
	struct err e = {0};
	struct ir_set set;
	ir_init(&set);
	st_t st = sig_read_all(&set, &src, 1, &opts, &e);
	ir_done(&set);
	return st == ST_NOMEM ? -1 : 0;
}
