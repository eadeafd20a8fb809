/* SPDX-License-Identifier: MIT */
/*
 * libphonetrust-pkcs11.so: the phone's own keys for programs that know PKCS #11 (OpenSSL's pkcs11-provider,
 * GnuTLS, p11-kit, NSS). The module has no key itself: each call that needs a key is a request to the trust
 * agent (docs/service.md).
 *
 * There is one slot with one token, "phonetrust", which cannot be removed or written and has no PIN. Its
 * objects "LSC" and "MIC", if the phone has them, are a certificate, a public key and a private key each. A
 * session sees the objects that the agent had when the session was opened. Object handles are valid in all
 * sessions that see the same objects. Private keys can only sign for TLS.
 *
 * PKCS #11 allows one instance of a module in a process, so this library keeps state (module.c), protected by
 * one lock. After fork the child must call C_Initialize, as the standard says; until then it cannot use the
 * module.
 */
#ifndef PHONETRUST_PKCS11_MODULE_H
#define PHONETRUST_PKCS11_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <p11-kit/pkcs11.h>

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "phonetrust_client.h"

/* The environment variable with the path of the agent's socket, in place of PHONETRUST_CLIENT_SOCKET. */
#define SOCKET_VARIABLE "PHONETRUST_SOCKET"
/* ms for one answer of the agent. */
#define ANSWER_TIMEOUT 15000

#define SLOT 1
#define SESSIONS 64
#define IDENTITIES 2          /* LSC, MIC */
#define OBJECTS_OF_IDENTITY 3 /* certificate, public key, private key */
#define OBJECTS (IDENTITIES * OBJECTS_OF_IDENTITY)
#define DIGEST_SIZE 64
/* The longest input that the module does not digest: a DigestInfo of SHA-512. */
#define RAW_INPUT 83
#define EC_POINT_SIZE 136 /* an uncompressed point of P-521 as OCTET STRING */

/* Bytes in memory that belongs to another object. */
struct part {
    const uint8_t *at;
    size_t length;
};

/* One of the phone's certificates, and the values of its three objects. Parts point into `told` and the
 * arrays. */
struct identity {
    struct phonetrust_identity told;
    CK_KEY_TYPE key_type; /* CKK_RSA or CKK_EC */
    CK_ULONG bits;
    struct part issuer, subject, serial, public_key;
    struct part modulus, exponent; /* RSA: without leading zero bytes */
    struct part curve, point;      /* EC: DER of the parameters, OCTET STRING around the point */
    uint8_t point_bytes[EC_POINT_SIZE];
    uint8_t id[20]; /* CKA_ID: the beginning of the SHA-256 of the public key */
    CK_DATE start, end;
};

/* The objects that a session sees. Sessions share it, and the last session frees it. */
struct view {
    unsigned users;
    CK_ULONG generation; /* part of object handles */
    unsigned count;
    struct identity identities[IDENTITIES];
};

struct mechanism {
    CK_MECHANISM_TYPE type;
    CK_KEY_TYPE key_type;
    const char *scheme;    /* the agent's name for it */
    const char *algorithm; /* the digest; NULL: its length or its DigestInfo tells which */
    bool digests;          /* whether the module digests the data */
};

struct signing {
    const struct mechanism *mechanism; /* NULL: no signature has begun */
    const struct identity *identity;
    const char *algorithm; /* NULL until the data tells it */
    bool updated;          /* C_SignUpdate was called, so C_Sign is not allowed */
    union {
        mbedtls_sha256_context sha256;
        mbedtls_sha512_context sha512; /* SHA-384 too */
        uint8_t raw[RAW_INPUT + 1];
    } data;
    size_t raw_length;
};

struct session {
    CK_SESSION_HANDLE handle; /* 0: free */
    struct view *view;
    bool searching;
    unsigned found, given;
    CK_OBJECT_HANDLE objects[OBJECTS];
    struct signing signing;
};

/* module.c: take the lock. Without C_Initialize it returns CKR_CRYPTOKI_NOT_INITIALIZED and takes no lock. */
CK_RV module_enter(void);
CK_RV module_leave(CK_RV result);

/* session.c. session_enter is module_enter for a function of a session. After CKR_OK the lock is held and
 * *session is set. The function returns any other result to its caller at once. */
CK_RV session_enter(CK_SESSION_HANDLE handle, struct session **session);
/* With the lock held. */
void session_close_all(void);
unsigned session_count(void);

/* agent.c: with the lock held. */
CK_RV agent_view(struct view **view); /* the agent's present objects; the caller passes it to view_release */
void view_release(struct view *view);
CK_RV agent_sign(const struct identity *identity, const char *scheme, const char *algorithm,
                 const uint8_t *digest, size_t length, struct phonetrust_signature *signature);
void agent_close(void); /* close the connection; after fork it closes only this process's copy */

/* own_certificate.c: read identity->told.certificate. 0, or -1 if this module cannot serve it. */
int identity_read(struct identity *identity);

/* objects.c */
CK_OBJECT_CLASS object_class(unsigned index);
CK_OBJECT_HANDLE object_handle(const struct view *view, unsigned index);
/* The index of an object (0 ..), or -1. */
int object_index(const struct view *view, CK_OBJECT_HANDLE handle);
bool object_matches(const struct view *view, unsigned index, const CK_ATTRIBUTE *attributes, CK_ULONG count);

/* mechanisms.c */
extern const struct mechanism mechanisms[];
extern const unsigned mechanisms_count;
const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type);
/* The algorithm of a digest by its length; NULL for other lengths. */
const char *algorithm_of(size_t length);
size_t algorithm_size(const char *algorithm);
/* Whether the parameter fits this mechanism. For PSS, *algorithm gets the digest that the parameter names. */
bool mechanism_parameter(const CK_MECHANISM *mechanism, const struct mechanism *known,
                         const char **algorithm);

#endif
