/* An assertion for the helpers that the unit tests and the fuzz targets share: it ends the
   process, which libcheck and libFuzzer both report. NDEBUG does not switch it off. */
#ifndef STORMCELL_TESTS_REQUIRE_H
#define STORMCELL_TESTS_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void
require_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, condition);
    abort();
}

#define REQUIRE(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))

#endif
