/* The last station on the way out, and the very first thing that happens in the process. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "message.h"

enum {
    FIRST_PRIVATE_FD = 900, /* where nothing else comes to lie, even if user code closes them all */
    FIRST_FD = 3,           /* where RLIMIT_NOFILE does not let it be */
    PIPE_BYTES = 256 << 10  /* a larger pipe saves switches between Storm and us */
};

/* ---- making it private ------------------------------------------------------------------ */

/* A private copy of a descriptor, out of the way of those that user code opens. */
static int
private_copy(int fd, const char *name, struct fault *fault)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_PRIVATE_FD);
    if (copy < 0 && errno == EINVAL) {
        copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    }
    return copy < 0 ? fault_errno(fault, name) : copy;
}

int
wire_move_away(int fd, struct fault *fault)
{
    int moved = private_copy(fd, "fcntl(F_DUPFD_CLOEXEC)", fault);
    close(fd);
    return moved;
}

static void
make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES); /* best effort: fails where it is no pipe */
}

/* Put a pipe on `fd`; returns its reading end, non-blocking. */
static int
capture(int fd, struct fault *fault)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return fault_errno(fault, "pipe2");
    }
    int reading = wire_move_away(ends[0], fault);
    if (reading >= 0) {
        fcntl(reading, F_SETFL, O_NONBLOCK);
        if (dup2(ends[1], fd) < 0) {
            fault_errno(fault, "dup2");
            close(reading);
            reading = -1;
        }
    }
    close(ends[1]);
    return reading;
}

static int
put_null_on_stdin(struct fault *fault)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) {
        return fault_errno(fault, "/dev/null on stdin");
    }
    close(null);
    return 0;
}

/* Storm's side is on 0 and 1. A closed one of them would be given to the next thing that is opened. */
static int
check_open(int fd, const char *name, struct fault *fault)
{
    return fcntl(fd, F_GETFD) >= 0
               ? 0
               : fault_set(fault, FAULT_SYSTEM, 0,
                           "%s is not open: Storm talks over stdin and stdout", name);
}

int
wire_check(struct fault *fault)
{
    if (check_open(0, "stdin", fault) < 0 || check_open(1, "stdout", fault) < 0) {
        return -1;
    }
    if (fcntl(2, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != 2) {
        return fault_errno(fault, "/dev/null on stderr");
    }
    return 0;
}

int
wire_make_private(struct arena *arena, int captured[2], struct fault *fault)
{
    if ((arena->in = private_copy(0, "stdin is not open", fault)) < 0 ||
        (arena->out = private_copy(1, "stdout is not open", fault)) < 0) {
        return -1;
    }
    arena->complaint = private_copy(2, "stderr", NULL); /* may be missing */
    make_nonblocking(arena->in);
    make_nonblocking(arena->out);
    if (put_null_on_stdin(fault) < 0 || (captured[0] = capture(1, fault)) < 0 ||
        (captured[1] = capture(2, fault)) < 0) {
        return -1;
    }
    return 0;
}

/* ---- writing ---------------------------------------------------------------------------- */

static enum arena_region
lane_region(enum arena_writer writer)
{
    return writer == WRITER_INTERPRETER ? ARENA_OUTPUT : ARENA_REMARKS;
}

struct buffer
wire_lane(struct arena *arena, enum arena_writer writer)
{
    enum arena_region region = lane_region(writer);
    return (struct buffer){.data = arena_region(arena, region),
                           .len = atomic_load(&arena->lanes[writer].committed),
                           .cap = arena_region_size(region),
                           .fixed = true};
}

void
wire_commit(struct arena *arena, enum arena_writer writer, const struct buffer *lane)
{
    atomic_store_explicit(&arena->lanes[writer].committed, lane->len, memory_order_release);
}

size_t
wire_pending(const struct arena *arena, enum arena_writer writer)
{
    const struct arena_lane *lane = &arena->lanes[writer];
    size_t committed = atomic_load(&lane->committed);
    size_t written = atomic_load(&lane->written);
    return committed > written ? committed - written : 0; /* less while the lane is rewound */
}

static int
gone(struct fault *fault)
{
    return fault_set(fault, FAULT_GONE, 0, "Storm has closed the wire");
}

static int
cut(struct fault *fault)
{
    return fault_set(fault, FAULT_GONE, 0,
                     "the other process died while it wrote to Storm: a message may be cut");
}

/* What a failed write(2) means: nearly always that Storm has gone. Returns -1. */
static int
cannot_write(struct arena *arena, struct fault *fault)
{
    if (errno != EPIPE) {
        return fault_errno(fault, "writing to Storm");
    }
    atomic_store(&arena->gone, true);
    return gone(fault);
}

/* One write(2). 1: all of it, 0: the pipe is full, -1. */
static int
write_some(struct arena *arena, enum arena_writer writer, struct fault *fault)
{
    struct arena_lane *lane = &arena->lanes[writer];
    const char *bytes = arena_region(arena, lane_region(writer));
    size_t from = atomic_load(&lane->written);
    size_t to = atomic_load_explicit(&lane->committed, memory_order_acquire);
    if (from == to) {
        return 1;
    }
    atomic_store(&arena->writing, true);
    ssize_t n = write(arena->out, bytes + from, to - from);
    if (n > 0) {
        atomic_store(&lane->written, from + (size_t)n);
        atomic_fetch_add_explicit(&lane->sent, (uint64_t)n, memory_order_relaxed);
    }
    atomic_store(&arena->writing, false);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : cannot_write(arena, fault);
    }
    arena->torn = from + (size_t)n < to ? (int)writer : -1;
    return arena->torn < 0;
}

