#include "oracle.h"

#include <math.h>

#include "require.h"
#include "utf8.h"

json_t *
oracle_load(struct slice text)
{
    return json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

json_t *
oracle_string(struct slice utf8)
{
    json_t *string = json_stringn(utf8.ptr, utf8.len);
    REQUIRE(string != NULL);
    return string;
}

void
oracle_set(json_t *object, struct slice key, json_t *member)
{
    struct buffer name = {0};
    REQUIRE(buffer_append(&name, key, NULL) == 0);
    REQUIRE(buffer_append(&name, (struct slice){"", 1}, NULL) == 0);
    REQUIRE(json_object_set_new(object, name.data, member) == 0);
    buffer_deinit(&name);
}

size_t
oracle_random_char(struct chance *chance, char utf8[4])
{
    static const uint32_t edges[] = {
        0x01,   0x08,   0x09,   0x0a,   0x0c,   0x0d,    0x1f,    0x20,    0x22,    0x2f,
        0x5c,   0x7e,   0x7f,   0x80,   0x9f,   0x7ff,   0x800,   0x2028,  0xfff,   0x1000,
        0xd7ff, 0xe000, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1f600, 0x3ffff, 0xfffff, 0x10ffff,
    };
    uint32_t point = 0;
    switch (chance_below(chance, 4)) {
    case 0:
        point = edges[chance_below(chance, sizeof edges / sizeof edges[0])];
        break;
    case 1:
        do {
            point = 1 + chance_below(chance, 0x10ffff);
        } while (point >= 0xd800 && point < 0xe000);
        break;
    default:
        point = 0x20 + chance_below(chance, 0x5f);
        break;
    }
    return utf8_put(utf8, point);
}

/* A string's bytes, between none and a few words of them. */
static void
random_text(struct chance *chance, struct buffer *out)
{
    for (uint32_t left = chance_below(chance, 4) * chance_below(chance, 12); left > 0; left--) {
        char utf8[4];
        size_t len = oracle_random_char(chance, utf8);
        REQUIRE(buffer_append(out, (struct slice){utf8, len}, NULL) == 0);
    }
}

static json_t *
random_string(struct chance *chance)
{
    struct buffer text = {0};
    random_text(chance, &text);
    if (chance_below(chance, 8) == 0) {
        REQUIRE(buffer_append(&text, (struct slice){"", 1}, NULL) == 0);
    }
    json_t *value = oracle_string((struct slice){text.len > 0 ? text.data : "", text.len});
    buffer_deinit(&text);
    return value;
}

/* Integers of every length, near the powers of two. */
static json_t *
random_int(struct chance *chance)
{
    uint64_t power = UINT64_C(1) << chance_below(chance, 64);
    uint64_t value =
        power + chance_bits(chance) % power * chance_below(chance, 2) - chance_below(chance, 2);
    return json_integer(chance_below(chance, 2) != 0 ? (int64_t)value : (int64_t)(0 - value));
}

/* Doubles of every size: bits by chance, or the short decimals that people write. */
static json_t *
random_real(struct chance *chance)
{
    double value = (double)chance_below(chance, 100000) / 100.0;
    if (chance_below(chance, 2) != 0) {
        do {
            uint64_t bits = chance_bits(chance);
            memcpy(&value, &bits, sizeof value);
        } while (!isfinite(value));
    }
    return json_real(value);
}

static json_t *
random_array(struct chance *chance, unsigned depth)
{
    json_t *array = json_array();
    for (uint32_t left = chance_below(chance, 6); left > 0; left--) {
        REQUIRE(json_array_append_new(array, oracle_random(chance, depth - 1)) == 0);
    }
    return array;
}

static json_t *
random_object(struct chance *chance, unsigned depth)
{
    json_t *object = json_object();
    for (uint32_t left = chance_below(chance, 6); left > 0; left--) {
        struct buffer key = {0};
        random_text(chance, &key);
        oracle_set(object, (struct slice){key.data, key.len}, oracle_random(chance, depth - 1));
        buffer_deinit(&key);
    }
    return object;
}

json_t *
oracle_random(struct chance *chance, unsigned depth)
{
    switch (chance_below(chance, depth > 0 ? 9 : 5)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(chance_below(chance, 2) != 0);
    case 2:
        return random_int(chance);
    case 3:
        return random_real(chance);
    case 4:
        return random_string(chance);
    case 5:
    case 6:
        return random_array(chance, depth);
    default:
        return random_object(chance, depth);
    }
}

static int
append_text(const char *text, size_t len, void *out)
{
    return buffer_append(out, (struct slice){text, len}, NULL);
}

void
oracle_dump(const json_t *value, unsigned style, struct buffer *out)
{
    size_t flags = JSON_ENCODE_ANY;
    flags |= (style & 1) != 0 ? JSON_INDENT(3) : JSON_COMPACT;
    flags |= (style & 2) != 0 ? JSON_ENSURE_ASCII : 0;
    flags |= (style & 4) != 0 ? JSON_ESCAPE_SLASH : 0;
    REQUIRE(json_dump_callback(value, append_text, out, flags) == 0);
}
