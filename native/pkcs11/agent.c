/* SPDX-License-Identifier: MIT */
/* C11 alone has no secure_getenv. */
#define _GNU_SOURCE
/* The module's only connection to the trust agent. It is open as long as there are sessions. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "module.h"

static struct {
    struct phonetrust_client client;
    bool open;
    dev_t device; /* of the socket: a program may close all its files, and reuse their numbers */
    ino_t inode;
    struct view *newest; /* the view of the newest sessions; this pointer counts as a user */
    CK_ULONG generation;
} agent;

/* Whether the descriptor is still that of the socket. */
static bool still_ours(void) {
    struct stat found;
    return fstat(agent.client.socket, &found) == 0 && found.st_dev == agent.device &&
           found.st_ino == agent.inode;
}

static void drop(bool closed) {
    if (agent.open && !closed && still_ours())
        phonetrust_client_close(&agent.client);
    agent.open = false;
}

static int open_connection(void) {
    const char *path = secure_getenv(SOCKET_VARIABLE);
    struct stat found;
    int error =
        phonetrust_client_open(&agent.client, path != NULL ? path : PHONETRUST_CLIENT_SOCKET, ANSWER_TIMEOUT);
    if (error != 0)
        return error;
    if (fstat(agent.client.socket, &found) != 0) {
        phonetrust_client_close(&agent.client);
        return PHONETRUST_CLIENT_ERROR_CONNECT;
    }
    agent.device = found.st_dev;
    agent.inode = found.st_ino;
    agent.open = true;
    return 0;
}

struct request {
    const char *key;
    struct phonetrust_identity *identity; /* to ask for; or a signature: */
    const char *certificate, *scheme, *algorithm;
    const uint8_t *digest;
    size_t length;
    struct phonetrust_signature *signature;
};

static int ask_once(const struct request *request) {
    int error = request->identity != NULL
                    ? phonetrust_client_certificate(&agent.client, request->key, request->identity)
                    : phonetrust_client_sign(&agent.client, request->key, request->certificate,
                                             request->scheme, request->algorithm, request->digest,
                                             request->length, request->signature);
    if (error == PHONETRUST_CLIENT_ERROR_CLOSED || error == PHONETRUST_CLIENT_ERROR_TIMEOUT ||
        error == PHONETRUST_CLIENT_ERROR_PROTOCOL)
        drop(true); /* the client has closed it */
    return error;
}

/* Send a request. If the agent was restarted since the last request, connect again, once. */
static int ask(const struct request *request) {
    bool used = agent.open && still_ours();
    int error = 0;
    if (used) {
        error = ask_once(request);
        if (error != PHONETRUST_CLIENT_ERROR_CLOSED)
            return error;
    }
    drop(false);
    error = open_connection();
    return error != 0 ? error : ask_once(request);
}

static CK_RV reason(int error) {
    switch (error) {
    case 0:
        return CKR_OK;
    case PHONETRUST_CLIENT_ERROR_CONNECT:
    case PHONETRUST_CLIENT_ERROR_CLOSED:
        return CKR_DEVICE_REMOVED;
    case PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST:
        return CKR_FUNCTION_REJECTED;
    default:
        return CKR_DEVICE_ERROR;
    }
}

/* Add the identity of this key, if the phone has it and this module can serve it. */
static CK_RV add(struct view *view, const char *key) {
    struct identity *identity = &view->identities[view->count];
    int error = ask(&(struct request){.key = key, .identity = &identity->told});
    if (error != 0)
        return reason(error);
    if (identity->told.length != 0 && strcmp(identity->told.key, key) != 0)
        return CKR_DEVICE_ERROR;
    if (identity->told.length != 0 && identity_read(identity) == 0)
        view->count++;
    return CKR_OK;
}

static bool same(const struct view *one, const struct view *other) {
    if (one == NULL || one->count != other->count)
        return false;
    for (unsigned i = 0; i < one->count; i++) {
        const struct phonetrust_identity *left = &one->identities[i].told,
                                         *right = &other->identities[i].told;
        if (strcmp(left->key, right->key) != 0 || strcmp(left->sha256, right->sha256) != 0 ||
            left->length != right->length || memcmp(left->certificate, right->certificate, left->length) != 0)
            return false;
    }
    return true;
}

void view_release(struct view *view) {
    if (view != NULL && --view->users == 0)
        free(view);
}

CK_RV agent_view(struct view **view) {
    struct view *found = calloc(1, sizeof *found);
    *view = NULL;
    if (found == NULL)
        return CKR_HOST_MEMORY;
    found->users = 1;
    CK_RV result = add(found, "lsc");
    if (result == CKR_OK)
        result = add(found, "mic");
    if (result != CKR_OK) {
        view_release(found);
        return result;
    }
    if (same(agent.newest, found)) {
        view_release(found);
    } else {
        view_release(agent.newest);
        found->generation = ++agent.generation;
        agent.newest = found;
    }
    agent.newest->users++;
    *view = agent.newest;
    return CKR_OK;
}

CK_RV agent_sign(const struct identity *identity, const char *scheme, const char *algorithm,
                 const uint8_t *digest, size_t length, struct phonetrust_signature *signature) {
    return reason(ask(&(struct request){.key = identity->told.key,
                                        .certificate = identity->told.sha256,
                                        .scheme = scheme,
                                        .algorithm = algorithm,
                                        .digest = digest,
                                        .length = length,
                                        .signature = signature}));
}

void agent_close(void) {
    drop(false);
    view_release(agent.newest);
    agent.newest = NULL;
}
