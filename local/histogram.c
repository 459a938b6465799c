#include "histogram.h"

/* Up to 63 units each has a bucket; from there on each power of two has 32. A unit is 64 ns. */
enum { UNIT_BITS = 6, STEP_BITS = 5 };

static unsigned
bucket_of(uint64_t units)
{
    if (units < 2 * HISTOGRAM_STEPS) {
        return (unsigned)units;
    }
    unsigned power = 63 - (unsigned)__builtin_clzll(units);
    unsigned step = (unsigned)(units >> (power - STEP_BITS)) & (HISTOGRAM_STEPS - 1);
    unsigned bucket = (power - STEP_BITS + 1) * HISTOGRAM_STEPS + step;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of what a bucket holds, in units. */
static double
middle_of(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS) {
        return bucket + 0.5;
    }
    unsigned power = bucket / HISTOGRAM_STEPS + STEP_BITS - 1;
    uint64_t width = UINT64_C(1) << (power - STEP_BITS);
    uint64_t start = (HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) * width;
    return (double)start + (double)width / 2;
}

void
histogram_add(struct histogram *histogram, int64_t ns, uint64_t count)
{
    uint64_t units = ns > 0 ? (uint64_t)ns >> UNIT_BITS : 0;
    histogram->buckets[bucket_of(units)] += count;
    histogram->count += count;
}

int64_t
histogram_percentile(const struct histogram *histogram, double fraction)
{
    double wanted = fraction * (double)histogram->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (histogram->buckets[i] > 0 && (double)seen >= wanted) {
            return (int64_t)(middle_of(i) * (1 << UNIT_BITS));
        }
    }
    return 0;
}
