/* The process in front of the interpreter: the one that Storm started and whose pid it knows.
   It holds no Python. It makes the wire private, turns what is printed into log messages, passes
   signals on, keeps Storm from taking a busy component for dead, and when the interpreter is lost it
   says why, fails what that had in hand and starts another one on the same wire. */
#ifndef STORMCELL_GUARDIAN_H
#define STORMCELL_GUARDIAN_H

#include "arena.h"
#include "fault.h"

/* Become two processes: the caller goes on in the child with the arena (new) that both share, while
   this process guards it and exits when nothing is left to guard. A successor of a lost child goes on
   from the same place: this returns once in each. Call it before threads are started.
   NULL with a fault if that could not be done. */
struct arena *guardian_enter(struct fault *fault);

/* Go on in the program that the caller of guardian_enter() has become by exec, with the arena (new) that
   was handed over (handover.h): NULL with a fault if that could not be done. */
struct arena *guardian_join(const char *handed_over, struct fault *fault);

/* The arena of this process once one of the two has returned (borrowed), else NULL. */
struct arena *guardian_arena(void);

#endif
