#include "emit.h"

#include "bolt.h"
#include "json.h"
#include "jvm_values.h"
#include "pipes.h"
#include "spout.h"

enum { VALUES_MAX = 4096 };

/* What is known of an emit by and by. Kept from one to the next: the arrays are large. */
struct emission {
    struct task *from;
    const struct said *said;
    const struct flow *flow;
    size_t flow_index;
    struct slice text; /* the values, as a JVM writes them on */
    struct slice values[VALUES_MAX];
    size_t count;
    const int32_t *targets[TAKERS_MAX];
    size_t target_counts[TAKERS_MAX];
    size_t target_total;
};

/* ---- the stream ---------------------------------------------------------------------------- */

static bool
is_name(struct slice quoted, const char *name)
{
    size_t len = strlen(name);
    return quoted.len == len + 2 && memcmp(quoted.ptr + 1, name, len) == 0;
}

static int
find_flow(struct emission *emission, struct fault *fault)
{
    const struct component *component = emission->from->component;
    struct slice stream = emission->said->stream;
    if (stream.ptr == NULL) {
        stream = SLICE("\"default\"");
    }
    for (size_t i = 0; i < component->plan->stream_count; i++) {
        if (is_name(stream, component->plan->streams[i].name)) {
            emission->flow = &component->flows[i];
            emission->flow_index = i;
            return 0;
        }
    }
    return fault_set(fault, FAULT_STREAM, 0, "%s has no stream %.*s", component->plan->name,
                     (int)(stream.len < 100 ? stream.len : 100), stream.ptr);
}

/* ---- the values ---------------------------------------------------------------------------- */

/* The elements of an array that need not be flat. */
static int
split(struct slice array, struct emission *emission, struct fault *fault)
{
    struct json_reader reader = json_reader(array, fault);
    struct json_value bracket;
    int more = json_read(&reader, &bracket);
    emission->count = 0;
    for (bool first = true; more >= 0 && (more = json_element(&reader, first)) > 0; first = false) {
        if (emission->count == VALUES_MAX) {
            return fault_set(fault, FAULT_LIMIT, 0, "a tuple has more than %d values", VALUES_MAX);
        }
        if (json_skip(&reader, &emission->values[emission->count++]) < 0) {
            return -1;
        }
    }
    return more;
}

/* A JVM in between reads and writes the values: most come out as they went in. Groupings go by what it
   has read. */
static int
pass_values(struct emission *emission, struct fault *fault)
{
    struct buffer *rewritten = &emission->from->engine->values;
    emission->text = emission->said->tuple;
    if (jvm_values_flat(emission->text, emission->values, VALUES_MAX, &emission->count)) {
        return 0;
    }
    rewritten->len = 0;
    if (jvm_values(emission->text, rewritten, fault) < 0 ||
        split(emission->said->tuple, emission, fault) < 0) {
        return -1;
    }
    emission->text = (struct slice){rewritten->data, rewritten->len};
    return 0;
}

static int
check_count(const struct emission *emission, struct fault *fault)
{
    size_t expected = json_array_size(emission->flow->plan->fields);
    size_t count = emission->count;
    return count == expected
               ? 0
               : fault_set(fault, FAULT_STREAM, 0,
                           "the stream \"%s\" of %s has %zu field%s, the tuple has %zu value%s",
                           emission->flow->plan->name, emission->from->component->plan->name,
                           expected, expected == 1 ? "" : "s", count, count == 1 ? "" : "s");
}

/* ---- the targets --------------------------------------------------------------------------- */

static int
choose_targets(struct emission *emission, struct fault *fault)
{
    const struct flow *flow = emission->flow;
    struct grouping *groupings = &emission->from->groupings[flow->first_grouping];
    emission->target_total = 0;
    if (flow->plan->direct) {
        return fault_set(fault, FAULT_STREAM, 0,
                         "the stream \"%s\" is direct: an emit to it names a task",
                         flow->plan->name);
    }
    for (size_t i = 0; i < flow->count; i++) {
        if (grouping_choose(&groupings[i], emission->values, &emission->targets[i],
                            &emission->target_counts[i], fault) < 0) {
            return -1;
        }
        emission->target_total += emission->target_counts[i];
    }
    return 0;
}

/* A task that takes the stream gets the tuple, any other none (Task.getOutgoingTasks). */
static int
choose_direct(struct emission *emission, struct fault *fault)
{
    const struct engine *engine = emission->from->engine;
    const struct flow *flow = emission->flow;
    int64_t id = emission->said->task;
    const struct task *target = id > 0 && id < engine->id_count ? engine->by_id[id] : NULL;
    emission->target_total = 0;
    for (size_t i = 0; i < flow->count; i++) {
        emission->target_counts[i] = 0;
        if (target == NULL || flow->subscriptions[i].to != target->component) {
            continue;
        }
        if (flow->subscriptions[i].input->grouping != GROUPING_DIRECT) {
            return fault_set(fault, FAULT_STREAM, 0,
                             "task %lld takes the stream \"%s\" by another grouping than direct",
                             (long long)id, flow->plan->name);
        }
        emission->targets[i] = &target->id;
        emission->target_counts[i] = 1;
        emission->target_total = 1;
    }
    return 0;
}

