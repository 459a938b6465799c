/* Reading members of the plan's objects: each function says in its fault where in the plan it stands. */
#ifndef STORMCELL_LOCAL_PLAN_READ_H
#define STORMCELL_LOCAL_PLAN_READ_H

#include <jansson.h>
#include <stdbool.h>

#include "fault.h"

/* Where in the plan: "component \"count\": stream \"default\": ...". */
struct place {
    const struct place *outer; /* NULL: this is the outermost */
    const char *what;
    const char *name; /* NULL: there is but one */
    struct fault *fault;
};

struct place place_in(const struct place *outer, const char *what, const char *name);

/* Always -1, with FAULT_MESSAGE. */
int place_fault(const struct place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `object` is an object that has no other keys than these (NULL at their end). 0 or -1. */
int place_keys(const struct place *place, const json_t *object, const char *const *keys);

/* The member `key`, a text that is not empty (borrowed). 0 or -1. */
int place_text(const struct place *place, const json_t *object, const char *key, const char **text);

/* `array` is an array of texts, called `key`. 0 or -1. */
int place_texts(const struct place *place, const char *key, const json_t *array);

/* The member `key`, false where there is none. 0 or -1. */
int place_bool(const struct place *place, const json_t *object, const char *key, bool *value);

/* The member `key`, `otherwise` where there is none, or null. 0 or -1. */
int place_number(const struct place *place, const json_t *object, const char *key, double otherwise,
                 double *number);

#endif
