/* The guardian's watch: what is printed, signals, the end of Storm, and how the interpreter does. */
#include "guardian_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "death.h"
#include "stacks.h"
#include "wire.h"

enum {
    PARTIAL_LINE_MS = 100,    /* a line without its end is logged after this */
    TICK_MS = 10,             /* output of an interpreter at work waits no longer than this */
    START_TICK_MS = 50,       /* while it starts there is less to look after */
    RETRY_MS = 10,            /* after a write that the interpreter's own stood in the way of */
    GRACE_MS = 2000,          /* from a request to end, or from losing Storm, to SIGKILL */
    START_MS = 60 * 1000,     /* a start that takes so long says what it waits for */
    REMARKS_BYTES = 256 << 10 /* unwritten, above which nothing is said that need not be */
};

/* ---- what is printed -------------------------------------------------------------------- */

void
guardian_drain(struct guardian *guardian)
{
    for (int i = 0; i < 2; i++) {
        struct capture *capture = &guardian->captured[i];
        while (capture_read(capture, &guardian->lane, clock_ms()) > 0) {
        }
        capture_flush(capture, &guardian->lane, clock_ms());
        capture->second = 0; /* the second is over: say what was dropped in it */
        capture_report_dropped(capture, &guardian->lane, clock_ms());
    }
}

/* A line whose end does not come is logged after a while as it is. */
static void
end_partial_lines(struct guardian *guardian)
{
    int64_t now = clock_ms();
    for (int i = 0; i < 2; i++) {
        struct capture *capture = &guardian->captured[i];
        if (now - capture->last_read >= PARTIAL_LINE_MS) {
            capture_flush(capture, &guardian->lane, now);
            capture_report_dropped(capture, &guardian->lane, now);
        }
    }
}

/* ---- being asked to end ----------------------------------------------------------------- */

static void
set_deadline(struct guardian *guardian)
{
    if (guardian->deadline == 0) {
        guardian->deadline = clock_ms() + GRACE_MS;
    }
}

/* What user code has started and what has lost its own parent is buried here as well. */
static void
bury_ended(struct guardian *guardian)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == guardian->interpreter) {
            guardian->lost = pid;
            guardian->interpreter = 0;
            guardian->status = status;
        }
    }
}

static void
signal_interpreter(const struct guardian *guardian, int number)
{
    if (guardian->interpreter > 0) {
        kill(guardian->interpreter, number);
    }
}

/* SIGTERM, SIGINT (a terminal's Ctrl-C) and SIGHUP ask for an orderly end; other signals are passed on
   as they are. */
