#include <stdint.h>
#include <stdio.h>

#include "chance.h"
#include "fixture.h"
#include "require.h"
#include "suites.h"
#include "utf8.h"

/* ---- scalars ---------------------------------------------------------------------------- */

static const struct {
    const char *text;
    enum json_type type;
    int64_t number;
} scalars[] = {
    {"null", JSON_TYPE_NULL, 0},
    {"true", JSON_TYPE_TRUE, 0},
    {"false", JSON_TYPE_FALSE, 0},
    {"NaN", JSON_TYPE_NAN, 0},
    {"Infinity", JSON_TYPE_INF, 1},
    {"-Infinity", JSON_TYPE_INF, -1},
    {"0", JSON_TYPE_INT, 0},
    {"-0", JSON_TYPE_INT, 0},
    {"7", JSON_TYPE_INT, 7},
    {"-1", JSON_TYPE_INT, -1},
    {"2147483647", JSON_TYPE_INT, INT32_MAX},
    {"-2147483648", JSON_TYPE_INT, INT32_MIN},
    {"4294967301", JSON_TYPE_INT, INT64_C(4294967301)},
    {"999999999999999999", JSON_TYPE_INT, INT64_C(999999999999999999)},
    {"9223372036854775806", JSON_TYPE_INT, INT64_MAX - 1},
    {"9223372036854775807", JSON_TYPE_INT, INT64_MAX},
    {"9223372036854775808", JSON_TYPE_BIGINT, 0},
    {"9999999999999999999", JSON_TYPE_BIGINT, 0},
    {"10000000000000000000", JSON_TYPE_BIGINT, 0},
    {"18446744073709551615", JSON_TYPE_BIGINT, 0},
    {"18446744073709551616", JSON_TYPE_BIGINT, 0},
    {"-9223372036854775807", JSON_TYPE_INT, -INT64_MAX},
    {"-9223372036854775808", JSON_TYPE_INT, INT64_MIN},
    {"-9223372036854775809", JSON_TYPE_BIGINT, 0},
    {"-10000000000000000000", JSON_TYPE_BIGINT, 0},
    {"123456789012345678901234567890", JSON_TYPE_BIGINT, 0},
    {"0.0", JSON_TYPE_FLOAT, 0},
    {"-0.0", JSON_TYPE_FLOAT, 0},
    {"0.25", JSON_TYPE_FLOAT, 0},
    {"1.0E300", JSON_TYPE_FLOAT, 0},
    {"1e5", JSON_TYPE_FLOAT, 0},
    {"1E+5", JSON_TYPE_FLOAT, 0},
    {"-1e-5", JSON_TYPE_FLOAT, 0},
    {"0e0", JSON_TYPE_FLOAT, 0},
    {"1e400", JSON_TYPE_FLOAT, 0},
    {"9223372036854775808.0", JSON_TYPE_FLOAT, 0},
    {"3.141592653589793238462643383279", JSON_TYPE_FLOAT, 0},
};

enum { SCALARS = sizeof scalars / sizeof scalars[0] };

START_TEST(scalar)
{
    struct slice text = text_of(scalars[_i].text);
    struct json_reader reader = reader_of(text);
    struct json_value value;
    ck_assert_msg(json_read(&reader, &value) == 0, "%s: %s", scalars[_i].text, fault.text);
    ck_assert_int_eq(value.type, scalars[_i].type);
    if (value.type == JSON_TYPE_INT || value.type == JSON_TYPE_INF) {
        ck_assert_int_eq(value.number, scalars[_i].number);
    }
    if (value.type == JSON_TYPE_BIGINT || value.type == JSON_TYPE_FLOAT) {
        check_slice(value.text, text);
    }
    ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

/* White space on both sides, of all four kinds, and what comes behind stays unread. */
START_TEST(scalar_among_others)
{
    ck_assert_int_eq(json_write_int(&out, 5, NULL), 0);
    ck_assert_int_eq(buffer_append(&out, SLICE(" \t\r\n"), NULL), 0);
    ck_assert_int_eq(buffer_append(&out, text_of(scalars[_i].text), NULL), 0);
    ck_assert_int_eq(buffer_append(&out, SLICE("\n\r\t ,"), NULL), 0);
    struct json_reader reader = reader_of((struct slice){out.data, out.len});
    struct json_value value;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.number, 5);
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, scalars[_i].type);
    ck_assert_int_eq(json_finish(&reader), -1);
    ck_assert_int_eq(*reader.at, ',');
}
END_TEST

