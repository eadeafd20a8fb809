/* SPDX-License-Identifier: MIT */
/* phonetrust_check_records: what it tells of real lists, and what it refuses when one byte of them is
 * another. */
#include "harness.h"

#define RECORDS 100

static uint32_t rows[PHONETRUST_RECORD_ROW * RECORDS];
static uint32_t fault[2];

static int check(struct bytes file) {
    return phonetrust_check_records(file.at, file.length, header_length(file), rows, RECORDS, fault);
}

/* Offset of the value of the first TLV of this tag in the records; its length goes to *length. */
static size_t find(struct bytes file, uint32_t tag, size_t *length) {
    static uint32_t index[PHONETRUST_TLV_ROW * 2000];
    int count = phonetrust_record_index(file.at, file.length, header_length(file), index, 2000, fault);
    for (int i = 0; i < count; i++)
        if (index[3 * i] == tag) {
            *length = index[3 * i + 2];
            return index[3 * i + 1];
        }
    abort();
}

static bool names_equal(size_t record) {
    return (rows[PHONETRUST_RECORD_ROW * record + PHONETRUST_RECORD_FLAGS] & PHONETRUST_RECORD_NAMES_EQUAL) !=
           0;
}

TEST(records_of_an_itl) {
    static const uint32_t roles[] = {0, 0, 2, 21, 4};
    struct bytes file = read_vector("itl-base.tlv");
    CHECK_EQUAL(check(file), 5);
    for (size_t i = 0; i < 5; i++) {
        const uint32_t *row = rows + PHONETRUST_RECORD_ROW * i;
        uint32_t fields[PHONETRUST_CERTIFICATE_FIELDS];
        uint32_t certificate = row[PHONETRUST_RECORD_CERTIFICATE];
        CHECK_EQUAL(phonetrust_certificate(file.at + certificate, row[PHONETRUST_RECORD_CERTIFICATE + 1],
                                           fields, PHONETRUST_CERTIFICATE_FIELDS),
                    PHONETRUST_CERTIFICATE_FIELDS);
        CHECK_EQUAL(row[PHONETRUST_RECORD_ROLE], roles[i]);
        CHECK_EQUAL(row[PHONETRUST_RECORD_ISSUER], certificate + fields[PHONETRUST_CERTIFICATE_ISSUER]);
        CHECK_EQUAL(row[PHONETRUST_RECORD_SERIAL], certificate + fields[PHONETRUST_CERTIFICATE_SERIAL]);
        CHECK_EQUAL(row[PHONETRUST_RECORD_SERIAL + 1], 20);
        CHECK_EQUAL(row[PHONETRUST_RECORD_SUBJECT], certificate + fields[PHONETRUST_CERTIFICATE_SUBJECT]);
        CHECK_EQUAL(row[PHONETRUST_RECORD_KEY], certificate + fields[PHONETRUST_CERTIFICATE_RECORD_KEY]);
        CHECK_EQUAL(row[PHONETRUST_RECORD_KEY + 1], 270);
        CHECK_EQUAL(row[PHONETRUST_RECORD_KEY_KIND], PHONETRUST_KEY_RSA);
        CHECK_EQUAL(row[PHONETRUST_RECORD_KEY_BITS], 2048);
        CHECK(names_equal(i));
        CHECK_EQUAL(row[0] + row[1], i < 4 ? row[PHONETRUST_RECORD_ROW] : file.length);
    }
    bytes_free(file);
}

TEST(records_of_all_lists_pass) {
    for (const char *const *name = good_vectors; *name != NULL; name++) {
        if (strstr(*name, ".tlv") == NULL)
            continue;
        struct bytes file = read_vector(*name);
        int count = check(file);
        CHECK(count > 0);
        if (strcmp(*name, "itl-over64k.tlv") == 0)
            CHECK_EQUAL(count, 63);
        if (strcmp(*name, "itl-4096.tlv") == 0)
            CHECK_EQUAL(rows[PHONETRUST_RECORD_KEY_BITS], 4096);
        bytes_free(file);
    }
}

TEST(names_with_escapes_are_left_to_the_careful_reader) {
    struct bytes file = read_vector("itl-dn.tlv");
    CHECK_EQUAL(check(file), 3);
    CHECK(!names_equal(0) && !names_equal(1) && names_equal(2));
    bytes_free(file);
}

