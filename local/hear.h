/* What a component says, message by message. */
#ifndef STORMCELL_LOCAL_HEAR_H
#define STORMCELL_LOCAL_HEAR_H

#include "engine.h"

/* Do what a message of the task wants. Where Storm would end the worker for it, the task is doomed. */
void hear(struct task *task, struct slice frame);

#endif
