/* What an interpreter that is lost left in the arena, put right, so that the next one carries on at the
   next message: nothing is lost silently, and nothing is said twice. */
#ifndef STORMCELL_RECOVERY_H
#define STORMCELL_RECOVERY_H

#include <stdbool.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"

/* Is it known what Storm has been told, and what it has said? 0, or -1 with FAULT_GONE: the interpreter
   was lost within a system call on the wire, or while it moved what is on it. */
int recovery_check(const struct arena *arena, struct fault *fault);

/* Bring the live ids, the input and the command in hand to what has been said so far. True: a command was
   in hand, and its sync is owed. The interpreter must be gone. */
bool recovery_mend(struct arena *arena);

/* Append the fail of a live tuple to `lane` and settle it so; any of them, one a call. *cursor is 0 at
   first. 1, 0: none is left, -1: the lane has no room, and it must be called again. */
int recovery_fail_one(struct arena *arena, struct buffer *lane, size_t *cursor);

#endif
