#include "restarts.h"

#include "suites.h"

static struct restarts restarts;

static void
setup(void)
{
    restarts = (struct restarts){0};
}

static void
teardown(void)
{
    restarts_deinit(&restarts);
}

START_TEST(pauses_grow_until_it_is_enough)
{
    static const int64_t pauses[] = {100, 400, 1600, 6400, 25600, -1, -1};
    for (int i = 0; i < 7; i++) {
        ck_assert_int_eq(restarts_next(&restarts, 5, 60000, 1000 + i), pauses[i]);
    }
}
END_TEST

START_TEST(what_is_long_ago_does_not_count)
{
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 0), 100);
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 500), 400);
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 999), -1);
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 1000), 400);
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 1400), -1);
    ck_assert_int_eq(restarts_next(&restarts, 2, 1000, 9000), 100);
}
END_TEST

START_TEST(none_at_all)
{
    ck_assert_int_eq(restarts_next(&restarts, 0, 60000, 0), -1);
}
END_TEST

/* More than are ever remembered, and a pause that does not grow without end. */
START_TEST(as_many_as_can_be)
{
    int64_t last = 0;
    int wrong = 0;
    for (int i = 0; i < RESTARTS_MOST; i++) {
        last = restarts_next(&restarts, INT64_MAX, 60000, 5);
        wrong += last < 100 || last > 30000;
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(last, 30000);
    ck_assert_int_eq(restarts_next(&restarts, INT64_MAX, 60000, 5), -1);
}
END_TEST

Suite *
restarts_suite(void)
{
    Suite *suite = suite_create("restarts");
    TCase *tcase = tcase_create("restarts");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, pauses_grow_until_it_is_enough);
    tcase_add_test(tcase, what_is_long_ago_does_not_count);
    tcase_add_test(tcase, none_at_all);
    tcase_add_test(tcase, as_many_as_can_be);
    suite_add_tcase(suite, tcase);
    return suite;
}
