/* Open addressing with linear probing; a removal moves later slots of the run up, so that a search
   ends at the first free slot and long lives leave no debris. Growing builds the larger table in
   the region's other half and then switches over: at every moment one half is whole.

   A process may be lost at any moment in here. The order in which slots are written sees to it that no
   id is lost with it and none is half there; one may be there twice, which ids_mend() puts right.

   In front of the table stands the newest number: nearly every tuple is settled before the next one
   comes, and then its id never gets into the table (word count: 220 instructions a tuple). */
#include "ids.h"

#include "digits.h"

struct slot {
    int64_t number; /* the id, or the hash of its text */
    uint32_t text;  /* 0: free, 1: a number, else 2 + the offset of its text in the text half */
    uint32_t len;
};

enum { SLOT_FREE = 0, SLOT_NUMBER = 1, SLOT_TEXT = 2, FIRST_CAPACITY = 1024 };

/* ---- ids and their text ----------------------------------------------------------------- */

static uint64_t
hash_text(struct slice text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    }
    return hash;
}

/* The value of up to 19 digits, which always fits 64 bits. */
static bool
parse_digits(const char *at, size_t len, uint64_t *value)
{
    uint64_t sum = 0;
    uint64_t eight;
    for (; len >= 8; at += 8, len -= 8) {
        if (!digits_join(at, &eight)) {
            return false;
        }
        sum = sum * 100000000 + eight;
    }
    for (; len > 0; at++, len--) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        sum = sum * 10 + (uint64_t)(*at - '0');
    }
    *value = sum;
    return true;
}

struct tuple_id
tuple_id_parse(struct slice text)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    const char *digits = text.ptr + negative;
    size_t len = text.len - negative;
    uint64_t value = 0;
    /* canonical: no leading zero, no -0, so that equal numbers are equal texts */
    bool numbered = len >= 1 && len <= 19 && (digits[0] != '0' || text.len == 1) &&
                    parse_digits(digits, len, &value) && value <= (uint64_t)INT64_MAX + negative;
    if (!numbered) {
        return (struct tuple_id){(int64_t)hash_text(text), false, text};
    }
    return (struct tuple_id){negative ? (int64_t)(0 - value) : (int64_t)value, true, text};
}

/* ---- the table -------------------------------------------------------------------------- */

static struct slot *
slots_of(struct arena *arena, uint32_t half)
{
    size_t offset = half * (arena_region_size(ARENA_IDS) / 2);
    return (struct slot *)(void *)(arena_region(arena, ARENA_IDS) + offset);
}

static char *
texts_of(struct arena *arena, uint32_t half)
{
    return arena_region(arena, ARENA_ID_TEXTS) + half * (arena_region_size(ARENA_ID_TEXTS) / 2);
}

/* Where an id's search starts. Multiplying spreads ids that differ in few bits. */
static size_t
home(int64_t number, size_t capacity)
{
    return (size_t)(((uint64_t)number * 0x9e3779b97f4a7c15u) >> 20) & (capacity - 1);
}

static bool
slot_is(struct arena *arena, const struct slot *slot, struct tuple_id id)
{
    if (slot->number != id.number) {
        return false;
    }
    if (slot->text == SLOT_NUMBER || id.numbered) {
        return slot->text == SLOT_NUMBER && id.numbered;
    }
    struct slice text = {texts_of(arena, arena->ids.half) + (slot->text - SLOT_TEXT), slot->len};
    return slice_equal(text, id.text);
}

static size_t
capacity_of(const struct arena *arena)
{
    return arena->ids.halves[arena->ids.half].capacity;
}

/* How much of the texts' half is used. */
static size_t *
text_used(struct arena *arena)
{
    return &arena->ids.halves[arena->ids.half].text_used;
}

/* A slot is free until all of it is there. */
static void
fill(struct slot *slot, struct slot with)
{
    slot->text = SLOT_FREE;
    arena_order();
    slot->number = with.number;
    slot->len = with.len;
    arena_order();
    slot->text = with.text;
}

