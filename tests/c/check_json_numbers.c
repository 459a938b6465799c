/* Doubles: the ones that are known to be hard, and many by chance, against the C library. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "fixture.h"
#include "repr.h"
#include "suites.h"

enum { SEEDS = 10, NUMBERS = 3000 };

static double
double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static struct json_value
read_float(struct slice text)
{
    struct json_reader reader = reader_of(text);
    struct json_value value;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(json_finish(&reader), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_FLOAT);
    return value;
}

/* Written as repr() does, which is read as the same double. True if that took no full parser. */
static bool
check_double(double number)
{
    char expected[REPR_ROOM];
    out.len = 0;
    int result = json_write_double(&out, number, NULL);
    if (result < 0 ||
        !slice_equal((struct slice){out.data, out.len}, text_of(repr(number, expected)))) {
        ck_abort_msg("%a is written %.*s, not %s", number, (int)out.len, out.data, expected);
    }
    struct json_reader reader = json_reader((struct slice){out.data, out.len}, NULL);
    struct json_value value;
    ck_assert(json_read(&reader, &value) == 0 && value.type == JSON_TYPE_FLOAT);
    return repr_decided(&value);
}

/* ---- known ones ------------------------------------------------------------------------- */

static const struct {
    double number;
    const char *text;
} written[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-1.0, "-1.0"},
    {3.0, "3.0"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {3.14, "3.14"},
    {100.0, "100.0"},
    {0.0001, "0.0001"},
    {0.00012345678901234567, "0.00012345678901234567"},
    {0.00001, "1e-05"},
    {-1.5e-7, "-1.5e-07"},
    {123456789012345.0, "123456789012345.0"},
    {999999999999999.0, "999999999999999.0"},
    {1e15, "1000000000000000.0"},
    {9007199254740991.0, "9007199254740991.0"}, /* 2^53 - 1 */
    {9007199254740992.0, "9007199254740992.0"},
    {9007199254740993.0, "9007199254740992.0"}, /* a tie, read as the even one */
    {9007199254740994.0, "9007199254740994.0"},
    {9999999999999998.0, "9999999999999998.0"},
    {1e16, "1e+16"},
    {1.0000000000000002e16, "1.0000000000000002e+16"},
    {1e22, "1e+22"},
    {1e23, "1e+23"}, /* halfway between two doubles */
    {9.5367431640625e-07, "9.5367431640625e-07"},
    {5.684341886080802e-14, "5.684341886080802e-14"}, /* 2^-44: its 17 digits end in 15 */
    {9.5e-322, "9.5e-322"},
    {5e-324, "5e-324"},
    {1e-323, "1e-323"},
    {1.5e-323, "1.5e-323"},
    {2.225073858507201e-308, "2.225073858507201e-308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
    {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
    {1.5e300, "1.5e+300"},
};

enum { WRITTEN = sizeof written / sizeof written[0] };

START_TEST(written_as_known)
{
    ck_assert_int_eq(json_write_double(&out, written[_i].number, &fault), 0);
    check_out(text_of(written[_i].text));
    check_double(written[_i].number);
}
END_TEST

static const struct {
    const char *text;
    bool decided; /* without a full parser */
} texts[] = {
    {"0.0", true},
    {"-0.0", true},
    {"0e0", true},
    {"0.000e5", true},
    {"-0e-9", true},
    {"0e999", false},
    {"0.25", true},
    {"1E5", true},
    {"1e0000000000000000000000000000000002", true},
    {"9007199254740992.0", true},
    {"9007199254740993.0", false}, /* halfway: between 2^53 and 2^53 + 2 */
    {"9007199254740993e0", false},
    {"9007199254740993.00000000000000001", false},
    {"9007199254740993.001", true},
    {"9007199254740994.5", true},
    {"9223372036854775807.0", true},
    {"18446744073709551615.0", true}, /* 20 digits fit no less for being cut */
    {"1e22", true},
    {"1e23", false}, /* halfway */
    {"9.999999999999999e22", true},
    {"8.5e-5", true},
    {"3.141592653589793", true},
    {"3.14159265358979323846264338327950288", true},
    {"0.000012345678901234567", true},
    {"1.00000000000000000000000000000000", true},
    {"1.00000000000000011102230246251565", false}, /* just short of 1 + 2^-53 */
    {"1.7976931348623157e308", true},
    {"1.7976931348623158e308", true},
    {"1.7976931348623159e308", true}, /* inf */
    {"1.8e308", false},
    {"1e309", false},
    {"1e400", false},
    {"1e99999999999999999999", false},
    {"1e-99999999999999999999", false},
    {"2.2250738585072014e-308", true},
    {"2.2250738585072011e-308", false}, /* below the normal ones from here */
    {"2.2250738585072012e-308", false},
    {"4.9406564584124654e-324", false},
    {"5e-324", false},
    {"2e-324", false},
    {"1e-400", false},
};

enum { TEXTS = sizeof texts / sizeof texts[0] };

START_TEST(read_as_known)
{
    struct json_value value = read_float(text_of(texts[_i].text));
    check_slice(value.text, text_of(texts[_i].text));
    ck_assert_int_eq(repr_decided(&value), texts[_i].decided);
}
END_TEST

/* Where a thousand zeros stand, the exponent alone tells nothing. */
START_TEST(read_long_texts)
{
    static const struct {
        const char *before;
        const char *behind;
        bool decided;
    } parts[] = {
        {"0.", "1e1001", true},
        {"1", "e-1000", true},
        {"-1", "1.0e-1001", true},
        {"1", ".5e-1310", false},
        {"0.", "1e1300", true},
        {"0.", "1e100000", false},
        {"1", "1e-9999999999", false},
        {"1", ".0e-999", true},
        {"1.", "1", true},
        {"0.", "12345678901234567890123e1000", true},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char zeros[1000];
        memset(zeros, '0', sizeof zeros);
        out.len = 0;
        ck_assert_int_eq(buffer_append(&out, text_of(parts[i].before), NULL), 0);
        ck_assert_int_eq(buffer_append(&out, (struct slice){zeros, sizeof zeros}, NULL), 0);
        ck_assert_int_eq(buffer_append(&out, text_of(parts[i].behind), NULL), 0);
        struct json_value value = read_float((struct slice){out.data, out.len});
        ck_assert_msg(repr_decided(&value) == parts[i].decided, "%s...%s", parts[i].before,
                      parts[i].behind);
    }
}
END_TEST

/* No byte is written past the room that is asked for, and the last one's lack is a fault. */
START_TEST(write_double_into_exactly_enough)
{
    struct buffer fixed = {.data = guarded_tail(&memory, JSON_DOUBLE_ROOM), .fixed = true};
    for (size_t i = 0; i < WRITTEN; i++) {
        fixed.len = 0;
        fixed.cap = JSON_DOUBLE_ROOM;
        ck_assert_int_eq(json_write_double(&fixed, written[i].number, &fault), 0);
        check_slice((struct slice){fixed.data, fixed.len}, text_of(written[i].text));
        ck_assert_uint_le(fixed.len, 24);
    }
    fixed.len = 1;
    ck_assert_int_eq(json_write_double(&fixed, 1.5, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_uint_eq(fixed.len, 1);
}
END_TEST

/* ---- by the kind ------------------------------------------------------------------------ */

/* Every power of two with the doubles beside it: all exponents, and the uneven gaps. */
START_TEST(powers_of_two)
{
    for (int exponent = -1074 + _i; exponent < 1024; exponent += 8) {
        double power = ldexp(1, exponent);
        check_double(power);
        check_double(nextafter(power, 0));
        check_double(nextafter(power, DBL_MAX));
    }
}
END_TEST

START_TEST(powers_of_ten)
{
    for (int exponent = -323 + _i; exponent <= 308; exponent += 8) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", exponent);
        double power = strtod(text, NULL);
        check_double(power);
        check_double(nextafter(power, 0));
        check_double(nextafter(power, DBL_MAX));
        check_double(3 * power < DBL_MAX ? 3 * power : power);
    }
}
END_TEST

/* Bits, and what components emit: money, ratios, sensors' values and seconds. */
static double
random_double(struct chance *chance, unsigned kind)
{
    double number;
    switch (kind) {
    case 0:
        do {
            number = double_of(chance_bits(chance));
        } while (!isfinite(number));
        return number;
    case 1:
        return (double)(chance_bits(chance) >> 11) * 0x1p-53;
    case 2:
        return (double)chance_below(chance, 10000000) / 100;
    case 3:
        return (double)(chance_bits(chance) >> (1 + chance_below(chance, 62)));
    case 4:
        return (double)(int64_t)chance_bits(chance) * 1e-6;
    default:
        return double_of(chance_bits(chance) >> (12 + chance_below(chance, 50))); /* subnormal */
    }
}

enum { KINDS = 6 };

START_TEST(doubles_by_chance)
{
    struct chance chance = {(uint64_t)_i};
    unsigned undecided = 0;
    for (unsigned i = 0; i < NUMBERS; i++) {
        double number = random_double(&chance, i % KINDS);
        undecided += !check_double(number) && fabs(number) >= DBL_MIN;
    }
    ck_assert_uint_lt(undecided, NUMBERS / 100);
}
END_TEST

/* Decimals of any length, most of them with no double of their own. */
START_TEST(texts_by_chance)
{
    struct chance chance = {(uint64_t)_i + 100};
    unsigned undecided = 0;
    for (unsigned i = 0; i < NUMBERS; i++) {
        char text[80];
        int len = snprintf(text, sizeof text, "%s%u.", i % 2 ? "-" : "", chance_below(&chance, 10));
        for (uint32_t left = 1 + chance_below(&chance, 40); left > 0; left--) {
            text[len++] = (char)('0' + chance_below(&chance, 10));
        }
        snprintf(text + len, sizeof text - (size_t)len, "e%d",
                 (int)chance_below(&chance, 600) - 300);
        struct json_value value = read_float(text_of(text));
        undecided += !repr_decided(&value);
    }
    ck_assert_uint_lt(undecided, NUMBERS / 100);
}
END_TEST

/* Halfway between two doubles, exactly and cut off after some digits. */
START_TEST(middles_by_chance)
{
    struct chance chance = {(uint64_t)_i + 200};
    for (unsigned i = 0; i < NUMBERS; i++) {
        char text[80];
        uint64_t mantissa = (chance_bits(&chance) >> 10) | (UINT64_C(1) << 53) | 1; /* 54 bits */
        int exponent = (int)chance_below(&chance, i % 2 ? 2000 : 140) - (i % 2 ? 1070 : 100);
        long double middle = ldexpl((long double)mantissa, exponent);
        snprintf(text, sizeof text, "%.*Le", 14 + (int)chance_below(&chance, 40), middle);
        struct json_value value = read_float(text_of(text));
        repr_decided(&value);
    }
}
END_TEST

TCase *
json_numbers(void)
{
    TCase *tcase = tcase_create("numbers");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, written_as_known, 0, WRITTEN);
    tcase_add_loop_test(tcase, read_as_known, 0, TEXTS);
    tcase_add_test(tcase, read_long_texts);
    tcase_add_test(tcase, write_double_into_exactly_enough);
    tcase_add_loop_test(tcase, powers_of_two, 0, 8);
    tcase_add_loop_test(tcase, powers_of_ten, 0, 8);
    tcase_add_loop_test(tcase, doubles_by_chance, 0, SEEDS);
    tcase_add_loop_test(tcase, texts_by_chance, 0, SEEDS);
    tcase_add_loop_test(tcase, middles_by_chance, 0, SEEDS);
    return tcase;
}
