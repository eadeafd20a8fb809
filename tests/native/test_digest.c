/* SPDX-License-Identifier: MIT */
/* Digests: known answers (FIPS 180-4 examples), cuts, slices, running ones, and what is refused. */
#include "harness.h"

static const struct {
    int algorithm;
    const char *empty;
    const char *abc;
} answers[] = {
    {PHONETRUST_SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {PHONETRUST_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {PHONETRUST_SHA384,
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {PHONETRUST_SHA512,
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f"
     "63b931bd47417a81a538327af927da3e",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f"},
};
#define ANSWERS (sizeof answers / sizeof *answers)

static bool is_hex(const uint8_t *out, int length, const char *hex) {
    struct bytes expected = bytes_from_hex(hex);
    bool same = length == (int)expected.length && memcmp(out, expected.at, expected.length) == 0;
    bytes_free(expected);
    return same;
}

static const uint8_t *const abc = (const uint8_t *)"abc";

TEST(digest_known_answers) {
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    for (size_t i = 0; i < ANSWERS; i++) {
        CHECK(is_hex(out, phonetrust_digest(answers[i].algorithm, abc, 3, 0, 0, out, sizeof out),
                     answers[i].abc));
        CHECK(is_hex(out, phonetrust_digest(answers[i].algorithm, NULL, 0, 0, 0, out, sizeof out),
                     answers[i].empty));
    }
}

TEST(digest_leaves_the_cut_out) {
    const uint8_t *data = (const uint8_t *)"aXYZbc";
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    for (size_t i = 0; i < ANSWERS; i++) {
        int algorithm = answers[i].algorithm;
        CHECK(is_hex(out, phonetrust_digest(algorithm, data, 6, 1, 3, out, sizeof out), answers[i].abc));
        CHECK(is_hex(out, phonetrust_digest(algorithm, abc, 3, 3, 0, out, sizeof out), answers[i].abc));
        CHECK(is_hex(out, phonetrust_digest(algorithm, data, 6, 0, 6, out, sizeof out), answers[i].empty));
    }
}

TEST(digest_refuses_cuts_outside) {
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    static const size_t cuts[][2] = {{4, 0},        {0, 4},        {3, 1},       {2, 2},
                                     {1, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX, 0}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        CHECK_EQUAL(phonetrust_digest(1, abc, 3, cuts[i][0], cuts[i][1], out, sizeof out),
                    PHONETRUST_ERROR_ARGUMENT);
}

TEST(digest_refuses_unknown_algorithms_and_small_buffers) {
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    static const int unknown[] = {0, 5, -1, 255};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_EQUAL(phonetrust_digest(unknown[i], abc, 3, 0, 0, out, sizeof out),
                    PHONETRUST_ERROR_UNSUPPORTED);
        CHECK(phonetrust_digest_new(unknown[i]) == NULL);
    }
    CHECK_EQUAL(phonetrust_digest(PHONETRUST_SHA1, abc, 3, 0, 0, out, 19), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_digest(PHONETRUST_SHA512, abc, 3, 0, 0, out, 63), PHONETRUST_ERROR_SPACE);
}

TEST(digest_running_equals_one_call) {
    struct bytes file = read_vector("load.bin.sgn");
    for (size_t i = 0; i < ANSWERS; i++) {
        uint8_t whole[PHONETRUST_DIGEST_SIZE];
        uint8_t out[PHONETRUST_DIGEST_SIZE];
        int size = phonetrust_digest(answers[i].algorithm, file.at, file.length, 0, 0, whole, sizeof whole);
        struct phonetrust_digest *digest = phonetrust_digest_new(answers[i].algorithm);
        CHECK(digest != NULL);
        size_t step = 1;
        for (size_t offset = 0; offset < file.length; offset += step) { /* pieces of 1, 4, 7 ... bytes */
            step = offset == 0 ? 1 : step + 3;
            size_t piece = step < file.length - offset ? step : file.length - offset;
            CHECK_EQUAL(phonetrust_digest_update(digest, file.at + offset, piece), 0);
        }
        CHECK_EQUAL(phonetrust_digest_final(digest, out, 10), PHONETRUST_ERROR_SPACE);
        CHECK_EQUAL(phonetrust_digest_final(digest, out, sizeof out), size);
        CHECK(memcmp(out, whole, (size_t)size) == 0);
        phonetrust_digest_free(digest);
    }
    bytes_free(file);
}

TEST(digest_running_ends_once) {
    uint8_t out[PHONETRUST_DIGEST_SIZE];
    struct phonetrust_digest *digest = phonetrust_digest_new(PHONETRUST_SHA256);
    CHECK_EQUAL(phonetrust_digest_final(digest, out, sizeof out), 32);
    CHECK_EQUAL(phonetrust_digest_final(digest, out, sizeof out), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_digest_update(digest, abc, 3), PHONETRUST_ERROR_ARGUMENT);
    phonetrust_digest_free(digest);
    CHECK_EQUAL(phonetrust_digest_update(NULL, abc, 3), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_digest_final(NULL, out, sizeof out), PHONETRUST_ERROR_ARGUMENT);
    phonetrust_digest_free(NULL);
}

TEST(error_names) {
    static const char *const names[] = {"ok",      "argument",    "malformed", "mismatch",
                                        "space",   "unsupported", "signature", "memory",
                                        "decrypt", "key",         "random"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        CHECK(strcmp(phonetrust_error_name(-i), names[i]) == 0);
    CHECK(strcmp(phonetrust_error_name(63), "ok") == 0);
    CHECK(strcmp(phonetrust_error_name(-1000), "unknown") == 0);
    CHECK_EQUAL(phonetrust_abi(), PHONETRUST_ABI);
}
