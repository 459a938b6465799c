/* One way to grow, and it cannot overflow. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>

enum { SMALLEST = 256 };

void
buffer_deinit(struct buffer *buffer)
{
    if (!buffer->fixed) {
        free(buffer->data);
    }
    *buffer = (struct buffer){0};
}

int
buffer_grow(struct buffer *buffer, size_t more, struct fault *fault)
{
    if (more > SIZE_MAX / 2 - buffer->len) {
        return fault_set(fault, FAULT_LIMIT, buffer->len,
                         "a buffer of %zu + %zu bytes is too large", buffer->len, more);
    }
    size_t need = buffer->len + more;
    if (need <= buffer->cap && buffer->data != NULL) {
        return 0;
    }
    if (buffer->fixed) {
        return fault_set(fault, FAULT_LIMIT, buffer->len,
                         "%zu bytes do not fit into a buffer of %zu", need, buffer->cap);
    }
    size_t cap = buffer->cap < SMALLEST ? SMALLEST : buffer->cap;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(buffer->data, cap);
    if (data == NULL) {
        return fault_set(fault, FAULT_SYSTEM, buffer->len, "no memory for a buffer of %zu bytes",
                         cap);
    }
    buffer->data = data;
    buffer->cap = cap; /* only now that nothing can fail */
    return 0;
}
