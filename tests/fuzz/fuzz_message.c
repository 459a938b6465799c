/* Messages, both ways: any bytes as a frame, of which jansson's tree says what message that is; and as
   what a component says, which becomes one frame that jansson reads as it was meant. */
#include <stdint.h>

#include "framing.h"
#include "guarded.h"
#include "message.h"
#include "oracle.h"
#include "require.h"

static struct guarded memory; /* kept from one input to the next */

/* ---- reading ---------------------------------------------------------------------------- */

enum { NO_MESSAGE = -1, UNSAID = -2 };

static bool
is_string_or_null(const json_t *member)
{
    return member == NULL || json_is_null(member) || json_is_string(member);
}

/* The kind of a message with a command, by its name. */
static int
command_kind(const char *name)
{
    static const struct {
        const char *name;
        enum message_kind kind;
    } commands[] = {{"next", MESSAGE_NEXT},
                    {"ack", MESSAGE_ACK},
                    {"fail", MESSAGE_FAIL},
                    {"activate", MESSAGE_ACTIVATE},
                    {"deactivate", MESSAGE_DEACTIVATE}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return (int)commands[i].kind;
        }
    }
    return NO_MESSAGE;
}

static int
tuple_kind(const json_t *root)
{
    const json_t *task = json_object_get(root, "task");
    const json_t *stream = json_object_get(root, "stream");
    const json_t *values = json_object_get(root, "tuple");
    if (values == NULL) {
        return NO_MESSAGE;
    }
    if (json_integer_value(task) == -1 && json_is_string(stream) &&
        strcmp(json_string_value(stream), "__heartbeat") == 0) {
        return MESSAGE_HEARTBEAT;
    }
    bool whole = json_is_array(values) && json_is_string(stream) &&
                 json_is_string(json_object_get(root, "comp")) &&
                 json_is_string(json_object_get(root, "id"));
    return whole ? (int)MESSAGE_TUPLE : NO_MESSAGE;
}

/* What message a tree is. */
static int
expected_kind(const json_t *root)
{
    const json_t *command = json_object_get(root, "command");
    const json_t *task = json_object_get(root, "task");
    if (json_is_array(root)) {
        return MESSAGE_TASK_IDS;
    }
    if (!json_is_object(root) || !is_string_or_null(command) ||
        !is_string_or_null(json_object_get(root, "comp")) ||
        !is_string_or_null(json_object_get(root, "stream")) ||
        (task != NULL && !json_is_integer(task))) {
        return NO_MESSAGE;
    }
    return json_is_string(command) ? command_kind(json_string_value(command)) : tuple_kind(root);
}

/* The tree of a frame that jansson and a reader of envelopes must agree on, or NULL. It leaves out what
   Storm never writes: a name twice, one with escapes, a NUL, an array behind white space. */
static json_t *
load_plain(struct slice frame)
{
    if (memchr(frame.ptr, 0, frame.len) != NULL || memmem(frame.ptr, frame.len, "\\u", 2) != NULL) {
        return NULL;
    }
    json_t *root = json_loadb(frame.ptr, frame.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_array(root) && frame.ptr[0] != '[') {
        json_decref(root);
        return NULL;
    }
    return root;
}

