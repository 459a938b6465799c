/* The process in front. It waits in poll() for printed bytes, signals and the end of Storm or of the
   interpreter, and sleeps as long as nothing of this happens. */
#include "guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "clock.h"
#include "handshake.h"
#include "ids.h"
#include "wire.h"

enum {
    PARTIAL_LINE_MS = 100, /* a line without its end is logged after this */
    TICK_MS = 10,          /* output of an interpreter at work waits no longer than this */
    RETRY_MS = 10,         /* after a write that the interpreter's own stood in the way of */
    GRACE_MS = 2000,       /* from a request to end, or from losing Storm, to SIGKILL */
    LAST_WRITE_MS = 1000,  /* how long the last messages may take */
    LAST_READ_MS = 5000    /* and how long Storm may take to read why its component ended */
};

struct guardian {
    struct arena *arena;
    struct buffer lane;
    struct capture captured[2];
    pid_t interpreter;
    int signals;      /* signalfd */
    int64_t deadline; /* when the interpreter is killed, ms; 0: no reason to */
    bool orphaned;    /* Storm's end of the wire is closed */
    bool ended;
    int status; /* of waitpid, once ended */
};

static struct arena *shared; /* one a process */

/* ---- saying something ------------------------------------------------------------------- */

/* Both lanes: the interpreter's own too, which may have waited while it works.
   1: nothing is left to write, 0: later, -1: Storm is gone. */
static int
send_lanes(struct guardian *guardian)
{
    wire_commit(guardian->arena, WRITER_GUARDIAN, &guardian->lane);
    return wire_flush(guardian->arena, WRITER_GUARDIAN, &guardian->lane, NULL);
}

static void
say_error(struct guardian *guardian, const char *text)
{
    struct slice slice = {text, strlen(text)};
    size_t start = guardian->lane.len;
    if (message_write_error(&guardian->lane, slice, NULL) < 0) {
        guardian->lane.len = start;
    }
}

/* Where the wire cannot carry it: Storm quotes what it finds on stderr when a child ends. */
static void
complain(struct guardian *guardian, const char *text)
{
    dprintf(guardian->arena->complaint, "stormcell-shim: %s\n", text);
}

/* ---- the interpreter's end -------------------------------------------------------------- */

static void
describe_status(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        snprintf(out, size, "was ended by signal %d (%s)%s", number, strsignal(number),
                 WCOREDUMP(status) ? ", core dumped" : "");
    } else {
        snprintf(out, size, "ended with exit status %d", WEXITSTATUS(status));
    }
}

static void
describe_hand(const struct arena_hand *hand, char *out, size_t size)
{
    if (hand->kind == HAND_NUMBER) {
        snprintf(out, size, " while it had tuple %lld in hand", (long long)hand->number);
    } else if (hand->kind == HAND_TEXT) {
        snprintf(out, size, " while it had tuple %.*s in hand", (int)hand->len, hand->text);
    } else {
        *out = '\0';
    }
}

static void
describe_component(const struct arena_component *component, char *out, size_t size)
{
    if (component->known) {
        snprintf(out, size, " of component '%s' (task %lld)", component->name,
                 (long long)component->task);
    } else {
        *out = '\0';
    }
}

/* Who died, of what or with what last words, and with what in hand. */
static void
describe_death(const struct guardian *guardian, char *out, size_t size)
{
    const struct arena *arena = guardian->arena;
    char component[200];
    char cause[160];
    char hand[120];
    describe_component(&arena->component, component, sizeof component);
    describe_status(guardian->status, cause, sizeof cause);
    describe_hand(&arena->component.hand, hand, sizeof hand);
    if (arena->last_words_len > 0) {
        snprintf(cause, sizeof cause, "ended");
    }
    snprintf(out, size, "the Python process %ld%s %s%s%s%.*s", (long)guardian->interpreter,
             component, cause, hand, arena->last_words_len > 0 ? ": " : "",
             (int)arena->last_words_len, arena->last_words);
}

/* Read Storm's handshake where the interpreter died before it did; Storm waits for its answer
   without a time-out and reads no error before it. 0 or -1. */
