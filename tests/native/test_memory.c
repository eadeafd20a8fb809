/* SPDX-License-Identifier: MIT */
/* No memory: each allocation of a call fails in turn. The call says so, and frees what it had. */
#include "harness.h"

static uint8_t out[PHONETRUST_PRIVATE_KEY_SIZE];
static const uint8_t digest[PHONETRUST_DIGEST_SIZE] = {1, 2, 3};
static struct bytes certificate;
static struct bytes key;

static int run_digest(void) { return phonetrust_digest(PHONETRUST_SHA512, digest, 3, 1, 1, out, sizeof out); }

static int run_verify(void) {
    uint8_t signature[256] = {1};
    return phonetrust_verify(certificate.at, certificate.length, 1, digest, 20, signature, sizeof signature);
}

static int run_public_key(void) { return phonetrust_public_key(key.at, key.length, out, sizeof out); }

static int run_sign(void) {
    return phonetrust_sign(key.at, key.length, PHONETRUST_SHA256, digest, 32, NULL, NULL, out, sizeof out);
}

static int run_make_key(void) {
    return phonetrust_make_key(PHONETRUST_KEY_EC, 256, NULL, NULL, out, sizeof out);
}

static int run_sign_pss(void) {
    return phonetrust_sign_tls(key.at, key.length, PHONETRUST_RSA_PSS, PHONETRUST_SHA256, digest, 32, NULL,
                               NULL, out, sizeof out);
}

static int run_unwrap(void) {
    uint8_t wrapped[256] = {0, 1};
    return phonetrust_unwrap_key(key.at, key.length, wrapped, sizeof wrapped, NULL, NULL, out, 16);
}

/* mbedTLS names some failed allocations by what it could not do for them (phonetrust.h says so). */
static bool is_for_want_of_memory(int result) {
    return result == PHONETRUST_ERROR_MEMORY || result == PHONETRUST_ERROR_MALFORMED ||
           result == PHONETRUST_ERROR_KEY;
}

static bool is_usual(int result, int usual) { return usual < 0 ? result == usual : result >= 0; }

/* Each allocation of it fails in turn: how often it said ERROR_MEMORY; -1 where it answered something else.
 * Where mbedTLS gets along without the memory, the answer is the usual one. */
static int said(int (*run)(void), int usual) {
    int count = 0;
    for (size_t successes = 0;; successes++) {
        fail_allocation(successes);
        int result = run();
        if (!fail_allocation(SIZE_MAX))
            return is_usual(result, usual) ? count : -1;
        if (!is_for_want_of_memory(result) && !is_usual(result, usual))
            return -1;
        count += result == PHONETRUST_ERROR_MEMORY;
    }
}

TEST(no_memory_is_said_and_nothing_leaks) {
    CHECK_EQUAL(said(run_digest, 0), 2);
    certificate = record_certificate("itl-base.tlv", 0);
    CHECK(said(run_verify, PHONETRUST_ERROR_SIGNATURE) > 0);
    bytes_free(certificate);
    key = read_vector("lsc.key.der");
    CHECK(said(run_public_key, 0) >= 0);
    CHECK(said(run_sign, 0) >= 0);
    CHECK(said(run_sign_pss, 0) >= 0);
    CHECK(said(run_unwrap, 0) >= 0);
    bytes_free(key);
    CHECK(said(run_make_key, 0) > 0);
    int length = run_make_key();
    key = bytes_of(out, (size_t)length);
    length = run_public_key();
    certificate = certificate_around(out, (size_t)length);
    CHECK(said(run_public_key, 0) >= 0);
    CHECK(said(run_sign, 0) >= 0);
    CHECK(said(run_verify, PHONETRUST_ERROR_SIGNATURE) > 0);
    bytes_free(certificate);
    bytes_free(key);
}
