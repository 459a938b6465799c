#include "jvm_values.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "json.h"
#include "jvm_hash.h"

/* ---- the usual: a flat array of plain values ------------------------------------------------- */

/* True if none of eight bytes is a control character or past ASCII. */
static inline bool
eight_are_text(const char *at)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return (bytes & high) == 0 && ((bytes - 0x2020202020202020u) & high) == 0;
}

static bool
is_plain_text(const char *at, const char *end)
{
    const char *start = at;
    for (; end - at >= 8 && eight_are_text(at); at += 8) {
    }
    for (; at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80; at++) {
    }
    if (at == end) {
        return true;
    }
    struct slice text = {start, (size_t)(end - start)};
    for (const char *rest = at; rest < end; rest++) {
        if ((unsigned char)*rest < 0x20) {
            return false;
        }
    }
    return json_utf8_length(text) == text.len;
}

/* Behind the closing quote, or NULL: it has escapes or is otherwise not as it comes out. */
static const char *
pass_string(const char *at, const char *end)
{
    const char *close = memchr(at, '"', (size_t)(end - at));
    if (close == NULL || memchr(at, '\\', (size_t)(close - at)) != NULL ||
        !is_plain_text(at, close)) {
        return NULL;
    }
    return close + 1;
}

static bool
is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const char *
pass_digits(const char *at, const char *end)
{
    while (is_digit(at, end)) {
        at++;
    }
    return at;
}

/* An integer or a decimal fraction without exponent; NULL: something else. */
static const char *
pass_number(const char *at, const char *end)
{
    at += at < end && *at == '-';
    const char *digits = at;
    at = pass_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1) ||
        (*digits == '0' && digits[-1] == '-')) {
        return NULL;
    }
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = pass_digits(fraction, end);
        return at > fraction && at - digits < 300 ? at : NULL;
    }
    return at;
}

static const char *
pass_literal(const char *at, const char *end)
{
    static const struct {
        size_t len;
        const char *text;
    } literals[] = {{4, "true"}, {5, "false"}, {4, "null"}};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if ((size_t)(end - at) >= literals[i].len &&
            memcmp(at, literals[i].text, literals[i].len) == 0) {
            return at + literals[i].len;
        }
    }
    return NULL;
}

static const char *
pass_value(const char *at, const char *end)
{
    if (at == end) {
        return NULL;
    }
    return *at == '"'                                 ? pass_string(at + 1, end)
           : *at == '-' || (*at >= '0' && *at <= '9') ? pass_number(at, end)
                                                      : pass_literal(at, end);
}

static const char *
pass_blanks(const char *at, const char *end)
{
    while (at < end && *at == ' ') {
        at++;
    }
    return at;
}

bool
jvm_values_flat(struct slice json, struct slice *values, size_t room, size_t *count)
{
    const char *end = json.ptr + json.len;
    const char *at = json.ptr + 1;
    *count = 0;
    if (json.len < 2 || json.ptr[0] != '[' || end[-1] != ']') {
        return false;
    }
    at = pass_blanks(at, end);
    if (at == end - 1) {
        return true;
    }
    for (;;) {
        const char *start = pass_blanks(at, end);
        if ((at = pass_value(start, end)) == NULL || *count == room) {
            return false;
        }
        values[(*count)++] = (struct slice){start, (size_t)(at - start)};
        at = pass_blanks(at, end);
        if (at == end - 1) {
            return true;
        }
        if (at == end || *at++ != ',') {
            return false;
        }
    }
}

/* ---- all others ------------------------------------------------------------------------------ */

static int rewrite(struct json_reader *reader, unsigned depth, struct buffer *out);

/* What was a lone surrogate cannot be encoded: Java writes a question mark. In the bytes it stands as
   the three that Python's "surrogatepass" makes of it. */
static void
replace_surrogates(struct buffer *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        const unsigned char *at = (const unsigned char *)text->data + i;
        bool lone = at[0] == 0xed && text->len - i >= 3 && at[1] >= 0xa0;
        text->data[to++] = lone ? '?' : text->data[i];
        i += lone ? 2 : 0;
    }
    text->len = to;
}