/* ---- what is no JSON: the whole message, at the end of the memory ------------------------ */

static const struct {
    const char *text;
    size_t offset;
    const char *message;
} mistakes[] = {
    {"", 0, "a value was expected, but the text ends at byte 0"},
    {" \n", 2, "a value was expected, but the text ends at byte 2"},
    {"nul", 0, "a value was expected, found 'n' at byte 0"},
    {"tru", 0, "a value was expected, found 't' at byte 0"},
    {"Null", 0, "a value was expected, found 'N' at byte 0"},
    {"Na", 0, "a value was expected, found 'N' at byte 0"},
    {"Infinit", 0, "a value was expected, found 'I' at byte 0"},
    {"-Infinit", 0, "a value was expected, found '-' at byte 0"},
    {"-inf", 1, "a digit was expected, found 'i' at byte 1"},
    {"-NaN", 1, "a digit was expected, found 'N' at byte 1"},
    {"-", 1, "a digit was expected, but the text ends at byte 1"},
    {"+1", 0, "a value was expected, found '+' at byte 0"},
    {"--1", 1, "a digit was expected, found '-' at byte 1"},
    {".5", 0, "a value was expected, found '.' at byte 0"},
    {"1.", 2, "a digit was expected, but the text ends at byte 2"},
    {"1.e5", 2, "a digit was expected, found 'e' at byte 2"},
    {"1e", 2, "a digit was expected, but the text ends at byte 2"},
    {"1e+", 3, "a digit was expected, but the text ends at byte 3"},
    {"1e-x", 3, "a digit was expected, found 'x' at byte 3"},
    {"00", 1, "a number must not start with 0, found '0' at byte 1"},
    {"007", 1, "a number must not start with 0, found '0' at byte 1"},
    {"-01", 2, "a number must not start with 0, found '1' at byte 2"},
    {"'a'", 0, "a value was expected, found ''' at byte 0"},
    {"]", 0, "a value was expected, found ']' at byte 0"},
    {",", 0, "a value was expected, found ',' at byte 0"},
    {"\xef\xbb\xbf{}", 0, "a value was expected, found byte 0xef at byte 0"},
    {"\v1", 0, "a value was expected, found byte 0x0b at byte 0"},
    {"\"", 1, "the end of a string was expected, but the text ends at byte 1"},
    {"\"abcdefghijkl", 13, "the end of a string was expected, but the text ends at byte 13"},
    {"\"\xc3\xbc", 3, "the end of a string was expected, but the text ends at byte 3"},
    {"\"a\nb\"", 2, "a control character must be escaped in a string, found byte 0x0a at byte 2"},
    {"\"abcdefgh\x1f\"", 9,
     "a control character must be escaped in a string, found byte 0x1f at byte 9"},
    {"\"\\", 2, "an escape was expected, but the text ends at byte 2"},
    {"\"\\a\"", 2, "not an escape of JSON, found 'a' at byte 2"},
    {"\"\\U0041\"", 2, "not an escape of JSON, found 'U' at byte 2"},
    {"\"\\u", 3, "four hexadecimal digits were expected after \\u, but the text ends at byte 3"},
    {"\"\\u12", 5, "four hexadecimal digits were expected after \\u, but the text ends at byte 5"},
    {"\"\\u12\"", 5, "four hexadecimal digits were expected after \\u, found '\"' at byte 5"},
    {"\"\\u123g\"", 6, "four hexadecimal digits were expected after \\u, found 'g' at byte 6"},
};

enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(mistake)
{
    struct json_reader reader = reader_of(text_of(mistakes[_i].text));
    struct json_value value;
    ck_assert_msg(json_read(&reader, &value) == -1, "%s was read", mistakes[_i].text);
    check_fault(FAULT_JSON, mistakes[_i].offset, mistakes[_i].message);
}
END_TEST

