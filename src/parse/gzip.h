/* A gzip stream in one go (libdeflate): two to three times as fast as block by block. */
#ifndef VITRINE_PARSE_GZIP_H
#define VITRINE_PARSE_GZIP_H

#include "parse/format.h"

struct libdeflate_decompressor;

/* How long the stream says its content is: a hint, hostile, but never more than the stream can
 * unfold to. 0: no idea. */
uint64_t gzip_guess(const struct rd *in);

/* The content of all members of the stream into buf, as format.whole. */
enum whole gzip_whole(struct libdeflate_decompressor *d, struct rd in, void *buf, size_t cap,
                      size_t *ret_n);

#endif
