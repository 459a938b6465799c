/* The engine plays Storm's side for all tasks of a topology in one thread. A tuple's walk through it:
       hear.c    what a component says, message by message
       emit.c    an emit: its targets by their groupings, its anchors' trees
       bolt.c    a tuple given to a bolt, and its ack or fail
       acker.c   the trees
       spout.c   a spout's commands: next, as often as there is room; ack and fail
       pipes.c   what a process is told, and who waits meanwhile
   task.c is a process's start, what comes from it, its death and its successor; loop.c waits and keeps the time,
   report.c tells what happens. Each knows those below it: pipes, spout, bolt, emit, hear, task, loop. This header is
   what they share. */
#ifndef STORMCELL_LOCAL_ENGINE_H
#define STORMCELL_LOCAL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "acker.h"
#include "buffer.h"
#include "fault.h"
#include "frame.h"
#include "grouping.h"
#include "histogram.h"
#include "memory.h"
#include "plan.h"
#include "process.h"
#include "random.h"
#include "report.h"

/* Times are in ns of the clock that only goes forward. */
#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

struct engine;
struct component;

/* Who takes a stream. */
struct subscription {
    struct component *to;
    const struct plan_input *input;
    bool cyclic; /* what it brings may come back to its source: it must never wait for it */
};

enum { TAKERS_MAX = 1024 };

/* A stream of a component, with all that take it: TAKERS_MAX at most. */
struct flow {
    const struct plan_stream *plan;
    struct subscription *subscriptions;
    size_t count;
    size_t first_grouping; /* where theirs begin in each task's */
};

struct totals {
    uint64_t emitted;
    uint64_t executed;
    uint64_t acked;
    uint64_t failed;
    uint64_t timed_out;
    uint64_t errors;
    uint64_t restarts;
    uint64_t in_flight;
};

struct component {
    const struct plan_component *plan;
    struct task *tasks;
    size_t task_count;
    struct flow *flows; /* as many as the plan has streams */
    size_t grouping_count;
    unsigned full_below;  /* how many tasks that take its streams have more than they can take */
    int64_t tick;         /* ns between two ticks; 0: none */
    uint64_t max_pending; /* tuples of one of its tasks whose trees may be open */
    struct totals totals;
    struct histogram latency;
};

/* The share of one tuple in the tree of one root. */
struct edge {
    root_id root;
    uint64_t value;
};

/* A tuple that a bolt was given and has not settled. */
struct delivery {
    uint64_t id; /* 0: the place is free */
    int64_t given;
    uint32_t next_free;
    uint32_t edge_count;
    union {
        struct edge one;
        struct edge *many; /* owned, where there are more */
    } edges;
};

struct deliveries {
    struct delivery *places;
    uint32_t capacity;
    uint32_t free;
    uint32_t live;
    uint64_t turn; /* makes ids that come only once */
};

/* What a spout was told, oldest first; each is answered by one sync. */
struct commands {
    uint8_t *kinds;  /* enum spout_command, in a ring */
    size_t capacity; /* a power of two */
    size_t first;
    size_t count;
    size_t nexts; /* how many of them are `next` */
};

/* How often a spout is asked for more (spout.c). */
struct pacing {
    size_t window;     /* how many `next` may be open */
    int64_t asked;     /* when it was last asked */
    int64_t rest_till; /* it is not asked before */
    bool emitted;      /* since its last sync */
    bool active;       /* it has been told so */
};

enum task_state {
    TASK_DOWN,     /* waits for its start */
    TASK_STARTING, /* has not answered the handshake */
    TASK_UP
};

struct task {
    struct engine *engine;
    struct component *component;
    int32_t id;
    uint32_t index; /* among all tasks */
    enum task_state state;
    struct process process;
    bool served;  /* it has once said more than what it says while it starts */
    bool doomed;  /* killed for what it said or did not say: nothing of it counts any more */
    bool paused;  /* nothing is read from it for now */
    bool full;    /* counted in its sources' full_below */
    bool blocked; /* its pipe is full: the loop waits until it is not */
    bool dirty;   /* in the list of those to be written to */
    struct task *next_dirty;
    struct buffer said; /* what came from it, of which `input` knows how far it is read */
    struct frame_input input;
    struct buffer told; /* what goes to it, from `told_start` on */
    size_t told_start;
    struct buffer stderr_text; /* what of its stderr is no whole line yet */
    char last_words[1000];     /* its last line of stderr, or why it was killed */
    struct slice *opens; /* for each flow: how its tuples' messages begin, and end up to the id */
    struct slice *closes;
    struct grouping *groupings;
    struct deliveries deliveries;
    uint64_t pending; /* a spout's open trees */
    struct commands commands;
    struct pacing pacing;
    int64_t heard;      /* when it last said something */
    int64_t next_tick;  /* INT64_MAX: never */
    int64_t start_at;   /* of one that is down */
    int64_t deaths[8];  /* when it died, the last ones */
    size_t death_count; /* in all */
};

enum phase { PHASE_STARTING, PHASE_RUNNING, PHASE_DRAINING, PHASE_ENDED };

struct engine {
    const struct plan *plan;
    struct component *components; /* as many as the plan's, in its order */
    struct task *tasks;           /* all, by component */
    size_t task_count;
    struct task **by_id; /* NULL where the id is the acker's */
    int32_t id_count;
    char pid_dir[64];
    struct acker acker;
    bool has_ackers;
    int64_t message_timeout;
    int64_t process_timeout; /* how long a component may owe an answer */
    int64_t start_timeout;   /* and that to the handshake */
    struct random random;
    int epoll;
    int64_t started;
    int64_t now; /* of this turn of the loop */
    enum phase phase;
    const char *reason; /* of the end */
    int64_t phase_since;
    int64_t last_activity; /* when something was last emitted */
    uint64_t spouts_emitted;
    size_t up;            /* tasks that have answered their handshake */
    size_t full_tasks;    /* bolts with more than they can take: no spout is asked meanwhile */
    size_t open_commands; /* of all spouts, that have not been answered */
    size_t open_nexts;    /* of these */
    bool failed;          /* something did, which the exit status tells */
    bool hopeless;        /* a component cannot be kept up */
    bool hurried;         /* a signal came while it was ending: it does not wait for anybody */
    struct task *dirty;
    struct buffer values;     /* of the tuple that is on its way, where they had to be rewritten */
    struct buffer message_id; /* its id, where that had to be */
    struct report report;
};

#endif
