/* A task's process: its start, what comes from it, its death and its successor. */
#ifndef STORMCELL_LOCAL_TASK_H
#define STORMCELL_LOCAL_TASK_H

#include "pipes.h"

/* Start the process and say hello. Where that fails, it has died. */
void task_start(struct task *task);

/* The loop found something at one of its ends. */
void task_ready(struct task *task, enum task_end end);

/* A process has ended: if it is the task's, see to it. */
void task_check_death(struct task *task);

/* Nothing more will be said to it: close its stdin. */
void task_close(struct task *task);

#endif
