/* A task's process: its start, the bytes from and to it, its death and its successor. */
#ifndef STORMCELL_LOCAL_TASK_H
#define STORMCELL_LOCAL_TASK_H

#include "engine.h"

/* What the loop waits for, of each task. */
enum task_end { TASK_OUT, TASK_IN, TASK_ERR };

/* Where the next `bytes` of what it is told may be written (borrowed), and up to where they were. What a
   task is told while it is down waits for its successor. */
char *task_room(struct task *task, size_t bytes);
void task_told(struct task *task, const char *end);

/* Start the process and say hello. Where that fails, it has died. */
void task_start(struct task *task);

/* The loop found something at one of its ends. */
void task_ready(struct task *task, enum task_end end);

/* A process has ended: if it is the task's, see to it. */
void task_check_death(struct task *task);

/* Write to all that were told something. */
void task_flush_all(struct engine *engine);

/* Storm would end the worker for what it said or did not say: it is killed, and this is why. */
void task_doom(struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* It has answered its handshake. */
void task_up(struct task *task);

/* Nothing more will be said to it: close its stdin. */
void task_close(struct task *task);

#endif
