#include "handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "suites.h"

enum { PRIVATE = 4 };

static struct arena *arena;
static struct fault fault;

static void
setup(void)
{
    fault = (struct fault){0};
    arena = arena_new_kept(&fault);
    ck_assert_msg(arena != NULL, "%s", fault.text);
    int *descriptors[PRIVATE] = {&arena->in, &arena->out, &arena->bell, &arena->stacks};
    for (int i = 0; i < PRIVATE; i++) {
        *descriptors[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(*descriptors[i], 0);
    }
    unsetenv(HANDOVER_VARIABLE);
}

static void
teardown(void)
{
    const int descriptors[] = {arena->memory, arena->in, arena->out, arena->bell, arena->stacks};
    for (int i = 0; i <= PRIVATE; i++) {
        close(descriptors[i]);
    }
    arena_free(arena);
}

static int
closed_by_exec(void)
{
    const int descriptors[] = {arena->memory, arena->in, arena->out, arena->bell, arena->stacks};
    int count = 0;
    for (int i = 0; i <= PRIVATE; i++) {
        count += fcntl(descriptors[i], F_GETFD) == FD_CLOEXEC;
    }
    return count;
}

START_TEST(what_is_given_is_taken)
{
    ck_assert_int_eq(handover_give(arena, &fault), 0);
    ck_assert_int_eq(closed_by_exec(), 0);
    struct arena *taken = handover_take(getenv(HANDOVER_VARIABLE), &fault);
    ck_assert_msg(taken != NULL, "%s", fault.text);
    ck_assert_int_eq(closed_by_exec(), 1 + PRIVATE);
    ck_assert_ptr_ne(taken, arena);
    ck_assert_int_eq(taken->bell, arena->bell);
    arena_region(arena, ARENA_INPUT)[5] = 'x';
    ck_assert_int_eq(arena_region(taken, ARENA_INPUT)[5], 'x');
    arena_free(taken);
}
END_TEST

START_TEST(a_closed_descriptor_is_not_given)
{
    close(arena->stacks);
    ck_assert_int_eq(handover_give(arena, &fault), -1);
    ck_assert_str_eq(fault.text, "the wire cannot be handed over to Python: Bad file descriptor");
    ck_assert_ptr_null(getenv(HANDOVER_VARIABLE));
}
END_TEST

START_TEST(a_closed_descriptor_is_not_taken)
{
    ck_assert_int_eq(handover_give(arena, &fault), 0);
    close(arena->in);
    ck_assert_ptr_null(handover_take(getenv(HANDOVER_VARIABLE), &fault));
    ck_assert_str_eq(fault.text, "the wire was not handed over: Bad file descriptor");
}
END_TEST

static const char *const no_numbers[] = {"", "x", "5x", "-1", "99999999999", "1 2"};

START_TEST(what_is_no_number)
{
    char expected[128];
    snprintf(expected, sizeof expected, "STORMCELL_ARENA=%s is no descriptor's number",
             no_numbers[_i]);
    ck_assert_ptr_null(handover_take(no_numbers[_i], &fault));
    ck_assert_str_eq(fault.text, expected);
}
END_TEST

START_TEST(what_is_not_open)
{
    ck_assert_ptr_null(handover_take("987654", &fault));
    ck_assert_str_eq(fault.text, "the memory to share: Bad file descriptor");
}
END_TEST

START_TEST(what_is_something_else)
{
    char number[16];
    snprintf(number, sizeof number, "%d", arena->in);
    ck_assert_ptr_null(handover_take(number, &fault));
    ck_assert_str_eq(fault.text, "stormcell-shim is of another version than _stormcell");
}
END_TEST

START_TEST(what_another_version_made)
{
    arena->layout++;
    ck_assert_int_eq(handover_give(arena, &fault), 0);
    ck_assert_ptr_null(handover_take(getenv(HANDOVER_VARIABLE), &fault));
    ck_assert_str_eq(fault.text, "stormcell-shim is of another version than _stormcell");
}
END_TEST

Suite *
handover_suite(void)
{
    Suite *suite = suite_create("handover");
    TCase *tcase = tcase_create("handover");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_given_is_taken);
    tcase_add_test(tcase, a_closed_descriptor_is_not_given);
    tcase_add_test(tcase, a_closed_descriptor_is_not_taken);
    tcase_add_loop_test(tcase, what_is_no_number, 0, sizeof no_numbers / sizeof no_numbers[0]);
    tcase_add_test(tcase, what_is_not_open);
    tcase_add_test(tcase, what_is_something_else);
    tcase_add_test(tcase, what_another_version_made);
    suite_add_tcase(suite, tcase);
    return suite;
}
