#include "task.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bolt.h"
#include "context.h"
#include "hear.h"
#include "json.h"
#include "pipes.h"
#include "spout.h"

enum {
    READ_BYTES = 256 << 10,
    MESSAGE_MAX = 256 << 20, /* a longer message would end a JVM, too */
    LINE_MAX_BYTES = 64 << 10
};

/* ---- from it ------------------------------------------------------------------------------- */

static void
hear_frames(struct task *task)
{
    struct frame_input *input = &task->input;
    struct slice frame;
    struct fault fault = {0};
    int result = 0;
    while (!task->doomed &&
           (result = frame_next(input, task->said.data, MESSAGE_MAX, &frame, &fault)) > 0) {
        hear(task, frame);
    }
    if (result < 0) {
        task_doom(task, "%s", fault.text);
    }
    if (input->start > 0) {
        size_t rest = input->end - input->start;
        memmove(task->said.data, task->said.data + input->start, rest);
        *input = (struct frame_input){0, input->line - input->start, input->scan - input->start,
                                      rest, input->eol};
        task->said.len = rest;
    }
}

/* True if there may be more. */
static bool
read_said(struct task *task)
{
    ssize_t n = read(task->process.out, need_room(&task->said, READ_BYTES), READ_BYTES);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        process_close(&task->process.out);
        return false;
    }
    if (n < 0) {
        return false;
    }
    task->said.len += (size_t)n;
    task->input.end = task->said.len;
    task->heard = task->engine->now;
    hear_frames(task);
    return true;
}

/* ---- its stderr ---------------------------------------------------------------------------- */

static void
keep_last_words(struct task *task, struct slice text)
{
    size_t most = sizeof task->last_words - 1;
    size_t len = text.len < most ? text.len : most;
    memcpy(task->last_words, text.ptr, len);
    task->last_words[len] = '\0';
}

static void
log_line(struct task *task, struct slice line)
{
    struct buffer text = {0};
    if (line.len == 0) {
        return;
    }
    keep_last_words(task, line);
    if (json_write_bytes(&text, line, NULL) == 0) {
        report_log(task, "info", (struct slice){text.data, text.len});
    }
    buffer_deinit(&text);
}

/* Each whole line is a log; at the end, or where one is endless, so is what there is. */
static void
log_lines(struct task *task, bool all)
{
    struct buffer *text = &task->stderr_text;
    size_t at = 0;
    const char *eol;
    while (at < text->len && (eol = memchr(text->data + at, '\n', text->len - at)) != NULL) {
        log_line(task, (struct slice){text->data + at, (size_t)(eol - text->data) - at});
        at = (size_t)(eol - text->data) + 1;
    }
    if (all || text->len - at > LINE_MAX_BYTES) {
        log_line(task, (struct slice){text->data + at, text->len - at});
        at = text->len;
    }
    if (at > 0) {
        memmove(text->data, text->data + at, text->len - at);
        text->len -= at;
    }
}

static bool
read_stderr(struct task *task)
{
    enum { BYTES = 16 << 10 };
    ssize_t n = read(task->process.err, need_room(&task->stderr_text, BYTES), BYTES);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        process_close(&task->process.err);
        return false;
    }
    task->stderr_text.len += n > 0 ? (size_t)n : 0;
    log_lines(task, false);
    return n > 0;
}

/* ---- its start ----------------------------------------------------------------------------- */

/* In front of what was meant for its predecessor's successor. */
static void
say_hello(struct task *task)
{
    struct buffer hello = {0};
    context_write_handshake(task, &hello);
    if (task->told.len > task->told_start) {
        buffer_append(&hello,
                      (struct slice){task->told.data + task->told_start,
                                     task->told.len - task->told_start},
                      NULL);
    }
    buffer_deinit(&task->told);
    task->told = hello;
    task->told_start = 0;
    task_told(task, hello.data + hello.len);
}

