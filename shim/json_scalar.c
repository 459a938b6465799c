/* What numbers and escaped strings stand for, for those who ask after json_read(). */
#include "json.h"

/* ---- numbers ---------------------------------------------------------------------------- */

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

/* ---- escapes ---------------------------------------------------------------------------- */

static unsigned
hex4(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        value = value * 16 + digit;
    }
    return value;
}

/* Write a code point (a lone surrogate as its three bytes). Returns where the next one goes. */
static char *
put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | (c >> 12));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | (c >> 18));
        *out++ = (char)(0x80 | ((c >> 12) & 0x3f));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* The code point of the \uXXXX at *at (behind the u), with the low half of a pair if it follows. */
static unsigned
unescape_unicode(const char **at, const char *end)
{
    unsigned c = hex4(*at);
    *at += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        unsigned low = hex4(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c;
}

static char
unescape_char(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* " \ and / */
    }
}

int
json_unescape(struct slice text, struct buffer *out, struct fault *fault)
{
    char *to = buffer_room(out, text.len, fault); /* unescaping never makes text longer */
    if (to == NULL) {
        return -1;
    }
    const char *at = text.ptr;
    const char *end = at + text.len;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t run = (size_t)((slash != NULL ? slash : end) - at);
        memcpy(to, at, run);
        to += run;
        at += run;
        if (at < end) {
            char c = at[1];
            at += 2;
            if (c == 'u') {
                to = put_utf8(to, unescape_unicode(&at, end));
            } else {
                *to++ = unescape_char(c);
            }
        }
    }
    out->len = (size_t)(to - out->data);
    return 0;
}
