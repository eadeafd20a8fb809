/* SPDX-License-Identifier: MIT */
/* The phone's own key: making, signing, unwrapping, and what happens when random bytes are bad or missing. */
#include "harness.h"

static uint8_t private_key[PHONETRUST_PRIVATE_KEY_SIZE];
static uint8_t public_key[PHONETRUST_PUBLIC_KEY_SIZE];
static uint8_t signature[PHONETRUST_SIGNATURE_SIZE];
static const uint8_t digest[PHONETRUST_DIGEST_SIZE] = {1, 2, 3};

static int no_random(void *context, unsigned char *out, size_t length) {
    (void)out;
    (void)length;
    ++*(int *)context;
    return -1;
}

/* Repeatable bytes (xorshift32), so that two calls can be compared. */
static int repeatable(void *context, unsigned char *out, size_t length) {
    uint32_t *state = context;
    for (size_t i = 0; i < length; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        out[i] = (uint8_t)*state;
    }
    return 0;
}

static const struct {
    int kind;
    int bits;
} kinds[] = {
    {PHONETRUST_KEY_RSA, 1024},
    {PHONETRUST_KEY_EC, 256},
    {PHONETRUST_KEY_EC, 384},
    {PHONETRUST_KEY_EC, 521},
};

TEST(made_keys_sign_what_their_public_half_verifies) {
    static const struct {
        int algorithm;
        size_t length;
    } digests[] = {
        {PHONETRUST_SHA1, 20}, {PHONETRUST_SHA256, 32}, {PHONETRUST_SHA384, 48}, {PHONETRUST_SHA512, 64}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int private_length =
            phonetrust_make_key(kinds[i].kind, kinds[i].bits, NULL, NULL, private_key, sizeof private_key);
        CHECK(private_length > 0);
        struct bytes key = bytes_of(private_key, (size_t)private_length);
        int public_length = phonetrust_public_key(key.at, key.length, public_key, sizeof public_key);
        CHECK(public_length > 0);
        struct bytes certificate = certificate_around(public_key, (size_t)public_length);
        for (size_t j = 0; j < 4; j++) {
            int length = phonetrust_sign(key.at, key.length, digests[j].algorithm, digest, digests[j].length,
                                         NULL, NULL, signature, sizeof signature);
            CHECK(length > 0);
            struct bytes exact = bytes_of(signature, (size_t)length);
            CHECK_EQUAL(phonetrust_verify(certificate.at, certificate.length, digests[j].algorithm, digest,
                                          digests[j].length, exact.at, exact.length),
                        0);
            exact.at[exact.length - 1] ^= 1;
            CHECK_EQUAL(phonetrust_verify(certificate.at, certificate.length, digests[j].algorithm, digest,
                                          digests[j].length, exact.at, exact.length),
                        PHONETRUST_ERROR_SIGNATURE);
            bytes_free(exact);
        }
        bytes_free(certificate);
        bytes_free(key);
    }
}

