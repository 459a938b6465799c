/* Bytes come in here, and leave as frames. The only place that reads the wire. */
#include "inlet.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "clock.h"

enum {
    READ_BYTES = 64 << 10, /* a read: what a pipe holds by default */
    KEEP_BYTES = 1 << 20,  /* memory kept when a message was larger than 4 times this */
    SPIN_NS = 20 * 1000,   /* how long to look for input before giving up */
    SPIN_CREDIT = 8,       /* looks in vain before it stops trying */
    SPIN_RETRY = 64        /* calls after which it tries again */
};

static const size_t LIMIT_DEFAULT = 256 << 20;

static bool
has_second_processor(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

void
inlet_init(struct inlet *inlet, struct arena *arena)
{
    *inlet = (struct inlet){.fd = arena->in,
                            .bytes = arena_region(arena, ARENA_INPUT),
                            .input = &arena->input,
                            .arena = arena,
                            .limit = LIMIT_DEFAULT,
                            .spins = has_second_processor(),
                            .spin_credit = SPIN_CREDIT};
}

size_t
inlet_waiting(const struct inlet *inlet)
{
    return inlet->input->end - inlet->input->start;
}

/* ---- bytes ------------------------------------------------------------------------------ */

/* In between, what is in the input is known to nobody: a process that is lost there cannot be replaced. */
static inline void
begin_taking(const struct inlet *inlet)
{
    atomic_store_explicit(&inlet->arena->taking, true, memory_order_relaxed);
    arena_order();
}

static inline void
end_taking(const struct inlet *inlet)
{
    arena_order();
    atomic_store_explicit(&inlet->arena->taking, false, memory_order_relaxed);
}

/* Move what is unread to the front where that costs no more than what was read since, and give
   memory back after a message that was unusually large. */
static void
make_room(struct inlet *inlet)
{
    struct frame_input *input = inlet->input;
    size_t shift = input->start;
    size_t rest = input->end - shift;
    if (shift == 0 || rest > shift) {
        return;
    }
    begin_taking(inlet);
    if (rest > 0) {
        memcpy(inlet->bytes, inlet->bytes + shift, rest);
    } else if (input->end > 4 * (size_t)KEEP_BYTES) {
        arena_release(inlet->arena, ARENA_INPUT, KEEP_BYTES);
    }
    input->start = inlet->arena->dealt = 0;
    input->line -= shift;
    input->scan -= shift;
    input->end = rest;
    end_taking(inlet);
    inlet->ahead = (struct frame_input){0};
    inlet->ahead_skipping = false;
}

/* read(2), and what it brought is noted. */
static ssize_t
take_in(struct inlet *inlet, size_t most)
{
    struct frame_input *input = inlet->input;
    begin_taking(inlet);
    ssize_t n = read(inlet->fd, inlet->bytes + input->end, most);
    input->end += n > 0 ? (size_t)n : 0;
    end_taking(inlet);
    return n;
}

static int
no_room(const struct inlet *inlet, struct fault *fault)
{
    return fault_set(fault, FAULT_LIMIT, 0, "%zu MiB of Storm's messages wait to be read",
                     inlet->input->end >> 20);
}

int
inlet_put(struct inlet *inlet, struct slice bytes, struct fault *fault)
{
    struct frame_input *input = inlet->input;
    if (bytes.len > arena_region_size(ARENA_INPUT) - input->end) {
        return no_room(inlet, fault);
    }
    memcpy(inlet->bytes + input->end, bytes.ptr, bytes.len);
    input->end += bytes.len;
    return 0;
}

int
inlet_fill(struct inlet *inlet, struct fault *fault)
{
    struct frame_input *input = inlet->input;
    size_t room = arena_region_size(ARENA_INPUT) - input->end;
    if (room == 0) {
        return no_room(inlet, fault);
    }
    ssize_t n = take_in(inlet, room < READ_BYTES ? room : READ_BYTES);
    if (n > 0) {
        return 1;
    }
    if (n == 0) {
        inlet->eof = true;
        return 1;
    }
    return errno == EAGAIN || errno == EINTR ? 0 : fault_errno(fault, "reading from Storm");
}

/* To be woken costs more than to look for a moment, where another processor runs Storm (one tuple
   in flight: 46 us without, 15 us with it). It stops by itself where it gains nothing. */
int
inlet_spin(struct inlet *inlet, struct fault *fault)
{
    if (inlet->spins && inlet->spin_credit <= -SPIN_RETRY) {
        inlet->spin_credit = 1;
    }
    if (!inlet->spins || inlet->spin_credit <= 0) {
        inlet->spin_credit--;
        return 0;
    }
    int64_t until = clock_ns() + SPIN_NS;
    do {
        int result = inlet_fill(inlet, fault);
        if (result != 0) {
            inlet->spin_credit = SPIN_CREDIT;
            return result;
        }
    } while (clock_ns() < until);
    inlet->spin_credit--;
    return 0;
}

/* ---- frames ----------------------------------------------------------------------------- */

/* The next frame from `at` on, behind what is left of one that was too long. */
static int
frame_from(const struct inlet *inlet, struct frame_input *at, bool *skipping, struct slice *frame,
           struct fault *fault)
{
    if (*skipping && frame_skip(at, inlet->bytes) == 0) {
        return 0;
    }
    int result = frame_next(at, inlet->bytes, inlet->limit, frame, fault);
    *skipping = result < 0;
    return result;
}

int
inlet_frame(struct inlet *inlet, struct slice *frame, struct fault *fault)
{
    int result = frame_from(inlet, inlet->input, &inlet->arena->skipping, frame, fault);
    if (result == 0) {
        make_room(inlet); /* here and not before a read: now nobody borrows from the bytes */
    }
    return result;
}

/* The line is searched once, however often it is asked: `ahead` remembers how far. */
int
inlet_array(struct inlet *inlet, struct slice *frame)
{
    struct frame_input *ahead = &inlet->ahead;
    int result;
    if (ahead->start < inlet->input->start || ahead->end == 0) {
        *ahead = *inlet->input;
        inlet->ahead_skipping = inlet->arena->skipping;
    }
    ahead->end = inlet->input->end;
    while ((result = frame_from(inlet, ahead, &inlet->ahead_skipping, frame, NULL)) != 0) {
        if (result > 0 && frame->len > 0 && frame->ptr[0] == '[') {
            return 1;
        }
    }
    return 0;
}

/* An emit has its task ids. */
static void
count_array(struct arena *arena)
{
    arena->task_ids_owed -= arena->task_ids_owed > 0;
}

void
inlet_pass_over_array(struct inlet *inlet)
{
    begin_taking(inlet);
    count_array(inlet->arena);
    arena_empty_hand(inlet->arena);
    end_taking(inlet);
}

/* A frame from the middle of the line is taken out by turning it into blank lines, which every reader
   of frames skips. */
void
inlet_remove(struct inlet *inlet, struct slice frame)
{
    char *from = inlet->bytes + (frame.ptr - inlet->bytes);
    begin_taking(inlet);
    count_array(inlet->arena);
    if (from == inlet->bytes + inlet->input->start) {
        *inlet->input = inlet->ahead;
    } else {
        memset(from, '\n', (size_t)(inlet->bytes + inlet->ahead.start - from));
    }
    end_taking(inlet);
}
