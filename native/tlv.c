/* SPDX-License-Identifier: MIT */
/* Walks over tags and lengths of headers and records. agent/formats/tlv.py does the same checks in the same
 * order. */
#include <string.h>

#include "internal.h"

#define HEAD 3 /* tag:1 length:2 */

#define VERSION 1
#define HEADERLENGTH 2
#define PADDING 13
#define HEADER_TAGS 29 /* the known tags are 1 to 28 */

/* The container of each known tag, which may appear nowhere else; 0 is the header itself. */
static const uint8_t parent[HEADER_TAGS] = {
    [4] = 3,   [5] = 3,   [6] = 3,   [8] = 7,   [9] = 7,   [10] = 9,  [11] = 9,  [17] = 16,
    [21] = 16, [18] = 17, [19] = 17, [20] = 17, [22] = 21, [23] = 21, [24] = 21, [25] = 21,
};

static bool is_container(uint8_t tag) {
    const uint32_t containers = 1U << 3 | 1U << 7 | 1U << 9 | 1U << 16 | 1U << 17 | 1U << 21;
    return tag < 32 && (containers >> tag & 1) != 0;
}

static int add(struct rows *rows, uint32_t tag, size_t offset, size_t length) {
    if (rows->count == rows->capacity)
        return PHONETRUST_ERROR_SPACE;
    uint32_t *row = rows->at + PHONETRUST_TLV_ROW * rows->count++;
    row[0] = tag;
    row[1] = (uint32_t)offset;
    row[2] = (uint32_t)length;
    return 0;
}

/* The length of the value of the TLV at `offset`. The TLV must end at `limit` or before. */
static int value_length(const uint8_t *file, size_t offset, size_t limit, size_t *length, uint32_t *fault) {
    if (limit - offset < HEAD)
        return malformed(fault, file[offset], offset);
    *length = read_u16(file + offset + 1);
    if (*length > limit - offset - HEAD)
        return malformed(fault, file[offset], offset);
    return 0;
}

static int header_length(const uint8_t *file, size_t length, size_t *header, uint32_t *fault) {
    if (length == 0)
        return malformed(fault, VERSION, 0);
    if (file[0] != VERSION)
        return malformed(fault, file[0], 0);
    if (length < HEAD)
        return malformed(fault, VERSION, 0);
    size_t second = HEAD + read_u16(file + 1);
    size_t least = second + HEAD + 2;
    if (least > length)
        return malformed(fault, VERSION, 0);
    if (file[second] != HEADERLENGTH || read_u16(file + second + 1) != 2)
        return malformed(fault, file[second], second);
    *header = read_u16(file + second + HEAD);
    if (*header < least || *header > length)
        return malformed(fault, HEADERLENGTH, second);
    return 0;
}

struct container {
    uint8_t tag;
    size_t limit; /* offset of the first byte after it */
};

static int header_rows(const uint8_t *file, size_t header, struct rows *rows, uint32_t *fault) {
    struct container open[4] = {
        {0, header}}; /* no container contains itself, so they are at most three deep */
    struct container *inner = open;
    uint32_t seen = 0;
    size_t offset = 0;
    for (;;) {
        while (offset == inner->limit && inner != open)
            inner--;
        if (offset == inner->limit)
            return 0;
        uint8_t tag = file[offset];
        bool known = tag != 0 && tag < HEADER_TAGS;
        if (known && parent[tag] != inner->tag)
            return malformed(fault, tag, offset);
        size_t length = 0;
        size_t value = offset + 1;
        if (tag != PADDING) {
            int result = value_length(file, offset, inner->limit, &length, fault);
            if (result != 0)
                return result;
            if (known && (seen >> tag & 1) != 0)
                return malformed(fault, tag, offset);
            seen |= known ? 1U << tag : 0;
            value = offset + HEAD;
        }
        if (add(rows, tag, value, length) != 0)
            return PHONETRUST_ERROR_SPACE;
        offset = value;
        if (is_container(tag))
            *++inner = (struct container){tag, value + length};
        else
            offset += length;
    }
}

int phonetrust_header_index(const uint8_t *file, size_t length, uint32_t *rows, size_t capacity,
                            uint32_t *fault) {
    if (length > PHONETRUST_MAXIMUM_LENGTH)
        return PHONETRUST_ERROR_ARGUMENT;
    struct rows found = {rows, capacity, 0};
    size_t header = 0;
    int result = header_length(file, length, &header, fault);
    if (result == 0)
        result = header_rows(file, header, &found, fault);
    return result == 0 ? (int)found.count : result;
}

int record_read(const uint8_t *file, size_t length, size_t *offset, struct slice *values, struct rows *rows,
                uint32_t *fault) {
    size_t at = *offset;
    if (file[at] != 1 || length - at < HEAD + 2 || read_u16(file + at + 1) != 2)
        return malformed(fault, file[at], at);
    size_t record = read_u16(file + at + HEAD);
    if (record < HEAD + 2 || record > length - at)
        return malformed(fault, 1, at);
    size_t end = at + record;
    memset(values, 0, RECORD_TAGS * sizeof *values);
    while (at < end) {
        uint8_t tag = file[at];
        size_t size = 0;
        int result = value_length(file, at, end, &size, fault);
        if (result != 0)
            return result;
        if (tag != 0 && tag < RECORD_TAGS) {
            if (values[tag].at != NULL)
                return malformed(fault, tag, at);
            values[tag] = (struct slice){file + at + HEAD, size};
        }
        if (rows != NULL && add(rows, tag, at + HEAD, size) != 0)
            return PHONETRUST_ERROR_SPACE;
        at += HEAD + size;
    }
    *offset = end;
    return 0;
}

int phonetrust_record_index(const uint8_t *file, size_t length, size_t start, uint32_t *rows, size_t capacity,
                            uint32_t *fault) {
    if (length > PHONETRUST_MAXIMUM_LENGTH || start > length)
        return PHONETRUST_ERROR_ARGUMENT;
    struct rows found = {rows, capacity, 0};
    struct slice values[RECORD_TAGS];
    size_t offset = start;
    while (offset < length) {
        int result = record_read(file, length, &offset, values, &found, fault);
        if (result != 0)
            return result;
    }
    return (int)found.count;
}
