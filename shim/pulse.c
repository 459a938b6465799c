#include "pulse.h"

enum {
    SILENCE_MAX_MS =
        100, /* what a look counts at most: who looks late may have been the slow one */
    KEEPALIVE_MAX_MS = 5000, /* Storm hears something at least so often */
};

static uint64_t
bytes_sent(const struct arena *arena)
{
    return atomic_load_explicit(&arena->lanes[WRITER_INTERPRETER].sent, memory_order_relaxed) +
           atomic_load_explicit(&arena->lanes[WRITER_GUARDIAN].sent, memory_order_relaxed);
}

void
pulse_look(struct pulse *pulse, const struct arena *arena, int64_t now_ms)
{
    int64_t passed = pulse->looked != 0 ? now_ms - pulse->looked : 0;
    int64_t silence = passed < SILENCE_MAX_MS ? passed : SILENCE_MAX_MS;
    uint64_t calls = atomic_load_explicit(&arena->calls, memory_order_relaxed);
    size_t committed = atomic_load(&arena->lanes[WRITER_INTERPRETER].committed);
    uint64_t sent = bytes_sent(arena);
    bool alive =
        calls != pulse->calls || committed != pulse->committed || atomic_load(&arena->idle);
    pulse->age_ms += passed;
    pulse->silent_ms = alive ? 0 : pulse->silent_ms + silence;
    pulse->unsaid_ms = sent != pulse->sent ? 0 : pulse->unsaid_ms + passed;
    pulse->looked = now_ms;
    pulse->calls = calls;
    pulse->committed = committed;
    pulse->sent = sent;
}

void
pulse_reset(struct pulse *pulse)
{
    pulse->looked = pulse->age_ms = pulse->silent_ms = pulse->unsaid_ms = 0;
}

bool
pulse_keepalive_due(struct pulse *pulse, const struct arena *arena)
{
    int64_t quarter = arena->component.timeout_ms / 4;
    bool due = pulse->unsaid_ms >= (quarter < KEEPALIVE_MAX_MS ? quarter : KEEPALIVE_MAX_MS);
    if (due) {
        pulse->unsaid_ms = 0;
    }
    return due;
}
