/* The second station: from a frame to its envelope. */
#include "message.h"

#include "json_scan.h"

static int
read_string(struct json_reader *reader, struct json_value *value, const char *key)
{
    size_t offset = (size_t)(reader->at - reader->start);
    if (json_read(reader, value) < 0) {
        return -1;
    }
    if (value->type != JSON_TYPE_STRING && value->type != JSON_TYPE_NULL) {
        return fault_set(reader->fault, FAULT_MESSAGE, offset, "\"%s\" of a message is no string",
                         key);
    }
    return 0;
}

static int
read_task(struct json_reader *reader, struct message *message)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    if (value.type != JSON_TYPE_INT) {
        return fault_set(reader->fault, FAULT_MESSAGE, 0, "\"task\" of a message is no integer");
    }
    message->task = value.number;
    return 0;
}

/* An id is a string in a tuple and any JSON value in a spout's ack or fail: kept as both. */
static int
read_id(struct json_reader *reader, struct message *message, struct slice *text)
{
    if (json_skip(reader, text) < 0) {
        return -1;
    }
    if (text->ptr[0] == '"') {
        message->id = (struct json_value){
            .type = JSON_TYPE_STRING,
            .text = {text->ptr + 1, text->len - 2},
            .escaped = memchr(text->ptr, '\\', text->len) != NULL,
        };
    }
    return 0;
}

/* The members of a message that mean something. */
enum member { MEMBER_OTHER, ID, COMPONENT, STREAM, TASK, VALUES, COMMAND };

/* The member whose key stands at the reader as Storm writes it, with quotes and colon and without
   white space; passes over it. MEMBER_OTHER: json_member() has to look. */
static enum member
take_key(struct json_reader *reader)
{
    switch (reader->at[1]) {
    case 'i':
        return json_take(reader, SLICE("\"id\":")) ? ID : MEMBER_OTHER;
    case 's':
        return json_take(reader, SLICE("\"stream\":")) ? STREAM : MEMBER_OTHER;
    case 't':
        return json_take(reader, SLICE("\"task\":"))    ? TASK
               : json_take(reader, SLICE("\"tuple\":")) ? VALUES
                                                        : MEMBER_OTHER;
    case 'c':
        return json_take(reader, SLICE("\"comp\":"))      ? COMPONENT
               : json_take(reader, SLICE("\"command\":")) ? COMMAND
                                                          : MEMBER_OTHER;
    default:
        return MEMBER_OTHER;
    }
}

static enum member
member_named(struct slice name)
{
    static const struct {
        struct slice name;
        enum member member;
    } members[] = {{SLICE("id"), ID},     {SLICE("comp"), COMPONENT}, {SLICE("stream"), STREAM},
                   {SLICE("task"), TASK}, {SLICE("tuple"), VALUES},   {SLICE("command"), COMMAND}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (slice_equal(name, members[i].name)) {
            return members[i].member;
        }
    }
    return MEMBER_OTHER;
}

/* Step to the next member. 1, 0 at the object's end, -1. The common writing is looked for first. */
static int
next_member(struct json_reader *reader, bool first, enum member *member)
{
    struct json_value key;
    const char *before = reader->at;
    reader->at += !first && before < reader->end && *before == ',';
    if ((first || reader->at > before) && reader->end - reader->at > 1 && *reader->at == '"' &&
        (*member = take_key(reader)) != MEMBER_OTHER) {
        return 1;
    }
    reader->at = before;
    int more = json_member(reader, first, &key);
    *member = more > 0 ? member_named(key.text) : MEMBER_OTHER;
    return more;
}

/* What the members of one message were. */
struct parts {
    bool has_values;
    struct json_value command; /* JSON_TYPE_NULL where there is none */
    struct slice id;
};

static int
read_member(struct json_reader *reader, enum member member, struct message *message,
            struct parts *parts)
{
    struct slice ignored;
    switch (member) {
    case VALUES:
        parts->has_values = true;
        return json_skip(reader, &message->values);
    case ID:
        return read_id(reader, message, &parts->id);
    case COMPONENT:
        return read_string(reader, &message->component, "comp");
    case STREAM:
        return read_string(reader, &message->stream, "stream");
    case TASK:
        return read_task(reader, message);
    case COMMAND:
        return read_string(reader, &parts->command, "command");
    case MEMBER_OTHER:
        break;
    }
    return json_skip(reader, &ignored);
}

static int
finish_command(struct message *message, const struct parts *parts, struct fault *fault)
{
    static const struct {
        struct slice name;
        enum message_kind kind;
    } commands[] = {
        {SLICE("next"), MESSAGE_NEXT},
        {SLICE("ack"), MESSAGE_ACK},
        {SLICE("fail"), MESSAGE_FAIL},
        {SLICE("activate"), MESSAGE_ACTIVATE},
        {SLICE("deactivate"), MESSAGE_DEACTIVATE},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (slice_equal(parts->command.text, commands[i].name)) {
            message->kind = commands[i].kind;
            message->values = parts->id;
            return 0;
        }
    }
    int shown = parts->command.text.len < 40 ? (int)parts->command.text.len : 40;
    return fault_set(fault, FAULT_MESSAGE, 0, "no command of Storm's: \"%.*s\"", shown,
                     parts->command.text.ptr);
}

