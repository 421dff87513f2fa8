/* Deflated members of a sane zip in one go (libdeflate). */
#ifndef VITRINE_PARSE_ZIP_H
#define VITRINE_PARSE_ZIP_H

#include "parse/format.h"

struct libdeflate_decompressor;
struct zip_dir;

/* Reads the central directory. NULL if anything about it is unusual, or there is no memory: then
 * every member is for libarchive. `in` stays valid until zip_dir_free(). */
struct zip_dir *zip_dir_new(struct rd in);
void zip_dir_free(struct zip_dir *z);

/* The central directory, if the end of the file says where it is, and nothing about that is
 * unusual. */
bool zip_find_central(const struct rd *in, struct rd *ret);

/* FT_ZIP, or the kind of package that names in it tell (FT_OOXML_…), as clamscan 1.4.6 decides. */
enum file_type zip_kind(struct rd in);

/* Whether the member that libarchive gives as number `ordinal` (from 0), of this name and size, is
 * one that zip_whole() may unfold. */
bool zip_has_whole(const struct zip_dir *z, uint64_t ordinal, const char *name, uint64_t size);

/* What the directory says of the member that libarchive gives as number `ordinal`, of this name and
 * size; false if it is another. `z` may be NULL. */
bool zip_facts(const struct zip_dir *z, uint64_t ordinal, const char *name, uint64_t size,
               uint64_t *ret_stored, uint32_t *ret_crc);

/* The content of that member into buf, as format.whole. */
enum whole zip_whole(const struct zip_dir *z, struct libdeflate_decompressor *d, uint64_t ordinal,
                     void *buf, size_t cap, size_t *ret_n);

#endif
