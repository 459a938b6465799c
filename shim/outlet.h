/* What the interpreter says to Storm: appended to its lane message by message, written when it is
   time. Nobody notices the batching: see outlet_breathe(). */
#ifndef STORMCELL_OUTLET_H
#define STORMCELL_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"

struct outlet {
    struct arena *arena;
    struct buffer lane;           /* append here, then outlet_commit() */
    size_t flush_at;              /* unwritten bytes that are not let wait for more */
    int64_t last_clock;           /* when the clock was looked at, ns */
    int64_t oldest;               /* when the oldest unwritten message was first seen; 0: none */
    unsigned stride, until_clock; /* the clock is looked at every `stride` messages */
};

void outlet_init(struct outlet *outlet, struct arena *arena);

/* Keep what was appended to the lane since `start` as whole messages, or, if `result` is negative,
   drop it. Returns 0 or -1 like `result`. */
int outlet_commit(struct outlet *outlet, size_t start, int result);

/* What follows from the messages so far has been noted in the arena (struct arena_lane). */
void outlet_applied(struct outlet *outlet);

/* Unwritten bytes. */
size_t outlet_pending(const struct outlet *outlet);

/* Write without blocking. 1: all is out, 0: the pipe is full, -1. */
int outlet_flush(struct outlet *outlet, struct fault *fault);

/* Between two tuples: flush where enough has gathered or has waited a millisecond. As above. */
int outlet_breathe(struct outlet *outlet, struct fault *fault);

/* Where nothing is written, in a loopback session: what has been committed (borrowed until the next
   message), and to begin anew behind it. */
struct slice outlet_said(const struct outlet *outlet);
void outlet_clear(struct outlet *outlet);

/* More is unwritten than may be added to without waiting. */
bool outlet_congested(const struct outlet *outlet);

#endif
