#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan_read.h"

/* ---- streams and inputs -------------------------------------------------------------------- */

static int
read_stream(struct plan_stream *stream, const char *name, const json_t *object, struct place *place)
{
    static const char *const keys[] = {"fields", "direct", NULL};
    stream->name = name;
    if (place_keys(place, object, keys) < 0 ||
        place_bool(place, object, "direct", &stream->direct) < 0) {
        return -1;
    }
    stream->fields = json_object_get(object, "fields");
    return place_texts(place, "fields", stream->fields);
}

static int
read_streams(struct plan_component *component, const json_t *outputs, struct place *place)
{
    const char *name;
    json_t *object;
    if (outputs == NULL) {
        return 0;
    }
    if (!json_is_object(outputs)) {
        return place_fault(place, "\"outputs\" is no object");
    }
    component->streams = calloc(json_object_size(outputs) + 1, sizeof *component->streams);
    if (component->streams == NULL) {
        return fault_errno(place->fault, "no memory for the plan");
    }
    json_object_foreach ((json_t *)outputs, name, object) {
        struct place inner = place_in(place, "stream", name);
        if (read_stream(&component->streams[component->stream_count++], name, object, &inner) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
read_grouping(struct plan_input *input, const json_t *grouping, const json_t **fields,
              struct place *place)
{
    static const char *const keys[] = {"type", "fields", NULL};
    const char *type;
    if (place_keys(place, grouping, keys) < 0 || place_text(place, grouping, "type", &type) < 0) {
        return -1;
    }
    if (grouping_named(type, &input->grouping) < 0) {
        return place_fault(place, "there is no grouping \"%s\"", type);
    }
    *fields = json_object_get(grouping, "fields");
    return *fields == NULL ? 0 : place_texts(place, "fields", *fields);
}

static const char DEFAULT_STREAM[] = "default";

/* Storm would go by the last of them. */
static int
check_not_taken(const struct plan_component *component, const struct plan_input *input,
                struct place *place)
{
    for (size_t i = 0; i < component->input_count; i++) {
        const struct plan_input *other = &component->inputs[i];
        if (strcmp(other->component, input->component) == 0 &&
            strcmp(other->stream, input->stream) == 0) {
            return place_fault(place, "it takes the stream \"%s\" of \"%s\" twice", input->stream,
                               input->component);
        }
    }
    return 0;
}

static int
read_input(struct plan_input *input, const json_t *object, struct place *place)
{
    static const char *const keys[] = {"component", "stream", "grouping", NULL};
    input->stream = DEFAULT_STREAM;
    if (place_keys(place, object, keys) < 0 ||
        place_text(place, object, "component", &input->component) < 0) {
        return -1;
    }
    return json_object_get(object, "stream") == NULL
               ? 0
               : place_text(place, object, "stream", &input->stream);
}

static int
read_inputs(struct plan_component *component, const json_t *inputs, struct place *place)
{
    size_t count = json_array_size(inputs);
    if (component->spout && inputs != NULL) {
        return place_fault(place, "a spout has no \"inputs\"");
    }
    if (!component->spout && count == 0) {
        return place_fault(place, "a bolt needs \"inputs\", an array with one object for each");
    }
    component->inputs = calloc(count + 1, sizeof *component->inputs);
    if (component->inputs == NULL) {
        return fault_errno(place->fault, "no memory for the plan");
    }
    for (size_t i = 0; i < count; i++) {
        struct plan_input *input = &component->inputs[i];
        if (read_input(input, json_array_get(inputs, i), place) < 0 ||
            check_not_taken(component, input, place) < 0) {
            return -1;
        }
        component->input_count++;
    }
    return 0;
}

/* ---- components ---------------------------------------------------------------------------- */

static int
read_command(struct plan_component *component, const json_t *command, struct place *place)
{
    size_t count = json_array_size(command);
    if (place_texts(place, "command", command) < 0) {
        return -1;
    }
    if (count == 0) {
        return place_fault(place, "\"command\" is empty: what program is to be started?");
    }
    component->command = calloc(count + 1, sizeof *component->command);
    if (component->command == NULL) {
        return fault_errno(place->fault, "no memory for the plan");
    }
    for (size_t i = 0; i < count; i++) {
        component->command[i] = (char *)json_string_value(json_array_get(command, i));
    }
    return 0;
}

static int
read_kind(struct plan_component *component, const json_t *object, struct place *place)
{
    const char *kind;
    if (place_text(place, object, "kind", &kind) < 0) {
        return -1;
    }
    component->spout = strcmp(kind, "spout") == 0;
    return component->spout || strcmp(kind, "bolt") == 0
               ? 0
               : place_fault(place, "\"kind\" is \"%s\", neither spout nor bolt", kind);
}

static int
read_parallelism(struct plan_component *component, const json_t *object, struct place *place)
{
    enum { MOST = 10000 };
    const json_t *number = json_object_get(object, "parallelism");
    component->parallelism = (size_t)json_integer_value(number);
    if (number == NULL) {
        component->parallelism = 1;
    } else if (!json_is_integer(number) || json_integer_value(number) < 1 ||
               json_integer_value(number) > MOST) {
        return place_fault(place, "\"parallelism\" is no whole number from 1 to %d", MOST);
    }
    return 0;
}

static int
read_conf(struct plan_component *component, const json_t *topology_conf, const json_t *object,
          struct place *place)
{
    json_t *own = json_object_get(object, "conf");
    if (own != NULL && !json_is_object(own)) {
        return place_fault(place, "\"conf\" is no object");
    }
    component->conf = topology_conf == NULL ? json_object() : json_copy((json_t *)topology_conf);
    if (component->conf == NULL || (own != NULL && json_object_update(component->conf, own) < 0)) {
        return fault_set(place->fault, FAULT_SYSTEM, 0, "no memory for the plan");
    }
    return 0;
}

static int
read_component(struct plan_component *component, const char *name, const json_t *object,
               const json_t *topology_conf, struct fault *fault)
{
    static const char *const keys[] = {"kind",    "command", "parallelism", "conf",
                                       "outputs", "inputs",  NULL};
    struct place place = {.what = "component", .name = name, .fault = fault};
    component->name = name;
    return place_keys(&place, object, keys) < 0 || read_kind(component, object, &place) < 0 ||
                   read_command(component, json_object_get(object, "command"), &place) < 0 ||
                   read_parallelism(component, object, &place) < 0 ||
                   read_conf(component, topology_conf, object, &place) < 0 ||
                   read_streams(component, json_object_get(object, "outputs"), &place) < 0 ||
                   read_inputs(component, json_object_get(object, "inputs"), &place) < 0
               ? -1
               : 0;
}

static int
by_name(const void *left, const void *right)
{
    const struct plan_component *a = left;
    const struct plan_component *b = right;
    return strcmp(a->name, b->name);
}

static int
read_components(struct plan *plan, const json_t *conf, const json_t *components,
                struct place *place)
{
    const char *name;
    json_t *object;
    if (!json_is_object(components) || json_object_size(components) == 0) {
        return place_fault(place, "\"components\" is no object with a component or more");
    }
    plan->components = calloc(json_object_size(components), sizeof *plan->components);
    if (plan->components == NULL) {
        return fault_errno(place->fault, "no memory for the plan");
    }
    json_object_foreach ((json_t *)components, name, object) {
        struct plan_component *component = &plan->components[plan->component_count++];
        if (read_component(component, name, object, conf, place->fault) < 0) {
            return -1;
        }
    }
    qsort(plan->components, plan->component_count, sizeof *plan->components, by_name);
    return 0;
}

/* ---- what the inputs name ------------------------------------------------------------------ */

static int
find_field(const struct plan_stream *stream, const char *name, size_t *index)
{
    for (size_t i = 0; i < json_array_size(stream->fields); i++) {
        if (strcmp(json_string_value(json_array_get(stream->fields, i)), name) == 0) {
            *index = i;
            return 0;
        }
    }
    return -1;
}

static int
resolve_fields(struct plan_input *input, const struct plan_stream *stream, const json_t *fields,
               struct place *place)
{
    size_t count = json_array_size(fields);
    bool wanted = input->grouping == GROUPING_FIELDS;
    if (wanted && count == 0) {
        return place_fault(place, "a grouping by fields needs \"fields\"");
    }
    input->fields = calloc(count + 1, sizeof *input->fields);
    if (input->fields == NULL) {
        return fault_errno(place->fault, "no memory for the plan");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(fields, i));
        if (find_field(stream, name, &input->fields[i]) < 0) {
            return place_fault(place, "stream \"%s\" of \"%s\" has no field \"%s\"", input->stream,
                               input->component, name);
        }
        input->field_count++;
    }
    return 0;
}

static int
resolve_stream(const struct plan *plan, struct plan_input *input, struct place *place)
{
    struct plan_component key = {.name = input->component};
    struct plan_component *from =
        bsearch(&key, plan->components, plan->component_count, sizeof *plan->components, by_name);
    if (from == NULL) {
        return place_fault(place, "an input names \"%s\", which is no component", input->component);
    }
    input->from = (size_t)(from - plan->components);
    for (size_t i = 0; i < from->stream_count; i++) {
        if (strcmp(from->streams[i].name, input->stream) == 0) {
            input->at_stream = i;
            return 0;
        }
    }
    return place_fault(place, "component \"%s\" has no stream \"%s\"", input->component,
                       input->stream);
}

static int
resolve_input(struct plan *plan, struct plan_input *input, const json_t *object,
              struct place *place)
{
    const json_t *fields = NULL;
    if (resolve_stream(plan, input, place) < 0 ||
        read_grouping(input, json_object_get(object, "grouping"), &fields, place) < 0) {
        return -1;
    }
    const struct plan_stream *stream = &plan->components[input->from].streams[input->at_stream];
    if (stream->direct != (input->grouping == GROUPING_DIRECT)) {
        return place_fault(place,
                           stream->direct ? "stream \"%s\" of \"%s\" is direct: its grouping is too"
                                          : "stream \"%s\" of \"%s\" is not direct: no grouping is",
                           input->stream, input->component);
    }
    return resolve_fields(input, stream, fields, place);
}

static int
resolve(struct plan *plan, struct fault *fault)
{
    const json_t *components = json_object_get(plan->root, "components");
    for (size_t i = 0; i < plan->component_count; i++) {
        struct plan_component *component = &plan->components[i];
        struct place place = {.what = "component", .name = component->name, .fault = fault};
        const json_t *inputs =
            json_object_get(json_object_get(components, component->name), "inputs");
        for (size_t j = 0; j < component->input_count; j++) {
            if (resolve_input(plan, &component->inputs[j], json_array_get(inputs, j), &place) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- the run ------------------------------------------------------------------------------- */

static int
read_seconds(struct place *place, const json_t *run, const char *key, double otherwise, int64_t *ns)
{
    double seconds;
    if (place_number(place, run, key, otherwise, &seconds) < 0) {
        return -1;
    }
    if (seconds < 0) {
        return place_fault(place, "\"%s\" is less than nothing", key);
    }
    *ns = seconds > 9e9 ? INT64_MAX : (int64_t)(seconds * 1e9);
    return 0;
}

/* A whole number from 1; *count stays what it is where there is none. */
static int
read_count(struct place *place, const json_t *run, const char *key, int64_t *count)
{
    const json_t *member = json_object_get(run, key);
    if (member == NULL || json_is_null(member)) {
        return 0;
    }
    *count = json_integer_value(member);
    return *count >= 1 ? 0 : place_fault(place, "\"%s\" is no whole number from 1", key);
}

static int
read_run(struct plan_run *run, const json_t *object, struct fault *fault)
{
    static const char *const keys[] = {"seconds",   "tuples", "idle.secs", "drain.secs",
                                       "report.ms", "emits",  "seed",      NULL};
    static const double NEVER = 1e10;
    static const int64_t NS_PER_MS = 1000000;
    struct place place = {.what = "plan", .name = "run", .fault = fault};
    int64_t report = 500;
    int64_t seed = 0;
    run->tuples = INT64_MAX;
    if ((object != NULL && place_keys(&place, object, keys) < 0) ||
        read_seconds(&place, object, "seconds", NEVER, &run->length) < 0 ||
        read_seconds(&place, object, "idle.secs", NEVER, &run->idle) < 0 ||
        read_seconds(&place, object, "drain.secs", 10, &run->drain) < 0 ||
        read_count(&place, object, "tuples", &run->tuples) < 0 ||
        read_count(&place, object, "report.ms", &report) < 0 ||
        read_count(&place, object, "seed", &seed) < 0 ||
        place_bool(&place, object, "emits", &run->emits) < 0) {
        return -1;
    }
    run->report = report < INT64_MAX / NS_PER_MS ? report * NS_PER_MS : INT64_MAX;
    run->seed = (uint64_t)seed;
    return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int
read_plan(struct plan *plan, struct fault *fault)
{
    static const char *const keys[] = {"name", "directory", "conf", "components", "run", NULL};
    struct place place = {.what = "plan", .name = NULL, .fault = fault};
    const json_t *conf = json_object_get(plan->root, "conf");
    if (place_keys(&place, plan->root, keys) < 0 ||
        place_text(&place, plan->root, "name", &plan->name) < 0 ||
        place_text(&place, plan->root, "directory", &plan->directory) < 0) {
        return -1;
    }
    if (conf != NULL && !json_is_object(conf)) {
        return place_fault(&place, "\"conf\" is no object");
    }
    return read_components(plan, conf, json_object_get(plan->root, "components"), &place) < 0 ||
                   resolve(plan, fault) < 0 ||
                   read_run(&plan->run, json_object_get(plan->root, "run"), fault) < 0
               ? -1
               : 0;
}

int
plan_parse(struct plan *plan, struct slice text, struct fault *fault)
{
    json_error_t error;
    *plan = (struct plan){.root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error)};
    return plan->root == NULL
               ? fault_set(fault, FAULT_MESSAGE, (size_t)error.position, "line %d, column %d: %s",
                           error.line, error.column, error.text)
               : read_plan(plan, fault);
}

static void
component_deinit(struct plan_component *component)
{
    for (size_t i = 0; i < component->input_count; i++) {
        free(component->inputs[i].fields);
    }
    free(component->inputs);
    free(component->streams);
    free(component->command);
    json_decref(component->conf);
}

void
plan_deinit(struct plan *plan)
{
    for (size_t i = 0; i < plan->component_count; i++) {
        component_deinit(&plan->components[i]);
    }
    free(plan->components);
    json_decref(plan->root);
}

int
plan_number(const struct plan_component *component, const char *key, double otherwise,
            double *number, struct fault *fault)
{
    struct place place = {.what = "conf of component", .name = component->name, .fault = fault};
    return place_number(&place, component->conf, key, otherwise, number);
}
