#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chance.h"
#include "framing.h"
#include "storm.h"
#include "suites.h"

static struct storm storm;
static struct buffer lanes[ARENA_WRITERS];
static struct fault fault;

static void
begin(int room)
{
    fault = (struct fault){0};
    signal(SIGPIPE, SIG_IGN);
    storm_start(&storm, room);
    lanes[WRITER_INTERPRETER] = wire_lane(storm.arena, WRITER_INTERPRETER);
    lanes[WRITER_GUARDIAN] = wire_lane(storm.arena, WRITER_GUARDIAN);
}

static void
setup(void)
{
    begin(0);
}

static void
setup_small_pipe(void)
{
    begin(4096);
}

static void
teardown(void)
{
    storm_end(&storm);
}

static void
say(enum arena_writer writer, struct slice text)
{
    ck_assert_int_eq(buffer_append(&lanes[writer], text, &fault), 0);
    wire_commit(storm.arena, writer, &lanes[writer]);
}

static int
flush(enum arena_writer writer)
{
    return wire_flush(storm.arena, writer, &lanes[writer], &fault);
}

/* ---- writing ---------------------------------------------------------------------------- */

START_TEST(nothing_before_the_pid)
{
    char pid[40];
    say(WRITER_INTERPRETER, SLICE("{}\nend\n"));
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    ck_assert_uint_eq(storm_hear(&storm), 0);
    ck_assert_uint_eq(wire_pending(storm.arena, WRITER_INTERPRETER), 7);
    ck_assert_int_eq(wire_answer(storm.arena, &fault), 0);
    ck_assert_int_eq(wire_answer(storm.arena, &fault), 0); /* once is enough */
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    int len = snprintf(pid, sizeof pid, "{\"pid\":%d}\nend\n{}\nend\n", (int)getpid());
    ck_assert(slice_equal(storm_heard(&storm), (struct slice){pid, (size_t)len}));
    ck_assert_uint_eq(wire_pending(storm.arena, WRITER_INTERPRETER), 0);
}
END_TEST

/* What is appended but not committed is no message yet. */
START_TEST(only_what_is_committed)
{
    storm.arena->answered = true;
    say(WRITER_INTERPRETER, SLICE("one"));
    ck_assert_int_eq(buffer_append(&lanes[WRITER_INTERPRETER], SLICE("two"), &fault), 0);
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("one")));
    ck_assert_uint_eq(lanes[WRITER_INTERPRETER].len, 6); /* the open message stays in its place */
    wire_commit(storm.arena, WRITER_INTERPRETER, &lanes[WRITER_INTERPRETER]);
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("onetwo")));
    ck_assert_uint_eq(lanes[WRITER_INTERPRETER].len, 0);
}
END_TEST

/* Whoever flushes writes what the other one has committed as well. */
START_TEST(each_writes_for_both)
{
    storm.arena->answered = true;
    say(WRITER_INTERPRETER, SLICE("one"));
    say(WRITER_GUARDIAN, SLICE("two"));
    ck_assert_int_eq(flush(WRITER_GUARDIAN), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("onetwo")));
    ck_assert_uint_eq(wire_pending(storm.arena, WRITER_INTERPRETER), 0);
    say(WRITER_INTERPRETER, SLICE("three"));
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("onetwothree")));
}
END_TEST

START_TEST(a_lane_starts_over_when_it_is_empty)
{
    storm.arena->answered = true;
    for (int i = 0; i < 3; i++) {
        say(WRITER_GUARDIAN, SLICE("abc"));
        ck_assert_uint_eq(lanes[WRITER_GUARDIAN].len, 3);
        ck_assert_int_eq(flush(WRITER_GUARDIAN), 1);
        ck_assert_uint_eq(lanes[WRITER_GUARDIAN].len, 0);
    }
    ck_assert(slice_equal(storm_heard(&storm), SLICE("abcabcabc")));
}
END_TEST

