#include "capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "scarce.h"
#include "suites.h"

static struct capture capture;
static struct buffer lane;
static int print_to;

static void
setup(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 256 << 10), 256 << 10);
    capture = (struct capture){.fd = ends[0], .level = LEVEL_INFO};
    print_to = ends[1];
}

static void
teardown(void)
{
    capture_deinit(&capture);
    ck_assert_int_eq(capture.fd, -1);
    if (print_to >= 0) {
        close(print_to);
    }
    buffer_deinit(&lane);
}

static void
print(struct slice bytes)
{
    ck_assert_int_eq(write(print_to, bytes.ptr, bytes.len), (ssize_t)bytes.len);
}

static void
stop_printing(void)
{
    close(print_to);
    print_to = -1;
}

static void
read_all(int64_t now_ms)
{
    while (capture_read(&capture, &lane, now_ms) > 0) {
    }
}

/* What was logged is these lines and nothing else. */
static void
check_logged(enum message_level level, const char *const *lines)
{
    struct buffer expected = {0};
    for (; *lines != NULL; lines++) {
        struct slice line = {*lines, strlen(*lines)};
        ck_assert_int_eq(message_write_log(&expected, level, line, NULL), 0);
    }
    ck_assert_msg(slice_equal((struct slice){lane.data, lane.len},
                              (struct slice){expected.data, expected.len}),
                  "logged %.*s", (int)lane.len, lane.len > 0 ? lane.data : "");
    buffer_deinit(&expected);
}

#define CHECK_LOGGED(...) check_logged(LEVEL_INFO, (const char *const[]){__VA_ARGS__, NULL})

static void
check_nothing_logged(void)
{
    ck_assert_uint_eq(lane.len, 0);
}

START_TEST(a_message_a_line)
{
    print(SLICE("one\ntwo\r\n\n\r\n  three  \n{\"command\":\"sync\"}\nend\n"));
    read_all(1000);
    CHECK_LOGGED("one", "two", "  three  ", "{\"command\":\"sync\"}", "end");
    ck_assert_int_eq(capture_read(&capture, &lane, 1000), 0); /* nothing more now */
    ck_assert_int_ge(capture.fd, 0);
}
END_TEST

START_TEST(at_its_level)
{
    capture.level = LEVEL_WARN;
    print(SLICE("careful\n"));
    read_all(1000);
    check_logged(LEVEL_WARN, (const char *const[]){"careful", NULL});
}
END_TEST

START_TEST(split_at_every_byte)
{
    struct slice bytes = SLICE("one\ntwo\r\ngr\xc3\xbc\xc3\x9f\n");
    for (size_t i = 0; i < bytes.len; i++) {
        print((struct slice){bytes.ptr + i, 1});
        read_all(1000);
    }
    CHECK_LOGGED("one", "two", "gr\xc3\xbc\xc3\x9f");
}
END_TEST

START_TEST(a_line_without_its_end)
{
    print(SLICE("Password: "));
    read_all(1000);
    check_nothing_logged();
    capture_flush(&capture, &lane, 1000);
    CHECK_LOGGED("Password: ");
    capture_flush(&capture, &lane, 1000); /* once */
    CHECK_LOGGED("Password: ");
    print(SLICE("secret\n"));
    read_all(1000);
    CHECK_LOGGED("Password: ", "secret");
}
END_TEST

START_TEST(the_last_line_at_the_end)
{
    print(SLICE("one\ntwo"));
    stop_printing();
    read_all(1000);
    CHECK_LOGGED("one", "two");
    ck_assert_int_eq(capture.fd, -1);
    ck_assert_int_eq(capture_read(&capture, &lane, 1000), 0);
}
END_TEST

/* At the longest line and a byte beyond it; with the line after it as a witness. */
START_TEST(a_long_line)
{
    static char line[CAPTURE_LINE_MAX + 1 + 30];
    const char cut[] = " [cut by Stormcell]";
    size_t len = CAPTURE_LINE_MAX + (size_t)_i;
    memset(line, 'x', len);
    line[len] = '\n';
    print((struct slice){line, len + 1});
    print(SLICE("next\n"));
    read_all(1000);
    memcpy(line + CAPTURE_LINE_MAX, _i == 0 ? "" : cut, _i == 0 ? 1 : sizeof cut);
    CHECK_LOGGED(line, "next");
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
    print(SLICE("caf\xe9\0\x1b[31m\n"));
    read_all(1000);
    struct buffer expected = {0};
    ck_assert_int_eq(message_write_log(&expected, LEVEL_INFO, SLICE("caf\xef\xbf\xbd\0\x1b[31m"),
                                       NULL),
                     0);
    ck_assert(slice_equal((struct slice){lane.data, lane.len},
                          (struct slice){expected.data, expected.len}));
    buffer_deinit(&expected);
}
END_TEST

