/* Allocations that fail one by one. The linker's --wrap=realloc puts this before the C library's
   realloc(), so the code under test carries no hook. */
#ifndef STORMCELL_TESTS_SCARCE_H
#define STORMCELL_TESTS_SCARCE_H

#include <stdbool.h>

/* From here on the `nth` allocation fails (1: the next one), and only that one. */
void scarce_begin(unsigned nth);

/* Back to plenty. True if an allocation has failed since scarce_begin(). */
bool scarce_end(void);

#endif