/* What Storm has not taken moves to the front, or a lane that is never empty would grow for ever. */
START_TEST(a_lane_that_is_never_empty_stays_short)
{
    static const char message[] = "0123456789abcdefghijklmnopqrstu";
    const struct slice text = {message, sizeof message - 1};
    const size_t ahead = 20000; /* more than the pipe takes */
    struct buffer *lane = &lanes[WRITER_INTERPRETER];
    size_t said = 0;
    storm.arena->answered = true;
    while (said < 100 * ahead) {
        while (wire_pending(storm.arena, WRITER_INTERPRETER) < ahead) {
            say(WRITER_INTERPRETER, text);
            said += text.len;
        }
        storm_hear(&storm);
        ck_assert_int_eq(flush(WRITER_INTERPRETER), 0);
        ck_assert_uint_gt(wire_pending(storm.arena, WRITER_INTERPRETER), 0);
        ck_assert_uint_lt(lane->len, 3 * ahead);
    }
    while (flush(WRITER_INTERPRETER) == 0) {
        storm_hear(&storm);
    }
    struct slice heard = storm_heard(&storm);
    ck_assert_uint_eq(heard.len, said);
    for (size_t at = 0; at < said; at += text.len) {
        ck_assert_mem_eq(heard.ptr + at, text.ptr, text.len);
    }
}
END_TEST

START_TEST(full_pipe)
{
    static char large[100000];
    storm.arena->answered = true;
    memset(large, 'x', sizeof large);
    say(WRITER_INTERPRETER, (struct slice){large, sizeof large});
    say(WRITER_GUARDIAN, SLICE("behind it"));
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 0);
    ck_assert_uint_gt(wire_pending(storm.arena, WRITER_INTERPRETER), 0);
    ck_assert_int_eq(flush(WRITER_GUARDIAN), 0); /* it may not come in between */
    while (storm_hear(&storm) > 0) {
        ck_assert_int_ge(flush(WRITER_GUARDIAN), 0);
    }
    struct slice heard = storm_heard(&storm);
    ck_assert_uint_eq(heard.len, sizeof large + strlen("behind it"));
    ck_assert_mem_eq(heard.ptr, large, sizeof large);
    ck_assert_mem_eq(heard.ptr + sizeof large, "behind it", strlen("behind it"));
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

/* A message of the writer's, "a00017aaaa...". Returns its length. */
static size_t
make_message(char *message, size_t size, enum arena_writer writer, struct chance *chance)
{
    static unsigned number;
    size_t len = 10 + chance_below(chance, (uint32_t)size - 20);
    memset(message, writer == WRITER_GUARDIAN ? 'g' : 'i', len);
    int digits = snprintf(message + 1, 6, "%05u", number++);
    message[1 + digits] = '-';
    return len;
}

/* What framing found, sorted by the writers' letters. */
static void
sort_by_writer(const struct buffer *found, struct buffer by_writer[ARENA_WRITERS])
{
    for (size_t at = 0; at < found->len;) {
        char *colon;
        size_t len = strtoul(found->data + at, &colon, 10);
        struct slice message = {colon + 1, len};
        framing_note_frame(&by_writer[colon[1] == 'g' ? WRITER_GUARDIAN : WRITER_INTERPRETER],
                           message);
        at = (size_t)(colon + 1 - found->data) + len;
    }
}

/* Messages of both writers, flushed now and then into a pipe that is emptied now and then. */
static void
talk(struct chance *chance, struct buffer said[ARENA_WRITERS])
{
    for (int i = 0; i < 400; i++) {
        char message[3000];
        enum arena_writer writer = chance_below(chance, 2) ? WRITER_GUARDIAN : WRITER_INTERPRETER;
        size_t len = make_message(message, sizeof message, writer, chance);
        framing_note_frame(&said[writer], (struct slice){message, len});
        memcpy(message + len, "\nend\n", 5);
        say(writer, (struct slice){message, len + 5});
        if (chance_below(chance, 2) == 0) {
            ck_assert_int_ge(flush(writer), 0);
        }
        if (chance_below(chance, 4) == 0) {
            storm_hear(&storm);
        }
    }
    do {
        ck_assert_int_ge(flush(WRITER_INTERPRETER), 0);
    } while (storm_hear(&storm) > 0);
}

