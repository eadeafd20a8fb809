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
    size_t shown; /* how many of these bytes the display shows at the end of its last line */
    int stale;    /* a character that the display shows was removed */
    int due;      /* the display must be updated */
    int escape;   /* inside the sequence of an arrow key, which is ignored */
    int after_cr; /* a line feed that comes now belongs to the return before it */
};

/* Take one byte that was typed. Return and line feed end a line, backspace and DEL remove a character, and
 * Ctrl-U removes all. Other control characters, and keys that send an escape sequence, are ignored. Returns
 * true if the line is complete: line[0..size), without its end. */
int typed_take(struct typed *self, uint8_t byte);

/* Write to `out` the bytes that bring the display up to date, at most TYPED_LIMIT + 4. Returns their number.
 */
size_t typed_show(struct typed *self, uint8_t *out);

/* Begin a new line. */
void typed_clear(struct typed *self);

#endif
