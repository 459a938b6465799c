#include "jvm_hash.h"

#include <stdlib.h>

#include "json.h"

/* Java's ints wrap: all is reckoned without a sign. */
static int hash_next(struct json_reader *reader, uint32_t *hash);

/* ---- strings ------------------------------------------------------------------------------- */

/* Of the UTF-16 units that some UTF-8 stands for. */
static uint32_t
hash_utf8(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = at + text.len;
    uint32_t hash = 0;
    while (at < end) {
        uint32_t unit = *at++;
        unsigned more = unit < 0xc0 ? 0 : unit < 0xe0 ? 1 : unit < 0xf0 ? 2 : 3;
        uint32_t point = more == 0 ? unit : unit & (0x3fu >> more);
        for (; more > 0 && at < end; more--) {
            point = point << 6 | (*at++ & 0x3fu);
        }
        if (point >= 0x10000) {
            hash = 31 * hash + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + (point & 0x3ff);
        }
        hash = 31 * hash + point;
    }
    return hash;
}

static int
hash_string(const struct json_value *string, uint32_t *hash, struct fault *fault)
{
    struct buffer unescaped = {0};
    if (!string->escaped) {
        *hash = hash_utf8(string->text);
        return 0;
    }
    int result = json_unescape(string->text, &unescaped, fault);
    *hash = hash_utf8((struct slice){unescaped.data, unescaped.len});
    buffer_deinit(&unescaped);
    return result;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* Integer.hashCode, Long.hashCode. */
static uint32_t
hash_int(int64_t number)
{
    if (number >= INT32_MIN && number <= INT32_MAX) {
        return (uint32_t)number;
    }
    return (uint32_t)((uint64_t)number ^ (uint64_t)number >> 32);
}

enum { WORDS_MAX = 1024, DIGITS_MAX = 9000 };

/* Take one more decimal digit into a number of `count` words, the lowest first. */
static size_t
take_digit(uint32_t *words, size_t count, unsigned digit)
{
    uint64_t carry = digit;
    for (size_t i = 0; i < count; i++) {
        carry += (uint64_t)words[i] * 10;
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        words[count++] = (uint32_t)carry;
    }
    return count;
}

/* BigInteger.hashCode of the digits of a text up to its exponent; a point among them is passed over. */
static int
hash_digits(struct slice text, uint32_t *hash, struct fault *fault)
{
    uint32_t words[WORDS_MAX];
    size_t count = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (text.len > DIGITS_MAX) {
        return fault_set(fault, FAULT_LIMIT, 0,
                         "a number that is to be hashed has more than %d digits", DIGITS_MAX);
    }
    for (size_t i = 0; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            count = take_digit(words, count, (unsigned)(text.ptr[i] - '0'));
        }
    }
    uint32_t sum = 0;
    while (count > 0) {
        sum = 31 * sum + words[--count];
    }
    *hash = negative ? 0 - sum : sum;
    return 0;
}

/* What stands behind the e; capped far beyond what a BigDecimal takes. */
static int64_t
exponent(struct slice text)
{
    int64_t number = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    for (size_t i = 0; i < text.len && number < INT32_MAX; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            number = number * 10 + (text.ptr[i] - '0');
        }
    }
    return negative ? -number : number;
}

/* BigDecimal.hashCode: of its digits and of how many of them stand behind the point. */
static int
hash_decimal(struct slice text, uint32_t *hash, struct fault *fault)
{
    int64_t scale = 0;
    bool behind = false;
    size_t i = 0;
    for (; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
        scale += behind;
        behind = behind || text.ptr[i] == '.';
    }
    if (i < text.len) {
        scale -= exponent((struct slice){text.ptr + i + 1, text.len - i - 1});
    }
    if (hash_digits(text, hash, fault) < 0) {
        return -1;
    }
    *hash = 31 * *hash + (uint32_t)scale;
    return 0;
}

static int
hash_float(const struct json_value *number, uint32_t *hash, struct fault *fault)
{
    enum { DOUBLE_TEXT_MAX = 18 };
    char text[DOUBLE_TEXT_MAX + 1];
    uint64_t bits;
    if (number->text.len > DOUBLE_TEXT_MAX) {
        return hash_decimal(number->text, hash, fault);
    }
    memcpy(text, number->text.ptr, number->text.len);
    text[number->text.len] = '\0';
    double value = strtod(text, NULL);
    memcpy(&bits, &value, sizeof bits);
    *hash = (uint32_t)(bits ^ bits >> 32);
    return 0;
}

