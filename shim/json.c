/* Reading and writing JSON text. Speed comes from two things: strings are scanned by the machine
   word, and nothing is copied until somebody asks for it. */
#include "json.h"

#include <limits.h>
#include <string.h>

/* ---- reading ---------------------------------------------------------------------------- */

static int
wrong(struct json_reader *reader, const char *what)
{
    size_t offset = (size_t)(reader->at - reader->start);
    if (reader->at >= reader->end) {
        return fault_set(reader->fault, FAULT_JSON, offset, "%s, but the text ends at byte %zu", what,
                         offset);
    }
    unsigned char c = (unsigned char)*reader->at;
    if (c >= 0x20 && c < 0x7f) {
        return fault_set(reader->fault, FAULT_JSON, offset, "%s, found '%c' at byte %zu", what, c,
                         offset);
    }
    return fault_set(reader->fault, FAULT_JSON, offset, "%s, found byte 0x%02x at byte %zu", what, c,
                     offset);
}

static void
skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\r' || *reader->at == '\t')) {
        reader->at++;
    }
}

/* Eight bytes at once: a bit at the top of each byte that is `"`, `\`, below 0x20 or over 0x7f.
   (x - 0x01..) & ~x & 0x80.. marks zero bytes, exactly up to the first one, which is all we use.) */
static uint64_t
special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t slash = word ^ (ones * '\\');
    uint64_t found = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | (word - ones * 0x20);
    return (found | word) & tops;
}

/* The first byte at or after `at` that ends a plain run of a string: `"`, `\`, a control
   character or a byte over 0x7f; or `end`. */
static const char *
plain_run_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t found = special_bytes(word);
        if (found != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + (__builtin_ctzll(found) >> 3);
#else
            break;
#endif
        }
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
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

/* The reader stands behind the opening quote. */
static int
read_string(struct json_reader *reader, struct json_value *value)
{
    const char *start = reader->at;
    value->type = JSON_TYPE_STRING;
    value->escaped = false;
    value->ascii = true;
    for (;;) {
        reader->at = plain_run_end(reader->at, reader->end);
        if (reader->at >= reader->end) {
            return wrong(reader, "the end of a string was expected");
        }
        unsigned char c = (unsigned char)*reader->at;
        if (c == '"') {
            value->text = (struct slice){start, (size_t)(reader->at - start)};
            reader->at++;
            return 0;
        }
        if (c == '\\') {
            value->escaped = true;
            if (skip_escape(reader) < 0) {
                return -1;
            }
        } else if (c >= 0x80) {
            value->ascii = false;
            do {
                reader->at++;
            } while (reader->at < reader->end && (unsigned char)*reader->at >= 0x80);
        } else {
            return wrong(reader, "a control character must be escaped in a string");
        }
    }
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

/* ---- numbers ---------------------------------------------------------------------------- */

/* The digits of a number as an integer, and the power of ten that it is to be multiplied with.
   False past 2^53, where an integer need not be a double. */
static bool
split_decimal(struct slice text, int64_t *digits, int *power)
{
    const int64_t exact = INT64_C(1) << 53;
    const char *at = text.ptr;
    const char *end = at + text.len;
    bool fraction = false;
    *digits = 0;
    *power = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        *digits = *digits * 10 + (*at - '0');
        *power -= fraction;
        if (*digits > exact) {
            return false;
        }
    }
    if (at < end) {
        int sign = at[1] == '-' ? -1 : 1;
        int exponent = 0;
        for (at += 1 + (at[1] == '-' || at[1] == '+'); at < end && exponent < 1000; at++) {
            exponent = exponent * 10 + (*at - '0');
        }
        *power += sign * exponent;
    }
    return true;
}

bool
json_exact_double(struct slice text, double *number)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}; /* all exact */
    bool negative = text.ptr[0] == '-';
    int64_t digits;
    int power;
    text.ptr += negative;
    text.len -= negative;
    if (!split_decimal(text, &digits, &power) || power < -22 || power > 22) {
        return false;
    }
    double value = (double)digits;
    value = power < 0 ? value / tens[-power] : value * tens[power];
    *number = negative ? -value : value;
    return true;
}

/* ---- escapes ---------------------------------------------------------------------------- */

static unsigned
hex4(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
        value = value * 16 + digit;
    }
    return value;
}

