#include "jvm_hash.h"

#include <stdlib.h>

#include "json.h"
#include "jvm_decimal.h"
#include "jvm_map.h"
#include "jvm_string.h"
#include "jvm_values.h"

/* Java's ints wrap: all is reckoned without a sign. */
static int hash_next(struct json_reader *reader, unsigned depth, uint32_t *hash);

/* ---- strings ------------------------------------------------------------------------------- */

static int
hash_string(const struct json_value *string, uint32_t *hash, struct fault *fault)
{
    struct jvm_string_room room = {{0}, {0}};
    struct slice text;
    int result = jvm_string(string, &room, &text, fault);
    if (result == 0) {
        *hash = jvm_string_hash(text);
    }
    jvm_string_room_deinit(&room);
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

/* BigInteger.hashCode; a point among the digits is passed over. */
static int
hash_digits(struct slice digits, bool negative, uint32_t *hash, struct fault *fault)
{
    uint32_t words[WORDS_MAX];
    size_t count = 0;
    uint32_t sum = 0;
    if (digits.len > DIGITS_MAX) {
        return fault_set(fault, FAULT_LIMIT, 0,
                         "a number that is to be hashed has more than %d digits", DIGITS_MAX);
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] != '.') {
            count = take_digit(words, count, (unsigned)(digits.ptr[i] - '0'));
        }
    }
    while (count > 0) {
        sum = 31 * sum + words[--count];
    }
    *hash = negative ? 0 - sum : sum;
    return 0;
}

static int
hash_bigint(struct slice text, uint32_t *hash, struct fault *fault)
{
    bool negative = text.ptr[0] == '-';
    return hash_digits((struct slice){text.ptr + negative, text.len - negative}, negative, hash,
                       fault);
}

static int
hash_decimal(struct slice text, uint32_t *hash, struct fault *fault)
{
    struct jvm_decimal decimal;
    if (jvm_decimal(text, &decimal, fault) < 0 ||
        hash_digits(decimal.digits, decimal.negative, hash, fault) < 0) {
        return -1;
    }
    *hash = 31 * *hash + (uint32_t)decimal.scale;
    return 0;
}

static int
hash_float(struct slice text, uint32_t *hash, struct fault *fault)
{
    char copy[JVM_DOUBLE_TEXT_MAX + 1];
    uint64_t bits;
    if (text.len > JVM_DOUBLE_TEXT_MAX) {
        return hash_decimal(text, hash, fault);
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, NULL);
    memcpy(&bits, &value, sizeof bits);
    *hash = (uint32_t)(bits ^ bits >> 32);
    return 0;
}

/* ---- lists and maps ------------------------------------------------------------------------ */

static int
hash_list(struct json_reader *reader, unsigned depth, uint32_t *hash)
{
    int more;
    uint32_t sum = 1;
    uint32_t of_element;
    for (bool first = true; (more = json_element(reader, first)) > 0; first = false) {
        if (hash_next(reader, depth + 1, &of_element) < 0) {
            return -1;
        }
        sum = 31 * sum + of_element;
    }
    *hash = sum;
    return more;
}

static int
hash_map(struct json_reader *reader, unsigned depth, uint32_t *hash)
{
    struct jvm_map map = {0};
    uint32_t of_value;
    int result = jvm_map_read(reader, &map);
    *hash = 0;
    for (size_t i = 0; result == 0 && i < map.count; i++) {
        struct json_reader value = jvm_map_value(reader, &map.members[i]);
        result = hash_next(&value, depth + 1, &of_value);
        *hash += result == 0 ? map.members[i].hash ^ of_value : 0;
    }
    jvm_map_deinit(&map);
    return result;
}

/* ---- any value ----------------------------------------------------------------------------- */

/* One switch. */
static int
hash_next(struct json_reader *reader, unsigned depth, uint32_t *hash)
{
    struct json_value value;
    if (json_read(reader, &value) < 0 || jvm_depth(&value, depth, reader->fault) < 0) {
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
        return hash_bigint(value.text, hash, reader->fault);
    case JSON_TYPE_FLOAT:
        return hash_float(value.text, hash, reader->fault);
    case JSON_TYPE_NAN: /* a Float */
        *hash = 0x7fc00000;
        return 0;
    case JSON_TYPE_INF: /* a String, to json-smart */
        *hash = jvm_string_hash(value.number < 0 ? SLICE("-Infinity") : SLICE("Infinity"));
        return 0;
    case JSON_TYPE_STRING:
        return hash_string(&value, hash, reader->fault);
    case JSON_TYPE_ARRAY:
        return hash_list(reader, depth, hash);
    case JSON_TYPE_OBJECT:
        return hash_map(reader, depth, hash);
    }
    return -1;
}

int
jvm_hash(struct slice json, int32_t *hash, struct fault *fault)
{
    struct json_reader reader = json_reader(json, fault);
    uint32_t sum = 0;
    int result = hash_next(&reader, JVM_VALUE_DEPTH, &sum);
    *hash = (int32_t)sum;
    return result;
}
