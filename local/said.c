#include "said.h"

/* ---- members ------------------------------------------------------------------------------- */

enum member {
    MEMBER_OTHER,
    COMMAND,
    ID,
    ANCHORS,
    STREAM,
    VALUES,
    TEXT,
    NAME,
    PARAMS,
    TASK,
    LEVEL,
    NEED_TASK_IDS,
    PID
};

static enum member
member_named(struct slice name)
{
    static const struct {
        struct slice name;
        enum member member;
    } members[] = {{SLICE("command"), COMMAND}, {SLICE("need_task_ids"), NEED_TASK_IDS},
                   {SLICE("anchors"), ANCHORS}, {SLICE("tuple"), VALUES},
                   {SLICE("id"), ID},           {SLICE("stream"), STREAM},
                   {SLICE("task"), TASK},       {SLICE("msg"), TEXT},
                   {SLICE("level"), LEVEL},     {SLICE("name"), NAME},
                   {SLICE("params"), PARAMS},   {SLICE("pid"), PID}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (slice_equal(name, members[i].name)) {
            return members[i].member;
        }
    }
    return MEMBER_OTHER;
}

static int
wrong(struct json_reader *reader, const char *what)
{
    return fault_set(reader->fault, FAULT_MESSAGE, (size_t)(reader->at - reader->start),
                     "what it said has %s", what);
}

/* Any value as its text, null as none; `start` is what it has to start with, or 0. */
static int
read_text(struct json_reader *reader, char start, const char *complaint, struct slice *text)
{
    if (json_skip(reader, text) < 0) {
        return -1;
    }
    if (slice_equal(*text, SLICE("null"))) {
        *text = (struct slice){NULL, 0};
        return 0;
    }
    return start != 0 && text->ptr[0] != start ? wrong(reader, complaint) : 0;
}

/* Storm cuts the number to 32 bits (ShellBolt.handleEmit: intValue). */
static int
read_task(struct json_reader *reader, int64_t *task)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    if (value.type != JSON_TYPE_INT && value.type != JSON_TYPE_NULL) {
        return wrong(reader, "a \"task\" that is no integer");
    }
    *task = value.type == JSON_TYPE_INT ? (int32_t)(uint64_t)value.number : 0;
    return 0;
}

/* What is no number, or none that it knows, is the level info to Storm. */
static int
read_level(struct json_reader *reader, enum message_level *level)
{
    struct slice text;
    struct json_value value;
    if (json_skip(reader, &text) < 0) {
        return -1;
    }
    struct json_reader again = json_reader(text, NULL);
    bool is_int = json_read(&again, &value) == 0 && value.type == JSON_TYPE_INT;
    int32_t number = is_int ? (int32_t)(uint64_t)value.number : LEVEL_INFO;
    *level =
        number >= LEVEL_TRACE && number <= LEVEL_ERROR ? (enum message_level)number : LEVEL_INFO;
    return 0;
}

/* What is no string is none to Storm. */
static int
read_name(struct json_reader *reader, struct slice *name)
{
    if (json_skip(reader, name) < 0) {
        return -1;
    }
    if (name->ptr[0] != '"') {
        *name = (struct slice){NULL, 0};
    }
    return 0;
}

static int
read_need_task_ids(struct json_reader *reader, bool *need)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    *need = value.type != JSON_TYPE_FALSE;
    return value.type == JSON_TYPE_TRUE || value.type == JSON_TYPE_FALSE ||
                   value.type == JSON_TYPE_NULL
               ? 0
               : wrong(reader, "a \"need_task_ids\" that is neither true nor false");
}

/* One switch. */
static int
read_member(struct json_reader *reader, enum member member, struct said *said,
            struct slice *command)
{
    struct slice ignored;
    switch (member) {
    case COMMAND:
        return read_text(reader, '"', "a \"command\" that is no string", command);
    case ID:
        return read_text(reader, 0, NULL, &said->id);
    case ANCHORS:
        return read_text(reader, 0, NULL, &said->anchors);
    case STREAM:
        return read_text(reader, '"', "a \"stream\" that is no string", &said->stream);
    case VALUES:
        return read_text(reader, '[', "a \"tuple\" that is no array", &said->tuple);
    case TEXT:
        return read_text(reader, '"', "a \"msg\" that is no string", &said->text);
    case NAME:
        return read_name(reader, &said->name);
    case PARAMS:
        return read_text(reader, 0, NULL, &said->params);
    case TASK:
        return read_task(reader, &said->task);
    case LEVEL:
        return read_level(reader, &said->level);
    case NEED_TASK_IDS:
        return read_need_task_ids(reader, &said->need_task_ids);
    case PID:
        said->kind = SAID_PID;
        break;
    case MEMBER_OTHER:
        break;
    }
    return json_skip(reader, &ignored);
}

