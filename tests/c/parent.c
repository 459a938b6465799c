#include "parent.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "oracle.h"
#include "require.h"
#include "texts.h"

enum { LIMIT = 1024 }; /* the handshake's, in bytes of a message */

static void
put_in_line(struct parent *parent, struct slice bytes)
{
    REQUIRE(buffer_append(&parent->unsaid, bytes, NULL) == 0);
}

void
parent_start(struct parent *parent)
{
    *parent = (struct parent){0};
    storm_start(&parent->storm, 4096);
    for (int i = 0; i < ARENA_WRITERS; i++) {
        parent->accounts[i] = json_array();
    }
    parent->doubts = 1; /* nothing is the guardian's */
    put_in_line(parent, SLICE(HANDSHAKE));
}

void
parent_end(struct parent *parent)
{
    for (int i = 0; i < ARENA_WRITERS; i++) {
        json_decref(parent->accounts[i]);
    }
    buffer_deinit(&parent->unsaid);
    storm_end(&parent->storm);
}

/* ---- saying ----------------------------------------------------------------------------- */

static size_t
bytes_so_far(const struct parent *parent)
{
    return parent->delivered + parent->unsaid.len;
}

/* A message to come, or NULL where nothing more can be said. */
static struct said *
begin(struct parent *parent, enum said_kind kind)
{
    if (parent->said == PARENT_MOST || parent->derailed || parent->storm.say < 0) {
        return NULL;
    }
    struct said *said = &parent->line[parent->said];
    *said = (struct said){.kind = kind, .number = parent->said};
    parent->said++;
    return said;
}

static void
finish(struct parent *parent, struct said *said)
{
    put_in_line(parent, SLICE(END));
    said->due = bytes_so_far(parent);
}

/* Numbers and other texts, with and without an escape. */
struct slice
parent_id_as_written(const struct said *said)
{
    static char text[40];
    int len = said->number % 3 == 0   ? snprintf(text, sizeof text, "-%u", said->number + 1)
              : said->number % 3 == 1 ? snprintf(text, sizeof text, "t\\/%u", said->number)
                                      : snprintf(text, sizeof text, "%u.", said->number);
    return (struct slice){text, (size_t)len};
}

struct slice
parent_id(const struct said *said)
{
    struct slice id = parent_id_as_written(said);
    char *slash = memchr(id.ptr, '\\', id.len);
    if (slash != NULL) {
        memmove(slash, slash + 1, id.len - (size_t)(slash + 1 - id.ptr));
        id.len--;
    }
    return id;
}

/* The members in the order that Storm's HashMap has them, or from another one on. */
void
parent_say_tuple(struct parent *parent, unsigned style)
{
    enum { MEMBERS = 5 };
    char id[60];
    char values[20];
    const char *members[MEMBERS] = {"\"comp\":\"word\"", values, "\"task\":4",
                                    "\"stream\":\"default\"", id};
    struct said *said = begin(parent, SAID_TUPLE);
    if (said == NULL) {
        return;
    }
    struct slice text = parent_id_as_written(said);
    snprintf(id, sizeof id, "\"id\":\"%.*s\"", (int)text.len, text.ptr);
    snprintf(values, sizeof values, "\"tuple\":[%u]", said->number);
    for (unsigned i = 0; i < MEMBERS; i++) {
        const char *member = members[(i + style) % MEMBERS];
        put_in_line(parent, i == 0 ? SLICE("{") : style < 128 ? SLICE(",") : SLICE(" ,\n"));
        put_in_line(parent, (struct slice){member, strlen(member)});
    }
    put_in_line(parent, SLICE("}"));
    finish(parent, said);
}

void
parent_say_command(struct parent *parent, unsigned choice)
{
    static const struct {
        struct slice text;
        enum message_kind kind;
    } commands[] = {
        {SLICE("{\"command\":\"next\",\"id\":\"\"}"), MESSAGE_NEXT},
        {SLICE("{\"id\":\"m1\",\"command\":\"ack\"}"), MESSAGE_ACK},
        {SLICE("{\"command\":\"fail\",\"id\":[1,{\"a\":2}]}"), MESSAGE_FAIL},
        {SLICE("{\"command\":\"activate\",\"id\":\"\"}"), MESSAGE_ACTIVATE},
        {SLICE("{\"command\":\"deactivate\",\"id\":\"\"}"), MESSAGE_DEACTIVATE},
    };
    struct said *said = begin(parent, SAID_COMMAND);
    if (said != NULL) {
        choice %= sizeof commands / sizeof commands[0];
        said->command = commands[choice].kind;
        put_in_line(parent, commands[choice].text);
        finish(parent, said);
    }
}

