/* What comes from Storm: bytes read into the arena, and the messages' frames in them. */
#ifndef STORMCELL_INLET_H
#define STORMCELL_INLET_H

#include <stdbool.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"
#include "frame.h"

struct inlet {
    int fd;
    char *bytes;               /* the arena's input region */
    struct frame_input *input; /* where reading stands in it; in the arena too */
    struct arena *arena;
    struct frame_input ahead; /* how far arrays have been looked for */
    bool ahead_skipping;
    size_t limit; /* the longest frame that is accepted, bytes */
    bool eof;
    bool spins; /* a second processor is there to spin on */
    int spin_credit;
};

void inlet_init(struct inlet *inlet, struct arena *arena);

/* The next frame in line. 1: *frame borrows until the next inlet_frame(); 0: none is complete;
   -1: FAULT_LIMIT, one was too long and is dropped; the next call goes on behind it. */
int inlet_frame(struct inlet *inlet, struct slice *frame, struct fault *fault);

/* Look for the first frame in line that is an array. 1: *frame borrows as above, 0: none is here. */
int inlet_array(struct inlet *inlet, struct slice *frame);

/* Take the frame that inlet_array() just found out of the line: it answers the oldest emit that asked. */
void inlet_remove(struct inlet *inlet, struct slice frame);

/* The frame that was just read was such an answer, and nobody waits for it any more. */
void inlet_pass_over_array(struct inlet *inlet);

/* One read(2). 1: bytes came, or the end (`eof`); 0: none are there; -1: FAULT_SYSTEM. */
int inlet_fill(struct inlet *inlet, struct fault *fault);

/* The same, looking again for a moment before it gives up. */
int inlet_spin(struct inlet *inlet, struct fault *fault);

/* Take in bytes that did not come by a read(2), in a loopback session. 0 or -1. */
int inlet_put(struct inlet *inlet, struct slice bytes, struct fault *fault);

/* Unread bytes. */
size_t inlet_waiting(const struct inlet *inlet);

#endif
