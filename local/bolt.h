/* A tuple is given to a bolt, and settled by its ack or fail. */
#ifndef STORMCELL_LOCAL_BOLT_H
#define STORMCELL_LOCAL_BOLT_H

#include "engine.h"

/* Give a tuple: what its message says up to the values, the values (a JSON array) and up to the id. The
   edges are copied. */
void bolt_give(struct task *bolt, struct slice open, struct slice values, struct slice close,
               const struct edge *edges, size_t edge_count);

/* The tuple in hand that an id (JSON text without its quotes) names, or NULL. */
const struct delivery *bolt_delivery(const struct task *bolt, struct slice id);

/* 0, or -1 with FAULT_ID: no tuple of this id waits for it, which Storm ends the worker for. */
int bolt_settle(struct task *bolt, struct slice id, bool acked, struct fault *fault);

/* All that it was given and has not settled fails. How many there were. */
size_t bolt_fail_all(struct task *bolt);

void bolt_tick(struct task *bolt);
void bolt_heartbeat(struct task *bolt);

static inline const struct edge *
delivery_edges(const struct delivery *delivery)
{
    return delivery->edge_count > 1 ? delivery->edges.many : &delivery->edges.one;
}

#endif