/* Each message arrives whole, and those of one writer in their order. */
START_TEST(no_message_cuts_another)
{
    struct chance chance = {(uint64_t)_i};
    struct framing framing = {.limit = 10000};
    struct buffer said[ARENA_WRITERS] = {{0}};
    struct buffer found[ARENA_WRITERS] = {{0}};
    storm.arena->answered = true;
    talk(&chance, said);
    framing_feed(&framing, storm_heard(&storm));
    sort_by_writer(&framing.found, found);
    for (int i = 0; i < ARENA_WRITERS; i++) {
        ck_assert_uint_gt(said[i].len, 0);
        ck_assert(slice_equal((struct slice){found[i].data, found[i].len},
                              (struct slice){said[i].data, said[i].len}));
        buffer_deinit(&found[i]);
        buffer_deinit(&said[i]);
    }
    framing_deinit(&framing);
}
END_TEST

START_TEST(storm_has_gone)
{
    storm.arena->answered = true;
    storm_turn_away(&storm);
    say(WRITER_INTERPRETER, SLICE("to nobody"));
    ck_assert_int_eq(flush(WRITER_INTERPRETER), -1);
    ck_assert_int_eq(fault.code, FAULT_GONE);
    ck_assert_str_eq(fault.text, "Storm has closed the wire");
    fault = (struct fault){0};
    ck_assert_int_eq(flush(WRITER_GUARDIAN), -1); /* and the other one knows it too */
    ck_assert_int_eq(fault.code, FAULT_GONE);
}
END_TEST

START_TEST(no_answer_to_one_that_has_gone)
{
    storm_turn_away(&storm);
    ck_assert_int_eq(wire_answer(storm.arena, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_GONE);
}
END_TEST

/* ---- the lock --------------------------------------------------------------------------- */

START_TEST(somebody_else_is_writing)
{
    storm.arena->answered = true;
    say(WRITER_INTERPRETER, SLICE("later"));
    ck_assert_int_eq(pthread_mutex_lock(&storm.arena->lock), 0);
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 0);
    ck_assert_uint_eq(storm_hear(&storm), 0);
    ck_assert_int_eq(pthread_mutex_unlock(&storm.arena->lock), 0);
    ck_assert_int_eq(flush(WRITER_INTERPRETER), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("later")));
}
END_TEST

/* The other process dies with the lock in its hand, in the middle of a write(2) or not. */
static void
die_with_the_lock(bool writing)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(&storm.arena->lock);
        storm.arena->writing = writing;
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

START_TEST(the_other_died_between_writes)
{
    storm.arena->answered = true;
    say(WRITER_GUARDIAN, SLICE("its death"));
    die_with_the_lock(false);
    ck_assert_int_eq(flush(WRITER_GUARDIAN), 1);
    ck_assert(slice_equal(storm_heard(&storm), SLICE("its death")));
    ck_assert_int_eq(flush(WRITER_GUARDIAN), 1); /* the lock is whole again */
}
END_TEST

START_TEST(the_other_died_while_it_wrote)
{
    storm.arena->answered = true;
    say(WRITER_GUARDIAN, SLICE("its death"));
    die_with_the_lock(true);
    ck_assert_int_eq(flush(WRITER_GUARDIAN), -1);
    ck_assert_int_eq(fault.code, FAULT_GONE);
    ck_assert_str_eq(fault.text,
                     "the other process died while it wrote to Storm: a message may be cut");
    ck_assert_uint_eq(storm_hear(&storm), 0);
}
END_TEST

