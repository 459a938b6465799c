/* Reading JSON text. Speed comes from two things: strings are scanned by the machine word, and
   nothing is copied until somebody asks for it. */
#include "json.h"

#include <limits.h>
#include <string.h>

#include "json_scan.h"

static int
wrong(struct json_reader *reader, const char *what)
{
    size_t offset = (size_t)(reader->at - reader->start);
    if (reader->at >= reader->end) {
        return fault_set(reader->fault, FAULT_JSON, offset, "%s, but the text ends at byte %zu",
                         what, offset);
    }
    unsigned char c = (unsigned char)*reader->at;
    if (c >= 0x20 && c < 0x7f) {
        return fault_set(reader->fault, FAULT_JSON, offset, "%s, found '%c' at byte %zu", what, c,
                         offset);
    }
    return fault_set(reader->fault, FAULT_JSON, offset, "%s, found byte 0x%02x at byte %zu", what,
                     c, offset);
}

static inline void
skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end && (unsigned char)*reader->at <= ' ' &&
           memchr(" \n\r\t", *reader->at, 4) != NULL) {
        reader->at++;
    }
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Pass over the escape at the reader. */
static int
skip_escape(struct json_reader *reader)
{
    reader->at++;
    if (reader->at >= reader->end) {
        return wrong(reader, "an escape was expected");
    }
    if (*reader->at != 'u') {
        if (memchr("\"\\/bfnrt", *reader->at, 8) == NULL) {
            return wrong(reader, "not an escape of JSON");
        }
        reader->at++;
        return 0;
    }
    reader->at++;
    for (int i = 0; i < 4; i++, reader->at++) {
        if (reader->at >= reader->end || !is_hex(*reader->at)) {
            return wrong(reader, "four hexadecimal digits were expected after \\u");
        }
    }
    return 0;
}

/* The rest of a string that is not plain: escapes, bytes over 127, or an error. */
static int
read_string_on(struct json_reader *reader, struct json_value *value)
{
    while (reader->at < reader->end) {
        unsigned char c = (unsigned char)*reader->at;
        if (c == '"') {
            value->text.len = (size_t)(reader->at - value->text.ptr);
            reader->at++;
            return 0;
        }
        if (c == '\\') {
            value->escaped = true;
            if (skip_escape(reader) < 0) {
                return -1;
            }
        } else if (c == 0x7f) {
            reader->at++;
        } else if (c >= 0x80) {
            value->ascii = false;
            do {
                reader->at++;
            } while (reader->at < reader->end && (unsigned char)*reader->at >= 0x80);
        } else {
            return wrong(reader, "a control character must be escaped in a string");
        }
        reader->at = plain_run_end(reader->at, reader->end);
    }
    return wrong(reader, "the end of a string was expected");
}

/* The reader stands behind the opening quote. */
static inline int
read_string(struct json_reader *reader, struct json_value *value)
{
    const char *start = reader->at;
    const char *at = plain_run_end(start, reader->end);
    value->type = JSON_TYPE_STRING;
    value->escaped = false;
    value->ascii = true;
    value->text = (struct slice){start, (size_t)(at - start)};
    reader->at = at;
    if (at < reader->end && *at == '"') { /* most strings are plain */
        reader->at++;
        return 0;
    }
    return read_string_on(reader, value);
}

