/* The process in front: it becomes two, watches over the other one, and gives it a successor when it is
   lost. What it does while it watches is in guardian_watch.c, what it says in guardian_say.c. */
#include "guardian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "clock.h"
#include "death.h"
#include "guardian_state.h"
#include "handover.h"
#include "recovery.h"
#include "stacks.h"
#include "wire.h"

static struct arena *shared; /* one a process */

/* ---- a lost interpreter ----------------------------------------------------------------- */

/* Has Storm closed its side? The interpreter's word is not enough: user code may have put something else
   where it read from. Nobody else reads now, so what comes is the successor's. */
static bool
has_input_ended(struct arena *arena)
{
    struct frame_input *input = &arena->input;
    size_t room = arena_region_size(ARENA_INPUT) - input->end;
    ssize_t n = read(arena->in, arena_region(arena, ARENA_INPUT) + input->end, room);
    input->end += n > 0 ? (size_t)n : 0;
    return n == 0;
}

/* It ended, and neither was to nor was asked to. */
static bool
is_lost(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    if (guardian_is_leaving(guardian)) {
        return false;
    }
    return !arena->in_order || !WIFEXITED(guardian->status) || !has_input_ended(arena);
}

/* The pause before it is replaced, ms, or -1: it is not. Says so in its report. */
static int64_t
plan_successor(struct guardian *guardian, bool served)
{
    struct buffer *report = &guardian->report;
    const struct arena_component *component = &guardian->arena->component;
    struct fault fault = {0};
    if (recovery_check(guardian->arena, &fault) < 0) {
        death_add(report, "\nit cannot be replaced: %s; Storm must start the worker anew",
                  fault.text);
        return -1;
    }
    if (guardian->arena->refused || component->restart_max == 0 || !component->known ||
        (guardian->input_closed && !served)) {
        return -1;
    }
    int64_t pause = restarts_next(&guardian->restarts, component->restart_max,
                                  component->restart_within_ms, clock_ms());
    if (pause < 0) {
        death_add(report,
                  "\nit is given up: %lld were replaced within %.4g s before "
                  "(stormcell.restart: \"max\", \"within.secs\")",
                  (long long)guardian->restarts.size, (double)component->restart_within_ms / 1000);
    }
    return pause;
}

/* Wait until a report fits into the lane, which Storm may be slow to hear. */
static void
make_room(struct guardian *guardian)
{
    enum { REPORT = 256 << 10 }; /* as JSON, each byte may take six */
    while (guardian->lane.cap - guardian->lane.len < REPORT && !guardian_is_leaving(guardian)) {
        guardian_watch(guardian);
    }
}

/* Fail what it had been given and had not settled, however long Storm takes to hear it. */
static void
fail_live_tuples(struct guardian *guardian)
{
    enum { PORTION = 64 << 10 };
    size_t cursor = 0;
    int more = 1;
    while (more != 0 && !guardian_is_leaving(guardian)) {
        more = recovery_fail_one(guardian->arena, &guardian->lane, &cursor);
        if (more < 0 || guardian->lane.len > PORTION) {
            guardian_watch(guardian);
        }
    }
}

/* Put right what it left, and tell Storm. */
static void
settle(struct guardian *guardian, int64_t pause)
{
    struct buffer *report = &guardian->report;
    bool owes = recovery_mend(guardian->arena);
    size_t live = ids_count(guardian->arena);
    death_add(report, "\nit is replaced in %lld ms", (long long)pause);
    if (live > 0) {
        death_add(report, "; %zu tuple%s that it had not settled fail%s", live,
                  live == 1 ? "" : "s", live == 1 ? "s" : "");
    }
    make_room(guardian);
    guardian_say_error(guardian, (struct slice){report->data, report->len});
    fail_live_tuples(guardian);
    make_room(guardian);
    if (owes) {
        guardian_say_sync(guardian);
    }
}

