#include "acker.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX, SHORT_ID = 24 };

struct root {
    uint64_t value;
    int64_t emitted;
    uint32_t turn; /* how often this place has been used: odd while it is in use */
    uint32_t spout;
    uint32_t previous; /* by age; of the free ones only `next` counts */
    uint32_t next;
    size_t id_len;
    union {
        char bytes[SHORT_ID];
        char *text; /* owned, where it is longer */
    } id;
};

void
acker_init(struct acker *acker)
{
    *acker = (struct acker){.free = NONE, .oldest = NONE, .newest = NONE};
}

static void
forget_id(struct root *root)
{
    if (root->id_len > SHORT_ID) {
        free(root->id.text);
    }
    root->id_len = 0;
}

void
acker_deinit(struct acker *acker)
{
    for (uint32_t i = 0; i < acker->capacity; i++) {
        forget_id(&acker->roots[i]);
    }
    free(acker->roots);
}

/* ---- places ---------------------------------------------------------------------------------- */

static int
grow(struct acker *acker, struct fault *fault)
{
    uint32_t capacity = acker->capacity == 0 ? 256 : 2 * acker->capacity;
    struct root *roots =
        capacity > NONE / 2 ? NULL : realloc(acker->roots, capacity * sizeof *roots);
    if (roots == NULL) {
        return fault_set(fault, FAULT_SYSTEM, 0, "no memory for %zu tuples in flight",
                         acker->count);
    }
    memset(roots + acker->capacity, 0, (capacity - acker->capacity) * sizeof *roots);
    for (uint32_t i = acker->capacity; i < capacity; i++) {
        roots[i].next = i + 1 < capacity ? i + 1 : acker->free;
    }
    acker->free = acker->capacity;
    acker->roots = roots;
    acker->capacity = capacity;
    return 0;
}

static void
append(struct acker *acker, uint32_t index)
{
    struct root *root = &acker->roots[index];
    root->previous = acker->newest;
    root->next = NONE;
    if (acker->newest == NONE) {
        acker->oldest = index;
    } else {
        acker->roots[acker->newest].next = index;
    }
    acker->newest = index;
    acker->count++;
}

static void
take_out(struct acker *acker, uint32_t index)
{
    struct root *root = &acker->roots[index];
    if (root->previous == NONE) {
        acker->oldest = root->next;
    } else {
        acker->roots[root->previous].next = root->next;
    }
    if (root->next == NONE) {
        acker->newest = root->previous;
    } else {
        acker->roots[root->next].previous = root->previous;
    }
    root->turn++;
    root->next = acker->free;
    acker->free = index;
    acker->count--;
}

static struct root *
find(struct acker *acker, root_id id)
{
    struct root *root = &acker->roots[(uint32_t)id];
    return root->turn == (uint32_t)(id >> 32) ? root : NULL;
}

/* ---- trees ----------------------------------------------------------------------------------- */

/* A place gives its id's memory back only when it is used again: until then the caller may read it. */
static int
keep_id(struct root *root, struct slice id, struct fault *fault)
{
    char *bytes = root->id.bytes;
    forget_id(root);
    if (id.len > SHORT_ID) {
        bytes = malloc(id.len);
        if (bytes == NULL) {
            return fault_errno(fault, "no memory for a tuple's id");
        }
        root->id.text = bytes;
    }
    memcpy(bytes, id.ptr, id.len);
    root->id_len = id.len;
    return 0;
}

int
acker_start(struct acker *acker, uint32_t spout, struct slice message_id, int64_t now, root_id *id,
            struct fault *fault)
{
    if (acker->free == NONE && grow(acker, fault) < 0) {
        return -1;
    }
    uint32_t index = acker->free;
    struct root *root = &acker->roots[index];
    if (keep_id(root, message_id, fault) < 0) {
        return -1;
    }
    acker->free = root->next;
    root->value = 0;
    root->emitted = now;
    root->spout = spout;
    root->turn++;
    append(acker, index);
    *id = (uint64_t)root->turn << 32 | index;
    return 0;
}

bool
acker_xor(struct acker *acker, root_id id, uint64_t edge)
{
    struct root *root = find(acker, id);
    if (root == NULL) {
        return false;
    }
    root->value ^= edge;
    return root->value == 0;
}

static bool
settle(struct acker *acker, struct root *root, struct settled *settled)
{
    const char *bytes = root->id_len > SHORT_ID ? root->id.text : root->id.bytes;
    *settled = (struct settled){root->spout, {bytes, root->id_len}, root->emitted};
    take_out(acker, (uint32_t)(root - acker->roots));
    return true;
}

bool
acker_settle(struct acker *acker, root_id id, struct settled *settled)
{
    struct root *root = find(acker, id);
    return root != NULL && settle(acker, root, settled);
}

bool
acker_expire(struct acker *acker, int64_t due, struct settled *settled)
{
    return acker_oldest(acker) < due && settle(acker, &acker->roots[acker->oldest], settled);
}

bool
acker_drop(struct acker *acker, uint32_t spout, struct settled *settled)
{
    for (uint32_t i = acker->oldest; i != NONE; i = acker->roots[i].next) {
        if (acker->roots[i].spout == spout) {
            return settle(acker, &acker->roots[i], settled);
        }
    }
    return false;
}

int64_t
acker_oldest(const struct acker *acker)
{
    return acker->oldest == NONE ? INT64_MAX : acker->roots[acker->oldest].emitted;
}
