/* How long things took: counts of durations in buckets that are never wider than 1/32 of what they hold, so
   that a percentile is known to 3 % in 8 KiB, however many there were. */
#ifndef STORMCELL_LOCAL_HISTOGRAM_H
#define STORMCELL_LOCAL_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 32 * HISTOGRAM_STEPS };

/* All zero: empty. */
struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* `count` durations of so many ns; a negative one counts as none, from 2^42 (73 minutes) on all are one. */
void histogram_add(struct histogram *histogram, int64_t ns, uint64_t count);

/* The duration, in ns, that this fraction (0 to 1) of them did not exceed; 0 if there is none. */
int64_t histogram_percentile(const struct histogram *histogram, double fraction);

#endif
