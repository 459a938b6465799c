/* The wire: Storm's two pipes, made private, and the one way to write to them.
   Two processes write, each whole messages from a lane of its own; the lock in the arena and the
   offsets beside it keep a message from being cut by another one. */
#ifndef STORMCELL_WIRE_H
#define STORMCELL_WIRE_H

#include "arena.h"
#include "buffer.h"
#include "fault.h"

/* Are there a stdin and a stdout? To be asked before anything is opened. 0, or -1 with a fault. */
int wire_check(struct fault *fault);

/* Move descriptors 0, 1 and 2 away to private ones (into the arena), put /dev/null on 0 and pipes
   on 1 and 2. captured[0] and [1] are the reading ends of what is printed from now on to stdout
   and stderr. 0, or -1 with a fault. */
int wire_make_private(struct arena *arena, int captured[2], struct fault *fault);

/* Move an open descriptor to a private number, close-on-exec, that nothing else is likely to be given:
   -1 with a fault. The old one is closed in either case. */
int wire_move_away(int fd, struct fault *fault);

/* A view of a writer's lane to append messages to; its `len` is where the next one goes.
   Only one thread at a time may use it. */
struct buffer wire_lane(struct arena *arena, enum arena_writer writer);

/* Let what has been appended to the lane go out: whole messages up to lane->len. */
void wire_commit(struct arena *arena, enum arena_writer writer, const struct buffer *lane);

/* How many committed bytes of the lane have not been written. */
size_t wire_pending(const struct arena *arena, enum arena_writer writer);

/* Write what is committed, without blocking. `lane` is the caller's own view and is rewound when
   all of it is out. Before the pid has been answered this writes nothing.
   1: nothing is left, 0: the pipe is full or the other process is writing, -1: FAULT_GONE. */
int wire_flush(struct arena *arena, enum arena_writer writer, struct buffer *lane,
               struct fault *fault);

/* Answer the handshake with the guardian's pid, if that has not been done. 0 or -1. */
int wire_answer(struct arena *arena, struct fault *fault);

/* Wait until the wire takes bytes again, at most `timeout_ms`. */
void wire_wait_writable(const struct arena *arena, int timeout_ms);

#endif
