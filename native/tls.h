/* SPDX-License-Identifier: MIT */
/* A TLS connection, as the tls*.c files share it. */
#ifndef PHONETRUST_TLS_INTERNAL_H
#define PHONETRUST_TLS_INTERNAL_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/ssl.h>

#include "internal.h"

#define RECORD_HEADER 5
/* Bytes that TLS adds to the content of a record: header, nonce, tag, type. */
#define RECORD_ADDED 64
#define OUTPUT_SIZE (MBEDTLS_SSL_OUT_CONTENT_LEN + RECORD_ADDED)

struct phonetrust_tls {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt own_certificate;
    mbedtls_pk_context own_key;
    struct random_source random;

    int state;
    int error; /* PHONETRUST_ERROR_, 0: none */
    int cause; /* mbedTLS's error */
    int limit; /* PHONETRUST_ERROR_ of a bound that was exceeded while mbedTLS was reading */
    unsigned alert;
    bool judged;   /* the connection has reached the state JUDGE */
    bool accepted; /* the caller has accepted the certificate */
    bool asked;    /* the server has asked for a client certificate */

    struct slice input; /* the bytes of this call that are not used yet */
    uint8_t header[RECORD_HEADER];
    size_t header_filled;
    size_t record_left;
    size_t handshake_bytes;
    unsigned idle_records;
    unsigned alerts;

    size_t output_start;
    size_t output_end;
    uint8_t output[OUTPUT_SIZE];
};

/* tls_bytes.c: the functions with which mbedTLS reads and writes. Their first argument is the struct
 * phonetrust_tls. */
int tls_pull(void *tls, unsigned char *out, size_t length);
int tls_push(void *tls, const unsigned char *data, size_t length);
size_t tls_room(const struct phonetrust_tls *tls);

/* tls_failure.c: end the connection because mbedTLS returned `cause`. Returns the PHONETRUST_ERROR_. */
int tls_fail(struct phonetrust_tls *tls, int cause);

/* tls_failure.c: the type of the handshake message for which mbedTLS waits, 0: none. */
unsigned tls_awaited(const struct phonetrust_tls *tls);

/* tls_global.c: start the PSA core. 0 or an error of mbedTLS. */
int tls_global_start(void);

#endif
