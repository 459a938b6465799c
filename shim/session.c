#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "wire.h"

enum {
    READ_BYTES = 64 << 10,        /* a read: what a pipe holds by default */
    READ_AHEAD = 16 << 20,        /* unread input past which reading pauses */
    FLUSH_BYTES = 8 << 10,        /* output that is written without waiting for more */
    CONGESTED_BYTES = 1 << 20,    /* unwritten output at which emitting waits */
    FLUSH_NS = 1000 * 1000,       /* no message waits longer than this between two tuples */
    CLOCK_EVERY_NS = 250 * 1000,  /* how often the clock is looked at, about */
    SPIN_NS = 20 * 1000,          /* how long a wait spins before it sleeps */
    SPIN_CREDIT = 8,              /* spins in vain before it stops trying */
    SPIN_RETRY = 64               /* waits after which it tries again */
};

static const char LIMIT_KEY[] = "stormcell.message.max.bytes";
static const int64_t LIMIT_DEFAULT = 256 << 20;

struct session {
    struct arena *arena;
    char *input; /* the arena's input region */
    struct buffer lane;
    size_t emit_start; /* where the open emit began */
    struct handshake handshake;
    struct frame_input ahead; /* how far task ids have been looked for */
    struct buffer task_ids;
    struct buffer unescaped;
    size_t limit; /* the longest message that is accepted, bytes */
    bool skipping; /* inside a message that is over the limit */
    bool spout;
    bool eof;
    bool spins; /* a second processor is there to spin on */
    int spin_credit;
    int wake; /* eventfd */
    int in, out; /* the arena's, kept here for a forked child to close */
    atomic_bool waiting;
    int64_t last_clock;
    int64_t oldest;               /* when the oldest unwritten message was first seen, 0: none */
    unsigned stride, until_clock; /* the clock is looked at every `stride` tuples */
    size_t flush_at;              /* bytes of output that are written without waiting for more */
};

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
    if (current != NULL) {
        close(current->in);
        close(current->out);
        close(current->wake);
        current->arena = NULL;
        current = NULL;
    }
}

