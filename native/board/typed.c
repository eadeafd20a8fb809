/* SPDX-License-Identifier: MIT */
#include "typed.h"

#include <string.h>

/* Remove the last character. If the display shows it, `shown` is now greater than `size`, and the next
 * typed_show() removes it there. */
static void take_back(struct typed *self) {
    while (self->size > 0 && (self->line[self->size - 1] & 0xC0) ==
                                 0x80) { /* UTF-8: go back to the first byte of the character */
        self->size--;
    }
    if (self->size > 0) {
        self->size--;
    }
    self->stale = self->stale || self->shown > self->size;
    self->due = 1;
}

int typed_take(struct typed *self, uint8_t byte) {
    int after_cr = self->after_cr;
    self->after_cr = byte == '\r';
    if (self->escape != 0) {
        /* ESC [ or ESC O, parameters, a letter or "~" */
        self->escape = self->escape == 1 && (byte == '[' || byte == 'O') ? 2
                       : self->escape == 2 && byte < 0x40                ? 2
                                                                         : 0;
        return 0;
    }
    if (byte == '\r' || (byte == '\n' && !after_cr)) {
        return 1;
    }
    if (byte == 0x1B) {
        self->escape = 1;
    } else if (byte == 0x08 || byte == 0x7F) {
        take_back(self);
    } else if (byte == 0x15) {
        self->size = 0;
        self->stale = self->stale || self->shown > 0;
        self->due = 1;
    } else if (byte >= 0x20 && self->size < TYPED_LIMIT) {
        self->line[self->size++] = byte;
        self->due = 1;
    }
    return 0;
}

size_t typed_show(struct typed *self, uint8_t *out) {
    size_t count = 0;
    self->due = 0;
    if (self->stale) { /* the line is written again over the old one */
        out[count++] = '\r';
        memcpy(out + count, "\x1b[K", 3);
        count += 3;
        self->shown = 0;
        self->stale = 0;
    }
    memcpy(out + count, self->line + self->shown, self->size - self->shown);
    count += self->size - self->shown;
    self->shown = self->size;
    return count;
}

void typed_clear(struct typed *self) {
    self->size = 0;
    self->shown = 0;
    self->stale = 0;
    self->due = 0;
}
