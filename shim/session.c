/* The rules of the conversation, where they are about receiving: handshake, heartbeats, task ids,
   waiting, the end. What is said to Storm is in session_say.c. */
#include "session_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

enum { READ_AHEAD = 16 << 20 }; /* unread input past which reading pauses while writing waits */

static const char LIMIT_KEY[] = "stormcell.message.max.bytes";

/* One a process; for the signal handler and for forked children. */
static struct session *current;
static volatile sig_atomic_t asked_to_end;

/* ---- life ------------------------------------------------------------------------------- */

static void
on_sigterm(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    asked_to_end = 1;
    if (current != NULL) {
        session_wake(current);
    }
    errno = saved;
}

/* A forked child has no part in the conversation: it would write into its parent's messages.
   The arena is not even mapped there (MADV_DONTFORK), and here its descriptors go. */
static void
cut_off_child(void)
{
    struct sigaction action;
    if (current == NULL) {
        return;
    }
    close(current->inlet.fd);
    close(current->out);
    close(current->bell);
    if (current->record != NULL) {
        close(record_descriptor(current->record));
    }
    dup2(STDERR_FILENO, current->stacks); /* where its own crash tells of itself from now on */
    close(current->wake[0]);
    close(current->wake[1]);
    current->arena = NULL;
    current = NULL;
    /* it has no conversation to end in order: SIGTERM ends it, as its parent expects */
    if (sigaction(SIGTERM, NULL, &action) == 0 && action.sa_handler == on_sigterm) {
        signal(SIGTERM, SIG_DFL);
    }
}

static int
start(struct session *session, struct fault *fault)
{
    struct sigaction action = {.sa_handler = on_sigterm}; /* no SA_RESTART: it ends a wait */
    if (pipe2(session->wake, O_NONBLOCK | O_CLOEXEC) < 0) {
        return fault_errno(fault, "pipe2");
    }
    session->wake[0] = wire_move_away(session->wake[0], fault);
    session->wake[1] = wire_move_away(session->wake[1], fault);
    if (session->wake[0] < 0 || session->wake[1] < 0) {
        return -1;
    }
    current = session;
    if (sigaction(SIGTERM, &action, NULL) < 0) {
        return fault_errno(fault, "sigaction");
    }
    signal(SIGPIPE, SIG_IGN); /* a closed wire is EPIPE */
    if (pthread_atfork(NULL, NULL, cut_off_child) != 0) {
        return fault_set(fault, FAULT_SYSTEM, 0, "pthread_atfork failed");
    }
    arena_hide_from_forks(session->arena);
    if (session->arena->memory >= 0) {
        close(session->arena->memory); /* no other program follows in this process */
    }
    return 0;
}

struct session *
session_on(struct arena *arena, struct fault *fault)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        fault_errno(fault, "no memory for the session");
        return NULL;
    }
    session->arena = arena;
    session->out = arena->out;
    session->bell = arena->bell;
    session->stacks = arena->stacks;
    inlet_init(&session->inlet, arena);
    outlet_init(&session->outlet, arena);
    session->wake[0] = session->wake[1] = -1;
    return session;
}

struct session *
session_new(struct arena *arena, struct fault *fault)
{
    struct session *session = session_on(arena, fault);
    if (session != NULL && start(session, fault) < 0) {
        session_free(session);
        return NULL;
    }
    return session;
}

void
session_free(struct session *session)
{
    if (session == NULL) {
        return;
    }
    if (current == session) {
        current = NULL;
    }
    if (session->wake[0] >= 0) {
        close(session->wake[0]);
        close(session->wake[1]);
    }
    record_free(session->record);
    handshake_deinit(&session->handshake);
    buffer_deinit(&session->task_ids);
    buffer_deinit(&session->unescaped);
    arena_free(session->own);
    free(session);
}

const struct handshake *
session_topology(const struct session *session)
{
    return &session->handshake;
}

void
session_serve(struct session *session, bool spout)
{
    session->spout = spout;
    if (session->arena != NULL) {
        session->arena->component.kind = spout ? COMPONENT_SPOUT : COMPONENT_BOLT;
        session->arena->serving = true;
    }
}

bool
session_is_active(const struct session *session)
{
    return session->arena != NULL && session->arena->active;
}

int
session_stacks_descriptor(const struct session *session)
{
    return session->stacks;
}

bool
session_ended(const struct session *session)
{
    return session->inlet.eof || asked_to_end || session->arena == NULL;
}

bool
session_is_cut_off(const struct session *session)
{
    return session->arena == NULL;
}

bool
session_asked_to_end(const struct session *session)
{
    (void)session;
    return asked_to_end;
}

/* ---- writing ---------------------------------------------------------------------------- */

int
session_flush(struct session *session, struct fault *fault)
{
    return session->arena == NULL ? session_forked(fault) : outlet_flush(&session->outlet, fault);
}

