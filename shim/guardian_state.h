/* The inside of the guardian, for guardian.c, guardian_watch.c and guardian_say.c alone. */
#ifndef STORMCELL_GUARDIAN_STATE_H
#define STORMCELL_GUARDIAN_STATE_H

#include <signal.h>

#include "arena.h"
#include "buffer.h"
#include "capture.h"
#include "pulse.h"
#include "restarts.h"

struct guardian {
    struct arena *arena;
    struct buffer lane;
    struct capture captured[2];
    struct pulse pulse;
    struct restarts restarts;
    pid_t interpreter;    /* 0: there is none at the moment */
    pid_t lost;           /* the last one that ended, */
    int status;           /* and its status of waitpid */
    struct buffer report; /* what is to be told of its end; not empty before that: it hung */
    int start_reports;    /* how often it was told that the interpreter is still starting */
    int signals;          /* signalfd */
    sigset_t mask;        /* an interpreter's: that of the process before these were blocked */
    int parent; /* pidfd of the process that started this one; -1: nothing follows from its end */
    int64_t deadline;  /* to end, and when the interpreter is killed for it, ms; 0: nobody asked */
    bool orphaned;     /* Storm's end of the wire is closed, or Storm is gone */
    bool input_closed; /* nothing more will come from it, though it may still listen */
};

/* ---- guardian_watch.c ------------------------------------------------------------------- */

/* Wait for whatever comes next, a tick at most where something must be looked after, and see to it. */
void guardian_watch(struct guardian *guardian);

/* Take all that has been printed so far. */
void guardian_drain(struct guardian *guardian);

/* Was it asked to end, or is nobody left to work for? */
static inline bool
guardian_is_leaving(const struct guardian *guardian)
{
    return guardian->orphaned || guardian->deadline != 0;
}

/* ---- guardian_say.c --------------------------------------------------------------------- */

/* Write both lanes: the interpreter's own too, which may have waited while it works.
   1: nothing is left to write, 0: later, -1: Storm is gone, or the wire is torn. */
int guardian_send(struct guardian *guardian);

/* Each appends a whole message, or nothing where the lane has no room. */
void guardian_say_error(struct guardian *guardian, struct slice text);
void guardian_say_log(struct guardian *guardian, enum message_level level, struct slice text);
void guardian_say_sync(struct guardian *guardian);

/* The last resort: Storm quotes what it finds on stderr when a child ends. */
void guardian_complain(const struct guardian *guardian, struct slice text);

/* Make sure that Storm listens: the handshake is answered. 0 or -1. */
int guardian_answer(struct guardian *guardian);

/* Write what is left, for as long as Storm takes it. 0, or -1 where something stays unsaid. */
int guardian_send_last(struct guardian *guardian);

/* Wait until Storm has taken in what was written; `early`: the pid has only just been answered. */
void guardian_await_reading(const struct guardian *guardian, bool early);

/* Is there anything of Storm's that has not been taken in hand? */
bool guardian_input_waits(const struct arena *arena);

#endif
