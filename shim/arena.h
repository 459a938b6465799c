/* The memory that the guardian and the interpreter share: one memfd, mapped by both. It is
   reserved large and touched as needed, so that nothing in it ever moves; it holds offsets and no
   pointers, so that each may map it where it likes; and what is in it survives either of them. */
#ifndef STORMCELL_ARENA_H
#define STORMCELL_ARENA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"
#include "fault.h"
#include "frame.h"

/* The regions behind the header. */
enum arena_region {
    ARENA_INPUT,     /* bytes from Storm */
    ARENA_HANDSHAKE, /* its first message, for each interpreter to come */
    ARENA_OUTPUT,    /* bytes to Storm: what the interpreter says */
    ARENA_REMARKS,   /* and what the guardian says */
    ARENA_IDS, /* slots of the live ids: two halves, the table moves between them as it grows */
    ARENA_ID_TEXTS, /* ids that are no decimal numbers, two halves as well */
    ARENA_REGIONS
};

/* Who writes to Storm; each has a lane of its own. */
enum arena_writer { WRITER_INTERPRETER, WRITER_GUARDIAN, ARENA_WRITERS };

/* Bytes on their way out. Its writer appends behind `committed` and moves that on by whole
   messages; whoever holds the wire's lock writes from `written` on, and what is left moves to the front.
   What follows from a message (an id is no longer live, a command is answered) is noted behind the
   commit, and then `applied` moves on: the messages between the two tell what is still to be noted
   where their writer was lost in between (recovery.c). */
struct arena_lane {
    _Atomic size_t committed;
    _Atomic size_t written;
    size_t applied;
    _Atomic uint64_t sent; /* bytes written since the beginning */
};

/* The table of live tuple ids; its slots are in ARENA_IDS, in one half or the other (ids.c). */
struct arena_ids {
    int64_t newest; /* the id that was added last, a number, is not yet in the table */
    bool newest_live;
    uint32_t half; /* which half holds the table */
    size_t count;  /* in the table */
    struct {
        size_t capacity; /* a power of two, or 0 before the first id */
        size_t text_used;
    } halves[2];
};

/* The message that the component's code has in hand. `kind` is set behind the rest, and reset only
   when `dealt` says that the message is done with. */
struct arena_hand {
    enum {
        HAND_EMPTY,
        HAND_ENTERING, /* a tuple whose id is just being entered into the table */
        HAND_TUPLE,
        HAND_COMMAND /* to a spout, or a heartbeat: a sync is owed */
    } kind;
    bool numbered;  /* the tuple's id is a number */
    int64_t number; /* it, or the hash of its text (struct tuple_id) */
    char text[64];  /* the start of an id that is none */
    size_t len;
};

/* Storm's own default for the time within which it wants to hear something. */
enum { ARENA_TIMEOUT_MS = 30 * 1000 };

/* Who the component is, and what the topology's configuration has for its guardian. */
struct arena_component {
    enum { COMPONENT_UNKNOWN, COMPONENT_BOLT, COMPONENT_SPOUT } kind; /* until it serves: unknown */
    bool known; /* Storm's handshake was one: the rest is set */
    int64_t task;
    char name[128];
    int64_t timeout_ms; /* a heartbeat unanswered for so long is death to the worker */
    int64_t hang_ms;    /* a call that shows no sign of life for so long hangs; 0: however long */
    int64_t restart_max;
    int64_t restart_within_ms;
};

struct arena {
    size_t layout;  /* of this header: another version's is another size */
    pid_t guardian; /* the process that Storm started: the pid it is told */
    int memory;     /* the memfd, for a program that is to map it (handover.c); -1: not kept */
    int in;         /* the wire, moved away from 0 and 1: private, close-on-exec, non-blocking */
    int out;
    int complaint; /* Storm's end of stderr: the last resort when the wire is lost */
    int bell;      /* eventfd by which the interpreter wakes the guardian */
    int stacks;    /* a file in memory to which an interpreter writes where it is (stacks.c) */
    pthread_mutex_t lock; /* around write(2) on the wire; robust, process-shared */
    atomic_bool idle;     /* the interpreter waits for Storm; else it is at work */
    atomic_bool resting;  /* the guardian sleeps until the bell rings, and has seen `idle` */
    atomic_bool answered; /* the pid has been sent: nothing may go out before it */
    atomic_bool writing; /* a write(2) or a move: if its process died there, the wire may be torn */
    atomic_bool taking;  /* a read(2) or a move of input: the same */
    atomic_bool gone;    /* Storm has closed the wire */
    int torn;            /* lane whose message is half written and must be finished first, or -1 */
    struct arena_lane lanes[ARENA_WRITERS];
    struct frame_input input;
    size_t dealt;           /* where the first message in the input begins that is not done with */
    bool skipping;          /* what comes next is the rest of a message that was too long */
    bool handshaken;        /* Storm's first message has come: it is in ARENA_HANDSHAKE */
    size_t handshake_len;   /* and so long */
    size_t task_ids_owed;   /* emits that Storm has still to answer with task ids */
    size_t task_ids_next;   /* the same once the emit that is just being said is out */
    _Atomic uint64_t calls; /* goes on with each message that is looked for: a sign of life */
    bool serving;           /* the component is ready: what it does now are calls */
    bool active;            /* Storm has activated the spout */
    bool refused;           /* no interpreter can start: on this handshake, or on this machine */
    struct arena_ids ids;
    struct arena_hand hand;
    struct arena_component component;
    char last_words[16384]; /* why the interpreter ends, where it could still say so */
    size_t last_words_len;
    bool in_order; /* the interpreter ended because it was to */
};

/* A new arena, mapped shared: new, or NULL with a fault. */
struct arena *arena_new(struct fault *fault);

/* The same, and its memfd stays open in `memory`. */
struct arena *arena_new_kept(struct fault *fault);

/* Map the arena that another process has made: new, or NULL with a fault. */
struct arena *arena_map(int memory, struct fault *fault);
void arena_free(struct arena *arena);

/* Where a region starts (borrowed) and how large it may grow. */
char *arena_region(struct arena *arena, enum arena_region region);
size_t arena_region_size(enum arena_region region);

/* Give memory behind the first `keep` bytes of a region back to the system; it reads as zero. */
void arena_release(struct arena *arena, enum arena_region region, size_t keep);

/* What the memory says to another process must be written in the order that the program has it, so
   that what a lost one leaves can be put right. The processor's own order is not at stake: a process
   that is dead has stored all that it had executed. */
static inline void
arena_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* The message in hand, if there is one, and all before it are done with. */
static inline void
arena_empty_hand(struct arena *arena)
{
    arena->dealt = arena->input.start;
    arena_order();
    arena->hand.kind = HAND_EMPTY;
}

/* Remember why the interpreter ends, for the guardian to report; cut to what fits. */
void arena_last_words(struct arena *arena, struct slice text);

/* Keep Storm's first message, just taken from the input, for every interpreter to come. */
void arena_keep_handshake(struct arena *arena, struct slice frame);

/* Keep the mapping out of processes that this one forks. */
void arena_hide_from_forks(struct arena *arena);

#endif