/* ---- strings ---------------------------------------------------------------------------- */

/* Where a string of one odd byte among plain ones is wrong, or 0 where it is not. */
static size_t
wrong_at(unsigned char byte, size_t before, size_t behind)
{
    if (byte < 0x20) {
        return 1 + before;
    }
    if (byte == '\\') { /* it makes an escape of the closing quote, and none of plain text */
        return behind == 0 ? 3 + before : 2 + before;
    }
    return 0;
}

static void
check_odd_byte(unsigned char byte, size_t before, size_t behind)
{
    char text[40];
    memset(text, '_', sizeof text);
    text[0] = '"';
    text[1 + before] = (char)byte;
    text[2 + before + behind] = '"';
    struct json_reader reader = reader_of((struct slice){text, 3 + before + behind});
    struct json_value value = {0};
    size_t offset = wrong_at(byte, before, behind);
    int result = json_read(&reader, &value);
    if (offset > 0) {
        ck_assert_int_eq(result, -1);
        ck_assert_int_eq(fault.code, FAULT_JSON);
        ck_assert_uint_eq(fault.offset, offset);
        return;
    }
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(value.type, JSON_TYPE_STRING);
    ck_assert_uint_eq(value.text.len, byte == '"' ? before : before + 1 + behind);
    ck_assert_int_eq(value.ascii, byte < 0x80);
    ck_assert(!value.escaped);
}

/* Every byte at every place of the word-wise scan, before and behind further plain text. */
START_TEST(any_byte_in_a_string)
{
    for (int byte = 16 * _i; byte < 16 * (_i + 1); byte++) {
        for (size_t before = 0; before <= 17; before++) {
            check_odd_byte((unsigned char)byte, before, 0);
            check_odd_byte((unsigned char)byte, before, 1);
            check_odd_byte((unsigned char)byte, before, 8);
        }
    }
}
END_TEST

