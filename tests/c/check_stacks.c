#include "stacks.h"

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "suites.h"

static int stacks;

static void
setup(void)
{
    fixture_setup();
    stacks = stacks_open(&fault);
    ck_assert_int_ge(stacks, 0);
}

static void
teardown(void)
{
    close(stacks);
    fixture_teardown();
}

static void
write_down(int number)
{
    (void)number;
    (void)!write(stacks, "here\n", 5);
}

/* A process that waits, with or without a handler, and says when it is ready. */
static pid_t
start(bool catches)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (catches) {
            signal(STACKS_SIGNAL, write_down);
        }
        (void)!write(ready[1], "", 1);
        for (;;) {
            pause();
        }
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void
end(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

START_TEST(who_is_asked_writes_it_down)
{
    pid_t pid = start(true);
    for (int i = 0; i < 2; i++) {
        out.len = 0;
        stacks_ask(stacks, pid);
        stacks_take(stacks, &out);
        check_out(SLICE("here"));
    }
    end(pid);
}
END_TEST

/* The signal would end it. */
START_TEST(who_does_not_catch_the_signal_is_not_asked)
{
    pid_t pid = start(false);
    stacks_ask(stacks, pid);
    stacks_take(stacks, &out);
    ck_assert_uint_eq(out.len, 0);
    end(pid);
}
END_TEST

START_TEST(what_is_long_is_cut)
{
    char line[1000];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(write(stacks, line, sizeof line), (ssize_t)sizeof line);
    }
    stacks_take(stacks, &out);
    const char *end_of_it = "xxx\n... the rest is cut";
    ck_assert_uint_lt(out.len, 17000);
    ck_assert_mem_eq(out.data + out.len - strlen(end_of_it), end_of_it, strlen(end_of_it));
}
END_TEST

Suite *
stacks_suite(void)
{
    Suite *suite = suite_create("stacks");
    TCase *tcase = tcase_create("stacks");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_tags(tcase, "own-process");
    tcase_add_test(tcase, who_is_asked_writes_it_down);
    tcase_add_test(tcase, who_does_not_catch_the_signal_is_not_asked);
    tcase_add_test(tcase, what_is_long_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}
