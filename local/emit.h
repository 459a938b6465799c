/* An emit: its targets, its trees, and the tuples on their way. */
#ifndef STORMCELL_LOCAL_EMIT_H
#define STORMCELL_LOCAL_EMIT_H

#include "engine.h"
#include "said.h"

/* 0, or -1 with a fault: Storm would end the worker. */
int emit_from_spout(struct task *spout, const struct said *said, struct fault *fault);
int emit_from_bolt(struct task *bolt, const struct said *said, struct fault *fault);

#endif