static void
forget_process(struct task *task)
{
    process_close(&task->process.in);
    process_close(&task->process.out);
    process_close(&task->process.err);
    task->state = TASK_DOWN;
    task->said.len = 0;
    task->input = (struct frame_input){0};
    task->paused = task->blocked = task->doomed = false;
}

static void died(struct task *task, int pid, const char *how);

void
task_start(struct task *task)
{
    const struct engine *engine = task->engine;
    struct fault fault = {0};
    task->start_at = INT64_MAX;
    task->last_words[0] = '\0';
    if (process_start(&task->process, task->component->plan->command, engine->plan->directory,
                      &fault) < 0) {
        died(task, 0, fault.text);
        return;
    }
    task->state = TASK_STARTING;
    task->heard = engine->now;
    pipes_watch(task, TASK_OUT, EPOLL_CTL_ADD, EPOLLIN);
    pipes_watch(task, TASK_IN, EPOLL_CTL_ADD, 0);
    pipes_watch(task, TASK_ERR, EPOLL_CTL_ADD, EPOLLIN);
    say_hello(task);
}

void
task_close(struct task *task)
{
    process_close(&task->process.in);
}

/* ---- its death ----------------------------------------------------------------------------- */

/* All that it had and what waits for it is void. */
static size_t
fail_all(struct task *task)
{
    size_t failed = task->component->plan->spout ? spout_drop_all(task) : bolt_fail_all(task);
    task->told.len = task->told_start = 0;
    pipes_note_fullness(task);
    return failed;
}

/* How long until it is started again: at once at first, as a supervisor does it; negative where that is of
   no use: it never served, or it has died too often of late. */
static int64_t
next_start(struct task *task)
{
    enum { KEPT = sizeof task->deaths / sizeof task->deaths[0], MOST = 5 };
    int64_t now = task->engine->now;
    size_t recent = 1;
    for (size_t i = 0; i < KEPT && i < task->death_count; i++) {
        recent += now - task->deaths[i] < 60 * SECOND;
    }
    task->deaths[task->death_count++ % KEPT] = now;
    return !task->served || recent > MOST ? -1 : (MILLISECOND * 50) << recent;
}

static void
died(struct task *task, int pid, const char *how)
{
    struct engine *engine = task->engine;
    char text[sizeof task->last_words + 1200];
    engine->up -= task->state == TASK_UP;
    forget_process(task);
    task->next_tick = INT64_MAX;
    if (engine->phase == PHASE_ENDED) {
        return;
    }
    bool draining = engine->phase == PHASE_DRAINING;
    snprintf(text, sizeof text, "%s%s%s", how, task->last_words[0] != '\0' ? ": " : "",
             task->last_words);
    struct death death = {pid, text, fail_all(task), draining ? -1 : next_start(task)};
    task->component->totals.restarts += death.again >= 0;
    engine->failed = true;
    report_death(task, &death);
    if (death.again >= 0) {
        task->start_at = engine->now + death.again;
    } else if (!draining) {
        engine->hopeless = true;
    }
}

/* First what it had still to say. */
void
task_check_death(struct task *task)
{
    char how[100];
    int pid = task->process.pid;
    if (!process_has_ended(&task->process, how, sizeof how)) {
        return;
    }
    while (task->process.out >= 0 && read_said(task)) {
    }
    while (task->process.err >= 0 && read_stderr(task)) {
    }
    log_lines(task, true);
    died(task, pid, how);
}

void
task_ready(struct task *task, enum task_end end)
{
    if (end == TASK_IN && task->process.in >= 0) {
        if (task->blocked) {
            pipes_tell(task);
        } else { /* an error is all that is told unasked */
            process_close(&task->process.in);
        }
    } else if (end == TASK_ERR && task->process.err >= 0) {
        read_stderr(task);
    } else if (end == TASK_OUT && task->process.out >= 0) {
        if (task->component->full_below > 0 && !task->paused) { /* later, unless it is its end */
            pipes_pause(task, true);
        } else {
            read_said(task);
        }
    }
}
