#include "answers.h"

#include <string.h>

#include "die.h"

/* Past `literal` and the blanks before it, or NULL if `at` is or something else stands there.
   It may look up to the literal's length behind the line: see ANSWERS_SLACK. */
#define PAST(at, literal) past(at, literal, sizeof(literal) - 1)

static inline const char *
past(const char *at, const char *literal, size_t len)
{
    if (at == NULL) {
        return NULL;
    }
    while (*at == ' ') {
        at++;
    }
    return memcmp(at, literal, len) == 0 ? at + len : NULL;
}

static void
settle(struct answers *answers, struct ring_tuple *tuple, struct span line)
{
    if (!tuple->live) {
        die("an answer to what is not in flight (answered before?): %.*s", (int)line.len, line.ptr);
    }
    tuple->live = false;
    answers->settled++;
}

static void
take_settled(struct answers *answers, const char *at, struct span line)
{
    const char *start = PAST(PAST(PAST(PAST(at, ","), "\"id\""), ":"), "\"");
    const char *end = line.ptr + line.len;
    const char *quote = start == NULL ? NULL : memchr(start, '"', (size_t)(end - start));
    if (quote == NULL) {
        die("an ack or a fail without an id: %.*s", (int)line.len, line.ptr);
    }
    struct ring_tuple *tuple =
        ring_find(answers->ring, (struct span){start, (size_t)(quote - start)});
    if (tuple == NULL) {
        die("an ack or a fail of a tuple that was never sent: %.*s", (int)line.len, line.ptr);
    }
    settle(answers, tuple, line);
}

/* What no tuple of most cases brings about. */
static void
take_failure(struct answers *answers, const char *command, struct span line)
{
    const char *at = PAST(command, "\"fail\"");
    if (answers->may_fail && at != NULL) {
        take_settled(answers, at, line);
        answers->fails++;
    } else if (answers->may_fail && PAST(command, "\"error\"") != NULL) {
        answers->errors++;
    } else {
        die("the child said %.*s", (int)line.len, line.ptr);
    }
}

static void
take_message(struct answers *answers, struct span line)
{
    const char *object = PAST(line.ptr, "{");
    if (!answers->greeted) {
        if (PAST(object, "\"pid\"") == NULL) {
            die("the handshake was answered with %.*s", (int)line.len, line.ptr);
        }
        answers->greeted = true;
        return;
    }
    const char *command = PAST(PAST(object, "\"command\""), ":");
    const char *at = PAST(command, "\"ack\"");
    if (at != NULL) {
        take_settled(answers, at, line);
    } else if (PAST(command, "\"emit\"") != NULL) {
        answers->emits++;
    } else if (PAST(command, "\"log\"") != NULL) {
        answers->logs++;
    } else if (PAST(command, "\"sync\"") != NULL) {
        if (answers->spout) {
            settle(answers, ring_in_turn(answers->ring), line);
        }
    } else if (PAST(command, "\"metrics\"") == NULL) {
        take_failure(answers, command, line);
    }
}

size_t
answers_take(struct answers *answers, const char *bytes, size_t len)
{
    static const char END[] = "end\n";
    const char *at = bytes;
    const char *end = bytes + len;
    for (;;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL || (size_t)(end - line_end) < sizeof(END)) {
            return (size_t)(at - bytes);
        }
        if (memcmp(line_end + 1, END, sizeof(END) - 1) != 0) {
            die("a message that is not one line and \"end\": %.*s", (int)(line_end - at), at);
        }
        take_message(answers, (struct span){at, (size_t)(line_end - at)});
        at = line_end + sizeof(END);
    }
}
