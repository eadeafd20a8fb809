/* SPDX-License-Identifier: MIT */
/*
 * The client library by its command line, for tests/native/test_client.py: scripted SOCKET TIMEOUT COMMAND...
 *
 *   status=CAPACITY  judge=PURPOSE:BYTES  fetch=NAME:CAPACITY  subscribe  event=TIMEOUT  close  open
 *   certificate=KEY ("" for none)  sign=SCHEME:BYTES
 *
 * A line for each: its name, the result, and what was filled in, texts in hexadecimal digits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "phonetrust_client.h"

static struct phonetrust_client client;

static void print_text(const char *name, const char *text) {
    printf(" %s=", name);
    for (; *text != '\0'; text++)
        printf("%02x", (unsigned)(unsigned char)*text);
}

static void print_decision(const struct phonetrust_decision *decision) {
    printf(" accepted=%d", decision->accepted);
    print_text("reason", decision->reason);
    print_text("kind", decision->kind);
    print_text("text", decision->text);
}

static void print_event(const struct phonetrust_event *event) {
    printf(" event=%d", event->kind);
    print_decision(&event->decision);
    print_text("state", event->state);
    print_text("mode", event->mode);
}

/* A buffer of exactly this size on the heap, so that sanitizers see every byte beyond it. */
static char *buffer(size_t capacity) {
    char *memory = malloc(capacity != 0 ? capacity : 1);
    if (memory == NULL)
        abort();
    memset(memory, 'x', capacity);
    return memory;
}

static void status(size_t capacity) {
    char *json = buffer(capacity);
    printf("status %d", phonetrust_client_status(&client, json, capacity));
    if (capacity != 0)
        print_text("json", json);
    free(json);
}

static void judge(const char *purpose, size_t size) {
    struct phonetrust_decision decision;
    char *certificate = buffer(size);
    memset(&decision, 0xFF, sizeof decision);
    printf("judge %d",
           phonetrust_client_judge(&client, purpose, (unsigned char *)certificate, size, &decision));
    print_decision(&decision);
    free(certificate);
}

static void fetch(const char *name, size_t capacity) {
    struct phonetrust_decision decision;
    char *path = buffer(capacity);
    memset(&decision, 0xFF, sizeof decision);
    printf("fetch %d", phonetrust_client_fetch(&client, name, &decision, path, capacity));
    print_decision(&decision);
    if (capacity != 0)
        print_text("path", path);
    free(path);
}

static void print_bytes(const char *name, const unsigned char *bytes, size_t length) {
    printf(" %s=", name);
    for (size_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
}

static void certificate(const char *key) {
    struct phonetrust_identity identity;
    memset(&identity, 0xFF, sizeof identity);
    printf("certificate %d", phonetrust_client_certificate(&client, *key != '\0' ? key : NULL, &identity));
    print_text("key", identity.key);
    print_text("sha256", identity.sha256);
    print_text("text", identity.text);
    print_bytes("certificate", identity.certificate, identity.length);
}

static void sign(const char *scheme, size_t size) {
    struct phonetrust_signature signature;
    char *digest = buffer(size);
    memset(&signature, 0xFF, sizeof signature);
    printf("sign %d", phonetrust_client_sign(&client, "lsc", "00ff", scheme, "sha256",
                                             (const unsigned char *)digest, size, &signature));
    print_text("text", signature.text);
    print_bytes("signature", signature.bytes, signature.length);
    free(digest);
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    printf("open %d\n", phonetrust_client_open(&client, arguments[1], atoi(arguments[2])));
    for (int i = 3; i < count; i++) {
        char *command = arguments[i];
        char *first = strchr(command, '=');
        if (first != NULL)
            *first++ = '\0';
        char *second = first != NULL ? strrchr(first, ':') : NULL;
        if (second != NULL)
            *second++ = '\0';
        struct phonetrust_event event;
        memset(&event, 0xFF, sizeof event);
        if (strcmp(command, "status") == 0 && first != NULL) {
            status((size_t)atol(first));
        } else if (strcmp(command, "judge") == 0 && second != NULL) {
            judge(first, (size_t)atol(second));
        } else if (strcmp(command, "fetch") == 0 && second != NULL) {
            fetch(first, (size_t)atol(second));
        } else if (strcmp(command, "certificate") == 0 && first != NULL) {
            certificate(first);
        } else if (strcmp(command, "sign") == 0 && second != NULL) {
            sign(first, (size_t)atol(second));
        } else if (strcmp(command, "subscribe") == 0) {
            printf("subscribe %d", phonetrust_client_subscribe(&client, &event));
            print_event(&event);
        } else if (strcmp(command, "event") == 0 && first != NULL) {
            printf("event %d", phonetrust_client_event(&client, atoi(first), &event));
            print_event(&event);
        } else if (strcmp(command, "open") == 0) {
            printf("open %d", phonetrust_client_open(&client, arguments[1], atoi(arguments[2])));
        } else if (strcmp(command, "close") == 0) {
            phonetrust_client_close(&client);
            printf("close 0");
        } else {
            return 2;
        }
        printf("\n");
        fflush(stdout);
    }
    phonetrust_client_close(&client);
    phonetrust_client_close(&client);
    return 0;
}
