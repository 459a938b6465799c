/* The codec against jansson, over values and texts made from a seed. */
#include <stdint.h>

#include "guarded.h"
#include "oracle.h"
#include "require.h"
#include "suites.h"
#include "tree.h"
#include "utf8.h"

enum { SEEDS = 10, VALUES = 400, DEPTH = 4 };

static struct guarded memory;
static struct buffer text;
static struct buffer again;

static void
teardown(void)
{
    guarded_deinit(&memory);
    buffer_deinit(&text);
    buffer_deinit(&again);
}

static struct slice
all_of(const struct buffer *buffer)
{
    return (struct slice){buffer->len > 0 ? buffer->data : "", buffer->len};
}

/* Our reader reads what jansson writes, in every style, and jansson what our writer makes of it. */
START_TEST(both_ways)
{
    struct chance chance = {(uint64_t)_i};
    for (int i = 0; i < VALUES; i++) {
        json_t *value = oracle_random(&chance, DEPTH);
        struct fault fault = {0};
        bool foreign;
        text.len = again.len = 0;
        oracle_dump(value, chance_below(&chance, ORACLE_STYLES), &text);
        struct slice ours = guarded_put(&memory, all_of(&text));
        json_t *read = tree_read(ours, &foreign, &fault);
        ck_assert_msg(read != NULL, "%.*s: %s", (int)text.len, text.data, fault.text);
        ck_assert(!foreign);
        ck_assert_msg(json_equal(read, value), "read otherwise: %.*s", (int)text.len, text.data);

        ck_assert_int_eq(tree_rewrite(ours, &again, NULL), 0);
        json_t *reread = oracle_load(all_of(&again));
        ck_assert_msg(reread != NULL && json_equal(reread, value), "%.*s became %.*s",
                      (int)text.len, text.data, (int)again.len, again.data);
        json_decref(value);
        json_decref(read);
        json_decref(reread);
    }
}
END_TEST

/* A few bytes put in, left out or replaced, mostly by such as mean something in JSON. */
static void
damage(struct chance *chance, struct buffer *bytes)
{
    static const char meaning[] = "[]{}:,\"\\/u0123456789dDeE+-. \n\tnullNaNtrue\x80\xc3\xed\xff";
    for (uint32_t left = 1 + chance_below(chance, 3); left > 0 && bytes->len > 0; left--) {
        size_t at = chance_below(chance, (uint32_t)bytes->len);
        size_t put = chance_below(chance, 4) > 0;
        size_t cut = chance_below(chance, 2);
        char *room = buffer_room(bytes, 1, NULL);
        ck_assert_ptr_nonnull(room);
        char *spot = bytes->data + at;
        memmove(spot + put, spot + cut, bytes->len - at - cut);
        if (put) {
            *spot = meaning[chance_below(chance, sizeof meaning - 1)];
        }
        bytes->len += put - cut;
    }
}

/* Both refuse the same texts, and read the same from the rest. */
START_TEST(damaged_text)
{
    struct chance chance = {(uint64_t)_i + 1000};
    unsigned refused = 0;
    for (int i = 0; i < 4 * VALUES; i++) {
        json_t *value = oracle_random(&chance, 2);
        text.len = 0;
        oracle_dump(value, chance_below(&chance, ORACLE_STYLES), &text);
        json_decref(value);
        damage(&chance, &text);
        bool foreign;
        struct fault fault = {0};
        json_t *theirs = oracle_load(all_of(&text));
        json_t *ours = tree_read(guarded_put(&memory, all_of(&text)), &foreign, &fault);
        refused += theirs == NULL;
        if (ours == NULL || !foreign) {
            ck_assert_msg((ours == NULL) == (theirs == NULL), "%s takes %.*s (%s)",
                          ours != NULL ? "only our reader" : "only jansson", (int)text.len,
                          text.data, fault.text);
            ck_assert(ours == NULL || json_equal(ours, theirs));
        } else {
            ck_assert_msg(theirs == NULL, "jansson takes %.*s", (int)text.len, text.data);
        }
        json_decref(ours);
        json_decref(theirs);
    }
    ck_assert_uint_gt(refused, VALUES / 2); /* or the damage is none */
    ck_assert_uint_lt(refused, 4 * VALUES);
}
END_TEST

/* All of Unicode but its surrogates. */
static void
append_all_characters(struct buffer *out)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char utf8[4];
        if (point == 0xd800) {
            point = 0xe000;
        }
        REQUIRE(buffer_append(out, (struct slice){utf8, utf8_put(utf8, point)}, NULL) == 0);
    }
}

START_TEST(write_every_character)
{
    append_all_characters(&text);
    ck_assert_int_eq(json_write_string(&again, all_of(&text), NULL), 0);
    json_t *expected = oracle_string(all_of(&text));
    json_t *found = oracle_load(all_of(&again));
    ck_assert(found != NULL && json_equal(found, expected));
    json_decref(expected);
    json_decref(found);
}
END_TEST

/* As jansson writes them: as they are, and with all but ASCII as escapes. */
START_TEST(read_every_character)
{
    append_all_characters(&text);
    json_t *expected = oracle_string(all_of(&text));
    bool foreign;
    oracle_dump(expected, _i == 0 ? 0 : 2, &again);
    json_t *found = tree_read(guarded_put(&memory, all_of(&again)), &foreign, NULL);
    ck_assert(found != NULL && json_equal(found, expected));
    ck_assert(!foreign);
    json_decref(expected);
    json_decref(found);
}
END_TEST

/* Any bytes make a string that jansson takes; and only what is no UTF-8 is replaced in it. */
START_TEST(any_bytes_are_written)
{
    static const unsigned char leads[] = {0x00, 0x22, 0x41, 0x5c, 0x80, 0xbf, 0xc2, 0xdf,
                                          0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf8, 0xff};
    struct chance chance = {(uint64_t)_i + 2000};
    for (int i = 0; i < 10 * VALUES; i++) {
        text.len = again.len = 0;
        for (uint32_t left = chance_below(&chance, 12); left > 0; left--) {
            char bytes[4] = {(char)leads[chance_below(&chance, sizeof leads)]};
            size_t len = chance_below(&chance, 2) ? 1 : oracle_random_char(&chance, bytes);
            REQUIRE(buffer_append(&text, (struct slice){bytes, len}, NULL) == 0);
        }
        struct slice bytes = guarded_put(&memory, all_of(&text));
        ck_assert_int_eq(json_write_bytes(&again, bytes, NULL), 0);
        json_t *found = oracle_load(all_of(&again));
        ck_assert_msg(found != NULL, "jansson refuses %.*s", (int)again.len, again.data);
        if (json_utf8_length(bytes) == bytes.len) {
            json_t *expected = oracle_string(bytes);
            ck_assert(json_equal(found, expected));
            json_decref(expected);
        }
        json_decref(found);
    }
}
END_TEST

Suite *
codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *tcase = tcase_create("codec");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_set_timeout(tcase, 120); /* valgrind takes its time over all of Unicode */
    tcase_add_loop_test(tcase, both_ways, 0, SEEDS);
    tcase_add_loop_test(tcase, damaged_text, 0, SEEDS);
    tcase_add_test(tcase, write_every_character);
    tcase_add_loop_test(tcase, read_every_character, 0, 2);
    tcase_add_loop_test(tcase, any_bytes_are_written, 0, SEEDS);
    suite_add_tcase(suite, tcase);
    return suite;
}
