/* Shape of sig/gramfreq.bin, the built-in table of how common grams are in ordinary files; written
 * by tools/gramfreq.c from the files of a Debian system, read by freq.c.
 *
 * FREQ3_SLOTS bytes, FREQ4_SLOTS bytes, FREQ8_SLOTS bytes. A byte b stands for 2^(b / 8) - 1 hits
 * in 2^32 probes.
 * Slot of a 3-byte gram: top bits of its product with GRAM_K1 (db/gram.h, "pair"); of a 4-byte
 * gram: top bits of its y; both hold the sum of all grams that share the slot.
 * Slot of an 8-byte gram: top bits of its y; the most common gram that shares it, 0 if none is more
 * common than FREQ8_FLOOR hits. */
#ifndef VITRINE_SIG_FREQ_H
#define VITRINE_SIG_FREQ_H

#define FREQ3_LOG2 16
#define FREQ4_LOG2 18
#define FREQ8_LOG2 20
#define FREQ3_SLOTS (1u << FREQ3_LOG2)
#define FREQ4_SLOTS (1u << FREQ4_LOG2)
#define FREQ8_SLOTS (1u << FREQ8_LOG2)
#define FREQ8_FLOOR 256u

#endif
