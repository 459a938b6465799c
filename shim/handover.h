/* From stormcell-shim to the Python that its child becomes by exec: the arena, whose memfd stays open,
   and the private descriptors that the arena names. */
#ifndef STORMCELL_HANDOVER_H
#define STORMCELL_HANDOVER_H

#include "arena.h"

/* The variable of the environment that says where the arena is. Whoever takes it over removes it. */
#define HANDOVER_VARIABLE "STORMCELL_ARENA"

/* Leave the arena to the program that this process becomes next. 0, or -1 with a fault. */
int handover_give(const struct arena *arena, struct fault *fault);

/* The arena (new) that `given`, the variable's value, stands for, closed to further programs; NULL with
   a fault. */
struct arena *handover_take(const char *given, struct fault *fault);

#endif
