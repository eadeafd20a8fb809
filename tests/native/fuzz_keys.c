/* SPDX-License-Identifier: MIT */
/* Any bytes as a private key, a wrapped key, a ciphertext, a signature, and data with a cut. The first byte
 * says which. */
#include <string.h>

#include "fuzz.h"

#include "fuzz_private_key.h"

static int zeros(void *context, unsigned char *out, size_t length) {
    (void)context;
    memset(out, 1, length); /* the same each time, and no zero: padding wants other bytes */
    return 0;
}

static void private_key(const uint8_t *data, size_t size) {
    uint8_t out[PHONETRUST_PUBLIC_KEY_SIZE];
    uint8_t signature[PHONETRUST_SIGNATURE_SIZE];
    static const uint8_t digest[32] = {1};
    int result = phonetrust_public_key(data, size, out, sizeof out);
    MUST(result < 0 || (result > 0 && (size_t)result <= sizeof out));
    if (result < 0)
        return;
    result = phonetrust_sign(data, size, PHONETRUST_SHA256, digest, sizeof digest, zeros, NULL, signature,
                             sizeof signature);
    MUST(result < 0 || (result > 0 && (size_t)result <= sizeof signature));
    for (int scheme = PHONETRUST_RSA_PKCS1; scheme <= PHONETRUST_ECDSA; scheme++) {
        result = phonetrust_sign_tls(data, size, scheme, PHONETRUST_SHA256, digest, sizeof digest, zeros,
                                     NULL, signature, sizeof signature);
        MUST(result < 0 || (result > 0 && (size_t)result <= sizeof signature));
    }
}

static void wrapped_key(const uint8_t *data, size_t size) {
    uint8_t key[32];
    int result = phonetrust_unwrap_key(fuzz_private_key, sizeof fuzz_private_key, data, size, zeros, NULL,
                                       key, sizeof key);
    MUST(result == 0 || result == PHONETRUST_ERROR_DECRYPT);
    MUST((result == 0) == (size == 256));
}

static void ciphertext(const uint8_t *data, size_t size) {
    uint8_t iv[16] = {0};
    uint8_t *out = malloc(size + 1);
    MUST(out != NULL);
    size_t key_length = size % 40;
    static const uint8_t key[40];
    int result = phonetrust_decrypt(key, key_length, iv, data, size, out);
    int fits = key_length == 16 || key_length == 24 || key_length == 32;
    MUST(result == 0 ? fits && size % 16 == 0 : !fits || size % 16 != 0);
    free(out);
}

static void signature(const uint8_t *data, size_t size) {
    static const uint8_t digest[32] = {1};
    size_t half = size < 2 ? 0 : (size_t)(data[0] << 8 | data[1]) % (size + 1);
    MUST(phonetrust_verify(data, half, PHONETRUST_SHA256, digest, sizeof digest, data + half, size - half) <
         0);
}

static void digest(const uint8_t *data, size_t size) {
    uint8_t whole[PHONETRUST_DIGEST_SIZE];
    uint8_t pieces[PHONETRUST_DIGEST_SIZE];
    size_t at = size < 4 ? 0 : (size_t)(data[0] << 8 | data[1]);
    size_t cut = size < 4 ? 0 : (size_t)(data[2] << 8 | data[3]);
    int result = phonetrust_digest(PHONETRUST_SHA512, data, size, at, cut, whole, sizeof whole);
    MUST(result == (at <= size && cut <= size - at ? 64 : PHONETRUST_ERROR_ARGUMENT));
    if (result < 0)
        return;
    struct phonetrust_digest *running = phonetrust_digest_new(PHONETRUST_SHA512);
    MUST(running != NULL);
    MUST(phonetrust_digest_update(running, data, at) == 0);
    MUST(phonetrust_digest_update(running, data + at + cut, size - at - cut) == 0);
    MUST(phonetrust_digest_final(running, pieces, sizeof pieces) == 64);
    MUST(memcmp(whole, pieces, sizeof whole) == 0);
    phonetrust_digest_free(running);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const ways[])(const uint8_t *, size_t) = {private_key, wrapped_key, ciphertext, signature,
                                                            digest};
    if (size > 0)
        ways[data[0] % (sizeof ways / sizeof ways[0])](data + 1, size - 1);
    return 0;
}
