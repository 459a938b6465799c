/* Strings as the JVM of Storm 2.6 or later holds them: decoded by Java, unescaped by json-smart. */
#ifndef STORMCELL_LOCAL_JVM_STRING_H
#define STORMCELL_LOCAL_JVM_STRING_H

#include <stdint.h>

#include "buffer.h"
#include "fault.h"
#include "json.h"

/* Where a string is kept that is not as it stands in the text. {0} is an empty one. */
struct jvm_string_room {
    struct buffer decoded;
    struct buffer unescaped;
};

void jvm_string_room_deinit(struct jvm_string_room *room);

/* What a string stands for, in UTF-8, in which a lone surrogate is three bytes. Borrowed from the JSON text
   or from `room`, until it is used again. 0 or -1 with a fault. */
int jvm_string(const struct json_value *string, struct jvm_string_room *room, struct slice *text,
               struct fault *fault);

/* String.hashCode of such a text. */
uint32_t jvm_string_hash(struct slice text);

#endif
