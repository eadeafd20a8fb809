/* SPDX-License-Identifier: MIT */
/* The walks over headers and records: real files, each rule broken on its own, and every truncation of two
 * files. */
#include "harness.h"

#define ROWS 4000

static uint32_t rows[PHONETRUST_TLV_ROW * ROWS];
static uint32_t fault[2];

static int header(struct bytes file) {
    return phonetrust_header_index(file.at, file.length, rows, ROWS, fault);
}

/* One header in hexadecimal: its result. */
static int header_of(const char *hex) {
    struct bytes file = bytes_from_hex(hex);
    int result = header(file);
    bytes_free(file);
    return result;
}

static int records_of(const char *hex) {
    struct bytes file = bytes_from_hex(hex);
    int result = phonetrust_record_index(file.at, file.length, 0, rows, ROWS, fault);
    bytes_free(file);
    return result;
}

#define CHECK_HEADER_FAULT(hex, tag, offset)                                                                 \
    do {                                                                                                     \
        CHECK_EQUAL(header_of(hex), PHONETRUST_ERROR_MALFORMED);                                             \
        CHECK_EQUAL(fault[0], tag);                                                                          \
        CHECK_EQUAL(fault[1], offset);                                                                       \
    } while (0)

#define CHECK_RECORD_FAULT(hex, tag, offset)                                                                 \
    do {                                                                                                     \
        CHECK_EQUAL(records_of(hex), PHONETRUST_ERROR_MALFORMED);                                            \
        CHECK_EQUAL(fault[0], tag);                                                                          \
        CHECK_EQUAL(fault[1], offset);                                                                       \
    } while (0)

TEST(header_index_of_a_trust_list) {
    static const uint32_t tags[] = {1, 2, 28, 3, 4, 6, 5, 7, 8, 9, 10, 11, 12, 14, 15, 13, 13};
    struct bytes file = read_vector("itl-rollback.tlv");
    CHECK_EQUAL(header(file), sizeof tags / sizeof *tags);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        CHECK_EQUAL(rows[3 * i], tags[i]);
    CHECK_EQUAL(rows[4], 8);          /* HEADERLENGTH's value */
    CHECK_EQUAL(rows[3 * 3 + 2], 97); /* SIGNERID covers its three contents */
    CHECK(memcmp(file.at + rows[3 * 13 + 1], "ITLFile.tlv", 12) == 0);
    CHECK_EQUAL(rows[3 * 15 + 1], 415); /* PADDING: the offset after its byte */
    CHECK_EQUAL(rows[3 * 16 + 2], 0);
    bytes_free(file);
}

TEST(header_index_of_an_encrypted_file) {
    static const uint32_t tags[] = {1,  2,  3,  4,  6,  5,  7,  8,  9,  10, 11, 12, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 13};
    struct bytes file = read_vector("SEP00270DC01C92.cnf.xml.enc.sgn");
    CHECK_EQUAL(header(file), sizeof tags / sizeof *tags);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        CHECK_EQUAL(rows[3 * i], tags[i]);
    bytes_free(file);
}

TEST(index_reads_all_good_vectors) {
    for (const char *const *name = good_vectors; *name != NULL; name++) {
        struct bytes file = read_vector(*name);
        CHECK(header(file) > 10);
        if (strstr(*name, ".tlv") != NULL) {
            int count = phonetrust_record_index(file.at, file.length, header_length(file), rows, ROWS, fault);
            CHECK(count >= 8);
            CHECK_EQUAL(rows[0], 1);
            CHECK_EQUAL(rows[1], header_length(file) + 3);
        }
        bytes_free(file);
    }
}

