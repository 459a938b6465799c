#include "topology.h"

#include <stdlib.h>

#include "json.h"

/* ---- settings ------------------------------------------------------------------------------ */

/* The one acker that a topology on one worker has. */
static const char ACKER[] = "__acker";

/* Of the topology as a whole: any component's conf has it. */
static int
topology_number(const struct engine *engine, const char *key, double otherwise, double *number,
                struct fault *fault)
{
    return plan_number(&engine->plan->components[0], key, otherwise, number, fault);
}

static int
read_settings(struct engine *engine, struct fault *fault)
{
    double ackers;
    double message;
    double worker;
    double process;
    double start;
    if (topology_number(engine, "topology.acker.executors", 1, &ackers, fault) < 0 ||
        topology_number(engine, "topology.message.timeout.secs", 30, &message, fault) < 0 ||
        topology_number(engine, "supervisor.worker.timeout.secs", 30, &worker, fault) < 0 ||
        topology_number(engine, "topology.subprocess.timeout.secs", worker, &process, fault) < 0 ||
        topology_number(engine, "supervisor.worker.start.timeout.secs", 120, &start, fault) < 0) {
        return -1;
    }
    engine->has_ackers = ackers > 0;
    engine->message_timeout = (int64_t)(message * 1e9);
    engine->process_timeout = (int64_t)(process * 1e9);
    engine->start_timeout = (int64_t)(start * 1e9);
    return message > 0 && process > 0 ? 0
                                      : fault_set(fault, FAULT_MESSAGE, 0,
                                                  "a timeout in the conf is not more than nothing");
}

static int
read_component_settings(struct component *component, struct fault *fault)
{
    double tick;
    double pending;
    if (plan_number(component->plan, "topology.tick.tuple.freq.secs", 0, &tick, fault) < 0 ||
        plan_number(component->plan, "topology.max.spout.pending", 0, &pending, fault) < 0) {
        return -1;
    }
    component->max_pending = pending > 0 ? (uint64_t)pending : UINT64_MAX;
    component->tick = tick > 0 ? (int64_t)(tick * 1e9) : 0;
    return 0;
}

/* ---- who takes what ------------------------------------------------------------------------ */

static int
subscribe(struct engine *engine, struct component *to, const struct plan_input *input,
          struct fault *fault)
{
    struct flow *flow = &engine->components[input->from].flows[input->at_stream];
    if (flow->count == TAKERS_MAX) {
        return fault_set(fault, FAULT_MESSAGE, 0,
                         "more than %d inputs take the stream \"%s\" of %s", TAKERS_MAX,
                         input->stream, input->component);
    }
    flow->subscriptions[flow->count++] = (struct subscription){.to = to, .input = input};
    return 0;
}

/* Can what `from` emits come to `to`? `seen` is one flag a component. */
static bool
reaches(const struct engine *engine, const struct component *from, const struct component *to,
        bool *seen)
{
    if (from == to) {
        return true;
    }
    seen[from - engine->components] = true;
    for (size_t i = 0; i < from->plan->stream_count; i++) {
        for (size_t j = 0; j < from->flows[i].count; j++) {
            const struct component *next = from->flows[i].subscriptions[j].to;
            if (!seen[next - engine->components] && reaches(engine, next, to, seen)) {
                return true;
            }
        }
    }
    return false;
}

static void
mark_cycles(struct engine *engine, struct component *component)
{
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        struct flow *flow = &component->flows[i];
        flow->first_grouping = component->grouping_count;
        component->grouping_count += flow->count;
        for (size_t j = 0; j < flow->count; j++) {
            bool *seen = need_memory(engine->plan->component_count, sizeof *seen);
            struct subscription *subscription = &flow->subscriptions[j];
            subscription->cyclic = reaches(engine, subscription->to, component, seen);
            free(seen);
        }
    }
}

static int
make_component(struct engine *engine, size_t index, size_t inputs, struct fault *fault)
{
    struct component *component = &engine->components[index];
    component->plan = &engine->plan->components[index];
    component->flows = need_memory(component->plan->stream_count + 1, sizeof(struct flow));
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        component->flows[i].plan = &component->plan->streams[i];
        component->flows[i].subscriptions = need_memory(inputs + 1, sizeof(struct subscription));
    }
    return read_component_settings(component, fault);
}

