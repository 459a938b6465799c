/* Whole values through the codec: what the pull reader finds as a tree of jansson's, and the same
   written out again. Both recurse as a caller of the reader has to, down to JSON_DEPTH_MAX. */
#ifndef STORMCELL_TESTS_TREE_H
#define STORMCELL_TESTS_TREE_H

#include <stdbool.h>

#include "json.h"
#include "oracle.h"

/* The value of a whole text, new, or NULL with a fault. *foreign: the text has something that our
   reader takes and jansson refuses (NaN and infinities, numbers past its range, strings that are
   no Unicode, NUL in a key); a null stands in for it. */
json_t *tree_read(struct slice text, bool *foreign, struct fault *fault);

/* Read the whole text and append what was read, written by our writer. 0 or -1. */
int tree_rewrite(struct slice text, struct buffer *out, struct fault *fault);

/* Append a string's value, which is UTF-8 if the text is, but for lone surrogates. */
void tree_unescape(const struct json_value *string, struct buffer *out);

#endif