/* The torn lane first, then each of the others. */
static int
write_lanes(struct arena *arena, struct fault *fault)
{
    int result = 1;
    if (arena->torn >= 0) {
        result = write_some(arena, (enum arena_writer)arena->torn, fault);
    }
    for (int i = 0; result > 0 && i < ARENA_WRITERS; i++) {
        result = write_some(arena, (enum arena_writer)i, fault);
    }
    return result;
}

/* True once the lock is held. A lock whose owner died is taken over; whether the wire may be torn
   then, `writing` tells. */
static bool
lock(struct arena *arena)
{
    int error = pthread_mutex_trylock(&arena->lock);
    if (error == EOWNERDEAD) {
        pthread_mutex_consistent(&arena->lock);
        error = 0;
    }
    return error == 0;
}

/* Start over at the front of the lane, with the little that is not out yet if that costs no more than
   what went out, so that the lane of a Storm that is always a bit behind does not grow; and give back
   what was large. `writing` covers it: in the middle, the lane's two positions do not belong together. */
static void
rewind_lane(struct arena *arena, enum arena_writer writer, struct buffer *lane)
{
    struct arena_lane *shared = &arena->lanes[writer];
    const size_t keep = 1 << 20;
    size_t written = atomic_load(&shared->written);
    size_t rest = lane->len - written;
    bool open = lane->len != atomic_load(&shared->committed); /* a message: it stays in its place */
    if (written == 0 || open || rest > written || rest > keep) {
        return;
    }
    atomic_store(&arena->writing, true);
    memcpy(lane->data, lane->data + written, rest);
    if (lane->len > 4 * keep) {
        arena_release(arena, lane_region(writer), keep);
    }
    atomic_store(&shared->committed, rest);
    atomic_store(&shared->written, 0);
    shared->applied = rest;
    atomic_store(&arena->writing, false);
    lane->len = rest;
}

int
wire_flush(struct arena *arena, enum arena_writer writer, struct buffer *lane, struct fault *fault)
{
    if (!atomic_load(&arena->answered)) {
        return 1;
    }
    if (atomic_load(&arena->gone)) {
        return gone(fault);
    }
    if (!lock(arena)) {
        return 0;
    }
    int result = -1;
    if (atomic_load(&arena->writing)) {
        cut(fault);
    } else {
        result = write_lanes(arena, fault);
        rewind_lane(arena, writer, lane);
    }
    pthread_mutex_unlock(&arena->lock);
    return result;
}

void
wire_wait_writable(const struct arena *arena, int timeout_ms)
{
    struct pollfd wait = {.fd = arena->out, .events = POLLOUT};
    poll(&wait, 1, timeout_ms);
}

/* Write all of it, however long that takes. 0 or -1. */
static int
write_whole(struct arena *arena, struct slice text, struct fault *fault)
{
    while (text.len > 0) {
        ssize_t n = write(arena->out, text.ptr, text.len);
        if (n >= 0) {
            text = (struct slice){text.ptr + n, text.len - (size_t)n};
        } else if (errno == EAGAIN) {
            wire_wait_writable(arena, -1);
        } else if (errno != EINTR) {
            return cannot_write(arena, fault);
        }
    }
    return 0;
}

static int
answer(struct arena *arena, struct fault *fault)
{
    struct buffer text = {0};
    if (message_write_pid(&text, arena->guardian, fault) < 0) {
        return -1;
    }
    atomic_store(&arena->writing, true);
    int result = write_whole(arena, (struct slice){text.data, text.len}, fault);
    atomic_store(&arena->writing, false);
    atomic_fetch_add_explicit(&arena->lanes[WRITER_GUARDIAN].sent, text.len, memory_order_relaxed);
    atomic_store(&arena->answered, true);
    buffer_deinit(&text);
    return result;
}

/* The pid is written at once and not through a lane: it must be the first message, and there once. */
int
wire_answer(struct arena *arena, struct fault *fault)
{
    if (atomic_load(&arena->answered)) {
        return 0;
    }
    if (pthread_mutex_lock(&arena->lock) == EOWNERDEAD) {
        pthread_mutex_consistent(&arena->lock);
    }
    int result = atomic_load(&arena->answered)  ? 0
                 : atomic_load(&arena->writing) ? cut(fault)
                                                : answer(arena, fault);
    pthread_mutex_unlock(&arena->lock);
    return result;
}
