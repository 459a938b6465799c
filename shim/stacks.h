/* Where Python stands, when it can no longer say so itself: a file in memory to which Python's faulthandler
   writes the stacks of all threads, at a crash by itself and at any time when asked by a signal. It
   needs no GIL for that. */
#ifndef STORMCELL_STACKS_H
#define STORMCELL_STACKS_H

#include <signal.h>
#include <sys/types.h>

#include "buffer.h"
#include "fault.h"

/* By which it is asked: nobody else's by custom, and the one above it is valgrind's. */
#define STACKS_SIGNAL (SIGRTMAX - 1)

/* A new file, appended to by whoever writes to it. The descriptor, or -1 with a fault. */
int stacks_open(struct fault *fault);

/* Ask a process for its stacks and wait until they are there, for up to a second. Does nothing where
   the process does not catch the signal, which would end it. */
void stacks_ask(int stacks, pid_t process);

/* Append what has been written, cut where it is long, and empty the file. */
void stacks_take(int stacks, struct buffer *out);

#endif