static const struct {
    struct slice text; /* of the string, in its quotes */
    bool escaped;
    bool ascii;
    struct slice utf8;
} strings[] = {
    {SLICE("\"\""), false, true, SLICE("")},
    {SLICE("\"dog\""), false, true, SLICE("dog")},
    {SLICE("\"exactly8\""), false, true, SLICE("exactly8")},
    {SLICE("\"\x7f\""), false, true, SLICE("\x7f")},
    {SLICE("\"gr\xc3\xbc\xc3\x9f\""), false, false, SLICE("gr\xc3\xbc\xc3\x9f")},
    {SLICE("\"\xf0\x9f\x98\x80\""), false, false, SLICE("\xf0\x9f\x98\x80")},
    {SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), true, true, SLICE("\"\\/\b\f\n\r\t")},
    {SLICE("\"http:\\/\\/storm.apache.org\\/\""), true, true, SLICE("http://storm.apache.org/")},
    {SLICE("\"\\u0000\""), true, true, SLICE("\0")},
    {SLICE("\"\\u0041\\u00e9\\u00E9\""), true, true, SLICE("A\xc3\xa9\xc3\xa9")},
    {SLICE("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""), true, true,
     SLICE("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
    {SLICE("\"\\ud7ff\\ue000\""), true, true, SLICE("\xed\x9f\xbf\xee\x80\x80")},
    {SLICE("\"\\ud83d\\ude00\""), true, true, SLICE("\xf0\x9f\x98\x80")},
    {SLICE("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), true, true,
     SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {SLICE("\"\xc3\xbc\\n\xc3\xbc\""), true, false, SLICE("\xc3\xbc\n\xc3\xbc")},
    /* surrogates without their other half */
    {SLICE("\"\\ud800\""), true, true, SLICE("\xed\xa0\x80")},
    {SLICE("\"\\udfff\""), true, true, SLICE("\xed\xbf\xbf")},
    {SLICE("\"\\ude00\\ud83d\""), true, true, SLICE("\xed\xb8\x80\xed\xa0\xbd")},
    {SLICE("\"\\ud83dx\\ude00\""), true, true, SLICE("\xed\xa0\xbdx\xed\xb8\x80")},
    {SLICE("\"\\ud83d\\n\\ude00\""), true, true, SLICE("\xed\xa0\xbd\n\xed\xb8\x80")},
    {SLICE("\"\\ud83d\\\\ude00\""), true, true, SLICE("\xed\xa0\xbd\\ude00")},
    {SLICE("\"\\ud83d\\u0041\""), true, true,
     SLICE("\xed\xa0\xbd"
           "A")},
    {SLICE("\"\\ud83d\\ud83d\\ude00\""), true, true, SLICE("\xed\xa0\xbd\xf0\x9f\x98\x80")},
};

enum { STRINGS = sizeof strings / sizeof strings[0] };

START_TEST(string)
{
    struct json_reader reader = reader_of(strings[_i].text);
    struct json_value value;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_STRING);
    ck_assert_ptr_eq(value.text.ptr, reader.start + 1); /* borrowed, as written */
    ck_assert_uint_eq(value.text.len, strings[_i].text.len - 2);
    ck_assert_int_eq(value.escaped, strings[_i].escaped);
    ck_assert_int_eq(value.ascii, strings[_i].ascii);
    ck_assert_int_eq(json_finish(&reader), 0);
    ck_assert_int_eq(json_unescape(value.text, &out, &fault), 0);
    check_out(strings[_i].utf8);
}
END_TEST

/* The same, unescaped on the way; the escapes before the limits of pieces and of words. */
START_TEST(string_unescaped_as_it_is_read)
{
    static const size_t lengths[] = {0, 1, 7, 8, 15, 16, 17, 8190, 8191, 8192, 8193, 20000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buffer text = {0};
        struct buffer unescaped = {0};
        struct slice inside = {strings[_i].text.ptr + 1, strings[_i].text.len - 2};
        ck_assert_int_eq(buffer_append(&text, SLICE("\""), NULL), 0);
        for (size_t n = 0; n < lengths[i]; n++) {
            REQUIRE(buffer_append(&text, SLICE("x"), NULL) == 0);
        }
        ck_assert_int_eq(buffer_append(&text, inside, NULL), 0);
        ck_assert_int_eq(buffer_append(&text, SLICE("\\n\""), NULL), 0);
        struct json_reader reader = reader_of((struct slice){text.data, text.len});
        reader.unescaped = &unescaped;
        struct json_value value;
        ck_assert_int_eq(json_read(&reader, &value), 0);
        ck_assert(value.escaped);
        ck_assert_int_eq(json_finish(&reader), 0);
        ck_assert_uint_eq(value.text.len, lengths[i] + strings[_i].utf8.len + 1);
        struct slice end = {value.text.ptr + lengths[i], strings[_i].utf8.len};
        check_slice(end, strings[_i].utf8);
        ck_assert(!value.ascii || json_utf8_length(value.text) == value.text.len);
        for (size_t n = 0; value.ascii && n < value.text.len; n++) {
            REQUIRE((unsigned char)value.text.ptr[n] < 0x80);
        }
        buffer_deinit(&text);
        buffer_deinit(&unescaped);
    }
}
END_TEST

static char
any_piece(struct chance *chance, struct buffer *text)
{
    static const struct {
        struct slice written;
        char c;
    } pieces[] = {{SLICE("\\/"), '/'},  {SLICE("\\\""), '"'},    {SLICE("\\\\"), '\\'},
                  {SLICE("\\n"), '\n'}, {SLICE("\\u0041"), 'A'}, {SLICE("a"), 'a'},
                  {SLICE("b"), 'b'},    {SLICE("n"), 'n'}};
    unsigned n = chance_below(chance, sizeof pieces / sizeof pieces[0] * 3);
    n = n < sizeof pieces / sizeof pieces[0] ? n : 5 + n % 3;
    REQUIRE(buffer_append(text, pieces[n].written, NULL) ==
            0); /* an assertion of check's takes long */
    return pieces[n].c;
}

/* Escapes at all distances from each other and from the bounds of blocks. */
START_TEST(many_escapes)
{
    struct chance chance = {(uint64_t)_i};
    struct buffer text = {0};
    struct buffer unescaped = {0};
    char expected[20000];
    size_t count = 1 + chance_below(&chance, _i % 2 == 0 ? 300 : sizeof expected - 1);
    ck_assert_int_eq(buffer_append(&text, SLICE("\""), NULL), 0);
    for (size_t i = 0; i < count; i++) {
        expected[i] = any_piece(&chance, &text);
    }
    ck_assert_int_eq(buffer_append(&text, SLICE("\""), NULL), 0);
    struct json_reader reader = reader_of((struct slice){text.data, text.len});
    reader.unescaped = &unescaped;
    struct json_value value;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(json_finish(&reader), 0);
    check_slice(value.text, (struct slice){expected, count});
    buffer_deinit(&text);
    buffer_deinit(&unescaped);
}
END_TEST

/* The text alone against the guard page, its value behind what the buffer holds already. */
START_TEST(unescape_reads_and_writes_no_further)
{
    struct slice text = strings[_i].text;
    text = guarded_put(&memory, (struct slice){text.ptr + 1, text.len - 2});
    struct guarded target = {0};
    size_t room = 3 + text.len;
    struct buffer fixed = {.data = guarded_tail(&target, room), .cap = room, .fixed = true};
    ck_assert_int_eq(buffer_append(&fixed, SLICE("abc"), NULL), 0);
    ck_assert_int_eq(json_unescape(text, &fixed, &fault), 0);
    check_slice((struct slice){fixed.data, 3}, SLICE("abc"));
    check_slice((struct slice){fixed.data + 3, fixed.len - 3}, strings[_i].utf8);
    buffer_deinit(&fixed);
    guarded_deinit(&target);
}
END_TEST

START_TEST(every_unicode_escape)
{
    static const char *const formats[] = {"\\u%04x", "\\u%04X"};
    for (unsigned unit = 0; unit <= 0xffff; unit++) {
        char text[7];
        char bytes[4];
        snprintf(text, sizeof text, formats[_i], unit);
        out.len = 0;
        int result = json_unescape((struct slice){text, 6}, &out, NULL);
        struct slice expected = {bytes, utf8_put(bytes, unit)};
        if (result < 0 || !slice_equal((struct slice){out.data, out.len}, expected)) {
            ck_abort_msg("%s is read otherwise", text);
        }
    }
}
END_TEST

START_TEST(unescape_into_too_little)
{
    char room[4];
    struct buffer fixed = {.data = room, .cap = sizeof room, .fixed = true};
    ck_assert_int_eq(json_unescape(SLICE("\\u0041"), &fixed, &fault), -1);
    check_fault(FAULT_LIMIT, 0, "6 bytes do not fit into a buffer of 4");
    ck_assert_uint_eq(fixed.len, 0);
}
END_TEST

static TCase *
scalars_and_strings(void)
{
    TCase *tcase = tcase_create("scalars and strings");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_loop_test(tcase, scalar, 0, SCALARS);
    tcase_add_loop_test(tcase, scalar_among_others, 0, SCALARS);
    tcase_add_loop_test(tcase, mistake, 0, MISTAKES);
    tcase_add_loop_test(tcase, any_byte_in_a_string, 0, 16);
    tcase_add_loop_test(tcase, string, 0, STRINGS);
    tcase_add_loop_test(tcase, string_unescaped_as_it_is_read, 0, STRINGS);
    tcase_add_loop_test(tcase, many_escapes, 0, 100);
    tcase_add_loop_test(tcase, unescape_reads_and_writes_no_further, 0, STRINGS);
    tcase_add_loop_test(tcase, every_unicode_escape, 0, 2);
    tcase_add_test(tcase, unescape_into_too_little);
    return tcase;
}

Suite *
json_suite(void)
{
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, scalars_and_strings());
    suite_add_tcase(suite, json_nesting());
    suite_add_tcase(suite, json_writing());
    suite_add_tcase(suite, json_numbers());
    return suite;
}
