/* What the guardian says to Storm, and how it makes sure that it is heard before the end. */
#include "guardian_state.h"

#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "handshake.h"
#include "wire.h"

enum {
    RETRY_MS = 10,        /* after a write for which there was no room */
    LAST_WRITE_MS = 1000, /* how long the last messages may take */
    LAST_READ_MS = 5000   /* and how long Storm may take to read why its component ended */
};

int
guardian_send(struct guardian *guardian)
{
    wire_commit(guardian->arena, WRITER_GUARDIAN, &guardian->lane);
    return wire_flush(guardian->arena, WRITER_GUARDIAN, &guardian->lane, NULL);
}

/* Keep what was written since `start` if it is whole. */
static void
keep(struct guardian *guardian, size_t start, int result)
{
    if (result < 0) {
        guardian->lane.len = start;
    }
}

void
guardian_say_error(struct guardian *guardian, struct slice text)
{
    keep(guardian, guardian->lane.len, message_write_error(&guardian->lane, text, NULL));
}

void
guardian_say_log(struct guardian *guardian, enum message_level level, struct slice text)
{
    keep(guardian, guardian->lane.len, message_write_log(&guardian->lane, level, text, NULL));
}

void
guardian_say_sync(struct guardian *guardian)
{
    keep(guardian, guardian->lane.len, message_write_sync(&guardian->lane, NULL));
}

void
guardian_complain(const struct guardian *guardian, struct slice text)
{
    dprintf(guardian->arena->complaint, "stormcell-shim: %.*s\n", (int)text.len, text.ptr);
}

/* ---- the handshake ---------------------------------------------------------------------- */

/* Wait for Storm's first message. 1, or -1: it will not come, or is none. */
static int
await_handshake(struct arena *arena, int signals, struct slice *frame)
{
    struct frame_input *input = &arena->input;
    char *bytes = arena_region(arena, ARENA_INPUT);
    size_t limit = arena_region_size(ARENA_INPUT) / 2;
    int found;
    while ((found = frame_next(input, bytes, limit, frame, NULL)) == 0) {
        struct pollfd wait[] = {{.fd = arena->in, .events = POLLIN},
                                {.fd = signals, .events = POLLIN}};
        poll(wait, 2, -1);
        ssize_t n = read(arena->in, bytes + input->end, limit - input->end);
        if (n == 0 || wait[1].revents != 0) {
            return -1;
        }
        input->end += n > 0 ? (size_t)n : 0;
    }
    return found;
}

/* Read Storm's handshake where the interpreter died before it did; Storm waits for its answer
   without a time-out and reads no error before it. 0 or -1. */
static int
receive_handshake(struct arena *arena, int signals)
{
    struct handshake handshake;
    struct slice frame;
    if (atomic_load(&arena->taking) || await_handshake(arena, signals, &frame) < 0) {
        return -1;
    }
    arena_keep_handshake(arena, frame);
    int result = handshake_parse(&handshake, frame, NULL);
    if (result == 0) {
        handshake_introduce(&handshake, arena, NULL);
        result = handshake_touch_pid_file(&handshake, arena->guardian, NULL);
    }
    handshake_deinit(&handshake);
    return result;
}

int
guardian_answer(struct guardian *guardian)
{
    struct arena *arena = guardian->arena;
    if (!arena->answered && !arena->handshaken && receive_handshake(arena, guardian->signals) < 0) {
        return -1;
    }
    return wire_answer(arena, NULL);
}

/* ---- the end ---------------------------------------------------------------------------- */

int
guardian_send_last(struct guardian *guardian)
{
    int64_t deadline = clock_ms() + LAST_WRITE_MS;
    int result;
    while ((result = guardian_send(guardian)) == 0 && clock_ms() < deadline) {
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

bool
guardian_input_waits(const struct arena *arena)
{
    struct pollfd in = {.fd = arena->in, .events = POLLIN};
    return arena->input.end > arena->input.start || poll(&in, 1, 0) > 0;
}

/* A ShellSpout looks at what it has read only after it has written a command: were this end closed by
   then, its write would fail and the reason stay in its buffer, which it fills together with the pid.
   So behind an early pid a command must have come as well; a ShellBolt sends a heartbeat. */
void
guardian_await_reading(const struct guardian *guardian, bool early)
{
    const struct arena *arena = guardian->arena;
    int64_t deadline = clock_ms() + LAST_READ_MS;
    struct pollfd fds[] = {{.fd = guardian->signals, .events = POLLIN},
                           {.fd = arena->out}}; /* no events: tells of a closed pipe */
    while ((!is_read(arena) || (early && !guardian_input_waits(arena))) && clock_ms() < deadline &&
           poll(fds, 2, RETRY_MS) == 0) {
    }
}
