#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
fault_set(struct fault *fault, enum fault_code code, size_t offset, const char *format, ...)
{
    if (fault == NULL || fault->code != FAULT_NONE) {
        return -1;
    }
    fault->code = code;
    fault->offset = offset;
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return -1;
}

int
fault_errno(struct fault *fault, const char *what)
{
    int number = errno;
    return fault_set(fault, FAULT_SYSTEM, 0, "%s: %s", what, strerror(number));
}
