/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "exchange.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_write(const unsigned char *data, size_t length, char *out) {
    char *at = out;
    for (size_t i = 0; i < length; i += 3) {
        unsigned second = i + 1 < length ? data[i + 1] : 0;
        unsigned third = i + 2 < length ? data[i + 2] : 0;
        unsigned bits = (unsigned)data[i] << 16 | second << 8 | third;
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = i + 1 < length ? letters[bits >> 6 & 63] : '=';
        *at++ = i + 2 < length ? letters[bits & 63] : '=';
    }
    return (size_t)(at - out);
}

/* The bits of four letters, of which the last `missing` are '='. -1: other letters, or unused bits are not
 * 0. */
static long read_group(const char *text, size_t missing) {
    long bits = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *letter = i < 4 - missing ? memchr(letters, text[i], 64) : letters;
        if (letter == NULL)
            return -1;
        bits = bits << 6 | (letter - letters);
    }
    return bits & ((1L << 8 * missing) - 1) ? -1 : bits;
}

long base64_read(const char *text, unsigned char *out, size_t capacity) {
    size_t length = strlen(text);
    size_t have = 0;
    if (length % 4 != 0)
        return -1;
    for (size_t i = 0; i < length; i += 4) {
        size_t missing = i + 4 < length || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        long bits = read_group(text + i, missing);
        if (bits < 0 || capacity - have < 3 - missing)
            return -1;
        for (size_t j = 0; j < 3 - missing; j++)
            out[have++] = (unsigned char)(bits >> (16 - 8 * j));
    }
    return (long)have;
}
