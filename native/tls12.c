/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS's client of TLS 1.2, with one check relaxed. Every client of TLS 1.3 offers RSA-PSS, and mbedTLS
 * can verify it in TLS 1.2, but refuses it there if a server chooses it. RFC 8446, 4.2.3, demands that it is
 * accepted. OpenSSL servers with TLS 1.2 that follow their own order (Python's ssl; nginx and Apache if
 * configured so) choose it, whatever the client's order is.
 */
#include "tls.h"

#include <ssl_misc.h>

static int is_supported(const mbedtls_ssl_context *ssl, uint16_t scheme) {
    return mbedtls_ssl_sig_alg_is_supported(ssl, scheme) ||
           scheme == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256 ||
           scheme == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384 ||
           scheme == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512;
}

#define mbedtls_ssl_sig_alg_is_supported is_supported

#include <ssl_tls12_client.c>
