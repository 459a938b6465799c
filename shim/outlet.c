/* When to write. How to write is the wire's affair (wire.c). */
#include "outlet.h"

#include "clock.h"
#include "wire.h"

enum {
    FLUSH_BYTES = 8 << 10,       /* written without waiting for more */
    CONGESTED_BYTES = 1 << 20,   /* emitting waits until there is less */
    FLUSH_NS = 1000 * 1000,      /* no message waits longer between two tuples */
    CLOCK_EVERY_NS = 250 * 1000, /* how often the clock is looked at, about */
    STRIDE_MAX = 64
};

void
outlet_init(struct outlet *outlet, struct arena *arena)
{
    *outlet = (struct outlet){.arena = arena,
                              .lane = wire_lane(arena, WRITER_INTERPRETER),
                              .flush_at = FLUSH_BYTES,
                              .stride = 1,
                              .until_clock = 1};
}

int
outlet_commit(struct outlet *outlet, size_t start, int result)
{
    if (result < 0) {
        outlet->lane.len = start;
        return -1;
    }
    wire_commit(outlet->arena, WRITER_INTERPRETER, &outlet->lane);
    return 0;
}

void
outlet_applied(struct outlet *outlet)
{
    arena_order();
    outlet->arena->lanes[WRITER_INTERPRETER].applied = outlet->lane.len;
}

size_t
outlet_pending(const struct outlet *outlet)
{
    return wire_pending(outlet->arena, WRITER_INTERPRETER);
}

int
outlet_flush(struct outlet *outlet, struct fault *fault)
{
    int result = wire_flush(outlet->arena, WRITER_INTERPRETER, &outlet->lane, fault);
    outlet->flush_at = FLUSH_BYTES;
    if (result > 0) {
        outlet->oldest = 0;
    } else if (result == 0) { /* full: no use in trying again after each tuple */
        outlet->flush_at += outlet_pending(outlet);
    }
    return result;
}

/* Look at the clock about every CLOCK_EVERY_NS, whatever a tuple takes. */
static void
set_stride(struct outlet *outlet, int64_t elapsed)
{
    int64_t stride = outlet->stride * (int64_t)CLOCK_EVERY_NS / (elapsed > 0 ? elapsed : 1);
    outlet->stride = stride < 1 ? 1 : stride > STRIDE_MAX ? STRIDE_MAX : (unsigned)stride;
    outlet->until_clock = outlet->stride;
}

int
outlet_breathe(struct outlet *outlet, struct fault *fault)
{
    size_t pending = outlet_pending(outlet);
    if (pending >= outlet->flush_at) {
        return outlet_flush(outlet, fault);
    }
    if (--outlet->until_clock > 0) {
        return 0;
    }
    int64_t now = clock_ns();
    set_stride(outlet, now - outlet->last_clock);
    outlet->last_clock = now;
    if (pending > 0 && outlet->oldest == 0) {
        outlet->oldest = now;
    }
    return pending > 0 && now - outlet->oldest >= FLUSH_NS ? outlet_flush(outlet, fault) : 0;
}

struct slice
outlet_said(const struct outlet *outlet)
{
    return (struct slice){outlet->lane.data,
                          atomic_load(&outlet->arena->lanes[WRITER_INTERPRETER].committed)};
}

void
outlet_clear(struct outlet *outlet)
{
    outlet->lane.len = 0;
    wire_commit(outlet->arena, WRITER_INTERPRETER, &outlet->lane);
    outlet_applied(outlet);
}

bool
outlet_congested(const struct outlet *outlet)
{
    return atomic_load(&outlet->arena->answered) && outlet_pending(outlet) > CONGESTED_BYTES;
}
