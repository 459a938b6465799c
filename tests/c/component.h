/* A component that does anything with its session, as a script has it, in an order of its own; each step
   has the result that the parent's account says. */
#ifndef STORMCELL_TESTS_COMPONENT_H
#define STORMCELL_TESTS_COMPONENT_H

#include "parent.h"
#include "script.h"
#include "session.h"

enum { LIVE_MOST = 64 };

/* {.script, .parent, .session} is ready for use. */
struct component {
    struct script *script;
    struct parent *parent;
    struct session *session;
    struct message message;             /* the last one, as long as it may be borrowed */
    const struct said *given;           /* which one that is */
    bool owes_sync;                     /* for the command in hand */
    const struct said *live[LIVE_MOST]; /* tuples in hand, in any order */
    unsigned live_count;
    const struct said *settled; /* one that is not live any more, or NULL */
};

/* Look for the next message, and for task ids. */
void component_receive(struct component *component);
void component_receive_task_ids(struct component *component);

/* A tuple that it has in hand is no longer that: whoever took over has failed it. */
void component_lose(struct component *component, struct slice id);

/* What was given last is still what it was. */
void component_check_borrowed(const struct component *component);

/* Ack or fail a tuple, mostly one that is live. */
void component_settle(struct component *component);

/* Emit what may be wrong, be left open or dropped: then nothing is heard of it. */
void component_emit(struct component *component);

/* Log, report an error or a metric. */
void component_remark(struct component *component);

#endif
