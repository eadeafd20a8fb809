/* SPDX-License-Identifier: MIT */
/* Bytes that look random and are the same each time, so that a recorded TLS handshake fits the client again.
 */
#ifndef PHONETRUST_FIXED_RANDOM_H
#define PHONETRUST_FIXED_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The next bytes after `state` (splitmix64). */
static inline void fixed_random(uint64_t *state, unsigned char *out, size_t length) {
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = *state += 0x9E3779B97F4A7C15u;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
        out[i] = (unsigned char)(mixed >> 56);
    }
}

#endif
