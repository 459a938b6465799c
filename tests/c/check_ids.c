#include "ids.h"

#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "guarded.h"
#include "suites.h"

static struct arena *arena;
static struct fault fault;

static void
setup(void)
{
    fault = (struct fault){0};
    arena = arena_new(&fault);
    ck_assert_msg(arena != NULL, "%s", fault.text);
}

static void
teardown(void)
{
    arena_free(arena);
}

/* The id whose text is `number`; the text is kept for as long as a test runs over. */
static struct tuple_id
number_id(int64_t number)
{
    static char texts_of_numbers[4][TUPLE_ID_DIGITS + 1];
    static unsigned next;
    char *text = texts_of_numbers[next++ % 4];
    int len = snprintf(text, sizeof texts_of_numbers[0], "%lld", (long long)number);
    return tuple_id_parse((struct slice){text, (size_t)len});
}

/* ---- ids and their text ----------------------------------------------------------------- */

static const struct {
    struct slice text;
    bool number;
    int64_t value;
} texts[] = {
    {SLICE("0"), true, 0},
    {SLICE("7"), true, 7},
    {SLICE("-1"), true, -1},
    {SLICE("-6955786537413359385"), true, INT64_C(-6955786537413359385)},
    {SLICE("9223372036854775807"), true, INT64_MAX},
    {SLICE("-9223372036854775808"), true, INT64_MIN},
    /* a number could not write these again */
    {SLICE("9223372036854775808"), false, 0},
    {SLICE("-9223372036854775809"), false, 0},
    {SLICE("10000000000000000000"), false, 0},
    {SLICE("-10000000000000000000"), false, 0},
    {SLICE("18446744073709551617"), false, 0},
    {SLICE("00"), false, 0},
    {SLICE("01"), false, 0},
    {SLICE("-0"), false, 0},
    {SLICE("-"), false, 0},
    {SLICE("--1"), false, 0},
    {SLICE("+1"), false, 0},
    {SLICE(" 1"), false, 0},
    {SLICE("1 "), false, 0},
    {SLICE("1\0"), false, 0},
    {SLICE("1e5"), false, 0},
    {SLICE(""), false, 0},
    {SLICE("order-17"), false, 0},
    {SLICE("gr\xc3\xbc\xc3\x9f"), false, 0},
};

enum { TEXTS = sizeof texts / sizeof texts[0] };

START_TEST(parse)
{
    struct guarded memory = {0};
    struct slice text = guarded_put(&memory, texts[_i].text);
    struct tuple_id id = tuple_id_parse(text);
    ck_assert_int_eq(id.numbered, texts[_i].number);
    ck_assert(id.text.ptr == text.ptr && id.text.len == text.len);
    if (texts[_i].number) {
        ck_assert_int_eq(id.number, texts[_i].value);
    }
    guarded_deinit(&memory);
}
END_TEST

/* The digits of every length, and each of them replaced by what comes before and after digits. */
START_TEST(parse_odd_bytes)
{
    static const char odd[] = "/:.-+ aA\0\x7f\x80\xb0\xb9\xff";
    for (int len = 1; len <= 18; len++) {
        char text[20] = "123456789098765432";
        struct slice slice = {text, (size_t)len};
        struct tuple_id id = tuple_id_parse(slice);
        text[len] = '\0';
        ck_assert(id.numbered);
        ck_assert_int_eq(id.number, strtoll(text, NULL, 10));
        for (int at = 0; at < len; at++) {
            char digit = text[at];
            for (size_t i = 0; i < sizeof odd - 1; i++) {
                text[at] = odd[i];
                bool numbered = at == 0 && len > 1 && odd[i] == '-';
                ck_assert_int_eq(tuple_id_parse(slice).numbered, numbered);
            }
            text[at] = digit;
        }
    }
}
END_TEST

/* ---- the table -------------------------------------------------------------------------- */

START_TEST(an_empty_table)
{
    ck_assert(!ids_has(arena, number_id(1)));
    ck_assert(!ids_remove(arena, number_id(1)));
    ck_assert(!ids_has(arena, tuple_id_parse(SLICE("a"))));
}
END_TEST

START_TEST(one_id)
{
    struct tuple_id id = tuple_id_parse(texts[_i].text);
    ck_assert_int_eq(ids_add(arena, id, &fault), 0);
    ck_assert(ids_has(arena, id));
    ck_assert_uint_eq(ids_count(arena), 1);
    ck_assert(ids_remove(arena, id));
    ck_assert(!ids_remove(arena, id));
    ck_assert(!ids_has(arena, id));
    ck_assert_uint_eq(ids_count(arena), 0);
    ck_assert_int_eq(ids_add(arena, id, &fault), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

/* The newest number stands in front of the table, and goes into it when the next one comes. */
START_TEST(the_newest_is_one_of_them)
{
    ck_assert_int_eq(ids_add(arena, number_id(1), &fault), 0);
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(SLICE("a")), &fault), 0);
    ck_assert_int_eq(ids_add(arena, number_id(2), &fault), 0);
    ck_assert_uint_eq(ids_count(arena), 3);
    ck_assert(ids_has(arena, number_id(1)));
    ck_assert(ids_has(arena, number_id(2)));
    ck_assert(!ids_has(arena, tuple_id_parse(SLICE("2."))));
    ck_assert(ids_remove(arena, number_id(2)));
    ck_assert(!ids_remove(arena, number_id(2)));
    ck_assert(ids_remove(arena, number_id(1)));
    ck_assert(ids_has(arena, tuple_id_parse(SLICE("a"))));
    ck_assert_uint_eq(ids_count(arena), 1);
}
END_TEST

