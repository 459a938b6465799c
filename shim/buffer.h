/* Bytes: `slice` is a borrowed view, `buffer` owns memory that grows, or borrows a fixed region. */
#ifndef STORMCELL_BUFFER_H
#define STORMCELL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "fault.h"

struct slice {
    const char *ptr;
    size_t len;
};

/* {0} is an empty buffer that owns nothing yet. */
struct buffer {
    char *data;
    size_t len;
    size_t cap;
    bool fixed; /* `data` is somebody else's and cannot grow past `cap` */
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

static inline bool
slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Release what the buffer owns and leave it {0}. */
void buffer_deinit(struct buffer *buffer);

/* Make room for `more` bytes behind `len`. 0, or -1 with FAULT_LIMIT or FAULT_SYSTEM. */
int buffer_grow(struct buffer *buffer, size_t more, struct fault *fault);

/* Where the next `more` bytes may be written (borrowed until the next call), or NULL with a fault. */
static inline char *
buffer_room(struct buffer *buffer, size_t more, struct fault *fault)
{
    /* no bytes at all need a place too: NULL would say that there is a fault */
    bool enough = buffer->data != NULL && buffer->cap - buffer->len >= more;
    if (!enough && buffer_grow(buffer, more, fault) < 0) {
        return NULL;
    }
    return buffer->data + buffer->len;
}

/* Append a copy of `bytes`. 0, or -1 with a fault and the buffer as it was. */
static inline int
buffer_append(struct buffer *buffer, struct slice bytes, struct fault *fault)
{
    char *room = buffer_room(buffer, bytes.len, fault);
    if (room == NULL) {
        return -1;
    }
    if (bytes.len > 0) {
        memcpy(room, bytes.ptr, bytes.len);
    }
    buffer->len += bytes.len;
    return 0;
}

#endif
