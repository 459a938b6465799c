/* Memory that ends at a page nobody may touch: reading one byte too far ends the test, with or
   without a sanitizer. */
#ifndef STORMCELL_TESTS_GUARDED_H
#define STORMCELL_TESTS_GUARDED_H

#include "buffer.h"

/* {0} is an empty one. */
struct guarded {
    char *map;
    size_t room; /* writable bytes before the guard page */
};

/* Copy `bytes` to the very end of the memory. Borrowed until the next call. */
struct slice guarded_put(struct guarded *guarded, struct slice bytes);

/* The last `len` bytes of the memory, to be written to. Borrowed until the next call. */
char *guarded_tail(struct guarded *guarded, size_t len);

/* Release the memory and leave it {0}. */
void guarded_deinit(struct guarded *guarded);

#endif
