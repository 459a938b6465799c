/* The conversation with Storm, from the interpreter's side: handshake, commands, heartbeats, task
   ids, live tuple ids, and when to write. One a process. It knows nothing of Python; nothing in
   it blocks but session_wait() and session_close(), and these touch nothing that appending a
   message touches, so a caller may let other threads append meanwhile.

   Everything that sends appends one whole message or none (-1 leaves nothing of it behind). */
#ifndef STORMCELL_SESSION_H
#define STORMCELL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"
#include "handshake.h"
#include "ids.h"
#include "message.h"

struct session;

/* A session on the arena's wire: new, or NULL with a fault. Installs SIGTERM as a request to end,
   and cuts the wire off from processes that this one forks. */
struct session *session_new(struct arena *arena, struct fault *fault);
void session_free(struct session *session);

/* ---- without a wire: Storm's side is in this process, as in a test of a component ---------- */

/* A loopback session: new, with an arena of its own, or NULL with a fault. It waits for nothing, writes
   nothing and leaves signals and forks alone: what it has not been fed has not come, and what is said
   stays until it is heard. */
struct session *session_new_loopback(struct fault *fault);

/* Bytes from Storm, any part of its messages. 0 or -1. */
int session_feed(struct session *session, struct slice bytes, struct fault *fault);

/* What has been said since session_heard(): whole messages, borrowed until the next one. */
struct slice session_said(const struct session *session);
void session_heard(struct session *session);

/* For a forked child: from now on nothing here works but session_free(). */
void session_cut_off(struct session *session);

/* ---- starting --------------------------------------------------------------------------- */

/* 1: Storm's handshake has been read and the pid file is there, 0: session_wait() for more, -1. */
int session_handshake(struct session *session, struct fault *fault);

/* What the handshake said (borrowed; valid as long as the session). */
const struct handshake *session_topology(const struct session *session);

/* The component is ready, and serves from now on as a spout, which owes a sync for each command, or as
   a bolt. */
void session_serve(struct session *session, bool spout);

/* Has Storm activated the spout? True at the start where an earlier interpreter was told so. */
bool session_is_active(const struct session *session);

/* Does Storm follow tuples at all? Without ackers it acks an emit while it takes it. */
bool session_has_ackers(const struct session *session);

/* Answer the handshake, if that has not been done: from now on Storm's timers run. */
int session_answer(struct session *session, struct fault *fault);

/* ---- receiving -------------------------------------------------------------------------- */

/* The next tuple or command; heartbeats are answered and messages that cannot be read are
   reported on the way. 1: *message borrows from the input until the next call; 0:
   nothing complete is here; -1. */
int session_next(struct session *session, struct message *message, struct fault *fault);

/* Wait until there may be something to read or to write, or `timeout_ms` (-1: for ever) is over,
   and take in what has come. 0, or -1 with FAULT_GONE or FAULT_SYSTEM. */
int session_wait(struct session *session, int timeout_ms, struct fault *fault);

/* Wake a session_wait() that is under way in another thread. */
void session_wake(struct session *session);

/* A byte written to this descriptor (borrowed, non-blocking) does that as well; for signal handlers. */
int session_wake_descriptor(const struct session *session);

/* Where Python's stacks are to be written at a crash, and when STACKS_SIGNAL comes (borrowed). */
int session_stacks_descriptor(const struct session *session);

/* Nothing more will come: Storm has closed its side, or a signal asked to end. */
bool session_ended(const struct session *session);

/* This is a forked child of the component: nothing here works but session_free(). */
bool session_is_cut_off(const struct session *session);

/* The fault of a cut off session. Returns -1. */
int session_forked(struct fault *fault);

/* A signal asked to end: what is in hand is finished, what is in line is not begun. */
bool session_asked_to_end(const struct session *session);

/* The task ids that answer the last emit that asked for them: 1: a JSON array (borrowed until the
   next call), 0: not here yet, -1. Tuples that came before them stay in line. */
int session_task_ids(struct session *session, struct slice *ids, struct fault *fault);

/* ---- tuples in and out ------------------------------------------------------------------ */

/* The id of a tuple's message; a text id is borrowed until the next call. On a fault, {0}. */
struct tuple_id session_tuple_id(struct session *session, const struct json_value *id,
                                 struct fault *fault);

/* Enter the id of a tuple that is handed to the component. 0 or -1. */
int session_hand_out(struct session *session, struct tuple_id id, struct fault *fault);

bool session_is_live(const struct session *session, struct tuple_id id);

/* Settle a live tuple. 0, or -1 with FAULT_ID if it is not live. */
int session_ack(struct session *session, struct tuple_id id, struct fault *fault);
int session_fail(struct session *session, struct tuple_id id, struct fault *fault);

/* Begin an emit of `value_count` values, checked against the topology: the buffer (borrowed until
   session_end_emit() or session_drop_emit()) takes them as JSON, separated by commas. NULL: fault. */
struct buffer *session_begin_emit(struct session *session, const struct emit *emit,
                                  size_t value_count, struct fault *fault);
int session_end_emit(struct session *session, struct fault *fault);
void session_drop_emit(struct session *session);

int session_sync(struct session *session, struct fault *fault);
int session_log(struct session *session, enum message_level level, struct slice text,
                struct fault *fault);
int session_error(struct session *session, struct slice text, struct fault *fault);
int session_metric(struct session *session, struct slice name, struct slice params,
                   struct fault *fault);

/* ---- writing ---------------------------------------------------------------------------- */

/* Write what has been said, without blocking. 1: all is out, 0: the pipe is full, -1. */
int session_flush(struct session *session, struct fault *fault);

/* Flush if enough has gathered or it has waited long enough; for calling between tuples. */
int session_breathe(struct session *session, struct fault *fault);

/* More waits to be written than a component should be allowed to add to. */
bool session_congested(const struct session *session);

/* Remember why the process ends, for the guardian to report. */
void session_last_words(struct session *session, struct slice text);

/* Write what is left, for as long as Storm reads, at most `timeout_ms`, and tell the guardian
   whether the end that follows is in order (else it reports it). */
void session_close(struct session *session, int timeout_ms, bool in_order);

#endif
