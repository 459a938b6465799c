#include <errno.h>
#include <string.h>

#include "fault.h"
#include "suites.h"

START_TEST(keeps_what_it_is_told)
{
    struct fault fault = {0};
    ck_assert_int_eq(fault_set(&fault, FAULT_JSON, 7, "%d of %s", 3, "four"), -1);
    ck_assert_int_eq(fault.code, FAULT_JSON);
    ck_assert_uint_eq(fault.offset, 7);
    ck_assert_str_eq(fault.text, "3 of four");
}
END_TEST

START_TEST(first_fault_wins)
{
    struct fault fault = {0};
    fault_set(&fault, FAULT_LIMIT, 1, "the first");
    ck_assert_int_eq(fault_set(&fault, FAULT_JSON, 2, "the second"), -1);
    errno = EPIPE;
    ck_assert_int_eq(fault_errno(&fault, "the third"), -1);
    ck_assert_int_eq(fault.code, FAULT_LIMIT);
    ck_assert_uint_eq(fault.offset, 1);
    ck_assert_str_eq(fault.text, "the first");
}
END_TEST

START_TEST(nobody_need_listen)
{
    ck_assert_int_eq(fault_set(NULL, FAULT_LIMIT, 0, "unheard"), -1);
    ck_assert_int_eq(fault_errno(NULL, "unheard"), -1);
}
END_TEST

START_TEST(names_the_system_call)
{
    struct fault fault = {0};
    errno = EPIPE;
    ck_assert_int_eq(fault_errno(&fault, "write"), -1);
    ck_assert_int_eq(fault.code, FAULT_SYSTEM);
    ck_assert_str_eq(fault.text, "write: Broken pipe");
}
END_TEST

/* The text's size is its bound: one byte below it all is kept, from there on the end is cut. */
START_TEST(cuts_a_long_text)
{
    char text[sizeof((struct fault *)0)->text + 10];
    size_t room = sizeof((struct fault *)0)->text - 1;
    memset(text, 'x', sizeof text);
    for (size_t len = room - 1; len <= room + 2; len++) {
        struct fault fault = {0};
        fault_set(&fault, FAULT_STREAM, 0, "%.*s", (int)len, text);
        ck_assert_uint_eq(strlen(fault.text), len < room ? len : room);
    }
}
END_TEST

Suite *
fault_suite(void)
{
    Suite *suite = suite_create("fault");
    TCase *tcase = tcase_create("fault");
    tcase_add_test(tcase, keeps_what_it_is_told);
    tcase_add_test(tcase, first_fault_wins);
    tcase_add_test(tcase, nobody_need_listen);
    tcase_add_test(tcase, names_the_system_call);
    tcase_add_test(tcase, cuts_a_long_text);
    suite_add_tcase(suite, tcase);
    return suite;
}
