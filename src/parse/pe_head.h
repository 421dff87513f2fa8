/* Inside of parse/: the headers of a PE file as pe.c reads them (its rules), for other readers of
 * the same file. */
#ifndef VITRINE_PARSE_PE_HEAD_H
#define VITRINE_PARSE_PE_HEAD_H

#include "base/rd.h"
#include "verify/layout.h"

struct pe_head {
	uint16_t nsections;
	uint16_t opt_size;
	bool plus; /* PE32+ */
	uint32_t ep, section_align, file_align, headers;
	uint32_t import_rva, import_size; /* of the data directory; 0: there is none */
	uint32_t resource_rva, resource_size;
	uint64_t table; /* offset of the section table */
};

/* ST_OK, ST_TRUNCATED or ST_MALFORMED. *ret_table: the section table, all of it. */
st_t pe_head_read(struct rd in, struct pe_head *ret, struct rd *ret_table, struct err *e);

/* File offset of an address (rule 4), or false: `l` has the sections of `h`. */
bool pe_map(const struct pe_head *h, const struct exe_layout *l, uint64_t file_size, uint32_t rva,
            uint64_t *ret);

#endif
