/* SPDX-License-Identifier: MIT */
/* As much JSON as the client needs: find a member of an object, read text. No recursion, no allocation. */
#ifndef PHONETRUST_JSON_H
#define PHONETRUST_JSON_H

#include <stddef.h>

/* The value of a member of the object that starts at `object`, which ends in a NUL; NULL where there is none
 * or where this is no object. A value that is an object can be searched again. */
const char *json_member(const char *object, const char *key);

/* Whether a value is this literal ("true", "1"), NULL being none. */
int json_is(const char *value, const char *literal);

/* The text of a string value as UTF-8, cut to `capacity` at a character's end; U+FFFD for invalid
 * bytes. 0, or -1 (and "") for no string. */
int json_text(const char *value, char *out, size_t capacity);

/* Write text as a JSON string with its quotes. Its length, or -1 where it does not fit or is not printable.
 */
int json_quote(const char *text, char *out, size_t capacity);

#endif
