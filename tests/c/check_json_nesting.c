#include "fixture.h"
#include "suites.h"

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
        while ((more = array ? json_element(reader, first) : json_member(reader, first, &key)) >
               0) {
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
    SLICE("{\"comp\":\"word_spout\",\"tuple\":[\"dog\",1,-2.5E-7,null,true,[{\"a\\/"
          "b\":\"\\u00e9\"}]],"
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

TCase *
json_nesting(void)
{
    TCase *tcase = tcase_create("nesting");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
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
