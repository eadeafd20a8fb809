/* SPDX-License-Identifier: MIT
 * What a person types at the serial line: a line that is edited, and shown where it tears no other. No I/O.
 */
#ifndef PHONETRUST_BOARD_TYPED_H
#define PHONETRUST_BOARD_TYPED_H

#include <stddef.h>
#include <stdint.h>

#define TYPED_LIMIT 201 /* bytes; the agent drops a line of more than 200 */

struct typed {
    uint8_t line[TYPED_LIMIT + 1];
    size_t size;
    size_t shown; /* of these, how many the display shows at the end of its last line */
    int stale;    /* something of what it shows was taken back */
    int due;      /* something is to be shown */
    int escape;   /* within the sequence of an arrow key, which does nothing */
    int after_cr; /* a line feed now belongs to the line end before */
};

/* One byte that was typed. Return and line feed end a line, backspace and DEL take back a character, Ctrl-U
 * all; other control characters and keys that send an escape sequence do nothing. True where the line is
 * whole: line[0..size) without its end. */
int typed_take(struct typed *self, uint8_t byte);

/* What the display lacks of the line, at most TYPED_LIMIT + 4 bytes, into `out`; how many they are. */
size_t typed_show(struct typed *self, uint8_t *out);

/* A new line begins. */
void typed_clear(struct typed *self);

#endif
