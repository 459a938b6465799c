/* What the child says, counted and held against what was sent. Whatever Storm would not accept, or
   would take for a failure where none is expected, ends the driver with a message. */
#ifndef BENCH_ANSWERS_H
#define BENCH_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

struct answers {
    struct ring *ring;
    bool spout;       /* a sync settles a command, as an ack or a fail settles a tuple */
    bool may_fail;    /* some tuples are failed, and an error tells why */
    bool greeted;     /* the handshake has been answered */
    uint64_t settled; /* acked or failed; of a spout: syncs */
    uint64_t fails;
    uint64_t errors;
    uint64_t emits;
    uint64_t logs;
};

enum { ANSWERS_SLACK = 64 }; /* readable bytes behind what answers_take() is given */

/* Take the whole messages at the start of `bytes`; returns how many bytes they are. */
size_t answers_take(struct answers *answers, const char *bytes, size_t len);

#endif