static int
finish_tuple(struct message *message, struct fault *fault)
{
    if (message->task == -1 && slice_equal(message->stream.text, SLICE("__heartbeat"))) {
        message->kind = MESSAGE_HEARTBEAT;
        return 0;
    }
    message->kind = MESSAGE_TUPLE;
    if (message->id.type != JSON_TYPE_STRING || message->component.type != JSON_TYPE_STRING ||
        message->stream.type != JSON_TYPE_STRING) {
        return fault_set(fault, FAULT_MESSAGE, 0,
                         "a tuple without \"id\", \"comp\" or \"stream\" as strings");
    }
    if (message->values.len == 0 || message->values.ptr[0] != '[') {
        return fault_set(fault, FAULT_MESSAGE, 0, "\"tuple\" of a tuple is no array");
    }
    return 0;
}

static int
decode_object(struct json_reader *reader, struct message *message, struct fault *fault)
{
    struct parts parts = {.command = {.type = JSON_TYPE_NULL}};
    enum member member;
    int more;
    for (bool first = true; (more = next_member(reader, first, &member)) > 0; first = false) {
        if (read_member(reader, member, message, &parts) < 0) {
            return -1;
        }
    }
    if (more < 0 || json_finish(reader) < 0) {
        return -1;
    }
    if (parts.command.type == JSON_TYPE_STRING) {
        return finish_command(message, &parts, fault);
    }
    if (!parts.has_values) {
        return fault_set(fault, FAULT_MESSAGE, 0,
                         "a message with neither \"command\" nor \"tuple\"");
    }
    return finish_tuple(message, fault);
}

/* ---- what nearly every message is: a tuple in the order of Storm's HashMap, with plain names. Its values
   end where the members behind them begin, and these are found from the frame's end, so nobody walks
   through the values before they are converted (a line of 16 KB with escapes: half
   of the reading). Quotes tell: one without a backslash before it is the bound of a string. */

static bool
plain_text(struct json_reader *reader, struct json_value *value)
{
    const char *start = reader->at;
    uint64_t high = 0;
    const char *end = scan_run(start, reader->end, false, &high);
    if (end >= reader->end || *end != '"' || high != 0) {
        return false;
    }
    *value = (struct json_value){.type = JSON_TYPE_STRING,
                                 .text = {start, (size_t)(end - start)},
                                 .ascii = true};
    reader->at = end + 1;
    return true;
}

/* Drop `text` from the reader's end if it stands there. */
static inline bool
drop(struct json_reader *reader, struct slice text)
{
    if ((size_t)(reader->end - reader->at) < text.len ||
        memcmp(reader->end - text.len, text.ptr, text.len) != 0) {
        return false;
    }
    reader->end -= text.len;
    return true;
}

/* Drop a plain string, whose closing quote has been dropped, up to its opening quote. */
static inline bool
drop_plain_text(struct json_reader *reader, struct json_value *value)
{
    const char *quote = memrchr(reader->at, '"', (size_t)(reader->end - reader->at));
    uint64_t high = 0;
    if (quote == NULL || scan_run(quote + 1, reader->end, false, &high) != reader->end ||
        high != 0) {
        return false;
    }
    *value = (struct json_value){.type = JSON_TYPE_STRING,
                                 .text = {quote + 1, (size_t)(reader->end - quote - 1)},
                                 .ascii = true};
    reader->end = quote + 1;
    return true;
}

/* Drop up to nine digits: what a task's number has. */
static bool
drop_small_number(struct json_reader *reader, int64_t *number)
{
    const char *end = reader->end;
    int64_t ten = 1;
    *number = 0;
    for (; reader->end > reader->at && reader->end[-1] >= '0' && reader->end[-1] <= '9';
         ten *= 10) {
        if (end - reader->end == 9) {
            return false;
        }
        *number += (*--reader->end - '0') * ten;
    }
    return reader->end < end && (*reader->end != '0' || end - reader->end == 1);
}

static bool
usual_tuple(struct slice frame, struct message *message)
{
    struct json_reader reader = json_reader(frame, NULL);
    if (!json_take(&reader, SLICE("{\"comp\":\"")) || !plain_text(&reader, &message->component) ||
        !json_take(&reader, SLICE(",\"tuple\":")) || !drop(&reader, SLICE("\"}")) ||
        !drop_plain_text(&reader, &message->id) || !drop(&reader, SLICE("\",\"id\":\"")) ||
        !drop_plain_text(&reader, &message->stream) || !drop(&reader, SLICE(",\"stream\":\"")) ||
        !drop_small_number(&reader, &message->task) || !drop(&reader, SLICE(",\"task\":")) ||
        reader.at == reader.end || *reader.at != '[') {
        return false;
    }
    message->kind = MESSAGE_TUPLE;
    message->values = (struct slice){reader.at, (size_t)(reader.end - reader.at)};
    message->unchecked = frame;
    return true;
}

int
message_decode(struct slice frame, struct message *message, struct fault *fault)
{
    return usual_tuple(frame, message) ? 0 : message_decode_strictly(frame, message, fault);
}

int
message_decode_strictly(struct slice frame, struct message *message, struct fault *fault)
{
    static const struct json_value none = {.type = JSON_TYPE_NULL};
    struct json_reader reader = json_reader(frame, fault);
    struct json_value value;
    *message = (struct message){.id = none, .component = none, .stream = none};
    if (frame.len > 0 && frame.ptr[0] == '[') {
        message->kind = MESSAGE_TASK_IDS;
        return json_skip(&reader, &message->values) < 0 ? -1 : json_finish(&reader);
    }
    if (json_read(&reader, &value) < 0) {
        return -1;
    }
    if (value.type != JSON_TYPE_OBJECT) {
        return fault_set(fault, FAULT_MESSAGE, 0, "a message that is neither object nor array");
    }
    return decode_object(&reader, message, fault);
}
