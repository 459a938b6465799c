/* The inside of a session, for session.c and session_say.c alone. */
#ifndef STORMCELL_SESSION_STATE_H
#define STORMCELL_SESSION_STATE_H

#include <stdatomic.h>

#include "inlet.h"
#include "outlet.h"
#include "session.h"

struct session {
    struct arena *arena; /* NULL in a forked child */
    struct inlet inlet;
    struct outlet outlet;
    size_t emit_start; /* where the open emit began */
    bool emitting;     /* one is open */
    bool asking;       /* and Storm is to answer it with task ids */
    struct handshake handshake;
    struct buffer task_ids;
    struct buffer unescaped;
    struct fault why; /* a message could not be read */
    bool spout;
    int wake[2]; /* a pipe: whoever writes to [1] ends a wait */
    int out;     /* the arena's, kept for a forked child to close */
    int bell;
    int stacks;
    atomic_bool waiting;
};

#endif