TEST(keys_of_other_kinds_and_sizes_are_not_made) {
    static const int wrong[][2] = {{0, 2048}, {1, 0},   {1, 512}, {1, 1000}, {1, 1025}, {1, 8192}, {1, -1024},
                                   {2, 0},    {2, 192}, {2, 255}, {2, 512},  {3, 256},  {-1, 256}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQUAL(
            phonetrust_make_key(wrong[i][0], wrong[i][1], NULL, NULL, private_key, sizeof private_key),
            PHONETRUST_ERROR_UNSUPPORTED);
}

TEST(small_buffers_are_refused) {
    for (size_t capacity = 0; capacity < 100; capacity += 33) {
        struct bytes out = {malloc(capacity + 1), capacity};
        CHECK_EQUAL(phonetrust_make_key(PHONETRUST_KEY_EC, 256, NULL, NULL, out.at, out.length),
                    PHONETRUST_ERROR_SPACE);
        bytes_free(out);
    }
    int length = phonetrust_make_key(PHONETRUST_KEY_EC, 256, NULL, NULL, private_key, sizeof private_key);
    CHECK_EQUAL(phonetrust_public_key(private_key, (size_t)length, public_key, 90), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_public_key(private_key, (size_t)length, public_key, 91), 91);
    CHECK_EQUAL(phonetrust_sign(private_key, (size_t)length, 2, digest, 32, NULL, NULL, signature, 8),
                PHONETRUST_ERROR_SPACE);
}

TEST(no_random_bytes_is_an_error_of_its_own) {
    int calls = 0;
    CHECK_EQUAL(
        phonetrust_make_key(PHONETRUST_KEY_EC, 256, no_random, &calls, private_key, sizeof private_key),
        PHONETRUST_ERROR_RANDOM);
    CHECK_EQUAL(
        phonetrust_make_key(PHONETRUST_KEY_RSA, 1024, no_random, &calls, private_key, sizeof private_key),
        PHONETRUST_ERROR_RANDOM);
    struct bytes key = read_vector("lsc.key.der");
    CHECK_EQUAL(
        phonetrust_sign(key.at, key.length, 2, digest, 32, no_random, &calls, signature, sizeof signature),
        PHONETRUST_ERROR_RANDOM);
    for (int scheme = PHONETRUST_RSA_PKCS1; scheme <= PHONETRUST_RSA_PSS; scheme++)
        CHECK_EQUAL(phonetrust_sign_tls(key.at, key.length, scheme, 2, digest, 32, no_random, &calls,
                                        signature, sizeof signature),
                    PHONETRUST_ERROR_RANDOM);
    uint8_t wrapped[256] = {0};
    uint8_t out[16];
    CHECK_EQUAL(phonetrust_unwrap_key(key.at, key.length, wrapped, 256, no_random, &calls, out, 16),
                PHONETRUST_ERROR_RANDOM);
    CHECK_EQUAL(calls, 6);
    bytes_free(key);
}

TEST(bare_digest_is_padded_and_nothing_else) {
    struct bytes key = read_vector("lsc.key.der");
    int public_length = phonetrust_public_key(key.at, key.length, public_key, sizeof public_key);
    CHECK_EQUAL(public_length, 294);
    struct bytes certificate = certificate_around(public_key, (size_t)public_length);
    CHECK_EQUAL(
        phonetrust_sign(key.at, key.length, PHONETRUST_BARE_DIGEST, digest, 20, NULL, NULL, signature, 512),
        256);
    CHECK_EQUAL(
        phonetrust_verify(certificate.at, certificate.length, PHONETRUST_SHA1, digest, 20, signature, 256),
        PHONETRUST_ERROR_SIGNATURE);
    /* A DigestInfo handed in as the bare bytes gives the signature with a DigestInfo: the padding is the
     * same. */
    struct bytes info =
        bytes_from_hex("3021300906052b0e03021a05000414 0102030000000000000000000000000000000000");
    CHECK_EQUAL(phonetrust_sign(key.at, key.length, 0, info.at, info.length, NULL, NULL, signature, 512),
                256);
    CHECK_EQUAL(
        phonetrust_verify(certificate.at, certificate.length, PHONETRUST_SHA1, digest, 20, signature, 256),
        0);
    CHECK_EQUAL(phonetrust_sign(key.at, key.length, 0, digest, 0, NULL, NULL, signature, 512),
                PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_sign(key.at, key.length, 0, digest, 65, NULL, NULL, signature, 512),
                PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_sign(key.at, key.length, 2, digest, 20, NULL, NULL, signature, 512),
                PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_sign(key.at, key.length, 7, digest, 20, NULL, NULL, signature, 512),
                PHONETRUST_ERROR_UNSUPPORTED);
    bytes_free(info);
    bytes_free(certificate);
    bytes_free(key);
}

TEST(unreadable_private_keys_are_refused) {
    struct bytes key = read_vector("lsc.key.der");
    for (size_t length = 0; length < key.length; length += 13) {
        struct bytes part = bytes_of(key.at, length);
        CHECK_EQUAL(phonetrust_public_key(part.at, part.length, public_key, sizeof public_key),
                    PHONETRUST_ERROR_KEY);
        bytes_free(part);
    }
    bytes_free(key);
}

struct encrypted {
    struct bytes file;
    struct bytes wrapped;
    uint8_t iv[16];
    size_t padding;
    const uint8_t *plain_digest;
    const uint8_t *body;
    size_t body_length;
};

static struct encrypted open_encrypted(void) {
    struct encrypted found = {.file = read_vector("SEP00270DC01C92.cnf.xml.enc.sgn")};
    uint32_t rows[PHONETRUST_TLV_ROW * 100];
    uint32_t fault[2];
    int count = phonetrust_header_index(found.file.at, found.file.length, rows, 100, fault);
    for (int i = 0; i < count; i++) {
        const uint8_t *value = found.file.at + rows[3 * i + 1];
        if (rows[3 * i] == 19)
            memcpy(found.iv, value, sizeof found.iv);
        if (rows[3 * i] == 20)
            found.padding = (size_t)value[0] << 8 | value[1];
        if (rows[3 * i] == 25)
            found.wrapped = bytes_of(value, rows[3 * i + 2]);
        if (rows[3 * i] == 27)
            found.plain_digest = value;
    }
    size_t header = header_length(found.file);
    found.body = found.file.at + header;
    found.body_length = found.file.length - header;
    return found;
}

static void close_encrypted(struct encrypted found) {
    bytes_free(found.wrapped);
    bytes_free(found.file);
}

TEST(encrypted_configuration_is_decrypted_in_pieces) {
    struct encrypted file = open_encrypted();
    struct bytes key = read_vector("lsc.key.der");
    struct bytes expected = read_vector("SEP00270DC01C92.cnf.xml");
    uint8_t aes[16];
    CHECK_EQUAL(
        phonetrust_unwrap_key(key.at, key.length, file.wrapped.at, file.wrapped.length, NULL, NULL, aes, 16),
        0);
    struct bytes plain = bytes_of(file.body, file.body_length);
    size_t piece = 16;
    for (size_t offset = 0; offset < plain.length; offset += piece, piece += 16) {
        if (piece > plain.length - offset)
            piece = plain.length - offset;
        CHECK_EQUAL(phonetrust_decrypt(aes, 16, file.iv, plain.at + offset, piece, plain.at + offset), 0);
    }
    CHECK_EQUAL(plain.length - file.padding, expected.length);
    CHECK(memcmp(plain.at, expected.at, expected.length) == 0);
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    phonetrust_digest(PHONETRUST_SHA512, plain.at, expected.length, 0, 0, out, sizeof out);
    CHECK(memcmp(out, file.plain_digest, sizeof out) == 0);
    bytes_free(plain);
    bytes_free(expected);
    bytes_free(key);
    close_encrypted(file);
}

/* All of these look the same from outside: success, and a key from the random source. */
TEST(wrong_keys_and_paddings_look_the_same) {
    struct encrypted file = open_encrypted();
    struct bytes key = read_vector("lsc.key.der");
    uint8_t right[16];
    CHECK_EQUAL(phonetrust_unwrap_key(key.at, key.length, file.wrapped.at, 256, NULL, NULL, right, 16), 0);
    uint32_t state = 7;
    uint8_t substitute[32];
    repeatable(&state, substitute, sizeof substitute);
    for (int wrong = 0; wrong < 5; wrong++) {
        struct bytes wrapped = bytes_of(file.wrapped.at, 256);
        size_t length = wrong == 3 ? 24 : wrong == 4 ? 32 : 16;
        uint8_t out[32];
        if (wrong == 0)
            wrapped.at[255] ^= 1; /* another padding */
        else if (wrong == 1)
            memset(wrapped.at, 0xFF, 256); /* not below the modulus */
        else if (wrong == 2)
            memset(wrapped.at, 0, 256); /* nothing at all; 3 and 4: a key of another length */
        state = 7;
        CHECK_EQUAL(
            phonetrust_unwrap_key(key.at, key.length, wrapped.at, 256, repeatable, &state, out, length), 0);
        CHECK(memcmp(out, substitute, length) == 0);
        CHECK(memcmp(out, right, 16) != 0);
        bytes_free(wrapped);
    }
    bytes_free(key);
    close_encrypted(file);
}

TEST(unwrap_and_decrypt_check_their_arguments) {
    struct bytes key = read_vector("lsc.key.der");
    uint8_t block[32] = {0};
    uint8_t iv[16] = {0};
    uint8_t out[32];
    CHECK_EQUAL(phonetrust_unwrap_key(key.at, key.length, block, 32, NULL, NULL, out, 16),
                PHONETRUST_ERROR_DECRYPT);
    CHECK_EQUAL(phonetrust_unwrap_key(key.at, key.length, block, 32, NULL, NULL, out, 17),
                PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_unwrap_key(block, 32, block, 32, NULL, NULL, out, 16), PHONETRUST_ERROR_KEY);
    int length = phonetrust_make_key(PHONETRUST_KEY_EC, 256, NULL, NULL, private_key, sizeof private_key);
    CHECK_EQUAL(phonetrust_unwrap_key(private_key, (size_t)length, block, 32, NULL, NULL, out, 16),
                PHONETRUST_ERROR_KEY);
    CHECK_EQUAL(phonetrust_decrypt(block, 16, iv, block, 31, out), PHONETRUST_ERROR_DECRYPT);
    CHECK_EQUAL(phonetrust_decrypt(block, 15, iv, block, 32, out), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_decrypt(block, 16, iv, NULL, 0, NULL), 0);
    bytes_free(key);
}

TEST(decryption_known_answer) { /* NIST SP 800-38A, F.2.2, F.2.4 and F.2.6, first block */
    static const char *const keys[] = {
        "2b7e151628aed2a6abf7158809cf4f3c",
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    };
    static const char *const ciphertexts[] = {
        "7649abac8119b246cee98e9b12e9197d",
        "4f021db243bc633d7178183a9fa071e8",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
    };
    struct bytes expected = bytes_from_hex("6bc1bee22e409f96e93d7e117393172a");
    for (size_t i = 0; i < 3; i++) {
        struct bytes key = bytes_from_hex(keys[i]);
        struct bytes data = bytes_from_hex(ciphertexts[i]);
        struct bytes iv = bytes_from_hex("000102030405060708090a0b0c0d0e0f");
        CHECK_EQUAL(phonetrust_decrypt(key.at, key.length, iv.at, data.at, 16, data.at), 0);
        CHECK(memcmp(data.at, expected.at, 16) == 0);
        bytes_free(iv);
        bytes_free(data);
        bytes_free(key);
    }
    bytes_free(expected);
}
