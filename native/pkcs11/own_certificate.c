/* SPDX-License-Identifier: MIT */
/* Reads the parts of the phone's certificate that PKCS #11 objects have. */
#include <string.h>

#include "internal.h"
#include "module.h"

#define SEQUENCE 0x30
#define INTEGER 0x02
#define OCTET_STRING 0x04
#define VERSION 0xA0

/* Read an element with this tag: *whole with its header, and *contents. Moves *at past it. */
static int element(const uint8_t **at, const uint8_t *end, uint8_t tag, struct part *whole,
                   struct part *contents) {
    const uint8_t *start = *at;
    uint8_t found;
    size_t length;
    if (der_any(at, end, &found, &length) != 0 || found != tag)
        return -1;
    *contents = (struct part){*at, length};
    *at += length;
    *whole = (struct part){start, (size_t)(*at - start)};
    return 0;
}

static struct part without_zeros(struct part number) {
    while (number.length > 1 && *number.at == 0) {
        number.at++;
        number.length--;
    }
    return number;
}

/* Read CKA_SERIAL_NUMBER: the serial number in the certificate, header included. */
static int read_serial(struct identity *identity) {
    const uint8_t *at = identity->told.certificate;
    const uint8_t *end = at + identity->told.length;
    struct part whole, contents;
    for (int depth = 0; depth < 2; depth++) { /* Certificate, TBSCertificate */
        if (element(&at, end, SEQUENCE, &whole, &contents) != 0)
            return -1;
        at = contents.at;
        end = at + contents.length;
    }
    if (at < end && *at == VERSION && element(&at, end, VERSION, &whole, &contents) != 0)
        return -1;
    return element(&at, end, INTEGER, &identity->serial, &contents);
}

static int read_rsa(struct identity *identity, struct part key) {
    const uint8_t *at = key.at;
    const uint8_t *end = at + key.length;
    struct part whole, contents;
    if (element(&at, end, SEQUENCE, &whole, &contents) != 0)
        return -1;
    at = contents.at;
    end = at + contents.length;
    if (element(&at, end, INTEGER, &whole, &identity->modulus) != 0 ||
        element(&at, end, INTEGER, &whole, &identity->exponent) != 0)
        return -1;
    identity->modulus = without_zeros(identity->modulus);
    identity->exponent = without_zeros(identity->exponent);
    return 0;
}

static int read_ec(struct identity *identity, struct part key) {
    const uint8_t *at = identity->public_key.at;
    const uint8_t *end = at + identity->public_key.length;
    struct part whole, contents;
    for (int depth = 0; depth < 2; depth++) { /* SubjectPublicKeyInfo, AlgorithmIdentifier */
        if (element(&at, end, SEQUENCE, &whole, &contents) != 0)
            return -1;
        at = contents.at;
        end = at + contents.length;
    }
    if (element(&at, end, 0x06, &whole, &contents) != 0 ||
        element(&at, end, 0x06, &identity->curve, &contents) != 0)
        return -1;
    uint8_t *out = identity->point_bytes;
    size_t header = key.length < 0x80 ? 2 : 3;
    if (key.length > 0xFF || header + key.length > sizeof identity->point_bytes)
        return -1;
    out[0] = OCTET_STRING;
    out[1] = header == 2 ? (uint8_t)key.length : 0x81;
    if (header == 3)
        out[2] = (uint8_t)key.length;
    memcpy(out + header, key.at, key.length);
    identity->point = (struct part){out, header + key.length};
    return 0;
}

/* The date in YYMMDDHHMMSSZ (50 and up: 19YY) or YYYYMMDDHHMMSSZ. */
static CK_DATE read_date(struct part time) {
    CK_DATE date;
    const uint8_t *at = time.at;
    memset(&date, ' ', sizeof date);
    if (time.length == 13) {
        memcpy(date.year, at[0] >= '5' ? "19" : "20", 2);
        memcpy(date.year + 2, at, 2);
        at += 2;
    } else if (time.length == 15) {
        memcpy(date.year, at, 4);
        at += 4;
    } else {
        return date;
    }
    memcpy(date.month, at, 2);
    memcpy(date.day, at + 2, 2);
    return date;
}

int identity_read(struct identity *identity) {
    uint32_t fields[PHONETRUST_CERTIFICATE_FIELDS];
    const uint8_t *der = identity->told.certificate;
    if (phonetrust_certificate(der, identity->told.length, fields, PHONETRUST_CERTIFICATE_FIELDS) < 0)
        return -1;
#define PART(name)                                                                                           \
    ((struct part){der + fields[PHONETRUST_CERTIFICATE_##name], fields[PHONETRUST_CERTIFICATE_##name + 1]})
    identity->issuer = PART(ISSUER);
    identity->subject = PART(SUBJECT);
    identity->public_key = PART(PUBLIC_KEY);
    identity->start = read_date(PART(NOT_BEFORE));
    identity->end = read_date(PART(NOT_AFTER));
    identity->bits = fields[PHONETRUST_CERTIFICATE_KEY_BITS];
    uint8_t digest[32];
    if (read_serial(identity) != 0 ||
        mbedtls_sha256(identity->public_key.at, identity->public_key.length, digest, 0) != 0)
        return -1;
    memcpy(identity->id, digest, sizeof identity->id);
    switch (fields[PHONETRUST_CERTIFICATE_KEY_KIND]) {
    case PHONETRUST_KEY_RSA:
        identity->key_type = CKK_RSA;
        return read_rsa(identity, PART(RECORD_KEY));
    case PHONETRUST_KEY_EC:
        identity->key_type = CKK_EC;
        return read_ec(identity, PART(RECORD_KEY));
    default:
        return -1;
    }
#undef PART
}
