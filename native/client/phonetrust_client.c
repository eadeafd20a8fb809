/* SPDX-License-Identifier: MIT */
/* C11 alone has no poll, clock_gettime, MSG_NOSIGNAL and SOCK_CLOEXEC. */
#define _GNU_SOURCE
#include "phonetrust_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"
#include "json.h"

const char *phonetrust_client_error(int error) {
    switch (error) {
    case 0:
        return "no error";
    case PHONETRUST_CLIENT_ERROR_CONNECT:
        return "the trust agent does not listen there";
    case PHONETRUST_CLIENT_ERROR_CLOSED:
        return "the trust agent ended the connection";
    case PHONETRUST_CLIENT_ERROR_TIMEOUT:
        return "the trust agent did not answer in time";
    case PHONETRUST_CLIENT_ERROR_PROTOCOL:
        return "the trust agent speaks another version of the service";
    case PHONETRUST_CLIENT_ERROR_SPACE:
        return "an argument or an answer is too long";
    case PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST:
        return "the trust agent does not do this";
    default:
        return "unknown error";
    }
}

int client_fail(struct phonetrust_client *client, int error) {
    phonetrust_client_close(client);
    return error;
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Wait until the socket is ready for `events`. 0, TIMEOUT, or CLOSED. */
static int wait_for(const struct phonetrust_client *client, short events, long long deadline) {
    for (;;) {
        long long left = deadline - now();
        struct pollfd wanted = {.fd = client->socket, .events = events};
        int ready = poll(&wanted, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return 0;
        if (ready == 0)
            return PHONETRUST_CLIENT_ERROR_TIMEOUT;
        if (errno != EINTR)
            return PHONETRUST_CLIENT_ERROR_CLOSED;
    }
}

static int write_all(struct phonetrust_client *client, const char *data, size_t length, long long deadline) {
    while (length > 0) {
        int error = wait_for(client, POLLOUT, deadline);
        if (error != 0)
            return error;
        ssize_t count = send(client->socket, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            data += count;
            length -= (size_t)count;
        } else if (errno != EAGAIN && errno != EINTR) {
            return PHONETRUST_CLIENT_ERROR_CLOSED;
        }
    }
    return 0;
}

/*
 * Move bytes from `input`, up to the end of a line, to out[*length ..]. Returns 1 if the line is complete. If
 * a line does not fit, its rest is dropped, and *length stays at `capacity`.
 */
static int take_line(struct phonetrust_client *client, char *out, size_t capacity, size_t *length) {
    const char *end = memchr(client->input, '\n', client->have);
    size_t count = end != NULL ? (size_t)(end - client->input) : client->have;
    if (*length >= capacity || count >= capacity - *length) {
        *length = capacity;
    } else {
        memcpy(out + *length, client->input, count);
        *length += count;
        out[*length] = '\0';
    }
    if (end != NULL)
        count++;
    client->have -= count;
    memmove(client->input, client->input + count, client->have);
    return end != NULL;
}

/*
 * Read the next line as text without its end; *length bytes of it are in `out` already. Returns 0 or an
 * error. After SPACE the line was too long and has been skipped. After TIMEOUT another call with the same
 * `out` and *length goes on.
 */
static int read_line(struct phonetrust_client *client, char *out, size_t capacity, size_t *length,
                     long long deadline) {
    for (;;) {
        if (take_line(client, out, capacity, length))
            return *length < capacity ? 0 : PHONETRUST_CLIENT_ERROR_SPACE;
        int error = wait_for(client, POLLIN, deadline);
        if (error != 0)
            return error;
        ssize_t count = recv(client->socket, client->input, sizeof client->input, MSG_DONTWAIT);
        if (count > 0)
            client->have = (size_t)count;
        else if (count == 0 || (errno != EAGAIN && errno != EINTR))
            return PHONETRUST_CLIENT_ERROR_CLOSED;
    }
}

/* Connect. If the agent's queue of connections is full, connect waits, but not longer than the timeout. */
static int connect_to(struct phonetrust_client *client, const struct sockaddr_un *address) {
    struct timeval wait = {.tv_sec = client->timeout / 1000, .tv_usec = client->timeout % 1000 * 1000};
    if (client->timeout <= 0)
        wait.tv_usec = 1; /* zero would mean no timeout */
    client->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 || setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
        return PHONETRUST_CLIENT_ERROR_CONNECT;
    if (connect(client->socket, (const struct sockaddr *)address, sizeof *address) != 0)
        return errno == EAGAIN ? PHONETRUST_CLIENT_ERROR_TIMEOUT : PHONETRUST_CLIENT_ERROR_CONNECT;
    return 0;
}

int phonetrust_client_open(struct phonetrust_client *client, const char *path, int timeout) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    client->socket = -1;
    client->timeout = timeout > 0 ? timeout : 0;
    client->sequence = 0;
    client->have = 0;
    client->length = 0;
    if (strlen(path) >= sizeof address.sun_path)
        return PHONETRUST_CLIENT_ERROR_CONNECT;
    memcpy(address.sun_path, path, strlen(path) + 1);
    long long deadline = now() + client->timeout;
    int error = connect_to(client, &address);
    if (error != 0)
        return client_fail(client, error);
    size_t length = 0;
    error = read_line(client, client->line, sizeof client->line, &length, deadline);
    if (error != 0)
        return client_fail(client,
                           error == PHONETRUST_CLIENT_ERROR_SPACE ? PHONETRUST_CLIENT_ERROR_PROTOCOL : error);
    char protocol[16];
    snprintf(protocol, sizeof protocol, "%d", PHONETRUST_CLIENT_PROTOCOL);
    if (!json_is(json_member(client->line, "protocol"), protocol))
        return client_fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    return 0;
}

void phonetrust_client_close(struct phonetrust_client *client) {
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
}

int client_ask(struct phonetrust_client *client, size_t length, char *answer, size_t capacity) {
    if (client->socket < 0)
        return PHONETRUST_CLIENT_ERROR_CLOSED;
    char wanted[16];
    snprintf(wanted, sizeof wanted, "%u", client->sequence);
    long long deadline = now() + client->timeout;
    size_t taken = 0;
    int error = write_all(client, client->line, length, deadline);
    if (error == 0)
        error = read_line(client, answer, capacity, &taken, deadline);
    if (error == PHONETRUST_CLIENT_ERROR_SPACE)
        return error; /* the answer was read to its end, so the connection can go on */
    if (error != 0)
        return client_fail(client, error);
    const char *good = json_member(answer, "ok");
    if (!json_is(json_member(answer, "id"), wanted) || (!json_is(good, "true") && !json_is(good, "false")))
        return client_fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    return json_is(good, "true") ? 0 : PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST;
}

size_t client_begin(struct phonetrust_client *client, const char *verb) {
    client->sequence++;
    return (size_t)snprintf(client->line, sizeof client->line, "{\"id\": %u, \"do\": \"%s\"",
                            client->sequence, verb);
}

static void clear(struct phonetrust_decision *decision) { memset(decision, 0, sizeof *decision); }

static int read_decision(const char *value, struct phonetrust_decision *decision) {
    int accepted = json_is(json_member(value, "outcome"), "\"accepted\"");
    if (json_text(json_member(value, "reason"), decision->reason, sizeof decision->reason) != 0 ||
        json_text(json_member(value, "kind"), decision->kind, sizeof decision->kind) != 0 ||
        json_text(json_member(value, "text"), decision->text, sizeof decision->text) != 0)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    decision->accepted = accepted;
    return 0;
}

/* Send the request, and read the decision in the answer, or the sentence that refuses the request. */
static int ask_decision(struct phonetrust_client *client, size_t length,
                        struct phonetrust_decision *decision) {
    int error = client_ask(client, length, client->line, sizeof client->line);
    if (error == PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST)
        json_text(json_member(client->line, "error"), decision->text, sizeof decision->text);
    if (error != 0)
        return error;
    error = read_decision(json_member(client->line, "decision"), decision);
    if (error != 0) {
        clear(decision);
        return client_fail(client, error);
    }
    return 0;
}

int phonetrust_client_judge(struct phonetrust_client *client, const char *purpose,
                            const unsigned char *certificate, size_t length,
                            struct phonetrust_decision *decision) {
    clear(decision);
    char quoted[64];
    if (length > PHONETRUST_CLIENT_CERTIFICATE || json_quote(purpose, quoted, sizeof quoted) < 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    size_t have = client_begin(client, "judge");
    have += (size_t)snprintf(client->line + have, sizeof client->line - have,
                             ", \"purpose\": %s, \"certificate\": \"", quoted);
    have += base64_write(certificate, length, client->line + have);
    memcpy(client->line + have, "\"}\n", 3);
    return ask_decision(client, have + 3, decision);
}

int phonetrust_client_fetch(struct phonetrust_client *client, const char *name,
                            struct phonetrust_decision *decision, char *path, size_t capacity) {
    clear(decision);
    if (capacity == 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    path[0] = '\0';
    if (strlen(name) > PHONETRUST_CLIENT_NAME)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    char quoted[2 * PHONETRUST_CLIENT_NAME + 8];
    if (json_quote(name, quoted, sizeof quoted) < 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    size_t have = client_begin(client, "fetch");
    have += (size_t)snprintf(client->line + have, sizeof client->line - have, ", \"name\": %s}\n", quoted);
    int error = ask_decision(client, have, decision);
    if (error != 0 || !decision->accepted)
        return error;
    if (json_text(json_member(client->line, "path"), path, capacity) != 0) {
        clear(decision);
        return client_fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    }
    if (strlen(path) + 4 >= capacity) { /* it may have been cut before a character of at most four bytes */
        path[0] = '\0';
        clear(decision);
        return PHONETRUST_CLIENT_ERROR_SPACE;
    }
    return 0;
}

int phonetrust_client_status(struct phonetrust_client *client, char *json, size_t capacity) {
    if (capacity == 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    json[0] = '\0';
    size_t have = client_begin(client, "status");
    memcpy(client->line + have, "}\n", 2);
    int error = client_ask(client, have + 2, json, capacity);
    if (error != 0)
        json[0] = '\0';
    return error;
}

/* Read the trust in an event or in the answer to subscribe. 0 or PROTOCOL. */
static int read_trust(const char *value, struct phonetrust_event *event) {
    if (json_text(json_member(value, "state"), event->state, sizeof event->state) != 0 ||
        json_text(json_member(value, "mode"), event->mode, sizeof event->mode) != 0)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    event->kind = PHONETRUST_CLIENT_TRUST;
    return 0;
}

int phonetrust_client_subscribe(struct phonetrust_client *client, struct phonetrust_event *event) {
    memset(event, 0, sizeof *event);
    size_t have = client_begin(client, "subscribe");
    memcpy(client->line + have, "}\n", 2);
    int error = client_ask(client, have + 2, client->line, sizeof client->line);
    client->length = 0;
    if (error == 0 && read_trust(json_member(client->line, "trust"), event) != 0)
        error = client_fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    if (error != 0)
        memset(event, 0, sizeof *event);
    return error;
}

/* Read a line as an event. 1, or 0 for a kind of event that this version does not know, or PROTOCOL. */
static int read_event(const char *line, struct phonetrust_event *event) {
    const char *kind = json_member(line, "event");
    int error = 0;
    if (kind == NULL)
        return PHONETRUST_CLIENT_ERROR_PROTOCOL;
    if (json_is(kind, "\"decision\"")) {
        error = read_decision(json_member(line, "decision"), &event->decision);
        event->kind = PHONETRUST_CLIENT_DECISION;
    } else if (json_is(kind, "\"trust\"")) {
        error = read_trust(json_member(line, "trust"), event);
    } else {
        return 0;
    }
    return error != 0 ? error : 1;
}

int phonetrust_client_event(struct phonetrust_client *client, int timeout, struct phonetrust_event *event) {
    memset(event, 0, sizeof *event);
    if (client->socket < 0)
        return PHONETRUST_CLIENT_ERROR_CLOSED;
    long long deadline = now() + timeout;
    for (;;) {
        int error = read_line(client, client->line, sizeof client->line, &client->length, deadline);
        if (error == PHONETRUST_CLIENT_ERROR_TIMEOUT)
            return error;
        client->length = 0;
        if (error == PHONETRUST_CLIENT_ERROR_SPACE)
            continue; /* longer than any event that this version knows */
        int found = error != 0 ? error : read_event(client->line, event);
        if (found < 0) {
            memset(event, 0, sizeof *event);
            return client_fail(client, found);
        }
        if (found > 0)
            return 0;
    }
}
