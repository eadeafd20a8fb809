/* SPDX-License-Identifier: MIT */
/* Runs a TLS connection: the handshake step by step, with the stop for the judgement, then plaintext. */
#include "tls.h"

#include <string.h>

#include <ssl_misc.h>

/* Whether the server has sent all its messages before the client's answer, and mbedTLS has checked them: the
 * proof of the key (not with key exchange by RSA encryption) and, in TLS 1.3, the server's Finished. */
static bool is_at_judgement(const struct phonetrust_tls *tls) {
    return tls->ssl.state == MBEDTLS_SSL_CLIENT_CERTIFICATE ||
           tls->ssl.state == MBEDTLS_SSL_CLIENT_CCS_AFTER_SERVER_FINISHED;
}

static void judge(struct phonetrust_tls *tls) {
    tls->state = PHONETRUST_TLS_JUDGE;
    tls->judged = true;
    tls->asked = tls->ssl.handshake->client_auth != 0;
}

/* Whether mbedTLS needs more bytes. It also returns WANT_READ after a record that it has only noted. */
static bool has_to_wait(const struct phonetrust_tls *tls, int result) {
    return result == MBEDTLS_ERR_SSL_WANT_WRITE ||
           (result == MBEDTLS_ERR_SSL_WANT_READ && tls->input.length == 0);
}

static int shake_hands(struct phonetrust_tls *tls) {
    while (tls->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        if (!tls->accepted && is_at_judgement(tls)) {
            if (tls->ssl.session_negotiate->peer_cert == NULL)
                return tls_fail(tls, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
            judge(tls);
            return 0;
        }
        int before = tls->ssl.state;
        int result = mbedtls_ssl_handshake_step(&tls->ssl);
        if (tls->ssl.state != before)
            tls->idle_records = 0;
        /* mbedTLS has an answer to a cookie, but takes none that it did not send before, which no client can.
         */
        if (tls->ssl.state == MBEDTLS_SSL_SERVER_HELLO)
            mbedtls_ssl_tls13_set_hs_sent_ext_mask(&tls->ssl, MBEDTLS_TLS_EXT_COOKIE);
        if (has_to_wait(tls, result))
            return 0;
        if (result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ)
            return tls_fail(tls, result);
    }
    if (!tls->accepted)
        return tls_fail(tls, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
    tls->state = PHONETRUST_TLS_OPEN;
    return 0;
}

/* Decrypt until there is plaintext to read. A read of 0 bytes does that. */
static int look_for_plaintext(struct phonetrust_tls *tls) {
    while (mbedtls_ssl_get_bytes_avail(&tls->ssl) == 0) {
        int result = mbedtls_ssl_read(&tls->ssl, NULL, 0);
        if (has_to_wait(tls, result))
            return 0;
        if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            tls->state = PHONETRUST_TLS_ENDED;
            return 0;
        }
        if (result < 0 && result != MBEDTLS_ERR_SSL_WANT_READ)
            return tls_fail(tls, result);
    }
    tls->idle_records = 0;
    return 0;
}

static int go_on(struct phonetrust_tls *tls) {
    int result = 0;
    if (tls->state == PHONETRUST_TLS_HANDSHAKE)
        result = shake_hands(tls);
    if (result == 0 && tls->state == PHONETRUST_TLS_OPEN)
        result = look_for_plaintext(tls);
    return result;
}

int phonetrust_tls_receive(struct phonetrust_tls *tls, const uint8_t *data, size_t length) {
    if (tls == NULL || length > PHONETRUST_MAXIMUM_LENGTH)
        return PHONETRUST_ERROR_ARGUMENT;
    if (tls->state == PHONETRUST_TLS_FAILED)
        return tls->error;
    tls->input = (struct slice){data, length};
    int result = go_on(tls);
    size_t taken = length - tls->input.length;
    tls->input = (struct slice){NULL, 0};
    return result < 0 ? result : (int)taken;
}

int phonetrust_tls_accept(struct phonetrust_tls *tls) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (tls->state != PHONETRUST_TLS_JUDGE)
        return tls->state == PHONETRUST_TLS_FAILED ? tls->error : PHONETRUST_ERROR_ARGUMENT;
    tls->state = PHONETRUST_TLS_HANDSHAKE;
    /* mbedTLS gets the client certificate only now. */
    if (tls->own_certificate.raw.p != NULL) {
        int result = mbedtls_ssl_conf_own_cert(&tls->config, &tls->own_certificate, &tls->own_key);
        if (result != 0)
            return tls_fail(tls, result);
    }
    tls->accepted = true;
    return go_on(tls);
}

int phonetrust_tls_send(struct phonetrust_tls *tls, uint8_t *out, size_t capacity) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    /* Write what found no room before, or the ClientHello. The next call reports an error. */
    if (tls->ssl.out_left == 0 || mbedtls_ssl_flush_output(&tls->ssl) == 0)
        go_on(tls);
    size_t length = tls->output_end - tls->output_start;
    if (length > capacity)
        length = capacity;
    if (length == 0)
        return 0;
    memcpy(out, tls->output + tls->output_start, length);
    tls->output_start += length;
    if (tls->output_start == tls->output_end)
        tls->output_start = tls->output_end = 0;
    return (int)length;
}

int phonetrust_tls_read(struct phonetrust_tls *tls, uint8_t *out, size_t capacity) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (tls->state == PHONETRUST_TLS_FAILED)
        return tls->error;
    if (capacity > PHONETRUST_MAXIMUM_LENGTH)
        capacity = PHONETRUST_MAXIMUM_LENGTH;
    if (tls->state != PHONETRUST_TLS_OPEN || capacity == 0 || mbedtls_ssl_get_bytes_avail(&tls->ssl) == 0)
        return 0;
    int result = mbedtls_ssl_read(&tls->ssl, out, capacity);
    return result < 0 ? tls_fail(tls, result) : result;
}

int phonetrust_tls_write(struct phonetrust_tls *tls, const uint8_t *data, size_t length) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    if (tls->state != PHONETRUST_TLS_OPEN)
        return tls->state == PHONETRUST_TLS_FAILED ? tls->error : PHONETRUST_ERROR_ARGUMENT;
    size_t taken = 0;
    /* Write only what has room: otherwise mbedTLS would demand the same bytes again. */
    while (taken < length && tls_room(tls) > RECORD_ADDED && tls->ssl.out_left == 0) {
        size_t step = tls_room(tls) - RECORD_ADDED;
        if (step > length - taken)
            step = length - taken;
        int result = mbedtls_ssl_write(&tls->ssl, data + taken, step);
        if (result < 0)
            return tls_fail(tls, result);
        taken += (size_t)result;
    }
    return (int)taken;
}

int phonetrust_tls_close(struct phonetrust_tls *tls) {
    if (tls == NULL)
        return PHONETRUST_ERROR_ARGUMENT;
    /* An alert that finds no room waits in mbedTLS until phonetrust_tls_send has made room. */
    if (tls->state == PHONETRUST_TLS_JUDGE)
        mbedtls_ssl_send_alert_message(&tls->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
    else if (tls->state == PHONETRUST_TLS_OPEN || tls->state == PHONETRUST_TLS_ENDED)
        mbedtls_ssl_close_notify(&tls->ssl);
    if (tls->state != PHONETRUST_TLS_FAILED)
        tls->state = PHONETRUST_TLS_SHUT;
    return 0;
}
