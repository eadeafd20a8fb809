/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdint.h>
#include <string.h>

static const char *blanks(const char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
        at++;
    return at;
}

/* The place after the string that starts at a quote; NULL if the string does not end. */
static const char *after_string(const char *at) {
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
    }
    return at + 1;
}

/* The place after a value. Strings are skipped as a whole, and brackets are counted. */
static const char *after_value(const char *at) {
    unsigned depth = 0;
    do {
        if (*at == '\0')
            return NULL;
        if (*at == '"') {
            at = after_string(at);
            if (at == NULL)
                return NULL;
            continue;
        }
        if (depth == 0 && strchr(",]}", *at) != NULL)
            return at;
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth != 0 || (*at != '\0' && strchr(",]} \t\r\n", *at) == NULL));
    return at;
}

const char *json_member(const char *object, const char *key) {
    if (object == NULL || *(object = blanks(object)) != '{')
        return NULL;
    size_t length = strlen(key);
    const char *at = blanks(object + 1);
    while (*at == '"') {
        const char *name = at + 1;
        at = after_string(at);
        if (at == NULL)
            return NULL;
        int found = (size_t)(at - 1 - name) == length && memcmp(name, key, length) == 0;
        at = blanks(at);
        if (*at != ':')
            return NULL;
        at = blanks(at + 1);
        if (found)
            return at;
        at = after_value(at);
        if (at == NULL || *(at = blanks(at)) != ',')
            return NULL;
        at = blanks(at + 1);
    }
    return NULL;
}

int json_is(const char *value, const char *literal) {
    size_t length = strlen(literal);
    return value != NULL && strncmp(value, literal, length) == 0 &&
           (value[length] == '\0' || strchr(",]} \t\r\n", value[length]) != NULL);
}

/* The number of four hexadecimal digits; -1 if there are not four. */
static int32_t hexadecimal(const char *at) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = at[i];
        int32_t number = digit >= '0' && digit <= '9'   ? digit - '0'
                         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                        : -1;
        if (number < 0)
            return -1;
        value = value << 4 | number;
    }
    return value;
}

/* The character of one \uXXXX, or of two that belong together; moves *at past them. U+FFFD for a lone half.
 * -1: not hexadecimal. */
static int32_t escaped_character(const char **at) {
    int32_t value = hexadecimal(*at);
    if (value < 0)
        return -1;
    *at += 4;
    if (value >= 0xD800 && value <= 0xDBFF && (*at)[0] == '\\' && (*at)[1] == 'u') {
        int32_t low = hexadecimal(*at + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *at += 6;
            return 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return value == 0 || (value >= 0xD800 && value <= 0xDFFF) ? 0xFFFD : value;
}

static size_t to_utf8(int32_t value, char out[4]) {
    if (value < 0x80) {
        out[0] = (char)value;
        return 1;
    }
    size_t size = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (value & 0x3F));
        value >>= 6;
    }
    out[0] = (char)((0xF00 >> size & 0xFF) | value);
    return size;
}

/* The bytes of the UTF-8 character at `at`, a text that ends with a NUL; 0 if it is invalid (RFC 3629, 4). */
static size_t utf8_size(const char *at) {
    const unsigned char *byte = (const unsigned char *)at;
    if (byte[0] < 0x80)
        return 1;
    size_t size = byte[0] < 0xC2 ? 0 : byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : byte[0] < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < size; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    if ((byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xF0 && byte[1] < 0x90))
        return 0; /* more bytes than it needs */
    if ((byte[0] == 0xED && byte[1] > 0x9F) || (byte[0] == 0xF4 && byte[1] > 0x8F))
        return 0; /* a surrogate, or above U+10FFFF */
    return size;
}

/* Write the next character inside a string to `out`, as UTF-8. Returns its size, or 0 for an invalid escape.
 */
static size_t next_character(const char **at, char out[4]) {
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (**at != '\\') {
        size_t size = utf8_size(*at);
        if (size == 0) { /* not UTF-8: U+FFFD for this byte */
            *at += 1;
            return to_utf8(0xFFFD, out);
        }
        memcpy(out, *at, size);
        *at += size;
        return size;
    }
    *at += 1;
    if (**at == 'u') {
        *at += 1;
        int32_t value = escaped_character(at);
        return value < 0 ? 0 : to_utf8(value, out);
    }
    const char *name = **at == '\0' ? NULL : strchr(names, **at);
    if (name == NULL)
        return 0;
    *at += 1;
    out[0] = meanings[name - names];
    return 1;
}

int json_text(const char *value, char *out, size_t capacity) {
    if (capacity == 0)
        return -1;
    out[0] = '\0';
    if (value == NULL || *value != '"' || after_string(value) == NULL)
        return -1;
    const char *at = value + 1;
    size_t have = 0;
    while (*at != '"') {
        char character[4];
        size_t size = next_character(&at, character);
        if (size == 0) {
            out[0] = '\0';
            return -1;
        }
        if (have + size >= capacity)
            break;
        memcpy(out + have, character, size);
        have += size;
    }
    out[have] = '\0';
    return 0;
}

int json_quote(const char *text, char *out, size_t capacity) {
    size_t have = 0;
    if (capacity < 3)
        return -1;
    out[have++] = '"';
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || have + 4 > capacity)
            return -1;
        if (*text == '"' || *text == '\\')
            out[have++] = '\\';
        out[have++] = *text;
    }
    if (have + 2 > capacity)
        return -1;
    out[have++] = '"';
    out[have] = '\0';
    return (int)have;
}
