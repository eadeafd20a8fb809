/* SPDX-License-Identifier: MIT */
/* Recorded handshakes: whole, in pieces, cut, altered, without memory; and what a connection needs of it. */
#include <stdio.h>

#include "tls_player.h"

static bool is_good(const struct recording *recording, struct played played) {
    return played.state == PHONETRUST_TLS_ENDED && played.error == 0 && played.was_judged &&
           played.begins_with_http && played.plaintext > 500 &&
           played.facts[PHONETRUST_TLS_FACT_VERSION] == recording->version &&
           played.facts[PHONETRUST_TLS_FACT_SUITE] == recording->suite &&
           played.facts[PHONETRUST_TLS_FACT_ASKED] == (recording->client != NULL);
}

TEST(tls_recorded_handshakes_work_in_pieces_of_any_size) {
    static const size_t steps[] = {1, 7, 1000, 1 << 20};
    for (const struct recording *recording = recordings; recording->name != NULL; recording++) {
        struct bytes bytes = read_vector(recording->name);
        bool long_one = bytes.length > 20000;
        for (size_t i = long_one ? 2 : 0; i < sizeof steps / sizeof *steps; i++)
            CHECK(is_good(recording, player_play(recording, bytes, steps[i])));
        bytes_free(bytes);
    }
}

/* For host_tools/bench: a line for each recording in the file that the environment names. */
static void note(const char *name, size_t peak) {
    const char *path = getenv("PHONETRUST_MEMORY_NOTES");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%s %zu\n", name, peak);
    fclose(file);
}

TEST(tls_memory_of_a_connection_is_bounded) {
    size_t most = 0;
    phonetrust_tls_free(phonetrust_tls_new(0));
    for (const struct recording *recording = recordings; recording->name != NULL; recording++) {
        struct bytes bytes = read_vector(recording->name);
        memory_peak();
        struct played played = player_play(recording, bytes, 4096);
        size_t peak = memory_peak();
        bytes_free(bytes);
        CHECK(is_good(recording, played));
        note(recording->name, peak);
        most = peak > most ? peak : most;
    }
    CHECK(most > 20000);
    CHECK(most <= PHONETRUST_TLS_MEMORY);
}

TEST(tls_before_the_yes_only_the_client_hello_comes_out) {
    for (const struct recording *recording = recordings; recording->name != NULL; recording++) {
        struct bytes bytes = read_vector(recording->name);
        void *tls = player_new(recording);
        uint8_t out[2000];
        size_t sent = 0;
        size_t at = 0;
        while (at < bytes.length && phonetrust_tls_state(tls) == PHONETRUST_TLS_HANDSHAKE) {
            sent += (size_t)phonetrust_tls_send(tls, out + sent, sizeof out - sent);
            int taken = phonetrust_tls_receive(tls, bytes.at + at, bytes.length - at);
            CHECK(taken > 0);
            at += (size_t)taken;
        }
        CHECK_EQUAL(phonetrust_tls_state(tls), PHONETRUST_TLS_JUDGE);
        CHECK_EQUAL(phonetrust_tls_receive(tls, bytes.at + at, bytes.length - at), 0);
        sent += (size_t)phonetrust_tls_send(tls, out + sent, sizeof out - sent);
        size_t hello = 5 + ((size_t)out[3] << 8 | out[4]);
        CHECK(out[0] == 22 && out[5] == 1);
        if (strcmp(recording->name, "tls13-retry-ec") != 0) {
            CHECK_EQUAL(sent, hello);
        } else {
            CHECK(memcmp(out + hello, "\x14\x03\x03\x00\x01\x01\x16\x03", 8) == 0 && out[hello + 11] == 1);
            CHECK_EQUAL(sent, hello + 11 + ((size_t)out[hello + 9] << 8 | out[hello + 10]));
        }
        CHECK_EQUAL(phonetrust_tls_write(tls, out, 1), PHONETRUST_ERROR_ARGUMENT);
        CHECK_EQUAL(phonetrust_tls_read(tls, out, 1), 0);
        CHECK_EQUAL(phonetrust_tls_close(tls), 0);
        CHECK_EQUAL(phonetrust_tls_send(tls, out, sizeof out), 7);
        CHECK(out[0] == 21 && out[5] == 2 && out[6] == 42); /* fatal, bad_certificate */
        CHECK_EQUAL(phonetrust_tls_accept(tls), PHONETRUST_ERROR_ARGUMENT);
        CHECK_EQUAL(phonetrust_tls_state(tls), PHONETRUST_TLS_SHUT);
        phonetrust_tls_free(tls);
        random_is_random();
        bytes_free(bytes);
    }
}