/* How many log messages there are in the lane. */
static size_t
count_logged(void)
{
    size_t count = 0;
    for (size_t i = 0; i + 5 <= lane.len; i++) {
        count += memcmp(lane.data + i, "\nend\n", 5) == 0;
    }
    return count;
}

static void
print_lines(int count)
{
    for (int i = 0; i < count; i++) {
        print(SLICE("x\n"));
    }
}

START_TEST(lines_a_second)
{
    print_lines(CAPTURE_LINES_A_SECOND);
    read_all(1000);
    ck_assert_uint_eq(count_logged(), CAPTURE_LINES_A_SECOND);
    print_lines(3);
    read_all(1999); /* still the same second */
    ck_assert_uint_eq(count_logged(), CAPTURE_LINES_A_SECOND);
    ck_assert_uint_eq(capture.dropped, 3);
    capture_report_dropped(&capture, &lane, 1999);
    ck_assert_uint_eq(count_logged(), CAPTURE_LINES_A_SECOND);

    lane.len = 0;
    capture_report_dropped(&capture, &lane, 2000);
    check_logged(LEVEL_WARN,
                 (const char *const[]){"Stormcell dropped 3 printed lines (over 1000 a second)",
                                       NULL});
    ck_assert_uint_eq(capture.dropped, 0);
    lane.len = 0;
    print_lines(2);
    read_all(2000);
    CHECK_LOGGED("x", "x");
}
END_TEST

/* The report stands before the first line of the second that follows. */
START_TEST(dropped_lines_are_reported_in_their_place)
{
    print_lines(CAPTURE_LINES_A_SECOND + 1);
    read_all(1000);
    lane.len = 0;
    print(SLICE("after\n"));
    read_all(5000);
    struct buffer expected = {0};
    struct slice report = SLICE("Stormcell dropped 1 printed lines (over 1000 a second)");
    ck_assert_int_eq(message_write_log(&expected, LEVEL_WARN, report, NULL), 0);
    ck_assert_int_eq(message_write_log(&expected, LEVEL_INFO, SLICE("after"), NULL), 0);
    ck_assert(slice_equal((struct slice){lane.data, lane.len},
                          (struct slice){expected.data, expected.len}));
    buffer_deinit(&expected);
}
END_TEST

/* A full lane takes whole messages or nothing, and what it cannot take counts as dropped. */
START_TEST(a_full_lane)
{
    char room[150];
    struct buffer fixed = {.data = room, .cap = sizeof room, .fixed = true};
    print(SLICE("one\ntwo\nthree\n"));
    while (capture_read(&capture, &fixed, 1000) > 0) {
    }
    ck_assert_int_eq(message_write_log(&lane, LEVEL_INFO, SLICE("one"), NULL), 0);
    ck_assert_int_eq(message_write_log(&lane, LEVEL_INFO, SLICE("two"), NULL), 0);
    ck_assert(
        slice_equal((struct slice){fixed.data, fixed.len}, (struct slice){lane.data, lane.len}));
    ck_assert_uint_eq(capture.dropped, 1);
    capture_report_dropped(&capture, &fixed, 2000); /* nor is there room for the report */
    ck_assert_uint_eq(capture.dropped, 1);
    fixed.len = 0;
    capture_report_dropped(&capture, &fixed, 2000);
    ck_assert_uint_eq(capture.dropped, 0);
    ck_assert_uint_gt(fixed.len, 0);
}
END_TEST

/* Without memory for a line, its rest is marked as cut and the next line is whole again. */
START_TEST(without_memory)
{
    print(SLICE("one\n"));
    scarce_begin(1);
    read_all(1000);
    ck_assert(scarce_end());
    lane.len = 0;
    print(SLICE("two\n"));
    read_all(1000);
    CHECK_LOGGED("two");
}
END_TEST

Suite *
capture_suite(void)
{
    Suite *suite = suite_create("capture");
    TCase *tcase = tcase_create("capture");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_message_a_line);
    tcase_add_test(tcase, at_its_level);
    tcase_add_test(tcase, split_at_every_byte);
    tcase_add_test(tcase, a_line_without_its_end);
    tcase_add_test(tcase, the_last_line_at_the_end);
    tcase_add_loop_test(tcase, a_long_line, 0, 2);
    tcase_add_test(tcase, bytes_that_are_no_text);
    tcase_add_test(tcase, lines_a_second);
    tcase_add_test(tcase, dropped_lines_are_reported_in_their_place);
    tcase_add_test(tcase, a_full_lane);
    tcase_add_test(tcase, without_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
