#include "pipes.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    FULL_BYTES = 128 << 10, /* a bolt that has so much before it is full */
    ROOM_BYTES = 64 << 10   /* until there is so little */
};

/* ---- what the loop waits for --------------------------------------------------------------- */

static int
pipe_of(const struct task *task, enum task_end end)
{
    const struct process *process = &task->process;
    return end == TASK_OUT ? process->out : end == TASK_IN ? process->in : process->err;
}

void
pipes_watch(struct task *task, enum task_end end, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events,
                                .data.u64 = (uint64_t)task->index << 2 | (uint64_t)end};
    int fd = pipe_of(task, end);
    if (fd >= 0) {
        epoll_ctl(task->engine->epoll, operation, fd, &event);
    }
}

void
pipes_pause(struct task *task, bool pause)
{
    if (task->paused != pause) {
        task->paused = pause;
        pipes_watch(task, TASK_OUT, EPOLL_CTL_MOD, pause ? 0 : EPOLLIN);
    }
}

/* ---- back-pressure ------------------------------------------------------------------------- */

/* Those whose tuples it takes stop or go on. What may come round to its source again must not wait
   for it: both would wait for ever. */
static void
tell_sources(const struct component *component, int more)
{
    const struct engine *engine = component->tasks->engine;
    for (size_t i = 0; i < component->plan->input_count; i++) {
        const struct plan_input *input = &component->plan->inputs[i];
        struct component *from = &engine->components[input->from];
        const struct flow *flow = &from->flows[input->at_stream];
        for (size_t j = 0; j < flow->count; j++) {
            if (flow->subscriptions[j].input == input && !flow->subscriptions[j].cyclic) {
                from->full_below += (unsigned)more;
            }
        }
        for (size_t j = 0; from->full_below == 0 && j < from->task_count; j++) {
            pipes_pause(&from->tasks[j], false);
        }
    }
}

void
pipes_note_fullness(struct task *task)
{
    size_t waiting = task->told.len - task->told_start;
    bool full = waiting > (task->full ? ROOM_BYTES : FULL_BYTES);
    if (full == task->full || task->component->plan->spout) {
        return;
    }
    task->full = full;
    task->engine->full_tasks += full ? 1 : (size_t)-1;
    tell_sources(task->component, full ? 1 : -1);
}

/* ---- to it --------------------------------------------------------------------------------- */

char *
task_room(struct task *task, size_t bytes)
{
    return need_room(&task->told, bytes);
}

void
task_told(struct task *task, const char *end)
{
    task->told.len = (size_t)(end - task->told.data);
    if (!task->dirty) {
        task->dirty = true;
        task->next_dirty = task->engine->dirty;
        task->engine->dirty = task;
    }
}

static void
wait_for_room(struct task *task, bool blocked)
{
    if (task->blocked != blocked) {
        task->blocked = blocked;
        pipes_watch(task, TASK_IN, EPOLL_CTL_MOD, blocked ? EPOLLOUT : 0);
    }
}

/* What was written makes room; the little that was not is moved to the front. */
static void
written(struct task *task, size_t bytes)
{
    struct buffer *told = &task->told;
    task->told_start += bytes;
    size_t rest = told->len - task->told_start;
    if (rest <= task->told_start) {
        memcpy(told->data, told->data + task->told_start, rest);
        told->len = rest;
        task->told_start = 0;
    }
}

/* That it has closed its stdin is no end yet: it may have something to say. */
void
pipes_tell(struct task *task)
{
    size_t rest = task->told.len - task->told_start;
    if (task->process.in < 0 || rest == 0) {
        return;
    }
    ssize_t n = write(task->process.in, task->told.data + task->told_start, rest);
    if (n > 0) {
        written(task, (size_t)n);
    }
    wait_for_room(task, n < (ssize_t)rest);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        process_close(&task->process.in);
    }
    pipes_note_fullness(task);
}

void
pipes_flush_all(struct engine *engine)
{
    while (engine->dirty != NULL) {
        struct task *task = engine->dirty;
        engine->dirty = task->next_dirty;
        task->dirty = false;
        if (!task->blocked) {
            pipes_tell(task);
        }
        pipes_note_fullness(task);
    }
}

void
task_doom(struct task *task, const char *format, ...)
{
    va_list arguments;
    if (task->doomed || task->process.pid == 0) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(task->last_words, sizeof task->last_words, format, arguments);
    va_end(arguments);
    task->doomed = true;
    kill(task->process.pid, SIGKILL);
}
