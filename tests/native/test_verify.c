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

/* One ECDSA signature, and what is needed to verify it. */
struct ecdsa {
    struct bytes certificate;
    uint8_t digest[32];
    uint8_t signature[PHONETRUST_SIGNATURE_SIZE];
    size_t length;
};

/* A new key and one signature of `wanted` bytes: 70 where neither number needs a zero byte in front. */
static struct ecdsa ecdsa_signature(size_t wanted) {
    static uint8_t private_key[PHONETRUST_PRIVATE_KEY_SIZE];
    static uint8_t public_key[PHONETRUST_PUBLIC_KEY_SIZE];
    struct ecdsa made = {.digest = {1, 2, 3}};
    int size =
        phonetrust_make_key(PHONETRUST_KEY_EC, 256, NULL, NULL, private_key, PHONETRUST_PRIVATE_KEY_SIZE);
    int length = phonetrust_public_key(private_key, (size_t)size, public_key, PHONETRUST_PUBLIC_KEY_SIZE);
    made.certificate = certificate_around(public_key, (size_t)length);
    do
        made.length = (size_t)phonetrust_sign(private_key, (size_t)size, PHONETRUST_SHA256, made.digest, 32,
                                              NULL, NULL, made.signature, sizeof made.signature);
    while (made.length != wanted);
    return made;
}

static int verify_ecdsa(const struct ecdsa *made, const uint8_t *signature, size_t length) {
    struct bytes exact = bytes_of(signature, length);
    int result = phonetrust_verify(made->certificate.at, made->certificate.length, PHONETRUST_SHA256,
                                   made->digest, 32, exact.at, exact.length);
    bytes_free(exact);
    return result;
}

TEST(an_ecdsa_signature_has_one_encoding) {
    struct ecdsa made = ecdsa_signature(70); /* 30 44  02 20 r  02 20 s */
    uint8_t other[80];
    CHECK_EQUAL(verify_ecdsa(&made, made.signature, 70), 0);
    for (size_t length = 0; length < 70; length++) /* cut off */
        CHECK_EQUAL(verify_ecdsa(&made, made.signature, length), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, made.signature, 70); /* a byte after it */
    other[70] = 0;
    CHECK_EQUAL(verify_ecdsa(&made, other, 71), PHONETRUST_ERROR_SIGNATURE);
    other[1]++; /* and one inside, after s */
    CHECK_EQUAL(verify_ecdsa(&made, other, 71), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, (uint8_t[]){0x30, 0x81, 0x44}, 3); /* a longer form of the same length */
    memcpy(other + 3, made.signature + 2, 68);
    CHECK_EQUAL(verify_ecdsa(&made, other, 71), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, (uint8_t[]){0x30, 0x80}, 2); /* an indefinite one */
    memcpy(other + 2, made.signature + 2, 68);
    memcpy(other + 70, (uint8_t[]){0, 0}, 2);
    CHECK_EQUAL(verify_ecdsa(&made, other, 72), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, (uint8_t[]){0x30, 0x45, 0x02, 0x21, 0x00}, 5); /* a zero byte in front of r */
    memcpy(other + 5, made.signature + 4, 66);
    CHECK_EQUAL(verify_ecdsa(&made, other, 71), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, (uint8_t[]){0x30, 0x45, 0x02, 0x81, 0x20}, 5); /* a longer form of r's length */
    CHECK_EQUAL(verify_ecdsa(&made, other, 71), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, made.signature, 70);
    other[0] = 0x31; /* no SEQUENCE */
    CHECK_EQUAL(verify_ecdsa(&made, other, 70), PHONETRUST_ERROR_SIGNATURE);
    memcpy(other, (uint8_t[]){0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00}, 8); /* r = s = 0 */
    CHECK_EQUAL(verify_ecdsa(&made, other, 8), PHONETRUST_ERROR_SIGNATURE);
    bytes_free(made.certificate);
}

TEST(a_number_without_its_zero_byte_is_negative) {
    struct ecdsa made = ecdsa_signature(71); /* r or s begins with a set bit, and has a zero byte before it */
    size_t at = made.signature[3] == 0x21 ? 4 : 4 + 32 + 2;
    CHECK_EQUAL(verify_ecdsa(&made, made.signature, 71), 0);
    CHECK_EQUAL(made.signature[at], 0);
    uint8_t other[70];
    memcpy(other, made.signature, at);
    memcpy(other + at, made.signature + at + 1, 70 - at);
    other[1]--;
    other[at - 1]--;
    CHECK_EQUAL(verify_ecdsa(&made, other, 70), PHONETRUST_ERROR_SIGNATURE);
    bytes_free(made.certificate);
}
