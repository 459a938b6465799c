/* An interpreter is lost in the middle of something; here it just stops, and what it did not get to
   is undone in the arena. */
#include "recovery.h"

#include "conversation.h"
#include "ids.h"
#include "suites.h"
#include "wire.h"

#define ACK(id) "{\"command\":\"ack\",\"id\":\"" id "\"}" END
#define FAIL(id) "{\"command\":\"fail\",\"id\":\"" id "\"}" END

/* ---- whether ---------------------------------------------------------------------------- */

START_TEST(within_a_system_call_nothing_is_known)
{
    ck_assert_int_eq(recovery_check(storm.arena, &fault), 0);
    atomic_store(_i == 0 ? &storm.arena->writing : &storm.arena->taking, true);
    ck_assert_int_eq(recovery_check(storm.arena, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_GONE);
    ck_assert_msg(strstr(fault.text, _i == 0 ? "wrote to Storm" : "read from Storm") != NULL, "%s",
                  fault.text);
}
END_TEST

/* ---- its successor ---------------------------------------------------------------------- */

/* Mend, fail what is live, and let another session go on; what Storm has heard is put into `out`. */
static bool
succeed(void)
{
    size_t cursor = 0;
    struct buffer lane = wire_lane(storm.arena, WRITER_GUARDIAN);
    bool owes = recovery_mend(storm.arena);
    while (recovery_fail_one(storm.arena, &lane, &cursor) > 0) {
    }
    ck_assert_uint_eq(ids_count(storm.arena), 0);
    wire_commit(storm.arena, WRITER_GUARDIAN, &lane);
    ck_assert_int_eq(wire_flush(storm.arena, WRITER_GUARDIAN, &lane, NULL), 1);
    session_free(session);
    session = session_new(storm.arena, &fault);
    ck_assert_ptr_nonnull(session);
    ck_assert_int_eq(session_handshake(session, &fault), 1);
    ck_assert_str_eq(session_topology(session)->component, "word");
    return owes;
}

static void
hand_out_next(void)
{
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    struct tuple_id id = session_tuple_id(session, &message.id, &fault);
    ck_assert_int_eq(session_hand_out(session, id, &fault), 0);
}

START_TEST(what_was_given_fails_and_what_was_not_comes_again)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog") TUPLE("2", "cat") TUPLE("3", "cow")));
    take_in();
    hand_out_next();
    hand_out_next();
    ck_assert_int_eq(session_ack(session, number_id(1), &fault), 0);
    ck_assert(!succeed());
    check_said(ACK("1") FAIL("2"));
    check_next_tuple("3");
    check_no_message();
}
END_TEST

/* The message was taken, but lost before its id was entered; or while it was. */
START_TEST(a_tuple_that_was_not_given_comes_again)
{
    struct message message;
    storm_say(&storm, SLICE(TUPLE("1", "dog") TUPLE("2", "cat")));
    take_in();
    hand_out_next();
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    if (_i > 0) {
        storm.arena->hand =
            (struct arena_hand){.kind = HAND_ENTERING, .numbered = true, .number = 2};
    }
    if (_i > 1) {
        ck_assert_int_eq(ids_add(storm.arena, number_id(2), &fault), 0);
    }
    ck_assert(!succeed());
    if (_i > 1) {
        storm_hear(&storm);
        check_no_message();
    } else {
        check_said(FAIL("1"));
        check_next_tuple("2");
    }
    check_no_message();
}
END_TEST

/* The ack is committed, the table does not know yet. */
START_TEST(what_was_said_is_made_up_for)
{
    struct arena_lane *lane = &storm.arena->lanes[WRITER_INTERPRETER];
    storm_say(&storm, SLICE(TUPLE("1", "dog") TUPLE("or\\\"der", "cat")));
    take_in();
    hand_out_next();
    hand_out_next();
    struct tuple_id text = tuple_id_parse(SLICE("or\"der"));
    size_t applied = lane->applied;
    ck_assert_int_eq(session_ack(session, number_id(1), &fault), 0);
    ck_assert_int_eq(session_log(session, LEVEL_INFO, SLICE("ack"), &fault), 0);
    ck_assert_int_eq(session_fail(session, text, &fault), 0);
    lane->applied = applied;
    ck_assert_int_eq(ids_add(storm.arena, number_id(1), &fault), 0);
    ck_assert_int_eq(ids_add(storm.arena, text, &fault), 0);
    ck_assert(!succeed());
    check_said(ACK("1") "{\"command\":\"log\",\"level\":4294967298,\"msg\":\"ack\"}" END FAIL(
        "or\\\"der"));
}
END_TEST

