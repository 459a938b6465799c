/* What a session says to Storm: each of these appends one whole message, or none. */
#include "session_state.h"

#include <stdio.h>

int
session_forked(struct fault *fault)
{
    return fault_set(fault, FAULT_FORKED, 0,
                     "a process that the component forked has no connection to Storm: "
                     "hand the result to the component's own process and emit there");
}

void
session_drop_emit(struct session *session)
{
    if (session->emitting) {
        session->outlet.lane.len = session->emit_start;
        session->emitting = false;
    }
}

/* Where the next message begins. An emit that is still open has failed: user code can speak in the
   middle of one only from what an error calls (a __repr__, a __del__), so it gives way. */
static size_t
begin(struct session *session)
{
    session_drop_emit(session);
    return session->outlet.lane.len;
}

/* Keep what was said since `start` if it is whole. */
static inline int
commit(struct session *session, size_t start, int result)
{
    const struct buffer *lane = &session->outlet.lane;
    if (outlet_commit(&session->outlet, start, result) < 0) {
        return -1;
    }
    if (session->record != NULL) {
        size_t len = lane->len - start - strlen("\nend\n");
        session_record(session, RECORD_OUT, (struct slice){lane->data + start, len});
    }
    return 0;
}

int
session_sync(struct session *session, struct fault *fault)
{
    struct arena *arena = session->arena;
    if (arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    if (commit(session, start, message_write_sync(&session->outlet.lane, fault)) < 0) {
        return -1;
    }
    if (arena->hand.kind == HAND_COMMAND) {
        arena_empty_hand(arena);
        outlet_applied(&session->outlet);
    }
    return 0;
}

int
session_log(struct session *session, enum message_level level, struct slice text,
            struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    return commit(session, start, message_write_log(&session->outlet.lane, level, text, fault));
}

int
session_error(struct session *session, struct slice text, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    return commit(session, start, message_write_error(&session->outlet.lane, text, fault));
}

int
session_metric(struct session *session, struct slice name, struct slice params, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    return commit(session, start, message_write_metric(&session->outlet.lane, name, params, fault));
}

struct buffer *
session_begin_emit(struct session *session, const struct emit *emit, size_t value_count,
                   struct fault *fault)
{
    if (session->arena == NULL) {
        session_forked(fault);
        return NULL;
    }
    struct slice stream = emit->stream.ptr != NULL ? emit->stream : SLICE("default");
    if (handshake_check_emit(&session->handshake, stream, emit->task, value_count, fault) < 0) {
        return NULL;
    }
    session->emit_start = begin(session);
    session->emitting = true;
    session->asking = emit->need_task_ids;
    if (message_open_emit(&session->outlet.lane, emit, fault) < 0) {
        session_drop_emit(session);
        return NULL;
    }
    return &session->outlet.lane;
}

int
session_end_emit(struct session *session, struct fault *fault)
{
    struct arena *arena = session->arena;
    session->emitting = false;
    arena->task_ids_next = arena->task_ids_owed + session->asking;
    arena_order();
    if (commit(session, session->emit_start, message_close_emit(&session->outlet.lane, fault)) <
        0) {
        return -1;
    }
    if (session->asking) {
        arena->task_ids_owed = arena->task_ids_next;
        outlet_applied(&session->outlet);
    }
    return 0;
}

/* ---- tuples ----------------------------------------------------------------------------- */

int
session_hand_out(struct session *session, struct tuple_id id, struct fault *fault)
{
    struct arena_hand *hand = &session->arena->hand;
    hand->number = id.number;
    hand->numbered = id.numbered;
    if (!id.numbered) {
        hand->len = id.text.len < sizeof hand->text ? id.text.len : sizeof hand->text;
        memcpy(hand->text, id.text.ptr, hand->len);
    }
    arena_order();
    hand->kind = HAND_ENTERING;
    arena_order();
    int result = ids_add(session->arena, id, fault);
    arena_order();
    hand->kind = HAND_TUPLE;
    return result < 0 ? -1 : 0;
}

bool
session_is_live(const struct session *session, struct tuple_id id)
{
    return session->arena != NULL && ids_has(session->arena, id);
}

typedef int writer_of_id(struct buffer *, struct tuple_id, struct fault *);

/* The message first, then the table: what is committed can be read again by who takes over. */
static int
settle(struct session *session, struct tuple_id id, writer_of_id *writer, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    if (!ids_has(session->arena, id)) {
        int shown = id.text.len < 60 ? (int)id.text.len : 60;
        return fault_set(fault, FAULT_ID, 0,
                         "tuple %.*s is not waiting to be acked or failed: it was settled before, "
                         "or Storm never sent it",
                         shown, id.text.ptr);
    }
    size_t start = begin(session);
    if (commit(session, start, writer(&session->outlet.lane, id, fault)) < 0) {
        return -1;
    }
    arena_order();
    ids_remove(session->arena, id);
    outlet_applied(&session->outlet);
    return 0;
}

int
session_ack(struct session *session, struct tuple_id id, struct fault *fault)
{
    return settle(session, id, message_write_ack, fault);
}

int
session_fail(struct session *session, struct tuple_id id, struct fault *fault)
{
    return settle(session, id, message_write_fail, fault);
}

struct tuple_id
session_tuple_id(struct session *session, const struct json_value *id, struct fault *fault)
{
    struct slice text = id->text;
    if (id->escaped) {
        session->unescaped.len = 0;
        if (json_unescape(text, &session->unescaped, fault) < 0) {
            return (struct tuple_id){0};
        }
        text = (struct slice){session->unescaped.data, session->unescaped.len};
    }
    return tuple_id_parse(text);
}

/* ---- recording -------------------------------------------------------------------------- */

static void
say_not_recorded(struct session *session, const struct fault *why)
{
    char text[sizeof why->text + 60];
    int len =
        snprintf(text, sizeof text, "stormcell.record: nothing more is recorded: %s", why->text);
    record_free(session->record);
    session->record = NULL;
    session_log(session, LEVEL_WARN, (struct slice){text, (size_t)len}, NULL);
}

void
session_begin_recording(struct session *session)
{
    struct fault why = {0};
    if (!record_is_wanted(&session->handshake)) {
        return;
    }
    session->record = record_new(&session->handshake, &why);
    if (session->record == NULL) {
        say_not_recorded(session, &why);
    }
}

void
session_record(struct session *session, enum record_kind kind, struct slice message)
{
    struct fault why = {0};
    if (record_write(session->record, kind, message, &why) < 0) {
        say_not_recorded(session, &why);
    }
}
