/* The table of live tuple ids: those that Storm has given to this bolt and that are not settled.
   An id is there from its tuple's arrival to its ack or fail, so the first of these wins. */
#ifndef STORMCELL_IDS_H
#define STORMCELL_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "fault.h"

/* Storm's ids are signed decimal numbers of 64 bits (MessageId.generateId); any other text is
   taken too, slower. A NULL `text.ptr` says that the id is `number`, written in decimal. */
struct tuple_id {
    int64_t number;
    struct slice text; /* borrowed */
};

enum { TUPLE_ID_DIGITS = 24 }; /* room for a number's text */

/* The id that `text` (UTF-8, unescaped) writes; borrows `text` if it is no canonical number. */
struct tuple_id tuple_id_parse(struct slice text);

/* The text of an id: `id.text`, or its number written into `digits` (TUPLE_ID_DIGITS bytes). */
struct slice tuple_id_text(struct tuple_id id, char *digits);

/* 1: added, 0: it was there, -1: FAULT_LIMIT, the table is full. */
int ids_add(struct arena *arena, struct tuple_id id, struct fault *fault);

bool ids_has(struct arena *arena, struct tuple_id id);

/* True if it was there. */
bool ids_remove(struct arena *arena, struct tuple_id id);

#endif
