/* What Storm tells a task of the topology in its first message. */
#ifndef STORMCELL_LOCAL_CONTEXT_H
#define STORMCELL_LOCAL_CONTEXT_H

#include "engine.h"

/* The handshake, a whole frame (JsonSerializer.connect, TopologyContext.toJSONString). */
void context_write_handshake(const struct task *task, struct buffer *out);

/* {"4": "word", ...}: whose each task is, the acker's among them; a new reference. */
json_t *context_task_names(const struct engine *engine);

#endif
