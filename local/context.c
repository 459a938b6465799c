#include "context.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the topology's tasks and streams -------------------------------------------------------- */

json_t *
context_task_names(const struct engine *engine)
{
    json_t *names = json_object();
    char key[16];
    for (int32_t id = 1; id < engine->id_count; id++) {
        const struct task *task = engine->by_id[id];
        snprintf(key, sizeof key, "%d", id);
        json_object_set_new(names, key,
                            json_string(task == NULL ? "__acker" : task->component->plan->name));
    }
    return names;
}

static json_t *
stream_names(const struct component *component)
{
    json_t *names = json_array();
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        json_array_append_new(names, json_string(component->plan->streams[i].name));
    }
    return names;
}

static json_t *
fields_by_stream(const struct component *component)
{
    json_t *fields = json_object();
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        const struct plan_stream *stream = &component->plan->streams[i];
        json_object_set(fields, stream->name, (json_t *)stream->fields);
    }
    return fields;
}

/* As Thrift's Grouping is told: the name of what is set, in capitals; global is FIELDS with no field. */
static json_t *
grouping_object(const struct plan_input *input, const struct plan_stream *stream)
{
    json_t *object = json_object();
    json_object_set_new(object, "type", json_string(grouping_storm_name(input->grouping)));
    if (input->grouping == GROUPING_FIELDS || input->grouping == GROUPING_GLOBAL) {
        json_t *fields = json_array();
        for (size_t i = 0; i < input->field_count; i++) {
            json_array_append(fields, json_array_get(stream->fields, input->fields[i]));
        }
        json_object_set_new(object, "fields", fields);
    }
    return object;
}

/* The member of an object of objects, made if it is not there. */
static json_t *
inner_object(json_t *object, const char *key)
{
    json_t *inner = json_object_get(object, key);
    if (inner == NULL) {
        inner = json_object();
        json_object_set_new(object, key, inner);
    }
    return inner;
}

/* {stream: {component: grouping}}: who takes what; a stream that nobody takes is not among them. */
static json_t *
targets(const struct component *component)
{
    json_t *targets = json_object();
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        const struct flow *flow = &component->flows[i];
        for (size_t j = 0; j < flow->count; j++) {
            json_object_set_new(inner_object(targets, flow->plan->name),
                                flow->subscriptions[j].to->plan->name,
                                grouping_object(flow->subscriptions[j].input, flow->plan));
        }
    }
    return targets;
}

static void
add_sources(const struct task *task, json_t *context)
{
    const struct plan_component *plan = task->component->plan;
    json_t *groupings = json_object();
    json_t *fields = json_object();
    for (size_t i = 0; i < plan->input_count; i++) {
        const struct plan_input *input = &plan->inputs[i];
        const struct component *from = &task->engine->components[input->from];
        json_object_set_new(inner_object(groupings, input->component), input->stream,
                            grouping_object(input, &from->plan->streams[input->at_stream]));
        json_object_set_new(fields, input->component, fields_by_stream(from));
    }
    json_object_set_new(context, "source->stream->grouping", groupings);
    json_object_set_new(context, "source->stream->fields", fields);
}

static json_t *
make_context(const struct task *task)
{
    json_t *context = json_object();
    json_object_set_new(context, "taskid", json_integer(task->id));
    json_object_set_new(context, "componentid", json_string(task->component->plan->name));
    json_object_set_new(context, "task->component", context_task_names(task->engine));
    json_object_set_new(context, "streams", stream_names(task->component));
    json_object_set_new(context, "stream->outputfields", fields_by_stream(task->component));
    json_object_set_new(context, "stream->target->grouping", targets(task->component));
    add_sources(task, context);
    return context;
}

/* ---- the conf -------------------------------------------------------------------------------- */

static void
set_default(json_t *conf, const char *key, json_t *value)
{
    if (json_object_get(conf, key) == NULL) {
        json_object_set_new(conf, key, value);
    } else {
        json_decref(value);
    }
}

/* What Storm's own conf says that components ask for. */
static json_t *
make_conf(const struct task *task)
{
    char id[256];
    const char *name = task->engine->plan->name;
    json_t *conf = json_copy(task->component->plan->conf);
    snprintf(id, sizeof id, "%s-1-%ld", name, (long)getpid());
    json_object_set_new(conf, "topology.name", json_string(name));
    json_object_set_new(conf, "storm.id", json_string(id));
    json_object_set_new(conf, "storm.cluster.mode", json_string("local"));
    set_default(conf, "topology.debug", json_false());
    set_default(conf, "topology.workers", json_integer(1));
    set_default(conf, "topology.acker.executors", json_null());
    set_default(conf, "topology.message.timeout.secs", json_integer(30));
    set_default(conf, "topology.max.spout.pending", json_null());
    set_default(conf, "topology.tick.tuple.freq.secs", json_null());
    set_default(conf, "supervisor.worker.timeout.secs", json_integer(30));
    /* The engine reads what components say as Storm does since 2.6. */
    set_default(conf, "stormcell.big.integers", json_true());
    /* A lost interpreter is replaced here, where it is seen, and not by its guardian. */
    set_default(conf, "stormcell.restart", json_pack("{s:i}", "max", 0));
    return conf;
}

void
context_write_handshake(const struct task *task, struct buffer *out)
{
    json_t *message = json_object();
    json_object_set_new(message, "pidDir", json_string(task->engine->pid_dir));
    json_object_set_new(message, "conf", make_conf(task));
    json_object_set_new(message, "context", make_context(task));
    char *text = json_dumps(message, JSON_COMPACT);
    buffer_append(out, (struct slice){text, strlen(text)}, NULL);
    buffer_append(out, SLICE("\nend\n"), NULL);
    free(text);
    json_decref(message);
}
