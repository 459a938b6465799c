#include "component.h"

#include <stdio.h>

#include "require.h"

/* Storm has to hear this. */
static void
note(struct component *component, json_t *message)
{
    parent_note(component->parent, WRITER_INTERPRETER, message);
}

/* ---- receiving -------------------------------------------------------------------------- */

static struct tuple_id
id_of(const struct said *said)
{
    return tuple_id_parse(parent_id(said));
}

void
component_check_borrowed(const struct component *component)
{
    const struct message *message = &component->message;
    if (component->given == NULL || component->given->kind != SAID_TUPLE) {
        return;
    }
    char values[20];
    int len = snprintf(values, sizeof values, "[%u]", component->given->number);
    REQUIRE(slice_equal(message->values, (struct slice){values, (size_t)len}));
    REQUIRE(slice_equal(message->id.text, parent_id_as_written(component->given)));
    REQUIRE(slice_equal(message->component.text, SLICE("word")) && message->task == 4);
}

static void
take_tuple(struct component *component, const struct said *said)
{
    struct tuple_id id = session_tuple_id(component->session, &component->message.id, NULL);
    REQUIRE(component->message.kind == MESSAGE_TUPLE);
    REQUIRE(slice_equal(id.text, parent_id(said)));
    REQUIRE(!session_is_live(component->session, id));
    REQUIRE(session_hand_out(component->session, id, NULL) == 0);
    component->live[component->live_count++] = said;
}

static void
answer_command(struct component *component)
{
    REQUIRE(session_sync(component->session, NULL) == 0);
    note(component, json_pack("{ss}", "command", "sync"));
    component->owes_sync = false;
}

void
component_receive(struct component *component)
{
    struct fault fault = {0};
    if (component->live_count == LIVE_MOST) {
        return;
    }
    if (component->owes_sync) {
        answer_command(component);
    }
    component->given = NULL;
    int result = session_next(component->session, &component->message, &fault);
    const struct said *said = parent_next(component->parent);
    REQUIRE(result >= 0 && fault.code == FAULT_NONE);
    if (component->parent->derailed) {
        return;
    }
    REQUIRE(result == (said != NULL));
    component->given = said;
    if (said != NULL && said->kind == SAID_TUPLE) {
        take_tuple(component, said);
    } else if (said != NULL) {
        REQUIRE(component->message.kind == said->command);
        component->owes_sync = true;
    }
}

void
component_receive_task_ids(struct component *component)
{
    struct slice ids;
    int result = session_task_ids(component->session, &ids, NULL);
    int expected = parent_take_task_ids(component->parent);
    REQUIRE(result >= 0);
    if (!component->parent->derailed) {
        REQUIRE((result == 1) == (expected >= 0));
    }
    if (!component->parent->derailed && result == 1) {
        char text[20];
        int len = snprintf(text, sizeof text, "[%d]", expected);
        REQUIRE(slice_equal(ids, (struct slice){text, (size_t)len}));
    }
}

/* ---- saying ----------------------------------------------------------------------------- */

typedef int settler(struct session *, struct tuple_id, struct fault *);

static void
try_settled(struct component *component, settler *settle)
{
    struct fault fault = {0};
    if (component->settled != NULL) {
        REQUIRE(!session_is_live(component->session, id_of(component->settled)));
        REQUIRE(settle(component->session, id_of(component->settled), &fault) == -1);
        REQUIRE(fault.code == FAULT_ID);
    }
}

void
component_settle(struct component *component)
{
    unsigned choice = script_byte(component->script);
    settler *settle = choice % 2 == 0 ? session_ack : session_fail;
    if (component->live_count == 0 || choice >= 240) {
        try_settled(component, settle);
        return;
    }
    const struct said **place = &component->live[choice / 2 % component->live_count];
    struct slice id = parent_id(*place);
    note(component,
         json_pack("{ss,ss%}", "command", choice % 2 == 0 ? "ack" : "fail", "id", id.ptr, id.len));
    REQUIRE(session_is_live(component->session, id_of(*place)));
    REQUIRE(settle(component->session, id_of(*place), NULL) == 0);
    component->settled = *place;
    *place = component->live[--component->live_count];
}

void
component_lose(struct component *component, struct slice id)
{
    for (unsigned i = 0; i < component->live_count; i++) {
        if (slice_equal(parent_id(component->live[i]), id)) {
            component->settled = component->live[i];
            component->live[i] = component->live[--component->live_count];
            return;
        }
    }
    require_failed("the tuple was live", __FILE__, __LINE__);
}

