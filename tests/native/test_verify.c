/* SPDX-License-Identifier: MIT */
/* Verification: every signed vector with its signer's certificate, and the ways not to verify. */
#include "harness.h"

static uint32_t rows[PHONETRUST_TLV_ROW * 200];
static uint32_t fault[2];

struct signed_file {
    struct bytes file;
    int algorithm;
    uint8_t digest[PHONETRUST_DIGEST_SIZE];
    size_t digest_length;
    const uint8_t *signature;
    size_t signature_length;
};

static struct signed_file open_signed(const char *name) {
    struct signed_file found = {.file = read_vector(name)};
    int count = phonetrust_header_index(found.file.at, found.file.length, rows, 200, fault);
    size_t offset = 0;
    for (int i = 0; i < count; i++) {
        if (rows[3 * i] == 8)
            found.algorithm = found.file.at[rows[3 * i + 1]];
        if (rows[3 * i] == 12) {
            offset = rows[3 * i + 1];
            found.signature_length = rows[3 * i + 2];
        }
    }
    found.signature = found.file.at + offset;
    int size = phonetrust_digest(found.algorithm, found.file.at, found.file.length, offset - 3,
                                 found.signature_length + 3, found.digest, sizeof found.digest);
    found.digest_length = size > 0 ? (size_t)size : 0;
    return found;
}

static int verify(const struct signed_file *file, struct bytes certificate) {
    return phonetrust_verify(certificate.at, certificate.length, file->algorithm, file->digest,
                             file->digest_length, file->signature, file->signature_length);
}

static const struct {
    const char *name;
    const char *list; /* the list that has the signer's certificate */
    size_t record;
    int algorithm;
} signed_by[] = {
    {"itl-base.tlv", "itl-base.tlv", 0, PHONETRUST_SHA1},
    {"itl-sha512.tlv", "itl-base.tlv", 0, PHONETRUST_SHA512},
    {"itl-1024.tlv", "itl-1024.tlv", 0, PHONETRUST_SHA1},
    {"itl-4096.tlv", "itl-4096.tlv", 0, PHONETRUST_SHA512},
    {"ctl-mixed.tlv", "itl-base.tlv", 0, PHONETRUST_SHA512},
    {"itl-over64k.tlv", "itl-over64k.tlv", 0, PHONETRUST_SHA512},
    {"cfg-sha1.cnf.xml.sgn", "itl-base.tlv", 2, PHONETRUST_SHA1},
    {"cfg-sha512.cnf.xml.sgn", "itl-base.tlv", 2, PHONETRUST_SHA512},
    {"load.bin.sgn", "itl-base.tlv", 2, PHONETRUST_SHA512},
    {"SEP00270DC01C92.cnf.xml.enc.sgn", "itl-base.tlv", 2, PHONETRUST_SHA512},
};

TEST(signed_vectors_verify) {
    for (size_t i = 0; i < sizeof signed_by / sizeof *signed_by; i++) {
        struct signed_file file = open_signed(signed_by[i].name);
        struct bytes certificate = record_certificate(signed_by[i].list, signed_by[i].record);
        CHECK_EQUAL(file.algorithm, signed_by[i].algorithm);
        CHECK_EQUAL(verify(&file, certificate), 0);
        bytes_free(certificate);
        bytes_free(file.file);
    }
}

TEST(damaged_vectors_do_not_verify) {
    static const char *const names[] = {"bad-body-bit.tlv", "bad-signature-bit.tlv"};
    struct bytes certificate = record_certificate("itl-base.tlv", 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct signed_file file = open_signed(names[i]);
        CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_SIGNATURE);
        bytes_free(file.file);
    }
    bytes_free(certificate);
}

TEST(another_certificate_does_not_verify) {
    struct signed_file file = open_signed("itl-base.tlv");
    for (size_t record = 1; record < 5; record++) {
        struct bytes certificate = record_certificate("itl-base.tlv", record);
        CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_SIGNATURE);
        bytes_free(certificate);
    }
    bytes_free(file.file);
}

TEST(signature_of_another_length_does_not_verify) {
    struct signed_file file = open_signed("itl-base.tlv");
    struct bytes certificate = record_certificate("itl-base.tlv", 0);
    static const size_t lengths[] = {0, 1, 128, 255};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes signature = bytes_of(file.signature, lengths[i]);
        CHECK_EQUAL(phonetrust_verify(certificate.at, certificate.length, file.algorithm, file.digest,
                                      file.digest_length, signature.at, signature.length),
                    PHONETRUST_ERROR_SIGNATURE);
        bytes_free(signature);
    }
    uint8_t longer[257] = {0}; /* the same number with a zero byte in front */
    memcpy(longer + 1, file.signature, 256);
    CHECK_EQUAL(phonetrust_verify(certificate.at, certificate.length, file.algorithm, file.digest,
                                  file.digest_length, longer, sizeof longer),
                PHONETRUST_ERROR_SIGNATURE);
    bytes_free(certificate);
    bytes_free(file.file);
}

TEST(digest_must_be_as_long_as_its_algorithm_says) {
    struct signed_file file = open_signed("itl-base.tlv");
    struct bytes certificate = record_certificate("itl-base.tlv", 0);
    file.digest_length = 19;
    CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_ARGUMENT);
    file.digest_length = 20;
    file.algorithm = PHONETRUST_SHA256;
    CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_ARGUMENT);
    file.digest_length = 32; /* the right length, another DigestInfo */
    CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_SIGNATURE);
    file.algorithm = 9;
    CHECK_EQUAL(verify(&file, certificate), PHONETRUST_ERROR_UNSUPPORTED);
    bytes_free(certificate);
    bytes_free(file.file);
}

TEST(keys_of_other_kinds_and_sizes_are_unsupported) {
    static const struct {
        const char *public_key;
        int result;
    } keys[] = {
        {"300d 3005 06032b6570 0304 00 010203", PHONETRUST_ERROR_UNSUPPORTED},
        {"301c 300d 06092a864886f70d010101 0500 030b 00 3008 0203 00c001 0201 03",
         PHONETRUST_ERROR_UNSUPPORTED},
        {"301b 3013 06072a8648ce3d0201 06082a8648ce3d030107 0304 00 040102",
         PHONETRUST_ERROR_MALFORMED}, /* no point */
        {"3018 3010 06072a8648ce3d0201 06052b8104000a 0304 00 040102", PHONETRUST_ERROR_UNSUPPORTED},
    };
    struct signed_file file = open_signed("itl-base.tlv");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct bytes public_key = bytes_from_hex(keys[i].public_key);
        struct bytes certificate = certificate_around(public_key.at, public_key.length);
        CHECK_EQUAL(verify(&file, certificate), keys[i].result);
        bytes_free(certificate);
        bytes_free(public_key);
    }
    bytes_free(file.file);
}
