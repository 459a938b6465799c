#include "grouping.h"

#include <stdio.h>

#include "suites.h"

enum { TASKS = 7, FIRST = 10 };

static struct grouping grouping;
static const size_t FIELDS[] = {1, 0};

static void
make(enum grouping_type type, size_t fields, size_t tasks, uint64_t seed)
{
    int32_t ids[TASKS];
    struct fault fault = {0};
    for (size_t i = 0; i < tasks; i++) {
        ids[i] = FIRST + (int32_t)i;
    }
    ck_assert_int_eq(grouping_init(&grouping, type, FIELDS, fields, ids, tasks, seed, &fault), 0);
}

static void
teardown(void)
{
    grouping_deinit(&grouping);
}

/* Where [second, first] goes; -1: the choice is a fault. */
static int32_t
choose(const char *first, const char *second)
{
    struct slice values[] = {{first, strlen(first)}, {second, strlen(second)}};
    struct fault fault = {0};
    const int32_t *tasks;
    size_t count;
    if (grouping_choose(&grouping, values, &tasks, &count, &fault) < 0) {
        return -1;
    }
    ck_assert_uint_eq(count, 1);
    return *tasks;
}

START_TEST(names_are_the_plans)
{
    static const char *const names[] = {"shuffle", "fields",           "all",    "global",
                                        "none",    "local-or-shuffle", "direct", "partial-key"};
    enum grouping_type type;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(grouping_named(names[i], &type), 0);
        ck_assert_uint_eq(type, i);
        ck_assert_uint_gt(strlen(grouping_storm_name(type)), 0);
    }
    ck_assert_int_eq(grouping_named("FIELDS", &type), -1);
    make(GROUPING_SHUFFLE, 0, 1, 0);
}
END_TEST

/* After each round every task has got as many. */
START_TEST(shuffle_is_a_round_robin_from_a_random_start)
{
    bool differs = false;
    int32_t first = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        unsigned given[TASKS] = {0};
        make(_i == 0 ? GROUPING_SHUFFLE : GROUPING_LOCAL_OR_SHUFFLE, 0, TASKS, seed);
        for (unsigned i = 0; i < 3 * TASKS; i++) {
            int32_t task = choose("1", "2");
            given[task - FIRST]++;
            differs = differs || (i == 0 && seed > 0 && task != first);
            first = i == 0 ? task : first;
            ck_assert_uint_le(given[task - FIRST], i / TASKS + 1);
        }
        grouping_deinit(&grouping);
    }
    ck_assert(differs);
    make(GROUPING_SHUFFLE, 0, 1, 0);
}
END_TEST

/* floorMod(Arrays.deepHashCode(keys), n), reckoned by hand. */
START_TEST(fields_go_by_javas_hash)
{
    make(GROUPING_FIELDS, 1, TASKS, 0);
    ck_assert_int_eq(choose("9", "5"), FIRST + (31 + 5) % TASKS);
    ck_assert_int_eq(choose("8", "5"), FIRST + (31 + 5) % TASKS);
    ck_assert_int_eq(choose("9", "-100"), FIRST + ((31 - 100) % TASKS + TASKS) % TASKS);
    ck_assert_int_eq(choose("9", "null"), FIRST + 31 % TASKS);
    grouping_deinit(&grouping);
    make(GROUPING_FIELDS, 2, TASKS, 0);
    ck_assert_int_eq(choose("3", "\"dog\""), FIRST + (31 * (31 + 99644) + 3) % TASKS);
    ck_assert_int_eq(choose("3", "\"dog"), -1);
}
END_TEST

START_TEST(all_global_and_none)
{
    const int32_t *tasks;
    size_t count;
    unsigned given[TASKS] = {0};
    make(GROUPING_ALL, 0, TASKS, 0);
    ck_assert_int_eq(grouping_choose(&grouping, NULL, &tasks, &count, NULL), 0);
    ck_assert_uint_eq(count, TASKS);
    ck_assert_int_eq(tasks[0], FIRST);
    ck_assert_int_eq(tasks[TASKS - 1], FIRST + TASKS - 1);
    grouping_deinit(&grouping);
    make(GROUPING_DIRECT, 0, TASKS, 0);
    ck_assert_int_eq(grouping_choose(&grouping, NULL, &tasks, &count, NULL), 0);
    ck_assert_uint_eq(count, 0);
    grouping_deinit(&grouping);
    make(GROUPING_GLOBAL, 0, TASKS, 0);
    ck_assert_int_eq(choose("1", "2"), FIRST);
    grouping_deinit(&grouping);
    make(GROUPING_NONE, 0, TASKS, 5);
    for (int i = 0; i < 7000; i++) {
        given[choose("1", "2") - FIRST]++;
    }
    for (int i = 0; i < TASKS; i++) {
        ck_assert_uint_gt(given[i], 800);
        ck_assert_uint_lt(given[i], 1200);
    }
}
END_TEST

/* The two tasks of some keys, from java.util.Random seeded with Arrays.hashCode of the key's bytes. */
START_TEST(partial_key_chooses_as_java_does)
{
    static const int choices[][2] = {{3, 6}, {4, 3}, {4, 0}, {2, 4}};
    for (int key = 0; key < 4; key++) {
        char text[2] = {(char)('0' + key), '\0'};
        make(GROUPING_PARTIAL_KEY, 1, TASKS, 0);
        for (int i = 0; i < 6; i++) { /* one alone: they take turns */
            ck_assert_int_eq(choose("0", text), FIRST + choices[key][i % 2]);
        }
        grouping_deinit(&grouping);
    }
    make(GROUPING_PARTIAL_KEY, 1, 1, 0);
    ck_assert_int_eq(choose("0", "1"), FIRST);
    ck_assert_int_eq(choose("0", "null"), FIRST);
}
END_TEST

Suite *
grouping_suite(void)
{
    Suite *suite = suite_create("grouping");
    TCase *tcase = tcase_create("grouping");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, names_are_the_plans);
    tcase_add_loop_test(tcase, shuffle_is_a_round_robin_from_a_random_start, 0, 2);
    tcase_add_test(tcase, fields_go_by_javas_hash);
    tcase_add_test(tcase, all_global_and_none);
    tcase_add_test(tcase, partial_key_chooses_as_java_does);
    suite_add_tcase(suite, tcase);
    return suite;
}