/* ---- whole messages ------------------------------------------------------------------------ */

static int
finish(struct said *said, struct slice command, struct fault *fault)
{
    static const struct {
        struct slice name;
        enum said_kind kind;
    } commands[] = {
        {SLICE("\"emit\""), SAID_EMIT},      {SLICE("\"ack\""), SAID_ACK},
        {SLICE("\"sync\""), SAID_SYNC},      {SLICE("\"fail\""), SAID_FAIL},
        {SLICE("\"log\""), SAID_LOG},        {SLICE("\"error\""), SAID_ERROR},
        {SLICE("\"metrics\""), SAID_METRIC},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (slice_equal(command, commands[i].name)) {
            said->kind = commands[i].kind;
            return 0;
        }
    }
    int shown = command.len < 40 ? (int)command.len : 40;
    return command.ptr == NULL
               ? fault_set(fault, FAULT_MESSAGE, 0, "what it said has no \"command\"")
               : fault_set(fault, FAULT_MESSAGE, 0, "there is no command %.*s", shown, command.ptr);
}

/* What each kind must have. */
static int
check(const struct said *said, struct fault *fault)
{
    if (said->kind == SAID_EMIT && said->tuple.ptr == NULL) {
        return fault_set(fault, FAULT_MESSAGE, 0, "it emitted without a \"tuple\"");
    }
    if ((said->kind == SAID_ACK || said->kind == SAID_FAIL) &&
        (said->id.ptr == NULL || said->id.ptr[0] != '"')) {
        return fault_set(fault, FAULT_MESSAGE, 0,
                         "it acked or failed without the tuple's \"id\", a string");
    }
    return 0;
}

static int
decode_object(struct json_reader *reader, struct said *said, struct fault *fault)
{
    struct slice command = {NULL, 0};
    struct json_value key;
    int more;
    for (bool first = true; (more = json_member(reader, first, &key)) > 0; first = false) {
        if (read_member(reader, member_named(key.text), said, &command) < 0) {
            return -1;
        }
    }
    if (more < 0 || json_finish(reader) < 0) {
        return -1;
    }
    if (command.ptr == NULL && said->kind == SAID_PID) {
        return 0;
    }
    return finish(said, command, fault) < 0 ? -1 : check(said, fault);
}

/* ---- the two that nearly every tuple brings, as the shim writes them ------------------------- */

static bool
usual_sync(struct slice frame, struct said *said)
{
    said->kind = SAID_SYNC;
    return slice_equal(frame, SLICE("{\"command\":\"sync\"}"));
}

static bool
usual_ack(struct slice frame, struct said *said)
{
    static const struct slice open = {"{\"command\":\"ack\",\"id\":\"", 23};
    enum { MOST = 24 };
    if (frame.len < open.len + 3 || frame.len > open.len + MOST ||
        memcmp(frame.ptr, open.ptr, open.len) != 0 ||
        memcmp(frame.ptr + frame.len - 2, "\"}", 2) != 0) {
        return false;
    }
    for (const char *at = frame.ptr + open.len; at < frame.ptr + frame.len - 2; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
    }
    said->kind = SAID_ACK;
    said->id = (struct slice){frame.ptr + open.len - 1, frame.len - open.len};
    return true;
}

int
said_decode(struct slice frame, struct said *said, struct fault *fault)
{
    struct json_reader reader = json_reader(frame, fault);
    struct json_value value;
    *said = (struct said){.kind = SAID_SYNC, .level = LEVEL_INFO, .need_task_ids = true};
    if (usual_sync(frame, said) || usual_ack(frame, said)) {
        return 0;
    }
    if (json_read(&reader, &value) < 0) {
        return -1;
    }
    return value.type == JSON_TYPE_OBJECT
               ? decode_object(&reader, said, fault)
               : fault_set(fault, FAULT_MESSAGE, 0, "what it said is no JSON object");
}

int
said_next_text(struct slice *texts, struct slice *text, struct fault *fault)
{
    const char *end = texts->ptr + texts->len;
    const char *at = texts->ptr;
    while (at < end && strchr("[], \t\r\n", *at) != NULL) {
        at++;
    }
    struct json_reader reader = json_reader((struct slice){at, (size_t)(end - at)}, fault);
    if (at == end) {
        return 0;
    }
    if (json_skip(&reader, text) < 0) {
        return -1;
    }
    *texts = (struct slice){reader.at, (size_t)(end - reader.at)};
    if (text->ptr[0] != '"') {
        return fault_set(fault, FAULT_MESSAGE, 0, "an anchor is no string");
    }
    *text = (struct slice){text->ptr + 1, text->len - 2};
    return 1;
}
