#include "histogram.h"

#include "chance.h"
#include "suites.h"

static struct histogram histogram;

static void
setup(void)
{
    histogram = (struct histogram){0};
}

START_TEST(nothing_has_no_percentile)
{
    ck_assert_int_eq(histogram_percentile(&histogram, 0.5), 0);
}
END_TEST

/* Within 3 % from 2 us to an hour. */
START_TEST(a_duration_is_known_to_three_percent)
{
    struct chance chance = {42};
    for (int i = 0; i < 10000; i++) {
        int64_t ns = 2000 + (int64_t)(chance_bits(&chance) >> (22 + chance_below(&chance, 30)));
        histogram = (struct histogram){0};
        histogram_add(&histogram, ns, 1);
        double found = (double)histogram_percentile(&histogram, 0.99);
        ck_assert_msg(found > 0.97 * (double)ns && found < 1.03 * (double)ns, "%lld ns: %.0f",
                      (long long)ns, found);
    }
}
END_TEST

START_TEST(percentiles_count)
{
    for (int i = 1; i <= 100; i++) {
        histogram_add(&histogram, i * INT64_C(1000000), 10);
    }
    ck_assert_uint_eq(histogram.count, 1000);
    ck_assert_double_eq_tol((double)histogram_percentile(&histogram, 0.5), 50e6, 2e6);
    ck_assert_double_eq_tol((double)histogram_percentile(&histogram, 0.99), 99e6, 3e6);
    ck_assert_double_eq_tol((double)histogram_percentile(&histogram, 1), 100e6, 3e6);
    ck_assert_double_eq_tol((double)histogram_percentile(&histogram, 0), 1e6, 1e5);
}
END_TEST

START_TEST(what_is_out_of_bounds_is_at_the_bound)
{
    histogram_add(&histogram, -5, 1);
    ck_assert_int_lt(histogram_percentile(&histogram, 1), 64);
    histogram_add(&histogram, INT64_MAX, 1);
    ck_assert_int_gt(histogram_percentile(&histogram, 1), INT64_C(1) << 40);
}
END_TEST

Suite *
histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tcase = tcase_create("histogram");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nothing_has_no_percentile);
    tcase_add_test(tcase, a_duration_is_known_to_three_percent);
    tcase_add_test(tcase, percentiles_count);
    tcase_add_test(tcase, what_is_out_of_bounds_is_at_the_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}
