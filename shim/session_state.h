/* The inside of a session, for session.c and session_say.c alone. */
#ifndef STORMCELL_SESSION_STATE_H
#define STORMCELL_SESSION_STATE_H

#include <stdatomic.h>

#include "inlet.h"
#include "outlet.h"
#include "record.h"
#include "session.h"

struct session {
    struct arena *arena; /* NULL in a forked child */
    struct arena *own;   /* a loopback session's, to be freed with it; else NULL */
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
    struct record *record; /* NULL: nothing is recorded */
};

/* ---- session.c -------------------------------------------------------------------------- */

/* A session on an arena, as yet without signals, forks and a way to be woken: new, or NULL with a fault. */
struct session *session_on(struct arena *arena, struct fault *fault);

/* ---- session_say.c ---------------------------------------------------------------------- */

/* Record what comes from here on, where the handshake asks for it. */
void session_begin_recording(struct session *session);

/* Record a message. Where that fails, recording is over and the log says why. */
void session_record(struct session *session, enum record_kind kind, struct slice message);

#endif
