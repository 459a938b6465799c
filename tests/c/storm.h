/* Storm's side of the wire, played by the test itself: two pipes, and a script of what is said and
   what is heard. */
#ifndef STORMCELL_TESTS_STORM_H
#define STORMCELL_TESTS_STORM_H

#include "arena.h"
#include "buffer.h"

struct storm {
    struct arena *arena; /* whose wire it is; `in` and `out` are set */
    int say;             /* Storm's ends, the hearing one non-blocking */
    int hear;
    struct buffer heard;
};

/* Set up an arena and the pipes; the one from the component holds about `room` bytes (0: as is). */
void storm_start(struct storm *storm, int room);

/* Write to the component. It must fit into the pipe. */
void storm_say(struct storm *storm, struct slice bytes);

/* Close the component's input. */
void storm_hang_up(struct storm *storm);

/* Stop to listen. */
void storm_turn_away(struct storm *storm);

/* Append what has come to `heard`. Returns how many bytes that were. */
size_t storm_hear(struct storm *storm);

/* All that has been heard. */
struct slice storm_heard(struct storm *storm);

void storm_end(struct storm *storm);

#endif
