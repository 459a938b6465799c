/* What a component prints: bytes from a captured stdout or stderr become log messages, one a line.
   Bounded in every direction: a line's length, lines a second, and what may wait to be written. */
#ifndef STORMCELL_CAPTURE_H
#define STORMCELL_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "message.h"

enum {
    CAPTURE_LINE_MAX = 64 << 10, /* bytes; the rest of a longer line is dropped */
    CAPTURE_LINES_A_SECOND = 1000
};

struct capture {
    int fd; /* the reading end, non-blocking; -1 once all writers have closed theirs */
    enum message_level level;
    struct buffer line; /* the line that has not ended yet */
    bool cut;           /* of which more came than is kept */
    int64_t last_read;  /* when something came, ms */
    int64_t second;     /* the second that is counted in, ms */
    unsigned lines;     /* logged in it */
    unsigned dropped;   /* lines since the last report of dropped ones */
    char last[512];     /* the start of the last line, for a program that ends with it */
    size_t last_len;
};

/* Read what is there and append a log message for each whole line to `lane`, which takes or drops
   it. 1: there may be more, 0: nothing more now, or the end (fd is -1 then). */
int capture_read(struct capture *capture, struct buffer *lane, int64_t now_ms);

/* Log the line that has not ended. */
void capture_flush(struct capture *capture, struct buffer *lane, int64_t now_ms);

/* Log how many lines were dropped, if any were and the second they fell into is over. */
void capture_report_dropped(struct capture *capture, struct buffer *lane, int64_t now_ms);

void capture_deinit(struct capture *capture);

#endif