/* Write a code point (a lone surrogate as its three bytes). Returns where the next one goes. */
static char *
put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | (c >> 12));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | (c >> 18));
        *out++ = (char)(0x80 | ((c >> 12) & 0x3f));
        *out++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* The code point of the \uXXXX at *at (behind the u), with the low half of a pair if it follows. */
static unsigned
unescape_unicode(const char **at, const char *end)
{
    unsigned c = hex4(*at);
    *at += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        unsigned low = hex4(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c;
}

static char
unescape_char(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* " \ and / */
    }
}

int
json_unescape(struct slice text, struct buffer *out, struct fault *fault)
{
    char *to = buffer_room(out, text.len, fault); /* unescaping never makes text longer */
    if (to == NULL) {
        return -1;
    }
    const char *at = text.ptr;
    const char *end = at + text.len;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t run = (size_t)((slash != NULL ? slash : end) - at);
        memcpy(to, at, run);
        to += run;
        at += run;
        if (at < end) {
            char c = at[1];
            at += 2;
            if (c == 'u') {
                to = put_utf8(to, unescape_unicode(&at, end));
            } else {
                *to++ = unescape_char(c);
            }
        }
    }
    out->len = (size_t)(to - out->data);
    return 0;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* The escape of a control character, quote or backslash. Returns where the next byte goes. */
static char *
put_escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    const char *found = c != 0 ? strchr(from, c) : NULL;
    *out++ = '\\';
    if (found != NULL) {
        *out++ = to[found - from];
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[c >> 4];
    out[4] = hex[c & 15];
    return out + 5;
}

int
json_write_string(struct buffer *out, struct slice utf8, struct fault *fault)
{
    const char *at = utf8.ptr;
    const char *end = at + utf8.len;
    if (buffer_room(out, utf8.len + 2, fault) == NULL) {
        return -1;
    }
    out->data[out->len++] = '"';
    while (at < end) {
        const char *special = plain_run_end(at, end);
        while (special < end && (unsigned char)*special >= 0x80) {
            special = plain_run_end(special + 1, end); /* UTF-8 goes out as it is */
        }
        size_t run = (size_t)(special - at);
        bool escape = special < end;
        /* what is left, five bytes more for an escape of one of them, the closing quote */
        char *to = buffer_room(out, (size_t)(end - at) + (escape ? 5 : 0) + 1, fault);
        if (to == NULL) {
            return -1;
        }
        memcpy(to, at, run);
        to += run;
        if (escape) {
            to = put_escape(to, (unsigned char)*special);
        }
        out->len = (size_t)(to - out->data);
        at = special + escape;
    }
    out->data[out->len++] = '"';
    return 0;
}

/* How long the valid UTF-8 character at `at` is (1 to 4), or 0 if there is none. */
static size_t
utf8_char(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    if (c < 0x80) {
        return 1;
    }
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || left < len) {
        return 0;
    }
    /* too long forms, surrogates and what is past U+10FFFF show in the second byte */
    unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

size_t
json_utf8_length(struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        size_t len = utf8_char((const unsigned char *)bytes.ptr + at, bytes.len - at);
        if (len == 0) {
            break;
        }
        at += len;
    }
    return at;
}

int
json_write_bytes(struct buffer *out, struct slice bytes, struct fault *fault)
{
    static const struct slice replacement = {"\xef\xbf\xbd", 3};
    struct buffer clean = {0};
    int result = -1;
    if (json_utf8_length(bytes) == bytes.len) {
        return json_write_string(out, bytes, fault);
    }
    while (bytes.len > 0) {
        size_t valid = json_utf8_length(bytes);
        struct slice good = {bytes.ptr, valid};
        size_t bad = valid < bytes.len;
        if (buffer_append(&clean, good, fault) < 0 ||
            (bad && buffer_append(&clean, replacement, fault) < 0)) {
            goto done;
        }
        bytes.ptr += valid + bad;
        bytes.len -= valid + bad;
    }
    result = json_write_string(out, (struct slice){clean.data, clean.len}, fault);
done:
    buffer_deinit(&clean);
    return result;
}

int
json_write_int(struct buffer *out, int64_t number, struct fault *fault)
{
    char digits[20];
    char *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--at = '-';
    }
    return buffer_append(out, (struct slice){at, (size_t)(digits + sizeof digits - at)}, fault);
}
