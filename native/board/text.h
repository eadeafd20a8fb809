/* SPDX-License-Identifier: MIT
 * Lines that go to the serial console, as text that steers no terminal. */
#ifndef PHONETRUST_BOARD_TEXT_H
#define PHONETRUST_BOARD_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Cleans `text` in place and returns its new length, which is never longer. Kept are line ends, printable
 * ASCII and valid UTF-8; a tab becomes a space; every other control character (C0, DEL, C1), bidirectional
 * mark, line separator and byte that is no UTF-8 becomes "?". *rest: bytes at the end that may be the
 * beginning of a character; they are not part of the new length and lie behind it, to be put before what
 * comes next. NULL: nothing comes next. */
size_t text_clean(uint8_t *text, size_t length, size_t *rest);

#endif
