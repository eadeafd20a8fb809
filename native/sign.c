/* SPDX-License-Identifier: MIT */
/* Signatures with the phone's own key. */
#include <string.h>

#include <mbedtls/rsa.h>

#include "internal.h"

static int sign_pss(mbedtls_rsa_context *rsa, mbedtls_md_type_t type, const uint8_t *digest,
                    size_t digest_length, struct random_source *random, uint8_t *signature, size_t *written) {
    int result = mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, type);
    if (result == 0)
        result = mbedtls_rsa_rsassa_pss_sign_ext(rsa, random_bytes, random, type, (unsigned)digest_length,
                                                 digest, (int)digest_length, signature);
    *written = mbedtls_rsa_get_len(rsa);
    return result;
}

static int sign(mbedtls_pk_context *key, bool pss, mbedtls_md_type_t type, const uint8_t *digest,
                size_t digest_length, struct random_source *random, uint8_t *out, size_t capacity) {
    /* mbedTLS demands room for the longest signature that it could make. */
    uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t written = 0;
    int result =
        pss ? sign_pss(mbedtls_pk_rsa(*key), type, digest, digest_length, random, signature, &written)
            : mbedtls_pk_sign(key, type, digest, digest_length, signature, sizeof signature, &written,
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
    mbedtls_md_type_t type = digest_type(algorithm); /* mbedTLS also takes MD_NONE for a bare digest */
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
        result = sign(&key, false, type, digest, digest_length, &source, out, capacity);
    mbedtls_pk_free(&key);
    return result;
}

int phonetrust_sign_tls(const uint8_t *private_key, size_t length, int scheme, int algorithm,
                        const uint8_t *digest, size_t digest_length, phonetrust_random random, void *context,
                        uint8_t *out, size_t capacity) {
    if (scheme != PHONETRUST_RSA_PKCS1 && scheme != PHONETRUST_RSA_PSS && scheme != PHONETRUST_ECDSA)
        return PHONETRUST_ERROR_UNSUPPORTED;
    if (algorithm != PHONETRUST_SHA256 && algorithm != PHONETRUST_SHA384 && algorithm != PHONETRUST_SHA512)
        return PHONETRUST_ERROR_UNSUPPORTED;
    mbedtls_md_type_t type = digest_type(algorithm);
    if (digest_length != mbedtls_md_get_size(mbedtls_md_info_from_type(type)))
        return PHONETRUST_ERROR_ARGUMENT;
    struct random_source source = {random, context, false};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int result = key_read(private_key, length, &source, &key);
    if (result == 0 && (mbedtls_pk_get_type(&key) == MBEDTLS_PK_RSA) != (scheme != PHONETRUST_ECDSA))
        result = PHONETRUST_ERROR_KEY;
    if (result == 0)
        result =
            sign(&key, scheme == PHONETRUST_RSA_PSS, type, digest, digest_length, &source, out, capacity);
    mbedtls_pk_free(&key);
    return result;
}
