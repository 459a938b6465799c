#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
out_of_memory(void)
{
    fprintf(stderr, "stormcell-engine: there is no more memory\n");
    abort();
}

void *
need_memory(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}

char *
need_room(struct buffer *buffer, size_t bytes)
{
    char *room = buffer_room(buffer, bytes, NULL);
    if (room == NULL) {
        out_of_memory();
    }
    return room;
}
