/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: libFuzzer's entry, and a check that stays in optimised builds. */
#ifndef PHONETRUST_FUZZ_H
#define PHONETRUST_FUZZ_H

#include <stdlib.h>

#include "phonetrust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

/* Offset and length lie inside of `size` bytes. */
static inline int inside(const uint32_t *slice, size_t size) {
    return slice[0] <= size && slice[1] <= size - slice[0];
}

/* Checks that hold for every answer of an index function. */
static inline void check_rows(int result, const uint32_t *rows, size_t capacity, const uint32_t *fault,
                              size_t size) {
    if (result == PHONETRUST_ERROR_MALFORMED)
        MUST(fault[0] < 256 && (fault[1] < size || size == 0));
    else
        MUST(result >= 0 || result == PHONETRUST_ERROR_SPACE);
    MUST(result < 0 || (size_t)result <= capacity);
    for (int i = 0; i < result; i++)
        MUST(rows[3 * i] < 256 && inside(rows + 3 * i + 1, size));
}

#endif