TEST(header_length_is_checked) {
    CHECK_EQUAL(header_of("010002 0102 020002 000a"), 2);
    CHECK_HEADER_FAULT("", 1, 0);
    CHECK_HEADER_FAULT("020002 000a 010002 0102", 2, 0); /* in the wrong order */
    CHECK_HEADER_FAULT("01", 1, 0);
    CHECK_HEADER_FAULT("0100", 1, 0);
    CHECK_HEADER_FAULT("010002 0102 020002 00", 1, 0);
    CHECK_HEADER_FAULT("01ffff 0102 020002 000a", 1, 0);
    CHECK_HEADER_FAULT("010002 0102 1c0002 000a", 28, 5);
    CHECK_HEADER_FAULT("010002 0102 020001 0a 0000", 2, 5);
    CHECK_HEADER_FAULT("010002 0102 020002 0009", 2, 5); /* shorter than what was read */
    CHECK_HEADER_FAULT("010002 0102 020002 000b", 2, 5); /* longer than the file */
    CHECK_EQUAL(header_of("010002 0102 020002 000b 0d"), 3);
    CHECK_EQUAL(header_of("010000 020002 0008"), 2); /* the size of VERSION is not the index's business */
}

TEST(header_fields_stay_inside_the_header) {
    CHECK_HEADER_FAULT("010002 0102 020002 000b 0e", 14, 10);
    CHECK_HEADER_FAULT("010002 0102 020002 000c 0e00", 14, 10);
    CHECK_HEADER_FAULT("010002 0102 020002 000d 0e0001 41", 14,
                       10); /* the byte is there, but after the header */
    CHECK_EQUAL(header_of("010002 0102 020002 000e 0e0001 41"), 3);
    CHECK_EQUAL(header_of("010002 0102 020002 000d 0e0000"), 3);
}

TEST(header_fields_stand_once) {
    CHECK_HEADER_FAULT("010002 0102 020002 0010 0e0000 0e0000", 14, 13);
    CHECK_HEADER_FAULT("010002 0102 020002 000f 020002 000f", 2, 10);
    CHECK_EQUAL(header_of("010002 0102 020002 0010 c80000 c80000"), 4); /* unknown ones may repeat */
    CHECK_EQUAL(header_of("010002 0102 020002 000d 000000"), 3);        /* tag 0 is unknown, too */
    CHECK_EQUAL(header_of("010002 0102 020002 000d 0d0d0d"), 5);
}

TEST(header_containers_hold_what_is_theirs) {
    CHECK_EQUAL(header_of("010002 0102 020002 0013 030006 040000 060000"), 5);
    CHECK_EQUAL(header_of("010002 0102 020002 0013 030006 040000 c80000"), 5);
    CHECK_HEADER_FAULT("010002 0102 020002 000d 040000", 4, 10);          /* outside */
    CHECK_HEADER_FAULT("010002 0102 020002 0010 030003 0e0000", 14, 13);  /* inside of one, and should not */
    CHECK_HEADER_FAULT("010002 0102 020002 0010 030003 080000", 8, 13);   /* of another container */
    CHECK_HEADER_FAULT("010002 0102 020002 0010 030001 0d 0000", 13, 13); /* no padding in there */
    CHECK_HEADER_FAULT("010002 0102 020002 0013 030006 040004 0000 0000", 4, 13); /* past its container */
    CHECK_HEADER_FAULT("010002 0102 020002 0014 030007 040000 060000 05", 5, 19); /* half a TLV at its end */
    CHECK_HEADER_FAULT("010002 0102 020002 0010 030004 040000", 3, 10);           /* past the header */
    CHECK_EQUAL(header_of("010002 0102 020002 0019 10000c 110006 120000 130000 150000"), 7);
    CHECK_EQUAL(header_of("010002 0102 020002 0016 070009 090006 0a0000 0b0000"), 6);
    CHECK_HEADER_FAULT("010002 0102 020002 0013 070006 0a0000 080000", 10, 13); /* one level too high */
}

