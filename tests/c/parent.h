/* A Storm that says anything in any pieces, listens when it likes, and keeps account: what the component
   must be given next, and what has to be heard from it. A mistake of the component ends the process. */
#ifndef STORMCELL_TESTS_PARENT_H
#define STORMCELL_TESTS_PARENT_H

#include <jansson.h>
#include <stdint.h>

#include "message.h"
#include "storm.h"

/* How many messages a parent says at most, and how long it may doubt who has said what. */
enum { PARENT_MOST = 512, PARENT_DOUBTS = 32 };

/* A message of Storm's, in line for the component. */
struct said {
    enum said_kind { SAID_TUPLE, SAID_COMMAND, SAID_HEARTBEAT, SAID_TASK_IDS, SAID_NONSENSE } kind;
    enum message_kind command;
    unsigned number; /* of the message, which tells it from others */
    size_t due;      /* it can be noticed once so many bytes have been taken in */
    bool taken;
};

struct parent {
    struct storm storm;
    struct buffer unsaid; /* in line, and not in the pipe yet */
    size_t delivered;     /* bytes that are in it, or were */
    struct said line[PARENT_MOST];
    unsigned said;
    unsigned first; /* of them that is still in line */
    bool spout;     /* the component is one: it owes a sync even for what it cannot read */
    bool derailed;  /* nobody knows which messages the bytes are that it was sent */
    bool pid_heard;
    unsigned asking; /* emits that were heard and ask for task ids, not answered yet */
    unsigned asked;  /* the same, from when they were said until their task ids are taken */
    json_t *accounts[ARENA_WRITERS]; /* what each of the two has said */
    size_t heard;                    /* how much of that, */
    size_t
        guards[PARENT_DOUBTS]; /* and how many of it may be the guardian's: all that is possible */
    size_t doubts;
};

/* Storm, whose handshake (texts.h) is in line. */
void parent_start(struct parent *parent);
void parent_end(struct parent *parent);

/* ---- Storm's side ------------------------------------------------------------------------ */

/* Get in line: messages, some that are none, and bytes of which nobody knows what they are. */
void parent_say_tuple(struct parent *parent, unsigned style);
void parent_say_command(struct parent *parent, unsigned choice);
void parent_say_heartbeat(struct parent *parent);
void parent_say_nonsense(struct parent *parent, struct slice bytes);
void parent_say_too_much(struct parent *parent);
void parent_say_bytes(struct parent *parent, struct slice bytes);

/* Answer an emit that asks for task ids, if one was heard. */
void parent_say_task_ids(struct parent *parent);

/* Put up to `most` bytes into the pipe. Returns how many those were. */
size_t parent_deliver(struct parent *parent, size_t most);

/* Read up to `most` bytes and check the messages that are whole. Returns how many those were. */
size_t parent_hear(struct parent *parent, size_t most);

/* All was heard that was said, and no part of a message is left over. */
void parent_check_all_heard(const struct parent *parent);

/* ---- the component's side ---------------------------------------------------------------- */

/* The text of a tuple's id, as Storm writes it and as it is meant (borrowed until the next call). */
struct slice parent_id_as_written(const struct said *said);
struct slice parent_id(const struct said *said);

/* The message that it must be given next (borrowed), or NULL. What it owes for those before that goes
   on its account. */
const struct said *parent_next(struct parent *parent);

/* Take the task ids of the last emit that asked for them: their number, or -1 if they are not here. */
int parent_take_task_ids(struct parent *parent);

/* The component has said this (stolen). What is heard of an error may go on behind the text's end. */
void parent_note(struct parent *parent, enum arena_writer writer, json_t *message);

#endif
