/* SPDX-License-Identifier: MIT */
/* Any bytes as records, read whole: what passes here passes the index, and all offsets lie in their record.
 */
#include "fuzz.h"

#define RECORDS 40
#define ROWS 2000

static void check_row(const uint32_t *row, size_t size) {
    static const int slices[] = {PHONETRUST_RECORD_CERTIFICATE, PHONETRUST_RECORD_ISSUER,
                                 PHONETRUST_RECORD_SERIAL, PHONETRUST_RECORD_SUBJECT, PHONETRUST_RECORD_KEY};
    MUST(inside(row, size));
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        const uint32_t *slice = row + slices[i];
        if (row[PHONETRUST_RECORD_CERTIFICATE + 1] == 0)
            MUST(slice[0] == 0 && slice[1] == 0);
        else
            MUST(slice[0] >= row[0] && slice[0] + slice[1] <= row[0] + row[1]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t rows[PHONETRUST_RECORD_ROW * RECORDS];
    static uint32_t index[PHONETRUST_TLV_ROW * ROWS];
    uint32_t fault[2] = {0, 0};
    int count = phonetrust_check_records(data, size, 0, rows, RECORDS, fault);
    MUST(count >= 0 || count == PHONETRUST_ERROR_MALFORMED || count == PHONETRUST_ERROR_MISMATCH ||
         count == PHONETRUST_ERROR_SPACE);
    MUST(count >= 0 || count == PHONETRUST_ERROR_SPACE || (fault[0] < 256 && fault[1] < size));
    for (int i = 0; i < count; i++)
        check_row(rows + PHONETRUST_RECORD_ROW * i, size);
    int indexed = phonetrust_record_index(data, size, 0, index, ROWS, fault);
    MUST(count < 0 || indexed >= count || indexed == PHONETRUST_ERROR_SPACE);
    return 0;
}
