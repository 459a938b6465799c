#include "tree.h"

#include <math.h>

#include "repr.h"
#include "require.h"

void
tree_unescape(const struct json_value *string, struct buffer *out)
{
    if (string->escaped) {
        REQUIRE(json_unescape(string->text, out, NULL) == 0);
    } else {
        REQUIRE(memchr(string->text.ptr, '\\', string->text.len) == NULL);
        REQUIRE(buffer_append(out, string->text, NULL) == 0);
    }
}

static int
too_deep(struct json_reader *reader)
{
    return fault_set(reader->fault, FAULT_LIMIT, (size_t)(reader->at - reader->start),
                     "nested deeper than %d levels", JSON_DEPTH_MAX);
}

/* ---- into a tree ------------------------------------------------------------------------ */

static json_t *
tree_string(const struct json_value *value, bool *foreign)
{
    struct buffer text = {0};
    json_t *string = NULL;
    tree_unescape(value, &text);
    struct slice utf8 = {text.len > 0 ? text.data : "", text.len};
    if (json_utf8_length(utf8) == utf8.len) {
        string = json_stringn(utf8.ptr, utf8.len);
    } else {
        *foreign = true;
        string = json_null();
    }
    buffer_deinit(&text);
    return string;
}

static json_t *
tree_real(const struct json_value *value, bool *foreign)
{
    double number;
    if (!repr_decided(value) || !json_double(value, &number)) {
        number = repr_read(value->text);
    }
    if (!isfinite(number)) {
        *foreign = true;
        return json_null();
    }
    return json_real(number);
}

static json_t *tree_value(struct json_reader *reader, int depth, bool *foreign);

