/* The conversation: the input is a script of what Storm, the component and the guardian do next, and
   parent.c keeps account of what must come of it. */
#include <stdint.h>
#include <stdio.h>

#include "component.h"
#include "recovery.h"
#include "require.h"
#include "wire.h"

/* All sides, for one input. */
struct play {
    struct script script;
    struct parent parent;
    struct component component;
    struct buffer remarks; /* the guardian's lane */
    unsigned remarks_said;
    bool turned_away;
};

/* ---- writing and waiting ----------------------------------------------------------------- */

static void
wake(struct play *play)
{
    session_wake(play->component.session);
}

static void
look(struct play *play)
{
    REQUIRE(session_wait(play->component.session, 0, NULL) == 0);
}

static void
check_written(const struct play *play, int result, const struct fault *fault)
{
    REQUIRE(result >= 0 || (play->turned_away && fault->code == FAULT_GONE));
}

static void
flush(struct play *play)
{
    struct fault fault = {0};
    check_written(play, session_flush(play->component.session, &fault), &fault);
}

static void
breathe(struct play *play)
{
    struct fault fault = {0};
    check_written(play, session_breathe(play->component.session, &fault), &fault);
}

static void
answer(struct play *play)
{
    struct fault fault = {0};
    check_written(play, session_answer(play->component.session, &fault), &fault);
}

static void
guardian_says(struct play *play)
{
    char text[40];
    snprintf(text, sizeof text, "guardian %u", play->remarks_said++);
    struct slice line = {text, strlen(text)};
    REQUIRE(message_write_log(&play->remarks, LEVEL_WARN, line, NULL) == 0);
    wire_commit(play->parent.storm.arena, WRITER_GUARDIAN, &play->remarks);
    parent_note(&play->parent, WRITER_GUARDIAN,
                json_pack("{ss,sI,ss}", "command", "log", "level",
                          (json_int_t)LEVEL_WARN + (INT64_C(1) << 32), "msg", text));
}

static void
guardian_flushes(struct play *play)
{
    struct fault fault = {0};
    struct arena *arena = play->parent.storm.arena;
    check_written(play, wire_flush(arena, WRITER_GUARDIAN, &play->remarks, &fault), &fault);
}

/* ---- a lost interpreter ------------------------------------------------------------------ */

/* The message that was appended last is the fail of a tuple that was in hand. */
static void
check_failed(struct play *play, size_t start)
{
    struct slice frame = {play->remarks.data + start, play->remarks.len - start - 5};
    json_t *message = json_loadb(frame.ptr, frame.len, 0, NULL);
    const json_t *id = json_object_get(message, "id");
    REQUIRE(strcmp(json_string_value(json_object_get(message, "command")), "fail") == 0);
    component_lose(&play->component, (struct slice){json_string_value(id), json_string_length(id)});
    parent_note(&play->parent, WRITER_GUARDIAN, message);
}

/* Between two of its steps the interpreter is lost: its tuples fail, its command is answered. */
static void
recover(struct play *play)
{
    struct arena *arena = play->parent.storm.arena;
    struct component *component = &play->component;
    size_t cursor = 0;
    size_t start = play->remarks.len;
    REQUIRE(recovery_check(arena, NULL) == 0);
    bool owes = recovery_mend(arena);
    REQUIRE(owes == component->owes_sync || play->parent.derailed);
    for (; recovery_fail_one(arena, &play->remarks, &cursor) == 1; start = play->remarks.len) {
        check_failed(play, start);
    }
    REQUIRE(component->live_count == 0 && ids_count(arena) == 0);
    if (owes) {
        REQUIRE(message_write_sync(&play->remarks, NULL) == 0);
        parent_note(&play->parent, WRITER_GUARDIAN, json_pack("{ss}", "command", "sync"));
    }
    wire_commit(arena, WRITER_GUARDIAN, &play->remarks);
    component->owes_sync = false;
    component->given = NULL;
}

/* Another one takes its place. */
static void
lose_interpreter(struct play *play)
{
    session_free(play->component.session);
    recover(play);
    play->component.session = session_new(play->parent.storm.arena, NULL);
    REQUIRE(play->component.session != NULL);
    REQUIRE(session_handshake(play->component.session, NULL) == 1);
    session_serve(play->component.session, play->parent.spout);
}

/* ---- the play --------------------------------------------------------------------------- */

static void
say_tuple(struct play *play)
{
    parent_say_tuple(&play->parent, script_byte(&play->script));
}

static void
say_command(struct play *play)
{
    parent_say_command(&play->parent, script_byte(&play->script));
}

