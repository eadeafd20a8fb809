/* SPDX-License-Identifier: MIT */
/* What the parts of the client share with each other and with nobody else. */
#ifndef PHONETRUST_CLIENT_EXCHANGE_H
#define PHONETRUST_CLIENT_EXCHANGE_H

#include <stddef.h>

#include "phonetrust_client.h"

/* Begin a request in client->line; its length so far. The caller adds members and "}\n". */
size_t client_begin(struct phonetrust_client *client, const char *verb);

/* Send client->line, a request of `length` bytes, and read its answer to `answer`, which may be the same. */
int client_ask(struct phonetrust_client *client, size_t length, char *answer, size_t capacity);

/* Close the connection; `error` again. */
int client_fail(struct phonetrust_client *client, int error);

/* Write base64 without an end to `out`, which has room for 4 bytes for each begun 3; how many were written.
 */
size_t base64_write(const unsigned char *data, size_t length, char *out);

/* Read text in base64 (RFC 4648, with its padding, without line ends). How many bytes it gave, or -1 where it
 * is something else or does not fit. */
long base64_read(const char *text, unsigned char *out, size_t capacity);

#endif
