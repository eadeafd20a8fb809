/* SPDX-License-Identifier: MIT */
#include "phonetrust_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

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

static int fail(struct phonetrust_client *client, int error) {
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

static int write_all(struct phonetrust_client *client, const char *data, size_t length) {
    long long deadline = now() + client->timeout;
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

/* Move what is in `input`, up to the end of a line, to out[*length ..]. 1: the line is whole. */
static int take_line(struct phonetrust_client *client, char *out, size_t capacity, size_t *length) {
    const char *end = memchr(client->input, '\n', client->have);
    size_t count = end != NULL ? (size_t)(end - client->input) : client->have;
    if (count >= capacity - *length)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    memcpy(out + *length, client->input, count);
    *length += count;
    out[*length] = '\0';
    if (end != NULL)
        count++;
    client->have -= count;
    memmove(client->input, client->input + count, client->have);
    return end != NULL;
}

/* The next line as text without its end. 0 or an error. */
static int read_line(struct phonetrust_client *client, char *out, size_t capacity, int timeout) {
    long long deadline = now() + timeout;
    size_t length = 0;
    if (capacity == 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    for (;;) {
        int whole = take_line(client, out, capacity, &length);
        if (whole != 0)
            return whole < 0 ? whole : 0;
        int error = wait_for(client, POLLIN, deadline);
        if (error != 0)
            return length != 0 && error == PHONETRUST_CLIENT_ERROR_TIMEOUT ? PHONETRUST_CLIENT_ERROR_CLOSED
                                                                           : error;
        ssize_t count = recv(client->socket, client->input, sizeof client->input, MSG_DONTWAIT);
        if (count > 0)
            client->have = (size_t)count;
        else if (count == 0 || (errno != EAGAIN && errno != EINTR))
            return PHONETRUST_CLIENT_ERROR_CLOSED;
    }
}

int phonetrust_client_open(struct phonetrust_client *client, const char *path, int timeout) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    client->socket = -1;
    client->timeout = timeout;
    client->sequence = 0;
    client->have = 0;
    if (strlen(path) >= sizeof address.sun_path)
        return PHONETRUST_CLIENT_ERROR_CONNECT;
    memcpy(address.sun_path, path, strlen(path) + 1);
    client->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(client, PHONETRUST_CLIENT_ERROR_CONNECT);
    int error = read_line(client, client->line, sizeof client->line, timeout);
    if (error != 0)
        return fail(client, error);
    char protocol[16];
    snprintf(protocol, sizeof protocol, "%d", PHONETRUST_CLIENT_PROTOCOL);
    if (!json_is(json_member(client->line, "protocol"), protocol))
        return fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    return 0;
}

void phonetrust_client_close(struct phonetrust_client *client) {
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
}

/* Send client->line, a request of `length` bytes, and read its answer to `answer`, which may be the same. */
static int ask(struct phonetrust_client *client, size_t length, char *answer, size_t capacity) {
    if (client->socket < 0)
        return PHONETRUST_CLIENT_ERROR_CLOSED;
    char wanted[16];
    snprintf(wanted, sizeof wanted, "%u", client->sequence);
    int error = write_all(client, client->line, length);
    if (error == 0)
        error = read_line(client, answer, capacity, client->timeout);
    if (error != 0)
        return fail(client, error);
    if (!json_is(json_member(answer, "id"), wanted))
        return fail(client, PHONETRUST_CLIENT_ERROR_PROTOCOL);
    return json_is(json_member(answer, "ok"), "true") ? 0 : PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST;
}

/* Begin a request in client->line; its length so far. The caller adds members and "}\n". */
static size_t begin(struct phonetrust_client *client, const char *verb) {
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

/* Ask, and read the decision of the answer, or why the request was refused. */
static int ask_decision(struct phonetrust_client *client, size_t length,
                        struct phonetrust_decision *decision) {
    int error = ask(client, length, client->line, sizeof client->line);
    if (error == PHONETRUST_CLIENT_ERROR_REFUSED_REQUEST)
        json_text(json_member(client->line, "error"), decision->text, sizeof decision->text);
    if (error != 0)
        return error;
    error = read_decision(json_member(client->line, "decision"), decision);
    if (error != 0) {
        clear(decision);
        return fail(client, error);
    }
    return 0;
}

static size_t base64(const unsigned char *data, size_t length, char *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out;
    for (size_t i = 0; i < length; i += 3) {
        unsigned second = i + 1 < length ? data[i + 1] : 0;
        unsigned third = i + 2 < length ? data[i + 2] : 0;
        unsigned bits = (unsigned)data[i] << 16 | second << 8 | third;
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = i + 1 < length ? letters[bits >> 6 & 63] : '=';
        *at++ = i + 2 < length ? letters[bits & 63] : '=';
    }
    return (size_t)(at - out);
}

int phonetrust_client_judge(struct phonetrust_client *client, const char *purpose,
                            const unsigned char *certificate, size_t length,
                            struct phonetrust_decision *decision) {
    clear(decision);
    char quoted[64];
    if (length > PHONETRUST_CLIENT_CERTIFICATE || json_quote(purpose, quoted, sizeof quoted) < 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    size_t have = begin(client, "judge");
    have += (size_t)snprintf(client->line + have, sizeof client->line - have,
                             ", \"purpose\": %s, \"certificate\": \"", quoted);
    have += base64(certificate, length, client->line + have);
    memcpy(client->line + have, "\"}\n", 3);
    return ask_decision(client, have + 3, decision);
}

int phonetrust_client_fetch(struct phonetrust_client *client, const char *name,
                            struct phonetrust_decision *decision, char *path, size_t capacity) {
    clear(decision);
    if (capacity == 0 || strlen(name) > PHONETRUST_CLIENT_NAME)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    path[0] = '\0';
    char quoted[2 * PHONETRUST_CLIENT_NAME + 8];
    if (json_quote(name, quoted, sizeof quoted) < 0)
        return PHONETRUST_CLIENT_ERROR_SPACE;
    size_t have = begin(client, "fetch");
    have += (size_t)snprintf(client->line + have, sizeof client->line - have, ", \"name\": %s}\n", quoted);
    int error = ask_decision(client, have, decision);
    if (error != 0 || !decision->accepted)
        return error;
    const char *found = json_member(client->line, "path");
    if (json_text(found, path, capacity) != 0 || strlen(path) + 1 >= capacity) {
        path[0] = '\0';
        clear(decision);
        return fail(client, PHONETRUST_CLIENT_ERROR_SPACE);
    }
    return 0;
}

int phonetrust_client_status(struct phonetrust_client *client, char *json, size_t capacity) {
    size_t have = begin(client, "status");
    memcpy(client->line + have, "}\n", 2);
    return ask(client, have + 2, json, capacity);
}

int phonetrust_client_subscribe(struct phonetrust_client *client) {
    size_t have = begin(client, "subscribe");
    memcpy(client->line + have, "}\n", 2);
    return ask(client, have + 2, client->line, sizeof client->line);
}

int phonetrust_client_event(struct phonetrust_client *client, int timeout,
                            struct phonetrust_decision *decision) {
    clear(decision);
    if (client->socket < 0)
        return PHONETRUST_CLIENT_ERROR_CLOSED;
    for (;;) {
        int error = read_line(client, client->line, sizeof client->line, timeout);
        if (error == PHONETRUST_CLIENT_ERROR_TIMEOUT)
            return error;
        if (error != 0)
            return fail(client, error);
        const char *found = json_member(client->line, "decision");
        if (found == NULL)
            continue; /* an event that this version does not know */
        error = read_decision(found, decision);
        return error != 0 ? fail(client, error) : 0;
    }
}