/* The id's slot, or the free one where it would go. The table is never full. */
static struct slot *
find(struct arena *arena, struct tuple_id id)
{
    struct slot *slots = slots_of(arena, arena->ids.half);
    size_t mask = capacity_of(arena) - 1;
    size_t i = home(id.number, capacity_of(arena));
    while (slots[i].text != SLOT_FREE && !slot_is(arena, &slots[i], id)) {
        i = (i + 1) & mask;
    }
    return &slots[i];
}

/* Put a copy of a slot of the table that stands in the other half into the one of `capacity` that is
   made in half `to`, unless it is there. True if it was not. */
static bool
carry_over(struct arena *arena, struct slot slot, uint32_t to, size_t capacity)
{
    struct slot *slots = slots_of(arena, to);
    size_t *used = &arena->ids.halves[to].text_used;
    const char *text = texts_of(arena, 1 - to) + (slot.text - SLOT_TEXT);
    size_t at = home(slot.number, capacity);
    for (; slots[at].text != SLOT_FREE; at = (at + 1) & (capacity - 1)) {
        bool same = slots[at].number == slot.number && slots[at].len == slot.len &&
                    (slots[at].text == SLOT_NUMBER) == (slot.text == SLOT_NUMBER);
        if (same &&
            (slot.text == SLOT_NUMBER ||
             memcmp(texts_of(arena, to) + (slots[at].text - SLOT_TEXT), text, slot.len) == 0)) {
            return false;
        }
    }
    if (slot.text >= SLOT_TEXT) {
        memcpy(texts_of(arena, to) + *used, text, slot.len);
        slot.text = (uint32_t)*used + SLOT_TEXT;
        *used += slot.len;
    }
    slots[at] = slot;
    return true;
}

/* Copy every live slot (and its text) into the other half, in a table of `capacity`. */
static void
rebuild(struct arena *arena, size_t capacity)
{
    struct arena_ids *ids = &arena->ids;
    uint32_t to = 1 - ids->half;
    const struct slot *from = slots_of(arena, ids->half);
    size_t count = 0;
    memset(slots_of(arena, to), 0, capacity * sizeof(struct slot));
    ids->halves[to].capacity = capacity;
    ids->halves[to].text_used = 0;
    for (size_t i = 0; i < capacity_of(arena); i++) {
        count += from[i].text != SLOT_FREE && carry_over(arena, from[i], to, capacity);
    }
    arena_order();
    ids->half = to;
    ids->count = count;
}

/* Make room for two more ids, one of them with a text. */
static int
reserve(struct arena *arena, size_t text_len, struct fault *fault)
{
    const struct arena_ids *ids = &arena->ids;
    size_t text_size = arena_region_size(ARENA_ID_TEXTS) / 2;
    size_t most = arena_region_size(ARENA_IDS) / 2 / sizeof(struct slot);
    if (capacity_of(arena) == 0) {
        rebuild(arena, FIRST_CAPACITY);
    } else if (ids->count * 2 + 2 >= capacity_of(arena) && capacity_of(arena) < most) {
        rebuild(arena, capacity_of(arena) * 2);
    } else if (*text_used(arena) + text_len > text_size) {
        rebuild(arena, capacity_of(arena)); /* drops the texts of settled ids */
    }
    if (ids->count + 2 >= capacity_of(arena) || *text_used(arena) + text_len > text_size) {
        return fault_set(fault, FAULT_LIMIT, 0,
                         "%zu tuples are neither acked nor failed: no more fit", ids_count(arena));
    }
    return 0;
}

/* Enter an id into the table, where reserve() has made room. */
static void
enter(struct arena *arena, struct tuple_id id)
{
    struct arena_ids *ids = &arena->ids;
    struct slot *slot = find(arena, id);
    struct slot with = {id.number, SLOT_NUMBER, 0};
    if (slot->text != SLOT_FREE) {
        return;
    }
    if (!id.numbered) {
        size_t *used = text_used(arena);
        memcpy(texts_of(arena, ids->half) + *used, id.text.ptr, id.text.len);
        with.len = (uint32_t)id.text.len;
        with.text = (uint32_t)*used + SLOT_TEXT;
        *used += id.text.len;
    }
    fill(slot, with);
    ids->count++;
}