/* A text and a number that look the same to the table but for their kind. */
START_TEST(a_text_is_not_the_number_of_its_hash)
{
    struct tuple_id text = tuple_id_parse(SLICE("order-17"));
    ck_assert_int_eq(ids_add(arena, text, NULL), 0);
    ck_assert(!ids_has(arena, number_id(text.number)));
    ck_assert_int_eq(ids_add(arena, number_id(text.number), NULL), 0);
    ck_assert(ids_remove(arena, text));
    ck_assert(ids_has(arena, number_id(text.number)));
}
END_TEST

/* The text is copied: the frame that it came in goes. */
START_TEST(a_text_outlives_its_frame)
{
    char frame[] = "order-17";
    ck_assert_int_eq(ids_add(arena, tuple_id_parse((struct slice){frame, 8}), NULL), 0);
    memset(frame, 'x', sizeof frame);
    ck_assert(ids_has(arena, tuple_id_parse(SLICE("order-17"))));
}
END_TEST

/* Of the ids that may come: numbers side by side, numbers far apart, and texts. */
enum { UNIVERSE = 600 };

static struct tuple_id
nth_id(unsigned n, char text[32])
{
    switch (n % 3) {
    case 0:
        return tuple_id_parse((struct slice){text, (size_t)snprintf(text, 32, "%u", n)});
    case 1:
        return tuple_id_parse(
            (struct slice){text, (size_t)snprintf(text, 32, "%lld",
                                                  (long long)(n * UINT64_C(0x123456789abcdef)))});
    default:
        return tuple_id_parse((struct slice){text, (size_t)snprintf(text, 32, "id %u", n)});
    }
}

/* Adding and removing by chance, against a plain list of what is live. */
START_TEST(like_a_list)
{
    struct chance chance = {(uint64_t)_i};
    bool live[UNIVERSE] = {false};
    size_t count = 0;
    for (int i = 0; i < 20000; i++) {
        char text[32];
        unsigned n = chance_below(&chance, UNIVERSE);
        struct tuple_id id = nth_id(n, text);
        bool add = chance_below(&chance, 1000) < (i % 5000 < 2500 ? 700u : 300u);
        if (add && live[n]) {
            continue; /* Storm gives no id twice */
        }
        bool changed = add ? ids_add(arena, id, &fault) == 0 : ids_remove(arena, id);
        if (changed != (live[n] != add) || ids_has(arena, id) != add) {
            ck_abort_msg("step %d: %s of id %u", i, add ? "adding" : "removal", n);
        }
        count += live[n] == add ? 0 : add ? 1 : (size_t)-1;
        live[n] = add;
    }
    ck_assert_uint_eq(ids_count(arena), count);
    for (unsigned n = 0; n < UNIVERSE; n++) {
        char text[32];
        ck_assert_int_eq(ids_has(arena, nth_id(n, text)), live[n]);
    }
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

START_TEST(grows_and_empties)
{
    enum { MANY = 100000 };
    size_t wrong = 0;
    for (unsigned n = 0; n < MANY; n++) {
        char text[32];
        wrong += ids_add(arena, nth_id(n, text), &fault) != 0;
    }
    ck_assert_uint_eq(ids_count(arena), MANY);
    ck_assert_uint_gt(arena->ids.halves[arena->ids.half].capacity, MANY);
    for (unsigned n = MANY; n > 0; n--) {
        char text[32];
        wrong += !ids_remove(arena, nth_id(n - 1, text));
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(ids_count(arena), 0);
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

/* The texts of settled ids are dropped when the region is full; those of live ones stay. */
START_TEST(full_of_settled_texts)
{
    struct slice kept = SLICE("kept");
    struct slice settled = SLICE("settled");
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(settled), NULL), 0);
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(kept), NULL), 0);
    ck_assert(ids_remove(arena, tuple_id_parse(settled)));
    /* as if many had come and gone, all but three bytes of room */
    arena->ids.halves[arena->ids.half].text_used = arena_region_size(ARENA_ID_TEXTS) / 2 - 3;
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(SLICE("abc")), &fault), 0);
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(SLICE("defg")), &fault), 0);
    ck_assert_uint_eq(arena->ids.halves[arena->ids.half].text_used, kept.len + 3 + 4);
    ck_assert(ids_has(arena, tuple_id_parse(kept)));
    ck_assert(ids_has(arena, tuple_id_parse(SLICE("abc"))));
    ck_assert(ids_has(arena, tuple_id_parse(SLICE("defg"))));
    ck_assert(!ids_has(arena, tuple_id_parse(settled)));
    ck_assert_int_eq(fault.code, FAULT_NONE);
}
END_TEST

