/* Numbers by chance from a seed, the same on every machine (Steele, Lea and Flood's SplitMix64). */
#ifndef STORMCELL_TESTS_CHANCE_H
#define STORMCELL_TESTS_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t
chance_bits(struct chance *chance)
{
    uint64_t bits = chance->state += UINT64_C(0x9e3779b97f4a7c15);
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* One of 0 .. bound - 1. */
static inline uint32_t
chance_below(struct chance *chance, uint32_t bound)
{
    return (uint32_t)(chance_bits(chance) % bound);
}

#endif