TEST(tls_a_cut_is_no_orderly_end_wherever_it_is) {
    static const char *const names[] = {"tls13-rsa", "tls12-ec"};
    for (size_t i = 0; i < 2; i++) {
        const struct recording *recording = recording_named(names[i]);
        struct bytes bytes = read_vector(names[i]);
        for (size_t length = 0; length < bytes.length; length += 1 + bytes.length / 60) {
            struct bytes part = bytes_of(bytes.at, length);
            struct played played = player_play(recording, part, 1 << 20);
            bytes_free(part);
            CHECK_EQUAL(played.state, PHONETRUST_TLS_FAILED);
            CHECK_EQUAL(played.error, PHONETRUST_ERROR_TLS_CUT);
        }
        bytes_free(bytes);
    }
}

/* The server's proof covers all that it says, save the header of a record in TLS 1.2's plaintext part. */
TEST(tls_altered_bytes_are_noticed) {
    static const char *const names[] = {"tls13-rsa", "tls12-ec", "tls12-rsa"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct recording *recording = recording_named(names[i]);
        struct bytes bytes = read_vector(names[i]);
        for (size_t at = 11; at < bytes.length; at += 1 + bytes.length / 60) {
            bytes.at[at] ^= 0x10;
            struct played played = player_play(recording, bytes, 1 << 20);
            bytes.at[at] ^= 0x10;
            CHECK_EQUAL(played.state, PHONETRUST_TLS_FAILED);
            CHECK(played.error <= PHONETRUST_ERROR_TLS_ALERT);
            CHECK(played.error != PHONETRUST_ERROR_TLS_INTERNAL);
        }
        bytes_free(bytes);
    }
}

/* Allocations fail here and there in a whole handshake; each fails once. */
TEST(tls_no_memory_is_said_and_nothing_leaks) {
    static const char *const names[] = {"tls13-retry-ec", "tls12-rsa"};
    for (size_t i = 0; i < 2; i++) {
        const struct recording *recording = recording_named(names[i]);
        struct bytes bytes = read_vector(names[i]);
        phonetrust_tls_free(phonetrust_tls_new(0));
        size_t failures = 0;
        for (size_t successes = 0;; successes += 1 + successes / 12) {
            void *tls;
            memory_peak();
            struct bytes copy = bytes_of(bytes.at, bytes.length);
            fail_allocation(successes);
            tls = phonetrust_tls_new(recording->flags);
            bool failed = fail_allocation(SIZE_MAX);
            phonetrust_tls_free(tls);
            CHECK(failed == (tls == NULL));
            if (!failed) {
                tls = player_new(recording);
                fail_allocation(successes);
                struct played played = player_run(tls, copy, 1 << 20);
                failed = fail_allocation(SIZE_MAX);
                phonetrust_tls_free(tls);
                CHECK(failed ? played.state == PHONETRUST_TLS_FAILED || is_good(recording, played)
                             : is_good(recording, played));
                CHECK(played.state != PHONETRUST_TLS_FAILED || played.error != 0);
            }
            bytes_free(copy);
            if (!failed)
                break;
            failures++;
        }
        CHECK(failures > 20);
        bytes_free(bytes);
    }
}
