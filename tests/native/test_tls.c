/* SPDX-License-Identifier: MIT */
/* The TLS client's own side: arguments, states, identity, what it offers, and its bounds. */
#include "harness.h"

static struct bytes client_hello(int flags, const char *name) {
    static uint8_t out[2000];
    struct phonetrust_tls *tls = phonetrust_tls_new(flags);
    if (name != NULL)
        phonetrust_tls_server_name(tls, (const uint8_t *)name, strlen(name));
    int length = phonetrust_tls_send(tls, out, sizeof out);
    phonetrust_tls_free(tls);
    return bytes_of(out, (size_t)length);
}

static bool contains(struct bytes bytes, const void *part, size_t length) {
    for (size_t i = 0; i + length <= bytes.length; i++)
        if (memcmp(bytes.at + i, part, length) == 0)
            return true;
    return false;
}

TEST(tls_null_and_unknown_flags_are_arguments) {
    uint8_t out[10];
    uint32_t facts[PHONETRUST_TLS_FACTS];
    CHECK(phonetrust_tls_new(2) == NULL);
    CHECK(phonetrust_tls_new(-1) == NULL);
    phonetrust_tls_free(NULL);
    CHECK_EQUAL(phonetrust_tls_state(NULL), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_receive(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_send(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_read(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_write(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_cut(NULL), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_close(NULL), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_accept(NULL), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_certificate(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_facts(NULL, facts, PHONETRUST_TLS_FACTS), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_server_name(NULL, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_identity(NULL, out, 1, out, 1), PHONETRUST_ERROR_ARGUMENT);
}

TEST(tls_names_of_servers) {
    static const uint8_t name[256] = "tvs.example";
    struct phonetrust_tls *tls = phonetrust_tls_new(0);
    uint8_t out[1000];
    uint8_t longest[256];
    memset(longest, 'a', sizeof longest);
    CHECK_EQUAL(phonetrust_tls_server_name(tls, name, 0), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_server_name(tls, name, 12), PHONETRUST_ERROR_ARGUMENT); /* with its NUL */
    CHECK_EQUAL(phonetrust_tls_server_name(tls, longest, 256), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_server_name(tls, longest, 255), 0);
    CHECK_EQUAL(phonetrust_tls_server_name(tls, name, 11), 0);
    int length = phonetrust_tls_send(tls, out, sizeof out);
    CHECK_EQUAL(phonetrust_tls_server_name(tls, name, 11), PHONETRUST_ERROR_ARGUMENT);
    phonetrust_tls_free(tls);
    struct bytes hello = bytes_of(out, (size_t)length);
    CHECK(contains(hello, name, 11) && !contains(hello, "aaaa", 4));
    bytes_free(hello);
}

TEST(tls_what_is_offered) {
    /* signature_algorithms: PKCS #1 before ECDSA before PSS */
    static const char schemes[] =
        "\x00\x0d\x00\x14\x00\x12\x04\x01\x05\x01\x06\x01\x04\x03\x05\x03\x06\x03\x08"
        "\x04\x08\x05\x08\x06";
    static const char groups[] = "\x00\x0a\x00\x08\x00\x06\x00\x17\x00\x18\x00\x19";
    static const char suites[] =
        "\x00\x14\x13\x01\x13\x03\x13\x02\xc0\x2b\xc0\x2f\xcc\xa9\xcc\xa8\xc0\x2c\xc0\x30"
        "\x00\xff\x01\x00";
    static const char with_static[] =
        "\x00\x18\x13\x01\x13\x03\x13\x02\xc0\x2b\xc0\x2f\xcc\xa9\xcc\xa8\xc0\x2c"
        "\xc0\x30\x00\x9c\x00\x9d\x00\xff\x01\x00";
    struct bytes hello = client_hello(0, NULL);
    CHECK(contains(hello, schemes, sizeof schemes - 1));
    CHECK(contains(hello, groups, sizeof groups - 1));
    CHECK(contains(hello, suites, sizeof suites - 1));
    bytes_free(hello);
    hello = client_hello(PHONETRUST_TLS_STATIC_RSA, NULL);
    CHECK(contains(hello, with_static, sizeof with_static - 1));
    bytes_free(hello);
}

TEST(tls_two_client_hellos_differ) {
    struct bytes first = client_hello(0, NULL);
    struct bytes second = client_hello(0, NULL);
    CHECK_EQUAL(first.length, second.length);
    CHECK(memcmp(first.at + 11, second.at + 11, 32) != 0);
    bytes_free(first);
    bytes_free(second);
}

TEST(tls_identity_is_checked) {
    struct bytes certificate = read_vector("client-ec521.crt");
    struct bytes key = read_vector("client-ec521.key");
    struct bytes other = read_vector("client-rsa4096.key");
    struct bytes odd = certificate_named("3000");
    static const uint8_t big[PHONETRUST_TLS_IDENTITY_SIZE + 1] = {0x30};
    struct phonetrust_tls *tls = phonetrust_tls_new(0);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length, other.at, other.length),
                PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length - 1, key.at, key.length),
                PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(phonetrust_tls_identity(tls, NULL, 0, key.at, key.length), PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length, key.at, key.length - 1),
                PHONETRUST_ERROR_KEY);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length, NULL, 0),
                PHONETRUST_ERROR_KEY);
    CHECK_EQUAL(phonetrust_tls_identity(tls, odd.at, odd.length, key.at, key.length),
                PHONETRUST_ERROR_UNSUPPORTED);
    CHECK_EQUAL(phonetrust_tls_identity(tls, big, sizeof big, key.at, key.length), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length, key.at, key.length), 0);
    CHECK_EQUAL(phonetrust_tls_identity(tls, certificate.at, certificate.length, key.at, key.length), 0);
    phonetrust_tls_free(tls);
    bytes_free(certificate);
    bytes_free(key);
    bytes_free(other);
    bytes_free(odd);
}

