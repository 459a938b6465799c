/* The envelope of what a component says: each writer appends one whole frame. */
#include "message.h"

/* Storm 2.6 and later read small integers as Integer and cast "task" and "level" to Long, which
   ends the worker; as a number past 32 bits they arrive as Long and are cut to 32 bits again, on
   every version (JsonSerializer.readShellMsg, ShellBolt.handleEmit, ShellMsg.ShellLogLevel). */
static const int64_t AS_LONG = INT64_C(1) << 32;

#define END "\nend\n"

/* Write where there is room; returns where the next bytes go. */
static inline char *
put(char *to, struct slice text)
{
    memcpy(to, text.ptr, text.len);
    return to + text.len;
}

/* Digits need no escaping. */
static inline char *
put_number(char *to, struct slice digits)
{
    return put(put(put(to, SLICE("\"")), digits), SLICE("\""));
}

int
message_write_id(struct buffer *out, struct tuple_id id, struct fault *fault)
{
    if (!id.numbered) {
        return json_write_string(out, id.text, fault);
    }
    char *to = buffer_room(out, TUPLE_ID_DIGITS + 2, fault);
    if (to == NULL) {
        return -1;
    }
    out->len = (size_t)(put_number(to, id.text) - out->data);
    return 0;
}

/* `open` ends where the id goes. */
static inline int
write_id_command(struct buffer *out, struct slice open, struct tuple_id id, struct fault *fault)
{
    if (!id.numbered) {
        return buffer_append(out, open, fault) < 0 || message_write_id(out, id, fault) < 0 ||
                       buffer_append(out, SLICE("}" END), fault) < 0
                   ? -1
                   : 0;
    }
    enum { MOST = 64 };
    char *to = buffer_room(out, MOST, fault);
    if (to == NULL) {
        return -1;
    }
    to = put(put_number(put(to, open), id.text), SLICE("}" END));
    out->len = (size_t)(to - out->data);
    return 0;
}

int
message_write_pid(struct buffer *out, int64_t pid, struct fault *fault)
{
    return buffer_append(out, SLICE("{\"pid\":"), fault) < 0 ||
                   json_write_int(out, pid, fault) < 0 ||
                   buffer_append(out, SLICE("}" END), fault) < 0
               ? -1
               : 0;
}

int
message_write_sync(struct buffer *out, struct fault *fault)
{
    return buffer_append(out, SLICE("{\"command\":\"sync\"}" END), fault);
}

int
message_write_ack(struct buffer *out, struct tuple_id id, struct fault *fault)
{
    return write_id_command(out, SLICE("{\"command\":\"ack\",\"id\":"), id, fault);
}

int
message_write_fail(struct buffer *out, struct tuple_id id, struct fault *fault)
{
    return write_id_command(out, SLICE("{\"command\":\"fail\",\"id\":"), id, fault);
}

int
message_write_error(struct buffer *out, struct slice text, struct fault *fault)
{
    return buffer_append(out, SLICE("{\"command\":\"error\",\"msg\":"), fault) < 0 ||
                   json_write_bytes(out, text, fault) < 0 ||
                   buffer_append(out, SLICE("}" END), fault) < 0
               ? -1
               : 0;
}

int
message_write_log(struct buffer *out, enum message_level level, struct slice text,
                  struct fault *fault)
{
    return buffer_append(out, SLICE("{\"command\":\"log\",\"level\":"), fault) < 0 ||
                   json_write_int(out, (int64_t)level + AS_LONG, fault) < 0 ||
                   buffer_append(out, SLICE(",\"msg\":"), fault) < 0 ||
                   json_write_bytes(out, text, fault) < 0 ||
                   buffer_append(out, SLICE("}" END), fault) < 0
               ? -1
               : 0;
}

int
message_write_metric(struct buffer *out, struct slice name, struct slice params,
                     struct fault *fault)
{
    return buffer_append(out, SLICE("{\"command\":\"metrics\",\"name\":"), fault) < 0 ||
                   json_write_bytes(out, name, fault) < 0 ||
                   buffer_append(out, SLICE(",\"params\":"), fault) < 0 ||
                   buffer_append(out, params, fault) < 0 ||
                   buffer_append(out, SLICE("}" END), fault) < 0
               ? -1
               : 0;
}

static int
write_stream(struct buffer *out, struct slice stream, struct fault *fault)
{
    if (stream.ptr == NULL) {
        return 0;
    }
    return buffer_append(out, SLICE(",\"stream\":"), fault) < 0
               ? -1
               : json_write_string(out, stream, fault);
}

static int
write_task(struct buffer *out, int64_t task, struct fault *fault)
{
    if (task < 0) {
        return 0;
    }
    return buffer_append(out, SLICE(",\"task\":"), fault) < 0
               ? -1
               : json_write_int(out, task + AS_LONG, fault);
}

int
message_open_emit(struct buffer *out, const struct emit *emit, struct fault *fault)
{
    enum { FIXED = 128 }; /* all that is written here but the two texts */
    char *to = buffer_room(out, FIXED + emit->anchors.len + emit->id.len, fault);
    if (to == NULL) {
        return -1;
    }
    /* an absent "need_task_ids" means true (ShellMsg), so it is always said */
    to = emit->need_task_ids ? put(to, SLICE("{\"command\":\"emit\",\"need_task_ids\":true"))
                             : put(to, SLICE("{\"command\":\"emit\",\"need_task_ids\":false"));
    if (emit->anchors.ptr != NULL) {
        to = put(put(put(to, SLICE(",\"anchors\":[")), emit->anchors), SLICE("]"));
    }
    if (emit->id.ptr != NULL) {
        to = put(put(to, SLICE(",\"id\":")), emit->id);
    }
    out->len = (size_t)(to - out->data);
    if (write_stream(out, emit->stream, fault) < 0 || write_task(out, emit->task, fault) < 0) {
        return -1;
    }
    return buffer_append(out, SLICE(",\"tuple\":["), fault);
}

int
message_close_emit(struct buffer *out, struct fault *fault)
{
    return buffer_append(out, SLICE("]}" END), fault);
}
