/* Starting and receiving, and task ids. */
#include <stdio.h>
#include <unistd.h>

#include "conversation.h"
#include "framing.h"
#include "suites.h"

/* ---- starting --------------------------------------------------------------------------- */

START_TEST(handshake_split_at_every_byte)
{
    struct slice text = SLICE(HANDSHAKE);
    for (size_t i = 0; i < text.len; i++) {
        ck_assert_int_eq(session_handshake(session, &fault), 0);
        storm_say(&storm, (struct slice){text.ptr + i, 1});
        take_in();
    }
    ck_assert_int_eq(session_handshake(session, &fault), 1);
    ck_assert_str_eq(session_topology(session)->component, "word");
    ck_assert_int_eq(storm.arena->component.task, 7);
    ck_assert_str_eq(storm.arena->component.name, "word");
    ck_assert(storm.arena->handshaken && storm.arena->component.known);
}
END_TEST

START_TEST(no_handshake)
{
    storm_say(&storm, SLICE("{\"pidDir\":"));
    storm_hang_up(&storm);
    take_in(); /* the bytes */
    ck_assert_int_eq(session_handshake(session, &fault), 0);
    take_in(); /* the end */
    ck_assert_int_eq(session_handshake(session, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_HANDSHAKE);
    ck_assert_str_eq(fault.text,
                     "stdin ended after 10 bytes, before Storm's handshake was complete");
    ck_assert(!storm.arena->handshaken);
}
END_TEST

START_TEST(another_message_first)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog")));
    take_in();
    ck_assert_int_eq(session_handshake(session, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_HANDSHAKE);
    ck_assert_ptr_nonnull(strstr(fault.text, "it lacks \"pidDir\""));
    ck_assert(storm.arena->handshaken && !storm.arena->component.known);
}
END_TEST

/* What is said before the handshake is answered waits, and the pid comes first. */
START_TEST(nothing_before_the_pid)
{
    char expected[200];
    ck_assert_int_eq(session_log(session, LEVEL_INFO, SLICE("starting"), &fault), 0);
    ck_assert_int_eq(session_flush(session, &fault), 1);
    ck_assert_uint_eq(storm_hear(&storm), 0);
    ck_assert(!session_congested(session));
    ck_assert_int_eq(session_answer(session, &fault), 0);
    snprintf(expected, sizeof expected,
             "{\"pid\":%d}" END
             "{\"command\":\"log\",\"level\":4294967298,\"msg\":\"starting\"}" END,
             (int)getpid());
    check_said(expected);
}
END_TEST

/* ---- receiving -------------------------------------------------------------------------- */

START_TEST(tuples_in_their_order)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog") TUPLE("-2", "cat") TUPLE("x", "zebra")));
    take_in();
    check_next_tuple("1");
    check_next_tuple("-2");
    check_next_tuple("x");
    check_no_message();
    check_said("");
}
END_TEST

START_TEST(tuple_split_at_every_byte)
{
    struct slice text = SLICE(TUPLE("1", "dog"));
    for (size_t i = 0; i < text.len; i++) {
        check_no_message();
        storm_say(&storm, (struct slice){text.ptr + i, 1});
        take_in();
    }
    check_next_tuple("1");
    check_no_message();
}
END_TEST

START_TEST(heartbeats_are_answered)
{
    storm_say(&storm, SLICE(HEARTBEAT TUPLE("1", "dog") HEARTBEAT HEARTBEAT));
    take_in();
    check_next_tuple("1");
    check_said(SYNC);
    check_no_message();
    check_said(SYNC SYNC);
}
END_TEST

START_TEST(task_ids_that_nobody_asked_for)
{
    storm_say(&storm, SLICE("[3]" END TUPLE("1", "dog") "[]" END));
    take_in();
    check_next_tuple("1");
    check_no_message();
    check_said("");
}
END_TEST

START_TEST(messages_that_cannot_be_read)
{
    storm_say(&storm, SLICE("hello" END TUPLE("1", "dog") "{\"command\":\"stop\"}" END));
    take_in();
    check_next_tuple("1");
    check_said(DROPPED "a value was expected, found 'h' at byte 0\"}" END);
    check_no_message();
    check_said(DROPPED "no command of Storm's: \\\"stop\\\"\"}" END);
}
END_TEST

/* A spout owes Storm a sync for each message, read or not. */
START_TEST(a_spout_answers_even_those)
{
    struct message message;
    session_serve(session, true);
    ck_assert(storm.arena->component.kind == COMPONENT_SPOUT);
    storm_say(&storm, SLICE("hello" END "{\"command\":\"next\",\"id\":\"\"}" END));
    take_in();
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(message.kind, MESSAGE_NEXT);
    check_said(DROPPED "a value was expected, found 'h' at byte 0\"}" END SYNC);
}
END_TEST