void
parent_say_heartbeat(struct parent *parent)
{
    struct said *said = begin(parent, SAID_HEARTBEAT);
    if (said != NULL) {
        put_in_line(parent, SLICE(HEARTBEAT));
        said->due = bytes_so_far(parent);
    }
}

/* A line of any bytes that is no JSON. */
void
parent_say_nonsense(struct parent *parent, struct slice bytes)
{
    struct said *said = begin(parent, SAID_NONSENSE);
    if (said == NULL) {
        return;
    }
    put_in_line(parent, SLICE("?"));
    for (size_t i = 0; i < bytes.len; i++) {
        bool breaks = bytes.ptr[i] == '\n' || bytes.ptr[i] == '\r';
        put_in_line(parent, breaks ? SLICE(" ") : (struct slice){bytes.ptr + i, 1});
    }
    finish(parent, said);
}

/* It is noticed as soon as there is too much of it. */
void
parent_say_too_much(struct parent *parent)
{
    static const char much[2 * LIMIT] = {'x'};
    struct said *said = begin(parent, SAID_NONSENSE);
    if (said != NULL) {
        size_t start = bytes_so_far(parent);
        put_in_line(parent, (struct slice){much, sizeof much});
        finish(parent, said);
        said->due = start + LIMIT + 1;
    }
}

void
parent_say_bytes(struct parent *parent, struct slice bytes)
{
    if (parent->storm.say >= 0) {
        put_in_line(parent, bytes);
        parent->derailed = true;
    }
}

void
parent_say_task_ids(struct parent *parent)
{
    struct said *said = parent->asking > 0 ? begin(parent, SAID_TASK_IDS) : NULL;
    if (said != NULL) {
        char text[20];
        int len = snprintf(text, sizeof text, "[%u]", said->number);
        put_in_line(parent, (struct slice){text, (size_t)len});
        finish(parent, said);
        parent->asking--;
    }
}

size_t
parent_deliver(struct parent *parent, size_t most)
{
    struct buffer *unsaid = &parent->unsaid;
    size_t len = unsaid->len < most ? unsaid->len : most;
    ssize_t n = parent->storm.say >= 0 && len > 0 ? write(parent->storm.say, unsaid->data, len) : 0;
    if (n < 0) {
        REQUIRE(errno == EAGAIN);
        return 0;
    }
    parent->delivered += (size_t)n;
    unsaid->len -= (size_t)n;
    if (n > 0) {
        memmove(unsaid->data, unsaid->data + n, unsaid->len);
    }
    return (size_t)n;
}

/* ---- what the component must be given ---------------------------------------------------- */

/* Bytes that it has read. */
static size_t
taken_in(const struct parent *parent)
{
    int waiting;
    REQUIRE(ioctl(parent->storm.arena->in, FIONREAD, &waiting) == 0);
    return parent->delivered - (size_t)waiting;
}

/* What it owes for a message that it is not given. */
static void
note_answer(struct parent *parent, const struct said *said)
{
    if (said->kind == SAID_NONSENSE) {
        parent_note(parent, WRITER_INTERPRETER,
                    json_pack("{ss,ss}", "command", "error", "msg",
                              "Stormcell dropped a message from Storm that it could not read: "));
    }
    if (said->kind == SAID_HEARTBEAT || (said->kind == SAID_NONSENSE && parent->spout)) {
        parent_note(parent, WRITER_INTERPRETER, json_pack("{ss}", "command", "sync"));
    }
}

static void
take_task_ids(struct parent *parent, struct said *said)
{
    said->taken = true;
    parent->asked -= parent->asked > 0;
}

