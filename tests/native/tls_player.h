/* SPDX-License-Identifier: MIT */
/* Plays the recorded handshakes of tests/native/tls_recordings to a client whose random bytes are fixed. */
#ifndef PHONETRUST_TLS_PLAYER_H
#define PHONETRUST_TLS_PLAYER_H

#include "harness.h"

struct recording {
    const char *name;
    const char *client; /* kind of client certificate, NULL: none */
    int flags;
    uint32_t version;
    uint32_t suite;
};

/* All of them, ended by one without a name. */
extern const struct recording recordings[];

const struct recording *recording_named(const char *name);

/* What became of a connection. */
struct played {
    int state;
    int error;
    size_t plaintext;       /* bytes that were read */
    size_t sent_before_yes; /* bytes that came out until the judgement */
    bool begins_with_http;  /* the plaintext */
    bool was_judged;
    uint32_t facts[PHONETRUST_TLS_FACTS];
};

/* A client as that of the recording, its ClientHello made. NULL: no memory. */
void *player_new(const struct recording *recording);

/* Hand in the bytes in pieces of `step` bytes, accept, send the request when it is open, say that the
 * transport was closed. */
struct played player_run(struct phonetrust_tls *tls, struct bytes bytes, size_t step);

/* Both, and the connection is freed. */
struct played player_play(const struct recording *recording, struct bytes bytes, size_t step);

#endif