START_TEST(more_text_than_the_arena_holds)
{
    struct tuple_id huge = {1, false, SLICE("only its length is looked at")};
    huge.text.len = arena_region_size(ARENA_ID_TEXTS) / 2 + 1;
    ck_assert_int_eq(ids_add(arena, number_id(5), &fault), 0);
    ck_assert_int_eq(ids_add(arena, huge, &fault), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_str_eq(fault.text, "1 tuples are neither acked nor failed: no more fit");
    ck_assert(ids_has(arena, number_id(5)));
    ck_assert_uint_eq(ids_count(arena), 1);
}
END_TEST

/* ---- for who takes over ----------------------------------------------------------------- */

/* Every id is taken once; as many as there are slots that could be in each other's way. */
START_TEST(all_are_taken_once)
{
    enum { MANY = 5000 };
    static bool seen[MANY];
    struct tuple_id id;
    size_t cursor = 0;
    size_t wrong = 0;
    for (int64_t n = 0; n < MANY; n++) {
        seen[n] = false;
        wrong += ids_add(arena, number_id(n), &fault) != 0;
    }
    while (ids_take(arena, &cursor, &id)) {
        wrong += !id.numbered || seen[id.number];
        seen[id.number] = true;
    }
    for (int64_t n = 0; n < MANY; n++) {
        wrong += !seen[n];
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(ids_count(arena), 0);
}
END_TEST

/* The newest had just got into the table, for the sake of one that did not come any more. */
START_TEST(the_newest_twice)
{
    ck_assert_int_eq(ids_add(arena, number_id(5), &fault), 0);
    ck_assert_int_eq(ids_add(arena, number_id(6), &fault), 0);
    arena->ids.newest = 5;
    ids_mend(arena);
    ck_assert_uint_eq(ids_count(arena), 1);
    ck_assert(ids_remove(arena, number_id(5)));
    ck_assert(!ids_remove(arena, number_id(5)));
}
END_TEST

/* A removal was moving slots up: each of them may be there twice, numbers and texts. */
START_TEST(slots_that_are_there_twice)
{
    struct slots {
        int64_t number;
        uint32_t text, len;
    } *slots = (struct slots *)(void *)arena_region(arena, ARENA_IDS);
    for (int64_t n = 1; n <= 100; n++) {
        ck_assert_int_eq(ids_add(arena, number_id(n), &fault), 0);
    }
    ck_assert_int_eq(ids_add(arena, tuple_id_parse(SLICE("text")), &fault), 0);
    slots += arena->ids.half * (arena_region_size(ARENA_IDS) / 2 / sizeof *slots);
    size_t capacity = arena->ids.halves[arena->ids.half].capacity;
    for (size_t i = 1; i < capacity; i++) {
        if (slots[i].text == 0 && slots[i - 1].text != 0) {
            slots[i] = slots[i - 1];
            i++;
        }
    }
    ids_mend(arena);
    ck_assert_uint_eq(ids_count(arena), 101);
    for (int64_t n = 1; n <= 100; n++) {
        ck_assert(ids_remove(arena, number_id(n)));
    }
    ck_assert(ids_remove(arena, tuple_id_parse(SLICE("text"))));
    ck_assert_uint_eq(ids_count(arena), 0);
}
END_TEST

START_TEST(nothing_to_mend)
{
    struct tuple_id id;
    size_t cursor = 0;
    ids_mend(arena);
    ck_assert_uint_eq(ids_count(arena), 0);
    ck_assert(!ids_take(arena, &cursor, &id));
}
END_TEST

Suite *
ids_suite(void)
{
    Suite *suite = suite_create("ids");
    TCase *tcase = tcase_create("ids");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, parse, 0, TEXTS);
    tcase_add_test(tcase, parse_odd_bytes);
    tcase_add_test(tcase, an_empty_table);
    tcase_add_loop_test(tcase, one_id, 0, TEXTS);
    tcase_add_test(tcase, the_newest_is_one_of_them);
    tcase_add_test(tcase, a_text_is_not_the_number_of_its_hash);
    tcase_add_test(tcase, a_text_outlives_its_frame);
    tcase_add_loop_test(tcase, like_a_list, 0, 5);
    tcase_add_test(tcase, grows_and_empties);
    tcase_add_test(tcase, full_of_settled_texts);
    tcase_add_test(tcase, more_text_than_the_arena_holds);
    tcase_add_test(tcase, all_are_taken_once);
    tcase_add_test(tcase, the_newest_twice);
    tcase_add_test(tcase, slots_that_are_there_twice);
    tcase_add_test(tcase, nothing_to_mend);
    suite_add_tcase(suite, tcase);
    return suite;
}
