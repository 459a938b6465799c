/* What a session says to Storm: each of these appends one whole message, or none. */
#include "session_state.h"

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

int
session_sync(struct session *session, struct fault *fault)
{
    struct arena *arena = session->arena;
    if (arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    if (outlet_commit(&session->outlet, start, message_write_sync(&session->outlet.lane, fault)) <
        0) {
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
    return outlet_commit(&session->outlet, start,
                         message_write_log(&session->outlet.lane, level, text, fault));
}

int
session_error(struct session *session, struct slice text, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    return outlet_commit(&session->outlet, start,
                         message_write_error(&session->outlet.lane, text, fault));
}

int
session_metric(struct session *session, struct slice name, struct slice params, struct fault *fault)
{
    if (session->arena == NULL) {
        return session_forked(fault);
    }
    size_t start = begin(session);
    return outlet_commit(&session->outlet, start,
                         message_write_metric(&session->outlet.lane, name, params, fault));
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
    if (outlet_commit(&session->outlet, session->emit_start,
                      message_close_emit(&session->outlet.lane, fault)) < 0) {
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
    if (outlet_commit(&session->outlet, start, writer(&session->outlet.lane, id, fault)) < 0) {
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
