#include "pulse.h"

#include "suites.h"

static struct arena *arena;
static struct pulse pulse;
static int64_t now;

static void
setup(void)
{
    arena = arena_new(NULL);
    ck_assert_ptr_nonnull(arena);
    pulse = (struct pulse){0};
    now = 1000;
    pulse_look(&pulse, arena, now);
}

static void
teardown(void)
{
    arena_free(arena);
}

static void
look_after(int64_t ms)
{
    now += ms;
    pulse_look(&pulse, arena, now);
}

START_TEST(silence_adds_up)
{
    for (int i = 1; i <= 10; i++) {
        look_after(10);
        ck_assert_int_eq(pulse.silent_ms, 10 * i);
        ck_assert_int_eq(pulse.unsaid_ms, 10 * i);
        ck_assert_int_eq(pulse.age_ms, 10 * i);
    }
}
END_TEST

/* A look that comes late is no long silence, but Storm has heard nothing all the same. */
START_TEST(a_late_look)
{
    look_after(60000);
    ck_assert_int_le(pulse.silent_ms, 100);
    ck_assert_int_eq(pulse.unsaid_ms, 60000);
}
END_TEST

START_TEST(signs_of_life)
{
    look_after(10);
    switch (_i) {
    case 0:
        atomic_fetch_add(&arena->calls, 1);
        break;
    case 1:
        atomic_store(&arena->lanes[WRITER_INTERPRETER].committed, 5);
        break;
    default:
        atomic_store(&arena->idle, true);
        break;
    }
    look_after(10);
    ck_assert_int_eq(pulse.silent_ms, 0);
    ck_assert_int_eq(pulse.unsaid_ms, 20);
    atomic_store(&arena->idle, false);
    look_after(10);
    ck_assert_int_eq(pulse.silent_ms, 10);
}
END_TEST

/* Whoever of the two has said something: Storm has heard it. */
START_TEST(what_storm_hears)
{
    look_after(10);
    atomic_fetch_add(&arena->lanes[_i].sent, 1);
    look_after(10);
    ck_assert_int_eq(pulse.silent_ms, 20);
    ck_assert_int_eq(pulse.unsaid_ms, 0);
}
END_TEST

static const struct {
    int64_t timeout_ms, due_ms;
} keepalives[] = {{1000, 250}, {10000, 2500}, {30000, 5000}, {600000, 5000}};

START_TEST(when_something_must_be_said)
{
    arena->component.timeout_ms = keepalives[_i].timeout_ms;
    look_after(keepalives[_i].due_ms - 1);
    ck_assert(!pulse_keepalive_due(&pulse, arena));
    look_after(1);
    ck_assert(pulse_keepalive_due(&pulse, arena));
    ck_assert(!pulse_keepalive_due(&pulse, arena));
    look_after(keepalives[_i].due_ms);
    ck_assert(pulse_keepalive_due(&pulse, arena));
}
END_TEST

START_TEST(another_one_starts_anew)
{
    look_after(90);
    pulse_reset(&pulse);
    look_after(90);
    ck_assert_int_eq(pulse.silent_ms, 0);
    look_after(90);
    ck_assert_int_eq(pulse.silent_ms, 90);
    ck_assert_int_eq(pulse.age_ms, 90);
}
END_TEST

Suite *
pulse_suite(void)
{
    Suite *suite = suite_create("pulse");
    TCase *tcase = tcase_create("pulse");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, silence_adds_up);
    tcase_add_test(tcase, a_late_look);
    tcase_add_loop_test(tcase, signs_of_life, 0, 3);
    tcase_add_loop_test(tcase, what_storm_hears, 0, ARENA_WRITERS);
    tcase_add_loop_test(tcase, when_something_must_be_said, 0, 4);
    tcase_add_test(tcase, another_one_starts_anew);
    suite_add_tcase(suite, tcase);
    return suite;
}
