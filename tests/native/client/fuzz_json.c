/* SPDX-License-Identifier: MIT */
/* Any line as an answer: nothing outside of it is read, and what is found is text of whole characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition) {
    if (!condition)
        abort();
}

/* Characters as RFC 3629 allows them; counted a second way, by their numbers. */
static int is_utf8(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at != 0) {
        unsigned long number = *at;
        int more = *at < 0x80 ? 0 : *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : 1;
        if (more != 0)
            number &= 0x3FU >> more;
        for (int i = 1; i <= more; i++) {
            if ((at[i] & 0xC0) != 0x80)
                return 0;
            number = number << 6 | (at[i] & 0x3F);
        }
        static const unsigned long least[] = {0, 0x80, 0x800, 0x10000};
        if (number < least[more] || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
            return 0;
        at += more + 1;
    }
    return 1;
}

static void check_text(const char *value, size_t capacity) {
    char *out = malloc(capacity);
    must(out != NULL);
    memset(out, 'x', capacity);
    int result = json_text(value, out, capacity);
    must(memchr(out, 0, capacity) != NULL);
    must(result == 0 || (result == -1 && out[0] == '\0'));
    must(is_utf8(out));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const keys[] = {"id", "ok", "error", "decision", "event", "trust", "protocol", ""};
    char *line = malloc(size + 1);
    must(line != NULL);
    memcpy(line, data, size);
    line[size] = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = json_member(line, keys[i]);
        must(value == NULL || (value > line && value <= line + strlen(line)));
        json_is(value, "true");
        check_text(value, 1);
        check_text(value, 5);
        check_text(value, size + 8);
        const char *inner = json_member(value, "reason");
        must(inner == NULL || (inner > value && inner <= line + strlen(line)));
        check_text(inner, 32);
    }
    check_text(line, size + 8);
    size_t capacity = 2 * size + 3;
    char *quoted = malloc(capacity);
    must(quoted != NULL);
    int length = json_quote(line, quoted, capacity);
    must(length == -1 || (strlen(quoted) == (size_t)length && json_text(quoted, line, size + 1) == 0));
    free(quoted);
    free(line);
    return 0;
}
