/* SPDX-License-Identifier: MIT */
/* Makes and frees a TLS connection, sets its identity, and tells its facts. */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/ssl_ciphersuites.h>

/* AES-128 comes before AES-256, because it is faster on a phone without AES instructions. ChaCha20 is even
 * faster there, and a server may prefer it. */
#define SUITES                                                                                               \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,                              \
        MBEDTLS_TLS1_3_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                  \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                                       \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,                                                 \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384

static const int suites[] = {SUITES, 0};
static const int suites_with_static_rsa[] = {SUITES, MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
                                             MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, 0};

static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

/* PKCS #1 comes before PSS, for servers with TLS 1.2 that follow the client's order; tls12.c handles the
 * others. In TLS 1.3 a server cannot choose PKCS #1 for its proof. */
static const uint16_t schemes[] = {
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,       MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384, MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE};

static int configure(struct phonetrust_tls *tls, int flags) {
    mbedtls_ssl_config *config = &tls->config;
    int result = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    if (result != 0)
        return result;
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(config, random_bytes, &tls->random);
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_ciphersuites(config,
                                  flags & PHONETRUST_TLS_STATIC_RSA ? suites_with_static_rsa : suites);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, schemes);
    result = mbedtls_ssl_setup(&tls->ssl, config);
    if (result == 0)
        result = mbedtls_ssl_set_hostname(&tls->ssl, NULL);
    mbedtls_ssl_set_bio(&tls->ssl, tls, tls_push, tls_pull, NULL);
    return result;
}

struct phonetrust_tls *phonetrust_tls_new(int flags) {
    if ((flags & ~PHONETRUST_TLS_STATIC_RSA) != 0 || tls_global_start() != 0)
        return NULL;
    struct phonetrust_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    tls->alert = PHONETRUST_TLS_NO_ALERT;
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_config_init(&tls->config);
    mbedtls_x509_crt_init(&tls->own_certificate);
    mbedtls_pk_init(&tls->own_key);
    if (configure(tls, flags) == 0)
        return tls;
    phonetrust_tls_free(tls);
    return NULL;
}

void phonetrust_tls_free(struct phonetrust_tls *tls) {
    if (tls == NULL)
        return;
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_x509_crt_free(&tls->own_certificate);
    mbedtls_pk_free(&tls->own_key);
    mbedtls_platform_zeroize(tls, sizeof *tls);
    free(tls);
}

int phonetrust_tls_server_name(struct phonetrust_tls *tls, const uint8_t *name, size_t length) {
    if (tls == NULL || length == 0 || length > MBEDTLS_SSL_MAX_HOST_NAME_LEN ||
        memchr(name, 0, length) != NULL || tls->ssl.state != MBEDTLS_SSL_HELLO_REQUEST)
        return PHONETRUST_ERROR_ARGUMENT;
    char text[MBEDTLS_SSL_MAX_HOST_NAME_LEN + 1];
    memcpy(text, name, length);
    text[length] = 0;
    return mbedtls_ssl_set_hostname(&tls->ssl, text) == 0 ? 0 : PHONETRUST_ERROR_MEMORY;
}

static int certificate_error(int result) {
    if (is_no_memory(result) || result == MBEDTLS_ERR_X509_ALLOC_FAILED)
        return PHONETRUST_ERROR_MEMORY;
    return result == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG ? PHONETRUST_ERROR_UNSUPPORTED
                                                   : PHONETRUST_ERROR_MALFORMED;
}

