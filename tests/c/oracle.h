/* jansson as the judge of our codec, and the values and texts by chance that it judges. All values
   are new. */
#ifndef STORMCELL_TESTS_ORACLE_H
#define STORMCELL_TESTS_ORACLE_H

#include <jansson.h>

#include "buffer.h"
#include "chance.h"

/* The value of a whole text, or NULL where jansson refuses it. */
json_t *oracle_load(struct slice text);

/* A string's value. */
json_t *oracle_string(struct slice utf8);

/* Set a member, which is stolen. The key has no NUL; the last of equal keys wins. */
void oracle_set(json_t *object, struct slice key, json_t *member);

/* Any value, nested up to `depth` levels. */
json_t *oracle_random(struct chance *chance, unsigned depth);

/* The UTF-8 of any code point but NUL and the surrogates, those at the edges more often than
   chance would have it. Returns its length. */
size_t oracle_random_char(struct chance *chance, char utf8[4]);

/* Append the value's text in one of the styles: spread or compact, non-ASCII as it is or escaped,
   and '/' escaped or not. */
enum { ORACLE_STYLES = 8 };
void oracle_dump(const json_t *value, unsigned style, struct buffer *out);

#endif
