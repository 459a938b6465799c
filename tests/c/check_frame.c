#include "frame.h"
#include "framing.h"
#include "suites.h"

#define DROPPED "!" /* stands for a frame over the limit */

enum { NO_LIMIT = 1000000 };

/* What arrives, and the frames that it holds. */
struct example {
    const char *name;
    struct slice bytes;
    size_t limit;
    struct slice frames[6]; /* up to one with a NULL ptr */
};

#define TUPLE                                                                      \
    "{\"id\":\"-6955786537413359385\",\"comp\":\"1\",\"stream\":\"1\",\"task\":9," \
    "\"tuple\":[\"snow white\"]}"

static const struct example examples[] = {
    {"one message", SLICE("{}\nend\n"), NO_LIMIT, {SLICE("{}")}},
    {"two messages",
     SLICE("{\"a\":1}\nend\n[2]\nend\n"),
     NO_LIMIT,
     {SLICE("{\"a\":1}"), SLICE("[2]")}},
    {"a tuple", SLICE(TUPLE "\nend\n"), NO_LIMIT, {SLICE(TUPLE)}},
    {"CRLF", SLICE("{}\r\nend\r\n[1]\r\nend\r\n"), NO_LIMIT, {SLICE("{}"), SLICE("[1]")}},
    {"lone CR", SLICE("{}\rend\r[1]\rend\r"), NO_LIMIT, {SLICE("{}"), SLICE("[1]")}},
    {"LF, then CRLF, then CR, then LF",
     SLICE("1\nend\n2\r\nend\r\n3\rend\r4\nend\n"),
     NO_LIMIT,
     {SLICE("1"), SLICE("2"), SLICE("3"), SLICE("4")}},
    {"all line ends in one message",
     SLICE("[1,\n2,\r3,\r\n4]\rend\n5\nend\r\n"),
     NO_LIMIT,
     {SLICE("[1,\n2,\r3,\r\n4]"), SLICE("5")}},
    {"LF before CR is two lines",
     SLICE("[\n\r]\n\rend\n\r1\nend\n"),
     NO_LIMIT,
     {SLICE("[\n\r]"), SLICE("1")}},
    {"blank lines before a message",
     SLICE("\n\r\n\r\r\n{}\nend\n\n\n[1]\nend\n"),
     NO_LIMIT,
     {SLICE("{}"), SLICE("[1]")}},
    {"a blank is no blank line", SLICE(" \n{}\nend\n"), NO_LIMIT, {SLICE(" \n{}")}},
    {"blank lines in and after a message",
     SLICE("[1,\n\n2]\n\r\n\nend\n3\nend\n"),
     NO_LIMIT,
     {SLICE("[1,\n\n2]"), SLICE("3")}},
    {"raw newlines in a string",
     SLICE("[\"a\nb\r\nc\"]\nend\n"),
     NO_LIMIT,
     {SLICE("[\"a\nb\r\nc\"]")}},
    {"lines that only look like the end",
     SLICE("{}\n end\n}end\nend \nends\nen\nent\nbnd\need\nEND\n\tend\nend\n1\nend\n"),
     NO_LIMIT,
     {SLICE("{}\n end\n}end\nend \nends\nen\nent\nbnd\need\nEND\n\tend"), SLICE("1")}},
    {"the end behind a NUL is none",
     SLICE("{}\n\0end\nend\0\nend\n"),
     NO_LIMIT,
     {SLICE("{}\n\0end\nend\0")}},
    {"empty messages",
     SLICE("end\n\nend\r\nend\r{}\nend\n"),
     NO_LIMIT,
     {SLICE(""), SLICE(""), SLICE(""), SLICE("{}")}},
    {"no final newline", SLICE("{}\nend\n[1]\nend"), NO_LIMIT, {SLICE("{}")}},
    {"no end", SLICE("{}\nend\n[1]\n"), NO_LIMIT, {SLICE("{}")}},
    {"nothing", SLICE(""), NO_LIMIT, {{NULL, 0}}},
    {"nothing but blank lines", SLICE("\n\r\n\r\n\n"), 0, {{NULL, 0}}},
    {"at the limit", SLICE("1234567\nend\n"), 8, {SLICE("1234567")}},
    {"over the limit by one", SLICE("12345678\nend\n1\nend\n"), 8, {SLICE(DROPPED), SLICE("1")}},
    {"at the limit, CRLF",
     SLICE("123456\r\nend\r\n1\r\nend\r\n"),
     8,
     {SLICE("123456"), SLICE("1")}},
    {"over the limit, CRLF",
     SLICE("1234567\r\nend\r\n1\r\nend\r\n"),
     8,
     {SLICE(DROPPED), SLICE("1")}},
    {"over the limit, CR", SLICE("12345678\rend\r1\rend\r"), 8, {SLICE(DROPPED), SLICE("1")}},
    {"blank lines before do not count", SLICE("\n\n\r\n\r\r1234567\nend\n"), 8, {SLICE("1234567")}},
    {"blank lines behind do",
     SLICE("1\n\n\n\n\n\n\n\n\nend\n2\nend\n"),
     8,
     {SLICE(DROPPED), SLICE("2")}},
    {"over the limit in many lines",
     SLICE("[1,\n2,\n3,\n4]\nend\n5\nend\n"),
     8,
     {SLICE(DROPPED), SLICE("5")}},
    {"over the limit, with lines that look like the end",
     SLICE("0123456789abcdef\n end\n}end\nends\n0123456789end\nend\n5\nend\n"),
     8,
     {SLICE(DROPPED), SLICE("5")}},
    {"two over the limit between good ones",
     SLICE("1\nend\n0123456789\nend\n0123456789\nend\n2\nend\n"),
     8,
     {SLICE("1"), SLICE(DROPPED), SLICE(DROPPED), SLICE("2")}},
    {"over the limit and no end", SLICE("0123456789abcdef\nen"), 8, {SLICE(DROPPED)}},
    {"a limit of nothing",
     SLICE("end\n\nend\n1\nend\nend\n"),
     0,
     {SLICE(""), SLICE(""), SLICE(DROPPED), SLICE("")}},
    {"a limit shorter than the end",
     SLICE("1\nend\n12\nend\n2\nend\n"),
     2,
     {SLICE("1"), SLICE(DROPPED), SLICE("2")}},
};