TEST(header_index_says_when_rows_are_short) {
    struct bytes file = read_vector("itl-base.tlv");
    int count = header(file);
    for (size_t capacity = 0; capacity < (size_t)count; capacity++) {
        uint32_t *few = malloc(capacity * 12 + 1);
        CHECK_EQUAL(phonetrust_header_index(file.at, file.length, few, capacity, fault),
                    PHONETRUST_ERROR_SPACE);
        free(few);
    }
    CHECK_EQUAL(phonetrust_header_index(file.at, file.length, rows, (size_t)count, fault), count);
    bytes_free(file);
}

TEST(records_are_checked) {
    CHECK_EQUAL(records_of(""), 0);
    CHECK_EQUAL(records_of("010002 0005"), 1);
    CHECK_EQUAL(records_of("010002 0008 040000 010002 0005"), 3);
    CHECK_EQUAL(records_of("010002 000b c80000 c80000"), 3);
    CHECK_RECORD_FAULT("01", 1, 0);
    CHECK_RECORD_FAULT("010002 00", 1, 0);
    CHECK_RECORD_FAULT("020002 0005", 2, 0);
    CHECK_RECORD_FAULT("010003 000005", 1, 0);
    CHECK_RECORD_FAULT("010002 0004", 1, 0);
    CHECK_RECORD_FAULT("010002 0006", 1, 0);
    CHECK_RECORD_FAULT("010002 0006 04", 4, 5);
    CHECK_RECORD_FAULT("010002 0008 040001 00", 4, 5); /* the byte is the next record's */
    CHECK_RECORD_FAULT("010002 000b 040000 040000", 4, 8);
    CHECK_RECORD_FAULT("010002 000a 010002 0005", 1, 5);
    CHECK_RECORD_FAULT("010002 0005 0d", 13, 5);
}

TEST(record_index_checks_start) {
    const uint8_t data[5] = {1, 0, 2, 0, 5};
    CHECK_EQUAL(phonetrust_record_index(data, 5, 5, rows, ROWS, fault), 0);
    CHECK_EQUAL(phonetrust_record_index(data, 5, 6, rows, ROWS, fault), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_record_index(data, 5, 0, rows, 0, fault), PHONETRUST_ERROR_SPACE);
    CHECK_EQUAL(phonetrust_check_records(data, 5, 6, rows, 10, fault), PHONETRUST_ERROR_ARGUMENT);
    CHECK_EQUAL(phonetrust_check_records(data, (size_t)PHONETRUST_MAXIMUM_LENGTH + 1, 0, rows, 10, fault),
                PHONETRUST_ERROR_ARGUMENT);
}

/* Each prefix in a buffer of exactly its size: nothing may be read past it, and only whole records may pass.
 */
static void truncate_everywhere(const char *name) {
    struct bytes file = read_vector(name);
    size_t start = header_length(file);
    size_t passed = 0;
    for (size_t length = 0; length < file.length; length++) {
        struct bytes part = bytes_of(file.at, length);
        int in_header = header(part);
        if (length < start) {
            CHECK_EQUAL(in_header, PHONETRUST_ERROR_MALFORMED);
            CHECK(fault[1] < length || length == 0);
        } else {
            CHECK(in_header > 10);
            int indexed = phonetrust_record_index(part.at, length, start, rows, ROWS, fault);
            uint32_t index_fault = fault[1];
            uint32_t checked[PHONETRUST_RECORD_ROW * 100];
            int records = phonetrust_check_records(part.at, length, start, checked, 100, fault);
            CHECK_EQUAL(records < 0, indexed < 0);
            CHECK(records >= 0 || (records == PHONETRUST_ERROR_MALFORMED && fault[1] == index_fault));
            passed += records >= 0;
        }
        bytes_free(part);
    }
    uint32_t all[PHONETRUST_RECORD_ROW * 100];
    CHECK_EQUAL(phonetrust_check_records(file.at, file.length, start, all, 100, fault), passed);
    bytes_free(file);
}

TEST(every_truncation_of_an_itl) { truncate_everywhere("itl-base.tlv"); }

TEST(every_truncation_of_a_ctl) { truncate_everywhere("ctl-mixed.tlv"); }
