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
    struct handshake handshake;
    struct buffer task_ids;
    struct buffer unescaped;
    struct fault why; /* a message could not be read */
    bool spout;
    int wake; /* eventfd */
    int out;  /* the arena's, kept for a forked child to close */
    atomic_bool waiting;
};

/* The fault of a forked child that uses its parent's session. Returns -1. */
int session_forked(struct fault *fault);

#endif
