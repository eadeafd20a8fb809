/* SPDX-License-Identifier: MIT */
/* The fields of an X.509 certificate (RFC 5280, section 4.1), found without copying or allocating anything.
 */
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

#include "internal.h"

#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define EXPLICIT(number) (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | (number))
#define IMPLICIT(number) (MBEDTLS_ASN1_CONTEXT_SPECIFIC | (number))

/* Read the contents of the element `tag` at *at, and move *at past the element. */
static int take(const uint8_t **at, const uint8_t *end, int tag, struct slice *contents) {
    int result = der_enter(at, end, tag, &contents->length);
    if (result != 0)
        return result;
    contents->at = *at;
    *at += contents->length;
    return 0;
}

/* Read the element with its own header. */
static int take_whole(const uint8_t **at, const uint8_t *end, int tag, struct slice *element) {
    const uint8_t *start = *at;
    int result = take(at, end, tag, element);
    if (result == 0)
        *element = (struct slice){start, (size_t)(*at - start)};
    return result;
}

static int take_integer(const uint8_t **at, const uint8_t *end, struct slice *integer) {
    int result = take(at, end, MBEDTLS_ASN1_INTEGER, integer);
    if (result != 0)
        return result;
    const uint8_t *bytes = integer->at;
    if (integer->length == 0)
        return PHONETRUST_ERROR_MALFORMED;
    if (integer->length > 1) { /* DER has no superfluous byte in front */
        bool high = (bytes[1] & 0x80) != 0;
        if ((bytes[0] == 0x00 && !high) || (bytes[0] == 0xFF && high))
            return PHONETRUST_ERROR_MALFORMED;
    }
    if (bytes[0] == 0 && integer->length > 1) {
        integer->at++;
        integer->length--;
    }
    return 0;
}

static int take_bits(const uint8_t **at, const uint8_t *end, struct slice *bits) {
    int result = take(at, end, MBEDTLS_ASN1_BIT_STRING, bits);
    if (result != 0)
        return result;
    if (bits->length == 0 || bits->at[0] != 0) /* keys and signatures are whole bytes: no unused bits */
        return PHONETRUST_ERROR_MALFORMED;
    bits->at++;
    bits->length--;
    return 0;
}

/* Read an AlgorithmIdentifier: its object identifier, and the rest as parameters. */
static int take_algorithm(const uint8_t **at, const uint8_t *end, struct slice *identifier,
                          struct slice *parameters) {
    struct slice contents;
    int result = take(at, end, SEQUENCE, &contents);
    if (result != 0)
        return result;
    const uint8_t *inside = contents.at;
    const uint8_t *inside_end = contents.at + contents.length;
    result = take(&inside, inside_end, MBEDTLS_ASN1_OID, identifier);
    if (result != 0)
        return result;
    *parameters = (struct slice){inside, (size_t)(inside_end - inside)};
    return identifier->length == 0 ? PHONETRUST_ERROR_MALFORMED : 0;
}

static uint32_t two_digits(const uint8_t *at) {
    return (uint32_t)(at[0] - '0') * 10 + (uint32_t)(at[1] - '0');
}

static int take_time(const uint8_t **at, const uint8_t *end, struct slice *time) {
    bool utc = *at < end && **at == MBEDTLS_ASN1_UTC_TIME;
    int result = take(at, end, utc ? MBEDTLS_ASN1_UTC_TIME : MBEDTLS_ASN1_GENERALIZED_TIME, time);
    if (result != 0)
        return result;
    if (time->length != (utc ? 13 : 15) || time->at[time->length - 1] != 'Z')
        return PHONETRUST_ERROR_MALFORMED;
    for (size_t i = 0; i + 1 < time->length; i++)
        if (time->at[i] < '0' || time->at[i] > '9')
            return PHONETRUST_ERROR_MALFORMED;
    const uint8_t *month = time->at + (utc ? 2 : 4);
    bool possible = two_digits(month) - 1 < 12 && two_digits(month + 2) - 1 < 31 &&
                    two_digits(month + 4) < 24 && two_digits(month + 6) < 60 && two_digits(month + 8) < 60;
    return possible ? 0 : PHONETRUST_ERROR_MALFORMED;
}