/* ---- making it private ------------------------------------------------------------------ */

/* In a process of its own, with pipes for 0, 1 and 2: what is printed is captured, what a reader
   of stdin gets is nothing, and only the private descriptors lead to Storm. The number of the
   first thing that is not so, or 0. */
static int
try_private(void)
{
    char byte[4];
    int captured[2];
    int to_stdin[2], from_stdout[2], from_stderr[2];
    if (pipe(to_stdin) < 0 || pipe(from_stdout) < 0 || pipe(from_stderr) < 0) {
        return 1;
    }
    dup2(to_stdin[0], 0);
    dup2(from_stdout[1], 1);
    dup2(from_stderr[1], 2);
    if (wire_make_private(storm.arena, captured, NULL) < 0) {
        return 2;
    }
    const int private[] = {storm.arena->in, storm.arena->out, storm.arena->complaint, captured[0],
                           captured[1]};
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
        if (private[i] < 10 || (fcntl(private[i], F_GETFD) & FD_CLOEXEC) == 0) {
            return 3;
        }
    }
    if (read(0, byte, 1) != 0) {
        return 4;
    }
    if (write(1, "out", 3) != 3 || read(captured[0], byte, 4) != 3 || memcmp(byte, "out", 3) != 0) {
        return 5;
    }
    if (write(2, "err", 3) != 3 || read(captured[1], byte, 4) != 3 || memcmp(byte, "err", 3) != 0) {
        return 6;
    }
    if (write(to_stdin[1], "in", 2) != 2 || read(storm.arena->in, byte, 4) != 2) {
        return 7;
    }
    if (write(storm.arena->out, "wire", 4) != 4 || read(from_stdout[0], byte, 4) != 4) {
        return 8;
    }
    if (write(storm.arena->complaint, "why", 3) != 3 || read(from_stderr[0], byte, 4) != 3) {
        return 9;
    }
    /* non-blocking, or a deadlock is possible */
    return read(storm.arena->in, byte, 1) == -1 && read(captured[0], byte, 1) == -1 ? 0 : 10;
}

static int
try_without_stdin(void)
{
    int captured[2];
    close(0);
    if (wire_make_private(storm.arena, captured, &fault) == 0 || fault.code != FAULT_SYSTEM) {
        return 1;
    }
    return strcmp(fault.text, "stdin is not open: Bad file descriptor") == 0 ? 0 : 2;
}

START_TEST(private_wire)
{
    int (*const tries[])(void) = {try_private, try_without_stdin};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(tries[_i]());
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* See check_arena.c. */
static TCase *
own_process(void)
{
    TCase *tcase = tcase_create("own process");
    tcase_set_tags(tcase, "own-process");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_other_died_between_writes);
    tcase_add_test(tcase, the_other_died_while_it_wrote);
    tcase_add_loop_test(tcase, private_wire, 0, 2);
    return tcase;
}

Suite *
wire_suite(void)
{
    Suite *suite = suite_create("wire");
    TCase *tcase = tcase_create("wire");
    TCase *small = tcase_create("small pipe");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_before_the_pid);
    tcase_add_test(tcase, only_what_is_committed);
    tcase_add_test(tcase, each_writes_for_both);
    tcase_add_test(tcase, a_lane_starts_over_when_it_is_empty);
    tcase_add_test(tcase, storm_has_gone);
    tcase_add_test(tcase, no_answer_to_one_that_has_gone);
    tcase_add_test(tcase, somebody_else_is_writing);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(small, setup_small_pipe, teardown);
    tcase_add_test(small, a_lane_that_is_never_empty_stays_short);
    tcase_add_test(small, full_pipe);
    tcase_add_loop_test(small, no_message_cuts_another, 0, 5);
    suite_add_tcase(suite, small);
    suite_add_tcase(suite, own_process());
    return suite;
}
