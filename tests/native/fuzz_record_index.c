/* SPDX-License-Identifier: MIT */
/* Any bytes as records: TLVs side by side, without a gap, to the end. */
#include "fuzz.h"

#define ROWS 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t rows[PHONETRUST_TLV_ROW * ROWS];
    uint32_t fault[2] = {0, 0};
    int count = phonetrust_record_index(data, size, 0, rows, ROWS, fault);
    check_rows(count, rows, ROWS, fault, size);
    size_t offset = 0;
    for (int i = 0; i < count; i++) {
        MUST(rows[3 * i + 1] == offset + 3);
        offset = rows[3 * i + 1] + rows[3 * i + 2];
    }
    MUST(count < 0 || offset == size);
    return 0;
}