static bool
digit_at(const struct json_reader *reader)
{
    return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

static int
skip_digits(struct json_reader *reader)
{
    if (!digit_at(reader)) {
        return wrong(reader, "a digit was expected");
    }
    while (digit_at(reader)) {
        reader->at++;
    }
    return 0;
}

/* The value of the digits in [at, end), negated if asked. False where it does not fit. */
static bool
parse_int(const char *at, const char *end, bool negative, int64_t *number)
{
    if (end - at > 19) {
        return false;
    }
    uint64_t sum = 0;
    for (; at < end; at++) {
        sum = sum * 10 + (uint64_t)(*at - '0'); /* 19 digits always fit 64 bits */
    }
    if (sum > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *number = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

/* A fraction and an exponent, if there are any. 1: there was one, 0: none, -1. */
static int
skip_fraction(struct json_reader *reader)
{
    int found = 0;
    if (reader->at < reader->end && *reader->at == '.') {
        reader->at++;
        if (skip_digits(reader) < 0) {
            return -1;
        }
        found = 1;
    }
    if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
        reader->at++;
        if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-')) {
            reader->at++;
        }
        if (skip_digits(reader) < 0) {
            return -1;
        }
        found = 1;
    }
    return found;
}

static int
read_number(struct json_reader *reader, struct json_value *value)
{
    const char *start = reader->at;
    bool negative = *start == '-';
    reader->at += negative;
    const char *digits = reader->at;
    if (skip_digits(reader) < 0) {
        return -1;
    }
    const char *digits_end = reader->at;
    if (*digits == '0' && digits_end - digits > 1) {
        reader->at = digits + 1;
        return wrong(reader, "a number must not start with 0");
    }
    int fraction = skip_fraction(reader);
    if (fraction < 0) {
        return -1;
    }
    value->text = (struct slice){start, (size_t)(reader->at - start)};
    if (fraction > 0) {
        value->type = JSON_TYPE_FLOAT;
    } else if (parse_int(digits, digits_end, negative, &value->number)) {
        value->type = JSON_TYPE_INT;
    } else {
        value->type = JSON_TYPE_BIGINT;
    }
    return 0;
}

static bool
take_word(struct json_reader *reader, struct slice word)
{
    if ((size_t)(reader->end - reader->at) < word.len ||
        memcmp(reader->at, word.ptr, word.len) != 0) {
        return false;
    }
    reader->at += word.len;
    return true;
}

static int
read_word(struct json_reader *reader, struct json_value *value)
{
    static const struct {
        struct slice word;
        enum json_type type;
        int64_t number;
    } words[] = {
        {SLICE("null"), JSON_TYPE_NULL, 0},    {SLICE("true"), JSON_TYPE_TRUE, 0},
        {SLICE("false"), JSON_TYPE_FALSE, 0},  {SLICE("NaN"), JSON_TYPE_NAN, 0},
        {SLICE("Infinity"), JSON_TYPE_INF, 1}, {SLICE("-Infinity"), JSON_TYPE_INF, -1},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (take_word(reader, words[i].word)) {
            value->type = words[i].type;
            value->number = words[i].number;
            return 0;
        }
    }
    return wrong(reader, "a value was expected");
}

int
json_read(struct json_reader *reader, struct json_value *value)
{
    skip_space(reader);
    if (reader->at >= reader->end) {
        return wrong(reader, "a value was expected");
    }
    char c = *reader->at;
    switch (c) {
    case '"':
        reader->at++;
        return read_string(reader, value);
    case '[':
    case '{':
        reader->at++;
        value->type = c == '[' ? JSON_TYPE_ARRAY : JSON_TYPE_OBJECT;
        return 0;
    case '-':
        if (reader->end - reader->at > 1 && reader->at[1] == 'I') {
            return read_word(reader, value);
        }
        return read_number(reader, value);
    default:
        if (c >= '0' && c <= '9') {
            return read_number(reader, value);
        }
        return read_word(reader, value);
    }
}

/* Step over the comma before a further member, or over the closing bracket. */
static int
step(struct json_reader *reader, bool first, char close, const char *expected)
{
    skip_space(reader);
    if (reader->at < reader->end) {
        if (*reader->at == close) {
            reader->at++;
            return 0;
        }
        if (first) {
            return 1;
        }
        if (*reader->at == ',') {
            reader->at++;
            return 1;
        }
    }
    return wrong(reader, expected);
}

int
json_element(struct json_reader *reader, bool first)
{
    return step(reader, first, ']', "',' or ']' was expected");
}

int
json_member(struct json_reader *reader, bool first, struct json_value *key)
{
    int more = step(reader, first, '}', "',' or '}' was expected");
    if (more <= 0) {
        return more;
    }
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != '"') {
        return wrong(reader, "a key in quotes was expected");
    }
    reader->at++;
    if (read_string(reader, key) < 0) {
        return -1;
    }
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != ':') {
        return wrong(reader, "':' was expected");
    }
    reader->at++;
    return 1;
}

/* Pass over the rest of a string, the opening quote being passed. */
static int
skip_string(struct json_reader *reader)
{
    struct json_value ignored;
    return read_string(reader, &ignored);
}

/* Pass over the rest of an array or object. One bit a level remembers which bracket closes it. */
static int
skip_nested(struct json_reader *reader)
{
    char kinds[JSON_DEPTH_MAX / CHAR_BIT + 1] = {0};
    size_t depth = 0;
    do {
        char c = reader->at < reader->end ? *reader->at : ' ';
        size_t bit = depth % CHAR_BIT;
        if (reader->at >= reader->end) {
            return wrong(reader, "a closing bracket was expected");
        }
        if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX) {
                return fault_set(reader->fault, FAULT_LIMIT, (size_t)(reader->at - reader->start),
                                 "nested deeper than %d levels", JSON_DEPTH_MAX);
            }
            bit = depth % CHAR_BIT;
            char *kind = &kinds[depth / CHAR_BIT];
            *kind = (char)((*kind & ~(1 << bit)) | ((c == '{') << bit));
        } else if (c == ']' || c == '}') {
            if (((kinds[depth / CHAR_BIT] >> bit) & 1) != (c == '}')) {
                return wrong(reader, "the other closing bracket was expected");
            }
            depth--;
        }
        reader->at++;
        if (c == '"' && skip_string(reader) < 0) {
            return -1;
        }
    } while (depth > 0);
    return 0;
}

int
json_skip(struct json_reader *reader, struct slice *text)
{
    skip_space(reader);
    const char *start = reader->at;
    int result;
    if (start < reader->end && (*start == '[' || *start == '{')) {
        result = skip_nested(reader);
    } else {
        struct json_value scalar;
        result = json_read(reader, &scalar);
    }
    if (result == 0) {
        *text = (struct slice){start, (size_t)(reader->at - start)};
    }
    return result;
}

int
json_finish(struct json_reader *reader)
{
    skip_space(reader);
    return reader->at == reader->end ? 0 : wrong(reader, "the end of the text was expected");
}
