#include "hear.h"

#include "bolt.h"
#include "emit.h"
#include "pipes.h"
#include "said.h"
#include "spout.h"

/* A component's levels are those of Storm's own ShellMsg. */
static const char *
level_name(enum message_level level)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    return names[level];
}

static void
hear_error(struct task *task, struct slice text)
{
    task->component->totals.errors++;
    task->engine->failed = true;
    report_error(task, text.ptr != NULL ? text : SLICE("\"\""));
}

static int
hear_settled(struct task *bolt, const struct said *said, struct fault *fault)
{
    struct slice id = {said->id.ptr + 1, said->id.len - 2};
    return bolt_settle(bolt, id, said->kind == SAID_ACK, fault);
}

/* It has answered its handshake. */
static void
come_up(struct task *task)
{
    struct engine *engine = task->engine;
    if (task->state != TASK_STARTING) {
        return;
    }
    task->state = TASK_UP;
    engine->up++;
    if (task->component->tick > 0 && !task->component->plan->spout) {
        task->next_tick = engine->now + task->component->tick;
    }
    if (engine->phase == PHASE_RUNNING) {
        spout_activate(task);
    }
}

/* What spouts and bolts say alike; false: it is none of that. */
static bool
hear_remark(struct task *task, const struct said *said)
{
    switch (said->kind) {
    case SAID_PID:
        come_up(task);
        return true;
    case SAID_LOG:
        report_log(task, level_name(said->level),
                   said->text.ptr != NULL ? said->text : SLICE("\"\""));
        return true;
    case SAID_ERROR:
        hear_error(task, said->text);
        return true;
    case SAID_METRIC:
        report_metric(task, said);
        return true;
    default:
        return false;
    }
}

/* ShellBolt ignores a sync; ShellSpout ends with whatever else than it knows. */
static int
hear_work(struct task *task, const struct said *said, struct fault *fault)
{
    bool spout = task->component->plan->spout;
    task->served = true;
    if (said->kind == SAID_EMIT) {
        return spout ? emit_from_spout(task, said, fault) : emit_from_bolt(task, said, fault);
    }
    if (said->kind == SAID_SYNC) {
        if (spout) {
            spout_synced(task);
        }
        return 0;
    }
    return spout ? fault_set(fault, FAULT_MESSAGE, 0, "a spout acks and fails nothing")
                 : hear_settled(task, said, fault);
}

void
hear(struct task *task, struct slice frame)
{
    static struct fault fault;
    struct said said;
    fault_clear(&fault);
    if (said_decode(frame, &said, &fault) < 0 ||
        (!hear_remark(task, &said) && hear_work(task, &said, &fault) < 0)) {
        int shown = frame.len < 200 ? (int)frame.len : 200;
        task_doom(task, "Storm ends the worker of a component that says this: %s; it said %.*s%s",
                  fault.text, shown, frame.ptr, frame.len > 200 ? "..." : "");
    }
}
