/* What numbers stand for, for those who ask after json_read(). */
#include "json.h"

/* The digits of a number as an integer, and the power of ten that it is to be multiplied with.
   False past 2^53, where an integer need not be a double. */
static bool
split_decimal(struct slice text, int64_t *digits, int *power)
{
    const int64_t exact = INT64_C(1) << 53;
    const char *at = text.ptr;
    const char *end = at + text.len;
    bool fraction = false;
    *digits = 0;
    *power = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        *digits = *digits * 10 + (*at - '0');
        *power -= fraction;
        if (*digits > exact) {
            return false;
        }
    }
    if (at < end) {
        int sign = at[1] == '-' ? -1 : 1;
        int exponent = 0;
        for (at += 1 + (at[1] == '-' || at[1] == '+'); at < end && exponent < 1000; at++) {
            exponent = exponent * 10 + (*at - '0');
        }
        *power += sign * exponent;
    }
    return true;
}

bool
json_exact_double(struct slice text, double *number)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}; /* all exact */
    bool negative = text.ptr[0] == '-';
    int64_t digits;
    int power;
    text.ptr += negative;
    text.len -= negative;
    if (!split_decimal(text, &digits, &power) || power < -22 || power > 22) {
        return false;
    }
    double value = (double)digits;
    value = power < 0 ? value / tens[-power] : value * tens[power];
    *number = negative ? -value : value;
    return true;
}
