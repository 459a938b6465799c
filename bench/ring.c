/* memmem, memrchr */
#define _GNU_SOURCE

#include "ring.h"

#include <string.h>
#include <sys/stat.h>

#include "die.h"

static const char FRAME_END[] = "\nend\n";

static struct span
read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat facts;
    if (file == NULL || fstat(fileno(file), &facts) < 0) {
        die("cannot read %s", path);
    }
    size_t len = (size_t)facts.st_size;
    char *bytes = malloc(len + 1);
    if (bytes == NULL || fread(bytes, 1, len, file) != len) {
        die("cannot read %s", path);
    }
    fclose(file);
    return (struct span){bytes, len};
}

/* Cut the next frame off `rest`; {NULL} at the end. */
static struct span
cut_frame(struct span *rest)
{
    const char *end = memmem(rest->ptr, rest->len, FRAME_END, sizeof(FRAME_END) - 1);
    if (end == NULL) {
        return (struct span){NULL, 0};
    }
    struct span frame = {rest->ptr, (size_t)(end - rest->ptr) + sizeof(FRAME_END) - 1};
    rest->ptr += frame.len;
    rest->len -= frame.len;
    return frame;
}

/* The text between the frame's last two quotes. */
static struct span
find_id(struct span frame)
{
    const char *end = memrchr(frame.ptr, '"', frame.len);
    const char *start = end == NULL ? NULL : memrchr(frame.ptr, '"', (size_t)(end - frame.ptr));
    if (start == NULL) {
        die("a tuple without an id: %.*s", (int)frame.len, frame.ptr);
    }
    return (struct span){start + 1, (size_t)(end - start) - 1};
}

static size_t
slot_of(const struct ring *ring, struct span id)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (unsigned char)id.ptr[i]) * 1099511628211U;
    }
    return (hash >> 32) & ring->mask;
}

static bool
same(struct span a, struct span b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static struct ring_tuple *
look_up(struct ring *ring, struct span id, size_t *slot)
{
    for (*slot = slot_of(ring, id); ring->slots[*slot] != 0; *slot = (*slot + 1) & ring->mask) {
        struct ring_tuple *tuple = &ring->tuples[ring->slots[*slot] - 1];
        if (same(tuple->id, id)) {
            return tuple;
        }
    }
    return NULL;
}

static void
index_ids(struct ring *ring)
{
    size_t slots = 4;
    while (slots < 2 * ring->count) {
        slots *= 2;
    }
    ring->mask = slots - 1;
    ring->slots = calloc(slots, sizeof(*ring->slots));
    if (ring->slots == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < ring->count; i++) {
        size_t slot;
        if (look_up(ring, ring->tuples[i].id, &slot) != NULL) {
            die("two tuples have the id %.*s", (int)ring->tuples[i].id.len, ring->tuples[i].id.ptr);
        }
        ring->slots[slot] = (uint32_t)i + 1;
    }
}

void
ring_load(struct ring *ring, const char *path, bool have_ids)
{
    struct span rest = read_file(path);
    *ring = (struct ring){.handshake = cut_frame(&rest)};
    size_t room = 0;
    for (struct span frame = cut_frame(&rest); frame.ptr != NULL; frame = cut_frame(&rest)) {
        if (ring->count == room) {
            room = room * 2 + 1024;
            ring->tuples = realloc(ring->tuples, room * sizeof(*ring->tuples));
            if (ring->tuples == NULL) {
                die("out of memory");
            }
        }
        struct span id = have_ids ? find_id(frame) : (struct span){NULL, 0};
        ring->tuples[ring->count++] = (struct ring_tuple){frame, id, false};
    }
    if (ring->count == 0 || rest.len != 0) {
        die("%s holds no handshake with whole tuples behind it", path);
    }
    if (have_ids) {
        index_ids(ring);
    }
}

static void
expect_next(struct ring *ring, const struct ring_tuple *tuple)
{
    size_t next = (size_t)(tuple - ring->tuples) + 1;
    ring->guess = next == ring->count ? 0 : next;
}

struct ring_tuple *
ring_in_turn(struct ring *ring)
{
    struct ring_tuple *tuple = &ring->tuples[ring->guess];
    expect_next(ring, tuple);
    return tuple;
}

struct ring_tuple *
ring_find(struct ring *ring, struct span id)
{
    struct ring_tuple *tuple = &ring->tuples[ring->guess];
    if (!same(tuple->id, id)) { /* out of turn: batches, for one */
        size_t slot;
        tuple = look_up(ring, id, &slot);
        if (tuple == NULL) {
            return NULL;
        }
    }
    expect_next(ring, tuple);
    return tuple;
}
