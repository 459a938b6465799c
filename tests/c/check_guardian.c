/* The guardian as Storm sees it: started with three pipes, with a function of the test's in the
   interpreter's place. */
#include "guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "message.h"
#include "suites.h"
#include "wire.h"

#define END "\nend\n"
#define CONTEXT "\"context\":{\"componentid\":\"count\",\"taskid\":7}"
#define HANDSHAKE_WITH(conf) "{\"pidDir\":null,\"conf\":{" conf "}," CONTEXT "}" END
/* One that is lost is not replaced. */
#define HANDSHAKE HANDSHAKE_WITH("\"stormcell.restart\":{\"max\":0}")
#define HEARTBEAT \
    "{\"id\":\"1\",\"comp\":null,\"stream\":\"__heartbeat\",\"task\":-1,\"tuple\":[]}" END

static pid_t guardian;
static int say;
static int hear;
static int complaints;

static void
teardown(void)
{
    close(hear);
    close(complaints);
    fixture_teardown();
}

/* Start a guardian whose interpreter is `act`; `said` is what Storm has said by then. */
static void
start(void (*act)(struct arena *), struct slice said)
{
    int pipes[3][2];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
    }
    ck_assert_int_eq(write(pipes[0][1], said.ptr, said.len), (ssize_t)said.len);
    guardian = fork();
    ck_assert_int_ge(guardian, 0);
    if (guardian == 0) {
        dup2(pipes[0][0], 0);
        dup2(pipes[1][1], 1);
        dup2(pipes[2][1], 2);
        for (int i = 0; i < 3; i++) {
            close(pipes[i][0]);
            close(pipes[i][1]);
        }
        struct arena *arena = guardian_enter(NULL);
        if (arena == NULL) {
            _exit(99);
        }
        act(arena);
        fflush(NULL);
        _exit(0);
    }
    say = pipes[0][1];
    hear = pipes[1][0];
    complaints = pipes[2][0];
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
}

/* Read into `out` to the end: until nobody is left to write. */
static void
read_to_end(int fd)
{
    ssize_t n;
    out.len = 0;
    do {
        char *room = buffer_room(&out, 4096, NULL);
        ck_assert_ptr_nonnull(room);
        n = read(fd, room, 4096);
        ck_assert_int_ge(n, 0);
        out.len += (size_t)n;
    } while (n > 0);
}