static void
take_signal(struct guardian *guardian)
{
    struct signalfd_siginfo info;
    if (read(guardian->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    int number = (int)info.ssi_signo;
    if (number == SIGCHLD) {
        bury_ended(guardian);
    } else if (number == SIGTERM || number == SIGINT || number == SIGHUP) {
        signal_interpreter(guardian, SIGTERM);
        set_deadline(guardian);
    } else {
        signal_interpreter(guardian, number);
    }
}

static void
kill_if_due(struct guardian *guardian)
{
    if (guardian->deadline > 0 && clock_ms() >= guardian->deadline) {
        signal_interpreter(guardian, SIGKILL);
        guardian->deadline = INT64_MAX;
    }
}

/* Storm will send nothing more: the interpreter ends once it has worked off what is there, but no call
   may take longer than the grace. */
static void
end_long_call(struct guardian *guardian)
{
    if (guardian->input_closed && guardian->arena->serving &&
        guardian->pulse.silent_ms >= GRACE_MS) {
        guardian->deadline = clock_ms();
    }
}

/* ---- how the interpreter does ----------------------------------------------------------- */

/* A bolt may say sync at any time; a spout's would be taken for the answer to a command, and Storm only
   listens to it while it waits for one. Of what is not ready nobody knows which it is. */
static void
keep_alive(struct guardian *guardian)
{
    const struct arena *arena = guardian->arena;
    if (!arena->answered || arena->in_order || !pulse_keepalive_due(&guardian->pulse, arena) ||
        wire_pending(arena, WRITER_GUARDIAN) > REMARKS_BYTES) {
        return;
    }
    if (arena->component.kind == COMPONENT_BOLT) {
        guardian_say_sync(guardian);
    } else if (arena->component.kind == COMPONENT_UNKNOWN || arena->hand.kind == HAND_COMMAND ||
               guardian_input_waits(arena)) {
        guardian_say_log(guardian, LEVEL_TRACE, SLICE("Stormcell: the component is at work"));
    }
}

/* Killed here and not left to Storm, whose own heartbeat would take the worker and another 40 s. What it
   had in hand is told before it is asked for its stacks: a signal may end what it hung in. */
static void
end_hang(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    int64_t limit = arena->component.hang_ms;
    if (!arena->serving || limit <= 0 || guardian->pulse.silent_ms < limit ||
        guardian->report.len > 0 || guardian->interpreter == 0) {
        return;
    }
    death_describe_hang(arena, guardian->interpreter, &guardian->report);
    stacks_ask(arena->stacks, guardian->interpreter);
    death_add_stacks(arena, &guardian->report);
    signal_interpreter(guardian, SIGKILL);
}

/* Storm has no time-out for a start, and would show nothing of one that never ends. */
static void
report_long_start(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    int64_t due = (int64_t)START_MS * (guardian->start_reports + 1);
    if (arena->serving || !arena->handshaken || guardian->interpreter == 0 ||
        guardian->pulse.age_ms < due || guardian_answer(guardian) < 0) {
        return;
    }
    struct buffer report = {0};
    guardian->start_reports++;
    death_add(&report, "component '%s' (task %lld) has been starting for %lld s; it is here:",
              arena->component.name, (long long)arena->component.task, (long long)(due / 1000));
    stacks_ask(arena->stacks, guardian->interpreter);
    death_add_stacks(arena, &report);
    guardian_say_log(guardian, LEVEL_WARN, (struct slice){report.data, report.len});
    buffer_deinit(&report);
}

static void
look_after(struct guardian *guardian)
{
    const struct arena *arena = guardian->arena;
    if (atomic_load(&arena->resting)) {
        return;
    }
    pulse_look(&guardian->pulse, arena, clock_ms());
    end_long_call(guardian);
    end_hang(guardian);
    report_long_start(guardian);
    if (!atomic_load(&arena->idle)) {
        keep_alive(guardian);
    }
}

/* ---- waiting ---------------------------------------------------------------------------- */

/* The lesser of two times to wait, where -1 is for ever. */
static int64_t
sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* When the interpreter must be looked after; -1: not until the bell rings. It rings it when it goes to
   work and finds `resting`; setting that before looking at `idle` leaves no gap between the two. */
static int64_t
next_look_ms(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    if (guardian->interpreter == 0 || guardian->input_closed) {
        return TICK_MS;
    }
    atomic_store(&arena->resting, true);
    if (atomic_load(&arena->idle)) {
        pulse_reset(&guardian->pulse);
        return -1;
    }
    atomic_store(&arena->resting, false);
    return atomic_load(&arena->answered) ? TICK_MS : START_TICK_MS;
}

static int
wait_ms(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    const struct capture *captured = guardian->captured;
    int64_t wait = next_look_ms(guardian);
    if (captured[0].line.len + captured[1].line.len > 0 ||
        captured[0].dropped + captured[1].dropped > 0) {
        wait = sooner(wait, PARTIAL_LINE_MS);
    }
    if (atomic_load(&arena->answered) && wire_pending(arena, WRITER_GUARDIAN) > 0) {
        wait = sooner(wait, RETRY_MS);
    }
    if (guardian->deadline > 0) {
        int64_t left = guardian->deadline - clock_ms();
        wait = sooner(wait, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left);
    }
    return (int)wait;
}

enum watched { SIGNALS, BELL, PRINTED, COMPLAINED, OUT, IN, PARENT, WATCHED };

/* Of `in` and `out` no event is asked for: that the other end is closed is told anyway. */
static void
wait_for_events(struct guardian *guardian, struct pollfd fds[WATCHED])
{
    const struct arena *arena = guardian->arena;
    fds[SIGNALS] = (struct pollfd){.fd = guardian->signals, .events = POLLIN};
    fds[BELL] = (struct pollfd){.fd = arena->bell, .events = POLLIN};
    fds[PRINTED] = (struct pollfd){.fd = guardian->captured[0].fd, .events = POLLIN};
    fds[COMPLAINED] = (struct pollfd){.fd = guardian->captured[1].fd, .events = POLLIN};
    fds[OUT] = (struct pollfd){.fd = guardian->orphaned ? -1 : arena->out};
    fds[IN] = (struct pollfd){.fd = guardian->input_closed ? -1 : arena->in};
    fds[PARENT] =
        (struct pollfd){.fd = guardian->orphaned ? -1 : guardian->parent, .events = POLLIN};
    if (poll(fds, WATCHED, wait_ms(guardian)) < 0) {
        for (int i = 0; i < WATCHED; i++) {
            fds[i].revents = 0;
        }
    }
}

static void
answer_bell(const struct guardian *guardian)
{
    uint64_t count;
    (void)!read(guardian->arena->bell, &count, sizeof count);
}

static void
take_events(struct guardian *guardian, const struct pollfd fds[WATCHED])
{
    const short closed = POLLERR | POLLHUP | POLLNVAL;
    if (fds[SIGNALS].revents != 0) {
        take_signal(guardian);
    }
    if (fds[BELL].revents != 0) {
        answer_bell(guardian);
    }
    for (int i = 0; i < 2; i++) {
        if (fds[PRINTED + i].revents != 0) {
            capture_read(&guardian->captured[i], &guardian->lane, clock_ms());
        }
    }
    guardian->input_closed = guardian->input_closed || (fds[IN].revents & closed) != 0;
    if ((fds[OUT].revents & closed) != 0 || fds[PARENT].revents != 0) {
        guardian->orphaned = true;
        set_deadline(guardian);
    }
}

void
guardian_watch(struct guardian *guardian)
{
    struct pollfd fds[WATCHED];
    wait_for_events(guardian, fds);
    take_events(guardian, fds);
    end_partial_lines(guardian);
    look_after(guardian);
    kill_if_due(guardian);
    guardian_send(guardian);
}