int
session_breathe(struct session *session, struct fault *fault)
{
    return session->arena == NULL ? session_forked(fault) : outlet_breathe(&session->outlet, fault);
}

bool
session_congested(const struct session *session)
{
    return session->arena != NULL && outlet_congested(&session->outlet);
}

void
session_last_words(struct session *session, struct slice text)
{
    if (session->arena != NULL) {
        arena_last_words(session->arena, text);
    }
}

void
session_close(struct session *session, int timeout_ms, bool in_order)
{
    int64_t deadline = clock_ns() + (int64_t)timeout_ms * 1000000;
    while (session_flush(session, NULL) == 0 && clock_ns() < deadline) {
        wire_wait_writable(session->arena, 10);
    }
    if (session->arena != NULL) {
        session->arena->in_order = in_order;
    }
}

/* ---- reading ---------------------------------------------------------------------------- */

static void
drain_wake(struct session *session)
{
    char bytes[64];
    while (read(session->wake[0], bytes, sizeof bytes) > 0) {
    }
}

static int
sleep_until_ready(struct session *session, bool reads, bool writes, int timeout_ms,
                  struct fault *fault)
{
    struct pollfd fds[] = {
        {.fd = session->wake[0], .events = POLLIN},
        {.fd = reads ? session->inlet.fd : -1, .events = POLLIN},
        {.fd = writes ? session->arena->out : -1, .events = POLLOUT},
    };
    int ready = asked_to_end ? 0 : poll(fds, 3, timeout_ms);
    if (ready < 0) {
        return errno == EINTR ? 0 : fault_errno(fault, "poll");
    }
    if (fds[0].revents != 0) {
        drain_wake(session);
    }
    return fds[1].revents != 0 && inlet_fill(&session->inlet, fault) < 0 ? -1 : 0;
}

/* Storm has less to say, or takes less, than there is time: look a moment, then sleep. */
static int
wait_idle(struct session *session, int timeout_ms, struct fault *fault)
{
    struct inlet *inlet = &session->inlet;
    bool writes = atomic_load(&session->arena->answered) && outlet_pending(&session->outlet) > 0;
    bool reads = !inlet->eof && !(writes && inlet_waiting(inlet) > READ_AHEAD);
    if (reads && !writes && timeout_ms != 0) {
        int result = inlet_spin(inlet, fault);
        if (result != 0) {
            return result < 0 ? -1 : 0;
        }
        writes = outlet_pending(&session->outlet) > 0; /* a thread may have spoken meanwhile */
    }
    return sleep_until_ready(session, reads, writes, timeout_ms, fault);
}

/* Both flags are set before anything is looked at, so that whoever says something afterwards sees
   them: a thread then wakes this one, and the guardian is woken when work goes on. */
int
session_wait(struct session *session, int timeout_ms, struct fault *fault)
{
    uint64_t one = 1;
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    struct arena *arena = session->arena;
    atomic_store(&session->waiting, true);
    atomic_store(&arena->idle, true);
    int result = wait_idle(session, timeout_ms, fault);
    atomic_store(&arena->idle, false);
    atomic_store(&session->waiting, false);
    if (atomic_exchange(&arena->resting, false)) {
        (void)!write(arena->bell, &one, sizeof one);
    }
    return result;
}

void
session_wake(struct session *session)
{
    if (atomic_load(&session->waiting) || asked_to_end) {
        (void)!write(session->wake[1], "", 1);
    }
}

int
session_wake_descriptor(const struct session *session)
{
    return session->wake[1];
}

/* Tell Storm of a message that could not be read. A spout owes an answer even to that. */
static void
report(struct session *session, const struct fault *why)
{
    char text[sizeof why->text + 100];
    int len = snprintf(text, sizeof text,
                       "Stormcell dropped a message from Storm that it could not "
                       "read: %s",
                       why->text);
    session->arena->hand.kind = session->spout ? HAND_COMMAND : HAND_EMPTY;
    session_error(session, (struct slice){text, (size_t)len}, NULL);
    if (session->spout) {
        session_sync(session, NULL);
    }
    arena_empty_hand(session->arena);
}

/* The next message; those that cannot be read are dropped and reported. 1 or 0. */
static int
next_message(struct session *session, struct message *message)
{
    for (;;) {
        struct slice frame;
        struct fault *why = fault_clear(&session->why);
        int found = inlet_frame(&session->inlet, &frame, why);
        if (found > 0 && session->record != NULL) {
            session_record(session, RECORD_IN, frame);
        }
        if (found == 0 || (found > 0 && message_decode(frame, message, why) == 0)) {
            return found;
        }
        report(session, why);
    }
}

