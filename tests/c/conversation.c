#include "conversation.h"

#include <stdio.h>

#include "suites.h"

struct storm storm;
struct session *session;

static void
setup_at(int room)
{
    fixture_setup();
    storm_start(&storm, room);
    session = session_new(storm.arena, &fault);
    ck_assert_msg(session != NULL, "%s", fault.text);
}

void
conversation_fresh(void)
{
    setup_at(0);
}

void
take_in(void)
{
    ck_assert_msg(session_wait(session, 0, &fault) == 0, "%s", fault.text);
}

static void
shake_hands(void)
{
    storm_say(&storm, SLICE(HANDSHAKE));
    take_in();
    ck_assert_msg(session_handshake(session, &fault) == 1, "%s", fault.text);
    ck_assert_int_eq(session_answer(session, &fault), 0);
    storm_hear(&storm);
    storm.heard.len = 0; /* the pid */
}

void
conversation(void)
{
    setup_at(0);
    shake_hands();
}

void
conversation_in_small_pipe(void)
{
    setup_at(4096);
    shake_hands();
}

void
conversation_end(void)
{
    session_free(session);
    storm_end(&storm);
    fixture_teardown();
}

void
check_said(const char *expected)
{
    ck_assert_int_eq(session_flush(session, &fault), 1);
    struct slice heard = storm_heard(&storm);
    ck_assert_msg(slice_equal(heard, (struct slice){expected, strlen(expected)}), "said %.*s",
                  (int)heard.len, heard.len > 0 ? heard.ptr : "");
    storm.heard.len = 0;
}

struct tuple_id
number_id(int64_t number)
{
    static char text[TUPLE_ID_DIGITS + 1];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);
    return tuple_id_parse((struct slice){text, (size_t)len});
}

void
check_next_tuple(const char *id)
{
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 1);
    ck_assert_int_eq(message.kind, MESSAGE_TUPLE);
    ck_assert(slice_equal(message.id.text, (struct slice){id, strlen(id)}));
}

void
check_no_message(void)
{
    struct message message;
    ck_assert_int_eq(session_next(session, &message, &fault), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