/* A message over the conf's limit is dropped and reported, in one piece or many. */
START_TEST(messages_over_the_limit)
{
    static char large[3000];
    memset(large, 'x', sizeof large);
    for (size_t piece = sizeof large; piece > 100; piece /= 3) {
        for (size_t at = 0; at < sizeof large; at += piece) {
            size_t rest = sizeof large - at;
            storm_say(&storm, (struct slice){large + at, rest < piece ? rest : piece});
            take_in();
            check_no_message();
        }
        storm_say(&storm, SLICE(END TUPLE("1", "dog")));
        take_in();
        check_next_tuple("1");
        check_no_message();
        check_said(DROPPED "a message is longer than the limit of 1024 bytes\"}" END);
    }
}
END_TEST

START_TEST(the_end_of_the_input)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog") "{\"comp\":"));
    storm_hang_up(&storm);
    take_in();
    ck_assert(!session_ended(session));
    take_in();
    ck_assert(session_ended(session));
    ck_assert(!session_asked_to_end(session));
    check_next_tuple("1"); /* what had come is still there */
    check_no_message();
    ck_assert_int_eq(session_ack(session, number_id(1), NULL), -1);
}
END_TEST

/* A part of a message behind a whole one, and longer or shorter than that. */
START_TEST(a_part_of_a_message)
{
    for (size_t part = 1; part < 900; part += 50) {
        char text[1000];
        int len = snprintf(text, sizeof text, TUPLE("2", "%0880d"), 0);
        storm_say(&storm, SLICE(TUPLE("1", "dog")));
        storm_say(&storm, (struct slice){text, part});
        take_in();
        check_next_tuple("1");
        check_no_message();
        storm_say(&storm, (struct slice){text + part, (size_t)len - part});
        take_in();
        check_next_tuple("2");
        check_no_message();
    }
    check_said("");
}
END_TEST

/* Much more than is kept at a time passes through, in pieces of many sizes. */
START_TEST(a_long_conversation)
{
    struct framing framing = {.limit = 1024};
    unsigned received = 0;
    for (unsigned said = 0; said < 5000; said++) {
        char text[400];
        int len = snprintf(text, sizeof text, TUPLE("%u", "%0*u"), (int)(said % 200), said, said);
        storm_say(&storm, (struct slice){text, (size_t)len});
        if (said % 7 == 0) {
            struct message message;
            take_in();
            while (session_next(session, &message, &fault) > 0) {
                struct tuple_id id = session_tuple_id(session, &message.id, &fault);
                ck_assert_int_eq(id.number, received);
                ck_assert_int_eq(session_hand_out(session, id, &fault), 0);
                ck_assert_int_eq(session_ack(session, id, &fault), 0);
                received++;
            }
            ck_assert_int_eq(session_flush(session, &fault), 1);
            storm_hear(&storm);
        }
    }
    ck_assert_uint_eq(received, 4999 / 7 * 7 + 1);
    framing_feed(&framing, storm_heard(&storm));
    struct buffer expected = {0};
    for (unsigned i = 0; i < received; i++) {
        char ack[60];
        int len = snprintf(ack, sizeof ack, "{\"command\":\"ack\",\"id\":\"%u\"}", i);
        framing_note_frame(&expected, (struct slice){ack, (size_t)len});
    }
    ck_assert(slice_equal((struct slice){framing.found.data, framing.found.len},
                          (struct slice){expected.data, expected.len}));
    buffer_deinit(&expected);
    framing_deinit(&framing);
}
END_TEST

/* ---- task ids --------------------------------------------------------------------------- */

static void
check_task_ids(const char *expected)
{
    struct slice ids;
    int result = session_task_ids(session, &ids, &fault);
    ck_assert_msg(result == 1, "%d: %s", result, fault.text);
    ck_assert_msg(slice_equal(ids, (struct slice){expected, strlen(expected)}), "%.*s",
                  (int)ids.len, ids.ptr);
}

static void
check_no_task_ids(void)
{
    struct slice ids;
    ck_assert_int_eq(session_task_ids(session, &ids, &fault), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}

START_TEST(task_ids_at_once)
{
    check_no_task_ids();
    storm_say(&storm, SLICE("[3,4]" END "[]" END));
    take_in();
    check_task_ids("[3,4]");
    check_task_ids("[]");
    check_no_task_ids();
    check_no_message();
    check_said("");
}
END_TEST

/* Ids that come behind tuples are taken out of the line, the tuples stay in it. */
START_TEST(task_ids_behind_tuples)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog") TUPLE("2", "cat") "[3]" END HEARTBEAT
                                                                "[4]" END TUPLE("3", "zebra")));
    take_in();
    check_next_tuple("1");
    check_task_ids("[3]");
    check_next_tuple("2");
    check_task_ids("[4]");
    check_no_task_ids();
    check_next_tuple("3");
    check_no_message();
    check_said(SYNC);
}
END_TEST

