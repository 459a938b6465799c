/* The floor: a component in C without Python, and without reading what it need not. It shows what
   the pipes and the driver leave for a child to win. ANSWER says what it does with a tuple:

   ack             acks it
   echo            emits its values again, anchored, and acks it
   emit VALUES     emits VALUES, anchored, and acks it
   log TEXT        logs TEXT and acks it
   batch VALUES    gathers the tuples up to a tick; then emits VALUES, anchored to all, and acks them

   or, as a spout, with a command:

   next N VALUES   emits VALUES N times, and syncs */
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

struct bytes {
    char ptr[ROOM];
    size_t len;
};

static struct bytes in;
static struct bytes out;
static struct bytes anchors; /* of the batch that gathers: "id","id",... */
static struct bytes acks;    /* for these */

/* What it says of its own, prepared. */
static char said[ROOM];
static size_t said_len;
static size_t times = 1;

static _Noreturn void
give_up(const char *why)
{
    fprintf(stderr, "floor: %s\n", why);
    exit(1);
}

static void
flush(void)
{
    for (size_t done = 0; done < out.len;) {
        ssize_t written = write(STDOUT_FILENO, out.ptr + done, out.len - done);
        if (written < 0) {
            give_up(strerror(errno));
        }
        done += (size_t)written;
    }
    out.len = 0;
}

static void
add(struct bytes *to, const char *bytes, size_t len)
{
    if (len > ROOM - to->len) {
        give_up("a message is too long");
    }
    memcpy(to->ptr + to->len, bytes, len);
    to->len += len;
}

#define ADD(to, literal) add(to, literal, sizeof(literal) - 1)

struct frame {
    const char *ptr;
    size_t len;
    const char *id; /* with its quotes */
    size_t id_len;
};

static void
ack(struct bytes *to, const struct frame *frame)
{
    ADD(to, "{\"command\":\"ack\",\"id\":");
    add(to, frame->id, frame->id_len);
    ADD(to, "}\nend\n");
}

static void
emit(const char *ids, size_t ids_len, const char *values, size_t values_len)
{
    ADD(&out, "{\"command\":\"emit\",\"anchors\":[");
    add(&out, ids, ids_len);
    ADD(&out, "],\"tuple\":");
    add(&out, values, values_len);
    ADD(&out, ",\"need_task_ids\":false}\nend\n");
}

/* Storm's frames: the id is the last string. */
static void
find_id(struct frame *frame)
{
    const char *end = memrchr(frame->ptr, '"', frame->len);
    frame->id = end == NULL ? NULL : memrchr(frame->ptr, '"', (size_t)(end - frame->ptr));
    if (frame->id == NULL) {
        give_up("a tuple without an id");
    }
    frame->id_len = (size_t)(end - frame->id) + 1;
}

/* ---- the answers ---------------------------------------------------------------------------- */

static void
answer_ack(struct frame *frame)
{
    find_id(frame);
    ack(&out, frame);
}

/* Only the values hold brackets. */
static void
answer_echo(struct frame *frame)
{
    find_id(frame);
    const char *values = memchr(frame->ptr, '[', frame->len);
    const char *last = memrchr(frame->ptr, ']', frame->len);
    if (values == NULL || last == NULL) {
        give_up("a tuple without values");
    }
    emit(frame->id, frame->id_len, values, (size_t)(last - values) + 1);
    ack(&out, frame);
}

static void
answer_emit(struct frame *frame)
{
    find_id(frame);
    emit(frame->id, frame->id_len, said, said_len);
    ack(&out, frame);
}

static void
answer_log(struct frame *frame)
{
    find_id(frame);
    ADD(&out, "{\"command\":\"log\",\"msg\":\"");
    add(&out, said, said_len);
    ADD(&out, "\",\"level\":2}\nend\n");
    ack(&out, frame);
}

static void
answer_batch(struct frame *frame)
{
    find_id(frame);
    if (memmem(frame->ptr, frame->len, "\"__tick\"", 8) == NULL) {
        if (anchors.len > 0) {
            ADD(&anchors, ",");
        }
        add(&anchors, frame->id, frame->id_len);
        ack(&acks, frame);
        return;
    }
    emit(anchors.ptr, anchors.len, said, said_len);
    add(&out, acks.ptr, acks.len);
    ack(&out, frame);
    anchors.len = 0;
    acks.len = 0;
}

static void
answer_next(struct frame *frame)
{
    (void)frame;
    for (size_t i = 0; i < times; i++) {
        ADD(&out, "{\"command\":\"emit\",\"tuple\":");
        add(&out, said, said_len);
        ADD(&out, ",\"need_task_ids\":false}\nend\n");
    }
    ADD(&out, "{\"command\":\"sync\"}\nend\n");
}

static const struct {
    const char *name;
    int arguments;
    void (*answer)(struct frame *frame);
} ANSWERS[] = {{"ack", 0, answer_ack}, {"echo", 0, answer_echo},   {"emit", 1, answer_emit},
               {"log", 1, answer_log}, {"batch", 1, answer_batch}, {"next", 2, answer_next}};

/* Storm's heartbeats alone come from nowhere. They want any answer, and never an ack. */
static bool
is_heartbeat(const struct frame *frame)
{
    static const char NOWHERE[] = "{\"comp\":null,";
    return frame->len >= sizeof(NOWHERE) && memcmp(frame->ptr, NOWHERE, sizeof(NOWHERE) - 1) == 0;
}

/* ---- the conversation ----------------------------------------------------------------------- */

/* Answer the whole frames that are there and move the rest to the front. */
static void
answer_all(void (*answer)(struct frame *frame))
{
    static bool greeted;
    const char *at = in.ptr;
    const char *end = in.ptr + in.len;
    for (;;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL || end - line_end < 5) { /* "\nend\n" */
            break;
        }
        struct frame frame = {at, (size_t)(line_end - at), NULL, 0};
        if (greeted && is_heartbeat(&frame)) {
            ADD(&out, "{\"command\":\"sync\"}\nend\n");
        } else if (greeted) {
            answer(&frame);
        } else {
            greeted = true;
            out.len += (size_t)sprintf(out.ptr + out.len, "{\"pid\":%d}\nend\n", (int)getpid());
        }
        if (out.len >= FLUSH_BYTES) {
            flush();
        }
        at = line_end + 5;
    }
    in.len = (size_t)(end - at);
    memmove(in.ptr, at, in.len);
}

static void
converse(void (*answer)(struct frame *frame))
{
    while (in.len < ROOM) {
        ssize_t got = read(STDIN_FILENO, in.ptr + in.len, ROOM - in.len);
        if (got <= 0) {
            exit(got == 0 ? 0 : 1);
        }
        in.len += (size_t)got;
        answer_all(answer);
        flush();
    }
    give_up("a message is too long");
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(ANSWERS) / sizeof(*ANSWERS); i++) {
        if (strcmp(argv[1], ANSWERS[i].name) != 0 || argc != 2 + ANSWERS[i].arguments) {
            continue;
        }
        times = argc == 4 ? strtoul(argv[2], NULL, 10) : 1;
        said_len = argc > 2 ? strlen(argv[argc - 1]) : 0;
        memcpy(said, argv[argc - 1], said_len);
        converse(ANSWERS[i].answer);
    }
    give_up("bench/floor.c's first lines say how to call it");
}
