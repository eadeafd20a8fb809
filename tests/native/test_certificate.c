/* SPDX-License-Identifier: MIT */
/* Certificates: fields of real ones, every truncation, and DER that is only almost right. */
#include "harness.h"

static uint32_t fields[PHONETRUST_CERTIFICATE_FIELDS];

static int read(struct bytes der) {
    return phonetrust_certificate(der.at, der.length, fields, PHONETRUST_CERTIFICATE_FIELDS);
}

/* Read with these bytes in place of as many at `offset`. */
static int read_with(struct bytes der, size_t offset, const void *patch, size_t length) {
    struct bytes copy = bytes_of(der.at, der.length);
    memcpy(copy.at + offset, patch, length);
    int result = read(copy);
    bytes_free(copy);
    return result;
}

TEST(certificate_fields_of_a_vector) {
    struct bytes der = record_certificate("itl-base.tlv", 1);
    CHECK_EQUAL(read(der), PHONETRUST_CERTIFICATE_FIELDS);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_SERIAL + 1], 20);
    CHECK_EQUAL(der.at[fields[PHONETRUST_CERTIFICATE_SERIAL]], 0x75);
    CHECK_EQUAL(der.at[fields[PHONETRUST_CERTIFICATE_ISSUER]], 0x30);
    CHECK_EQUAL(der.at[fields[PHONETRUST_CERTIFICATE_SUBJECT]], 0x30);
    CHECK_EQUAL(der.at[fields[PHONETRUST_CERTIFICATE_PUBLIC_KEY]], 0x30);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_PUBLIC_KEY + 1], 294);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_RECORD_KEY + 1], 270);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_SIGNATURE + 1], 256);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_SIGNATURE] + 256, der.length);
    CHECK(memcmp(der.at + fields[PHONETRUST_CERTIFICATE_NOT_BEFORE], "260101000000Z", 13) == 0);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_NOT_AFTER + 1], 13);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_SIGNATURE_ALGORITHM + 1], 9);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_KEY_KIND], PHONETRUST_KEY_RSA);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_KEY_BITS], 2048);
    bytes_free(der);
}

TEST(certificate_truncated_anywhere_is_malformed) {
    struct bytes der = record_certificate("itl-base.tlv", 0);
    for (size_t length = 0; length < der.length; length++) {
        struct bytes part = bytes_of(der.at, length);
        CHECK_EQUAL(read(part), PHONETRUST_ERROR_MALFORMED);
        bytes_free(part);
    }
    bytes_free(der);
}

TEST(certificate_with_bytes_after_it_is_malformed) {
    struct bytes der = record_certificate("itl-base.tlv", 0);
    uint8_t *longer = malloc(der.length + 1);
    memcpy(longer, der.at, der.length);
    longer[der.length] = 0;
    struct bytes wrong = {longer, der.length + 1};
    CHECK_EQUAL(read(wrong), PHONETRUST_ERROR_MALFORMED);
    bytes_free(wrong);
    bytes_free(der);
}

/* Any byte another: never a crash, and fields that lie inside where it still reads. */
TEST(certificate_with_any_byte_changed_stays_in_bounds) {
    struct bytes der = record_certificate("itl-base.tlv", 1);
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < der.length * sizeof changes; i++) {
        uint8_t changed = der.at[i / sizeof changes] ^ changes[i % sizeof changes];
        int result = read_with(der, i / sizeof changes, &changed, 1);
        CHECK(result == PHONETRUST_CERTIFICATE_FIELDS || result == PHONETRUST_ERROR_MALFORMED);
        for (size_t field = 0; result > 0 && field < PHONETRUST_CERTIFICATE_KEY_KIND; field += 2)
            CHECK(fields[field] <= der.length && fields[field + 1] <= der.length - fields[field]);
    }
    bytes_free(der);
}

TEST(certificate_room_is_checked) {
    struct bytes der = record_certificate("itl-base.tlv", 0);
    CHECK_EQUAL(phonetrust_certificate(der.at, der.length, fields, 19), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_certificate(der.at, (size_t)PHONETRUST_MAXIMUM_LENGTH + 1, fields, 20),
                PHONETRUST_ERROR_ARGUMENT);
    bytes_free(der);
}

