/* SPDX-License-Identifier: MIT */
/* Declarations that the parts of libphonetrust share with each other only. */
#ifndef PHONETRUST_INTERNAL_H
#define PHONETRUST_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/md.h>
#include <mbedtls/pk.h>

#include "phonetrust.h"

/* Bytes inside a buffer of the caller. */
struct slice {
    const uint8_t *at;
    size_t length;
};

/* One attribute of a distinguished name. */
struct attribute {
    struct slice type; /* contents of the OBJECT IDENTIFIER */
    struct slice value;
    uint8_t value_tag; /* its ASN.1 string type */
};

/* Names of real certificates have at most six or seven attributes. Further attributes are checked, but not
 * kept. */
#define NAME_ATTRIBUTES 16

struct name {
    struct slice der;
    struct attribute attributes[NAME_ATTRIBUTES];
    size_t count; /* number of all attributes, including those after NAME_ATTRIBUTES */
};

struct certificate {
    struct name issuer;
    struct name subject;
    struct slice serial;
    struct slice public_key;
    struct slice record_key;
    struct slice signature;
    struct slice not_before;
    struct slice not_after;
    struct slice signature_algorithm;
    uint32_t key_kind;
    uint32_t key_bits;
};

/* certificate.c: 0 or ERROR_MALFORMED. The slices point into `der`. */
int certificate_read(const uint8_t *der, size_t length, struct certificate *certificate);

/* der.c: read one element of strict DER (minimal lengths). Each function moves `*at` past the element's
 * header, so that the contents are (*at)[0 .. *length), and returns 0 or ERROR_MALFORMED. The contents end
 * at `end` or before. */
int der_enter(const uint8_t **at, const uint8_t *end, int tag, size_t *length);
int der_any(const uint8_t **at, const uint8_t *end, uint8_t *tag, size_t *length);

/* names.c */
int name_read(const uint8_t **at, const uint8_t *end, struct name *name);
bool name_is_text(const struct name *name, struct slice text);
bool text_is_valid(struct slice text);

/* tlv.c: read one record. Fills values[tag] for the known tags (at == NULL: absent), moves `*offset` past the
 * record, and adds its rows to `rows` if that is not NULL. 0, ERROR_MALFORMED (with fault) or ERROR_SPACE. */
#define RECORD_TAGS 13

struct rows {
    uint32_t *at;
    size_t capacity;
    size_t count;
};

int record_read(const uint8_t *file, size_t length, size_t *offset, struct slice *values, struct rows *rows,
                uint32_t *fault);

/* digest.c: mbedTLS's number of an algorithm, MBEDTLS_MD_NONE for unknown ones. */
mbedtls_md_type_t digest_type(int algorithm);

/* random.c: a random function as mbedTLS calls it. `source` is a struct random_source. */
struct random_source {
    phonetrust_random function; /* NULL: the kernel */
    void *context;
    bool failed; /* tells this failure apart from other failures of a long computation */
};
int random_bytes(void *source, unsigned char *out, size_t length);

/* key.c: whether an RSA size is supported; and read a private key in DER. The caller frees `key`, also after
 * errors. */
bool rsa_bits_supported(size_t bits);
int key_read(const uint8_t *der, size_t length, struct random_source *random, mbedtls_pk_context *key);

/* key.c: whether an error of mbedTLS says that there was no memory. */
bool is_no_memory(int mbedtls_error);

/* key.c: the PHONETRUST_ERROR_ of a failed computation with a private key. */
int key_error(int mbedtls_error, const struct random_source *random);

static inline uint32_t read_u16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline int malformed(uint32_t *fault, uint32_t tag, size_t offset) {
    fault[0] = tag;
    fault[1] = (uint32_t)offset;
    return PHONETRUST_ERROR_MALFORMED;
}

#endif
