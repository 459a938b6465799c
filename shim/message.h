/* The envelope of each message of the multilang protocol, in both directions.
   What Storm's JVM really accepts and sends: storm-client's ShellBolt, ShellSpout and
   JsonSerializer; the rules below name the class they come from. */
#ifndef STORMCELL_MESSAGE_H
#define STORMCELL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"
#include "ids.h"
#include "json.h"

enum message_kind {
    MESSAGE_TUPLE,
    MESSAGE_HEARTBEAT, /* a bolt's: answered by sync, never acked (ShellBolt) */
    MESSAGE_TASK_IDS,
    MESSAGE_NEXT, /* from here on a spout's commands, each answered by one sync (ShellSpout) */
    MESSAGE_ACK,
    MESSAGE_FAIL,
    MESSAGE_ACTIVATE,
    MESSAGE_DEACTIVATE
};

/* Everything borrows from the frame. Strings are as written, between their quotes. */
struct message {
    enum message_kind kind;
    int64_t task;         /* a tuple's: the task it comes from; -1: Storm itself */
    struct json_value id; /* a tuple's: a string; ack, fail: any JSON value, see `values` */
    struct json_value component;
    struct json_value stream;
    struct slice values; /* tuple and task ids: the JSON array; ack and fail: the id's JSON text */
    struct slice unchecked; /* the frame, where nobody has looked into the values */
};

enum message_level { LEVEL_TRACE, LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

/* What an emit says besides its values. A slice with a NULL ptr is left out. */
struct emit {
    struct slice anchors; /* bolt: what stands between the brackets, JSON; {NULL} for a spout */
    struct slice id;      /* spout: the id's JSON text */
    struct slice stream;  /* UTF-8; left out for the default stream */
    int64_t task;         /* direct emit; -1: not direct */
    bool need_task_ids;
};

/* Read a frame's envelope. 0, or -1 with FAULT_JSON or FAULT_MESSAGE. A message is `unchecked` that was
   read by its ends alone: `values` is what is between them. If that turns out to be no JSON array,
   message_decode_strictly() tells what the frame is. */
int message_decode(struct slice frame, struct message *message, struct fault *fault);
int message_decode_strictly(struct slice frame, struct message *message, struct fault *fault);

/* Each writer appends one whole frame. On -1 the buffer holds a part of it that the caller drops
   by putting `len` back. */
int message_write_pid(struct buffer *out, int64_t pid, struct fault *fault);
int message_write_sync(struct buffer *out, struct fault *fault);
int message_write_ack(struct buffer *out, struct tuple_id id, struct fault *fault);
int message_write_fail(struct buffer *out, struct tuple_id id, struct fault *fault);
/* The id alone, as a JSON string: what anchors consist of. */
int message_write_id(struct buffer *out, struct tuple_id id, struct fault *fault);
int message_write_error(struct buffer *out, struct slice text, struct fault *fault);
int message_write_log(struct buffer *out, enum message_level level, struct slice text,
                      struct fault *fault);
int message_write_metric(struct buffer *out, struct slice name, struct slice params,
                         struct fault *fault);

/* An emit is opened, its values are written behind it (separated by commas), and it is closed. */
int message_open_emit(struct buffer *out, const struct emit *emit, struct fault *fault);
int message_close_emit(struct buffer *out, struct fault *fault);

#endif