static bool
lies_in(struct slice part, struct slice whole)
{
    return part.ptr == NULL ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static bool
same_string(const struct json_value *a, const struct json_value *b)
{
    return a->type == b->type && (a->type != JSON_TYPE_STRING || slice_equal(a->text, b->text));
}

/* What was read as a string is the member of that name. */
static void
check_string(const struct json_value *found, const json_t *expected)
{
    struct buffer value = {0};
    REQUIRE(found->type == JSON_TYPE_STRING && json_is_string(expected));
    REQUIRE(json_unescape(found->text, &value, NULL) == 0);
    REQUIRE(slice_equal((struct slice){value.data, value.len},
                        (struct slice){json_string_value(expected), json_string_length(expected)}));
    REQUIRE(found->escaped == (memchr(found->text.ptr, '\\', found->text.len) != NULL));
    buffer_deinit(&value);
}

static void
check_values(struct slice found, const json_t *expected)
{
    json_t *values = found.ptr == NULL ? NULL : oracle_load(found);
    REQUIRE(values == expected || json_equal(values, expected));
    json_decref(values);
}

/* The envelope is what the tree has. */
static void
check_envelope(const struct message *message, const json_t *root)
{
    switch (message->kind) {
    case MESSAGE_TASK_IDS:
        check_values(message->values, root);
        break;
    case MESSAGE_TUPLE:
        check_string(&message->id, json_object_get(root, "id"));
        check_string(&message->component, json_object_get(root, "comp"));
        check_string(&message->stream, json_object_get(root, "stream"));
        check_values(message->values, json_object_get(root, "tuple"));
        REQUIRE(json_integer_value(json_object_get(root, "task")) == message->task);
        break;
    case MESSAGE_HEARTBEAT:
        break;
    default:
        check_values(message->values, json_object_get(root, "id"));
        break;
    }
}

static void
check_fault(const struct fault *fault, struct slice frame)
{
    REQUIRE(fault->code == FAULT_JSON || fault->code == FAULT_MESSAGE ||
            fault->code == FAULT_LIMIT);
    REQUIRE(fault->offset <= frame.len);
    REQUIRE(strlen(fault->text) > 0);
}

/* One value and nothing behind it. */
static bool
is_closed(struct slice text)
{
    struct slice skipped;
    struct json_reader reader = json_reader(text, NULL);
    return json_skip(&reader, &skipped) == 0 && json_finish(&reader) == 0;
}

/* Read from front to back, a frame is what its tree is. True if it is a message. */
static bool
check_strictly(struct slice frame, struct message *message)
{
    struct fault fault = {0};
    bool readable = message_decode_strictly(frame, message, &fault) == 0;
    json_t *root = load_plain(frame);
    int expected = root != NULL ? expected_kind(root) : UNSAID;
    if (readable) {
        REQUIRE(fault.code == FAULT_NONE && message->unchecked.ptr == NULL);
        REQUIRE(is_closed(frame));
        REQUIRE(lies_in(message->values, frame) && lies_in(message->id.text, frame) &&
                lies_in(message->component.text, frame) && lies_in(message->stream.text, frame));
        REQUIRE(expected == UNSAID || expected == (int)message->kind);
    } else {
        check_fault(&fault, frame);
        REQUIRE(expected == UNSAID || expected == NO_MESSAGE || fault.code == FAULT_LIMIT);
    }
    if (readable && root != NULL) {
        check_envelope(message, root);
    }
    json_decref(root);
    return readable;
}

/* The quick way comes to the same as the strict one, unless it has read the ends alone and what is
   between them is no array: then the strict way has the last word. */
static void
check_quickly(struct slice frame, const struct message *strict, bool readable)
{
    struct message quick;
    struct fault fault = {0};
    int result = message_decode(frame, &quick, &fault);
    if (result == 0 && quick.unchecked.ptr != NULL) {
        json_t *values = oracle_load(quick.values);
        bool as_it_seems = json_is_array(values);
        json_decref(values);
        REQUIRE(slice_equal(quick.unchecked, frame) && lies_in(quick.values, frame));
        if (!as_it_seems) {
            return;
        }
    }
    REQUIRE((result == 0) == readable);
    if (readable) {
        REQUIRE(quick.kind == strict->kind && quick.task == strict->task);
        REQUIRE(same_string(&quick.id, &strict->id) &&
                same_string(&quick.component, &strict->component) &&
                same_string(&quick.stream, &strict->stream));
        REQUIRE(slice_equal(quick.values, strict->values));
    }
}

/* ---- writing ---------------------------------------------------------------------------- */

/* One way to say something with `text`; returns 0 or -1 as the writers do. */
struct saying {
    int (*write)(struct buffer *out, struct slice text, struct fault *fault);
    const char *command;
    const char *member; /* where the text comes out again */
};

static int
write_ack(struct buffer *out, struct slice text, struct fault *fault)
{
    return message_write_ack(out, tuple_id_parse(text), fault);
}

static int
write_fail(struct buffer *out, struct slice text, struct fault *fault)
{
    return message_write_fail(out, tuple_id_parse(text), fault);
}

static int
write_log(struct buffer *out, struct slice text, struct fault *fault)
{
    return message_write_log(out, LEVEL_WARN, text, fault);
}

static int
write_metric(struct buffer *out, struct slice text, struct fault *fault)
{
    return message_write_metric(out, text, SLICE("{\"p\":[1]}"), fault);
}

static int
write_emit(struct buffer *out, struct slice text, struct fault *fault)
{
    struct emit emit = {.stream = text, .task = (int64_t)(text.len % 3) - 1};
    return message_open_emit(out, &emit, fault) < 0 ||
                   message_write_id(out, tuple_id_parse(text), fault) < 0 ||
                   message_close_emit(out, fault) < 0
               ? -1
               : 0;
}

static const struct saying sayings[] = {
    {write_log, "log", "msg"},         {message_write_error, "error", "msg"},
    {write_metric, "metrics", "name"}, {write_ack, "ack", "id"},
    {write_fail, "fail", "id"},        {write_emit, "emit", "stream"},
};

enum { SAYINGS = sizeof sayings / sizeof sayings[0], FOR_ANY_BYTES = 3 /* the first ones */ };

/* What was written is one frame; returns its text (borrowed). */
static struct slice
only_frame(const struct buffer *out)
{
    struct frame_input input = {.end = out->len};
    struct slice frame;
    struct slice none;
    REQUIRE(frame_next(&input, out->data, SIZE_MAX, &frame, NULL) == 1);
    REQUIRE(frame_next(&input, out->data, SIZE_MAX, &none, NULL) == 0 && input.start == out->len);
    return frame;
}

static void
check_said(const struct saying *saying, struct slice text, bool is_utf8, const struct buffer *out)
{
    json_t *root = oracle_load(only_frame(out));
    const json_t *said = json_object_get(root, saying->member);
    REQUIRE(strcmp(json_string_value(json_object_get(root, "command")), saying->command) == 0);
    REQUIRE(json_is_string(said));
    if (is_utf8) {
        json_t *expected = oracle_string(text);
        REQUIRE(json_equal(said, expected));
        json_decref(expected);
    }
    json_decref(root);
}

/* Into room that may be too little: nothing is written past it. */
static void
check_saying(const struct saying *saying, struct slice text, bool is_utf8)
{
    struct buffer whole = {0};
    REQUIRE(saying->write(&whole, text, NULL) == 0);
    check_said(saying, text, is_utf8, &whole);

    size_t room = text.len > 0 ? (unsigned char)text.ptr[0] * whole.len / 128 : 0;
    struct fault fault = {0};
    struct buffer fixed = {.data = guarded_tail(&memory, room), .cap = room, .fixed = true};
    if (saying->write(&fixed, text, &fault) == 0) {
        REQUIRE(slice_equal((struct slice){fixed.data, fixed.len},
                            (struct slice){whole.data, whole.len}));
    } else {
        REQUIRE(fault.code == FAULT_LIMIT && fixed.len <= room);
    }
    buffer_deinit(&whole);
}

/* A tuple that was read goes out again, anchored to itself, and its values are the same. */
static void
check_passing_on(const struct message *message)
{
    struct buffer out = {0};
    struct slice values = {message->values.ptr + 1, message->values.len - 2};
    struct slice id = {message->id.text.ptr - 1, message->id.text.len + 2};
    struct emit emit = {.anchors = id, .task = -1, .need_task_ids = true};
    json_t *expected = oracle_load(message->values);
    REQUIRE(message_open_emit(&out, &emit, NULL) == 0);
    REQUIRE(buffer_append(&out, values, NULL) == 0);
    REQUIRE(message_close_emit(&out, NULL) == 0);
    if (json_is_array(expected) && memmem(id.ptr, id.len, "\\u", 2) == NULL &&
        json_utf8_length(id) == id.len) {
        struct slice frame = out.data[out.len - 1] == '\n' ? only_frame(&out) : (struct slice){0};
        json_t *root = oracle_load(frame);
        const json_t *anchors = json_object_get(root, "anchors");
        REQUIRE(json_equal(json_object_get(root, "tuple"), expected));
        REQUIRE(json_array_size(anchors) == 1 &&
                json_is_true(json_object_get(root, "need_task_ids")));
        check_string(&message->id, json_array_get(anchors, 0));
        json_decref(root);
    }
    json_decref(expected);
    buffer_deinit(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {size > 0 ? (const char *)data : "", size};
    struct slice frame = guarded_put(&memory, bytes);
    struct message message;
    bool readable = check_strictly(frame, &message);
    check_quickly(frame, &message, readable);
    if (readable && message.kind == MESSAGE_TUPLE) {
        check_passing_on(&message);
    }
    bool is_utf8 = json_utf8_length(bytes) == bytes.len;
    for (int i = 0; i < (is_utf8 ? SAYINGS : FOR_ANY_BYTES); i++) {
        check_saying(&sayings[i], bytes, is_utf8);
    }
    return 0;
}
