/* File types, named as ClamAV names them (CL_TYPE_…), and the target type of each. Here because
 * both sides speak of them: signatures by name when they are compiled, objects by number when they
 * are scanned. */
#ifndef VITRINE_DB_FILETYPES_H
#define VITRINE_DB_FILETYPES_H

#include <stdint.h>

/* X(enumerator, name, target). Order is part of the database format: append only.
 * Targets as clamscan 1.4.6 applies them: containers and most documents have none of their own
 * (only signatures for target 0 meet them). The types behind IGNORED are names that signatures may
 * use in Container: and that filetype_detect() does not give. CL_TYPE_IGNORED is what clamscan
 * calls MP3, Ogg, RealMedia and SQLite files: it matches nothing at all in them. ZSTD is our
 * own. */
#define FILETYPE_TABLE(X)                                \
	X(FT_BINARY_DATA, "CL_TYPE_BINARY_DATA", 14)         \
	X(FT_TEXT_ASCII, "CL_TYPE_TEXT_ASCII", 7)            \
	X(FT_MSEXE, "CL_TYPE_MSEXE", 1)                      \
	X(FT_ELF, "CL_TYPE_ELF", 6)                          \
	X(FT_ZIP, "CL_TYPE_ZIP", 0)                          \
	X(FT_MACHO, "CL_TYPE_MACHO", 9)                      \
	X(FT_MACHO_UNIBIN, "CL_TYPE_MACHO_UNIBIN", 9)        \
	X(FT_JAVA, "CL_TYPE_JAVA", 12)                       \
	X(FT_RAR, "CL_TYPE_RAR", 0)                          \
	X(FT_7Z, "CL_TYPE_7Z", 0)                            \
	X(FT_GZ, "CL_TYPE_GZ", 0)                            \
	X(FT_BZ, "CL_TYPE_BZ", 0)                            \
	X(FT_XZ, "CL_TYPE_XZ", 0)                            \
	X(FT_ZSTD, "CL_TYPE_ZSTD", 0)                        \
	X(FT_POSIX_TAR, "CL_TYPE_POSIX_TAR", 0)              \
	X(FT_OLD_TAR, "CL_TYPE_OLD_TAR", 0)                  \
	X(FT_CPIO_OLD, "CL_TYPE_CPIO_OLD", 0)                \
	X(FT_CPIO_ODC, "CL_TYPE_CPIO_ODC", 0)                \
	X(FT_CPIO_NEWC, "CL_TYPE_CPIO_NEWC", 0)              \
	X(FT_CPIO_CRC, "CL_TYPE_CPIO_CRC", 0)                \
	X(FT_MSCAB, "CL_TYPE_MSCAB", 0)                      \
	X(FT_ISO9660, "CL_TYPE_ISO9660", 0)                  \
	X(FT_ARJ, "CL_TYPE_ARJ", 0)                          \
	X(FT_LHA_LZH, "CL_TYPE_LHA_LZH", 0)                  \
	X(FT_ALZ, "CL_TYPE_ALZ", 0)                          \
	X(FT_EGG, "CL_TYPE_EGG", 0)                          \
	X(FT_XAR, "CL_TYPE_XAR", 0)                          \
	X(FT_MSCHM, "CL_TYPE_MSCHM", 0)                      \
	X(FT_MSSZDD, "CL_TYPE_MSSZDD", 0)                    \
	X(FT_DMG, "CL_TYPE_DMG", 0)                          \
	X(FT_GPT, "CL_TYPE_GPT", 0)                          \
	X(FT_MBR, "CL_TYPE_MBR", 0)                          \
	X(FT_APM, "CL_TYPE_APM", 0)                          \
	X(FT_UDF, "CL_TYPE_UDF", 0)                          \
	X(FT_MSOLE2, "CL_TYPE_MSOLE2", 2)                    \
	X(FT_PDF, "CL_TYPE_PDF", 10)                         \
	X(FT_RTF, "CL_TYPE_RTF", 0)                          \
	X(FT_HTML, "CL_TYPE_HTML", 3)                        \
	X(FT_HTML_UTF16, "CL_TYPE_HTML_UTF16", 3)            \
	X(FT_MAIL, "CL_TYPE_MAIL", 4)                        \
	X(FT_MHTML, "CL_TYPE_MHTML", 4)                      \
	X(FT_GIF, "CL_TYPE_GIF", 5)                          \
	X(FT_PNG, "CL_TYPE_PNG", 5)                          \
	X(FT_JPEG, "CL_TYPE_JPEG", 5)                        \
	X(FT_TIFF, "CL_TYPE_TIFF", 5)                        \
	X(FT_GRAPHICS, "CL_TYPE_GRAPHICS", 5)                \
	X(FT_SWF, "CL_TYPE_SWF", 11)                         \
	X(FT_TNEF, "CL_TYPE_TNEF", 0)                        \
	X(FT_SCRIPT, "CL_TYPE_SCRIPT", 7)                    \
	X(FT_TEXT_UTF8, "CL_TYPE_TEXT_UTF8", 7)              \
	X(FT_TEXT_UTF16LE, "CL_TYPE_TEXT_UTF16LE", 7)        \
	X(FT_TEXT_UTF16BE, "CL_TYPE_TEXT_UTF16BE", 7)        \
	X(FT_RIFF, "CL_TYPE_RIFF", 0)                        \
	X(FT_LNK, "CL_TYPE_LNK", 0)                          \
	X(FT_PYTHON_COMPILED, "CL_TYPE_PYTHON_COMPILED", 14) \
	X(FT_BINHEX, "CL_TYPE_BINHEX", 0)                    \
	X(FT_SCRENC, "CL_TYPE_SCRENC", 0)                    \
	X(FT_UUENCODED, "CL_TYPE_UUENCODED", 0)              \
	X(FT_HWP3, "CL_TYPE_HWP3", 0)                        \
	X(FT_ONENOTE, "CL_TYPE_ONENOTE", 0)                  \
	X(FT_IGNORED, "CL_TYPE_IGNORED", 0)                  \
	X(FT_7ZSFX, "CL_TYPE_7ZSFX", 0)                      \
	X(FT_ARJSFX, "CL_TYPE_ARJSFX", 0)                    \
	X(FT_AUTOIT, "CL_TYPE_AUTOIT", 0)                    \
	X(FT_CABSFX, "CL_TYPE_CABSFX", 0)                    \
	X(FT_CRYPTFF, "CL_TYPE_CRYPTFF", 0)                  \
	X(FT_EGGSFX, "CL_TYPE_EGGSFX", 0)                    \
	X(FT_HWP5, "CL_TYPE_HWP5", 0)                        \
	X(FT_HWPOLE2, "CL_TYPE_HWPOLE2", 0)                  \
	X(FT_INTERNAL, "CL_TYPE_INTERNAL", 13)               \
	X(FT_ISHIELD_MSI, "CL_TYPE_ISHIELD_MSI", 0)          \
	X(FT_MSPPT, "CL_TYPE_MSPPT", 2)                      \
	X(FT_MSWORD, "CL_TYPE_MSWORD", 2)                    \
	X(FT_MSXL, "CL_TYPE_MSXL", 2)                        \
	X(FT_NULSFT, "CL_TYPE_NULSFT", 0)                    \
	X(FT_OOXML_HWP, "CL_TYPE_OOXML_HWP", 0)              \
	X(FT_OOXML_PPT, "CL_TYPE_OOXML_PPT", 0)              \
	X(FT_OOXML_WORD, "CL_TYPE_OOXML_WORD", 0)            \
	X(FT_OOXML_XL, "CL_TYPE_OOXML_XL", 0)                \
	X(FT_PART_HFSPLUS, "CL_TYPE_PART_HFSPLUS", 0)        \
	X(FT_PS, "CL_TYPE_PS", 0)                            \
	X(FT_RARSFX, "CL_TYPE_RARSFX", 0)                    \
	X(FT_SIS, "CL_TYPE_SIS", 0)                          \
	X(FT_XDP, "CL_TYPE_XDP", 0)                          \
	X(FT_XML_HWP, "CL_TYPE_XML_HWP", 0)                  \
	X(FT_XML_WORD, "CL_TYPE_XML_WORD", 0)                \
	X(FT_XML_XL, "CL_TYPE_XML_XL", 0)                    \
	X(FT_ZIPSFX, "CL_TYPE_ZIPSFX", 0)

enum file_type {
#define X(e, n, t) e,
	FILETYPE_TABLE(X)
#undef X
	FILETYPES
};

/* ClamAV's target types that the code asks for. */
enum target_type {
	TARGET_ANY = 0,
	TARGET_PE = 1,
	TARGET_HTML = 3,
	TARGET_MAIL = 4,
	TARGET_ELF = 6,
	TARGET_TEXT = 7, /* normalised */
	TARGET_MACHO = 9,
};

const char *filetype_name(enum file_type t);

/* ClamAV's target type (0..14) of objects of this type. */
uint8_t filetype_target(enum file_type t);

/* The type of that name, or FILETYPES. */
enum file_type filetype_by_name(const char *name);

#endif
