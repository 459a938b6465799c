/* The interpreter notes what it does in an order by which every moment can be told from what is in the
   arena. A message is committed first; what follows from it comes behind, and is made up for here from
   the message itself. A message from Storm that was taken, but not yet given to the component, is
   put back. What no order can tell is how far a system call on the wire had come. */
#include "recovery.h"

#include <stdio.h>

#include "ids.h"
#include "json.h"
#include "message.h"

int
recovery_check(const struct arena *arena, struct fault *fault)
{
    if (atomic_load(&arena->writing)) {
        return fault_set(fault, FAULT_GONE, 0,
                         "it was lost while it wrote to Storm: a message may be cut");
    }
    if (atomic_load(&arena->taking)) {
        return fault_set(fault, FAULT_GONE, 0,
                         "it was lost while it read from Storm: what it had read is not known");
    }
    return 0;
}

/* ---- what was said ---------------------------------------------------------------------- */

/* The text behind `start`, where the message starts with that. */
static bool
behind(struct slice message, struct slice start, struct slice *rest)
{
    if (message.len < start.len || memcmp(message.ptr, start.ptr, start.len) != 0) {
        return false;
    }
    *rest = (struct slice){message.ptr + start.len, message.len - start.len};
    return true;
}

/* The id that a message names is not live any more. */
static void
apply_settled(struct arena *arena, struct slice id)
{
    struct json_reader reader = json_reader(id, NULL);
    struct buffer unescaped = {0};
    struct json_value value;
    if (json_read(&reader, &value) == 0) {
        struct slice text = value.text;
        if (value.escaped && json_unescape(text, &unescaped, NULL) == 0) {
            text = (struct slice){unescaped.data, unescaped.len};
        }
        ids_remove(arena, tuple_id_parse(text));
    }
    buffer_deinit(&unescaped);
}

static void
apply(struct arena *arena, struct slice message)
{
    struct slice rest;
    if (behind(message, SLICE("{\"command\":\"ack\",\"id\":"), &rest) ||
        behind(message, SLICE("{\"command\":\"fail\",\"id\":"), &rest)) {
        apply_settled(arena, rest);
    } else if (behind(message, SLICE("{\"command\":\"sync\""), &rest)) {
        if (arena->hand.kind == HAND_COMMAND) {
            arena_empty_hand(arena);
        }
    } else if (behind(message, SLICE("{\"command\":\"emit\",\"need_task_ids\":true"), &rest)) {
        arena->task_ids_owed = arena->task_ids_next;
    }
}

static void
apply_all(struct arena *arena)
{
    static const struct slice end = {"\nend\n", 5};
    struct arena_lane *lane = &arena->lanes[WRITER_INTERPRETER];
    const char *bytes = arena_region(arena, ARENA_OUTPUT);
    const char *at = bytes + lane->applied;
    size_t committed = atomic_load(&lane->committed);
    const char *eol;
    while ((eol = memmem(at, (size_t)(bytes + committed - at), end.ptr, end.len)) != NULL) {
        apply(arena, (struct slice){at, (size_t)(eol - at)});
        at = eol + end.len;
    }
    lane->applied = committed;
}

/* ---- what was in hand ------------------------------------------------------------------- */

/* A tuple that was just being entered into the table, and did not get there, was not given. */
static void
mend_entering(struct arena *arena)
{
    struct arena_hand *hand = &arena->hand;
    struct tuple_id id = {hand->number, hand->numbered, {hand->text, hand->len}};
    hand->kind = ids_has(arena, id) ? HAND_TUPLE : HAND_EMPTY;
}

static void
put_back(struct arena *arena)
{
    struct frame_input *input = &arena->input;
    input->start = input->line = input->scan = arena->dealt;
}

bool
recovery_mend(struct arena *arena)
{
    ids_mend(arena);
    apply_all(arena);
    if (arena->hand.kind == HAND_ENTERING) {
        mend_entering(arena);
    }
    bool owes = arena->hand.kind == HAND_COMMAND;
    if (arena->hand.kind == HAND_EMPTY) {
        put_back(arena);
    } else {
        arena_empty_hand(arena);
    }
    return owes;
}

int
recovery_fail_one(struct arena *arena, struct buffer *lane, size_t *cursor)
{
    char digits[TUPLE_ID_DIGITS + 1];
    struct tuple_id id;
    enum { MOST = 64 << 10 };
    if (lane->cap - lane->len < MOST) {
        return -1;
    }
    if (!ids_take(arena, cursor, &id)) {
        return 0;
    }
    if (id.numbered) {
        id.text.ptr = digits;
        id.text.len = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)id.number);
    }
    size_t start = lane->len;
    if (message_write_fail(lane, id, NULL) < 0) {
        lane->len = start; /* an id of a length that no Storm writes */
    }
    return 1;
}
