/* SPDX-License-Identifier: MIT */
/* Moves the bytes of a TLS connection: counts what comes in, and holds back what goes out until the caller
 * has accepted the certificate. */
#include "tls.h"

#include <string.h>

#define TYPE_CHANGE_CIPHER_SPEC 20
#define TYPE_ALERT 21
#define TYPE_HANDSHAKE 22
#define CLIENT_HELLO 1
/* RFC 8446, 5.2. TLS 1.2 allows more, but no cipher that the client offers needs it. */
#define RECORD_MAXIMUM (16384 + 256)

/* Count a record that begins. Its header, which is never encrypted, has the type of its content, except that
 * TLS 1.3 calls everything encrypted application data. */
static void count_record(struct phonetrust_tls *tls) {
    tls->record_left = read_u16(tls->header + 3);
    tls->idle_records++;
    if (tls->header[0] == TYPE_ALERT)
        tls->alerts++;
    if (tls->record_left > RECORD_MAXIMUM)
        tls->limit = PHONETRUST_ERROR_TLS_RECORD;
    else if (tls->alerts > PHONETRUST_TLS_ALERTS)
        tls->limit = PHONETRUST_ERROR_TLS_ALERTS;
    else if (tls->idle_records > PHONETRUST_TLS_IDLE_RECORDS)
        tls->limit = PHONETRUST_ERROR_TLS_RECORDS;
}

static void count(struct phonetrust_tls *tls, const uint8_t *data, size_t length) {
    if (tls->state != PHONETRUST_TLS_OPEN) {
        tls->handshake_bytes += length;
        if (tls->handshake_bytes > PHONETRUST_TLS_HANDSHAKE_BYTES)
            tls->limit = PHONETRUST_ERROR_TLS_BYTES;
    }
    while (length > 0) {
        bool in_header = tls->header_filled < RECORD_HEADER;
        size_t wanted = in_header ? RECORD_HEADER - tls->header_filled : tls->record_left;
        size_t step = length < wanted ? length : wanted;
        if (in_header) {
            memcpy(tls->header + tls->header_filled, data, step);
            tls->header_filled += step;
            if (tls->header_filled == RECORD_HEADER)
                count_record(tls);
        } else {
            tls->record_left -= step;
        }
        if (tls->header_filled == RECORD_HEADER && tls->record_left == 0)
            tls->header_filled = 0;
        data += step;
        length -= step;
    }
}

/* Give mbedTLS bytes. It asks for the header of a record, then for the rest of that record, and stays in its
 * loops as long as it gets bytes. So the limits are checked here. */
int tls_pull(void *context, unsigned char *out, size_t length) {
    struct phonetrust_tls *tls = context;
    if (tls->input.length == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (length > tls->input.length)
        length = tls->input.length;
    count(tls, tls->input.at, length);
    if (tls->limit != 0)
        return MBEDTLS_ERR_SSL_TIMEOUT;
    memcpy(out, tls->input.at, length);
    tls->input.at += length;
    tls->input.length -= length;
    return (int)length;
}

size_t tls_room(const struct phonetrust_tls *tls) {
    return OUTPUT_SIZE - (tls->output_end - tls->output_start);
}

/* Whether a record may leave before the certificate is accepted: a ClientHello, an alert, or the
 * ChangeCipherSpec before a second ClientHello. */
static bool may_leave(const struct phonetrust_tls *tls, const unsigned char *record, size_t length) {
    if (tls->accepted)
        return true;
    if (length <= RECORD_HEADER)
        return false;
    if (record[0] == TYPE_HANDSHAKE)
        return record[RECORD_HEADER] == CLIENT_HELLO && tls->ssl.state <= MBEDTLS_SSL_SERVER_HELLO;
    return record[0] == TYPE_ALERT ||
           (record[0] == TYPE_CHANGE_CIPHER_SPEC && tls->ssl.state == MBEDTLS_SSL_CLIENT_HELLO);
}

/* Take bytes from mbedTLS. It passes whole records; each is taken completely, or not yet. */
int tls_push(void *context, const unsigned char *data, size_t length) {
    struct phonetrust_tls *tls = context;
    if (length > OUTPUT_SIZE || !may_leave(tls, data, length))
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    if (length > tls_room(tls))
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    if (length > OUTPUT_SIZE - tls->output_end) {
        memmove(tls->output, tls->output + tls->output_start, tls->output_end - tls->output_start);
        tls->output_end -= tls->output_start;
        tls->output_start = 0;
    }
    memcpy(tls->output + tls->output_end, data, length);
    tls->output_end += length;
    return (int)length;
}
