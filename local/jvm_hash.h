/* Java's hashCode() of a value that came as JSON, as the JVM of Storm 2.6 or later holds it after json-smart
   has read it: Integer, Long or BigInteger by size; Double, or BigDecimal where its text is longer than 18
   characters; Boolean, null, String, JSONArray (a List), JSONObject (a HashMap). */
#ifndef STORMCELL_LOCAL_JVM_HASH_H
#define STORMCELL_LOCAL_JVM_HASH_H

#include <stdint.h>

#include "buffer.h"
#include "fault.h"

/* Of the JSON text of one value. 0, or -1 with FAULT_JSON or FAULT_LIMIT. */
int jvm_hash(struct slice json, int32_t *hash, struct fault *fault);

#endif