static void
say_heartbeat(struct play *play)
{
    parent_say_heartbeat(&play->parent);
}

static void
say_task_ids(struct play *play)
{
    parent_say_task_ids(&play->parent);
}

static void
say_nonsense(struct play *play)
{
    parent_say_nonsense(&play->parent, script_bytes(&play->script));
}

static void
say_too_much(struct play *play)
{
    parent_say_too_much(&play->parent);
}

static void
deliver(struct play *play)
{
    parent_deliver(&play->parent, SIZE_MAX);
}

static void
deliver_some(struct play *play)
{
    parent_deliver(&play->parent, script_byte(&play->script));
}

static void
hear(struct play *play)
{
    parent_hear(&play->parent, 1 << 16);
}

static void
hear_some(struct play *play)
{
    parent_hear(&play->parent, script_byte(&play->script) + 1);
}

/* What nothing comes after, or nothing that is known: seldom. */
static void
end_something(struct play *play)
{
    switch (script_byte(&play->script)) {
    case 'h':
        storm_hang_up(&play->parent.storm);
        break;
    case 't':
        storm_turn_away(&play->parent.storm);
        play->turned_away = true;
        break;
    case 'b':
        parent_say_bytes(&play->parent, script_bytes(&play->script));
        break;
    default:
        break;
    }
}

/* As often as they should come by chance. */
static void (*const component_steps[])(struct component *) = {
    component_receive, component_receive, component_receive,          component_receive,
    component_settle,  component_settle,  component_settle,           component_emit,
    component_emit,    component_remark,  component_receive_task_ids,
};

static void (*const other_steps[])(struct play *) = {
    look,
    look,
    look,
    flush,
    breathe,
    answer,
    wake,
    guardian_says,
    say_tuple,
    say_tuple,
    say_command,
    say_heartbeat,
    hear,
    hear_some,
    say_task_ids,
    say_nonsense,
    say_too_much,
    deliver,
    deliver_some,
    guardian_flushes,
    lose_interpreter,
    end_something,
};

static void
step(struct play *play)
{
    const size_t first = sizeof component_steps / sizeof component_steps[0];
    const size_t second = sizeof other_steps / sizeof other_steps[0];
    size_t choice = script_byte(&play->script) % (first + second);
    if (choice < first) {
        component_steps[choice](&play->component);
    } else {
        other_steps[choice - first](play);
    }
    component_check_borrowed(&play->component);
}

/* The handshake, in two pieces. */
static void
shake_hands(struct play *play)
{
    unsigned choice = script_byte(&play->script);
    int result;
    parent_deliver(&play->parent, 2 * choice);
    do {
        look(play);
        result = session_handshake(play->component.session, NULL);
        REQUIRE(result == (play->parent.unsaid.len == 0));
    } while (parent_deliver(&play->parent, SIZE_MAX) > 0);
    REQUIRE(result == 1);
    play->parent.spout = choice % 2 == 1;
    session_serve(play->component.session, play->parent.spout);
}

/* All that is on its way arrives, all that is open is settled. */
static void
play_out(struct play *play)
{
    struct component *component = &play->component;
    size_t moved = 1;
    answer(play);
    while (moved > 0) {
        moved = play->parent.storm.say >= 0 ? play->parent.unsaid.len : 0;
        parent_deliver(&play->parent, SIZE_MAX);
        look(play);
        component_receive(component);
        moved += component->given != NULL && !play->parent.derailed;
        moved += component->live_count;
        while (component->live_count > 0) {
            component_settle(component);
        }
        flush(play);
        guardian_flushes(play);
        moved += parent_hear(&play->parent, 1 << 16);
    }
    REQUIRE(play->parent.derailed || play->parent.first == play->parent.said ||
            play->parent.storm.say < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play;
    play = (struct play){.script = {{(const char *)data, size}}};
    parent_start(&play.parent);
    play.component = (struct component){.script = &play.script, .parent = &play.parent};
    play.component.session = session_new(play.parent.storm.arena, NULL);
    REQUIRE(play.component.session != NULL);
    play.remarks = wire_lane(play.parent.storm.arena, WRITER_GUARDIAN);
    shake_hands(&play);
    while (play.script.left.len > 0) {
        step(&play);
    }
    play_out(&play);
    REQUIRE(play.parent.derailed || ids_count(play.parent.storm.arena) == 0);
    if (!play.turned_away) {
        parent_check_all_heard(&play.parent);
    }
    session_free(play.component.session);
    parent_end(&play.parent);
    return 0;
}
