/* Plans: any text is refused in one line, or everything in it that the engine goes by holds. */
#include <stdint.h>

#include "guarded.h"
#include "plan.h"
#include "require.h"

static struct guarded memory; /* kept from one input to the next */

static void
check_input(const struct plan *plan, const struct plan_input *input)
{
    REQUIRE(input->from < plan->component_count);
    const struct plan_component *from = &plan->components[input->from];
    REQUIRE(strcmp(from->name, input->component) == 0);
    REQUIRE(input->at_stream < from->stream_count);
    const struct plan_stream *stream = &from->streams[input->at_stream];
    REQUIRE(strcmp(stream->name, input->stream) == 0);
    REQUIRE(stream->direct == (input->grouping == GROUPING_DIRECT));
    for (size_t i = 0; i < input->field_count; i++) {
        REQUIRE(input->fields[i] < json_array_size(stream->fields));
    }
}

static void
check_component(const struct plan *plan, const struct plan_component *component)
{
    REQUIRE(component->parallelism > 0 && json_is_object(component->conf));
    REQUIRE(component->command[0] != NULL);
    REQUIRE(!component->spout || component->input_count == 0);
    for (size_t i = 0; i < component->stream_count; i++) {
        const json_t *field;
        size_t at;
        json_array_foreach (component->streams[i].fields, at, field) {
            REQUIRE(json_is_string(field));
        }
    }
    for (size_t i = 0; i < component->input_count; i++) {
        check_input(plan, &component->inputs[i]);
    }
}

static void
check_plan(const struct plan *plan)
{
    REQUIRE(plan->name[0] != '\0' && plan->directory[0] != '\0' && plan->component_count > 0);
    REQUIRE(plan->run.length >= 0 && plan->run.tuples > 0 && plan->run.idle >= 0);
    REQUIRE(plan->run.drain >= 0 && plan->run.report > 0);
    for (size_t i = 0; i < plan->component_count; i++) {
        REQUIRE(i == 0 || strcmp(plan->components[i - 1].name, plan->components[i].name) < 0);
        check_component(plan, &plan->components[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text =
        guarded_put(&memory, (struct slice){size > 0 ? (const char *)data : "", size});
    struct plan plan;
    struct fault fault = {0};
    if (plan_parse(&plan, text, &fault) == 0) {
        REQUIRE(fault.code == FAULT_NONE);
        check_plan(&plan);
    } else {
        REQUIRE(fault.code == FAULT_MESSAGE && fault.text[0] != '\0');
        REQUIRE(strchr(fault.text, '\n') == NULL);
    }
    plan_deinit(&plan);
    return 0;
}
