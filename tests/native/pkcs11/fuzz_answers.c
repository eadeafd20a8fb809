/* SPDX-License-Identifier: MIT */
/*
 * Whatever an agent answers, the module reads no byte beyond, and gives no signature of a wrong length. The
 * first byte says how the rest is used: 0 the bytes as the agent's lines, 1 as a certificate, 2 as a
 * signature by an EC key, in answers that are whole. The client's connection is replaced:
 * __wrap_phonetrust_client_open.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#include "exchange.h"

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MOST 16384

static const uint8_t *input;
static size_t input_length;
static int mode;
static unsigned connections;

/* ec_certificate: of the vectors, with an EC key; written by tests/native/pkcs11/seeds.py. */
#include "ec_certificate.h"

static void must(int truth) {
    if (!truth)
        abort();
}

static void say(int socket, const char *text, size_t length) {
    must(length == 0 || send(socket, text, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static void say_certificate(int socket, unsigned id, const uint8_t *der, size_t length) {
    static char text[2 * MOST], line[3 * MOST];
    text[base64_write(der, length, text)] = '\0';
    int written = snprintf(
        line, sizeof line,
        "{\"id\": %u, \"ok\": true, \"key\": \"%s\", \"certificate\": \"%s\", \"sha256\": \"" SHA256 "\"}\n",
        id, id == 1 ? "lsc" : "mic", text);
    say(socket, line, (size_t)written);
}

static void say_signatures(int socket) {
    static char text[2 * MOST], line[3 * MOST];
    text[base64_write(input, input_length, text)] = '\0';
    for (unsigned id = 3; id < 12; id++)
        say(socket, line,
            (size_t)snprintf(line, sizeof line, "{\"id\": %u, \"ok\": true, \"signature\": \"%s\"}\n", id,
                             text));
}

int __wrap_phonetrust_client_open(struct phonetrust_client *client, const char *path, int timeout);
int __wrap_phonetrust_client_open(struct phonetrust_client *client, const char *path, int timeout) {
    (void)path;
    (void)timeout;
    int pair[2];
    int size = 1 << 20;
    memset(client, 0, sizeof *client);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    must(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    client->socket = pair[0];
    client->timeout = 1000;
    if (connections++ == 0) {
        if (mode == 0) {
            say(pair[1], (const char *)input, input_length);
        } else {
            const uint8_t *der = mode == 1 ? input : ec_certificate;
            size_t length = mode == 1 ? input_length : sizeof ec_certificate;
            say_certificate(pair[1], 1, der, length);
            say_certificate(pair[1], 2, der, length);
            say_signatures(pair[1]);
        }
    }
    shutdown(pair[1], SHUT_WR); /* it stays open for what the client sends, until the next input */
    static int kept = -1;
    if (kept >= 0)
        close(kept);
    kept = pair[1];
    return 0;
}

static void read_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS,
                                              CKA_LABEL,
                                              CKA_ID,
                                              CKA_SUBJECT,
                                              CKA_ISSUER,
                                              CKA_SERIAL_NUMBER,
                                              CKA_VALUE,
                                              CKA_START_DATE,
                                              CKA_MODULUS,
                                              CKA_PUBLIC_EXPONENT,
                                              CKA_EC_PARAMS,
                                              CKA_EC_POINT,
                                              CKA_PRIME_1,
                                              CKA_MODULUS_BITS,
                                              CKA_END_DATE,
                                              CKA_PUBLIC_KEY_INFO,
                                              CKA_ALLOWED_MECHANISMS,
                                              0x1234};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CK_ATTRIBUTE wanted = {types[i], NULL, 0};
        if (C_GetAttributeValue(session, object, &wanted, 1) != CKR_OK)
            continue;
        must(wanted.ulValueLen <= MOST);
        wanted.pValue = malloc(wanted.ulValueLen != 0 ? wanted.ulValueLen : 1);
        must(C_GetAttributeValue(session, object, &wanted, 1) == CKR_OK);
        free(wanted.pValue);
    }
}

static void sign_with(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    static const CK_MECHANISM_TYPE types[] = {CKM_SHA256_RSA_PKCS, CKM_ECDSA_SHA384, CKM_ECDSA};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CK_MECHANISM mechanism = {types[i], NULL, 0};
        uint8_t data[32] = {1};
        CK_ULONG length = 0, wanted;
        if (C_SignInit(session, &mechanism, object) != CKR_OK)
            continue;
        must(C_Sign(session, data, sizeof data, NULL, &length) == CKR_OK && length <= MOST);
        uint8_t *out = malloc(length);
        wanted = length;
        must(C_Sign(session, data, sizeof data, out, &length) != CKR_OK || length == wanted);
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > MOST - 4)
        return 0;
    mode = data[0] % 3;
    input = data + 1;
    input_length = size - 1;
    connections = 0;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE objects[8];
    CK_ULONG count = 0;
    must(C_Initialize(NULL) == CKR_OK);
    if (C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK) {
        must(C_FindObjectsInit(session, NULL, 0) == CKR_OK);
        must(C_FindObjects(session, objects, 8, &count) == CKR_OK && count <= 6);
        must(mode != 2 || count == 6);
        for (CK_ULONG i = 0; i < count; i++) {
            read_object(session, objects[i]);
            sign_with(session, objects[i]);
        }
        must(C_CloseSession(session) == CKR_OK);
    }
    must(C_Finalize(NULL) == CKR_OK);
    return 0;
}
