#include "framing.h"

#include <stdio.h>

#include "require.h"

void
framing_note_frame(struct buffer *found, struct slice frame)
{
    char head[32];
    size_t len = (size_t)snprintf(head, sizeof head, "%zu:", frame.len);
    REQUIRE(buffer_append(found, (struct slice){head, len}, NULL) == 0);
    REQUIRE(buffer_append(found, frame, NULL) == 0);
}

void
framing_note_dropped(struct buffer *found)
{
    REQUIRE(buffer_append(found, SLICE("!"), NULL) == 0);
}

static void
check_offsets(const struct frame_input *input)
{
    REQUIRE(input->start <= input->line);
    REQUIRE(input->line <= input->scan);
    REQUIRE(input->scan <= input->end);
}

/* One call of frame_next() or frame_skip(). False once more bytes are needed. */
static bool
take_one(struct framing *framing, const char *bytes)
{
    if (framing->dropping) {
        framing->dropping = frame_skip(&framing->input, bytes) == 0;
        return !framing->dropping;
    }
    struct slice frame;
    struct fault fault = {0};
    int result = frame_next(&framing->input, bytes, framing->limit, &frame, &fault);
    if (result == 1) {
        REQUIRE(fault.code == FAULT_NONE);
        framing_note_frame(&framing->found, frame);
    } else if (result < 0) {
        REQUIRE(fault.code == FAULT_LIMIT);
        framing_note_dropped(&framing->found);
        framing->dropping = true;
    }
    return result != 0;
}

/* Forget the bytes before `start`, as a session does to make room. */
static void
drop_consumed(struct framing *framing)
{
    struct frame_input *input = &framing->input;
    size_t gone = input->start;
    if (gone > 0) {
        framing->held.len -= gone;
        memmove(framing->held.data, framing->held.data + gone, framing->held.len);
        input->start -= gone;
        input->line -= gone;
        input->scan -= gone;
        input->end -= gone;
    }
}

void
framing_feed(struct framing *framing, struct slice piece)
{
    REQUIRE(buffer_append(&framing->held, piece, NULL) == 0);
    framing->input.end = framing->held.len;
    struct slice held = {framing->held.data, framing->held.len};
    const char *bytes = guarded_put(&framing->memory, held).ptr;
    while (take_one(framing, bytes)) {
        check_offsets(&framing->input);
    }
    check_offsets(&framing->input);
    drop_consumed(framing);
}

void
framing_deinit(struct framing *framing)
{
    buffer_deinit(&framing->held);
    buffer_deinit(&framing->found);
    guarded_deinit(&framing->memory);
}
