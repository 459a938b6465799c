/* Feed bytes to frame.c piece by piece, the way a session does, and write down what comes out. */
#ifndef STORMCELL_TESTS_FRAMING_H
#define STORMCELL_TESTS_FRAMING_H

#include <stdbool.h>

#include "buffer.h"
#include "frame.h"
#include "guarded.h"

/* {.limit = n} is ready for use. */
struct framing {
    size_t limit;
    struct frame_input input;
    bool dropping;      /* the frame that is arriving is too long */
    struct buffer held; /* the bytes from `input.start` on, which is 0 between two pieces */
    struct guarded memory;
    struct buffer found; /* what framing_note_... have written */
};

/* Take one more piece and find all frames that are complete now. */
void framing_feed(struct framing *framing, struct slice piece);

void framing_deinit(struct framing *framing);

/* How a frame ("2:{}") and one that was too long ("!") are written down. */
void framing_note_frame(struct buffer *found, struct slice frame);
void framing_note_dropped(struct buffer *found);

#endif