int phonetrust_tls_identity(struct phonetrust_tls *tls, const uint8_t *certificate, size_t certificate_length,
                            const uint8_t *private_key, size_t private_key_length) {
    if (tls == NULL || tls->accepted)
        return PHONETRUST_ERROR_ARGUMENT;
    if (certificate_length > PHONETRUST_TLS_IDENTITY_SIZE)
        return PHONETRUST_ERROR_SPACE;
    mbedtls_x509_crt_free(&tls->own_certificate);
    mbedtls_pk_free(&tls->own_key);
    int result = mbedtls_x509_crt_parse_der(&tls->own_certificate, certificate, certificate_length);
    if (result != 0)
        result = certificate_error(result);
    if (result == 0)
        result = key_read(private_key, private_key_length, &tls->random, &tls->own_key);
    if (result == 0 &&
        mbedtls_pk_check_pair(&tls->own_certificate.pk, &tls->own_key, random_bytes, &tls->random) != 0)
        result = tls->random.failed ? PHONETRUST_ERROR_RANDOM : PHONETRUST_ERROR_MISMATCH;
    if (result != 0) {
        mbedtls_x509_crt_free(&tls->own_certificate);
        mbedtls_pk_free(&tls->own_key);
    }
    return result;
}

int phonetrust_tls_state(struct phonetrust_tls *tls) {
    return tls == NULL ? PHONETRUST_ERROR_ARGUMENT : tls->state;
}

int phonetrust_tls_certificate(struct phonetrust_tls *tls, uint8_t *out, size_t capacity) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    /* mbedTLS moves it from one session to the other when the handshake is over. */
    const mbedtls_ssl_session *session =
        tls->ssl.session_negotiate != NULL ? tls->ssl.session_negotiate : tls->ssl.session;
    if (!tls->judged || session == NULL || session->peer_cert == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (session->peer_cert->raw.len > capacity)
        return PHONETRUST_ERROR_SPACE;
    memcpy(out, session->peer_cert->raw.p, session->peer_cert->raw.len);
    return (int)session->peer_cert->raw.len;
}

int phonetrust_tls_cut(struct phonetrust_tls *tls) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (tls->state == PHONETRUST_TLS_HANDSHAKE || tls->state == PHONETRUST_TLS_JUDGE ||
        tls->state == PHONETRUST_TLS_OPEN) {
        tls->state = PHONETRUST_TLS_FAILED;
        tls->error = PHONETRUST_ERROR_TLS_CUT;
    }
    return tls->error;
}

int phonetrust_tls_facts(struct phonetrust_tls *tls, uint32_t *facts, size_t capacity) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (capacity < PHONETRUST_TLS_FACTS)
        return PHONETRUST_ERROR_SPACE;
    bool agreed =
        tls->ssl.state > MBEDTLS_SSL_SERVER_HELLO && tls->ssl.tls_version != MBEDTLS_SSL_VERSION_UNKNOWN;
    facts[PHONETRUST_TLS_FACT_STATE] = (uint32_t)tls->state;
    facts[PHONETRUST_TLS_FACT_ERROR] = (uint32_t)-tls->error;
    facts[PHONETRUST_TLS_FACT_ALERT] = tls->alert;
    facts[PHONETRUST_TLS_FACT_AWAITED] = tls_awaited(tls);
    facts[PHONETRUST_TLS_FACT_VERSION] = agreed ? (uint32_t)tls->ssl.tls_version : 0;
    const mbedtls_ssl_session *session =
        tls->ssl.session_negotiate != NULL ? tls->ssl.session_negotiate : tls->ssl.session;
    facts[PHONETRUST_TLS_FACT_SUITE] = agreed && session != NULL ? (uint32_t)session->ciphersuite : 0;
    facts[PHONETRUST_TLS_FACT_ASKED] = tls->asked;
    facts[PHONETRUST_TLS_FACT_BYTES] = (uint32_t)tls->handshake_bytes;
    facts[PHONETRUST_TLS_FACT_READABLE] =
        tls->state == PHONETRUST_TLS_OPEN ? (uint32_t)mbedtls_ssl_get_bytes_avail(&tls->ssl) : 0;
    facts[PHONETRUST_TLS_FACT_SENDABLE] = (uint32_t)(tls->output_end - tls->output_start);
    facts[PHONETRUST_TLS_FACT_CAUSE] = (uint32_t)tls->cause;
    return PHONETRUST_TLS_FACTS;
}
