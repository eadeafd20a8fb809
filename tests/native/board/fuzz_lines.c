/* SPDX-License-Identifier: MIT */
/* Any bytes as what a person types and as what a program says: no byte beyond, and nothing that steers a
 * terminal. */
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "typed.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void typed(const uint8_t *data, size_t size) {
    struct typed line;
    memset(&line, 0, sizeof line);
    for (size_t i = 0; i < size; i++) {
        uint8_t shown[TYPED_LIMIT + 4];
        int whole = typed_take(&line, data[i]);
        MUST(line.size <= TYPED_LIMIT);
        if (whole)
            typed_clear(&line);
        else if (data[i] & 1)
            MUST(typed_show(&line, shown) <= sizeof shown && line.shown == line.size);
    }
}

static void said(const uint8_t *data, size_t size) {
    uint8_t *text = malloc(size + 1);
    MUST(text != NULL);
    memcpy(text, data, size);
    size_t rest = 0;
    size_t length = text_clean(text, size, size % 2 ? &rest : NULL);
    MUST(length <= size && rest < 4 && length + rest <= size);
    for (size_t i = 0; i < length; i++) {
        MUST(text[i] == '\n' || text[i] == '\r' || (text[i] >= 0x20 && text[i] != 0x7F));
        MUST(text[i] != 0xC2 || text[i + 1] >= 0xA0);
    }
    MUST(text_clean(text, length, NULL) == length); /* what is clean stays as it is */
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] % 2)
        typed(data + 1, size - 1);
    else if (size > 0)
        said(data + 1, size - 1);
    return 0;
}