int
ids_add(struct arena *arena, struct tuple_id id, struct fault *fault)
{
    struct arena_ids *ids = &arena->ids;
    size_t text_len = id.numbered ? 0 : id.text.len;
    /* for this id and the newest, so that the newest will always find room */
    if ((ids->count * 2 + 2 >= capacity_of(arena) || !id.numbered) &&
        reserve(arena, text_len, fault) < 0) {
        return -1;
    }
    if (!id.numbered) {
        enter(arena, id);
        return 0;
    }
    if (ids->newest_live) {
        enter(arena, (struct tuple_id){.number = ids->newest, .numbered = true});
    }
    arena_order();
    ids->newest = id.number;
    arena_order();
    ids->newest_live = true;
    return 0;
}

static bool
is_newest(const struct arena_ids *ids, struct tuple_id id)
{
    return ids->newest_live && id.numbered && id.number == ids->newest;
}

size_t
ids_count(const struct arena *arena)
{
    return arena->ids.count + arena->ids.newest_live;
}

bool
ids_has(struct arena *arena, struct tuple_id id)
{
    return is_newest(&arena->ids, id) ||
           (arena->ids.count > 0 && find(arena, id)->text != SLOT_FREE);
}

/* Close the gap at `gap`: move up each later slot of the run that may stand there. */
static void
close_gap(struct arena *arena, size_t gap)
{
    struct slot *slots = slots_of(arena, arena->ids.half);
    size_t mask = capacity_of(arena) - 1;
    for (size_t i = (gap + 1) & mask; slots[i].text != SLOT_FREE; i = (i + 1) & mask) {
        size_t distance = (i - home(slots[i].number, capacity_of(arena))) & mask;
        if (distance >= ((i - gap) & mask)) {
            fill(&slots[gap], slots[i]);
            arena_order();
            gap = i;
        }
    }
    slots[gap].text = SLOT_FREE;
}

bool
ids_remove(struct arena *arena, struct tuple_id id)
{
    if (is_newest(&arena->ids, id)) {
        arena->ids.newest_live = false;
        return true;
    }
    if (arena->ids.count == 0) {
        return false;
    }
    struct slot *slot = find(arena, id);
    if (slot->text == SLOT_FREE) {
        return false;
    }
    close_gap(arena, (size_t)(slot - slots_of(arena, arena->ids.half)));
    arena->ids.count--;
    return true;
}

/* ---- for who takes over ----------------------------------------------------------------- */

void
ids_mend(struct arena *arena)
{
    struct arena_ids *ids = &arena->ids;
    if (capacity_of(arena) == 0) {
        return;
    }
    rebuild(arena, capacity_of(arena));
    struct tuple_id newest = {.number = ids->newest, .numbered = true};
    if (ids->newest_live && find(arena, newest)->text != SLOT_FREE) {
        ids->newest_live = false; /* it was to make room for the next one */
    }
}

bool
ids_take(struct arena *arena, size_t *cursor, struct tuple_id *id)
{
    struct arena_ids *ids = &arena->ids;
    struct slot *slots = slots_of(arena, ids->half);
    while (*cursor < capacity_of(arena)) {
        struct slot slot = slots[*cursor];
        slots[(*cursor)++].text = SLOT_FREE;
        if (slot.text != SLOT_FREE) {
            bool numbered = slot.text == SLOT_NUMBER;
            struct slice text = {texts_of(arena, ids->half) + (slot.text - SLOT_TEXT), slot.len};
            ids->count--;
            *id = (struct tuple_id){slot.number, numbered, numbered ? SLICE("") : text};
            return true;
        }
    }
    if (!ids->newest_live) {
        return false;
    }
    ids->newest_live = false;
    *id = (struct tuple_id){.number = ids->newest, .numbered = true};
    return true;
}