/* What the topology of the handshake takes. */
static bool
is_valid(const char *stream, unsigned values, int task)
{
    return strcmp(stream, "direct") == 0
               ? values == 2 && (task == 2 || task == 7)
               : strcmp(stream, "default") == 0 && values == 1 && task < 0;
}

static json_t *
expected_emit(const struct component *component, const struct emit *emit, unsigned values)
{
    json_t *message =
        json_pack("{ss,sb,s[]}", "command", "emit", "need_task_ids", emit->need_task_ids, "tuple");
    for (unsigned i = 0; i < values; i++) {
        json_array_append_new(json_object_get(message, "tuple"), json_integer(i));
    }
    if (emit->anchors.ptr != NULL) {
        struct slice id = parent_id(component->live[0]);
        json_object_set_new(message, "anchors", json_pack("[s%]", id.ptr, id.len));
    }
    if (emit->stream.ptr != NULL) {
        json_object_set_new(message, "stream", json_stringn(emit->stream.ptr, emit->stream.len));
    }
    if (emit->task >= 0) {
        json_object_set_new(message, "task", json_integer(emit->task + (INT64_C(1) << 32)));
    }
    return message;
}

static void
append_values(struct buffer *to, unsigned values)
{
    for (unsigned i = 0; i < values; i++) {
        REQUIRE(i == 0 || buffer_append(to, SLICE(","), NULL) == 0);
        REQUIRE(json_write_int(to, i, NULL) == 0);
    }
}

/* An emit by chance, anchored to the first live tuple or to none. */
struct attempt {
    struct emit emit;
    const char *stream;
    unsigned values;
    unsigned end; /* how it goes on */
    char anchor[60];
};

static void
make_attempt(struct component *component, struct attempt *attempt)
{
    static const char *const streams[] = {"default", "direct", "nope", "default"};
    static const int tasks[] = {-1, 2, 9, 7};
    unsigned choice = script_byte(component->script);
    *attempt =
        (struct attempt){.stream = streams[choice % 4],
                         .values = choice / 4 % 4,
                         .emit = {.task = tasks[choice / 16 % 4], .need_task_ids = choice >= 192}};
    if (choice % 4 < 3) {
        attempt->emit.stream = (struct slice){attempt->stream, strlen(attempt->stream)};
    }
    choice = script_byte(component->script);
    attempt->end = choice % 16;
    if (choice >= 128 && component->live_count > 0) {
        struct slice id = parent_id(component->live[0]);
        int len =
            snprintf(attempt->anchor, sizeof attempt->anchor, "\"%.*s\"", (int)id.len, id.ptr);
        attempt->emit.anchors = (struct slice){attempt->anchor, (size_t)len};
    }
}

void
component_emit(struct component *component)
{
    struct fault fault = {0};
    struct attempt attempt;
    make_attempt(component, &attempt);
    struct buffer *to =
        session_begin_emit(component->session, &attempt.emit, attempt.values, &fault);
    REQUIRE((to != NULL) == is_valid(attempt.stream, attempt.values, (int)attempt.emit.task));
    REQUIRE(to != NULL || fault.code == FAULT_STREAM);
    if (to == NULL || attempt.end == 0) {
        return;
    }
    append_values(to, attempt.values);
    if (attempt.end == 1) {
        session_drop_emit(component->session);
    } else if (attempt.end > 2) {
        REQUIRE(session_end_emit(component->session, NULL) == 0);
        note(component, expected_emit(component, &attempt.emit, attempt.values));
        component->parent->asked += attempt.emit.need_task_ids;
    }
}

void
component_remark(struct component *component)
{
    unsigned choice = script_byte(component->script);
    struct slice text = script_bytes(component->script);
    if (json_utf8_length(text) < text.len || choice % 3 == 2) {
        text = SLICE("plain");
    }
    if (choice % 3 == 0) {
        REQUIRE(session_log(component->session, LEVEL_INFO, text, NULL) == 0);
        note(component,
             json_pack("{ss,sI,ss%}", "command", "log", "level",
                       (json_int_t)LEVEL_INFO + (INT64_C(1) << 32), "msg", text.ptr, text.len));
    } else if (choice % 3 == 1) {
        /* the account knows an error by its beginning, up to a NUL */
        REQUIRE(session_error(component->session, text, NULL) == 0);
        note(component, json_pack("{ss,ss%}", "command", "error", "msg", text.ptr, text.len));
    } else {
        REQUIRE(session_metric(component->session, text, SLICE("[5]"), NULL) == 0);
        note(component, json_pack("{ss,ss%,s[i]}", "command", "metrics", "name", text.ptr, text.len,
                                  "params", 5));
    }
}
