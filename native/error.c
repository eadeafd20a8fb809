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
    case PHONETRUST_ERROR_TLS_ALERT:
        return "tls-alert";
    case PHONETRUST_ERROR_TLS_VERSION:
        return "tls-version";
    case PHONETRUST_ERROR_TLS_PARAMETERS:
        return "tls-parameters";
    case PHONETRUST_ERROR_TLS_CERTIFICATE:
        return "tls-certificate";
    case PHONETRUST_ERROR_TLS_KEY:
        return "tls-key";
    case PHONETRUST_ERROR_TLS_PROOF:
        return "tls-proof";
    case PHONETRUST_ERROR_TLS_SCHEME:
        return "tls-scheme";
    case PHONETRUST_ERROR_TLS_RECORD:
        return "tls-record";
    case PHONETRUST_ERROR_TLS_MESSAGE:
        return "tls-message";
    case PHONETRUST_ERROR_TLS_BYTES:
        return "tls-bytes";
    case PHONETRUST_ERROR_TLS_RECORDS:
        return "tls-records";
    case PHONETRUST_ERROR_TLS_ALERTS:
        return "tls-alerts";
    case PHONETRUST_ERROR_TLS_CLOSED:
        return "tls-closed";
    case PHONETRUST_ERROR_TLS_CUT:
        return "tls-cut";
    case PHONETRUST_ERROR_TLS_INTERNAL:
        return "tls-internal";
    case PHONETRUST_ERROR_TLS_KEY_UPDATE:
        return "tls-key-update";
    case PHONETRUST_ERROR_TLS_IDENTITY:
        return "tls-identity";
    default:
        return error >= 0 ? "ok" : "unknown";
    }
}
