/* A JSON object as the JVM holds it: a HashMap, which lists its members in an order of its own. */
#ifndef STORMCELL_LOCAL_JVM_MAP_H
#define STORMCELL_LOCAL_JVM_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "json.h"

struct jvm_member {
    struct slice key;   /* as jvm_string() gives it; borrowed from the map */
    struct slice value; /* JSON; borrowed from the text */
    uint32_t hash;      /* String.hashCode of the key */
    size_t key_start;   /* where it stands among the map's keys */
    size_t order;       /* in which the keys came */
    size_t bucket;
};

/* {0} is an empty one. */
struct jvm_map {
    struct buffer keys;
    struct jvm_member *members;
    size_t count;
    size_t capacity;
};

/* Read the members of an object, behind whose bracket the reader stands, into an empty map: of those with the
   same key the last one, and all as a HashMap would list them. The values are passed over, not read.
   0 or -1 with a fault. */
int jvm_map_read(struct json_reader *reader, struct jvm_map *map);

void jvm_map_deinit(struct jvm_map *map);

/* A reader of a value of the map. */
struct json_reader jvm_map_value(const struct json_reader *reader, const struct jvm_member *member);

#endif