/* ---- lists and maps ------------------------------------------------------------------------ */

static int
hash_list(struct json_reader *reader, uint32_t *hash)
{
    int more;
    uint32_t sum = 1;
    uint32_t of_element;
    for (bool first = true; (more = json_element(reader, first)) > 0; first = false) {
        if (hash_next(reader, &of_element) < 0) {
            return -1;
        }
        sum = 31 * sum + of_element;
    }
    *hash = sum;
    return more;
}

static int
unescape(const struct json_value *key, struct buffer *out, struct slice *text, struct fault *fault)
{
    *text = key->text;
    out->len = 0;
    if (!key->escaped) {
        return 0;
    }
    if (json_unescape(key->text, out, fault) < 0) {
        return -1;
    }
    *text = (struct slice){out->data, out->len};
    return 0;
}

/* Does the key come again? Then what it had before is lost, as in a HashMap. 1, 0 or -1. */
static int
comes_again(struct json_reader rest, struct slice key, struct buffer *scratch)
{
    struct json_value other;
    struct slice text;
    int more;
    while ((more = json_member(&rest, false, &other)) > 0) {
        if (unescape(&other, scratch, &text, rest.fault) < 0) {
            return -1;
        }
        if (slice_equal(text, key)) {
            return 1;
        }
        if (json_skip(&rest, &text) < 0) {
            return -1;
        }
    }
    return more;
}

static int
hash_member(struct json_reader *reader, const struct json_value *key, struct buffer scratch[2],
            uint32_t *sum)
{
    struct slice text;
    uint32_t of_value;
    if (unescape(key, &scratch[0], &text, reader->fault) < 0) {
        return -1;
    }
    uint32_t of_key = hash_utf8(text);
    if (hash_next(reader, &of_value) < 0) {
        return -1;
    }
    int again = comes_again(*reader, text, &scratch[1]);
    *sum += again == 0 ? of_key ^ of_value : 0;
    return again < 0 ? -1 : 0;
}

static int
hash_map(struct json_reader *reader, uint32_t *hash)
{
    struct buffer scratch[2] = {{0}, {0}};
    struct json_value key;
    int more;
    *hash = 0;
    for (bool first = true; (more = json_member(reader, first, &key)) > 0; first = false) {
        if (hash_member(reader, &key, scratch, hash) < 0) {
            more = -1;
            break;
        }
    }
    buffer_deinit(&scratch[0]);
    buffer_deinit(&scratch[1]);
    return more;
}

/* ---- any value ----------------------------------------------------------------------------- */

/* One switch. */
static int
hash_next(struct json_reader *reader, uint32_t *hash)
{
    struct json_value value;
    if (json_read(reader, &value) < 0) {
        return -1;
    }
    switch (value.type) {
    case JSON_TYPE_NULL:
        *hash = 0;
        return 0;
    case JSON_TYPE_TRUE:
        *hash = 1231;
        return 0;
    case JSON_TYPE_FALSE:
        *hash = 1237;
        return 0;
    case JSON_TYPE_INT:
        *hash = hash_int(value.number);
        return 0;
    case JSON_TYPE_BIGINT:
        return hash_digits(value.text, hash, reader->fault);
    case JSON_TYPE_FLOAT:
        return hash_float(&value, hash, reader->fault);
    case JSON_TYPE_NAN: /* a Float */
        *hash = 0x7fc00000;
        return 0;
    case JSON_TYPE_INF: /* a String, to json-smart */
        *hash = hash_utf8(value.number < 0 ? SLICE("-Infinity") : SLICE("Infinity"));
        return 0;
    case JSON_TYPE_STRING:
        return hash_string(&value, hash, reader->fault);
    case JSON_TYPE_ARRAY:
        return hash_list(reader, hash);
    case JSON_TYPE_OBJECT:
        return hash_map(reader, hash);
    }
    return -1;
}

int
jvm_hash(struct slice json, int32_t *hash, struct fault *fault)
{
    struct json_reader reader = json_reader(json, fault);
    uint32_t sum = 0;
    int result = hash_next(&reader, &sum);
    *hash = (int32_t)sum;
    return result;
}
