/* What the tests of session.c share: a session, and a Storm on its other side, the test itself. */
#ifndef STORMCELL_TESTS_CONVERSATION_H
#define STORMCELL_TESTS_CONVERSATION_H

#include "fixture.h"
#include "session.h"
#include "storm.h"
#include "texts.h"

#define DROPPED                                                                                  \
    "{\"command\":\"error\",\"msg\":\"Stormcell dropped a message from Storm that it could not " \
    "read: "

/* For one test: */
extern struct storm storm;
extern struct session *session;

/* Fixtures: before the handshake, after it, after it with a pipe to Storm that holds little. */
void conversation_fresh(void);
void conversation(void);
void conversation_in_small_pipe(void);
void conversation_end(void);

/* Take in what Storm has said. */
void take_in(void);

/* Write all, and compare with what Storm hears. */
void check_said(const char *expected);

/* The id that is a number; its text is borrowed until the next call. */
struct tuple_id number_id(int64_t number);

/* The next message is a tuple with that id, as written; or there is none. */
void check_next_tuple(const char *id);
void check_no_message(void);

#endif
