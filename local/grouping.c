#include "grouping.h"

#include <stdlib.h>

#include "jvm_hash.h"

static const struct {
    const char *name;
    const char *storm;
} types[] = {
    [GROUPING_SHUFFLE] = {"shuffle", "SHUFFLE"},
    [GROUPING_FIELDS] = {"fields", "FIELDS"},
    [GROUPING_ALL] = {"all", "ALL"},
    [GROUPING_GLOBAL] = {"global", "FIELDS"}, /* by no field at all */
    [GROUPING_NONE] = {"none", "NONE"},
    [GROUPING_LOCAL_OR_SHUFFLE] = {"local-or-shuffle", "LOCAL_OR_SHUFFLE"},
    [GROUPING_DIRECT] = {"direct", "DIRECT"},
    [GROUPING_PARTIAL_KEY] = {"partial-key", "CUSTOM_SERIALIZED"},
};

int
grouping_named(const char *name, enum grouping_type *type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = (enum grouping_type)i;
            return 0;
        }
    }
    return -1;
}

const char *
grouping_storm_name(enum grouping_type type)
{
    return types[type].storm;
}

/* ---- making one ---------------------------------------------------------------------------- */

static bool
takes_turns(const struct grouping *grouping)
{
    return grouping->type == GROUPING_SHUFFLE || grouping->type == GROUPING_LOCAL_OR_SHUFFLE;
}

/* In random order (Fisher and Yates). */
static void
shuffle(struct grouping *grouping)
{
    for (size_t left = grouping->task_count; left > 1; left--) {
        size_t other = random_below(&grouping->random, left);
        int32_t task = grouping->tasks[left - 1];
        grouping->tasks[left - 1] = grouping->tasks[other];
        grouping->tasks[other] = task;
    }
}

int
grouping_init(struct grouping *grouping, enum grouping_type type, const size_t *fields,
              size_t field_count, const int32_t *tasks, size_t task_count, uint64_t seed,
              struct fault *fault)
{
    *grouping = (struct grouping){.type = type,
                                  .fields = fields,
                                  .field_count = field_count,
                                  .tasks = calloc(task_count, sizeof *tasks),
                                  .task_count = task_count,
                                  .random = {seed},
                                  .given = calloc(task_count, sizeof(uint64_t))};
    if (grouping->tasks == NULL || grouping->given == NULL) {
        grouping_deinit(grouping);
        return fault_errno(fault, "no memory for a grouping");
    }
    memcpy(grouping->tasks, tasks, task_count * sizeof *tasks);
    if (takes_turns(grouping)) {
        shuffle(grouping);
    }
    return 0;
}

void
grouping_deinit(struct grouping *grouping)
{
    free(grouping->tasks);
    free(grouping->given);
    *grouping = (struct grouping){0};
}

/* ---- by fields ----------------------------------------------------------------------------- */

/* TupleUtils.chooseTaskIndex: floorMod(Arrays.deepHashCode(keys), n). */
static int
by_fields(struct grouping *grouping, const struct slice *values, size_t *index, struct fault *fault)
{
    uint32_t hash = 1;
    for (size_t i = 0; i < grouping->field_count; i++) {
        int32_t of_value;
        if (jvm_hash(values[grouping->fields[i]], &of_value, fault) < 0) {
            return -1;
        }
        hash = 31 * hash + (uint32_t)of_value;
    }
    int64_t count = (int64_t)grouping->task_count;
    int64_t rest = (int32_t)hash % count;
    *index = (size_t)(rest < 0 ? rest + count : rest);
    return 0;
}

/* ---- by partial key ------------------------------------------------------------------------ */

/* The hashes of the fields as bytes, and of these Arrays.hashCode. */
static int
hash_of_key(const struct grouping *grouping, const struct slice *values, int32_t *hash,
            struct fault *fault)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < grouping->field_count; i++) {
        int32_t of_value;
        if (jvm_hash(values[grouping->fields[i]], &of_value, fault) < 0) {
            return -1;
        }
        for (int shift = 24; shift >= 0; shift -= 8) {
            int32_t byte = (int8_t)((uint32_t)of_value >> shift);
            sum = 31 * sum + (uint32_t)byte;
        }
    }
    *hash = (int32_t)sum;
    return 0;
}

/* java.util.Random, as its documentation gives it: 31 bits of a linear congruential generator. */
static int32_t
java_next(uint64_t *state)
{
    *state = (*state * 0x5deece66du + 0xb) & ((UINT64_C(1) << 48) - 1);
    return (int32_t)(*state >> 17);
}

static size_t
java_below(uint64_t *state, int32_t bound)
{
    int32_t bits = java_next(state);
    if ((bound & (bound - 1)) == 0) {
        return (size_t)((int64_t)bound * bits >> 31);
    }
    while ((int64_t)bits - bits % bound + bound - 1 > INT32_MAX) {
        bits = java_next(state);
    }
    return (size_t)(bits % bound);
}

/* Of two tasks that the key decides, the one that has got less (PartialKeyGrouping). */
static int
by_partial_key(struct grouping *grouping, const struct slice *values, size_t *index,
               struct fault *fault)
{
    int32_t hash;
    if (hash_of_key(grouping, values, &hash, fault) < 0) {
        return -1;
    }
    uint64_t state = ((uint64_t)(int64_t)hash ^ 0x5deece66du) & ((UINT64_C(1) << 48) - 1);
    size_t first = java_below(&state, (int32_t)grouping->task_count);
    size_t second = java_below(&state, (int32_t)grouping->task_count);
    if (first == second) {
        second = (second + 1) % grouping->task_count;
    }
    *index = grouping->given[second] < grouping->given[first] ? second : first;
    grouping->given[*index]++;
    return 0;
}

/* ---- choosing ------------------------------------------------------------------------------ */

static size_t
next_turn(struct grouping *grouping)
{
    size_t at = grouping->at;
    grouping->at = at + 1 < grouping->task_count ? at + 1 : 0;
    return at;
}

/* One switch. */
int
grouping_choose(struct grouping *grouping, const struct slice *values, const int32_t **tasks,
                size_t *count, struct fault *fault)
{
    size_t index = 0;
    int result = 0;
    *count = 1;
    switch (grouping->type) {
    case GROUPING_SHUFFLE:
    case GROUPING_LOCAL_OR_SHUFFLE:
        index = next_turn(grouping);
        break;
    case GROUPING_FIELDS:
        result = by_fields(grouping, values, &index, fault);
        break;
    case GROUPING_ALL:
        *count = grouping->task_count;
        break;
    case GROUPING_GLOBAL:
        break;
    case GROUPING_NONE:
        index = random_below(&grouping->random, grouping->task_count);
        break;
    case GROUPING_DIRECT:
        *count = 0;
        break;
    case GROUPING_PARTIAL_KEY:
        result = by_partial_key(grouping, values, &index, fault);
        break;
    }
    *tasks = &grouping->tasks[index];
    return result;
}
