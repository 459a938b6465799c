#include "json.h"

#include <stdint.h>
#include <stdio.h>

#include "guarded.h"
#include "scarce.h"
#include "suites.h"
#include "utf8.h"

static struct guarded memory;
static struct buffer out;
static struct fault fault;

static void
setup(void)
{
    fault = (struct fault){0};
}

static void
teardown(void)
{
    guarded_deinit(&memory);
    buffer_deinit(&out);
}

/* A reader of a copy of `text` that ends at the guard page. */
static struct json_reader
reader_of(struct slice text)
{
    fault = (struct fault){0};
    return json_reader(guarded_put(&memory, text), &fault);
}

static struct slice
text_of(const char *string)
{
    return (struct slice){string, strlen(string)};
}

static void
check_slice(struct slice found, struct slice expected)
{
    ck_assert_msg(slice_equal(found, expected), "found %.*s (%zu bytes), expected %.*s (%zu bytes)",
                  (int)found.len, found.len > 0 ? found.ptr : "", found.len, (int)expected.len,
                  expected.ptr, expected.len);
}

static void
check_out(struct slice expected)
{
    check_slice((struct slice){out.data, out.len}, expected);
}

static void
check_fault(enum fault_code code, size_t offset, const char *text)
{
    ck_assert_int_eq(fault.code, code);
    ck_assert_str_eq(fault.text, text);
    ck_assert_uint_eq(fault.offset, offset);
}

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
    {"\"\\u", 3,
     "four hexadecimal digits were expected after \\u, but the text ends at byte 3"},
    {"\"\\u12", 5,
     "four hexadecimal digits were expected after \\u, but the text ends at byte 5"},
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
    {SLICE("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""),
     true,
     true,
     SLICE("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
    {SLICE("\"\\ud7ff\\ue000\""), true, true, SLICE("\xed\x9f\xbf\xee\x80\x80")},
    {SLICE("\"\\ud83d\\ude00\""), true, true, SLICE("\xf0\x9f\x98\x80")},
    {SLICE("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), true, true, SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {SLICE("\"\xc3\xbc\\n\xc3\xbc\""), true, false, SLICE("\xc3\xbc\n\xc3\xbc")},
    /* surrogates without their other half */
    {SLICE("\"\\ud800\""), true, true, SLICE("\xed\xa0\x80")},
    {SLICE("\"\\udfff\""), true, true, SLICE("\xed\xbf\xbf")},
    {SLICE("\"\\ude00\\ud83d\""), true, true, SLICE("\xed\xb8\x80\xed\xa0\xbd")},
    {SLICE("\"\\ud83dx\\ude00\""), true, true, SLICE("\xed\xa0\xbdx\xed\xb8\x80")},
    {SLICE("\"\\ud83d\\n\\ude00\""), true, true, SLICE("\xed\xa0\xbd\n\xed\xb8\x80")},
    {SLICE("\"\\ud83d\\\\ude00\""), true, true, SLICE("\xed\xa0\xbd\\ude00")},
    {SLICE("\"\\ud83d\\u0041\""), true, true, SLICE("\xed\xa0\xbd""A")},
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

/* ---- arrays and objects ----------------------------------------------------------------- */

START_TEST(members_in_turn)
{
    struct json_reader reader =
        reader_of(SLICE(" { \"comp\" : null,\"task\":-1 ,\"tuple\":[ 1 , [] ,{}]} "));
    struct json_value value, key;
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_OBJECT);
    ck_assert_int_eq(json_member(&reader, true, &key), 1);
    check_slice(key.text, SLICE("comp"));
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_NULL);
    ck_assert_int_eq(json_member(&reader, false, &key), 1);
    check_slice(key.text, SLICE("task"));
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.number, -1);
    ck_assert_int_eq(json_member(&reader, false, &key), 1);
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_ARRAY);
    ck_assert_int_eq(json_element(&reader, true), 1);
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.number, 1);
    ck_assert_int_eq(json_element(&reader, false), 1);
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(json_element(&reader, true), 0);
    ck_assert_int_eq(json_element(&reader, false), 1);
    ck_assert_int_eq(json_read(&reader, &value), 0);
    ck_assert_int_eq(value.type, JSON_TYPE_OBJECT);
    ck_assert_int_eq(json_member(&reader, true, &key), 0);
    ck_assert_int_eq(json_element(&reader, false), 0);
    ck_assert_int_eq(json_member(&reader, false, &key), 0);
    ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

