/* A tuple's values on their way through a JVM: Storm reads them with json-smart and writes them on. Most
   come out as they went in; these do not: a number past a double's range (null), a float of more than 18
   characters (a BigDecimal: 1.2345678901234567e+16 becomes an integer), -0 (0), the order of a map's keys (a
   HashMap's), of equal keys all but the last, lone surrogates ("?"), bytes that are no UTF-8 (U+FFFD), a DEL
   beside an escape (left out). What is written differs from Storm's text where a reader sees no difference. */
#ifndef STORMCELL_LOCAL_JVM_VALUES_H
#define STORMCELL_LOCAL_JVM_VALUES_H

#include <stdbool.h>

#include "buffer.h"
#include "fault.h"
#include "json.h"

enum {
    JVM_DEPTH_MAX = 400, /* json-smart refuses a message that is nested deeper */
    JVM_VALUE_DEPTH = 3  /* of a value: in the array of values, in the message */
};

/* Is `json` an array of strings, plain numbers and literals only, that comes out as it went in? Then its
   elements are in values[0..*count). False where it is not, or is none, or has more than `room`: then
   jvm_values() has to be asked. */
bool jvm_values_flat(struct slice json, struct slice *values, size_t room, size_t *count);

/* Is `json` one value of that kind? */
bool jvm_value_flat(struct slice json);

/* Append the array `json`, or any other value, as the JVM would write it. 0, or -1 with FAULT_JSON or
   FAULT_LIMIT, what Storm would end the worker for, or FAULT_SYSTEM. */
int jvm_values(struct slice json, struct buffer *out, struct fault *fault);

/* Storm takes an array or object that is so deep in a message. 0, or -1 with FAULT_LIMIT. */
int jvm_depth(const struct json_value *value, unsigned depth, struct fault *fault);

#endif
