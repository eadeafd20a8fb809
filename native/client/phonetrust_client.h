/* SPDX-License-Identifier: MIT */
/*
 * The phone's trust service for C programs. It tells them whether to talk to a TLS server and whether to
 * believe a file. docs/service.md describes the messages on the socket; this library speaks them and needs
 * only libc.
 *
 * The caller owns all memory: a struct phonetrust_client of about 20 KB for each connection. No call
 * allocates memory, and there is no global state. Two threads must not use a client at the same time.
 *
 *     struct phonetrust_client client;
 *     struct phonetrust_decision decision;
 *     if (phonetrust_client_open(&client, PHONETRUST_CLIENT_SOCKET, 10000) == 0 &&
 *         phonetrust_client_judge(&client, "application", der, length, &decision) == 0 && decision.accepted)
 *         ... go on with the TLS connection ...
 *     phonetrust_client_close(&client);
 *
 * The library fails closed: `accepted` is 1 only if the agent said so. After every error it is 0.
 *
 * Functions return 0, or one of the negative numbers below. After CLOSED, TIMEOUT and PROTOCOL the connection
 * is closed, and the caller may call open again, unless the function's description says otherwise.
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

/* The socket on which the agent listens on a board. */
#define PHONETRUST_CLIENT_SOCKET "/run/phone/trust.sock"
/* The version of the service that this library speaks. */
#define PHONETRUST_CLIENT_PROTOCOL 1

#define PHONETRUST_CLIENT_ERROR_CONNECT (-1)         /* no program listens, or the path is too long */
#define PHONETRUST_CLIENT_ERROR_CLOSED (-2)          /* the agent ended the connection */
#define PHONETRUST_CLIENT_ERROR_TIMEOUT (-3)         /* no complete answer in time */
#define PHONETRUST_CLIENT_ERROR_PROTOCOL (-4)        /* another version, or an invalid answer */
#define PHONETRUST_CLIENT_ERROR_SPACE (-5)           /* an argument or an answer is too long for its buffer */
#define PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST (-6) /* the agent refused the request: see `text` */

/* A few words about an error, for a log. Never NULL. */
PHONETRUST_CLIENT_API const char *phonetrust_client_error(int error);

/* The longest certificate and the longest file name in a request, in bytes. */
#define PHONETRUST_CLIENT_CERTIFICATE 8192
#define PHONETRUST_CLIENT_NAME 512

struct phonetrust_client {
    int socket;        /* -1: not connected */
    int timeout;       /* ms for one answer */
    unsigned sequence; /* id of the last request */
    size_t have;       /* bytes in `input` */
    size_t length;     /* bytes in `line` of an event that is not complete yet */
    char input[4096];
    char line[16384];
};

/* A decision of the agent. Texts are UTF-8, are cut if they do not fit, and always end with a NUL. */
struct phonetrust_decision {
    int accepted;    /* 1 or 0 */
    char reason[32]; /* a code of docs/reasons.md: "listed-in-itl", "tvs-refused", ... */
    char kind[128];  /* the purpose or the file that was judged */
    char text[2048]; /* a sentence for a person */
};

/*
 * Connect to the agent. path: of its socket. timeout: ms that each answer may take; 30000 gives the agent
 * time to ask TVS. Errors: CONNECT, CLOSED, TIMEOUT, PROTOCOL.
 */
PHONETRUST_CLIENT_API int phonetrust_client_open(struct phonetrust_client *client, const char *path,
                                                 int timeout);

/* Close the connection. May be called in any state after open, also twice. */
PHONETRUST_CLIENT_API void phonetrust_client_close(struct phonetrust_client *client);

/*
 * Ask whether the program may talk to a TLS server with this certificate (DER). purpose: "application",
 * "callmanager", "capf", "configuration" or "tvs". Call it after the handshake has proved that the server has
 * the key.
 */
PHONETRUST_CLIENT_API int phonetrust_client_judge(struct phonetrust_client *client, const char *purpose,
                                                  const unsigned char *certificate, size_t length,
                                                  struct phonetrust_decision *decision);