static json_t *
tree_array(struct json_reader *reader, int depth, bool *foreign)
{
    json_t *array = json_array();
    int more;
    for (bool first = true; (more = json_element(reader, first)) > 0; first = false) {
        json_t *element = tree_value(reader, depth, foreign);
        if (element == NULL) {
            more = -1;
            break;
        }
        REQUIRE(json_array_append_new(array, element) == 0);
    }
    if (more < 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static void
tree_set(json_t *object, const struct json_value *key, json_t *member, bool *foreign)
{
    struct buffer name = {0};
    tree_unescape(key, &name);
    struct slice utf8 = {name.len > 0 ? name.data : "", name.len};
    if (json_utf8_length(utf8) < utf8.len || memchr(utf8.ptr, 0, utf8.len) != NULL) {
        *foreign = true;
        json_decref(member);
    } else {
        oracle_set(object, utf8, member);
    }
    buffer_deinit(&name);
}

static json_t *
tree_object(struct json_reader *reader, int depth, bool *foreign)
{
    json_t *object = json_object();
    struct json_value key;
    int more;
    for (bool first = true; (more = json_member(reader, first, &key)) > 0; first = false) {
        json_t *member = tree_value(reader, depth, foreign);
        if (member == NULL) {
            more = -1;
            break;
        }
        tree_set(object, &key, member, foreign);
    }
    if (more < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *
tree_value(struct json_reader *reader, int depth, bool *foreign)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return NULL;
    }
    switch (value.type) {
    case JSON_TYPE_NULL:
        return json_null();
    case JSON_TYPE_TRUE:
    case JSON_TYPE_FALSE:
        return json_boolean(value.type == JSON_TYPE_TRUE);
    case JSON_TYPE_INT:
        return json_integer(value.number);
    case JSON_TYPE_FLOAT:
        return tree_real(&value, foreign);
    case JSON_TYPE_BIGINT:
    case JSON_TYPE_NAN:
    case JSON_TYPE_INF:
        *foreign = true;
        return json_null();
    case JSON_TYPE_STRING:
        return tree_string(&value, foreign);
    case JSON_TYPE_ARRAY:
    case JSON_TYPE_OBJECT:
        break;
    }
    if (depth == JSON_DEPTH_MAX) {
        too_deep(reader);
        return NULL;
    }
    return value.type == JSON_TYPE_ARRAY ? tree_array(reader, depth + 1, foreign)
                                         : tree_object(reader, depth + 1, foreign);
}

json_t *
tree_read(struct slice text, bool *foreign, struct fault *fault)
{
    struct json_reader reader = json_reader(text, fault);
    *foreign = false;
    json_t *value = tree_value(&reader, 0, foreign);
    if (value != NULL && json_finish(&reader) < 0) {
        json_decref(value);
        return NULL;
    }
    return value;
}

/* ---- into text -------------------------------------------------------------------------- */

static void
put(struct buffer *out, struct slice text)
{
    REQUIRE(buffer_append(out, text, NULL) == 0);
}

static void
put_string(struct buffer *out, const struct json_value *value)
{
    struct buffer text = {0};
    tree_unescape(value, &text);
    struct slice utf8 = {text.len > 0 ? text.data : "", text.len};
    if (json_utf8_length(utf8) == utf8.len) {
        REQUIRE(json_write_string(out, utf8, NULL) == 0);
    } else {
        REQUIRE(json_write_bytes(out, utf8, NULL) == 0);
    }
    buffer_deinit(&text);
}

static void
put_real(struct buffer *out, struct slice text)
{
    double number = repr_read(text);
    if (isfinite(number)) {
        REQUIRE(json_write_double(out, number, NULL) == 0);
    } else {
        put(out, text);
    }
}

static int rewrite_value(struct json_reader *reader, int depth, struct buffer *out);

static int
rewrite_array(struct json_reader *reader, int depth, struct buffer *out)
{
    int more;
    put(out, SLICE("["));
    for (bool first = true; (more = json_element(reader, first)) > 0; first = false) {
        put(out, first ? SLICE("") : SLICE(","));
        if (rewrite_value(reader, depth, out) < 0) {
            return -1;
        }
    }
    put(out, SLICE("]"));
    return more;
}

static int
rewrite_object(struct json_reader *reader, int depth, struct buffer *out)
{
    struct json_value key;
    int more;
    put(out, SLICE("{"));
    for (bool first = true; (more = json_member(reader, first, &key)) > 0; first = false) {
        put(out, first ? SLICE("") : SLICE(","));
        put_string(out, &key);
        put(out, SLICE(":"));
        if (rewrite_value(reader, depth, out) < 0) {
            return -1;
        }
    }
    put(out, SLICE("}"));
    return more;
}

/* True if the value was a scalar, and is written. */
static bool
put_scalar(struct buffer *out, const struct json_value *value)
{
    switch (value->type) {
    case JSON_TYPE_NULL:
        put(out, SLICE("null"));
        return true;
    case JSON_TYPE_TRUE:
        put(out, SLICE("true"));
        return true;
    case JSON_TYPE_FALSE:
        put(out, SLICE("false"));
        return true;
    case JSON_TYPE_INT:
        REQUIRE(json_write_int(out, value->number, NULL) == 0);
        return true;
    case JSON_TYPE_NAN:
        put(out, SLICE("NaN"));
        return true;
    case JSON_TYPE_INF:
        put(out, value->number < 0 ? SLICE("-Infinity") : SLICE("Infinity"));
        return true;
    case JSON_TYPE_BIGINT:
        put(out, value->text);
        return true;
    case JSON_TYPE_FLOAT:
        put_real(out, value->text);
        return true;
    case JSON_TYPE_STRING:
        put_string(out, value);
        return true;
    case JSON_TYPE_ARRAY:
    case JSON_TYPE_OBJECT:
        break;
    }
    return false;
}

static int
rewrite_value(struct json_reader *reader, int depth, struct buffer *out)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    if (put_scalar(out, &value)) {
        return 0;
    }
    if (depth == JSON_DEPTH_MAX) {
        return too_deep(reader);
    }
    return value.type == JSON_TYPE_ARRAY ? rewrite_array(reader, depth + 1, out)
                                         : rewrite_object(reader, depth + 1, out);
}

int
tree_rewrite(struct slice text, struct buffer *out, struct fault *fault)
{
    struct json_reader reader = json_reader(text, fault);
    return rewrite_value(&reader, 0, out) < 0 ? -1 : json_finish(&reader);
}
