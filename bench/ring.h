/* What Storm would send, prepared as bytes before the clock runs: a handshake and some thousand
   tuples that are sent over and over. An id is not sent again before it has been acked. A spout's
   commands stand in the place of tuples; they have no ids and are answered in their order. */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *ptr;
    size_t len;
};

struct ring_tuple {
    struct span frame; /* up to and with its line "end" */
    struct span id;
    bool live; /* sent and not yet acked */
};

struct ring {
    struct span handshake;
    struct ring_tuple *tuples;
    size_t count;
    size_t guess;    /* the tuple that will be acked next if the child keeps the order */
    uint32_t *slots; /* by hash of the id: a tuple's index + 1, or 0 */
    size_t mask;
};

/* Read the file of frames: the handshake, then tuples whose last member is their id, or commands
   without one. */
void ring_load(struct ring *ring, const char *path, bool have_ids);

/* The tuple after the one that was found last. */
struct ring_tuple *ring_in_turn(struct ring *ring);

/* The tuple of that id, or NULL. */
struct ring_tuple *ring_find(struct ring *ring, struct span id);

#endif
