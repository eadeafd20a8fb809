/* SPDX-License-Identifier: MIT */
/* The player of recorded handshakes: tls_player.h. */
#include "tls_player.h"

#include <stdio.h>

const struct recording recordings[] = {
    {"tls13-rsa", NULL, 0, 0x0304, 0x1301},
    {"tls13-retry-ec", "ec521", 0, 0x0304, 0x1301},
    {"tls13-chacha", NULL, 0, 0x0304, 0x1303},
    {"tls13-most", "rsa4096", 0, 0x0304, 0x1301},
    {"tls12-ec", NULL, 0, 0x0303, 0xC02B},
    {"tls12-rsa", "ec521", 0, 0x0303, 0xC030},
    {"tls12-most", "rsa4096", 0, 0x0303, 0xC02F},
    {"tls12-static", NULL, PHONETRUST_TLS_STATIC_RSA, 0x0303, 0x009C},
    {NULL, NULL, 0, 0, 0},
};

const struct recording *recording_named(const char *name) {
    const struct recording *recording = recordings;
    while (strcmp(recording->name, name) != 0)
        recording++;
    return recording;
}

static int give_identity(struct phonetrust_tls *tls, const char *client) {
    char name[100];
    snprintf(name, sizeof name, "client-%s.crt", client);
    struct bytes certificate = read_vector(name);
    snprintf(name, sizeof name, "client-%s.key", client);
    struct bytes key = read_vector(name);
    int result = phonetrust_tls_identity(tls, certificate.at, certificate.length, key.at, key.length);
    bytes_free(certificate);
    bytes_free(key);
    return result;
}

/* The order is that of tests/native/record_tls.py, as each step draws random bytes. */
void *player_new(const struct recording *recording) {
    phonetrust_tls_free(phonetrust_tls_new(0)); /* makes the PSA core, if it is not there yet */
    random_is_fixed();
    struct phonetrust_tls *tls = phonetrust_tls_new(recording->flags);
    if (tls == NULL)
        return NULL;
    if (recording->client != NULL)
        give_identity(tls, recording->client);
    phonetrust_tls_receive(tls, NULL, 0);
    return tls;
}

static size_t drain(struct phonetrust_tls *tls) {
    uint8_t out[700];
    size_t total = 0;
    int count;
    while ((count = phonetrust_tls_send(tls, out, sizeof out)) > 0)
        total += (size_t)count;
    return total;
}

static void read_all(struct phonetrust_tls *tls, struct played *played) {
    uint8_t out[500];
    int count;
    while ((count = phonetrust_tls_read(tls, out, sizeof out)) > 0) {
        if (played->plaintext == 0)
            played->begins_with_http = count > 5 && memcmp(out, "HTTP/", 5) == 0;
        played->plaintext += (size_t)count;
    }
}

/* What there is to do between two pieces of input. */
static void serve(struct phonetrust_tls *tls, struct played *played, bool *asked) {
    size_t sent = drain(tls);
    if (!played->was_judged)
        played->sent_before_yes += sent;
    if (phonetrust_tls_state(tls) == PHONETRUST_TLS_JUDGE) {
        played->was_judged = true;
        phonetrust_tls_accept(tls);
        drain(tls);
    }
    if (phonetrust_tls_state(tls) == PHONETRUST_TLS_OPEN && !*asked) {
        static const uint8_t request[] = "GET / HTTP/1.0\r\n\r\n";
        *asked = phonetrust_tls_write(tls, request, sizeof request - 1) > 0;
        drain(tls);
    }
    read_all(tls, played);
}

struct played player_run(struct phonetrust_tls *tls, struct bytes bytes, size_t step) {
    struct played played = {0};
    bool asked = false;
    size_t at = 0;
    serve(tls, &played, &asked);
    while (at < bytes.length && phonetrust_tls_state(tls) < PHONETRUST_TLS_ENDED) {
        size_t length = bytes.length - at < step ? bytes.length - at : step;
        int taken = phonetrust_tls_receive(tls, bytes.at + at, length);
        if (taken < 0)
            break;
        at += (size_t)taken;
        serve(tls, &played, &asked);
    }
    serve(tls, &played, &asked);
    played.error = phonetrust_tls_cut(tls);
    played.state = phonetrust_tls_state(tls);
    phonetrust_tls_facts(tls, played.facts, PHONETRUST_TLS_FACTS);
    random_is_random();
    return played;
}

struct played player_play(const struct recording *recording, struct bytes bytes, size_t step) {
    struct phonetrust_tls *tls = player_new(recording);
    if (tls == NULL) {
        random_is_random();
        return (struct played){.state = PHONETRUST_TLS_FAILED, .error = PHONETRUST_ERROR_MEMORY};
    }
    struct played played = player_run(tls, bytes, step);
    phonetrust_tls_free(tls);
    return played;
}