static bool
has_second_processor(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

static int
start(struct session *session, struct fault *fault)
{
    struct sigaction action = {.sa_handler = on_sigterm}; /* no SA_RESTART: it ends a wait */
    session->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (session->wake < 0) {
        return fault_errno(fault, "eventfd");
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
    return 0;
}

struct session *
session_new(struct arena *arena, struct fault *fault)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        fault_errno(fault, "no memory for the session");
        return NULL;
    }
    session->arena = arena;
    session->in = arena->in;
    session->out = arena->out;
    session->input = arena_region(arena, ARENA_INPUT);
    session->lane = wire_lane(arena, WRITER_INTERPRETER);
    session->limit = (size_t)LIMIT_DEFAULT;
    session->spins = has_second_processor();
    session->spin_credit = SPIN_CREDIT;
    session->stride = session->until_clock = 1;
    session->flush_at = FLUSH_BYTES;
    session->wake = -1;
    if (start(session, fault) < 0) {
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
    if (session->wake >= 0) {
        close(session->wake);
    }
    handshake_deinit(&session->handshake);
    buffer_deinit(&session->task_ids);
    buffer_deinit(&session->unescaped);
    free(session);
}

const struct handshake *
session_topology(const struct session *session)
{
    return &session->handshake;
}

void
session_set_spout(struct session *session, bool spout)
{
    session->spout = spout;
    if (session->arena != NULL) {
        session->arena->component.spout = spout;
    }
}

bool
session_ended(const struct session *session)
{
    return session->eof || asked_to_end || session->arena == NULL;
}

bool
session_asked_to_end(const struct session *session)
{
    (void)session;
    return asked_to_end;
}

static int64_t
clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
forked(struct fault *fault)
{
    return fault_set(fault, FAULT_FORKED, 0,
                     "a process that the component forked has no connection to Storm: "
                     "hand the result to the component's own process and emit there");
}

/* ---- sending ---------------------------------------------------------------------------- */

/* What follows a writer: the message goes out, or nothing of it stays. */
static int
finish(struct session *session, size_t start, int result)
{
    if (result < 0) {
        session->lane.len = start;
        return -1;
    }
    wire_commit(session->arena, WRITER_INTERPRETER, &session->lane);
    return 0;
}

int
session_sync(struct session *session, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    size_t start = session->lane.len;
    return finish(session, start, message_write_sync(&session->lane, fault));
}

int
session_log(struct session *session, enum message_level level, struct slice text,
            struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    size_t start = session->lane.len;
    return finish(session, start, message_write_log(&session->lane, level, text, fault));
}

int
session_error(struct session *session, struct slice text, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    size_t start = session->lane.len;
    return finish(session, start, message_write_error(&session->lane, text, fault));
}

int
session_metric(struct session *session, struct slice name, struct slice params,
               struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    size_t start = session->lane.len;
    return finish(session, start, message_write_metric(&session->lane, name, params, fault));
}

struct buffer *
session_begin_emit(struct session *session, const struct emit *emit, size_t value_count,
                   struct fault *fault)
{
    if (session->arena == NULL) {
        forked(fault);
        return NULL;
    }
    struct slice stream = emit->stream.ptr != NULL ? emit->stream : SLICE("default");
    if (handshake_check_emit(&session->handshake, stream, emit->task, value_count, fault) < 0) {
        return NULL;
    }
    session->emit_start = session->lane.len;
    if (message_open_emit(&session->lane, emit, fault) < 0) {
        session_drop_emit(session);
        return NULL;
    }
    return &session->lane;
}

int
session_end_emit(struct session *session, struct fault *fault)
{
    return finish(session, session->emit_start, message_close_emit(&session->lane, fault));
}

void
session_drop_emit(struct session *session)
{
    session->lane.len = session->emit_start;
}

/* ---- tuples ----------------------------------------------------------------------------- */

int
session_hand_out(struct session *session, struct tuple_id id, struct fault *fault)
{
    struct arena_hand *hand = &session->arena->component.hand;
    hand->kind = id.text.ptr == NULL ? HAND_NUMBER : HAND_TEXT;
    hand->number = id.number;
    if (id.text.ptr != NULL) {
        hand->len = id.text.len < sizeof hand->text ? id.text.len : sizeof hand->text;
        memcpy(hand->text, id.text.ptr, hand->len);
    }
    return ids_add(session->arena, id, fault) < 0 ? -1 : 0;
}

bool
session_is_live(const struct session *session, struct tuple_id id)
{
    return session->arena != NULL && ids_has(session->arena, id);
}

typedef int writer_of_id(struct buffer *, struct slice, struct fault *);

/* The id leaves the table before the message is written, and comes back if that fails. */
static int
settle(struct session *session, struct tuple_id id, writer_of_id *writer, struct fault *fault)
{
    char digits[TUPLE_ID_DIGITS];
    if (session->arena == NULL) {
        return forked(fault);
    }
    struct slice text = tuple_id_text(id, digits);
    if (!ids_remove(session->arena, id)) {
        int shown = text.len < 60 ? (int)text.len : 60;
        return fault_set(fault, FAULT_ID, 0,
                         "tuple %.*s is not waiting to be acked or failed: it was settled before, "
                         "or Storm never sent it",
                         shown, text.ptr);
    }
    size_t start = session->lane.len;
    if (finish(session, start, writer(&session->lane, text, fault)) < 0) {
        ids_add(session->arena, id, NULL);
        return -1;
    }
    return 0;
}

int
session_ack(struct session *session, struct tuple_id id, struct fault *fault)
{
    return settle(session, id, message_write_ack, fault);
}

int
session_fail(struct session *session, struct tuple_id id, struct fault *fault)
{
    return settle(session, id, message_write_fail, fault);
}

/* ---- writing ---------------------------------------------------------------------------- */

int
session_flush(struct session *session, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    int result = wire_flush(session->arena, WRITER_INTERPRETER, &session->lane, fault);
    session->flush_at = FLUSH_BYTES;
    if (result > 0) {
        session->oldest = 0;
    } else if (result == 0) { /* full: no use in trying again after each tuple */
        session->flush_at += wire_pending(session->arena, WRITER_INTERPRETER);
    }
    return result;
}

/* The clock is looked at about every CLOCK_EVERY_NS, whatever a tuple takes. */
static void
set_stride(struct session *session, int64_t elapsed)
{
    int64_t stride = session->stride * (int64_t)CLOCK_EVERY_NS / (elapsed > 0 ? elapsed : 1);
    session->stride = stride < 1 ? 1 : stride > 64 ? 64 : (unsigned)stride;
    session->until_clock = session->stride;
}

int
session_breathe(struct session *session, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    size_t pending = wire_pending(session->arena, WRITER_INTERPRETER);
    if (pending >= session->flush_at) {
        return session_flush(session, fault);
    }
    if (--session->until_clock > 0) {
        return 0;
    }
    int64_t now = clock_ns();
    set_stride(session, now - session->last_clock);
    session->last_clock = now;
    if (pending == 0) {
        return 1;
    }
    if (session->oldest == 0) {
        session->oldest = now;
    }
    return now - session->oldest >= FLUSH_NS ? session_flush(session, fault) : 0;
}

bool
session_congested(const struct session *session)
{
    return session->arena != NULL && atomic_load(&session->arena->answered) &&
           wire_pending(session->arena, WRITER_INTERPRETER) > CONGESTED_BYTES;
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
        session->arena->component.hand.kind = HAND_EMPTY;
    }
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Move what is unread to the front where that costs no more than what was read since, and give
   memory back after a message that was unusually large. */
static void
make_room(struct session *session)
{
    struct frame_input *input = &session->arena->input;
    size_t shift = input->start;
    size_t rest = input->end - shift;
    if (shift == 0 || rest > shift) {
        return;
    }
    if (rest > 0) {
        memcpy(session->input, session->input + shift, rest);
    } else if (input->end > 4 * (size_t)CONGESTED_BYTES) {
        arena_release(session->arena, ARENA_INPUT, CONGESTED_BYTES);
    }
    input->start = 0;
    input->line -= shift;
    input->scan -= shift;
    input->end = rest;
    session->ahead = (struct frame_input){0};
}

/* One read(2). 1: bytes came (or the end), 0: none are there, -1. */
static int
fill(struct session *session, struct fault *fault)
{
    struct frame_input *input = &session->arena->input;
    make_room(session);
    size_t room = arena_region_size(ARENA_INPUT) - input->end;
    ssize_t n = read(session->in, session->input + input->end, room < READ_BYTES ? room : READ_BYTES);
    if (n > 0) {
        input->end += (size_t)n;
        return 1;
    }
    if (n == 0) {
        session->eof = true;
        return 1;
    }
    return errno == EAGAIN || errno == EINTR ? 0 : fault_errno(fault, "reading from Storm");
}

/* Look for input without sleeping, for a moment: waking up costs more than that where another
   processor runs Storm (one tuple in flight: 46 us without, 15 us with it). Stops by itself where
   it gains nothing, and tries again from time to time. */
static int
spin(struct session *session, struct fault *fault)
{
    if (!session->spins || session->spin_credit <= -SPIN_RETRY) {
        session->spin_credit = session->spins ? 1 : 0;
    }
    if (session->spin_credit <= 0) {
        session->spin_credit--;
        return 0;
    }
    int64_t until = clock_ns() + SPIN_NS;
    do {
        int result = fill(session, fault);
        if (result != 0) {
            session->spin_credit = SPIN_CREDIT;
            return result;
        }
    } while (clock_ns() < until && !asked_to_end);
    session->spin_credit--;
    return 0;
}

static void
drain_wake(struct session *session)
{
    uint64_t count;
    (void)!read(session->wake, &count, sizeof count);
}

static int
sleep_until_ready(struct session *session, bool reads, bool writes, int timeout_ms,
                  struct fault *fault)
{
    struct pollfd fds[] = {
        {.fd = session->wake, .events = POLLIN},
        {.fd = reads ? session->in : -1, .events = POLLIN},
        {.fd = writes ? session->out : -1, .events = POLLOUT},
    };
    atomic_store(&session->waiting, true);
    int ready = asked_to_end ? 0 : poll(fds, 3, timeout_ms);
    atomic_store(&session->waiting, false);
    if (ready < 0) {
        return errno == EINTR ? 0 : fault_errno(fault, "poll");
    }
    if (fds[0].revents != 0) {
        drain_wake(session);
    }
    return fds[1].revents != 0 && fill(session, fault) < 0 ? -1 : 0;
}

int
session_wait(struct session *session, int timeout_ms, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    struct frame_input *input = &session->arena->input;
    bool writes = atomic_load(&session->arena->answered) &&
                  wire_pending(session->arena, WRITER_INTERPRETER) > 0;
    bool reads = !session->eof && !(writes && input->end - input->start > READ_AHEAD);
    if (reads && !writes && timeout_ms != 0) {
        int result = spin(session, fault);
        if (result != 0) {
            return result < 0 ? -1 : 0;
        }
    }
    return sleep_until_ready(session, reads, writes, timeout_ms, fault);
}

void
session_wake(struct session *session)
{
    uint64_t one = 1;
    if (atomic_load(&session->waiting) || asked_to_end) {
        (void)!write(session->wake, &one, sizeof one);
    }
}

/* Tell Storm of a message that could not be read. A spout owes an answer even to that. */
static void
report(struct session *session, const struct fault *why)
{
    char text[sizeof why->text + 100];
    int len = snprintf(text, sizeof text, "Stormcell dropped a message from Storm that it could not "
                                          "read: %s", why->text);
    session_error(session, (struct slice){text, (size_t)len}, NULL);
    if (session->spout) {
        session_sync(session, NULL);
    }
}

/* The next frame; those that are too long are dropped and reported. 1 or 0. */
static int
next_frame(struct session *session, struct slice *frame)
{
    struct frame_input *input = &session->arena->input;
    for (;;) {
        struct fault why = {0};
        if (session->skipping && frame_skip(input, session->input) == 0) {
            return 0;
        }
        session->skipping = false;
        int result = frame_next(input, session->input, session->limit, frame, &why);
        if (result >= 0) {
            return result;
        }
        report(session, &why);
        session->skipping = true;
    }
}

int
session_next(struct session *session, struct message *message, struct fault *fault)
{
    struct slice frame;
    if (session->arena == NULL) {
        return forked(fault);
    }
    session->arena->component.hand.kind = HAND_EMPTY;
    while (next_frame(session, &frame) > 0) {
        struct fault why = {0};
        if (message_decode(frame, message, &why) < 0) {
            report(session, &why);
        } else if (message->kind == MESSAGE_HEARTBEAT) {
            if (session_sync(session, fault) < 0) {
                return -1;
            }
        } else if (message->kind != MESSAGE_TASK_IDS) { /* ids that nobody waits for */
            return 1;
        }
    }
    return 0;
}

struct tuple_id
session_tuple_id(struct session *session, const struct json_value *id, struct fault *fault)
{
    struct slice text = id->text;
    if (id->escaped) {
        session->unescaped.len = 0;
        if (json_unescape(text, &session->unescaped, fault) < 0) {
            return (struct tuple_id){0};
        }
        text = (struct slice){session->unescaped.data, session->unescaped.len};
    }
    return tuple_id_parse(text);
}

/* ---- task ids --------------------------------------------------------------------------- */

static int
keep_task_ids(struct session *session, struct slice frame, struct slice *ids, struct fault *fault)
{
    session->task_ids.len = 0;
    if (buffer_append(&session->task_ids, frame, fault) < 0) {
        return -1;
    }
    *ids = (struct slice){session->task_ids.data, session->task_ids.len};
    return 1;
}

/* Storm answers emits in their order, so the first array in line is ours. It is taken out of the
   line by turning it into blank lines, which every reader of frames skips. */
int
session_task_ids(struct session *session, struct slice *ids, struct fault *fault)
{
    if (session->arena == NULL) {
        return forked(fault);
    }
    struct frame_input *input = &session->arena->input;
    struct frame_input *ahead = &session->ahead;
    struct slice frame;
    if (ahead->start < input->start || ahead->end == 0) {
        *ahead = *input;
    }
    ahead->end = input->end;
    while (frame_next(ahead, session->input, session->limit, &frame, NULL) > 0) {
        if (frame.len == 0 || frame.ptr[0] != '[') {
            continue;
        }
        int result = keep_task_ids(session, frame, ids, fault);
        char *from = session->input + (frame.ptr - session->input);
        if (from == session->input + input->start) {
            *input = *ahead;
        } else {
            memset(from, '\n', (size_t)(session->input + ahead->start - from));
        }
        return result;
    }
    return 0;
}

/* ---- the handshake ---------------------------------------------------------------------- */

static int
adopt(struct session *session, struct slice frame, struct fault *fault)
{
    struct arena_component *component = &session->arena->component;
    component->handshaken = true;
    if (handshake_parse(&session->handshake, frame, fault) < 0) {
        return -1;
    }
    const struct handshake *handshake = &session->handshake;
    int64_t most = (int64_t)(arena_region_size(ARENA_INPUT) / 2);
    int64_t limit = handshake_conf_int(handshake, LIMIT_KEY, LIMIT_DEFAULT);
    session->limit = (size_t)(limit < 1024 ? 1024 : limit > most ? most : limit);
    snprintf(component->name, sizeof component->name, "%s", handshake->component);
    component->task = handshake->task;
    component->known = true;
    return handshake_touch_pid_file(handshake, session->arena->guardian, fault) < 0 ? -1 : 1;
}

int
session_handshake(struct session *session, struct fault *fault)
{
    struct frame_input *input = &session->arena->input;
    struct slice frame;
    int result = frame_next(input, session->input, session->limit, &frame, fault);
    if (result > 0) {
        return adopt(session, frame, fault);
    }
    if (result == 0 && session->eof) {
        return fault_set(fault, FAULT_HANDSHAKE, input->end,
                         "stdin ended after %zu bytes, before Storm's handshake was complete",
                         input->end);
    }
    return result;
}

int
session_answer(struct session *session, struct fault *fault)
{
    return session->arena == NULL ? forked(fault) : wire_answer(session->arena, fault);
}