static int take_validity(const uint8_t **at, const uint8_t *end, struct certificate *certificate) {
    struct slice validity;
    int result = take(at, end, SEQUENCE, &validity);
    if (result != 0)
        return result;
    const uint8_t *inside = validity.at;
    const uint8_t *inside_end = validity.at + validity.length;
    result = take_time(&inside, inside_end, &certificate->not_before);
    if (result == 0)
        result = take_time(&inside, inside_end, &certificate->not_after);
    return result == 0 && inside != inside_end ? PHONETRUST_ERROR_MALFORMED : result;
}

static bool is(struct slice identifier, const char *oid, size_t size) {
    return identifier.length == size && memcmp(identifier.at, oid, size) == 0;
}
#define IS(identifier, oid) is(identifier, oid, sizeof(oid) - 1)

/* The bits of the modulus in an RSAPublicKey (RFC 8017, A.1.1). Nothing may follow that key. */
static int rsa_bits(struct slice key, uint32_t *bits) {
    const uint8_t *at = key.at;
    const uint8_t *end = key.at + key.length;
    struct slice contents, modulus, exponent;
    int result = take(&at, end, SEQUENCE, &contents);
    if (result != 0 || at != end)
        return PHONETRUST_ERROR_MALFORMED;
    at = contents.at;
    result = take_integer(&at, end, &modulus);
    if (result == 0)
        result = take_integer(&at, end, &exponent);
    if (result != 0 || at != end)
        return PHONETRUST_ERROR_MALFORMED;
    uint32_t top = 0;
    for (uint8_t byte = modulus.at[0]; byte != 0; byte = (uint8_t)(byte >> 1))
        top++;
    *bits = (uint32_t)(modulus.length - 1) * 8 + top;
    return 0;
}

static uint32_t curve_bits(struct slice parameters) {
    const uint8_t *at = parameters.at;
    const uint8_t *end = parameters.at + parameters.length;
    struct slice curve;
    if (take(&at, end, MBEDTLS_ASN1_OID, &curve) != 0 || at != end)
        return 0;
    if (IS(curve, MBEDTLS_OID_EC_GRP_SECP256R1))
        return 256;
    if (IS(curve, MBEDTLS_OID_EC_GRP_SECP384R1))
        return 384;
    if (IS(curve, MBEDTLS_OID_EC_GRP_SECP521R1))
        return 521;
    return 0;
}

static int take_public_key(const uint8_t **at, const uint8_t *end, struct certificate *certificate) {
    struct slice identifier, parameters;
    int result = take_whole(at, end, SEQUENCE, &certificate->public_key);
    if (result != 0)
        return result;
    const uint8_t *inside = certificate->public_key.at;
    size_t length;
    result = der_enter(&inside, *at, SEQUENCE, &length);
    if (result == 0)
        result = take_algorithm(&inside, *at, &identifier, &parameters);
    if (result == 0)
        result = take_bits(&inside, *at, &certificate->record_key);
    if (result != 0 || inside != *at)
        return PHONETRUST_ERROR_MALFORMED;
    certificate->key_kind = PHONETRUST_KEY_OTHER;
    certificate->key_bits = 0;
    if (IS(identifier, MBEDTLS_OID_PKCS1_RSA)) {
        certificate->key_kind = PHONETRUST_KEY_RSA;
        return rsa_bits(certificate->record_key, &certificate->key_bits);
    }
    if (IS(identifier, MBEDTLS_OID_EC_ALG_UNRESTRICTED)) {
        certificate->key_bits = curve_bits(parameters);
        certificate->key_kind = certificate->key_bits != 0 ? PHONETRUST_KEY_EC : PHONETRUST_KEY_OTHER;
    }
    return 0;
}

/* Read the version: absent (1), 2 or 3. */
static int take_version(const uint8_t **at, const uint8_t *end) {
    if (*at >= end || **at != EXPLICIT(0))
        return 0;
    struct slice contents, number;
    int result = take(at, end, EXPLICIT(0), &contents);
    if (result != 0)
        return result;
    const uint8_t *inside = contents.at;
    result = take_integer(&inside, *at, &number);
    if (result != 0 || inside != *at || number.length != 1 || number.at[0] < 1 || number.at[0] > 2)
        return PHONETRUST_ERROR_MALFORMED;
    return 0;
}

