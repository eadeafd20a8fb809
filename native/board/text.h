/* SPDX-License-Identifier: MIT
 * Lines that go to the serial console, as text that steers no terminal. */
#ifndef PHONETRUST_BOARD_TEXT_H
#define PHONETRUST_BOARD_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Cleans `text` in place and returns its new length, which is not greater. Line ends, printable ASCII and
 * valid UTF-8 stay. A tab becomes a space. Every other control character (C0, DEL, C1), bidirectional mark,
 * line separator and invalid byte becomes "?". *rest is the number of bytes at the end that may be the
 * beginning of a character. They follow the cleaned text and are not part of its length; the caller puts them
 * before the next bytes. NULL: no more bytes will come. */
size_t text_clean(uint8_t *text, size_t length, size_t *rest);

#endif