static int
receive_handshake(struct arena *arena, int signals, struct fault *fault)
{
    struct frame_input *input = &arena->input;
    char *bytes = arena_region(arena, ARENA_INPUT);
    size_t limit = arena_region_size(ARENA_INPUT) / 2;
    struct slice frame;
    int found;
    while ((found = frame_next(input, bytes, limit, &frame, fault)) == 0) {
        struct pollfd wait[] = {{.fd = arena->in, .events = POLLIN},
                                {.fd = signals, .events = POLLIN}};
        poll(wait, 2, -1);
        ssize_t n = read(arena->in, bytes + input->end, limit - input->end);
        if (n == 0 || wait[1].revents != 0) {
            return fault_set(fault, FAULT_GONE, 0, "no handshake will come");
        }
        input->end += n > 0 ? (size_t)n : 0;
    }
    struct handshake handshake;
    int result = found < 0 ? -1 : handshake_parse(&handshake, frame, fault);
    if (found > 0) {
        if (result == 0) {
            handshake_introduce(&handshake, arena);
            result = handshake_touch_pid_file(&handshake, arena->guardian, fault);
        }
        handshake_deinit(&handshake);
    }
    return result;
}

/* Make sure that Storm listens: the handshake is answered. 0 or -1. */
static int
ensure_answered(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    if (!arena->answered && !arena->component.handshaken &&
        receive_handshake(arena, guardian->signals, NULL) < 0) {
        return -1;
    }
    return wire_answer(arena, NULL);
}

/* Write what is left, for as long as Storm takes it. 0, or -1 where something stays unsaid. */
static int
send_last(struct guardian *guardian)
{
    int64_t deadline = clock_ms() + LAST_WRITE_MS;
    int result;
    while ((result = send_lanes(guardian)) == 0 && clock_ms() < deadline) {
        wire_wait_writable(guardian->arena, RETRY_MS);
    }
    return result > 0 ? 0 : -1;
}

/* Has Storm read all that was written? */
static bool
is_read(const struct arena *arena)
{
    int unread = 0;
    return ioctl(arena->out, FIONREAD, &unread) < 0 || unread == 0;
}

/* Has Storm said anything since its handshake? */
static bool
has_spoken(const struct arena *arena)
{
    struct pollfd in = {.fd = arena->in, .events = POLLIN};
    return arena->input.end > arena->input.start || poll(&in, 1, 0) > 0;
}

/* Wait until Storm has taken in what was written, unless a signal comes. A ShellSpout looks at what it
   has read only after it has written a command: were this end closed by then, its write would fail and
   the reason stay in its buffer, which it fills together with the pid. So, behind a pid that has only
   just been answered (`early`), a command must have come as well; a ShellBolt sends a heartbeat. */
static void
await_reading(const struct guardian *guardian, bool early)
{
    const struct arena *arena = guardian->arena;
    int64_t deadline = clock_ms() + LAST_READ_MS;
    struct pollfd fds[] = {{.fd = guardian->signals, .events = POLLIN},
                           {.fd = arena->out}}; /* no events: tells of a closed pipe */
    while ((!is_read(arena) || (early && !has_spoken(arena))) && clock_ms() < deadline &&
           poll(fds, 2, RETRY_MS) == 0) {
    }
}

static void
drain_captured(struct guardian *guardian)
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

/* The status that this process exits with: the interpreter's, as a shell would tell it. */
static int
exit_status(const struct guardian *guardian)
{
    return WIFSIGNALED(guardian->status) ? 128 + WTERMSIG(guardian->status)
                                         : WEXITSTATUS(guardian->status);
}

/* Tell Storm why the interpreter ended, or whoever reads stderr where Storm cannot hear it. */
static void
report_death(struct guardian *guardian)
{
    char death[sizeof guardian->arena->last_words + 400];
    bool early = !guardian->arena->answered;
    bool answered = ensure_answered(guardian) == 0;
    describe_death(guardian, death, sizeof death);
    say_error(guardian, death);
    if (answered && send_last(guardian) == 0) {
        await_reading(guardian, early);
    } else {
        complain(guardian, death);
    }
}

static void
report_end(struct guardian *guardian)
{
    bool asked = guardian->orphaned || guardian->deadline != 0;
    bool fine = guardian->arena->in_order && WIFEXITED(guardian->status);
    drain_captured(guardian);
    if (fine || asked) {
        send_last(guardian);
    } else {
        report_death(guardian);
    }
}

/* ---- the watch -------------------------------------------------------------------------- */

static void
set_deadline(struct guardian *guardian)
{
    if (guardian->deadline == 0) {
        guardian->deadline = clock_ms() + GRACE_MS;
    }
}

static void
reap(struct guardian *guardian)
{
    int status;
    pid_t pid = waitpid(guardian->interpreter, &status, WNOHANG);
    if (pid == guardian->interpreter) {
        guardian->ended = true;
        guardian->status = status;
    }
}

/* SIGTERM and SIGINT (a terminal's Ctrl-C reaches both processes, the interpreter ignores it) ask
   for an orderly end; other signals are passed on as they are. */
