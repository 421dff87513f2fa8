/* What the compiler said, for people: on stderr, escaped. */
#ifndef VITRINE_CLI_COMPILE_TELL_H
#define VITRINE_CLI_COMPILE_TELL_H

#include "proc/broker/compile.h"

/* The first lines that were skipped, and how many more. */
void compile_tell_skipped(const struct compile_report *r);

/* Signatures by kind, what is not active, what was left out. */
void compile_tell_counts(const struct compile_report *r);

#endif
