/* The plan: which components there are, how they are started, how their streams are joined, and how long
   to run. One JSON object, parsed by jansson and checked once; from here on everything in it holds. */
#ifndef STORMCELL_LOCAL_PLAN_H
#define STORMCELL_LOCAL_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"
#include "grouping.h"

/* Strings borrow from the plan's JSON. */
struct plan_stream {
    const char *name;
    const json_t *fields; /* array of strings */
    bool direct;
};

struct plan_input {
    const char *component;
    const char *stream;
    size_t from; /* the index of the component, and in it of the stream */
    size_t at_stream;
    enum grouping_type grouping;
    size_t *fields; /* the grouping's, by their index in the stream */
    size_t field_count;
};

struct plan_component {
    const char *name;
    bool spout;
    char **command; /* ends with NULL, as execve wants it */
    size_t parallelism;
    json_t *conf; /* the topology's with the component's own over it */
    struct plan_stream *streams;
    size_t stream_count;
    struct plan_input *inputs;
    size_t input_count;
};

/* Times in ns; INT64_MAX where there is no bound. */
struct plan_run {
    int64_t length;
    int64_t tuples;
    int64_t idle;
    int64_t drain;
    int64_t report;
    bool emits;
    uint64_t seed; /* 0: another one each time */
};

struct plan {
    json_t *root;
    const char *name;
    const char *directory;
    struct plan_component *components; /* sorted by their names, as Storm numbers their tasks */
    size_t component_count;
    struct plan_run run;
};

/* Read a plan from its text. 0, or -1 with FAULT_MESSAGE that says where and what; after either the plan
   is to be released by plan_deinit(). */
int plan_parse(struct plan *plan, struct slice text, struct fault *fault);
void plan_deinit(struct plan *plan);

/* A number of the component's conf, `otherwise` where it has none or null. 0, or -1 with FAULT_MESSAGE. */
int plan_number(const struct plan_component *component, const char *key, double otherwise,
                double *number, struct fault *fault);

#endif
