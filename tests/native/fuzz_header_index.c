/* SPDX-License-Identifier: MIT */
/* Any bytes as a file's header: rows inside of the header, in the order of the file. */
#include "fuzz.h"

#define ROWS 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t rows[PHONETRUST_TLV_ROW * ROWS];
    uint32_t fault[2] = {0, 0};
    int count = phonetrust_header_index(data, size, rows, ROWS, fault);
    check_rows(count, rows, ROWS, fault, size);
    MUST(count < 0 || count >= 2);
    for (int i = 1; i < count; i++)
        MUST(rows[3 * i + 1] > rows[3 * i - 2]);
    return 0;
}