/* However the bytes come in, and whether tuples are looked for in between or not. */
START_TEST(task_ids_split_at_every_byte)
{
    struct slice text = SLICE(TUPLE("1", "dog") "[3]" END TUPLE("2", "cat") "[4,5]" END);
    for (size_t split = 0; split < text.len; split++) {
        struct slice ids;
        unsigned found = 0;
        storm_say(&storm, (struct slice){text.ptr, split});
        take_in();
        found += session_task_ids(session, &ids, &fault) == 1;
        storm_say(&storm, (struct slice){text.ptr + split, text.len - split});
        take_in();
        if (found == 0) {
            check_task_ids("[3]");
        }
        check_next_tuple("1");
        check_task_ids("[4,5]");
        check_next_tuple("2");
        check_no_message();
        check_no_task_ids();
    }
}
END_TEST

/* The array follows in the stream a part of which has been searched for tuples already. */
START_TEST(task_ids_that_arrive_late)
{
    storm_say(&storm, SLICE("[1"));
    take_in();
    check_no_message();
    check_no_task_ids();
    storm_say(&storm, SLICE("2]\ne"));
    take_in();
    check_no_task_ids();
    storm_say(&storm, SLICE("nd\n" TUPLE("1", "dog")));
    take_in();
    check_task_ids("[12]");
    check_next_tuple("1");
    check_said("");
}
END_TEST

/* They were looked for, and then all that had come was used up and the line begins anew. */
START_TEST(task_ids_in_a_new_line)
{
    storm_say(&storm, SLICE(TUPLE("1", "dog")));
    take_in();
    check_no_task_ids();
    check_next_tuple("1");
    check_no_message();
    storm_say(&storm, SLICE("[3]" END TUPLE("2", "cat")));
    take_in();
    check_task_ids("[3]");
    check_next_tuple("2");
    check_said("");
}
END_TEST

/* What is left in their place does not count as a part of the message behind them. */
START_TEST(task_ids_before_a_message_at_the_limit)
{
    char text[1100];
    size_t rest = strlen(TUPLE("2", "")) - strlen(END);
    int len = snprintf(text, sizeof text, TUPLE("2", "%0*d"), (int)(1023 - rest), 0);
    ck_assert_int_eq(len, 1023 + (int)strlen(END)); /* 1024 bytes stand before the "end" */
    storm_say(&storm, SLICE(TUPLE("1", "dog") "[3]" END));
    storm_say(&storm, (struct slice){text, (size_t)len});
    take_in();
    check_task_ids("[3]");
    check_next_tuple("1");
    check_next_tuple("2");
    check_said("");
}
END_TEST

/* A message that is too long stands in the line before them. */
START_TEST(task_ids_behind_a_message_over_the_limit)
{
    static char large[2000];
    memset(large, 'x', sizeof large);
    storm_say(&storm, (struct slice){large, sizeof large});
    storm_say(&storm, SLICE(END "[3]" END TUPLE("1", "dog")));
    take_in();
    check_task_ids("[3]");
    check_next_tuple("1");
    check_said(DROPPED "a message is longer than the limit of 1024 bytes\"}" END);
}
END_TEST

static TCase *
starting(void)
{
    TCase *tcase = tcase_create("starting");
    tcase_add_checked_fixture(tcase, conversation_fresh, conversation_end);
    tcase_add_test(tcase, handshake_split_at_every_byte);
    tcase_add_test(tcase, no_handshake);
    tcase_add_test(tcase, another_message_first);
    tcase_add_test(tcase, nothing_before_the_pid);
    return tcase;
}

static TCase *
receiving(void)
{
    TCase *tcase = tcase_create("receiving");
    tcase_add_checked_fixture(tcase, conversation, conversation_end);
    tcase_add_test(tcase, tuples_in_their_order);
    tcase_add_test(tcase, tuple_split_at_every_byte);
    tcase_add_test(tcase, heartbeats_are_answered);
    tcase_add_test(tcase, task_ids_that_nobody_asked_for);
    tcase_add_test(tcase, messages_that_cannot_be_read);
    tcase_add_test(tcase, a_spout_answers_even_those);
    tcase_add_test(tcase, messages_over_the_limit);
    tcase_add_test(tcase, the_end_of_the_input);
    tcase_add_test(tcase, a_part_of_a_message);
    tcase_add_test(tcase, a_long_conversation);
    tcase_add_test(tcase, task_ids_at_once);
    tcase_add_test(tcase, task_ids_behind_tuples);
    tcase_add_test(tcase, task_ids_split_at_every_byte);
    tcase_add_test(tcase, task_ids_that_arrive_late);
    tcase_add_test(tcase, task_ids_in_a_new_line);
    tcase_add_test(tcase, task_ids_before_a_message_at_the_limit);
    tcase_add_test(tcase, task_ids_behind_a_message_over_the_limit);
    return tcase;
}

Suite *
session_suite(void)
{
    Suite *suite = suite_create("session");
    suite_add_tcase(suite, starting());
    suite_add_tcase(suite, receiving());
    suite_add_tcase(suite, session_sending());
    suite_add_tcase(suite, session_small_pipe());
    suite_add_tcase(suite, session_own_process());
    suite_add_tcase(suite, session_loopback());
    return suite;
}
