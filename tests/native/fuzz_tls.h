/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of TLS share: a client with fixed random bytes (--wrap=getrandom) that is fed a
 * server's bytes, accepts every certificate, asks and reads; and what is true of it at all times. */
#ifndef PHONETRUST_FUZZ_TLS_H
#define PHONETRUST_FUZZ_TLS_H

#include <string.h>
#include <sys/types.h>

#include "fixed_random.h"
#include "fuzz.h"

#define FUZZ_IDENTITY 1
#define FUZZ_STATIC_RSA 2
#define FUZZ_REFUSE 4

static uint64_t fuzz_state;

ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags);

ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags) {
    (void)flags;
    fixed_random(&fuzz_state, out, length);
    return (ssize_t)length;
}

/* Made once; seeds that answer for an identity were recorded with another key and end at its Finished. */
struct fuzz_identity {
    uint8_t certificate[500];
    size_t certificate_length;
    uint8_t key[500];
    size_t key_length;
};

static inline size_t fuzz_send(struct phonetrust_tls *tls, bool accepted) {
    uint8_t out[900];
    size_t total = 0;
    int count;
    while ((count = phonetrust_tls_send(tls, out, sizeof out)) > 0) {
        MUST(accepted || total > 0 || out[0] == 22 || out[0] == 21 || out[0] == 20);
        total += (size_t)count;
    }
    MUST(count == 0);
    return total;
}

static inline void fuzz_read(struct phonetrust_tls *tls) {
    uint8_t out[300];
    while (phonetrust_tls_read(tls, out, sizeof out) > 0) {
    }
}

static inline void fuzz_facts(struct phonetrust_tls *tls) {
    uint32_t facts[PHONETRUST_TLS_FACTS];
    MUST(phonetrust_tls_facts(tls, facts, PHONETRUST_TLS_FACTS) == PHONETRUST_TLS_FACTS);
    MUST((int)facts[PHONETRUST_TLS_FACT_STATE] == phonetrust_tls_state(tls));
    MUST((facts[PHONETRUST_TLS_FACT_STATE] == PHONETRUST_TLS_FAILED) ==
         (facts[PHONETRUST_TLS_FACT_ERROR] != 0));
    MUST(facts[PHONETRUST_TLS_FACT_BYTES] <= PHONETRUST_TLS_HANDSHAKE_BYTES + 16384 + 5);
    MUST(facts[PHONETRUST_TLS_FACT_ALERT] <= PHONETRUST_TLS_NO_ALERT);
    MUST(facts[PHONETRUST_TLS_FACT_AWAITED] <= 20);
    MUST(facts[PHONETRUST_TLS_FACT_ERROR] != (uint32_t)-PHONETRUST_ERROR_MEMORY);
    MUST(facts[PHONETRUST_TLS_FACT_ERROR] != (uint32_t)-PHONETRUST_ERROR_ARGUMENT);
}

/* The first byte has the flags, the second how many bytes are handed in at once (0: all). */
static inline void fuzz_connection(const uint8_t *data, size_t size, const struct fuzz_identity *identity) {
    if (size < 2)
        return;
    uint8_t certificate[PHONETRUST_TLS_CERTIFICATE_SIZE];
    size_t step = data[1] != 0 ? data[1] : size;
    phonetrust_tls_free(phonetrust_tls_new(0));
    fuzz_state = 0;
    struct phonetrust_tls *tls =
        phonetrust_tls_new(data[0] & FUZZ_STATIC_RSA ? PHONETRUST_TLS_STATIC_RSA : 0);
    MUST(tls != NULL);
    if (data[0] & FUZZ_IDENTITY)
        MUST(phonetrust_tls_identity(tls, identity->certificate, identity->certificate_length, identity->key,
                                     identity->key_length) == 0);
    bool accepted = false;
    fuzz_send(tls, accepted);
    for (size_t at = 2; at < size && phonetrust_tls_state(tls) < PHONETRUST_TLS_ENDED;) {
        int taken = phonetrust_tls_receive(tls, data + at, size - at < step ? size - at : step);
        fuzz_facts(tls);
        fuzz_send(tls, accepted);
        if (taken < 0)
            break;
        at += (size_t)taken;
        bool judge = phonetrust_tls_state(tls) == PHONETRUST_TLS_JUDGE;
        MUST(taken > 0 || judge);
        MUST(judge || accepted || phonetrust_tls_state(tls) != PHONETRUST_TLS_OPEN);
        if (judge) {
            MUST(phonetrust_tls_certificate(tls, certificate, sizeof certificate) > 0);
            if (data[0] & FUZZ_REFUSE)
                break;
            accepted = true;
            phonetrust_tls_accept(tls);
            fuzz_send(tls, accepted);
            phonetrust_tls_write(tls, (const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18);
        }
        fuzz_read(tls);
    }
    phonetrust_tls_close(tls);
    fuzz_send(tls, accepted);
    phonetrust_tls_cut(tls);
    fuzz_facts(tls);
    phonetrust_tls_free(tls);
}

#endif
