/* The floor: a bolt in C without Python, and without reading what it need not. It shows what the
   pipes and the driver leave for a child to win.

   floor emit   emits each tuple's values again, anchored, and acks it
   floor ack    acks each tuple */
/* memrchr, memmem */
#define _GNU_SOURCE

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROOM = 4 << 20,       /* bytes of the longest message, and of what waits to be written */
    FLUSH_BYTES = 8 << 10 /* written when that much has gathered or nothing is left to do */
};

static char in[ROOM];
static size_t in_len;
static char out[ROOM];
static size_t out_len;

static _Noreturn void
give_up(const char *why)
{
    fprintf(stderr, "floor: %s\n", why);
    exit(1);
}

static void
flush(void)
{
    for (size_t done = 0; done < out_len;) {
        ssize_t written = write(STDOUT_FILENO, out + done, out_len - done);
        if (written < 0) {
            give_up(strerror(errno));
        }
        done += (size_t)written;
    }
    out_len = 0;
}

static void
say(const char *bytes, size_t len)
{
    if (len > ROOM - out_len) {
        give_up("a message is too long");
    }
    memcpy(out + out_len, bytes, len);
    out_len += len;
}

#define SAY(literal) say(literal, sizeof(literal) - 1)

/* Storm's frames: only the values hold brackets, and the id is the last string. */
static void
answer(const char *frame, size_t len, bool emits)
{
    const char *id_end = memrchr(frame, '"', len);
    const char *id = id_end == NULL ? NULL : memrchr(frame, '"', (size_t)(id_end - frame));
    if (id == NULL) {
        give_up("a tuple without an id");
    }
    size_t id_len = (size_t)(id_end - id) + 1;
    if (emits) {
        const char *values = memchr(frame, '[', len);
        const char *last = memrchr(frame, ']', len);
        if (values == NULL || last == NULL) {
            give_up("a tuple without values");
        }
        SAY("{\"command\":\"emit\",\"anchors\":[");
        say(id, id_len);
        SAY("],\"tuple\":");
        say(values, (size_t)(last - values) + 1);
        SAY(",\"need_task_ids\":false}\nend\n");
    }
    SAY("{\"command\":\"ack\",\"id\":");
    say(id, id_len);
    SAY("}\nend\n");
    if (out_len >= FLUSH_BYTES) {
        flush();
    }
}

/* Answer the whole frames that are there and move the rest to the front. */
static void
answer_all(bool emits)
{
    static bool greeted;
    const char *at = in;
    const char *end = in + in_len;
    for (;;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL || end - line_end < 5) { /* "\nend\n" */
            break;
        }
        if (greeted) {
            answer(at, (size_t)(line_end - at), emits);
        } else {
            greeted = true;
            out_len += (size_t)sprintf(out + out_len, "{\"pid\":%d}\nend\n", (int)getpid());
        }
        at = line_end + 5;
    }
    in_len = (size_t)(end - at);
    memmove(in, at, in_len);
}

int
main(int argc, char **argv)
{
    bool emits = argc == 2 && strcmp(argv[1], "emit") == 0;
    if (!emits && !(argc == 2 && strcmp(argv[1], "ack") == 0)) {
        give_up("usage: floor emit|ack");
    }
    while (in_len < ROOM) {
        ssize_t got = read(STDIN_FILENO, in + in_len, ROOM - in_len);
        if (got <= 0) {
            return got == 0 ? 0 : 1;
        }
        in_len += (size_t)got;
        answer_all(emits);
        flush();
    }
    give_up("a message is too long");
}