/* Hear all there is to hear, wait for the end and return the status that Storm sees. */
static int
hear_out(void)
{
    int status;
    read_to_end(hear);
    ck_assert_int_eq(waitpid(guardian, &status, 0), guardian);
    close(say);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
check_heard(const char *part)
{
    struct slice found = {out.data, out.len};
    ck_assert_msg(memmem(found.ptr, found.len, part, strlen(part)) != NULL, "heard %.*s",
                  (int)found.len, found.ptr);
}

static void
check_pid_first(void)
{
    char pid[40];
    int len = snprintf(pid, sizeof pid, "{\"pid\":%d}" END, (int)guardian);
    ck_assert_uint_ge(out.len, (size_t)len);
    ck_assert_mem_eq(out.data, pid, (size_t)len);
}

/* ---- what is printed -------------------------------------------------------------------- */

static void
print_in_order(struct arena *arena)
{
    arena->in_order = true;
    wire_answer(arena, NULL);
    printf("from C\n");
    fprintf(stderr, "a warning\n");
    fflush(stdout);
    if (system("echo from a child; cat") != 0) { /* cat: its stdin is empty and is not the wire */
        printf("the child failed\n");
    }
    printf("without an end");
    char bytes[64];
    while (read(arena->in, bytes, sizeof bytes) != 0) { /* to the end, which is Storm's wish */
    }
}

START_TEST(what_is_printed_is_logged)
{
    start(print_in_order, SLICE("not for cat\n"));
    close(say);
    say = -1;
    ck_assert_int_eq(hear_out(), 0);
    check_pid_first();
    check_heard("{\"command\":\"log\",\"level\":4294967298,\"msg\":\"from C\"}" END);
    check_heard("{\"command\":\"log\",\"level\":4294967299,\"msg\":\"a warning\"}" END);
    check_heard("{\"command\":\"log\",\"level\":4294967298,\"msg\":\"from a child\"}" END);
    check_heard("{\"command\":\"log\",\"level\":4294967298,\"msg\":\"without an end\"}" END);
    ck_assert_ptr_null(memmem(out.data, out.len, "\"error\"", 7));
    ck_assert_ptr_null(memmem(out.data, out.len, "not for cat", 11));
    read_to_end(complaints);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* ---- how it ends ------------------------------------------------------------------------ */

static void
answer(struct arena *arena)
{
    wire_answer(arena, NULL);
}

static void
answer_and_exit_3(struct arena *arena)
{
    wire_answer(arena, NULL);
    _exit(3);
}

static void
be_killed(struct arena *arena)
{
    (void)arena;
    raise(SIGKILL);
}

static void
be_killed_with_a_tuple(struct arena *arena)
{
    struct arena_component *component = &arena->component;
    wire_answer(arena, NULL);
    component->known = true;
    component->task = 7;
    snprintf(component->name, sizeof component->name, "count");
    arena->hand = (struct arena_hand){.kind = HAND_TUPLE, .numbered = true, .number = -17};
    raise(SIGKILL);
}

static void
say_why(struct arena *arena)
{
    arena_last_words(arena, SLICE("no module named 'wordcount'"));
    _exit(1);
}

static const struct {
    void (*act)(struct arena *);
    int status;
    const char *error;
} ends[] = {
    {answer, 0, " ended with exit status 0\"}" END},
    {answer_and_exit_3, 3, " ended with exit status 3\"}" END},
    {be_killed, 128 + SIGKILL, " was ended by signal 9 (Killed)\"}" END},
    {be_killed_with_a_tuple, 128 + SIGKILL,
     " of component 'count' (task 7) was ended by signal 9 (Killed) while it had tuple -17 in "
     "hand\"}" END},
    {say_why, 1, " ended: no module named 'wordcount'\"}" END},
};

enum { ENDS = sizeof ends / sizeof ends[0] };

/* Storm is told why the interpreter ended, even if the handshake was still to be answered. */
START_TEST(an_end_out_of_order)
{
    start(ends[_i].act, SLICE(HANDSHAKE HEARTBEAT));
    ck_assert_int_eq(hear_out(), ends[_i].status);
    check_pid_first();
    check_heard("{\"command\":\"error\",\"msg\":\"the Python process ");
    check_heard(ends[_i].error);
}
END_TEST

/* Storm reads no message before the answer to a handshake that never comes: stderr says it. */
START_TEST(an_end_that_the_wire_cannot_carry)
{
    start(say_why, SLICE(""));
    close(say);
    say = -1;
    ck_assert_int_eq(hear_out(), 1);
    ck_assert_uint_eq(out.len, 0);
    read_to_end(complaints);
    check_heard("stormcell-shim: the Python process ");
    check_heard(" ended: no module named 'wordcount'\n");
}
END_TEST

/* ---- signals ---------------------------------------------------------------------------- */

static volatile sig_atomic_t terminated;

static void
on_sigterm(int number)
{
    (void)number;
    terminated = 1;
}

/* Say that it is ready, and end in order once SIGTERM has come. */
static void
wait_for_sigterm(struct arena *arena)
{
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    signal(SIGTERM, on_sigterm);
    wire_answer(arena, NULL);
    while (!terminated) {
        sigsuspend(&before);
    }
    arena->in_order = true;
    _exit(5);
}

static void
ignore_sigterm(struct arena *arena)
{
    signal(SIGTERM, SIG_IGN);
    wire_answer(arena, NULL);
    for (;;) {
        pause();
    }
}

/* Read the answer to the handshake, which says that the interpreter is ready. */
static void
hear_answer(void)
{
    char byte = 0;
    for (int line_ends = 0; line_ends < 2; line_ends += byte == '\n') {
        ck_assert_int_eq(read(hear, &byte, 1), 1);
    }
}

START_TEST(sigterm_is_passed_on)
{
    start(wait_for_sigterm, SLICE(""));
    hear_answer();
    ck_assert_int_eq(kill(guardian, _i == 0 ? SIGTERM : SIGHUP), 0);
    ck_assert_int_eq(hear_out(), 5);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* One that does not end is killed, and that is nothing to report. */
START_TEST(sigterm_is_ignored)
{
    start(ignore_sigterm, SLICE(""));
    hear_answer();
    ck_assert_int_eq(kill(guardian, SIGTERM), 0);
    ck_assert_int_eq(hear_out(), 128 + SIGKILL);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Storm dies: its end of the wire is closed, and nothing is left behind. */
START_TEST(storm_has_gone)
{
    int status;
    start(ignore_sigterm, SLICE(""));
    hear_answer();
    close(hear);
    hear = -1;
    read_to_end(complaints); /* ends when both processes have ended */
    ck_assert_int_eq(waitpid(guardian, &status, 0), guardian);
    ck_assert(WIFEXITED(status));
    close(say);
}
END_TEST

/* The guardian is killed: the interpreter goes with it. */
START_TEST(the_guardian_has_gone)
{
    int status;
    start(ignore_sigterm, SLICE(""));
    hear_answer();
    ck_assert_int_eq(kill(guardian, SIGKILL), 0);
    read_to_end(hear); /* ends when both processes have ended */
    ck_assert_int_eq(waitpid(guardian, &status, 0), guardian);
    ck_assert(WIFSIGNALED(status));
    close(say);
}
END_TEST

Suite *
guardian_suite(void)
{
    Suite *suite = suite_create("guardian");
    TCase *tcase = tcase_create("guardian");
    tcase_add_checked_fixture(tcase, fixture_setup, teardown);
    tcase_set_tags(tcase, "own-process"); /* see check_arena.c */
    tcase_set_timeout(tcase, 30);         /* two of them last as long as the guardian's patience */
    tcase_add_test(tcase, what_is_printed_is_logged);
    tcase_add_loop_test(tcase, an_end_out_of_order, 0, ENDS);
    tcase_add_test(tcase, an_end_that_the_wire_cannot_carry);
    tcase_add_loop_test(tcase, sigterm_is_passed_on, 0, 2);
    tcase_add_test(tcase, sigterm_is_ignored);
    tcase_add_test(tcase, storm_has_gone);
    tcase_add_test(tcase, the_guardian_has_gone);
    suite_add_tcase(suite, tcase);
    return suite;
}
