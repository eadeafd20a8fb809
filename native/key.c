/* SPDX-License-Identifier: MIT */
/* Makes and reads the phone's own key, and writes its public half. */
#include <string.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>

#include "internal.h"

#define EXPONENT 65537

bool rsa_bits_supported(size_t bits) { return bits >= 512 && bits <= 4096; }

/* Many functions of mbedTLS add a number below 128, the cause, to a larger number for the step that failed.
 */
bool is_no_memory(int mbedtls_error) {
    int cause = -mbedtls_error & 0x7F;
    int failed = mbedtls_error + cause;
    return cause == -MBEDTLS_ERR_MPI_ALLOC_FAILED || failed == MBEDTLS_ERR_PK_ALLOC_FAILED ||
           failed == MBEDTLS_ERR_ECP_ALLOC_FAILED;
}

int key_error(int mbedtls_error, const struct random_source *random) {
    if (random->failed)
        return PHONETRUST_ERROR_RANDOM;
    if (is_no_memory(mbedtls_error))
        return PHONETRUST_ERROR_MEMORY;
    return mbedtls_error == MBEDTLS_ERR_ASN1_BUF_TOO_SMALL ? PHONETRUST_ERROR_SPACE : PHONETRUST_ERROR_KEY;
}

int key_read(const uint8_t *der, size_t length, struct random_source *random, mbedtls_pk_context *key) {
    int result = mbedtls_pk_parse_key(key, der, length, NULL, 0, random_bytes, random);
    if (result == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE || result == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE)
        return PHONETRUST_ERROR_UNSUPPORTED;
    if (result != 0)
        return key_error(result, random);
    if (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA && !rsa_bits_supported(mbedtls_pk_get_bitlen(key)))
        return PHONETRUST_ERROR_UNSUPPORTED;
    return 0;
}

static mbedtls_ecp_group_id curve(int bits) {
    switch (bits) {
    case 256:
        return MBEDTLS_ECP_DP_SECP256R1;
    case 384:
        return MBEDTLS_ECP_DP_SECP384R1;
    case 521:
        return MBEDTLS_ECP_DP_SECP521R1;
    default:
        return MBEDTLS_ECP_DP_NONE;
    }
}

static int make(mbedtls_pk_context *key, int kind, int bits, struct random_source *random) {
    bool rsa = kind == PHONETRUST_KEY_RSA && bits >= 1024 && bits <= 4096 && bits % 64 == 0;
    bool ec = kind == PHONETRUST_KEY_EC && curve(bits) != MBEDTLS_ECP_DP_NONE;
    if (!rsa && !ec)
        return PHONETRUST_ERROR_UNSUPPORTED;
    int result = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));
    if (result == 0)
        result =
            rsa ? mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), random_bytes, random, (unsigned)bits, EXPONENT)
                : mbedtls_ecp_gen_key(curve(bits), mbedtls_pk_ec(*key), random_bytes, random);
    return result == 0 ? 0 : key_error(result, random);
}

/* Move the DER, which mbedTLS writes at the end of the buffer, to its start. */
static int move_to_start(int written, uint8_t *out, size_t capacity, const struct random_source *random) {
    if (written < 0)
        return key_error(written, random);
    memmove(out, out + capacity - written, (size_t)written);
    return written;
}

int phonetrust_make_key(int kind, int bits, phonetrust_random random, void *context, uint8_t *out,
                        size_t capacity) {
    struct random_source source = {random, context, false};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int result = make(&key, kind, bits, &source);
    if (result == 0)
        result = move_to_start(mbedtls_pk_write_key_der(&key, out, capacity), out, capacity, &source);
    mbedtls_pk_free(&key);
    return result;
}

int phonetrust_public_key(const uint8_t *private_key, size_t length, uint8_t *out, size_t capacity) {
    struct random_source source = {NULL, NULL, false};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int result = key_read(private_key, length, &source, &key);
    if (result == 0)
        result = move_to_start(mbedtls_pk_write_pubkey_der(&key, out, capacity), out, capacity, &source);
    mbedtls_pk_free(&key);
    return result;
}
