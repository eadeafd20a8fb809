/* SPDX-License-Identifier: MIT */
/* The C tests of libphonetrust: a TEST is a function that registers itself; a CHECK that fails ends it. */
#ifndef PHONETRUST_HARNESS_H
#define PHONETRUST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "phonetrust.h"

void harness_add(const char *name, void (*run)(void));
void harness_fail(const char *file, int line, const char *condition, long got, long wanted);

#define TEST(name)                                                                                           \
    static void name(void);                                                                                  \
    __attribute__((constructor)) static void add_##name(void) { harness_add(#name, name); }                  \
    static void name(void)

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            harness_fail(__FILE__, __LINE__, #condition, 0, 1);                                              \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

#define CHECK_EQUAL(expression, expected)                                                                    \
    do {                                                                                                     \
        long got_ = (long)(expression);                                                                      \
        long wanted_ = (long)(expected);                                                                     \
        if (got_ != wanted_) {                                                                               \
            harness_fail(__FILE__, __LINE__, #expression, got_, wanted_);                                    \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

/* Bytes on the heap that end where the allocation ends, so that a sanitizer or valgrind sees any read past
 * them. */
struct bytes {
    uint8_t *at;
    size_t length;
};

struct bytes bytes_of(const void *data, size_t length);
struct bytes bytes_from_hex(const char *hex); /* blanks are ignored */
struct bytes
read_vector(const char *name); /* of the folder that the program was told; ends the program if missing */
void bytes_free(struct bytes bytes);

/* All vectors that are trust lists or signed files and not damaged, ending with NULL. */
extern const char *const good_vectors[];

/* A certificate that nobody signed, with serial 1 and no names, around a SubjectPublicKeyInfo: what the
 * library needs to verify with a key. */
struct bytes certificate_around(const uint8_t *public_key, size_t length);

/* The same with a subject (DER in hexadecimal) and an Ed25519 key of three bytes, 01 02 03. */
struct bytes certificate_named(const char *subject);

/* The header length of a trust list or signed file. */
size_t header_length(struct bytes file);

/* watch.c: let the allocation after the next `successes` ones fail, once; SIZE_MAX: none. Says whether one
 * has failed since. */
bool fail_allocation(size_t successes);

/* watch.c: the most bytes that were allocated at once since the last call, beyond those at that call. */
size_t memory_peak(void);

/* watch.c: from now on getrandom gives the same bytes each time that this is called; random_is_random ends
 * it. */
void random_is_fixed(void);
void random_is_random(void);

/* The certificate in record number `index` of a trust list. */
struct bytes record_certificate(const char *vector, size_t index);

#endif