/* Tell Storm why nobody works here any more, or whoever reads stderr where Storm cannot hear it. */
static void
give_up(struct guardian *guardian, bool early, bool answered)
{
    struct slice report = {guardian->report.data, guardian->report.len};
    guardian_say_error(guardian, report);
    if (answered && guardian_send_last(guardian) == 0) {
        guardian_await_reading(guardian, early);
    } else {
        guardian_complain(guardian, report);
    }
}

/* What it ended from and what it says of that, where it did not come so far as to serve: Python itself
   may not have found its way to us. */
static void
describe_end(struct guardian *guardian)
{
    struct buffer *report = &guardian->report;
    const struct arena *arena = guardian->arena;
    const struct capture *complaints = &guardian->captured[1];
    death_describe(guardian->arena, guardian->lost, guardian->status, report);
    if (!arena->serving && arena->last_words_len == 0 && complaints->last_len > 0) {
        death_add(report, ": %.*s", (int)complaints->last_len, complaints->last);
    }
    death_add_stacks(arena, report);
}

/* Report it. The pause before its successor, ms, or -1: it has none. */
static int64_t
take_leave(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    bool early = !arena->answered;
    atomic_store(&arena->idle, false); /* until there is a successor, Storm hears from here */
    atomic_store(&arena->resting, false);
    bool answered = guardian_answer(guardian) == 0;
    if (guardian->report.len == 0) {
        describe_end(guardian);
    }
    int64_t pause = answered ? plan_successor(guardian, arena->serving) : -1;
    arena->serving = false;
    if (pause >= 0) {
        settle(guardian, pause);
    } else {
        give_up(guardian, early, answered);
    }
    guardian->report.len = 0;
    return pause;
}

/* ---- becoming two ----------------------------------------------------------------------- */

static const int watched_signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

static int
open_signals(sigset_t *before, struct fault *fault)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof watched_signals / sizeof watched_signals[0]; i++) {
        sigaddset(&set, watched_signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, before) < 0) {
        return fault_errno(fault, "sigprocmask");
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? fault_errno(fault, "signalfd") : fd;
}

/* What of it a program forgets when it becomes another one by exec. 0, or -1: the guardian is not this
   process's parent, or no longer. */
static int
follow_guardian(struct arena *arena)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed guardian leaves nothing behind */
    setvbuf(stdout, NULL, _IOLBF, 0); /* what C code prints comes line by line too */
    shared = arena;
    return getppid() == arena->guardian ? 0 : -1;
}

/* What the interpreter's process must be before anything of Python runs in it. */
static void
become_interpreter(struct guardian *guardian)
{
    setpgid(0, 0); /* a signal to its own group, or from a terminal, is not for both */
    if (follow_guardian(guardian->arena) < 0) {
        _exit(1);
    }
    close(guardian->signals);
    close(guardian->captured[0].fd);
    close(guardian->captured[1].fd);
    if (guardian->parent >= 0) {
        close(guardian->parent);
    }
    close(guardian->arena->complaint);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &guardian->mask, NULL);
}

/* Start an interpreter. 1: this is it, 0: it is there, -1 with a fault. */
static int
start_interpreter(struct guardian *guardian, struct fault *fault)
{
    struct arena *arena = guardian->arena;
    atomic_store(&arena->idle, false);
    atomic_store(&arena->resting, false);
    arena->serving = arena->in_order = false;
    arena->last_words_len = 0;
    guardian->start_reports = 0;
    guardian->captured[1].last_len = 0;
    pulse_reset(&guardian->pulse);
    pid_t pid = fork();
    if (pid == 0) {
        become_interpreter(guardian);
        return 1;
    }
    guardian->interpreter = pid > 0 ? pid : 0;
    return pid > 0 ? 0 : fault_errno(fault, "fork");
}

/* ---- the guardian's life ---------------------------------------------------------------- */

static void
pause_for(struct guardian *guardian, int64_t pause_ms)
{
    int64_t until = clock_ms() + pause_ms;
    while (clock_ms() < until && !guardian_is_leaving(guardian)) {
        guardian_watch(guardian);
    }
}

