/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS's client of TLS 1.2, with one check made wider. In TLS 1.2 it can verify RSA-PSS, which every
 * client of TLS 1.3 offers, and refuses it all the same when a server chooses it. RFC 8446, 4.2.3, wants it
 * accepted, and OpenSSL servers that end at TLS 1.2 and go by their own order (Python's ssl; nginx and Apache
 * where told so) choose it whatever the client's order is.
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
