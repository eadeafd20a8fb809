/* SPDX-License-Identifier: MIT */
/* Turns mbedTLS's error, and the state in which it came up, into one of the errors of phonetrust_tls.h. */
#include "tls.h"

#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509.h>

#define SERVER_HELLO 2
#define ENCRYPTED_EXTENSIONS 8
#define CERTIFICATE 11
#define SERVER_KEY_EXCHANGE 12
#define CERTIFICATE_REQUEST 13
#define SERVER_HELLO_DONE 14
#define CERTIFICATE_VERIFY 15
#define FINISHED 20
#define KEY_UPDATE 24

unsigned tls_awaited(const struct phonetrust_tls *tls) {
    switch ((mbedtls_ssl_states)tls->ssl.state) {
    case MBEDTLS_SSL_SERVER_HELLO:
        return SERVER_HELLO;
    case MBEDTLS_SSL_ENCRYPTED_EXTENSIONS:
        return ENCRYPTED_EXTENSIONS;
    case MBEDTLS_SSL_CERTIFICATE_REQUEST: /* optional, in TLS 1.2 and 1.3 */
        return CERTIFICATE_REQUEST;
    case MBEDTLS_SSL_SERVER_CERTIFICATE:
        return CERTIFICATE;
    case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        return SERVER_KEY_EXCHANGE;
    case MBEDTLS_SSL_SERVER_HELLO_DONE:
        return SERVER_HELLO_DONE;
    case MBEDTLS_SSL_CERTIFICATE_VERIFY: /* in TLS 1.2 the client sends this, and never waits in it */
        return CERTIFICATE_VERIFY;
    case MBEDTLS_SSL_SERVER_CHANGE_CIPHER_SPEC:
    case MBEDTLS_SSL_SERVER_FINISHED:
        return FINISHED;
    default:
        return 0;
    }
}

static bool no_memory(int cause) {
    int failed = cause + (-cause & 0x7F);
    return is_no_memory(cause) || failed == MBEDTLS_ERR_SSL_ALLOC_FAILED ||
           failed == MBEDTLS_ERR_X509_ALLOC_FAILED || failed == MBEDTLS_ERR_MD_ALLOC_FAILED ||
           failed == MBEDTLS_ERR_CIPHER_ALLOC_FAILED;
}

/* Whether the server has sent KeyUpdate, which mbedTLS does not know, on an open connection of TLS 1.3. */
static bool is_key_update(const mbedtls_ssl_context *ssl, int cause) {
    return cause == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER &&
           ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3 && ssl->in_msgtype == MBEDTLS_SSL_MSG_HANDSHAKE &&
           ssl->in_msglen > 0 && ssl->in_msg[0] == KEY_UPDATE;
}

/* The error for a cause that means the same in every state; 0 for other causes. */
static int plain_error(const struct phonetrust_tls *tls, int cause) {
    switch (cause) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        /* mbedTLS also says so of a server without a certificate. */
        return tls->ssl.in_msgtype == MBEDTLS_SSL_MSG_ALERT ? PHONETRUST_ERROR_TLS_ALERT
                                                            : PHONETRUST_ERROR_TLS_CERTIFICATE;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return PHONETRUST_ERROR_TLS_CLOSED;
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return PHONETRUST_ERROR_TLS_VERSION;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_UNEXPECTED_RECORD:
        return PHONETRUST_ERROR_TLS_RECORD;
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
        return PHONETRUST_ERROR_TLS_KEY;
    case MBEDTLS_ERR_X509_INVALID_FORMAT:
        return PHONETRUST_ERROR_TLS_CERTIFICATE;
    case MBEDTLS_ERR_SSL_INTERNAL_ERROR:
        return PHONETRUST_ERROR_TLS_INTERNAL;
    default:
        return 0;
    }
}

static bool is_wrong_signature(int cause) {
    return cause == MBEDTLS_ERR_RSA_VERIFY_FAILED || cause == MBEDTLS_ERR_RSA_INVALID_PADDING ||
           cause == MBEDTLS_ERR_ECP_VERIFY_FAILED || cause == MBEDTLS_ERR_PK_SIG_LEN_MISMATCH;
}

/* The error for a cause that came up while the message `awaited` was due. */
static int error_at(unsigned awaited, int cause) {
    /* BAD_INPUT_DATA: a message that does not fit into mbedTLS's buffer. */
    if (cause == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE || cause == MBEDTLS_ERR_SSL_DECODE_ERROR ||
        cause == MBEDTLS_ERR_SSL_BAD_INPUT_DATA)
        return PHONETRUST_ERROR_TLS_MESSAGE;
    switch (awaited) {
    case SERVER_HELLO:
    case ENCRYPTED_EXTENSIONS:
        return PHONETRUST_ERROR_TLS_PARAMETERS;
    case CERTIFICATE: /* mbedTLS checks a ServerHello of TLS 1.2 when it waits for this already */
        return cause == MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER || cause == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
                   ? PHONETRUST_ERROR_TLS_PARAMETERS
                   : PHONETRUST_ERROR_TLS_CERTIFICATE;
    case SERVER_KEY_EXCHANGE:
        if (cause == MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER || cause == MBEDTLS_ERR_SSL_PK_TYPE_MISMATCH)
            return PHONETRUST_ERROR_TLS_SCHEME;
        return PHONETRUST_ERROR_TLS_PROOF; /* a signature that is not DER has many causes */
    case CERTIFICATE_VERIFY:
    case FINISHED:
        return PHONETRUST_ERROR_TLS_PROOF;
    default:
        return is_wrong_signature(cause) ? PHONETRUST_ERROR_TLS_PROOF : PHONETRUST_ERROR_TLS_MESSAGE;
    }
}

int tls_fail(struct phonetrust_tls *tls, int cause) {
    int error = tls->limit;
    if (error == 0 && tls->random.failed)
        error = PHONETRUST_ERROR_RANDOM;
    if (error == 0 && no_memory(cause))
        error = PHONETRUST_ERROR_MEMORY;
    if (error == 0 && is_key_update(&tls->ssl, cause))
        error = PHONETRUST_ERROR_TLS_KEY_UPDATE;
    if (error == 0 && tls->ssl.state == MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY &&
        cause == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE)
        error = PHONETRUST_ERROR_TLS_IDENTITY;
    if (error == 0)
        error = plain_error(tls, cause);
    if (error == 0)
        error = error_at(tls_awaited(tls), cause);
    if (error == PHONETRUST_ERROR_TLS_ALERT)
        tls->alert = tls->ssl.in_msg[1];
    tls->state = PHONETRUST_TLS_FAILED;
    tls->error = error;
    tls->cause = -cause;
    return error;
}