static int
prepare(struct emission *emission, struct task *from, const struct said *said, struct fault *fault)
{
    struct engine *engine = from->engine;
    emission->from = from;
    emission->said = said;
    if (find_flow(emission, fault) < 0 || pass_values(emission, fault) < 0 ||
        check_count(emission, fault) < 0) {
        return -1;
    }
    if ((said->task != 0 ? choose_direct(emission, fault) : choose_targets(emission, fault)) < 0) {
        return -1;
    }
    from->component->totals.emitted++;
    engine->last_activity = engine->now;
    if (engine->plan->run.emits) {
        report_emit(from, emission->said->stream, emission->text, said);
    }
    return 0;
}

/* ---- on their way -------------------------------------------------------------------------- */

static void
new_edges(struct engine *engine, struct edge *edges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        edges[i].value = random_next(&engine->random);
        acker_xor(&engine->acker, edges[i].root, edges[i].value);
    }
}

static void
send(const struct emission *emission, struct edge *edges, size_t edge_count)
{
    const struct task *from = emission->from;
    struct engine *engine = from->engine;
    for (size_t i = 0; i < emission->flow->count; i++) {
        for (size_t j = 0; j < emission->target_counts[i]; j++) {
            new_edges(engine, edges, edge_count);
            bolt_give(engine->by_id[emission->targets[i][j]], from->opens[emission->flow_index],
                      emission->text, from->closes[emission->flow_index], edges, edge_count);
        }
    }
}

/* Storm answers an emit that is not direct and does not decline with the targets' task ids. */
static void
answer(const struct emission *emission)
{
    struct task *task = emission->from;
    struct buffer ids = {0};
    if (!emission->said->need_task_ids || emission->said->task != 0) {
        return;
    }
    buffer_append(&ids, SLICE("["), NULL);
    for (size_t i = 0; i < emission->flow->count; i++) {
        for (size_t j = 0; j < emission->target_counts[i]; j++) {
            buffer_append(&ids, ids.len > 1 ? SLICE(",") : SLICE(""), NULL);
            json_write_int(&ids, emission->targets[i][j], NULL);
        }
    }
    buffer_append(&ids, SLICE("]\nend\n"), NULL);
    char *room = task_room(task, ids.len);
    memcpy(room, ids.data, ids.len);
    task_told(task, room + ids.len);
    buffer_deinit(&ids);
}

/* ---- a spout's ----------------------------------------------------------------------------- */

/* The spout's own id goes through a JVM too, and comes back as that has it. */
static int
pass_id(struct engine *engine, struct slice *id, struct fault *fault)
{
    if (id->ptr == NULL || jvm_value_flat(*id)) {
        return 0;
    }
    engine->message_id.len = 0;
    if (jvm_values(*id, &engine->message_id, fault) < 0) {
        return -1;
    }
    *id = (struct slice){engine->message_id.data, engine->message_id.len};
    return 0;
}

int
emit_from_spout(struct task *spout, const struct said *said, struct fault *fault)
{
    static struct emission emission;
    struct edge edge;
    struct slice id = said->id;
    if (prepare(&emission, spout, said, fault) < 0 || pass_id(spout->engine, &id, fault) < 0) {
        return -1;
    }
    spout_emitted(spout);
    answer(&emission);
    if (id.ptr == NULL) {
        send(&emission, NULL, 0);
    } else if (!spout->engine->has_ackers || emission.target_total == 0) {
        send(&emission, NULL, 0);
        spout_acked_at_once(spout, id);
    } else if (spout_open_tree(spout, id, &edge.root, fault) < 0) {
        return -1;
    } else {
        send(&emission, &edge, 1);
    }
    return 0;
}

/* ---- a bolt's ------------------------------------------------------------------------------ */

enum { EDGES_MAX = 1 << 16 };

/* The tuple joins each tree that one of its anchors is in, once for each (BoltOutputCollectorImpl). */
static int
join_trees(const struct task *bolt, struct slice anchors, struct edge *edges, size_t *count,
           struct fault *fault)
{
    struct slice id;
    int more;
    *count = 0;
    while ((more = said_next_text(&anchors, &id, fault)) > 0) {
        const struct delivery *anchor = bolt_delivery(bolt, id);
        if (anchor == NULL) {
            return fault_set(fault, FAULT_ID, 0,
                             "it anchored a tuple to \"%.*s\", which it was not given, or has "
                             "settled before",
                             id.len < 40 ? (int)id.len : 40, id.ptr);
        }
        for (size_t i = 0; i < anchor->edge_count; i++) {
            root_id root = delivery_edges(anchor)[i].root;
            size_t at = 0;
            while (at < *count && edges[at].root != root) {
                at++;
            }
            if (at == EDGES_MAX) {
                return fault_set(fault, FAULT_LIMIT, 0, "a tuple is in more than %d trees",
                                 EDGES_MAX);
            }
            edges[at].root = root;
            *count += at == *count;
        }
    }
    return more;
}

int
emit_from_bolt(struct task *bolt, const struct said *said, struct fault *fault)
{
    static struct emission emission;
    static struct edge edges[EDGES_MAX];
    size_t count = 0;
    if (prepare(&emission, bolt, said, fault) < 0 ||
        (said->anchors.ptr != NULL && join_trees(bolt, said->anchors, edges, &count, fault) < 0)) {
        return -1;
    }
    answer(&emission);
    send(&emission, edges, count);
    return 0;
}
