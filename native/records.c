/* SPDX-License-Identifier: MIT */
/* Checks the records of a trust list, as far as that needs no key: sizes of values, certificates, and the
 * copies of their fields. */
#include <string.h>

#include "internal.h"

enum { DNSNAME = 2, SUBJECTNAME, FUNCTION, ISSUERNAME, SERIALNUMBER, PUBLICKEY, CERTIFICATE = 9, IPADDRESS };

static int bad_value(const uint8_t *file, const struct slice *values, uint32_t tag, uint32_t *fault) {
    return malformed(fault, tag, (size_t)(values[tag].at - file) - 3);
}

static int check_values(const uint8_t *file, const struct slice *values, uint32_t *fault) {
    static const struct {
        uint8_t tag;
        uint8_t size; /* 0: text */
        uint8_t other_size;
    } known[] = {
        {DNSNAME, 0, 0}, {SUBJECTNAME, 0, 0}, {ISSUERNAME, 0, 0}, {FUNCTION, 2, 2}, {IPADDRESS, 4, 16}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t tag = known[i].tag;
        struct slice value = values[tag];
        if (value.at == NULL || (tag == DNSNAME && value.length == 0))
            continue;
        bool good = known[i].size == 0 ? text_is_valid(value)
                                       : value.length == known[i].size || value.length == known[i].other_size;
        if (!good)
            return bad_value(file, values, tag, fault);
    }
    return 0;
}

static bool equal(struct slice one, struct slice other) {
    return one.length == other.length && memcmp(one.at, other.at, one.length) == 0;
}

static struct slice without_zeros(struct slice serial) {
    while (serial.length != 0 && serial.at[0] == 0) {
        serial.at++;
        serial.length--;
    }
    return serial;
}

/* Whether both are the same number. Leading zero bytes are ignored, and the number 0 may have no bytes. */
static bool is_same_number(struct slice one, struct slice other) {
    return equal(without_zeros(one), without_zeros(other));
}

/*
 * Whether one of these is `04 x y` and the other `02 x` or `03 x` with the same x, and y is even or odd as
 * 02 or 03 says. Whether y belongs to x is not computed here.
 */
static bool is_other_form(struct slice copy, struct slice key) {
    struct slice compressed = copy.length < key.length ? copy : key;
    struct slice whole = copy.length < key.length ? key : copy;
    if (compressed.length == 0 || whole.length != 2 * compressed.length - 1 || whole.at[0] != 4)
        return false;
    return (compressed.at[0] == 2 || compressed.at[0] == 3) &&
           (compressed.at[0] & 1) == (whole.at[whole.length - 1] & 1) &&
           memcmp(compressed.at + 1, whole.at + 1, compressed.length - 1) == 0;
}

static bool name_is_copied(const struct name *name, struct slice copy) {
    if (copy.at == NULL)
        return true;
    copy.length--; /* without its NUL, which check_values has checked */
    return name_is_text(name, copy);
}

static void put(uint32_t *field, const uint8_t *file, struct slice slice) {
    field[0] = (uint32_t)(slice.at - file);
    field[1] = (uint32_t)slice.length;
}

/* The tag of the first copy that differs from the certificate, 0 if none does. Sets POINT_OPEN if a point has
 * another form. */
static uint32_t wrong_copy(const struct certificate *certificate, const struct slice *values,
                           uint32_t *flags) {
    if (values[SERIALNUMBER].at != NULL && !is_same_number(values[SERIALNUMBER], certificate->serial))
        return SERIALNUMBER;
    struct slice copy = values[PUBLICKEY];
    if (copy.at == NULL || equal(copy, certificate->record_key))
        return 0;
    if (certificate->key_kind != PHONETRUST_KEY_EC || !is_other_form(copy, certificate->record_key))
        return PUBLICKEY;
    *flags |= PHONETRUST_RECORD_POINT_OPEN;
    return 0;
}

static void fill(uint32_t *row, const uint8_t *file, const struct certificate *certificate,
                 const struct slice *values) {
    put(row + PHONETRUST_RECORD_CERTIFICATE, file, values[CERTIFICATE]);
    put(row + PHONETRUST_RECORD_ISSUER, file, certificate->issuer.der);
    put(row + PHONETRUST_RECORD_SERIAL, file, certificate->serial);
    put(row + PHONETRUST_RECORD_SUBJECT, file, certificate->subject.der);
    put(row + PHONETRUST_RECORD_KEY, file, certificate->record_key);
    row[PHONETRUST_RECORD_KEY_KIND] = certificate->key_kind;
    row[PHONETRUST_RECORD_KEY_BITS] = certificate->key_bits;
    if (name_is_copied(&certificate->subject, values[SUBJECTNAME]) &&
        name_is_copied(&certificate->issuer, values[ISSUERNAME]))
        row[PHONETRUST_RECORD_FLAGS] = PHONETRUST_RECORD_NAMES_EQUAL;
}

/* Check one record. Fills its row, or `fault` with the first mistake, and moves *offset past the record. */
static int check_record(const uint8_t *file, size_t length, size_t *offset, uint32_t *row, uint32_t *fault) {
    struct slice values[RECORD_TAGS];
    size_t record = *offset;
    int result = record_read(file, length, offset, values, NULL, fault);
    if (result == 0)
        result = check_values(file, values, fault);
    if (result != 0)
        return result;
    memset(row, 0, PHONETRUST_RECORD_ROW * sizeof *row);
    row[PHONETRUST_RECORD_OFFSET] = (uint32_t)record;
    row[PHONETRUST_RECORD_LENGTH] = (uint32_t)(*offset - record);
    row[PHONETRUST_RECORD_ROLE] =
        values[FUNCTION].at != NULL ? read_u16(values[FUNCTION].at) : PHONETRUST_NO_ROLE;
    if (values[CERTIFICATE].length == 0)
        return 0;
    struct certificate certificate;
    if (certificate_read(values[CERTIFICATE].at, values[CERTIFICATE].length, &certificate) != 0)
        return bad_value(file, values, CERTIFICATE, fault);
    fill(row, file, &certificate, values);
    uint32_t tag = wrong_copy(&certificate, values, row + PHONETRUST_RECORD_FLAGS);
    if (tag == 0)
        return 0;
    bad_value(file, values, tag, fault);
    return PHONETRUST_ERROR_MISMATCH;
}

int phonetrust_check_records(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                             size_t capacity, uint32_t *fault) {
    if (length > PHONETRUST_MAXIMUM_LENGTH || start > length)
        return PHONETRUST_ERROR_ARGUMENT;
    size_t count = 0;
    uint32_t found[2] = {0, 0};
    uint32_t mismatch[2] = {0, 0}; /* reported at the end, because a malformed record counts more */
    for (size_t offset = start; offset < length; count++) {
        if (count == capacity)
            return PHONETRUST_ERROR_SPACE;
        int result = check_record(file, length, &offset, rows + PHONETRUST_RECORD_ROW * count, found);
        if (result == PHONETRUST_ERROR_MALFORMED)
            return malformed(fault, found[0], found[1]);
        if (result == PHONETRUST_ERROR_MISMATCH && mismatch[0] == 0)
            memcpy(mismatch, found, sizeof mismatch);
    }
    if (mismatch[0] == 0)
        return (int)count;
    memcpy(fault, mismatch, sizeof mismatch);
    return PHONETRUST_ERROR_MISMATCH;
}
