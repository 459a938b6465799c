/* Which tasks of a component get a tuple: Storm's groupings (GrouperFactory, ShuffleGrouping,
   PartialKeyGrouping of Storm 2.8). All tasks are on this machine, so local-or-shuffle is shuffle. */
#ifndef STORMCELL_LOCAL_GROUPING_H
#define STORMCELL_LOCAL_GROUPING_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"
#include "random.h"

enum grouping_type {
    GROUPING_SHUFFLE,
    GROUPING_FIELDS,
    GROUPING_ALL,
    GROUPING_GLOBAL,
    GROUPING_NONE,
    GROUPING_LOCAL_OR_SHUFFLE,
    GROUPING_DIRECT, /* the emit names the task: there is nothing to choose */
    GROUPING_PARTIAL_KEY
};

/* One task's way to the tasks of one component that takes one of its streams. */
struct grouping {
    enum grouping_type type;
    const size_t *fields; /* borrowed: their indexes in the stream */
    size_t field_count;
    int32_t *tasks; /* owned; for shuffle in the order in which they take their turns */
    size_t task_count;
    size_t at; /* shuffle's turn */
    struct random random;
    uint64_t *given; /* owned; partial-key: to each task so far */
};

/* The type of a plan's name for it. 0, or -1: there is none of that name. */
int grouping_named(const char *name, enum grouping_type *type);

/* As a component is told of it, after Thrift's Grouping: "SHUFFLE", ... */
const char *grouping_storm_name(enum grouping_type type);

/* `tasks` are sorted and at least one; `fields` must outlive the grouping. 0, or -1 with FAULT_SYSTEM. */
int grouping_init(struct grouping *grouping, enum grouping_type type, const size_t *fields,
                  size_t field_count, const int32_t *tasks, size_t task_count, uint64_t seed,
                  struct fault *fault);
void grouping_deinit(struct grouping *grouping);

/* The tasks for a tuple with these values (JSON texts, at least as many as the fields need); borrowed
   until the next call. 0, or -1 with a fault: Storm would end the worker. */
int grouping_choose(struct grouping *grouping, const struct slice *values, const int32_t **tasks,
                    size_t *count, struct fault *fault);

#endif