/* Watch over one interpreter until it has ended, and see it off. The pause before the next one or -1. */
static int64_t
watch_one(struct guardian *guardian)
{
    while (guardian->interpreter != 0) {
        guardian_watch(guardian);
    }
    children_end();
    guardian_drain(guardian);
    return is_lost(guardian) ? take_leave(guardian) : -1;
}

/* The status that this process exits with: the interpreter's, as a shell would tell it. */
static int
exit_status(const struct guardian *guardian)
{
    return WIFSIGNALED(guardian->status) ? 128 + WTERMSIG(guardian->status)
                                         : WEXITSTATUS(guardian->status);
}

/* Ends the process, or returns in that of a new interpreter. */
static void
guard(struct guardian *guardian)
{
    int64_t pause;
    signal(SIGPIPE, SIG_IGN);
    children_adopt();
    guardian->lane = wire_lane(guardian->arena, WRITER_GUARDIAN);
    while ((pause = watch_one(guardian)) >= 0) {
        struct fault fault = {0};
        pause_for(guardian, pause);
        if (guardian_is_leaving(guardian)) {
            break;
        }
        int started = start_interpreter(guardian, &fault);
        if (started > 0) {
            return;
        }
        if (started < 0) {
            guardian_say_error(guardian, (struct slice){fault.text, strlen(fault.text)});
            break;
        }
    }
    guardian_send_last(guardian);
    _exit(exit_status(guardian));
}

/* The process whose end is Storm's, if stdin is a pipe from it and not a recording. -1: none. */
static int
open_parent(int in)
{
    struct stat status;
    bool piped = fstat(in, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
    return piped ? (int)syscall(SYS_pidfd_open, getppid(), 0) : -1; /* before Linux 5.3: -1 */
}

static int
open_stacks(struct fault *fault)
{
    int stacks = stacks_open(fault);
    return stacks < 0 ? -1 : wire_move_away(stacks, fault);
}

/* Open what the two share. 0, or -1 with a fault. */
static int
prepare(struct guardian *guardian, struct fault *fault)
{
    signal(SIGXFSZ, SIG_IGN); /* a limit to files is told, and ends nobody without a word */
    struct arena *arena = wire_check(fault) == 0 ? arena_new_kept(fault) : NULL;
    if (arena == NULL) {
        return -1;
    }
    guardian->arena = arena;
    arena->guardian = getpid();
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell < 0) {
        return fault_errno(fault, "eventfd");
    }
    if ((arena->memory = wire_move_away(arena->memory, fault)) < 0 ||
        (arena->bell = wire_move_away(bell, fault)) < 0 ||
        (arena->stacks = open_stacks(fault)) < 0 ||
        (guardian->signals = open_signals(&guardian->mask, fault)) < 0) {
        return -1;
    }
    int captured[2];
    if (wire_make_private(arena, captured, fault) < 0) {
        return -1;
    }
    guardian->captured[0] = (struct capture){.fd = captured[0], .level = LEVEL_INFO};
    guardian->captured[1] = (struct capture){.fd = captured[1], .level = LEVEL_WARN};
    guardian->parent = open_parent(arena->in);
    return 0;
}

struct arena *
guardian_enter(struct fault *fault)
{
    struct guardian guardian = {.captured = {{.fd = -1}, {.fd = -1}}};
    int started = prepare(&guardian, fault) < 0 ? -1 : start_interpreter(&guardian, fault);
    if (started < 0) {
        return NULL;
    }
    if (started == 0) {
        guard(&guardian);
    }
    return guardian.arena;
}

struct arena *
guardian_join(const char *handed_over, struct fault *fault)
{
    struct arena *arena = handover_take(handed_over, fault);
    if (arena != NULL && follow_guardian(arena) < 0) {
        fault_set(fault, FAULT_SYSTEM, 0,
                  "this is not the process that stormcell-shim has become: was Python started by a "
                  "program that stayed in front of it?");
        shared = NULL;
        arena_free(arena);
        return NULL;
    }
    return arena;
}

struct arena *
guardian_arena(void)
{
    return shared;
}
