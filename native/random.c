/* SPDX-License-Identifier: MIT */
/* Gets random bytes from the caller or the kernel. */
#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include <mbedtls/entropy.h>

#include "internal.h"

static int from_kernel(unsigned char *out, size_t length) {
    while (length > 0) {
        ssize_t count = getrandom(out, length, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return -1;
        out += count;
        length -= (size_t)count;
    }
    return 0;
}

int random_bytes(void *source, unsigned char *out, size_t length) {
    struct random_source *random = source;
    int result =
        random->function != NULL ? random->function(random->context, out, length) : from_kernel(out, length);
    if (result == 0)
        return 0;
    random->failed = true;
    return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}
