#include "scarce.h"

#include <errno.h>
#include <stddef.h>

static unsigned left; /* allocations up to and with the one that fails; 0: none fails */
static bool failed;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
    if (left > 0 && --left == 0) {
        failed = true;
        errno = ENOMEM;
        return NULL;
    }
    return __real_realloc(old, size);
}

void
scarce_begin(unsigned nth)
{
    left = nth;
    failed = false;
}

bool
scarce_end(void)
{
    left = 0;
    return failed;
}
