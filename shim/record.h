/* What one interpreter hears and says, written to a file message by message, each with one write(2),
   so that the last message before a crash is there too. The format: docs/recording.md. */
#ifndef STORMCELL_RECORD_H
#define STORMCELL_RECORD_H

#include <stdbool.h>

#include "buffer.h"
#include "fault.h"
#include "handshake.h"

enum record_kind {
    RECORD_START, /* an interpreter, or a file that goes on where another one was full */
    RECORD_IN,    /* a message from Storm */
    RECORD_OUT    /* a message to Storm */
};

struct record;

/* Does the topology's configuration ask for a recording? */
bool record_is_wanted(const struct handshake *handshake);

/* Begin one, with the handshake: new, or NULL with a fault that says what stands in its way. */
struct record *record_new(const struct handshake *handshake, struct fault *fault);
void record_free(struct record *record);

/* Append a message, a full file being put aside before. 0, or -1 with a fault, and the file has the
   messages before it. */
int record_write(struct record *record, enum record_kind kind, struct slice message,
                 struct fault *fault);

/* The descriptor of the file, for a forked child to close. */
int record_descriptor(const struct record *record);

#endif