/* Read a whole value and what it holds, by the reader alone. */
static int
read_all(struct json_reader *reader)
{
    struct json_value value, key;
    int more = 0;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    if (value.type == JSON_TYPE_ARRAY || value.type == JSON_TYPE_OBJECT) {
        bool array = value.type == JSON_TYPE_ARRAY;
        bool first = true;
        while ((more = array ? json_element(reader, first) : json_member(reader, first, &key)) > 0) {
            first = false;
            if (read_all(reader) < 0) {
                return -1;
            }
        }
    }
    return more;
}

static const struct {
    const char *text;
    size_t offset;
    const char *message;
} broken[] = {
    {"[", 1, "',' or ']' was expected, but the text ends at byte 1"},
    {"[1", 2, "',' or ']' was expected, but the text ends at byte 2"},
    {"[1,", 3, "a value was expected, but the text ends at byte 3"},
    {"[1 2]", 3, "',' or ']' was expected, found '2' at byte 3"},
    {"[1,]", 3, "a value was expected, found ']' at byte 3"},
    {"[,1]", 1, "a value was expected, found ',' at byte 1"},
    {"[1,,2]", 3, "a value was expected, found ',' at byte 3"},
    {"[1}", 2, "',' or ']' was expected, found '}' at byte 2"},
    {"[}", 1, "a value was expected, found '}' at byte 1"},
    {"[truefalse]", 5, "',' or ']' was expected, found 'f' at byte 5"},
    {"[0x10]", 2, "',' or ']' was expected, found 'x' at byte 2"},
    {"{", 1, "',' or '}' was expected, but the text ends at byte 1"},
    {"{]", 1, "a key in quotes was expected, found ']' at byte 1"},
    {"{a:1}", 1, "a key in quotes was expected, found 'a' at byte 1"},
    {"{1:1}", 1, "a key in quotes was expected, found '1' at byte 1"},
    {"{\"a\"", 4, "':' was expected, but the text ends at byte 4"},
    {"{\"a\" 1}", 5, "':' was expected, found '1' at byte 5"},
    {"{\"a\":", 5, "a value was expected, but the text ends at byte 5"},
    {"{\"a\":}", 5, "a value was expected, found '}' at byte 5"},
    {"{\"a\":1", 6, "',' or '}' was expected, but the text ends at byte 6"},
    {"{\"a\":1]", 6, "',' or '}' was expected, found ']' at byte 6"},
    {"{\"a\":1,}", 7, "a key in quotes was expected, found '}' at byte 7"},
    {"{\"a\":1,", 7, "a key in quotes was expected, but the text ends at byte 7"},
    {"{\"a\":1 \"b\":2}", 7, "',' or '}' was expected, found '\"' at byte 7"},
    {"{\"a", 3, "the end of a string was expected, but the text ends at byte 3"},
    {"{\"a\\x\":1}", 4, "not an escape of JSON, found 'x' at byte 4"},
};

enum { BROKEN = sizeof broken / sizeof broken[0] };

START_TEST(broken_structure)
{
    struct json_reader reader = reader_of(text_of(broken[_i].text));
    ck_assert_msg(read_all(&reader) == -1, "%s was read", broken[_i].text);
    check_fault(FAULT_JSON, broken[_i].offset, broken[_i].message);
}
END_TEST

START_TEST(text_behind_the_value)
{
    struct json_reader reader = reader_of(SLICE("{} \n{}"));
    ck_assert_int_eq(read_all(&reader), 0);
    ck_assert_int_eq(json_finish(&reader), -1);
    check_fault(FAULT_JSON, 4, "the end of the text was expected, found '{' at byte 4");
}
END_TEST

/* ---- whole messages, cut at every byte -------------------------------------------------- */

