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
    ARENA_INPUT,   /* bytes from Storm */
    ARENA_OUTPUT,  /* bytes to Storm: what the interpreter says */
    ARENA_REMARKS, /* and what the guardian says */
    ARENA_IDS,     /* slots of the live ids: two halves, the table moves between them as it grows */
    ARENA_ID_TEXTS, /* ids that are no decimal numbers, two halves as well */
    ARENA_REGIONS
};

/* Who writes to Storm; each has a lane of its own. */
enum arena_writer { WRITER_INTERPRETER, WRITER_GUARDIAN, ARENA_WRITERS };

/* Bytes on their way out. Its writer appends behind `committed` and moves that on by whole
   messages; whoever holds the wire's lock writes from `written` on, and what is left moves to the front. */
struct arena_lane {
    _Atomic size_t committed;
    _Atomic size_t written;
};

/* The table of live tuple ids; its slots are in ARENA_IDS (ids.c). */
struct arena_ids {
    int64_t newest; /* the id that was added last, a number, is not yet in the table */
    bool newest_live;
    size_t count;    /* in the table */
    size_t capacity; /* a power of two, or 0 before the first id */
    size_t text_used;
    uint32_t half; /* which half holds the table */
};

/* The tuple that the component's code has in hand: what is told when it dies. */
struct arena_hand {
    enum { HAND_EMPTY, HAND_NUMBER, HAND_TEXT } kind;
    int64_t number;
    char text[64]; /* the start of an id that is no number */
    size_t len;
};

/* Who the component is. */
struct arena_component {
    bool handshaken; /* Storm's handshake has been taken from the input */
    bool known;      /* and it was one: the rest is set */
    bool spout;
    int64_t task;
    char name[128];
    struct arena_hand hand;
};

struct arena {
    pid_t guardian; /* the process that Storm started: the pid it is told */
    int in;         /* the wire, moved away from 0 and 1: private, close-on-exec, non-blocking */
    int out;
    int complaint;        /* Storm's end of stderr: the last resort when the wire is lost */
    int bell;             /* eventfd by which the interpreter wakes the guardian */
    pthread_mutex_t lock; /* around write(2) on the wire; robust, process-shared */
    atomic_bool idle;     /* the interpreter waits for Storm; else it is at work */
    atomic_bool resting;  /* the guardian sleeps until the bell rings, and has seen `idle` */
    atomic_bool answered; /* the pid has been sent: nothing may go out before it */
    atomic_bool writing; /* a write(2) or a move: if its process died there, the wire may be torn */
    atomic_bool gone;    /* Storm has closed the wire */
    int torn;            /* lane whose message is half written and must be finished first, or -1 */
    struct arena_lane lanes[ARENA_WRITERS];
    struct frame_input input;
    struct arena_ids ids;
    struct arena_component component;
    char last_words[16384]; /* why the interpreter ends, where it could still say so */
    size_t last_words_len;
    bool in_order; /* the interpreter ended because it was to */
};

/* A new arena, mapped shared: new, or NULL with a fault. */
struct arena *arena_new(struct fault *fault);
void arena_free(struct arena *arena);

/* Where a region starts (borrowed) and how large it may grow. */
char *arena_region(struct arena *arena, enum arena_region region);
size_t arena_region_size(enum arena_region region);

/* Give memory behind the first `keep` bytes of a region back to the system; it reads as zero. */
void arena_release(struct arena *arena, enum arena_region region, size_t keep);

/* Remember why the interpreter ends, for the guardian to report; cut to what fits. */
void arena_last_words(struct arena *arena, struct slice text);

/* Keep the mapping out of processes that this one forks. */
void arena_hide_from_forks(struct arena *arena);

#endif
