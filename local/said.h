/* What a component says to Storm: the envelope of each of its messages, as Storm's JsonSerializer.readShellMsg
   reads them. The other direction is the core's message.h. */
#ifndef STORMCELL_LOCAL_SAID_H
#define STORMCELL_LOCAL_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"
#include "message.h"

enum said_kind {
    SAID_PID,
    SAID_SYNC,
    SAID_EMIT,
    SAID_ACK,
    SAID_FAIL,
    SAID_LOG,
    SAID_ERROR,
    SAID_METRIC
};

/* Everything borrows from the frame and is JSON text; {NULL} is what was not said, or null. */
struct said {
    enum said_kind kind;
    struct slice id;      /* ack and fail: a string; a spout's emit: any value */
    struct slice anchors; /* a string or an array */
    struct slice stream;
    struct slice tuple;  /* an array */
    struct slice text;   /* a log's and an error's string */
    struct slice name;   /* a metric's */
    struct slice params; /* a metric's value */
    int64_t task; /* of a direct emit; 0: it is not direct (JsonSerializer: so task 0 is none) */
    enum message_level level;
    bool need_task_ids;
};

/* Read a frame. 0, or -1 with FAULT_JSON or FAULT_MESSAGE: what Storm would end the worker for. */
int said_decode(struct slice frame, struct said *said, struct fault *fault);

/* The next text between quotes of `texts` (a JSON string or an array of strings), which moves behind it.
   1, 0 at the end, or -1 with a fault: something else stands there. */
int said_next_text(struct slice *texts, struct slice *text, struct fault *fault);

#endif