static const struct slice messages[] = {
    SLICE("{\"comp\":\"word_spout\",\"tuple\":[\"dog\",1,-2.5E-7,null,true,[{\"a\\/b\":\"\\u00e9\"}]],"
          "\"task\":4,\"stream\":\"default\",\"id\":\"-6955786537413359385\"}"),
    SLICE("{\"id\":\"3407262349872450000\",\"comp\":null,\"stream\":\"__heartbeat\",\"task\":-1,"
          "\"tuple\":[]}"),
    SLICE("{\"command\":\"next\",\"id\":\"\"}"),
    SLICE("[3,4,123456789012345678901234567890]"),
    SLICE("{\"pidDir\":\"\\/var\\/storm\",\"conf\":{\"a\":NaN,\"b\":-Infinity},\"context\":{}}"),
    SLICE("[\"gr\xc3\xbc\xc3\x9f\",\"\\ud83d\\ude00\",\"\xf0\x9f\x98\x80\",\"]\",\"}\",\"\\\"\"]"),
    SLICE("\"a string\""),
};

enum { MESSAGES = sizeof messages / sizeof messages[0] };

START_TEST(whole_message)
{
    struct json_reader reader = reader_of(messages[_i]);
    ck_assert_int_eq(read_all(&reader), 0);
    ck_assert_int_eq(json_finish(&reader), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

START_TEST(cut_message)
{
    for (size_t len = 0; len < messages[_i].len; len++) {
        struct slice cut = {messages[_i].ptr, len};
        struct slice text;
        struct json_reader reader = reader_of(cut);
        ck_assert_int_eq(read_all(&reader), -1);
        ck_assert_int_eq(fault.code, FAULT_JSON);
        ck_assert_uint_le(fault.offset, len);
        reader = reader_of(cut);
        ck_assert_int_eq(json_skip(&reader, &text), -1);
        ck_assert_int_eq(fault.code, FAULT_JSON);
        ck_assert_uint_le(fault.offset, len);
    }
}
END_TEST

/* ---- skipping --------------------------------------------------------------------------- */

/* What is skipped is what reading would have consumed, without the space around it. */
START_TEST(skip_a_message)
{
    ck_assert_int_eq(buffer_append(&out, SLICE(" \n"), NULL), 0);
    ck_assert_int_eq(buffer_append(&out, messages[_i], NULL), 0);
    ck_assert_int_eq(buffer_append(&out, SLICE(" ,7"), NULL), 0);
    struct json_reader reader = reader_of((struct slice){out.data, out.len});
    struct slice text;
    ck_assert_int_eq(json_skip(&reader, &text), 0);
    check_slice(text, messages[_i]);
    ck_assert_ptr_eq(text.ptr, reader.start + 2);
    ck_assert_ptr_eq(reader.at, text.ptr + text.len);
    ck_assert_int_eq(json_element(&reader, false), 1);
    ck_assert_int_eq(json_skip(&reader, &text), 0);
    check_slice(text, SLICE("7"));
    ck_assert_int_eq(json_finish(&reader), 0);
}
END_TEST

static const struct {
    const char *text;
    size_t offset;
    const char *message;
} unskippable[] = {
    {"", 0, "a value was expected, but the text ends at byte 0"},
    {"]", 0, "a value was expected, found ']' at byte 0"},
    {"tru", 0, "a value was expected, found 't' at byte 0"},
    {"[", 1, "a closing bracket was expected, but the text ends at byte 1"},
    {"[[]", 3, "a closing bracket was expected, but the text ends at byte 3"},
    {"[}", 1, "the other closing bracket was expected, found '}' at byte 1"},
    {"{]", 1, "the other closing bracket was expected, found ']' at byte 1"},
    {"[{]}", 2, "the other closing bracket was expected, found ']' at byte 2"},
    {"{\"a\":[}]", 6, "the other closing bracket was expected, found '}' at byte 6"},
    {"[[[[[[[[[}", 9, "the other closing bracket was expected, found '}' at byte 9"},
    {"[\"]", 3, "the end of a string was expected, but the text ends at byte 3"},
    {"[\"\\\"]", 5, "the end of a string was expected, but the text ends at byte 5"},
    {"[\"\n\"]", 2, "a control character must be escaped in a string, found byte 0x0a at byte 2"},
};

enum { UNSKIPPABLE = sizeof unskippable / sizeof unskippable[0] };

START_TEST(skip_what_cannot_be)
{
    struct json_reader reader = reader_of(text_of(unskippable[_i].text));
    struct slice text = SLICE("untouched");
    ck_assert_int_eq(json_skip(&reader, &text), -1);
    check_fault(FAULT_JSON, unskippable[_i].offset, unskippable[_i].message);
    check_slice(text, SLICE("untouched"));
}
END_TEST

/* Brackets by turns, so that each level closes by a kind that its neighbours do not have. */
static struct slice
nested(size_t depth)
{
    out.len = 0;
    for (size_t i = 0; i < depth; i++) {
        ck_assert_int_eq(buffer_append(&out, i % 3 == 1 ? SLICE("{\"\":") : SLICE("["), NULL), 0);
    }
    ck_assert_int_eq(buffer_append(&out, SLICE("0"), NULL), 0);
    for (size_t i = depth; i > 0; i--) {
        ck_assert_int_eq(buffer_append(&out, (i - 1) % 3 == 1 ? SLICE("}") : SLICE("]"), NULL), 0);
    }
    return (struct slice){out.data, out.len};
}

START_TEST(skip_to_the_depth_limit)
{
    static const size_t depths[] = {1, 7, 8, 9, 63, 64, 390, 999, 1000};
    struct slice text;
    struct json_reader reader = reader_of(nested(depths[_i]));
    ck_assert_int_eq(json_skip(&reader, &text), 0);
    ck_assert_uint_eq(text.len, out.len);
    reader = reader_of(nested(depths[_i]));
    ck_assert_int_eq(read_all(&reader), 0);
}
END_TEST

START_TEST(skip_beyond_the_depth_limit)
{
    struct slice text;
    ck_assert_int_eq(JSON_DEPTH_MAX, 1000);
    struct json_reader reader = reader_of(nested(JSON_DEPTH_MAX + 1));
    ck_assert_int_eq(json_skip(&reader, &text), -1);
    /* before the bracket too many stand 333 times `[{"":[` and one more */
    check_fault(FAULT_LIMIT, 333 * 6 + 1, "nested deeper than 1000 levels");
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------- */

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
    {SLICE("\0\x01\x1f\x7f"), SLICE("\"\\u0000\\u0001\\u001f\x7f\"")},
    {SLICE("line\nend\nline"), SLICE("\"line\\nend\\nline\"")}, /* no frame within a frame */
    {SLICE("gr\xc3\xbc\xc3\x9f\n\xf0\x9f\x98\x80"), SLICE("\"gr\xc3\xbc\xc3\x9f\\n\xf0\x9f\x98\x80\"")},
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
    ck_assert_int_eq(value.escaped, byte < 0x20 || byte == '"' || byte == '\\');
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

static const struct {
    int (*act)(struct buffer *to);
    unsigned allocations; /* at least */
} hungry[] = {{unescape_long, 1}, {write_long, 3}, {write_long_dirty, 4}, {write_number, 1}};

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

static TCase *
reading(void)
{
    TCase *tcase = tcase_create("reading");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, scalar, 0, SCALARS);
    tcase_add_loop_test(tcase, scalar_among_others, 0, SCALARS);
    tcase_add_loop_test(tcase, mistake, 0, MISTAKES);
    tcase_add_loop_test(tcase, any_byte_in_a_string, 0, 16);
    tcase_add_loop_test(tcase, string, 0, STRINGS);
    tcase_add_loop_test(tcase, unescape_reads_and_writes_no_further, 0, STRINGS);
    tcase_add_loop_test(tcase, every_unicode_escape, 0, 2);
    tcase_add_test(tcase, unescape_into_too_little);
    tcase_add_test(tcase, members_in_turn);
    tcase_add_loop_test(tcase, broken_structure, 0, BROKEN);
    tcase_add_test(tcase, text_behind_the_value);
    tcase_add_loop_test(tcase, whole_message, 0, MESSAGES);
    tcase_add_loop_test(tcase, cut_message, 0, MESSAGES);
    tcase_add_loop_test(tcase, skip_a_message, 0, MESSAGES);
    tcase_add_loop_test(tcase, skip_what_cannot_be, 0, UNSKIPPABLE);
    tcase_add_loop_test(tcase, skip_to_the_depth_limit, 0, 9);
    tcase_add_test(tcase, skip_beyond_the_depth_limit);
    return tcase;
}

static TCase *
writing(void)
{
    TCase *tcase = tcase_create("writing");
    tcase_add_checked_fixture(tcase, setup, teardown);
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

Suite *
json_suite(void)
{
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, reading());
    suite_add_tcase(suite, writing());
    return suite;
}
