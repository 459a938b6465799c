#include "loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bolt.h"
#include "clock.h"
#include "spout.h"
#include "task.h"

enum { EVENTS = 128, PULSE_MS = 100, BY_SIGNAL = -1 };

static const int64_t PULSE = PULSE_MS * MILLISECOND;
static const int64_t CLOSE_TIME = 2 * SECOND; /* for each way of asking a process to end */

/* ---- phases -------------------------------------------------------------------------------- */

static void
enter(struct engine *engine, enum phase phase)
{
    engine->phase = phase;
    engine->phase_since = engine->now;
}

/* End at once. `reason` is a literal. */
static void
end_at_once(struct engine *engine, const char *reason)
{
    if (engine->phase != PHASE_ENDED) {
        engine->reason = engine->phase == PHASE_DRAINING ? engine->reason : reason;
        enter(engine, PHASE_ENDED);
    }
}

/* End in order: nothing new, what is in flight is waited for. */
static void
drain(struct engine *engine, const char *reason)
{
    engine->reason = reason;
    enter(engine, PHASE_DRAINING);
    for (size_t i = 0; i < engine->task_count; i++) {
        spout_deactivate(&engine->tasks[i]);
    }
}

static void
start_running(struct engine *engine)
{
    enter(engine, PHASE_RUNNING);
    engine->last_activity = engine->now;
    report_running(engine);
    for (size_t i = 0; i < engine->task_count; i++) {
        spout_activate(&engine->tasks[i]);
    }
}

/* Tuples that no component has settled, and trees that are open. */
static uint64_t
in_flight(const struct engine *engine)
{
    uint64_t count = 0;
    for (size_t i = 0; i < engine->plan->component_count; i++) {
        count += engine->components[i].totals.in_flight;
    }
    return count;
}

/* ---- time ---------------------------------------------------------------------------------- */

static void
expire_trees(struct engine *engine)
{
    struct settled settled;
    while (acker_expire(&engine->acker, engine->now - engine->message_timeout, &settled)) {
        spout_settled(engine, &settled, SETTLED_TIMED_OUT);
    }
}

/* Storm ends the worker of a component that owes an answer for so long. */
static void
check_silence(struct task *task)
{
    const struct engine *engine = task->engine;
    bool starting = task->state == TASK_STARTING;
    bool owes =
        task->state == TASK_UP && (!task->component->plan->spout || task->commands.count > 0);
    int64_t most = starting ? engine->start_timeout : engine->process_timeout;
    if ((starting || owes) && engine->now - task->heard > most) {
        task_doom(task, "it said nothing for %lld s, for which Storm ends the worker%s",
                  (long long)(most / SECOND),
                  starting ? "; it has not answered the handshake" : "");
    }
}

static void
tick_if_due(struct task *task)
{
    if (task->state == TASK_UP && task->engine->now >= task->next_tick) {
        bolt_tick(task);
        task->next_tick += task->component->tick;
    }
}

static void
start_if_due(struct task *task)
{
    if (task->state == TASK_DOWN && task->process.pid == 0 && task->engine->now >= task->start_at) {
        task_start(task);
    }
}

static void
check_end(struct engine *engine)
{
    const struct plan_run *run = &engine->plan->run;
    if (engine->phase == PHASE_RUNNING) {
        if (engine->now - engine->phase_since >= run->length) {
            drain(engine, "seconds");
        } else if (engine->now - engine->last_activity >= run->idle && in_flight(engine) == 0) {
            drain(engine, "idle");
        }
    } else if (engine->phase == PHASE_DRAINING && engine->now - engine->phase_since >= run->drain) {
        end_at_once(engine, engine->reason);
    }
}

/* Ten times a second. */
static void
pulse(struct engine *engine, bool heartbeats)
{
    expire_trees(engine);
    for (size_t i = 0; i < engine->task_count && engine->phase != PHASE_ENDED; i++) {
        struct task *task = &engine->tasks[i];
        start_if_due(task);
        tick_if_due(task);
        check_silence(task);
        if (heartbeats && task->state == TASK_UP && !task->component->plan->spout) {
            bolt_heartbeat(task);
        }
    }
    check_end(engine);
    if (engine->now >= engine->report.next_stats) {
        report_stats(engine);
    }
}

/* ---- one turn ------------------------------------------------------------------------------ */

static void
check_deaths(struct engine *engine)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        task_check_death(&engine->tasks[i]);
    }
}

static void
heed_signal(struct engine *engine, int signals)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    if (info.ssi_signo == SIGCHLD) {
        check_deaths(engine);
    } else if (engine->phase == PHASE_RUNNING) {
        report_note(engine, "ending: nothing new is asked for, what is in flight is waited for; "
                            "again to stop at once");
        drain(engine, "interrupted");
    } else {
        engine->hurried = engine->phase == PHASE_ENDED;
        end_at_once(engine, "interrupted");
    }
}

