/* Frames: the bytes of one message, up to a line that is just "end".
   Lines end with LF, CRLF or CR; blank lines before a message are skipped
   (as Storm's JsonSerializer.readString does). */
#ifndef STORMCELL_FRAME_H
#define STORMCELL_FRAME_H

#include <stddef.h>

#include "buffer.h"
#include "fault.h"

/* Where reading stands in a region of bytes; offsets only, so that two processes may share it.
   Bytes before `start` are consumed, those from `end` on are not yet there. */
struct frame_input {
    size_t start; /* the first byte of the frame that comes next */
    size_t line;  /* the start of the line that has not ended yet */
    size_t scan;  /* how far that line has been searched for its end */
    size_t end;   /* the first byte that is not filled */
    char eol;     /* how the last line ended: '\n', '\r' or 0 for none seen */
};

/* Find the next whole frame in bytes[start, end).
   1: *frame borrows from `bytes` until they are moved or overwritten, and is consumed;
   0: more bytes are needed; -1: FAULT_LIMIT, more than `limit` bytes stand before its line "end"
   (their line breaks count). A frame within the limit needs room for `limit` + 4 bytes, the last
   line break being one byte. */
int frame_next(struct frame_input *input, const char *bytes, size_t limit, struct slice *frame,
               struct fault *fault);

/* After FAULT_LIMIT: drop what is there of the frame that is too long.
   1 once its end has been passed, 0 while more of it must come. */
int frame_skip(struct frame_input *input, const char *bytes);

#endif
