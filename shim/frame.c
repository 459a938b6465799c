/* The first station: from bytes to frames. Knows lines, nothing of JSON or of messages.
   It looks at each byte once, however the bytes arrive. */
#include "frame.h"

#include <stdbool.h>
#include <string.h>

/* The end of the line that is open at `input->line`: a pointer to its LF or CR, or NULL.
   A stream uses one kind of line end, so the kind that was seen last is searched for first and
   the other only before it: two memchr at most over each byte, and no scan that runs far ahead. */
static const char *
line_end(struct frame_input *input, const char *bytes)
{
    const char *from = bytes + input->scan;
    char eol = input->eol == '\r' ? '\r' : '\n';
    char other = eol == '\n' ? '\r' : '\n';
    const char *found = memchr(from, eol, input->end - input->scan);
    size_t before = found != NULL ? (size_t)(found - from) : input->end - input->scan;
    const char *earlier = before > 0 ? memchr(from, other, before) : NULL;
    if (earlier != NULL) {
        found = earlier;
        /* the CR of a CRLF says nothing new */
        bool crlf = other == '\r' && earlier + 1 < bytes + input->end && earlier[1] == '\n';
        input->eol = crlf ? eol : other;
    }
    return found;
}

static bool
line_is_end(const char *line, size_t len)
{
    return len == 3 && memcmp(line, "end", 3) == 0;
}

/* Move on to the line after the one that ended at `eol`. */
static void
next_line(struct frame_input *input, const char *bytes, const char *eol)
{
    input->line = (size_t)(eol - bytes) + 1;
    input->scan = input->line;
}

/* The frame without the line break before its "end". */
static struct slice
frame_text(const char *bytes, size_t start, size_t line)
{
    size_t end = line;
    while (end > start && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r')) {
        end--;
    }
    return (struct slice){bytes + start, end - start};
}

static int
too_long(size_t limit, struct fault *fault)
{
    return fault_set(fault, FAULT_LIMIT, limit, "a message is longer than the limit of %zu bytes",
                     limit);
}

/* What nearly every frame is: one line that ends with LF, and "end" with LF behind it. */
static bool
one_line_frame(struct frame_input *input, const char *bytes, size_t limit, struct slice *frame)
{
    const char *start = bytes + input->start;
    const char *end = bytes + input->end;
    const char *eol = memchr(start, '\n', (size_t)(end - start));
    if (eol == NULL || end - eol < 5 || memcmp(eol, "\nend\n", 5) != 0 ||
        (size_t)(eol - start) >= limit || memchr(start, '\r', (size_t)(eol - start)) != NULL) {
        return false;
    }
    *frame = (struct slice){start, (size_t)(eol - start)};
    input->start = input->line = input->scan = (size_t)(eol + 5 - bytes);
    return true;
}

int
frame_next(struct frame_input *input, const char *bytes, size_t limit, struct slice *frame,
           struct fault *fault)
{
    const char *eol;
    if (input->eol != '\r' && input->scan == input->start && input->start < input->end &&
        bytes[input->start] == '{' && one_line_frame(input, bytes, limit, frame)) {
        return 1;
    }
    while (input->scan < input->end && (eol = line_end(input, bytes)) != NULL) {
        size_t start = input->start;
        size_t line = input->line;
        size_t len = (size_t)(eol - bytes) - line;
        if (line - start > limit) {
            return too_long(limit, fault);
        }
        next_line(input, bytes, eol);
        if (len == 0 && line == start) {
            input->start = input->line; /* a blank line before the message, or the LF of a CRLF */
        } else if (line_is_end(bytes + line, len)) {
            input->start = input->line;
            *frame = frame_text(bytes, start, line);
            return 1;
        }
    }
    input->scan = input->end;
    /* the open line counts only once it cannot be "end": where the bytes were split makes no
       difference */
    size_t sure = input->end - input->line > strlen("end") ? input->end : input->line;
    return sure - input->start > limit ? too_long(limit, fault) : 0;
}

int
frame_skip(struct frame_input *input, const char *bytes)
{
    const char *eol;
    while (input->scan < input->end && (eol = line_end(input, bytes)) != NULL) {
        bool done = line_is_end(bytes + input->line, (size_t)(eol - bytes) - input->line);
        next_line(input, bytes, eol);
        input->start = input->line;
        if (done) {
            return 1;
        }
    }
    input->scan = input->end;
    if (input->end - input->line > sizeof "end") {
        input->line = input->end - sizeof "end"; /* all that matters of it: it is not "end" */
    }
    input->start = input->line;
    return 0;
}
