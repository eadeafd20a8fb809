/* SPDX-License-Identifier: MIT */
/*
 * Runs the tests: native_tests VECTORS [NAME...]. For each one a line "ok NAME" or "failed NAME: FILE:LINE:
 * ...". Exit status: 0 all ok, 1 one failed, 2 no such test or vector.
 */
#include "harness.h"

#include <stdio.h>

#define MAXIMUM 200

static struct {
    const char *name;
    void (*run)(void);
} tests[MAXIMUM];
static size_t count;
static const char *running;
static bool failed;
static const char *vectors;

const char *const good_vectors[] = {
    "itl-1024.tlv",
    "itl-4096.tlv",
    "itl-base.tlv",
    "itl-casigned.tlv",
    "itl-cucmsigned.tlv",
    "itl-dn.tlv",
    "itl-highserial.tlv",
    "itl-othercluster.tlv",
    "itl-over64k.tlv",
    "itl-rollback.tlv",
    "itl-sha512.tlv",
    "itl-tftpregen-selfsigned.tlv",
    "itl-tftpregen.tlv",
    "ctl-mixed.tlv",
    "ctl-nonsecure.tlv",
    "cfg-new.cnf.xml.sgn",
    "cfg-other.cnf.xml.sgn",
    "cfg-sha1.cnf.xml.sgn",
    "cfg-sha512.cnf.xml.sgn",
    "load.bin.sgn",
    "SEP00270DC01C92.cnf.xml.sgn",
    "SEP00270DC01C92.cnf.xml.enc.sgn",
    NULL,
};

void harness_add(const char *name, void (*run)(void)) {
    if (count == MAXIMUM)
        abort();
    tests[count].name = name;
    tests[count++].run = run;
}

void harness_fail(const char *file, int line, const char *condition, long got, long wanted) {
    const char *slash = strrchr(file, '/');
    printf("failed %s: %s:%d: %s: got %ld, wanted %ld\n", running, slash != NULL ? slash + 1 : file, line,
           condition, got, wanted);
    failed = true;
}

static void *allocate(size_t length) {
    void *memory = malloc(length != 0 ? length : 1);
    if (memory == NULL)
        abort();
    return memory;
}

struct bytes bytes_of(const void *data, size_t length) {
    struct bytes bytes = {allocate(length), length};
    if (length != 0)
        memcpy(bytes.at, data, length);
    return bytes;
}

struct bytes bytes_from_hex(const char *hex) {
    struct bytes bytes = {allocate(strlen(hex) / 2), 0};
    unsigned value;
    int used;
    while (sscanf(hex, " %2x%n", &value, &used) == 1) {
        bytes.at[bytes.length++] = (uint8_t)value;
        hex += used;
    }
    struct bytes exact = bytes_of(bytes.at, bytes.length);
    free(bytes.at);
    return exact;
}

struct bytes read_vector(const char *name) {
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", vectors, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    long size = ftell(file);
    rewind(file);
    struct bytes bytes = {allocate((size_t)size), (size_t)size};
    if (fread(bytes.at, 1, bytes.length, file) != bytes.length) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    return bytes;
}

void bytes_free(struct bytes bytes) { free(bytes.at); }

/* DER of tag, length (two bytes, or one for short ones) and contents at `out`; returns how many bytes. */
static size_t put_der(uint8_t *out, uint8_t tag, const uint8_t *contents, size_t length) {
    size_t head = 0;
    out[head++] = tag;
    if (length >= 0x100) {
        out[head++] = 0x82;
        out[head++] = (uint8_t)(length >> 8);
    } else if (length >= 0x80) {
        out[head++] = 0x81;
    }
    out[head++] = (uint8_t)length;
    memmove(out + head, contents, length);
    return head + length;
}

static struct bytes make_certificate(const uint8_t *subject_and_key, size_t length) {
    static const char front[] = "020101"         /* serial */
                                "300506032a0304" /* algorithm 1.2.3.4 */
                                "3000"           /* issuer */
                                "301e"           /* validity, 2020 to 2040 */
                                "170d3230303130313030303030305a"
                                "170d3430303130313030303030305a";
    static const char back[] = "300506032a0304 03020055"; /* algorithm, signature */
    struct bytes fixed = bytes_from_hex(front);
    struct bytes end = bytes_from_hex(back);
    uint8_t inner[2000];
    uint8_t outer[2000];
    memcpy(outer, fixed.at, fixed.length);
    memcpy(outer + fixed.length, subject_and_key, length);
    size_t size = put_der(inner, 0x30, outer, fixed.length + length);
    memcpy(inner + size, end.at, end.length);
    size = put_der(outer, 0x30, inner, size + end.length);
    bytes_free(end);
    bytes_free(fixed);
    return bytes_of(outer, size);
}

struct bytes certificate_around(const uint8_t *public_key, size_t length) {
    uint8_t buffer[1000] = {0x30, 0x00}; /* no subject */
    memcpy(buffer + 2, public_key, length);
    return make_certificate(buffer, length + 2);
}

struct bytes certificate_named(const char *subject) {
    char hex[1000];
    snprintf(hex, sizeof hex, "%s 300d 3005 06032b6570 0304 00 010203", subject);
    struct bytes both = bytes_from_hex(hex);
    struct bytes certificate = make_certificate(both.at, both.length);
    bytes_free(both);
    return certificate;
}

size_t header_length(struct bytes file) { return (size_t)file.at[8] << 8 | file.at[9]; }

struct bytes record_certificate(const char *vector, size_t index) {
    struct bytes file = read_vector(vector);
    uint32_t rows[PHONETRUST_RECORD_ROW * 100];
    uint32_t fault[2];
    int records = phonetrust_check_records(file.at, file.length, header_length(file), rows, 100, fault);
    if (records <= (int)index)
        abort();
    const uint32_t *certificate = rows + PHONETRUST_RECORD_ROW * index + PHONETRUST_RECORD_CERTIFICATE;
    struct bytes found = bytes_of(file.at + certificate[0], certificate[1]);
    bytes_free(file);
    return found;
}

static bool wanted(const char *name, int argc, char **argv) {
    for (int i = 2; i < argc; i++)
        if (strcmp(name, argv[i]) == 0)
            return true;
    return argc <= 2;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s VECTORS [NAME...]\n", argv[0]);
        return 2;
    }
    vectors = argv[1];
    bool any_failed = false;
    size_t ran = 0;
    for (size_t i = 0; i < count; i++) {
        if (!wanted(tests[i].name, argc, argv))
            continue;
        running = tests[i].name;
        failed = false;
        tests[i].run();
        if (!failed)
            printf("ok %s\n", running);
        fflush(stdout);
        any_failed = any_failed || failed;
        ran++;
    }
    return ran == 0 ? 2 : any_failed ? 1 : 0;
}
