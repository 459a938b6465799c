/* Tuples in and out, writing; and what signals, threads and forks do to a session. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conversation.h"
#include "framing.h"
#include "suites.h"

/* ---- tuples in and out ------------------------------------------------------------------ */

static struct tuple_id
next_id(void)
{
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    return session_tuple_id(session, &message.id, &fault);
}

START_TEST(settled_once)
{
    storm_say(&storm, SLICE(TUPLE("-17", "dog") TUPLE("a\\/b\\\"", "cat")));
    take_in();
    struct tuple_id number = next_id();
    ck_assert_int_eq(session_hand_out(session, number, &fault), 0);
    ck_assert(session_is_live(session, number));
    struct tuple_id text = next_id();
    ck_assert_int_eq(session_hand_out(session, text, &fault), 0);
    ck_assert_int_eq(session_ack(session, number, &fault), 0);
    ck_assert_int_eq(session_fail(session, text, &fault), 0);
    ck_assert(!session_is_live(session, number) && !session_is_live(session, text));
    check_said("{\"command\":\"ack\",\"id\":\"-17\"}" END
               "{\"command\":\"fail\",\"id\":\"a/b\\\"\"}" END);

    ck_assert_int_eq(session_fail(session, number, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_ID);
    ck_assert_str_eq(fault.text, "tuple -17 is not waiting to be acked or failed: it was settled "
                                 "before, or Storm never sent it");
    fault = (struct fault){0};
    ck_assert_int_eq(session_ack(session, number_id(99), &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_ID);
    check_said("");
}
END_TEST

/* What the guardian is told to be in hand. */
START_TEST(the_tuple_in_hand)
{
    const struct arena_hand *hand = &storm.arena->hand;
    storm_say(&storm, SLICE(TUPLE("-17", "dog") TUPLE("order", "cat")));
    take_in();
    ck_assert_int_eq(session_hand_out(session, next_id(), &fault), 0);
    ck_assert_int_eq(hand->kind, HAND_TUPLE);
    ck_assert_int_eq(hand->number, -17);
    ck_assert_int_eq(session_hand_out(session, next_id(), &fault), 0);
    ck_assert_int_eq(hand->kind, HAND_TUPLE);
    ck_assert(slice_equal((struct slice){hand->text, hand->len}, SLICE("order")));
    check_no_message();
    ck_assert_int_eq(hand->kind, HAND_EMPTY);
}
END_TEST

static const struct emit plain = {.anchors = SLICE("\"1\""), .task = -1};

START_TEST(an_emit_is_whole)
{
    struct buffer *values = session_begin_emit(session, &plain, 1, &fault);
    ck_assert_ptr_nonnull(values);
    ck_assert_int_eq(buffer_append(values, SLICE("\"dog\""), &fault), 0);
    ck_assert_int_eq(session_end_emit(session, &fault), 0);
    check_said("{\"command\":\"emit\",\"need_task_ids\":false,\"anchors\":[\"1\"],"
               "\"tuple\":[\"dog\"]}" END);
}
END_TEST

START_TEST(or_not_at_all)
{
    ck_assert_int_eq(session_sync(session, &fault), 0);
    struct buffer *values = session_begin_emit(session, &plain, 1, &fault);
    ck_assert_int_eq(buffer_append(values, SLICE("\"half of"), &fault), 0);
    ck_assert_int_eq(session_flush(session, &fault), 1); /* as another thread may do meanwhile */
    session_drop_emit(session);
    ck_assert_int_eq(session_sync(session, &fault), 0);
    check_said(SYNC SYNC);
}
END_TEST

START_TEST(an_emit_that_storm_would_not_take)
{
    struct emit unknown = {.stream = SLICE("errors"), .task = -1};
    struct emit direct = {.stream = SLICE("direct"), .task = 2};
    ck_assert_ptr_null(session_begin_emit(session, &plain, 2, &fault));
    ck_assert_int_eq(fault.code, FAULT_STREAM);
    fault = (struct fault){0};
    ck_assert_ptr_null(session_begin_emit(session, &unknown, 1, &fault));
    ck_assert_int_eq(fault.code, FAULT_STREAM);
    fault = (struct fault){0};
    struct buffer *values = session_begin_emit(session, &direct, 2, &fault);
    ck_assert_ptr_nonnull(values);
    ck_assert_int_eq(buffer_append(values, SLICE("1,2"), &fault), 0);
    ck_assert_int_eq(session_end_emit(session, &fault), 0);
    check_said("{\"command\":\"emit\",\"need_task_ids\":false,\"stream\":\"direct\","
               "\"task\":4294967298,\"tuple\":[1,2]}" END);
}
END_TEST

START_TEST(what_else_is_said)
{
    ck_assert_int_eq(session_log(session, LEVEL_ERROR, SLICE("a\nb"), &fault), 0);
    ck_assert_int_eq(session_error(session, SLICE("why"), &fault), 0);
    ck_assert_int_eq(session_metric(session, SLICE("lag"), SLICE("5"), &fault), 0);
    check_said("{\"command\":\"log\",\"level\":4294967300,\"msg\":\"a\\nb\"}" END
               "{\"command\":\"error\",\"msg\":\"why\"}" END
               "{\"command\":\"metrics\",\"name\":\"lag\",\"params\":5}" END);
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------- */

/* Storm does not read: nothing blocks, nothing is lost, and its own words still come in. */
START_TEST(a_full_pipe)
{
    static char text[1000];
    enum { LOGS = 2000 };
    memset(text, 'x', sizeof text);
    for (int i = 0; i < LOGS; i++) {
        ck_assert_int_eq(session_log(session, LEVEL_INFO, (struct slice){text, sizeof text},
                                     &fault),
                         0);
        ck_assert_int_ge(session_breathe(session, &fault), 0);
    }
    ck_assert_int_eq(session_flush(session, &fault), 0);
    ck_assert(session_congested(session));
    storm_say(&storm, SLICE(TUPLE("1", "dog")));
    take_in();
    check_next_tuple("1");

    struct framing framing = {.limit = 2000};
    while (storm_hear(&storm) > 0) {
        framing_feed(&framing, (struct slice){storm.heard.data, storm.heard.len});
        storm.heard.len = 0;
        ck_assert_int_eq(session_wait(session, 0, &fault), 0);
        ck_assert_int_ge(session_flush(session, &fault), 0);
    }
    ck_assert(!session_congested(session));
    size_t frame =
        strlen("1045:{\"command\":\"log\",\"level\":4294967298,\"msg\":\"\"}") + sizeof text;
    ck_assert_uint_eq(framing.found.len, LOGS * frame);
    ck_assert_mem_eq(framing.found.data, "1045:{\"command\":\"log\"", 21);
    ck_assert_mem_eq(framing.found.data, framing.found.data + (LOGS - 1) * frame, frame);
    framing_deinit(&framing);
}
END_TEST

/* A message waits for others, but not for ever: breathing writes it by and by. */
START_TEST(breathing_writes_in_time)
{
    ck_assert_int_eq(session_sync(session, &fault), 0);
    while (storm_hear(&storm) == 0) {
        ck_assert_int_ge(session_breathe(session, &fault), 0);
    }
    check_said(SYNC);
}
END_TEST

START_TEST(breathing_writes_much_at_once)
{
    static char text[8 << 10];
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(session_log(session, LEVEL_INFO, (struct slice){text, sizeof text}, &fault),
                     0);
    ck_assert_int_eq(session_breathe(session, &fault), 1);
    ck_assert_uint_gt(storm_hear(&storm), sizeof text);
}
END_TEST

START_TEST(storm_has_gone)
{
    storm_turn_away(&storm);
    ck_assert_int_eq(session_sync(session, &fault), 0);
    ck_assert_int_eq(session_flush(session, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_GONE);
    session_close(session, 10, false); /* does not wait for what can never go */
    ck_assert(!storm.arena->in_order);
}
END_TEST

START_TEST(closing_in_order)
{
    ck_assert_int_eq(session_sync(session, &fault), 0);
    ck_assert_int_eq(session_hand_out(session, number_id(1), &fault), 0);
    session_last_words(session, SLICE("all is done"));
    session_close(session, 1000, true);
    ck_assert(slice_equal(storm_heard(&storm), SLICE(SYNC)));
    ck_assert(storm.arena->in_order);
    ck_assert_int_eq(storm.arena->hand.kind, HAND_TUPLE); /* for who asks what it did */
    ck_assert(slice_equal((struct slice){storm.arena->last_words, storm.arena->last_words_len},
                          SLICE("all is done")));
}
END_TEST

/* ---- signals, threads and forks --------------------------------------------------------- */

START_TEST(sigterm_asks_to_end)
{
    ck_assert(!session_ended(session));
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert(session_ended(session));
    ck_assert(session_asked_to_end(session));
    ck_assert_int_eq(session_wait(session, -1, &fault), 0); /* for ever is over now */
}
END_TEST

static atomic_bool woken;

static void *
keep_waking(void *unused)
{
    (void)unused;
    while (!atomic_load(&woken)) {
        session_wake(session);
        sched_yield();
    }
    return NULL;
}

START_TEST(another_thread_ends_the_wait)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_waking, NULL), 0);
    ck_assert_int_eq(session_wait(session, -1, &fault), 0);
    atomic_store(&woken, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(!session_ended(session));
}
END_TEST

/* What a forked child may do with the session. The number of the first wrong thing, or 0. */
static int
try_in_child(int wire)
{
    struct message message;
    struct slice ids;
    int results[] = {
        session_sync(session, NULL),
        session_log(session, LEVEL_INFO, SLICE("x"), NULL),
        session_error(session, SLICE("x"), NULL),
        session_metric(session, SLICE("x"), SLICE("1"), NULL),
        session_ack(session, number_id(1), NULL),
        session_fail(session, number_id(1), NULL),
        session_next(session, &message, NULL),
        session_wait(session, 0, NULL),
        session_task_ids(session, &ids, NULL),
        session_flush(session, NULL),
        session_breathe(session, NULL),
        session_answer(session, NULL),
        session_begin_emit(session, &plain, 1, NULL) == NULL ? -1 : 0,
    };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (results[i] != -1) {
            return (int)i + 1;
        }
    }
    if (session_sync(session, &fault) == 0 || fault.code != FAULT_FORKED) {
        return 50;
    }
    if (session_is_live(session, number_id(1)) || session_congested(session) ||
        !session_ended(session)) {
        return 51;
    }
    session_close(session, 0, true);
    return write(wire, "x", 1) < 0 ? 0 : 52;
}

START_TEST(a_forked_child_has_no_part)
{
    int status;
    int wire = storm.arena->out; /* the child has no arena to look it up in */
    ck_assert_int_eq(session_hand_out(session, number_id(1), &fault), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(try_in_child(wire));
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_uint_eq(storm_hear(&storm), 0);
    ck_assert_int_eq(session_ack(session, number_id(1), &fault), 0); /* the parent goes on */
    check_said("{\"command\":\"ack\",\"id\":\"1\"}" END);
}
END_TEST

TCase *
session_sending(void)
{
    TCase *tcase = tcase_create("sending");
    tcase_add_checked_fixture(tcase, conversation, conversation_end);
    tcase_add_test(tcase, settled_once);
    tcase_add_test(tcase, the_tuple_in_hand);
    tcase_add_test(tcase, an_emit_is_whole);
    tcase_add_test(tcase, or_not_at_all);
    tcase_add_test(tcase, an_emit_that_storm_would_not_take);
    tcase_add_test(tcase, what_else_is_said);
    tcase_add_test(tcase, breathing_writes_in_time);
    tcase_add_test(tcase, breathing_writes_much_at_once);
    tcase_add_test(tcase, storm_has_gone);
    tcase_add_test(tcase, closing_in_order);
    tcase_add_test(tcase, another_thread_ends_the_wait);
    return tcase;
}

/* See check_arena.c; and a signal that asked to end has done so for the rest of the process. */
TCase *
session_own_process(void)
{
    TCase *tcase = tcase_create("own process");
    tcase_set_tags(tcase, "own-process");
    tcase_add_checked_fixture(tcase, conversation, conversation_end);
    tcase_add_test(tcase, sigterm_asks_to_end);
    tcase_add_test(tcase, a_forked_child_has_no_part);
    return tcase;
}

TCase *
session_small_pipe(void)
{
    TCase *tcase = tcase_create("small pipe");
    tcase_add_checked_fixture(tcase, conversation_in_small_pipe, conversation_end);
    tcase_add_test(tcase, a_full_pipe);
    return tcase;
}
