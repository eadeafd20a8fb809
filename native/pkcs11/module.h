/* SPDX-License-Identifier: MIT */
/*
 * libphonetrust-pkcs11.so: the phone's own keys for programs that know PKCS #11 (OpenSSL's pkcs11-provider,
 * GnuTLS, p11-kit, NSS). Each call that needs a key is a request to the trust agent (docs/service.md): the
 * module has none.
 *
 * One slot with one token, "phonetrust", which cannot be removed or written and has no PIN. Objects "LSC" and
 * "MIC", as far as the phone has them: certificate, public key, private key. A session sees what the agent
 * had when it was opened; object handles hold for sessions that see the same. Private keys sign for TLS and
 * do nothing else.
 *
 * PKCS #11 makes a module one for the whole process, so this is the one library here with state of its own
 * (module.c), behind one lock. After fork the child must call C_Initialize, as the standard says; until then
 * it has no module.
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
/* The longest input that is not digested here: a DigestInfo of SHA-512. */
#define RAW_INPUT 83
#define EC_POINT_SIZE 136 /* an uncompressed point of P-521 as OCTET STRING */

/* Bytes that something else owns. */
struct part {
    const uint8_t *at;
    size_t length;
};

/* One of the phone's certificates with what its three objects say. Parts point into `told` and the arrays. */
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

/* What a session sees. Shared by sessions, freed by the last. */
struct view {
    unsigned users;
    CK_ULONG generation; /* part of object handles */
    unsigned count;
    struct identity identities[IDENTITIES];
};

struct mechanism {
    CK_MECHANISM_TYPE type;
    CK_KEY_TYPE key_type;
    const char *scheme;    /* as the agent calls it */
    const char *algorithm; /* the digest; NULL: its length (or its DigestInfo) says which it is */
    bool digests;          /* the data is digested here */
};

struct signing {
    const struct mechanism *mechanism; /* NULL: no signature is under way */
    const struct identity *identity;
    const char *algorithm; /* NULL until the data says it */
    bool updated;          /* by C_SignUpdate: C_Sign may not follow */
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

/* module.c: take the lock; CKR_CRYPTOKI_NOT_INITIALIZED where there is no module (then it is not taken). */
CK_RV module_enter(void);
CK_RV module_leave(CK_RV result);

/* session.c. session_enter is module_enter for a function of a session: after CKR_OK the lock is held, and
 * *session is set; after any other result the function has nothing left to do but to return it. */
CK_RV session_enter(CK_SESSION_HANDLE handle, struct session **session);
/* With the lock held. */
void session_close_all(void);
unsigned session_count(void);

/* agent.c: with the lock held. */
CK_RV agent_view(struct view **view); /* what the agent has now; the caller gives it back to view_release */
void view_release(struct view *view);
CK_RV agent_sign(const struct identity *identity, const char *scheme, const char *algorithm,
                 const uint8_t *digest, size_t length, struct phonetrust_signature *signature);
void agent_close(void); /* end the connection; after fork, only this process's share of it */

/* own_certificate.c: read identity->told.certificate. 0, or -1 where this module cannot serve it. */
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
/* Whether the parameter is what this mechanism takes; PSS says its digest in *algorithm. */
bool mechanism_parameter(const CK_MECHANISM *mechanism, const struct mechanism *known,
                         const char **algorithm);

#endif
