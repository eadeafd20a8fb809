/* SPDX-License-Identifier: MIT */
/*
 * The X.509 functions that mbedTLS's TLS calls, in the place of its x509_crt.c. certificate.c reads the
 * certificate, as everywhere in this library. Only the first certificate of a chain is read and kept. Nothing
 * checks a chain, so a server cannot make the phone keep hundreds of small certificates.
 */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#include <mbedtls/x509_crt.h>

const mbedtls_x509_crt_profile mbedtls_x509_crt_profile_default = {0, 0, 0, 0};
const mbedtls_x509_crt_profile mbedtls_x509_crt_profile_suiteb = {0, 0, 0, 0};

void mbedtls_x509_crt_init(mbedtls_x509_crt *certificate) {
    memset(certificate, 0, sizeof *certificate);
    mbedtls_pk_init(&certificate->pk);
}

void mbedtls_x509_crt_free(mbedtls_x509_crt *certificate) {
    if (certificate == NULL)
        return;
    mbedtls_pk_free(&certificate->pk);
    free(certificate->raw.p);
    mbedtls_x509_crt_init(certificate);
}

int mbedtls_x509_crt_parse_der(mbedtls_x509_crt *certificate, const unsigned char *der, size_t length) {
    if (certificate->raw.p != NULL)
        return 0;
    struct certificate fields;
    if (length > PHONETRUST_TLS_CERTIFICATE_SIZE || certificate_read(der, length, &fields) != 0)
        return MBEDTLS_ERR_X509_INVALID_FORMAT;
    bool rsa = fields.key_kind == PHONETRUST_KEY_RSA && rsa_bits_supported(fields.key_bits);
    if (!rsa && fields.key_kind != PHONETRUST_KEY_EC)
        return MBEDTLS_ERR_PK_UNKNOWN_PK_ALG;
    unsigned char *at = (unsigned char *)fields.public_key.at; /* mbedTLS only reads, as in der.c */
    int result = mbedtls_pk_parse_subpubkey(&at, at + fields.public_key.length, &certificate->pk);
    if (result != 0)
        return is_no_memory(result) ? MBEDTLS_ERR_X509_ALLOC_FAILED : MBEDTLS_ERR_X509_INVALID_FORMAT;
    certificate->raw.p = malloc(length);
    if (certificate->raw.p == NULL)
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    memcpy(certificate->raw.p, der, length);
    certificate->raw.len = length;
    return 0;
}

/* Never called: no connection here verifies a chain (MBEDTLS_SSL_VERIFY_REQUIRED). */
int mbedtls_x509_crt_verify_restartable(mbedtls_x509_crt *certificate, mbedtls_x509_crt *trusted,
                                        mbedtls_x509_crl *revoked, const mbedtls_x509_crt_profile *profile,
                                        const char *name, uint32_t *flags,
                                        int (*callback)(void *, mbedtls_x509_crt *, int, uint32_t *),
                                        void *context, mbedtls_x509_crt_restart_ctx *restart) {
    (void)certificate, (void)trusted, (void)revoked, (void)profile, (void)name;
    (void)callback, (void)context, (void)restart;
    *flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

int mbedtls_x509_crt_check_key_usage(const mbedtls_x509_crt *certificate, unsigned usage) {
    (void)certificate, (void)usage;
    return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
}

int mbedtls_x509_crt_check_extended_key_usage(const mbedtls_x509_crt *certificate, const char *usage,
                                              size_t length) {
    (void)certificate, (void)usage, (void)length;
    return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
}
