/* What signatures may ask about the shape of an executable: filled by parse/pe.c, parse/elf.c and
 * parse/macho.c, used by offsets (EP+n, Sx+n, …) and conditions. */
#ifndef VITRINE_VERIFY_LAYOUT_H
#define VITRINE_VERIFY_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* More sections than any sane executable has; a file with more is MALFORMED to its parser. */
#define EXE_SECTIONS_MAX 512

struct exe_section {
	uint64_t off;  /* start in the file, as ClamAV sees it */
	uint64_t size; /* raw bytes in the file */
};

struct exe_layout {
	bool valid;        /* headers were understood: EP and S offsets mean something */
	bool has_ep;
	bool is_64;        /* PE32+, ELF64, Mach-O 64 */
	uint64_t ep;       /* file offset of the entry point */
	uint32_t nsections;
	struct exe_section sections[EXE_SECTIONS_MAX];
};

#endif
