/* SPDX-License-Identifier: MIT */
/*
 * The phone's trust service for C programs: may this TLS server be talked to, is this file to be believed?
 * docs/service.md describes the messages on the socket; this library speaks it and needs nothing but libc.
 *
 * The caller owns all memory: a struct phonetrust_client of about 20 KB, which holds one connection. No call
 * allocates, and there is no global state. A client must not be used by two threads at once.
 *
 *     struct phonetrust_client client;
 *     struct phonetrust_decision decision;
 *     if (phonetrust_client_open(&client, PHONETRUST_CLIENT_SOCKET, 10000) == 0 &&
 *         phonetrust_client_judge(&client, "application", der, length, &decision) == 0 && decision.accepted)
 *         ... go on with the TLS connection ...
 *     phonetrust_client_close(&client);
 *
 * Fail closed: `accepted` is 1 only after the agent said so. Every error leaves it 0.
 *
 * Results are 0, or one of the negative numbers below. After CLOSED, TIMEOUT and PROTOCOL the connection is
 * closed, and open may be called again, unless the function says otherwise.
 */
#ifndef PHONETRUST_CLIENT_H
#define PHONETRUST_CLIENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PHONETRUST_CLIENT_API __attribute__((visibility("default")))
#else
#define PHONETRUST_CLIENT_API
#endif

/* Where the agent listens on a board. */
#define PHONETRUST_CLIENT_SOCKET "/run/phone/trust.sock"
/* The version of the service that this library speaks. */
#define PHONETRUST_CLIENT_PROTOCOL 1

#define PHONETRUST_CLIENT_ERROR_CONNECT (-1)         /* nobody listens there, or the path is too long */
#define PHONETRUST_CLIENT_ERROR_CLOSED (-2)          /* the agent ended the connection */
#define PHONETRUST_CLIENT_ERROR_TIMEOUT (-3)         /* no whole answer in time */
#define PHONETRUST_CLIENT_ERROR_PROTOCOL (-4)        /* another version, or an invalid answer */
#define PHONETRUST_CLIENT_ERROR_SPACE (-5)           /* an argument or an answer is too long for its buffer */
#define PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST (-6) /* the agent does not do this: see decision.text */

/* A few words about an error, for a log. Never NULL. */
PHONETRUST_CLIENT_API const char *phonetrust_client_error(int error);

/* Longest certificate that can be asked about, and longest file name, in bytes. */
#define PHONETRUST_CLIENT_CERTIFICATE 8192
#define PHONETRUST_CLIENT_NAME 512

struct phonetrust_client {
    int socket;        /* -1: not connected */
    int timeout;       /* ms for one answer */
    unsigned sequence; /* id of the last request */
    size_t have;       /* bytes in `input` */
    size_t length;     /* bytes of an event in `line` that is not whole yet */
    char input[4096];
    char line[16384];
};

/* What the agent decided. Texts are UTF-8, cut where they do not fit, always ended by a NUL. */
struct phonetrust_decision {
    int accepted;    /* 1 or 0 */
    char reason[32]; /* a code of docs/reasons.md: "listed-in-itl", "tvs-refused", ... */
    char kind[128];  /* the purpose or the file that was judged */
    char text[2048]; /* one sentence for people */
};

/*
 * Connect to the agent at a socket's path. timeout: ms that every answer may take; 30000 leaves the agent
 * time to ask TVS. Errors: CONNECT, CLOSED, TIMEOUT, PROTOCOL.
 */
PHONETRUST_CLIENT_API int phonetrust_client_open(struct phonetrust_client *client, const char *path,
                                                 int timeout);

/* End the connection. May be called in any state after open, and twice. */
PHONETRUST_CLIENT_API void phonetrust_client_close(struct phonetrust_client *client);

/*
 * May a TLS server with this certificate (DER) be talked to? purpose: "application", "callmanager", "capf",
 * "configuration" or "tvs". Call it after the handshake has proven that the server has the key.
 */