static int
write_string(const struct json_value *string, struct buffer *out, struct fault *fault)
{
    struct buffer text = {0};
    if (!string->escaped) {
        return json_write_bytes(out, string->text, fault);
    }
    int result = json_unescape(string->text, &text, fault);
    if (result == 0) {
        replace_surrogates(&text);
        result = json_write_bytes(out, (struct slice){text.data, text.len}, fault);
    }
    buffer_deinit(&text);
    return result;
}

/* A longer text than 18 characters is a BigDecimal, which has no bounds. */
static int
write_float(struct slice text, struct buffer *out, struct fault *fault)
{
    enum { DOUBLE_TEXT_MAX = 18 };
    char copy[DOUBLE_TEXT_MAX + 1];
    if (text.len <= DOUBLE_TEXT_MAX) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        if (isinf(strtod(copy, NULL))) {
            text = SLICE("null");
        }
    }
    return buffer_append(out, text, fault);
}

static int
rewrite_array(struct json_reader *reader, unsigned depth, struct buffer *out)
{
    int more;
    if (buffer_append(out, SLICE("["), reader->fault) < 0) {
        return -1;
    }
    for (bool first = true; (more = json_element(reader, first)) > 0; first = false) {
        if ((!first && buffer_append(out, SLICE(","), reader->fault) < 0) ||
            rewrite(reader, depth + 1, out) < 0) {
            return -1;
        }
    }
    return more < 0 ? -1 : buffer_append(out, SLICE("]"), reader->fault);
}

/* ---- maps ------------------------------------------------------------------------------------ */

/* A member as it is written, at an offset of `texts`: buffers move. */
struct member {
    size_t key, key_len; /* with its quotes */
    size_t value, value_len;
    uint32_t hash;
    size_t order; /* in which it came first */
    size_t bucket;
};

struct map {
    struct buffer texts;
    struct member *members;
    size_t count;
    size_t capacity;
};

/* String.hashCode, and how a HashMap spreads it. */
static uint32_t
spread_hash(struct slice quoted)
{
    int32_t hash = 0;
    (void)jvm_hash(quoted, &hash, NULL);
    return (uint32_t)hash ^ (uint32_t)hash >> 16;
}

static struct member *
find_member(struct map *map, struct slice key)
{
    for (size_t i = 0; i < map->count; i++) {
        struct member *member = &map->members[i];
        if (slice_equal((struct slice){map->texts.data + member->key, member->key_len}, key)) {
            return member;
        }
    }
    return NULL;
}

static int
add_place(struct map *map, struct fault *fault)
{
    if (map->count < map->capacity) {
        return 0;
    }
    size_t capacity = map->capacity > 0 ? 2 * map->capacity : 16;
    struct member *members = realloc(map->members, capacity * sizeof *members);
    if (members == NULL) {
        return fault_errno(fault, "no memory for a map");
    }
    map->members = members;
    map->capacity = capacity;
    return 0;
}

/* A key that comes again keeps its place and takes the new value. */
static int
read_member(struct json_reader *reader, const struct json_value *key, unsigned depth,
            struct map *map)
{
    size_t at = map->texts.len;
    if (write_string(key, &map->texts, reader->fault) < 0) {
        return -1;
    }
    size_t value = map->texts.len;
    if (rewrite(reader, depth + 1, &map->texts) < 0 || add_place(map, reader->fault) < 0) {
        return -1;
    }
    struct slice text = {map->texts.data + at, value - at};
    struct member *member = find_member(map, text);
    if (member == NULL) {
        member = &map->members[map->count];
        *member = (struct member){.key = at,
                                  .key_len = value - at,
                                  .hash = spread_hash(text),
                                  .order = map->count};
        map->count++;
    }
    member->value = value;
    member->value_len = map->texts.len - value;
    return 0;
}