static int
join(struct engine *engine, struct fault *fault)
{
    size_t count = engine->plan->component_count;
    size_t inputs = 0;
    for (size_t i = 0; i < count; i++) {
        inputs += engine->plan->components[i].input_count;
    }
    for (size_t i = 0; i < count; i++) {
        if (make_component(engine, i, inputs, fault) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct plan_component *plan = &engine->plan->components[i];
        for (size_t j = 0; j < plan->input_count; j++) {
            if (subscribe(engine, &engine->components[i], &plan->inputs[j], fault) < 0) {
                return -1;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        mark_cycles(engine, &engine->components[i]);
    }
    return 0;
}

/* ---- tasks --------------------------------------------------------------------------------- */

/* Storm sorts the names of all components, its own among them, and numbers their tasks from 1
   (StormCommon.stormTaskInfo). */
static void
number_tasks(struct engine *engine)
{
    struct task *task = engine->tasks;
    int32_t id = 1;
    bool acker_counted = !engine->has_ackers;
    for (size_t i = 0; i < engine->plan->component_count; i++) {
        struct component *component = &engine->components[i];
        if (!acker_counted && strcmp(component->plan->name, ACKER) > 0) {
            acker_counted = true;
            id++;
        }
        component->tasks = task;
        component->task_count = component->plan->parallelism;
        for (size_t j = 0; j < component->task_count; j++, task++) {
            task->id = id;
            task->index = (uint32_t)(task - engine->tasks);
            task->engine = engine;
            task->component = component;
            task->process = NO_PROCESS;
            engine->by_id[id++] = task;
        }
    }
    engine->id_count = id;
}

static struct slice
take_text(struct buffer *buffer)
{
    char *bytes = need_memory(buffer->len + 1, 1);
    memcpy(bytes, buffer->data, buffer->len);
    struct slice text = {bytes, buffer->len};
    buffer->len = 0;
    return text;
}

/* The messages of a stream's tuples differ in values and id alone; the order is Storm's HashMap's. */
static void
prepare_texts(struct task *task)
{
    struct buffer text = {0};
    const struct plan_component *plan = task->component->plan;
    task->opens = need_memory(plan->stream_count + 1, sizeof *task->opens);
    task->closes = need_memory(plan->stream_count + 1, sizeof *task->closes);
    for (size_t i = 0; i < plan->stream_count; i++) {
        const char *stream = plan->streams[i].name;
        buffer_append(&text, SLICE("{\"comp\":"), NULL);
        json_write_string(&text, (struct slice){plan->name, strlen(plan->name)}, NULL);
        buffer_append(&text, SLICE(",\"tuple\":"), NULL);
        task->opens[i] = take_text(&text);
        buffer_append(&text, SLICE(",\"task\":"), NULL);
        json_write_int(&text, task->id, NULL);
        buffer_append(&text, SLICE(",\"stream\":"), NULL);
        json_write_string(&text, (struct slice){stream, strlen(stream)}, NULL);
        buffer_append(&text, SLICE(",\"id\":\""), NULL);
        task->closes[i] = take_text(&text);
    }
    buffer_deinit(&text);
}

static void
make_grouping(struct engine *engine, struct grouping *grouping,
              const struct subscription *subscription)
{
    const struct component *to = subscription->to;
    int32_t *ids = need_memory(to->task_count, sizeof *ids);
    struct fault fault = {0};
    for (size_t i = 0; i < to->task_count; i++) {
        ids[i] = to->tasks[i].id;
    }
    if (grouping_init(grouping, subscription->input->grouping, subscription->input->fields,
                      subscription->input->field_count, ids, to->task_count,
                      random_next(&engine->random), &fault) < 0) {
        out_of_memory();
    }
    free(ids);
}

static void
prepare_task(struct engine *engine, struct task *task)
{
    const struct component *component = task->component;
    prepare_texts(task);
    task->groupings = need_memory(component->grouping_count + 1, sizeof *task->groupings);
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        const struct flow *flow = &component->flows[i];
        for (size_t j = 0; j < flow->count; j++) {
            make_grouping(engine, &task->groupings[flow->first_grouping + j],
                          &flow->subscriptions[j]);
        }
    }
    task->deliveries.free = UINT32_MAX;
    task->next_tick = INT64_MAX;
}

int
topology_build(struct engine *engine, struct fault *fault)
{
    size_t count = engine->plan->component_count;
    engine->components = need_memory(count, sizeof *engine->components);
    for (size_t i = 0; i < count; i++) {
        engine->task_count += engine->plan->components[i].parallelism;
    }
    engine->tasks = need_memory(engine->task_count, sizeof *engine->tasks);
    engine->by_id = need_memory(engine->task_count + 3, sizeof *engine->by_id);
    if (read_settings(engine, fault) < 0 || join(engine, fault) < 0) {
        return -1;
    }
    number_tasks(engine);
    for (size_t i = 0; i < engine->task_count; i++) {
        prepare_task(engine, &engine->tasks[i]);
    }
    return 0;
}

/* ---- release ------------------------------------------------------------------------------- */

static void
free_task(struct task *task)
{
    const struct component *component = task->component;
    for (size_t i = 0; component != NULL && i < component->plan->stream_count; i++) {
        free((char *)task->opens[i].ptr);
        free((char *)task->closes[i].ptr);
    }
    for (size_t i = 0; component != NULL && i < component->grouping_count; i++) {
        grouping_deinit(&task->groupings[i]);
    }
    free(task->opens);
    free(task->closes);
    free(task->groupings);
    free(task->deliveries.places);
    free(task->commands.kinds);
    buffer_deinit(&task->said);
    buffer_deinit(&task->told);
    buffer_deinit(&task->stderr_text);
}

void
topology_free(struct engine *engine)
{
    for (size_t i = 0; engine->tasks != NULL && i < engine->task_count; i++) {
        free_task(&engine->tasks[i]);
    }
    for (size_t i = 0; engine->components != NULL && i < engine->plan->component_count; i++) {
        struct component *component = &engine->components[i];
        for (size_t j = 0; component->flows != NULL && j < component->plan->stream_count; j++) {
            free(component->flows[j].subscriptions);
        }
        free(component->flows);
    }
    free(engine->components);
    free(engine->tasks);
    free(engine->by_id);
}
