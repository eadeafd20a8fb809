/* SPDX-License-Identifier: MIT */
/* Reads an element of DER by mbedTLS's ASN.1 reader. That accepts lengths of BER; this file accepts only the
 * shortest form. */
#include <mbedtls/asn1.h>

#include "internal.h"

static size_t length_size(size_t length) {
    if (length < 0x80)
        return 1;
    size_t size = 2;
    for (; length > 0xFF; length >>= 8)
        size++;
    return size;
}

static int read_length(const uint8_t **at, const uint8_t *end, size_t *length) {
    unsigned char *position =
        (unsigned char *)*at; /* mbedTLS only reads, although its prototype has no const */
    const uint8_t *start = position;
    if (mbedtls_asn1_get_len(&position, end, length) != 0)
        return PHONETRUST_ERROR_MALFORMED;
    if ((size_t)(position - start) != length_size(*length))
        return PHONETRUST_ERROR_MALFORMED;
    *at = position;
    return 0;
}

int der_any(const uint8_t **at, const uint8_t *end, uint8_t *tag, size_t *length) {
    if (*at >= end)
        return PHONETRUST_ERROR_MALFORMED;
    *tag = *(*at)++;
    return read_length(at, end, length);
}

int der_enter(const uint8_t **at, const uint8_t *end, int tag, size_t *length) {
    uint8_t found;
    int result = der_any(at, end, &found, length);
    return result == 0 && found != tag ? PHONETRUST_ERROR_MALFORMED : result;
}
