/* From the plan to components, tasks and the texts that never change. */
#ifndef STORMCELL_LOCAL_TOPOLOGY_H
#define STORMCELL_LOCAL_TOPOLOGY_H

#include "engine.h"

/* Fill in the engine's components and tasks. 0, or -1 with FAULT_MESSAGE. */
int topology_build(struct engine *engine, struct fault *fault);
void topology_free(struct engine *engine);

#endif