static void
take_signal(struct guardian *guardian)
{
    struct signalfd_siginfo info;
    if (read(guardian->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return;
    }
    int number = (int)info.ssi_signo;
    if (number == SIGCHLD) {
        reap(guardian);
    } else if (number == SIGTERM || number == SIGINT || number == SIGHUP) {
        kill(guardian->interpreter, SIGTERM);
        set_deadline(guardian);
    } else {
        kill(guardian->interpreter, number);
    }
}

/* The lesser of two times to wait, where -1 is for ever. */
static int64_t
sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Is there nothing to look after until the bell rings? The interpreter rings it when it goes to work
   and finds `resting`; setting that before looking at `idle` leaves no gap between the two. */
static bool
may_rest(struct arena *arena)
{
    atomic_store(&arena->resting, true);
    if (atomic_load(&arena->idle) || !atomic_load(&arena->answered)) {
        return true;
    }
    atomic_store(&arena->resting, false);
    return false;
}

static int
wait_ms(const struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    const struct capture *captured = guardian->captured;
    int64_t wait = may_rest(arena) ? -1 : TICK_MS;
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

static void
answer_bell(const struct guardian *guardian)
{
    uint64_t count;
    (void)!read(guardian->arena->bell, &count, sizeof count);
}

static void
kill_if_due(struct guardian *guardian)
{
    if (guardian->deadline > 0 && clock_ms() >= guardian->deadline) {
        kill(guardian->interpreter, SIGKILL);
        guardian->deadline = INT64_MAX;
    }
}

static void
watch(struct guardian *guardian)
{
    struct pollfd fds[] = {
        {.fd = guardian->signals, .events = POLLIN},
        {.fd = guardian->arena->bell, .events = POLLIN},
        {.fd = guardian->captured[0].fd, .events = POLLIN},
        {.fd = guardian->captured[1].fd, .events = POLLIN},
        {.fd = guardian->orphaned ? -1 : guardian->arena->out}, /* no events: errors are told */
    };
    poll(fds, 5, wait_ms(guardian));
    if (fds[0].revents != 0) {
        take_signal(guardian);
    }
    if (fds[1].revents != 0) {
        answer_bell(guardian);
    }
    for (int i = 0; i < 2; i++) {
        if (fds[2 + i].revents != 0) {
            capture_read(&guardian->captured[i], &guardian->lane, clock_ms());
        }
    }
    end_partial_lines(guardian);
    if (fds[4].revents & (POLLERR | POLLHUP | POLLNVAL)) {
        guardian->orphaned = true;
        set_deadline(guardian);
    }
    kill_if_due(guardian);
    send_lanes(guardian);
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

/* What the interpreter's process must be before anything of Python runs in it. */
static void
become_interpreter(struct guardian *guardian, const sigset_t *before)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed guardian leaves nothing behind */
    if (getppid() != guardian->arena->guardian) {
        _exit(1);
    }
    close(guardian->signals);
    close(guardian->captured[0].fd);
    close(guardian->captured[1].fd);
    signal(SIGINT, SIG_IGN);
    sigprocmask(SIG_SETMASK, before, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0); /* what C code prints comes line by line too */
    shared = guardian->arena;
}

static _Noreturn void
guard(struct guardian *guardian)
{
    /* its own ends of the pipes would keep them open when the interpreter is gone */
    close(0);
    close(1);
    close(2);
    signal(SIGPIPE, SIG_IGN);
    guardian->lane = wire_lane(guardian->arena, WRITER_GUARDIAN);
    while (!guardian->ended) {
        watch(guardian);
    }
    report_end(guardian);
    _exit(exit_status(guardian));
}

struct arena *
guardian_enter(struct fault *fault)
{
    struct guardian guardian = {
        .captured = {{.fd = -1, .level = LEVEL_INFO}, {.fd = -1, .level = LEVEL_WARN}}};
    int captured[2];
    sigset_t before;
    guardian.arena = wire_check(fault) == 0 ? arena_new(fault) : NULL;
    if (guardian.arena == NULL) {
        return NULL;
    }
    guardian.arena->guardian = getpid();
    guardian.signals = open_signals(&before, fault);
    guardian.arena->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (guardian.arena->bell < 0) {
        fault_errno(fault, "eventfd");
        return NULL;
    }
    if (guardian.signals < 0 || wire_make_private(guardian.arena, captured, fault) < 0) {
        return NULL;
    }
    guardian.captured[0].fd = captured[0];
    guardian.captured[1].fd = captured[1];
    guardian.interpreter = fork();
    if (guardian.interpreter < 0) {
        fault_errno(fault, "fork");
        return NULL;
    }
    if (guardian.interpreter > 0) {
        guard(&guardian);
    }
    become_interpreter(&guardian, &before);
    return guardian.arena;
}

struct arena *
guardian_arena(void)
{
    return shared;
}