TEST(another_name_is_not_proven_equal) {
    struct bytes file = read_vector("itl-base.tlv");
    size_t length;
    size_t subject = find(file, 3, &length);
    file.at[subject + 5] ^= 1;
    CHECK_EQUAL(check(file), 5);
    CHECK(!names_equal(0) && names_equal(1));
    file.at[subject + 5] ^= 1;
    size_t issuer = find(file, 5, &length);
    file.at[issuer + length - 2] ^= 1;
    CHECK_EQUAL(check(file), 5);
    CHECK(!names_equal(0));
    bytes_free(file);
}

TEST(another_serial_is_a_mismatch) {
    struct bytes file = read_vector("itl-base.tlv");
    size_t length;
    size_t serial = find(file, 6, &length);
    for (size_t i = 0; i < length; i++) {
        file.at[serial + i] ^= 0x80;
        CHECK_EQUAL(check(file), PHONETRUST_ERROR_MISMATCH);
        CHECK_EQUAL(fault[0], 6);
        CHECK_EQUAL(fault[1], serial - 3);
        file.at[serial + i] ^= 0x80;
    }
    CHECK_EQUAL(check(file), 5);
    bytes_free(file);
}

TEST(another_public_key_is_a_mismatch) {
    struct bytes file = read_vector("itl-base.tlv");
    size_t length;
    size_t key = find(file, 7, &length);
    file.at[key + length - 1] ^= 1;
    CHECK_EQUAL(check(file), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(fault[0], 7);
    CHECK_EQUAL(fault[1], key - 3);
    bytes_free(file);
}

TEST(malformed_anywhere_goes_before_a_mismatch) {
    struct bytes file = read_vector("itl-base.tlv");
    CHECK_EQUAL(check(file), 5);
    size_t last = rows[4 * PHONETRUST_RECORD_ROW + PHONETRUST_RECORD_CERTIFICATE];
    size_t length;
    size_t serial = find(file, 6, &length);
    size_t second = rows[PHONETRUST_RECORD_ROW + PHONETRUST_RECORD_KEY];
    file.at[serial] ^= 1;
    file.at[second + 100] ^= 1; /* a key that its record does not repeat: the second mismatch */
    CHECK_EQUAL(check(file), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(fault[1], serial - 3); /* the first one is told */
    file.at[last] ^= 1;
    CHECK_EQUAL(check(file), PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(fault[0], 9);
    CHECK_EQUAL(fault[1], last - 3);
    bytes_free(file);
}

TEST(a_high_serial_has_no_zero_byte) {
    struct bytes file = read_vector("itl-highserial.tlv");
    CHECK_EQUAL(check(file), 3);
    size_t serial = rows[PHONETRUST_RECORD_ROW + PHONETRUST_RECORD_SERIAL];
    CHECK((file.at[rows[PHONETRUST_RECORD_SERIAL]] & 0x80) != 0 || (file.at[serial] & 0x80) != 0);
    bytes_free(file);
}

TEST(a_broken_certificate_is_malformed) {
    struct bytes file = read_vector("itl-base.tlv");
    size_t length;
    size_t certificate = find(file, 9, &length);
    file.at[certificate + 3]++; /* its outer length */
    CHECK_EQUAL(check(file), PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(fault[0], 9);
    CHECK_EQUAL(fault[1], certificate - 3);
    bytes_free(file);
}

/* A record in hexadecimal after its RECORDLENGTH, which is put before it. */
static int record_of(const char *hex) {
    struct bytes rest = bytes_from_hex(hex);
    struct bytes file = {malloc(rest.length + 5), rest.length + 5};
    memcpy(file.at, "\1\0\2\0", 4);
    file.at[4] = (uint8_t)file.length;
    if (rest.length != 0)
        memcpy(file.at + 5, rest.at, rest.length);
    int result = phonetrust_check_records(file.at, file.length, 0, rows, 1, fault);
    bytes_free(rest);
    bytes_free(file);
    return result;
}

TEST(values_have_their_sizes) {
    static const char *const bad[] = {
        "040001 00",     "040003 000000",    "040000", /* FUNCTION */
        "030000",        "030001 41",        "030003 410041",
        "030003 410000", /* SUBJECTNAME and its NUL */
        "050002 c300",   "050003 c38000 00", "020001 41",
        "020002 0000",   "0a0003 7f0000",    "0a000f 000000000000000000000000000000",
        "0a0000", /* IPADDRESS */
        "090001 30",     "090002 3000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (i == 8) /* two TLVs that fit together: the text is whole, the byte after it is no TLV */
            continue;
        CHECK_EQUAL(record_of(bad[i]), PHONETRUST_ERROR_MALFORMED);
        CHECK_EQUAL(fault[1], 5);
    }
    CHECK_EQUAL(record_of(bad[8]), PHONETRUST_ERROR_MALFORMED);
    CHECK_EQUAL(fault[1], 11);
}

TEST(records_without_certificate_pass) {
    CHECK_EQUAL(record_of(""), 1);
    CHECK_EQUAL(rows[PHONETRUST_RECORD_ROLE], PHONETRUST_NO_ROLE);
    CHECK_EQUAL(record_of("040002 0015 090000 020000 060000 0a0004 7f000001 c80001 ff"), 1);
    CHECK_EQUAL(rows[PHONETRUST_RECORD_ROLE], 21);
    for (size_t i = PHONETRUST_RECORD_CERTIFICATE; i < PHONETRUST_RECORD_ROW; i++)
        CHECK_EQUAL(rows[i], 0);
    CHECK_EQUAL(record_of("020001 00"), 1);
    CHECK_EQUAL(record_of("0a0010 20010db8000000000000000000000001"), 1);
}

TEST(text_is_utf8) {
    static const char *const good[] = {
        "030002 7f00",     "030003 c28000",      "030004 e0a08000",
        "030004 ed9fbf00", "030005 f0908080 00", "030005 f48fbfbf 00",
    };
    static const char *const bad[] = {
        "030002 8000",       "030003 c08000",      "030003 c1bf00",     "030004 e09f8000", "030004 eda08000",
        "030005 f08f808000", "030005 f490808000",  "030005 f580808000", "030003 e08000",   "030003 c24100",
        "030004 e1804100",   "030005 f1808041 00", "030004 f1808000",   "030002 ff00",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_EQUAL(record_of(good[i]), 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQUAL(record_of(bad[i]), PHONETRUST_ERROR_MALFORMED);
        CHECK_EQUAL(fault[0], 3);
    }
}

TEST(too_few_rows_are_said) {
    struct bytes file = read_vector("itl-base.tlv");
    size_t start = header_length(file);
    for (size_t capacity = 0; capacity < 5; capacity++) {
        uint32_t *few = malloc(capacity * PHONETRUST_RECORD_ROW * sizeof *few + 1);
        CHECK_EQUAL(phonetrust_check_records(file.at, file.length, start, few, capacity, fault),
                    PHONETRUST_ERROR_SPACE);
        free(few);
    }
    CHECK_EQUAL(phonetrust_check_records(file.at, file.length, start, rows, 5, fault), 5);
    bytes_free(file);
}

/* A record of these TLVs and a certificate with this subject (both in hexadecimal). */
static int record_with(const char *fields, const char *subject, const char *name) {
    struct bytes certificate = certificate_named(subject);
    struct bytes first = bytes_from_hex(fields);
    uint8_t record[600] = {1, 0, 2};
    size_t length = 5 + first.length;
    if (first.length != 0)
        memcpy(record + 5, first.at, first.length);
    if (name != NULL) {
        size_t size = strlen(name) + 1;
        memcpy(record + length, (uint8_t[]){3, 0, (uint8_t)size}, 3);
        memcpy(record + length + 3, name, size);
        length += 3 + size;
    }
    memcpy(record + length, (uint8_t[]){9, (uint8_t)(certificate.length >> 8), (uint8_t)certificate.length},
           3);
    memcpy(record + length + 3, certificate.at, certificate.length);
    length += 3 + certificate.length;
    record[3] = (uint8_t)(length >> 8);
    record[4] = (uint8_t)length;
    struct bytes file = bytes_of(record, length);
    int result = phonetrust_check_records(file.at, file.length, 0, rows, 1, fault);
    bytes_free(file);
    bytes_free(first);
    bytes_free(certificate);
    return result;
}

/* Subjects: CN=a O=b, as UTF8String and PrintableString; CN=a CN=b; a CN in UTF-16; a type that is not known.
 */
#define CN_A "310a 3008 0603550403 0c01 61"
#define CN_B "310a 3008 0603550403 0c01 62"
#define O_B "310a 3008 060355040a 1301 62"
#define CN_AB "310e 300c 0603550403 0c05 2061202062" /* " a  b" */
#define CN_BRACE "310a 3008 0603550403 0c01 7b"
#define CN_A_WIDE "310b 3009 0603550403 1e02 0061"
#define TITLE_A "310a 3008 060355040c 0c01 61"

TEST(names_are_equal_only_where_that_is_sure) {
    static const struct {
        const char *subject;
        const char *text;
        bool sure;
    } names[] = {
        {"3018" CN_A O_B, "CN=a,O=b", true},
        {"3018" CN_A O_B, "O=b;CN=a", true},
        {"3018" CN_A O_B, " cn = a , o=b ", true},
        {"3018" CN_A O_B, "cn=A,O=B", true},
        {"3018" CN_A O_B, "CN=\ta ,O=b\r\n", true},
        {"3010" CN_AB, "CN=a \t B", true},
        {"3010" CN_AB, "CN=aB", false},
        {"3010" CN_AB, "CN=a", false},
        {"3010" CN_AB, "CN=a b b", false},
        {"300c" CN_BRACE, "CN=[", false}, /* not letters, one bit apart */
        {"300c" CN_BRACE, "CN={", true},
        {"3018" CN_A O_B, "CN=a", false},
        {"3018" CN_A O_B, "CN=a,O=b,O=b", false},
        {"3018" CN_A O_B, "CN=b,O=a", false},
        {"3018" CN_A O_B, "CN=a,O=bb", false},
        {"3018" CN_A O_B, "CN=a,O=", false},
        {"3018" CN_A O_B, "CN=a,OU=b", false},
        {"3018" CN_A O_B, "CN=a+O=b", false},
        {"3018" CN_A O_B, "CN=a,b", false},
        {"3018" CN_A O_B, "CN", false},
        {"3018" CN_A O_B, "", false},
        {"3018" CN_A CN_B, "CN=b,CN=a", true},
        {"3018" CN_A CN_B, "CN=a,CN=a", false},
        {"300c" CN_A, "CN=\"a\"", false},
        {"300d" CN_A_WIDE, "CN=a", false},
        {"300c" TITLE_A, "title=a", false},
        {"300e"
         "310c 300a 0603550403 0c03 5c6161",
         "CN=\\aa", false}, /* the same bytes, but an escape in text */
        {"300d"
         "310b 3009 0603550403 0c02 2361",
         "CN=#a", false},
        {"3000", "", true},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_EQUAL(record_with("", names[i].subject, names[i].text), 1);
        CHECK_EQUAL(names_equal(0), names[i].sure);
    }
    CHECK_EQUAL(record_with("050001 00", "3000", NULL), 1); /* no SUBJECTNAME, and the empty issuer */
    CHECK(names_equal(0));
    CHECK_EQUAL(record_with("", "3018" CN_A O_B, NULL), 1); /* no copies: nothing that could differ */
    CHECK(names_equal(0));
}

TEST(a_name_of_many_attributes_is_left_to_the_careful_reader) {
    char subject[1000] = "3081CC"; /* 17 attributes of 12 bytes */
    char text[200] = "";
    for (int i = 0; i < 17; i++) {
        strcat(subject, CN_A);
        strcat(text, i == 0 ? "CN=a" : ",CN=a");
    }
    CHECK_EQUAL(record_with("", subject, text), 1);
    CHECK(!names_equal(0));
}

TEST(leading_zeros_of_a_serial_do_not_count) {
    CHECK_EQUAL(record_with("060001 01", "3000", NULL), 1);
    CHECK_EQUAL(record_with("060003 000001", "3000", NULL), 1);
    CHECK_EQUAL(record_with("060002 0100", "3000", NULL), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(record_with("060001 00", "3000", NULL), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(record_with("060000", "3000", NULL), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(fault[0], 6);
    CHECK_EQUAL(record_with("070003 010203", "3000", NULL), 1);
    CHECK_EQUAL(record_with("070003 010204", "3000", NULL), PHONETRUST_ERROR_MISMATCH);
    CHECK_EQUAL(record_with("070000", "3000", NULL), PHONETRUST_ERROR_MISMATCH);
}
