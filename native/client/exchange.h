/* SPDX-License-Identifier: MIT */
/* Declarations that the parts of the client share with each other only. */
#ifndef PHONETRUST_CLIENT_EXCHANGE_H
#define PHONETRUST_CLIENT_EXCHANGE_H

#include <stddef.h>

#include "phonetrust_client.h"

/* Begin a request in client->line. Returns its length so far. The caller adds members and "}\n". */
size_t client_begin(struct phonetrust_client *client, const char *verb);

/* Send client->line, a request of `length` bytes, and read its answer to `answer`, which may be client->line.
 */
int client_ask(struct phonetrust_client *client, size_t length, char *answer, size_t capacity);

/* Close the connection. Returns `error`. */
int client_fail(struct phonetrust_client *client, int error);

/* Write base64 without a NUL to `out`, which has room for 4 bytes for every 3 bytes or part of them. Returns
 * how many bytes were written. */
size_t base64_write(const unsigned char *data, size_t length, char *out);

/* Read text in base64 (RFC 4648, with padding, without line ends). Returns how many bytes it gave, or -1 if
 * it is not base64 or does not fit. */
long base64_read(const char *text, unsigned char *out, size_t capacity);

#endif
