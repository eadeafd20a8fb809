/* SPDX-License-Identifier: MIT */
/* phonetrust_check_records: a record's copy of an EC point, which may be written in two forms. */
#include "harness.h"

static uint32_t rows[PHONETRUST_RECORD_ROW];
static uint32_t fault[2];

/* A record of this PUBLICKEY and a certificate with this SubjectPublicKeyInfo. */
static int record_keyed(const char *key_info, const char *copy) {
    struct bytes info = bytes_from_hex(key_info);
    struct bytes certificate = certificate_around(info.at, info.length);
    struct bytes key = bytes_from_hex(copy);
    uint8_t record[600] = {1, 0, 2, 0, 0, 7, 0, (uint8_t)key.length};
    size_t length = 8 + key.length;
    if (key.length != 0)
        memcpy(record + 8, key.at, key.length);
    memcpy(record + length, (uint8_t[]){9, (uint8_t)(certificate.length >> 8), (uint8_t)certificate.length},
           3);
    memcpy(record + length + 3, certificate.at, certificate.length);
    length += 3 + certificate.length;
    record[3] = (uint8_t)(length >> 8);
    record[4] = (uint8_t)length;
    struct bytes file = bytes_of(record, length);
    int result = phonetrust_check_records(file.at, file.length, 0, rows, 1, fault);
    bytes_free(file);
    bytes_free(key);
    bytes_free(certificate);
    bytes_free(info);
    return result;
}

/* The generator of P-256 (FIPS 186-4, D.1.2.3), whole and compressed; its y is odd. */
#define X "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define Y "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define Y_OF_ANOTHER "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f7"
#define P256 "3013 06072a8648ce3d0201 06082a8648ce3d030107"
#define WHOLE "3059" P256 "0342 00 04" X Y
#define COMPRESSED "3039" P256 "0322 00 03" X

TEST(a_point_in_its_other_form_is_left_to_the_careful_reader) {
    static const struct {
        const char *key;
        const char *copy;
        int result;
        uint32_t flag;
    } keys[] = {
        {WHOLE, "04" X Y, 1, 0},
        {COMPRESSED, "03" X, 1, 0},
        {COMPRESSED, "04" X Y, 1, PHONETRUST_RECORD_POINT_OPEN},
        {WHOLE, "03" X, 1, PHONETRUST_RECORD_POINT_OPEN},
        {COMPRESSED, "04" X Y_OF_ANOTHER, 1, PHONETRUST_RECORD_POINT_OPEN}, /* only its parity is looked at */
        {COMPRESSED, "02" X, PHONETRUST_ERROR_MISMATCH, 0},
        {WHOLE, "02" X, PHONETRUST_ERROR_MISMATCH, 0},
        {COMPRESSED, "06" X Y, PHONETRUST_ERROR_MISMATCH, 0},
        {WHOLE, "05" X, PHONETRUST_ERROR_MISMATCH, 0},
        {COMPRESSED, "04" Y X, PHONETRUST_ERROR_MISMATCH, 0},
        {COMPRESSED, "04" X Y "00", PHONETRUST_ERROR_MISMATCH, 0},
        {COMPRESSED, "", PHONETRUST_ERROR_MISMATCH, 0},
        {COMPRESSED, "04", PHONETRUST_ERROR_MISMATCH, 0},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        CHECK_EQUAL(record_keyed(keys[i].key, keys[i].copy), keys[i].result);
        if (keys[i].result == 1)
            CHECK_EQUAL(rows[PHONETRUST_RECORD_FLAGS] & PHONETRUST_RECORD_POINT_OPEN, keys[i].flag);
        else
            CHECK_EQUAL(fault[0], 7);
    }
    /* only EC keys have two forms */
    CHECK_EQUAL(record_keyed("300c 3005 06032b6570 0303 00 0301", "040101"), PHONETRUST_ERROR_MISMATCH);
}
