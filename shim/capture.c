/* From printed bytes to log messages. What it keeps is bounded, and what it drops is counted. */
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A log message, or nothing at all where the lane has no room for it. */
static bool
log_line(struct buffer *lane, enum message_level level, struct slice text)
{
    size_t start = lane->len;
    if (message_write_log(lane, level, text, NULL) < 0) {
        lane->len = start;
        return false;
    }
    return true;
}

static bool
within_rate(struct capture *capture, int64_t now_ms)
{
    if (now_ms - capture->second >= 1000) {
        capture->second = now_ms;
        capture->lines = 0;
    }
    return capture->lines < CAPTURE_LINES_A_SECOND;
}

void
capture_report_dropped(struct capture *capture, struct buffer *lane, int64_t now_ms)
{
    char text[120];
    if (capture->dropped == 0 || !within_rate(capture, now_ms)) {
        return;
    }
    int len = snprintf(text, sizeof text, "Stormcell dropped %u printed lines (over %d a second)",
                       capture->dropped, CAPTURE_LINES_A_SECOND);
    if (log_line(lane, LEVEL_WARN, (struct slice){text, (size_t)len})) {
        capture->dropped = 0;
    }
}

static void
end_line(struct capture *capture, struct buffer *lane, int64_t now_ms)
{
    struct slice text = {capture->line.data, capture->line.len};
    if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
        text.len--;
    }
    if (capture->cut && buffer_append(&capture->line, SLICE(" [cut by Stormcell]"), NULL) == 0) {
        text = (struct slice){capture->line.data, capture->line.len};
    }
    capture_report_dropped(capture, lane, now_ms);
    if (text.len > 0) { /* an empty line says nothing in a log */
        capture->last_len = text.len < sizeof capture->last ? text.len : sizeof capture->last;
        memcpy(capture->last, text.ptr, capture->last_len);
        if (within_rate(capture, now_ms) && log_line(lane, capture->level, text)) {
            capture->lines++;
        } else {
            capture->dropped++;
        }
    }
    capture->line.len = 0;
    capture->cut = false;
}

static void
add(struct capture *capture, struct slice bytes)
{
    size_t room = CAPTURE_LINE_MAX - capture->line.len;
    if (bytes.len > room) {
        bytes.len = room;
        capture->cut = true;
    }
    if (buffer_append(&capture->line, bytes, NULL) < 0) {
        capture->cut = true;
    }
}

int
capture_read(struct capture *capture, struct buffer *lane, int64_t now_ms)
{
    char bytes[4096];
    if (capture->fd < 0) {
        return 0;
    }
    ssize_t n = read(capture->fd, bytes, sizeof bytes);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            capture_flush(capture, lane, now_ms);
            close(capture->fd);
            capture->fd = -1;
        }
        return 0;
    }
    const char *at = bytes;
    const char *end = bytes + n;
    capture->last_read = now_ms;
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        add(capture, (struct slice){at, (size_t)((eol != NULL ? eol : end) - at)});
        if (eol != NULL) {
            end_line(capture, lane, now_ms);
        }
        at = eol != NULL ? eol + 1 : end;
    }
    return 1;
}

void
capture_flush(struct capture *capture, struct buffer *lane, int64_t now_ms)
{
    if (capture->line.len > 0) {
        end_line(capture, lane, now_ms);
    }
}

void
capture_deinit(struct capture *capture)
{
    if (capture->fd >= 0) {
        close(capture->fd);
    }
    buffer_deinit(&capture->line);
    capture->fd = -1;
}
