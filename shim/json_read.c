/* Reading JSON text. Speed comes from two things: strings are scanned many bytes at once, and nothing
   is copied until somebody asks for it. */
#include "digits.h"
#include "json_reading.h"

#include <limits.h>
#include <string.h>

int
json_wrong(struct json_reader *reader, const char *what)
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

/* Pass over digits and append them to `sum`, where 19 of them fit. 0, or -1 if there are none. */
static inline int
read_digits(struct json_reader *reader, uint64_t *sum)
{
    const char *at = reader->at;
    const char *end = reader->end;
    uint64_t total = *sum;
    uint64_t eight;
    while (end - at >= 8 && digits_join(at, &eight)) {
        total = total * 100000000 + eight;
        at += 8;
    }
    for (unsigned digit; at < end && (digit = (unsigned)*at - '0') <= 9; at++) {
        total = total * 10 + digit;
    }
    if (at == reader->at) {
        return json_wrong(reader, "a digit was expected");
    }
    reader->at = at;
    *sum = total;
    return 0;
}

/* The reader stands behind the `e`: add what follows to `power`. */
static int
read_exponent(struct json_reader *reader, int64_t *power)
{
    const int64_t plenty = INT64_C(1) << 48; /* more than all of a text's digits can make up for */
    bool signs = reader->at < reader->end && (*reader->at == '-' || *reader->at == '+');
    bool negative = signs && *reader->at == '-';
    reader->at += signs;
    const char *at = reader->at;
    uint64_t ignored = 0;
    if (read_digits(reader, &ignored) < 0) {
        return -1;
    }
    int64_t sum = 0;
    for (; at < reader->at; at++) {
        sum = sum < plenty ? sum * 10 + (*at - '0') : plenty;
    }
    *power += negative ? -sum : sum;
    return 0;
}

/* What makes a float of the integer in value->digits. 1: it follows, 0: it does not, -1. */
static inline int
read_fraction(struct json_reader *reader, struct json_value *value, ptrdiff_t whole_digits)
{
    int found = 0;
    value->power = 0;
    if (reader->at < reader->end && *reader->at == '.') {
        const char *point = reader->at++;
        if (read_digits(reader, &value->digits) < 0) {
            return -1;
        }
        value->power = point + 1 - reader->at;
        found = 1;
    }
    value->long_text = whole_digits - value->power > 19;
    if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
        reader->at++;
        found = 1;
        if (read_exponent(reader, &value->power) < 0) {
            return -1;
        }
    }
    return found;
}

static int
read_number(struct json_reader *reader, struct json_value *value)
{
    const char *start = reader->at;
    bool negative = *start == '-';
    reader->at += negative;
    const char *whole = reader->at;
    value->digits = 0;
    if (read_digits(reader, &value->digits) < 0) {
        return -1;
    }
    ptrdiff_t whole_digits = reader->at - whole;
    if (*whole == '0' && whole_digits > 1) {
        reader->at = whole + 1;
        return json_wrong(reader, "a number must not start with 0");
    }
    int fraction = read_fraction(reader, value, whole_digits);
    if (fraction < 0) {
        return -1;
    }
    value->text = (struct slice){start, (size_t)(reader->at - start)};
    if (fraction > 0) {
        value->type = JSON_TYPE_FLOAT;
    } else if (whole_digits > 19 || value->digits > (uint64_t)INT64_MAX + negative) {
        value->type = JSON_TYPE_BIGINT;
    } else {
        value->type = JSON_TYPE_INT;
        value->number = negative ? (int64_t)(0 - value->digits) : (int64_t)value->digits;
    }
    return 0;
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
        if (json_take(reader, words[i].word)) {
            value->type = words[i].type;
            value->number = words[i].number;
            return 0;
        }
    }
    return json_wrong(reader, "a value was expected");
}

int
json_read(struct json_reader *reader, struct json_value *value)
{
    skip_space(reader);
    if (reader->at >= reader->end) {
        return json_wrong(reader, "a value was expected");
    }
    char c = *reader->at;
    switch (c) {
    case '"':
        reader->at++;
        return json_read_string(reader, value);
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
    return json_wrong(reader, expected);
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
        return json_wrong(reader, "a key in quotes was expected");
    }
    reader->at++;
    if (json_read_string(reader, key) < 0) {
        return -1;
    }
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != ':') {
        return json_wrong(reader, "':' was expected");
    }
    reader->at++;
    return 1;
}

/* Pass over the rest of a string, the opening quote being passed. */
static int
skip_string(struct json_reader *reader)
{
    struct json_value ignored;
    return json_read_string(reader, &ignored);
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
            return json_wrong(reader, "a closing bracket was expected");
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
                return json_wrong(reader, "the other closing bracket was expected");
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
    return reader->at == reader->end ? 0 : json_wrong(reader, "the end of the text was expected");
}
