#include <stdint.h>

#include "fixture.h"
#include "scarce.h"
#include "suites.h"
#include "utf8.h"

START_TEST(write_int)
{
    static const struct {
        int64_t number;
        const char *text;
    } numbers[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {-1, "-1"},
        {-10, "-10"},
        {INT64_C(4294967301), "4294967301"},
        {INT64_C(999999999999999999), "999999999999999999"},
        {INT64_C(1000000000000000000), "1000000000000000000"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN + 1, "-9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    ck_assert_uint_eq(sizeof numbers / sizeof numbers[0], 11);
    ck_assert_int_eq(json_write_int(&out, numbers[_i].number, &fault), 0);
    check_out(text_of(numbers[_i].text));
}
END_TEST

START_TEST(write_int_into_exactly_enough)
{
    struct buffer fixed = {.data = guarded_tail(&memory, 20), .cap = 20, .fixed = true};
    ck_assert_int_eq(json_write_int(&fixed, INT64_MIN, &fault), 0);
    ck_assert_uint_eq(fixed.len, 20);
    ck_assert_int_eq(json_write_int(&fixed, 0, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_uint_eq(fixed.len, 20);
}
END_TEST

static const struct {
    struct slice utf8;
    struct slice text;
} written[] = {
    {SLICE(""), SLICE("\"\"")},
    {SLICE("dog"), SLICE("\"dog\"")},
    {SLICE("\"\\\b\f\n\r\t"), SLICE("\"\\\"\\\\\\b\\f\\n\\r\\t\"")},
    {SLICE("a/b"), SLICE("\"a/b\"")},
    {SLICE("\0\x01\x1f\x7f"), SLICE("\"\\u0000\\u0001\\u001f\\u007f\"")},
    {SLICE("line\nend\nline"), SLICE("\"line\\nend\\nline\"")}, /* no frame within a frame */
    {SLICE("gr\xc3\xbc\xc3\x9f\n\xf0\x9f\x98\x80"),
     SLICE("\"gr\xc3\xbc\xc3\x9f\\n\xf0\x9f\x98\x80\"")},
};

enum { WRITTEN = sizeof written / sizeof written[0] };

START_TEST(write_string)
{
    struct slice utf8 = guarded_put(&memory, written[_i].utf8);
    ck_assert_int_eq(json_write_string(&out, utf8, &fault), 0);
    check_out(written[_i].text);
    out.len = 0;
    ck_assert_int_eq(json_write_bytes(&out, utf8, &fault), 0); /* the same for good UTF-8 */
    check_out(written[_i].text);
}
END_TEST

static void
check_byte_comes_back(unsigned char byte, size_t before)
{
    char plain[19];
    memset(plain, '_', sizeof plain);
    plain[before] = (char)byte;
    struct slice utf8 = {plain, sizeof plain};
    out.len = 0;
    ck_assert_int_eq(json_write_string(&out, guarded_put(&memory, utf8), &fault), 0);
    struct json_reader reader = reader_of((struct slice){out.data, out.len});
    struct json_value value;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(json_finish(&reader), 0);
    ck_assert_int_eq(value.escaped, byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\');
    out.len = 0;
    ck_assert_int_eq(json_unescape(value.text, &out, NULL), 0);
    check_out(utf8);
}

/* Every byte below 0x80 at every place of the word-wise scan. */
START_TEST(write_any_byte)
{
    for (int byte = 16 * _i; byte < 16 * (_i + 1); byte++) {
        for (size_t before = 0; before <= 9; before++) {
            check_byte_comes_back((unsigned char)byte, before);
        }
    }
}
END_TEST

/* Nothing is longer than an escape for each byte, and that much room is enough. */
START_TEST(write_string_of_escapes)
{
    char control[100] = {0};
    size_t room = sizeof control * 6 + 2;
    struct buffer fixed = {.data = guarded_tail(&memory, room), .cap = room, .fixed = true};
    ck_assert_int_eq(json_write_string(&fixed, (struct slice){control, sizeof control}, &fault), 0);
    ck_assert_uint_eq(fixed.len, room);
    fixed.len = 1;
    ck_assert_int_eq(json_write_string(&fixed, (struct slice){control, sizeof control}, &fault),
                     -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
}
END_TEST

#define BAD "\xef\xbf\xbd"

static const struct {
    struct slice bytes;
    size_t valid; /* bytes of UTF-8 at the start */
    struct slice text;
} dirty[] = {
    {SLICE("\xff"), 0, SLICE("\"" BAD "\"")},
    {SLICE("a\x80z"), 1, SLICE("\"a" BAD "z\"")},
    {SLICE("\xc2"), 0, SLICE("\"" BAD "\"")},
    {SLICE("\xc0\x80"), 0, SLICE("\"" BAD BAD "\"")},
    {SLICE("\xc1\xbf"), 0, SLICE("\"" BAD BAD "\"")},
    {SLICE("\xe0\x9f\xbf"), 0, SLICE("\"" BAD BAD BAD "\"")},
    {SLICE("\xe0\xa0"), 0, SLICE("\"" BAD BAD "\"")},
    {SLICE("\xed\xa0\x80"), 0, SLICE("\"" BAD BAD BAD "\"")},
    {SLICE("\xed\xbf\xbf"), 0, SLICE("\"" BAD BAD BAD "\"")},
    {SLICE("\xf0\x8f\xbf\xbf"), 0, SLICE("\"" BAD BAD BAD BAD "\"")},
    {SLICE("\xf0\x9f\x98"), 0, SLICE("\"" BAD BAD BAD "\"")},
    {SLICE("\xf4\x90\x80\x80"), 0, SLICE("\"" BAD BAD BAD BAD "\"")},
    {SLICE("\xf5\x80\x80\x80"), 0, SLICE("\"" BAD BAD BAD BAD "\"")},
    {SLICE("\xc3\xbc\xc3"), 2, SLICE("\"\xc3\xbc" BAD "\"")},
    {SLICE("caf\xe9 \"\n"), 3, SLICE("\"caf" BAD " \\\"\\n\"")},
};

enum { DIRTY = sizeof dirty / sizeof dirty[0] };

START_TEST(write_bytes)
{
    struct slice bytes = guarded_put(&memory, dirty[_i].bytes);
    ck_assert_uint_eq(json_utf8_length(bytes), dirty[_i].valid);
    ck_assert_msg(json_write_bytes(&out, bytes, &fault) == 0, "fault %d: %s", (int)fault.code,
                  fault.text);
    check_out(dirty[_i].text);
}
END_TEST

/* The length of the UTF-8 without surrogates at the start of `bytes`, by arithmetic. */
static size_t
utf8_length(const char *bytes, size_t len)
{
    size_t at = 0;
    size_t size;
    uint32_t point;
    while ((size = utf8_get(bytes + at, len - at, &point)) > 0 &&
           (point < 0xd800 || point > 0xdfff)) {
        at += size;
    }
    return at;
}

/* All pairs of a first and a second byte, with third and fourth bytes in and out of range. */
START_TEST(utf8_by_its_definition)
{
    static const unsigned char tails[] = {0x7f, 0x80, 0xbf, 0xc0};
    for (unsigned i = 0; i < 16 * 256 * 16; i++) {
        char bytes[4] = {(char)(16 * (unsigned)_i + i / 4096), (char)(i / 16),
                         (char)tails[i / 4 % 4], (char)tails[i % 4]};
        for (size_t len = 1; len <= sizeof bytes; len++) {
            struct slice text = guarded_put(&memory, (struct slice){bytes, len});
            size_t found = json_utf8_length(text);
            size_t expected = utf8_length(bytes, len);
            if (found != expected) { /* as an assertion it takes long, a million times */
                ck_abort_msg("%02x %02x %02x %02x, %zu of them: found %zu, expected %zu",
                             bytes[0] & 0xff, bytes[1] & 0xff, bytes[2] & 0xff, bytes[3] & 0xff,
                             len, found, expected);
            }
        }
    }
}
END_TEST

START_TEST(utf8_at_the_edges)
{
    static const uint32_t points[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                      0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    char bytes[4];
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        size_t len = utf8_put(bytes, points[i]);
        struct slice text = guarded_put(&memory, (struct slice){bytes, len});
        ck_assert_uint_eq(json_utf8_length(text), len);
        if (len > 1) {
            text = guarded_put(&memory, (struct slice){bytes, len - 1});
            ck_assert_uint_eq(json_utf8_length(text), 0);
        }
    }
    ck_assert_uint_eq(json_utf8_length(SLICE("")), 0);
}
END_TEST

/* ---- without memory --------------------------------------------------------------------- */

static int
unescape_long(struct buffer *to)
{
    static char text[1000];
    memset(text, 'a', sizeof text);
    return json_unescape((struct slice){text, sizeof text}, to, &fault);
}

/* Grows for the text and again for the escapes that it turns out to hold. */
static int
write_long(struct buffer *to)
{
    static const char controls[1000];
    return json_write_string(to, (struct slice){controls, sizeof controls}, &fault);
}

static int
write_long_dirty(struct buffer *to)
{
    static char bytes[1000];
    memset(bytes, 0xff, sizeof bytes);
    return json_write_bytes(to, (struct slice){bytes, sizeof bytes}, &fault);
}

static int
write_number(struct buffer *to)
{
    return json_write_int(to, 1, &fault);
}

static int
write_double(struct buffer *to)
{
    return json_write_double(to, 0.5, &fault);
}

static const struct {
    int (*act)(struct buffer *to);
    unsigned allocations; /* at least */
} hungry[] = {{unescape_long, 1},
              {write_long, 3},
              {write_long_dirty, 4},
              {write_number, 1},
              {write_double, 1}};

enum { HUNGRY = sizeof hungry / sizeof hungry[0] };

START_TEST(each_allocation_fails_in_turn)
{
    bool failed = true;
    unsigned nth;
    for (nth = 1; failed; nth++) {
        fault = (struct fault){0};
        buffer_deinit(&out);
        scarce_begin(nth);
        int result = hungry[_i].act(&out);
        failed = scarce_end();
        ck_assert_int_eq(result, failed ? -1 : 0);
        ck_assert_int_eq(fault.code, failed ? FAULT_SYSTEM : FAULT_NONE);
    }
    ck_assert_uint_ge(nth - 2, hungry[_i].allocations); /* the last round found nothing to fail */
}
END_TEST

TCase *
json_writing(void)
{
    TCase *tcase = tcase_create("writing");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_loop_test(tcase, write_int, 0, 11);
    tcase_add_test(tcase, write_int_into_exactly_enough);
    tcase_add_loop_test(tcase, write_string, 0, WRITTEN);
    tcase_add_loop_test(tcase, write_any_byte, 0, 8);
    tcase_add_test(tcase, write_string_of_escapes);
    tcase_add_loop_test(tcase, write_bytes, 0, DIRTY);
    tcase_add_loop_test(tcase, utf8_by_its_definition, 0, 16);
    tcase_add_test(tcase, utf8_at_the_edges);
    tcase_add_loop_test(tcase, each_allocation_fails_in_turn, 0, HUNGRY);
    return tcase;
}
