/* SPDX-License-Identifier: MIT */
/* Digests over slices of a buffer, and running ones. */
#include <stdlib.h>

#include "internal.h"

struct running {
    mbedtls_md_context_t context;
    bool finished;
};

mbedtls_md_type_t digest_type(int algorithm) {
    switch (algorithm) {
    case PHONETRUST_SHA1:
        return MBEDTLS_MD_SHA1;
    case PHONETRUST_SHA256:
        return MBEDTLS_MD_SHA256;
    case PHONETRUST_SHA512:
        return MBEDTLS_MD_SHA512;
    case PHONETRUST_SHA384:
        return MBEDTLS_MD_SHA384;
    default:
        return MBEDTLS_MD_NONE;
    }
}

void *phonetrust_digest_new(int algorithm) {
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest_type(algorithm));
    struct running *running = info == NULL ? NULL : malloc(sizeof *running);
    if (running == NULL)
        return NULL;
    running->finished = false;
    mbedtls_md_init(&running->context);
    if (mbedtls_md_setup(&running->context, info, 0) != 0 || mbedtls_md_starts(&running->context) != 0) {
        phonetrust_digest_free(running);
        return NULL;
    }
    return running;
}

int phonetrust_digest_update(void *digest, const uint8_t *data, size_t length) {
    struct running *running = digest;
    if (running == NULL || running->finished)
        return PHONETRUST_ERROR_ARGUMENT;
    return mbedtls_md_update(&running->context, data, length) == 0 ? 0 : PHONETRUST_ERROR_MEMORY;
}

int phonetrust_digest_final(void *digest, uint8_t *out, size_t capacity) {
    struct running *running = digest;
    if (running == NULL || running->finished)
        return PHONETRUST_ERROR_ARGUMENT;
    int size = mbedtls_md_get_size(mbedtls_md_info_from_ctx(&running->context));
    if (capacity < (size_t)size)
        return PHONETRUST_ERROR_SPACE;
    running->finished = true;
    return mbedtls_md_finish(&running->context, out) == 0 ? size : PHONETRUST_ERROR_MEMORY;
}

void phonetrust_digest_free(void *digest) {
    struct running *running = digest;
    if (running == NULL)
        return;
    mbedtls_md_free(&running->context);
    free(running);
}

/* Add data[offset .. offset + length); data may be NULL where length is 0. */
static int feed(struct running *running, const uint8_t *data, size_t offset, size_t length) {
    return length == 0 ? 0 : phonetrust_digest_update(running, data + offset, length);
}

static int finish(struct running *running, int result, uint8_t *out, size_t capacity) {
    if (result == 0)
        result = phonetrust_digest_final(running, out, capacity);
    phonetrust_digest_free(running);
    return result;
}

static int not_started(int algorithm) {
    return digest_type(algorithm) == MBEDTLS_MD_NONE ? PHONETRUST_ERROR_UNSUPPORTED : PHONETRUST_ERROR_MEMORY;
}

int phonetrust_digest(int algorithm, const uint8_t *data, size_t length, size_t cut_offset, size_t cut_length,
                      uint8_t *out, size_t capacity) {
    if (cut_offset > length || cut_length > length - cut_offset)
        return PHONETRUST_ERROR_ARGUMENT;
    struct running *running = phonetrust_digest_new(algorithm);
    if (running == NULL)
        return not_started(algorithm);
    size_t resume = cut_offset + cut_length;
    int result = feed(running, data, 0, cut_offset);
    if (result == 0)
        result = feed(running, data, resume, length - resume);
    return finish(running, result, out, capacity);
}

int phonetrust_digest_slices(int algorithm, const uint8_t *data, size_t length, const uint32_t *slices,
                             size_t count, uint8_t *out, size_t capacity) {
    for (size_t i = 0; i < count; i++)
        if (slices[2 * i] > length || slices[2 * i + 1] > length - slices[2 * i])
            return PHONETRUST_ERROR_ARGUMENT;
    struct running *running = phonetrust_digest_new(algorithm);
    if (running == NULL)
        return not_started(algorithm);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = feed(running, data, slices[2 * i], slices[2 * i + 1]);
    return finish(running, result, out, capacity);
}
