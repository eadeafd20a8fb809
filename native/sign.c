/* SPDX-License-Identifier: MIT */
/* Signatures with the phone's own key. */
#include <string.h>

#include "internal.h"

static int sign(mbedtls_pk_context *key, mbedtls_md_type_t type, const uint8_t *digest, size_t digest_length,
                struct random_source *random, uint8_t *out, size_t capacity) {
    /* mbedTLS wants room for the longest signature it could make: lend it that. */
    uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t written = 0;
    int result = mbedtls_pk_sign(key, type, digest, digest_length, signature, sizeof signature, &written,
                                 random_bytes, random);
    if (result != 0)
        return key_error(result, random);
    if (written > capacity)
        return PHONETRUST_ERROR_SPACE;
    memcpy(out, signature, written);
    return (int)written;
}

int phonetrust_sign(const uint8_t *private_key, size_t length, int algorithm, const uint8_t *digest,
                    size_t digest_length, phonetrust_random random, void *context, uint8_t *out,
                    size_t capacity) {
    mbedtls_md_type_t type = digest_type(algorithm); /* MD_NONE is also mbedTLS's word for a bare digest */
    if (algorithm == PHONETRUST_BARE_DIGEST) {
        if (digest_length == 0 || digest_length > PHONETRUST_DIGEST_SIZE)
            return PHONETRUST_ERROR_ARGUMENT;
    } else if (type == MBEDTLS_MD_NONE) {
        return PHONETRUST_ERROR_UNSUPPORTED;
    } else if (digest_length != mbedtls_md_get_size(mbedtls_md_info_from_type(type))) {
        return PHONETRUST_ERROR_ARGUMENT;
    }
    struct random_source source = {random, context, false};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int result = key_read(private_key, length, &source, &key);
    if (result == 0)
        result = sign(&key, type, digest, digest_length, &source, out, capacity);
    mbedtls_pk_free(&key);
    return result;
}