TEST(tls_states_of_a_connection_without_a_server) {
    uint8_t out[1000];
    uint32_t facts[PHONETRUST_TLS_FACTS];
    struct phonetrust_tls *tls = phonetrust_tls_new(0);
    CHECK_EQUAL(phonetrust_tls_state(tls), PHONETRUST_TLS_HANDSHAKE);
    CHECK_EQUAL(phonetrust_tls_certificate(tls, out, sizeof out), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_accept(tls), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_write(tls, out, 1), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_tls_read(tls, out, 1), 0);
    CHECK_EQUAL(phonetrust_tls_receive(tls, NULL, 0), 0);
    CHECK_EQUAL(phonetrust_tls_facts(tls, facts, PHONETRUST_TLS_FACTS - 1), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_tls_facts(tls, facts, PHONETRUST_TLS_FACTS), PHONETRUST_TLS_FACTS);
    CHECK(facts[PHONETRUST_TLS_FACT_SENDABLE] > 100);
    CHECK_EQUAL(facts[PHONETRUST_TLS_FACT_AWAITED], 2);
    CHECK_EQUAL(facts[PHONETRUST_TLS_FACT_ALERT], PHONETRUST_TLS_NO_ALERT);
    CHECK_EQUAL(phonetrust_tls_send(tls, out, 10), 10);
    CHECK_EQUAL(phonetrust_tls_send(tls, out, 0), 0);
    CHECK_EQUAL(phonetrust_tls_send(tls, out, sizeof out), (int)facts[PHONETRUST_TLS_FACT_SENDABLE] - 10);
    CHECK_EQUAL(phonetrust_tls_cut(tls), PHONETRUST_ERROR_TLS_CUT);
    CHECK_EQUAL(phonetrust_tls_receive(tls, out, 1), PHONETRUST_ERROR_TLS_CUT);
    CHECK_EQUAL(phonetrust_tls_read(tls, out, 1), PHONETRUST_ERROR_TLS_CUT);
    CHECK_EQUAL(phonetrust_tls_write(tls, out, 1), PHONETRUST_ERROR_TLS_CUT);
    CHECK_EQUAL(phonetrust_tls_accept(tls), PHONETRUST_ERROR_TLS_CUT);
    CHECK_EQUAL(phonetrust_tls_close(tls), 0);
    CHECK_EQUAL(phonetrust_tls_state(tls), PHONETRUST_TLS_FAILED);
    phonetrust_tls_free(tls);
    tls = phonetrust_tls_new(0);
    CHECK_EQUAL(phonetrust_tls_close(tls), 0);
    CHECK_EQUAL(phonetrust_tls_state(tls), PHONETRUST_TLS_SHUT);
    CHECK_EQUAL(phonetrust_tls_cut(tls), 0);
    CHECK_EQUAL(phonetrust_tls_receive(tls, out, 1), 0);
    phonetrust_tls_free(tls);
}

static int answer(const char *hex, size_t times) {
    struct bytes bytes = bytes_from_hex(hex);
    struct phonetrust_tls *tls = phonetrust_tls_new(0);
    int result = 0;
    for (size_t i = 0; i < times && result >= 0; i++)
        result = phonetrust_tls_receive(tls, bytes.at, bytes.length);
    phonetrust_tls_free(tls);
    bytes_free(bytes);
    return result;
}

TEST(tls_first_answers_that_end_it) {
    CHECK_EQUAL(answer("15 0303 0002 025a", 1), PHONETRUST_ERROR_TLS_ALERT);
    CHECK_EQUAL(answer("15 0303 0002 0100", 1), PHONETRUST_ERROR_TLS_CLOSED);
    CHECK_EQUAL(answer("15 0303 0002 015a", PHONETRUST_TLS_ALERTS), 7);
    CHECK_EQUAL(answer("15 0303 0002 015a", PHONETRUST_TLS_ALERTS + 1), PHONETRUST_ERROR_TLS_ALERTS);
    CHECK_EQUAL(answer("16 0303 4101", 1), PHONETRUST_ERROR_TLS_RECORD);
    CHECK_EQUAL(answer("16 0303 4100", 1), 5);
    CHECK_EQUAL(answer("48545450 2f312e31 20343030", 1), PHONETRUST_ERROR_TLS_RECORD);
    CHECK_EQUAL(answer("16 0303 0004 0e000000", 1), PHONETRUST_ERROR_TLS_MESSAGE);
    CHECK_EQUAL(answer("17 0303 0001 00", 1), PHONETRUST_ERROR_TLS_MESSAGE);
}

TEST(tls_errors_have_names) {
    for (int error = PHONETRUST_ERROR_TLS_IDENTITY; error <= PHONETRUST_ERROR_TLS_ALERT; error++)
        CHECK(strncmp(phonetrust_error_name(error), "tls-", 4) == 0);
    CHECK(strcmp(phonetrust_error_name(PHONETRUST_ERROR_TLS_CUT), "tls-cut") == 0);
    CHECK(strcmp(phonetrust_error_name(PHONETRUST_ERROR_TLS_IDENTITY - 1), "unknown") == 0);
}
