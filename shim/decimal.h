/* Doubles as decimals and decimals as doubles, both exactly rounded. */
#ifndef STORMCELL_DECIMAL_H
#define STORMCELL_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

struct decimal {
    uint64_t digits; /* to be multiplied with */
    int64_t power;   /* this power of ten */
};

/* Of the shortest decimals that are read as `number` (finite and over 0) the nearest. Its digits may
   end in zeros. */
struct decimal decimal_of(double number);

/* The double nearest to the decimal. False, if rarely, where 128 bits do not tell it: near the middle
   between two doubles, and for what is no normal double. Then a full parser has to be asked. */
bool decimal_to_double(struct decimal decimal, double *number);

#endif
