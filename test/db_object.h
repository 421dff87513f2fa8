/* The object that small databases of the tests are tried on. */
#ifndef VITRINE_TEST_DB_OBJECT_H
#define VITRINE_TEST_DB_OBJECT_H

#include "verify/facts.h"

/* What the databases of test/unit/test_db.c and of the corpus test/corpus/db look for, and near
 * misses. */
static const char OBJECT[] =
    "at the start.. a long literal text to find, eleven bytes seven.. five! abcdxAJK abcexBJK "
    "abcfxAJK abcgxAJK abchxAJK gap one123gap two gap three nibble1x212345 alternativetwobehind "
    "negative!XYinside logic one logic two COUNT ONE count one count one c\0o\0u\0n\0t\0 \0t\0w\0"
    "o\0 (fullword) other some entry point section one last section inside section at the end....";

static const struct exe_layout exe = {
    .valid = true, .has_ep = true, .ep = 300, .nsections = 3,
    .sections = {{.off = 0, .size = 400}, {.off = 340, .size = 20}, {.off = 350, .size = 1 << 20}},
};

static const struct object_facts exe_facts = {.file_size = sizeof OBJECT - 1, .exe = &exe};
static const struct object_facts no_facts = {.file_size = sizeof OBJECT - 1};

#endif
