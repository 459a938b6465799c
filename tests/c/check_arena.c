#include "arena.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ids.h"
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

/* How a forked process ends that runs `act`: its status of waitpid. */
static int
in_child(void (*act)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        act();
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(regions_lie_apart)
{
    const char *end = (const char *)arena + sizeof *arena;
    for (int i = 0; i < ARENA_REGIONS; i++) {
        char *region = arena_region(arena, (enum arena_region)i);
        ck_assert(region >= end);
        end = region + arena_region_size((enum arena_region)i);
        region[0] = 'a'; /* the first and the last byte are there */
        region[arena_region_size((enum arena_region)i) - 1] = 'z';
    }
    for (int i = 0; i < ARENA_REGIONS; i++) {
        const char *region = arena_region(arena, (enum arena_region)i);
        ck_assert_int_eq(region[0], 'a');
        ck_assert_int_eq(region[arena_region_size((enum arena_region)i) - 1], 'z');
    }
}
END_TEST

START_TEST(starts_with_nothing_in_it)
{
    ck_assert_int_eq(arena->in, -1);
    ck_assert_int_eq(arena->out, -1);
    ck_assert_int_eq(arena->complaint, -1);
    ck_assert_int_eq(arena->torn, -1);
    ck_assert(!arena->answered && !arena->gone && !arena->writing && !arena->in_order);
    ck_assert_uint_eq(arena->last_words_len, 0);
    ck_assert_uint_eq(ids_count(arena), 0);
    ck_assert_int_eq(arena->hand.kind, HAND_EMPTY);
}
END_TEST

START_TEST(released_memory_reads_as_zero)
{
    enum { KEEP = 1 << 20 };
    char *region = arena_region(arena, ARENA_INPUT);
    memset(region, 'x', 3 * KEEP);
    arena_release(arena, ARENA_INPUT, KEEP);
    ck_assert_int_eq(region[0], 'x');
    ck_assert_int_eq(region[KEEP - 1], 'x');
    ck_assert_int_eq(region[KEEP], 0);
    ck_assert_int_eq(region[3 * KEEP - 1], 0);
    region[KEEP] = 'y'; /* and can be used again */
    ck_assert_int_eq(region[KEEP], 'y');
}
END_TEST

START_TEST(last_words_are_cut)
{
    static char text[sizeof((struct arena *)0)->last_words + 1];
    size_t room = sizeof arena->last_words;
    memset(text, 'w', sizeof text);
    arena_last_words(arena, SLICE("a segfault"));
    ck_assert(
        slice_equal((struct slice){arena->last_words, arena->last_words_len}, SLICE("a segfault")));
    arena_last_words(arena, (struct slice){text, room});
    ck_assert_uint_eq(arena->last_words_len, room);
    arena_last_words(arena, (struct slice){text, room + 1});
    ck_assert_uint_eq(arena->last_words_len, room);
    ck_assert_int_eq(arena->last_words[room - 1], 'w');
}
END_TEST

static void
write_last_words(void)
{
    arena_last_words(arena, SLICE("from the child"));
}

START_TEST(is_shared_with_a_child)
{
    int status = in_child(write_last_words);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert(slice_equal((struct slice){arena->last_words, arena->last_words_len},
                          SLICE("from the child")));
}
END_TEST

/* The child does not touch the memory, which would end it: msync() tells whether it is there. */
static void
find_no_arena(void)
{
    bool gone = msync(arena, sizeof *arena, MS_ASYNC) < 0 && errno == ENOMEM;
    _exit(gone ? 0 : 1);
}

START_TEST(is_hidden_from_forks)
{
    arena_hide_from_forks(arena);
    int status = in_child(find_no_arena);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    arena_last_words(arena, SLICE("still there"));
    ck_assert_uint_eq(arena->last_words_len, strlen("still there"));
}
END_TEST

/* Not for valgrind: what the test forks ends with the arena mapped, or cut out of its memory, and a
   leak check at its end looks through all of that. */
static TCase *
own_process(void)
{
    TCase *tcase = tcase_create("own process");
    tcase_set_tags(tcase, "own-process");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, is_shared_with_a_child);
    tcase_add_test(tcase, is_hidden_from_forks);
    return tcase;
}

Suite *
arena_suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *tcase = tcase_create("arena");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, regions_lie_apart);
    tcase_add_test(tcase, starts_with_nothing_in_it);
    tcase_add_test(tcase, released_memory_reads_as_zero);
    tcase_add_test(tcase, last_words_are_cut);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, own_process());
    return suite;
}
