/* SPDX-License-Identifier: MIT */
/* The JSON that the client needs: find a member of an object, and read text. No recursion, no allocation. */
#ifndef PHONETRUST_JSON_H
#define PHONETRUST_JSON_H

#include <stddef.h>

/* The value of a member of the object that starts at `object`, a text that ends with a NUL. NULL if there is
 * no such member, or if this is not an object. A value that is an object can be searched in the same way. */
const char *json_member(const char *object, const char *key);

/* Whether a value is this literal ("true", "1"). False if `value` is NULL. */
int json_is(const char *value, const char *literal);

/* Write the text of a string value to `out`, as UTF-8 with a NUL. A text that does not fit is cut at the end
 * of a character; invalid bytes become U+FFFD. Returns 0, or -1 (and writes "") if the value is not a string.
 */
int json_text(const char *value, char *out, size_t capacity);

/* Write `text` as a JSON string with its quotes. Returns its length, or -1 if it does not fit or is not
 * printable. */
int json_quote(const char *text, char *out, size_t capacity);

#endif
