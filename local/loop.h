/* The engine's one loop: it waits for what components say, keeps the time, and knows when it is the end. */
#ifndef STORMCELL_LOCAL_LOOP_H
#define STORMCELL_LOCAL_LOOP_H

#include "engine.h"

/* Run the topology to its end. `signals` is a signalfd, of which the first asks for the end in order, the
   second for the end at once. The exit status. */
int engine_run(struct engine *engine, int signals);

#endif
