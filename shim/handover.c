/* Between the two programs nothing of ours runs but Python's own start, so the descriptors are open to
   exec for no longer than that. */
#include "handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static int
set_close_on_exec(const struct arena *arena, bool on)
{
    const int descriptors[] = {arena->memory, arena->in, arena->out, arena->bell, arena->stacks};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (fcntl(descriptors[i], F_SETFD, on ? FD_CLOEXEC : 0) < 0) {
            return -1;
        }
    }
    return 0;
}

int
handover_give(const struct arena *arena, struct fault *fault)
{
    char number[16];
    snprintf(number, sizeof number, "%d", arena->memory);
    if (set_close_on_exec(arena, false) < 0 || setenv(HANDOVER_VARIABLE, number, 1) < 0) {
        return fault_errno(fault, "the wire cannot be handed over to Python");
    }
    return 0;
}

struct arena *
handover_take(const char *given, struct fault *fault)
{
    char *end;
    long memory = strtol(given, &end, 10);
    if (end == given || *end != '\0' || memory < 0 || memory > INT32_MAX) {
        fault_set(fault, FAULT_SYSTEM, 0, HANDOVER_VARIABLE "=%.80s is no descriptor's number",
                  given);
        return NULL;
    }
    struct arena *arena = arena_map((int)memory, fault);
    if (arena != NULL && set_close_on_exec(arena, true) < 0) {
        fault_errno(fault, "the wire was not handed over");
        arena_free(arena);
        return NULL;
    }
    return arena;
}
