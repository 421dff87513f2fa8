/* What signatures may ask about the shape of an executable: filled by parse/pe.c, parse/elf.c and
 * parse/macho.c, used by offsets (EP+n, Sx+n, …) and conditions. */
#ifndef VITRINE_VERIFY_LAYOUT_H
#define VITRINE_VERIFY_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* As many as the header of a PE file can name: a file that has one more than we look at would hide
 * its sections. A Mach-O file may have more and is refused by its parser. */
#define EXE_SECTIONS_MAX 65535

/* Keys of version information: 16 resources are looked at, each of at most 65,535 bytes, and a key
 * with its value takes 20. */
#define EXE_VERSION_KEYS_MAX (16 * (65535 / 20))

struct exe_section {
	uint64_t off;       /* start in the file, as ClamAV sees it */
	uint64_t size;      /* raw bytes in the file */
	uint32_t va, vsize; /* address and size in memory; for parse/ itself, vsize in Mach-O only */
};

/* Some 1.5 MB, of which only what is used is touched: one for each scanner, never on the stack. */
struct exe_layout {
	bool valid;        /* headers were understood: EP and S offsets mean something */
	bool has_ep;
	bool is_64;        /* PE32+, ELF64, Mach-O 64 */
	uint64_t ep;       /* file offset of the entry point */
	uint32_t nversion_keys; /* PE, if asked for: where the keys of the version information start, */
	uint64_t version_key[EXE_VERSION_KEYS_MAX]; /* ascending */
	uint32_t nsections;
	struct exe_section sections[EXE_SECTIONS_MAX];
};

#endif