/* Skip the optional parts after the key: two unique identifiers and the extensions. */
static int take_rest(const uint8_t **at, const uint8_t *end) {
    static const int tags[] = {IMPLICIT(1), IMPLICIT(2), EXPLICIT(3)};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        struct slice ignored;
        if (*at < end && **at == tags[i] && take(at, end, tags[i], &ignored) != 0)
            return PHONETRUST_ERROR_MALFORMED;
    }
    return *at == end ? 0 : PHONETRUST_ERROR_MALFORMED;
}

static int read_body(struct slice body, struct certificate *certificate) {
    const uint8_t *at = body.at;
    const uint8_t *end = body.at + body.length;
    struct slice identifier, parameters;
    int result = take_version(&at, end);
    if (result == 0)
        result = take_integer(&at, end, &certificate->serial);
    if (result == 0)
        result = take_algorithm(&at, end, &identifier, &parameters);
    if (result == 0)
        result = name_read(&at, end, &certificate->issuer);
    if (result == 0)
        result = take_validity(&at, end, certificate);
    if (result == 0)
        result = name_read(&at, end, &certificate->subject);
    if (result == 0)
        result = take_public_key(&at, end, certificate);
    return result == 0 ? take_rest(&at, end) : result;
}

int certificate_read(const uint8_t *der, size_t length, struct certificate *certificate) {
    if (length == 0)
        return PHONETRUST_ERROR_MALFORMED;
    const uint8_t *at = der;
    const uint8_t *end = der + length;
    struct slice contents, body, parameters;
    int result = take(&at, end, SEQUENCE, &contents);
    if (result != 0 || at != end)
        return PHONETRUST_ERROR_MALFORMED;
    at = contents.at;
    result = take(&at, end, SEQUENCE, &body);
    if (result == 0)
        result = read_body(body, certificate);
    if (result == 0)
        result = take_algorithm(&at, end, &certificate->signature_algorithm, &parameters);
    if (result == 0)
        result = take_bits(&at, end, &certificate->signature);
    return result == 0 && at != end ? PHONETRUST_ERROR_MALFORMED : result;
}

static void put(uint32_t *field, const uint8_t *der, struct slice slice) {
    field[0] = (uint32_t)(slice.at - der);
    field[1] = (uint32_t)slice.length;
}

int phonetrust_certificate(const uint8_t *der, size_t length, uint32_t *fields, size_t capacity) {
    if (length > PHONETRUST_MAXIMUM_LENGTH)
        return PHONETRUST_ERROR_ARGUMENT;
    if (capacity < PHONETRUST_CERTIFICATE_FIELDS)
        return PHONETRUST_ERROR_SPACE;
    struct certificate certificate;
    int result = certificate_read(der, length, &certificate);
    if (result != 0)
        return result;
    put(fields + PHONETRUST_CERTIFICATE_ISSUER, der, certificate.issuer.der);
    put(fields + PHONETRUST_CERTIFICATE_SUBJECT, der, certificate.subject.der);
    put(fields + PHONETRUST_CERTIFICATE_SERIAL, der, certificate.serial);
    put(fields + PHONETRUST_CERTIFICATE_PUBLIC_KEY, der, certificate.public_key);
    put(fields + PHONETRUST_CERTIFICATE_RECORD_KEY, der, certificate.record_key);
    put(fields + PHONETRUST_CERTIFICATE_SIGNATURE, der, certificate.signature);
    put(fields + PHONETRUST_CERTIFICATE_NOT_BEFORE, der, certificate.not_before);
    put(fields + PHONETRUST_CERTIFICATE_NOT_AFTER, der, certificate.not_after);
    put(fields + PHONETRUST_CERTIFICATE_SIGNATURE_ALGORITHM, der, certificate.signature_algorithm);
    fields[PHONETRUST_CERTIFICATE_KEY_KIND] = certificate.key_kind;
    fields[PHONETRUST_CERTIFICATE_KEY_BITS] = certificate.key_bits;
    return PHONETRUST_CERTIFICATE_FIELDS;
}
