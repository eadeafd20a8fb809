/* SPDX-License-Identifier: MIT */
/* Reads distinguished names from DER (RFC 5280, 4.1.2.4), and compares them with the text of trust lists if
 * that text is simple. */
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

#include "internal.h"

#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define SET (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET)

/* Read SEQUENCE { OBJECT IDENTIFIER, value }. Nothing may follow the value. */
static int read_attribute(const uint8_t **at, const uint8_t *end, struct attribute *attribute) {
    size_t length;
    int result = der_enter(at, end, SEQUENCE, &length);
    if (result != 0)
        return result;
    const uint8_t *pair_end = *at + length;
    result = der_enter(at, pair_end, MBEDTLS_ASN1_OID, &attribute->type.length);
    if (result != 0)
        return result;
    attribute->type.at = *at;
    *at += attribute->type.length;
    result = der_any(at, pair_end, &attribute->value_tag, &attribute->value.length);
    if (result != 0)
        return result;
    attribute->value.at = *at;
    *at += attribute->value.length;
    return *at == pair_end && attribute->type.length != 0 ? 0 : PHONETRUST_ERROR_MALFORMED;
}

int name_read(const uint8_t **at, const uint8_t *end, struct name *name) {
    const uint8_t *start = *at;
    size_t length;
    int result = der_enter(at, end, SEQUENCE, &length);
    if (result != 0)
        return result;
    const uint8_t *name_end = *at + length;
    name->count = 0;
    while (*at < name_end) {
        result = der_enter(at, name_end, SET, &length);
        if (result != 0 || length == 0)
            return PHONETRUST_ERROR_MALFORMED;
        const uint8_t *set_end = *at + length;
        while (*at < set_end) {
            struct attribute spare;
            struct attribute *attribute =
                name->count < NAME_ATTRIBUTES ? name->attributes + name->count : &spare;
            if (read_attribute(at, set_end, attribute) != 0)
                return PHONETRUST_ERROR_MALFORMED;
            name->count++;
        }
    }
    name->der = (struct slice){start, (size_t)(name_end - start)};
    return 0;
}

/* Whether a byte is a space, or a control character that counts as a space (RFC 4518, 2.2). */
static bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static struct slice trim(const uint8_t *from, const uint8_t *to) {
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    return (struct slice){from, (size_t)(to - from)};
}

/* The next byte of a trimmed value in the form for comparison: small letters, and one space for several
 * blanks. */
static uint8_t next_folded(struct slice *value) {
    uint8_t byte = *value->at++;
    value->length--;
    if (!is_blank(byte))
        return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
    while (is_blank(*value->at)) { /* a trimmed value does not end in a blank */
        value->at++;
        value->length--;
    }
    return ' ';
}

/* Whether two values are the same. The case of ASCII letters and the number of blanks make no difference (RFC
 * 5280, 7.1). */
static bool is_same_value(struct slice one, struct slice other) {
    one = trim(one.at, one.at + one.length);
    other = trim(other.at, other.at + other.length);
    if (one.length == other.length && memcmp(one.at, other.at, one.length) == 0)
        return true; /* the usual case: the record has exactly the bytes of the certificate */
    while (one.length != 0 && other.length != 0)
        if (next_folded(&one) != next_folded(&other))
            return false;
    return one.length == 0 && other.length == 0;
}

/* The last byte of the object identifier 2.5.4.n for a keyword in any case; 0 for unknown keywords. */
static uint8_t attribute_type(struct slice keyword) {
    uint8_t letters[2] = {0, 0};
    if (keyword.length == 0 || keyword.length > sizeof letters)
        return 0;
    for (size_t i = 0; i < keyword.length; i++)
        letters[i] = (uint8_t)(keyword.at[i] & ~0x20);
    switch (letters[0] << 8 | letters[1]) {
    case 'C' << 8 | 'N':
        return 3;
    case 'C' << 8:
        return 6;
    case 'L' << 8:
        return 7;
    case 'S' << 8 | 'T':
        return 8;
    case 'O' << 8:
        return 10;
    case 'O' << 8 | 'U':
        return 11;
    default:
        return 0;
    }
}

static bool is_plain_string(uint8_t tag) {
    return tag == MBEDTLS_ASN1_UTF8_STRING || tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
           tag == MBEDTLS_ASN1_IA5_STRING;
}

/* Mark in `used` the first unmarked attribute with this type and value. False if there is none. */
static bool use_attribute(const struct name *name, uint8_t type, struct slice value, uint32_t *used) {
    for (size_t i = 0; i < name->count; i++) {
        const struct attribute *attribute = name->attributes + i;
        if ((*used >> i & 1) == 0 && attribute->type.length == 3 && attribute->type.at[2] == type &&
            memcmp(attribute->type.at, MBEDTLS_OID_AT, 2) == 0 && is_plain_string(attribute->value_tag) &&
            is_same_value(attribute->value, value)) {
            *used |= 1U << i;
            return true;
        }
    }
    return false;
}

/*
 * Whether text such as "CN=a,O=b" certainly means this name: both have the same attributes. False does not
 * mean that they differ, because the text may have escapes, quotes or types that are not known here.
 */
bool name_is_text(const struct name *name, struct slice text) {
    if (name->count > NAME_ATTRIBUTES)
        return false;
    const uint8_t *at = text.at;
    const uint8_t *end = text.at + text.length;
    uint32_t used = 0;
    size_t count = 0;
    while (at < end) {
        const uint8_t *equals = at;
        while (equals < end && *equals != '=')
            equals++;
        if (equals == end)
            return false;
        uint8_t type = attribute_type(trim(at, equals));
        const uint8_t *stop = equals + 1;
        for (; stop < end && *stop != ',' && *stop != ';'; stop++)
            if (*stop == '\\' || *stop == '"' || *stop == '+' || *stop == '#')
                return false;
        if (type == 0 || !use_attribute(name, type, trim(equals + 1, stop), &used))
            return false;
        count++;
        if (end - stop == 1)
            return false; /* the text ends in a separator, so a part is missing */
        at = stop < end ? stop + 1 : end;
    }
    return count == name->count;
}

/* The length of the UTF-8 character (RFC 3629) that starts at `at`; 0 if it is invalid: overlong, a
 * surrogate, too high, or cut off. */
static size_t utf8_character(const uint8_t *at, size_t left) {
    if (at[0] < 0x80)
        return 1;
    size_t size = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || size > left)
        return 0;
    uint8_t low = at[0] == 0xE0 ? 0xA0 : at[0] == 0xF0 ? 0x90 : 0x80;
    uint8_t high = at[0] == 0xED ? 0x9F : at[0] == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

/* Whether text is UTF-8 with a single NUL, at its end. */
bool text_is_valid(struct slice text) {
    if (text.length == 0 || memchr(text.at, 0, text.length) != text.at + text.length - 1)
        return false;
    for (size_t i = 0; i < text.length;) {
        size_t size = utf8_character(text.at + i, text.length - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}
