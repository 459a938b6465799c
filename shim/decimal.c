/* Multiplying with a power of ten of 128 bits settles nearly every question between binary and
   decimal, where general methods calculate with integers of any length. Writing is Raffaello
   Giulietti's "The Schubfach way to render doubles" (2020), reading after Daniel Lemire's "Number
   parsing at a gigabyte per second" (2021). A double of 17 digits takes 260 instructions to write,
   text and all (Python's own way: 7000), and 290 to read (1430). */
#include "decimal.h"

#include <string.h>

struct power {
    uint64_t high;
    uint64_t low;
};

#include "powers.h"

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_BITS = 52, EXPONENT_BIAS = 1023, LEAST_EXPONENT = -1074 };

static const uint64_t implicit_bit = UINT64_C(1) << FRACTION_BITS;

/* ---- logarithms, rounded down; right for all that a double can ask ----------------------- */

/* Of 2^exponent, or of 3/4 of that, to the base of ten. */
static inline int
log10_of_power_of_2(int exponent, bool three_quarters)
{
    return (exponent * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

/* Of 10^exponent, to the base of two. */
static inline int
log2_of_power_of_10(int exponent)
{
    return (exponent * 1741647) >> 19;
}

/* ---- shortest decimal ------------------------------------------------------------------- */

/* The top 64 of the 192 bits of a product, the last one set as well where the middle 64 are not 0, so
   that comparing this is comparing the whole. Rounding the power up reaches no middle bit of an
   exact product, and products that are not exact are 2.7 or more away from one (in middle bits;
   found by continued fractions over all exponents). */
static inline uint64_t
multiply_to_odd(struct power power, uint64_t number)
{
    wide low = (wide)power.low * number;
    wide high = (wide)power.high * number + (low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high != 0);
}

/* The numbers that are read as one double, in quarters of a unit in the decimal's last place. */
struct interval {
    uint64_t least;
    uint64_t value;
    uint64_t most;
};

/* `mantissa` * 2^`exponent` and the middles between it and its neighbours, divided by 10^`power`.
   Ties are read as the even mantissa. */
static inline struct interval
interval_of(uint64_t mantissa, int exponent, int power, bool close_below)
{
    struct power factor = powers[-power - LOWEST_POWER];
    int shift = exponent + log2_of_power_of_10(-power) + 1;
    uint64_t odd = mantissa & 1;
    uint64_t value = 4 * mantissa;
    return (struct interval){
        multiply_to_odd(factor, (value - 2 + close_below) << shift) + odd,
        multiply_to_odd(factor, value << shift),
        multiply_to_odd(factor, (value + 2) << shift) - odd,
    };
}

/* 10^power is the largest that is no wider than the interval: at most one multiple of ten times that
   lies within, which is shorter then than all else; if none does, one or two multiples of 10^power
   do, and the nearer is wanted. */
struct decimal
decimal_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    int exponent = (int)(bits >> FRACTION_BITS);
    uint64_t mantissa = bits & (implicit_bit - 1);
    bool close_below = mantissa == 0 && exponent > 1; /* the doubles below lie twice as densely */
    mantissa |= exponent > 0 ? implicit_bit : 0;
    exponent += LEAST_EXPONENT - (exponent > 0);
    int power = log10_of_power_of_2(exponent, close_below);
    struct interval in = interval_of(mantissa, exponent, power, close_below);

    uint64_t units = in.value / 4;
    uint64_t tens = units / 10 * 10;
    bool tens_fit = in.least <= 4 * tens;
    bool next_tens_fit = 4 * tens + 40 <= in.most;
    if (tens_fit != next_tens_fit && units >= 10) {
        return (struct decimal){tens + (next_tens_fit ? 10 : 0), power};
    }
    bool fits = in.least <= 4 * units;
    bool next_fits = 4 * units + 4 <= in.most;
    uint64_t middle = 4 * units + 2;
    bool nearer = in.value > middle || (in.value == middle && (units & 1) != 0);
    return (struct decimal){units + (fits != next_fits ? next_fits : nearer), power};
}

/* ---- nearest double --------------------------------------------------------------------- */

/* One multiplication or division of two exact doubles is rounded correctly, ties too. What people
   write is mostly such: 230 instructions in place of 270. */
static inline bool
exact_operands(struct decimal decimal, double *number)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}; /* all exact */
    if (decimal.digits > 2 * implicit_bit || decimal.power < -22 || decimal.power > 22) {
        return false;
    }
    double value = (double)decimal.digits;
    *number = decimal.power < 0 ? value / tens[-decimal.power] : value * tens[decimal.power];
    return true;
}

bool
decimal_to_double(struct decimal decimal, double *number)
{
    if (exact_operands(decimal, number)) {
        return true;
    }
    if (decimal.power < LOWEST_POWER || decimal.power > HIGHEST_POWER || decimal.digits == 0) {
        return false;
    }
    struct power factor = powers[decimal.power - LOWEST_POWER];
    int zeros = __builtin_clzll(decimal.digits);
    uint64_t digits = decimal.digits << zeros;
    wide low = (wide)factor.low * digits;
    wide product = (wide)factor.high * digits + (low >> 64);
    /* The true product lies less than 1 away, and the last of its first 54 bits is that of one half:
       only where it is set and nothing follows can the truth be on either side. */
    bool top = product >> 127 != 0;
    int spare = 64 + 9 + top;
    uint64_t mantissa = (uint64_t)(product >> spare);
    int exponent = 63 + top - zeros + log2_of_power_of_10((int)decimal.power) + EXPONENT_BIAS;
    if (((mantissa & 1) != 0 && product << (128 - spare) == 0) || exponent < 1 || exponent > 2046) {
        return false;
    }
    /* rounding up to 2^53 moves on into the exponent, and from the last exponent to infinity */
    uint64_t bits = ((uint64_t)exponent << FRACTION_BITS) + ((mantissa + 1) / 2 - implicit_bit);
    memcpy(number, &bits, sizeof bits);
    return true;
}
