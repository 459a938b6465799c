/* What Storm's ackers and the spouts' tables of pending tuples do together: for each tuple that a spout
   has emitted with an id (a root) the XOR of its edges. Every tuple that descends from it enters its
   edge when it is emitted and once more when it is acked; at zero the tree is done
   (Storm's Acker and SpoutExecutor). Roots fall due in the order in which they were emitted. */
#ifndef STORMCELL_LOCAL_ACKER_H
#define STORMCELL_LOCAL_ACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"

/* Names a root for good: what has been settled is never found again. */
typedef uint64_t root_id;

struct root;

struct acker {
    struct root *roots;
    uint32_t capacity;
    uint32_t free;   /* the first of those not in use */
    uint32_t oldest; /* of those in use, in the order of their emission */
    uint32_t newest;
    size_t count;
};

/* What was settled: whose it is, the spout's own id (JSON text; borrowed until the acker is used again)
   and when it was emitted, in ns of the clock. */
struct settled {
    uint32_t spout;
    struct slice message_id;
    int64_t emitted;
};

void acker_init(struct acker *acker);
void acker_deinit(struct acker *acker);

/* A spout emits a tuple; its id is copied. 0, or -1 with FAULT_SYSTEM. */
int acker_start(struct acker *acker, uint32_t spout, struct slice message_id, int64_t now,
                root_id *root, struct fault *fault);

/* Enter an edge. True if the tree is still live and has come to zero: it can be settled. */
bool acker_xor(struct acker *acker, root_id root, uint64_t edge);

/* Settle a tree, acked or failed. True if it was live. */
bool acker_settle(struct acker *acker, root_id root, struct settled *settled);

/* Settle the oldest tree if it was emitted before `due`. */
bool acker_expire(struct acker *acker, int64_t due, struct settled *settled);

/* Settle one tree of this spout, whichever; false: it has none. */
bool acker_drop(struct acker *acker, uint32_t spout, struct settled *settled);

/* When the oldest tree was emitted; INT64_MAX: there is none. */
int64_t acker_oldest(const struct acker *acker);

#endif