/* What a spout is told to do is in hand from here on, a tuple once its id is entered. */
static void
give(struct arena *arena, enum message_kind kind)
{
    if (kind >= MESSAGE_NEXT) {
        arena->hand.kind = HAND_COMMAND;
        arena->active = kind == MESSAGE_ACTIVATE || (arena->active && kind != MESSAGE_DEACTIVATE);
    }
}

/* In hand meanwhile, so that nobody answers it again. */
static int
answer_heartbeat(struct session *session, struct fault *fault)
{
    session->arena->hand.kind = HAND_COMMAND;
    return session_sync(session, fault);
}

int
session_next(struct session *session, struct message *message, struct fault *fault)
{
    struct arena *arena = session->arena;
    if (arena == NULL) {
        return session_forked(fault);
    }
    arena_empty_hand(arena);
    uint64_t calls = atomic_load_explicit(&arena->calls, memory_order_relaxed);
    atomic_store_explicit(&arena->calls, calls + 1, memory_order_relaxed);
    while (next_message(session, message) > 0) {
        if (message->kind == MESSAGE_TASK_IDS) {
            inlet_pass_over_array(&session->inlet);
        } else if (message->kind != MESSAGE_HEARTBEAT) {
            give(arena, message->kind);
            return 1;
        } else if (answer_heartbeat(session, fault) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Take the first array in line. 1, 0 or -1. */
static int
take_task_ids(struct session *session, struct fault *fault)
{
    struct slice frame;
    struct arena *arena = session->arena;
    if (inlet_array(&session->inlet, &frame) == 0) {
        return 0;
    }
    session->task_ids.len = 0;
    int result = buffer_append(&session->task_ids, frame, fault);
    if (session->record != NULL) {
        session_record(session, RECORD_IN, frame);
    }
    inlet_remove(&session->inlet, frame);
    if (arena->hand.kind == HAND_EMPTY) {
        arena_empty_hand(arena);
    }
    return result < 0 ? -1 : 1;
}

/* Storm answers emits in their order; the last one's ids come behind those that nobody has waited for. */
int
session_task_ids(struct session *session, struct slice *ids, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    int result;
    do {
        result = take_task_ids(session, fault);
    } while (result > 0 && session->arena->task_ids_owed > 0);
    *ids = (struct slice){session->task_ids.data, session->task_ids.len};
    return result;
}

/* ---- the handshake ---------------------------------------------------------------------- */

static void
set_limit(struct session *session)
{
    int64_t most = (int64_t)(arena_region_size(ARENA_INPUT) / 2);
    int64_t limit =
        handshake_conf_int(&session->handshake, LIMIT_KEY, (int64_t)session->inlet.limit);
    session->inlet.limit = (size_t)(limit < 1024 ? 1024 : limit > most ? most : limit);
}

/* Learn from the handshake that the arena keeps. What is wrong in the settings is reported once. */
static int
adopt(struct session *session, struct fault *fault)
{
    struct fault wrong = {0};
    struct arena *arena = session->arena;
    bool before = arena->component.known;
    struct slice text = {arena_region(arena, ARENA_HANDSHAKE), arena->handshake_len};
    if (handshake_parse(&session->handshake, text, fault) < 0) {
        return -1;
    }
    set_limit(session);
    session_begin_recording(session);
    if (handshake_introduce(&session->handshake, arena, &wrong) < 0 && !before) {
        session_error(session, (struct slice){wrong.text, strlen(wrong.text)}, NULL);
    }
    return handshake_touch_pid_file(&session->handshake, arena->guardian, fault) < 0 ? -1 : 1;
}

static int
no_handshake(const struct session *session, struct fault *fault)
{
    size_t got = inlet_waiting(&session->inlet);
    return fault_set(fault, FAULT_HANDSHAKE, got,
                     "stdin ended after %zu bytes, before Storm's handshake was complete", got);
}

int
session_handshake(struct session *session, struct fault *fault)
{
    struct arena *arena = session->arena;
    struct slice frame;
    int found = arena->handshaken ? 1 : inlet_frame(&session->inlet, &frame, fault);
    if (found == 0 && !session->inlet.eof) {
        return 0;
    }
    if (found > 0 && !arena->handshaken) {
        arena_keep_handshake(arena, frame);
    }
    found = found > 0 ? adopt(session, fault) : found == 0 ? no_handshake(session, fault) : -1;
    arena->refused = found < 0;
    return found;
}

bool
session_has_ackers(const struct session *session)
{
    /* null means one a worker (StormCommon.hasAckers) */
    return handshake_conf_int(&session->handshake, "topology.acker.executors", 1) > 0;
}

int
session_answer(struct session *session, struct fault *fault)
{
    if (session->own != NULL) {
        return 0; /* nobody waits for a pid */
    }
    return session->arena == NULL ? session_forked(fault) : wire_answer(session->arena, fault);
}
