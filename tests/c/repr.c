#include "repr.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "require.h"

bool
repr_same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

double
repr_read(struct slice text)
{
    char *copy = malloc(text.len + 1);
    char *end;
    REQUIRE(copy != NULL);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    double number = strtod(copy, &end);
    REQUIRE(end == copy + text.len);
    free(copy);
    return number;
}

bool
repr_decided(const struct json_value *value)
{
    double number;
    if (!json_double(value, &number)) {
        return false;
    }
    REQUIRE(repr_same(number, repr_read(value->text)));
    return true;
}

/* ---- the shortest text ------------------------------------------------------------------ */

struct digits {
    char text[24]; /* no point, no zeros at the end */
    int exponent;  /* of the first one */
};

static bool
stands_for(const struct digits *digits, double number)
{
    char text[40];
    snprintf(text, sizeof text, "%c.%se%d", digits->text[0], digits->text + 1, digits->exponent);
    return strtod(text, NULL) == number;
}

/* The nearest decimal of `count` digits. */
static struct digits
nearest(double number, int count)
{
    char text[40];
    struct digits digits;
    snprintf(text, sizeof text, "%.*e", count - 1, number);
    digits.text[0] = text[0];
    memcpy(digits.text + 1, text + 2, (size_t)count - 1);
    digits.text[count] = 0;
    digits.exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    return digits;
}

/* The next decimal of as many digits. */
static struct digits
next(struct digits digits)
{
    uint64_t number = strtoull(digits.text, NULL, 10) + 1;
    size_t count = strlen(digits.text);
    snprintf(digits.text, sizeof digits.text, "%" PRIu64, number);
    digits.exponent += strlen(digits.text) > count;
    return digits;
}

/* Above a power of two the doubles lie half as densely as below: a decimal that is not the nearest
   may be read as it where the nearest is not. */
static struct digits
shortest(double number)
{
    struct digits digits = {"0", 0};
    for (int count = 1; number != 0 && count <= 17; count++) {
        digits = nearest(number, count);
        if (stands_for(&digits, number)) {
            break;
        }
        digits = next(digits);
        if (stands_for(&digits, number)) {
            break;
        }
    }
    for (size_t count = strlen(digits.text); count > 1 && digits.text[count - 1] == '0';) {
        digits.text[--count] = 0;
    }
    return digits;
}

char *
repr(double number, char text[REPR_ROOM])
{
    const char *sign = signbit(number) ? "-" : "";
    struct digits digits = shortest(fabs(number));
    int count = (int)strlen(digits.text);
    int before = digits.exponent + 1;
    if (before <= -4 || before > 16) {
        snprintf(text, REPR_ROOM, "%s%c%s%se%+03d", sign, digits.text[0], count > 1 ? "." : "",
                 digits.text + 1, digits.exponent);
    } else if (before <= 0) {
        snprintf(text, REPR_ROOM, "%s0.%.*s%s", sign, -before, "000", digits.text);
    } else if (count > before) {
        snprintf(text, REPR_ROOM, "%s%.*s.%s", sign, before, digits.text, digits.text + before);
    } else {
        snprintf(text, REPR_ROOM, "%s%s%.*s.0", sign, digits.text, before - count,
                 "0000000000000000");
    }
    return text;
}
