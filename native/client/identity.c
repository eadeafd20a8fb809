/* SPDX-License-Identifier: MIT */
/* Gets the phone's own certificate, and signatures with its key. */
#include <stdio.h>
#include <string.h>

#include "exchange.h"
#include "json.h"

/* The longest certificate in base64 that is read. */
#define CERTIFICATE_TEXT (PHONETRUST_CLIENT_CERTIFICATE / 3 * 4 + 8)
#define SIGNATURE_TEXT (PHONETRUST_CLIENT_SIGNATURE / 3 * 4 + 8)

/* Add `, "name": "text"` to the request. Returns its new length, or 0 if it does not fit. */
static size_t add(struct phonetrust_client *client, size_t have, const char *name, const char *text) {
    char quoted[96];
    if (have == 0 || json_quote(text, quoted, sizeof quoted) < 0)
        return 0;
    return have +
           (size_t)snprintf(client->line + have, sizeof client->line - have, ", \"%s\": %s", name, quoted);
}

/* Send the request, and read the agent's sentence if it refuses. */
static int ask(struct phonetrust_client *client, size_t have, char *text, size_t capacity) {
    if (have == 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    memcpy(client->line + have, "}\n", 2);
    int error = client_ask(client, have + 2, client->line, sizeof client->line);
    if (error == PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST)
        json_text(json_member(client->line, "error"), text, capacity);
    return error;
}

/* Read a SHA-256 in hexadecimal digits. One more character is read, to notice a longer text. */
static int read_sha256(const char *value, char sha256[65]) {
    char text[67];
    if (json_text(value, text, sizeof text) != 0 || strlen(text) != 64 ||
        strspn(text, "0123456789abcdef") != 64)
        return -1;
    memcpy(sha256, text, 65);
    return 0;
}

/* Read the certificate in an answer. 0, or PROTOCOL. */
static int read_identity(const char *answer, struct phonetrust_identity *identity) {
    const char *value = json_member(answer, "certificate");
    char text[CERTIFICATE_TEXT];
    if (json_text(json_member(answer, "key"), identity->key, sizeof identity->key) != 0)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    if (json_is(value, "null"))
        return 0;
    if (json_text(value, text, sizeof text) != 0 || strlen(text) == sizeof text - 1)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    long length = base64_read(text, identity->certificate, sizeof identity->certificate);
    if (length <= 0 || read_sha256(json_member(answer, "sha256"), identity->sha256) != 0)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    identity->length = (size_t)length;
    return 0;
}

int phonetrust_client_certificate(struct phonetrust_client *client, const char *key,
                                  struct phonetrust_identity *identity) {
    memset(identity, 0, sizeof *identity);
    size_t have = client_begin(client, "certificate");
    if (key != NULL)
        have = add(client, have, "key", key);
    int error = ask(client, have, identity->text, sizeof identity->text);
    if (error != 0)
        return error;
    error = read_identity(client->line, identity);
    if (error != 0) {
        memset(identity, 0, sizeof *identity);
        return client_fail(client, error);
    }
    return 0;
}

int phonetrust_client_sign(struct phonetrust_client *client, const char *key, const char *certificate,
                           const char *scheme, const char *algorithm, const unsigned char *digest,
                           size_t length, struct phonetrust_signature *signature) {
    memset(signature, 0, sizeof *signature);
    char data[92];
    if (length > 64)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    data[base64_write(digest, length, data)] = '\0';
    size_t have = add(client, client_begin(client, "sign"), "key", key);
    if (certificate != NULL)
        have = add(client, have, "certificate", certificate);
    have = add(client, have, "scheme", scheme);
    have = add(client, have, "digest", algorithm);
    have = add(client, have, "data", data);
    int error = ask(client, have, signature->text, sizeof signature->text);
    if (error != 0)
        return error;
    char text[SIGNATURE_TEXT];
    long found = -1;
    if (json_text(json_member(client->line, "signature"), text, sizeof text) == 0 &&
        strlen(text) < sizeof text - 1)
        found = base64_read(text, signature->bytes, sizeof signature->bytes);
    if (found <= 0) {
        memset(signature, 0, sizeof *signature);
        return client_fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    }
    signature->length = (size_t)found;
    return 0;
}
