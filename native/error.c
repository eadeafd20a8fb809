/* SPDX-License-Identifier: MIT */
/* The interface's number and the names of its errors. */
#include "phonetrust.h"

int phonetrust_abi(void) { return PHONETRUST_ABI; }

const char *phonetrust_error_name(int error) {
    switch (error) {
    case PHONETRUST_ERROR_ARGUMENT:
        return "argument";
    case PHONETRUST_ERROR_MALFORMED:
        return "malformed";
    case PHONETRUST_ERROR_MISMATCH:
        return "mismatch";
    case PHONETRUST_ERROR_SPACE:
        return "space";
    case PHONETRUST_ERROR_UNSUPPORTED:
        return "unsupported";
    case PHONETRUST_ERROR_SIGNATURE:
        return "signature";
    case PHONETRUST_ERROR_MEMORY:
        return "memory";
    case PHONETRUST_ERROR_DECRYPT:
        return "decrypt";
    case PHONETRUST_ERROR_KEY:
        return "key";
    case PHONETRUST_ERROR_RANDOM:
        return "random";
    default:
        return error >= 0 ? "ok" : "unknown";
    }
}
