/* SPDX-License-Identifier: MIT */
/* The digest of a buffer without a part of it, and running digests. */
#include <stdlib.h>

#include "internal.h"

struct phonetrust_digest {
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

struct phonetrust_digest *phonetrust_digest_new(int algorithm) {
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest_type(algorithm));
    struct phonetrust_digest *running = info == NULL ? NULL : malloc(sizeof *running);
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

int phonetrust_digest_update(struct phonetrust_digest *running, const uint8_t *data, size_t length) {
    if (running == NULL || running->finished)
        return PHONETRUST_ERROR_ARGUMENT;
    return mbedtls_md_update(&running->context, data, length) == 0 ? 0 : PHONETRUST_ERROR_MEMORY;
}

int phonetrust_digest_final(struct phonetrust_digest *running, uint8_t *out, size_t capacity) {
    if (running == NULL || running->finished)
        return PHONETRUST_ERROR_ARGUMENT;
    int size = mbedtls_md_get_size(mbedtls_md_info_from_ctx(&running->context));
    if (capacity < (size_t)size)
        return PHONETRUST_ERROR_SPACE;
    running->finished = true;
    return mbedtls_md_finish(&running->context, out) == 0 ? size : PHONETRUST_ERROR_MEMORY;
}

void phonetrust_digest_free(struct phonetrust_digest *running) {
    if (running == NULL)
        return;
    mbedtls_md_free(&running->context);
    free(running);
}

/* Add data[offset .. offset + length). `data` may be NULL if the length is 0. */
static int feed(struct phonetrust_digest *running, const uint8_t *data, size_t offset, size_t length) {
    return length == 0 ? 0 : phonetrust_digest_update(running, data + offset, length);
}

static int finish(struct phonetrust_digest *running, int result, uint8_t *out, size_t capacity) {
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
    struct phonetrust_digest *running = phonetrust_digest_new(algorithm);
    if (running == NULL)
        return not_started(algorithm);
    size_t resume = cut_offset + cut_length;
    int result = feed(running, data, 0, cut_offset);
    if (result == 0)
        result = feed(running, data, resume, length - resume);
    return finish(running, result, out, capacity);
}
