/* Signs of life of the interpreter, taken from the arena at each look; neither side takes a clock for
   them on the hot path. A silence is counted look by look and not from its start: a guardian that was
   stopped itself, or starved, or a machine that slept, does not take that for one. */
#ifndef STORMCELL_PULSE_H
#define STORMCELL_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct pulse {
    int64_t looked;    /* the time of the last look, ms; 0: none yet */
    int64_t age_ms;    /* since the reset */
    int64_t silent_ms; /* at work, without coming to another message, saying anything or waiting */
    int64_t unsaid_ms; /* without that anything went to Storm */
    uint64_t calls;    /* as they were at the last look */
    uint64_t sent;
    size_t committed;
};

/* Look at the interpreter. */
void pulse_look(struct pulse *pulse, const struct arena *arena, int64_t now_ms);

/* From now on it is another one, or it has rested. */
void pulse_reset(struct pulse *pulse);

/* Must Storm hear something, lest it take the component for dead? To be asked after a look; it must
   be said then. */
bool pulse_keepalive_due(struct pulse *pulse, const struct arena *arena);

#endif