enum { EXAMPLES = sizeof examples / sizeof examples[0] };

/* Compare what was found with what was to be found. */
static void
check_found(const struct example *example, const struct buffer *found, size_t split)
{
    struct buffer expected = {0};
    for (const struct slice *frame = example->frames; frame->ptr != NULL; frame++) {
        if (slice_equal(*frame, SLICE(DROPPED))) {
            framing_note_dropped(&expected);
        } else {
            framing_note_frame(&expected, *frame);
        }
    }
    ck_assert_msg(slice_equal((struct slice){found->data, found->len},
                              (struct slice){expected.data, expected.len}),
                  "%s, split at %zu: found %.*s", example->name, split, (int)found->len,
                  found->len > 0 ? found->data : "");
    buffer_deinit(&expected);
}

START_TEST(whole_and_split_in_two_at_every_byte)
{
    const struct example *example = &examples[_i];
    for (size_t split = 0; split <= example->bytes.len; split++) {
        struct framing framing = {.limit = example->limit};
        framing_feed(&framing, (struct slice){example->bytes.ptr, split});
        framing_feed(&framing,
                     (struct slice){example->bytes.ptr + split, example->bytes.len - split});
        check_found(example, &framing.found, split);
        framing_deinit(&framing);
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    const struct example *example = &examples[_i];
    struct framing framing = {.limit = example->limit};
    for (size_t i = 0; i < example->bytes.len; i++) {
        framing_feed(&framing, (struct slice){example->bytes.ptr + i, 1});
    }
    check_found(example, &framing.found, 1);
    framing_deinit(&framing);
}
END_TEST

/* Two readers may share the offsets: nothing else is remembered between two calls. */
START_TEST(frames_borrow_from_the_bytes)
{
    static const char bytes[] = "{}\nend\n[1]\nend\n";
    struct frame_input input = {.end = sizeof bytes - 1};
    struct slice frame;
    ck_assert_int_eq(frame_next(&input, bytes, NO_LIMIT, &frame, NULL), 1);
    ck_assert_ptr_eq(frame.ptr, bytes);
    ck_assert_uint_eq(input.start, 7);
    struct frame_input other = input;
    ck_assert_int_eq(frame_next(&input, bytes, NO_LIMIT, &frame, NULL), 1);
    ck_assert_ptr_eq(frame.ptr, bytes + 7);
    ck_assert_int_eq(frame_next(&other, bytes, NO_LIMIT, &frame, NULL), 1);
    ck_assert_ptr_eq(frame.ptr, bytes + 7);
    ck_assert_int_eq(frame_next(&input, bytes, NO_LIMIT, &frame, NULL), 0);
    ck_assert_uint_eq(input.start, sizeof bytes - 1);
}
END_TEST

START_TEST(says_that_the_limit_was_passed)
{
    static const char bytes[] = "0123456789\nend\n";
    struct frame_input input = {.end = sizeof bytes - 1};
    struct slice frame;
    struct fault fault = {0};
    ck_assert_int_eq(frame_next(&input, bytes, 10, &frame, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_uint_eq(fault.offset, 10);
    ck_assert_str_eq(fault.text, "a message is longer than the limit of 10 bytes");
    fault = (struct fault){0};
    ck_assert_int_eq(frame_next(&input, bytes, 10, &frame, &fault), -1); /* and says so again */
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_int_eq(frame_skip(&input, bytes), 1);
    ck_assert_uint_eq(input.start, sizeof bytes - 1);
}
END_TEST

/* Whatever the limit, a frame that keeps it needs no more room than the limit and its last line. */
START_TEST(room_that_a_frame_needs)
{
    static const char bytes[] = "1234567\nend\n";
    struct slice frame;
    for (size_t end = 0; end < sizeof bytes - 1; end++) {
        struct frame_input input = {.end = end};
        ck_assert_int_eq(frame_next(&input, bytes, 8, &frame, NULL), 0);
    }
    struct frame_input input = {.end = 8 + sizeof "end"};
    ck_assert_int_eq(frame_next(&input, bytes, 8, &frame, NULL), 1);
}
END_TEST

/* A message that never ends must not make its reader keep it. */
START_TEST(dropping_keeps_next_to_nothing)
{
    struct framing framing = {.limit = 100};
    char piece[64];
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 1000; i++) {
        framing_feed(&framing, (struct slice){piece, sizeof piece});
        ck_assert_uint_le(framing.held.len, 2 * sizeof piece);
    }
    framing_feed(&framing, SLICE("\nend\n{}\nend\n"));
    ck_assert(slice_equal((struct slice){framing.found.data, framing.found.len}, SLICE("!2:{}")));
    framing_deinit(&framing);
}
END_TEST

Suite *
frame_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tcase = tcase_create("frame");
    tcase_add_loop_test(tcase, whole_and_split_in_two_at_every_byte, 0, EXAMPLES);
    tcase_add_loop_test(tcase, byte_by_byte, 0, EXAMPLES);
    tcase_add_test(tcase, frames_borrow_from_the_bytes);
    tcase_add_test(tcase, says_that_the_limit_was_passed);
    tcase_add_test(tcase, room_that_a_frame_needs);
    tcase_add_test(tcase, dropping_keeps_next_to_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
