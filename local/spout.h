/* What a spout is told: one command after the other, each answered by a sync (Storm's ShellSpout, but that
   several commands may be on their way). */
#ifndef STORMCELL_LOCAL_SPOUT_H
#define STORMCELL_LOCAL_SPOUT_H

#include "engine.h"

enum spout_command { SPOUT_NEXT, SPOUT_ACK, SPOUT_FAIL, SPOUT_ACTIVATE, SPOUT_DEACTIVATE };

enum settlement { SETTLED_ACKED, SETTLED_FAILED, SETTLED_TIMED_OUT };

void spout_activate(struct task *spout);
void spout_deactivate(struct task *spout);

/* When it is to be asked for more tuples, in ns of the clock; INT64_MAX: something else has to happen first. */
int64_t spout_due(const struct task *spout);

/* Ask it for more tuples, if that is due. */
void spout_ask(struct task *spout);

/* It said sync. */
void spout_synced(struct task *spout);

/* It has emitted a tuple. */
void spout_emitted(struct task *spout);

/* The tuple has an id (JSON text): a tree of its own. 0, or -1 with a fault. */
int spout_open_tree(struct task *spout, struct slice id, root_id *root, struct fault *fault);

/* Nobody tracks the tuple: it counts as acked. */
void spout_acked_at_once(struct task *spout, struct slice id);

/* A tree has been settled: tell the spout that it is of. */
void spout_settled(struct engine *engine, const struct settled *settled, enum settlement how);

/* The spout's process is lost, and with it all that it knew: its trees, of which there were so many. */
size_t spout_drop_all(struct task *spout);

#endif
