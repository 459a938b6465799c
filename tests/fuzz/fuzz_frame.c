/* Frames: the same for any split of the bytes, and those that a plain reading line by line finds. */
#include <stdint.h>

#include "chance.h"
#include "framing.h"
#include "require.h"

enum { LONGEST = 1024 }; /* byte by byte is quadratic here, and more bytes show no more */

static bool
is_break(char c)
{
    return c == '\n' || c == '\r';
}

/* What is expected of `bytes`, all there at once: lines, one after the other. */
static void
expect(struct slice bytes, size_t limit, struct buffer *found)
{
    size_t start = 0; /* of the frame */
    size_t line = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (!is_break(bytes.ptr[i])) {
            continue;
        }
        bool end = i - line == 3 && memcmp(bytes.ptr + line, "end", 3) == 0;
        if (end && line - start > limit) {
            framing_note_dropped(found);
        } else if (end) {
            size_t len = line - start;
            while (len > 0 && is_break(bytes.ptr[start + len - 1])) {
                len--;
            }
            framing_note_frame(found, (struct slice){bytes.ptr + start, len});
        }
        if (end || i == start) {
            start = i + 1;
        }
        line = i + 1;
    }
    /* A frame that is not whole yet; its last line may still become "end". */
    if ((bytes.len - line > 3 ? bytes.len : line) - start > limit) {
        framing_note_dropped(found);
    }
}

static void
check_found(const struct framing *framing, const struct buffer *expected)
{
    REQUIRE(slice_equal((struct slice){framing->found.data, framing->found.len},
                        (struct slice){expected->data, expected->len}));
}

static void
try_whole(struct slice bytes, size_t limit, const struct buffer *expected)
{
    struct framing framing = {.limit = limit};
    framing_feed(&framing, bytes);
    check_found(&framing, expected);
    framing_deinit(&framing);
}

/* Feed in pieces of 1 to `longest` bytes. */
static void
try_split(struct slice bytes, size_t limit, uint32_t longest, const struct buffer *expected)
{
    struct chance chance = {longest};
    struct framing framing = {.limit = limit};
    while (bytes.len > 0) {
        size_t len = 1 + chance_below(&chance, longest);
        len = len < bytes.len ? len : bytes.len;
        framing_feed(&framing, (struct slice){bytes.ptr, len});
        bytes.ptr += len;
        bytes.len -= len;
    }
    check_found(&framing, expected);
    framing_deinit(&framing);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size < LONGEST ? size : LONGEST};
    const size_t limits[] = {SIZE_MAX, bytes.len, bytes.len / 2, 60, 7, 1, 0};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct buffer expected = {0};
        expect(bytes, limits[i], &expected);
        try_split(bytes, limits[i], 1, &expected);
        try_split(bytes, limits[i], 2, &expected);
        try_split(bytes, limits[i], 64, &expected);
        try_whole(bytes, limits[i], &expected);
        buffer_deinit(&expected);
    }
    return 0;
}
