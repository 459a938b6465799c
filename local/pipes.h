/* The pipes of a task's process: what it is told, and who has to wait until it has taken that. */
#ifndef STORMCELL_LOCAL_PIPES_H
#define STORMCELL_LOCAL_PIPES_H

#include "engine.h"

/* What the loop waits for, of each task. */
enum task_end { TASK_OUT, TASK_IN, TASK_ERR };

/* Where the next `bytes` of what it is told may be written (borrowed), and up to where they were. What a
   task is told while it is down waits for its successor. */
char *task_room(struct task *task, size_t bytes);
void task_told(struct task *task, const char *end);

/* Storm would end the worker for what it said or did not say: it is killed, and this is why. */
void task_doom(struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Have the loop wait for these events at one of its ends: EPOLL_CTL_ADD or EPOLL_CTL_MOD. */
void pipes_watch(struct task *task, enum task_end end, int operation, uint32_t events);

/* Stop reading from it, or go on. */
void pipes_pause(struct task *task, bool pause);

/* Write what it was told, as far as its pipe takes it. */
void pipes_tell(struct task *task);

/* The same for all that were told something. */
void pipes_flush_all(struct engine *engine);

/* What waits for it has become more or less: it may be full from here on, or no longer. */
void pipes_note_fullness(struct task *task);

#endif