/*
 * Let the agent fetch and verify a file of the cluster, such as a locale, a ring list or a firmware load.
 * `path` gets the path of a file with the verified content, or "" if it is refused. Open that file at once:
 * it is removed when the connection is closed, or has fetched four more files. capacity: bytes of `path`;
 * 4096 are enough.
 */
PHONETRUST_CLIENT_API int phonetrust_client_fetch(struct phonetrust_client *client, const char *name,
                                                  struct phonetrust_decision *decision, char *path,
                                                  size_t capacity);

/* Get the whole answer to "status" as JSON text (docs/service.md). capacity: bytes of `json`; 64 KB are
 * enough for most phones, otherwise the error is SPACE. */
PHONETRUST_CLIENT_API int phonetrust_client_status(struct phonetrust_client *client, char *json,
                                                   size_t capacity);

/* The longest signature, in bytes. */
#define PHONETRUST_CLIENT_SIGNATURE 512

struct phonetrust_identity {
    char key[16];    /* which of the phone's keys: "lsc" or "mic" */
    size_t length;   /* bytes of the certificate; 0 if the phone has none */
    char sha256[65]; /* of the certificate, hexadecimal, for phonetrust_client_sign */
    char text[512];  /* after REFUSED_REQUEST: the agent's sentence */
    unsigned char certificate[PHONETRUST_CLIENT_CERTIFICATE]; /* DER */
};

/*
 * Get the phone's own certificate. key: "lsc", "mic", or NULL for the certificate that the phone shows to
 * servers (the LSC, else the MIC). If the phone has none, it returns 0 and identity->length is 0.
 */
PHONETRUST_CLIENT_API int phonetrust_client_certificate(struct phonetrust_client *client, const char *key,
                                                        struct phonetrust_identity *identity);

struct phonetrust_signature {
    size_t length;
    unsigned char bytes[PHONETRUST_CLIENT_SIGNATURE];
    char text[512]; /* after REFUSED_REQUEST: the agent's sentence */
};

/*
 * Let the agent sign a digest for a TLS handshake with a key of the phone. The key stays with the agent.
 *
 * key: "lsc" or "mic". certificate: the sha256 of the certificate that the signature must fit. If the LSC has
 * been replaced meanwhile, the call then fails, and not the handshake. NULL accepts any certificate. scheme:
 * "rsa-pkcs1", "rsa-pss" (MGF1 and salt by the same digest) or "ecdsa" (DER). algorithm: "sha256", "sha384"
 * or "sha512"; `digest` has exactly its length. REFUSED_REQUEST: the phone has no such key, the digest has
 * another size, or the program had too many signatures in this minute.
 */
PHONETRUST_CLIENT_API int phonetrust_client_sign(struct phonetrust_client *client, const char *key,
                                                 const char *certificate, const char *scheme,
                                                 const char *algorithm, const unsigned char *digest,
                                                 size_t length, struct phonetrust_signature *signature);

#define PHONETRUST_CLIENT_DECISION 1 /* the agent has made a decision */
#define PHONETRUST_CLIENT_TRUST 2    /* the installed trust lists have changed */

struct phonetrust_event {
    int kind;                            /* DECISION or TRUST */
    struct phonetrust_decision decision; /* of DECISION */
    char state[16];                      /* of TRUST: "trusted", "no-trust", "rolled-back", "trust-lost" */
    char mode[16];                       /* of TRUST: "mixed" or "nonsecure" */
};

/*
 * Ask for events. `event` gets the present trust, as an event TRUST. From then on the connection may only be
 * used by phonetrust_client_event.
 */
PHONETRUST_CLIENT_API int phonetrust_client_subscribe(struct phonetrust_client *client,
                                                      struct phonetrust_event *event);

/* Wait for the next event, at most `timeout` ms. After TIMEOUT the connection stays open, and no event is
 * lost. */
PHONETRUST_CLIENT_API int phonetrust_client_event(struct phonetrust_client *client, int timeout,
                                                  struct phonetrust_event *event);

#ifdef __cplusplus
}
#endif

#endif