const struct said *
parent_next(struct parent *parent)
{
    size_t taken = taken_in(parent);
    while (parent->first < parent->said && parent->line[parent->first].due <= taken) {
        struct said *said = &parent->line[parent->first++];
        if (said->kind == SAID_TUPLE || said->kind == SAID_COMMAND) {
            return said;
        }
        if (said->kind == SAID_TASK_IDS && !said->taken) {
            take_task_ids(parent, said);
        }
        note_answer(parent, said);
    }
    return NULL;
}

int
parent_take_task_ids(struct parent *parent)
{
    size_t taken = taken_in(parent);
    for (unsigned i = parent->first; i < parent->said && parent->line[i].due <= taken; i++) {
        struct said *said = &parent->line[i];
        if (said->kind == SAID_TASK_IDS && !said->taken) {
            take_task_ids(parent, said);
            if (parent->asked == 0) {
                return (int)said->number;
            }
        }
    }
    return -1;
}

/* ---- hearing ---------------------------------------------------------------------------- */

void
parent_note(struct parent *parent, enum arena_writer writer, json_t *message)
{
    REQUIRE(json_is_object(message));
    REQUIRE(json_array_append_new(parent->accounts[writer], message) == 0);
}

static const char *
member(const json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));
    return text != NULL ? text : "";
}

static bool
is_as_said(const json_t *heard, const json_t *said)
{
    if (strcmp(member(said, "command"), "error") == 0) {
        const char *text = member(said, "msg");
        return strcmp(member(heard, "command"), "error") == 0 &&
               strncmp(member(heard, "msg"), text, strlen(text)) == 0;
    }
    return json_equal(heard, said);
}

static bool
is_said(const struct parent *parent, enum arena_writer writer, size_t nth, const json_t *heard)
{
    return is_as_said(heard, json_array_get(parent->accounts[writer], nth));
}

/* Each of the two is heard in its order. Where both may have said it, what follows will tell. */
static void
settle_account(struct parent *parent, const json_t *heard)
{
    size_t guards[PARENT_DOUBTS];
    size_t doubts = 0;
    for (size_t i = 0; i < parent->doubts; i++) {
        size_t guard = parent->guards[i];
        bool again = doubts > 0 && guards[doubts - 1] == guard;
        REQUIRE(doubts + 2 < PARENT_DOUBTS);
        if (!again && is_said(parent, WRITER_INTERPRETER, parent->heard - guard, heard)) {
            guards[doubts++] = guard;
        }
        if (is_said(parent, WRITER_GUARDIAN, guard, heard)) {
            guards[doubts++] = guard + 1;
        }
    }
    REQUIRE(doubts > 0 || parent->derailed);
    memcpy(parent->guards, guards, sizeof guards);
    parent->doubts = doubts;
    parent->heard++;
}

/* A whole message. The first one is the pid. */
static void
hear_message(struct parent *parent, struct slice frame)
{
    json_t *message = oracle_load(frame);
    REQUIRE(json_is_object(message) && memchr(frame.ptr, '\n', frame.len) == NULL);
    if (!parent->pid_heard) {
        REQUIRE(json_integer_value(json_object_get(message, "pid")) == getpid());
        parent->pid_heard = true;
    } else {
        settle_account(parent, message);
    }
    parent->asking += json_is_true(json_object_get(message, "need_task_ids"));
    json_decref(message);
}

size_t
parent_hear(struct parent *parent, size_t most)
{
    struct buffer *heard = &parent->storm.heard;
    char *room = buffer_room(heard, most, NULL);
    ssize_t n = parent->storm.hear >= 0 ? read(parent->storm.hear, room, most) : 0;
    if (n < 0) {
        REQUIRE(errno == EAGAIN);
        return 0;
    }
    heard->len += (size_t)n;
    char *end;
    while (heard->len > 0 && (end = memmem(heard->data, heard->len, END, strlen(END))) != NULL) {
        size_t len = (size_t)(end - heard->data);
        hear_message(parent, (struct slice){heard->data, len});
        heard->len -= len + strlen(END);
        memmove(heard->data, end + strlen(END), heard->len);
    }
    return (size_t)n;
}

void
parent_check_all_heard(const struct parent *parent)
{
    REQUIRE(parent->storm.heard.len == 0);
    REQUIRE(parent->derailed || parent->heard == json_array_size(parent->accounts[0]) +
                                                     json_array_size(parent->accounts[1]));
}
