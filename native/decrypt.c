/* SPDX-License-Identifier: MIT */
/* Decrypts configuration: unwraps its key, and decrypts the ciphertext piece by piece. */
#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>

#include "internal.h"

#define BLOCK 16
#define KEY_MAXIMUM 32

static bool is_key_length(size_t length) { return length == 16 || length == 24 || length == 32; }

/* 0xFF if `difference` is 0, else 0. It has no branch, whose time would reveal which. */
static uint8_t mask_if_zero(size_t difference) {
    size_t top = (difference | (0 - difference)) >> (sizeof difference * 8 - 1);
    return (uint8_t)(top - 1);
}

/*
 * The padding of RSAES-PKCS1-v1_5 is an oracle if its failure can be seen (Bleichenbacher 1998). So a wrong
 * padding or length does not fail. Instead the key becomes random bytes, which are drawn before and are
 * selected by a mask.
 */
static int unwrap(mbedtls_pk_context *key, const uint8_t *wrapped, size_t wrapped_length,
                  struct random_source *random, uint8_t *out, size_t key_length) {
    uint8_t found[KEY_MAXIMUM] = {0};
    uint8_t substitute[KEY_MAXIMUM];
    size_t found_length = 0;
    if (random_bytes(random, substitute, sizeof substitute) != 0)
        return PHONETRUST_ERROR_RANDOM;
    int result = mbedtls_pk_decrypt(key, wrapped, wrapped_length, found, &found_length, sizeof found,
                                    random_bytes, random);
    uint8_t keep = mask_if_zero((size_t)(unsigned)result | (found_length ^ key_length));
    for (size_t i = 0; i < key_length; i++)
        out[i] = (uint8_t)((found[i] & keep) | (substitute[i] & ~keep));
    mbedtls_platform_zeroize(found, sizeof found);
    mbedtls_platform_zeroize(substitute, sizeof substitute);
    if (random->failed)
        return PHONETRUST_ERROR_RANDOM;
    return is_no_memory(result) ? PHONETRUST_ERROR_MEMORY : 0;
}

int phonetrust_unwrap_key(const uint8_t *private_key, size_t length, const uint8_t *wrapped,
                          size_t wrapped_length, phonetrust_random random, void *context, uint8_t *out,
                          size_t key_length) {
    if (!is_key_length(key_length))
        return PHONETRUST_ERROR_ARGUMENT;
    struct random_source source = {random, context, false};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int result = key_read(private_key, length, &source, &key);
    if (result == 0 && mbedtls_pk_get_type(&key) != MBEDTLS_PK_RSA)
        result = PHONETRUST_ERROR_KEY;
    if (result == 0 && wrapped_length != mbedtls_pk_get_len(&key))
        result = PHONETRUST_ERROR_DECRYPT;
    if (result == 0)
        result = unwrap(&key, wrapped, wrapped_length, &source, out, key_length);
    mbedtls_pk_free(&key);
    return result;
}

int phonetrust_decrypt(const uint8_t *key, size_t key_length, uint8_t *iv, const uint8_t *data, size_t length,
                       uint8_t *out) {
    if (!is_key_length(key_length))
        return PHONETRUST_ERROR_ARGUMENT;
    if (length % BLOCK != 0)
        return PHONETRUST_ERROR_DECRYPT;
    mbedtls_aes_context context;
    mbedtls_aes_init(&context);
    int result = mbedtls_aes_setkey_dec(&context, key, (unsigned)key_length * 8);
    if (result == 0 && length != 0)
        result = mbedtls_aes_crypt_cbc(&context, MBEDTLS_AES_DECRYPT, length, iv, data, out);
    mbedtls_aes_free(&context);
    return result == 0 ? 0 : PHONETRUST_ERROR_ARGUMENT;
}