/* An emit that was not whole is no part of what comes next. */
START_TEST(an_open_emit_is_dropped)
{
    struct emit emit = {.task = -1};
    struct buffer *buffer = session_begin_emit(session, &emit, 1, &fault);
    ck_assert_ptr_nonnull(buffer);
    ck_assert_int_eq(buffer_append(buffer, SLICE("\"half"), &fault), 0);
    ck_assert(!succeed());
    ck_assert_int_eq(session_sync(session, &fault), 0);
    check_said(SYNC);
}
END_TEST

#define COMMAND(name) "{\"id\":\"\",\"command\":\"" name "\"}" END

START_TEST(a_command_in_hand_owes_its_sync)
{
    struct message message;
    struct arena_lane *lane = &storm.arena->lanes[WRITER_INTERPRETER];
    session_serve(session, true);
    storm_say(&storm, SLICE(COMMAND("activate") COMMAND("next") COMMAND("deactivate")));
    take_in();
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(session_sync(session, &fault), 0);
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    size_t applied = lane->applied;
    if (_i > 0) { /* the sync is out, but was not noted */
        ck_assert_int_eq(session_sync(session, &fault), 0);
        lane->applied = applied;
    }
    if (_i > 1) { /* or half so */
        storm.arena->hand.kind = HAND_COMMAND;
    }
    ck_assert_int_eq(succeed(), _i == 0);
    ck_assert(session_is_active(session));
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(message.kind, MESSAGE_DEACTIVATE);
    ck_assert(!session_is_active(session));
}
END_TEST

/* The sync before it answered something else. */
START_TEST(a_command_behind_a_heartbeat_owes_its_sync)
{
    struct message message;
    session_serve(session, true);
    storm_say(&storm, SLICE(HEARTBEAT COMMAND("next")));
    take_in();
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(message.kind, MESSAGE_NEXT);
    ck_assert(succeed());
    check_said(SYNC);
}
END_TEST

START_TEST(task_ids_that_were_asked_for_are_passed_over)
{
    struct slice ids;
    struct emit emit = {.task = -1, .need_task_ids = true};
    for (int i = 0; i < 2; i++) { /* the lost one's, and its successor's */
        struct buffer *buffer = session_begin_emit(session, &emit, 1, &fault);
        ck_assert_ptr_nonnull(buffer);
        ck_assert_int_eq(buffer_append(buffer, SLICE("1"), &fault), 0);
        if (i == 0) { /* it is committed, but was not noted */
            size_t applied = storm.arena->lanes[WRITER_INTERPRETER].applied;
            ck_assert_int_eq(session_end_emit(session, &fault), 0);
            storm.arena->lanes[WRITER_INTERPRETER].applied = applied;
            storm.arena->task_ids_owed = 0;
            ck_assert(!succeed());
        } else {
            ck_assert_int_eq(session_end_emit(session, &fault), 0);
        }
    }
    storm_say(&storm, SLICE("[5]" END "[6,7]" END));
    take_in();
    ck_assert_int_eq(session_task_ids(session, &ids, &fault), 1);
    check_slice(ids, SLICE("[6,7]"));
}
END_TEST

/* Where the lane has no room, nothing is settled. */
START_TEST(a_full_lane_takes_no_fails)
{
    size_t cursor = 0;
    char room[100];
    struct buffer lane = {.data = room, .cap = sizeof room, .fixed = true};
    ck_assert_int_eq(ids_add(storm.arena, number_id(5), &fault), 0);
    ck_assert_int_eq(recovery_fail_one(storm.arena, &lane, &cursor), -1);
    ck_assert_uint_eq(ids_count(storm.arena), 1);
}
END_TEST

Suite *
recovery_suite(void)
{
    Suite *suite = suite_create("recovery");
    TCase *tcase = tcase_create("recovery");
    tcase_add_checked_fixture(tcase, conversation, conversation_end);
    tcase_set_tags(tcase, "own-process"); /* sessions install what is one a process */
    tcase_add_loop_test(tcase, within_a_system_call_nothing_is_known, 0, 2);
    tcase_add_test(tcase, what_was_given_fails_and_what_was_not_comes_again);
    tcase_add_loop_test(tcase, a_tuple_that_was_not_given_comes_again, 0, 3);
    tcase_add_test(tcase, what_was_said_is_made_up_for);
    tcase_add_test(tcase, an_open_emit_is_dropped);
    tcase_add_loop_test(tcase, a_command_in_hand_owes_its_sync, 0, 3);
    tcase_add_test(tcase, a_command_behind_a_heartbeat_owes_its_sync);
    tcase_add_test(tcase, task_ids_that_were_asked_for_are_passed_over);
    tcase_add_test(tcase, a_full_lane_takes_no_fails);
    suite_add_tcase(suite, tcase);
    return suite;
}
