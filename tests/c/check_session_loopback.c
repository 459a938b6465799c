/* A session whose Storm is the test itself, without a wire. */
#include "fixture.h"
#include "session.h"
#include "suites.h"
#include "texts.h"

static struct session *session;

static void
feed(const char *text)
{
    ck_assert_int_eq(session_feed(session, text_of(text), &fault), 0);
}

static void
setup(void)
{
    fixture_setup();
    session = session_new_loopback(&fault);
    ck_assert_msg(session != NULL, "%s", fault.text);
    feed(HANDSHAKE);
    ck_assert_msg(session_handshake(session, &fault) == 1, "%s", fault.text);
}

static void
teardown(void)
{
    session_free(session);
    fixture_teardown();
}

static struct tuple_id
next_tuple(void)
{
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(message.kind, MESSAGE_TUPLE);
    struct tuple_id id = session_tuple_id(session, &message.id, &fault);
    ck_assert_int_eq(session_hand_out(session, id, &fault), 0);
    return id;
}

START_TEST(what_is_said_stays_until_it_is_heard)
{
    feed(TUPLE("5", "dog") HEARTBEAT);
    struct tuple_id id = next_tuple();
    ck_assert(session_is_live(session, id));
    ck_assert_int_eq(session_ack(session, id, &fault), 0);
    ck_assert_int_eq(session_flush(session, &fault), 1); /* writes nothing */
    check_slice(session_said(session), SLICE("{\"command\":\"ack\",\"id\":\"5\"}" END));
    session_heard(session);
    ck_assert_uint_eq(session_said(session).len, 0);
    ck_assert_int_eq(session_ack(session, id, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_ID);
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 0);
    check_slice(session_said(session), SLICE(SYNC)); /* the heartbeat's answer */
}
END_TEST

/* Nothing more comes by itself, and nothing is waited for. */
START_TEST(what_has_not_been_fed_is_not_waited_for)
{
    struct message message;
    struct slice ids;
    ck_assert(session_ended(session));
    ck_assert_int_eq(session_next(session, &message, &fault), 0);
    ck_assert_int_eq(session_answer(session, &fault), 0);
    ck_assert_int_eq(session_task_ids(session, &ids, &fault), 0);
    feed("[3,4]" END);
    ck_assert_int_eq(session_task_ids(session, &ids, &fault), 1);
    check_slice(ids, SLICE("[3,4]"));
    ck_assert_uint_eq(session_said(session).len, 0);
}
END_TEST

START_TEST(an_emit_that_is_open_is_no_message)
{
    struct emit emit = {.task = -1};
    ck_assert_ptr_nonnull(session_begin_emit(session, &emit, 1, &fault));
    ck_assert_uint_eq(session_said(session).len, 0);
    session_heard(session);
    struct buffer *lane = session_begin_emit(session, &emit, 1, &fault);
    ck_assert_int_eq(buffer_append(lane, SLICE("1"), &fault), 0);
    ck_assert_int_eq(session_end_emit(session, &fault), 0);
    check_slice(session_said(session),
                SLICE("{\"command\":\"emit\",\"need_task_ids\":false,\"tuple\":[1]}" END));
}
END_TEST

START_TEST(two_of_them_know_nothing_of_each_other)
{
    struct session *other = session_new_loopback(&fault);
    ck_assert_ptr_nonnull(other);
    feed(TUPLE("5", "dog"));
    struct tuple_id id = next_tuple();
    ck_assert(session_is_live(session, id) && !session_is_live(other, id));
    ck_assert_int_eq(session_log(other, LEVEL_INFO, SLICE("other"), &fault), 0);
    ck_assert_uint_eq(session_said(session).len, 0);
    session_free(other);
    ck_assert(session_is_live(session, id));
}
END_TEST

START_TEST(cut_off_in_a_forked_child)
{
    session_cut_off(session);
    ck_assert(session_is_cut_off(session));
    ck_assert_int_eq(session_feed(session, SLICE("x"), &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_FORKED);
    ck_assert_uint_eq(session_said(session).len, 0);
}
END_TEST

TCase *
session_loopback(void)
{
    TCase *tcase = tcase_create("loopback");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_said_stays_until_it_is_heard);
    tcase_add_test(tcase, what_has_not_been_fed_is_not_waited_for);
    tcase_add_test(tcase, an_emit_that_is_open_is_no_message);
    tcase_add_test(tcase, two_of_them_know_nothing_of_each_other);
    tcase_add_test(tcase, cut_off_in_a_forked_child);
    return tcase;
}