TEST(certificate_key_kinds) {
    static const struct {
        const char *public_key;
        int result;
        uint32_t kind;
        uint32_t bits;
    } keys[] = {
        {"301b 300d 06092a864886f70d010101 0500 030a 00 3007 0202 4001 0201 03", 20, PHONETRUST_KEY_RSA, 15},
        {"301c 300d 06092a864886f70d010101 0500 030b 00 3008 0203 00c001 0201 03", 20, PHONETRUST_KEY_RSA,
         16},
        {"301c 300d 06092a864886f70d010101 0500 030b 01 3008 0203 00c001 0201 03", -2, 0,
         0}, /* unused bits */
        {"301c 300d 06092a864886f70d010101 0500 030b 00 3008 0203 004001 0201 03", -2, 0,
         0}, /* needless zero */
        {"301c 300d 06092a864886f70d010101 0500 030b 00 3007 0203 00c001 0201 03", -2, 0,
         0}, /* ends too soon */
        {"3013 300d 06092a864886f70d010101 0500 0302 00 30", -2, 0, 0},
        {"301b 3013 06072a8648ce3d0201 06082a8648ce3d030107 0304 00 040102", 20, PHONETRUST_KEY_EC, 256},
        {"3018 3010 06072a8648ce3d0201 06052b81040022 0304 00 040102", 20, PHONETRUST_KEY_EC, 384},
        {"3018 3010 06072a8648ce3d0201 06052b81040023 0304 00 040102", 20, PHONETRUST_KEY_EC, 521},
        {"3018 3010 06072a8648ce3d0201 06052b8104000a 0304 00 040102", 20, PHONETRUST_KEY_OTHER, 0},
        {"300d 3005 06032b6570 0304 00 010203", 20, PHONETRUST_KEY_OTHER, 0},
        {"300c 3005 06032b6570 0303 00 0102 05", -2, 0, 0},
        {"300b 3003 3001 00 0304 00 010203", -2, 0, 0},

    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct bytes public_key = bytes_from_hex(keys[i].public_key);
        struct bytes der = certificate_around(public_key.at, public_key.length);
        CHECK_EQUAL(read(der), keys[i].result);
        if (keys[i].result > 0) {
            CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_KEY_KIND], keys[i].kind);
            CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_KEY_BITS], keys[i].bits);
            CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_PUBLIC_KEY + 1], public_key.length);
        }
        bytes_free(der);
        bytes_free(public_key);
    }
}

TEST(certificate_of_der_only) {
    struct bytes der = certificate_named("3000");
    CHECK_EQUAL(read(der), PHONETRUST_CERTIFICATE_FIELDS);
    CHECK_EQUAL(fields[PHONETRUST_CERTIFICATE_SERIAL + 1], 1);
    size_t serial = fields[PHONETRUST_CERTIFICATE_SERIAL];
    size_t from = fields[PHONETRUST_CERTIFICATE_NOT_BEFORE];
    CHECK_EQUAL(read_with(der, serial - 1, "\x00", 1), PHONETRUST_ERROR_MALFORMED); /* no bytes */
    CHECK_EQUAL(read_with(der, serial - 1, "\x81", 1), PHONETRUST_ERROR_MALFORMED); /* BER: long form */
    CHECK_EQUAL(read_with(der, serial - 1, "\x80", 1), PHONETRUST_ERROR_MALFORMED); /* BER: indefinite */
    CHECK_EQUAL(read_with(der, serial - 2, "\x04", 1), PHONETRUST_ERROR_MALFORMED); /* another type */
    CHECK_EQUAL(read_with(der, from, "2x", 2), PHONETRUST_ERROR_MALFORMED);         /* no number */
    CHECK_EQUAL(read_with(der, from + 2, "13", 2), PHONETRUST_ERROR_MALFORMED);     /* no month */
    CHECK_EQUAL(read_with(der, from + 2, "00", 2), PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(read_with(der, from + 4, "32", 2), PHONETRUST_ERROR_MALFORMED);   /* no day */
    CHECK_EQUAL(read_with(der, from + 6, "24", 2), PHONETRUST_ERROR_MALFORMED);   /* no hour */
    CHECK_EQUAL(read_with(der, from + 10, "60", 2), PHONETRUST_ERROR_MALFORMED);  /* no second */
    CHECK_EQUAL(read_with(der, from + 12, "+", 1), PHONETRUST_ERROR_MALFORMED);   /* no UTC */
    CHECK_EQUAL(read_with(der, from - 2, "\x18", 1), PHONETRUST_ERROR_MALFORMED); /* too short for its type */
    CHECK_EQUAL(read_with(der, from + 2, "12", 2), PHONETRUST_CERTIFICATE_FIELDS);
    bytes_free(der);
}

TEST(certificate_ends_where_it_says) {
    struct bytes der = record_certificate("itl-base.tlv", 0);
    uint8_t length = (uint8_t)(der.at[3] - 1);
    CHECK_EQUAL(read_with(der, 3, &length, 1), PHONETRUST_ERROR_MALFORMED);
    bytes_free(der);
    der = certificate_named("3000"); /* 30 xx ... 03 02 00 55, made to end in a BIT STRING of no bytes */
    der.length -= 2;
    struct bytes shorter = bytes_of(der.at, der.length);
    shorter.at[1] = (uint8_t)(shorter.at[1] - 2);
    shorter.at[shorter.length - 1] = 0;
    CHECK_EQUAL(read(shorter), PHONETRUST_ERROR_MALFORMED);
    bytes_free(shorter);
    bytes_free(der);
}

TEST(certificate_versions) {
    struct bytes der = record_certificate("itl-base.tlv", 0);
    CHECK(memcmp(der.at + 8, "\xA0\x03\x02\x01\x02", 5) == 0);
    CHECK_EQUAL(read_with(der, 12, "\1", 1), PHONETRUST_CERTIFICATE_FIELDS); /* version 2 */
    static const uint8_t others[] = {0, 3, 255};
    for (size_t i = 0; i < sizeof others; i++)
        CHECK_EQUAL(read_with(der, 12, others + i, 1), PHONETRUST_ERROR_MALFORMED);
    bytes_free(der);
}