static void
heed(struct engine *engine, const struct epoll_event *event, int signals)
{
    if (event->data.u64 == (uint64_t)BY_SIGNAL) {
        heed_signal(engine, signals);
    } else {
        task_ready(&engine->tasks[event->data.u64 >> 2], (enum task_end)(event->data.u64 & 3));
    }
}

/* How long there is nothing to do, in ms. */
static int
idle_ms(const struct engine *engine, int64_t next_pulse)
{
    int64_t until = next_pulse;
    for (size_t i = 0; i < engine->task_count; i++) {
        int64_t due = spout_due(&engine->tasks[i]);
        until = due < until ? due : until;
    }
    int64_t ms = (until - clock_ns() + MILLISECOND - 1) / MILLISECOND;
    return ms < 0 ? 0 : ms > PULSE_MS ? PULSE_MS : (int)ms;
}

static void
wait_and_heed(struct engine *engine, int timeout_ms, int signals)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(engine->epoll, events, EVENTS, timeout_ms);
    engine->now = clock_ns();
    for (int i = 0; i < count; i++) {
        heed(engine, &events[i], signals);
    }
}

static void
ask_spouts(struct engine *engine)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        spout_ask(&engine->tasks[i]);
    }
}

/* All has been emitted that was to be, or, at the end, all is settled; or there is no use in going on. */
static void
check_done(struct engine *engine)
{
    if (engine->hopeless) {
        end_at_once(engine, "failed");
    } else if (engine->phase == PHASE_STARTING && engine->up == engine->task_count) {
        start_running(engine);
    } else if (engine->phase == PHASE_RUNNING &&
               engine->spouts_emitted >= (uint64_t)engine->plan->run.tuples) {
        drain(engine, "tuples");
    } else if (engine->phase == PHASE_DRAINING && engine->open_commands == 0 &&
               in_flight(engine) == 0) {
        end_at_once(engine, engine->reason);
    }
}

/* ---- the end of the processes -------------------------------------------------------------- */

static size_t
running(const struct engine *engine)
{
    size_t count = 0;
    for (size_t i = 0; i < engine->task_count; i++) {
        count += engine->tasks[i].process.pid != 0;
    }
    return count;
}

static void
signal_all(struct engine *engine, int number)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        if (engine->tasks[i].process.pid != 0) {
            kill(engine->tasks[i].process.pid, number);
        }
    }
}

/* Until all have ended or the time is up. */
static void
wait_for_ends(struct engine *engine, int signals)
{
    int64_t until = clock_ns() + CLOSE_TIME;
    while (!engine->hurried && running(engine) > 0 && engine->now < until) {
        wait_and_heed(engine, PULSE_MS, signals);
    }
}

/* A closed stdin is Storm's own way; what does not take it for the end is asked louder. */
static void
end_processes(struct engine *engine, int signals)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        task_close(&engine->tasks[i]);
    }
    wait_for_ends(engine, signals);
    signal_all(engine, SIGTERM);
    wait_for_ends(engine, signals);
    signal_all(engine, SIGKILL);
    while (running(engine) > 0) {
        wait_and_heed(engine, PULSE_MS, signals);
    }
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void
watch_signals(struct engine *engine, int signals)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)BY_SIGNAL};
    epoll_ctl(engine->epoll, EPOLL_CTL_ADD, signals, &event);
}

/* Where nobody listens any more there is no reason to go on. */
static bool
tell_news(struct engine *engine)
{
    return report_flush(&engine->report, NULL) == 0;
}

static bool
serve(struct engine *engine, int signals)
{
    int64_t next_pulse = 0;
    unsigned pulses = 0;
    bool heard = true;
    while (engine->phase != PHASE_ENDED && heard) {
        if (engine->now >= next_pulse) {
            pulse(engine, pulses++ % 10 == 0);
            next_pulse = engine->now + PULSE;
        }
        ask_spouts(engine);
        pipes_flush_all(engine);
        check_done(engine);
        heard = tell_news(engine);
        wait_and_heed(engine, idle_ms(engine, next_pulse), signals);
    }
    return heard;
}

int
engine_run(struct engine *engine, int signals)
{
    engine->now = engine->started = engine->phase_since = clock_ns();
    engine->report.next_stats = engine->now + engine->plan->run.report;
    watch_signals(engine, signals);
    report_tasks(engine);
    bool heard = serve(engine, signals);
    uint64_t left = in_flight(engine);
    engine->phase = PHASE_ENDED;
    end_processes(engine, signals);
    report_end(engine, left);
    heard = tell_news(engine) && heard;
    return heard && !engine->failed && left == 0 ? 0 : 1;
}
