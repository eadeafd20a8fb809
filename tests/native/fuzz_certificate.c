/* SPDX-License-Identifier: MIT */
/* Any bytes as a certificate: fields inside of it, and a key that can be tried whatever it is. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t fields[PHONETRUST_CERTIFICATE_FIELDS];
    static const uint8_t digest[20];
    static const uint8_t signature[256] = {1};
    int result = phonetrust_certificate(data, size, fields, PHONETRUST_CERTIFICATE_FIELDS);
    MUST(result == PHONETRUST_CERTIFICATE_FIELDS || result == PHONETRUST_ERROR_MALFORMED);
    if (result < 0)
        return 0;
    for (int i = 0; i < PHONETRUST_CERTIFICATE_KEY_KIND; i += 2)
        MUST(inside(fields + i, size));
    MUST(fields[PHONETRUST_CERTIFICATE_SERIAL + 1] >= 1);
    MUST(fields[PHONETRUST_CERTIFICATE_KEY_KIND] <= PHONETRUST_KEY_EC);
    result =
        phonetrust_verify(data, size, PHONETRUST_SHA1, digest, sizeof digest, signature, sizeof signature);
    MUST(result == PHONETRUST_ERROR_SIGNATURE || result == PHONETRUST_ERROR_MALFORMED ||
         result == PHONETRUST_ERROR_UNSUPPORTED);
    return 0;
}
