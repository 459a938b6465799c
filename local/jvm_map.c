#include "jvm_map.h"

#include <stdlib.h>

#include "jvm_string.h"

void
jvm_map_deinit(struct jvm_map *map)
{
    buffer_deinit(&map->keys);
    free(map->members);
    *map = (struct jvm_map){0};
}

struct json_reader
jvm_map_value(const struct json_reader *reader, const struct jvm_member *member)
{
    struct json_reader value = *reader;
    value.at = member->value.ptr;
    value.end = member->value.ptr + member->value.len;
    return value;
}

/* ---- the members as they come ---------------------------------------------------------------- */

/* A place for one more, which counts once it has been filled. */
static struct jvm_member *
next_place(struct jvm_map *map, struct fault *fault)
{
    if (map->count == map->capacity) {
        size_t capacity = map->capacity > 0 ? 2 * map->capacity : 16;
        struct jvm_member *members = realloc(map->members, capacity * sizeof *members);
        if (members == NULL) {
            fault_errno(fault, "no memory for a map");
            return NULL;
        }
        map->members = members;
        map->capacity = capacity;
    }
    return &map->members[map->count];
}

static int
read_member(struct json_reader *reader, const struct json_value *key, struct jvm_string_room *room,
            struct jvm_map *map)
{
    struct slice text;
    struct jvm_member *member = next_place(map, reader->fault);
    if (member == NULL || jvm_string(key, room, &text, reader->fault) < 0) {
        return -1;
    }
    *member = (struct jvm_member){.key.len = text.len,
                                  .hash = jvm_string_hash(text),
                                  .key_start = map->keys.len,
                                  .order = map->count};
    if (buffer_append(&map->keys, text, reader->fault) < 0 ||
        json_skip(reader, &member->value) < 0) {
        return -1;
    }
    map->count++;
    return 0;
}

static int
read_members(struct json_reader *reader, struct jvm_map *map)
{
    struct jvm_string_room room = {{0}, {0}};
    struct json_value key;
    int more;
    for (bool first = true; (more = json_member(reader, first, &key)) > 0; first = false) {
        if (read_member(reader, &key, &room, map) < 0) {
            more = -1;
            break;
        }
    }
    jvm_string_room_deinit(&room);
    return more;
}

/* ---- the members as a HashMap has them ------------------------------------------------------- */

static int
compare(size_t one, size_t other)
{
    return one < other ? -1 : one > other;
}

/* Without the order in which they came: 0 for those of one key. */
static int
compare_keys(const struct jvm_member *one, const struct jvm_member *other)
{
    if (one->hash != other->hash) {
        return compare(one->hash, other->hash);
    }
    if (one->key.len != other->key.len) {
        return compare(one->key.len, other->key.len);
    }
    return one->key.len == 0 ? 0 : memcmp(one->key.ptr, other->key.ptr, one->key.len);
}

static int
by_key(const void *a, const void *b)
{
    const struct jvm_member *one = a;
    const struct jvm_member *other = b;
    int keys = compare_keys(one, other);
    return keys != 0 ? keys : compare(one->order, other->order);
}

static int
by_bucket(const void *a, const void *b)
{
    const struct jvm_member *one = a;
    const struct jvm_member *other = b;
    int buckets = compare(one->bucket, other->bucket);
    return buckets != 0 ? buckets : compare(one->order, other->order);
}

/* A key that comes again keeps its place and takes the new value. */
static void
merge_same_keys(struct jvm_map *map)
{
    size_t kept = 0;
    qsort(map->members, map->count, sizeof *map->members, by_key);
    for (size_t i = 1; i < map->count; i++) {
        if (compare_keys(&map->members[kept], &map->members[i]) == 0) {
            map->members[kept].value = map->members[i].value;
        } else {
            map->members[++kept] = map->members[i];
        }
    }
    map->count = kept + 1;
}

/* A HashMap lists its buckets, of which there are a power of two, three quarters full at most, and in each
   the members as they came. (Where eight or more fall into one bucket it keeps them in a tree, and may list
   those otherwise.) */
static void
sort_into_buckets(struct jvm_map *map)
{
    size_t buckets = 16;
    while (map->count * 4 > buckets * 3) {
        buckets *= 2;
    }
    for (size_t i = 0; i < map->count; i++) {
        uint32_t hash = map->members[i].hash;
        map->members[i].bucket = (hash ^ hash >> 16) & (buckets - 1);
    }
    qsort(map->members, map->count, sizeof *map->members, by_bucket);
}

int
jvm_map_read(struct json_reader *reader, struct jvm_map *map)
{
    if (read_members(reader, map) < 0) {
        return -1;
    }
    for (size_t i = 0; i < map->count; i++) {
        map->members[i].key.ptr = map->keys.data + map->members[i].key_start;
    }
    if (map->count > 1) {
        merge_same_keys(map);
        sort_into_buckets(map);
    }
    return 0;
}
