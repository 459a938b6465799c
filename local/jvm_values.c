#include "jvm_values.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "json.h"
#include "jvm_decimal.h"
#include "jvm_map.h"
#include "jvm_string.h"

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
    bool negative = at < end && *at == '-';
    const char *digits = at + negative;
    at = pass_digits(digits, end);
    if (at == digits || (*digits == '0' && at - digits > 1) || (*digits == '0' && negative)) {
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
jvm_value_flat(struct slice json)
{
    const char *end = json.ptr + json.len;
    return pass_value(json.ptr, end) == end;
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

/* What was a lone surrogate, and is three bytes here, cannot be encoded: Java writes a question mark. */
static int
replace_surrogates(struct slice text, struct buffer *out, struct fault *fault)
{
    char *to = buffer_room(out, text.len, fault);
    if (to == NULL) {
        return -1;
    }
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char *at = (const unsigned char *)text.ptr + i;
        bool lone = at[0] == 0xed && at[1] >= 0xa0;
        *to++ = lone ? '?' : text.ptr[i];
        i += lone ? 2 : 0;
    }
    out->len = (size_t)(to - out->data);
    return 0;
}

/* Write a text as jvm_string() gives it. */
static int
write_text(struct slice text, struct buffer *out, struct fault *fault)
{
    struct buffer replaced = {0};
    if (text.len == 0 || memchr(text.ptr, 0xed, text.len) == NULL) {
        return json_write_string(out, text, fault);
    }
    int result = replace_surrogates(text, &replaced, fault);
    if (result == 0) {
        result = json_write_string(out, (struct slice){replaced.data, replaced.len}, fault);
    }
    buffer_deinit(&replaced);
    return result;
}

static int
write_string(const struct json_value *string, struct buffer *out, struct fault *fault)
{
    struct jvm_string_room room = {{0}, {0}};
    struct slice text;
    int result = jvm_string(string, &room, &text, fault);
    if (result == 0) {
        result = write_text(text, out, fault);
    }
    jvm_string_room_deinit(&room);
    return result;
}

/* A Double as it came, but for one that is infinite; else a BigDecimal. */
static int
write_float(struct slice text, struct buffer *out, struct fault *fault)
{
    char copy[JVM_DOUBLE_TEXT_MAX + 1];
    struct jvm_decimal decimal;
    if (text.len > JVM_DOUBLE_TEXT_MAX) {
        return jvm_decimal(text, &decimal, fault) < 0 ? -1
                                                      : jvm_decimal_write(&decimal, out, fault);
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return buffer_append(out, isinf(strtod(copy, NULL)) ? SLICE("null") : text, fault);
}

int
jvm_depth(const struct json_value *value, unsigned depth, struct fault *fault)
{
    bool nests = value->type == JSON_TYPE_ARRAY || value->type == JSON_TYPE_OBJECT;
    return !nests || depth <= JVM_DEPTH_MAX
               ? 0
               : fault_set(fault, FAULT_LIMIT, 0, "a message is nested deeper than %d",
                           JVM_DEPTH_MAX);
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

static int
rewrite_member(const struct json_reader *reader, const struct jvm_member *member, unsigned depth,
               struct buffer *out)
{
    struct json_reader value = jvm_map_value(reader, member);
    if (write_text(member->key, out, reader->fault) < 0 ||
        buffer_append(out, SLICE(":"), reader->fault) < 0) {
        return -1;
    }
    return rewrite(&value, depth + 1, out);
}

static int
rewrite_object(struct json_reader *reader, unsigned depth, struct buffer *out)
{
    struct jvm_map map = {0};
    int result = jvm_map_read(reader, &map);
    if (result == 0) {
        result = buffer_append(out, SLICE("{"), reader->fault);
    }
    for (size_t i = 0; result == 0 && i < map.count; i++) {
        if (i > 0 && buffer_append(out, SLICE(","), reader->fault) < 0) {
            result = -1;
        } else {
            result = rewrite_member(reader, &map.members[i], depth, out);
        }
    }
    jvm_map_deinit(&map);
    return result < 0 ? -1 : buffer_append(out, SLICE("}"), reader->fault);
}

/* ---- any value ------------------------------------------------------------------------------- */

/* One switch. */
static int
rewrite(struct json_reader *reader, unsigned depth, struct buffer *out)
{
    struct fault *fault = reader->fault;
    struct json_value value;
    if (json_read(reader, &value) < 0 || jvm_depth(&value, depth, fault) < 0) {
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
    return rewrite(&reader, JVM_VALUE_DEPTH - 1, out) < 0 ? -1 : json_finish(&reader);
}
