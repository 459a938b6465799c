/* Random numbers that a seed repeats: splitmix64 (Steele, Lea, Flood, 2014). Good enough for edges of trees
   and for groupings, and 2 ns a number. */
#ifndef STORMCELL_LOCAL_RANDOM_H
#define STORMCELL_LOCAL_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t
random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Less than `bound`. */
static inline uint64_t
random_below(struct random *random, uint64_t bound)
{
    return random_next(random) % bound;
}

#endif
