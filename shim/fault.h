/* One error, kept by the caller: the first fault wins, nothing is allocated.
   Functions that can fail take a `struct fault *` last and return -1 after setting it;
   where three results are possible they are 1 (got one), 0 (none now) and -1 (fault). */
#ifndef STORMCELL_FAULT_H
#define STORMCELL_FAULT_H

#include <stddef.h>

enum fault_code {
    FAULT_NONE,
    FAULT_SYSTEM,    /* a system call or an allocation failed; the text names it */
    FAULT_GONE,      /* Storm closed the wire */
    FAULT_FORKED,    /* a forked child of the component used the wire */
    FAULT_LIMIT,     /* a named bound was passed: frame size, depth, buffer */
    FAULT_JSON,      /* the text is not JSON */
    FAULT_MESSAGE,   /* the JSON is not a message of the multilang protocol */
    FAULT_HANDSHAKE, /* the first message is not Storm's handshake */
    FAULT_ID,        /* a tuple id that is not live: settled before, or never seen */
    FAULT_STREAM     /* a stream, task or number of fields that the topology does not have */
};

struct fault {
    enum fault_code code;
    size_t offset;   /* bytes from the start of the text at fault, where that has a meaning */
    char text[1024]; /* two paths fit */
};

/* Make a fault that was used before ready for the next: cheaper than a new {0}, which is 1 KiB of
   zeros, where it is done for each tuple. Returns it. */
static inline struct fault *
fault_clear(struct fault *fault)
{
    fault->code = FAULT_NONE;
    return fault;
}

/* Record a fault unless one is recorded already (or `fault` is NULL). Always returns -1. */
int fault_set(struct fault *fault, enum fault_code code, size_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with `what` and the text of errno, code FAULT_SYSTEM. Always returns -1. */
int fault_errno(struct fault *fault, const char *what);

#endif
