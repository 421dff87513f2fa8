/* A fast 64-bit checksum against accidental damage (not against forgery: releases are proven by
 * SHA-256 and signatures elsewhere). Same value on every machine. */
#ifndef VITRINE_BASE_SUM64_H
#define VITRINE_BASE_SUM64_H

#include <stddef.h>
#include <stdint.h>

uint64_t sum64(const void *data, size_t len);

#endif
