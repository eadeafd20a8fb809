/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <string.h>

/* How many bytes a character has that begins with this byte; 0 if no character does. */
static size_t needed(uint8_t first) {
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

static int steers(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/* Whether the `count` bytes at `text` are one character of UTF-8 that does not control a terminal. */
static int fit(const uint8_t *text, size_t count) {
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = text[0];
    if (count > 1) {
        code = text[0] & (0x7Fu >> count);
        for (size_t index = 1; index < count; index++) {
            if ((text[index] & 0xC0) != 0x80) {
                return 0;
            }
            code = code << 6 | (text[index] & 0x3Fu);
        }
    }
    return code >= lowest[count] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF) && !steers(code);
}

size_t text_clean(uint8_t *text, size_t length, size_t *rest) {
    size_t kept = 0;
    size_t at = 0;
    if (rest != NULL) {
        *rest = 0;
    }
    while (at < length) {
        size_t count = needed(text[at]);
        if (rest != NULL && count > length - at) {
            *rest = length - at;
            memmove(text + kept, text + at, *rest);
            break;
        }
        if (text[at] == '\n' || text[at] == '\t') {
            text[kept++] = text[at++] == '\n' ? '\n' : ' ';
        } else if (count > 0 && count <= length - at && fit(text + at, count)) {
            memmove(text + kept, text + at, count);
            kept += count;
            at += count;
        } else {
            text[kept++] = '?';
            at++;
            while (count > 1 && at < length &&
                   (text[at] & 0xC0) == 0x80) { /* skip the rest of that character */
                at++;
                count--;
            }
        }
    }
    return kept;
}
