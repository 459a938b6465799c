/* The table of live tuple ids: those that Storm has given to this bolt and that are not settled.
   An id is there from its tuple's arrival to its ack or fail, so the first of these wins. */
#ifndef STORMCELL_IDS_H
#define STORMCELL_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"

/* Storm's ids are signed decimal numbers of 64 bits (MessageId.generateId) and found by their value;
   any other text is taken too, slower. */
struct tuple_id {
    int64_t number;    /* the value, or the hash of the text */
    bool numbered;     /* the text is the canonical decimal of `number` */
    struct slice text; /* UTF-8, borrowed */
};

/* The longest text of a number: its digits and a sign. */
enum { TUPLE_ID_DIGITS = 20 };

/* The id that `text` (UTF-8, unescaped) writes; borrows `text`. */
struct tuple_id tuple_id_parse(struct slice text);

/* Add an id that is not live: Storm gives none twice (MessageId.generateId). 0, or -1 with FAULT_LIMIT:
   the table is full. */
int ids_add(struct arena *arena, struct tuple_id id, struct fault *fault);

bool ids_has(struct arena *arena, struct tuple_id id);

size_t ids_count(const struct arena *arena);

/* True if it was there. */
bool ids_remove(struct arena *arena, struct tuple_id id);

/* Put right what a process left that was lost at any moment in one of the above. */
void ids_mend(struct arena *arena);

/* Take one id after another out, in no order, until there is none; the table is of no use before that.
   *cursor is 0 at first. True: *id is one; a number's comes without its text. */
bool ids_take(struct arena *arena, size_t *cursor, struct tuple_id *id);

#endif