static int
compare_places(const void *a, const void *b)
{
    const struct member *one = a;
    const struct member *other = b;
    if (one->bucket != other->bucket) {
        return one->bucket < other->bucket ? -1 : 1;
    }
    return one->order < other->order ? -1 : one->order > other->order;
}

/* As a HashMap lists its members: by buckets, of which there are a power of two, three quarters full at
   most, and in each as they came. */
static void
sort_members(struct map *map)
{
    size_t buckets = 16;
    while (map->count * 4 > buckets * 3) {
        buckets *= 2;
    }
    for (size_t i = 0; i < map->count; i++) {
        map->members[i].bucket = map->members[i].hash & (buckets - 1);
    }
    qsort(map->members, map->count, sizeof *map->members, compare_places);
}

static int
write_members(const struct map *map, struct buffer *out, struct fault *fault)
{
    int result = buffer_append(out, SLICE("{"), fault);
    for (size_t i = 0; result == 0 && i < map->count; i++) {
        const struct member *member = &map->members[i];
        const char *texts = map->texts.data;
        if ((i > 0 && buffer_append(out, SLICE(","), fault) < 0) ||
            buffer_append(out, (struct slice){texts + member->key, member->key_len}, fault) < 0 ||
            buffer_append(out, SLICE(":"), fault) < 0 ||
            buffer_append(out, (struct slice){texts + member->value, member->value_len}, fault) <
                0) {
            result = -1;
        }
    }
    return result < 0 ? -1 : buffer_append(out, SLICE("}"), fault);
}

static int
rewrite_object(struct json_reader *reader, unsigned depth, struct buffer *out)
{
    struct map map = {{0}, NULL, 0, 0};
    struct json_value key;
    int more;
    int result = 0;
    for (bool first = true; result == 0 && (more = json_member(reader, first, &key)) != 0;
         first = false) {
        result = more < 0 ? -1 : read_member(reader, &key, depth, &map);
    }
    if (result == 0 && map.count > 0) {
        sort_members(&map);
    }
    if (result == 0) {
        result = write_members(&map, out, reader->fault);
    }
    buffer_deinit(&map.texts);
    free(map.members);
    return result;
}

/* ---- any value ------------------------------------------------------------------------------- */

/* One switch. */
static int
rewrite(struct json_reader *reader, unsigned depth, struct buffer *out)
{
    struct fault *fault = reader->fault;
    struct json_value value;
    if (depth > JVM_DEPTH_MAX) {
        return fault_set(fault, FAULT_LIMIT, 0, "a value is nested deeper than %d", JVM_DEPTH_MAX);
    }
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    switch (value.type) {
    case JSON_TYPE_NULL:
        return buffer_append(out, SLICE("null"), fault);
    case JSON_TYPE_TRUE:
        return buffer_append(out, SLICE("true"), fault);
    case JSON_TYPE_FALSE:
        return buffer_append(out, SLICE("false"), fault);
    case JSON_TYPE_INT:
        return json_write_int(out, value.number, fault);
    case JSON_TYPE_BIGINT:
        return buffer_append(out, value.text, fault);
    case JSON_TYPE_FLOAT:
        return write_float(value.text, out, fault);
    case JSON_TYPE_NAN:
        return buffer_append(out, SLICE("NaN"), fault);
    case JSON_TYPE_INF: /* json-smart takes the bare word for a string */
        return buffer_append(out, value.number < 0 ? SLICE("\"-Infinity\"") : SLICE("\"Infinity\""),
                             fault);
    case JSON_TYPE_STRING:
        return write_string(&value, out, fault);
    case JSON_TYPE_ARRAY:
        return rewrite_array(reader, depth, out);
    case JSON_TYPE_OBJECT:
        return rewrite_object(reader, depth, out);
    }
    return -1;
}

int
jvm_values(struct slice json, struct buffer *out, struct fault *fault)
{
    struct json_reader reader = json_reader(json, fault);
    return rewrite(&reader, 1, out) < 0 ? -1 : json_finish(&reader);
}