PHONETRUST_CLIENT_API int phonetrust_client_judge(struct phonetrust_client *client, const char *purpose,
                                                  const unsigned char *certificate, size_t length,
                                                  struct phonetrust_decision *decision);

/*
 * Fetch a file from the cluster and verify it: locales, ring lists, firmware loads. `path` gets the name of a
 * file with the verified content, "" where it is refused. Open it at once: it goes when the connection is
 * closed or has fetched four more. `capacity`: 4096 is enough.
 */
PHONETRUST_CLIENT_API int phonetrust_client_fetch(struct phonetrust_client *client, const char *name,
                                                  struct phonetrust_decision *decision, char *path,
                                                  size_t capacity);

/* The whole answer to "status" as JSON text (docs/service.md). SPACE: 64 KB is enough for most phones. */
PHONETRUST_CLIENT_API int phonetrust_client_status(struct phonetrust_client *client, char *json,
                                                   size_t capacity);

/* Longest signature, in bytes. */
#define PHONETRUST_CLIENT_SIGNATURE 512

struct phonetrust_identity {
    char key[16];    /* which of the phone's keys: "lsc" or "mic" */
    size_t length;   /* of the certificate; 0 where the phone has none */
    char sha256[65]; /* of the certificate, hexadecimal: what phonetrust_client_sign is told */
    char text[512];  /* with REFUSED_REQUEST: the agent's words */
    unsigned char certificate[PHONETRUST_CLIENT_CERTIFICATE]; /* DER */
};

/*
 * The phone's own certificate. key: "lsc", "mic", or NULL for the one that servers are shown (the LSC, else
 * the MIC). 0 with length 0: the phone has none.
 */
PHONETRUST_CLIENT_API int phonetrust_client_certificate(struct phonetrust_client *client, const char *key,
                                                        struct phonetrust_identity *identity);

struct phonetrust_signature {
    size_t length;
    unsigned char bytes[PHONETRUST_CLIENT_SIGNATURE];
    char text[512]; /* with REFUSED_REQUEST: the agent's words */
};

/*
 * Sign a digest for a TLS handshake with a key of the phone's, which stays with the agent.
 *
 * key: "lsc" or "mic". certificate: sha256 of the certificate that the signature must fit, so that an LSC
 * that has been replaced meanwhile is an error and not a handshake that fails; NULL: whichever is there.
 * scheme: "rsa-pkcs1", "rsa-pss" (MGF1 and salt by the same digest), "ecdsa" (DER). algorithm: "sha256",
 * "sha384", "sha512"; `digest` has exactly its length. REFUSED_REQUEST: no such key, a digest of another
 * size, or too many signatures this minute.
 */
PHONETRUST_CLIENT_API int phonetrust_client_sign(struct phonetrust_client *client, const char *key,
                                                 const char *certificate, const char *scheme,
                                                 const char *algorithm, const unsigned char *digest,
                                                 size_t length, struct phonetrust_signature *signature);

#define PHONETRUST_CLIENT_DECISION 1 /* the agent decided something */
#define PHONETRUST_CLIENT_TRUST 2    /* other trust lists, or none, are installed now */

struct phonetrust_event {
    int kind;                            /* DECISION or TRUST */
    struct phonetrust_decision decision; /* of DECISION */
    char state[16];                      /* of TRUST: "trusted", "no-trust", "rolled-back", "trust-lost" */
    char mode[16];                       /* of TRUST: "mixed" or "nonsecure" */
};

/*
 * Ask for events, and learn what is trusted now (as an event TRUST). From then on the connection is only
 * for phonetrust_client_event.
 */
PHONETRUST_CLIENT_API int phonetrust_client_subscribe(struct phonetrust_client *client,
                                                      struct phonetrust_event *event);

/* Wait for the next event, at most `timeout` ms. After TIMEOUT the connection stays: nothing is lost. */
PHONETRUST_CLIENT_API int phonetrust_client_event(struct phonetrust_client *client, int timeout,
                                                  struct phonetrust_event *event);

#ifdef __cplusplus
}
#endif

#endif
